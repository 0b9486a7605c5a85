"""Tests that hold the memory of a path: bytes per feature beyond X, counted where NumPy asks for them.

Doubling the features of a wide problem tells what each of them costs: what does not depend on their number
cancels. A path under way keeps for every feature

    mean and square of the column          16 bytes
    two coordinates and rest, float32      12
    frame                                   1
    room to read some of them             0.5

and at its beginning also the correlation with the response, 8. Vectors of equal numbers (penalties, limits,
scales) are one number. The bounds leave room for what allocators round up, and none for one more vector.
"""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

import fastreg

N, P = 40, 17_000
# Bytes of a path that do not depend on the number of features: rows of references, factor, coefficients.
FIXED = 150_000
UNDER_WAY, BEGINNING = 29.5, 37.5
# Less than half a vector of float64.
ROUNDING_UP = 3.0

pytestmark = pytest.mark.compiled_only


def problem(p: int, dtype: str = "float64") -> tuple[Any, Any]:
    """Return a dense wide problem whose first columns carry the signal: supports do not depend on p."""
    rng = np.random.default_rng(5)
    X = np.asfortranarray(rng.standard_normal((N, p)).astype(dtype))
    return X, X[:, :3].sum(axis=1) + 0.1 * rng.standard_normal(N)


def peak(call: Callable[[], Any]) -> int:
    """Return the bytes that a call has in use at its peak, after one that loads kernels."""
    call()
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def per_feature(solve: Callable[[Any, Any], Any], dtype: str = "float64") -> float:
    """Return the bytes that a feature costs."""
    small, large = (problem(p, dtype) for p in (P, 2 * P))
    return (peak(lambda: solve(*large)) - peak(lambda: solve(*small))) / P


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(
    "options",
    [{}, {"fit_intercept": False}, {"positive": True}, {"penalty_factor": 2.0}, {"l1_ratio": 0.9}],
    ids=["lasso", "no intercept", "positive", "factor", "elastic net"],
)
def test_a_path_costs_a_few_numbers_per_feature(dtype: str, options: dict[str, Any]) -> None:
    asked = {"alphas": 20, "eps": 0.2, "fit_intercept": True, "l1_ratio": 1.0} | options
    # Without an intercept the deviation, which results may ask for, is no root of the square.
    more = 0.0 if asked["fit_intercept"] else 8.0
    assert per_feature(lambda X, y: fastreg.enet_path(X, y, **asked), dtype) <= BEGINNING + ROUNDING_UP + more


def test_a_path_under_way_has_let_go_of_its_beginning(monkeypatch: pytest.MonkeyPatch) -> None:
    from fastreg import path

    held: list[int] = []
    original = path._follow

    def follow(*arguments: Any) -> Any:
        held.append(tracemalloc.get_traced_memory()[0] if tracemalloc.is_tracing() else 0)
        return original(*arguments)

    monkeypatch.setattr(path, "_follow", follow)
    for X, y in (problem(P), problem(2 * P)):
        peak(partial(fastreg.lasso_path, X, y, alphas=5, eps=0.5, fit_intercept=True))
    assert (held[3] - held[1]) / P <= UNDER_WAY + ROUNDING_UP


def test_folds_share_what_is_equal() -> None:
    asked = {"cv": 3, "alphas": 10, "eps": 0.3}
    alone = per_feature(lambda X, y: fastreg.cv_path(X, y, n_threads=1, **asked))
    assert alone <= BEGINNING + ROUNDING_UP
    # Two threads have at most two paths at their beginning, and nothing else; how they meet is chance.
    X, y = problem(2 * P)
    both = peak(lambda: fastreg.cv_path(X, y, n_threads=2, **asked))
    assert both <= 2 * ((BEGINNING + ROUNDING_UP) * X.shape[1] + FIXED)


def test_excluded_columns_cost_their_penalties_only() -> None:
    def solve(X: Any, y: Any) -> Any:
        factor = np.ones(X.shape[1])
        factor[::2] = np.inf
        return fastreg.lasso_path(X, y, alphas=10, eps=0.3, fit_intercept=True, penalty_factor=factor)

    # The factors, here and as they were checked, and four penalties; masks of features that are free,
    # excluded and left, and two while these are joined.
    assert per_feature(solve) <= BEGINNING + ROUNDING_UP + 8 * 6 + 5
