"""Where the columns are: bundles of arrays and the verbs that read them.

A solver never sees X. It sees the columns x~_j = scale_j (x_j - mean_j) through the verbs below. ``mean`` is
zero without an intercept; ``scale`` is 1/sd_j when standardising, else one entry for all columns, 1. Vectors
called ``v`` are weighted, v = w * r, and ``vsum`` is their sum: with it centring costs O(1) per column, never
O(n), in any storage.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .._bundle import bundle
from .._jit import fused_part, part, verb
from .._typing import Float, Index
from .repeated import entry


@bundle
class Dense(NamedTuple):
    """Columns as the rows of XT, shape (p, n), C-ordered, read-only, float64 or float32."""

    XT: Float
    mean: Float
    scale: Float


@bundle
class Csc(NamedTuple):
    """Compressed columns: entries indptr[j] to indptr[j + 1] of data and indices belong to column j.

    Indices are unsigned views: a signed index would be tested for Python's negative indexing at every entry.
    """

    data: Float
    indices: Index
    indptr: Index
    mean: Float
    scale: Float


@verb
def dot(D, j, v, vsum):  # type: ignore[no-untyped-def]
    """Return x~_j . v for a weighted vector v with sum vsum."""
    raise TypeError(f"no storage verb 'dot' for {type(D).__name__}")


@verb
def add_column(D, j, a, r):  # type: ignore[no-untyped-def]
    """Add a x~_j to r up to a constant; return the constant that is still to be added to every entry."""
    raise TypeError(f"no storage verb 'add_column' for {type(D).__name__}")


@verb
def add_weighted(D, j, a, w, v):  # type: ignore[no-untyped-def]
    """Add a w * x~_j to v up to a multiple of w; return by how much the sum of v changed."""
    raise TypeError(f"no storage verb 'add_weighted' for {type(D).__name__}")


@verb
def spread(D, j, w, out):  # type: ignore[no-untyped-def]
    """Write w * x~_j, up to a multiple of w, over the zeros of out; return its sum."""
    raise TypeError(f"no storage verb 'spread' for {type(D).__name__}")


@verb
def clear(D, j, out):  # type: ignore[no-untyped-def]
    """Set to zero what spread wrote for column j."""
    raise TypeError(f"no storage verb 'clear' for {type(D).__name__}")


@verb
def subtract_columns(D, feature, beta, m, r):  # type: ignore[no-untyped-def]
    """Subtract the columns times beta from r, for slots < m, up to a constant; return what is to be added."""
    raise TypeError(f"no storage verb 'subtract_columns' for {type(D).__name__}")


@verb
def cross(D, feature, slots, k, V, vsums, count, out):  # type: ignore[no-untyped-def]
    """Write out[b, a] = x~_feature[slots[a]] . V[b] for a < k and b < count; vsums[b] is the sum of V[b]."""
    raise TypeError(f"no storage verb 'cross' for {type(D).__name__}")


@verb
def scan(D, features, start, stop, v, vsum, out):  # type: ignore[no-untyped-def]
    """Write out[k] = x~_features[k] . v for start <= k < stop."""
    raise TypeError(f"no storage verb 'scan' for {type(D).__name__}")


@verb
def pack(D, features, first, packed):  # type: ignore[no-untyped-def]
    """Copy the listed columns into packed, a design of the same kind, from its column number first on.

    Small columns are read fastest side by side.
    """
    raise TypeError(f"no storage verb 'pack' for {type(D).__name__}")


@dot.member(Dense)
def _dense_dot(D, j, v, vsum):  # type: ignore[no-untyped-def]
    total = 0.0
    for i in range(v.shape[0]):
        total += D.XT[j, i] * v[i]
    return entry(D.scale, j) * (total - D.mean[j] * vsum)


@add_column.member(Dense)
def _dense_add_column(D, j, a, r):  # type: ignore[no-untyped-def]
    step = a * entry(D.scale, j)
    mean = D.mean[j]
    for i in range(r.shape[0]):
        r[i] += step * (D.XT[j, i] - mean)
    return 0.0


@add_weighted.member(Dense)
def _dense_add_weighted(D, j, a, w, v):  # type: ignore[no-untyped-def]
    step = a * entry(D.scale, j)
    mean = D.mean[j]
    for i in range(v.shape[0]):
        v[i] += step * w[i] * (D.XT[j, i] - mean)
    return 0.0


@spread.member(Dense)
def _dense_spread(D, j, w, out):  # type: ignore[no-untyped-def]
    scale = entry(D.scale, j)
    mean = D.mean[j]
    for i in range(out.shape[0]):
        out[i] = w[i] * scale * (D.XT[j, i] - mean)
    # A loop of its own: one that sums and writes sums in another order where arrays lie side by side.
    total = 0.0
    for i in range(out.shape[0]):
        total += out[i]
    return total


@clear.member(Dense)
def _dense_clear(D, j, out):  # type: ignore[no-untyped-def]
    for i in range(out.shape[0]):
        out[i] = 0.0


@subtract_columns.member(Dense)
def _dense_subtract_columns(D, feature, beta, m, r):  # type: ignore[no-untyped-def]
    n = r.shape[0]
    held = 0
    s0 = s1 = s2 = 0
    for s in range(m):
        if beta[s] == 0.0:
            continue
        # Four columns share each read and write of r.
        if held == 0:
            s0 = s
        elif held == 1:
            s1 = s
        elif held == 2:
            s2 = s
        else:
            a, b, c, d = feature[s0], feature[s1], feature[s2], feature[s]
            fa, fb = beta[s0] * entry(D.scale, a), beta[s1] * entry(D.scale, b)
            fc, fd = beta[s2] * entry(D.scale, c), beta[s] * entry(D.scale, d)
            ma, mb, mc, md = D.mean[a], D.mean[b], D.mean[c], D.mean[d]
            for i in range(n):
                r[i] -= (fa * (D.XT[a, i] - ma) + fb * (D.XT[b, i] - mb)) + (
                    fc * (D.XT[c, i] - mc) + fd * (D.XT[d, i] - md)
                )
            held = -1
        held += 1
    if held > 0:
        add_column(D, feature[s0], -beta[s0], r)
    if held > 1:
        add_column(D, feature[s1], -beta[s1], r)
    if held > 2:
        add_column(D, feature[s2], -beta[s2], r)
    return 0.0


@cross.member(Dense)
def _dense_cross(D, feature, slots, k, V, vsums, count, out):  # type: ignore[no-untyped-def]
    n = V.shape[1]
    # Two columns by four vectors: each number that is read serves several products.
    for start in range(0, k, 2):
        after = min(start + 1, k - 1)
        j, other = feature[slots[start]], feature[slots[after]]
        mean, scale = D.mean[j], entry(D.scale, j)
        mean_other, scale_other = D.mean[other], entry(D.scale, other)
        b = 0
        # Two or three vectors that are left count as four: they are in cache, columns may not be.
        while b + 1 < count:
            c, d = min(b + 2, count - 1), min(b + 3, count - 1)
            ja = jb = jc = jd = la = lb = lc = ld = 0.0
            for i in range(n):
                x, z = D.XT[j, i], D.XT[other, i]
                va, vb, vc, vd = V[b, i], V[b + 1, i], V[c, i], V[d, i]
                ja += x * va
                jb += x * vb
                jc += x * vc
                jd += x * vd
                la += z * va
                lb += z * vb
                lc += z * vc
                ld += z * vd
            out[b, start] = scale * (ja - mean * vsums[b])
            out[b + 1, start] = scale * (jb - mean * vsums[b + 1])
            out[c, start] = scale * (jc - mean * vsums[c])
            out[d, start] = scale * (jd - mean * vsums[d])
            out[b, after] = scale_other * (la - mean_other * vsums[b])
            out[b + 1, after] = scale_other * (lb - mean_other * vsums[b + 1])
            out[c, after] = scale_other * (lc - mean_other * vsums[c])
            out[d, after] = scale_other * (ld - mean_other * vsums[d])
            b += 4
        if b < count:
            one = two = 0.0
            for i in range(n):
                one += D.XT[j, i] * V[b, i]
                two += D.XT[other, i] * V[b, i]
            out[b, start] = scale * (one - mean * vsums[b])
            out[b, after] = scale_other * (two - mean_other * vsums[b])


@fused_part
def gather(data, indices, start, stop, v):  # type: ignore[no-untyped-def]
    """Return the sum of data[t] v[indices[t]] for start <= t < stop.

    In this order: LLVM would take eight at a time if it might reorder, and most columns hold fewer than two
    such strides and a remainder cost.
    """
    t, last = np.int64(start), np.int64(stop) - 1
    if t > last:
        return 0.0
    even = odd = 0.0
    while t < last:
        even += data[t] * v[indices[t]]
        odd += data[t + 1] * v[indices[t + 1]]
        t += 2
    # No branch: whether one is left is anybody's guess, and a wrong one costs as much as a dozen entries.
    is_left = float(last + 1 - t)
    t = min(t, last)
    return even + odd + is_left * data[t] * v[indices[t]]


@scan.member(Dense)
def _dense_scan(D, features, start, stop, v, vsum, out):  # type: ignore[no-untyped-def]
    # Zero, but not a literal: for a literal numba would compile another one.
    scan_dense(D, features, 0 * start, start, stop, v, vsum, out)


@part
def scan_dense(D, features, first, start, stop, v, vsum, out):  # type: ignore[no-untyped-def]
    """Do what scan does for columns features[k] - first of a dense design or stack."""
    n, last = v.shape[0], stop - 1
    # Eight columns share each read of v, and eight streams hide what it takes to find them in memory. Each is
    # summed whole, and the last one stands in for those that are missing: no sum depends on how a list is
    # split into calls.
    for k in range(start, stop, 8):
        kb, kc, kd, ke = min(k + 1, last), min(k + 2, last), min(k + 3, last), min(k + 4, last)
        kf, kg, kh = min(k + 5, last), min(k + 6, last), min(k + 7, last)
        a, b, c, d = features[k] - first, features[kb] - first, features[kc] - first, features[kd] - first
        e, f, g, h = features[ke] - first, features[kf] - first, features[kg] - first, features[kh] - first
        sa = sb = sc = sd = se = sf = sg = sh = 0.0
        for i in range(n):
            sa += D.XT[a, i] * v[i]
            sb += D.XT[b, i] * v[i]
            sc += D.XT[c, i] * v[i]
            sd += D.XT[d, i] * v[i]
            se += D.XT[e, i] * v[i]
            sf += D.XT[f, i] * v[i]
            sg += D.XT[g, i] * v[i]
            sh += D.XT[h, i] * v[i]
        out[k], out[kb], out[kc], out[kd] = sa, sb, sc, sd
        out[ke], out[kf], out[kg], out[kh] = se, sf, sg, sh
        for u in range(k, min(k + 8, stop)):
            j = features[u] - first
            out[u] = entry(D.scale, j) * (out[u] - D.mean[j] * vsum)


@dot.member(Csc)
def _csc_dot(D, j, v, vsum):  # type: ignore[no-untyped-def]
    total = gather(D.data, D.indices, D.indptr[j], D.indptr[j + 1], v)
    return entry(D.scale, j) * (total - D.mean[j] * vsum)


@add_column.member(Csc)
def _csc_add_column(D, j, a, r):  # type: ignore[no-untyped-def]
    step = a * entry(D.scale, j)
    for t in range(D.indptr[j], D.indptr[j + 1]):
        r[D.indices[t]] += step * D.data[t]
    return -step * D.mean[j]


@add_weighted.member(Csc)
def _csc_add_weighted(D, j, a, w, v):  # type: ignore[no-untyped-def]
    step = a * entry(D.scale, j)
    for t in range(D.indptr[j], D.indptr[j + 1]):
        i = D.indices[t]
        v[i] += step * w[i] * D.data[t]
    # mean_j is the weighted sum of x_j where an intercept is fitted, and vsum is not used where it is not.
    return step * D.mean[j]


@spread.member(Csc)
def _csc_spread(D, j, w, out):  # type: ignore[no-untyped-def]
    scale = entry(D.scale, j)
    total = 0.0
    for t in range(D.indptr[j], D.indptr[j + 1]):
        i = D.indices[t]
        out[i] = w[i] * scale * D.data[t]
        total += out[i]
    return total


@clear.member(Csc)
def _csc_clear(D, j, out):  # type: ignore[no-untyped-def]
    for t in range(D.indptr[j], D.indptr[j + 1]):
        out[D.indices[t]] = 0.0


@subtract_columns.member(Csc)
def _csc_subtract_columns(D, feature, beta, m, r):  # type: ignore[no-untyped-def]
    shift = 0.0
    for s in range(m):
        if beta[s] != 0.0:
            j = feature[s]
            step = beta[s] * entry(D.scale, j)
            for t in range(D.indptr[j], D.indptr[j + 1]):
                r[D.indices[t]] -= step * D.data[t]
            shift += step * D.mean[j]
    return shift


@cross.member(Csc)
def _csc_cross(D, feature, slots, k, V, vsums, count, out):  # type: ignore[no-untyped-def]
    for a in range(k):
        j = feature[slots[a]]
        for b in range(count):
            total = gather(D.data, D.indices, D.indptr[j], D.indptr[j + 1], V[b])
            out[b, a] = entry(D.scale, j) * (total - D.mean[j] * vsums[b])


@scan.member(Csc)
def _csc_scan(D, features, start, stop, v, vsum, out):  # type: ignore[no-untyped-def]
    for k in range(start, stop):
        j = features[k]
        total = gather(D.data, D.indices, D.indptr[j], D.indptr[j + 1], v)
        out[k] = entry(D.scale, j) * (total - D.mean[j] * vsum)


@pack.member(Csc)
def _csc_pack(D, features, first, packed):  # type: ignore[no-untyped-def]
    # Signed: numba adds one to an unsigned number in floating point.
    end = np.int64(packed.indptr[first])
    for t in range(features.shape[0]):
        j = features[t]
        k = first + t
        for at in range(D.indptr[j], D.indptr[j + 1]):
            packed.data[end] = D.data[at]
            packed.indices[end] = D.indices[at]
            end += 1
        packed.indptr[k + 1] = end
        packed.mean[k] = D.mean[j]
        packed.scale[k] = entry(D.scale, j)
