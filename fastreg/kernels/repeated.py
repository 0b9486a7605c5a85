"""Vectors of one number per feature that may all be the same: kernels get one entry instead of p."""

from __future__ import annotations

from .._jit import part


@part
def entry(values, j):  # type: ignore[no-untyped-def]
    """Return the number of feature j; a vector of one entry holds for every feature."""
    if values.shape[0] == 1:
        return values[0]
    return values[j]
