"""Updates for losses that are not quadratic: the pseudo-residual of a linear predictor, and chords to solve.

``gradient`` is that of the loss itself at the coefficients, intercepts settled. ``gram_columns`` are columns
of X~' H X~ with the curvature H at some earlier point, which an inverse of the support's Gram matrix belongs
to. A step with an old inverse is a chord: it loses the digits by which H has changed since, and costs a round
instead of a factorisation. What is cheaper is chosen round by round.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from .._bundle import bundle
from .._jit import exact_part, part
from .._typing import Float64
from .duality import penalty, penalty_gap, scaling
from .factor import invert
from .finish import (
    BATCH_SHARE,
    DEPENDENT,
    FEWEST_ROUNDS,
    FULL,
    GOOD_ENOUGH,
    GROW_SUPPORT,
    PAUSED,
    REBUILD,
    SOLVED,
    SWAPPED,
    admit,
    admit_all,
    enter,
    stationarity,
    walk,
)
from .losses import HAS_INTERCEPT, Curvature, Loss, flex, objective, settle, weigh_intercepts
from .misfit import misfit
from .shifted import apply_inverse, is_outdated
from .short_columns import Rows, cross_short, entries_of_column, gram_short
from .stacked import CscStack, DenseStack, add_columns, write_column
from .state import BLOCK, ENTERED, GRADIENTS, LEFT, REWEIGHTINGS, WORK
from .storage import cross, scan
from .updates import correlate, gradient, gram_columns

# Entries of memo.
FIT, NORM, ALLOWED, ALPHA, GOAL, DAMPING, THETA, IS_WEIGHED, TIGHTENED = 0, 1, 2, 3, 4, 5, 6, 7, 8
GAP_NOW, LAST, BEST, IDLE, CHORDS, SWAPPED_SO_FAR, BATCH, NULL = 9, 10, 11, 12, 13, 14, 15, 16
MEMO = 17
# A round that ends nothing.
GO_ON = -1
# Share of the allowed gap at which the working set counts as solved; by how much that is tightened when the
# gap of all features is larger, and how often.
GOAL_SHARE, TIGHTER, MOST_TIGHTENED = 0.5, 0.1, 4
# The penalty counts as this share of the null model's value at least, and no gap is sought below that one.
LEAST_PENALTY, FINEST = 0.02, 1e-12
# Chords that keep more than this share of the error need the curvature of here and now.
SLOW = 0.3
# What a chord with the curvature of here and now keeps of the error until it is measured, and at the least.
FRESH, LEAST_THETA = 0.03, 1e-6
# Multiplications that one value of a loss and its derivatives cost, about.
LOSS_WORK = 40
# A step that raises the objective is taken back and tried again this much shorter; one that does not, longer.
SHORTER, LONGER = 0.25, 4.0
SHORTEST = 1e-12
# The objective may rise by this share of itself and of the null model's: rounding.
RISE = 1e-13
# Chords at one alpha after which curvature is taken afresh in any case: where features come and go, what a
# chord keeps cannot be seen (a path to 1e-4 took 1078 rounds without it).
MANY_CHORDS = 5
# A violator that depends on the support is swapped for a member of it only once the support is as stationary
# as this: until then the correlations of dependent features say nothing of their own.
CALM = 1e-7
# Rounds in which the error does not halve, after which the arithmetic is held to give no more.
IDLE_ROUNDS = 4
# Moves of an intercept beyond this are not to be guessed.
FAR = 10.0
# The sum of the pseudo-residual beyond this share of its norm proves nothing: intercepts are not settled.
UNBALANCED = 1e-9
# Share of that, and of what intercepts let it cost of the allowed gap, which is as good as none.
SETTLED = 0.01


@bundle
class Curved(NamedTuple):
    """Residual updates for any loss: E = offset + intercept + X~ beta, R = -f'(E) per unit weight, V = w R.

    ``r`` and ``v`` are R and V as one vector each. ``N`` is the curvature at E, ``C`` the one that the
    support's Gram matrix was formed with. ``sums`` (outputs,) are those of V. ``buffer`` (BLOCK, outputs, n)
    holds columns of H X~, ``totals`` (BLOCK, outputs) their sums. ``before`` (outputs,) are the intercepts
    before a step. ``memo`` = [value of the loss, ||r||, allowed gap, alpha, gap to be reached within the
    working set, share of a step that is tried, share of the error that a chord keeps, whether C is one,
    how often the goal was tightened, gap within the working set; then what a call of bend keeps from round to
    round: error before and smallest error so far, rounds without progress, chords since C was renewed, swaps,
    share of the largest violation from which on features enter; the null model's value].
    """

    D: DenseStack | CscStack
    L: Loss
    C: Curvature
    N: Curvature
    E: Float64
    R: Float64
    V: Float64
    r: Float64
    v: Float64
    intercept: Float64
    before: Float64
    sums: Float64
    shift: Float64
    buffer: Float64
    totals: Float64
    rows: Rows
    memo: Float64


@part
def evaluate(U, feature, beta, m):  # type: ignore[no-untyped-def]
    """Make predictor, residual and value belong to beta, with the intercepts settled."""
    outputs, n = U.E.shape
    mass = before = after = 0.0
    if outputs == 1:
        for i in range(n):
            before += U.N.mass[0, i] * U.E[0, i]
        for i in range(n):
            mass += U.N.mass[0, i]
    for c in range(outputs):
        U.shift[c] = U.intercept[c]
        for i in range(n):
            U.E[c, i] = U.L.offset[c, i]
    add_columns(U.D, feature, beta, m, U.E, U.shift)
    if outputs == 1 and U.L.traits[HAS_INTERCEPT] == 1 and mass > 0.0:
        for i in range(n):
            after += U.N.mass[0, i] * U.E[0, i]
        # With the weighted mean of the predictor the residual's sum stays, to first order.
        move = before / mass - after / mass - U.shift[0]
        if math.fabs(move) < FAR:
            U.intercept[0] += move
            U.shift[0] += move
    for c in range(outputs):
        for i in range(n):
            U.E[c, i] += U.shift[c]
    farthest = 0.0
    for c in range(outputs):
        farthest = max(farthest, math.fabs(U.intercept[c]))
    enough = SETTLED * min(U.memo[ALLOWED] / (outputs * (1.0 + farthest)), UNBALANCED * U.memo[NORM])
    settle(U.L, U.N, U.E, U.intercept, U.R, U.sums, enough)
    square = 0.0
    for c in range(outputs):
        for i in range(n):
            U.V[c, i] = U.L.w[i] * U.R[c, i]
        for i in range(n):
            square += U.V[c, i] * U.R[c, i]
    U.memo[NORM] = math.sqrt(square)
    U.memo[FIT] = objective(U.L, U.N, U.E)


@gradient.member(Curved)
def _curved_gradient(U, feature, beta, g, m):  # type: ignore[no-untyped-def]
    evaluate(U, feature, beta, m)
    # Zero, but not a literal: for a literal numba would compile another scan.
    scan(U.D, feature, 0 * m, m, U.V, U.sums, g)


@correlate.member(Curved)
def _curved_correlate(U, features, start, stop, out):  # type: ignore[no-untyped-def]
    scan(U.D, features, start, stop, U.V, U.sums, out)


@gram_columns.member(Curved)
def _curved_gram_columns(U, W, F, count):  # type: ignore[no-untyped-def]
    if cross_short(U.D, U, W, F, count):
        return
    outputs, n = U.E.shape
    for b in range(count):
        x = U.buffer[b]
        write_column(U.D, W.feature[F.entering[b]], x)
        flex(U.L, U.C, x)
        for c in range(outputs):
            total = 0.0
            for i in range(n):
                total += x[c, i]
            U.totals[b, c] = total
    cross(U.D, W.feature, F.support, W.size[1], U.buffer, U.totals, count, F.columns)
    # A plain number from the loop's kind: for another type numba would compile another copy.
    cross(U.D, W.feature, F.entering, count + 0 * W.size[1], U.buffer, U.totals, count, F.small[0])


@exact_part
def curved_gap(U, W, alpha, largest_unread, enough):  # type: ignore[no-untyped-def]
    """Return an upper bound of the suboptimality of W.beta at alpha; beyond ``enough`` it may be less."""
    c, within = scaling(W, alpha, largest_unread)
    found = _curved_gap_at(U, W, alpha, c, enough)
    return found if within == c else min(found, _curved_gap_at(U, W, alpha, within, enough))


@exact_part
def _curved_gap_at(U, W, alpha, c, enough):  # type: ignore[no-untyped-def]
    """Return the gap to the dual point c r; without the loss's term where that exceeds ``enough`` alone."""
    total = 0.0
    for k in range(U.sums.shape[0]):
        if U.L.traits[HAS_INTERCEPT] == 1:
            if math.fabs(U.sums[k]) > UNBALANCED * U.memo[NORM] + W.noise[0]:
                return math.inf
            total += math.fabs(U.intercept[k] * U.sums[k])
    total = penalty_gap(W, alpha, U.memo[NORM], c, total)
    # The penalty's terms are of the first order in what is missing, that of the loss is of the second.
    return total if total > enough else total + misfit(U.L, U.N, U.E, U.R, c)


@part
def _take_over(U):  # type: ignore[no-untyped-def]
    """Make C the curvature at the current predictor."""
    N, C = U.N, U.C
    for c in range(N.mass.shape[0]):
        for i in range(N.mass.shape[1]):
            C.mass[c, i] = N.mass[c, i]
    for i in range(N.early.shape[0]):
        C.early[i] = N.early[i]
    for g in range(N.sums.shape[0]):
        C.decay[g], C.sums[g], C.tied[g] = N.decay[g], N.sums[g], N.tied[g]
        C.rate[g], C.before[g] = N.rate[g], N.before[g]
        C.near[g], C.tied_near[g] = N.near[g], N.tied_near[g]
    weigh_intercepts(U.L, C)
    U.memo[IS_WEIGHED] = 1.0
    U.memo[THETA] = FRESH


@part
def reweigh(U, W, F, alpha, stats):  # type: ignore[no-untyped-def]
    """Form the support's Gram matrix and its inverse with the curvature of here and now."""
    _take_over(U)
    stats[REWEIGHTINGS] += 1
    stats[WORK] += _reweighing_work(U, W)
    if gram_short(U.D, U, W, F):
        invert(W, F, alpha)
        return
    k = W.size[1]
    F.ridge_alpha[0] = alpha
    for a in range(k):
        s = F.support[a]
        # The sign that an entering feature is to get; one without an l1 penalty has none.
        W.found[s] = F.sign[a] if F.sign[a] != 0.0 else 1.0
        W.listed[a] = s
        W.place[s] = -1
    W.size[1] = 0
    for start in range(0, k, BLOCK):
        count = min(BLOCK, k - start)
        for b in range(count):
            F.entering[b] = W.listed[start + b]
        kept = admit(U, W, F, count, stats)
        stats[ENTERED] -= kept


@part
def _reweighing_work(U, W):  # type: ignore[no-untyped-def]
    """Return the multiplications that reweigh costs, about."""
    k = W.size[1]
    entries = entries_of_column(U.D, U, W)
    return k * k * (k + entries) + 2 * k * entries * U.E.shape[0]


@part
def _round_work(U, W):  # type: ignore[no-untyped-def]
    """Return the multiplications of a round, about."""
    return W.size[1] * W.size[1] + W.size[2] * (W.size[0] + W.size[1]) + LOSS_WORK * U.E.size


@part
def _pays(U, W):  # type: ignore[no-untyped-def]
    """Tell whether forming the Gram matrix afresh costs less than the chords it saves."""
    theta = U.memo[THETA]
    if theta >= SLOW:
        return True
    digits = math.log(U.memo[GAP_NOW] / U.memo[GOAL])
    fresh = min(FRESH, theta * theta)
    saved = digits / -math.log(theta) - digits / -math.log(fresh)
    return saved * _round_work(U, W) > _reweighing_work(U, W)


@part
def _take_back(U, W, F, alpha, stats):  # type: ignore[no-untyped-def]
    """Return to the coefficients before the step, with the support they have and the curvature there."""
    for s in range(W.size[0]):
        W.beta[s] = W.before[s]
        W.found[s] = W.before[s]
        W.place[s] = -1
    for c in range(U.before.shape[0]):
        U.intercept[c] = U.before[c]
    W.size[1] = 0
    gradient(U, W.feature, W.beta, W.g, W.size[0])
    _take_over(U)
    F.ridge_alpha[0] = alpha
    admit_all(U, W, F, 0.0, stats)
    stats[GRADIENTS] += 1
    stats[REWEIGHTINGS] += 1


@part
def _step(U, W, F, alpha, stats):  # type: ignore[no-untyped-def]
    """Take a chord; return (reach, how many left), or (-1, 0) where it raised the objective: undone."""
    memo = U.memo
    for a in range(W.size[1]):
        F.rhs[a] *= memo[DAMPING]
    apply_inverse(W, F)
    value = memo[FIT] + penalty(W, alpha)
    for s in range(W.size[0]):
        W.before[s] = W.beta[s]
    for c in range(U.before.shape[0]):
        U.before[c] = U.intercept[c]
    left = stats[LEFT]
    moved = walk(W, F, alpha, stats)
    lost = stats[LEFT] - left
    gradient(U, W.feature, W.beta, W.g, W.size[0])
    stats[GRADIENTS] += 1
    stats[WORK] += _round_work(U, W)
    if memo[FIT] + penalty(W, alpha) <= value + RISE * (math.fabs(value) + memo[NULL]):
        return moved, lost
    memo[DAMPING] *= SHORTER
    _take_back(U, W, F, alpha, stats)
    return -1.0, 0 * lost


@part
def _begin(U, alpha):  # type: ignore[no-untyped-def]
    """Set the goal of a new alpha."""
    memo = U.memo
    if memo[ALPHA] != alpha:
        memo[ALPHA], memo[GOAL], memo[DAMPING] = alpha, GOAL_SHARE * memo[ALLOWED], 1.0
        memo[TIGHTENED] = 0.0
    memo[LAST] = memo[BEST] = math.inf
    memo[IDLE] = memo[CHORDS] = memo[SWAPPED_SO_FAR] = 0.0
    memo[BATCH] = BATCH_SHARE


@part
def is_short(U, gap):  # type: ignore[no-untyped-def]
    """Tell whether the gap is too large and may still become smaller; then aim at less."""
    memo = U.memo
    if gap <= memo[ALLOWED] or memo[TIGHTENED] >= MOST_TIGHTENED:
        return False
    memo[TIGHTENED] += 1.0
    memo[GOAL] *= TIGHTER
    return True


@part
def _aim(U, W, alpha):  # type: ignore[no-untyped-def]
    """Return the gap at which a round ends its alpha.

    Where the penalty is small, as at the beginning of a path, a gap counts as a share of it: coefficients may
    be off by that share. Not below what rounding lets a gap reach.
    """
    goal = U.memo[GOAL]
    share = min(max(penalty(W, alpha) / U.memo[NULL], LEAST_PENALTY), 1.0)
    return max(share * goal, min(goal, FINEST * U.memo[NULL]))


@part
def _judge_round(U, W, alpha, worst, rounds):  # type: ignore[no-untyped-def]
    """Note how far the support is from its optimum; return SOLVED or REBUILD, or GO_ON."""
    memo = U.memo
    aim = _aim(U, W, alpha)
    memo[GAP_NOW] = curved_gap(U, W, alpha, 1.0, aim)
    if rounds > 0 and memo[GAP_NOW] <= aim:
        return SOLVED
    if worst < memo[LAST] and not math.isinf(memo[LAST]):
        memo[THETA] = max(worst / memo[LAST], LEAST_THETA)
    memo[IDLE] = 0.0 if worst < 0.5 * memo[BEST] else memo[IDLE] + 1.0
    memo[BEST] = min(memo[BEST], worst)
    if memo[IDLE] > IDLE_ROUNDS:
        return SOLVED if worst <= GOOD_ENOUGH else REBUILD
    return GO_ON


@part
def _renew(U, W, F, alpha, worst, is_judged, stats):  # type: ignore[no-untyped-def]
    """Form the inverse afresh where chords have become slow, many or dearer than that."""
    memo = U.memo
    is_slow = is_judged and not math.isinf(memo[LAST]) and (worst > SLOW * memo[LAST] or _pays(U, W))
    memo[CHORDS] += 1.0
    if is_slow or memo[CHORDS] > MANY_CHORDS or is_outdated(W, F, alpha):
        memo[CHORDS] = 0.0
        reweigh(U, W, F, alpha, stats)
        stationarity(W, F, alpha, True)


@part
def _note_step(U, entered, worst, moved, lost):  # type: ignore[no-untyped-def]
    """Note what the next round has to know of a step that was taken."""
    memo = U.memo
    memo[DAMPING] = min(1.0, LONGER * memo[DAMPING])
    # What a chord keeps of the error shows only where the support stayed and the step was whole.
    memo[LAST] = worst if entered == 0 and lost == 0 and memo[DAMPING] == 1.0 else math.inf
    if math.isinf(memo[LAST]):
        memo[BEST], memo[IDLE] = math.inf, 0.0
    if entered > 0:
        # A batch that cannot move or mostly falls out is retried with fewer: the strongest can move.
        fewer = min(memo[BATCH] + 0.2, 1.0) if 2 * lost > entered else BATCH_SHARE
        memo[BATCH] = 1.0 if moved == 0.0 else fewer


@part
def bend(U, W, F, alpha, max_rounds, work, stats):  # type: ignore[no-untyped-def]
    """Solve the problem restricted to the working set to the goal; return one of the codes of finish.

    W.g belongs to W.beta on entry and on exit.
    """
    _begin(U, alpha)
    memo = U.memo
    limit = stats[WORK] + work
    for rounds in range(max_rounds):
        if rounds > FEWEST_ROUNDS and stats[WORK] > limit:
            return PAUSED
        if memo[IS_WEIGHED] == 0.0 or W.size[1] == 0:
            _take_over(U)
        worst, _ = stationarity(W, F, alpha, True)
        entered = 0
        # The first round of an alpha only moves the support: most near violators fall back by themselves.
        if rounds > 0:
            may_swap = worst <= CALM and memo[SWAPPED_SO_FAR] <= W.size[0]
            entered = enter(U, W, F, alpha, memo[BATCH], may_swap, stats)
            if entered == FULL:
                return GROW_SUPPORT
            if entered == DEPENDENT:
                memo[BATCH] = 1.0
                continue
            if entered == SWAPPED:
                memo[SWAPPED_SO_FAR] += 1.0
                memo[LAST] = math.inf
                gradient(U, W.feature, W.beta, W.g, W.size[0])
                stats[GRADIENTS] += 1
                continue
        if W.size[1] == 0:
            if rounds > 0:
                return SOLVED
            continue
        if entered == 0:
            code = _judge_round(U, W, alpha, worst, rounds)
            if code != GO_ON:
                return code
        _renew(U, W, F, alpha, worst, entered == 0, stats)
        moved, lost = _step(U, W, F, alpha, stats)
        if moved >= 0.0:
            _note_step(U, entered, worst, moved, lost)
        elif memo[DAMPING] < SHORTEST:
            return REBUILD
        else:
            memo[LAST] = math.inf
    return PAUSED
