"""The one pass over X that every path begins with."""

from __future__ import annotations

import math
from typing import NamedTuple

from .._jit import kernel, part
from .._typing import Float64, Index
from .raw_columns import extent, moments

# Squares and products of columns within these powers of two neither overflow nor lose digits to underflow.
SAFE_EXPONENT = 256
# Powers of two whose reciprocals float64 holds too.
LARGEST_EXPONENT = 1000
# Stands for an exponent where an entry is not finite.
NOT_FINITE = 32767
# Roots of sums between these are far from either end, where squares would leave float64 or its digits.
LEAST_PLAIN, MOST_PLAIN = 2.0 ** (1 - SAFE_EXPONENT), 2.0 ** (SAFE_EXPONENT - 1)
# What a survey tells of the columns together: some are flat, of extreme scale, not finite.
SOME_FLAT, SOME_EXTREME, SOME_NOT_FINITE = 1, 2, 4
# A spread of so many units of rounding of the entries is a constant column.
FLAT = 8 * 2.0**-52


class Surveyed(NamedTuple):
    """What one pass tells of raw columns, (p,) each: mean, square about the mean, product with y.

    ``exponent`` int16 is the power of two to divide a column of extreme scale by, 0 for most; ``flat`` uint8
    marks columns that are constant up to rounding.
    """

    mean: Float64
    square: Float64
    product: Float64
    exponent: Index
    flat: Index


@kernel
def survey(D, start, stop, w, wy, ysum, out, raw):  # type: ignore[no-untyped-def]
    """Write what one pass tells of the raw columns start <= j < stop; ``raw`` (4, m) is work space.

    Sums tell of most columns that they are neither constant nor of extreme scale: for m entries the largest
    lies between the root of their mean square and the root of its m-fold. Of others the ends are looked for.
    Return what there is among them: the sum of SOME_FLAT, SOME_EXTREME and SOME_NOT_FINITE.
    """
    room, n = raw.shape[1], w.shape[0]
    there_is = 0
    for first in range(start, stop, room):
        end = min(first + room, stop)
        moments(D, first, end, first, w, wy, ysum, raw)
        for j in range(first, end):
            k = j - first
            mean, spread, energy = raw[0, k], math.sqrt(raw[1, k]), math.sqrt(raw[3, k])
            out.mean[j], out.square[j], out.product[j] = mean, raw[1, k], raw[2, k]
            is_plain = LEAST_PLAIN * n < energy < MOST_PLAIN and spread > FLAT * energy
            out.flat[j] = out.exponent[j] = 0
            if not is_plain:
                low, high = extent(D, j, n)
                largest = max(math.fabs(low), math.fabs(high))
                out.flat[j] = low == high or spread <= FLAT * largest
                out.exponent[j] = _extreme_exponent(mean, low, high)
                if out.flat[j]:
                    there_is |= SOME_FLAT
                if out.exponent[j] != 0:
                    there_is |= SOME_NOT_FINITE if out.exponent[j] == NOT_FINITE else SOME_EXTREME
    return there_is


@part
def _extreme_exponent(mean, low, high):  # type: ignore[no-untyped-def]
    """Return the power of two to divide a column by: 0 for most, NOT_FINITE if an entry is not finite."""
    if math.isnan(mean) or not (math.isfinite(low) and math.isfinite(high)):
        return NOT_FINITE
    exponent = math.frexp(max(math.fabs(low), math.fabs(high)))[1]
    if abs(exponent) <= SAFE_EXPONENT:
        return 0
    return min(max(exponent, -LARGEST_EXPONENT), LARGEST_EXPONENT)
