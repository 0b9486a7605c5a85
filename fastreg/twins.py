"""Columns that say the same: of equal features a pure L1 path needs only one."""

from __future__ import annotations

import numpy as np

from ._typing import Float64, Index
from .designs import Design
from .kernels import engine
from .kernels.state import Penalties, Reads
from .kernels.storage import Csc
from .kernels.updates import Naive


def redundant_features(design: Design, arrays: Penalties, keep: Index) -> Index:
    """Return features that repeat another feature's column and penalty, all but one of each group.

    Setting them to zero loses no solution: without ridge part and bounds, equal features share one
    correlation and only the sum of their coefficients counts. In descent they would pass weight to and fro.
    Members of ``keep`` are never returned.
    """
    eligible = (arrays.l2 == 0.0) & np.isinf(arrays.lower) & np.isinf(arrays.upper) & np.isfinite(arrays.l1)
    # Equal columns have equal products with any vector, to the last bit: they are summed in the same order.
    marks = [_products(design, seed) for seed in (0, 1)]
    is_kept = np.zeros(design.p, bool)
    is_kept[keep] = True
    order = np.lexsort((~is_kept, *marks, arrays.l1))
    order = order[eligible[order]]
    same = np.ones(max(order.size - 1, 0), bool)
    for mark in (*marks, arrays.l1):
        same &= mark[order[1:]] == mark[order[:-1]]
    # Only where all marks agree are columns compared themselves.
    candidates = np.flatnonzero(same)
    twins = [
        order[t + 1]
        for t in candidates
        if not is_kept[order[t + 1]] and _equal(design, order[t], order[t + 1])
    ]
    return np.array(twins, dtype=np.int64)


def _products(design: Design, seed: int) -> Float64:
    """Return the product of every column with a fixed random vector."""
    noise = np.random.default_rng(seed).random(design.n)
    reads = Reads(np.arange(design.p), np.zeros(design.p))
    engine.read(Naive(design.columns, noise, noise, noise, noise, noise[None], noise), reads, 0, design.p)
    return reads.value


def _equal(design: Design, one: int, other: int) -> bool:
    """Compare two columns entry by entry."""
    columns = design.columns
    if not isinstance(columns, Csc):
        return bool(np.array_equal(columns.XT[one], columns.XT[other]))
    a, b = (slice(columns.indptr[j], columns.indptr[j + 1]) for j in (one, other))
    return bool(
        np.array_equal(columns.indices[a], columns.indices[b])
        and np.array_equal(columns.data[a], columns.data[b])
    )
