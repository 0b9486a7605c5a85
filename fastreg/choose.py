"""Which solver a problem gets, and where its path begins: by shape and cost, no user has to choose."""

from __future__ import annotations

import numpy as np

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
    free = np.flatnonzero((arrays.l1 == 0.0) & (arrays.l2 == 0.0) & (arrays.lower < arrays.upper))
    correlations = solver.first_correlations()
    if free.size:
        correlations = solver.fit_free(free, keep_going)
    alpha_max = largest_alpha(problem, correlations)
    if coef_init is not None:
        start = coef_init / problem.coefficient_unit
        features = np.flatnonzero(start)
        solver.start_from(features, np.clip(start, arrays.lower, arrays.upper)[features])
    return solver, alpha_max


# Stands in for l1_ratio = 0 in alpha_max of pure ridge, where no finite alpha makes coefficients vanish:
# glmnet's choice.
RIDGE_STAND_IN = 1e-3


def largest_alpha(problem: Problem, correlations: Float64) -> float:
    """Return the smallest alpha at which all penalised coefficients are zero."""
    arrays = problem.arrays
    level = arrays.l1
    if problem.penalty.l1_ratio == 0.0:
        # l2 holds the square of the column's scale, but the factor once.
        factor = np.where(problem.penalty.excluded, 0.0, problem.penalty.factor)
        level = RIDGE_STAND_IN * np.sqrt(np.tile(factor, problem.outputs)) * np.sqrt(arrays.l2)
    pull = np.where(correlations > 0, np.where(arrays.upper > 0, correlations, 0.0), 0.0)
    pull = np.maximum(pull, np.where(arrays.lower < 0, -correlations, 0.0))
    square = problem.square
    if problem.null is not None and problem.null.target.is_grouped:
        # A group enters when the norm of its correlations is too long.
        pull = np.linalg.norm(pull.reshape(problem.outputs, -1), axis=0)
        level, square = level[: pull.size], square[: pull.size]
    # A correlation at the level of rounding is none: the column is orthogonal to the response.
    real = pull > ROUNDING * np.sqrt(square * problem.response.square)
    counts = (level > 0.0) & np.isfinite(level) & real
    return float(np.max(pull[counts] / level[counts], initial=0.0))
