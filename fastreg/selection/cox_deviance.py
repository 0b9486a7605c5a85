"""The deviance of Cox's partial likelihood at many predictors at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .._typing import Float64, Index
from ..families import RiskSets

__all__ = ["cox_deviance"]

# Sums below this have lost digits to underflow: they are formed anew from logarithms.
SMALLEST_SUM = 1e-280


def cox_deviance(risk: RiskSets, w: Float64, total_weight: float, eta: Float64) -> Float64:
    """Return twice the log partial likelihood that is missing to the saturated model.

    2 sum_t omega_t (log sum_{i at risk} w_i exp(eta_i) - mean_{i in D_t} eta_i) less the value of the model
    that gives all risk to the events; Efron's ties as in `cox_path`.

    Parameters
    ----------
    risk : RiskSets
        Risk sets of rows with weights w.
    w : (n,) float64
        Weights that sum to one; rows of weight zero take no part.
    total_weight : float
        Their sum as given.
    eta : (n, K) float64
        Linear predictors.

    Returns
    -------
    (K,) float64
        Deviances, never negative but for rounding.
    """
    rows = np.flatnonzero((w > 0.0) & (risk.enter < risk.leave))
    top = eta[rows].max(axis=0)
    shifted = eta[rows] - top
    logs = _log_terms(risk, rows, np.exp(shifted) * w[rows, None], np.add)
    lost = ~(np.exp(logs).min(axis=0) > SMALLEST_SUM)
    if lost.any():
        with np.errstate(divide="ignore"):
            logs[:, lost] = _log_terms(risk, rows, shifted[:, lost] + np.log(w[rows, None]), np.logaddexp)
    is_event = risk.group[rows] >= 0
    pull = w[rows[is_event]] @ shifted[is_event]
    return np.asarray(2.0 * total_weight * (risk.weight @ logs - pull - risk.saturated))


def _log_terms(risk: RiskSets, rows: Index, parts: Float64, add: np.ufunc) -> Float64:
    """Return the logarithm of what every term has at risk, (T, K); parts are logarithms for logaddexp."""
    is_log = add is np.logaddexp
    size = len(risk.times)
    at_risk = _over_ranges(risk.enter[rows], risk.leave[rows], parts, size, add)
    dying = np.flatnonzero(risk.group[rows] >= 0)
    tied = _by_place(risk.group[rows[dying]], parts[dying], size, add)
    owner = np.repeat(np.arange(size), np.diff(risk.first_term))
    at_risk, tied, fraction = at_risk[owner], tied[owner], risk.fraction[:, None]
    if is_log:
        return np.asarray(at_risk + np.log1p(-fraction * np.exp(np.minimum(tied - at_risk, 0.0))))
    with np.errstate(divide="ignore"):
        # The events are part of what is at risk, whatever rounding says.
        return np.asarray(np.log(np.maximum(at_risk, tied) - fraction * tied))


def _over_ranges(enter: Index, leave: Index, parts: Float64, size: int, add: np.ufunc) -> Float64:
    """Return, for every place g, the sum of the rows with enter <= g < leave.

    Each range is cut into blocks of 2^level places (a segment tree), so that nothing is ever subtracted:
    rows that come late or leave early cancel nothing.
    """
    total = np.full((size, parts.shape[1]), add.identity if add is np.add else -np.inf)
    low, high = enter.copy(), leave.copy()
    level = 0
    while (low < high).any():
        blocks = (size >> level) + 1
        for take, place in ((low % 2 == 1, low), (high % 2 == 1, high - 1)):
            own = np.flatnonzero(take & (low < high))
            if own.size:
                sums = _by_place(place[own], parts[own], blocks, add)
                total = add(total, sums[np.arange(size) >> level])
        # What began at an odd block or ended behind one has been counted.
        low, high = (low + 1) // 2, high // 2
        level += 1
    return total


def _by_place(place: Index, parts: Float64, size: int, add: np.ufunc) -> Float64:
    """Return the sum of the rows of every place, (size, K)."""
    empty = 0.0 if add is np.add else -np.inf
    sums: Any = np.full((size, parts.shape[1]), empty)
    order = np.argsort(place, kind="stable")
    found, first = np.unique(place[order], return_index=True)
    reduce: Callable[..., Any] = add.reduceat
    if found.size:
        sums[found] = reduce(parts[order], first, axis=0)
    return np.asarray(sums)
