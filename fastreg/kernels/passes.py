"""Columns so short that reading all of them costs less than lazy references: one pass certifies an alpha.

Between knots correlations are linear in alpha: those of the last two passes predict who enters at the next.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from .._bundle import bundle
from .._jit import kernel, part
from .._typing import Float64, Index
from .models import judge, refit
from .repeated import entry
from .updates import correlate
from .workingset import discharge, enlist

# Features join the working set when their predicted correlation reaches this share of alpha l1.
EXPECTED = 0.95
# All columns are read a little before the list costs what the mean pass since then does.
EARLY = 0.7
# What reading a listed column costs, among all it costs one.
APART = 2
# What rounding may do to a correlation, as a share of the norms of column and residuals.
ROUNDED = 1e-12
# Anchors whose residuals are this much alike, 1 - cos^2, are one.
ALIKE = 1e-12


@bundle
class Anchors(NamedTuple):
    """The two last residuals at which all columns were read, the later one first, and what was read there.

    ``residual`` (2, n), times sqrt(w); ``correlation`` (2, p); ``norm`` (p,) of the columns; ``listed`` and
    ``value``: room for p columns that are read. ``since`` = [how many anchors there are, passes since the
    last one, columns listed in these, and in the last pass].
    """

    residual: Float64
    correlation: Float64
    norm: Float64
    listed: Index
    value: Float64
    since: Index


# Entries of Anchors.since.
HELD, PASSES, LISTED, LAST = 0, 1, 2, 3
SINCE = 4


@kernel
def pass_over(U, W, P, T, M, A, now, root_w, alpha):  # type: ignore[no-untyped-def]
    """Form the residual of W.beta and all correlations; return (the sum of v, ||r||^2, columns read).

    Correlations that the anchors keep below EXPECTED alpha l1 are what the anchors say of them. T and M say
    the same as U and W, but may know where the working set's columns lie side by side.
    """
    p, m = now.shape[0], W.size[0]
    vsum = refit(T, M)
    square = 0.0
    for i in range(U.r.shape[0]):
        square += U.v[i] * U.r[i]
    A.since[PASSES] += 1
    is_listed = A.since[HELD] == 2
    count = p
    if is_listed:
        count = _list_near(U, W, P, A, now, root_w, alpha)
        # Lists grow: their mean cost is least where one costs what the mean does (F16).
        is_listed = APART * count * A.since[PASSES] <= EARLY * (p + APART * A.since[LISTED])
    # Zero, but not a literal: for a literal numba would compile another scan.
    if is_listed:
        A.since[LAST] = count
        correlate(U, A.listed, 0 * count, count, A.value)
        for t in range(count):
            now[A.listed[t]] = A.value[t]
        correlate(T, M.feature, 0 * m, m, W.g)
        for s in range(m):
            now[W.feature[s]] = W.g[s]
        A.since[LISTED] += count
        return vsum, square, count + m
    for j in range(p):
        A.listed[j] = j
    A.since[LAST] = p
    correlate(U, A.listed, 0 * p, p, now)
    _drop_anchor(U, A, now, root_w)
    for s in range(m):
        W.g[s] = now[W.feature[s]]
    return vsum, square, p


@part
def _drop_anchor(U, A, values, root_w):  # type: ignore[no-untyped-def]
    """Make the current residual, at which all columns were read, the later anchor."""
    for i in range(U.r.shape[0]):
        A.residual[1, i] = A.residual[0, i]
        A.residual[0, i] = root_w[i] * U.r[i]
    for j in range(values.shape[0]):
        A.correlation[1, j] = A.correlation[0, j]
        A.correlation[0, j] = values[j]
    A.since[HELD] = min(A.since[HELD] + 1, 2)
    A.since[PASSES] = A.since[LISTED] = 0


@part
def _list_near(U, W, P, A, now, root_w, alpha):  # type: ignore[no-untyped-def]
    """Write what the anchors say of all correlations; list the columns to be read outside the working set.

    The answer is their number.

    With r = a r_0 + b r_1 + rest, |x~_j . r - a g_0j - b g_1j| <= ||x~_j|| ||rest|| (docs/math.md, F35).
    """
    s00 = s01 = s11 = t0 = t1 = square = rest = 0.0
    for i in range(root_w.shape[0]):
        e0, e1, e = A.residual[0, i], A.residual[1, i], root_w[i] * U.r[i]
        s00 += e0 * e0
        s01 += e0 * e1
        s11 += e1 * e1
        t0 += e * e0
        t1 += e * e1
        square += e * e
    # Any a and b give a bound, those of least squares the best one.
    det = s00 * s11 - s01 * s01
    if det > ALIKE * s00 * s11:
        a, b = (t0 * s11 - t1 * s01) / det, (t1 * s00 - t0 * s01) / det
    else:
        a, b = t0 / s00 if s00 > 0.0 else 0.0, 0.0
    for i in range(root_w.shape[0]):
        e = root_w[i] * U.r[i] - a * A.residual[0, i] - b * A.residual[1, i]
        rest += e * e
    size = math.fabs(a) * math.sqrt(s00) + math.fabs(b) * math.sqrt(s11) + math.sqrt(square)
    reach = math.sqrt(rest) + ROUNDED * size
    count = 0
    for j in range(now.shape[0]):
        g = a * A.correlation[0, j] + b * A.correlation[1, j]
        now[j] = g
        is_far = math.fabs(g) + A.norm[j] * reach <= EXPECTED * alpha * entry(P.l1, j)
        # No branches: a third of all are listed, and which is anybody's guess.
        A.listed[count] = j
        count += (1 - is_far) * (W.slot_of[j] < 0)
    return count


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
def _largest_outside(W, P, A, values, level):  # type: ignore[no-untyped-def]
    """Return the largest |correlation| / (level * l1) outside the working set, at least one.

    What the last pass did not list is below EXPECTED level * l1.
    """
    largest = 1.0
    for t in range(A.since[LAST]):
        j = A.listed[t]
        limit = level * entry(P.l1, j)
        if math.fabs(values[j]) > largest * limit and W.slot_of[j] < 0 and _is_open(P, j, values[j]):
            largest = math.fabs(values[j]) / limit if limit > 0.0 else math.inf
    return largest


@kernel
def judge_pass(U, W, P, A, values, alpha, square, report):  # type: ignore[no-untyped-def]
    """Report the gap at alpha where the last pass wrote these values, for a residual of this square."""
    judge(U, W, alpha, square, _largest_outside(W, P, A, values, alpha), report)
