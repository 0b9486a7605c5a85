"""The linear systems of Newton's method on groups: columns of the Gram matrix, and small systems solved.

With d = B_j / ||B_j|| the penalty's curvature of group j is stiff_j (I - d d') + ridge_j I. Two forms of the
loss's curvature: shared, where one Gram matrix G over features serves all outputs, and coupled, where entry
a C + c of the Gram matrix is output c of the a-th feature held. Large systems are LAPACK's.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from .._bundle import bundle
from .._jit import kernel, part
from .._typing import Float64
from .losses import Curvature, Loss, flex, weigh_intercepts
from .stacked import CscStack, DenseStack, write_column
from .storage import cross

# A pivot must keep this share of its diagonal entry: below, the matrix is singular to working precision.
PIVOT = 1e-14


@bundle
class Curving(NamedTuple):
    """What columns of the Gram matrix X~' H X~ are formed from: ``C`` is the curvature H.

    ``buffer`` (BLOCK, outputs, n) holds columns of H X~, ``totals`` (BLOCK, outputs) their sums.
    """

    D: DenseStack | CscStack
    L: Loss
    C: Curvature
    buffer: Float64
    totals: Float64


@kernel
def take_curvature(T, mass):  # type: ignore[no-untyped-def]
    """Make mass (outputs, n) the curvature that columns are formed with."""
    for c in range(mass.shape[0]):
        for i in range(mass.shape[1]):
            T.C.mass[c, i] = mass[c, i]
    weigh_intercepts(T.L, T.C)


@kernel
def form_columns(T, stacked, slots, have, count, block, gram):  # type: ignore[no-untyped-def]
    """Write rows and columns have to count of the Gram matrix over the stacked features; slots = 0, 1, ...

    ``block`` (BLOCK, entries) is work space.
    """
    width = T.buffer.shape[0]
    outputs, n = T.buffer.shape[1], T.buffer.shape[2]
    start = have
    while start < count:
        used = min(width, count - start)
        for b in range(used):
            x = T.buffer[b]
            write_column(T.D, stacked[start + b], x)
            # Rows without weight have no curvature, whatever flex makes of them.
            for c in range(outputs):
                for i in range(n):
                    if T.L.w[i] == 0.0:
                        x[c, i] = 0.0
            flex(T.L, T.C, x)
            for c in range(outputs):
                total = 0.0
                for i in range(n):
                    total += x[c, i]
                T.totals[b, c] = total
        cross(T.D, stacked, slots, start + used, T.buffer, T.totals, used, block)
        for b in range(used):
            for a in range(start + used):
                gram[start + b, a] = block[b, a]
                gram[a, start + b] = block[b, a]
        start += used


@part
def _subtract_products(A, size, start, stop):  # type: ignore[no-untyped-def]
    """Subtract from columns start to stop, at most four, what the columns before them contribute."""
    b = min(start + 1, stop - 1)
    c = min(start + 2, stop - 1)
    d = stop - 1
    # Two rows by four columns: each number that is read serves several products.
    for i in range(start, size, 2):
        j = min(i + 1, size - 1)
        ia = ib = ic = id_ = ja = jb = jc = jd = 0.0
        for k in range(start):
            x, z = A[i, k], A[j, k]
            va, vb, vc, vd = A[start, k], A[b, k], A[c, k], A[d, k]
            ia += x * va
            ib += x * vb
            ic += x * vc
            id_ += x * vd
            ja += z * va
            jb += z * vb
            jc += z * vc
            jd += z * vd
        A[i, start] -= ia
        if b > start:
            A[i, b] -= ib
        if c > b:
            A[i, c] -= ic
        if d > c:
            A[i, d] -= id_
        if j > i:
            A[j, start] -= ja
            if b > start:
                A[j, b] -= jb
            if c > b:
                A[j, c] -= jc
            if d > c:
                A[j, d] -= jd


@part
def _decompose(A, size):  # type: ignore[no-untyped-def]
    """Overwrite the lower triangle of A with its Cholesky factor; tell whether A is positive definite.

    The upper triangle is work space.
    """
    start = 0
    while start < size:
        stop = min(start + 4, size)
        # The products may have rounded: what a pivot was says whether what remains of it means anything.
        for q in range(start, stop):
            if not A[q, q] > 0.0:
                return False
        first, second = A[start, start], A[min(start + 1, stop - 1), min(start + 1, stop - 1)]
        third, fourth = A[min(start + 2, stop - 1), min(start + 2, stop - 1)], A[stop - 1, stop - 1]
        _subtract_products(A, size, start, stop)
        for q in range(start, stop):
            for r in range(start, q):
                share = A[q, r]
                for i in range(q, size):
                    A[i, q] -= share * A[i, r]
            was = first if q == start else second if q == start + 1 else third if q == start + 2 else fourth
            if not A[q, q] > PIVOT * was:
                return False
            root = math.sqrt(A[q, q])
            for i in range(q, size):
                A[i, q] /= root
        start = stop
    return True


@part
def _substitute(A, size, x):  # type: ignore[no-untyped-def]
    """Replace x by (A A')^-1 x, A lower triangular."""
    for i in range(size):
        total = 0.0
        for k in range(i):
            total += A[i, k] * x[k]
        x[i] = (x[i] - total) / A[i, i]
    for i in range(size - 1, -1, -1):
        x[i] /= A[i, i]
        for k in range(i):
            x[k] -= A[i, k] * x[i]


@part
def _gather_coupled(gram, places, along, stiff, ridge, extra, A):  # type: ignore[no-untyped-def]
    """Write the system of the listed places over A, the diagonal by the share ``extra`` larger."""
    k, outputs = along.shape
    # Beside their own size entries grow with the largest: one may have vanished to rounding.
    top = 0.0
    for a in range(k):
        for c in range(outputs):
            i = places[a] * outputs + c
            top = max(top, gram[i, i])
    for a in range(k):
        for c in range(outputs):
            i, row = a * outputs + c, places[a] * outputs + c
            for b in range(a + 1):
                for e in range(outputs):
                    A[i, b * outputs + e] = gram[row, places[b] * outputs + e]
    for a in range(k):
        level = 0.0
        if stiff[a] == 0.0 and ridge[a] == 0.0:
            # Nothing holds a free feature along one constant for all outputs: any curvature will do.
            for c in range(outputs):
                level += A[a * outputs + c, a * outputs + c]
            level /= outputs * outputs
        for c in range(outputs):
            i = a * outputs + c
            for e in range(outputs):
                A[i, a * outputs + e] += level - stiff[a] * along[a, c] * along[a, e]
            A[i, i] += stiff[a] + ridge[a]
            A[i, i] += extra * (math.fabs(A[i, i]) + top)


@kernel
def gather_coupled(gram, places, along, stiff, ridge, extra, A):  # type: ignore[no-untyped-def]
    """Write the coupled system's lower triangle over A."""
    _gather_coupled(gram, places, along, stiff, ridge, extra, A)


@kernel
def solve_coupled(gram, places, along, stiff, ridge, extra, A, x):  # type: ignore[no-untyped-def]
    """Replace x by the solution of the coupled system; tell whether there is one. A is work space."""
    _gather_coupled(gram, places, along, stiff, ridge, extra, A)
    size = x.shape[0]
    if not _decompose(A, size):
        return False
    _substitute(A, size, x)
    return True


@part
def _invert_lower(A, size, B):  # type: ignore[no-untyped-def]
    """Write the inverse of A A' over B, A lower triangular; A's own inverse replaces it."""
    for j in range(size):
        A[j, j] = 1.0 / A[j, j]
        for i in range(j + 1, size):
            total = 0.0
            for k in range(j, i):
                total += A[i, k] * A[k, j]
            A[i, j] = -total / A[i, i]
    for i in range(size):
        for j in range(i + 1):
            B[i, j] = 0.0
    # By rows of the factor, so that the inner loop runs along memory.
    for k in range(size):
        for i in range(k + 1):
            factor = A[k, i]
            for j in range(i + 1):
                B[i, j] += factor * A[k, j]
    for i in range(size):
        for j in range(i):
            B[j, i] = B[i, j]


@kernel
def solve_shared(gram, places, along, stiff, ridge, extra, A, B, v, rhs, x):  # type: ignore[no-untyped-def]
    """Write x (groups, outputs), the solution of the shared system; tell whether there is one.

    Without the terms d d' it is M (x) I, M = G + diag(stiff + ridge); they are one direction per group, so
    Woodbury's formula leaves two systems in as many unknowns as groups: with U their columns and S = stiff,
    (M (x) I - U S U')^-1 = M^-1 + M^-1 U S^1/2 (I - S^1/2 U' M^-1 U S^1/2)^-1 S^1/2 U' M^-1.
    A, B and v are work space.
    """
    k, outputs = along.shape
    for a in range(k):
        for b in range(a + 1):
            A[a, b] = gram[places[a], places[b]]
        A[a, a] += stiff[a] + ridge[a]
        A[a, a] *= 1.0 + extra
    if not _decompose(A, k):
        return False
    _invert_lower(A, k, B)
    for a in range(k):
        for c in range(outputs):
            x[a, c] = 0.0
        for b in range(k):
            for c in range(outputs):
                x[a, c] += B[a, b] * rhs[b, c]
    for a in range(k):
        for b in range(a + 1):
            total = 0.0
            for c in range(outputs):
                total += along[a, c] * along[b, c]
            A[a, b] = -total * B[a, b] * math.sqrt(stiff[a] * stiff[b])
        A[a, a] += 1.0 + extra
        total = 0.0
        for c in range(outputs):
            total += along[a, c] * x[a, c]
        v[a] = math.sqrt(stiff[a]) * total
    if not _decompose(A, k):
        return False
    _substitute(A, k, v)
    for a in range(k):
        for b in range(k):
            factor = B[a, b] * math.sqrt(stiff[b]) * v[b]
            for c in range(outputs):
                x[a, c] += factor * along[b, c]
    return True
