"""Columns so short that reading all of them costs less than lazy references: one pass certifies an alpha.

Between knots correlations are linear in alpha: those of the last two passes predict who enters at the next.
"""

from __future__ import annotations

import math

from .._jit import kernel, part
from .models import judge, refit
from .repeated import entry
from .updates import correlate
from .workingset import discharge, enlist

# Features join the working set when their predicted correlation reaches this share of alpha l1.
EXPECTED = 0.95


@kernel
def read_everything(U, W, T, M, reads):  # type: ignore[no-untyped-def]
    """Form the residual of W.beta and all correlations; return (the sum of v, ||r||^2).

    T and M say the same as U and W, but may know where the working set's columns lie side by side.
    """
    vsum = refit(T, M)
    p = reads.value.shape[0]
    # Zero, but not a literal: for a literal numba would compile another scan.
    correlate(U, reads.feature, 0 * p, p, reads.value)
    for s in range(W.size[0]):
        W.g[s] = reads.value[W.feature[s]]
    square = 0.0
    for i in range(U.r.shape[0]):
        square += U.v[i] * U.r[i]
    return vsum, square


@kernel
def go_on(W, last, times):  # type: ignore[no-untyped-def]
    """Move coefficients by so many times what they have changed since last; last becomes what they were.

    Signs are kept, and what was zero at either end stays.
    """
    for s in range(W.size[0]):
        now, before = W.beta[s], last[W.feature[s]]
        W.before[s] = now
        ahead = now + times * (now - before)
        if before != 0.0 and ahead * now > 0.0 and W.lower[s] < ahead < W.upper[s]:
            W.beta[s] = ahead
    for j in range(last.shape[0]):
        last[j] = 0.0
    for s in range(W.size[0]):
        last[W.feature[s]] = W.before[s]


@kernel
def expect(now, before, times, out):  # type: ignore[no-untyped-def]
    """Write what the correlations will be if they go on as from before to now."""
    for j in range(out.shape[0]):
        out[j] = now[j] + times * (now[j] - before[j])


@kernel
def look_up(W, place_of, places, new):  # type: ignore[no-untyped-def]
    """Write the places of the slots' columns in the pack; list those without one, return their number."""
    count = 0
    for s in range(W.size[0]):
        places[s] = place_of[W.feature[s]]
        if places[s] < 0:
            new[count] = W.feature[s]
            count += 1
    return count


@part
def _is_open(P, j, g):  # type: ignore[no-untyped-def]
    """Say whether bounds leave the direction of the correlation g open."""
    return entry(P.upper, j) > 0.0 if g > 0.0 else entry(P.lower, j) < 0.0


@kernel
def admit(W, P, values, sqnorm, level):  # type: ignore[no-untyped-def]
    """Enlist the features whose correlation exceeds level * l1; return False when slots run out."""
    for j in range(values.shape[0]):
        is_weak = math.fabs(values[j]) <= level * entry(P.l1, j)
        if is_weak or W.slot_of[j] >= 0 or not _is_open(P, j, values[j]):
            continue
        if W.size[0] == W.feature.shape[0]:
            return False
        enlist(W, P, j, sqnorm[j], values[j])
    return True


@kernel
def dismiss(W, support, values, level):  # type: ignore[no-untyped-def]
    """Discharge the slots at zero whose correlation is below level * l1."""
    s = W.size[0] - 1
    while s >= 0:
        if W.beta[s] == 0.0 and math.fabs(values[W.feature[s]]) < level * W.l1[s]:
            discharge(W, support, s)
        s -= 1


@part
def _largest_outside(W, P, values, level):  # type: ignore[no-untyped-def]
    """Return the largest |correlation| / (level * l1) outside the working set, at least one."""
    largest = 1.0
    for j in range(values.shape[0]):
        limit = level * entry(P.l1, j)
        if math.fabs(values[j]) > largest * limit and W.slot_of[j] < 0 and _is_open(P, j, values[j]):
            largest = math.fabs(values[j]) / limit if limit > 0.0 else math.inf
    return largest


@kernel
def judge_pass(U, W, P, values, alpha, square, report):  # type: ignore[no-untyped-def]
    """Report the gap at alpha where values are all features' correlations with a residual of this square."""
    judge(U, W, alpha, square, _largest_outside(W, P, values, alpha), report)
