"""Columns that say the same: of equal features a pure L1 path needs only one."""

from __future__ import annotations

import numpy as np

from ._typing import Float64, Index, Mask
from .designs import Design
from .kernels import engine
from .kernels.storage import Csc
from .kernels.updates import Naive
from .problem import PerCoefficient

# Multiplied by this odd number, numbers that differ in a few bits differ in their first ones (Knuth, 6.4).
SPREADING = np.uint64(0x9E3779B97F4A7C15)


def redundant_features(design: Design, arrays: PerCoefficient, keep: Index) -> Index:
    """Return features that repeat another feature's column and penalty, all but one of each group.

    Setting them to zero loses no solution: without ridge part and bounds, equal features share one
    correlation and only the sum of their coefficients counts. In descent they would pass weight to and fro.
    Members of ``keep`` are never returned.
    """
    eligible = (arrays.l2 == 0.0) & np.isinf(arrays.lower) & np.isinf(arrays.upper) & np.isfinite(arrays.l1)
    # Equal columns have equal products with any vector, to the last bit: they are summed in the same order.
    first = _products(design, 0, np.arange(design.p))
    some = _repeated(first, eligible)
    is_kept = np.zeros(design.p, bool)
    is_kept[keep] = True
    marks = first[some], _products(design, 1, some), arrays.l1[some]
    order = np.lexsort((~is_kept[some], *marks))
    same = np.ones(max(order.size - 1, 0), bool)
    for mark in marks:
        same &= mark[order[1:]] == mark[order[:-1]]
    # Only where all marks agree are columns compared themselves.
    candidates = np.flatnonzero(same)
    one, other = some[order[candidates]], some[order[candidates + 1]]
    twins: Index = other[~is_kept[other] & _are_equal(design, one, other)]
    return twins


def _repeated(mark: Float64, eligible: Mask) -> Index:
    """Return the eligible features whose mark another one has too: few, and quicker to sort by more."""
    # Into buckets first: most are alone in theirs, and need not be sorted.
    bits = mark.size.bit_length() + 4
    bucket = (mark.view(np.uint64) * SPREADING >> np.uint64(64 - bits)).astype(np.int64)
    some = np.flatnonzero((np.bincount(bucket)[bucket] > 1) & eligible)
    order = some[np.argsort(mark[some])]
    same = np.zeros(order.size + 1, bool)
    same[1:-1] = mark[order[1:]] == mark[order[:-1]]
    return np.sort(order[same[1:] | same[:-1]])


def _products(design: Design, seed: int, features: Index) -> Float64:
    """Return the products of columns with a fixed random vector."""
    noise = np.random.default_rng(seed).random(design.n)
    products = np.zeros(features.size)
    engine.read_columns(
        Naive(design.columns, noise, noise, noise, noise, noise[None], noise), features, products
    )
    return products


def _are_equal(design: Design, one: Index, other: Index) -> Mask:
    """Compare columns pair by pair, entry by entry."""
    columns = design.columns
    if not isinstance(columns, Csc):
        return np.array(
            [np.array_equal(columns.XT[a], columns.XT[b]) for a, b in zip(one, other, strict=True)], bool
        )
    begins = columns.indptr.astype(np.int64)
    lengths = np.diff(begins)
    equal: Mask = lengths[one] == lengths[other]
    one, other = one[equal], other[equal]
    # Entry t of the list belongs to pair number pair[t].
    pair = np.repeat(np.arange(one.shape[0]), lengths[one])
    within = np.arange(pair.shape[0]) - np.repeat(np.cumsum(lengths[one]) - lengths[one], lengths[one])
    a, b = begins[one][pair] + within, begins[other][pair] + within
    differs = (columns.indices[a] != columns.indices[b]) | (columns.data[a] != columns.data[b])
    equal[equal] = np.bincount(pair, differs, minlength=one.shape[0]) == 0
    return equal
