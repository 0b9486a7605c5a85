"""The support's equations where the ridge part has moved on from the one that the inverse belongs to.

M = (G_AA + ridge_alpha L2)^-1 preconditions K = G_AA + alpha L2: the eigenvalues of M K lie between one and
the ratio of the alphas. With z = M r the product K z is r + (alpha - ridge_alpha) L2 z: conjugate gradients
need one product with M a step and not G_AA (F47). What they leave of the right-hand side is known, and
with it the gap it costs: inexact steps lose nothing as long as the next one takes up what they left.
"""

from __future__ import annotations

import math

from .._jit import part
from .state import CG_STEPS
from .symmetric import LARGE, add_row, multiply

# What rounding leaves of the cost, relative to where the steps began.
ROUNDING = 1e-28
# Share of the allowed gap at which steps end: what they leave must still be below it once it is computed.
SAFE = 0.25
# What the first step at an alpha leaves where the products saved, about three, cost more than the round that
# has to follow if nobody wants to enter; so many entered at the alpha before that this is unlikely.
LOOSE, SAVED, MANY = 0.005, 3, 2
MOST_STEPS = 40
# A row of an inverse that is kept by half is dear: from this share of them on, the product with all is not.
MANY_ROWS = 8
# Chords do without the correction while the ratio of the alphas is within these.
STALE_BELOW, STALE_ABOVE = 0.7, 1.4
# An inverse whose ridge part is this many times too large or too small does not precondition any more.
FARTHEST = 20.0
# Forming an inverse of size k costs about k/2 products with it, and the way through Python some more.
PRODUCTS_PER_FEATURE, DETOUR = 0.5, 64.0
# So many times the alphas that are left have to outnumber those since the inverse was formed: else the
# products to come are too few to pay for another.
ENOUGH_AHEAD = 3.0
# Entries of pace.
IDLE_GAP, PRODUCTS, NEWCOMERS, LAST, BEFORE_LAST, AHEAD, AHEAD_AT_FORMING = 0, 1, 2, 3, 4, 5, 6
HAS_LOST, HAS_TREND = 7, 8
# Who is expected beyond alpha l1 by this share of the change that takes it there enters at once: changes were
# off by that much.
FORESEEN = 0.1


@part
def has_moved(W, F, alpha):  # type: ignore[no-untyped-def]
    """Tell whether the support has a ridge part and the inverse belongs to another alpha."""
    return alpha != F.ridge_alpha[0] and has_ridge_part(W, F)


@part
def has_ridge_part(W, F):  # type: ignore[no-untyped-def]
    """Tell whether anybody in the support has a ridge part."""
    for a in range(W.size[1]):
        if W.l2[F.support[a]] > 0.0:
            return True
    return False


@part
def is_due(W, F, alpha):  # type: ignore[no-untyped-def]
    """Tell whether to form the inverse afresh; where there is no ridge part it belongs to every alpha.

    It is time when the products since it was formed have cost as much: then neither takes more than half of
    the work, however fine the grid. Near the end of a path the products to come are too few.
    """
    if not has_moved(W, F, alpha):
        F.ridge_alpha[0] = alpha
        return False
    ratio = alpha / F.ridge_alpha[0]
    is_far = ratio * FARTHEST < 1.0 or ratio > FARTHEST
    is_dear = F.pace[PRODUCTS] > DETOUR + PRODUCTS_PER_FEATURE * W.size[1]
    since = F.pace[AHEAD_AT_FORMING] - F.pace[AHEAD]
    return is_far or (is_dear and ENOUGH_AHEAD * F.pace[AHEAD] > since)


@part
def is_outdated(W, F, alpha):  # type: ignore[no-untyped-def]
    """Tell whether the inverse is too far from alpha for steps that nobody corrects; see is_due."""
    if not has_moved(W, F, alpha):
        F.ridge_alpha[0] = alpha
        return False
    ratio = alpha / F.ridge_alpha[0]
    return ratio < STALE_BELOW or ratio > STALE_ABOVE


@part
def apply_inverse(W, F):  # type: ignore[no-untyped-def]
    """Write F.step = inverse F.rhs, and F.pull, the right-hand side that it solves."""
    k = W.size[1]
    pulling = 0
    for a in range(k):
        F.step[a] = 0.0
        F.pull[a] = F.rhs[a]
        pulling += F.rhs[a] != 0.0
    if k > LARGE and MANY_ROWS * pulling > k:
        multiply(F.inverse, k, F.rhs, F.step)
        return
    # Where only the entering features pull, the step is a combination of a few rows of the inverse.
    for c in range(k):
        if F.rhs[c] != 0.0:
            add_row(F.inverse, k, c, F.rhs[c], F.step)


@part
def solve_support(W, F, alpha, share, stats):  # type: ignore[no-untyped-def]
    """Write F.step with K F.step = F.rhs, and F.pull = inverse^-1 F.step; return False where M is worn.

    Where the ridge part has moved, the step leaves this share of F.rhs or what costs little enough.
    """
    if not has_moved(W, F, alpha):
        apply_inverse(W, F)
        return True
    shift = alpha - F.ridge_alpha[0]
    steps = _conjugate(W, F, alpha, share)
    stats[CG_STEPS] += abs(steps)
    F.pace[PRODUCTS] += abs(steps)
    for a in range(W.size[1]):
        F.pull[a] = F.rhs[a] - F.spare[a] - shift * W.l2[F.support[a]] * F.step[a]
    return steps >= 0


@part
def first_share(W, F):  # type: ignore[no-untyped-def]
    """Return the share of the gradient that the first step at an alpha may leave."""
    m, k = W.size[0], W.size[1]
    pays = F.pace[NEWCOMERS] >= MANY and SAVED * k * k > W.size[2] * (m + k)
    return LOOSE if pays else 0.0


@part
def foresee(W, F, alpha):  # type: ignore[no-untyped-def]
    """Write W.found[s], how far beyond its level the slot is expected at a new alpha; return for how many.

    Correlations go on as they went from the last alpha but one to the last (docs/math.md, F48), and so do
    coefficients: their trend is kept, and what it does to correlations.
    """
    last, before = F.pace[LAST], F.pace[BEFORE_LAST]
    if alpha == last or not has_ridge_part(W, F):
        return 0
    times = (last - alpha) / (before - last) if before > last and last > alpha else math.nan
    count = 0
    for s in range(W.size[0]):
        change = times * (W.g[s] - W.earlier[s])
        expected = W.g[s] + change
        level = alpha * W.l1[s]
        bound = W.upper[s] if expected > 0.0 else W.lower[s]
        is_out = W.place[s] < 0 and W.beta[s] == 0.0 and bound != 0.0
        # Without those who left. Who came since knows nothing of what they did.
        is_known = F.pace[HAS_LOST] == 0.0 or W.settled[s] != 0.0
        W.trend[s] = W.beta[s] - W.settled[s]
        W.image[s] = W.earlier[s] - W.g[s] + W.lost[s] if is_known else math.nan
        W.settled[s], W.earlier[s], W.lost[s] = W.beta[s], W.g[s], 0.0
        W.found[s] = 0.0
        # Not for nan either: nothing is known then.
        if is_out and math.fabs(expected) - level > FORESEEN * math.fabs(change):
            W.found[s] = expected - math.copysign(level, expected)
            count += 1
    F.pace[BEFORE_LAST], F.pace[LAST] = last, alpha
    F.pace[HAS_TREND] = times > 0.0
    F.pace[HAS_LOST] = 0.0
    return count


@part
def remaining_cost(W, F, alpha, rest):  # type: ignore[no-untyped-def]
    """Return what a gradient that remains in the support costs the gap, by its features with a ridge part."""
    cost = 0.0
    for a in range(W.size[1]):
        l2 = W.l2[F.support[a]]
        if l2 > 0.0:
            cost += rest[a] * rest[a] / l2
    return 0.5 * cost / alpha


@part
def _without_ridge_pulls(W, F):  # type: ignore[no-untyped-def]
    """Tell whether F.spare has an entry where there is no ridge part: any rest there costs too much."""
    for a in range(W.size[1]):
        if F.spare[a] != 0.0 and W.l2[F.support[a]] == 0.0:
            return True
    return False


@part
def _precondition(W, F):  # type: ignore[no-untyped-def]
    """Write F.columns[0] = inverse F.spare; return F.spare . F.columns[0]."""
    k = W.size[1]
    multiply(F.inverse, k, F.spare, F.columns[0])
    energy = 0.0
    for a in range(k):
        energy += F.spare[a] * F.columns[0, a]
    return energy


@part
def _go_on_along_trend(W, F, alpha):  # type: ignore[no-untyped-def]
    """Write F.step, the best multiple of the coefficients' trend, zero where there is none, and F.spare.

    K times the trend costs no product: G times it is what correlations changed by. Only where they were not
    known at its beginning is a row of G needed.
    """
    k = W.size[1]
    along = curvature = 0.0
    for a in range(k):
        s = F.support[a]
        F.products[0, a] = W.trend[s]
    for a in range(k if F.pace[HAS_TREND] != 0.0 else 0):
        s = F.support[a]
        image = W.image[s]
        if math.isnan(image):
            image = 0.0
            for c in range(k):
                image += F.gram[a, c] * F.products[0, c]
        F.products[1, a] = image + alpha * W.l2[s] * W.trend[s]
        along += W.trend[s] * F.rhs[a]
        curvature += W.trend[s] * F.products[1, a]
    F.pace[HAS_TREND] = 0.0
    length = along / curvature if curvature > 0.0 else 0.0
    for a in range(k):
        F.step[a] = length * F.products[0, a] if length != 0.0 else 0.0
        F.spare[a] = F.rhs[a] - length * F.products[1, a] if length != 0.0 else F.rhs[a]


@part
def _conjugate(W, F, alpha, share):  # type: ignore[no-untyped-def]
    """Write F.step, and F.spare: what it leaves of F.rhs. Return how many steps, negative where M is worn."""
    k = W.size[1]
    shift = alpha - F.ridge_alpha[0]
    _go_on_along_trend(W, F, alpha)
    for a in range(k):
        F.products[0, a] = F.products[1, a] = 0.0
    first = remaining_cost(W, F, alpha, F.rhs)
    enough = max(share * share * first, SAFE * F.pace[IDLE_GAP], ROUNDING * first)
    # A whole step with M leaves nothing where there is no ridge part, nor do conjugate ones after it.
    is_whole = _without_ridge_pulls(W, F)
    before = 0.0
    for step in range(MOST_STEPS):
        if not is_whole and remaining_cost(W, F, alpha, F.spare) <= enough:
            return step
        energy = _precondition(W, F)
        # products: the direction and K times it.
        ratio = energy / before if before > 0.0 else 0.0
        curvature = 0.0
        for a in range(k):
            z = F.columns[0, a]
            F.products[0, a] = z + ratio * F.products[0, a]
            F.products[1, a] = F.spare[a] + shift * W.l2[F.support[a]] * z + ratio * F.products[1, a]
        for a in range(k):
            curvature += F.products[0, a] * F.products[1, a]
        if not (energy > 0.0 and curvature > 0.0):
            return -1 - step
        length = 1.0 if is_whole else energy / curvature
        for a in range(k):
            F.step[a] += length * F.products[0, a]
            F.spare[a] -= length * F.products[1, a]
        before = 0.0 if is_whole else energy
        is_whole = False
    return MOST_STEPS
