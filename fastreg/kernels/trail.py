"""What is kept of every alpha that is done, written where it is found out."""

from __future__ import annotations

from typing import NamedTuple

from .._bundle import bundle
from .._jit import part
from .._typing import Float64, Index


@bundle
class Trail(NamedTuple):
    """The finished part of a path, in the solver's units.

    Entries ``ends[k]`` to ``ends[k + 1]`` of ``feature`` and ``value`` are the non-zero coefficients at the
    k-th alpha, in no order. ``effort`` (K,) counts the solver's rounds up to there. ``intercept``
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
    for s in range(m):
        if W.beta[s] != 0.0:
            trail.feature[end] = W.feature[s]
            trail.value[end] = W.beta[s]
            end += 1
    trail.ends[k + 1] = end
    trail.gap[k] = gap
    trail.square[k] = square
    trail.effort[k] = effort
    return True
