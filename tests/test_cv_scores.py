"""Scores by name and by function, against pairs and rows counted one by one."""

from __future__ import annotations

from typing import Any

import numpy as np
import oracle_cv
import pytest

import fastreg
from fastreg.errors import DataError, DataTypeError
from fastreg.risksets import make_risk_sets
from fastreg.selection.cox_deviance import cox_deviance
from fastreg.selection.ranking import area_under_curve
from fastreg.validate.survival import check_survival

N = 36
rng = np.random.default_rng(11)
X = rng.standard_normal((N, 5))
W = rng.uniform(0.5, 2.0, N)
ETA = X[:, 0] + 0.5 * rng.standard_normal(N)
RESPONSES: dict[str, Any] = {
    "gaussian": ETA,
    "huber": ETA,
    "binomial": (ETA > 0).astype(int),
    "squared_hinge": (ETA > 0).astype(int),
    "multinomial": np.digitize(ETA, [-0.5, 0.5]),
    "poisson": np.round(np.exp(ETA)),
    "mgaussian": np.column_stack([ETA, -ETA]),
    "cox": np.column_stack([np.ceil(5 * np.exp(-ETA)), np.arange(N) % 3 > 0]).astype(float),
}


def cross_validated(family: str, scoring: Any, **options: Any) -> Any:
    asked = {"cv": 3, "alphas": 4, "eps": 0.05, "sample_weight": W, "keep_predictions": True} | options
    return fastreg.cv_path(X, RESPONSES[family], family=family, scoring=scoring, **asked)


def by_fold(found: Any, one: Any) -> Any:
    """Return one(rows, prediction at one alpha) for every fold and alpha."""
    K = len(found.alphas)
    return [[one(f.test, found.predictions[f.test][..., k]) for k in range(K)] for f in found.folds]


def mean(values: Any, rows: Any) -> Any:
    return np.average(values, weights=W[rows], axis=0)


@pytest.mark.parametrize("family", ["gaussian", "huber", "poisson", "mgaussian", "multinomial", "binomial"])
@pytest.mark.parametrize(("scoring", "size"), [("mse", np.square), ("mae", np.abs)])
def test_errors_of_the_mean_response(family: str, scoring: str, size: Any) -> None:
    found = cross_validated(family, scoring)
    y = RESPONSES[family].astype(float)
    if family == "multinomial":
        y = np.stack([RESPONSES[family] == c for c in range(3)], axis=1).astype(float)
    factor = 2.0 if family == "binomial" else 1.0

    def one(rows: Any, predicted: Any) -> Any:
        return factor * mean(size(y[rows] - predicted).reshape(len(rows), -1).sum(axis=1), rows)

    np.testing.assert_allclose(found.scores, by_fold(found, one), rtol=1e-10)
    assert not found.greater_is_better


@pytest.mark.parametrize("family", ["binomial", "multinomial", "squared_hinge"])
def test_accuracy(family: str) -> None:
    found = cross_validated(family, "accuracy")
    y = RESPONSES[family]
    cut = 0.5 if family == "binomial" else 0.0

    def one(rows: Any, predicted: Any) -> Any:
        label = predicted.argmax(axis=1) if predicted.ndim == 2 else (predicted > cut).astype(int)
        return mean(label == y[rows], rows)

    np.testing.assert_allclose(found.scores, by_fold(found, one), rtol=1e-12)
    assert found.greater_is_better
    assert found.mean[found.k_min] == found.mean.max()


@pytest.mark.parametrize("family", ["binomial", "squared_hinge"])
def test_area_under_the_curve(family: str) -> None:
    found = cross_validated(family, "auc")
    y = RESPONSES[family]
    expected = by_fold(found, lambda rows, predicted: oracle_cv.area(y[rows], W[rows], predicted))
    np.testing.assert_allclose(found.scores, expected, rtol=1e-12)
    # Without a coefficient all rows tie.
    assert found.scores[:, 0].max() <= 1.0


def test_area_with_ties_and_proportions() -> None:
    r = np.random.default_rng(3)
    eta = r.integers(0, 4, (20, 6)).astype(float)
    share, w = r.random(20), r.random(20)
    found = area_under_curve(w * share, w * (1 - share), eta)
    y, weights, index = np.repeat([1, 0], 20), np.r_[w * share, w * (1 - share)], np.r_[0:20, 0:20]
    expected = [oracle_cv.area(y, weights, eta[index, k]) for k in range(6)]
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_harrells_c() -> None:
    found = cross_validated("cox", "c_index")
    y = RESPONSES["cox"]
    expected = by_fold(found, lambda rows, risk: oracle_cv.harrell(y[rows], W[rows], risk))
    np.testing.assert_allclose(found.scores, expected, rtol=1e-12)


def test_harrells_c_within_strata_only() -> None:
    strata = np.arange(N) % 2
    found = cross_validated("cox", "c_index", strata=strata, cv=2)
    y = RESPONSES["cox"]
    for f, fold in enumerate(found.folds):
        won = pairs = 0.0
        for s in (0, 1):
            rows = fold.test[strata[fold.test] == s]
            # The share of one stratum times its pairs, found from a model that wins them all.
            total = sum(
                W[i] * W[j]
                for i in rows
                for j in rows
                if y[i, 1] == 1 and i != j and (y[j, 0] > y[i, 0] or (y[j, 0] == y[i, 0] and y[j, 1] == 0))
            )
            pairs += total
            won += total * oracle_cv.harrell(y[rows], W[rows], found.predictions[rows, -1])
        assert found.scores[f, -1] == pytest.approx(won / pairs, rel=1e-12)


@pytest.mark.parametrize("ties", ["breslow", "efron"])
def test_cox_deviance_where_exponentials_underflow(ties: str) -> None:
    r = np.random.default_rng(5)
    y = np.column_stack([r.integers(0, 6, N), r.integers(7, 12, N), r.random(N) < 0.6]).astype(float)
    strata = np.arange(N) % 2
    eta = np.column_stack([r.standard_normal(N), 400.0 * r.standard_normal(N), np.arange(N) * -100.0])
    risk = make_risk_sets(check_survival(y, N), W / W.sum(), ties, strata)
    found = cox_deviance(risk, W / W.sum(), W.sum(), eta)
    case = oracle_cv.Case("cox", X, y, W, options={"ties": ties, "strata": strata})
    expected = [oracle_cv.cox_deviance(case, np.arange(N), eta[:, [k]]) for k in range(3)]
    np.testing.assert_allclose(found, expected, rtol=1e-10)


def test_deviances_of_certain_predictions_are_finite() -> None:
    # A probability that rounds to one is wrong at a price, not at an infinite one.
    y = np.r_[np.zeros(18), np.ones(18)]
    x = (y * 2 - 1)[:, None] * 1e3
    y[0] = 1.0
    found = fastreg.cv_path(x, y, family="binomial", alphas=[1e-9], cv=[(np.arange(2, N), [0, 1])], tol=1e-6)
    assert np.isfinite(found.mean).all()
    assert found.mean[0] > 1.0


def weighted(y: Any, predicted: Any, sample_weight: Any) -> float:
    return float(np.average((y - predicted) ** 2, weights=sample_weight))


def by_position(y: Any, predicted: Any, w: Any) -> float:
    return weighted(y, predicted, w)


@pytest.mark.parametrize("function", [weighted, by_position])
def test_functions_get_rows_and_weights(function: Any) -> None:
    found = cross_validated("gaussian", function, greater_is_better=False)
    np.testing.assert_allclose(found.scores, cross_validated("gaussian", "mse").scores, rtol=1e-12)
    assert found.scoring == function.__name__


def test_functions_of_scikit_learn() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    found = cross_validated("gaussian", metrics.r2_score, greater_is_better=True)
    expected = by_fold(
        found, lambda rows, p: metrics.r2_score(RESPONSES["gaussian"][rows], p, sample_weight=W[rows])
    )
    np.testing.assert_allclose(found.scores, expected, rtol=1e-12)
    assert found.mean[found.k_min] == found.mean.max()
    loss = cross_validated("multinomial", metrics.log_loss, greater_is_better=False)
    np.testing.assert_allclose(2 * loss.scores, cross_validated("multinomial", None).scores, rtol=1e-9)


def test_functions_of_two_arguments_see_labels() -> None:
    seen: list[Any] = []

    def share(y: Any, predicted: Any) -> float:
        seen.append(set(y))
        return float(np.mean((predicted > 0.5) == (y == "yes")))

    y = np.where(RESPONSES["binomial"] == 1, "yes", "no")
    found = fastreg.cv_path(X, y, family="binomial", cv=3, alphas=4, scoring=share, greater_is_better=True)
    assert seen[0] == {"yes", "no"}
    plain = fastreg.cv_path(X, y, family="binomial", cv=3, alphas=4, scoring="accuracy")
    np.testing.assert_allclose(found.scores, plain.scores)


def test_alphas_without_a_finite_mean_are_not_chosen() -> None:
    calls = iter(range(100))
    found = cross_validated(
        "gaussian", lambda y, p: np.nan if next(calls) % 4 == 3 else float(np.mean((y - p) ** 2)),
        greater_is_better=False, n_threads=1,
    )  # fmt: skip
    assert np.isnan(found.mean[3])
    assert found.k_min == np.nanargmin(found.mean)
    with pytest.raises(DataError, match="none that is finite"):
        cross_validated("gaussian", lambda y, p: np.nan, greater_is_better=False)


@pytest.mark.parametrize(
    ("family", "options", "kind", "message"),
    [
        (
            "gaussian",
            {"scoring": "auc"},
            DataError,
            "a function or one of 'deviance', 'mse', 'mae' for gaussian",
        ),
        ("cox", {"scoring": "mse"}, DataError, "one of 'deviance', 'c_index' for cox"),
        (
            "binomial",
            {"scoring": "roc"},
            DataError,
            "'deviance', 'mse', 'mae', 'accuracy', 'auc' for binomial",
        ),
        (
            "multinomial",
            {"scoring": "auc"},
            DataError,
            "'deviance', 'mse', 'mae', 'accuracy' for multinomial",
        ),
        ("gaussian", {"scoring": 3}, DataTypeError, "scoring must be a name or a function"),
        ("gaussian", {"scoring": weighted}, DataError, "greater_is_better must be given for a function"),
        ("gaussian", {"scoring": "mse", "greater_is_better": True}, DataError, "smaller values of 'mse'"),
        (
            "gaussian",
            {"scoring": weighted, "greater_is_better": 1},
            DataTypeError,
            "greater_is_better must be",
        ),
        ("binomial", {"scoring": "auc", "cv": N}, DataError, "fold 0 of cv must test rows of both classes"),
        ("cox", {"scoring": "c_index", "cv": N}, DataError, "fold 0 of cv must test an event that another"),
        ("cox", {"scoring": None, "cv": N}, DataError, "of cv must test rows with an event"),
    ],
)
def test_scores_that_cannot_be(family: str, options: Any, kind: Any, message: str) -> None:
    with pytest.raises(kind, match=message):
        cross_validated(family, **options)


def test_a_function_must_return_numbers() -> None:
    with pytest.raises(DataTypeError, match="scoring must return a number, got 'good'"):
        cross_validated("gaussian", lambda y, p: "good", greater_is_better=True)
