"""Row-sparse problems: the coefficients of a feature over all outputs enter and leave together.

The penalty of group j is alpha (l1 ||B_j|| + l2/2 ||B_j||^2), smooth wherever B_j is not zero: there Newton's
method needs no descent before it. With d = B_j / ||B_j|| its gradient is alpha (l1 d + l2 B_j), its curvature
alpha l1 / ||B_j|| (I - d d') + alpha l2 I. Slot s of the working set owns entries s C to (s + 1) C of vectors
over groups, C the number of outputs.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from .._bundle import bundle
from .._jit import exact_part, kernel, part
from .._typing import Float64, Index
from .curved import FIT, NORM, RISE, SHORTER, UNBALANCED, Curved, evaluate
from .duality import FREE_ROUNDING, ROUNDING
from .losses import HAS_INTERCEPT
from .misfit import misfit
from .state import ENTERED, EXACT_STEPS, GRADIENTS, LEFT, WORK
from .storage import Csc, Dense, cross

# Entries of report.
GAP, OBJECTIVE, SHARE, REST = 0, 1, 2, 3
# A group at zero enters along its correlation: the curvature across it, in units of the column's, makes sure.
FROZEN = 1e6
# Curvature across the direction of a group beyond this many of the column's says no more: it cannot turn.
STIFFEST = 1e9
# A correlation beyond alpha l1 by less than this share is rounding.
SLACK = 1e-12
# Groups enter that are too long by this share of what remains of the active groups' gradient.
PATIENCE = 1.0
# A step must lower the objective by this share of what its slope promises.
ARMIJO = 1e-3
# Further than this a step is not shortened: it leads nowhere.
SHORTEST = 1e-8


@bundle
class Groups(NamedTuple):
    """The working set: ``size`` = [slots in use, active slots, outputs].

    Per slot: ``feature``, ``l1``, ``l2`` and ``sqnorm``. Per entry: ``stacked``, the features as the stack of
    outputs numbers them, coefficients ``B`` and ``before``, their step, and correlations ``G``. Active slots
    are listed in ``active``, each with its direction (entries in ``along``), ``stiff``, the curvature across
    it, and ``rhs``, the gradient that remains. ``noise`` = [what rounding leaves of a correlation, per unit
    of the column's norm]. ``raw`` (outputs, slots) and ``slots`` = 0, 1, ... serve the reading of columns.
    """

    feature: Index
    stacked: Index
    l1: Float64
    l2: Float64
    sqnorm: Float64
    B: Float64
    before: Float64
    step: Float64
    G: Float64
    active: Index
    along: Float64
    stiff: Float64
    rhs: Float64
    raw: Float64
    slots: Index
    noise: Float64
    size: Index


@bundle
class Grouped(NamedTuple):
    """All that a path of groups carries: ``D`` are the columns that all outputs share."""

    D: Dense | Csc
    U: Curved
    W: Groups
    stats: Index
    report: Float64


@part
def _norm(x, s, outputs):  # type: ignore[no-untyped-def]
    """Return the norm of group s of x."""
    total = 0.0
    for c in range(outputs):
        total += x[s * outputs + c] * x[s * outputs + c]
    return math.sqrt(total)


@part
def _penalty(W, x, alpha):  # type: ignore[no-untyped-def]
    """Return the penalty of coefficients x."""
    total = 0.0
    for s in range(W.size[0]):
        size = _norm(x, s, W.size[2])
        if size > 0.0:
            total += alpha * size * (W.l1[s] + 0.5 * W.l2[s] * size)
    return total


@exact_part
def _group_gap(B, G, s, outputs, c, l1, l2):  # type: ignore[no-untyped-def]
    """Return phi(b) + phi*(c g) - b . c g >= 0 of group s, phi(b) = l1 ||b|| + l2/2 ||b||^2.

    With t = c g and u what of t is not longer than l1 it is l2/2 ||b - b*||^2 + (l1 - ||u||) ||b|| +
    ||u|| ||b|| ||b/||b|| - u/||u|| ||^2 / 2, b* = (t - u) / l2: no difference of nearly equal numbers.
    """
    bb = gg = 0.0
    for k in range(s * outputs, (s + 1) * outputs):
        bb += B[k] * B[k]
        gg += G[k] * G[k]
    size, length = math.sqrt(bb), c * math.sqrt(gg)
    best = max(length - l1, 0.0) / l2 if l2 > 0.0 else 0.0
    short = min(length, l1)
    apart = turn = 0.0
    for k in range(s * outputs, (s + 1) * outputs):
        along = c * G[k] / length if length > 0.0 else 0.0
        apart += (B[k] - best * along) * (B[k] - best * along)
        if size > 0.0:
            turn += (B[k] / size - along) * (B[k] / size - along)
    return 0.5 * l2 * apart + size * ((l1 - short) + 0.5 * short * turn)


@exact_part
def _scaling(W, alpha):  # type: ignore[no-untyped-def]
    """Return the largest c <= 1 for which c R is dual feasible; only groups without ridge restrict it."""
    c = 1.0
    outputs = W.size[2]
    for s in range(W.size[0]):
        l1 = alpha * W.l1[s]
        square = 0.0
        for k in range(s * outputs, (s + 1) * outputs):
            square += W.G[k] * W.G[k]
        length = math.sqrt(square)
        if W.l2[s] == 0.0 and l1 > 0.0 and length - l1 > W.noise[0] * math.sqrt(W.sqnorm[s]):
            c = min(c, l1 / length)
    return c


@exact_part
def _gap(U, W, alpha):  # type: ignore[no-untyped-def]
    """Return an upper bound of the suboptimality of W.B; groups outside obey ||G_j|| <= alpha l1."""
    c = _scaling(W, alpha)
    outputs = W.size[2]
    total = misfit(U.L, U.N, U.E, U.R, c)
    for e in range(outputs):
        if U.L.traits[HAS_INTERCEPT] == 1:
            if math.fabs(U.sums[e]) > UNBALANCED * U.memo[NORM]:
                return math.inf
            total += math.fabs(U.intercept[e] * U.sums[e])
    for s in range(W.size[0]):
        l1, l2 = alpha * W.l1[s], alpha * W.l2[s]
        bb = gg = 0.0
        for k in range(s * outputs, (s + 1) * outputs):
            bb += W.B[k] * W.B[k]
            gg += W.G[k] * W.G[k]
        size, length = math.sqrt(bb), math.sqrt(gg)
        spread = math.sqrt(W.sqnorm[s])
        error = ROUNDING * (length + spread * U.memo[NORM])
        if l1 == 0.0 and l2 == 0.0:
            # A free group: its equations must hold to rounding, else the dual point proves nothing.
            if c * length > FREE_ROUNDING * spread * U.memo[NORM] + W.noise[0] * 1e3:
                return math.inf
            total += size * (c * length + error)
        elif size > 0.0 or c * length > l1:
            if l2 == 0.0:
                # What the scaling left beyond l1 is rounding.
                error += max(c * length - l1, 0.0)
            total += _group_gap(W.B, W.G, s, outputs, c, l1, l2) + size * error
    return total


@part
def _face_group(W, s, a, alpha):  # type: ignore[no-untyped-def]
    """Make slot s the a-th active group; return the norm of the gradient that remains."""
    outputs = W.size[2]
    l1, l2 = alpha * W.l1[s], alpha * W.l2[s]
    size, length = _norm(W.B, s, outputs), _norm(W.G, s, outputs)
    W.active[a] = s
    W.stiff[a] = 0.0
    if l1 > 0.0:
        W.stiff[a] = min(l1 / size, STIFFEST * W.sqnorm[s]) if size > 0.0 else FROZEN * W.sqnorm[s]
    rest = 0.0
    for c in range(outputs):
        k, t = s * outputs + c, a * outputs + c
        W.along[t] = 0.0
        if l1 > 0.0:
            W.along[t] = W.B[k] / size if size > 0.0 else W.G[k] / length
        W.rhs[t] = W.G[k] - l1 * W.along[t] - l2 * W.B[k]
        rest += W.rhs[t] * W.rhs[t]
    return math.sqrt(rest)


@kernel
def face(S, alpha, may_enter):  # type: ignore[no-untyped-def]
    """List the active groups with what Newton's method needs of them; return how many.

    With may_enter groups at zero join them whose correlation is too long, by more than what remains of the
    active groups' gradient: the others may fall back by themselves. Report: the longest that remains.
    """
    W = S.W
    outputs = W.size[2]
    count = 0
    rest = 0.0
    for s in range(W.size[0]):
        if W.l1[s] == 0.0 or _norm(W.B, s, outputs) > 0.0:
            rest = max(rest, _face_group(W, s, count, alpha) / math.sqrt(W.sqnorm[s]))
            count += 1
    S.report[REST] = rest
    for s in range(W.size[0] if may_enter else 0 * count):
        l1, spread = alpha * W.l1[s], math.sqrt(W.sqnorm[s])
        if W.l1[s] > 0.0 and _norm(W.B, s, outputs) == 0.0:
            excess = _norm(W.G, s, outputs) - l1 * (1.0 + SLACK) - W.noise[0] * spread
            if excess > PATIENCE * rest * spread:
                _face_group(W, s, count, alpha)
                count += 1
    W.size[1] = count
    return count


@part
def _begin_step(W, x):  # type: ignore[no-untyped-def]
    """Spread the active groups' steps x over all; return what the slope promises of the whole step."""
    outputs = W.size[2]
    for k in range(W.size[0] * outputs):
        W.before[k] = W.B[k]
        W.step[k] = 0.0
    promise = 0.0
    for a in range(W.size[1]):
        s = W.active[a]
        # A group at zero moves along its correlation or not at all: so the slope is what the system assumed.
        forward = 0.0
        for c in range(outputs):
            forward += W.along[a * outputs + c] * x[a * outputs + c]
        enters = W.l1[s] > 0.0 and _norm(W.B, s, outputs) == 0.0
        for c in range(outputs):
            t = a * outputs + c
            W.step[s * outputs + c] = max(forward, 0.0) * W.along[t] if enters else x[t]
            promise += W.rhs[t] * W.step[s * outputs + c]
    return promise


@part
def _place(W, share):  # type: ignore[no-untyped-def]
    """Set B to this share of the step; groups that it leads through zero stop there."""
    outputs = W.size[2]
    for s in range(W.size[0]):
        forward = 0.0
        for k in range(s * outputs, (s + 1) * outputs):
            W.B[k] = W.before[k] + share * W.step[k]
            forward += W.before[k] * W.B[k]
        if forward <= 0.0 and W.l1[s] > 0.0 and _norm(W.before, s, outputs) > 0.0:
            for k in range(s * outputs, (s + 1) * outputs):
                W.B[k] = 0.0


@part
def _count_moves(W, stats):  # type: ignore[no-untyped-def]
    """Count who entered and who left."""
    outputs = W.size[2]
    for s in range(W.size[0]):
        was, now = _norm(W.before, s, outputs), _norm(W.B, s, outputs)
        if was == 0.0 and now > 0.0:
            stats[ENTERED] += 1
        if was > 0.0 and now == 0.0:
            stats[LEFT] += 1


@kernel
def travel(S, alpha, x, longest):  # type: ignore[no-untyped-def]
    """Take the step x of the active groups, shortened until the objective falls.

    ``longest`` is the share tried first; zero only makes residual and correlations belong to W.B, as they do
    on return. Report: objective, the share that was taken.
    """
    U, W = S.U, S.W
    outputs = W.size[2]
    promise = _begin_step(W, x)
    start = U.memo[FIT] + _penalty(W, W.before, alpha)
    share = longest
    while True:
        _place(W, share)
        evaluate(U, W.stacked, W.B, W.size[0] * outputs)
        S.stats[GRADIENTS] += 1
        value = U.memo[FIT] + _penalty(W, W.B, alpha)
        limit = start + RISE * math.fabs(start) - ARMIJO * share * max(promise, 0.0)
        if share == 0.0 or value <= limit:
            break
        share = share * SHORTER if share * SHORTER >= SHORTEST else 0.0
    S.stats[EXACT_STEPS] += 1
    S.stats[WORK] += W.size[0] * U.E.size
    _count_moves(W, S.stats)
    cross(S.D, W.feature, W.slots, W.size[0], U.V, U.sums, outputs, W.raw)
    for s in range(W.size[0]):
        for c in range(outputs):
            W.G[s * outputs + c] = W.raw[c, s]
    S.report[OBJECTIVE] = value
    S.report[SHARE] = share


@kernel
def judge(S, alpha):  # type: ignore[no-untyped-def]
    """Report the gap of W.B, with everything that belongs to it, at alpha."""
    # Neither loss nor penalty is ever negative: the objective itself is a bound, where nothing else is.
    S.report[GAP] = min(_gap(S.U, S.W, alpha), S.U.memo[FIT] + _penalty(S.W, S.W.B, alpha))


@kernel
def read_groups(S, features, chosen, out):  # type: ignore[no-untyped-def]
    """Write out[c, a], the chosen features' correlations with the current residual of every output."""
    U = S.U
    cross(S.D, features, chosen, chosen.shape[0], U.V, U.sums, U.E.shape[0], out)
