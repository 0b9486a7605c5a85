"""Tests of what BLAS does with the columns: the Gram matrix, with and without copies of them."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from fastreg._typing import Float64
from fastreg.designs import blocks
from fastreg.designs.blocks import SMALL_MEAN, gram_matrix
from fastreg.designs.design import Design, make_design
from fastreg.validate import check_design

N, P = 600, 30
# Roundings of an entry over the norms of its two columns, for sums over N rows.
FEW = 16 * np.finfo(float).eps


def columns(mean: float, dtype: str = "float64") -> Any:
    """Return columns whose means are so many standard deviations, of either sign and of unlike scales."""
    rng = np.random.default_rng(3)
    X = rng.standard_normal((N, P))
    X = (X - X.mean(0)) / X.std(0) + mean * rng.choice([-1.0, 1.0], P)
    return np.asfortranarray((X * np.exp2(rng.integers(-20, 20, P))).astype(dtype))


def design_of(X: Any, w: Float64, **options: bool) -> Design:
    """Return the design of a made-up response."""
    y = np.random.default_rng(4).standard_normal(N)
    y -= w @ y
    return make_design(
        check_design(X), w, y, **{"fit_intercept": True, "standardize": False, "n_threads": 1, **options}
    )


def weights(is_even: bool, left_out: int = 0) -> Float64:
    """Return weights that sum to one, and are zero for so many rows."""
    rng = np.random.default_rng(5)
    w = np.ones(N) if is_even else rng.uniform(0.2, 2.0, N)
    w[rng.permutation(N)[:left_out]] = 0.0
    return w / w.sum()


def expected(X: Any, w: Float64, design: Design) -> Any:
    """Return the Gram matrix in long double, from centred columns."""
    centred = X.astype(np.longdouble)
    centred -= design.mean
    centred *= design.unit
    return (centred * w[:, None]).T @ centred


@pytest.mark.parametrize("block_bytes", [blocks.BLOCK_BYTES, 50_000])
@pytest.mark.parametrize("left_out", [0, 1, N // 2])
@pytest.mark.parametrize("is_even", [True, False])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("mean", [0.0, 0.9 * SMALL_MEAN, 1.1 * SMALL_MEAN, 1000.0])
def test_gram_matrix_is_exact_to_rounding_wherever_the_means_are(
    mean: float,
    dtype: str,
    is_even: bool,
    left_out: int,
    block_bytes: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(blocks, "BLOCK_BYTES", block_bytes)
    X, w = columns(mean, dtype), weights(is_even, left_out)
    for options in ({}, {"standardize": True}):
        design = design_of(X, w, **options)
        norms = np.sqrt(design.square)
        error = gram_matrix(design, w) - expected(X, w, design)
        assert np.abs(error / np.outer(norms, norms)).max() < FEW


def test_gram_matrix_without_intercept_is_that_of_raw_columns() -> None:
    X, w = columns(1000.0), weights(True)
    design = design_of(X, w, fit_intercept=False)
    norms = np.sqrt(design.square)
    error = gram_matrix(design, w) - expected(X, w, design)
    assert np.abs(error / np.outer(norms, norms)).max() < FEW


def test_constant_columns_are_centred_before_they_are_squared() -> None:
    X, w = columns(0.0), weights(True)
    X[:, 7] = 1e9
    gram = gram_matrix(design_of(X, w), w)
    assert abs(gram[7, 7]) < 1e-9


@pytest.mark.parametrize(("mean", "is_copied"), [(0.0, False), (0.9 * SMALL_MEAN, False), (3.0, True)])
def test_small_means_cost_no_copy_of_columns(mean: float, is_copied: bool) -> None:
    X, w = columns(mean), weights(True)
    design = design_of(X, w)
    tracemalloc.start()
    try:
        gram_matrix(design, w)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    # Without a copy it is the Gram matrix, the product of the means and vectors.
    assert peak > X.nbytes if is_copied else peak < X.nbytes / 4


def test_rows_of_weight_zero_are_not_multiplied(monkeypatch: pytest.MonkeyPatch) -> None:
    taken = []

    class Watched(np.ndarray[Any, Any]):
        """Columns that note which rows are asked for."""

        def take(self, indices: Any, *args: Any, **kwargs: Any) -> Any:
            taken.extend(indices)
            return np.asarray(self).take(indices, *args, **kwargs)

        def __getitem__(self, key: Any) -> Any:
            raise AssertionError("all rows were asked for")

    X, w = columns(0.0), weights(True, N // 2)
    design = design_of(X, w)
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 50_000)
    watched = design.columns._replace(XT=design.columns.XT.view(Watched))
    gram_matrix(replace(design, columns=watched), w)
    assert taken == list(np.flatnonzero(w))
