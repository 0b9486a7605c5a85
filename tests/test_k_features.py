"""Models of exactly k features, and where the number of features jumps."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.sparse
from hypothesis import given
from hypothesis import strategies as st
from test_relaxed import problem

import fastreg
from fastreg.certify import certify


@given(seed=st.integers(0, 10**6), k=st.integers(1, 12))
def test_random_paths_have_every_size(seed: int, k: int) -> None:
    rng = np.random.default_rng(seed)
    n, p = int(rng.integers(15, 40)), int(rng.integers(14, 60))
    X = rng.standard_normal((n, p)) * rng.uniform(0.3, 3.0, p)
    y = X[:, :4] @ rng.standard_normal(4) + rng.standard_normal(n)
    path = fastreg.enet_path(X, y, l1_ratio=rng.choice([1.0, 0.7]), alphas=6, eps=0.02, fit_intercept=True)
    found = path.with_k_features(k)
    assert found.n_nonzero.tolist() == [k]
    assert found.alphas.size == 1
    assert found.selected(found.alphas[0]).size == k
    claim = certify(X, y, found, fit_intercept=True)
    assert claim.worst < 1e-9


@pytest.mark.parametrize("family", ["binomial", "multinomial", "poisson", "huber", "cox", "mgaussian"])
def test_every_family(family: str) -> None:
    X, y = problem(family)
    path = fastreg.glm_path(X, y, family=family, alphas=4, eps=0.05)
    found = path.with_k_features(3)
    assert found.n_nonzero.tolist() == [3]
    assert found.family == family
    assert found.predict(X[:2]).shape[-1] == 1
    if family == "cox":
        assert found.predict_survival(X[:2], times=[0.5], alpha=found.alphas[0]).shape == (2, 1)
    # What is found can be refined and refitted in turn.
    assert found.with_k_features(2).n_nonzero.tolist() == [2]
    assert found.refit().n_nonzero.tolist() == [3]


def test_an_alpha_of_the_grid_is_taken_as_it_is() -> None:
    X, y = problem("gaussian")
    path = fastreg.lasso_path(X, y, fit_intercept=True)
    k = int(np.flatnonzero(path.n_nonzero == 4)[0])
    found = path.with_k_features(4)
    assert found.alphas[0] == path.alphas[k]
    assert np.array_equal(found.coefs[:, 0], path.coefs[:, k])
    assert found.relative_gaps[0] == path.relative_gaps[k]


def test_the_path_is_continued_on_either_side() -> None:
    X, y = problem("gaussian")
    top = fastreg.lasso_path(X, y, alphas=3, fit_intercept=True).alpha_max
    high = fastreg.lasso_path(X, y, alphas=[0.9 * top], fit_intercept=True)
    assert high.with_k_features(9).n_nonzero.tolist() == [9]
    low = fastreg.lasso_path(X, y, alphas=[1e-4 * top], fit_intercept=True)
    assert low.with_k_features(2).n_nonzero.tolist() == [2]


def test_features_without_penalty_count() -> None:
    X, y = problem("gaussian")
    free = np.where(np.arange(12) < 2, 0.0, 1.0)
    path = fastreg.lasso_path(X, y, alphas=5, fit_intercept=True, penalty_factor=free)
    found = path.with_k_features(4)
    assert {0, 1} < set(found.selected(found.alphas[0]).tolist())
    with pytest.raises(fastreg.DataError, match="the path has 2 to"):
        path.with_k_features(1)


def test_a_number_that_is_skipped_is_named() -> None:
    X = scipy.sparse.csc_array(np.diag([1.0, 1.0, 1.0, 1.0]))
    path = fastreg.lasso_path(X, [3.0, 2.0, 2.0, 1.0], alphas=[0.75, 0.6, 0.3, 0.1])
    assert path.with_k_features(1).n_nonzero.tolist() == [1]
    assert path.with_k_features(4).n_nonzero.tolist() == [4]
    with pytest.raises(fastreg.DataError, match=r"goes from 1 to 3 at alpha=0\.[45].*ask for 1 or 3"):
        path.with_k_features(2)


@pytest.mark.parametrize(
    ("path", "k", "message"),
    [
        (lambda X, y: fastreg.ridge_path(X, y, alphas=3), 2, "l1_ratio > 0"),
        (lambda X, y: fastreg.lasso_path(X, y, alphas=3), 0, "k must be an integer >= 1"),
        (lambda X, y: fastreg.lasso_path(X, y, alphas=3), 13, "the path has 0 to 12"),
    ],
)
def test_what_no_path_has_is_refused(path: Any, k: int, message: str) -> None:
    X, y = problem("gaussian")
    X = X - X.mean(axis=0)
    with pytest.raises(fastreg.DataError, match=message):
        path(X, y - y.mean()).with_k_features(k)
    with pytest.raises(fastreg.DataTypeError, match="k must be an integer"):
        fastreg.lasso_path(X, y - y.mean(), alphas=3).with_k_features(2.0)  # type: ignore[arg-type]


def test_loose_tolerances_are_tightened() -> None:
    X, y = problem("binomial", n=40, p=30)
    path = fastreg.logistic_path(X, y, alphas=4, eps=0.05, tol=1e-2)
    sizes = set(path.n_nonzero.tolist())
    k = next(k for k in range(1, 12) if k not in sizes)
    found = path.with_k_features(k)
    assert found.n_nonzero.tolist() == [k]
    assert certify(X, y, found, fit_intercept=True).worst < 1e-9


def test_order_of_entry_is_that_of_the_sizes() -> None:
    X, y = problem("mgaussian")
    path = fastreg.multitask_path(X, y, alphas=200)
    order = path.order_of_entry()
    assert len(set(order.tolist())) == order.size == np.count_nonzero(path.coefs.any(axis=(0, 2)))
    for k in (1, 2, 3):
        if k in path.n_nonzero:
            assert set(order[:k].tolist()) == set(path.selected(path.alphas[path.n_nonzero == k][0]).tolist())


def test_a_count_of_the_grid_is_checked_at_the_accuracy_of_counting() -> None:
    rng = np.random.default_rng(57)
    X = rng.standard_normal((50, 60))
    y = rng.poisson(np.exp(0.5 * X[:, :4].sum(axis=1))).astype(float)
    options: dict[str, Any] = {"family": "poisson", "l1_ratio": 0.6}
    path = fastreg.glm_path(X, y, alphas=8, eps=0.1, **options)
    found = path.with_k_features(17)
    exact = fastreg.glm_path(X, y, alphas=found.alphas, tol=1e-13, **options)
    assert exact.n_nonzero[0] == found.n_nonzero[0] == 17
