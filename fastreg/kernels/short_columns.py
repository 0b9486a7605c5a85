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

    Row i's are at ``begin[i]`` to ``end[i]`` of ``feature`` and ``entry``. By feature: ``is_listed``,
    ``total``, scale times the column's sum under the curvature it entered with, and ``seat``, its place among
    those that enter at this moment or -1.
    """

    begin: Index
    end: Index
    feature: Index
    entry: Float64
    is_listed: Index
    total: Float64
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
    """Seat the features that enter, list new ones by rows and note their sums."""
    rows = U.rows
    for b in range(count):
        j = W.feature[F.entering[b]]
        rows.seat[j] = b
        total = 0.0
        for t in range(D.indptr[j], D.indptr[j + 1]):
            i = D.indices[t]
            total += U.C.mass[0, i] * D.data[t]
            if rows.is_listed[j] == 0:
                rows.feature[rows.end[i]] = j
                rows.entry[rows.end[i]] = D.data[t]
                rows.end[i] += 1
        rows.total[j] = entry(D.scale, j) * total
        rows.is_listed[j] = 1


@part
def _is_crowded(U, D, feature, slots, k):  # type: ignore[no-untyped-def]
    """Tell whether one of the columns fills too many rows."""
    for a in range(k):
        j = feature[slots[a]]
        if D.indptr[j + 1] - D.indptr[j] > CROWDED * U.E.shape[1]:
            return True
    return False


@part
def _meet(U, D, W, F, b):  # type: ignore[no-untyped-def]
    """Add the raw products of the b-th entering column with the support and with those that enter."""
    rows = U.rows
    j = W.feature[F.entering[b]]
    for t in range(D.indptr[j], D.indptr[j + 1]):
        i = D.indices[t]
        a = entry(D.scale, j) * U.C.mass[0, i] * D.data[t]
        for u in range(rows.begin[i], rows.end[i]):
            f = rows.feature[u]
            s = W.slot_of[f]
            if s >= 0:
                if W.place[s] >= 0:
                    F.columns[b, W.place[s]] += a * rows.entry[u]
                elif rows.seat[f] >= 0:
                    F.small[0, b, rows.seat[f]] += a * rows.entry[u]


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
    for b in range(count):
        j = W.feature[F.entering[b]]
        if is_short:
            for a in range(k):
                F.columns[b, a] = 0.0
            for c in range(count):
                F.small[0, b, c] = 0.0
            _meet(U, D, W, F, b)
            share = taken * U.rows.total[j]
            for a in range(k):
                f = W.feature[F.support[a]]
                F.columns[b, a] = entry(D.scale, f) * F.columns[b, a] - share * U.rows.total[f]
            for c in range(count):
                f = W.feature[F.entering[c]]
                F.small[0, b, c] = entry(D.scale, f) * F.small[0, b, c] - share * U.rows.total[f]
    for b in range(count):
        U.rows.seat[W.feature[F.entering[b]]] = -1
    return is_short


@part
def _add_row(rows, W, F, i, weight):  # type: ignore[no-untyped-def]
    """Add the products of row i's entries in the support, each to one of the two places it belongs to."""
    count = 0
    for u in range(rows.begin[i], rows.end[i]):
        s = W.slot_of[rows.feature[u]]
        if s >= 0 and W.place[s] >= 0:
            W.listed[count] = W.place[s]
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
    for a in range(k):
        j = W.feature[F.support[a]]
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
