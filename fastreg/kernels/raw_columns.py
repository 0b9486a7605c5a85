"""What the survey reads of raw columns, before there are centres and scales."""

from __future__ import annotations

from .._jit import part, verb
from .storage import Csc, Dense

# A rounding of float64.
EPSILON = 2.0**-52


@verb
def moments(D, start, stop, first, w, wy, ysum, out):  # type: ignore[no-untyped-def]
    """Write out[:, j - first] for the raw columns start <= j < stop, with wy = w * y and its sum.

    The rows of out: mean, square about the mean, product with y, and the sum of squares of all rows alike.
    """
    raise TypeError(f"no storage verb 'moments' for {type(D).__name__}")


@verb
def extent(D, j, n):  # type: ignore[no-untyped-def]
    """Return the smallest and the largest entry of the raw column j of n rows."""
    raise TypeError(f"no storage verb 'extent' for {type(D).__name__}")


@moments.member(Dense)
def _dense_moments(D, start, stop, first, w, wy, ysum, out):  # type: ignore[no-untyped-def]
    n, last = w.shape[0], stop - 1
    # Four columns share each read of the vectors; each is still summed whole, the last one in place of those
    # that are missing. Times 1.0: sums of float32 columns are float64.
    for a in range(start, stop, 4):
        b, c, d = min(a + 1, last), min(a + 2, last), min(a + 3, last)
        ma = mb = mc = md = ea = eb = ec = ed = 0.0
        for i in range(n):
            xa, xb, xc, xd = D.XT[a, i] * 1.0, D.XT[b, i] * 1.0, D.XT[c, i] * 1.0, D.XT[d, i] * 1.0
            ma += w[i] * xa
            mb += w[i] * xb
            mc += w[i] * xc
            md += w[i] * xd
            ea += xa * xa
            eb += xb * xb
            ec += xc * xc
            ed += xd * xd
        sa = sb = sc = sd = pa = pb = pc = pd = 0.0
        # The second loop finds the columns in cache; centring first costs nothing and loses no digits.
        for i in range(n):
            xa, xb = D.XT[a, i] * 1.0 - ma, D.XT[b, i] * 1.0 - mb
            xc, xd = D.XT[c, i] * 1.0 - mc, D.XT[d, i] * 1.0 - md
            sa += w[i] * xa * xa
            sb += w[i] * xb * xb
            sc += w[i] * xc * xc
            sd += w[i] * xd * xd
            pa += xa * wy[i]
            pb += xb * wy[i]
            pc += xc * wy[i]
            pd += xd * wy[i]
        _write_moments(out, a - first, ma, sa, pa + ma * ysum, ea)
        _write_moments(out, b - first, mb, sb, pb + mb * ysum, eb)
        _write_moments(out, c - first, mc, sc, pc + mc * ysum, ec)
        _write_moments(out, d - first, md, sd, pd + md * ysum, ed)


@part
def _write_moments(out, k, mean, square, product, energy):  # type: ignore[no-untyped-def]
    """Write the moments of one column."""
    out[0, k], out[1, k], out[2, k], out[3, k] = mean, square, product, energy


@extent.member(Dense)
def _dense_extent(D, j, n):  # type: ignore[no-untyped-def]
    low = high = D.XT[j, 0] * 1.0
    for i in range(1, n):
        x = D.XT[j, i] * 1.0
        # A comparison with NaN is false either way: whoever asks has seen that the sums are none.
        low = x if x < low else low
        high = x if x > high else high
    return low, high


@moments.member(Csc)
def _csc_moments(D, start, stop, first, w, wy, ysum, out):  # type: ignore[no-untyped-def]
    # What sums of weights are off by: where no more is left, no row is. Its root would be a spread.
    none = w.shape[0] * EPSILON
    for j in range(start, stop):
        mean = stored = energy = 0.0
        for t in range(D.indptr[j], D.indptr[j + 1]):
            i = D.indices[t]
            x = D.data[t] * 1.0
            mean += w[i] * x
            stored += w[i]
            energy += x * x
        square = product = 0.0
        for t in range(D.indptr[j], D.indptr[j + 1]):
            i = D.indices[t]
            x = D.data[t] * 1.0
            d = x - mean
            square += w[i] * d * d
            product += x * wy[i]
        # Rows that are not stored hold zero.
        rest = 1.0 - stored
        square += rest * mean * mean if rest > none else 0.0
        _write_moments(out, j - first, mean, square, product, energy)


@extent.member(Csc)
def _csc_extent(D, j, n):  # type: ignore[no-untyped-def]
    # Rows that are not stored hold zero.
    low = high = 0.0
    if D.indptr[j + 1] - D.indptr[j] == n:
        low = high = D.data[D.indptr[j]] * 1.0
    for t in range(D.indptr[j], D.indptr[j + 1]):
        low = min(low, D.data[t] * 1.0)
        high = max(high, D.data[t] * 1.0)
    return low, high
