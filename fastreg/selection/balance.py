"""What folds must be fair about: classes and events, spread evenly and present wherever a path is trained."""

from __future__ import annotations

import numpy as np

from .._typing import Float64, Index
from ..errors import DataError
from ..families import Target
from ..validate.words import wanted
from .folds import Fold
from .scores import Judged

__all__ = ["require_trainable", "strata_of"]


def strata_of(judged: Judged) -> Index | None:
    """Return what an integer cv spreads evenly: the class of every row, or whether it had an event.

    None for numbers, counts and proportions.
    """
    shares, family = _shares(judged), judged.target.family
    if family == "poisson" or not shares.size or not np.isin(shares, (0.0, 1.0)).all():
        return None
    codes = shares[:, 0] if family == "cox" else shares.argmax(axis=1)
    return np.asarray(codes, dtype=np.int64)


def require_trainable(judged: Judged, folds: tuple[Fold, ...]) -> None:
    """Raise for the first fold whose training rows lack what the family cannot be fitted without.

    Parameters
    ----------
    judged : Judged
        Response and weights.
    folds : tuple of Fold
        The folds.

    Raises
    ------
    DataError
        If a class (with an intercept), every event or every count is missing; names the fold.
    """
    target = judged.target
    shares = _shares(judged)
    # Without an intercept a class may be missing; without an event there is no partial likelihood.
    if not shares.size or not (target.fit_intercept or target.family == "cox"):
        return
    for f, fold in enumerate(folds):
        there = judged.w[fold.train] @ shares[fold.train] > 0.0
        if there.all():
            continue
        remedy = "use fewer folds, or an integer cv, which spreads classes and events evenly"
        kind = int(np.argmin(there))
        if np.count_nonzero(judged.w * shares[:, kind]) == 1:
            remedy = "there is one such row, which no fold can test: leave it out or count it with others"
        what = _names(target)[kind]
        raise DataError(wanted(f"fold {f} of cv", f"train on {what}", "none", remedy))


def _shares(judged: Judged) -> Float64:
    """Return how much of every row is of each kind that training needs, (n, kinds)."""
    y, family = judged.response, judged.target.family
    if family in ("multinomial", "poisson", "cox"):
        return y
    if family in ("binomial", "squared_hinge"):
        second = 0.5 * (1.0 + y) if family == "squared_hinge" else y
        return np.column_stack([1.0 - second, second])
    return np.zeros((len(y), 0))


def _names(target: Target) -> list[str]:
    """Return how the kinds are called."""
    if target.family == "cox":
        return ["rows with an event"]
    if target.family == "poisson":
        return ["rows with a count above zero"]
    if target.classes is None:
        return ["rows of the first class", "rows of the second class"]
    return [f"rows of class {name!r}" for name in target.classes]
