"""The estimators against scikit-learn's at equal settings, and what a fitted one is good for."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
import scipy.sparse
import sklearn
from sklearn import linear_model
from sklearn.base import clone
from sklearn.exceptions import DataConversionWarning, NotFittedError
from sklearn.svm import LinearSVC

import fastreg
from fastreg import estimators
from fastreg.certify import certify
from fastreg.errors import DataError, DataTypeError

N, P = 60, 12
RNG = np.random.default_rng(5)
X = np.asfortranarray(RNG.normal(size=(N, P)) + 0.5)
ETA = 0.8 * X[:, 0] - 0.6 * X[:, 3]
NUMBERS = ETA + 0.4 * RNG.normal(size=N) + 2.0
LABELS = np.where(ETA + RNG.normal(size=N) > 0, "yes", "no")
SORTS = np.array(["ash", "beech", "oak"])[np.digitize(ETA + 0.7 * RNG.normal(size=N), [-0.4, 0.5])]
COUNTS = RNG.poisson(np.exp(0.5 * ETA + 0.5)).astype(float)
TASKS = np.column_stack([NUMBERS, -0.5 * X[:, 3] + 0.2 * RNG.normal(size=N)])
TIMES = RNG.exponential(np.exp(-ETA))
SURVIVAL = np.column_stack([np.minimum(TIMES, 1.0), TIMES <= 1.0])
WEIGHTS = RNG.integers(1, 4, N).astype(float)
TARGETS: dict[str, Any] = {
    "SparseLogisticRegression": LABELS, "SparseLinearSVC": LABELS, "SparsePoissonRegressor": COUNTS,
    "SparseCoxRegressor": SURVIVAL, "MultiTaskLasso": TASKS,
}  # fmt: skip
GIVEN = sorted(name for name in estimators.__all__ if not name.endswith("CV") and name != "StabilitySelector")
storages = pytest.mark.parametrize("store", [np.asarray, scipy.sparse.csr_array], ids=["dense", "sparse"])
# scikit-learn 1.6 calls newer SciPys in a way that these complain about.
with_lbfgs = pytest.mark.filterwarnings("ignore:scipy.optimize:DeprecationWarning")
weightings = pytest.mark.parametrize("weight", [None, WEIGHTS], ids=["equal", "weighted"])


@storages
@weightings
def test_squares_are_those_of_scikit_learn(store: Any, weight: Any) -> None:
    total = N if weight is None else weight.sum()
    exact = {"tol": 1e-14, "max_iter": 100_000}
    pairs: list[tuple[Any, Any]] = [
        (estimators.Lasso(0.1), linear_model.Lasso(alpha=0.1, **exact)),
        (estimators.Lasso(0.1, positive=True), linear_model.Lasso(alpha=0.1, positive=True, **exact)),
        (
            estimators.ElasticNet(0.2, l1_ratio=0.3, fit_intercept=False),
            linear_model.ElasticNet(alpha=0.2, l1_ratio=0.3, fit_intercept=False, **exact),
        ),
        (estimators.Ridge(0.2), linear_model.Ridge(alpha=0.2 * total, tol=1e-14)),
    ]
    for ours, theirs in pairs:
        ours.fit(store(X), NUMBERS, sample_weight=weight)
        theirs.fit(store(X), NUMBERS, sample_weight=weight)
        assert ours.coef_.shape == theirs.coef_.shape == (P,)
        np.testing.assert_allclose(ours.predict(store(X)), theirs.predict(store(X)), atol=1e-6)
        np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=1e-6)
        assert ours.intercept_ == pytest.approx(theirs.intercept_, abs=1e-6)
        score = ours.score(store(X), NUMBERS, sample_weight=weight)
        assert score == pytest.approx(theirs.score(store(X), NUMBERS, sample_weight=weight), abs=1e-6)


def test_tasks_are_those_of_scikit_learn() -> None:
    ours = estimators.MultiTaskLasso(0.1).fit(X, TASKS)
    theirs = linear_model.MultiTaskLasso(alpha=0.1, tol=1e-12, max_iter=100_000).fit(X, TASKS)
    assert ours.coef_.shape == theirs.coef_.shape == (2, P)
    assert ours.intercept_.shape == theirs.intercept_.shape == (2,)
    np.testing.assert_allclose(ours.predict(X), theirs.predict(X), atol=1e-6)
    with pytest.raises(DataError, match="Lasso fits one response"):
        ours.fit(X, NUMBERS)
    with pytest.raises(ValueError, match="1d array"):
        estimators.Lasso().fit(X, TASKS)


@with_lbfgs
@storages
@weightings
@pytest.mark.parametrize("y", [LABELS, SORTS], ids=["two", "three"])
def test_ridge_logistic_regression_is_that_of_scikit_learn(y: Any, weight: Any, store: Any) -> None:
    total = N if weight is None else weight.sum()
    ours = estimators.SparseLogisticRegression(0.05, l1_ratio=0.0, tol=1e-13)
    ours.fit(store(X), y, sample_weight=weight)
    theirs = linear_model.LogisticRegression(C=1 / (0.05 * total), tol=1e-10, max_iter=10_000)
    theirs.fit(store(X), y, sample_weight=weight)
    assert ours.coef_.shape == theirs.coef_.shape
    assert ours.intercept_.shape == theirs.intercept_.shape
    np.testing.assert_array_equal(ours.classes_, theirs.classes_)
    for method in ("predict_proba", "predict_log_proba"):
        np.testing.assert_allclose(getattr(ours, method)(X), getattr(theirs, method)(X), atol=1e-6)
    np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))
    assert ours.decision_function(X).shape == theirs.decision_function(X).shape
    assert ours.score(X, y, sample_weight=weight) == pytest.approx(theirs.score(X, y, sample_weight=weight))


def objective(loss: Any, model: Any, alpha: float) -> float:
    """Return the value of the lasso objective at a model's coefficients."""
    return float(np.mean(loss) + alpha * np.abs(model.coef_).sum())


def test_sparse_logistic_regression_reaches_scikit_learns_objective() -> None:
    ours = estimators.SparseLogisticRegression(0.05, tol=1e-10).fit(X, LABELS)
    # Until scikit-learn 1.8 an elastic net had to be asked for by name.
    release = tuple(int(part) for part in sklearn.__version__.split(".")[:2])
    kind = {} if release >= (1, 8) else {"penalty": "elasticnet"}
    theirs = linear_model.LogisticRegression(
        C=1 / (0.05 * N), l1_ratio=1.0, solver="saga", tol=1e-8, max_iter=20_000, random_state=0, **kind
    ).fit(X, LABELS)
    sign = np.where(LABELS == "yes", 1.0, -1.0)
    values = [objective(np.logaddexp(0, -sign * m.decision_function(X)), m, 0.05) for m in (ours, theirs)]
    assert values[0] <= values[1] + 1e-9
    assert values[0] == pytest.approx(values[1], abs=1e-6)


@pytest.mark.parametrize("y", [LABELS, SORTS], ids=["two", "three"])
@pytest.mark.parametrize("l1_ratio", [1.0, 0.0])
def test_support_vectors_are_those_of_scikit_learn(l1_ratio: float, y: Any) -> None:
    # LinearSVC penalises its intercept: it has none here.
    ours = estimators.SparseLinearSVC(0.05, l1_ratio=l1_ratio, fit_intercept=False, tol=1e-12).fit(X, y)
    theirs = LinearSVC(
        loss="squared_hinge", penalty="l1" if l1_ratio else "l2", dual=False, C=1 / (0.1 * N),
        fit_intercept=False, tol=1e-10, max_iter=100_000, random_state=0,
    ).fit(X, y)  # fmt: skip
    assert ours.coef_.shape == theirs.coef_.shape
    np.testing.assert_allclose(ours.decision_function(X), theirs.decision_function(X), atol=1e-6)
    np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))


def test_several_classes_have_a_path_each() -> None:
    model = estimators.SparseLinearSVC(0.05).fit(np.ascontiguousarray(X), SORTS)
    assert len(model.path_) == 3
    assert model.alpha_.shape == model.dual_gap_.shape == model.n_iter_.shape == (3,)
    for k, name in enumerate(model.classes_):
        alone = fastreg.squared_hinge_path(X, name == SORTS, alphas=[0.05])
        np.testing.assert_array_equal(model.coef_[k], alone.coefs[:, 0])
    chosen = estimators.SparseLinearSVCCV(alphas=3, cv=3).fit(X, SORTS)
    assert chosen.alpha_.tolist() == [found.alpha for found in chosen.cv_]
    assert len(chosen.path_) == len(chosen.alphas_) == len(chosen.l1_ratio_) == 3


@weightings
def test_counts_are_those_of_scikit_learn(weight: Any) -> None:
    ours = estimators.SparsePoissonRegressor(0.1, l1_ratio=0.0, tol=1e-13).fit(
        X, COUNTS, sample_weight=weight
    )
    theirs = linear_model.PoissonRegressor(alpha=0.1, solver="newton-cholesky", tol=1e-10)
    theirs.fit(X, COUNTS, sample_weight=weight)
    np.testing.assert_allclose(ours.predict(X), theirs.predict(X), atol=1e-6)
    score = ours.score(X, COUNTS, sample_weight=weight)
    assert score == pytest.approx(theirs.score(X, COUNTS, sample_weight=weight), abs=1e-6)
    with pytest.raises(DataError, match="never negative"):
        ours.fit(X, -COUNTS)


@with_lbfgs
def test_robust_regression_is_that_of_scikit_learn_at_its_scale() -> None:
    theirs = linear_model.HuberRegressor(alpha=1.0, tol=1e-10, max_iter=10_000).fit(X, NUMBERS)
    # HuberRegressor sums twice this loss divided by the scale, and does not halve its penalty.
    alpha = theirs.scale_ / N
    ours = estimators.SparseHuberRegressor(alpha, l1_ratio=0.0, scale=theirs.scale_).fit(X, NUMBERS)
    np.testing.assert_allclose(ours.predict(X), theirs.predict(X), atol=1e-4)


def test_survival_model() -> None:
    model = estimators.SparseCoxRegressor(0.02, ties="efron").fit(X, SURVIVAL)
    path = fastreg.cox_path(X, SURVIVAL, alphas=[0.02], ties="efron")
    np.testing.assert_array_equal(model.coef_, path.coefs[:, 0])
    np.testing.assert_allclose(model.predict(X), X @ model.coef_)
    times, status = SURVIVAL.T
    won = total = 0.0
    eta = model.predict(X)
    for i in np.flatnonzero(status):
        for j in np.flatnonzero(times > times[i]):
            total += WEIGHTS[i] * WEIGHTS[j]
            won += WEIGHTS[i] * WEIGHTS[j] * (0.5 * (eta[i] == eta[j]) + (eta[i] > eta[j]))
    assert model.score(X, SURVIVAL, sample_weight=WEIGHTS) == pytest.approx(won / total, abs=1e-12)
    chances = model.predict_survival_function(X[:4], times=[0.2, 0.5])
    np.testing.assert_array_equal(chances, path.predict_survival(X[:4], [0.2, 0.5], alpha=0.02))
    assert model.predict_survival_function(X[:4]).shape == (4, len(model.path_.baseline.times))
    with pytest.raises(DataError, match="outlive"):
        model.score(X[:1], SURVIVAL[:1])


def test_survival_times_of_many_kinds() -> None:
    model = estimators.SparseCoxRegressor(0.02).fit(X, SURVIVAL)
    fields = np.array(
        [(bool(seen), time) for time, seen in SURVIVAL], dtype=[("event", bool), ("time", float)]
    )
    for y in (fields, SURVIVAL.tolist()):
        np.testing.assert_array_equal(clone(model).fit(X, y).coef_, model.coef_)
    seen = clone(model).fit(X, np.column_stack([TIMES, np.ones(N)]))
    np.testing.assert_array_equal(clone(model).fit(X, TIMES).coef_, seen.coef_)
    assert seen.score(X, TIMES) == seen.score(X, np.column_stack([TIMES, np.ones(N)]))
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        model.fit(X, SURVIVAL[:-1])
    strata = np.repeat(["a", "b"], N // 2)
    split = clone(model).fit(X, SURVIVAL, strata=strata)
    path = fastreg.cox_path(X, SURVIVAL, alphas=[0.02], strata=strata)
    np.testing.assert_array_equal(split.coef_, path.coefs[:, 0])
    assert split.predict_survival_function(X, [0.5], strata=strata).shape == (N, 1)
    parts = [split.score(X[strata == s], SURVIVAL[strata == s]) for s in "ab"]
    assert min(parts) <= split.score(X, SURVIVAL, strata=strata) <= max(parts)


@pytest.mark.parametrize("name", GIVEN)
def test_fits_are_certified_and_pickled(name: str) -> None:
    y = TARGETS.get(name, NUMBERS)
    model = getattr(estimators, name)(0.05).fit(X, y, sample_weight=WEIGHTS)
    assert 0.0 <= model.dual_gap_ <= 1e-7 * model.path_.null_objective
    assert isinstance(model.n_iter_, int)
    assert model.n_iter_ >= 1
    assert model.alpha_ == 0.05
    claim = certify(X, y, model.path_, sample_weight=WEIGHTS)
    assert claim.worst <= 1e-7
    copy = pickle.loads(pickle.dumps(model))
    assert copy.path_.source is None
    np.testing.assert_array_equal(copy.predict(X), model.predict(X))
    assert copy.score(X, y) == model.score(X, y)
    with pytest.raises(NotFittedError):
        clone(model).predict(X)


@pytest.mark.parametrize("bad", [0, 0.0, -1.0, np.inf, np.nan])
def test_alpha_must_be_positive(bad: float) -> None:
    with pytest.raises(DataError, match=r"alpha must be a finite number > 0 \(penalty_factor=0"):
        estimators.Lasso(bad).fit(X, NUMBERS)
    with pytest.raises(DataTypeError, match="alpha must be"):
        estimators.Lasso("1").fit(X, NUMBERS)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_columns_are_read_in_place(dtype: Any) -> None:
    F = np.asfortranarray(X, dtype=dtype)
    S = scipy.sparse.csc_array(F)
    F.flags.writeable = False
    model = estimators.Lasso(0.1).fit(F, NUMBERS)
    assert model.path_.input_report.copied_bytes == 0
    assert model.path_.input_report.dtype == np.dtype(dtype).name
    assert estimators.Lasso(0.1).fit(S, NUMBERS).path_.input_report.copied_bytes == 0
    assert model.predict(F).dtype == np.float64


def test_options_reach_the_path() -> None:
    factor = np.ones(P)
    factor[:2] = 0.0, np.inf
    params: dict[str, Any] = {
        "penalty_factor": factor, "lower_limits": -0.1, "upper_limits": np.full(P, 0.5), "standardize": True
    }  # fmt: skip
    model = estimators.ElasticNet(0.1, l1_ratio=0.7, **params).fit(X, NUMBERS)
    path = fastreg.enet_path(X, NUMBERS, l1_ratio=0.7, alphas=[0.1], fit_intercept=True, **params)
    np.testing.assert_array_equal(model.coef_, path.coefs[:, 0])
    assert model.coef_[1] == 0.0
    assert model.coef_.min() == -0.1


def test_class_weights_are_sample_weights() -> None:
    plain = estimators.SparseLogisticRegression(0.05)
    shares = {"no": 3.0, "yes": 0.5}
    weighted = clone(plain).set_params(class_weight=shares).fit(X, LABELS, sample_weight=WEIGHTS)
    plain.fit(X, LABELS, sample_weight=WEIGHTS * np.vectorize(shares.get)(LABELS))
    np.testing.assert_allclose(weighted.coef_, plain.coef_, rtol=1e-9, atol=1e-12)
    grouped = estimators.SparseLogisticRegression(0.05, grouped=True).fit(X, SORTS)
    together = (grouped.coef_ != 0).sum(axis=0)
    assert set(together.tolist()) == {0, 3}


def test_a_column_of_y_is_taken_with_a_warning() -> None:
    with pytest.warns(DataConversionWarning):
        model = estimators.Lasso(0.1).fit(X, NUMBERS[:, None])
    np.testing.assert_array_equal(model.coef_, estimators.Lasso(0.1).fit(X, NUMBERS).coef_)


@pytest.mark.parametrize("make", [estimators.Lasso, estimators.StabilitySelector])
def test_numbers_of_threads_are_integers(make: Any) -> None:
    X = np.random.default_rng(0).standard_normal((20, 3))
    for bad in ("abc", 1.5):
        with pytest.raises(DataTypeError, match="n_jobs must be an integer other than 0, or None"):
            make(n_jobs=bad).fit(X, X[:, 0])
    with pytest.raises(DataError, match="-1 means all processors"):
        make(n_jobs=0).fit(X, X[:, 0])


def test_a_family_of_a_selector_is_a_name() -> None:
    X = np.random.default_rng(0).standard_normal((20, 3))
    with pytest.raises(DataError, match="family must be one of"):
        estimators.StabilitySelector(family=np.ones(3)).fit(X, X[:, 0])


def test_a_column_of_a_table_that_is_refused_is_named() -> None:
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame({"age": [1.0, 2, 3, 4], "city": list("abac"), "height": [1, 2, np.nan, 3]})
    response = np.arange(4.0)
    with pytest.raises(DataError, match=r"column 1 \('city'\) of X must hold real numbers"):
        estimators.Lasso().fit(table, response)
    with pytest.raises(DataError, match=r"nan in column 1 \('height'\), row 2"):
        estimators.Lasso().fit(table[["age", "height"]], response)
    fitted = estimators.Lasso().fit(table[["age", "height"]].fillna(0.0), response)
    with pytest.raises(DataError, match=r"nan in column 1 \('height'\), row 2"):
        fitted.predict(table[["age", "height"]])
    # What is wrong elsewhere is scikit-learn's to say.
    with pytest.raises(ValueError, match="Input y contains NaN"):
        estimators.Lasso().fit(table[["age"]], [1.0, np.nan, 2.0, 3.0])
