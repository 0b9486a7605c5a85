"""Halves of the rows, drawn at random so that every class is in both, pair by pair from one seed."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._typing import Index
from ..errors import DataError, DataTypeError
from ..families import Target
from ..problem import Response
from ..request import Study
from ..validate.words import describe, wanted

__all__ = ["check_seed", "draw_halves", "row_classes"]


def check_seed(random_state: Any) -> int:
    """Return the number that every pair's own stream is made of; None draws one.

    Parameters
    ----------
    random_state : int, Generator, RandomState or None
        A seed, or where to draw it from.

    Returns
    -------
    int
        A number >= 0.

    Raises
    ------
    DataError
        If a number is negative.
    DataTypeError
        If it is none of the above.

    Examples
    --------
    >>> check_seed(7)
    7
    """
    if random_state is None:
        entropy = np.random.SeedSequence().entropy
        assert isinstance(entropy, int)
        return entropy
    if isinstance(random_state, int | np.integer) and not isinstance(random_state, bool):
        if random_state < 0:
            raise DataError(wanted("random_state", "be >= 0", describe(random_state)))
        return int(random_state)
    if isinstance(random_state, np.random.RandomState):
        return int(random_state.randint(2**31))
    if isinstance(random_state, np.random.Generator):
        return int(random_state.integers(2**63))
    raise DataTypeError(wanted("random_state", "be None, an integer or a generator", describe(random_state)))


def row_classes(study: Study) -> Index:
    """Return what must be in both halves: the class of every row, -1 for rows of weight zero.

    Classes of a classifier, events and censored rows (cox), zero and non-zero counts (poisson); all rows are
    alike in other families and for proportions.

    Parameters
    ----------
    study : Study
        Data and what is asked.

    Returns
    -------
    int64 ndarray of shape (n,)
        0, 1, ... or -1.

    Raises
    ------
    DataError
        If a class has one row only.
    """
    codes = _codes(study.target(), study.given.n)
    codes[study.weights == 0.0] = -1
    counts = np.bincount(codes[codes >= 0])
    if (counts == 1).any() or counts.sum() < 2:
        came = (
            f"{int(counts[counts == 1].size)} of {counts.size} with one row" if counts.size > 1 else "1 row"
        )
        remedy = "each half of the rows needs one; drop the class or add rows"
        raise DataError(wanted("y", "have two rows of positive weight in every class", came, remedy))
    return codes


def _codes(target: Response | Target, n: int) -> Index:
    if not isinstance(target, Target) or target.family in ("huber", "mgaussian"):
        return np.zeros(n, np.int64)
    rows = target.y.reshape(target.outputs, n)
    if target.family == "poisson":
        rows = np.sign(rows)
    if not np.isin(rows, (-1.0, 0.0, 1.0)).all():
        # Proportions have no classes.
        return np.zeros(n, np.int64)
    found = np.unique(rows, axis=1, return_inverse=True)[1]
    return np.asarray(found, dtype=np.int64).reshape(n)


def draw_halves(classes: Index, seed: int, number: int) -> tuple[Index, Index, Index]:
    """Return the rows of two disjoint halves, and the rows that were left.

    Each half has floor(m / 2) of the m rows of every class. The pair depends on the seed and its own number
    only: more pairs never change the first ones.

    Parameters
    ----------
    classes : (n,) int64
        Class of each row; rows of class -1 are in no half.
    seed : int
        The same for all pairs.
    number : int
        Which pair, from 0.

    Returns
    -------
    first, second, left : int64 ndarrays
        Rows; left has one of every class with an odd number.

    Examples
    --------
    >>> import numpy as np
    >>> [len(rows) for rows in draw_halves(np.zeros(7, int), 0, 0)]
    [3, 3, 1]
    """
    rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=(number,))))
    parts: tuple[list[Index], list[Index], list[Index]] = ([], [], [])
    for each in range(int(classes.max()) + 1):
        rows = rng.permutation(np.flatnonzero(classes == each))
        half = rows.size // 2
        for part, rows_of_class in zip(parts, np.split(rows, [half, 2 * half]), strict=True):
            part.append(rows_of_class)
    first, second, left = (np.sort(np.concatenate(part)) for part in parts)
    return first, second, left
