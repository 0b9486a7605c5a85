"""Who is at risk when: the terms of Cox's partial likelihood, and the baseline hazard that a fit leaves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ._typing import Float64, Index
from .errors import DataError
from .validate.labels import Labels, check_labels
from .validate.survival import Survival
from .validate.words import describe, wanted

__all__ = ["Baseline", "RiskSets", "make_baseline", "make_risk_sets"]

TIES = ("breslow", "efron")


@dataclass(frozen=True, eq=False)
class RiskSets:
    """Hold the risk sets of n rows, the events they end in, and the terms of the partial likelihood.

    Groups are the distinct event times of a stratum, ascending, one stratum after the other. Weights are
    those of the rows divided by their sum; a row of weight zero has no event.

    Attributes
    ----------
    enter, leave : (n,) int64
        Row i is at risk in the groups enter[i] <= g < leave[i].
    group : (n,) int64
        The group in which row i has its event, -1 for censored rows.
    first_term : (G + 1,) int64
        The terms of group g are first_term[g] .. first_term[g + 1] - 1.
    weight : (T,) float64
        What each term counts.
    fraction : (T,) float64
        Share of the events of the group that each term takes out of its risk set: 0 for Breslow.
    restart : (G,) int64
        1 where group g is the last of its stratum: sums over later groups begin anew there.
    saturated : float
        Value of the model that gives all of each term's risk to its events, to be subtracted.
    times : (G,) float64
        The time of every group.
    strata : tuple or None
        Labels of the strata that have events, in the order of their groups; None without strata.
    """

    enter: Index
    leave: Index
    group: Index
    first_term: Index
    weight: Float64
    fraction: Float64
    restart: Index
    saturated: float
    times: Float64
    strata: tuple[Any, ...] | None = None


@dataclass(frozen=True, eq=False)
class Baseline:
    """Hold the cumulative baseline hazard at every event time and alpha, as its logarithm.

    The logarithm, because a linear predictor of 800 is allowed and its exponential is not.

    Attributes
    ----------
    times : (G,) float64
        Event times, ascending within each stratum.
    log_hazard : (G, K) float64
        Logarithm of the cumulative hazard of a row whose linear predictor is zero.
    ends : (S,) int64
        Where the groups of each stratum end.
    strata : tuple or None
        Labels of the strata; None without strata.
    """

    times: Float64
    log_hazard: Float64
    ends: Index
    strata: tuple[Any, ...] | None = None


def make_risk_sets(survival: Survival, w: Float64, ties: Any = None, strata: Any = None) -> RiskSets:
    """Return the risk sets of rows with weights that sum to one.

    A row censored at the time of an event is still at risk at it. A stratum without events has no groups.

    Parameters
    ----------
    survival : Survival
        Times and status.
    w : (n,) float64
        Weights that sum to one.
    ties : {"breslow", "efron"}, optional
        What events at one time share; "breslow" by default.
    strata : (n,) array-like of labels, optional
        Rows are compared with rows of their own stratum only.

    Returns
    -------
    RiskSets
        Groups, terms and the saturated value.

    Raises
    ------
    DataError
        If no row of positive weight has an event, or an option is none of those above.

    Examples
    --------
    >>> import numpy as np
    >>> survival = Survival(None, np.array([2.0, 1.0, 3.0]), np.array([True, False, True]))
    >>> sets = make_risk_sets(survival, np.full(3, 1 / 3))
    >>> sets.leave, sets.group, sets.times
    (array([1, 0, 2]), array([ 0, -1,  1]), array([2., 3.]))
    """
    if not isinstance(ties, str | None) or ties not in (None, *TIES):
        raise DataError(wanted("ties", 'be "breslow" or "efron"', describe(ties)))
    n = len(w)
    labels = (
        Labels((None,), np.zeros(n, dtype=np.int64)) if strata is None else check_labels(strata, n, "strata")
    )
    # Neither W_D nor Efron's number of events may count a row that weighs nothing.
    is_event = survival.is_event & (w > 0.0)
    if not is_event.any():
        came = "censored rows only" if not survival.is_event.any() else "events of weight zero only"
        remedy = "without an event every hazard ratio fits as well as any other"
        raise DataError(wanted("y", "hold at least one event (status 1)", came, remedy))
    enter, leave = np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64)
    group = np.full(n, -1, dtype=np.int64)
    parts: list[Float64] = []
    ends: list[int] = []
    found: list[Any] = []
    first = 0
    for code, label in enumerate(labels.classes):
        rows = np.flatnonzero(labels.codes == code)
        times = np.unique(survival.stop[rows[is_event[rows]]])
        leave[rows] = first + np.searchsorted(times, survival.stop[rows], side="right")
        enter[rows] = first
        if survival.start is not None:
            enter[rows] += np.searchsorted(times, survival.start[rows], side="right")
        group[rows[is_event[rows]]] = leave[rows[is_event[rows]]] - 1
        if times.size:
            first += times.size
            parts.append(times)
            ends.append(first)
            found.append(label)
    restart = np.zeros(first, dtype=np.int64)
    restart[np.array(ends) - 1] = 1
    terms = _terms(group, w, first, is_split=ties == "efron")
    return RiskSets(
        enter, leave, group, *terms[:3], restart, terms[3], np.concatenate(parts),
        None if strata is None else tuple(found),
    )  # fmt: skip


def _terms(group: Index, w: Float64, size: int, *, is_split: bool) -> tuple[Index, Float64, Float64, float]:
    """Return first_term, weight and fraction of the terms, and the value of the saturated model.

    The least value of log(sum_i w_i (1 - f 1[i in D]) e^eta_i) - sum_D e_i eta_i with e_i = w_i / W_D is
    that where the risk is distributed as e: sum_D e_i log(w_i (1 - f) / e_i) = log W_D + log(1 - f).
    """
    rows = np.flatnonzero(group >= 0)
    total = np.bincount(group[rows], weights=w[rows], minlength=size)
    deaths = np.bincount(group[rows], minlength=size)
    counts = deaths if is_split else np.ones(size, dtype=np.int64)
    first = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    owner = np.repeat(np.arange(size), counts)
    fraction = (np.arange(first[-1]) - first[owner]) / counts[owner]
    weight = total[owner] / counts[owner]
    saturated = float(total @ np.log(total) + weight @ np.log1p(-fraction))
    return first, weight, fraction, saturated


def make_baseline(risk: RiskSets, w: Float64, eta: Float64) -> Baseline:
    """Return Breslow's estimate of the baseline hazard (Efron's, where the ties were Efron's).

    Parameters
    ----------
    risk : RiskSets
        The risk sets of the rows that the path was fitted on.
    w : (n,) float64
        Their weights.
    eta : (n,) or (n, K) float64
        Their linear predictors, offsets included, one column per alpha.

    Returns
    -------
    Baseline
        The cumulative hazard at every event time and alpha.
    """
    eta = eta.reshape(len(w), -1)
    size = len(risk.times)
    log_hazard = np.empty((size, eta.shape[1]))
    owner = np.repeat(np.arange(size), np.diff(risk.first_term))
    ends = np.flatnonzero(risk.restart) + 1
    log_weight = np.log(risk.weight)[:, None]
    for begin, end in _stretches(ends):
        rows = np.flatnonzero(
            (risk.enter < risk.leave) & (risk.enter >= begin) & (risk.leave <= end) & (w > 0)
        )
        logs = np.log(w[rows])[:, None] + eta[rows]
        at_risk = _log_later(logs, risk.leave[rows] - 1 - begin, end - begin)
        late = risk.enter[rows] > begin
        at_risk = _log_less(at_risk, _log_later(logs[late], risk.enter[rows][late] - 1 - begin, end - begin))
        events = risk.group[rows] >= 0
        dying = _log_sums(logs[events], risk.group[rows][events] - begin, end - begin)
        terms = np.arange(risk.first_term[begin], risk.first_term[end])
        within = owner[terms] - begin
        # Entries that come and go may cancel: the events themselves are always at risk.
        at_risk = np.maximum(at_risk, dying)[within]
        left = at_risk + np.log1p(-risk.fraction[terms, None] * np.exp(dying[within] - at_risk))
        steps = _log_sums(log_weight[terms] - left, within, end - begin)
        log_hazard[begin:end] = np.logaddexp.accumulate(steps, axis=0)
    return Baseline(risk.times, log_hazard, ends.astype(np.int64), risk.strata)


def _stretches(ends: Index) -> Iterator[tuple[int, int]]:
    """Yield begin and end of every stratum."""
    begin = 0
    for end in ends.tolist():
        yield begin, end
        begin = end


def _log_sums(logs: Float64, place: Index, size: int) -> Float64:
    """Return, for every place, the logarithm of the sum of exp(logs) over the rows that belong there.

    Counted from the largest of each place: predictors may lie further apart than float64's exponents.
    """
    top = np.full((size, logs.shape[1]), -np.inf)
    np.maximum.at(top, place, logs)
    sums = np.zeros_like(top)
    np.add.at(sums, place, np.exp(logs - top[place]))
    with np.errstate(divide="ignore"):
        return np.asarray(top + np.log(sums))


def _log_later(logs: Float64, place: Index, size: int) -> Float64:
    """Return the same of the rows that belong at every place or later."""
    return np.asarray(np.logaddexp.accumulate(_log_sums(logs, place, size)[::-1], axis=0)[::-1])


def _log_less(one: Float64, other: Float64) -> Float64:
    """Return log(exp(one) - exp(other)), -inf where that is not positive."""
    with np.errstate(divide="ignore", invalid="ignore"):
        less = one + np.log1p(-np.exp(np.minimum(other - one, 0.0)))
    return np.where(other < one, less, -np.inf)
