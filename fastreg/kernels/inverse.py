"""A sparse approximate inverse of the support's Gram matrix: the preconditioner of its conjugate gradients.

Rows of a factor Z with Z' Z ~ (G_AA + alpha L2)^-1, one small system each (Kolotilina and Yeremin, 1993):
row j has entries at j and at the few longer columns that look like it, and minimises ||I - Z L||_F there, L the
Cholesky factor of the whole. Positive definite whatever the pattern. Without partners Z is the diagonal.
Pairs of rare words that come together make the small eigenvalues of text, and each row treats its pairs exactly.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from .._jit import kernel
from .._typing import Float64, Index
from .storage import Csc, clear, dot, spread

# Correlation from which a column is a partner: below 0.1 rows grow faster than products are saved.
NEARBY = 0.15
# Partners kept per feature and used per row; most rows have one or two, and not all partners are in the support.
MAX_PARTNERS, MAX_ROW = 12, 8
# A pivot below this share of its diagonal: the partner says nothing that the others do not.
DEPENDENT = 1e-8
# A column this many times longer cannot be a partner, if entries are of one size: its norm is that much larger.
MUCH_LONGER = 1.0 / NEARBY**2
# Marks a row that was never computed; other marks are sets of partners, one bit each.
UNKNOWN = -1


class Inverse(NamedTuple):
    """Partners of features, rows of Z by feature, and Z compressed for the support of this moment.

    ``columns`` and ``rows``: X by columns and by rows; ``names``: the features of the slots. ``rank`` (p,): the
    order of the factor, longest columns first. ``count`` (p,), -1 before the search; ``partner`` (p,
    MAX_PARTNERS); ``used`` (p,): which partners the row has, or UNKNOWN; ``row`` (p, MAX_ROW + 1): its entries, the own one
    last. ``position`` (p,): place in the support or -1. ``start``, ``place``, ``value``: Z without the diagonal,
    ``own`` the diagonal. ``product``, ``seen`` and ``touched`` (p,) serve the search, ``small`` one system.
    """

    columns: Csc
    rows: Csc
    names: Index
    order: Index
    rank: Index
    first: Index
    mean: Float64
    strength: Float64
    count: Index
    partner: Index
    used: Index
    row: Float64
    position: Index
    start: Index
    place: Index
    value: Float64
    own: Float64
    half: Float64
    product: Float64
    touched: Index
    small: Float64


@kernel
def _collect(V, w, j):  # type: ignore[no-untyped-def]
    """Write V.product, the weighted raw products of column j with columns before it; return how many it touched."""
    D, rows = V.columns, V.rows
    first = V.first[j]
    last = V.rank[j]
    found = 0
    for t in range(D.indptr[j], D.indptr[j + 1]):
        i = D.indices[t]
        a = w[i] * D.data[t]
        for u in range(rows.indptr[i], rows.indptr[i + 1]):
            f = rows.indices[u]
            if f >= last:
                break
            if f >= first:
                if V.product[f] == 0.0 and found < V.touched.shape[0]:
                    V.touched[found] = f
                    found += 1
                V.product[f] += a * rows.data[u]
    return found


@kernel
def _find_partners(V, w, j):  # type: ignore[no-untyped-def]
    """List the columns before j in the order that correlate with it, closest first."""
    near = V.small[MAX_ROW + 1]
    mean = V.columns.mean[j]
    least = NEARBY / V.strength[V.rank[j]]
    count = 0
    for q in range(_collect(V, w, j)):
        t = V.touched[q]
        size = math.fabs(V.product[t] - V.mean[t] * mean) * V.strength[t]
        V.product[t] = 0.0
        if not size > least:
            continue
        at = count
        while at > 0 and near[at - 1] < size:
            at -= 1
        if at == MAX_PARTNERS:
            continue
        count = min(count + 1, MAX_PARTNERS)
        for u in range(count - 1, at, -1):
            V.partner[j, u] = V.partner[j, u - 1]
            near[u] = near[u - 1]
        V.partner[j, at] = V.order[t]
        near[at] = size
    V.count[j] = count


@kernel
def _choose(V, j):  # type: ignore[no-untyped-def]
    """Return (which partners of j are in the support, one bit each; how many), at most MAX_ROW."""
    used = 0
    m = 0
    for c in range(V.count[j]):
        if V.position[V.partner[j, c]] >= 0 and m < MAX_ROW:
            used |= 1 << c
            m += 1
    return used, m


@kernel
def _small_gram(V, U, W, alpha, j, used):  # type: ignore[no-untyped-def]
    """Write into V.small the lower half of the Gram matrix of j's partners in use and j; return its last index."""
    m = 0
    for c in range(V.count[j]):
        if used >> c & 1:
            V.touched[m] = W.slot_of[V.partner[j, c]]
            m += 1
    V.touched[m] = W.slot_of[j]
    for a in range(m + 1):
        s = V.touched[a]
        total = spread(U.D, W.feature[s], U.w, U.buffer)
        for b in range(a + 1, m + 1):
            V.small[b, a] = dot(U.D, W.feature[V.touched[b]], U.buffer, total)
        clear(U.D, W.feature[s], U.buffer)
        V.small[a, a] = W.sqnorm[s] + alpha * W.l2[s]
    return m


@kernel
def _last_row(small, m, out):  # type: ignore[no-untyped-def]
    """Write out[:m + 1] = L^-T e_m, L the Cholesky factor of small, which is overwritten; dependent rows give zero."""
    for a in range(m + 1):
        diagonal = small[a, a]
        for c in range(a):
            small[a, a] -= small[a, c] * small[a, c]
        dependent = small[a, a] <= DEPENDENT * diagonal
        small[a, a] = math.sqrt(diagonal) if dependent else math.sqrt(small[a, a])
        for b in range(a + 1, m + 1):
            for c in range(a):
                small[b, a] -= small[b, c] * small[a, c]
            small[b, a] = 0.0 if dependent else small[b, a] / small[a, a]
    for a in range(m, -1, -1):
        out[a] = 1.0 if a == m else 0.0
        for b in range(a + 1, m + 1):
            out[a] -= small[b, a] * out[b]
        out[a] /= small[a, a]


@kernel
def prepare(V, U, W, slots, k, alpha, is_worth):  # type: ignore[no-untyped-def]
    """Compress Z for the support slots[:k]; rows whose partners in the support changed are computed.

    V.names are the features of the slots. U and W may speak of packed columns.
    """
    for a in range(k):
        V.position[V.names[slots[a]]] = a
    end = 0
    for a in range(k):
        j = V.names[slots[a]]
        if V.count[j] < 0 and is_worth:
            _find_partners(V, U.w, j)
        used, m = _choose(V, j)
        if used != V.used[j] or W.l2[slots[a]] > 0.0:
            _last_row(V.small, _small_gram(V, U, W, alpha, j, used), V.row[j])
            V.used[j] = used
        V.start[a] = end
        at = 0
        for c in range(V.count[j]):
            if used >> c & 1:
                V.place[end] = V.position[V.partner[j, c]]
                V.value[end] = V.row[j, at]
                at += 1
                end += 1
        V.own[a] = V.row[j, m]
    V.start[k] = end
    for a in range(k):
        V.position[V.names[slots[a]]] = -1


@kernel
def precondition(V, k, residual, out):  # type: ignore[no-untyped-def]
    """Write out = Z' Z residual; return residual . out."""
    for a in range(k):
        V.half[a] = V.own[a] * residual[a]
    for a in range(k):
        for t in range(V.start[a], V.start[a + 1]):
            V.half[a] += V.value[t] * residual[V.place[t]]
    energy = 0.0
    for a in range(k):
        energy += V.half[a] * V.half[a]
        out[a] = V.own[a] * V.half[a]
    for a in range(k):
        for t in range(V.start[a], V.start[a + 1]):
            out[V.place[t]] += V.value[t] * V.half[a]
    return energy
