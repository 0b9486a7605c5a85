"""Equivalences that hold for every loss, drawn by hypothesis: of losses and of whole paths."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import oracle_losses
import pytest
import scipy.sparse
from drawing_losses import (
    FAMILIES,
    KINDS,
    TOL,
    assess,
    at,
    draw,
    grid,
    objectives,
    options,
    predictors,
    solve,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle_losses import Problem

import fastreg
from fastreg.families import make_target
from fastreg.kernels import losses
from fastreg.kernels.misfit import misfit_of
from fastreg.null_model import allocate_curvature, make_loss

# Traced, they take twice the time and reach what other tests reach with a purpose.
pytestmark = pytest.mark.no_cover
SEEDS = st.integers(0, 10**6)
# A path of interpreted kernels takes a fifth of a second: fewer examples of those.
few = settings(max_examples=max(8, settings().max_examples // 3))
# Cox without ties between weights and events: Efron's method counts rows, not weights.
COUNTS_WEIGHTS = [kind for kind, (_, extra) in KINDS.items() if extra.get("ties") != "efron"]


def loss_of(problem: Problem, fit_intercept: bool = False) -> Any:
    """Return the kernels' loss of a problem."""
    extra: dict[str, Any] = {}
    if problem.family == "huber":
        extra = {"delta": problem.delta, "scale": 1.0}
    if problem.family == "cox":
        extra = {"ties": problem.ties, "strata": problem.strata}
    target = make_target(
        problem.family, problem.y, len(problem.y), w=problem.w, total_weight=1.0, offset=None,
        fit_intercept=fit_intercept, **extra,
    )  # fmt: skip
    return make_loss(target)


def at_random(kind: str, seed: int, fit_intercept: bool = False) -> tuple[Problem, Any, Any, Any]:
    """Return a problem, its loss, and a point and a direction, (outputs, n)."""
    problem = replace(draw(kind, seed), offset=None)
    rng = np.random.default_rng(seed)
    shape = (problem.outputs, len(problem.X))
    return problem, loss_of(problem, fit_intercept), 2 * rng.normal(size=shape), rng.normal(size=shape)


def evaluate(loss: Any, eta: Any) -> tuple[float, Any]:
    """Return the objective of the kernels and w times their pseudo-residual."""
    eta = np.ascontiguousarray(eta)
    r = np.empty_like(eta)
    return losses.value_of(loss, allocate_curvature(loss), eta, r), loss.w * r


# The losses themselves


@given(kind=st.sampled_from(list(KINDS)), seed=SEEDS)
def test_values_and_gradients_are_the_oracle_s(kind: str, seed: int) -> None:
    problem, loss, eta, _ = at_random(kind, seed)
    value, pull = evaluate(loss, eta)
    expected = oracle_losses.value(problem, eta.T)
    assert abs(value - expected) <= 1e-12 * (1 + expected)
    # Cox's pseudo-residual is not per weight in any useful sense, but w r is minus the gradient all the same.
    slope = oracle_losses.gradient(problem, eta.T).T
    np.testing.assert_allclose(-pull, slope, rtol=0, atol=1e-12 * (1 + np.abs(slope).max()))


@given(kind=st.sampled_from(list(KINDS)), seed=SEEDS)
def test_gradients_are_differences_of_values(kind: str, seed: int) -> None:
    _, loss, eta, d = at_random(kind, seed)
    h = 1e-6
    rise = (evaluate(loss, eta + h * d)[0] - evaluate(loss, eta - h * d)[0]) / (2 * h)
    slope = -float(np.sum(evaluate(loss, eta)[1] * d))
    assert abs(rise - slope) <= 1e-6 * (1 + abs(slope))


@given(kind=st.sampled_from(list(KINDS)), seed=SEEDS)
def test_curvatures_are_differences_of_gradients(kind: str, seed: int) -> None:
    # Losses with flat parts get a floor of 1e-6 there, so that Newton steps have a length.
    problem, loss, eta, d = at_random(kind, seed)
    h = 1e-6
    turn = (evaluate(loss, eta - h * d)[1] - evaluate(loss, eta + h * d)[1]) / (2 * h)
    x = d.copy()
    losses.flexed(loss, allocate_curvature(loss), eta, np.empty_like(eta), x)
    floor = 2e-6 if problem.family in ("squared_hinge", "huber") else 1e-11
    np.testing.assert_allclose(x, turn, rtol=0, atol=1e-6 * np.abs(turn).max() + floor * np.abs(d).max())


@given(kind=st.sampled_from([kind for kind in KINDS if KINDS[kind][0] != "cox"]), seed=SEEDS)
def test_curvatures_beside_free_intercepts(kind: str, seed: int) -> None:
    # H less what the intercepts take up: H - HE (E'HE)^+ E'H, E their columns.
    problem, loss, eta, d = at_random(kind, seed, fit_intercept=True)
    x = d.copy()
    losses.flexed(loss, allocate_curvature(loss), eta, np.empty_like(eta), x)
    H = oracle_losses.hessian(problem, eta.T)
    E = np.kron(np.eye(problem.outputs), np.ones((eta.shape[1], 1)))
    taken = H @ E @ np.linalg.lstsq(E.T @ H @ E, E.T @ H @ d.ravel(), rcond=1e-12)[0]
    expected = (H @ d.ravel() - taken).reshape(d.shape)
    floor = 1e-5 if problem.family in ("squared_hinge", "huber") else 1e-10
    np.testing.assert_allclose(x, expected, rtol=0, atol=floor * np.abs(d).max())


@given(kind=st.sampled_from(list(KINDS)), seed=SEEDS, c=st.floats(0.01, 1.0))
def test_fenchel_young(kind: str, seed: int, c: float) -> None:
    # misfit(c) = f(eta) + f*(-c r) + c <r, eta> >= 0, zero at c = 1; and f* as it follows from it is above
    # -c <r, other> - f(other) for any other point, which is what makes the gap a bound.
    _, loss, eta, d = at_random(kind, seed)
    value, pull = evaluate(loss, eta)
    room = allocate_curvature(loss), eta, np.empty_like(eta)
    misfit = misfit_of(loss, *room, c)
    slack = 1e-12 * (1 + value)
    assert misfit >= -slack
    assert abs(misfit_of(loss, *room, 1.0)) <= slack
    for step in (0.1 * d, d, -0.7 * eta, 3 * d):
        other = evaluate(loss, eta + step)[0]
        assert other - value + misfit + c * float(np.sum(pull * step)) >= -1e-12 * (1 + value + other)


@given(kind=st.sampled_from(["binomial", "proportions", "multinomial", "shares", "poisson"]), seed=SEEDS,
       c=st.floats(0.01, 0.99))  # fmt: skip
def test_fenchel_young_is_sharp(kind: str, seed: int, c: float) -> None:
    # At the point whose pseudo-residual is c r it is an equality: no gap is larger than it must be.
    problem, loss, eta, _ = at_random(kind, seed)
    value, pull = evaluate(loss, eta)
    mean = oracle_losses.mean(problem, eta.T).T
    y = np.reshape(np.asarray(problem.y).T, mean.shape)
    q = (1 - c) * y + c * mean
    there = np.log(q) - (np.log1p(-q) if problem.family == "binomial" else 0.0)
    misfit = misfit_of(loss, allocate_curvature(loss), eta, np.empty_like(eta), c)
    other = evaluate(loss, there)[0]
    # Softmax leaves a constant open, to which w r is orthogonal.
    assert abs(other - value + misfit + c * float(np.sum(pull * (there - eta)))) <= 1e-10 * (1 + value)


# Whole paths


def assert_same_values(problem: Problem, one: Any, two: Any) -> None:
    """Both paths are as good for the problem."""
    first, second = objectives(problem, one), objectives(problem, two)
    np.testing.assert_allclose(first, second, rtol=0, atol=10 * TOL * one.null_objective + 1e-14)


def assert_close(one: Any, two: Any, problem: Problem) -> None:
    """Compare predictors at the root of the precision of objectives."""
    if problem.family == "multinomial":
        one, two = (eta - eta.mean(axis=1, keepdims=True) for eta in (one, two))
    if problem.family == "cox":
        one, two = (eta - eta.mean(axis=0) for eta in (one, two))
    np.testing.assert_allclose(one, two, rtol=0, atol=2e-3 * (1 + np.abs(one).max()))


@few
@given(kind=st.sampled_from(["binomial", "proportions", "squared_hinge"]), seed=SEEDS)
def test_flipping_labels_flips_the_solution(kind: str, seed: int) -> None:
    problem = draw(kind, seed)
    _, _, low, high = problem.penalty()
    boxed = replace(problem, positive=False, lower_limits=low, upper_limits=high)
    flipped = replace(
        boxed, y=-problem.y if kind == "squared_hinge" else 1.0 - problem.y, lower_limits=-high,
        upper_limits=-low, offset=None if problem.offset is None else -problem.offset,
    )  # fmt: skip
    alphas = grid(problem)
    one, two = solve(boxed, alphas), solve(flipped, alphas)
    assert_close(predictors(boxed, one), -predictors(flipped, two), boxed)
    np.testing.assert_allclose(one.alpha_max, two.alpha_max, rtol=1e-10)


@few
@given(seed=SEEDS)
def test_labels_may_be_of_any_kind(seed: int) -> None:
    # Numbers, strings, truth values; of two labels the second in their order is the positive one.
    for kind in ("binomial", "squared_hinge"):
        problem = draw(kind, seed)
        alphas, second = grid(problem, np.array([0.3, 0.1])), problem.y > 0
        plain = solve(problem, alphas)
        for labels in (
            second,
            np.where(second, 7, -3),
            np.where(second, "yes", "no"),
            np.where(second, 1, -1),
        ):
            path = solve(problem, alphas, labels)
            np.testing.assert_array_equal(path.coefs, plain.coefs)
            assert path.classes == tuple(np.unique(labels).tolist())


@few
@given(kind=st.sampled_from(["multinomial", "shares", "grouped"]), seed=SEEDS)
def test_relabelling_classes_permutes_the_solution(kind: str, seed: int) -> None:
    problem = draw(kind, seed)
    order = np.random.default_rng(seed).permutation(3)
    offset = None if problem.offset is None else problem.offset[:, order]
    moved = replace(problem, y=problem.y[:, order], offset=offset)
    alphas = grid(problem)
    one, two = solve(problem, alphas), solve(moved, alphas)
    assert_close(predictors(problem, one)[:, order], predictors(moved, two), problem)


@few
@given(seed=SEEDS)
def test_two_classes_are_a_logistic_problem(seed: int) -> None:
    # b / 2 and -b / 2 have the L1 penalty of b, and the root of two less of it when grouped.
    problem = draw("binomial", seed, plain=True)
    alphas = grid(problem)
    plain = solve(problem, alphas)
    for share, extra in ((1.0, {}), (np.sqrt(2.0), {"grouped": True})):
        path = fastreg.multinomial_path(problem.X, problem.y, alphas=alphas * share, tol=TOL, **extra)
        difference = path.coefs[1] - path.coefs[0]
        np.testing.assert_allclose(
            difference, plain.coefs, rtol=0, atol=1e-3 * (1 + np.abs(plain.coefs).max())
        )
        np.testing.assert_allclose(path.null_objective, plain.null_objective, rtol=1e-10)


@few
@given(kind=st.sampled_from(COUNTS_WEIGHTS), seed=SEEDS)
def test_weights_equal_repeated_rows(kind: str, seed: int) -> None:
    problem = draw(kind, seed)
    times = np.random.default_rng(seed).integers(0, 4, size=len(problem.X))
    times[:3] = 1  # every class stays, and not all rows go
    weighted = replace(problem, sample_weight=times.astype(float))

    def repeat(value: Any) -> Any:
        return None if value is None else np.repeat(value, times, axis=0)

    repeated = replace(
        problem, X=repeat(problem.X), y=repeat(problem.y), offset=repeat(problem.offset),
        strata=repeat(problem.strata), sample_weight=None,
    )  # fmt: skip
    alphas = grid(weighted)
    one, two = solve(weighted, alphas), solve(repeated, alphas)
    assert_same_values(weighted, one, two)
    np.testing.assert_allclose(one.null_objective, two.null_objective, rtol=1e-9)


@few
@given(kind=st.sampled_from(list(KINDS)), seed=SEEDS)
def test_the_order_of_rows_and_columns_is_free(kind: str, seed: int) -> None:
    problem = draw(kind, seed)
    rng = np.random.default_rng(seed)
    n, p = problem.X.shape
    rows, columns = rng.permutation(n), rng.permutation(p)

    def pick(value: Any, order: Any) -> Any:
        return value if value is None or np.ndim(value) == 0 else np.asarray(value)[order]

    moved = replace(
        problem, X=problem.X[np.ix_(rows, columns)], y=problem.y[rows], strata=pick(problem.strata, rows),
        sample_weight=pick(problem.sample_weight, rows), offset=pick(problem.offset, rows),
        penalty_factor=pick(problem.penalty_factor, columns),
        lower_limits=pick(problem.lower_limits, columns), upper_limits=pick(problem.upper_limits, columns),
    )  # fmt: skip
    alphas = grid(problem)
    one, two = solve(problem, alphas), solve(moved, alphas)
    assert_close(predictors(problem, one)[rows], predictors(moved, two), problem)
    np.testing.assert_allclose(objectives(problem, one), objectives(moved, two), rtol=1e-7)


@few
@given(kind=st.sampled_from(list(KINDS)), seed=SEEDS)
def test_dense_equals_sparse_and_the_order_of_alphas_is_free(kind: str, seed: int) -> None:
    # An alpha alone, in sparse storage, gives what it gives at the end of a dense path.
    problem = draw(kind, seed)
    alphas = grid(problem)
    one = solve(problem, alphas[::-1])
    np.testing.assert_array_equal(one.alphas, alphas)
    two = solve(replace(problem, X=scipy.sparse.csr_matrix(problem.X)), alphas[-1:])
    last = objectives(problem, one)[-1]
    assert abs(objectives(problem, two)[0] - last) <= 10 * TOL * one.null_objective


@few
@given(seed=SEEDS)
def test_offsets_are_shifts_where_the_loss_takes_differences(seed: int) -> None:
    for kind in ("huber", "mgaussian"):
        problem = draw(kind, seed)
        offset = np.random.default_rng(seed).normal(size=problem.y.shape)
        with_offset, shifted = (
            replace(problem, offset=offset),
            replace(problem, y=problem.y - offset, offset=None),
        )
        alphas = grid(with_offset)
        one, two = solve(with_offset, alphas), solve(shifted, alphas)
        np.testing.assert_allclose(one.coefs, two.coefs, rtol=0, atol=1e-5 * (1 + np.abs(one.coefs).max()))


@few
@given(seed=SEEDS)
def test_exposures_are_weights_of_rates(seed: int) -> None:
    # Counts with offset log(e) are rates y / e with weights e; the mean over rows becomes one over exposure.
    problem = replace(draw("poisson", seed), sample_weight=None)
    e = np.random.default_rng(seed).uniform(0.5, 3.0, size=len(problem.y))
    counts = replace(problem, offset=np.log(e), standardize=False)
    rates = replace(counts, y=problem.y / e, offset=None, sample_weight=e)
    alphas = grid(counts)
    one, two = solve(counts, alphas), solve(rates, alphas * len(e) / e.sum())
    np.testing.assert_allclose(one.coefs, two.coefs, rtol=0, atol=2e-3 * (1 + np.abs(one.coefs).max()))


@few
@given(seed=SEEDS)
def test_a_constant_offset_changes_no_hazard_ratio_and_no_probability(seed: int) -> None:
    for kind in ("efron", "multinomial", "poisson"):
        problem = replace(draw(kind, seed), offset=None)
        if kind == "poisson":
            problem.fit_intercept = True
        shape = (len(problem.y), problem.outputs) if problem.outputs > 1 else len(problem.y)
        alphas = grid(problem, np.array([0.5, 0.1]))
        one, two = (solve(each, alphas) for each in (problem, replace(problem, offset=np.full(shape, 1.5))))
        np.testing.assert_allclose(one.coefs, two.coefs, rtol=0, atol=2e-3 * (1 + np.abs(one.coefs).max()))


@few
@given(seed=SEEDS)
def test_only_the_order_of_times_counts(seed: int) -> None:
    # Cox: any rising function of time, starts before everything, and strata that are separate problems' sums.
    problem = draw("efron", seed)
    alphas = grid(problem)
    plain = solve(problem, alphas)
    time, status = problem.y.T
    warped = solve(replace(problem, y=np.column_stack([np.exp(time / 5) - 7, status])), alphas)
    np.testing.assert_array_equal(plain.coefs, warped.coefs)
    early = solve(replace(problem, y=np.column_stack([np.zeros_like(time), time, status])), alphas)
    assert_same_values(problem, plain, early)
    one_stratum = solve(replace(problem, strata=np.full(len(time), "a")), alphas)
    assert_same_values(problem, plain, one_stratum)


@few
@given(seed=SEEDS)
def test_ties_matter_only_where_there_are_some(seed: int) -> None:
    problem = draw("cox", seed)
    problem.y[:, 0] = np.random.default_rng(seed).permutation(len(problem.y)) + 1.0
    alphas = grid(problem)
    one, two = (solve(replace(problem, ties=ties), alphas) for ties in ("breslow", "efron"))
    assert_same_values(problem, one, two)


@few
@given(seed=SEEDS)
def test_squares_by_other_names(seed: int) -> None:
    # A wide delta makes Huber's loss half a square; one response makes row-sparse the same as sparse.
    problem = replace(draw("huber", seed), delta=1e6)
    alphas = grid(problem)
    given_options = options(problem)
    squares = fastreg.enet_path(problem.X, problem.y, alphas=alphas, tol=TOL, **given_options)
    scale = 1 + np.abs(squares.coefs).max()
    huber = solve(problem, alphas)
    np.testing.assert_allclose(huber.coefs, squares.coefs, rtol=0, atol=1e-4 * scale)
    free = given_options | {"positive": False, "lower_limits": None, "upper_limits": None}
    squares = fastreg.enet_path(problem.X, problem.y, alphas=alphas, tol=TOL, **free)
    column = fastreg.multitask_path(problem.X, problem.y[:, None], alphas=alphas, tol=TOL, **free)
    found = np.reshape(column.coefs, squares.coefs.shape)
    np.testing.assert_allclose(found, squares.coefs, rtol=0, atol=1e-4 * (1 + np.abs(squares.coefs).max()))
    np.testing.assert_allclose(column.null_objective, squares.null_objective, rtol=1e-12)


@few
@given(kind=st.sampled_from(FAMILIES), seed=SEEDS)
def test_the_general_door_leads_to_the_same_path(kind: str, seed: int) -> None:
    problem = draw(kind, seed)
    alphas = grid(problem)
    plain = solve(problem, alphas)
    extra = options(problem) | ({"delta": problem.delta, "scale": 1.0} if kind == "huber" else {})
    path = fastreg.glm_path(problem.X, problem.y, family=kind, alphas=alphas, tol=TOL, **extra)
    np.testing.assert_array_equal(path.coefs, plain.coefs)
    np.testing.assert_array_equal(path.intercepts, plain.intercepts)
    assert path.family == kind


@few
@given(kind=st.sampled_from(list(KINDS)), seed=SEEDS)
def test_safe_screening_is_never_violated(kind: str, seed: int) -> None:
    # What certify proves to be zero from a rough solution is zero in the exact one.
    problem = draw(kind, seed)
    alphas = grid(problem)
    rough = solve(problem, alphas, tol=1e-2)
    proven = assess(problem, rough).proven_zero
    for k, alpha in enumerate(alphas):
        exact, _ = oracle_losses.solve(replace(problem, alpha=float(alpha)))
        assert not (np.reshape(proven[..., k], exact.shape) & (np.abs(exact) > 1e-9)).any()
        assert np.atleast_2d(at(rough, k)[0]).shape == exact.shape
