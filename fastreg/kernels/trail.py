"""What is kept of every alpha that is done, written where it is found out."""

from __future__ import annotations

import math
from typing import NamedTuple

from .._bundle import bundle
from .._jit import kernel, part
from .._typing import Float64, Index
from .repeated import entry

# Distances at which entries are compared while they are sorted: Ciura, Experimental Computer Science (2001).
GAPS = (1750, 701, 301, 132, 57, 23, 10, 4, 1)
# A share of the deviance below this is the rounding of two numbers that are equal.
NO_SHARE = 1e-14


@bundle
class Trail(NamedTuple):
    """The finished part of a path, in the solver's units.

    Entries ``ends[k]`` to ``ends[k + 1]`` of ``feature`` and ``value`` are the non-zero coefficients at the
    k-th alpha, mostly by feature. ``effort`` (K,) counts the solver's rounds up to there. ``intercept``
    (K, outputs) is what a loss that is not quadratic was fitted with.
    """

    gap: Float64
    square: Float64
    effort: Index
    ends: Index
    feature: Index
    value: Float64
    intercept: Float64


@part
def keep(W, trail, k, gap, square, effort):  # type: ignore[no-untyped-def]
    """Write the k-th alpha down; return False, with nothing written, where there is no room."""
    end = trail.ends[k]
    m = W.size[0]
    if end + m > trail.feature.shape[0]:
        return False
    for t in range(m):
        s = W.order[t]
        if W.beta[s] != 0.0:
            trail.feature[end] = W.feature[s]
            trail.value[end] = W.beta[s]
            end += 1
    trail.ends[k + 1] = end
    trail.gap[k] = gap
    trail.square[k] = square
    trail.effort[k] = effort
    return True


class Shown(NamedTuple):
    """The finished part of a path on the user's scale, one entry for every alpha that was asked for.

    Entries ``ends[k]`` to ``ends[k + 1]`` of ``feature`` and ``value`` are the non-zero coefficients at the
    k-th alpha, by feature. ``explained`` is the share of the null deviance, ``rounds`` those at this alpha
    and at the stepping stones before it, ``intercept`` (outputs, K).
    """

    gap: Float64
    explained: Float64
    rounds: Index
    ends: Index
    feature: Index
    value: Float64
    intercept: Float64


class Scale(NamedTuple):
    """How to come from the solver's scale to the user's.

    The unit of the objective, twice the null objective in the solver's unit, the intercept of a response
    whose coefficients are all zero, and the number of columns.
    """

    objective: float
    null_square: float
    centre: float
    p: int


@kernel
def show(trail, is_asked, units, means, scale, shown):  # type: ignore[no-untyped-def]
    """Write the alphas that were asked for on the user's scale.

    Return the first feature whose value is not finite, -1 where all are. ``units`` and ``means`` of the
    columns have one entry where all are alike.
    """
    k = end = effort = 0
    failed = -1
    outputs = trail.intercept.shape[1]
    for a in range(is_asked.shape[0]):
        if not is_asked[a]:
            continue
        begin, is_sorted = end, True
        for c in range(outputs):
            shown.intercept[c, k] = scale.centre + trail.intercept[a, c]
        for e in range(trail.ends[a], trail.ends[a + 1]):
            # Without a division where there is one output: it would take as long as all else.
            output = trail.feature[e] // scale.p if outputs > 1 else 0
            j = trail.feature[e] - output * scale.p
            value = trail.value[e] * entry(units, j)
            shown.intercept[output, k] -= value * entry(means, j)
            if end > begin and trail.feature[e] < shown.feature[end - 1]:
                is_sorted = False
            if failed < 0 and not math.isfinite(value):
                failed = j
            shown.feature[end], shown.value[end] = trail.feature[e], value
            end += 1
        if not is_sorted:
            _sort(shown.feature, shown.value, begin, end)
        shown.ends[k + 1] = end
        shown.gap[k] = trail.gap[a] * scale.objective
        share = 1.0 - trail.square[a] / scale.null_square if scale.null_square > 0.0 else 0.0
        shown.explained[k] = share if math.fabs(share) >= NO_SHARE else 0.0
        # A look that found nothing to do is a round.
        shown.rounds[k] = max(trail.effort[a] - effort, 1)
        effort = trail.effort[a]
        k += 1
    return failed


@part
def _sort(feature, value, begin, end):  # type: ignore[no-untyped-def]
    """Sort the entries begin to end by feature."""
    for gap in GAPS:
        for e in range(begin + gap, end):
            j, b = feature[e], value[e]
            t = e
            while t - gap >= begin and feature[t - gap] > j:
                feature[t], value[t] = feature[t - gap], value[t - gap]
                t -= gap
            feature[t], value[t] = j, b
