"""Exact finish: solve the problem restricted to the working set to rounding, by active-set steps.

With fixed signs s on the support A the optimum solves (G_AA + alpha L2) b_A = q_A - alpha l1 s. Each round
solves for the step from the current coefficients, walks along it, lets every coefficient that reaches zero or
a bound leave, recomputes the gradient and lets the features enter that violate their optimality condition. No
violator: solved.
"""

from __future__ import annotations

import math

from .._jit import part
from .factor import SCHUR, append, border, independent, remove
from .shifted import (
    IDLE_GAP,
    NEWCOMERS,
    first_share,
    foresee,
    has_moved,
    is_due,
    remaining_cost,
    solve_support,
)
from .state import BLOCK, ENTERED, EXACT_STEPS, GRADIENTS, LEFT, SWAPS, WORK
from .symmetric import add_row
from .updates import gradient, gradient_inside, gradient_outside

# What finish returns.
SOLVED = 0
GROW_SUPPORT = 1
REBUILD = 2
PAUSED = 3
REFRESH = 4

# What enter returns when it is not a count.
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
# A batch of entering features keeps those whose excess reaches this share of the largest: who falls out again
# costs an entry and an exit, who waits another round.
BATCH_SHARE = 0.1
# Rounds that a call makes in any case: the first ones only repeat what an earlier call did.
FEWEST_ROUNDS = 4
# While no M_aa K_aa, the amplification of rounding in column a, exceeds this, a step ends where it should.
TRUSTED = 1e5


@part
def stationarity(W, F, alpha, is_known):  # type: ignore[no-untyped-def]
    """Write F.rhs, the support's remaining gradient; return its largest size and the most it is off by.

    Sizes are relative to alpha l1 and to the correlations. On entry F.rhs is what the last step should have
    left: all that is known where the support was not looked at since. Under a ridge part what remains counts
    once it costs the gap more than it may.
    """
    worst = worst_of_ridge = drift = 0.0
    is_exact = not has_moved(W, F, alpha)
    for a in range(W.size[1]):
        s = F.support[a]
        rest = 0.0 if is_exact else F.rhs[a]
        size = alpha * W.l1[s] + math.fabs(W.g[s]) + W.noise[0] * math.sqrt(W.sqnorm[s]) / STATIONARY + 1e-300
        if is_known:
            rest = W.g[s] - alpha * (F.sign[a] * W.l1[s] + W.l2[s] * W.beta[s])
            drift = max(drift, math.fabs(rest - F.rhs[a]) / size)
        F.rhs[a] = rest
        if W.l2[s] > 0.0:
            worst_of_ridge = max(worst_of_ridge, math.fabs(rest) / size)
        else:
            worst = max(worst, math.fabs(rest) / size)
    if remaining_cost(W, F, alpha, F.rhs) > F.pace[IDLE_GAP]:
        worst = max(worst, worst_of_ridge)
    return worst, drift


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
def walk(W, F, alpha, stats):  # type: ignore[no-untyped-def]
    """Move along F.step and keep F.rhs what remains of the gradient; return the longest reach.

    Whoever reaches zero or a bound leaves and the rest of the step is corrected in O(k).
    """
    moved = 0.0
    shift = alpha - F.ridge_alpha[0]
    while True:
        reach, hit, value = _first_hit(W, F)
        k = W.size[1]
        if k == 0:
            return moved
        for a in range(k):
            W.beta[F.support[a]] += reach * F.step[a]
            F.rhs[a] -= reach * (F.pull[a] + shift * W.l2[F.support[a]] * F.step[a])
        moved = max(moved, reach)
        stats[EXACT_STEPS] += 1
        if hit < 0:
            return moved
        W.beta[F.support[hit]] = value
        factor = F.step[hit] / F.inverse[hit, hit]
        add_row(F.inverse, k, hit, -factor, F.step)
        for a in range(k):
            F.step[a] *= 1.0 - reach
            F.pull[a] *= 1.0 - reach
        remove(W, F, hit)
        stats[LEFT] += 1


@part
def _swap(W, F, slot, wish, curvature, stats):  # type: ignore[no-untyped-def]
    """Trade a violator that is a combination of the support for a member of it; the fit stays.

    F.products[0] holds the combination. The objective falls linearly along it, so some coefficient reaches
    zero or a bound.
    """
    k = W.size[1]
    sign = math.copysign(1.0, wish)
    for a in range(k):
        F.step[a] = -sign * F.products[0, a]
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
def _wishes(W, alpha):  # type: ignore[no-untyped-def]
    """Write W.found[s], by how much the slot wants to move, with the direction as its sign; 0 in the support.

    Return the slot that wants most, or -1.
    """
    largest = 0.0
    best = -1
    noise = W.noise[0]
    for s in range(W.size[0]):
        W.found[s] = 0.0
        if W.place[s] >= 0:
            continue
        b = W.beta[s]
        pull = W.g[s] - alpha * W.l2[s] * b
        level = alpha * W.l1[s]
        # Nobody moves whose correlation stays below the level: the rest is for the few others.
        if math.fabs(pull) <= level and b == 0.0:
            continue
        allowed = level * SLACK + noise * math.sqrt(W.sqnorm[s])
        up = pull - level if b >= 0.0 else pull + level
        down = -pull - level if b <= 0.0 else level - pull
        wish = 0.0
        if up > allowed and b < W.upper[s]:
            wish = up
        elif down > allowed and b > W.lower[s]:
            wish = -down
        W.found[s] = wish
        if math.fabs(wish) > largest:
            largest = math.fabs(wish)
            best = s
    return best


@part
def admit(U, W, F, count, stats):  # type: ignore[no-untyped-def]
    """Let those of the slots F.entering[:count] enter that are independent; return how many did."""
    border(U, W, F, count)
    kept = independent(W, F, count)
    k = W.size[1]
    for b in range(kept):
        s = F.entering[b]
        sign = math.copysign(1.0, W.found[s])
        if W.beta[s] != 0.0:
            sign = math.copysign(1.0, W.beta[s])
        F.sign[k + b] = sign if W.l1[s] > 0.0 else 0.0
        F.rhs[k + b] = W.found[s]
    append(W, F, kept)
    stats[ENTERED] += kept
    return kept


@part
def enter(U, W, F, alpha, share, may_swap, stats):  # type: ignore[no-untyped-def]
    """Let violators enter the support; return how many did, or FULL, SWAPPED, DEPENDENT.

    Without may_swap a violator that depends on the support waits.
    """
    best = _wishes(W, alpha)
    if best < 0:
        return 0
    room = F.support.shape[0]
    if share >= 1.0:
        if W.size[1] >= room:
            return FULL
        F.entering[0] = best
        if admit(U, W, F, 1, stats) == 1:
            return 1
        if not may_swap:
            return 0
        wish, remains = W.found[best], max(F.small[SCHUR, 0, 0], 0.0)
        return SWAPPED if _swap(W, F, best, wish, remains, stats) else 0
    return admit_all(U, W, F, share * math.fabs(W.found[best]), stats)


@part
def admit_all(U, W, F, least, stats):  # type: ignore[no-untyped-def]
    """Let the slots enter whose W.found is at least so large; return how many did, or FULL or DEPENDENT."""
    entered = count = 0
    for s in range(W.size[0]):
        if W.found[s] != 0.0 and math.fabs(W.found[s]) >= least:
            F.entering[count] = s
            count += 1
        if count == BLOCK or (s + 1 == W.size[0] and count > 0):
            if W.size[1] + count > F.support.shape[0]:
                return FULL
            entered += admit(U, W, F, count, stats)
            count = 0
    return entered if entered > 0 else DEPENDENT


@part
def _take_back(W, F):  # type: ignore[no-untyped-def]
    """Undo the last whole step."""
    for a in range(W.size[1]):
        W.beta[F.support[a]] -= F.step[a]


@part
def _is_trusted(W, F):  # type: ignore[no-untyped-def]
    """Tell whether rounding is amplified so little that a whole step needs no look at the support."""
    for a in range(W.size[1]):
        s = F.support[a]
        if F.inverse[a, a] * (W.sqnorm[s] + F.ridge_alpha[0] * W.l2[s]) > TRUSTED:
            return False
    return True


@part
def finish(U, W, F, alpha, max_rounds, work, stats):  # type: ignore[no-untyped-def]
    """Solve the restricted problem at alpha; return one of the codes above.

    PAUSED after max_rounds rounds, or when its own work is done: what callers did before must not count, or
    answers would depend on how many threads they read with. W.g belongs to W.beta on entry and on exit.
    """
    if is_due(W, F, alpha):
        return REFRESH
    # Who is sure to enter takes part from the first step on: most alphas then need one round less.
    if foresee(W, F, alpha) > 0 and admit_all(U, W, F, 0.0, stats) == FULL:
        return GROW_SUPPORT
    before = stats[ENTERED]
    code, is_known = _rounds(U, W, F, alpha, max_rounds, stats[WORK] + work, stats)
    F.pace[NEWCOMERS] = stats[ENTERED] - before
    if not is_known:
        gradient_inside(U, W, F.support)
    return code


@part
def _rounds(U, W, F, alpha, max_rounds, work_limit, stats):  # type: ignore[no-untyped-def]
    """Work for finish; return its code, and whether W.g is known inside the support."""
    share = BATCH_SHARE
    refined = entered = 0
    last_worst = 1e300
    is_whole = is_worn = False
    is_known = True
    for rounds in range(max_rounds):
        if rounds > FEWEST_ROUNDS and stats[WORK] > work_limit:
            break
        m, k = W.size[0], W.size[1]
        stats[WORK] += 4 * k * k + W.size[2] * (m + 2 * k)
        worst, drift = stationarity(W, F, alpha, is_known)
        # A whole step must end where the support is stationary: else the factor has lost its digits.
        is_worn = is_whole and drift > UNTRUSTED
        is_whole = False
        # The first round of an alpha only moves the support: most near violators fall back by themselves.
        if is_worn:
            _take_back(W, F)
        elif rounds > 0:
            entered = enter(U, W, F, alpha, share, True, stats)
            if entered == FULL:
                return GROW_SUPPORT, is_known
            if entered == DEPENDENT:
                share = 1.0
                continue
            if entered == 0 and not is_known and worst <= STATIONARY:
                # Nobody is missing, as far as can be seen: now look at the support itself.
                gradient_inside(U, W, F.support)
                is_known = is_whole = True
                continue
            if entered == 0:
                if W.size[1] == 0:
                    return SOLVED, is_known
                if is_known and (worst <= STATIONARY or refined >= REFINEMENTS or worst > 0.5 * last_worst):
                    return SOLVED if worst <= GOOD_ENOUGH else REBUILD, is_known
            refined = refined + 1 if entered == 0 else 0
            last_worst = worst if entered == 0 else 1e300
        if not is_worn and entered != SWAPPED and W.size[1] > 0:
            if not solve_support(W, F, alpha, first_share(W, F) if rounds == 0 else 0.0, stats):
                return REBUILD, is_known
            before = stats[LEFT]
            moved = walk(W, F, alpha, stats)
            lost = stats[LEFT] - before
            is_whole = lost == 0
            # A batch that cannot move or mostly falls out is retried with fewer: the strongest can move.
            if entered > 0:
                share = 1.0 if moved == 0.0 else min(share + 0.2, 1.0) if 2 * lost > entered else BATCH_SHARE
        stats[GRADIENTS] += 1
        if is_worn or entered == SWAPPED or not _is_trusted(W, F):
            gradient(U, W.feature, W.beta, W.g, W.size[0])
            is_known = True
        else:
            is_known = gradient_outside(U, W)
        if is_worn:
            return REBUILD, is_known
    return PAUSED, is_known
