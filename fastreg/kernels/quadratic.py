"""The quadratic model of a loss with one output: weighted least squares, as descent knows it."""

from __future__ import annotations

import math

from .._jit import kernel, part
from .curved import FIT, curved_gap, evaluate
from .duality import penalty
from .losses import HAS_INTERCEPT
from .newton import BEST, IDLE, IS_FRESH, MANY_PRODUCTS, PRODUCTS, SQUARE, STOPPED, SUM
from .updates import correlate

# A square about the mean that is less than this share of the one about zero has lost digits.
CANCELLED = 1e-6


@part
def _measure(D, places, m, w, is_centred, sqnorm):  # type: ignore[no-untyped-def]
    """Write the means of the columns at m places and their squares about them, for weights with sum one."""
    for s in range(m):
        j = places[s]
        mean = square = stored = 0.0
        for t in range(D.indptr[j], D.indptr[j + 1]):
            a = w[D.indices[t]] * D.data[t]
            mean += a
            square += a * D.data[t]
        about = square - mean * mean if is_centred else square
        if about < CANCELLED * square:
            about = 0.0
            for t in range(D.indptr[j], D.indptr[j + 1]):
                d = D.data[t] - mean
                about += w[D.indices[t]] * d * d
                stored += w[D.indices[t]]
            about += max(1.0 - stored, 0.0) * mean * mean
        D.mean[j] = mean if is_centred else 0.0
        sqnorm[s] = about * D.scale[j] * D.scale[j]


@kernel
def form_model(U, W, T, sqnorm, carry):  # type: ignore[no-untyped-def]
    """Write weights, response and residual of the model at U's predictor over T; return the unit of weight.

    T.D holds the working set's columns, packed, where W says; it gets the means of these weights, ``sqnorm``
    the columns' squares. The model's objective is the loss's over that unit, and W.g becomes the model's.
    ``carry`` is Krylov's, which is told of a fresh start.
    """
    n, m = T.w.shape[0], W.size[0]
    unit = 0.0
    for i in range(n):
        unit += U.N.mass[0, i]
    for i in range(n):
        T.w[i] = U.N.mass[0, i] / unit
    is_centred = U.L.traits[HAS_INTERCEPT] == 1
    _measure(T.D, W.feature, m, T.w, is_centred, sqnorm)
    for s in range(m):
        W.g[s] /= unit
    level = 0.0
    for i in range(n):
        level += T.w[i] * (U.E[0, i] - U.L.offset[0, i])
    if not is_centred:
        level = 0.0
    for i in range(n):
        T.v[i] = U.V[0, i] / unit
        # Weights never vanish, but where rows have none.
        T.r[i] = T.v[i] / T.w[i] if T.w[i] > 0.0 else 0.0
        T.y[i] = T.r[i] + U.E[0, i] - U.L.offset[0, i] - level
    total = square = 0.0
    for i in range(n):
        total += T.v[i]
        square += T.v[i] * T.r[i]
    carry[BEST], carry[IDLE], carry[PRODUCTS] = math.inf, 0.0, MANY_PRODUCTS
    carry[SUM], carry[SQUARE], carry[IS_FRESH], carry[STOPPED] = total, square, 1.0, 0.0
    return unit


@kernel
def look_within(U, W, alpha, is_evaluated, enough):  # type: ignore[no-untyped-def]
    """Return (gap within the working set, objective) at W.beta; is_evaluated where the predictor is there.

    Of a gap beyond ``enough`` less may be returned.
    """
    if not is_evaluated:
        evaluate(U, W.feature, W.beta, W.size[0])
    # Zero, but not a literal: for a literal numba would compile another scan.
    correlate(U, W.feature, 0 * W.size[0], W.size[0], W.g)
    return curved_gap(U, W, alpha, 1.0, enough), objective_at(U, W, alpha)


@part
def objective_at(U, W, alpha):  # type: ignore[no-untyped-def]
    """Return loss plus penalty."""
    return U.memo[FIT] + penalty(W, alpha)


@kernel
def try_again(U, W, alpha, share):  # type: ignore[no-untyped-def]
    """Move back to this share of the way from W.before to W.beta; return the objective there."""
    for s in range(W.size[0]):
        W.beta[s] = W.before[s] + share * (W.beta[s] - W.before[s])
    evaluate(U, W.feature, W.beta, W.size[0])
    return objective_at(U, W, alpha)
