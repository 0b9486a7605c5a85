"""The duality gap as a sum of non-negative terms: no cancellation near the optimum.

For the dual point c r, 0 < c <= 1, on quadratic loss: G(c) = (1 - c)^2 / 2 ||r||^2 + sum_j FY_j(b_j, c g_j),
where FY_j(b, t) = phi_j(b) + phi*_j(t) - b t. With b* the maximiser in phi*_j(t),
FY = alpha l2/2 (b - b*)^2 + alpha l1 (|b| - |b*|) - (t - alpha l2 b*) (b - b*).
"""

from __future__ import annotations

import math

from .._jit import exact_part, part

# Relative error of one computed correlation, some units of float64 rounding: the gap stays an upper bound.
ROUNDING = 2e-15
# A free feature's correlation beyond this share of its Cauchy-Schwarz bound is an unsolved equation.
FREE_ROUNDING = 1e-9


@part
def penalty(W, alpha):  # type: ignore[no-untyped-def]
    """Return the penalty of W.beta."""
    total = 0.0
    for s in range(W.size[0]):
        b = W.beta[s]
        if b != 0.0:
            total += alpha * (W.l1[s] * math.fabs(b) + 0.5 * W.l2[s] * b * b)
    return total


@exact_part
def _fenchel_young(b, t, l1, l2, lower, upper):  # type: ignore[no-untyped-def]
    """Return phi(b) + phi*(t) - b t >= 0 for phi(b) = l1 |b| + l2/2 b^2 on [lower, upper].

    It is infinite where phi* is.
    """
    pull = max(math.fabs(t) - l1, 0.0)
    best = 0.0
    if pull > 0.0:
        if t > 0.0:
            best = min(pull / l2, upper) if l2 > 0.0 else upper
        else:
            best = max(-pull / l2, lower) if l2 > 0.0 else lower
        if math.isinf(best):
            return math.inf
    d = b - best
    return 0.5 * l2 * d * d + max(l1 * (math.fabs(b) - math.fabs(best)) - (t - l2 * best) * d, 0.0)


@exact_part
def scaling(W, alpha, largest_unread):  # type: ignore[no-untyped-def]
    """Return the largest c <= 1 for which c g is dual feasible, and the largest that no limit has to pay for.

    Only unbounded directions without ridge restrict the one, directions away from a limit the other too: an
    excess over l1 is multiplied by the way to the limit, which may be as long as anybody likes.
    """
    c = 1.0
    if largest_unread > 1.0:
        c = 1.0 / largest_unread
    within = c
    for s in range(W.size[0]):
        g = W.g[s]
        end = W.upper[s] if g > 0.0 else W.lower[s]
        l1 = alpha * W.l1[s]
        # An excess at the level of rounding is none: to follow it could gain its square, 1e-29 of ||y||^2.
        excess = math.fabs(g) - l1
        if W.l2[s] == 0.0 and excess > W.noise[0] * math.sqrt(W.sqnorm[s]) and l1 > 0.0:
            if math.isinf(end):
                c = min(c, l1 / math.fabs(g))
            if end != 0.0 and end != W.beta[s]:
                within = min(within, l1 / math.fabs(g))
    return c, within


@exact_part
def gap_at(W, alpha, square, c):  # type: ignore[no-untyped-def]
    """Return G(c) of the quadratic loss, with square = ||r||^2."""
    return penalty_gap(W, alpha, math.sqrt(square), c, 0.5 * (1.0 - c) * (1.0 - c) * square)


@exact_part
def penalty_gap(W, alpha, norm, c, total):  # type: ignore[no-untyped-def]
    """Return total plus the penalty's terms at the dual point c r, with norm = ||r||.

    Features outside the working set obey c |g_j| <= alpha l1 and add nothing.
    """
    for s in range(W.size[0]):
        b = W.beta[s]
        l1 = alpha * W.l1[s]
        l2 = alpha * W.l2[s]
        t = c * W.g[s]
        error = ROUNDING * (math.fabs(W.g[s]) + math.sqrt(W.sqnorm[s]) * norm)
        end = W.upper[s] if t > 0.0 else W.lower[s]
        if l1 == 0.0 and l2 == 0.0 and math.isinf(end):
            # A free feature: its equation must hold to rounding, else the dual point proves nothing.
            if math.fabs(t) > FREE_ROUNDING * math.sqrt(W.sqnorm[s]) * norm + W.noise[0] * 1e3:
                return math.inf
            total += math.fabs(b) * (math.fabs(t) + error)
        elif b != 0.0 or math.fabs(t) > l1:
            excess = math.fabs(t) - l1
            is_rounding = math.isinf(end) or excess <= W.noise[0] * math.sqrt(W.sqnorm[s])
            if excess > 0.0 and l2 == 0.0 and is_rounding:
                # What the scaling left beyond l1.
                error += excess
                t = math.copysign(l1, t)
            total += _fenchel_young(b, t, l1, l2, W.lower[s], W.upper[s]) + math.fabs(b) * error
    return total


@exact_part
def gap(W, alpha, square, largest_unread):  # type: ignore[no-untyped-def]
    """Return an upper bound of the suboptimality of W.beta at alpha."""
    c, within = scaling(W, alpha, largest_unread)
    found = gap_at(W, alpha, square, c)
    return found if within == c else min(found, gap_at(W, alpha, square, within))
