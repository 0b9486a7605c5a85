"""Where the columns are: bundles of arrays and the verbs that read them.

A solver never sees X. It sees the columns x~_j = scale_j (x_j - mean_j) through the verbs below. ``mean`` is
zero without an intercept; ``scale`` is 1/sd_j when standardising. Vectors called ``v`` are weighted,
v = w * r, and ``vsum`` is their sum: with it centring costs O(1) per column, never O(n), in any storage.
"""

from __future__ import annotations

from typing import NamedTuple

from .._bundle import bundle
from .._jit import verb
from .._typing import Float, Index


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
def scan(D, features, start, stop, v, vsum, out):  # type: ignore[no-untyped-def]
    """Write out[k] = x~_features[k] . v for start <= k < stop."""
    raise TypeError(f"no storage verb 'scan' for {type(D).__name__}")


@verb
def moments(D, j, w, wy, ysum):  # type: ignore[no-untyped-def]
    """Return of the raw column j: mean, square about the mean, product with y, smallest and largest entry.

    wy = w * y, and ysum is its sum.
    """
    raise TypeError(f"no storage verb 'moments' for {type(D).__name__}")


@verb
def pack(D, features, count, packed):  # type: ignore[no-untyped-def]
    """Copy the listed columns to the front of packed, a design of the same kind.

    Small columns are read fastest side by side.
    """
    raise TypeError(f"no storage verb 'pack' for {type(D).__name__}")


@dot.member(Dense)
def _dense_dot(D, j, v, vsum):  # type: ignore[no-untyped-def]
    total = 0.0
    for i in range(v.shape[0]):
        total += D.XT[j, i] * v[i]
    return D.scale[j] * (total - D.mean[j] * vsum)


@add_column.member(Dense)
def _dense_add_column(D, j, a, r):  # type: ignore[no-untyped-def]
    step = a * D.scale[j]
    mean = D.mean[j]
    for i in range(r.shape[0]):
        r[i] += step * (D.XT[j, i] - mean)
    return 0.0


@add_weighted.member(Dense)
def _dense_add_weighted(D, j, a, w, v):  # type: ignore[no-untyped-def]
    step = a * D.scale[j]
    mean = D.mean[j]
    for i in range(v.shape[0]):
        v[i] += step * w[i] * (D.XT[j, i] - mean)
    return 0.0


@spread.member(Dense)
def _dense_spread(D, j, w, out):  # type: ignore[no-untyped-def]
    scale = D.scale[j]
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


@scan.member(Dense)
def _dense_scan(D, features, start, stop, v, vsum, out):  # type: ignore[no-untyped-def]
    n = v.shape[0]
    k = start
    # Four columns share each read of v; each is still summed whole: the split into calls does not matter.
    while k + 4 <= stop:
        a, b, c, d = features[k], features[k + 1], features[k + 2], features[k + 3]
        sa = sb = sc = sd = 0.0
        for i in range(n):
            sa += D.XT[a, i] * v[i]
            sb += D.XT[b, i] * v[i]
            sc += D.XT[c, i] * v[i]
            sd += D.XT[d, i] * v[i]
        out[k] = D.scale[a] * (sa - D.mean[a] * vsum)
        out[k + 1] = D.scale[b] * (sb - D.mean[b] * vsum)
        out[k + 2] = D.scale[c] * (sc - D.mean[c] * vsum)
        out[k + 3] = D.scale[d] * (sd - D.mean[d] * vsum)
        k += 4
    while k < stop:
        j = features[k]
        total = 0.0
        for i in range(n):
            total += D.XT[j, i] * v[i]
        out[k] = D.scale[j] * (total - D.mean[j] * vsum)
        k += 1


@moments.member(Dense)
def _dense_moments(D, j, w, wy, ysum):  # type: ignore[no-untyped-def]
    n = w.shape[0]
    mean = 0.0
    for i in range(n):
        mean += w[i] * D.XT[j, i]
    square = product = 0.0
    # D.XT[j, 0] * 1.0: a float64 start, so that extremes of float32 columns have one type.
    low = high = D.XT[j, 0] * 1.0
    # The second loop finds the column in cache; centring first costs nothing and loses no digits.
    for i in range(n):
        x = D.XT[j, i] * 1.0
        d = x - mean
        square += w[i] * d * d
        product += d * wy[i]
        low = min(low, x)
        high = max(high, x)
    return mean, square, product + mean * ysum, low, high


@dot.member(Csc)
def _csc_dot(D, j, v, vsum):  # type: ignore[no-untyped-def]
    total = 0.0
    for t in range(D.indptr[j], D.indptr[j + 1]):
        total += D.data[t] * v[D.indices[t]]
    return D.scale[j] * (total - D.mean[j] * vsum)


@add_column.member(Csc)
def _csc_add_column(D, j, a, r):  # type: ignore[no-untyped-def]
    step = a * D.scale[j]
    for t in range(D.indptr[j], D.indptr[j + 1]):
        r[D.indices[t]] += step * D.data[t]
    return -step * D.mean[j]


@add_weighted.member(Csc)
def _csc_add_weighted(D, j, a, w, v):  # type: ignore[no-untyped-def]
    step = a * D.scale[j]
    for t in range(D.indptr[j], D.indptr[j + 1]):
        i = D.indices[t]
        v[i] += step * w[i] * D.data[t]
    # mean_j is the weighted sum of x_j where an intercept is fitted, and vsum is not used where it is not.
    return step * D.mean[j]


@spread.member(Csc)
def _csc_spread(D, j, w, out):  # type: ignore[no-untyped-def]
    scale = D.scale[j]
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


@scan.member(Csc)
def _csc_scan(D, features, start, stop, v, vsum, out):  # type: ignore[no-untyped-def]
    for k in range(start, stop):
        j = features[k]
        total = 0.0
        for t in range(D.indptr[j], D.indptr[j + 1]):
            total += D.data[t] * v[D.indices[t]]
        out[k] = D.scale[j] * (total - D.mean[j] * vsum)


@pack.member(Csc)
def _csc_pack(D, features, count, packed):  # type: ignore[no-untyped-def]
    end = 0
    packed.indptr[0] = end
    for k in range(count):
        j = features[k]
        for t in range(D.indptr[j], D.indptr[j + 1]):
            packed.data[end] = D.data[t]
            packed.indices[end] = D.indices[t]
            end += 1
        packed.indptr[k + 1] = end
        packed.mean[k] = D.mean[j]
        packed.scale[k] = D.scale[j]


@moments.member(Csc)
def _csc_moments(D, j, w, wy, ysum):  # type: ignore[no-untyped-def]
    mean = stored = 0.0
    for t in range(D.indptr[j], D.indptr[j + 1]):
        i = D.indices[t]
        mean += w[i] * D.data[t]
        stored += w[i]
    # Rows that are not stored hold zero.
    low = high = 0.0
    if D.indptr[j + 1] - D.indptr[j] == w.shape[0]:
        low = high = D.data[D.indptr[j]] * 1.0
    square = product = 0.0
    for t in range(D.indptr[j], D.indptr[j + 1]):
        i = D.indices[t]
        x = D.data[t] * 1.0
        d = x - mean
        square += w[i] * d * d
        product += x * wy[i]
        low = min(low, x)
        high = max(high, x)
    square += max(1.0 - stored, 0.0) * mean * mean
    return mean, square, product, low, high
