"""Block coordinate descent on the quadratic model, where Newton's equations are too many to factor.

The model's residual is V = w R minus H X~ (B - before); a group's own problem is solved by one group
soft-thresholding at a bound h_j of its curvature.
"""

from __future__ import annotations

import math

from .._jit import kernel, part
from .losses import flex
from .stacked import write_column
from .state import SWEEPS
from .storage import dot


@part
def _bound(W, T, s):  # type: ignore[no-untyped-def]
    """Return an upper bound of the curvature of slot s, all outputs together; the buffer is overwritten."""
    width, n = T.buffer.shape[1], T.buffer.shape[2]
    if width == 1:
        return W.sqnorm[s]
    x = T.buffer[0]
    write_column(T.D, W.feature[s], x)
    largest = 0.0
    for c in range(width):
        own = shared = 0.0
        for i in range(n):
            square = x[0, i] * x[0, i] * T.C.mass[c, i]
            own += square
            # By Gershgorin's discs, and because H is below the diagonal of its masses.
            shared += square * (1.0 - T.C.mass[c, i] / T.L.w[i]) if T.L.w[i] > 0.0 else 0.0
        largest = max(largest, min(own, 2.0 * shared))
    return largest


@part
def _subtract(W, T, U, s, x):  # type: ignore[no-untyped-def]
    """Subtract H x~_s x from V; x begins at entry s of the outputs' steps."""
    outputs, n = U.V.shape
    width = T.buffer.shape[1]
    work = T.buffer[0]
    write_column(T.D, W.feature[s], work)
    if width == 1:
        flex(T.L, T.C, work)
        for c in range(outputs):
            step = x[s * outputs + c]
            for i in range(n):
                U.V[c, i] -= step * work[0, i]
        return
    for c in range(outputs - 1, -1, -1):
        step = x[s * outputs + c]
        for i in range(n):
            work[c, i] = step * work[0, i] if T.L.w[i] > 0.0 else 0.0
    flex(T.L, T.C, work)
    for c in range(outputs):
        for i in range(n):
            U.V[c, i] -= work[c, i]


@part
def _update(S, T, s, alpha, h):  # type: ignore[no-untyped-def]
    """Solve the model for group s alone; return by how much the model fell, about."""
    W, U = S.W, S.U
    outputs = W.size[2]
    square = 0.0
    for c in range(outputs):
        k = s * outputs + c
        W.step[k] = dot(S.D, W.feature[s], U.V[c], U.sums[c]) + h * W.B[k]
        square += W.step[k] * W.step[k]
    length = math.sqrt(square)
    l1, l2 = alpha * W.l1[s], alpha * W.l2[s]
    shrink = (1.0 - l1 / length) / (h + l2) if length > l1 and h + l2 > 0.0 else 0.0
    fall = 0.0
    for c in range(outputs):
        k = s * outputs + c
        now = shrink * W.step[k]
        W.step[k] = now - W.B[k]
        fall += W.step[k] * W.step[k]
        W.B[k] = now
    if fall > 0.0:
        _subtract(W, T, U, s, W.step)
    return fall * h


@part
def _is_active(W, s):  # type: ignore[no-untyped-def]
    """Tell whether group s is not zero."""
    for k in range(s * W.size[2], (s + 1) * W.size[2]):
        if W.B[k] != 0.0:
            return True
    return False


@kernel
def descend(S, T, alpha, sweeps, enough, x):  # type: ignore[no-untyped-def]
    """Write x, the step of all slots that so many sweeps lead to, fewer where one moves little.

    ``enough`` is the share of the first sweep's move that ends it. All slots are listed as active then, as
    travel takes them. U.V is overwritten; W.B is as it was.
    """
    W = S.W
    outputs, m = W.size[2], W.size[0]
    for k in range(m * outputs):
        W.before[k] = W.B[k]
        W.rhs[k] = 0.0
    for s in range(m):
        W.stiff[s] = _bound(W, T, s)
    first = 0.0
    for sweep in range(sweeps):
        fall = 0.0
        for s in range(m):
            # Only the first sweep asks who else would enter.
            if sweep == 0 or _is_active(W, s):
                fall += _update(S, T, s, alpha, W.stiff[s])
        S.stats[SWEEPS] += 1
        first = max(first, fall)
        if fall <= enough * first:
            break
    for s in range(m):
        W.active[s] = s
        square = 0.0
        for k in range(s * outputs, (s + 1) * outputs):
            x[k] = W.B[k] - W.before[k]
            W.B[k] = W.before[k]
            square += x[k] * x[k]
        length = math.sqrt(square)
        for k in range(s * outputs, (s + 1) * outputs):
            W.along[k] = x[k] / length if length > 0.0 else 0.0
    W.size[1] = m
