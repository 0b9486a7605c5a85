"""Gram columns of short columns: products are taken where two columns meet, not over all rows.

With the diagonal curvature H of one output and free intercepts H~ = H - H 1 1' H / (1' H 1) (F38), so that

    x~_a' H~ x~_b = scale_a scale_b ( sum_i h_i x_ia x_ib - (sum_i h_i x_ia) (sum_i h_i x_ib) / sum_i h_i )

whatever the columns are centred at; without an intercept they are not centred. The features that were in the
support so far are listed by rows: a row of text holds a few of them, where the support's columns hold 10^5
entries.
"""

from __future__ import annotations

from typing import NamedTuple

from .._bundle import bundle
from .._jit import part, verb
from .._typing import Float64, Index
from .losses import COX, HAS_INTERCEPT, KIND
from .repeated import entry
from .stacked import CscStack, DenseStack

# Columns that fill more than this share of the rows lose more than a digit where the second product is
# subtracted.
CROWDED = 0.9


@bundle
class Rows(NamedTuple):
    """The entries of the features that were in the support so far, by rows of X.

    Those features are known by numbers, so that what belongs to them lies together: ``number`` (p,) has them
    or -1, ``size`` = [how many]. Row i's entries are at ``begin[i]`` to ``end[i]`` of ``listed``, whose they
    are, and ``entry``. ``total`` (p,) is scale times a column's sum under the curvature it entered with. By
    number: ``product``, zero between calls, and ``seat``, the place in the support or -1.
    """

    begin: Index
    end: Index
    listed: Index
    entry: Float64
    number: Index
    size: Index
    total: Float64
    product: Float64
    seat: Index


@verb
def cross_short(D, U, W, F, count):  # type: ignore[no-untyped-def]
    """Write F.columns and F.small[0] as gram_columns does, if columns are short; tell whether they are."""
    raise TypeError(f"no storage verb 'cross_short' for {type(D).__name__}")


@verb
def gram_short(D, U, W, F):  # type: ignore[no-untyped-def]
    """Write F.gram afresh, if columns are short; tell whether they are."""
    raise TypeError(f"no storage verb 'gram_short' for {type(D).__name__}")


@verb
def entries_of_column(D, U, W):  # type: ignore[no-untyped-def]
    """Return how many entries a product of two columns reads, about."""
    raise TypeError(f"no storage verb 'entries_of_column' for {type(D).__name__}")


@cross_short.member(DenseStack)
def _dense_cross_short(D, U, W, F, count):  # type: ignore[no-untyped-def]
    return False


@gram_short.member(DenseStack)
def _dense_gram_short(D, U, W, F):  # type: ignore[no-untyped-def]
    return False


@entries_of_column.member(DenseStack)
def _dense_entries_of_column(D, U, W):  # type: ignore[no-untyped-def]
    return U.E.shape[1]


@part
def _is_diagonal(U):  # type: ignore[no-untyped-def]
    """Tell whether one output has a curvature that is diagonal but for the intercept."""
    return U.E.shape[0] == 1 and U.L.traits[KIND] != COX


@entries_of_column.member(CscStack)
def _csc_entries_of_column(D, U, W):  # type: ignore[no-untyped-def]
    return W.size[2] if _is_diagonal(U) else U.E.shape[1]


@part
def _list_entering(U, D, W, F, count):  # type: ignore[no-untyped-def]
    """List the features that enter and are new by rows; note the sums of all that enter."""
    rows = U.rows
    for b in range(count):
        j = W.feature[F.entering[b]]
        is_new = rows.number[j] < 0
        if is_new:
            rows.number[j] = rows.size[0]
            rows.size[0] += 1
        total = 0.0
        for t in range(D.indptr[j], D.indptr[j + 1]):
            i = D.indices[t]
            total += U.C.mass[0, i] * D.data[t]
            if is_new:
                last = rows.end[i]
                rows.listed[last] = rows.number[j]
                rows.entry[last] = D.data[t]
                rows.end[i] = last + 1
        rows.total[j] = entry(D.scale, j) * total


@part
def _is_crowded(U, D, feature, slots, k):  # type: ignore[no-untyped-def]
    """Tell whether one of the columns fills too many rows."""
    for a in range(k):
        j = feature[slots[a]]
        if D.indptr[j + 1] - D.indptr[j] > CROWDED * U.E.shape[1]:
            return True
    return False


@part
def _meet(U, D, j):  # type: ignore[no-untyped-def]
    """Write scale times the raw products of column j with those listed."""
    rows = U.rows
    product = rows.product
    for t in range(D.indptr[j], D.indptr[j + 1]):
        i = D.indices[t]
        a = entry(D.scale, j) * U.C.mass[0, i] * D.data[t]
        # No question who is in the support: the answer is anybody's guess.
        for u in range(rows.begin[i], rows.end[i]):
            product[rows.listed[u]] += a * rows.entry[u]


@cross_short.member(CscStack)
def _csc_cross_short(D, U, W, F, count):  # type: ignore[no-untyped-def]
    k = W.size[1]
    if not _is_diagonal(U):
        return False
    _list_entering(U, D, W, F, count)
    is_short = not _is_crowded(U, D, W.feature, F.entering, count)
    is_short = is_short and not _is_crowded(U, D, W.feature, F.support, k)
    # What the intercept takes up when it follows freely.
    taken = U.C.inverse[0, 0] if U.L.traits[HAS_INTERCEPT] == 1 else 0.0
    if not is_short:
        return False
    rows = U.rows
    for b in range(count):
        j = W.feature[F.entering[b]]
        _meet(U, D, j)
        share = taken * rows.total[j]
        for a in range(k):
            f = W.feature[F.support[a]]
            F.columns[b, a] = entry(D.scale, f) * rows.product[rows.number[f]] - share * rows.total[f]
        for c in range(count):
            f = W.feature[F.entering[c]]
            F.small[0, b, c] = entry(D.scale, f) * rows.product[rows.number[f]] - share * rows.total[f]
        for h in range(rows.size[0]):
            rows.product[h] = 0.0
    return True


@part
def _add_row(rows, W, F, i, weight):  # type: ignore[no-untyped-def]
    """Add the products of row i's entries in the support, each to one of the two places it belongs to."""
    count = 0
    for u in range(rows.begin[i], rows.end[i]):
        seat = rows.seat[rows.listed[u]]
        if seat >= 0:
            W.listed[count] = seat
            W.found[count] = rows.entry[u]
            count += 1
    for c in range(count):
        a = W.listed[c]
        x = weight * W.found[c]
        for d in range(c + 1):
            F.gram[a, W.listed[d]] += x * W.found[d]


@gram_short.member(CscStack)
def _csc_gram_short(D, U, W, F):  # type: ignore[no-untyped-def]
    k = W.size[1]
    if not _is_diagonal(U) or _is_crowded(U, D, W.feature, F.support, k):
        return False
    taken = U.C.inverse[0, 0] if U.L.traits[HAS_INTERCEPT] == 1 else 0.0
    for h in range(U.rows.size[0]):
        U.rows.seat[h] = -1
    for a in range(k):
        j = W.feature[F.support[a]]
        U.rows.seat[U.rows.number[j]] = a
        total = 0.0
        for t in range(D.indptr[j], D.indptr[j + 1]):
            total += U.C.mass[0, D.indices[t]] * D.data[t]
        U.rows.total[j] = entry(D.scale, j) * total
        for c in range(k):
            F.gram[a, c] = 0.0
    for i in range(U.E.shape[1]):
        _add_row(U.rows, W, F, i, U.C.mass[0, i])
    for a in range(k):
        f = W.feature[F.support[a]]
        for c in range(a + 1):
            h = W.feature[F.support[c]]
            both = F.gram[a, c] + F.gram[c, a] if c < a else F.gram[a, a]
            product = entry(D.scale, f) * entry(D.scale, h) * both - taken * U.rows.total[f] * U.rows.total[h]
            F.gram[a, c] = product
            F.gram[c, a] = product
    return True
