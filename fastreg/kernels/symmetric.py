"""Symmetric matrices: whole while they are small, beyond that the half on and below the diagonal.

A large one comes from memory that is slower than arithmetic: half of it is read and written in half the
time. What is above the diagonal is then out of date.
"""

from __future__ import annotations

from .._jit import part

# A matrix with more rows than this is kept by its lower half alone.
LARGE = 300


@part
def multiply(M, k, x, out):  # type: ignore[no-untyped-def]
    """Write out = M x, four rows at a time."""
    for a in range(k):
        out[a] = 0.0
    strips = k - k % 4
    for a in range(0, strips, 4):
        if k > LARGE:
            _multiply_strip(M, a, x, out)
        else:
            out[a], out[a + 1], out[a + 2], out[a + 3] = _four_rows(M, a, k, x)
    for a in range(strips, k):
        if k > LARGE:
            _multiply_row(M, a, x, out)
            continue
        total = 0.0
        for c in range(k):
            total += M[a, c] * x[c]
        out[a] = total


@part
def _four_rows(M, a, stop, x):  # type: ignore[no-untyped-def]
    """Return the products of rows a to a + 3 with x, up to column stop."""
    sa = sb = sc = sd = 0.0
    for c in range(stop):
        sa += M[a, c] * x[c]
        sb += M[a + 1, c] * x[c]
        sc += M[a + 2, c] * x[c]
        sd += M[a + 3, c] * x[c]
    return sa, sb, sc, sd


@part
def _multiply_strip(M, a, x, out):  # type: ignore[no-untyped-def]
    """Add to out what rows a to a + 3 of the lower half and their mirror image contribute to M x."""
    xa, xb, xc, xd = x[a], x[a + 1], x[a + 2], x[a + 3]
    sums = _four_rows(M, a, a, x)
    # A loop of its own: one that sums and writes sums in another order where arrays lie side by side.
    for c in range(a):
        out[c] += (M[a, c] * xa + M[a + 1, c] * xb) + (M[a + 2, c] * xc + M[a + 3, c] * xd)
    _close_strip(M, a, x, sums, out)


@part
def _multiply_strip_twice(M, a, x, z, out, other):  # type: ignore[no-untyped-def]
    """Do what _multiply_strip does for x and for z: each number of M that is read serves both."""
    sa = sb = sc = sd = ta = tb = tc = td = 0.0
    for c in range(a):
        sa += M[a, c] * x[c]
        sb += M[a + 1, c] * x[c]
        sc += M[a + 2, c] * x[c]
        sd += M[a + 3, c] * x[c]
        ta += M[a, c] * z[c]
        tb += M[a + 1, c] * z[c]
        tc += M[a + 2, c] * z[c]
        td += M[a + 3, c] * z[c]
    xa, xb, xc, xd = x[a], x[a + 1], x[a + 2], x[a + 3]
    za, zb, zc, zd = z[a], z[a + 1], z[a + 2], z[a + 3]
    for c in range(a):
        out[c] += (M[a, c] * xa + M[a + 1, c] * xb) + (M[a + 2, c] * xc + M[a + 3, c] * xd)
        other[c] += (M[a, c] * za + M[a + 1, c] * zb) + (M[a + 2, c] * zc + M[a + 3, c] * zd)
    _close_strip(M, a, x, (sa, sb, sc, sd), out)
    _close_strip(M, a, z, (ta, tb, tc, td), other)


@part
def _close_strip(M, a, x, sums, out):  # type: ignore[no-untyped-def]
    """Add to out what rows a to a + 3 summed up, and their square at the diagonal times x."""
    xa, xb, xc, xd = x[a], x[a + 1], x[a + 2], x[a + 3]
    sa, sb, sc, sd = sums
    ba, ca, cb = M[a + 1, a], M[a + 2, a], M[a + 2, a + 1]
    da, db, dc = M[a + 3, a], M[a + 3, a + 1], M[a + 3, a + 2]
    out[a] += sa + (M[a, a] * xa + ba * xb) + (ca * xc + da * xd)
    out[a + 1] += sb + (ba * xa + M[a + 1, a + 1] * xb) + (cb * xc + db * xd)
    out[a + 2] += sc + (ca * xa + cb * xb) + (M[a + 2, a + 2] * xc + dc * xd)
    out[a + 3] += sd + (da * xa + db * xb) + (dc * xc + M[a + 3, a + 3] * xd)


@part
def _multiply_row(M, a, x, out):  # type: ignore[no-untyped-def]
    """Add to out what row a of the lower half and its mirror image contribute to M x."""
    total = 0.0
    for c in range(a + 1):
        total += M[a, c] * x[c]
    for c in range(a):
        out[c] += M[a, c] * x[a]
    out[a] += total


@part
def multiply_several(M, k, vectors, count, out):  # type: ignore[no-untyped-def]
    """Write out[b] = M vectors[b] for b < count; M is read once for all."""
    if k <= LARGE:
        _multiply_whole(M, k, vectors, count, out)
        return
    for b in range(count):
        for a in range(k):
            out[b, a] = 0.0
    strips = k - k % 4
    for a in range(0, strips, 4):
        for b in range(0, count - 1, 2):
            _multiply_strip_twice(M, a, vectors[b], vectors[b + 1], out[b], out[b + 1])
        if count % 2 == 1:
            _multiply_strip(M, a, vectors[count - 1], out[count - 1])
    for a in range(strips, k):
        for b in range(count):
            _multiply_row(M, a, vectors[b], out[b])


@part
def _multiply_whole(M, k, vectors, count, out):  # type: ignore[no-untyped-def]
    """Write out[b] = M vectors[b] for b < count; four vectors share each read of M."""
    for a in range(k):
        b = 0
        while b + 4 <= count:
            sa = sb = sc = sd = 0.0
            for c in range(k):
                x = M[a, c]
                sa += x * vectors[b, c]
                sb += x * vectors[b + 1, c]
                sc += x * vectors[b + 2, c]
                sd += x * vectors[b + 3, c]
            out[b, a] = sa
            out[b + 1, a] = sb
            out[b + 2, a] = sc
            out[b + 3, a] = sd
            b += 4
        while b < count:
            total = 0.0
            for c in range(k):
                total += M[a, c] * vectors[b, c]
            out[b, a] = total
            b += 1


@part
def add_row(M, k, h, factor, out):  # type: ignore[no-untyped-def]
    """Add factor times row h of M to out."""
    stored = h + 1 if k > LARGE else k
    for c in range(stored):
        out[c] += factor * M[h, c]
    for a in range(stored, k):
        out[a] += factor * M[a, h]


@part
def add_products(M, k, left, right, count):  # type: ignore[no-untyped-def]
    """Add the sum of the products left[b]' right[b] for b < count, symmetric as a whole, to M."""
    for a in range(k):
        stored = a + 1 if k > LARGE else k
        b = 0
        # Two or three that are left count as four, some of them zero: M is read and written once less.
        while b + 1 < count:
            d, e = min(b + 2, count - 1), min(b + 3, count - 1)
            fa, fb = left[b, a], left[b + 1, a]
            fd = left[d, a] if b + 2 < count else 0.0
            fe = left[e, a] if b + 3 < count else 0.0
            for c in range(stored):
                M[a, c] += fa * right[b, c] + fb * right[b + 1, c] + fd * right[d, c] + fe * right[e, c]
            b += 4
        if b < count:
            factor = left[b, a]
            for c in range(stored):
                M[a, c] += factor * right[b, c]


@part
def subtract_square(M, k, weight, x):  # type: ignore[no-untyped-def]
    """Subtract weight x' x from M."""
    for a in range(k):
        factor = x[a] * weight
        for c in range(a + 1 if k > LARGE else k):
            M[a, c] -= factor * x[c]


@part
def move_last(M, k, h):  # type: ignore[no-untyped-def]
    """Let the last row and column take the place of row and column h; the matrix that remains has k - 1."""
    last = k - 1
    if h < last:
        for a in range(h):
            M[h, a] = M[last, a]
        M[h, h] = M[last, last]
        for a in range(h + 1, last):
            M[a, h] = M[last, a]
    # The upper half is up to date only if all of the matrix was.
    if last == LARGE:
        _mirror(M, last)
    elif last < LARGE and h < last:
        for a in range(last):
            M[h, a] = M[a, h] if a > h else M[h, a]
            M[a, h] = M[h, a]


@part
def _mirror(M, k):  # type: ignore[no-untyped-def]
    """Write the upper half of M from the lower one."""
    for a in range(k):
        for c in range(a):
            M[c, a] = M[a, c]
