"""Large supports: coordinate descent finds the signs, conjugate gradients on the support find the digits.

No factor is kept. With fixed signs the support's optimum solves (G_AA + alpha L2) d = rhs; one product with
G_AA reads the support's columns twice, as one sweep of descent does, but gains digits at the rate of the
square root of the condition.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from .._bundle import bundle
from .._jit import kernel, part
from .._typing import Float64, Index
from .descent import sweep
from .duality import gap
from .finish import PAUSED, SOLVED
from .inverse import Inverse, precondition, prepare
from .state import CG_STEPS, GRADIENTS, SWEEPS
from .storage import add_column, dot, scan
from .updates import gradient

# Products with the Gram matrix in a round while many coefficients reach zero, and at most.
FEW_PRODUCTS, MANY_PRODUCTS = 8, 64
# Rounds without progress of the gap after which the arithmetic is held to give no more.
MAX_IDLE = 40
STALLED = 20
# Rounds without progress after which steps end where the first coefficient meets zero.
FEW_IDLE = 5
# Entries of carry.
SUM, BEST, IDLE, PRODUCTS, SQUARE, IS_FRESH, SLACK_SHARE, EFFORT = 0, 1, 2, 3, 4, 5, 6, 7
CARRY = 8
# Residuals that grew by this factor: dependent columns whose signs disagree have no solution before a sign
# changes, and the step runs away along their null space.
GROWN = 100.0
# Products one round must have cost before partners are sought: the search costs some products itself.
WORTH_PARTNERS = 6
# Signs are looked at each time residuals have fallen by this factor.
LOOK = 0.1
# Sweeps after a step that took coefficients to zero, and where signs are looked for.
ONCE, TWICE = 1, 2
# "Many": more than one in this number.
SETTLED = 50
# Share of the allowed gap that the support's own equations may keep.
SUPPORT_SHARE = 0.8


@bundle
class Krylov(NamedTuple):
    """Work space of the conjugate gradients: the preconditioner and vectors of the support.

    ``slots`` of the support, their ``column`` in the design (unsigned, see Csc), ``ridge`` = alpha l2;
    ``fitted`` and ``moved`` have shape (n,): w X~ direction, and its sum over the steps taken; ``weight``
    as in _weigh; ``carry`` = [sum of v, best gap so far, rounds without progress, products allowed in the
    next round, ||r||^2, whether vectors were formed from scratch, the share of l1 a violation may reach, the
    most products one round has cost].
    """

    inverse: Inverse
    slots: Index
    column: Index
    ridge: Float64
    step: Float64
    residual: Float64
    direction: Float64
    image: Float64
    weight: Float64
    fitted: Float64
    moved: Float64
    carry: Float64


@part
def _list_support(W, K, alpha):  # type: ignore[no-untyped-def]
    """List the slots that are free to move and write their residual gradient; return their number.

    Free to move is what is non-zero, or without l1 penalty, and not held at a bound.
    """
    k = 0
    for s in range(W.size[0]):
        b = W.beta[s]
        l1 = alpha * W.l1[s]
        if b == 0.0 and l1 > 0.0:
            continue
        rest = W.g[s] - alpha * W.l2[s] * b
        if b != 0.0:
            rest -= math.copysign(l1, b)
        if (b >= W.upper[s] and rest >= 0.0) or (b <= W.lower[s] and rest <= 0.0):
            continue
        K.slots[k] = s
        K.column[k] = W.feature[s]
        K.ridge[k] = alpha * W.l2[s]
        K.residual[k] = rest
        K.step[k] = 0.0
        k += 1
    return k


@part
def _fit(U, K, k):  # type: ignore[no-untyped-def]
    """Write K.fitted = w X~_A K.direction; return its sum."""
    n = U.y.shape[0]
    for i in range(n):
        K.fitted[i] = 0.0
    shift = 0.0
    for a in range(k):
        shift += add_column(U.D, K.column[a], K.direction[a], K.fitted)
    for i in range(n):
        K.fitted[i] = U.w[i] * (K.fitted[i] + shift)
    # A loop of its own: see spread.
    total = 0.0
    for i in range(n):
        total += K.fitted[i]
    return total


@part
def _apply_gram(U, K, k):  # type: ignore[no-untyped-def]
    """Write K.image = (G_AA + alpha L2) K.direction; return direction . image."""
    total = _fit(U, K, k)
    curvature = 0.0
    for a in range(k):
        K.image[a] = dot(U.D, K.column[a], K.fitted, total)
    for a in range(k):
        K.image[a] += K.ridge[a] * K.direction[a]
    for a in range(k):
        curvature += K.image[a] * K.direction[a]
    return curvature


@part
def _slack(W, alpha, allowed_gap):  # type: ignore[no-untyped-def]
    """Return the share of l1 by which correlations may miss it: without ridge that costs it times |beta|."""
    size = 0.0
    for s in range(W.size[0]):
        if W.beta[s] != 0.0:
            size += alpha * W.l1[s] * math.fabs(W.beta[s])
    return allowed_gap / (size + 1e-300)


@part
def _has_violators(W, K, alpha):  # type: ignore[no-untyped-def]
    """Say whether a coefficient at zero wants to move: those that do not are left to conjugate gradients."""
    for s in range(W.size[0]):
        l1 = alpha * W.l1[s]
        if W.beta[s] == 0.0 and math.fabs(W.g[s]) - l1 > K.carry[SLACK_SHARE] * l1:
            if W.upper[s] > 0.0 if W.g[s] > 0.0 else W.lower[s] < 0.0:
                return True
    return False


@part
def _weigh(W, K, k, alpha, allowed_gap):  # type: ignore[no-untyped-def]
    """Write K.weight: residuals times weight are at most one where they cost a gap of allowed_gap at most.

    Without ridge a residual costs the gap its share of alpha l1 times the norm of beta, with ridge its
    square / (2 alpha l2).
    """
    share_of_l1 = _slack(W, alpha, allowed_gap)
    K.carry[SLACK_SHARE] = share_of_l1
    for a in range(k):
        s = K.slots[a]
        allowed = share_of_l1 * alpha * W.l1[s]
        if W.l2[s] > 0.0:
            allowed = math.sqrt(2.0 * alpha * W.l2[s] * allowed_gap / k)
        K.weight[a] = 1.0 / (allowed + 1e-300)


@part
def _changes(U, W, K, k, alpha):  # type: ignore[no-untyped-def]
    """Return how many coefficients the step takes past zero and how many correlations past alpha l1."""
    changes = 0
    for a in range(k):
        b = W.beta[K.slots[a]]
        changes += b * (b + K.step[a]) < 0.0
    total = 0.0
    for i in range(K.moved.shape[0]):
        total += K.moved[i]
    for s in range(W.size[0]):
        l1 = alpha * W.l1[s]
        if W.beta[s] == 0.0 and l1 > 0.0:
            g = W.g[s] - dot(U.D, W.feature[s], K.moved, total)
            if (g > 0.0 and W.upper[s] > 0.0) or (g < 0.0 and W.lower[s] < 0.0):
                changes += (math.fabs(g) - l1) > K.carry[SLACK_SHARE] * l1
    return changes


@part
def _worst(K, k):  # type: ignore[no-untyped-def]
    """Return the largest weighted residual."""
    worst = 0.0
    for a in range(k):
        worst = max(worst, math.fabs(K.residual[a]) * K.weight[a])
    return worst


@part
def _conjugate(U, W, K, k, alpha, limit):  # type: ignore[no-untyped-def]
    """Solve for K.step until no weighted residual exceeds one; return the number of products.

    Ends before where signs change: then digits are worth little; and where there is no solution.
    """
    for i in range(K.moved.shape[0]):
        K.moved[i] = 0.0
    before = 1.0
    last = least = _worst(K, k)
    for cg in range(limit):
        worst = _worst(K, k)
        least = min(least, worst)
        if worst <= 1.0 or worst > GROWN * least:
            return cg
        if cg >= FEW_PRODUCTS and worst < LOOK * last:
            last = worst
            if _changes(U, W, K, k, alpha) > 0:
                return cg
        energy = precondition(K.inverse, k, K.residual, K.image)
        share = energy / before if cg > 0 else 0.0
        for a in range(k):
            K.direction[a] = K.image[a] + share * K.direction[a]
        curvature = _apply_gram(U, K, k)
        if curvature <= 0.0:
            return cg + 1
        length = energy / curvature
        for a in range(k):
            K.step[a] += length * K.direction[a]
            K.residual[a] -= length * K.image[a]
        for i in range(K.moved.shape[0]):
            K.moved[i] += length * K.fitted[i]
        before = energy
    return limit


@part
def _clip(W, K, k):  # type: ignore[no-untyped-def]
    """Write K.direction, the step cut per coefficient at zero and at the bounds; return how many were cut."""
    stopped = 0
    for a in range(k):
        s = K.slots[a]
        old = W.beta[s]
        new = old + K.step[a]
        if W.l1[s] > 0.0 and new * old < 0.0:
            new = 0.0
            stopped += 1
        if new > W.upper[s] or new < W.lower[s]:
            new = min(max(new, W.lower[s]), W.upper[s])
            stopped += 1
        K.direction[a] = new - old
    return stopped


@part
def _stop_at_first(W, K, k):  # type: ignore[no-untyped-def]
    """Write K.direction, the step to the first coefficient that meets zero or a bound; return 1 if one does.

    On supports that are nearly dependent many steps cross zero, and clipping them all leads nowhere.
    """
    reach = 1.0
    hit = -1
    end = 0.0
    for a in range(k):
        s = K.slots[a]
        d = K.step[a]
        if d == 0.0:
            continue
        limit = W.upper[s] if d > 0.0 else W.lower[s]
        if W.l1[s] > 0.0 and W.beta[s] * d < 0.0:
            limit = 0.0
        room = (limit - W.beta[s]) / d
        if room < reach:
            reach, hit, end = max(room, 0.0), a, limit
    for a in range(k):
        K.direction[a] = reach * K.step[a]
    if hit < 0:
        return 0
    K.direction[hit] = end - W.beta[K.slots[hit]]
    return 1


@part
def _move(U, W, K, k, alpha):  # type: ignore[no-untyped-def]
    """Move the support along its step, never uphill; return how many coefficients reached zero or a bound.

    On the way to the clipped point no sign changes, so the objective is a parabola there and its minimum is
    known.
    """
    stopped = _clip(W, K, k) if K.carry[IDLE] < FEW_IDLE else _stop_at_first(W, K, k)
    fall = 0.0
    for a in range(k):
        s = K.slots[a]
        rest = W.g[s] - alpha * W.l2[s] * W.beta[s]
        if W.l1[s] > 0.0:
            rest -= math.copysign(alpha * W.l1[s], W.beta[s] if W.beta[s] != 0.0 else W.g[s])
        fall += K.direction[a] * rest
    if not fall > 0.0:
        return stopped
    length = 1.0
    if stopped > 0:
        _fit(U, K, k)
        curvature = 0.0
        for i in range(U.w.shape[0]):
            if U.w[i] > 0.0:
                curvature += K.fitted[i] * K.fitted[i] / U.w[i]
            K.moved[i] = K.fitted[i]
        for a in range(k):
            curvature += K.ridge[a] * K.direction[a] * K.direction[a]
        length = min(1.0, fall / curvature) if curvature > 0.0 else 1.0
    total = 0.0
    for i in range(U.v.shape[0]):
        U.v[i] -= length * K.moved[i]
        total += U.v[i]
    K.carry[SUM] = total
    for a in range(k):
        s = K.slots[a]
        if length == 1.0 and W.l1[s] > 0.0 and K.direction[a] == -W.beta[s]:
            W.beta[s] = 0.0
        else:
            W.beta[s] += length * K.direction[a]
    return stopped


@part
def _correlate(U, W, K):  # type: ignore[no-untyped-def]
    """Form the correlations of U.v."""
    # Zero, but not a literal: for a literal numba would compile another scan.
    scan(U.D, W.feature, 0 * W.size[0], W.size[0], U.v, K.carry[SUM], W.g)


@part
def _refresh(U, W, K, stats):  # type: ignore[no-untyped-def]
    """Form residual and correlations of W.beta from scratch."""
    gradient(U, W.feature, W.beta, W.g, W.size[0])
    stats[GRADIENTS] += 1
    total = square = 0.0
    for i in range(U.r.shape[0]):
        total += U.v[i]
        square += U.v[i] * U.r[i]
    K.carry[SUM], K.carry[SQUARE], K.carry[IS_FRESH] = total, square, 1.0


@kernel
def refresh(U, W, K, stats):  # type: ignore[no-untyped-def]
    """Form residual and correlations from scratch; see _refresh."""
    _refresh(U, W, K, stats)


@part
def _is_solved(W, K, alpha, allowed_gap):  # type: ignore[no-untyped-def]
    """Say whether the gap is allowed, and note progress."""
    now = gap(W, alpha, K.carry[SQUARE], 1.0)
    # An infinite gap is no progress: the equations of free features are not solved. Nor is one that is NaN.
    is_less = now <= 0.9 * K.carry[BEST] and now < math.inf
    K.carry[IDLE] = 0.0 if is_less else K.carry[IDLE] + 1.0
    K.carry[BEST] = min(K.carry[BEST], now)
    return now <= allowed_gap


@part
def _sweep(U, W, K, alpha, times, stats):  # type: ignore[no-untyped-def]
    """Minimise over one coefficient after the other, back and forth in turn; then form the correlations."""
    for left in range(times, 0, -1):
        sweep(U, W, W.size[0], alpha, left == 2, K.carry)
        stats[SWEEPS] += 1
    _correlate(U, W, K)


@part
def descend(U, W, K, alpha, allowed_gap, max_rounds, is_read_after, stats):  # type: ignore[no-untyped-def]
    """Solve the restricted problem until its gap is at most allowed_gap; return SOLVED, PAUSED or STALLED.

    W.g belongs to W.beta on entry where K.carry[IS_FRESH] says so. On exit it does up to the rounding of
    updates, and SOLVED is worth no more: who certifies forms it from scratch. With ``is_read_after`` all
    correlations are formed next in any case: W.g is left to that where the support's equations are met and
    no coefficient reached zero, which mostly is the end.
    """
    if K.carry[IS_FRESH] == 0.0:
        _refresh(U, W, K, stats)
    is_swept = False
    for rounds in range(max_rounds):
        if is_swept:
            _sweep(U, W, K, alpha, ONCE, stats)
        # Where the last alpha's coefficients would do, one round still brings them as near as the others.
        if _is_solved(W, K, alpha, allowed_gap) and (rounds > 0 or not is_read_after):
            return SOLVED
        if K.carry[IDLE] > MAX_IDLE:
            return STALLED
        if K.carry[IDLE] > 0.0 and K.carry[IS_FRESH] == 0.0:
            # Long steps that cancel leave their rounding in U.v: no round after them can do better.
            _refresh(U, W, K, stats)
        K.carry[IS_FRESH] = 0.0
        K.carry[SLACK_SHARE] = _slack(W, alpha, SUPPORT_SHARE * allowed_gap)
        # Sweeps find signs. Where all are right conjugate gradients go on by themselves, while they get on.
        if not is_swept and (K.carry[IDLE] > 0.0 or _has_violators(W, K, alpha)):
            _sweep(U, W, K, alpha, TWICE, stats)
        k = _list_support(W, K, alpha)
        prepare(K.inverse, U.w, W, K.slots, k, alpha, K.carry[EFFORT] > WORTH_PARTNERS)
        _weigh(W, K, k, alpha, SUPPORT_SHARE * allowed_gap)
        # Digits are worth little while signs still change, and restarts cost much once they do not.
        done = _conjugate(U, W, K, k, alpha, int(K.carry[PRODUCTS]))
        stats[CG_STEPS] += done
        K.carry[EFFORT] = max(K.carry[EFFORT], done)
        stopped = _move(U, W, K, k, alpha)
        K.carry[PRODUCTS] = MANY_PRODUCTS if SETTLED * stopped <= k else FEW_PRODUCTS
        if is_read_after and stopped == 0 and _worst(K, k) <= 1.0:
            return SOLVED
        # Where coefficients came to zero the next round begins with a sweep, which reads the columns itself.
        is_swept = stopped > 0
        if not is_swept:
            _correlate(U, W, K)
    _refresh(U, W, K, stats)
    return PAUSED


@kernel
def solve_restricted(U, W, K, alpha, allowed_gap, max_rounds, is_read_after, stats):  # type: ignore[no-untyped-def]
    """Solve the problem restricted to the working set; see descend."""
    return descend(U, W, K, alpha, allowed_gap, max_rounds, is_read_after, stats)
