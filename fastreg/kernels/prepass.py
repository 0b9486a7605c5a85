"""The one pass over X that every path begins with."""

from __future__ import annotations

from .._jit import kernel
from .storage import moments


@kernel
def survey(D, start, stop, w, wy, ysum, out):  # type: ignore[no-untyped-def]
    """Write out[:, j], what one pass tells of raw column j, for start <= j < stop.

    The rows of out: mean, square about the mean, product with y, smallest, largest entry.
    """
    moments(D, start, stop, w, wy, ysum, out)
