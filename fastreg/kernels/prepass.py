"""The one pass over X that every path begins with."""

from __future__ import annotations

from .._jit import kernel
from .storage import moments


@kernel
def survey(D, start, stop, w, wy, ysum, out):  # type: ignore[no-untyped-def]
    """Write out[:, j], what one pass tells of raw column j, for start <= j < stop.

    The rows of out: mean, square about the mean, product with y, smallest, largest entry.
    """
    for j in range(start, stop):
        mean, square, product, low, high = moments(D, j, w, wy, ysum)
        out[0, j] = mean
        out[1, j] = square
        out[2, j] = product
        out[3, j] = low
        out[4, j] = high
