"""The inverse of the support's Gram matrix, kept by bordering.

With A the support, K = G_AA + ridge_alpha diag(l2_A) and M = K^-1, every change is one update of O(k^2):
B enters:  U = M K_AB, S = K_BB - K_BA U;  M gains U S^-1 U', border -U S^-1, corner S^-1;
h leaves:  M loses M_h M_h' / M_hh.
Of a large M only the lower half is kept.
"""

from __future__ import annotations

from .._jit import kernel, part
from .shifted import HAS_LOST
from .symmetric import LARGE, add_products, add_row, move_last, multiply_several, subtract_square
from .updates import gram_columns

# Relative pivot below which a column counts as a combination of the support (duplicates, collinear columns).
PIVOT_FLOOR = 1e-10
# Places in Factor.small.
OWN, SCHUR, INVERSE = 0, 1, 2


@part
def border(U, W, F, count):  # type: ignore[no-untyped-def]
    """Write columns, products and Schur complement of the slots F.entering[:count]."""
    k = W.size[1]
    gram_columns(U, W, F, count)
    multiply_several(F.inverse, k, F.columns, count, F.products)
    for b in range(count):
        slot = F.entering[b]
        for c in range(b + 1):
            total = F.small[OWN, b, c]
            if b == c:
                total += F.ridge_alpha[0] * W.l2[slot]
            for a in range(k):
                total -= F.columns[b, a] * F.products[c, a]
            F.small[SCHUR, b, c] = total
            F.small[SCHUR, c, b] = total


@part
def relative_pivot(W, F, b, total):  # type: ignore[no-untyped-def]
    """Return a pivot over the square of entering slot b itself."""
    own = F.small[OWN, b, b] + F.ridge_alpha[0] * W.l2[F.entering[b]]
    return total / own if own > 0.0 else 0.0


@part
def independent(W, F, count):  # type: ignore[no-untyped-def]
    """Invert the Schur complement; entering slots that depend on others are dropped; return how many stay."""
    S, T = F.small[SCHUR], F.small[INVERSE]
    kept = 0
    for b in range(count):
        pivot = S[b, b]
        for c in range(kept):
            total = 0.0
            for d in range(kept):
                total += T[c, d] * S[d, b]
            T[c, kept] = total
            pivot -= total * S[c, b]
        if relative_pivot(W, F, b, pivot) <= PIVOT_FLOOR:
            continue
        if kept != b:
            _move_up(W, F, b, kept, count)
        for c in range(kept):
            for d in range(kept):
                T[c, d] += T[c, kept] * T[d, kept] / pivot
        for c in range(kept):
            T[kept, c] = -T[c, kept] / pivot
        for c in range(kept):
            T[c, kept] = T[kept, c]
        T[kept, kept] = 1.0 / pivot
        kept += 1
    return kept


@part
def _move_up(W, F, b, to, count):  # type: ignore[no-untyped-def]
    """Let entering slot b take the position of one that was dropped."""
    F.entering[to] = F.entering[b]
    for a in range(W.size[1]):
        F.columns[to, a] = F.columns[b, a]
        F.products[to, a] = F.products[b, a]
    for i in range(2):
        for c in range(count):
            F.small[i, c, to] = F.small[i, c, b]
        for c in range(count):
            F.small[i, to, c] = F.small[i, b, c]


@part
def append(W, F, count):  # type: ignore[no-untyped-def]
    """Let the slots F.entering[:count], bordered and independent, enter; F.sign is the caller's to set."""
    k = W.size[1]
    T = F.small[INVERSE]
    for b in range(count):
        slot = F.entering[b]
        for a in range(k):
            F.gram[a, k + b] = F.columns[b, a]
            F.gram[k + b, a] = F.columns[b, a]
        for c in range(count):
            F.gram[k + b, k + c] = F.small[OWN, b, c]
            F.inverse[k + b, k + c] = T[b, c]
        F.support[k + b] = slot
        W.place[slot] = k + b
    # From here on columns[b] holds row b of S^-1 U'.
    for b in range(count):
        for a in range(k):
            F.columns[b, a] = 0.0
        for c in range(count):
            t = T[b, c]
            for a in range(k):
                F.columns[b, a] += t * F.products[c, a]
        for a in range(k):
            F.inverse[k + b, a] = -F.columns[b, a]
        for a in range(k if k + count <= LARGE else 0):
            F.inverse[a, k + b] = -F.columns[b, a]
    add_products(F.inverse, k, F.products, F.columns, count)
    W.size[1] = k + count


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
    k = W.size[1]
    last = k - 1
    slot = F.support[h]
    lost = W.settled[slot] - W.beta[slot]
    if lost != 0.0:
        F.pace[HAS_LOST] = 1.0
        for a in range(k):
            W.lost[F.support[a]] += F.gram[h, a] * lost
        # Should it come back, it comes from where it is now.
        W.settled[slot] = W.beta[slot]
    for a in range(k):
        F.spare[a] = 0.0
    add_row(F.inverse, k, h, 1.0, F.spare)
    subtract_square(F.inverse, k, 1.0 / F.spare[h], F.spare)
    move_last(F.inverse, k, h)
    F.rhs[h] = F.rhs[last]
    F.step[h] = F.step[last]
    F.pull[h] = F.pull[last]
    _vacate(W, F, h)


@kernel
def rebuild(W, F, alpha):  # type: ignore[no-untyped-def]
    """Compute the inverse afresh at alpha from F.gram; see invert."""
    invert(W, F, alpha)


@part
def invert(W, F, alpha):  # type: ignore[no-untyped-def]
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
            F.products[0, a] = total
            pivot -= total * F.gram[j, a]
        if pivot <= PIVOT_FLOOR * own:
            _vacate(W, F, j)
            continue
        weight = 1.0 / pivot
        for a in range(j):
            factor = F.products[0, a] * weight
            for c in range(j):
                F.inverse[a, c] += factor * F.products[0, c]
            F.inverse[a, j] = -factor
            F.inverse[j, a] = -factor
        F.inverse[j, j] = weight
        j += 1


@kernel
def hand_on(F, larger):  # type: ignore[no-untyped-def]
    """Copy what a factor knows between two calls into a larger one; all else is work space."""
    room = F.support.shape[0]
    for a in range(room):
        larger.support[a], larger.sign[a] = F.support[a], F.sign[a]
        for b in range(room):
            larger.gram[a, b], larger.inverse[a, b] = F.gram[a, b], F.inverse[a, b]
    larger.ridge_alpha[0] = F.ridge_alpha[0]
    for t in range(F.pace.shape[0]):
        larger.pace[t] = F.pace[t]
