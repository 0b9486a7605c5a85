"""Supports too large for a factor, under losses that are not quadratic: Newton steps solved by descent."""

from typing import Any

import numpy as np
import pytest
import scipy.sparse
from handmade import target

import fastreg
from fastreg import solvers
from fastreg._jit import kernel
from fastreg._repeated import at_length
from fastreg.kernels.curved import evaluate, reweigh
from fastreg.kernels.finish import admit_all
from fastreg.penalty import make_penalty
from fastreg.problem import make_problem
from fastreg.solve_curved import CurvedSolver
from fastreg.validate import check_design

RNG = np.random.default_rng(11)
N, P = 60, 80
X = scipy.sparse.csc_array(RNG.standard_normal((N, P)) * (RNG.random((N, P)) < 0.3))
ETA = X @ np.r_[np.array([1.5, -1.0, 1.0, 0.5]), np.zeros(P - 4)]
RESPONSES: dict[str, Any] = {
    "binomial": (RNG.random(N) < 1 / (1 + np.exp(-2 * ETA))).astype(int),
    "squared_hinge": ETA + 0.5 * RNG.standard_normal(N) > 0,
    "poisson": RNG.poisson(np.exp(0.5 * ETA + 0.5)),
    "huber": ETA + RNG.standard_t(2, N),
}
OPTIONS: dict[str, dict[str, Any]] = {
    "lasso": {},
    "elastic net": {"l1_ratio": 0.5},
    "weights and bounds": {"sample_weight": RNG.integers(1, 4, N), "lower_limits": -0.2, "upper_limits": 0.4},
    "standardised, no intercept": {"standardize": True, "fit_intercept": False},
    "factors": {"penalty_factor": np.r_[0.0, np.ones(P - 2), np.inf]},
}


@kernel
def admit_enlisted(S: Any) -> None:
    """Let what is enlisted enter the support, column by column."""
    evaluate(S.U, S.W.feature, S.W.beta, S.W.size[0])
    reweigh(S.U, S.W, S.F, 1.0, S.stats)
    for s in range(S.W.size[0]):
        S.W.found[s] = S.W.beta[s]
    admit_all(S.U, S.W, S.F, 0.0, S.stats)


@kernel
def reweigh_support(S: Any) -> None:
    """Form the support's Gram matrix afresh at other coefficients."""
    for s in range(S.W.size[0]):
        S.W.beta[s] *= -0.5
    evaluate(S.U, S.W.feature, S.W.beta, S.W.size[0])
    reweigh(S.U, S.W, S.F, 1.0, S.stats)


@pytest.fixture
def no_factor(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the cost model find that a factor never pays."""
    monkeypatch.setattr(solvers, "SMALL_SUPPORT", 2)
    monkeypatch.setattr(solvers, "FACTOR_WORTH", 0)


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("family", RESPONSES)
def test_descent_certifies_what_chords_find(no_factor: None, family: str, options: str) -> None:
    asked = OPTIONS[options]
    y = RESPONSES[family]
    path = fastreg.glm_path(X, y, family=family, alphas=8, eps=3e-2, tol=1e-9, **asked)
    assert path.status is fastreg.Status.CONVERGED
    # Conjugate gradients are descent's alone; sweeps are left out where no coefficient at zero wants to move.
    assert path.counters["cg_steps"] > 0
    # Certify knows the mixture from the result.
    claim = {name: value for name, value in asked.items() if name != "l1_ratio"}
    assert fastreg.certify(X, y, path, **({"fit_intercept": True} | claim)).worst <= 1e-8


def test_a_free_feature_does_not_bring_the_factor_back(no_factor: None) -> None:
    y = RESPONSES["binomial"]
    path = fastreg.glm_path(X, y, family="binomial", alphas=8, eps=3e-2, tol=1e-9, **OPTIONS["factors"])
    # 42 features end with a coefficient; 63 entered the factor where it had to take over again.
    assert path.counters["entered"] < 20


def test_a_tolerance_of_zero_ends_at_rounding(no_factor: None) -> None:
    path = fastreg.logistic_path(X, RESPONSES["binomial"], alphas=6, eps=5e-2, tol=0.0)
    assert path.status is fastreg.Status.CONVERGED
    assert np.max(path.dual_gaps) < 1e-13


def test_descent_and_chords_agree(no_factor: None, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, Any] = {"family": "binomial", "alphas": 8, "eps": 3e-2, "tol": 1e-11}
    one = fastreg.glm_path(X, RESPONSES["binomial"], **asked)
    monkeypatch.setattr(solvers, "SMALL_SUPPORT", 200)
    other = fastreg.glm_path(X, RESPONSES["binomial"], **asked)
    assert other.counters["sweeps"] == 0
    np.testing.assert_allclose(one.coefs, other.coefs, rtol=0, atol=1e-4 * np.abs(other.coefs).max())
    np.testing.assert_allclose(one.dev_ratio, other.dev_ratio, rtol=0, atol=1e-9)


def test_few_models_and_sweeps_carry_a_path(no_factor: None) -> None:
    # Counted: 75 evaluations and 53 sweeps. Every model after the first is solved as far as Newton's square
    # allows, and sweeps find signs only, back and forth.
    path = fastreg.glm_path(X, RESPONSES["binomial"], family="binomial", alphas=30, eps=5e-2, tol=1e-7)
    assert path.status is fastreg.Status.CONVERGED
    assert path.counters["gradients"] <= 90
    assert path.counters["sweeps"] <= 60


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("is_crowded", [False, True])
def test_short_columns_meet_where_both_have_entries(is_crowded: bool, fit_intercept: bool) -> None:
    # X~' H~ X~ of the support beside the formula; a column that fills all rows makes it go the long way.
    design = X.toarray()
    if is_crowded:
        design[:, 0] = 1.0 + 0.1 * RNG.standard_normal(N)
    problem = make_problem(
        check_design(scipy.sparse.csc_array(design)),
        target("binomial", RESPONSES["binomial"], fit_intercept=fit_intercept),
        make_penalty(P, 1.0),
        fit_intercept=fit_intercept,
        standardize=False,
        n_threads=1,
    )
    solver = CurvedSolver(problem, 1, 1e-9 * problem.null_objective)
    solver.let_go()
    chosen = np.array([3, 0, 5, 17, 40, 41, 42, 43, 44, 60])
    solver.enlist(chosen, RNG.standard_normal(chosen.size))
    U, W, F = solver.state.U, solver.state.W, solver.state.F
    for change in (admit_enlisted, reweigh_support):
        change(solver.state)
        k = int(W.size[1])
        assert k == chosen.size
        support = W.feature[F.support[:k]]
        D = (design[:, support] - U.D.mean[support]) * at_length(U.D.scale, P)[support]
        h = U.C.mass[0]
        H = np.diag(h) - (np.outer(h, h) / h.sum() if fit_intercept else 0.0)
        expected = D.T @ H @ D
        np.testing.assert_allclose(F.gram[:k, :k], expected, rtol=1e-9, atol=1e-12 * np.abs(expected).max())
        np.testing.assert_allclose(F.inverse[:k, :k] @ expected, np.eye(k), atol=1e-6)


@pytest.mark.parametrize("family", ["binomial", "squared_hinge", "poisson"])
def test_a_model_that_changes_nothing_is_swept(
    no_factor: None, monkeypatch: pytest.MonkeyPatch, family: str
) -> None:
    # At loose tolerances a model may count as solved where it begins: then nothing would ever move again.
    monkeypatch.setattr(solvers, "LARGEST_FACTOR", 2)
    for seed in range(8):
        rng = np.random.default_rng(seed)
        columns = scipy.sparse.csc_array(rng.standard_normal((300, 15)) * (rng.random((300, 15)) < 0.3))
        eta = columns @ np.r_[np.ones(3), np.zeros(12)]
        y = rng.poisson(np.exp(0.3 * eta)) if family == "poisson" else eta + rng.logistic(size=300) > 0
        path = fastreg.glm_path(columns, y.astype(int), family=family, alphas=6, eps=1e-2, tol=1e-2)
        assert path.status is fastreg.Status.CONVERGED


@pytest.mark.parametrize("family", RESPONSES)
def test_an_alpha_that_is_asked_for_twice_is_answered_twice(no_factor: None, family: str) -> None:
    # The second of the two begins where descent takes over from the factor: at its own alpha.
    top = fastreg.glm_path(X, RESPONSES[family], family=family, alphas=2, eps=0.5).alphas[0]
    alphas = top * np.array([0.9, 0.8, 0.4, 0.4, 0.4, 0.2, 0.2])
    path = fastreg.glm_path(X, RESPONSES[family], family=family, alphas=alphas, tol=1e-9)
    assert path.status is fastreg.Status.CONVERGED
    assert path.counters["sweeps"] > 0
    assert np.allclose(path.coefs[:, 2], path.coefs[:, 4], atol=1e-5)
