"""Run tiny problems over every storage, dtype and shape, so that the cache holds every kernel."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import numpy as np
from scipy import sparse

__all__ = ["CASES", "warm_up"]

WIDE, TALL = (24, 60), (240, 12)
SHAPES = {"wide": WIDE, "tall": TALL, "losses": WIDE}
STORAGES = {
    "dense float64": ("float64", None),
    "dense float32": ("float32", None),
    "csc float64 int32": ("float64", "int32"),
    "csc float64 int64": ("float64", "int64"),
    "csc float32 int32": ("float32", "int32"),
    "csc float32 int64": ("float32", "int64"),
}
CASES = tuple(f"{storage} {shape}" for storage in STORAGES for shape in SHAPES)


def warm_up(cases: tuple[str, ...] | None = None, *, ridge: bool = True) -> Iterator[tuple[str, float]]:
    """Solve a lasso and a ridge path per case, or two of other losses; yield the case and its seconds.

    Kernels come from the cache where it has them, else they are compiled and kept there.

    Parameters
    ----------
    cases : tuple of str, optional
        Members of `CASES`; all of them if not given.
    ridge : bool
        Whether to solve ridge paths of least squares too: they need some kernels of their own.

    Yields
    ------
    tuple of str and float
        The case, once it is done, and the seconds that it took.

    Examples
    --------
    >>> from fastreg._warmup import warm_up
    >>> [case for case, seconds in warm_up(("dense float64 wide",))]
    ['dense float64 wide']
    """
    from .api import lasso_path, multitask_path, ridge_path
    from .api_classes import logistic_path

    for case in CASES if cases is None else cases:
        storage, shape = case.rsplit(" ", 1)
        X, y = _problem(*STORAGES[storage], SHAPES[shape])
        began = time.perf_counter()
        if shape == "losses":
            # All losses share their kernels, but for those of grouped features.
            logistic_path(X, y > 0.0, alphas=10, eps=1e-2)
            multitask_path(X, np.column_stack([y, -y]), alphas=5, eps=1e-1)
        else:
            # So far down that a wide support outgrows its first room.
            lasso_path(X, y, alphas=20, eps=1e-4, fit_intercept=True)
        if ridge and shape != "losses":
            ridge_path(X, y, alphas=3, fit_intercept=True)
        yield case, time.perf_counter() - began


def _problem(dtype: str, index: str | None, shape: tuple[int, int]) -> tuple[Any, Any]:
    """Make a problem that visits every branch: some features enter, most stay out."""
    rng = np.random.default_rng(0)
    X: Any = np.asfortranarray(rng.standard_normal(shape).astype(dtype))
    y = X[:, :5].sum(axis=1).astype(np.float64) + 0.1 * rng.standard_normal(shape[0])
    if index is None:
        return X, y
    X[np.abs(X) < 0.5] = 0.0
    csc = sparse.csc_array(X)
    indices, indptr = csc.indices.astype(index), csc.indptr.astype(index)
    return sparse.csc_array((csc.data, indices, indptr), shape=shape), y
