"""Columns for several outputs: feature c p + j of the stack is column j in the equation of output c.

Vectors have shape (outputs, n); every output is fitted by the same columns. With one output the stack is the
design itself. Verbs as in ``storage``; residuals of these problems sum to zero, but for rounding, wherever
columns are centred, and only ``scan`` corrects for what they do not.
"""

from __future__ import annotations

from typing import NamedTuple

from .._bundle import bundle
from .._jit import part, verb
from .._typing import Float, Float64, Index
from .repeated import entry
from .storage import cross, gather, scan, scan_dense


@bundle
class DenseStack(NamedTuple):
    """Dense columns, as in ``Dense``, for as many outputs as the vectors have rows."""

    XT: Float
    mean: Float
    scale: Float


@bundle
class CscStack(NamedTuple):
    """Compressed columns, as in ``Csc``, for as many outputs as the vectors have rows."""

    data: Float
    indices: Index
    indptr: Index
    mean: Float64
    scale: Float64


@verb
def add_columns(D, feature, beta, m, E, shift):  # type: ignore[no-untyped-def]
    """Add the columns times beta to E for slots < m, up to a constant per output, added to shift."""
    raise TypeError(f"no storage verb 'add_columns' for {type(D).__name__}")


@verb
def write_column(D, f, x):  # type: ignore[no-untyped-def]
    """Write column f over x (outputs, n): zero but in its own output."""
    raise TypeError(f"no storage verb 'write_column' for {type(D).__name__}")


@part
def _output(D, f):  # type: ignore[no-untyped-def]
    """Return the output that feature f belongs to; most problems have one."""
    return 0 if f < D.mean.shape[0] else f // D.mean.shape[0]


@scan.member(DenseStack)
def _dense_scan(D, features, start, stop, V, vsums, out):  # type: ignore[no-untyped-def]
    k = start
    while k < stop:
        e = _output(D, features[k])
        end = k + 1
        while end < stop and _output(D, features[end]) == e:
            end += 1
        scan_dense(D, features, e * D.mean.shape[0], k, end, V[e], vsums[e], out)
        k = end


@scan.member(CscStack)
def _csc_scan(D, features, start, stop, V, vsums, out):  # type: ignore[no-untyped-def]
    p = D.mean.shape[0]
    for k in range(start, stop):
        e = _output(D, features[k])
        j = features[k] - e * p
        total = gather(D.data, D.indices, D.indptr[j], D.indptr[j + 1], V[e])
        out[k] = entry(D.scale, j) * (total - D.mean[j] * vsums[e])


@add_columns.member(DenseStack)
def _dense_add_columns(D, feature, beta, m, E, shift):  # type: ignore[no-untyped-def]
    for s in range(m):
        if beta[s] == 0.0:
            continue
        e = _output(D, feature[s])
        j = feature[s] - e * D.mean.shape[0]
        step, mean = beta[s] * entry(D.scale, j), D.mean[j]
        for i in range(E.shape[1]):
            E[e, i] += step * (D.XT[j, i] - mean)


@add_columns.member(CscStack)
def _csc_add_columns(D, feature, beta, m, E, shift):  # type: ignore[no-untyped-def]
    for s in range(m):
        if beta[s] == 0.0:
            continue
        e = _output(D, feature[s])
        j = feature[s] - e * D.mean.shape[0]
        step = beta[s] * entry(D.scale, j)
        for t in range(D.indptr[j], D.indptr[j + 1]):
            E[e, D.indices[t]] += step * D.data[t]
        shift[e] -= step * D.mean[j]


@write_column.member(DenseStack)
def _dense_write_column(D, f, x):  # type: ignore[no-untyped-def]
    e = _output(D, f)
    j = f - e * D.mean.shape[0]
    for c in range(x.shape[0]):
        for i in range(x.shape[1]):
            x[c, i] = 0.0
    for i in range(x.shape[1]):
        x[e, i] = entry(D.scale, j) * (D.XT[j, i] - D.mean[j])


@write_column.member(CscStack)
def _csc_write_column(D, f, x):  # type: ignore[no-untyped-def]
    e = _output(D, f)
    j = f - e * D.mean.shape[0]
    for c in range(x.shape[0]):
        for i in range(x.shape[1]):
            x[c, i] = 0.0
    centre = -entry(D.scale, j) * D.mean[j]
    for i in range(x.shape[1]):
        x[e, i] = centre
    for t in range(D.indptr[j], D.indptr[j + 1]):
        x[e, D.indices[t]] += entry(D.scale, j) * D.data[t]


@cross.member(DenseStack)
def _dense_cross(D, feature, slots, k, V, vsums, count, out):  # type: ignore[no-untyped-def]
    n = V.shape[2]
    p = D.mean.shape[0]
    for a in range(k):
        e = _output(D, feature[slots[a]])
        j = feature[slots[a]] - e * p
        b = 0
        while b + 4 <= count:
            sa = sb = sc = sd = 0.0
            for i in range(n):
                x = D.XT[j, i]
                sa += x * V[b, e, i]
                sb += x * V[b + 1, e, i]
                sc += x * V[b + 2, e, i]
                sd += x * V[b + 3, e, i]
            out[b, a] = entry(D.scale, j) * (sa - D.mean[j] * vsums[b, e])
            out[b + 1, a] = entry(D.scale, j) * (sb - D.mean[j] * vsums[b + 1, e])
            out[b + 2, a] = entry(D.scale, j) * (sc - D.mean[j] * vsums[b + 2, e])
            out[b + 3, a] = entry(D.scale, j) * (sd - D.mean[j] * vsums[b + 3, e])
            b += 4
        while b < count:
            total = 0.0
            for i in range(n):
                total += D.XT[j, i] * V[b, e, i]
            out[b, a] = entry(D.scale, j) * (total - D.mean[j] * vsums[b, e])
            b += 1


@cross.member(CscStack)
def _csc_cross(D, feature, slots, k, V, vsums, count, out):  # type: ignore[no-untyped-def]
    p = D.mean.shape[0]
    for a in range(k):
        e = _output(D, feature[slots[a]])
        j = feature[slots[a]] - e * p
        for b in range(count):
            total = gather(D.data, D.indices, D.indptr[j], D.indptr[j + 1], V[b, e])
            out[b, a] = entry(D.scale, j) * (total - D.mean[j] * vsums[b, e])
