"""Every family against a slow, obvious solver: optimal at every alpha, gaps that bound, exact alpha_max."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import drawing_losses
import numpy as np
import oracle
import oracle_losses
import pytest
import scipy.sparse
from drawing_losses import FAMILIES, KINDS, TOL, assess, at, draw, grid, objectives, solve

from fastreg.certify import certify
from fastreg.errors import DataError

# Objectives agree to this share of the null model's.
AGREE = 1e-8
# What rounding may take from a sum that is exact otherwise, in the same unit.
ROUNDING = 1e-12
ONE_OF_EACH = (*FAMILIES, "grouped")
STORAGES = {
    "float32": lambda X: np.asfortranarray(X, dtype=np.float32),
    "C": np.ascontiguousarray,
    "csc": scipy.sparse.csc_array,
    "csr": scipy.sparse.csr_array,
    "float32 csc": lambda X: scipy.sparse.csc_array(X, dtype=np.float32),
}


def best(problem: Any, alphas: Any) -> Any:
    """Return the oracle's optimal objectives."""
    values = []
    for alpha in alphas:
        one = replace(problem, alpha=float(alpha))
        values.append(oracle_losses.objective(one, *oracle_losses.solve(one)))
    return np.array(values)


def check(problem: Any, alphas: Any, **extra: Any) -> Any:
    """Return the path once nothing better is found and its gaps cover what the oracle gains."""
    path = solve(problem, alphas, **extra)
    assert_close_to(best(problem, path.alphas), problem, path)
    return path


def assert_close_to(least: Any, problem: Any, path: Any) -> None:
    lost = objectives(problem, path) - least
    assert np.all(lost <= AGREE * path.null_objective + 1e-14)
    assert np.all(path.dual_gaps >= lost - ROUNDING * path.null_objective - 1e-14)


@cache
def drawn(kind: str, seed: int) -> tuple[Any, Any, Any]:
    problem = draw(kind, seed)
    alphas = grid(problem)
    return problem, alphas, best(problem, alphas)


# The oracle itself


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_and_hessians_of_the_oracle(kind: str) -> None:
    # Central differences in a random direction; half a deviance is never negative.
    problem = draw(kind, 0)
    rng = np.random.default_rng(1)
    eta, d, h = (*(0.5 * rng.normal(size=(2, len(problem.X), problem.outputs))), 1e-6)
    ahead, behind = eta + h * d, eta - h * d
    rise = (oracle_losses.value(problem, ahead) - oracle_losses.value(problem, behind)) / (2 * h)
    turn = (oracle_losses.gradient(problem, ahead) - oracle_losses.gradient(problem, behind)) / (2 * h)
    assert rise == pytest.approx(np.sum(oracle_losses.gradient(problem, eta) * d), abs=1e-7)
    H = oracle_losses.hessian(problem, eta)
    np.testing.assert_allclose(H @ d.T.ravel(), turn.T.ravel(), rtol=0, atol=1e-7)
    assert oracle_losses.value(problem, eta) >= 0.0


def test_the_two_oracles_agree_on_squares() -> None:
    # One response with an L2,1 penalty is the elastic net, which the older oracle solves by descent.
    rng = np.random.default_rng(2)
    X, y = rng.normal(size=(20, 6)) + 1.0, rng.normal(size=20)
    options: dict[str, Any] = {"alpha": 0.1, "l1_ratio": 0.7, "fit_intercept": True, "standardize": True}
    coef, intercept = oracle.solve(oracle.Problem(X, y, **options))
    ours = oracle_losses.solve(oracle_losses.Problem("mgaussian", X, y[:, None], **options))
    np.testing.assert_allclose(ours[0][0], coef, rtol=0, atol=1e-10)
    assert ours[1][0] == pytest.approx(intercept, abs=1e-10)


# Random problems with any mix of options


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kind", KINDS)
def test_nothing_better_is_found(kind: str, seed: int) -> None:
    # Objectives, null model, certificate (in solve) and optimality conditions, dense and sparse by turns.
    problem, alphas, least = drawn(kind, seed)
    given = problem if seed % 2 == 0 else replace(problem, X=scipy.sparse.csc_array(problem.X))
    path = solve(given, alphas)
    assert_close_to(least, problem, path)
    assert path.null_objective == pytest.approx(oracle_losses.null_value(problem), rel=1e-10)
    start = replace(problem, alpha=1.0, l1_ratio=0.0)
    scale = oracle_losses.kkt(start, *(np.zeros_like(part) for part in at(path, 0)))
    for k, alpha in enumerate(alphas):
        assert oracle_losses.kkt(replace(problem, alpha=float(alpha)), *at(path, k)) <= 1e-4 * scale


@pytest.mark.parametrize("kind", KINDS)
def test_loose_gaps_bound_what_is_lost(kind: str) -> None:
    # A tolerance that stops the solver early: the reported gap, and the certified one, still cover the loss.
    problem, alphas, least = drawn(kind, 0)
    path = solve(problem, alphas, tol=0.03)
    lost = objectives(problem, path) - least
    slack = ROUNDING * path.null_objective
    assert np.all(path.dual_gaps >= lost - slack)
    assert np.all(assess(problem, path).gap >= lost - slack)


@pytest.mark.parametrize("kind", KINDS)
def test_certificates_of_any_point_bound_what_is_lost(kind: str) -> None:
    # Certify is told coefficients that nobody solved for.
    problem, alphas, least = drawn(kind, 1)
    rng = np.random.default_rng(3)
    _, _, low, high = problem.penalty()
    alpha = float(alphas[2])
    one = replace(problem, alpha=alpha)
    coef, intercept = oracle_losses.solve(one)
    for size in (1e-6, 1e-2, 1.0):
        near = np.clip(coef + size * rng.normal(size=coef.shape), low, high)
        off = intercept + size * rng.normal(size=intercept.shape) * problem.fit_intercept
        options = drawing_losses.options(problem) | {"family": problem.family, "grouped": problem.grouped}
        options["delta"] = problem.delta if problem.family == "huber" else None
        options["fit_intercept"] = problem.fit_intercept
        several = problem.outputs > 1
        claim = certify(problem.X, problem.y, near if several else near[0], off, alpha, **options)
        value = oracle_losses.objective(one, near, off)
        assert claim.primal == pytest.approx(value, rel=1e-9)
        assert claim.gap >= value - least[2] - ROUNDING * claim.null_objective
        assert not (np.reshape(claim.proven_zero, coef.shape) & (np.abs(coef) > 1e-9)).any()


@pytest.mark.parametrize("kind", KINDS)
def test_alpha_max_is_exact(kind: str) -> None:
    # Every penalised coefficient is zero there and not a millionth below, with all options and free columns.
    for seed in (10, 11):
        problem = draw(kind, seed)
        if seed == 11:
            factor = 1.0 if problem.penalty_factor is None else problem.penalty_factor
            problem.penalty_factor = np.array(np.broadcast_to(factor, problem.X.shape[1]))
            problem.penalty_factor[0] = 0.0
        top = oracle_losses.alpha_max(problem)
        path = solve(problem, 2, eps=0.5)
        if top < 1e-10:  # nothing can ever enter
            continue
        assert path.alpha_max == pytest.approx(top, rel=1e-8)
        assert path.alphas[0] == path.alpha_max
        penalised = np.broadcast_to(
            1.0 if problem.penalty_factor is None else problem.penalty_factor, problem.X.shape[1]
        ) > 0  # fmt: skip
        both = solve(problem, path.alpha_max * np.array([1.0, 1 - 1e-6])).coefs
        assert not both[..., penalised, 0].any()
        assert both[..., penalised, 1].any()


# One option at a time


@pytest.mark.parametrize("l1_ratio", [1.0, pytest.param(0.5, marks=pytest.mark.compiled_only), 0.1, 0.0])
@pytest.mark.parametrize("kind", ONE_OF_EACH)
def test_more_features_than_rows(kind: str, l1_ratio: float) -> None:
    # The lasso's support may be as large as n; pure L2 is solved in n dimensions.
    problem = replace(draw(kind, 4, n=16, p=40, plain=True), l1_ratio=l1_ratio)
    check(problem, grid(problem, np.array([0.3, 0.05])))


@pytest.mark.parametrize("l1_ratio", [1.0, 0.0])
@pytest.mark.parametrize("kind", ONE_OF_EACH)
def test_free_and_excluded_features(kind: str, l1_ratio: float) -> None:
    problem = draw(kind, 5, n=24, p=6, plain=True)
    problem = replace(problem, l1_ratio=l1_ratio, penalty_factor=np.array([0.0, 1.0, np.inf, 1.0, 0.0, 2.0]))
    path = check(problem, grid(problem, np.array([1.0, 0.2])))
    assert not path.coefs[..., 2, :].any()
    assert path.coefs[..., [0, 4], :].all(axis=-1).any()


# Groups take no limits: see the next test.
@pytest.mark.parametrize("kind", [kind for kind in FAMILIES if kind != "mgaussian"])
def test_limits_are_kept_and_met(kind: str) -> None:
    open_problem = draw(kind, 6, n=24, p=5, plain=True)
    alphas = grid(open_problem, np.array([0.3, 0.05]))
    reach = np.abs(solve(open_problem, alphas).coefs[..., -1])
    reach = reach.max(axis=0) if reach.ndim == 2 else reach
    path = check(replace(open_problem, lower_limits=-0.3 * reach, upper_limits=0.6 * reach), alphas)
    rows = reach[:, None]
    assert np.all((path.coefs >= -0.3 * rows) & (path.coefs <= 0.6 * rows))
    assert (check(replace(open_problem, positive=True), alphas).coefs >= 0.0).all()


@pytest.mark.parametrize("kind", ["mgaussian", "grouped"])
@pytest.mark.parametrize("limits", [{"positive": True}, {"upper_limits": 0.1}, {"lower_limits": -0.1}])
def test_groups_take_no_limits(kind: str, limits: Any) -> None:
    # Refused, as every option that a branch cannot honour is; never left out in silence.
    problem = replace(draw(kind, 7, plain=True), **limits)
    with pytest.raises(DataError, match="grouped"):
        solve(problem, np.array([0.1]))


@pytest.mark.parametrize("storage", STORAGES)
@pytest.mark.parametrize("kind", ONE_OF_EACH)
def test_storages_give_one_answer(kind: str, storage: str) -> None:
    # The numbers are float32 ones, so that every storage holds the same problem.
    problem = draw(kind, 8, plain=True)
    problem.X = problem.X.astype(np.float32).astype(np.float64)
    alphas = grid(problem, np.array([0.5, 0.1]))
    plain = solve(problem, alphas)
    other = solve(replace(problem, X=STORAGES[storage](problem.X)), alphas)
    scale = np.abs(plain.coefs).max()
    np.testing.assert_allclose(other.coefs, plain.coefs, rtol=0, atol=1e-4 * scale)
    lost = objectives(problem, other) - objectives(problem, plain)
    assert np.all(np.abs(lost) <= AGREE * plain.null_objective)


# Awkward designs


def duplicates(X: Any) -> Any:
    return np.hstack([X, X[:, :2], -X[:, :1]])


def constants(X: Any) -> Any:
    X = X.copy()
    X[:, 0], X[:, -1] = 0.0, 3.0
    return X


def deficient(X: Any) -> Any:
    mixer = np.random.default_rng(0).normal(size=(2, 9))
    return X[:, :2] @ mixer


def far_off(X: Any) -> Any:
    return X * 10.0 ** np.arange(-2, X.shape[1] - 2) + 30.0


@pytest.mark.parametrize("change", [duplicates, constants, deficient, far_off])
@pytest.mark.parametrize("kind", ONE_OF_EACH)
def test_awkward_columns(kind: str, change: Any) -> None:
    problem = draw(kind, 9, n=20, p=5, plain=True)
    problem = replace(problem, X=change(problem.X), standardize=change is far_off)
    # Newton's equations of equal groups are singular: how many digits they give hangs on the rounding.
    tol = 1e-8 if kind == "grouped" and change is duplicates else TOL
    path = check(problem, grid(problem, np.array([1.0, 0.3, 0.03])), tol=tol)
    if change is constants:
        assert not path.coefs[..., 0, :].any()
        assert problem.family == "cox" or not path.coefs[..., -1, :].any()


@pytest.mark.parametrize("shape", [(2, 1), (2, 3), (3, 1), (9, 1)])
@pytest.mark.parametrize("kind", ONE_OF_EACH)
def test_few_rows_or_columns(kind: str, shape: tuple[int, int]) -> None:
    problem = draw(kind, 12, *shape, plain=True)
    if kind in ("multinomial", "grouped") and shape[0] < 3:
        problem.y = np.eye(2)
    alphas = grid(problem, np.array([1.0, 0.3, 0.1]))
    check(problem, alphas)
    check(replace(problem, l1_ratio=0.0), alphas)
