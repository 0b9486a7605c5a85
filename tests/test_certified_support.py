"""Certified supports never contradict exact solutions, and decide nearly everything on tight paths."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st
from test_relaxed import problem

import fastreg
from fastreg.selection.dual_lines import TERMS, Rows

PROVEN = ("gaussian", "binomial", "poisson", "squared_hinge", "huber")
OTHERS = ("cox", "multinomial", "mgaussian")
few = settings(max_examples=max(8, settings().max_examples // 3))


def path_of(family: str, X: Any, y: Any, tol: float, **options: Any) -> Any:
    with warnings.catch_warnings():
        # 1e-14 is more than some alphas can reach.
        warnings.simplefilter("ignore", fastreg.ConvergenceWarning)
        return fastreg.glm_path(X, y, family=family, tol=tol, **options)


def drawn(family: str, seed: int) -> tuple[Any, Any, dict[str, Any]]:
    """Return data and options of a random problem."""
    rng = np.random.default_rng(seed)
    n, p = int(rng.integers(15, 40)), int(rng.integers(6, 30))
    X, y = problem(family, seed, n, p)
    factor = rng.uniform(0.5, 2.0, p)
    if rng.random() < 0.3:
        factor[1] = np.inf
    options: dict[str, Any] = {"alphas": 6, "eps": 0.05, "standardize": bool(rng.random() < 0.5)}
    options["l1_ratio"] = float(rng.choice([1.0, 0.5]))
    options["sample_weight"] = rng.uniform(0.2, 2.0, n) * (rng.random(n) < 0.9)
    if family in PROVEN and rng.random() < 0.4:
        options |= {"positive": True} if rng.random() < 0.5 else {"upper_limits": 0.3, "lower_limits": -0.2}
    elif rng.random() < 0.3:
        factor[0] = 0.0
    return X, y, options | {"penalty_factor": factor}


@few
@given(family=st.sampled_from(PROVEN + OTHERS), seed=st.integers(0, 10**6))
def test_proofs_never_contradict_an_exact_solution(family: str, seed: int) -> None:
    X, y, options = drawn(family, seed)
    try:
        exact = path_of(family, X, y, 1e-14, **options)
    except fastreg.DataError:
        # Too few rows are left for this family.
        return
    is_active = exact.coefs != 0.0 if exact.n_outputs == 1 else exact.coefs.any(axis=0)
    for tol in (1e-2, 1e-5):
        loose = path_of(family, X, y, tol, **(options | {"alphas": exact.alphas}))
        proof = loose.support()
        assert not (proof.zero & is_active).any()
        assert not (proof.active & ~is_active).any()
        assert not (proof.zero & proof.active).any()


@pytest.mark.parametrize("family", PROVEN)
def test_loose_paths_leave_some_undecided_and_tight_ones_hardly_any(family: str) -> None:
    X, y = problem(family, 1, 40, 30)
    options: dict[str, Any] = {"alphas": 8, "eps": 0.1}
    tight = path_of(family, X, y, 1e-12, **options)
    proof = tight.support()
    assert proof.undecided[:, 1:].mean() < 0.01
    assert proof.active.sum() >= 0.97 * tight.n_nonzero.sum()
    # Coefficients moved a little away are a claim like any other.
    moved = replace(tight, coefs_sparse=tight.coefs_sparse * 0.97)
    worse = moved.support()
    assert worse.n_undecided.sum() > proof.n_undecided.sum()
    assert not (worse.active & proof.zero).any()
    assert not (worse.zero & proof.active).any()


@pytest.mark.parametrize("family", OTHERS)
def test_other_families_prove_zeros(family: str) -> None:
    X, y = problem(family, 1, 40, 30)
    proof = path_of(family, X, y, 1e-12, alphas=8, eps=0.1).support()
    assert not proof.active.any()
    assert proof.zero.any()


def test_storage_does_not_matter() -> None:
    X, y = problem("gaussian", 2, 40, 30)
    X = np.where(np.abs(X) > 1.0, X, 0.0)
    for given_X in (np.asfortranarray(X), scipy.sparse.csc_array(X), X.astype(np.float32)):
        path = fastreg.lasso_path(given_X, y, alphas=6, eps=0.1, fit_intercept=True)
        proof = path.support()
        assert np.array_equal(proof.active[:, 1:], (path.coefs != 0.0)[:, 1:])


def test_one_alpha_on_the_grid_or_off_it() -> None:
    X, y = problem("gaussian", 3)
    path = fastreg.lasso_path(X, y, alphas=6, eps=0.1, fit_intercept=True)
    whole, one = path.support(), path.support(path.alphas[3])
    assert np.array_equal(one.active[:, 0], whole.active[:, 3])
    between = float(np.sqrt(path.alphas[3] * path.alphas[4]))
    off = path.support(between)
    assert off.alphas.tolist() == [between]
    assert off.relative_gaps[0] < 1e-9
    assert off.words().count("active") == off.active.sum()
    assert set(off.words()) <= {"active", "zero", "undecided"}
    with pytest.raises(fastreg.DataError, match="alpha must be one finite number > 0"):
        path.support(-1.0)


def test_a_feature_on_the_verge_is_left_undecided() -> None:
    # At alpha = 1 the second coefficient is exactly zero with a correlation at its limit.
    path = fastreg.lasso_path(np.eye(2), [3.0, 2.0], alphas=[1.0], fit_intercept=False)
    assert path.support().words() == ("active", "undecided")
    # Two equal columns: either can do without the other.
    X = np.column_stack([[1.0, 2.0, 3.0], [1.0, 2.0, 3.0], [1.0, -1.0, 0.0]])
    words = fastreg.lasso_path(X, [1.0, 2.0, 3.0], alphas=[0.1], fit_intercept=False).support().words()
    assert "active" not in words[:2]


def test_excluded_features_are_zero_and_ridge_supports_are_proven() -> None:
    X, y = problem("gaussian", 4)
    factor = np.where(np.arange(12) == 3, np.inf, 1.0)
    path = fastreg.ridge_path(X, y, alphas=[1.0, 0.1], penalty_factor=factor)
    proof = path.support()
    assert proof.zero[3].all()
    assert proof.active.sum() > 10
    assert "features, 2 alphas" in repr(proof)


@pytest.mark.parametrize("family", PROVEN)
def test_terms_of_the_losses_are_fenchel_young(family: str) -> None:
    rng = np.random.default_rng(5)
    y = {"binomial": rng.random(6).round(), "poisson": rng.poisson(2.0, 6).astype(float)}.get(
        family, rng.normal(size=6)
    )
    y = np.sign(y) if family == "squared_hinge" else y
    rows, terms = Rows(y, np.zeros(6), np.full(6, 1 / 6), 0.8), TERMS[family]
    eta, other = rng.normal(size=6), rng.normal(size=6)
    at = terms.residual(rows, other)
    assert terms.young(rows, eta, terms.residual(rows, eta)) == pytest.approx(np.zeros(6), abs=1e-12)
    # As a function of eta it is the loss plus a line: equal slopes, f' + theta.
    step = 1e-5
    slope = (terms.young(rows, eta + step, at) - terms.young(rows, eta - step, at)) / (2 * step)
    assert slope == pytest.approx(at - terms.residual(rows, eta), abs=1e-6)
    assert (terms.young(rows, eta, at) >= 0.0).all()


@pytest.mark.compiled_only
def test_real_data(load_data: Any) -> None:
    data = load_data("leukemia")
    X, y = np.asfortranarray(data["X"], dtype=np.float64), np.array(data["y"], dtype=np.float64).ravel()
    path = fastreg.lasso_path(X, y, alphas=20, eps=1e-2, fit_intercept=True, standardize=True)
    proof = path.support()
    assert np.array_equal(proof.active[:, 1:], (path.coefs != 0.0)[:, 1:])
    assert proof.n_undecided[1:].max() <= 1
