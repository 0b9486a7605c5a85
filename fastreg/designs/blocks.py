"""Blocks of scaled columns and Gram matrices, for what BLAS does best."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy import sparse

from .._repeated import at_length
from .._typing import Float64
from ..kernels.storage import Csc, Dense
from .design import Design

# Bytes of one block of copied columns or rows.
BLOCK_BYTES = 8 << 20
# Means of dense columns, in standard deviations, up to which centring their Gram matrix afterwards costs no
# digit: squared norms before are at most 5/4 of those after.
SMALL_MEAN = 0.5


def as_scipy(columns: Csc, n: int) -> sparse.csc_array:
    """Return sparse columns as scipy sees them, sharing memory; unscaled and uncentred."""
    signed = [part.view(np.dtype(f"i{part.itemsize}")) for part in (columns.indices, columns.indptr)]
    return sparse.csc_array((columns.data, *signed), shape=(n, columns.mean.shape[0]))


def column_blocks(design: Design, root_w: Float64) -> Iterator[tuple[slice, Float64]]:
    """Yield (columns, their x~ times sqrt(w) as rows of a dense array) over the whole design."""
    step = max(1, int(BLOCK_BYTES / (8 * design.n)))
    columns = design.columns
    scale = at_length(columns.scale, design.p)
    matrix = as_scipy(columns, design.n) if isinstance(columns, Csc) else None
    for start in range(0, design.p, step):
        block = slice(start, min(start + step, design.p))
        if matrix is not None:
            rows = matrix[:, block].T.toarray().astype(np.float64)
        else:
            rows = columns.XT[block].astype(np.float64)  # type: ignore[union-attr]
        rows -= columns.mean[block, None]
        rows *= scale[block, None]
        rows *= root_w
        yield block, rows


def gram_matrix(design: Design, w: Float64) -> Float64:
    """Return X~' Omega X~, shape (p, p), in one pass over blocks of rows."""
    columns = design.columns
    if isinstance(columns, Csc):
        matrix = as_scipy(columns, design.n).astype(np.float64)
        gram = (matrix.T @ (matrix * w[:, None])).toarray()
        # Under an intercept the means are the weighted sums; without one they are zero.
        gram -= np.outer(columns.mean, columns.mean)
        gram *= columns.scale[:, None] * columns.scale
        return np.ascontiguousarray(gram)
    is_even = np.ptp(w) == 0.0
    if is_even and columns.XT.dtype == np.float64 and (abs(design.mean) <= SMALL_MEAN * design.spread).all():
        # BLAS reads X where it is and computes one triangle.
        gram = columns.XT @ columns.XT.T
        gram *= w[0]
        gram -= np.outer(columns.mean, columns.mean)
    else:
        gram = _centred_gram(columns, w)
    gram *= columns.scale[:, None]
    gram *= columns.scale
    return gram


def _centred_gram(columns: Dense, w: Float64) -> Float64:
    """Return the Gram matrix of unscaled columns, centred before they are squared: means cost no digits."""
    p, n = columns.XT.shape
    # What is left out by weight zero would cost as much as what is not.
    listed = np.flatnonzero(w)
    weights = w[listed]
    is_even = np.ptp(weights) == 0.0
    root_w = np.sqrt(weights)
    gram = np.zeros((p, p))
    step = min(listed.size, max(1, int(BLOCK_BYTES / (8 * p))))
    copied = np.empty((p, step))
    for start in range(0, listed.size, step):
        block = slice(start, min(start + step, listed.size))
        rows = copied[:, : block.stop - start]
        # Slices need no gathering.
        part = columns.XT[:, block] if listed.size == n else columns.XT.take(listed[block], axis=1)
        np.subtract(part, columns.mean[:, None], out=rows)
        if not is_even:
            rows *= root_w[block]
        gram += rows @ rows.T
    if is_even:
        gram *= weights[0]
    return gram
