"""Lazy references: certify that a feature stays out without reading its column.

A past residual is a row. A feature rests on a frame of one or two rows a, b at which its correlation was
computed exactly, the newest first. With u along a, z along what of b is orthogonal to a, and e what of the
current residual is orthogonal to both, |x~_j' Omega r| <= |(x~_j.u) (r.u) + (x~_j.z) (r.z)| + rest_j ||e||,
rest_j = sqrt(||x~_j||^2 - (x~_j.u)^2 - (x~_j.z)^2). Columns whose bound exceeds alpha l1 are read and rest on
the current residual from then on. No assumption on how exact earlier solutions were.

Between knots the residual moves along a line, so two rows explain most of what one leaves (F16).
"""

from __future__ import annotations

import math

import numpy as np

from .._jit import part
from .repeated import entry
from .state import SCREENINGS

# Coordinates of the current residual are inflated by this share.
INFLATION = 1e-12
# Rounding never certifies: the square of rest is at least this share of the squared norm, the distance at
# least this share of the residual. Their product covers what float64 leaves in the frame's plane (4e-13).
REST_FLOOR = 1e-12
DISTANCE_FLOOR = 1e-4
# Coordinates are kept in float32: half the memory that every screening reads. The relative error of one, and
# more than the smallest lose where they leave its range. What coordinates may be wrong by, over the floor of
# the distance, is added to rest: then rest times distance covers it.
SINGLE, SINGLE_FLOOR = 6e-8, 2.0**-120
# The frame of a feature in the working set: its numbers are zero, so that the feature is never selected.
LIFTED = 0
# The frame of a feature whose row was taken away: at a distance of infinity it is always selected.
VACATED = 1
# The frame of row 0 alone; the other rows' follow.
FIRST_FRAME = 2
# A second row counts when its squared sine to the first is at least this: else it is nearly the same row.
LEAST_SINE = 1e-4
# Features that are looked at together, and what sums of three terms in float32 are rounded by at most.
SOME, ROUNDED = 512, 1e-6
# Flags of one byte that are looked at as one number.
TOGETHER = 8
# Times a flag's bit, 2^(8 i), this number has i in its highest byte.
PLACES = np.uint64(0x0001020304050607)
# Coordinates that are larger, in units of alpha l1, are beyond float32.
LARGEST_SHARE = 1e30
# Stands for "no row", and for "no row has to be freed".
NOBODY = -1


@part
def single(t):  # type: ignore[no-untyped-def]
    """Return the frame of row t alone."""
    return FIRST_FRAME + t


@part
def relate(Q, r, root_w):  # type: ignore[no-untyped-def]
    """Write the current residual's coordinates in every frame in use, and its distance."""
    n = r.shape[0]
    square = 0.0
    for i in range(n):
        square += root_w[i] * r[i] * (root_w[i] * r[i])
    for t in range(Q.norm.shape[0]):
        Q.along[t] = 0.0
        if not Q.live[t]:
            continue
        product = 0.0
        for i in range(n):
            product += Q.rows[t, i] * (root_w[i] * r[i])
        Q.along[t] = product
    floor = DISTANCE_FLOOR * math.sqrt(square)
    unit = Q.unit[0]
    for f in range(FIRST_FRAME, Q.users.shape[0]):
        if Q.users[f] == 0:
            continue
        a, b = Q.first[f], Q.second[f]
        u = Q.along[a] / Q.norm[a] if Q.norm[a] > 0.0 else 0.0
        z = 0.0
        if b >= 0:
            z = (Q.along[b] - Q.shared[f] * u) / Q.height[f]
        Q.u[f] = u * (1.0 + INFLATION) * unit
        Q.z[f] = z * (1.0 + INFLATION) * unit
        # The difference may cancel: the floor is far above what rounding leaves of it.
        Q.distance[f] = (math.sqrt(max(square - u * u - z * z, 0.0)) + floor) * unit


@part
def free_row(Q):  # type: ignore[no-untyped-def]
    """Mark the rows somebody rests on; return (row, True) for another, else the one with fewest and False."""
    rows = Q.live.shape[0]
    for t in range(rows):
        Q.live[t] = 0
    for f in range(FIRST_FRAME, Q.users.shape[0]):
        if Q.users[f] > 0:
            Q.live[Q.first[f]] += Q.users[f]
            if Q.second[f] >= 0:
                Q.live[Q.second[f]] += Q.users[f]
    best = 0
    for t in range(rows):
        if Q.live[t] == 0:
            return t, True
        if Q.live[t] < Q.live[best]:
            best = t
    return best, False


@part
def vacate(Q, row):  # type: ignore[no-untyped-def]
    """Take off all who rest on a row about to be overwritten: whoever may enter is read."""
    for j in range(Q.frame.shape[0]):
        f = Q.frame[j]
        if f >= FIRST_FRAME and (Q.first[f] == row or Q.second[f] == row):
            Q.users[f] -= 1
            Q.users[VACATED] += 1
            Q.frame[j] = VACATED
            Q.along_u[j] = 0.0
            Q.along_z[j] = 0.0
            Q.rest[j] = 1.0


@part
def select_reads(Q, P, alpha, begin, reads):  # type: ignore[no-untyped-def]
    """List features from ``begin`` on that no reference certifies, as many as there is room for.

    Return (how many are listed, the feature to go on with).
    """
    p, room = Q.frame.shape[0], reads.feature.shape[0]
    common = most_used(Q)
    # Where few rest on one frame, or each has a level of its own, all are looked at one by one.
    level = alpha * P.l1[0] if P.l1.shape[0] == 1 and 2 * Q.users[common] > p else 0.0
    count = 0 * begin
    for start in range(begin, p, SOME):
        some = _doubt(Q, common, level, start, min(start + SOME, p))
        for t in range(some):
            j = np.uint64(start + Q.doubted[t])
            f = Q.frame[j]
            c = Q.along_u[j] * Q.u[f] + Q.along_z[j] * Q.z[f]
            e = Q.rest[j] * Q.distance[f]
            limit = alpha * entry(P.l1, j)
            if not math.fabs(c) + e > limit:
                continue
            if count == room:
                return count, np.int64(j)
            reads.feature[count] = j
            # A side that a bound at zero closes cannot be violated.
            above, below = entry(P.upper, j) > 0.0, entry(P.lower, j) < 0.0
            count += ((c + e > limit) & above) | ((e - c > limit) & below)
    return count, p


@part
def _doubt(Q, common, level, start, stop):  # type: ignore[no-untyped-def]
    """List the places after ``start`` of those whom the common frame does not certify; return their number.

    ``level`` is alpha l1. In float32 and without branches, many at a time: who rests elsewhere is listed, and
    so is who is within the rounding of this; those in the working set are not.
    """
    count = stop - start
    size = math.fabs(Q.u[common]) + math.fabs(Q.z[common]) + Q.distance[common]
    if not size < LARGEST_SHARE * level:
        for x in range(count):
            Q.doubted[x] = x
        return count
    u, z = np.float32(Q.u[common] / level), np.float32(Q.z[common] / level)
    distance = np.float32(Q.distance[common] / level * (1.0 + ROUNDED))
    enough, rounded, own = np.float32(1.0 - ROUNDED), np.float32(ROUNDED), np.uint8(common)
    # Views that begin at zero: only then does LLVM see where a loop may read and write.
    frame, rest = Q.frame[start:stop], Q.rest[start:stop]
    along_u, along_z = Q.along_u[start:stop], Q.along_z[start:stop]
    for x in range(count):
        a, b = along_u[x] * u, along_z[x] * z
        bound = abs(a + b) + (rest[x] * distance + rounded * (abs(a) + abs(b)))
        Q.is_doubted[x] = (not bound <= enough) | ((frame[x] != own) & (frame[x] != LIFTED))
    for x in range(count, count + -count % TOGETHER):
        Q.is_doubted[x] = 0
    # Most of them are certified: eight flags are one number, and zero where all eight are.
    flags = Q.is_doubted.view(np.uint64)
    some = 0 * start
    one, last = np.uint64(1), np.uint64(8 * (TOGETHER - 1))
    for k in range((count + TOGETHER - 1) // TOGETHER):
        left = flags[k]
        while left != 0:
            lowest = left & (~left + one)
            Q.doubted[some] = TOGETHER * k + np.int64((lowest * PLACES) >> last)
            some += 1
            left &= left - one
    return some


@part
def write_row(Q, t, r, root_w):  # type: ignore[no-untyped-def]
    """Store the current residual as row t, with a frame of its own."""
    for i in range(r.shape[0]):
        Q.rows[t, i] = root_w[i] * r[i]
    # A loop of its own: one that sums and writes sums in another order where arrays lie side by side.
    square = 0.0
    for i in range(r.shape[0]):
        square += Q.rows[t, i] * Q.rows[t, i]
    Q.norm[t] = math.sqrt(square)
    f = single(t)
    Q.first[f] = t
    Q.second[f] = NOBODY
    for b in range(Q.frame_with.shape[0]):
        Q.frame_with[b] = NOBODY


@part
def _frame(Q, t, b):  # type: ignore[no-untyped-def]
    """Return the frame of row t, just written, with the older row b; without b where it adds nothing."""
    if b < 0 or b == t:
        return single(t)
    if Q.frame_with[b] != NOBODY:
        return Q.frame_with[b]
    Q.frame_with[b] = single(t)
    if Q.norm[t] <= 0.0 or Q.norm[b] <= 0.0:
        return single(t)
    # along[b] is row b times the residual that has become row t.
    shared = Q.along[b] / Q.norm[t]
    height = Q.norm[b] * Q.norm[b] - shared * shared
    if height < LEAST_SINE * Q.norm[b] * Q.norm[b]:
        return single(t)
    for f in range(FIRST_FRAME + Q.norm.shape[0], Q.users.shape[0]):
        if Q.users[f] == 0:
            Q.first[f] = t
            Q.second[f] = b
            Q.shared[f] = shared
            Q.height[f] = math.sqrt(height)
            Q.frame_with[b] = f
            return f
    return single(t)


@part
def rest_on(Q, j, t, value, sqnorm):  # type: ignore[no-untyped-def]
    """Let feature j rest on row t, just written, where its correlation is value, and on its last row."""
    b = Q.first[Q.frame[j]]
    older = Q.along_u[j] * Q.unit[0] * Q.norm[b]
    _rest_in(Q, j, _frame(Q, t, b), value, older, math.fabs(older), sqnorm)


@part
def _seat(value, older, size, sqnorm, axes):  # type: ignore[no-untyped-def]
    """Return a column's coordinates in a frame and what they leave at least.

    ``value`` and ``older`` are its products with the frame's rows, the older one kept up to ``size``;
    ``axes`` are those of _axes.
    """
    per_norm, shared, per_height = axes
    u = value * per_norm
    z = (older - shared * u) * per_height
    slack = SINGLE * size * per_height
    least_z = max(math.fabs(z) - slack, 0.0)
    rest = math.sqrt(max(sqnorm - u * u - least_z * least_z, 0.0) + REST_FLOOR * sqnorm)
    return u, z, rest + (SINGLE * (math.fabs(u) + math.fabs(z)) + slack) * (1.0 / DISTANCE_FLOOR)


@part
def _axes(Q, f):  # type: ignore[no-untyped-def]
    """Return (1 / norm of the first row, coordinate of the second along it, 1 / its height), 0 for none."""
    norm = Q.norm[Q.first[f]]
    per_norm = 1.0 / norm if norm > 0.0 else 0.0
    if Q.second[f] < 0:
        return per_norm, 0.0, 0.0
    return per_norm, Q.shared[f], 1.0 / Q.height[f]


@part
def _rest_in(Q, j, f, value, older, size, sqnorm):  # type: ignore[no-untyped-def]
    """Let feature j rest in frame f, whose second row it has the product older with, kept up to size."""
    u, z, rest = _seat(value, older, size, sqnorm, _axes(Q, f))
    Q.users[Q.frame[j]] -= 1
    Q.users[f] += 1
    Q.frame[j] = f
    per_unit = Q.unit[1]
    Q.along_u[j] = u * per_unit
    Q.along_z[j] = z * per_unit
    Q.rest[j] = rest * per_unit * (1.0 + 2.0 * SINGLE) + SINGLE_FLOOR


@part
def most_used(Q):  # type: ignore[no-untyped-def]
    """Return the frame on which most features rest."""
    best = FIRST_FRAME
    for f in range(FIRST_FRAME, Q.users.shape[0]):
        if Q.users[f] > Q.users[best]:
            best = f
    return best


@part
def _seat_many(Q, common, f, per_row, begin, count, values, sqnorm):  # type: ignore[no-untyped-def]
    """Let those of the features begin to begin + count whose frame is ``common`` rest in frame f.

    Their product with its second row is per_row times the first coordinate they have.
    """
    axes = _axes(Q, f)
    per_unit = Q.unit[1]
    end = begin + count
    # Views that begin at zero: only then does LLVM see where loops may read and write.
    frame, along_u, along_z = Q.frame[begin:end], Q.along_u[begin:end], Q.along_z[begin:end]
    rest, square = Q.rest[begin:end], sqnorm[begin:end]
    # One array at a time: a loop that writes all of them is not vectorised, for fear that they overlap. What
    # u and z cost again is little beside that. The coordinate that the others are made from comes last.
    for x in range(count):
        older = along_u[x] * per_row
        _, _, left = _seat(values[x], older, math.fabs(older), square[x], axes)
        kept = np.float32(left * per_unit * (1.0 + 2.0 * SINGLE) + SINGLE_FLOOR)
        rest[x] = kept if frame[x] == common else rest[x]
    for x in range(count):
        older = along_u[x] * per_row
        _, z, _ = _seat(values[x], older, math.fabs(older), square[x], axes)
        along_z[x] = np.float32(z * per_unit) if frame[x] == common else along_z[x]
    for x in range(count):
        u = values[x] * axes[0]
        along_u[x] = np.float32(u * per_unit) if frame[x] == common else along_u[x]
    for x in range(count):
        frame[x] = f if frame[x] == common else frame[x]


@part
def relate_anew(Q, r, root_w):  # type: ignore[no-untyped-def]
    """Relate the frames that were made in the middle of a look, before features are selected once more."""
    # Rows are live where somebody rests on them.
    free_row(Q)
    relate(Q, r, root_w)


@part
def rest_together(Q, t, common, begin, count, values, sqnorm):  # type: ignore[no-untyped-def]
    """Let features begin to begin + count, but those in the working set, rest on row t, just written.

    Most of them rest on the frame ``common``, and go to the same one. Those who moved on since go there too.
    """
    # A view that begins at zero: only then does LLVM see where a loop may read and write.
    frame = Q.frame[begin : begin + count]
    together = 0
    for x in range(count):
        together += frame[x] == common
    if together == 0:
        for x in range(count):
            if frame[x] != LIFTED:
                rest_on(Q, begin + x, t, values[x], sqnorm[begin + x])
        return
    b = Q.first[common]
    f = _frame(Q, t, b)
    # Now, and off the old one at the end: a frame that nobody uses may be given to another pair of rows.
    Q.users[f] += together
    for x in range(count):
        j, old = begin + x, frame[x]
        if old == common or old == LIFTED:
            continue
        if Q.second[old] == b and Q.second[f] == b:
            # Its product with row b: once kept itself, then along the axes of a frame.
            first = Q.along_u[j] * Q.unit[0] * Q.shared[old]
            second = Q.along_z[j] * Q.unit[0] * Q.height[old]
            size = 3.0 * (math.fabs(first) + math.fabs(second))
            _rest_in(Q, j, f, values[x], first + second, size, sqnorm[j])
        else:
            rest_on(Q, j, t, values[x], sqnorm[j])
    _seat_many(Q, common, f, Q.unit[0] * Q.norm[b], begin, count, values, sqnorm)
    Q.users[common] -= together


@part
def rest_first(Q, values, sqnorm):  # type: ignore[no-untyped-def]
    """Let all features that are not in the working set rest on row 0, just written, alone."""
    f = single(0)
    Q.users[f] = Q.users[VACATED]
    _seat_many(Q, VACATED, f, 0.0, 0, values.shape[0], values, sqnorm)
    Q.users[VACATED] = 0


@part
def lift(Q, j):  # type: ignore[no-untyped-def]
    """Take feature j, now in the working set, off its rows: its bound is zero, it is never selected."""
    Q.users[Q.frame[j]] -= 1
    Q.users[LIFTED] += 1
    Q.frame[j] = LIFTED
    Q.along_u[j] = 0.0
    Q.along_z[j] = 0.0
    Q.rest[j] = 0.0


@part
def prepare(Q, r, root_w, stats):  # type: ignore[no-untyped-def]
    """Relate all frames to the current residual and store it as a row; return the row."""
    stats[SCREENINGS] += 1
    row, free = free_row(Q)
    if not free:
        # No row is empty: those who rest on the least used one are read, whatever their bound.
        vacate(Q, row)
    relate(Q, r, root_w)
    # Frames keep what relate wrote while features are selected: who is read moves to frames of this row.
    write_row(Q, row, r, root_w)
    return row
