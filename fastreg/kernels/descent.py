"""Cyclic coordinate descent with soft-thresholding: one loop for every storage and both kinds of update."""

from __future__ import annotations

from .._jit import part, verb
from .prox import minimiser
from .storage import add_weighted, dot
from .updates import Gram, Naive


@verb
def slope(U, W, s, carry):  # type: ignore[no-untyped-def]
    """Return x~_s' Omega r at the coefficients of this moment; carry[0] is the running sum of v."""
    raise TypeError(f"no update verb 'slope' for {type(U).__name__}")


@verb
def step(U, W, s, change, m, carry):  # type: ignore[no-untyped-def]
    """Make current what the change of one coefficient touches."""
    raise TypeError(f"no update verb 'step' for {type(U).__name__}")


@slope.member(Naive)
def _naive_slope(U, W, s, carry):  # type: ignore[no-untyped-def]
    return dot(U.D, W.feature[s], U.v, carry[0])


@step.member(Naive)
def _naive_step(U, W, s, change, m, carry):  # type: ignore[no-untyped-def]
    carry[0] += add_weighted(U.D, W.feature[s], -change, U.w, U.v)


@slope.member(Gram)
def _gram_slope(U, W, s, carry):  # type: ignore[no-untyped-def]
    return W.g[s]


@step.member(Gram)
def _gram_step(U, W, s, change, m, carry):  # type: ignore[no-untyped-def]
    for t in range(m):
        W.g[t] -= change * U.G[s, t]


@part
def sweep(U, W, m, alpha, is_backward, carry):  # type: ignore[no-untyped-def]
    """Minimise over one coefficient after the other, from the first to the last or backward.

    On naive updates U.v and carry[0] belong to W.beta on entry and on exit, W.g becomes stale.
    """
    for t in range(m):
        s = m - 1 - t if is_backward else t
        old = W.beta[s]
        if W.sqnorm[s] == 0.0:
            continue
        curvature = W.sqnorm[s]
        pull = slope(U, W, s, carry) + curvature * old
        new = minimiser(pull, curvature, alpha * W.l1[s], alpha * W.l2[s], W.lower[s], W.upper[s])
        if new != old:
            W.beta[s] = new
            step(U, W, s, new - old, m, carry)
