"""What is kept current while coefficients move: the residual (Naive) or the gradient (Gram).

Both are bundles with the same verbs, so descent and exact finish are written once.
"""

from __future__ import annotations

from typing import NamedTuple

from .._bundle import bundle
from .._jit import part, verb
from .._typing import Float64
from .storage import Csc, Dense, add_column, clear, dot, scan, spread


@bundle
class Naive(NamedTuple):
    """Residual updates in any storage: r = y - X~ beta, v = w r; ``buffer`` (n,) is zero between calls."""

    D: Dense | Csc
    y: Float64
    w: Float64
    r: Float64
    v: Float64
    buffer: Float64


@bundle
class Gram(NamedTuple):
    """Gradient updates: G = X~' Omega X~ over all features, q = X~' Omega y; slots and features coincide."""

    G: Float64
    q: Float64


@verb
def gradient(U, feature, beta, g, m):  # type: ignore[no-untyped-def]
    """Write g[:m], the listed features' correlations with the residual of beta, from scratch."""
    raise TypeError(f"no update verb 'gradient' for {type(U).__name__}")


@verb
def gram_column(U, feature, support, k, slot, out):  # type: ignore[no-untyped-def]
    """Write out[a] = x~_support[a]' Omega x~_slot for a < k."""
    raise TypeError(f"no update verb 'gram_column' for {type(U).__name__}")


@part
def form_residual(U, feature, beta, m):  # type: ignore[no-untyped-def]
    """Write r = y - X~ beta and v = w r from scratch; return the sum of v."""
    n = U.y.shape[0]
    for i in range(n):
        U.r[i] = U.y[i]
    shift = 0.0
    for s in range(m):
        if beta[s] != 0.0:
            shift += add_column(U.D, feature[s], -beta[s], U.r)
    for i in range(n):
        U.r[i] += shift
        U.v[i] = U.w[i] * U.r[i]
    vsum = 0.0
    for i in range(n):
        vsum += U.v[i]
    return vsum


@gradient.member(Naive)
def _naive_gradient(U, feature, beta, g, m):  # type: ignore[no-untyped-def]
    vsum = form_residual(U, feature, beta, m)
    # Zero, but not a literal: for a literal numba would compile another scan.
    scan(U.D, feature, 0 * m, m, U.v, vsum, g)


@gram_column.member(Naive)
def _naive_gram_column(U, feature, support, k, slot, out):  # type: ignore[no-untyped-def]
    j = feature[slot]
    # Under an intercept mean_j is the weighted sum of x_j: the spread column's own sum centres the product.
    total = spread(U.D, j, U.w, U.buffer)
    for a in range(k):
        out[a] = dot(U.D, feature[support[a]], U.buffer, total)
    clear(U.D, j, U.buffer)


@gradient.member(Gram)
def _gram_gradient(U, feature, beta, g, m):  # type: ignore[no-untyped-def]
    for s in range(m):
        g[s] = U.q[s]
    for t in range(m):
        b = beta[t]
        if b != 0.0:
            for s in range(m):
                g[s] -= b * U.G[t, s]


@gram_column.member(Gram)
def _gram_column_of_gram(U, feature, support, k, slot, out):  # type: ignore[no-untyped-def]
    for a in range(k):
        out[a] = U.G[slot, support[a]]
