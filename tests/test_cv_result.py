"""The result of a cross-validation: rules, tables, pictures, files, and what is left after an early end."""

from __future__ import annotations

import dataclasses
import os
import pickle
import signal
import warnings
from typing import Any

import numpy as np
import pytest

import fastreg
from fastreg.errors import ConvergenceWarning, DataError, DataTypeError, Status
from fastreg.selection.cv_result import CVResult

N = 40
rng = np.random.default_rng(21)
X = rng.standard_normal((N, 12))
Y = 2.0 * X[:, 3] + rng.standard_normal(N)


def cross_validated(**options: Any) -> Any:
    return fastreg.cv_path(X, Y, **{"cv": 5, "alphas": 20, "eps": 0.01} | options)


@pytest.fixture(scope="module")
def found() -> Any:
    return cross_validated()


def test_rules(found: Any) -> None:
    assert found.alpha == found.alpha_min == found.alphas[np.argmin(found.mean)]
    limit = found.mean.min() + found.se[np.argmin(found.mean)]
    assert found.alpha_1se == found.alphas[found.mean <= limit].max()
    assert found.alpha_1se > found.alpha_min
    sparser = cross_validated(rule="1se")
    assert sparser.alpha == found.alpha_1se
    assert sparser.selected.size < found.selected.size
    assert cross_validated(rule=lambda curve: 7).alpha == found.alphas[7]
    assert cross_validated(rule=lambda curve: np.int64(0)).alpha == found.alphas[0]
    middle = cross_validated(rule=lambda curve: float(np.sqrt(curve.alpha_min * curve.alpha_1se)))
    assert found.alpha_min < middle.alpha < found.alpha_1se
    np.testing.assert_array_equal(middle.coef, found.path.coef_at(middle.alpha)[0])


def test_equal_means_choose_the_larger_alpha() -> None:
    flat = cross_validated(scoring=lambda y, p: 1.0, greater_is_better=True)
    assert flat.k_min == flat.k_1se == 0


def test_what_is_chosen(found: Any) -> None:
    coef, intercept = found.path.coef_at(found.alpha)
    np.testing.assert_array_equal(found.coef, coef)
    assert found.intercept == intercept
    np.testing.assert_array_equal(found.selected, np.flatnonzero(coef))
    np.testing.assert_allclose(found.predict(X), X @ coef + intercept)
    np.testing.assert_allclose(found.predict(X, alpha="1se"), found.path.predict(X, alpha=found.alpha_1se))
    np.testing.assert_allclose(found.predict(X, alpha="min"), found.predict(X))
    np.testing.assert_allclose(
        found.predict(X, alpha=0.5, offset=np.ones(N)), found.predict(X, alpha=0.5) + 1
    )
    with pytest.raises(DataError, match='alpha must be a number, "min" or "1se"'):
        found.predict(X, alpha="best")
    with pytest.raises(DataError, match="keep_predictions=True"):
        _ = found.predictions
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.best = 1


def test_the_path_remembers_its_data(found: Any) -> None:
    again = found.path.source.study(n_threads=1).fit()
    np.testing.assert_array_equal(again.coefs, found.path.coefs)


def test_survival_paths_can_predict_survival() -> None:
    y = np.column_stack([np.exp(-Y), np.arange(N) % 4 > 0])
    chosen = fastreg.cv_path(X, y, family="cox", cv=4, alphas=5)
    assert chosen.path.predict_survival(X[:2], times=[0.5], alpha=chosen.alpha).shape == (2, 1)


def test_tables(found: Any) -> None:
    pytest.importorskip("pandas")
    frame = found.to_frame(folds=True)
    assert list(frame.columns[:6]) == ["l1_ratio", "gamma", "alpha", "mean", "se", "n_nonzero"]
    np.testing.assert_array_equal(frame.filter(like="fold_").to_numpy().T, found.scores)
    both = cross_validated(l1_ratio=[0.5, 1.0]).to_frame()
    assert len(both) == 40
    lines = found.summary_table(rows=2).splitlines()
    assert lines[0].split() == ["k", "alpha", "features", "deviance", "se", "rule"]
    marked = {
        line.split()[-1]: int(line.split()[0]) for line in lines[2:] if line.split()[-1] in ("min", "1se")
    }
    assert marked == {"min": found.k_min, "1se": found.k_1se}
    assert len(found.summary_table(rows=None).splitlines()) == 22
    with pytest.raises(DataError, match="rows must be at least 1"):
        found.summary_table(rows=0)


def test_two_lines_say_it_all(found: Any) -> None:
    first, second = repr(found).splitlines()
    assert first.startswith("CVResult(lasso, 40 x 12, 20 alphas, 5 folds; alpha ")
    assert f"by rule 'min', {found.selected.size} features, deviance {found.mean.min():.4g} +-" in first
    assert second.strip().startswith("every alpha met the tolerance; ")
    many = repr(cross_validated(l1_ratio=[0.5, 1.0], relax=True))
    assert "best of 10 candidates" in many


def test_the_picture(found: Any) -> None:
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    from matplotlib.figure import Figure

    ax = Figure().subplots()
    assert found.plot(ax) is ax
    labels = [line.get_label() for line in ax.get_lines()]
    assert any(f"min: alpha {found.alpha_min:.3g}" in str(label) for label in labels)
    assert ax.get_ylabel() == "deviance, mean of 5 folds"
    assert ax.get_legend().get_frame().get_alpha() == 0.9
    assert ax.get_xlim()[0] > found.alphas[0] > found.alphas[-1] > ax.get_xlim()[1]
    ours = cross_validated(rule=lambda curve: 3).plot(Figure().subplots())
    assert any("lambda" in str(line.get_label()) for line in ours.get_lines())


@pytest.mark.parametrize("options", [{}, {"keep_predictions": True, "l1_ratio": [0.5, 1.0], "relax": [0, 1]}])
def test_files_and_pickles_bring_back_everything(options: Any, tmp_path: Any) -> None:
    result = cross_validated(**options)
    result.save(tmp_path / "cv.npz")
    for other in (CVResult.load(tmp_path / "cv.npz"), pickle.loads(pickle.dumps(result))):
        assert repr(other) == repr(result)
        assert (other.alpha, other.best, other.status) == (result.alpha, result.best, result.status)
        np.testing.assert_array_equal(other.test_folds, result.test_folds)
        for a, b in zip(result.curves, other.curves, strict=True):
            np.testing.assert_array_equal(a.scores, b.scores)
            np.testing.assert_array_equal(a.path.coefs, b.path.coefs)
            if options:
                np.testing.assert_array_equal(a.predictions, b.predictions)


def test_other_files_are_rejected(found: Any, tmp_path: Any) -> None:
    found.path.save(tmp_path / "path.npz")
    with pytest.raises(DataError, match=r"must hold a fastreg\.CVResult"):
        CVResult.load(tmp_path / "path.npz")


def stop_after(count: int, how: Any) -> Any:
    """Return a score that ends the run while fold number count is judged."""
    calls = iter(range(10_000))

    def score(y: Any, predicted: Any) -> float:
        if next(calls) == 20 * count:
            how()
        return float(np.mean((y - predicted) ** 2))

    return score


def test_after_ctrl_c_the_finished_folds_remain(found: Any) -> None:
    score = stop_after(2, lambda: os.kill(os.getpid(), signal.SIGINT))
    part = cross_validated(scoring=score, greater_is_better=False, n_threads=1)
    assert part.status is Status.INTERRUPTED
    assert (len(part.folds), part.folds_requested) == (3, 5)
    np.testing.assert_allclose(part.scores, found.scores[:3], rtol=1e-12)
    np.testing.assert_array_equal(part.path.coefs, found.path.coefs)
    assert part.alpha == part.alpha_min
    assert "3 of 5 folds" in repr(part)
    assert (part.test_folds == -1).any()


def test_candidates_are_compared_on_the_same_folds() -> None:
    # Ended in the second of two shares of fold 1.
    score = stop_after(3, lambda: os.kill(os.getpid(), signal.SIGINT))
    part = cross_validated(scoring=score, greater_is_better=False, n_threads=1, l1_ratio=[0.5, 1.0])
    assert [len(curve.scores) for curve in part.curves] == [2, 2]


@pytest.mark.parametrize("alphas", [20, [0.5, 0.1]], ids=["own alphas", "given alphas"])
def test_a_budget_that_is_over_at_once_leaves_nothing_to_choose(alphas: Any) -> None:
    none = cross_validated(max_time=1e-9, alphas=alphas, keep_predictions=True)
    assert none.status is Status.MAX_TIME
    assert none.scores.shape[0] == 0
    assert "0 of 5 folds" in repr(none)
    for name in ("alpha", "alpha_min", "alpha_1se", "coef", "selected"):
        with pytest.raises(DataError, match="no fold was finished; see status, and give more time"):
            getattr(none, name)
    assert none.summary_table().splitlines()[0].split()[0] == "k"


def test_one_warning_for_all_paths_that_missed_the_tolerance() -> None:
    # Columns that are nearly equal, and a tolerance below rounding.
    hard = 0.05 * np.eye(12) + np.ones((12, 12))
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        part = fastreg.cv_path(
            X @ hard, (Y > 0).astype(int), family="binomial", cv=2, alphas=3, max_iter=100, tol=1e-14
        )
    assert part.status is Status.NOT_CONVERGED
    assert [each.category for each in heard] == [ConvergenceWarning]
    assert "fold " in str(heard[0].message)
    assert heard[0].filename == __file__


@pytest.mark.parametrize(
    ("options", "kind", "message"),
    [
        ({"rule": "best"}, DataError, 'rule must be "min", "1se" or a function'),
        ({"rule": 3}, DataTypeError, 'rule must be "min", "1se" or a function'),
        ({"rule": lambda curve: 20}, DataError, "rule must return a position from 0 to 19"),
        (
            {"rule": lambda curve: 1e9},
            DataError,
            "rule must be a function that returns a position, or an alpha from",
        ),
        ({"rule": lambda curve: "min"}, DataTypeError, "rule must"),
        ({"l1_ratio": 1.5}, DataError, r"l1_ratio must be a number in \[0, 1\]"),
        ({"l1_ratio": []}, DataError, "l1_ratio must be a number or a sequence"),
        ({"relax": 2.0}, DataError, "relax must be True, False, a gamma"),
        ({"relax": "yes"}, DataTypeError, "relax must be True, False, a gamma"),
        ({"adaptive": "elastic"}, DataError, 'adaptive must be "ridge", "lasso" or weights'),
        ({"keep_predictions": 1}, DataTypeError, "keep_predictions must be True or False"),
        ({"family": "gauss"}, DataError, "family must be one of"),
        ({"n_threads": 0}, DataError, "n_threads must be an integer >= 1"),
        ({"max_time": -1}, DataError, "max_time must be seconds > 0"),
        ({"delta": 2.0}, DataError, "delta belongs to"),
        ({"sample_weight": np.ones(3)}, DataError, "sample_weight must have shape"),
        ({"standardize": "no"}, DataTypeError, "standardize must be True or False"),
    ],
)
def test_what_cannot_be_asked(options: Any, kind: Any, message: str) -> None:
    with pytest.raises(kind, match=message):
        cross_validated(**options)


def test_an_error_inside_a_fold_names_it() -> None:
    bad = X.copy()
    bad[3, 5] = np.nan
    with pytest.raises(DataError, match="X must be finite, got nan in column 5"):
        fastreg.cv_path(bad, Y, cv=4)


def test_progress_is_shown_on_stderr(capsys: Any) -> None:
    cross_validated(progress=True)
    # Five folds, and the path of all rows.
    assert "6/6" in capsys.readouterr().err
