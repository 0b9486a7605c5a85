"""Restricted solve, screening, reading and certificate, composed into few compiled calls.

The driver calls ``follow`` until all alphas are done: a small path is one call, a large one pauses often.
Any answer but DONE asks the driver for something that compiled code does not do: read many columns in
threads, or for several paths at once, enlarge an array, refactor, or look at the clock.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from .._bundle import bundle
from .._jit import kernel, part
from .._typing import Float64, Index
from .curved import Curved
from .duality import ROUNDING, gap
from .finish import SOLVED, admit_all, finish
from .models import (
    ABSORBED,
    COMMON,
    COST,
    GAP,
    LISTED,
    LOOKS,
    NEXT,
    ROW,
    SQUARE,
    TO_READ,
    VIOLATORS,
    WAITS,
    falls_short,
    judge,
    note_intercepts,
    solve,
)
from .screening import (
    LIFTED,
    NOBODY,
    VACATED,
    lift,
    most_used,
    prepare,
    rest_first,
    rest_together,
    select_reads,
    write_row,
)
from .shifted import AHEAD
from .state import COLUMNS_READ, GRADIENTS, SWEEPS, WORK, Factor, Penalties, Reads, References, Working
from .storage import pack
from .trail import keep
from .updates import Gram, Naive, correlate, gradient
from .workingset import absorb, enlist, prune

# Answers beyond those of finish.
DONE = 10
READ = 11
GROW_WORKING = 12
UNSOLVED = 13
GROW_TRAIL = 14
READ_ALL = 15

# Stages at which advance and outside start.
SOLVE = 0
ABSORB = 1
KEEP = 2
# Where reading all costs more than this share of what reading one by one does, lists are cheaper.
ALL_PAYS = 0.6
# All are read a little before the list costs what the mean does: who was read alone is looked at alone.
EARLY = 0.7
# A rounding of float64.
EPSILON = 2.2e-16


@bundle
class Screened(NamedTuple):
    """All that a path with lazy references carries.

    ``report`` = [gap, columns to read, reference row, ||r||^2, feature at which selection goes on, violators
    so far, columns absorbed of those read, frame of most features while all columns are read, else -1, looks
    outside since all were read, columns listed in these, whether somebody reads all for several paths, what
    all cost over what they cost one by one].
    """

    U: Naive | Curved
    P: Penalties
    W: Working
    F: Factor
    Q: References
    reads: Reads
    root_w: Float64
    sqnorm: Float64
    stats: Index
    report: Float64


@bundle
class InGramSpace(NamedTuple):
    """All that a path in Gram space carries: every feature has a slot. ``response_square`` = [||y~||^2]."""

    U: Gram
    W: Working
    F: Factor
    response_square: Float64
    stats: Index
    report: Float64


@part
def look_outside(S, alpha, stage, inline_reads, allowed_gap):  # type: ignore[no-untyped-def]
    """Look beyond the working set at the current residual; return DONE, or UNSOLVED with new violators.

    With allowed_gap = 0 nothing less than no violator at all is DONE.
    """
    row, violators = examine(S, alpha, stage, inline_reads)
    if violators < 0:
        return row
    if violators > 0 and allowed_gap == 0.0:
        return UNSOLVED
    judge(S.U, S.W, alpha, S.Q.norm[row] * S.Q.norm[row], 1.0, S.report)
    if violators > 0 and S.report[GAP] > allowed_gap:
        return UNSOLVED
    prune(S.Q, S.W, S.F.support, alpha, S.sqnorm, row)
    return DONE


@part
def examine(S, alpha, stage, inline_reads):  # type: ignore[no-untyped-def]
    """Read all columns that no reference certifies, some at a time; return (row, violators).

    Where these are many, all are read: side by side columns cost a fraction of what they cost one by one.
    Where the driver has something to do first, return (READ, READ_ALL or GROW_WORKING, -1); it comes back
    with ABSORB.
    """
    p = S.sqnorm.shape[0]
    if stage == SOLVE:
        S.report[ROW] = prepare(S.Q, S.U.r, S.root_w, S.stats)
        S.report[NEXT] = S.report[VIOLATORS] = S.report[TO_READ] = S.report[ABSORBED] = 0.0
        S.report[COMMON] = NOBODY
        S.report[LOOKS] += 1.0
        S.stats[WORK] += p
    row, budget = int(S.report[ROW]), inline_reads
    while True:
        count = int(S.report[TO_READ])
        S.report[ABSORBED] = absorb(S, alpha, row, int(S.report[ABSORBED]))
        if S.report[ABSORBED] < count:
            return GROW_WORKING, -1
        begin, common = int(S.report[NEXT]), int(S.report[COMMON])
        if common != NOBODY:
            rest_together(S.Q, row, common, begin - count, count, S.reads.value, S.sqnorm)
        S.stats[COLUMNS_READ] += count
        S.report[TO_READ] = S.report[ABSORBED] = 0.0
        if begin == p:
            return row, int(S.report[VIOLATORS])
        if common == NOBODY:
            count, S.report[NEXT] = select_reads(S.Q, S.P, alpha, begin, S.reads)
            share = count / (S.report[NEXT] - begin)
            # Right after all were read who is listed violates.
            is_fresh = S.report[LOOKS] == 0.0
            if is_fresh or share <= worth_reading_all(S.report[COST], S.report[LOOKS], S.report[LISTED] / p):
                S.report[LISTED] += count
            elif S.report[WAITS] > 0.0:
                return READ_ALL, -1
            else:
                S.report[COMMON] = common = most_used(S.Q)
                S.report[LOOKS] = S.report[LISTED] = 0.0
        if common != NOBODY:
            count = min(p - begin, S.reads.feature.shape[0])
            for t in range(count):
                S.reads.feature[t] = begin + t
            S.report[NEXT] = begin + count
        S.report[TO_READ] = count
        S.stats[WORK] += S.W.size[2] * count
        if count > budget:
            return READ, -1
        budget -= count
        # Zero, but not a literal: for a literal numba would compile another scan.
        read_listed(S.U, S.reads, 0 * count, count)


@part
def worth_reading_all(cost, looks, listed):  # type: ignore[no-untyped-def]
    """Return the share of columns from which on it pays to read all.

    That has its ``cost`` in terms of what all cost one by one, and ``listed`` times all were read one by one
    in the ``looks`` since. The list grows with every alpha: the mean cost is least where the list costs what
    the mean does (docs/math.md, F16).
    """
    return EARLY * (cost + listed) / looks if cost <= ALL_PAYS else 1.0


class Limits(NamedTuple):
    """Where a compiled call stops by itself: more columns to read, rounds at one alpha, work, support.

    The first alpha may have used up some of its rounds before: ``later_rounds`` are those of the others.
    """

    inline_reads: int
    max_rounds: int
    later_rounds: int
    work: int
    support: int


@part
def for_later(limits):  # type: ignore[no-untyped-def]
    """Return the limits for alphas that nobody has begun."""
    return Limits(limits.inline_reads, limits.later_rounds, limits.later_rounds, limits.work, limits.support)


@kernel
def outside(S, alpha, stage, inline_reads, allowed_gap):  # type: ignore[no-untyped-def]
    """Look beyond the working set; see look_outside."""
    return look_outside(S, alpha, stage, inline_reads, allowed_gap)


@part
def advance(S, alpha, stage, limits):  # type: ignore[no-untyped-def]
    """Carry the solution to alpha by the exact finish; return DONE, or what the driver has to do first."""
    while True:
        if stage == SOLVE:
            code = solve(S.U, S.W, S.F, alpha, limits, S.stats)
            if code != SOLVED:
                return code
        code = look_outside(S, alpha, stage, limits.inline_reads, 0.0)
        if code != UNSOLVED and not (code == DONE and falls_short(S.U, S.report[GAP])):
            return code
        stage = SOLVE


@kernel
def follow(S, alphas, k, stop, stage, limits, trail):  # type: ignore[no-untyped-def]
    """Carry the solution from alphas[k] on to alphas[stop - 1]; see follow_path."""
    return follow_path(S, alphas, k, stop, stage, limits, trail)


@part
def follow_path(S, alphas, k, stop, stage, limits, trail):  # type: ignore[no-untyped-def]
    """Carry the solution from alphas[k] on to alphas[stop - 1] and write each one down.

    Return (code, first alpha not written down). DONE may come before stop: when a limit was met.
    """
    work_limit = S.stats[WORK] + limits.work
    while k < stop:
        if stage != KEEP:
            S.F.pace[AHEAD] = alphas.shape[0] - k
            code = advance(S, alphas[k], stage, limits)
            if code != DONE:
                return code, k
        effort = S.stats[GRADIENTS] + S.stats[SWEEPS]
        if not keep(S.W, trail, k, S.report[GAP], S.report[SQUARE], effort):
            return GROW_TRAIL, k
        note_intercepts(S.U, trail, k)
        stage = SOLVE
        k += 1
        limits = for_later(limits)
        if S.stats[WORK] > work_limit or S.W.size[1] > limits.support:
            break
    return DONE, k


@kernel
def write_down(S, trail, k, effort):  # type: ignore[no-untyped-def]
    """Write down the k-th alpha, which was solved elsewhere; return False where there is no room."""
    if not keep(S.W, trail, k, S.report[GAP], S.report[SQUARE], effort):
        return False
    note_intercepts(S.U, trail, k)
    return True


@kernel
def follow_in_gram_space(S, alphas, k, stop, stage, limits, trail):  # type: ignore[no-untyped-def]
    """Do in Gram space what follow does."""
    work_limit = S.stats[WORK] + limits.work
    while k < stop:
        if stage != KEEP:
            S.F.pace[AHEAD] = alphas.shape[0] - k
            code = finish(S.U, S.W, S.F, alphas[k], limits.max_rounds, limits.work, S.stats)
            if code != SOLVED:
                return code, k
            report_in_gram_space(S, alphas[k])
        if not keep(S.W, trail, k, S.report[GAP], S.report[SQUARE], S.stats[GRADIENTS]):
            return GROW_TRAIL, k
        stage = SOLVE
        k += 1
        limits = for_later(limits)
        if S.stats[WORK] > work_limit:
            break
    return DONE, k


@kernel
def assess_in_gram_space(S, alpha):  # type: ignore[no-untyped-def]
    """Report the gap of the current coefficients; see report_in_gram_space."""
    report_in_gram_space(S, alpha)


@part
def report_in_gram_space(S, alpha):  # type: ignore[no-untyped-def]
    """Report the gap of the current coefficients.

    ||r||^2 may cancel, but the gap needs it only times (1 - c)^2.
    """
    square = S.response_square[0]
    for s in range(S.W.size[0]):
        square -= S.W.beta[s] * (S.U.q[s] + S.W.g[s])
    S.report[SQUARE] = max(square, 0.0)
    S.report[GAP] = gap(S.W, alpha, S.report[SQUARE], 1.0) + _rounding_in_gram_space(S, alpha)


@part
def _rounding_in_gram_space(S, alpha):  # type: ignore[no-untyped-def]
    """Return what the rounding of g = q - G beta adds to the gap: q and G beta may be far larger than g.

    Besides, the entries of q and G are sums over rows, each with a rounding of the columns' norms.
    """
    W = S.W
    size = math.sqrt(S.response_square[0])
    slope = total = over = 0.0
    count = 0
    for s in range(W.size[0]):
        if W.beta[s] != 0.0:
            size += math.sqrt(W.sqnorm[s]) * math.fabs(W.beta[s])
            slope += math.fabs(W.beta[s] * W.g[s])
            W.listed[count] = s
            count += 1
    for a in range(count):
        s = W.listed[a]
        terms = math.fabs(S.U.q[s])
        for b in range(count):
            terms += math.fabs(S.U.G[s, W.listed[b]] * W.beta[W.listed[b]])
        error = ROUNDING * terms + EPSILON * math.sqrt(W.sqnorm[s]) * size
        total += math.fabs(W.beta[s]) * error
    for s in range(W.size[0]):
        l1 = alpha * W.l1[s]
        end = W.upper[s] if W.g[s] > 0.0 else W.lower[s]
        if W.beta[s] == 0.0 and W.l2[s] == 0.0 and 0.0 < l1 < math.inf and end != 0.0:
            # A correlation that may be too long shortens the dual point by its share.
            error = ROUNDING * math.sqrt(W.sqnorm[s]) * size
            over = max(over, (math.fabs(W.g[s]) + error - l1) / l1)
    return total + over * slope


@kernel
def read(U, reads, start, stop):  # type: ignore[no-untyped-def]
    """Read the listed columns start to stop; see read_listed."""
    read_listed(U, reads, start, stop)


@part
def read_listed(U, reads, start, stop):  # type: ignore[no-untyped-def]
    """Read the listed columns start to stop against the current residual."""
    correlate(U, reads.feature, start, stop, reads.value)


@kernel
def read_columns(U, features, out):  # type: ignore[no-untyped-def]
    """Write the listed features' correlations with the current residual."""
    count = features.shape[0]
    # Zero, but not a literal: for a literal numba would compile another scan.
    correlate(U, features, 0 * count, count, out)


@kernel
def settle(S, alpha, limits):  # type: ignore[no-untyped-def]
    """Solve on the slots enlisted so far, without looking outside; return a code of finish."""
    gradient(S.U, S.W.feature, S.W.beta, S.W.g, S.W.size[0])
    return solve(S.U, S.W, S.F, alpha, limits, S.stats)


@kernel
def refresh(S):  # type: ignore[no-untyped-def]
    """Make residual and correlations belong to coefficients that were set from outside."""
    gradient(S.U, S.W.feature, S.W.beta, S.W.g, S.W.size[0])


@kernel
def enlist_features(S, features):  # type: ignore[no-untyped-def]
    """Give the features slots, whatever their correlation."""
    for t in range(features.shape[0]):
        j = features[t]
        if not is_inside(S, j):
            lift(S.Q, j)
            enlist(S.W, S.P, j, S.sqnorm[j], 0.0)


@kernel
def rest_all(S, values):  # type: ignore[no-untyped-def]
    """Let every feature outside the working set rest on the current residual, with these correlations."""
    for f in range(S.Q.users.shape[0]):
        S.Q.users[f] = 0
    write_row(S.Q, 0, S.U.r, S.root_w)
    for j in range(S.sqnorm.shape[0]):
        S.Q.frame[j] = LIFTED if is_inside(S, j) else VACATED
        S.Q.users[S.Q.frame[j]] += 1
        S.Q.along_u[j] = S.Q.along_z[j] = S.Q.rest[j] = 0.0
    rest_first(S.Q, values, S.sqnorm)


@part
def is_inside(S, j):  # type: ignore[no-untyped-def]
    """Tell whether feature j is in the working set."""
    return S.W.slot_of[j] >= 0 if S.W.slot_of.shape[0] > 0 else S.Q.frame[j] == LIFTED


@kernel
def assess(S, alpha):  # type: ignore[no-untyped-def]
    """Report the gap of coefficients that were not solved for.

    To be called after rest_all and with all violators enlisted.
    """
    judge(S.U, S.W, alpha, S.Q.norm[0] * S.Q.norm[0], 1.0, S.report)


@kernel
def take_up_support(S):  # type: ignore[no-untyped-def]
    """Build the empty factor for the non-zero coefficients; those that depend on others stay outside."""
    gradient(S.U, S.W.feature, S.W.beta, S.W.g, S.W.size[0])
    for s in range(S.W.size[0]):
        S.W.found[s] = S.W.beta[s]
    admit_all(S.U, S.W, S.F, 0.0, S.stats)


@kernel
def pack_columns(D, features, first, packed):  # type: ignore[no-untyped-def]
    """Copy the listed columns into packed, from its column number first on."""
    pack(D, features, first, packed)
