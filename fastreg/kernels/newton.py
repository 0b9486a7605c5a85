"""Large supports: coordinate descent finds the signs, conjugate gradients on the support find the digits.

No factor is kept. With fixed signs the support's optimum solves (G_AA + alpha L2) d = rhs; one product with
G_AA reads the support's columns twice, as one sweep of descent does, but gains digits at the rate of the
square root of the condition.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from .._jit import kernel
from .._typing import Float64, Index
from .descent import sweep
from .duality import gap
from .finish import PAUSED, SOLVED
from .state import CG_STEPS, GRADIENTS, SWEEPS
from .inverse import Inverse, precondition, prepare
from .storage import add_column, dot, scan
from .updates import gradient

# Products with the Gram matrix in a round while many coefficients reach zero, and at most.
FEW_PRODUCTS, MANY_PRODUCTS = 8, 64
# Rounds without progress of the gap after which the arithmetic is held to give no more.
MAX_IDLE = 1000
STALLED = 20
# Entries of carry after the first.
BEST, IDLE = 1, 2
# "Many": more than one in this number.
SETTLED = 50
# Share of the allowed gap that the support's own equations may keep.
SUPPORT_SHARE = 0.3


class Krylov(NamedTuple):
    """Work space of the conjugate gradients: the preconditioner, slots and vectors of the support.

    ``fitted`` and ``moved`` have shape (n,): w X~ direction, and its sum over the steps taken; ``carry`` =
    [sum of v, best gap so far, rounds without progress].
    """

    inverse: Inverse
    slots: Index
    step: Float64
    residual: Float64
    direction: Float64
    image: Float64
    fitted: Float64
    moved: Float64
    carry: Float64


@kernel
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
        K.residual[k] = rest
        K.step[k] = 0.0
        k += 1
    return k


@kernel
def _fit(U, W, K, k):  # type: ignore[no-untyped-def]
    """Write K.fitted = w X~_A K.direction; return its sum."""
    n = U.y.shape[0]
    for i in range(n):
        K.fitted[i] = 0.0
    shift = 0.0
    for a in range(k):
        shift += add_column(U.D, W.feature[K.slots[a]], K.direction[a], K.fitted)
    total = 0.0
    for i in range(n):
        K.fitted[i] = U.w[i] * (K.fitted[i] + shift)
        total += K.fitted[i]
    return total


@kernel
def _apply_gram(U, W, K, k, alpha):  # type: ignore[no-untyped-def]
    """Write K.image = (G_AA + alpha L2) K.direction; return direction . image."""
    total = _fit(U, W, K, k)
    curvature = 0.0
    for a in range(k):
        s = K.slots[a]
        K.image[a] = dot(U.D, W.feature[s], K.fitted, total) + alpha * W.l2[s] * K.direction[a]
        curvature += K.image[a] * K.direction[a]
    return curvature


@kernel
def _worst(W, K, k, alpha, allowed_gap, share_of_l1):  # type: ignore[no-untyped-def]
    """Return the largest residual as a multiple of what it may be."""
    worst = 0.0
    for a in range(k):
        s = K.slots[a]
        allowed = share_of_l1 * alpha * W.l1[s]
        if W.l2[s] > 0.0:
            allowed = math.sqrt(2.0 * alpha * W.l2[s] * allowed_gap / k)
        worst = max(worst, math.fabs(K.residual[a]) / (allowed + 1e-300))
    return worst


@kernel
def _conjugate(U, W, K, k, alpha, allowed_gap, limit):  # type: ignore[no-untyped-def]
    """Solve for K.step until the residuals leave a gap of allowed_gap at most; return the number of products.

    Without ridge a residual costs the gap its share of alpha l1 times the norm of beta, with ridge its
    square / (2 alpha l2).
    """
    size = 0.0
    for s in range(W.size[0]):
        if W.beta[s] != 0.0:
            size += alpha * W.l1[s] * math.fabs(W.beta[s])
    share_of_l1 = allowed_gap / (size + 1e-300)
    for i in range(K.moved.shape[0]):
        K.moved[i] = 0.0
    before = 1.0
    for cg in range(limit):
        if _worst(W, K, k, alpha, allowed_gap, share_of_l1) <= 1.0:
            return cg
        energy = precondition(K.inverse, k, K.residual, K.image)
        share = energy / before if cg > 0 else 0.0
        for a in range(k):
            K.direction[a] = K.image[a] + share * K.direction[a]
        curvature = _apply_gram(U, W, K, k, alpha)
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


@kernel
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


@kernel
def _move(U, W, K, k, alpha):  # type: ignore[no-untyped-def]
    """Move the support along its step, never uphill; return how many coefficients reached zero or a bound.

    On the way to the clipped point no sign changes, so the objective is a parabola there and its minimum is
    known.
    """
    stopped = _clip(W, K, k)
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
        _fit(U, W, K, k)
        curvature = 0.0
        for i in range(U.w.shape[0]):
            if U.w[i] > 0.0:
                curvature += K.fitted[i] * K.fitted[i] / U.w[i]
            K.moved[i] = K.fitted[i]
        for a in range(k):
            curvature += alpha * W.l2[K.slots[a]] * K.direction[a] * K.direction[a]
        length = min(1.0, fall / curvature) if curvature > 0.0 else 1.0
    total = 0.0
    for i in range(U.v.shape[0]):
        U.v[i] -= length * K.moved[i]
        total += U.v[i]
    K.carry[0] = total
    for a in range(k):
        s = K.slots[a]
        if length == 1.0 and W.l1[s] > 0.0 and K.direction[a] == -W.beta[s]:
            W.beta[s] = 0.0
        else:
            W.beta[s] += length * K.direction[a]
    return stopped


@kernel
def _correlate(U, W, K):  # type: ignore[no-untyped-def]
    """Form the correlations of U.v."""
    # Zero, but not a literal: for a literal numba would compile another scan.
    scan(U.D, W.feature, 0 * W.size[0], W.size[0], U.v, K.carry[0], W.g)


@kernel
def _refresh(U, W, K, stats):  # type: ignore[no-untyped-def]
    """Form residual and correlations of W.beta from scratch; return ||r||^2."""
    gradient(U, W.feature, W.beta, W.g, W.size[0])
    stats[GRADIENTS] += 1
    K.carry[0] = 0.0
    square = 0.0
    for i in range(U.r.shape[0]):
        K.carry[0] += U.v[i]
        square += U.v[i] * U.r[i]
    return square


@kernel
def descend(U, W, K, alpha, allowed_gap, max_rounds, stats):  # type: ignore[no-untyped-def]
    """Solve the restricted problem until its gap is at most allowed_gap; return SOLVED, PAUSED or STALLED.

    W.g belongs to W.beta on entry and on exit.
    """
    square = _refresh(U, W, K, stats)
    is_fresh = True
    products = FEW_PRODUCTS
    for _ in range(max_rounds):
        now = gap(W, alpha, square, 1.0)
        if now <= allowed_gap:
            if is_fresh:
                return SOLVED
            square = _refresh(U, W, K, stats)
            is_fresh = True
            now = gap(W, alpha, square, 1.0)
            if now <= allowed_gap:
                return SOLVED
        K.carry[IDLE] = K.carry[IDLE] + 1.0 if now > 0.9 * K.carry[BEST] else 0.0
        K.carry[BEST] = min(K.carry[BEST], now)
        if K.carry[IDLE] > MAX_IDLE:
            return STALLED
        sweep(U, W, W.size[0], alpha, False, K.carry)
        stats[SWEEPS] += 1
        _correlate(U, W, K)
        k = _list_support(W, K, alpha)
        prepare(K.inverse, U, W, K.slots, k, alpha, False)
        stats[CG_STEPS] += _conjugate(U, W, K, k, alpha, SUPPORT_SHARE * allowed_gap, products)
        # Digits are worth little while signs still change, and restarts cost much once they do not.
        stopped = _move(U, W, K, k, alpha)
        products = min(2 * products, MANY_PRODUCTS) if SETTLED * stopped <= k else FEW_PRODUCTS
        _correlate(U, W, K)
        is_fresh = False
    _refresh(U, W, K, stats)
    return PAUSED
