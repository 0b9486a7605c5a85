"""What is kept current while coefficients move: the residual (Naive) or the gradient (Gram).

Both are bundles with the same verbs, so descent and exact finish are written once.
"""

from __future__ import annotations

from typing import NamedTuple

from .._bundle import bundle
from .._jit import part, verb
from .._typing import Float64
from .storage import Csc, Dense, clear, cross, scan, spread, subtract_columns


@bundle
class Naive(NamedTuple):
    """Residual updates in any storage: r = y - X~ beta, v = w r.

    ``buffer`` (BLOCK, n) is zero between calls, ``sums`` (BLOCK,) are the sums of its rows while in use.
    """

    D: Dense | Csc
    y: Float64
    w: Float64
    r: Float64
    v: Float64
    buffer: Float64
    sums: Float64


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
def gradient_outside(U, W):  # type: ignore[no-untyped-def]
    """Make the residual belong to W.beta and write W.g outside the support; return whether inside too."""
    raise TypeError(f"no update verb 'gradient_outside' for {type(U).__name__}")


@verb
def gradient_inside(U, W, support):  # type: ignore[no-untyped-def]
    """Write W.g on the support, after gradient_outside."""
    raise TypeError(f"no update verb 'gradient_inside' for {type(U).__name__}")


@verb
def correlate(U, features, start, stop, out):  # type: ignore[no-untyped-def]
    """Write out[k], the listed features' correlations with the current residual, for start <= k < stop."""
    raise TypeError(f"no update verb 'correlate' for {type(U).__name__}")


@verb
def gram_columns(U, W, F, count):  # type: ignore[no-untyped-def]
    """Write F.columns[b, a] = x~_support[a]' Omega x~_entering[b]; among the entering ones F.small[0]."""
    raise TypeError(f"no update verb 'gram_columns' for {type(U).__name__}")


@part
def form_residual(U, feature, beta, m):  # type: ignore[no-untyped-def]
    """Write r = y - X~ beta and v = w r from scratch; return the sum of v."""
    n = U.y.shape[0]
    for i in range(n):
        U.r[i] = U.y[i]
    shift = subtract_columns(U.D, feature, beta, m, U.r)
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


@correlate.member(Naive)
def _naive_correlate(U, features, start, stop, out):  # type: ignore[no-untyped-def]
    vsum = 0.0
    for i in range(U.v.shape[0]):
        vsum += U.v[i]
    scan(U.D, features, start, stop, U.v, vsum, out)


@gradient_outside.member(Naive)
def _naive_gradient_outside(U, W):  # type: ignore[no-untyped-def]
    m = W.size[0]
    form_residual(U, W.feature, W.beta, m)
    count = 0
    for s in range(m):
        if W.place[s] < 0:
            W.listed[count] = W.feature[s]
            count += 1
    # Zero, but not a literal: for a literal numba would compile another scan.
    correlate(U, W.listed, 0 * count, count, W.found)
    count = 0
    for s in range(m):
        if W.place[s] < 0:
            W.g[s] = W.found[count]
            count += 1
    return False


@gradient_inside.member(Naive)
def _naive_gradient_inside(U, W, support):  # type: ignore[no-untyped-def]
    k = W.size[1]
    for a in range(k):
        W.listed[a] = W.feature[support[a]]
    correlate(U, W.listed, 0 * k, k, W.found)
    for a in range(k):
        W.g[support[a]] = W.found[a]


@gram_columns.member(Naive)
def _naive_gram_columns(U, W, F, count):  # type: ignore[no-untyped-def]
    # Under an intercept mean_j is the weighted sum of x_j: the spread column's own sum centres the product.
    for b in range(count):
        U.sums[b] = spread(U.D, W.feature[F.entering[b]], U.w, U.buffer[b])
    cross(U.D, W.feature, F.support, W.size[1], U.buffer, U.sums, count, F.columns)
    # A plain number from the loop's kind: for another type numba would compile another copy.
    cross(U.D, W.feature, F.entering, count + 0 * W.size[1], U.buffer, U.sums, count, F.small[0])
    for b in range(count):
        # What the survey computed, not what the product of the column with itself rounds to.
        F.small[0, b, b] = W.sqnorm[F.entering[b]]
        clear(U.D, W.feature[F.entering[b]], U.buffer[b])


@gradient.member(Gram)
def _gram_gradient(U, feature, beta, g, m):  # type: ignore[no-untyped-def]
    for s in range(m):
        g[s] = U.q[s]
    for t in range(m):
        b = beta[t]
        if b != 0.0:
            for s in range(m):
                g[s] -= b * U.G[t, s]


@gradient_outside.member(Gram)
def _gram_gradient_outside(U, W):  # type: ignore[no-untyped-def]
    # Nothing is saved by leaving the support out.
    gradient(U, W.feature, W.beta, W.g, W.size[0])
    return True


@gradient_inside.member(Gram)
def _gram_gradient_inside(U, W, support):  # type: ignore[no-untyped-def]
    return


@gram_columns.member(Gram)
def _gram_columns_of_gram(U, W, F, count):  # type: ignore[no-untyped-def]
    for b in range(count):
        slot = F.entering[b]
        for a in range(W.size[1]):
            F.columns[b, a] = U.G[slot, F.support[a]]
        for c in range(count):
            F.small[0, b, c] = U.G[slot, F.entering[c]]
        F.small[0, b, b] = W.sqnorm[slot]
