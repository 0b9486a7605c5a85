"""Equivalences that hold for every problem, drawn by hypothesis; each solution that appears is certified."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import oracle
import pytest
import scipy.sparse
from drawing import TOL, draw_problem, grid, solve
from hypothesis import given
from hypothesis import strategies as st

import fastreg

# Traced, they take twice the time and reach what other tests reach with a purpose.
pytestmark = pytest.mark.no_cover
SEEDS = st.integers(0, 10**6)


def values(problem: oracle.Problem, path: Any, alphas: Any) -> Any:
    """Return the oracle's objective of each solution relative to the null model's scale."""
    return np.array([
        oracle.objective(replace(problem, alpha=float(a)), path.coefs[:, k], path.intercepts[k])
        for k, a in enumerate(alphas)
    ])  # fmt: skip


def assert_same(problem: oracle.Problem, one: Any, two: Any) -> None:
    """Compare objectives tightly and fits at the root of that: fits are unique, coefficients need not be."""
    first, second = values(problem, one, one.alphas), values(problem, two, two.alphas)
    np.testing.assert_allclose(first, second, rtol=0, atol=1e-9 * max(one.null_objective, 1e-12))
    assert_fits_agree(one, fits(problem.X, one), fits(problem.X, two))


def fits(X: Any, path: Any) -> Any:
    return X @ path.coefs + path.intercepts


def assert_fits_agree(path: Any, one: Any, two: Any) -> None:
    size = np.sqrt(max(path.null_objective, 1e-12) * len(one))
    np.testing.assert_allclose(one, two, rtol=0, atol=1e-4 * size)


@given(seed=SEEDS)
def test_the_oracle_finds_nothing_better(seed: int) -> None:
    problem = draw_problem(seed)
    alphas = grid(problem)
    path = solve(problem, alphas)
    found = values(problem, path, alphas)
    for k, alpha in enumerate(alphas):
        coef, intercept = oracle.solve(replace(problem, alpha=float(alpha)), tol=1e-12, max_sweeps=3000)
        best = oracle.objective(replace(problem, alpha=float(alpha)), coef, intercept)
        assert found[k] <= best + 1e-10 * max(path.null_objective, 1e-12)


@given(seed=SEEDS, bits=st.sampled_from([np.int32, np.int64]))
def test_dense_equals_sparse(seed: int, bits: Any) -> None:
    problem = draw_problem(seed)
    alphas = grid(problem)
    X = scipy.sparse.csc_array(problem.X)
    X.indices, X.indptr = X.indices.astype(bits), X.indptr.astype(bits)
    assert_same(problem, solve(problem, alphas), solve(replace(problem, X=X), alphas))


@given(seed=SEEDS)
def test_weights_equal_repeated_rows(seed: int) -> None:
    problem = draw_problem(seed)
    rng = np.random.default_rng(seed)
    times = rng.integers(0, 4, size=len(problem.y))
    times[:2] = 1  # zero weights leave rows out; never all of them
    weighted = replace(problem, sample_weight=times.astype(float))
    offset = None if problem.offset is None else np.repeat(problem.offset, times)
    repeated = replace(
        problem, X=np.repeat(problem.X, times, axis=0), y=np.repeat(problem.y, times), offset=offset,
        sample_weight=None,
    )  # fmt: skip
    alphas = grid(problem)
    assert_same(weighted, solve(weighted, alphas), solve(repeated, alphas))


@given(seed=SEEDS)
def test_free_columns_equal_projecting_them_out(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n, p, m = 25, 6, 2
    X, F = rng.normal(size=(n, p)), rng.normal(size=(n, m))
    y = X[:, 0] + F @ [3.0, -2.0] + rng.normal(size=n)
    root = np.sqrt(rng.integers(1, 4, size=n).astype(float))
    factor = np.repeat([0.0, 1.0], [m, p])
    full = oracle.Problem(np.hstack([F, X]), y, 1.0, sample_weight=root**2, penalty_factor=factor)
    Q = np.linalg.qr(root[:, None] * F)[0]
    Xw, yw = root[:, None] * X, root * y
    # Weights move into the rows: the mean square over sum(w) becomes one over n, so rows are rescaled.
    scale = np.sqrt(n / (root**2).sum())
    projected = oracle.Problem(scale * (Xw - Q @ (Q.T @ Xw)), scale * (yw - Q @ (Q.T @ yw)), 1.0)
    alphas = grid(projected)
    whole, part = solve(full, alphas), solve(projected, alphas)
    np.testing.assert_allclose(whole.coefs[m:], part.coefs, rtol=0, atol=1e-5)


@given(seed=SEEDS, rho=st.sampled_from([0.9, 0.5, 0.1]))
def test_elastic_net_equals_lasso_on_augmented_rows(seed: int, rho: float) -> None:
    rng = np.random.default_rng(seed)
    n, p = 20, 8
    X, alpha = rng.normal(size=(n, p)), 0.2
    y = X[:, :3].sum(axis=1) + rng.normal(size=n)
    plain = oracle.Problem(X, y, 1.0, rho)
    one = solve(plain, [alpha])
    rows = np.vstack([X, np.sqrt(n * alpha * (1 - rho)) * np.eye(p)])
    augmented = oracle.Problem(rows, np.concatenate([y, np.zeros(p)]), 1.0)
    # The augmented loss is averaged over n + p rows: alpha shrinks with it.
    two = solve(augmented, [alpha * rho * n / (n + p)])
    np.testing.assert_allclose(one.coefs, two.coefs, rtol=0, atol=1e-5)


@given(seed=SEEDS)
def test_permuting_columns_and_rows_permutes_the_solution(seed: int) -> None:
    problem = draw_problem(seed)
    rng = np.random.default_rng(seed)
    n, p = np.shape(problem.X)
    rows, cols = rng.permutation(n), rng.permutation(p)

    def pick(value: Any, order: Any) -> Any:
        return value if value is None or np.ndim(value) == 0 else np.asarray(value)[order]

    moved = replace(
        problem, X=problem.X[np.ix_(rows, cols)], y=problem.y[rows],
        sample_weight=pick(problem.sample_weight, rows), offset=pick(problem.offset, rows),
        penalty_factor=pick(problem.penalty_factor, cols), lower_limits=pick(problem.lower_limits, cols),
        upper_limits=pick(problem.upper_limits, cols),
    )  # fmt: skip
    alphas = grid(problem)
    one, two = solve(problem, alphas), solve(moved, alphas)
    back = np.empty_like(two.coefs)
    back[cols] = two.coefs
    assert_fits_agree(one, fits(problem.X, one), problem.X @ back + two.intercepts)


@given(seed=SEEDS)
def test_flipping_signs_of_columns_flips_coefficients(seed: int) -> None:
    problem = draw_problem(seed)
    sign = np.random.default_rng(seed).choice([-1.0, 1.0], size=problem.X.shape[1])
    *_, low, high = problem.arrays()
    boxed = replace(problem, positive=False, lower_limits=low, upper_limits=high)
    flipped = replace(
        boxed, X=problem.X * sign, lower_limits=np.where(sign > 0, low, -high),
        upper_limits=np.where(sign > 0, high, -low),
    )  # fmt: skip
    alphas = grid(problem)
    one, two = solve(boxed, alphas), solve(flipped, alphas)
    assert_same(boxed, one, fastreg_like(two, sign[:, None] * two.coefs))


@given(seed=SEEDS)
def test_negating_the_response_negates_the_solution(seed: int) -> None:
    problem = draw_problem(seed)
    *_, low, high = problem.arrays()
    boxed = replace(problem, positive=False, lower_limits=low, upper_limits=high)
    offset = None if problem.offset is None else -problem.offset
    negated = replace(boxed, y=-problem.y, offset=offset, lower_limits=-high, upper_limits=-low)
    alphas = grid(problem)
    two = solve(negated, alphas)
    assert_same(boxed, solve(boxed, alphas), fastreg_like(two, -two.coefs, -two.intercepts))


def fastreg_like(path: Any, coefs: Any, intercepts: Any = None) -> Any:
    """Return a stand-in for the path with other coefficients."""
    return replace(
        path, coefs_sparse=scipy.sparse.csc_array(coefs),
        intercepts=path.intercepts if intercepts is None else intercepts,
    )  # fmt: skip


@given(seed=SEEDS, power=st.sampled_from([-30, -3, 5, 40]))
def test_powers_of_two_in_the_response_are_exact(seed: int, power: int) -> None:
    problem = replace(draw_problem(seed), l1_ratio=1.0, positive=False, lower_limits=None, upper_limits=None)
    alphas, factor = grid(problem), 2.0**power
    offset = None if problem.offset is None else problem.offset * factor
    one = solve(problem, alphas)
    two = solve(replace(problem, y=problem.y * factor, offset=offset), alphas * factor)
    np.testing.assert_array_equal(two.coefs, one.coefs * factor)


@given(seed=SEEDS, power=st.sampled_from([-30, -3, 5, 40]))
def test_powers_of_two_in_the_design_are_exact(seed: int, power: int) -> None:
    problem = replace(draw_problem(seed), l1_ratio=1.0, positive=False, lower_limits=None, upper_limits=None)
    alphas, factor = grid(problem), 2.0**power
    one = solve(problem, alphas)
    two = solve(replace(problem, X=problem.X * factor), alphas if problem.standardize else alphas * factor)
    np.testing.assert_array_equal(two.coefs, one.coefs / factor)


@given(seed=SEEDS)
def test_powers_of_two_per_column_change_units_only(seed: int) -> None:
    problem = replace(draw_problem(seed), l1_ratio=1.0)
    *_, factor, low, high = problem.arrays()
    factor = np.broadcast_to(1.0 if problem.penalty_factor is None else problem.penalty_factor, low.shape)
    scale = 2.0 ** np.random.default_rng(seed).integers(-40, 40, size=low.size)
    boxed = replace(problem, positive=False, lower_limits=low, upper_limits=high)
    scaled = replace(
        boxed, X=problem.X * scale, penalty_factor=factor if problem.standardize else factor * scale,
        lower_limits=low / scale, upper_limits=high / scale,
    )  # fmt: skip
    alphas = grid(problem)
    two = solve(scaled, alphas)
    assert_same(boxed, solve(boxed, alphas), fastreg_like(two, scale[:, None] * two.coefs))


@given(seed=SEEDS)
def test_an_offset_is_a_shift_of_the_response(seed: int) -> None:
    problem = draw_problem(seed)
    offset = np.random.default_rng(seed).normal(size=len(problem.y))
    with_offset = replace(problem, offset=offset)
    shifted = replace(problem, y=problem.y - offset, offset=None)
    alphas = grid(problem)
    one, two = solve(with_offset, alphas), solve(shifted, alphas)
    np.testing.assert_array_equal(one.coefs, two.coefs)


@given(seed=SEEDS)
def test_bounds_are_kept_exactly_and_loose_bounds_change_nothing(seed: int) -> None:
    problem = replace(draw_problem(seed), positive=False, lower_limits=None, upper_limits=None)
    alphas = grid(problem)
    open_path = solve(problem, alphas)
    reach = 2 * np.abs(open_path.coefs).max(axis=1) + 1.0
    loose = replace(problem, lower_limits=-reach, upper_limits=reach)
    assert_same(problem, open_path, solve(loose, alphas))
    low, high = -0.3 * np.abs(open_path.coefs[:, -1]), 0.6 * np.abs(open_path.coefs[:, -1])
    path = solve(replace(problem, lower_limits=low, upper_limits=high), alphas)
    assert np.all((path.coefs >= low[:, None]) & (path.coefs <= high[:, None]))


@given(seed=SEEDS)
def test_excluded_features_are_as_good_as_absent(seed: int) -> None:
    problem = draw_problem(seed)
    p = problem.X.shape[1]
    keep = np.random.default_rng(seed).random(p) < 0.7
    keep[0] = True
    factor = np.where(keep, 1.0, np.inf)
    some = replace(problem, penalty_factor=factor)
    only = replace(
        problem, X=problem.X[:, keep], penalty_factor=None,
        lower_limits=None if problem.lower_limits is None else problem.lower_limits[keep],
        upper_limits=None if problem.upper_limits is None else problem.upper_limits[keep],
    )  # fmt: skip
    alphas = grid(problem)
    one, two = solve(some, alphas), solve(only, alphas)
    assert not one.coefs[~keep].any()
    assert_fits_agree(one, fits(problem.X, one), fits(problem.X[:, keep], two))


@given(seed=SEEDS)
def test_alpha_max_is_exact(seed: int) -> None:
    problem = draw_problem(seed)
    options = {"l1_ratio": problem.l1_ratio, **problem.options}
    top = fastreg.enet_path(problem.X, problem.y, alphas=2, eps=0.5, tol=TOL, **options).alpha_max
    factor = 1.0 if problem.penalty_factor is None else problem.penalty_factor
    penalised = np.broadcast_to(factor, problem.X.shape[1]) > 0
    if top > 1e-10:  # otherwise nothing can ever enter
        at, below = (solve(problem, [top * c]).coefs[penalised] for c in (1.0, 1 - 1e-6))
        assert not at.any()
        assert below.any()
