"""Exact finish: solve the problem restricted to the working set to rounding, by active-set steps.

With fixed signs s on the support A the optimum solves (G_AA + alpha L2) b_A = q_A - alpha l1 s. Each round
solves for the step from the current coefficients, walks along it, lets every coefficient that reaches zero or
a bound leave, recomputes the gradient and lets the features enter that violate their optimality condition. No
violator: solved.
"""

from __future__ import annotations

import math

from .._jit import part
from .factor import PIVOT_FLOOR, append, border, remove
from .state import CG_STEPS, ENTERED, EXACT_STEPS, GRADIENTS, LEFT, SWAPS
from .updates import gradient

# What finish returns.
SOLVED = 0
GROW_SUPPORT = 1
REBUILD = 2
PAUSED = 3
REFRESH = 4

# What _enter returns when it is not a count.
FULL = -1
SWAPPED = -2
DEPENDENT = -3

# A feature violates when its correlation exceeds alpha l1 by this share: rounding alone stays below it.
SLACK = 1e-12
# The support's own stationarity is refined while it is above this share of alpha l1.
STATIONARY = 1e-13
REFINEMENTS = 3
# Above this share after refinement the factor is not to be trusted.
GOOD_ENOUGH = 1e-9
# Above this share after a whole step the step is taken back.
UNTRUSTED = 1e-4
# A batch of entering features keeps those whose excess reaches this share of the largest.
BATCH_SHARE = 0.3
CG_LIMIT = 12
# The inverse at another alpha serves as preconditioner while the ratio of the alphas is within these.
STALE_BELOW, STALE_ABOVE = 0.7, 1.4


@part
def _violation(W, s, alpha):  # type: ignore[no-untyped-def]
    """Return by how much the slot outside the support wants to move, with the direction as its sign."""
    b = W.beta[s]
    pull = W.g[s] - alpha * W.l2[s] * b
    level = alpha * W.l1[s]
    allowed = level * SLACK + W.noise[0] * math.sqrt(W.sqnorm[s])
    up = pull - level if b >= 0.0 else pull + level
    down = -pull - level if b <= 0.0 else level - pull
    if up > allowed and b < W.upper[s]:
        return up
    if down > allowed and b > W.lower[s]:
        return -down
    return 0.0


@part
def _stationarity(W, F, alpha):  # type: ignore[no-untyped-def]
    """Write F.rhs, the support's remaining gradient; return its largest size.

    The size is relative to alpha l1 and to the correlations.
    """
    worst = 0.0
    for a in range(W.size[1]):
        s = F.support[a]
        F.rhs[a] = W.g[s] - alpha * (F.sign[a] * W.l1[s] + W.l2[s] * W.beta[s])
        size = alpha * W.l1[s] + math.fabs(W.g[s]) + W.noise[0] * math.sqrt(W.sqnorm[s]) / STATIONARY + 1e-300
        worst = max(worst, math.fabs(F.rhs[a]) / size)
    return worst


@part
def _solve(W, F, alpha, stats):  # type: ignore[no-untyped-def]
    """Write F.step = (G_AA + alpha L2)^-1 F.rhs; return the number of CG steps.

    The inverse at another alpha is the preconditioner of a few CG steps.
    """
    k = W.size[1]
    stale = False
    for a in range(k):
        total = 0.0
        for c in range(k):
            total += F.inverse[a, c] * F.rhs[c]
        F.step[a] = total
        if W.l2[F.support[a]] > 0.0:
            stale = alpha != F.ridge_alpha[0]
    if not stale:
        return 0
    steps = _conjugate(W, F, alpha)
    stats[CG_STEPS] += steps
    return steps


@part
def _conjugate(W, F, alpha):  # type: ignore[no-untyped-def]
    """Improve F.step by conjugate gradients preconditioned with F.inverse; return the number of steps."""
    k = W.size[1]
    # product: search direction; spare: residual;
    # column: preconditioned residual, then the matrix times the direction.
    start = 0.0
    for a in range(k):
        start = max(start, math.fabs(F.rhs[a]))
        F.product[a] = 0.0
    energy_before = 1.0
    for cg in range(CG_LIMIT):
        if cg == 0:
            for a in range(k):
                total = alpha * W.l2[F.support[a]] * F.step[a]
                for c in range(k):
                    total += F.gram[a, c] * F.step[c]
                F.spare[a] = F.rhs[a] - total
        left = energy = 0.0
        for a in range(k):
            left = max(left, math.fabs(F.spare[a]))
        if left <= 1e-14 * start:
            return cg
        for a in range(k):
            total = 0.0
            for c in range(k):
                total += F.inverse[a, c] * F.spare[c]
            F.column[a] = total
            energy += total * F.spare[a]
        share = energy / energy_before if cg > 0 else 0.0
        for a in range(k):
            F.product[a] = F.column[a] + share * F.product[a]
        curvature = 0.0
        for a in range(k):
            total = alpha * W.l2[F.support[a]] * F.product[a]
            for c in range(k):
                total += F.gram[a, c] * F.product[c]
            F.column[a] = total
            curvature += total * F.product[a]
        if curvature <= 0.0:
            return CG_LIMIT
        length = energy / curvature
        for a in range(k):
            F.step[a] += length * F.product[a]
            F.spare[a] -= length * F.column[a]
        energy_before = energy
    return CG_LIMIT


@part
def _first_hit(W, F):  # type: ignore[no-untyped-def]
    """Return (t, place, value): where the step first meets zero or a bound, whose, and which of them."""
    reach = 1.0
    hit = -1
    value = 0.0
    for a in range(W.size[1]):
        d = F.step[a]
        if d == 0.0:
            continue
        s = F.support[a]
        if d > 0.0:
            limit = 0.0 if F.sign[a] < 0.0 else W.upper[s]
        else:
            limit = 0.0 if F.sign[a] > 0.0 else W.lower[s]
        room = (limit - W.beta[s]) / d
        if room < reach:
            reach = max(room, 0.0)
            hit = a
            value = limit
    return reach, hit, value


@part
def _walk(W, F, alpha, stats):  # type: ignore[no-untyped-def]
    """Move along F.step; return the longest reach.

    Whoever reaches zero or a bound leaves and the rest of the step is corrected in O(k).
    """
    moved = 0.0
    while True:
        reach, hit, value = _first_hit(W, F)
        k = W.size[1]
        if k == 0:
            return moved
        for a in range(k):
            W.beta[F.support[a]] += reach * F.step[a]
        moved = max(moved, reach)
        stats[EXACT_STEPS] += 1
        if hit < 0:
            return moved
        W.beta[F.support[hit]] = value
        factor = F.step[hit] / F.inverse[hit, hit]
        for a in range(k):
            F.step[a] = (1.0 - reach) * (F.step[a] - factor * F.inverse[hit, a])
            F.rhs[a] *= 1.0 - reach
        remove(W, F, hit)
        stats[LEFT] += 1


@part
def _swap(W, F, slot, wish, curvature, stats):  # type: ignore[no-untyped-def]
    """Trade a violator that is a combination of the support for a member of it; the fit stays.

    F.product holds the combination. The objective falls linearly along it, so some coefficient reaches zero
    or a bound.
    """
    k = W.size[1]
    sign = math.copysign(1.0, wish)
    for a in range(k):
        F.step[a] = -sign * F.product[a]
    limit = W.upper[slot] if sign > 0.0 else W.lower[slot]
    longest = math.fabs(limit - W.beta[slot])
    reach = math.inf
    hit = k
    value = 0.0
    for a in range(k):
        d = F.step[a]
        s = F.support[a]
        if math.fabs(d) <= 1e-12:
            continue
        if d > 0.0:
            end = 0.0 if F.sign[a] < 0.0 else W.upper[s]
        else:
            end = 0.0 if F.sign[a] > 0.0 else W.lower[s]
        room = (end - W.beta[s]) / d
        if room < reach:
            reach = max(room, 0.0)
            hit = a
            value = end
    if hit == k and math.isinf(longest) and not curvature > 0.0:
        return False
    distance = min(reach, longest)
    if curvature > 0.0 and math.fabs(wish) < curvature * distance:
        # Not quite a combination: the objective is a parabola and ends its fall before anybody has to leave.
        distance = math.fabs(wish) / curvature
        hit = k
    for a in range(k):
        W.beta[F.support[a]] += distance * F.step[a]
    W.beta[slot] += sign * distance
    stats[SWAPS] += 1
    if longest <= distance:
        W.beta[slot] = limit
    if hit == k or longest <= distance:
        return True
    W.beta[F.support[hit]] = value
    remove(W, F, hit)
    # Without the member that left, the slot is no combination any more.
    return True


@part
def _enter(U, W, F, alpha, share, stats):  # type: ignore[no-untyped-def]
    """Let violators enter the support; return how many did, or FULL, SWAPPED, DEPENDENT."""
    m = W.size[0]
    largest = 0.0
    best = -1
    for s in range(m):
        if W.place[s] < 0:
            excess = math.fabs(_violation(W, s, alpha))
            if excess > largest:
                largest = excess
                best = s
    if best < 0:
        return 0
    entered = rejected = 0
    for s in range(m):
        if W.place[s] >= 0:
            continue
        wish = _violation(W, s, alpha)
        single = share >= 1.0
        if math.fabs(wish) < share * largest or wish == 0.0 or (single and s != best):
            continue
        if W.size[1] >= F.support.shape[0]:
            return FULL
        relative_pivot = border(U, W, F, s)
        sign = math.copysign(1.0, wish)
        if W.beta[s] != 0.0:
            sign = math.copysign(1.0, W.beta[s])
        if relative_pivot > PIVOT_FLOOR:
            append(W, F, s, sign if W.l1[s] > 0.0 else 0.0, relative_pivot)
            k = W.size[1] - 1
            F.rhs[k] = wish
            entered += 1
            stats[ENTERED] += 1
        elif single:
            own = W.sqnorm[s] + F.ridge_alpha[0] * W.l2[s]
            if _swap(W, F, s, wish, max(relative_pivot, 0.0) * own, stats):
                return SWAPPED
            return 0
        else:
            rejected += 1
    return DEPENDENT if entered == 0 and rejected > 0 else entered


@part
def _is_outdated(W, F, alpha):  # type: ignore[no-untyped-def]
    """Tell whether the inverse's ridge part is too far from alpha; where there is none, set it to alpha."""
    for a in range(W.size[1]):
        if W.l2[F.support[a]] > 0.0:
            ratio = alpha / F.ridge_alpha[0]
            return ratio < STALE_BELOW or ratio > STALE_ABOVE
    F.ridge_alpha[0] = alpha
    return False


@part
def _take_back(W, F):  # type: ignore[no-untyped-def]
    """Undo the last whole step."""
    for a in range(W.size[1]):
        W.beta[F.support[a]] -= F.step[a]


@part
def finish(U, W, F, alpha, max_rounds, stats):  # type: ignore[no-untyped-def]
    """Solve the restricted problem at alpha; return one of the codes above.

    W.g belongs to W.beta on entry and on exit.
    """
    if _is_outdated(W, F, alpha):
        return REFRESH
    share = BATCH_SHARE
    refined = entered = 0
    last_worst = 1e300
    is_whole = is_worn = False
    for rounds in range(max_rounds):
        worst = _stationarity(W, F, alpha)
        # A whole step must end where the support is stationary: else the factor has lost its digits.
        is_worn = is_whole and worst > UNTRUSTED
        is_whole = False
        # The first round of an alpha only moves the support: most near violators fall back by themselves.
        if is_worn:
            _take_back(W, F)
        elif rounds > 0:
            entered = _enter(U, W, F, alpha, share, stats)
            if entered == FULL:
                return GROW_SUPPORT
            if entered == DEPENDENT:
                share = 1.0
                continue
            if entered == 0:
                if W.size[1] == 0:
                    return SOLVED
                if worst <= STATIONARY or refined >= REFINEMENTS or worst > 0.5 * last_worst:
                    return SOLVED if worst <= GOOD_ENOUGH else REBUILD
            refined = refined + 1 if entered == 0 else 0
            last_worst = worst if entered == 0 else 1e300
        if not is_worn and entered != SWAPPED and W.size[1] > 0:
            if _solve(W, F, alpha, stats) >= CG_LIMIT:
                return REBUILD
            before = stats[LEFT]
            moved = _walk(W, F, alpha, stats)
            lost = stats[LEFT] - before
            is_whole = lost == 0
            # A batch that cannot move or mostly falls out is retried with fewer: the strongest can move.
            if entered > 0:
                share = 1.0 if moved == 0.0 else min(share + 0.2, 1.0) if 2 * lost > entered else BATCH_SHARE
        gradient(U, W.feature, W.beta, W.g, W.size[0])
        stats[GRADIENTS] += 1
        if is_worn:
            return REBUILD
    return PAUSED
