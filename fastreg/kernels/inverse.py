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

import numpy as np

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
# Marks a row that was never computed; other marks are sets of partners, one bit each.
UNKNOWN = -1


@bundle
class Inverse(NamedTuple):
    """Partners of features, rows of Z, and Z compressed for the support of this moment.

    ``columns``: X; ``names``: the features of the slots. Features are known by numbers, given out as they
    come into the support, so that what belongs to them lies together: ``known`` (p,) has them or -1,
    ``size`` = [how many], ``feature`` whose they are. Entries of those whose partners were sought are listed
    by rows of X: ``begin`` and ``end`` (n,), ``listed`` and ``entry`` (entries of X,). By feature:
    ``strength`` (p,) = scale / norm. By number: ``mean_of`` and ``strength_of`` their columns; ``count`` of
    partners, -1 before the search; ``partner`` and ``alike`` (p, MAX_PARTNERS), their numbers and
    correlations, largest first; ``used``: which partners its row has, or UNKNOWN; ``row`` (p, MAX_ROW + 1),
    its own entry last; ``position``: place in the support or -1. ``start``, ``place``, ``value``: Z without
    its diagonal ``own``. ``half``, ``product``, ``touched`` and ``small`` are work space.
    """

    columns: Csc
    names: Index
    known: Index
    size: Index
    feature: Index
    begin: Index
    end: Index
    listed: Index
    entry: Float64
    strength: Float64
    mean_of: Float64
    strength_of: Float64
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
def _number(V, f):  # type: ignore[no-untyped-def]
    """Return the number of feature f, a new one if it has none."""
    j = int(V.known[f])
    if j < 0:
        j = int(V.size[0])
        V.size[0] = j + 1
        V.known[f] = j
        V.feature[j] = f
        V.count[j] = V.position[j] = -1
        V.used[j] = UNKNOWN
        V.mean_of[j], V.strength_of[j] = V.columns.mean[f], V.strength[f]
        V.product[j] = 0.0
    return j


@part
def _collect(V, w, j):  # type: ignore[no-untyped-def]
    """Write V.product, the weighted raw products of j's column with those listed; list j."""
    D, f = V.columns, V.feature[j]
    product = V.product
    for t in range(D.indptr[f], D.indptr[f + 1]):
        i = D.indices[t]
        a = w[i] * D.data[t]
        last = V.end[i]
        for u in range(V.begin[i], last):
            product[V.listed[u]] += a * V.entry[u]
        V.listed[last] = j
        V.entry[last] = D.data[t]
        V.end[i] = last + 1


@part
def _is_before(V, j, h):  # type: ignore[no-untyped-def]
    """Tell whether j comes before h in the order of the factor: longest columns first."""
    f, g = V.feature[j], V.feature[h]
    first = np.int64(V.columns.indptr[f + 1]) - np.int64(V.columns.indptr[f])
    second = np.int64(V.columns.indptr[g + 1]) - np.int64(V.columns.indptr[g])
    return first > second or (first == second and f < g)


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
    """Compare j with all that were compared before; the shorter column gets the longer as a partner."""
    V.count[j] = 0
    mean, strength = V.mean_of[j], V.strength_of[j]
    _collect(V, w, j)
    # All of them, one after the other: that costs less than a list of those that met j.
    for h in range(V.size[0]):
        V.half[h] = (V.product[h] - V.mean_of[h] * mean) * V.strength_of[h] * strength
        V.product[h] = 0.0
    for h in range(V.size[0]):
        alike = V.half[h]
        if math.fabs(alike) > NEARBY and V.count[h] >= 0 and h != j:
            if _is_before(V, h, j):
                _befriend(V, j, h, alike)
            else:
                _befriend(V, h, j, alike)


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
def _small_gram(V, W, slots, alpha, j, used):  # type: ignore[no-untyped-def]
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
        s = slots[V.position[f]]
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
            V.small[a, b] = alike * math.sqrt(W.sqnorm[s] * W.sqnorm[slots[V.position[h]]])
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
def _compute_row(V, W, slots, alpha, j, used):  # type: ignore[no-untyped-def]
    """Write the row of j whose partners in use are ``used``."""
    m = _small_gram(V, W, slots, alpha, j, used)
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
        j = _number(V, V.names[slots[a]])
        V.position[j] = a
        if is_worth and V.count[j] < 0:
            _find_partners(V, w, j)
    end = 0
    for a in range(k):
        j = V.known[V.names[slots[a]]]
        used, m = _choose(V, j)
        if used != V.used[j] or W.l2[slots[a]] > 0.0:
            _compute_row(V, W, slots, alpha, j, used)
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
        V.position[V.known[V.names[slots[a]]]] = -1


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
