"""Cross-validated scores equal refits on copied folds, for every family, storage and option."""

from __future__ import annotations

from typing import Any

import numpy as np
import oracle_cv
import pytest
from scipy import sparse

import fastreg
from fastreg.path import PathUnderWay
from fastreg.selection.candidates import Begun, Candidate

FAMILIES = ["gaussian", "binomial", "multinomial", "poisson", "squared_hinge", "huber", "cox", "mgaussian"]
PLAIN: dict[str, Any] = {"standardize": False}
# Newton steps of several classes are slow in plain Python.
MULTINOMIAL = pytest.param("multinomial", marks=pytest.mark.compiled_only)
SCALED: dict[str, Any] = {"standardize": True, "l1_ratio": 0.7}
THROUGH_ZERO: dict[str, Any] = {"fit_intercept": False}


def make_case(family: str, storage: Any = np.asarray, *, weighted: bool = True, **options: Any) -> Any:
    rng = np.random.default_rng(7)
    n, p = 40, 7
    X = rng.standard_normal((n, p)) * rng.uniform(0.5, 2.0, p) + rng.standard_normal(p)
    X[rng.random((n, p)) < 0.3] = 0.0
    eta = X[:, 1] - 0.7 * X[:, 4]
    eta = 0.7 * (eta - eta.mean())
    shift = 0.3 * rng.standard_normal(n)
    noise = rng.standard_normal((n, 3))
    y: Any = eta + noise[:, 0]
    if family in ("binomial", "squared_hinge"):
        y = np.where(y > 0, "yes", "no")
    elif family == "multinomial":
        y = np.array(list("abc"))[np.argmax(np.column_stack([eta, -eta, 0 * eta]) + noise, axis=1)]
        shift = np.column_stack([shift, -shift, 0 * shift])
    elif family == "poisson":
        y = rng.poisson(np.exp(0.7 * eta)).astype(float)
    elif family == "cox":
        time, end = np.ceil(4 * rng.exponential(np.exp(-eta))), np.ceil(8 * rng.random(n))
        y = np.column_stack([np.minimum(time, end), time <= end]).astype(float)
    elif family == "mgaussian":
        y = np.column_stack([eta, -eta]) + noise[:, :2]
    w, offset = (rng.uniform(0.5, 2.0, n), shift) if weighted else (None, None)
    return oracle_cv.Case(family, storage(X), y, w, offset, {"tol": 1e-12} | options)


def cross_validated(case: Any, **more: Any) -> Any:
    asked: dict[str, Any] = {"cv": 3, "alphas": 4, "eps": 0.05} | more
    found = fastreg.cv_path(
        case.X, case.y, family=case.family, sample_weight=case.w, offset=case.offset, **case.options, **asked
    )
    assert found.status is fastreg.Status.CONVERGED
    return found


def assert_equals_refits(case: Any, found: Any) -> None:
    delta = found.path.delta
    scores = [oracle_cv.fold_scores(case, f.train, f.test, found.alphas, delta) for f in found.folds]
    np.testing.assert_allclose(found.scores, scores, rtol=1e-8, atol=1e-8 * np.abs(scores).max())
    if case.family == "cox":
        weights = np.array([case.weights[f.test] @ case.y[f.test, -1] for f in found.folds])
    else:
        weights = np.array([case.weights[f.test].sum() for f in found.folds])
    mean, se = oracle_cv.mean_and_error(np.array(scores), weights)
    np.testing.assert_allclose(found.mean, mean, rtol=1e-8)
    np.testing.assert_allclose(found.se, se, rtol=1e-6)
    assert found.k_min == np.argmin(mean)
    assert found.k_1se == np.flatnonzero(mean <= mean.min() + se[np.argmin(mean)])[0]


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("storage", [np.asarray, sparse.csc_array], ids=["dense", "sparse"])
@pytest.mark.parametrize("options", [PLAIN, SCALED, THROUGH_ZERO], ids=["plain", "scaled", "through zero"])
def test_scores_equal_refits_on_copies(family: str, storage: Any, options: Any) -> None:
    if family == "cox" and options is THROUGH_ZERO:
        options = {"ties": "efron", "strata": np.arange(40) % 2}
    case = make_case(family, storage, **options)
    assert_equals_refits(case, cross_validated(case))


@pytest.mark.parametrize("family", FAMILIES)
def test_scores_without_weights_and_in_single_precision(family: str) -> None:
    case = make_case(family, lambda X: np.asfortranarray(X, dtype=np.float32), weighted=False)
    assert_equals_refits(case, cross_validated(case))


def test_a_fold_scales_by_its_training_rows_only() -> None:
    # Explicit: columns scaled by hand with what the training rows say, then penalised as they are.
    case = make_case("gaussian", weighted=False, standardize=True)
    found = cross_validated(case)
    for f, fold in enumerate(found.folds):
        X, y = case.X[fold.train], case.y[fold.train]
        centre, scale = X.mean(axis=0), X.std(axis=0)
        path = fastreg.lasso_path((X - centre) / scale, y, alphas=found.alphas, fit_intercept=True, tol=1e-12)
        predicted = ((case.X[fold.test] - centre) / scale) @ path.coefs + path.intercepts
        expected = ((case.y[fold.test, None] - predicted) ** 2).mean(axis=0)
        np.testing.assert_allclose(found.scores[f], expected, rtol=1e-8)


def test_times_that_begin_late_are_compared_with_those_at_risk() -> None:
    case = make_case("cox")
    start = np.floor(case.y[:, 0] * np.random.default_rng(1).random(40)) * 0.5
    case.y = np.column_stack([start, case.y])
    assert_equals_refits(case, cross_validated(case))


def test_proportions_are_judged_by_their_deviance() -> None:
    case = make_case("binomial")
    case.y = np.clip(np.random.default_rng(2).random(40), 0.05, 0.95)
    assert_equals_refits(case, cross_validated(case))


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_x_is_read_in_place_and_left_alone(dtype: Any) -> None:
    case = make_case("gaussian")
    X = np.asfortranarray(case.X, dtype=dtype)
    before = X.copy()
    X.flags.writeable = False
    found = fastreg.cv_path(X, case.y, cv=4)
    np.testing.assert_array_equal(X, before)
    assert found.path.input_report.copied_bytes == 0


@pytest.mark.parametrize("given", [True, False], ids=["given alphas", "own alphas"])
@pytest.mark.parametrize("family", ["gaussian", "binomial", MULTINOMIAL, "cox"])
def test_threads_change_no_bit(family: str, given: bool) -> None:
    case = make_case(family)
    alphas: Any = [0.2, 0.1] if given else 3
    asked: dict[str, Any] = {"l1_ratio": [0.5, 1.0], "keep_predictions": True, "alphas": alphas}
    one, two = (cross_validated(case, n_threads=k, **asked) for k in (1, 2))
    assert len(one.curves) == len(two.curves) == 2
    for a, b in zip(one.curves, two.curves, strict=True):
        for name in ("alphas", "scores", "mean", "se", "predictions"):
            np.testing.assert_array_equal(getattr(a, name), getattr(b, name))
        np.testing.assert_array_equal(a.path.coefs, b.path.coefs)


def test_the_path_is_that_of_the_path_function() -> None:
    case = make_case("poisson")
    found = cross_validated(case)
    alone = fastreg.poisson_path(
        case.X, case.y, sample_weight=case.w, offset=case.offset, alphas=4, eps=0.05, tol=1e-12
    )
    np.testing.assert_array_equal(found.path.alphas, alone.alphas)
    np.testing.assert_array_equal(found.path.coefs, alone.coefs)
    np.testing.assert_array_equal(found.n_nonzero, alone.n_nonzero)
    np.testing.assert_array_equal(found.coef, alone.coef_at(found.alpha)[0])


def test_every_share_of_the_l1_penalty_has_its_own_alphas() -> None:
    case = make_case("gaussian")
    found = cross_validated(case, l1_ratio=[0.1, 0.5, 1.0])
    tops = [curve.alphas[0] * curve.l1_ratio for curve in found.curves]
    np.testing.assert_allclose(tops, tops[0], rtol=1e-12)
    best = [curve.mean.min() for curve in found.curves]
    assert found.best == np.argmin(best)
    assert found.l1_ratio == (0.1, 0.5, 1.0)[found.best]
    for curve in found.curves:
        alone = cross_validated(case, l1_ratio=curve.l1_ratio)
        np.testing.assert_array_equal(curve.scores, alone.scores)


@pytest.mark.parametrize("shares", [1.0, [0.4, 0.7, 1.0]])
def test_paths_that_are_under_way_do_not_gather_in_memory(
    monkeypatch: pytest.MonkeyPatch, shares: Any
) -> None:
    # Every path that was begun holds vectors of all features until it is finished.
    under_way, most = 0, []
    begin = Candidate.begin

    def counted_begin(self: Candidate, *given: Any) -> Begun:
        nonlocal under_way
        under_way += 1
        most.append(under_way)
        return begin(self, *given)

    monkeypatch.setattr(Candidate, "begin", counted_begin)

    def counting(end: Any) -> Any:
        def counted_end(self: PathUnderWay) -> Any:
            nonlocal under_way
            under_way -= 1
            return end(self)

        return counted_end

    for name in ("result", "solutions"):
        monkeypatch.setattr(PathUnderWay, name, counting(getattr(PathUnderWay, name)))
    cross_validated(make_case("gaussian"), cv=4, l1_ratio=shares, n_threads=1)
    assert len(most) == 5 * np.size(shares)
    assert max(most) == 1
    assert under_way == 0


def test_out_of_fold_predictions() -> None:
    case = make_case("binomial")
    found = cross_validated(case, keep_predictions=True)
    assert found.predictions.shape == (40, 4)
    for fold in found.folds:
        X, y, options = case.part(fold.train)
        path = fastreg.logistic_path(X, y, alphas=found.alphas, **options)
        expected = path.predict(case.X[fold.test], offset=case.offset[fold.test])
        np.testing.assert_allclose(found.predictions[fold.test], expected, rtol=1e-9)


def test_predictions_are_means_where_test_parts_overlap() -> None:
    case = make_case("mgaussian")
    folds = [(np.arange(10, 40), np.arange(10)), (np.arange(20, 40), np.arange(5, 15))]
    both = cross_validated(case, cv=folds, keep_predictions=True, alphas=[0.1])
    each = [cross_validated(case, cv=[fold], keep_predictions=True, alphas=[0.1]) for fold in folds]
    first, second = (one.predictions for one in each)
    assert both.predictions.shape == (40, 2, 1)
    np.testing.assert_array_equal(both.predictions[:5], first[:5])
    np.testing.assert_array_equal(both.predictions[5:10], 0.5 * (first[5:10] + second[5:10]))
    assert np.isnan(both.predictions[15:]).all()


def test_rows_without_weight_neither_train_nor_test() -> None:
    case = make_case("gaussian")
    w = np.where(np.arange(40) % 4 == 0, 0.0, case.w)
    kept = np.flatnonzero(w)
    ids = np.arange(40) % 3
    all_rows = fastreg.cv_path(case.X, case.y, cv=ids, sample_weight=w, alphas=[0.1, 0.01], tol=1e-12)
    few = fastreg.cv_path(
        case.X[kept], case.y[kept], cv=ids[kept], sample_weight=w[kept], alphas=[0.1, 0.01], tol=1e-12
    )
    np.testing.assert_allclose(all_rows.scores, few.scores, rtol=1e-9)


@pytest.mark.parametrize("how", ["ridge", "lasso", "weights"])
def test_adapted_penalties_are_adapted_in_every_fold(how: str) -> None:
    from fastreg.request import make_study
    from fastreg.selection.adaptive import adaptive_factors

    case = make_case("gaussian", weighted=False)
    said: Any = np.linspace(0.5, 2.0, 7) if how == "weights" else how
    found = fastreg.cv_path(case.X, case.y, cv=4, alphas=6, eps=0.05, adaptive=said, tol=1e-12)
    ask = found.path.source.ask
    for f, fold in enumerate(found.folds):
        X, y = case.X[fold.train], case.y[fold.train]
        plain = make_study(X, y, ask).asking(penalty_factor=None)
        factors = adaptive_factors(plain, said)
        path = fastreg.lasso_path(
            X, y, alphas=found.alphas, penalty_factor=factors, fit_intercept=True, tol=1e-12
        )
        expected = ((case.y[fold.test, None] - path.predict(case.X[fold.test])) ** 2).mean(axis=0)
        np.testing.assert_allclose(found.scores[f], expected, rtol=1e-8)


def test_relaxed_paths_are_refitted_in_every_fold() -> None:
    case = make_case("gaussian", weighted=False)
    found = cross_validated(case, relax=[0.0, 0.5, 1.0])
    assert [curve.gamma for curve in found.curves] == [0.0, 0.5, 1.0]
    for f, fold in enumerate(found.folds):
        X, y = case.X[fold.train], case.y[fold.train]
        path = fastreg.lasso_path(X, y, alphas=found.alphas, fit_intercept=True, tol=1e-12)
        refit = np.zeros((len(fold.test), 4))
        for k in range(4):
            S = path.selected(found.alphas[k])
            A = np.column_stack([np.ones(len(X)), X[:, S]])
            b = np.linalg.lstsq(A, y, rcond=None)[0]
            refit[:, k] = b[0] + case.X[fold.test][:, S] @ b[1:]
        for curve in found.curves:
            mixed = curve.gamma * path.predict(case.X[fold.test]) + (1 - curve.gamma) * refit
            expected = ((case.y[fold.test, None] - mixed) ** 2).mean(axis=0)
            np.testing.assert_allclose(curve.scores[f], expected, rtol=1e-8)
    assert found.gamma == found.curve.gamma
    assert {c.gamma for c in cross_validated(case, relax=True).curves} == {0.0, 0.25, 0.5, 0.75, 1.0}
