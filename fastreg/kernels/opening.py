"""What a path begins with: memory of zeros made empty, and the alpha at which everything is zero."""

from __future__ import annotations

import math

from .._jit import kernel
from .repeated import entry
from .screening import NOBODY, VACATED


@kernel
def empty_working(W, entries, noise):  # type: ignore[no-untyped-def]
    """Make a working set of zeros an empty one."""
    for s in range(W.place.shape[0]):
        W.place[s] = -1
        W.earlier[s] = math.nan
    for j in range(W.slot_of.shape[0]):
        W.slot_of[j] = -1
    W.size[2], W.noise[0] = entries, noise


@kernel
def empty_references(Q, sqnorm):  # type: ignore[no-untyped-def]
    """Make references of zeros such on which nobody rests, for columns of these squared norms."""
    for t in range(Q.frame_with.shape[0]):
        Q.frame_with[t] = NOBODY
    for f in range(Q.first.shape[0]):
        Q.first[f] = Q.second[f] = NOBODY
    largest = 0.0
    for j in range(sqnorm.shape[0]):
        Q.frame[j] = VACATED
        largest = max(largest, sqnorm[j])
    # No norm is beyond this: coordinates fit into float32.
    exponent = math.frexp(math.sqrt(largest))[1]
    Q.unit[0], Q.unit[1] = math.ldexp(1.0, exponent), math.ldexp(1.0, -exponent)
    Q.distance[VACATED] = math.inf


@kernel
def alpha_max(values, P, sqnorm, noise):  # type: ignore[no-untyped-def]
    """Return the smallest alpha at which every penalised coefficient is zero.

    ``values`` are the correlations where all are; what is less than ``noise`` times the column's norm is
    none: the column is orthogonal to the response.
    """
    largest = 0.0
    for j in range(values.shape[0]):
        pull = 0.0
        if values[j] > 0.0 and entry(P.upper, j) > 0.0:
            pull = values[j]
        elif values[j] < 0.0 and entry(P.lower, j) < 0.0:
            pull = -values[j]
        l1 = entry(P.l1, j)
        if pull > largest * l1 and 0.0 < l1 < math.inf and pull > noise * math.sqrt(sqnorm[j]):
            largest = pull / l1
    return largest
