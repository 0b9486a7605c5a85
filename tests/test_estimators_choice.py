"""Estimators that choose: alpha by cross-validation, columns by stability; and in scikit-learn's company."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.feature_selection import SelectFromModel
from sklearn.model_selection import GridSearchCV, GroupKFold, KFold, cross_val_predict, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import fastreg
from fastreg import estimators
from fastreg.errors import DataError

N, P = 60, 12
RNG = np.random.default_rng(7)
# Columns of very different units, so that scaling matters.
X = np.asfortranarray(RNG.normal(size=(N, P)) * np.geomspace(0.2, 5.0, P) + 0.5)
ETA = 3.0 * X[:, 0] - 0.3 * X[:, 9]
NUMBERS = ETA + 0.4 * RNG.normal(size=N) + 2.0
LABELS = np.where(ETA + RNG.normal(size=N) > ETA.mean(), "yes", "no")
COUNTS = RNG.poisson(np.exp(0.3 * ETA)).astype(float)
TASKS = np.column_stack([NUMBERS, X[:, 3] + 0.2 * RNG.normal(size=N)])
TIMES = RNG.exponential(np.exp(-0.5 * ETA))
SURVIVAL = np.column_stack([np.minimum(TIMES, 1.0), TIMES <= 1.0])
WEIGHTS = RNG.integers(1, 4, N).astype(float)
GROUPS = np.arange(N) // 5
# The estimator, its target and what it is for cv_path.
CASES: dict[str, tuple[Any, dict[str, Any]]] = {
    "LassoCV": (NUMBERS, {}),
    "ElasticNetCV": (NUMBERS, {"l1_ratio": 0.5}),
    "RidgeCV": (NUMBERS, {"l1_ratio": 0.0}),
    "MultiTaskLassoCV": (TASKS, {"family": "mgaussian"}),
    "SparseCoxRegressorCV": (SURVIVAL, {"family": "cox"}),
    "SparseHuberRegressorCV": (NUMBERS, {"family": "huber"}),
    "SparseLinearSVCCV": (LABELS, {"family": "squared_hinge"}),
    "SparseLogisticRegressionCV": (LABELS, {"family": "binomial"}),
    "SparsePoissonRegressorCV": (COUNTS, {"family": "poisson"}),
}


def test_every_estimator_that_chooses_is_tested() -> None:
    assert set(CASES) == {name for name in estimators.__all__ if name.endswith("CV")}


@pytest.mark.parametrize("name", CASES)
def test_the_choice_is_that_of_cv_path(name: str) -> None:
    y, family = CASES[name]
    options: dict[str, Any] = {"alphas": 8, "cv": 3, "random_state": 1, "standardize": True}
    model = getattr(estimators, name)(select="1se", **options).fit(X, y, sample_weight=WEIGHTS)
    found = fastreg.cv_path(X, y, rule="1se", sample_weight=WEIGHTS, **options, **family)
    assert model.alpha_ == found.alpha == found.alpha_1se
    np.testing.assert_array_equal(model.coef_, np.reshape(found.coef, model.coef_.shape))
    np.testing.assert_array_equal(np.ravel(model.intercept_), np.ravel(found.intercept))
    np.testing.assert_array_equal(model.cv_.scores, found.scores)
    np.testing.assert_array_equal(model.alphas_, found.alphas)
    assert model.l1_ratio_ == family.get("l1_ratio", 1.0)
    k = found.k_1se
    assert (model.dual_gap_, model.n_iter_) == (found.path.dual_gaps[k], found.path.n_iter[k])
    copy = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(copy.predict(X), model.predict(X))
    assert copy.cv_.alpha == model.alpha_


@pytest.mark.compiled_only  # threads share out the paths of test_cv_path, where plain Python does so too
@pytest.mark.parametrize("name", CASES)
def test_threads_change_nothing(name: str) -> None:
    y, _ = CASES[name]
    one, two = (getattr(estimators, name)(alphas=8, cv=3, n_jobs=n).fit(X, y) for n in (1, 2))
    np.testing.assert_array_equal(one.coef_, two.coef_)
    np.testing.assert_array_equal(one.cv_.scores, two.cv_.scores)


def test_what_may_choose() -> None:
    shortest = estimators.LassoCV(alphas=8, cv=3, select=lambda curve: 2).fit(X, NUMBERS)
    assert shortest.alpha_ == shortest.alphas_[2]
    between = estimators.LassoCV(alphas=[1.0, 0.1], cv=3, select=lambda curve: 0.4).fit(X, NUMBERS)
    # Not between its neighbours, but solved: the gap belongs to it.
    alone = estimators.Lasso(alpha=0.4).fit(X, NUMBERS)
    np.testing.assert_allclose(between.coef_, alone.coef_, atol=1e-10)
    assert between.dual_gap_ <= 1e-7
    mixed = estimators.ElasticNetCV(l1_ratio=[0.2, 1.0], alphas=8, cv=3).fit(X, NUMBERS)
    assert mixed.l1_ratio_ in (0.2, 1.0)
    assert mixed.l1_ratio_ == mixed.path_.l1_ratio
    with pytest.raises(DataError, match='select must be "min", "1se".*median'):
        estimators.LassoCV(select="median").fit(X, NUMBERS)


def test_splitters_groups_and_pairs_of_rows_make_the_folds() -> None:
    pairs = list(GroupKFold(4).split(X, NUMBERS, GROUPS))
    models = [
        estimators.LassoCV(alphas=8, cv=pairs).fit(X, NUMBERS),
        estimators.LassoCV(alphas=8, cv=GroupKFold(4)).fit(X, NUMBERS, groups=GROUPS),
        estimators.LassoCV(alphas=8, cv=iter(pairs)).fit(X, NUMBERS),
    ]
    for model in models[1:]:
        np.testing.assert_array_equal(model.cv_.scores, models[0].cv_.scores)
    kinds = np.array(["ash", "beech", "oak"])[np.arange(N) % 3]
    svc = [estimators.SparseLinearSVCCV(alphas=3, cv=each).fit(X, kinds) for each in (pairs, iter(pairs))]
    np.testing.assert_array_equal(svc[0].coef_, svc[1].coef_)
    whole = estimators.LassoCV(alphas=8, cv=4).fit(X, NUMBERS, groups=GROUPS)
    for fold in whole.cv_.folds:
        assert set(GROUPS[fold.test]) & set(GROUPS[fold.train]) == set()


def test_a_scaler_before_cross_validation_is_not_scaling_within_it() -> None:
    folds = list(KFold(5).split(X))
    options: dict[str, Any] = {"alphas": np.geomspace(1.0, 0.01, 6), "cv": folds}
    inside = estimators.LassoCV(standardize=True, **options).fit(X, NUMBERS)
    before = make_pipeline(StandardScaler(), estimators.LassoCV(**options)).fit(X, NUMBERS)
    for f, (train, test) in enumerate(folds):
        # What each of them does, written out: the scaler has seen the test rows of the fold.
        for scores, rows in ((inside.cv_.scores, train), (before[-1].cv_.scores, np.arange(N))):
            Z = (X - X[rows].mean(axis=0)) / X[rows].std(axis=0)
            path = fastreg.lasso_path(Z[train], NUMBERS[train], alphas=options["alphas"], fit_intercept=True)
            errors = (NUMBERS[test, None] - path.predict(Z[test])) ** 2
            np.testing.assert_allclose(scores[f], errors.mean(axis=0), rtol=1e-8)
    assert np.abs(inside.cv_.mean - before[-1].cv_.mean).max() > 1e-5
    # At one alpha on all rows they are the same model.
    alpha = 0.1
    one = estimators.Lasso(alpha, standardize=True).fit(X, NUMBERS)
    two = make_pipeline(StandardScaler(), estimators.Lasso(alpha)).fit(X, NUMBERS)
    np.testing.assert_allclose(one.predict(X), two.predict(X), rtol=1e-9)
    np.testing.assert_allclose(one.coef_ * X.std(axis=0), two[-1].coef_, atol=1e-10)


def test_names_of_columns() -> None:
    frame = pd.DataFrame(X, columns=[f"gene {j}" for j in range(P)])
    model = estimators.LassoCV(alphas=8, cv=3).fit(frame, NUMBERS)
    assert model.feature_names_in_.tolist() == frame.columns.tolist()
    assert model.n_features_in_ == P
    assert model.path_.feature_names == tuple(frame.columns)
    assert model.path_.label(0) == "gene 0"
    with pytest.raises(ValueError, match="must be in the same order"):
        model.predict(frame[frame.columns[::-1]])


def test_grids_pipelines_and_out_of_fold_predictions() -> None:
    pipe = make_pipeline(StandardScaler(), estimators.SparseLogisticRegression())
    grid = {"sparselogisticregression__alpha": [0.3, 0.03], "sparselogisticregression__l1_ratio": [1.0, 0.5]}
    search = GridSearchCV(pipe, grid, cv=3, scoring="neg_log_loss").fit(X, LABELS)
    assert search.best_estimator_.score(X, LABELS) > 0.8
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    chances = cross_val_predict(search.best_estimator_, X, LABELS, cv=3, method="predict_proba")
    np.testing.assert_allclose(chances.sum(axis=1), 1.0)
    risks = cross_val_predict(estimators.SparseCoxRegressor(0.05), X, SURVIVAL, cv=3)
    assert risks.shape == (N,)


def test_columns_are_selected_from_a_model() -> None:
    model = estimators.Lasso(0.1)
    # scikit-learn's threshold for an L1 penalty it knows by the name Lasso.
    kept = SelectFromModel(model, threshold=1e-5).fit(X, NUMBERS)
    np.testing.assert_array_equal(kept.get_support(), kept.estimator_.coef_ != 0.0)
    assert 0 < kept.transform(X).shape[1] < P


@pytest.mark.parametrize("name", ["Lasso", "LassoCV"])
def test_weights_and_groups_are_routed(name: str) -> None:
    cls = getattr(estimators, name)
    params = {"groups": GROUPS} if name == "LassoCV" else {}
    folds = list(KFold(3).split(X))
    given = {"sample_weight": WEIGHTS, **params}
    with config_context(enable_metadata_routing=True):
        model = cls().set_fit_request(**dict.fromkeys(given, True)).set_score_request(sample_weight=True)
        found = cross_validate(model, X, NUMBERS, cv=folds, params=given, return_estimator=True)
        scaler = StandardScaler().set_fit_request(sample_weight=False)
        pipe = make_pipeline(scaler, model).fit(X, NUMBERS, **given)
    for (train, test), score, fitted in zip(folds, found["test_score"], found["estimator"], strict=True):
        own = cls().fit(X[train], NUMBERS[train], **{key: value[train] for key, value in given.items()})
        np.testing.assert_array_equal(fitted.coef_, own.coef_)
        assert score == own.score(X[test], NUMBERS[test], sample_weight=WEIGHTS[test])
    own = cls().fit(StandardScaler().fit_transform(X), NUMBERS, **given)
    np.testing.assert_array_equal(pipe[-1].coef_, own.coef_)


def test_stable_columns_are_kept() -> None:
    rng = np.random.default_rng(0)
    wide = rng.normal(size=(80, 40))
    y = 3 * wide[:, 7] - 2 * wide[:, 11] + rng.normal(size=80)
    frame = pd.DataFrame(wide, columns=[f"gene {j}" for j in range(40)])
    selector = estimators.StabilitySelector(pairs=8, q=5, threshold=0.9, n_jobs=2).fit(frame, y)
    alone = fastreg.stability_selection(wide, y, pairs=8, q=5, threshold=0.9)
    np.testing.assert_array_equal(selector.get_support(indices=True), alone.selected)
    np.testing.assert_array_equal(selector.probabilities_, alone.probabilities)
    assert selector.threshold_ == 0.9
    assert selector.get_feature_names_out().tolist() == [f"gene {j}" for j in alone.selected]
    assert {7, 11} <= set(alone.selected.tolist())
    table = selector.set_output(transform="pandas").transform(frame)
    assert table.columns.tolist() == selector.get_feature_names_out().tolist()
    pipe = make_pipeline(selector, estimators.Ridge(0.01)).fit(frame, y)
    assert pipe.score(frame, y) > 0.8
    copy = pickle.loads(pickle.dumps(selector))
    np.testing.assert_array_equal(copy.get_support(), selector.get_support())


@pytest.mark.parametrize(("family", "y"), [("binomial", LABELS), ("cox", SURVIVAL), ("mgaussian", TASKS)])
def test_stable_columns_of_other_families(family: str, y: Any) -> None:
    selector = estimators.StabilitySelector(family=family, pairs=3, q=3, threshold=0.6, standardize=True)
    assert selector.fit(X, y).get_support()[[0, 9]].any()
