"""certify for every loss, against a slow solver in extended precision and deliberately wrong claims."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import scipy.sparse
from hypothesis import given
from hypothesis import strategies as st
from oracle_glm import LONG, Problem, Solver

from fastreg.certify import certify

FAMILIES = ["binomial", "multinomial", "poisson", "squared_hinge", "huber", "cox", "mgaussian"]
ONE = 1 + 1e-13


def draw_response(family: str, eta: Any, rng: Any) -> tuple[Any, dict[str, Any]]:
    """Return a response of the family near the linear predictor, and the family's own options."""
    n = eta.size
    if family == "binomial":
        y = np.array(["a", "b"])[(eta + rng.logistic(size=n) > 0).astype(int)]
        y[:2] = "a", "b"
        return (np.round(rng.random(n), 2) if rng.random() < 0.3 else y), {}
    if family == "multinomial":
        y = rng.permutation(np.arange(n) % 3) if rng.random() < 0.7 else rng.dirichlet([1, 1, 1], size=n)
        return y, {"grouped": bool(rng.random() < 0.5)}
    if family == "poisson":
        y = rng.poisson(np.exp(np.clip(eta, -3, 2))).astype(float)
        return y + np.eye(n)[0], {}
    if family == "squared_hinge":
        return np.concatenate([[1, -1], np.where(eta + rng.normal(size=n) > 0, 1, -1)[2:]]), {}
    if family == "huber":
        return eta + rng.standard_t(2, size=n), {"delta": float(rng.choice([0.3, 1.0, 3.0]))}
    if family == "mgaussian":
        return eta[:, None] + rng.normal(size=(n, 2)), {}
    time = np.round(rng.exponential(size=n) * 3) + 1
    y = np.column_stack([time, rng.random(n) < 0.7]) + np.eye(n)[:, :1] * [0, 1]
    y[:, 1] = np.minimum(y[:, 1], 1)
    extra: dict[str, Any] = {"ties": str(rng.choice(["breslow", "efron"]))}
    if rng.random() < 0.4:
        y = np.column_stack([time - np.round(rng.random(n) * 2 + 0.5) - 0.5, y])
    if rng.random() < 0.4:
        extra["strata"] = rng.integers(0, 2, size=n)
    return y, extra


def draw_problem(family: str, seed: int, n: int = 9, p: int = 4) -> Problem:
    """Return a small problem whose options are drawn too: every feature of the objective turns up."""
    rng = np.random.default_rng([seed, FAMILIES.index(family)])
    X = rng.normal(size=(n, p)) + rng.choice([0.0, 2.0])
    X[rng.random((n, p)) < 0.2] = 0.0
    if rng.random() < 0.2:
        X[:, 1] = X[:, 0]
    y, extra = draw_response(family, X @ rng.normal(size=p) * 0.5, rng)
    options: dict[str, Any] = {"fit_intercept": bool(rng.random() < 0.6) and family != "cox"}
    options["standardize"] = bool(rng.random() < 0.3)
    if rng.random() < 0.5:
        options["sample_weight"] = rng.integers(0, 4, size=n) + (np.arange(n) < 4) * 1.0
    if rng.random() < 0.3:
        options["offset"] = rng.normal(size=(n, 3) if family == "multinomial" else n)
    if rng.random() < 0.5:
        odds = [0.2, 0.2, 0.3, 0.2, 0.1]
        options["penalty_factor"] = rng.choice([0.0, 0.5, 1.0, 2.0, np.inf], size=p, p=odds)
    if rng.random() < 0.4:
        options["lower_limits"] = rng.choice([0.0, -0.3, -np.inf], size=p)
        options["upper_limits"] = rng.choice([0.0, 0.3, np.inf], size=p)
    rho = float(rng.choice([1.0, 0.7, 0.5, 0.0], p=[0.5, 0.2, 0.2, 0.1]))
    return Problem(family, X, y, float(np.exp(rng.uniform(-4, -0.5))), rho, extra=extra, **options)


def assess(problem: Problem, B: Any, b0: Any, X: Any = None) -> Any:
    """Certify coefficients (p, outputs) and intercepts (outputs,)."""
    B, b0 = np.asarray(B, dtype=float), np.asarray(b0, dtype=float)
    one = B.shape[1] == 1
    X = problem.X if X is None else X
    return certify(
        X, problem.y, B[:, 0] if one else B.T, b0[0] if one else b0, problem.alpha, **problem.options
    )


def zeros_of(claim: Any, shape: tuple[int, ...]) -> Any:
    return np.atleast_2d(claim.proven_zero).T.reshape(shape)


@pytest.mark.parametrize("family", FAMILIES)
@given(seed=st.integers(0, 10**6))
def test_gap_bounds_the_suboptimality_and_vanishes_with_it(family: str, seed: int) -> None:
    problem = draw_problem(family, seed)
    solver = Solver(problem)
    B, b0, solved = solver.solve()
    low, high = (np.asarray(v, dtype=float)[:, None] for v in (solver.low, solver.high))
    best, support = solver.objective(B, b0), np.abs(B) > 1e-7
    rng = np.random.default_rng(seed)
    for spread in (0.0, 10.0 ** rng.uniform(-12, -2), 0.3, 4.0):
        moved = rng.random(B.shape) < 0.7
        claim_B = np.clip(np.asarray(B, dtype=float) + spread * rng.normal(size=B.shape) * moved, low, high)
        claim_b0 = np.asarray(b0, dtype=float) + spread * rng.normal(size=b0.shape) * problem.fit_intercept
        objective = solver.objective(claim_B, claim_b0)
        for X in (problem.X, scipy.sparse.csr_array(problem.X)):
            claim = assess(problem, claim_B, claim_b0, X)
            assert claim.feasible
            assert claim.primal == pytest.approx(float(objective), rel=1e-11, abs=1e-15)
            assert claim.gap >= objective - best - 1e-18 * (1 + best)
            assert claim.dual <= best * ONE + 1e-15
            assert claim.gap <= claim.primal * (1 + 1e-8) + 1e-15
            if solved:
                assert not (zeros_of(claim, B.shape) & support).any()
        if spread == 0.0 and solved:
            # Free columns that nearly separate leave Cox's dual point ill-determined.
            assert claim.relative_gap <= (1e-9 if family != "cox" else 1e-6)
            assert claim.kkt <= 1e-12 * (1 + np.abs(problem.X).sum())


@pytest.mark.parametrize("family", FAMILIES)
@given(seed=st.integers(0, 10**6), spread=st.sampled_from([0.01, 0.3, 1.0, 3.0]))
def test_screening_bounds_hold_for_any_two_predictors(family: str, seed: int, spread: float) -> None:
    """The distance of two gradients is bounded by the loss's Bregman distance, which the gap bounds."""
    problem = draw_problem(family, seed)
    solver, rng = Solver(problem), np.random.default_rng(seed)
    a = rng.normal(size=solver.offset.shape).astype(LONG)
    b = a + spread * rng.normal(size=a.shape)
    (value_a, slope_a), (value_b, slope_b) = solver.loss(a), solver.loss(b)
    distance = max(value_a - value_b - (slope_b * (a - b)).sum(), LONG(0))
    kept = solver.w > 0
    lipschitz = {"binomial": 0.25, "multinomial": 0.5}.get(family, 1.0)
    if family not in ("poisson", "cox"):
        apart = ((slope_a - slope_b)[kept] ** 2 / solver.w[kept, None]).sum()
        assert apart <= 2 * lipschitz * distance * ONE + 1e-17
        return
    X = solver.X[kept] - solver.X[kept].mean(axis=0) * (family == "cox")
    if family == "poisson":
        mass = solver.w[kept] * np.exp(a[kept, 0])
    else:  # the mass of the risk sets: what is subtracted from the events
        mass = slope_a[kept, 0] + solver.w[kept] * (np.asarray(problem.y)[kept, -1] == 1)
    moved = np.abs(X.T @ (slope_a - slope_b)[kept, 0])
    bound = np.sqrt(2 * (mass @ X**2) * distance) + np.abs(X).max(axis=0) * distance / 3
    assert (moved <= bound * ONE + 1e-12).all()


@pytest.mark.parametrize("family", FAMILIES)
def test_many_claims_at_once_equal_one_by_one(family: str) -> None:
    problem = replace(draw_problem(family, 5), lower_limits=None, upper_limits=None, penalty_factor=None)
    outputs, p = Solver(problem).outputs, problem.X.shape[1]
    rng = np.random.default_rng(0)
    coefs, alphas = 0.3 * rng.normal(size=(outputs, p, 3)), np.array([1.0, 0.3, 0.1])
    starts = rng.normal(size=(outputs, 3)) * problem.fit_intercept
    stacked = scipy.sparse.csc_array(coefs.reshape(-1, 3))
    dense = coefs if outputs > 1 else coefs[0]
    intercepts = starts if outputs > 1 else starts[0]
    bulk = certify(problem.X, problem.y, dense, intercepts, alphas, **problem.options)
    assert bulk.gap.shape == bulk.kkt.shape == bulk.n_nonzero.shape == (3,)
    assert bulk.proven_zero.shape == dense.shape
    assert bulk.family == family
    sparse = certify(problem.X, problem.y, stacked, intercepts, alphas, **problem.options)
    np.testing.assert_array_equal(sparse.gap, bulk.gap)
    for k in range(3):
        one = certify(problem.X, problem.y, dense[..., k], intercepts[..., k], alphas[k], **problem.options)
        assert one.gap == pytest.approx(bulk.gap[k], rel=1e-9)
        assert one.kkt == pytest.approx(bulk.kkt[k], rel=1e-9)
        assert one.proven_zero.shape == dense.shape[:-1]


@pytest.mark.parametrize("family", FAMILIES)
def test_columns_of_wild_scale_are_assessed_exactly(family: str) -> None:
    plain_factor = np.array([1.0, 2.0, 0.5, 1.0])
    problem = draw_problem(family, 11)
    problem = replace(problem, lower_limits=None, upper_limits=None, penalty_factor=plain_factor)
    problem = replace(problem, l1_ratio=1.0, standardize=False)
    B, b0, _ = Solver(problem).solve()
    exponents = np.array([-900, 600, 300, -200])
    wild = replace(
        problem, X=np.ldexp(problem.X, exponents), penalty_factor=np.ldexp(plain_factor, exponents)
    )
    here = assess(problem, B, b0)
    there = assess(wild, np.ldexp(np.asarray(B, dtype=float), -exponents[:, None]), b0)
    assert there.gap == pytest.approx(here.gap, rel=1e-6, abs=1e-16)
    np.testing.assert_array_equal(there.proven_zero, here.proven_zero)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("wrong", ["limit", "intercept", "nan", "excluded"])
def test_infeasible_claims_have_an_infinite_gap(family: str, wrong: str) -> None:
    problem = draw_problem(family, 3)
    problem = replace(problem, lower_limits=[-0.1] * 4, penalty_factor=[1, 1, 1, np.inf], upper_limits=None)
    outputs = Solver(problem).outputs
    B, b0 = np.zeros((4, outputs)), np.zeros(outputs)
    null = assess(problem, B, b0)
    if wrong == "intercept":
        problem = replace(problem, fit_intercept=False)
        b0[0] = 1e-3
    else:
        B[{"limit": 0, "nan": 1, "excluded": 3}[wrong], -1] = {
            "limit": -0.2,
            "nan": np.nan,
            "excluded": 1e-9,
        }[wrong]
    claim = assess(problem, B, b0)
    assert not claim.feasible
    assert claim.gap == claim.relative_gap == claim.kkt == claim.primal == np.inf
    assert 0 <= claim.dual <= null.primal or wrong == "intercept"


def test_a_wrong_intercept_costs_what_it_costs() -> None:
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 5)), rng.random(60) < 0.3
    mean = np.mean(y)
    right = np.log(mean / (1 - mean))
    exact = certify(X, y, np.zeros(5), right, 10.0, family="logistic")
    assert exact.relative_gap <= 1e-14
    assert exact.proven_zero.all()
    shifted = certify(X, y, np.zeros(5), right + 0.01, 10.0, family="logistic")
    assert shifted.gap == pytest.approx(shifted.primal - exact.primal, rel=1e-6)
    far = certify(X, y, np.zeros(5), right - 30.0, 10.0, family="logistic")
    assert far.gap == pytest.approx(far.primal - exact.primal, rel=1e-6)


def test_labels_may_be_flipped_and_classes_renamed() -> None:
    rng = np.random.default_rng(1)
    X, y = rng.normal(size=(30, 4)), rng.integers(0, 3, size=30)
    B, b0 = 0.1 * rng.normal(size=(3, 4)), rng.normal(size=3)
    numbers = certify(X, y, B, b0, 0.05, family="multinomial")
    order = [2, 0, 1]  # "a" was 2, "b" was 0, "c" was 1
    names = certify(X, np.array(["b", "c", "a"])[y], B[order], b0[order], 0.05, family="multinomial")
    assert names.gap == pytest.approx(numbers.gap, rel=1e-12)
    two = y > 0
    ahead = certify(X, two, B[0], 0.3, 0.05, family="binomial")
    behind = certify(X, np.where(two, "no", "yes"), -B[0], -0.3, 0.05, family="binomial")
    assert behind.gap == pytest.approx(ahead.gap, rel=1e-12)


def test_weights_are_repetitions() -> None:
    rng = np.random.default_rng(2)
    X, weight = rng.normal(size=(12, 3)), rng.integers(0, 4, size=12)
    times = np.column_stack([np.arange(12.0), rng.random(12) < 0.6])
    responses = {"binomial": np.arange(12) % 2, "poisson": rng.poisson(2.0, 12), "cox": times}
    for family, y in responses.items():
        weighted = certify(X, y, np.full(3, 0.1), 0.0, 0.1, family=family, sample_weight=weight)
        rows = np.repeat(np.arange(12), weight)
        repeated = certify(X[rows], y[rows], np.full(3, 0.1), 0.0, 0.1, family=family)
        assert weighted.gap == pytest.approx(repeated.gap, rel=1e-10)
        assert weighted.null_objective == pytest.approx(repeated.null_objective, rel=1e-12)
