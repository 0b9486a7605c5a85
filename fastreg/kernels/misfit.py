"""What scaling the pseudo-residual costs the loss as a dual point: the Fenchel-Young terms of F37."""

from __future__ import annotations

import math

from .._jit import kernel, part
from .entropy import between, divergence, far, is_far, is_near, near
from .losses import COX, HUBER, KIND, LOGISTIC, MULTINOMIAL, POISSON, respond
from .survival import cox_divergence

# Moves that are not small are handled one by one where they are less than one in this number.
FEW = 8


@part
def misfit(L, N, eta, r, c):  # type: ignore[no-untyped-def]
    """Return sum_i w_i (f(eta_i) + f*(-c r_i) + c r_i eta_i) >= 0 for 0 < c <= 1, term by term.

    N is what respond left at this eta.
    """
    kind = L.traits[KIND]
    n = L.w.shape[0]
    total = 0.0
    if c >= 1.0:
        return total
    if kind == LOGISTIC:
        total = _binomial_misfit(L, N, eta, r, c)
    elif kind == POISSON:
        for i in range(n):
            total += L.w[i] * divergence(N.odds[0, i], (1.0 - c) * r[0, i])
    elif kind == MULTINOMIAL:
        for k in range(eta.shape[0]):
            for i in range(n):
                if L.w[i] > 0.0:
                    total += L.w[i] * divergence(N.mass[k, i] / L.w[i], (1.0 - c) * r[k, i])
    elif kind == HUBER:
        for i in range(n):
            e = math.fabs(L.y[0, i] - eta[0, i])
            if e <= L.scale[0]:
                total += 0.5 * L.w[i] * (1.0 - c) * (1.0 - c) * e * e
            else:
                total += L.w[i] * (1.0 - c) * L.scale[0] * (e - 0.5 * (1.0 + c) * L.scale[0])
    elif kind == COX:
        total = cox_divergence(L, N, c)
    else:
        # Squared hinge: r^2 is the squared shortfall.
        for k in range(eta.shape[0]):
            for i in range(n):
                total += 0.5 * L.w[i] * (1.0 - c) * (1.0 - c) * r[k, i] * r[k, i]
    return total


@part
def _means(N, eta, i):  # type: ignore[no-untyped-def]
    """Return both classes' probabilities in row i."""
    t = N.odds[0, i]
    larger, smaller = 1.0 / (1.0 + t), t / (1.0 + t)
    return larger if eta[0, i] >= 0.0 else smaller, smaller if eta[0, i] >= 0.0 else larger


@part
def _binomial_misfit(L, N, eta, r, c):  # type: ignore[no-untyped-def]
    total = beyond = 0.0
    # Small moves, nearly all there are, in a loop without a branch: it goes several rows at a time.
    for i in range(L.w.shape[0]):
        pi, rest = _means(N, eta, i)
        d = (1.0 - c) * r[0, i]
        total += L.w[i] * (near(pi, d) + near(rest, -d))
        beyond += 0.0 if is_near(pi, d) and is_near(rest, d) else 1.0
    n = L.w.shape[0]
    if beyond * FEW > n:
        return total + _larger_misfit(L, N, eta, r, c)
    if beyond > 0.0:
        for i in range(n):
            pi, rest = _means(N, eta, i)
            d = (1.0 - c) * r[0, i]
            if not is_near(pi, d):
                total += L.w[i] * divergence(pi, d)
            if not is_near(rest, d):
                total += L.w[i] * divergence(rest, -d)
    return total


@part
def _larger_misfit(L, N, eta, r, c):  # type: ignore[no-untyped-def]
    """Return what moves that are not small cost, where they come by the thousand: c is not near one."""
    total = beyond = 0.0
    for i in range(L.w.shape[0]):
        pi, rest = _means(N, eta, i)
        d = (1.0 - c) * r[0, i]
        total += L.w[i] * (between(pi, d) + between(rest, -d))
        beyond += 1.0 if is_far(pi, d) or is_far(rest, d) else 0.0
    if beyond > 0.0:
        for i in range(L.w.shape[0]):
            pi, rest = _means(N, eta, i)
            d = (1.0 - c) * r[0, i]
            if is_far(pi, d) or is_far(rest, d):
                total += L.w[i] * (far(pi, d) + far(rest, -d))
    return total


@kernel
def misfit_of(L, N, eta, r, c):  # type: ignore[no-untyped-def]
    """Return the misfit; the pseudo-residual is written to r."""
    respond(L, N, eta, r)
    return misfit(L, N, eta, r, c)
