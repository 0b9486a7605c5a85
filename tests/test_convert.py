"""Exchange rates: formulas, inverses, and the stationarity of other packages' solutions after translation."""

from __future__ import annotations

import numpy as np
import pytest

from fastreg.convert import (
    from_celer_logistic,
    from_glmnet,
    from_sklearn_c,
    from_sklearn_ridge,
    glmnet_sd_y,
    to_celer_logistic,
    to_glmnet,
    to_sklearn_c,
    to_sklearn_ridge,
)
from fastreg.errors import DataError

# Two free, nine of weight one, nine of weight two, as in the reference cases.
FACTORS = np.repeat([0.0, 1.0, 2.0], [2, 9, 9])
GLMNET_CASES = {
    # case: mixing, penalty factors, weighted, intercept
    "quickstart_lasso": (1.0, None, False, True),
    "quickstart_lasso_noint": (1.0, None, False, False),
    "quickstart_enet05": (0.5, None, False, True),
    "quickstart_ridge": (0.0, None, False, True),
    "quickstart_pf": (1.0, FACTORS, False, True),
    "quickstart_weights": (1.0, None, True, True),
    "quickstart_weights_enet_pf": (0.3, FACTORS, True, True),
}


def _kkt_violation(X, y, w, coef, intercept, alpha, l1_ratio, factor):
    """Return the largest distance of 0 from the subdifferential of fastreg's objective, standardize=True."""
    w = w / w.sum()
    sd = np.sqrt(w @ (X - w @ X) ** 2)
    gradient = X.T @ (w * (y - intercept - X @ coef)) / sd - alpha * factor * (1.0 - l1_ratio) * sd * coef
    bound = alpha * factor * l1_ratio
    at_zero = np.maximum(np.abs(gradient) - bound, 0.0)
    return np.where(coef == 0.0, at_zero, np.abs(gradient - bound * np.sign(coef))).max()


def _reference(case, load_data):
    reference, quickstart = load_data("glmnet_reference"), load_data("glmnet_quickstart")
    # The first lambda of a ridge path stands for infinity.
    skip = int(case.endswith("ridge"))
    path = [reference[f"{case}/{name}"][..., skip:] for name in ("lambda", "beta", "a0")]
    return quickstart["X"].astype(float), quickstart["y"].astype(float).ravel(), path


@pytest.mark.parametrize("case", GLMNET_CASES)
def test_glmnet_solutions_are_stationary_after_translation(case, load_data):
    mixing, factor, weighted, intercept = GLMNET_CASES[case]
    X, y, (lambdas, betas, a0) = _reference(case, load_data)
    n, p = X.shape
    w = np.arange(1, n + 1) % 5 + 1.0 if weighted else np.ones(n)
    sd_y = glmnet_sd_y(y, w, fit_intercept=intercept)
    alphas, l1_ratio, factor = from_glmnet(lambdas, mixing=mixing, sd_y=sd_y, penalty_factor=factor)
    factor = np.ones(p) if factor is None else factor
    for k, alpha in enumerate(alphas):
        violation = _kkt_violation(X, y, w, betas[:, k], a0[k], alpha, l1_ratio, factor)
        assert violation <= 3e-7 * lambdas[0]


def test_glmnet_excluded_columns_count_as_one():
    # Solved by glmnet itself: an infinite factor changes the scale of the others as a factor of 1 would.
    translated = from_glmnet(1.0, penalty_factor=[2.0, 1.0, 0.5, np.inf, 1.0])
    np.testing.assert_allclose(translated.penalty_factor, np.array([2.0, 1.0, 0.5, np.inf, 1.0]) / 1.1)


@pytest.mark.parametrize("mixing", [0.0, 0.3, 1.0])
def test_glmnet_there_and_back(mixing):
    rng = np.random.default_rng(0)
    lambdas, factor = np.sort(rng.random(5))[::-1], rng.random(7)
    ours = from_glmnet(lambdas, mixing=mixing, sd_y=3.0, penalty_factor=factor)
    back = to_glmnet(ours.alpha, l1_ratio=ours.l1_ratio, sd_y=3.0, penalty_factor=ours.penalty_factor)
    np.testing.assert_allclose(back.lambda_, lambdas, rtol=1e-14)
    assert back.mixing == pytest.approx(mixing, abs=1e-15)
    # glmnet divides factors by their mean: equal ratios are equal factors.
    np.testing.assert_allclose(back.penalty_factor / factor, np.full(7, 1.0 / factor.mean()))


def test_glmnet_lambda_carries_the_mean_of_our_factors():
    theirs = to_glmnet(0.5, penalty_factor=[1.0, 3.0])
    assert theirs.lambda_ == 1.0
    again = from_glmnet(theirs.lambda_, penalty_factor=theirs.penalty_factor)
    np.testing.assert_allclose(again.alpha * again.penalty_factor, [0.5, 1.5])


def test_sd_y_with_and_without_mean():
    y, w = np.array([1.0, 2.0, 4.0]), np.array([1.0, 1.0, 2.0])
    repeated = np.array([1.0, 2.0, 4.0, 4.0])
    assert glmnet_sd_y(y, w) == pytest.approx(repeated.std())
    assert glmnet_sd_y(y, w, fit_intercept=False) == pytest.approx(np.sqrt(np.mean(repeated**2)))


@pytest.mark.parametrize(
    ("there", "back"),
    [
        (from_sklearn_c, to_sklearn_c),
        (from_sklearn_ridge, to_sklearn_ridge),
        (from_celer_logistic, to_celer_logistic),
    ],
)
def test_scalars_stay_scalars_and_arrays_arrays(there, back):
    alpha = there(0.3, 20)
    assert type(alpha) is float
    assert back(alpha, 20) == pytest.approx(0.3, rel=1e-15)
    np.testing.assert_allclose(back(there([0.1, 0.2], 20), 20), [0.1, 0.2], rtol=1e-15)


def test_sklearn_ridge_solution_is_stationary_after_translation():
    linear_model = pytest.importorskip("sklearn.linear_model")
    rng = np.random.default_rng(1)
    X, y, w = rng.standard_normal((30, 4)), rng.standard_normal(30), rng.random(30) + 0.5
    fit = linear_model.Ridge(alpha=7.0, tol=1e-12).fit(X, y, sample_weight=w)
    alpha = from_sklearn_ridge(7.0, w.sum())
    gradient = X.T @ (w * (y - fit.predict(X))) / w.sum() - alpha * fit.coef_
    np.testing.assert_allclose(gradient, 0.0, atol=1e-12)


def test_sklearn_logistic_solution_is_stationary_after_translation():
    linear_model = pytest.importorskip("sklearn.linear_model")
    rng = np.random.default_rng(2)
    X, w = rng.standard_normal((60, 3)), rng.random(60) + 0.5
    y = np.where(X[:, 0] + rng.standard_normal(60) > 0, 1.0, -1.0)
    fit = linear_model.LogisticRegression(C=0.2, tol=1e-12, max_iter=1000).fit(X, y, sample_weight=w)
    margin = y * fit.decision_function(X)
    slope = X.T @ (w * y / (1.0 + np.exp(margin))) / w.sum()
    np.testing.assert_allclose(slope, from_sklearn_c(0.2, w.sum()) * fit.coef_[0], atol=1e-6)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: from_glmnet(-1.0), "lambda_ must be finite and at least 0"),
        (lambda: from_glmnet([1.0, np.nan]), "lambda_ must be finite"),
        (lambda: from_glmnet(1.0, mixing=1.5), r"mixing must lie in \[0, 1\]"),
        (lambda: from_glmnet(1.0, sd_y=0.0), "sd_y must be finite and above 0"),
        (lambda: from_glmnet(1.0, penalty_factor=[-1.0, 1.0]), "penalty_factor must be a vector"),
        (lambda: to_glmnet(1.0, penalty_factor=[0.0, 0.0]), "penalty_factor must have an entry above 0"),
        (lambda: to_glmnet(1.0, l1_ratio=-0.1), "l1_ratio must lie in"),
        (lambda: glmnet_sd_y([1.0, 2.0], [1.0]), "vectors of one length"),
        (lambda: glmnet_sd_y([1.0, 2.0], [0.0, 0.0]), "positive sum"),
        (lambda: from_sklearn_c(0.0, 10), "C must be finite and above 0"),
        (lambda: to_sklearn_c(0.1, 0), "total_weight must be finite and above 0"),
        (lambda: to_sklearn_ridge(-0.1, 10), "alpha must be finite and at least 0"),
        (lambda: from_celer_logistic(1.0, 0), "n must be finite and above 0"),
    ],
)
def test_values_out_of_range_are_named(call, message):
    with pytest.raises(DataError, match=message):
        call()
