"""The same numbers as scikit-learn's estimators, where they minimise the same objective.

With n rows of unit weight: LogisticRegression and LinearSVC take C = 1 / (alpha n) for our alpha, LinearSVC
half of that, for its loss lacks our factor 1/2; PoissonRegressor takes alpha itself; MultiTaskElasticNet too.
LinearSVC and liblinear penalise the intercept, so there is none in those comparisons. HuberRegressor fits a
scale s beside b; at its solution b solves our problem with delta = epsilon s and alpha = its alpha s / n.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.sparse
import sklearn
from sklearn import linear_model
from sklearn.svm import LinearSVC

import fastreg

N, P = 60, 8
ALPHAS = np.array([0.3, 0.05, 0.01])
RNG = np.random.default_rng(21)
X = np.asfortranarray(RNG.normal(size=(N, P)) + 0.5)
ETA = X[:, 0] - 0.7 * X[:, 3] + 0.3
LABELS = ETA + RNG.logistic(size=N) > 0
SORTS = np.clip(np.round(ETA + RNG.normal(size=N)), -1, 1).astype(int)
COUNTS = RNG.poisson(np.exp(0.5 * ETA)).astype(float)
NUMBERS = ETA + 0.5 * RNG.standard_t(2, size=N)
WEIGHTS = RNG.uniform(0.5, 2.0, size=N)
storages = pytest.mark.parametrize(
    "store", [np.asfortranarray, scipy.sparse.csc_matrix], ids=["dense", "csc"]
)


def assert_close(ours: Any, theirs: Any, tolerance: float = 1e-5) -> None:
    theirs = np.reshape(theirs, np.shape(ours))
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=tolerance * max(np.abs(theirs).max(), 1.0))


def mixing(l1_ratio: float) -> dict[str, Any]:
    """Return the arguments for an elastic net: until scikit-learn 1.8 it had to be asked for by name."""
    new = tuple(int(part) for part in sklearn.__version__.split(".")[:2]) >= (1, 8)
    return {"l1_ratio": l1_ratio, "solver": "saga"} | ({} if new else {"penalty": "elasticnet"})


@storages
@pytest.mark.parametrize("weight", [None, WEIGHTS], ids=["", "weighted"])
@pytest.mark.parametrize("y", [LABELS, SORTS], ids=["two classes", "three classes"])
def test_logistic_regression_with_l2(y: Any, weight: Any, store: Any) -> None:
    # Both symmetric in the classes; coefficients of the softmax sum to zero under L2.
    door = fastreg.logistic_path if y is LABELS else fastreg.multinomial_path
    total = N if weight is None else weight.sum()
    path = door(store(X), y, l1_ratio=0.0, alphas=ALPHAS, sample_weight=weight, tol=1e-12)
    for k, alpha in enumerate(ALPHAS):
        model = linear_model.LogisticRegression(C=1 / (alpha * total), tol=1e-10, max_iter=10_000)
        model.fit(X, y, sample_weight=weight)
        assert_close(path.coefs[..., k], model.coef_)
        found = path.predict(X, alpha=alpha)
        theirs = model.predict_proba(X)
        np.testing.assert_allclose(found, theirs[:, 1] if y is LABELS else theirs, rtol=0, atol=1e-5)
    assert path.classes == tuple(model.classes_.tolist())


@pytest.mark.parametrize("l1_ratio", [1.0, 0.5])
@pytest.mark.parametrize("y", [LABELS, SORTS], ids=["two classes", "three classes"])
def test_logistic_regression_with_l1(y: Any, l1_ratio: float) -> None:
    door = fastreg.logistic_path if y is LABELS else fastreg.multinomial_path
    path = door(X, y, l1_ratio=l1_ratio, alphas=ALPHAS[1:2], tol=1e-12)
    model = linear_model.LogisticRegression(
        C=1 / (ALPHAS[1] * N), tol=1e-9, max_iter=100_000, random_state=0, **mixing(l1_ratio)
    ).fit(X, y)
    theirs = model.predict_proba(X)
    found = path.predict(X, alpha=ALPHAS[1])
    np.testing.assert_allclose(found, theirs[:, 1] if y is LABELS else theirs, rtol=0, atol=1e-4)
    assert_close(path.coefs[..., 0], model.coef_, 1e-4)


@storages
def test_poisson_regressor(store: Any) -> None:
    for weight in (None, WEIGHTS):
        path = fastreg.poisson_path(
            store(X), COUNTS, l1_ratio=0.0, alphas=ALPHAS, sample_weight=weight, tol=1e-12
        )
        for k, alpha in enumerate(ALPHAS):
            model = linear_model.PoissonRegressor(alpha=alpha, tol=1e-9, max_iter=10_000)
            model.fit(X, COUNTS, sample_weight=weight)
            assert_close(path.coefs[:, k], model.coef_)
            assert path.intercepts[k] == pytest.approx(model.intercept_, abs=1e-5)
            explained = model.score(X, COUNTS, sample_weight=weight)
            assert path.dev_ratio[k] == pytest.approx(explained, abs=1e-6)


@storages
@pytest.mark.parametrize("l1_ratio", [1.0, 0.0])
def test_linear_svc(l1_ratio: float, store: Any) -> None:
    path = fastreg.squared_hinge_path(
        store(X), LABELS, l1_ratio=l1_ratio, alphas=ALPHAS, fit_intercept=False, tol=1e-12
    )
    for k, alpha in enumerate(ALPHAS):
        model = LinearSVC(
            loss="squared_hinge", penalty="l1" if l1_ratio else "l2", dual=False, C=1 / (2 * alpha * N),
            fit_intercept=False, tol=1e-10, max_iter=100_000, random_state=0,
        )  # fmt: skip
        model.fit(X, LABELS)
        assert_close(path.coefs[:, k], model.coef_, 1e-4)
        np.testing.assert_array_equal(path.predict(X, alpha=alpha, kind="class"), model.predict(X))


@pytest.mark.parametrize("fit_intercept", [False, True])
def test_huber_regressor(fit_intercept: bool) -> None:
    for alpha in (0.1, 10.0):
        model = linear_model.HuberRegressor(
            epsilon=1.35, alpha=alpha, fit_intercept=fit_intercept, tol=1e-10, max_iter=10_000
        ).fit(X, NUMBERS)
        path = fastreg.huber_path(
            X, NUMBERS, delta=1.35, scale=model.scale_, l1_ratio=0.0, alphas=[alpha * model.scale_ / N],
            fit_intercept=fit_intercept, tol=1e-12,
        )  # fmt: skip
        assert_close(path.coefs[:, 0], model.coef_, 1e-4)
        assert path.intercepts[0] == pytest.approx(model.intercept_, abs=1e-4)


@pytest.mark.parametrize("l1_ratio", [1.0, 0.5])
def test_multi_task_elastic_net(l1_ratio: float) -> None:
    Y = np.column_stack([NUMBERS, ETA, COUNTS])
    path = fastreg.multitask_path(X, Y, l1_ratio=l1_ratio, alphas=ALPHAS, tol=1e-12)
    for k, alpha in enumerate(ALPHAS):
        model = linear_model.MultiTaskElasticNet(alpha=alpha, l1_ratio=l1_ratio, tol=1e-12, max_iter=100_000)
        model.fit(X, Y)
        assert_close(path.coefs[..., k], model.coef_)
        assert_close(path.intercepts[:, k], model.intercept_)
