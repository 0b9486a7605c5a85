"""Certify that groups stay out without reading their columns.

What all columns have in common with the span of some past residuals is known: ``along`` (p, rank) are the
columns' coordinates in an orthonormal basis of it, ``rest`` the norms of what they leave. A residual R
(outputs, n) with coordinates K in that basis and rest E obeys ||R x~_j|| <= ||K along_j|| + rest_j ||E||_2.
Along a path residuals hardly leave the span of the last few: one pass over X certifies many alphas.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from .._bundle import bundle
from .._jit import kernel
from .._typing import Float64, Index

# What rounding leaves of a bound, in units of the norms of column and residual: directions of the basis have
# at least the share LEAST of the residual that they come from, so that coordinates are known to 1e-11.
NOISE, LEAST = 1e-10, 1e-5
# The square of rest is at least this share of the column's: what remains of a difference.
REST_FLOOR = 1e-12


@bundle
class Outlook(NamedTuple):
    """The basis, and what is known of columns and of the current residual.

    ``basis`` (most, n) rows times sqrt(w), ``along`` (p, most), ``rest`` and ``spread`` (p,), the columns'
    norms; ``K`` (outputs, most) and ``E`` (outputs, n) the residual's coordinates and rest, ``square``
    (outputs, outputs) = E E', ``size`` = [rank], ``norm`` = [||R||], ``listed`` (p,) features to read.
    """

    basis: Float64
    along: Float64
    rest: Float64
    spread: Float64
    K: Float64
    E: Float64
    square: Float64
    size: Index
    norm: Float64
    listed: Index


@kernel
def project(Q, R, root_w):  # type: ignore[no-untyped-def]
    """Write coordinates, rest and norm of the residual R (outputs, n), per unit weight."""
    outputs, n = R.shape
    total = 0.0
    for c in range(outputs):
        for i in range(n):
            Q.E[c, i] = root_w[i] * R[c, i]
        for i in range(n):
            total += Q.E[c, i] * Q.E[c, i]
    Q.norm[0] = math.sqrt(total)
    for c in range(outputs):
        for t in range(Q.size[0]):
            product = 0.0
            for i in range(n):
                product += Q.basis[t, i] * Q.E[c, i]
            Q.K[c, t] = product
            for i in range(n):
                Q.E[c, i] -= product * Q.basis[t, i]
    for c in range(outputs):
        for d in range(c + 1):
            product = 0.0
            for i in range(n):
                product += Q.E[c, i] * Q.E[d, i]
            Q.square[c, d] = product
            Q.square[d, c] = product


@kernel
def list_open(Q, l1, slot_of, alpha, distance):  # type: ignore[no-untyped-def]
    """List the features outside the working set whose bound exceeds alpha l1; return how many.

    ``distance`` is the spectral norm of E.
    """
    count = 0
    rank = Q.size[0]
    noise = NOISE * Q.norm[0]
    for j in range(l1.shape[0]):
        total = 0.0
        for c in range(Q.K.shape[0]):
            product = 0.0
            for t in range(rank):
                product += Q.along[j, t] * Q.K[c, t]
            total += product * product
        bound = math.sqrt(total) + Q.rest[j] * distance + noise * Q.spread[j]
        Q.listed[count] = j
        count += bound > alpha * l1[j] and slot_of[j] < 0
    return count


@kernel
def widen(Q, correlations, turn, length, count):  # type: ignore[no-untyped-def]
    """Add count directions to the basis: combinations turn (outputs, outputs) of E, rows of these lengths.

    ``correlations`` (outputs, p) are those of all columns with the residual just projected.
    """
    outputs, n = Q.E.shape
    rank = Q.size[0]
    for k in range(count):
        for i in range(n):
            Q.basis[rank + k, i] = 0.0
        for c in range(outputs):
            share = turn[c, k] / length[k]
            for i in range(n):
                Q.basis[rank + k, i] += share * Q.E[c, i]
    for j in range(Q.rest.shape[0]):
        for c in range(outputs):
            # What of the correlation the basis does not explain yet.
            left = correlations[c, j]
            for t in range(rank):
                left -= Q.K[c, t] * Q.along[j, t]
            for k in range(count):
                Q.along[j, rank + k] += left * turn[c, k] / length[k]
    for j in range(Q.rest.shape[0]):
        square = Q.spread[j] * Q.spread[j]
        left = square
        for t in range(rank + count):
            left -= Q.along[j, t] * Q.along[j, t]
        Q.rest[j] = math.sqrt(max(left, 0.0) + REST_FLOOR * square)
    Q.size[0] = rank + count
