"""Calls written for scikit-learn's path functions give the same numbers here; its idioms run unchanged."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.sparse
from sklearn import linear_model

import fastreg
from fastreg.certify import certify

EXACT: dict[str, Any] = {"tol": 1e-12, "max_iter": 10**6}
N, P = 60, 25


def draw(sparse: bool = False, seed: int = 3) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(N, P))
    if sparse:
        X[rng.random((N, P)) < 0.7] = 0.0
    y = X[:, :6] @ rng.normal(size=6) + 0.3 * rng.normal(size=N)
    y -= y.mean()
    return (scipy.sparse.csc_matrix(X) if sparse else np.asfortranarray(X)), y


def assert_close(ours: Any, theirs: Any) -> None:
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=2e-6 * max(np.abs(theirs).max(), 1e-12))


@pytest.mark.parametrize("positive", [False, True])
@pytest.mark.parametrize("sparse", [False, True])
def test_lasso_path_gives_the_same_numbers(sparse: bool, positive: bool) -> None:
    X, y = draw(sparse)
    theirs = linear_model.lasso_path(X, y, alphas=30, eps=1e-2, positive=positive, **EXACT)
    ours = fastreg.lasso_path(X, y, alphas=30, eps=1e-2, positive=positive, fit_intercept=False, **EXACT)
    alphas, coefs, dual_gaps = ours
    np.testing.assert_allclose(alphas, theirs[0], rtol=1e-12)
    assert_close(coefs, theirs[1])
    assert dual_gaps.shape == alphas.shape
    assert certify(X, y, ours, positive=positive).worst <= 1e-11


@pytest.mark.parametrize("l1_ratio", [0.9, 0.5, 0.1])
@pytest.mark.parametrize("sparse", [False, True])
def test_enet_path_gives_the_same_numbers(sparse: bool, l1_ratio: float) -> None:
    X, y = draw(sparse)
    theirs = linear_model.enet_path(X, y, l1_ratio=l1_ratio, alphas=30, eps=1e-2, **EXACT)
    ours = fastreg.enet_path(X, y, l1_ratio=l1_ratio, alphas=30, eps=1e-2, fit_intercept=False, **EXACT)
    np.testing.assert_allclose(ours.alphas, theirs[0], rtol=1e-12)
    assert_close(ours.coefs, theirs[1])
    assert certify(X, y, ours).worst <= 1e-11


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("positive", [False, True])
def test_sample_weights_and_intercept(order: Any, positive: bool) -> None:
    X, y = draw()
    X, y = np.array(X + 1.5, order=order), y + 4.0
    weight = np.random.default_rng(5).uniform(0.2, 3.0, size=N)
    alphas = np.array([0.5, 0.1, 0.02])
    options: dict[str, Any] = {"fit_intercept": True, "sample_weight": weight, "positive": positive}
    ours = fastreg.enet_path(X, y, l1_ratio=0.7, alphas=alphas, tol=1e-12, **options)
    for k, alpha in enumerate(alphas):
        model = linear_model.ElasticNet(alpha=alpha, l1_ratio=0.7, positive=positive, **EXACT)
        model.fit(X, y, sample_weight=weight)
        assert_close(ours.coefs[:, k], model.coef_)
        assert ours.intercepts[k] == pytest.approx(model.intercept_, abs=1e-5)
    assert certify(X, y, ours, **options).worst <= 1e-11


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
def test_ridge_path_equals_ridge(sparse: bool, weighted: bool) -> None:
    X, y = draw(sparse)
    y = y + 2.0
    weight = np.random.default_rng(5).uniform(0.2, 3.0, size=N) if weighted else None
    total = N if weight is None else weight.sum()
    alphas = np.array([10.0, 1.0, 0.1, 1e-3])
    ours = fastreg.ridge_path(X, y, alphas=alphas, fit_intercept=True, sample_weight=weight)
    dense = X.toarray() if sparse else X
    for k, alpha in enumerate(alphas):
        model = linear_model.Ridge(alpha=alpha * total, solver="cholesky").fit(dense, y, sample_weight=weight)
        np.testing.assert_allclose(ours.coefs[:, k], model.coef_, rtol=0, atol=1e-9)
        assert ours.intercepts[k] == pytest.approx(model.intercept_, abs=1e-9)
    assert certify(X, y, ours, sample_weight=weight, fit_intercept=True).worst <= 1e-10


def test_unpacking_and_indexing_like_a_tuple() -> None:
    X, y = draw()
    result = fastreg.lasso_path(X, y, alphas=5, fit_intercept=False)
    alphas, coefs, dual_gaps = result
    assert len(result) == 3
    np.testing.assert_array_equal(result[0], alphas)
    np.testing.assert_array_equal(result[1], coefs)
    np.testing.assert_array_equal(result[-1], dual_gaps)
    assert coefs.shape == (P, 5)
    # Idioms from scikit-learn's gallery: log of alphas, plotting coefficients against it.
    assert np.all(np.diff(-np.log10(alphas)) > 0)
    assert [row.shape for row in coefs] == [(5,)] * P


def test_iteration_counts_on_request() -> None:
    X, y = draw()
    ours = fastreg.lasso_path(X, y, alphas=5, fit_intercept=False, return_n_iter=True)
    alphas, coefs, dual_gaps, n_iters = ours
    theirs = linear_model.lasso_path(X, y, alphas=5, return_n_iter=True)
    assert len(n_iters) == len(theirs[3]) == 5
    assert coefs.shape == theirs[1].shape
    assert dual_gaps.shape == theirs[2].shape
    np.testing.assert_allclose(alphas, theirs[0], rtol=1e-12)


def test_drop_in_keywords_are_accepted() -> None:
    X, y = draw()
    plain = fastreg.lasso_path(X, y, alphas=[0.3, 0.1], fit_intercept=False, tol=1e-12)
    dressed = fastreg.lasso_path(
        X, y, alphas=[0.1, 0.3], fit_intercept=False, tol=1e-12, precompute="auto", Xy=X.T @ y, copy_X=True,
        coef_init=np.zeros(P), verbose=False, check_input=True, selection="random", random_state=0,
        max_iter=10**5,
    )  # fmt: skip
    assert_close(dressed.coefs, plain.coefs)
    by_name = fastreg.lasso_path(X, y, n_alphas=7, eps=1e-2, fit_intercept=False)
    assert by_name.alphas.shape == (7,)


def test_unknown_keywords_are_refused() -> None:
    X, y = draw()
    unknown: dict[str, Any] = {"alpha_min": 1.0}
    with pytest.raises(TypeError, match="unexpected keyword"):
        fastreg.lasso_path(X, y, **unknown)


def test_uncentred_response_without_an_answer_about_the_intercept_warns_once() -> None:
    X, y = draw()
    with pytest.warns(fastreg.InputWarning, match="fit_intercept") as caught:
        fastreg.lasso_path(X, y + 5.0, alphas=3)
    assert len(caught) == 1
    fastreg.lasso_path(X, y + 5.0, alphas=3, fit_intercept=False)
    fastreg.lasso_path(X, y, alphas=3)
