"""What a dual point costs the loss: by how much its bound misses the loss's value there."""

from __future__ import annotations

import math

from .._jit import kernel, part
from .entropy import divergence, far, near
from .losses import COX, HUBER, KIND, LOGISTIC, MULTINOMIAL, POISSON, SQUARED_HINGE, respond
from .survival import cox_divergence


@part
def misfit(L, N, eta, theta, c, is_own):  # type: ignore[no-untyped-def]
    """Return sum_i w_i (f(eta_i) + f*(-c theta_i) + c theta_i eta_i) >= 0 for 0 < c <= 1, term by term.

    N is what respond left at this eta. ``is_own``: theta is the pseudo-residual there, for which every term
    vanishes at c = 1. Any other theta is for one output, and not for Cox's loss.
    """
    kind = L.traits[KIND]
    n = L.w.shape[0]
    total = 0.0
    if is_own and c >= 1.0:
        return total
    if kind == LOGISTIC:
        total = _binomial_misfit(L, N, eta, theta, c, is_own)
    elif kind == POISSON:
        total = _poisson_misfit(L, N, theta, c, is_own)
    elif kind == MULTINOMIAL:
        for k in range(eta.shape[0]):
            for i in range(n):
                if L.w[i] > 0.0:
                    total += L.w[i] * divergence(N.mass[k, i] / L.w[i], (1.0 - c) * theta[k, i])
    elif kind == HUBER:
        total = _huber_misfit(L, eta, theta, c)
    elif kind == COX:
        total = cox_divergence(L, N, c)
    elif kind == SQUARED_HINGE:
        total = _hinge_misfit(L, eta, theta, c)
    else:
        for k in range(eta.shape[0]):
            for i in range(n):
                off = (1.0 - c) * theta[k, i] if is_own else L.y[k, i] - eta[k, i] - c * theta[k, i]
                total += 0.5 * L.w[i] * off * off
    return total


@part
def _move(L, N, eta, theta, c, is_own, i):  # type: ignore[no-untyped-def]
    """Return both classes' probabilities in row i and by how much the dual point moves the first."""
    t = N.odds[0, i]
    larger, smaller = 1.0 / (1.0 + t), t / (1.0 + t)
    pi = larger if eta[0, i] >= 0.0 else smaller
    rest = smaller if eta[0, i] >= 0.0 else larger
    r = L.y[0, i] * rest - (1.0 - L.y[0, i]) * pi
    d = (1.0 - c) * theta[0, i] if is_own else r - c * theta[0, i]
    return pi, rest, d


@part
def _binomial_misfit(L, N, eta, theta, c, is_own):  # type: ignore[no-untyped-def]
    total = 0.0
    # Small moves, nearly all there are, in a loop without a branch: it goes several rows at a time.
    for i in range(L.w.shape[0]):
        pi, rest, d = _move(L, N, eta, theta, c, is_own, i)
        total += L.w[i] * (near(pi, d) + near(rest, -d))
    for i in range(L.w.shape[0]):
        pi, rest, d = _move(L, N, eta, theta, c, is_own, i)
        total += L.w[i] * (far(pi, d) + far(rest, -d))
    return total


@part
def _poisson_misfit(L, N, theta, c, is_own):  # type: ignore[no-untyped-def]
    total = 0.0
    for i in range(L.w.shape[0]):
        m = N.odds[0, i]
        d = (1.0 - c) * theta[0, i] if is_own else L.y[0, i] - m - c * theta[0, i]
        total += L.w[i] * (near(m, d) + far(m, d))
    return total


@part
def _huber_misfit(L, eta, theta, c):  # type: ignore[no-untyped-def]
    """Return the sum of (e - t)^2 / 2, or beyond delta of (delta - s) (|e| - (delta + s) / 2), s = +-t."""
    delta = L.scale[0]
    total = 0.0
    for i in range(L.w.shape[0]):
        e, t = L.y[0, i] - eta[0, i], c * theta[0, i]
        if math.fabs(t) > delta:
            return math.inf
        if math.fabs(e) <= delta:
            total += 0.5 * L.w[i] * (e - t) * (e - t)
        else:
            along = t if e > 0.0 else -t
            total += L.w[i] * (delta - along) * (math.fabs(e) - 0.5 * (delta + along))
    return total


@part
def _hinge_misfit(L, eta, theta, c):  # type: ignore[no-untyped-def]
    """Return the sum of (a - (1 - m))^2 / 2, or of a^2 / 2 + a (m - 1) where m > 1: a = y t, m = y eta."""
    total = 0.0
    for i in range(L.w.shape[0]):
        a = c * L.y[0, i] * theta[0, i]
        if a < 0.0:
            return math.inf
        short = 1.0 - L.y[0, i] * eta[0, i]
        off = a - max(short, 0.0)
        total += L.w[i] * (0.5 * off * off + a * max(-short, 0.0))
    return total


@kernel
def misfit_of(L, N, eta, r, c):  # type: ignore[no-untyped-def]
    """Return the misfit of c times the pseudo-residual, which is written to r."""
    respond(L, N, eta, r)
    return misfit(L, N, eta, r, c, True)


@kernel
def misfit_at(L, N, eta, theta, r):  # type: ignore[no-untyped-def]
    """Return the misfit of theta; the pseudo-residual is written to r."""
    respond(L, N, eta, r)
    return misfit(L, N, eta, theta, 1.0, False)
