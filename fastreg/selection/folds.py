"""Which rows train and which test: folds of any kind as pairs of row numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from numbers import Integral
from typing import Any

import numpy as np

from .._typing import Float64, Index
from ..errors import DataError, DataTypeError
from ..validate.labels import check_labels
from ..validate.options import check_count
from ..validate.words import describe, wanted

__all__ = ["Fold", "Splitting", "is_integer", "make_folds"]

KINDS = (
    "an integer, fold numbers of shape (n,), a splitter with a method split, or pairs (train, test) of row "
    "numbers or masks"
)
# Fold number of rows that are always trained on, as in scikit-learn's PredefinedSplit.
NEVER_TESTED = -1
# All folds are in memory before the first is fitted.
MOST_REPEATS = 1000


@dataclass(frozen=True, eq=False)
class Fold:
    """Hold the rows that are trained on and those that are tested, sorted."""

    train: Index
    test: Index


@dataclass(frozen=True, eq=False)
class Splitting:
    """What is said about folds, as the user gave it."""

    cv: Any
    repeats: Any = 1
    groups: Any = None
    random_state: Any = 0


def is_integer(value: Any) -> bool:
    """Tell whether a value is a whole number, and no switch."""
    return not isinstance(value, bool | np.bool_) and isinstance(value, Integral)


def make_folds(
    said: Splitting, X: Any, y: Any, w: Float64, codes: Index | None
) -> tuple[tuple[Fold, ...], int]:
    """Return the folds, and how many of them make one pass over the rows.

    Parameters
    ----------
    said : Splitting
        What the user asks for.
    X, y : Any
        Data as the user gave them: a splitter may look at them.
    w : (n,) float64
        Weights; a part of rows that weigh nothing is empty.
    codes : (n,) int64 or None
        What is to be spread evenly over the folds of an integer ``cv``: classes, or events.

    Returns
    -------
    folds : tuple of Fold
        In order.
    per_pass : int
        Their number divided by ``repeats``.

    Raises
    ------
    DataError
        If a part is empty, a row does not exist, or training and test rows overlap; names the fold.
    DataTypeError
        If ``cv`` is nothing of the kind.
    """
    n, cv = len(w), said.cv
    repeats = check_count(said.repeats, "repeats")
    if repeats > MOST_REPEATS:
        came = describe(repeats)
        raise DataError(wanted("repeats", f"be at most {MOST_REPEATS}", came, "means change little after 20"))
    if is_integer(cv):
        folds = _shuffled(said, int(cv), repeats, w, codes)
    elif repeats > 1:
        came = f"{repeats} with cv={describe(cv)}"
        raise DataError(wanted("repeats", "be 1 unless cv is an integer", came, "list all folds in cv"))
    elif callable(getattr(cv, "split", None)) and not isinstance(cv, str):
        if isinstance(cv, type):
            remedy = f"make one of the class: {cv.__name__}()"
            raise DataTypeError(wanted("cv", f"be {KINDS}", describe(cv), remedy))
        pairs = cv.split(X, y, said.groups)
        if not isinstance(pairs, Iterable):
            raise DataTypeError(wanted("cv", "have a split that yields pairs (train, test)", describe(pairs)))
        folds = _from_pairs(list(pairs), n)
    else:
        _require_no_groups(said.groups)
        entries = _listed(cv)
        folds = _from_ids(entries, n) if _are_ids(entries) else _from_pairs(entries, n)
    if not folds:
        raise DataError(wanted("cv", "hold at least one pair (train, test)", "none"))
    for f, fold in enumerate(folds):
        _require_parts(fold, f, w)
    return tuple(folds), len(folds) // repeats


def _require_no_groups(groups: Any) -> None:
    if groups is not None:
        remedy = "leave groups out: the folds are given already"
        raise DataError(wanted("groups", "come with an integer cv or a splitter", describe(groups), remedy))


def _require_parts(fold: Fold, f: int, w: Float64) -> None:
    """Raise unless both parts weigh something and share no row."""
    for name, rows in (("train on", fold.train), ("test", fold.test)):
        if not w[rows].any():
            came = "none" if rows.size else "no rows"
            raise DataError(
                wanted(f"fold {f} of cv", f"{name} rows of positive weight", came, "use fewer folds")
            )
    both = np.intersect1d(fold.train, fold.test, assume_unique=True)
    if both.size:
        raise DataError(
            wanted(f"fold {f} of cv", "not test rows that it trains on", f"row {both[0]} in both parts")
        )


def _shuffled(said: Splitting, count: int, repeats: int, w: Float64, codes: Index | None) -> list[Fold]:
    """Return K folds, as often as asked, in which codes or groups are spread evenly."""
    n = len(w)
    strata = np.zeros(n, dtype=np.int64) if codes is None else codes
    # Rows that weigh nothing are dealt out by themselves, so that every fold weighs about as much.
    strata = np.where(w > 0.0, strata, strata.max() + 1)
    deal: Callable[[np.random.Generator], Index]
    if said.groups is None:
        units, what = int(np.count_nonzero(w)), "rows of positive weight"
        deal = _Rows(strata, count)
    else:
        labels = check_labels(said.groups, n, "groups")
        units, what = len(labels.classes), "groups"
        deal = _Groups(labels.codes, strata, count)
    if units < 2:
        raise DataError(
            wanted("cv", f"have at least 2 {what} to divide", str(units), "one part must train, another test")
        )
    if count < 2:
        raise DataError(wanted("cv", "be at least 2", str(count), "one part must train, another test"))
    if count > units:
        raise DataError(wanted("cv", f"be at most {units}, the number of {what}", str(count)))
    rng = _generator(said.random_state)
    folds: list[Fold] = []
    for _ in range(repeats):
        place = deal(rng)
        folds += [Fold(np.flatnonzero(place != f), np.flatnonzero(place == f)) for f in range(count)]
    return folds


def _generator(random_state: Any) -> np.random.Generator:
    """Return a generator for a seed; one that came is used and moves on."""
    if isinstance(random_state, np.random.Generator):
        return random_state
    if isinstance(random_state, np.random.RandomState):
        return np.random.default_rng(random_state.randint(0, 2**31 - 1, size=4))
    is_seed = is_integer(random_state)
    if random_state is not None and not is_seed:
        expected = "be an integer >= 0, a NumPy generator or None"
        raise DataTypeError(wanted("random_state", expected, describe(random_state)))
    if is_seed and random_state < 0:
        raise DataError(wanted("random_state", "be an integer >= 0", describe(random_state)))
    return np.random.default_rng(None if random_state is None else int(random_state))


@dataclass(frozen=True, eq=False)
class _Rows:
    """Deal shuffled rows out like cards, stratum after stratum: sizes differ by one row at most."""

    strata: Index
    count: int

    def __call__(self, rng: np.random.Generator) -> Index:
        """Return the fold of every row."""
        n = len(self.strata)
        order = rng.permutation(n)
        order = order[np.argsort(self.strata[order], kind="stable")]
        place = np.empty(n, dtype=np.int64)
        place[order] = np.arange(n) % self.count
        return place


@dataclass(frozen=True, eq=False)
class _Groups:
    """Give whole groups, the largest first, each to the fold that becomes the least uneven by it.

    Uneven is sum over folds and strata of (rows / rows of the stratum)^2: greedy, so that strata are spread
    as well as this goes, not as well as can be.
    """

    groups: Index
    strata: Index
    count: int

    def __call__(self, rng: np.random.Generator) -> Index:
        """Return the fold of every row."""
        shape = (int(self.groups.max()) + 1, int(self.strata.max()) + 1)
        sizes = np.zeros(shape)
        np.add.at(sizes, (self.groups, self.strata), 1.0)
        sizes /= np.maximum(sizes.sum(axis=0), 1.0)
        shuffled = rng.permutation(shape[0])
        order = shuffled[np.argsort(-sizes.sum(axis=1)[shuffled], kind="stable")]
        held = np.zeros((self.count, shape[1]))
        home = np.empty(shape[0], dtype=np.int64)
        for group in order.tolist():
            # Ties go to the fold that holds least, so that none stays empty.
            added = held @ sizes[group]
            home[group] = np.lexsort((held.sum(axis=1), added))[0]
            held[home[group]] += sizes[group]
        return home[self.groups]


def _listed(cv: Any) -> list[Any]:
    """Return the entries of folds that are listed."""
    is_scalar = isinstance(cv, str | bytes | bool) or (isinstance(cv, np.ndarray) and cv.ndim == 0)
    if is_scalar or not isinstance(cv, Iterable):
        raise DataTypeError(wanted("cv", f"be {KINDS}", describe(cv)))
    return list(cv)


def _are_ids(entries: list[Any]) -> bool:
    """Tell whether entries are fold numbers."""
    return bool(entries) and all(map(is_integer, entries))


def _from_ids(entries: list[Any], n: int) -> list[Fold]:
    """Return one fold for every number, in their order."""
    if len(entries) != n:
        raise DataError(wanted("cv", f"hold {n} fold numbers, one per row of X", str(len(entries))))
    ids = np.array([int(entry) for entry in entries])
    numbers = [number for number in np.unique(ids).tolist() if number != NEVER_TESTED]
    return [Fold(np.flatnonzero(ids != number), np.flatnonzero(ids == number)) for number in numbers]


def _from_pairs(pairs: list[Any], n: int) -> list[Fold]:
    folds = []
    for f, pair in enumerate(pairs):
        if isinstance(pair, str) or not hasattr(pair, "__len__") or len(pair) != 2:
            raise DataTypeError(wanted(f"fold {f} of cv", "be a pair (train, test)", describe(pair)))
        train, test = (_rows(part, n, f, name) for part, name in zip(pair, ("train", "test"), strict=True))
        folds.append(Fold(train, test))
    return folds


def _rows(part: Any, n: int, f: int, name: str) -> Index:
    """Return the rows of one part, sorted."""
    rows, where = np.asarray(part), f"the {name} part of fold {f} of cv"
    if rows.dtype == np.bool_:
        if rows.shape != (n,):
            raise DataError(wanted(where, f"have shape ({n},) as a mask", str(rows.shape)))
        return np.flatnonzero(rows)
    if rows.size == 0:
        return np.zeros(0, dtype=np.int64)
    if rows.ndim != 1 or rows.dtype.kind not in "iu":
        raise DataTypeError(wanted(where, "hold row numbers, or be a mask", describe(part)))
    outside = (rows < 0) | (rows >= n)
    if outside.any():
        came = str(rows[outside][0])
        raise DataError(wanted(where, f"hold row numbers from 0 to {n - 1}", came))
    unique = np.unique(rows).astype(np.int64)
    if unique.size < rows.size:
        remedy = "sample_weight lets a row count more than once"
        raise DataError(
            wanted(where, "hold every row once", f"{rows.size - unique.size} repetitions", remedy)
        )
    return unique
