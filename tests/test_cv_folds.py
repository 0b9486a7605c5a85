"""Folds of every kind: how they are dealt out, what they may be given as, and what is rejected."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import fastreg
from fastreg.errors import DataError, DataTypeError

N = 24


def data(seed: int = 0) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((N, 3))
    return X, X[:, 0] + rng.standard_normal(N)


def cross_validated(y: Any = None, **options: Any) -> Any:
    X, numbers = data()
    return fastreg.cv_path(X, numbers if y is None else y, **{"alphas": [0.3, 0.1], "cv": 4} | options)


def assert_one_pass(folds: Any, count: int) -> None:
    assert len(folds) == count
    np.testing.assert_array_equal(np.sort(np.concatenate([fold.test for fold in folds])), np.arange(N))
    for fold in folds:
        np.testing.assert_array_equal(np.union1d(fold.train, fold.test), np.arange(N))
        assert np.intersect1d(fold.train, fold.test).size == 0


@pytest.mark.parametrize("count", [2, 5, N])
def test_folds_of_rows_are_even_and_shuffled(count: int) -> None:
    found = cross_validated(cv=count)
    assert_one_pass(found.folds, count)
    sizes = [fold.test.size for fold in found.folds]
    assert max(sizes) - min(sizes) <= 1
    again, other = cross_validated(cv=count), cross_validated(cv=count, random_state=1)
    np.testing.assert_array_equal(found.test_folds, again.test_folds)
    assert not np.array_equal(found.test_folds, other.test_folds)
    assert not np.array_equal(found.test_folds, np.arange(N) % count)


def test_generators_move_on_and_none_is_unpredictable() -> None:
    rng = np.random.default_rng(3)
    first, second = (cross_validated(random_state=rng).test_folds for _ in range(2))
    assert not np.array_equal(first, second)
    assert not np.array_equal(
        cross_validated(random_state=None).test_folds, cross_validated(random_state=None).test_folds
    )
    old = [cross_validated(random_state=np.random.RandomState(5)).test_folds for _ in range(2)]
    np.testing.assert_array_equal(*old)


@pytest.mark.parametrize("family", ["binomial", "multinomial", "squared_hinge", "cox"])
def test_classes_and_events_are_spread_evenly(family: str) -> None:
    labels = np.array([0] * 15 + [1] * 9)
    if family == "multinomial":
        labels[:5] = 2
    rng = np.random.default_rng(4)
    y: Any = np.column_stack([rng.exponential(size=N), labels]) if family == "cox" else labels
    found = cross_validated(y, family=family, cv=3)
    assert_one_pass(found.folds, 3)
    for each in np.unique(labels):
        counts = [np.count_nonzero(labels[fold.test] == each) for fold in found.folds]
        assert max(counts) - min(counts) <= 1


def test_rows_without_weight_are_spread_evenly_too() -> None:
    w = np.r_[np.zeros(12), np.ones(12)]
    found = cross_validated(sample_weight=w, cv=4)
    assert_one_pass(found.folds, 4)
    np.testing.assert_array_equal(found.fold_weights, np.full(4, 3.0))


def test_repeats_average_and_leave_the_error_of_one_pass() -> None:
    found = cross_validated(cv=4, repeats=3)
    assert len(found.folds) == found.folds_requested == 12
    for k in range(3):
        assert_one_pass(found.folds[4 * k : 4 * k + 4], 4)
    assert not np.array_equal(found.folds[0].test, found.folds[4].test)
    variance = np.average((found.scores - found.mean) ** 2, axis=0, weights=found.fold_weights)
    np.testing.assert_allclose(found.se, np.sqrt(variance / 3), rtol=1e-12)
    np.testing.assert_allclose(found.mean, np.average(found.scores, axis=0, weights=found.fold_weights))
    np.testing.assert_array_equal(found.scores[:4], cross_validated(cv=4).scores)


@pytest.mark.parametrize("family", ["gaussian", "binomial"])
def test_groups_stay_together(family: str) -> None:
    rng = np.random.default_rng(6)
    groups = np.array(list("abcdefgh"))[np.r_[np.arange(8), rng.integers(0, 8, N - 8)]]
    y = (np.isin(groups, list("aceg")) if family == "binomial" else data()[1]).astype(float)
    found = cross_validated(y, family=family, groups=groups, cv=4)
    assert_one_pass(found.folds, 4)
    for fold in found.folds:
        assert not set(groups[fold.train]) & set(groups[fold.test])
        if family == "binomial":
            # Four groups of each class and four folds: one of each.
            assert len(set(y[fold.test])) == 2


def test_groups_of_equal_size_fill_folds_evenly() -> None:
    found = cross_validated(groups=np.arange(N) // 2, cv=4)
    assert [fold.test.size for fold in found.folds] == [6, 6, 6, 6]


def test_fold_numbers() -> None:
    ids = np.array([7, 3, 9] * 8)
    found = cross_validated(cv=ids)
    np.testing.assert_array_equal(found.test_folds, [1, 0, 2] * 8)
    ids[:6] = -1
    found = cross_validated(cv=ids.tolist())
    np.testing.assert_array_equal(found.test_folds[:6], -1)
    assert all(set(range(6)) <= set(fold.train) for fold in found.folds)


def test_pairs_of_numbers_and_masks_and_generators_agree() -> None:
    tests = [np.arange(0, 8), np.arange(8, 20)]
    masks = [np.isin(np.arange(N), test) for test in tests]
    numbers = cross_validated(cv=[(np.setdiff1d(np.arange(N), test), test) for test in tests])
    booleans = cross_validated(cv=((~mask, mask) for mask in masks))
    backwards = cross_validated(
        cv=[(np.flatnonzero(~mask)[::-1], test[::-1]) for mask, test in zip(masks, tests, strict=True)]
    )
    for other in (booleans, backwards):
        np.testing.assert_array_equal(numbers.scores, other.scores)


def test_splitters_of_scikit_learn() -> None:
    selection = pytest.importorskip("sklearn.model_selection")
    X, _ = data()
    labels, blocks = np.arange(N) % 2, np.arange(N) // 3
    for splitter in (
        selection.KFold(3, shuffle=True, random_state=0),
        selection.StratifiedGroupKFold(3),
        selection.GroupKFold(4),
        selection.ShuffleSplit(3, random_state=0),
        selection.RepeatedStratifiedKFold(n_splits=3, n_repeats=2, random_state=0),
        selection.LeaveOneGroupOut(),
    ):
        groups = blocks if "Group" in type(splitter).__name__ else None
        found = cross_validated(labels, family="binomial", cv=splitter, groups=groups)
        pairs = list(splitter.split(X, labels, groups))
        assert len(found.folds) == len(pairs)
        for fold, (train, test) in zip(found.folds, pairs, strict=True):
            np.testing.assert_array_equal(fold.train, np.sort(train))
            np.testing.assert_array_equal(fold.test, np.sort(test))


def test_a_splitter_of_ones_own_sees_the_data() -> None:
    class Halves:
        def split(self, X: Any, y: Any, groups: Any) -> Any:
            assert X.shape == (N, 3)
            assert len(y) == N
            assert groups is None
            yield np.arange(12), np.arange(12, N)
            yield np.arange(12, N), np.arange(12)

    assert cross_validated(cv=Halves()).scores.shape == (2, 2)


class Unbuilt:
    """A splitter that should have been made first."""

    def split(self, X: Any, y: Any, groups: Any) -> Any:
        raise AssertionError


def pair(train: Any, test: Any) -> Any:
    return [(np.arange(12, N), np.arange(12)), (train, test)]


REJECTED: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"cv": 1}, DataError, "cv must be at least 2, got 1"),
    ({"cv": N + 1}, DataError, "cv must be at most 24, the number of rows of positive weight, got 25"),
    ({"cv": 3, "groups": np.arange(N) % 2}, DataError, "cv must be at most 2, the number of groups"),
    ({"cv": 3, "groups": np.zeros(N)}, DataError, "cv must have at least 2 groups to divide, got 1"),
    ({"cv": "loo"}, DataTypeError, "cv must be an integer, fold numbers"),
    ({"cv": None}, DataTypeError, "cv must be an integer, fold numbers"),
    ({"cv": True}, DataTypeError, "cv must be an integer, fold numbers"),
    ({"cv": 2.5}, DataTypeError, "cv must be an integer, fold numbers"),
    ({"cv": []}, DataError, "cv must hold at least one pair"),
    ({"cv": [0, 1, 2]}, DataError, "cv must hold 24 fold numbers, one per row of X, got 3"),
    ({"cv": [1] * N}, DataError, "fold 0 of cv must train on rows of positive weight, got no rows"),
    ({"cv": [(1, 2, 3)]}, DataTypeError, "fold 0 of cv must be a pair"),
    ({"cv": pair([0, N], [1])}, DataError, "train part of fold 1 of cv must .* from 0 to 23, got 24"),
    ({"cv": pair([0], [-1])}, DataError, "test part of fold 1 of cv must .* from 0 to 23, got -1"),
    ({"cv": pair([0, 0], [1])}, DataError, "train part of fold 1 of cv must hold every row once"),
    ({"cv": pair([0.5], [1])}, DataTypeError, "train part of fold 1 of cv must hold row numbers"),
    ({"cv": pair(np.ones(3, bool), [1])}, DataError, r"must have shape \(24,\) as a mask, got \(3,\)"),
    ({"cv": pair([0, 1], [1, 2])}, DataError, "fold 1 of cv must not test rows that it trains on, got row 1"),
    ({"cv": pair([0, 1], [])}, DataError, "fold 1 of cv must test rows of positive weight, got no rows"),
    ({"cv": pair([], [1])}, DataError, "fold 1 of cv must train on rows of positive weight"),
    ({"cv": [0, 1] * 12, "repeats": 2}, DataError, "repeats must be 1 unless cv is an integer"),
    ({"repeats": 0}, DataError, "repeats must be an integer >= 1"),
    ({"repeats": 10**30}, DataError, "repeats must be at most 1000"),
    ({"cv": np.array(3)}, DataTypeError, "cv must be an integer, fold numbers"),
    ({"cv": Unbuilt}, DataTypeError, r"make one of the class: Unbuilt\(\)"),
    ({"cv": SimpleNamespace(split="x")}, DataTypeError, "cv must be an integer, fold numbers"),
    ({"cv": SimpleNamespace(split=lambda *data: None)}, DataTypeError, "a split that yields pairs"),
    ({"power": 2.0}, DataError, "power must come with adaptive, got 2.0"),
    ({"power": "a"}, DataTypeError, "power must be a finite number >= 0"),
    ({"cv": [0, 1] * 12, "groups": np.arange(N)}, DataError, "groups must come with an integer cv"),
    ({"groups": np.arange(3)}, DataError, r"groups must have shape \(24,\)"),
    ({"random_state": "a"}, DataTypeError, "random_state must be an integer"),
    ({"random_state": -1}, DataError, "random_state must be an integer >= 0"),
    ({"random_state": True}, DataTypeError, "random_state must be an integer"),
]  # fmt: skip


@pytest.mark.parametrize(("options", "kind", "message"), REJECTED)
def test_folds_that_cannot_be(options: Any, kind: Any, message: str) -> None:
    with pytest.raises(kind, match=message):
        cross_validated(**options)


HALVES = [0] * 12 + [1] * 12
COUNTS = np.r_[np.zeros(12), np.ones(12)]
LACKING: list[tuple[str, Any, str]] = [
    ("binomial", ["no"] * 12 + ["yes"] * 12, "fold 0 of cv must train on rows of class 'no', got none"),
    ("squared_hinge", HALVES, "fold 0 of cv must train on rows of class 0"),
    ("multinomial", [0] * 12 + [1, 2] * 6, "fold 0 of cv must train on rows of class 0"),
    ("poisson", COUNTS, "fold 1 of cv must train on rows with a count above zero"),
    ("cox", np.column_stack([np.arange(N) + 1.0, COUNTS]), "fold 1 of cv must train on rows with an event"),
    ("binomial", ["one"] + ["other"] * 23, "one such row, which no fold can test: leave it out"),
]


@pytest.mark.parametrize(("family", "y", "message"), LACKING)
def test_what_training_rows_lack_is_named(family: str, y: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        cross_validated(y, family=family, cv=HALVES)


def test_a_class_may_be_missing_without_an_intercept() -> None:
    found = cross_validated(HALVES, family="binomial", cv=HALVES, fit_intercept=False)
    assert found.scores.shape == (2, 2)
    with pytest.raises(DataError, match="test rows with an event for scoring='deviance', got none"):
        cross_validated(LACKING[4][1], family="cox", cv=[(np.arange(10, N), np.arange(10))])


def test_one_fold_has_no_standard_error() -> None:
    found = cross_validated(cv=[(np.arange(12), np.arange(12, N))])
    assert np.isnan(found.se).all()
    assert found.alpha == found.alpha_min
    with pytest.raises(DataError, match="at least two folds"):
        _ = found.alpha_1se
    with pytest.raises(DataError, match="at least two folds"):
        cross_validated(cv=[(np.arange(12), np.arange(12, N))], rule="1se")
