"""The losses as functions of the linear predictor: value, gradient, curvature and conjugate; none sees X.

Vectors over observations and outputs have shape (outputs, n). Every value is half a unit deviance, so that it
is never negative, and weights sum to one. One bundle serves all losses: the kind is a number that is looked
at once per vector, so that another loss costs no other copy of the solver's machine code.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from .._bundle import bundle
from .._jit import kernel, part
from .._typing import Float64, Index
from .entropy import divergence
from .exponential import exponential, log_one_plus
from .softmax import softmax, softmax_flex
from .survival import cox_flex, cox_objective, cox_respond

# Entries of Loss.traits.
KIND, HAS_INTERCEPT = 0, 1
# Kinds of loss.
GAUSSIAN, LOGISTIC, POISSON, SQUARED_HINGE, HUBER, MULTINOMIAL, COX = 0, 1, 2, 3, 4, 5, 6
# Curvature per unit weight below which rows count as this curved: a Newton step must not divide by nothing.
# Smooth losses need it against underflow only, the two with flat parts for all rows that lie there.
FLOOR, FLAT_FLOOR = 1e-12, 1e-6
# Predictors beyond this count as this: float64 holds no larger exponential.
LARGEST = 700.0
# Means below this have lost digits, and in the end all of them: their logarithm is the predictor.
UNDERFLOWN = 1e-290
# Newton steps for intercepts, and the share of sum |v| that the sum of v may keep.
INTERCEPT_STEPS, BALANCED = 100, 4e-15
# Longest Newton step of an intercept, in units of the linear predictor of the exponential families.
LONGEST_STEP = 4.0
# A Newton step that takes more than this share of the way between two points with sums of unlike signs.
LONG_SHARE = 0.999


@bundle
class Loss(NamedTuple):
    """What is fitted: the loss's ``traits`` = [kind, whether intercepts are fitted], response and weights.

    ``y``, ``offset`` (outputs, n), ``w`` (n,) sums to one. ``scale`` = [delta of Huber's loss]. Cox:
    ``enter``, ``leave``, ``group``, ``first_term``, ``term_weight``, ``term_fraction`` and ``restart`` as in
    families.RiskSets, one entry each for other losses.
    """

    traits: Index
    y: Float64
    offset: Float64
    w: Float64
    scale: Float64
    enter: Index
    leave: Index
    group: Index
    first_term: Index
    restart: Index
    term_weight: Float64
    term_fraction: Float64


@bundle
class Curvature(NamedTuple):
    """The loss's second derivative H at some point.

    ``mass`` (outputs, n): the diagonal of H; w pi for the multinomial, w exp(eta) for Cox. ``odds``
    (outputs, n): exp(-|eta|) for the logistic loss, exp(eta) for Poisson's. ``inverse``
    (outputs, outputs + 1): of E'HE, E the intercepts' columns; the last column is work space. Cox: ``early``
    (n,) is the mass before a row entered late. Per group: ``top`` and ``decay``, see survival; sums over who
    is at risk without event in ``sums``, over its events in ``tied``; the events' ``weight``; ``rate``, the
    running sum of the terms' weight over their sum, the same of earlier groups in ``before``; ``own``,
    ``kept``, ``near`` and ``tied_near`` what events have of it. The others are work space.
    """

    mass: Float64
    odds: Float64
    inverse: Float64
    early: Float64
    top: Float64
    decay: Float64
    sums: Float64
    tied: Float64
    weight: Float64
    rate: Float64
    before: Float64
    own: Float64
    kept: Float64
    near: Float64
    tied_near: Float64
    pull: Float64
    pull_before: Float64
    others_pull: Float64
    tied_pull: Float64


@part
def respond(L, N, eta, r):  # type: ignore[no-untyped-def]
    """Write r = -df/deta per unit weight, the pseudo-residual, and N's mass, the curvature beside it."""
    kind = L.traits[KIND]
    n = L.w.shape[0]
    if kind == LOGISTIC:
        for i in range(n):
            t = exponential(-math.fabs(eta[0, i]))
            near, far = 1.0 / (1.0 + t), t / (1.0 + t)
            pi = near if eta[0, i] >= 0.0 else far
            rest = far if eta[0, i] >= 0.0 else near
            N.odds[0, i] = t
            r[0, i] = L.y[0, i] * rest - (1.0 - L.y[0, i]) * pi
            N.mass[0, i] = L.w[i] * max(near * far, FLOOR)
    elif kind == POISSON:
        for i in range(n):
            N.odds[0, i] = exponential(min(eta[0, i], LARGEST))
            r[0, i] = L.y[0, i] - N.odds[0, i]
            N.mass[0, i] = L.w[i] * max(N.odds[0, i], FLOOR)
    elif kind == MULTINOMIAL:
        for i in range(n):
            softmax(L, eta, r, N.mass, i)
            for c in range(eta.shape[0]):
                N.mass[c, i] *= L.w[i]
    elif kind == SQUARED_HINGE:
        for i in range(n):
            short = max(1.0 - L.y[0, i] * eta[0, i], 0.0)
            r[0, i] = L.y[0, i] * short
            N.mass[0, i] = L.w[i] * (1.0 if short > 0.0 else FLAT_FLOOR)
    elif kind == HUBER:
        for i in range(n):
            e = L.y[0, i] - eta[0, i]
            r[0, i] = min(max(e, -L.scale[0]), L.scale[0])
            N.mass[0, i] = L.w[i] * (1.0 if math.fabs(e) <= L.scale[0] else FLAT_FLOOR)
    elif kind == COX:
        cox_respond(L, N, eta, r)
    else:
        for c in range(eta.shape[0]):
            for i in range(n):
                r[c, i] = L.y[c, i] - eta[c, i]
                N.mass[c, i] = L.w[i]


@part
def _entropy(q):  # type: ignore[no-untyped-def]
    """Return q ln q."""
    return q * math.log(q) if q > 0.0 else 0.0


@part
def objective(L, N, eta):  # type: ignore[no-untyped-def]
    """Return the weighted mean of the losses at eta; N is what respond left at this eta."""
    kind = L.traits[KIND]
    n = L.w.shape[0]
    total = 0.0
    if kind == LOGISTIC:
        shares = 0
        for i in range(n):
            shares += (L.y[0, i] > 0.0) & (L.y[0, i] < 1.0)
        # Written so that a row that is fitted well keeps its digits.
        if shares == 0:
            # Without a branch: several rows at a time.
            for i in range(n):
                total += L.w[i] * (max(eta[0, i] * (1.0 - 2.0 * L.y[0, i]), 0.0) + log_one_plus(N.odds[0, i]))
            return total
        for i in range(n):
            y, t = L.y[0, i], N.odds[0, i]
            if 0.0 < y < 1.0:
                near, far = 1.0 / (1.0 + t), t / (1.0 + t)
                pi, rest = (near, far) if eta[0, i] >= 0.0 else (far, near)
                d = y * rest - (1.0 - y) * pi
                total += L.w[i] * (divergence(pi, d) + divergence(rest, -d))
            else:
                total += L.w[i] * (max(eta[0, i] * (1.0 - 2.0 * y), 0.0) + log_one_plus(t))
    elif kind == POISSON:
        for i in range(n):
            y, mean = L.y[0, i], N.odds[0, i]
            if mean < UNDERFLOWN < y:
                total += L.w[i] * (y * (math.log(y) - eta[0, i]) - y)
            else:
                total += L.w[i] * divergence(mean, y - mean)
    elif kind == MULTINOMIAL:
        for i in range(n):
            top = 0
            for c in range(1, eta.shape[0]):
                if eta[c, i] > eta[top, i]:
                    top = c
            fit = rest = 0.0
            for c in range(eta.shape[0]):
                rest += exponential(eta[c, i] - eta[top, i]) if c != top else 0.0
                fit += L.y[c, i] * (eta[top, i] - eta[c, i]) + _entropy(L.y[c, i])
            total += L.w[i] * max(fit + math.log1p(rest), 0.0)
    elif kind == SQUARED_HINGE:
        for i in range(n):
            short = max(1.0 - L.y[0, i] * eta[0, i], 0.0)
            total += 0.5 * L.w[i] * short * short
    elif kind == HUBER:
        for i in range(n):
            e = math.fabs(L.y[0, i] - eta[0, i])
            inner = min(e, L.scale[0])
            total += L.w[i] * inner * (e - 0.5 * inner)
    elif kind == COX:
        total = cox_objective(L, N, eta)
    else:
        for c in range(eta.shape[0]):
            for i in range(n):
                e = L.y[c, i] - eta[c, i]
                total += 0.5 * L.w[i] * e * e
    return total


@part
def flex(L, C, x):  # type: ignore[no-untyped-def]
    """Replace x (outputs, n) by H x; with intercepts by what is left of it when they follow freely."""
    kind = L.traits[KIND]
    outputs, n = x.shape
    if kind == COX:
        cox_flex(L, C, x)
        return
    if kind == MULTINOMIAL:
        softmax_flex(L, C, x, False)
        if L.traits[HAS_INTERCEPT] == 1:
            for c in range(outputs):
                C.inverse[c, outputs] = 0.0
            for c in range(outputs):
                total = 0.0
                for i in range(n):
                    total += x[c, i]
                for d in range(outputs):
                    C.inverse[d, outputs] += C.inverse[d, c] * total
            softmax_flex(L, C, x, True)
        return
    for c in range(outputs):
        total = 0.0
        for i in range(n):
            x[c, i] *= C.mass[c, i]
        for i in range(n):
            total += x[c, i]
        if L.traits[HAS_INTERCEPT] == 1:
            mean = total * C.inverse[c, c]
            for i in range(n):
                x[c, i] -= mean * C.mass[c, i]


@part
def _invert(M, size):  # type: ignore[no-untyped-def]
    """Invert the symmetric positive definite M[:size, :size] in place, without pivoting."""
    for k in range(size):
        pivot = 1.0 / M[k, k] if M[k, k] > 0.0 else 0.0
        for i in range(size):
            if i != k:
                factor = M[i, k] * pivot
                for j in range(size):
                    if j != k:
                        M[i, j] -= factor * M[k, j]
                M[i, k] = -factor
        for j in range(size):
            M[k, j] *= pivot
        M[k, k] = pivot


@part
def weigh_intercepts(L, C):  # type: ignore[no-untyped-def]
    """Write C.inverse from C.mass."""
    outputs, n = C.mass.shape
    if L.traits[KIND] != MULTINOMIAL:
        for c in range(outputs):
            total = 0.0
            for i in range(n):
                total += C.mass[c, i]
            C.inverse[c, c] = 1.0 / total if total > 0.0 else 0.0
        return
    trace = 0.0
    for c in range(outputs):
        for d in range(outputs):
            C.inverse[c, d] = 0.0
    for i in range(n):
        if L.w[i] > 0.0:
            for c in range(outputs):
                share = C.mass[c, i] / L.w[i]
                for d in range(outputs):
                    C.inverse[c, d] -= share * C.mass[d, i] if d != c else 0.0
    # Rows sum to zero: so the diagonal is no difference where probabilities come near one.
    for c in range(outputs):
        for d in range(outputs):
            C.inverse[c, c] -= C.inverse[c, d] if d != c else 0.0
        trace += C.inverse[c, c]
    # One constant for all classes changes no probability: any curvature along it will do.
    for c in range(outputs):
        for d in range(outputs):
            C.inverse[c, d] += (trace + FLOOR) / outputs**2
        # Classes of a member or none keep a pivot.
        C.inverse[c, c] *= 1.0 + FLOOR
    _invert(C.inverse, outputs)


@part
def weigh(L, C, eta, r):  # type: ignore[no-untyped-def]
    """Make C the curvature at eta; r is overwritten with the pseudo-residual there."""
    respond(L, C, eta, r)
    weigh_intercepts(L, C)


@part
def settle(L, N, eta, intercept, r, sums, enough):  # type: ignore[no-untyped-def]
    """Move eta and intercept to where w r sums to zero in every output; write r there, and the sums.

    Newton's method, kept within what the signs of the sums allow; it ends where no sum exceeds ``enough`` or
    where rounding leaves no more.
    """
    outputs, n = eta.shape
    low, high = -math.inf, math.inf
    for step in range(INTERCEPT_STEPS):
        respond(L, N, eta, r)
        worst = size = 0.0
        for c in range(outputs):
            total = 0.0
            for i in range(n):
                total += L.w[i] * r[c, i]
            sums[c] = total
            worst = max(worst, math.fabs(total))
        if L.traits[HAS_INTERCEPT] == 0 or worst <= enough:
            return
        for c in range(outputs):
            absolute = 0.0
            for i in range(n):
                absolute += L.w[i] * math.fabs(r[c, i])
            size = max(size, absolute)
        if not worst > BALANCED * size or step == INTERCEPT_STEPS - 1:
            return
        weigh_intercepts(L, N)
        if outputs == 1:
            here = intercept[0]
            low = max(low, here) if sums[0] > 0.0 else low
            high = min(high, here) if sums[0] < 0.0 else high
            move = sums[0] * N.inverse[0, 0]
            if L.traits[KIND] == LOGISTIC or L.traits[KIND] == POISSON:
                move = min(max(move, -LONGEST_STEP), LONGEST_STEP)
            between = high - low
            is_beyond = not low < here + move < high
            if not math.isinf(between) and (is_beyond or math.fabs(move) > LONG_SHARE * between):
                # Beyond a point whose sum has the other sign, or nearly: where the loss is flat steps would
                # go from one end to the other and back.
                move = 0.5 * (low + high) - here
            if math.fabs(move) <= BALANCED * (1.0 + math.fabs(here)):
                # Below the rounding of the predictor: residuals that vanish have sums that do not.
                return
            intercept[0] = here + move
            for i in range(n):
                eta[0, i] += move
        else:
            farthest = 0.0
            for c in range(outputs):
                move = 0.0
                for d in range(outputs):
                    move += N.inverse[c, d] * sums[d]
                N.inverse[c, outputs] = move
                farthest = max(farthest, math.fabs(move) / (1.0 + math.fabs(intercept[c])))
            if farthest <= BALANCED:
                return
            for c in range(outputs):
                move = N.inverse[c, outputs]
                if L.traits[KIND] == MULTINOMIAL:
                    move = min(max(move, -LONGEST_STEP), LONGEST_STEP)
                intercept[c] += move
                for i in range(n):
                    eta[c, i] += move


@kernel
def value_of(L, N, eta, r):  # type: ignore[no-untyped-def]
    """Write the pseudo-residual at eta and return the objective."""
    respond(L, N, eta, r)
    return objective(L, N, eta)


@kernel
def flexed(L, C, eta, r, x):  # type: ignore[no-untyped-def]
    """Replace x by H x at eta; see flex."""
    weigh(L, C, eta, r)
    flex(L, C, x)


@kernel
def fit_null(L, N, eta, intercept, r, sums):  # type: ignore[no-untyped-def]
    """Fit the intercepts alone, from eta = offset on; return the objective there."""
    settle(L, N, eta, intercept, r, sums, 0.0)
    return objective(L, N, eta)
