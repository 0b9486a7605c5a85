"""Which solver a problem gets, and where its path begins: by shape and cost, no user has to choose."""

from __future__ import annotations

import numpy as np

from ._repeated import at_length, blocks
from ._typing import Float64
from .driver import ROUNDING, KeepGoing, Solver
from .problem import Problem
from .solve_curved import CurvedSolver
from .solve_gram import GramSolver, is_tall
from .solve_groups import GroupSolver, require_unbounded
from .solve_nothing import NothingToSolve
from .solve_ridge import is_ridge
from .solve_ridge_curved import CurvedRidgeSolver, is_curved_ridge
from .solvers import ScreenedSolver


def start_solver(
    problem: Problem, n_threads: int, tol: float, coef_init: Float64 | None, keep_going: KeepGoing
) -> tuple[Solver, float]:
    """Choose a solver, fit what is not penalised, and return the solver with alpha_max."""
    is_grouped = problem.null is not None and problem.null.target.is_grouped
    if is_grouped:
        require_unbounded(problem.penalty)
    if problem.null is not None and problem.null_objective == 0.0:
        return NothingToSolve(problem), 0.0
    if is_curved_ridge(problem):
        ridge = CurvedRidgeSolver(problem, tol * problem.null_objective)
        return ridge, largest_alpha(problem, ridge.first_correlations())
    # Ridge only needs the beginning of its path from here: it forms its own Gram matrix.
    kind: type[GramSolver | ScreenedSolver | GroupSolver] = ScreenedSolver
    if problem.null is not None:
        kind = GroupSolver if is_grouped else CurvedSolver
    elif is_tall(problem) and not is_ridge(problem):
        kind = GramSolver
    solver = kind(problem, n_threads, tol * problem.null_objective)
    arrays = problem.arrays
    is_free = (arrays.l1 == 0.0) & (arrays.l2 == 0.0) & (arrays.lower < arrays.upper)
    free = np.flatnonzero(at_length(is_free, problem.size)) if is_free.any() else np.zeros(0, int)
    correlations = solver.first_correlations()
    if free.size:
        correlations = solver.fit_free(free, keep_going)
    alpha_max = largest_alpha(problem, correlations)
    # They live on in the references; a name here would keep them through the whole path.
    del correlations
    if isinstance(solver, ScreenedSolver):
        solver.let_go()
    if coef_init is not None:
        start = coef_init / problem.coefficient_units(np.arange(problem.size))
        features = np.flatnonzero(start)
        solver.start_from(features, np.clip(start, arrays.lower, arrays.upper)[features])
    return solver, alpha_max


# Stands in for l1_ratio = 0 in alpha_max of pure ridge, where no finite alpha makes coefficients vanish:
# glmnet's choice.
RIDGE_STAND_IN = 1e-3


def largest_alpha(problem: Problem, correlations: Float64) -> float:
    """Return the smallest alpha at which all penalised coefficients are zero."""
    is_grouped = problem.null is not None and problem.null.target.is_grouped
    arrays = problem.arrays
    is_alike = arrays.l1.size == arrays.lower.size == arrays.upper.size == 1
    if is_alike and problem.penalty.l1_ratio > 0.0 and not is_grouped:
        # Where all are held alike the strongest decides, unless it is rounding.
        ends = np.array([correlations.argmax(), correlations.argmin()])
        pull = _pull(correlations[ends], arrays.lower, arrays.upper)
        k = int(pull.argmax())
        found = _largest(problem, pull[[k]], arrays.l1, problem.square[ends[[k]]])
        if found > 0.0:
            return found
    penalties = problem.per_coefficient
    level = penalties.l1
    if problem.penalty.l1_ratio == 0.0:
        # l2 holds the square of the column's scale, but the factor once.
        factor = np.where(problem.penalty.excluded, 0.0, problem.penalty.factor)
        level = RIDGE_STAND_IN * np.sqrt(np.tile(factor, problem.outputs)) * np.sqrt(penalties.l2)
    if is_grouped:
        # A group enters when the norm of its correlations is too long.
        pull = np.linalg.norm(_pull(correlations, *penalties[2:]).reshape(problem.outputs, -1), axis=0)
        return _largest(problem, pull, level[: pull.size], problem.square[: pull.size])
    return max(
        _largest(problem, _pull(correlations[b], *(v[b] for v in penalties[2:])), level[b], problem.square[b])
        for b in blocks(problem.size)
    )


def _pull(correlations: Float64, lower: Float64, upper: Float64) -> Float64:
    """Return how strongly features are pulled away from zero in directions that are open to them."""
    up = np.where((correlations > 0) & (upper > 0), correlations, 0.0)
    return np.maximum(up, np.where(lower < 0, -correlations, 0.0))


def _largest(problem: Problem, pull: Float64, level: Float64, square: Float64) -> float:
    # A correlation at the level of rounding is none: the column is orthogonal to the response.
    real = pull > ROUNDING * np.sqrt(square * problem.response.square)
    counts = (level > 0.0) & np.isfinite(level) & real
    return float(np.max(pull[counts] / level[counts], initial=0.0))
