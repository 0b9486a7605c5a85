"""Scores of rankings at every alpha: the area under the ROC curve, and Harrell's C."""

from __future__ import annotations

import numpy as np

from .._typing import Float64, Index, Mask
from ..validate.survival import Survival

__all__ = ["area_under_curve", "comparable_pairs", "concordance"]


def area_under_curve(positive: Float64, negative: Float64, eta: Float64) -> Float64:
    """Return the weighted share of pairs, one of each class, that are ranked rightly.

    A tie counts one half: the Mann-Whitney statistic of weighted rows.

    Parameters
    ----------
    positive, negative : (m,) float64
        Weight of every row in the second and in the first class; sums above zero.
    eta : (m, K) float64
        Linear predictors.

    Returns
    -------
    (K,) float64
        Areas in [0, 1].
    """
    order = np.argsort(eta, axis=0, kind="stable")
    sorted_eta = np.take_along_axis(eta, order, axis=0)
    m = len(eta)
    place = np.arange(m)[:, None]
    new = np.ones(eta.shape, dtype=bool)
    new[1:] = sorted_eta[1:] != sorted_eta[:-1]
    first = np.maximum.accumulate(np.where(new, place, 0), axis=0)
    last = np.ones(eta.shape, dtype=bool)
    last[:-1] = new[1:]
    end = np.minimum.accumulate(np.where(last, place + 1, m)[::-1], axis=0)[::-1]
    below = np.zeros((m + 1, eta.shape[1]))
    np.cumsum(negative[order], axis=0, out=below[1:])
    level = 0.5 * (np.take_along_axis(below, first, axis=0) + np.take_along_axis(below, end, axis=0))
    won = np.sum(positive[order] * level, axis=0)
    # Rounding may lead beyond what is possible.
    return np.asarray(np.minimum(won / (positive.sum() * negative.sum()), 1.0))


def comparable_pairs(survival: Survival, strata: Index, rows: Index) -> list[tuple[int, Index]]:
    """Return, for every event among the rows, the positions of the rows that are known to outlive it.

    These are at risk at its time, in its stratum, and end later, or are censored at that time. Two events at
    one time are not comparable.

    Parameters
    ----------
    survival : Survival
        Times and status of all rows.
    strata : (n,) int64
        Stratum of every row.
    rows : (m,) int64
        The rows that are compared.

    Returns
    -------
    list of (int, (q,) int64)
        Positions among the rows; events without such a row are left out.
    """
    stop, died, stratum = survival.stop[rows], survival.is_event[rows], strata[rows]
    start = np.full(len(rows), -np.inf) if survival.start is None else survival.start[rows]
    pairs: list[tuple[int, Index]] = []
    for i in np.flatnonzero(died).tolist():
        later: Mask = (stop > stop[i]) | ((stop == stop[i]) & ~died)
        outlived = np.flatnonzero(later & (start < stop[i]) & (stratum == stratum[i]))
        if outlived.size:
            pairs.append((i, outlived))
    return pairs


def concordance(pairs: list[tuple[int, Index]], w: Float64, eta: Float64) -> Float64:
    """Return Harrell's C: the weighted share of comparable pairs whose event had the larger risk.

    Harrell, Lee and Mark, Stat. Med. 15 (1996) 361-387. A pair counts the product of its rows' weights, a tie
    in eta one half.

    Parameters
    ----------
    pairs : list of (int, (q,) int64)
        From ``comparable_pairs``; at least one.
    w : (m,) float64
        Weights above zero.
    eta : (m, K) float64
        Linear predictors.

    Returns
    -------
    (K,) float64
        Shares in [0, 1].
    """
    won, total = np.zeros(eta.shape[1]), 0.0
    for i, outlived in pairs:
        others = eta[outlived]
        part = w[outlived]
        won += w[i] * (part @ (others < eta[i]) + 0.5 * (part @ (others == eta[i])))
        total += w[i] * float(part.sum())
    return np.asarray(np.minimum(won / total, 1.0))
