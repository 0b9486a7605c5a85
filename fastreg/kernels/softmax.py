"""The softmax of a row and its curvature; what is left of a probability near one comes from the others."""

from __future__ import annotations

from .._jit import part
from .exponential import exponential


@part
def softmax(L, eta, r, out, i):  # type: ignore[no-untyped-def]
    """Write the class probabilities of row i, and y less them: near one by the sum of the others."""
    top = 0
    for c in range(1, eta.shape[0]):
        if eta[c, i] > eta[top, i]:
            top = c
    others = 0.0
    for c in range(eta.shape[0]):
        out[c, i] = exponential(eta[c, i] - eta[top, i])
        others += out[c, i] if c != top else 0.0
    total = 1.0 + others
    for c in range(eta.shape[0]):
        out[c, i] /= total
        rest = others / total if c == top else 1.0 - out[c, i]
        r[c, i] = L.y[c, i] * rest - (1.0 - L.y[c, i]) * out[c, i]


@part
def softmax_flex(L, C, x, by_intercept):  # type: ignore[no-untyped-def]
    """Replace x by H x in the multinomial; with by_intercept by H E t, t in the last column of inverse."""
    outputs = x.shape[0]
    for i in range(L.w.shape[0]):
        if L.w[i] == 0.0:
            for c in range(outputs):
                x[c, i] = 0.0
            continue
        mean = 0.0
        top = 0
        for c in range(outputs):
            mean += C.mass[c, i] * (C.inverse[c, outputs] if by_intercept else x[c, i])
            if C.mass[c, i] > C.mass[top, i]:
                top = c
        mean /= L.w[i]
        # Entries of a row sum to zero: that of a probability near one would be a difference by itself.
        others = 0.0
        for c in range(outputs):
            if c != top:
                pull = C.mass[c, i] * ((C.inverse[c, outputs] if by_intercept else x[c, i]) - mean)
                others += pull
                x[c, i] = x[c, i] - pull if by_intercept else pull
        x[top, i] = x[top, i] + others if by_intercept else -others
