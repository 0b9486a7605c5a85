"""Threads change no bit, inputs stay as they are, memory maps run in place, degenerate shapes work."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse
from drawing import draw_problem, grid, solve
from hypothesis import given
from hypothesis import strategies as st

import fastreg
from fastreg.certify import certify

SEEDS = st.integers(0, 10**6)


@given(seed=SEEDS)
def test_thread_counts_agree_to_the_last_bit(seed: int) -> None:
    problem = draw_problem(seed)
    one, two = (solve(problem, grid(problem), n_threads=k) for k in (1, 2))
    np.testing.assert_array_equal(one.coefs, two.coefs)
    np.testing.assert_array_equal(one.intercepts, two.intercepts)
    np.testing.assert_array_equal(one.dual_gaps, two.dual_gaps)


@pytest.mark.compiled_only
@pytest.mark.parametrize("p", [5, 24])
def test_answers_do_not_depend_on_where_arrays_lie(p: int) -> None:
    # A loop that sums and writes is compiled twice: arrays less than 256 bytes apart take the other one.
    rng = np.random.default_rng(p)
    X = np.asfortranarray(rng.normal(size=(12, p)))
    y = X[:, :3].sum(axis=1) + rng.normal(size=12)
    others: list[Any] = []
    answers = set()
    for _ in range(200):
        # Holes of many sizes: the next arrays come to lie elsewhere.
        others = [np.ones(size) for size in rng.integers(1, 40, 20)] + others
        others = [others[i] for i in rng.permutation(len(others))[:200]]
        answers.add(fastreg.lasso_path(X, y, alphas=8, eps=1e-3, fit_intercept=True).coefs.tobytes())
    assert len(answers) == 1


@pytest.mark.compiled_only
@pytest.mark.parametrize("sparse", [False, True])
def test_thread_counts_agree_where_threads_run(sparse: bool) -> None:
    # Large enough that columns are really read by several threads.
    rng = np.random.default_rng(2)
    X: Any = np.asfortranarray(rng.normal(size=(300, 30_000)))
    if sparse:
        X = scipy.sparse.random_array((2000, 30_000), density=0.02, rng=rng, format="csc")
    y = np.asarray(X[:, [5, 500, 5000]].sum(axis=1)).ravel() + rng.normal(size=X.shape[0])
    one, two = (
        fastreg.lasso_path(X, y, alphas=15, eps=0.1, fit_intercept=True, standardize=True, n_threads=k)
        for k in (1, 2)
    )
    np.testing.assert_array_equal(one.coefs_sparse.indices, two.coefs_sparse.indices)
    np.testing.assert_array_equal(one.coefs_sparse.data, two.coefs_sparse.data)
    np.testing.assert_array_equal(one.intercepts, two.intercepts)
    np.testing.assert_array_equal(one.dual_gaps, two.dual_gaps)


def digest(*arrays: Any) -> list[str]:
    return [hashlib.sha256(np.asarray(a).tobytes(order="K")).hexdigest() for a in arrays]


@given(seed=SEEDS, order=st.sampled_from("CF"), dtype=st.sampled_from([np.float64, np.float32, np.int64]))
def test_inputs_are_untouched(seed: int, order: Any, dtype: Any) -> None:
    problem = draw_problem(seed)
    X = np.array(problem.X * 4, order=order).astype(dtype)
    X[0, np.ptp(X, axis=0) == 0] += 1
    given_arrays = [X, problem.y] + [
        v for v in (problem.sample_weight, problem.offset, problem.penalty_factor) if v is not None
    ]
    before = digest(*given_arrays)
    path = solve(replace(problem, X=X), grid(problem))
    assert digest(*given_arrays) == before
    if order == "F" and dtype is not np.int64:
        assert path.input_report.copied_bytes == 0
    sparse = scipy.sparse.csc_array(X.astype(np.float64))
    parts = (sparse.data, sparse.indices, sparse.indptr)
    before = digest(*parts)
    path = solve(replace(problem, X=sparse), grid(problem))
    assert digest(*parts) == before
    assert path.input_report.copied_bytes == 0


def test_read_only_memory_maps_run_in_place(tmp_path: Path) -> None:
    problem = draw_problem(11)
    file = tmp_path / "X.npy"
    np.save(file, np.asfortranarray(problem.X))
    mapped = np.load(file, mmap_mode="r")
    assert mapped.flags.f_contiguous
    assert not mapped.flags.writeable
    before = file.read_bytes()
    path = solve(replace(problem, X=mapped), grid(problem))
    assert path.input_report.copied_bytes == 0
    assert file.read_bytes() == before
    np.testing.assert_array_equal(path.coefs, solve(problem, grid(problem)).coefs)


DEGENERATE = {
    "one row": (np.array([[1.0, 2.0, 0.0]]), np.array([3.0])),
    "one row, one column": (np.array([[2.0]]), np.array([3.0])),
    "one column": (np.array([[1.0], [2.0], [4.0]]), np.array([1.0, 0.0, 5.0])),
    "duplicate columns": (np.repeat([[1.0], [2.0], [-4.0]], 3, axis=1), np.array([1.0, 0.0, 5.0])),
    "rank deficient": (np.outer([1.0, -2.0, 3.0, 0.5], [1.0, 2.0, -1.0]), np.array([1.0, 0.0, 5.0, 2.0])),
    "constant column": (np.array([[1.0, 2.0], [1.0, 0.5], [1.0, -3.0]]), np.array([1.0, 0.0, 5.0])),
    "column near one constant": (np.array([[0.1, 2.0], [0.1, 0.5], [0.1, -3.0]]), np.array([1.0, 0.0, 5.0])),
    "zero column": (np.array([[0.0, 2.0], [0.0, 0.5], [0.0, -3.0]]), np.array([1.0, 0.0, 5.0])),
    "all zero": (np.zeros((3, 2)), np.array([1.0, 0.0, 5.0])),
    "constant response": (np.array([[1.0, 2.0], [0.0, 0.5], [4.0, -3.0]]), np.full(3, 0.1)),
    "zero response": (np.array([[1.0, 2.0], [0.0, 0.5], [4.0, -3.0]]), np.zeros(3)),
    "orthogonal to the response": (np.array([[2.0], [-1.0], [0.0]]), np.array([1.0, 0.0, 5.0])),
    "wild scales": (np.array([[1e-290, 2e190], [3e-290, -1e190], [2e-290, 0.0]]), np.array([1.0, 0.5, 5.0])),
}


@pytest.mark.parametrize("name", DEGENERATE)
@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("fit_intercept", [False, True])
@pytest.mark.parametrize("standardize", [False, True])
@pytest.mark.parametrize("l1_ratio", [1.0, 0.5])
def test_degenerate_inputs(
    name: str, sparse: bool, fit_intercept: bool, standardize: bool, l1_ratio: float
) -> None:
    X, y = DEGENERATE[name]
    form = scipy.sparse.csc_array(X) if sparse else X
    options: dict[str, Any] = {"fit_intercept": fit_intercept, "standardize": standardize}
    path = fastreg.enet_path(form, y, l1_ratio=l1_ratio, alphas=6, eps=1e-2, tol=1e-9, **options)
    assert path.status is fastreg.Status.CONVERGED
    assert np.isfinite(path.coefs).all()
    assert path.coefs.shape == (X.shape[1], 6)
    assert certify(X, y, path, **options).worst <= 1e-9
    if "response" in name and (fit_intercept or name == "zero response"):
        assert not path.coefs.any()
        # Orthogonal only up to rounding, and an elastic net's gap at alpha = 1e-17 shows it.
        assert np.all(path.dual_gaps <= (1e-13 if name == "orthogonal to the response" else 0.0))
    if "column" in name and X[0, 0] == X[-1, 0] and X.shape[1] == 2 and fit_intercept:
        assert not path.coefs[0].any()
