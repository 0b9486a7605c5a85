"""The inverse of the support's Gram matrix, kept by bordering.

Every feature that enters or leaves costs one O(k^2) update.
With A the support, K = G_AA + ridge_alpha diag(l2_A) and M = K^-1:
entering j:  u = M G_Aj, pivot = K_jj - G_jA u;  M gains u u' / pivot, border -u / pivot, corner 1 / pivot;
leaving h:   M loses M_h M_h' / M_hh.
"""

from __future__ import annotations

from .._jit import kernel, part
from .updates import gram_column

# Relative pivot below which a column counts as a combination of the support (duplicates, collinear columns).
PIVOT_FLOOR = 1e-10


@part
def border(U, W, F, slot):  # type: ignore[no-untyped-def]
    """Write F.column = G_A,slot and F.product = M F.column; return the pivot over the slot's own square."""
    k = W.size[1]
    gram_column(U, W.feature, F.support, k, slot, F.column)
    own = W.sqnorm[slot] + F.ridge_alpha[0] * W.l2[slot]
    pivot = own
    for a in range(k):
        total = 0.0
        for c in range(k):
            total += F.inverse[a, c] * F.column[c]
        F.product[a] = total
        pivot -= total * F.column[a]
    if own <= 0.0:
        return 0.0
    return pivot / own


@part
def append(W, F, slot, sign, relative_pivot):  # type: ignore[no-untyped-def]
    """Let the slot that was just bordered enter the support at place k."""
    k = W.size[1]
    own = W.sqnorm[slot] + F.ridge_alpha[0] * W.l2[slot]
    weight = 1.0 / (relative_pivot * own)
    for a in range(k):
        factor = F.product[a] * weight
        for c in range(k):
            F.inverse[a, c] += factor * F.product[c]
        F.inverse[a, k] = -factor
        F.inverse[k, a] = -factor
        F.gram[a, k] = F.column[a]
        F.gram[k, a] = F.column[a]
    F.inverse[k, k] = weight
    F.gram[k, k] = W.sqnorm[slot]
    F.support[k] = slot
    F.sign[k] = sign
    W.place[slot] = k
    W.size[1] = k + 1


@part
def _vacate(W, F, h):  # type: ignore[no-untyped-def]
    """Take place h out of the support and out of gram; the last place moves into the gap."""
    last = W.size[1] - 1
    W.place[F.support[h]] = -1
    if h != last:
        for a in range(last):
            F.gram[h, a] = F.gram[last, a]
        F.gram[h, h] = F.gram[last, last]
        for a in range(last):
            F.gram[a, h] = F.gram[h, a]
        F.support[h] = F.support[last]
        F.sign[h] = F.sign[last]
        W.place[F.support[h]] = h
    W.size[1] = last


@part
def remove(W, F, h):  # type: ignore[no-untyped-def]
    """Let place h leave the support; the last place moves into the gap."""
    last = W.size[1] - 1
    weight = 1.0 / F.inverse[h, h]
    for a in range(last + 1):
        F.spare[a] = F.inverse[h, a]
    for a in range(last + 1):
        factor = F.spare[a] * weight
        for c in range(last + 1):
            F.inverse[a, c] -= factor * F.spare[c]
    if h != last:
        for a in range(last):
            F.inverse[h, a] = F.inverse[last, a]
        F.inverse[h, h] = F.inverse[last, last]
        for a in range(last):
            F.inverse[a, h] = F.inverse[h, a]
        F.rhs[h] = F.rhs[last]
        F.step[h] = F.step[last]
    _vacate(W, F, h)


@kernel
def rebuild(W, F, alpha):  # type: ignore[no-untyped-def]
    """Compute the inverse afresh at alpha from F.gram; columns that depend on others leave the support."""
    F.ridge_alpha[0] = alpha
    j = 0
    while j < W.size[1]:
        own = F.gram[j, j] + alpha * W.l2[F.support[j]]
        pivot = own
        for a in range(j):
            total = 0.0
            for c in range(j):
                total += F.inverse[a, c] * F.gram[j, c]
            F.product[a] = total
            pivot -= total * F.gram[j, a]
        if pivot <= PIVOT_FLOOR * own:
            _vacate(W, F, j)
            continue
        weight = 1.0 / pivot
        for a in range(j):
            factor = F.product[a] * weight
            for c in range(j):
                F.inverse[a, c] += factor * F.product[c]
            F.inverse[a, j] = -factor
            F.inverse[j, a] = -factor
        F.inverse[j, j] = weight
        j += 1
