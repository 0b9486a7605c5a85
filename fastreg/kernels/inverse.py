"""A sparse approximate inverse of the support's Gram matrix: the preconditioner of its conjugate gradients.

Rows of a factor Z with Z' Z ~ (G_AA + alpha L2)^-1, one small system each (Kolotilina and Yeremin, 1993):
row j has entries at j and at the few longer columns that look like it, and minimises ||I - Z L||_F there,
L the Cholesky factor of the whole. Positive definite whatever the pattern. Without partners Z is the
diagonal. Pairs of rare words that come together make the small eigenvalues of text, and each row treats
its pairs exactly.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from .._bundle import bundle
from .._jit import part
from .._typing import Float64, Index
from .storage import Csc

# Correlation from which a column is a partner: below 0.1 rows grow faster than products are saved.
NEARBY = 0.15
# Partners kept per feature and used per row: most rows have one or two.
MAX_PARTNERS, MAX_ROW = 12, 8
# A pivot below this share of its diagonal: the partner says nothing that the others do not.
DEPENDENT = 1e-8
# Below this share of its diagonal the pivot of a row with several partners may be the work of the
# correlations that _small_gram leaves out.
SAFE_PIVOT = 0.1
# A column this many times longer cannot be a partner, if entries are of one size: its norm is that much
# larger.
MUCH_LONGER = 1.0 / NEARBY**2
# Marks a row that was never computed; other marks are sets of partners, one bit each.
UNKNOWN = -1


@bundle
class Inverse(NamedTuple):
    """Partners of features, rows of Z by feature, and Z compressed for the support of this moment.

    ``columns``: X; ``names``: the features of the slots. The features that were in the support so far are
    listed by rows of X: ``begin`` and ``end`` (n,), ``listed`` and ``entry`` (entries of X,). The order
    of the factor is longest columns first: ``order`` and its inverse ``rank`` (p,); partners have
    ``first`` <= rank < ``until``. By rank: ``mean`` and ``strength`` = scale / norm. By feature:
    ``count`` of partners, -1 before the search; ``partner`` and ``alike`` (p, MAX_PARTNERS), their
    correlations, largest first; ``used``: which partners its row has, or UNKNOWN; ``row`` (p, MAX_ROW +
    1), its own entry last; ``position``: place in the support or -1. ``start``, ``place``, ``value``: Z
    without its diagonal ``own``. ``half``, ``product``, ``touched`` and ``small`` are work space.
    """

    columns: Csc
    names: Index
    begin: Index
    end: Index
    listed: Index
    entry: Float64
    order: Index
    rank: Index
    first: Index
    until: Index
    mean: Float64
    strength: Float64
    count: Index
    partner: Index
    alike: Float64
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


@part
def _collect(V, w, j):  # type: ignore[no-untyped-def]
    """Write V.product, the weighted raw products of column j with those listed; return how many; list j."""
    D = V.columns
    own, first, until = V.rank[j], V.first[j], V.until[j]
    found = 0
    for t in range(D.indptr[j], D.indptr[j + 1]):
        i = D.indices[t]
        a = w[i] * D.data[t]
        last = V.end[i]
        for u in range(V.begin[i], last):
            f = V.listed[u]
            if first <= f and f < until:
                if V.product[f] == 0.0 and found < V.touched.shape[0]:
                    V.touched[found] = f
                    found += 1
                V.product[f] += a * V.entry[u]
        V.listed[last] = own
        V.entry[last] = D.data[t]
        V.end[i] = last + 1
    return found


@part
def _befriend(V, j, f, alike):  # type: ignore[no-untyped-def]
    """Make f a partner of j; the closest come first and the row of j is void."""
    partner, near = V.partner[j], V.alike[j]
    at = V.count[j]
    while at > 0 and math.fabs(near[at - 1]) < math.fabs(alike):
        at -= 1
    if at == MAX_PARTNERS:
        return
    V.count[j] = min(V.count[j] + 1, MAX_PARTNERS)
    for u in range(V.count[j] - 1, at, -1):
        partner[u] = partner[u - 1]
        near[u] = near[u - 1]
    partner[at] = f
    near[at] = alike
    V.used[j] = UNKNOWN


@part
def _find_partners(V, w, j):  # type: ignore[no-untyped-def]
    """Compare column j with all once in the support; the shorter of two gets the longer as a partner."""
    V.count[j] = 0
    mean = V.columns.mean[j]
    strength = V.strength[V.rank[j]]
    for q in range(_collect(V, w, j)):
        t = V.touched[q]
        alike = (V.product[t] - V.mean[t] * mean) * V.strength[t] * strength
        V.product[t] = 0.0
        if math.fabs(alike) > NEARBY:
            if t < V.rank[j]:
                _befriend(V, j, V.order[t], alike)
            else:
                _befriend(V, V.order[t], j, alike)


@part
def _choose(V, j):  # type: ignore[no-untyped-def]
    """Return (which partners of j are in the support, one bit each; how many), at most MAX_ROW."""
    used = 0
    m = 0
    for c in range(V.count[j]):
        if V.position[V.partner[j, c]] >= 0 and m < MAX_ROW:
            used |= 1 << c
            m += 1
    return used, m


@part
def _small_gram(V, W, alpha, j, used):  # type: ignore[no-untyped-def]
    """Write into V.small the lower half of the Gram matrix of j and its partners; return its last index.

    Partners that are not partners of each other count as orthogonal.
    """
    m = 0
    for c in range(V.count[j]):
        if used >> c & 1:
            V.touched[m] = V.partner[j, c]
            V.small[MAX_ROW + 1, m] = V.alike[j, c]
            m += 1
    for a in range(m + 1):
        f = V.touched[a] if a < m else j
        s = W.slot_of[f]
        V.small[a, a] = W.sqnorm[s] + alpha * W.l2[s]
        for b in range(a):
            h = V.touched[b]
            alike = V.small[MAX_ROW + 1, b] if a == m else 0.0
            if a < m:
                for c in range(V.count[f]):
                    if V.partner[f, c] == h:
                        alike = V.alike[f, c]
                for c in range(V.count[h]):
                    if V.partner[h, c] == f:
                        alike = V.alike[h, c]
            V.small[a, b] = alike * math.sqrt(W.sqnorm[s] * W.sqnorm[W.slot_of[h]])
    return m


@part
def _last_row(small, m, out):  # type: ignore[no-untyped-def]
    """Write out[:m + 1] = L^-T e_m, L the Cholesky factor of small.

    Small is overwritten. The answer is the last pivot as a share of its diagonal.
    """
    share = 0.0
    for a in range(m + 1):
        diagonal = small[a, a]
        for c in range(a):
            small[a, a] -= small[a, c] * small[a, c]
        share = small[a, a] / diagonal
        dependent = not share > DEPENDENT
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
    return share


@part
def _compute_row(V, W, alpha, j, used):  # type: ignore[no-untyped-def]
    """Write the row of j whose partners in use are ``used``."""
    m = _small_gram(V, W, alpha, j, used)
    own, other = V.small[m, m], V.small[0, 0]
    product = V.small[m, 0]
    if _last_row(V.small, m, V.row[j]) < SAFE_PIVOT and m > 1:
        # The closest partner alone: two columns are treated exactly.
        for a in range(m):
            V.row[j, a] = 0.0
        V.row[j, m] = 1.0 / math.sqrt(max(own - product * product / other, DEPENDENT * own))
        V.row[j, 0] = -V.row[j, m] * product / other


@part
def prepare(V, w, W, slots, k, alpha, is_worth):  # type: ignore[no-untyped-def]
    """Compress Z for the support slots[:k]; compute rows whose partners in the support changed.

    Without is_worth no partners are sought. V.names are the features of the slots; W may speak of packed
    columns.
    """
    for a in range(k):
        j = V.names[slots[a]]
        V.position[j] = a
        if is_worth and V.count[j] < 0:
            _find_partners(V, w, j)
    end = 0
    for a in range(k):
        j = V.names[slots[a]]
        used, m = _choose(V, j)
        if used != V.used[j] or W.l2[slots[a]] > 0.0:
            _compute_row(V, W, alpha, j, used)
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


@part
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
