"""Lazy references: certify that a feature stays out without reading its column.

If g_j was computed exactly at an old residual r_t, then for the current r = share r_t + e, e orthogonal to
r_t, |x~_j' Omega r| <= |share g_j| + rest_j ||e||, rest_j = sqrt(||x~_j||^2 - g_j^2 / ||r_t||^2). Columns
whose bound exceeds alpha l1 are read and rest on the current residual from then on. No assumption on how
exact earlier solutions were.
"""

from __future__ import annotations

import math

from .._jit import part
from .state import SCREENINGS

# Bounds are inflated by this share, and rest by its square root times the norm: rounding never certifies.
INFLATION = 1e-12
REST_FLOOR = 1e-14
# The reference of a feature in the working set; as an index it is the last row, whose numbers do not matter.
LIFTED = -1
# Stands for "no row has to be freed".
NOBODY = -2


@part
def relate(Q, n_rows, r, root_w):  # type: ignore[no-untyped-def]
    """Write share and distance of the current residual to every reference that is in use."""
    n = r.shape[0]
    for t in range(n_rows):
        if Q.users[t] == 0:
            continue
        product = 0.0
        for i in range(n):
            product += Q.rows[t, i] * (root_w[i] * r[i])
        share = product / Q.square[t] if Q.square[t] > 0.0 else 0.0
        # The distance is formed directly: as a difference of squares it would cancel.
        left = 0.0
        for i in range(n):
            d = root_w[i] * r[i] - share * Q.rows[t, i]
            left += d * d
        Q.share[t] = share * (1.0 + INFLATION)
        Q.distance[t] = math.sqrt(left) * (1.0 + INFLATION)


@part
def select_reads(Q, P, alpha, victim, reads):  # type: ignore[no-untyped-def]
    """List the features to read: no reference certifies them, or they rest on the row to be freed."""
    count = 0
    for j in range(Q.ref.shape[0]):
        t = Q.ref[j]
        c = Q.share[t] * Q.value[j]
        e = Q.rest[j] * Q.distance[t]
        level = alpha * P.l1[j]
        if math.fabs(c) + e <= level and t != victim:
            continue
        # A side that a bound at zero closes cannot be violated.
        up = c + e > level and P.upper[j] > 0.0
        down = e - c > level and P.lower[j] < 0.0
        if up or down or t == victim:
            reads.feature[count] = j
            count += 1
            if t == victim:
                # The row is about to be overwritten, its users counted anew.
                Q.ref[j] = LIFTED
    return count


@part
def free_row(users):  # type: ignore[no-untyped-def]
    """Return (row, True) for a row nobody rests on, else the row with the fewest users and False."""
    best = 0
    for t in range(users.shape[0]):
        if users[t] == 0:
            return t, True
        if users[t] < users[best]:
            best = t
    return best, False


@part
def write_row(Q, t, r, root_w):  # type: ignore[no-untyped-def]
    """Store the current residual as reference t."""
    for i in range(r.shape[0]):
        Q.rows[t, i] = root_w[i] * r[i]
    square = 0.0
    for i in range(r.shape[0]):
        square += Q.rows[t, i] * Q.rows[t, i]
    Q.square[t] = square
    Q.users[t] = 0
    Q.share[t] = 1.0
    Q.distance[t] = 0.0


@part
def rest_on(Q, j, t, value, sqnorm):  # type: ignore[no-untyped-def]
    """Let feature j rest on reference t, where its correlation is value."""
    if Q.ref[j] != t:
        if Q.ref[j] >= 0:
            Q.users[Q.ref[j]] -= 1
        Q.users[t] += 1
        Q.ref[j] = t
    Q.value[j] = value
    explained = value * value / Q.square[t] if Q.square[t] > 0.0 else 0.0
    Q.rest[j] = math.sqrt(max(sqnorm - explained, 0.0) + REST_FLOOR * sqnorm)


@part
def lift(Q, j):  # type: ignore[no-untyped-def]
    """Take feature j, now in the working set, off its reference: its bound is zero, it is never selected."""
    if Q.ref[j] >= 0:
        Q.users[Q.ref[j]] -= 1
    Q.ref[j] = LIFTED
    Q.value[j] = 0.0
    Q.rest[j] = 0.0


@part
def screen(Q, P, r, root_w, alpha, reads, stats):  # type: ignore[no-untyped-def]
    """Return (how many columns must be read, the reference row they will rest on)."""
    stats[SCREENINGS] += 1
    row, free = free_row(Q.users)
    relate(Q, Q.users.shape[0], r, root_w)
    count = select_reads(Q, P, alpha, NOBODY if free else row, reads)
    write_row(Q, row, r, root_w)
    return count, row
