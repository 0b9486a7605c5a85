"""Which solver a problem gets, and where its path begins: by shape and cost, no user has to choose."""

from __future__ import annotations

import numpy as np

from ._repeated import at_length
from ._typing import Float64
from .driver import ROUNDING, KeepGoing, Solver
from .kernels.opening import alpha_max
from .kernels.state import Penalties
from .problem import Problem
from .solve_curved import CurvedSolver
from .solve_gram import GramSolver, is_tall
from .solve_groups import GroupSolver, require_unbounded
from .solve_nothing import NothingToSolve
from .solve_ridge import is_ridge
from .solve_ridge_curved import CurvedRidgeSolver, is_curved_ridge
from .solvers import ScreenedSolver


def start_solver(
    problem: Problem,
    n_threads: int,
    tol: float,
    coef_init: Float64 | None,
    keep_going: KeepGoing,
    is_part: bool,
) -> tuple[Solver, float]:
    """Choose a solver, fit what is not penalised, and return the solver with alpha_max.

    One path of many, ``is_part``, takes less room.
    """
    is_grouped = problem.null is not None and problem.null.target.is_grouped
    if is_grouped:
        require_unbounded(problem.penalty)
    if problem.null is not None and problem.null_objective == 0.0:
        return NothingToSolve(problem), 0.0
    if is_curved_ridge(problem):
        ridge = CurvedRidgeSolver(problem, tol * problem.null_objective)
        return ridge, largest_alpha(problem, ridge.first_correlations())
    # Ridge only needs the beginning of its path from here: it forms its own Gram matrix.
    kind: type[GramSolver | ScreenedSolver] = ScreenedSolver
    if problem.null is not None:
        kind = CurvedSolver
    elif is_tall(problem) and not is_ridge(problem):
        kind = GramSolver
    solver: GramSolver | ScreenedSolver | GroupSolver
    if is_grouped:
        solver = GroupSolver(problem, n_threads, tol * problem.null_objective)
    else:
        solver = kind(problem, n_threads, tol * problem.null_objective, is_part)
    arrays = problem.arrays
    is_free = (arrays.l1 == 0.0) & (arrays.l2 == 0.0) & (arrays.lower < arrays.upper)
    free = np.flatnonzero(at_length(is_free, problem.size)) if is_free.any() else np.zeros(0, int)
    correlations = solver.first_correlations()
    if free.size:
        correlations = solver.fit_free(free, keep_going)
    largest = largest_alpha(problem, correlations)
    # They live on in the references; a name here would keep them through the whole path.
    del correlations
    if isinstance(solver, ScreenedSolver):
        solver.let_go()
    if coef_init is not None:
        start = coef_init / np.tile(at_length(problem.units, problem.design.p), problem.outputs)
        features = np.flatnonzero(start)
        solver.start_from(features, np.clip(start, arrays.lower, arrays.upper)[features])
    return solver, largest


# Stands in for l1_ratio = 0 in alpha_max of pure ridge, where no finite alpha makes coefficients vanish:
# glmnet's choice.
RIDGE_STAND_IN = 1e-3


def largest_alpha(problem: Problem, correlations: Float64) -> float:
    """Return the smallest alpha at which all penalised coefficients are zero."""
    arrays = problem.arrays
    noise = ROUNDING * problem.response.square**0.5
    if problem.penalty.l1_ratio == 0.0:
        # l2 holds the square of the column's scale, but the factor once.
        factor = np.where(problem.penalty.excluded, 0.0, problem.penalty.factor)
        l2 = problem.per_coefficient.l2
        arrays = arrays._replace(l1=RIDGE_STAND_IN * np.sqrt(np.tile(factor, problem.outputs)) * np.sqrt(l2))
    if problem.null is not None and problem.null.target.is_grouped:
        return _largest_of_groups(problem, correlations, arrays, noise)
    return float(alpha_max(correlations, arrays, problem.square, noise))


def _largest_of_groups(problem: Problem, correlations: Float64, arrays: Penalties, noise: float) -> float:
    """Do what largest_alpha does where a group enters when the norm of its correlations is too long."""
    p = problem.design.p
    pull = np.linalg.norm(correlations.reshape(problem.outputs, p), axis=0)
    level = at_length(arrays.l1, problem.size)[:p]
    counts = (level > 0.0) & np.isfinite(level) & (pull > noise * np.sqrt(problem.design.square))
    return float(np.max(pull[counts] / level[counts], initial=0.0))
