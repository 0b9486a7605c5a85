"""The path: warm-started from the largest alpha down, every alpha certified, always a result."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from ._typing import Float64
from .choose import start_solver
from .control import Monitor, PathStep
from .driver import Solver
from .errors import ConvergenceWarning, DataError, Status, warn
from .families import result_fields
from .kernels import state
from .problem import Problem
from .record import Record, with_stepping_stones
from .result import PathResult
from .solve_ridge import RidgeSolver, is_ridge
from .solve_ridge_curved import is_curved_ridge
from .validate import AlphaGrid
from .validate.words import column_label

# The grid of a problem whose null model is already perfect: any positive alphas give zero coefficients.
ARBITRARY_ALPHA = 1e-15


@dataclass(frozen=True)
class PathSettings:
    """What a path needs beyond the problem: accuracy, effort, start and how the result is presented."""

    tol: float
    max_iter: int
    n_threads: int
    coef_init: Float64 | None = None
    return_n_iter: bool = False
    # One path of many, whose owner speaks for all of them.
    is_part: bool = False


def fit_path(problem: Problem, grid: AlphaGrid, settings: PathSettings, monitor: Monitor) -> PathResult:
    """Solve the path and present it on the user's scale."""
    began = time.perf_counter()
    with monitor:
        solver: Solver
        solver, alpha_max = start_solver(
            problem, settings.n_threads, settings.tol, settings.coef_init, monitor.keep_going
        )
        alphas = _alphas(grid, alpha_max)
        record = Record(alphas, outputs=problem.outputs)
        if problem.null is None and is_ridge(problem):
            solver = RidgeSolver(problem)
        elif alpha_max > 0.0 and not is_curved_ridge(problem):
            # A warm start replaces the way down to the first alpha.
            start = alpha_max if settings.coef_init is None else float(alphas[0])
            record = with_stepping_stones(alphas, start, problem.outputs)
        status = _follow(problem, solver, settings, monitor, record)
    status = _judge(problem, status, record, settings)
    return _present(problem, record, solver, status, alpha_max, settings, time.perf_counter() - began)


def _alphas(grid: AlphaGrid, alpha_max: float) -> Float64:
    """Return the alphas to solve, largest first."""
    if grid.values is not None:
        return grid.values
    top = alpha_max if alpha_max > 0.0 else ARBITRARY_ALPHA
    if grid.size == 1:
        return np.array([top])
    alphas = np.geomspace(top, top * grid.eps, grid.size)
    # geomspace may end one rounding error beside its ends.
    alphas[0] = top
    return alphas


def _follow(
    problem: Problem, solver: Solver, settings: PathSettings, monitor: Monitor, record: Record
) -> Status:
    """Solve until the grid or the user's patience ends; alpha by alpha only where somebody watches."""
    null = problem.null_objective
    total = len(record.alphas)
    while record.finished < total:
        k = record.finished
        stop = k + 1 if monitor.is_watched else total
        solver.follow(record, stop, monitor.keep_going, settings.max_iter)
        if record.finished < stop:
            return monitor.why_stopped()
        if not monitor.is_watched:
            break
        if not record.is_asked[k]:
            continue
        gap, square = float(record.trail.gap[k]), float(record.trail.square[k])
        relative = gap / null if null > 0.0 else 0.0
        explained = 1.0 - square / (2.0 * null) if null > 0.0 else 0.0
        number = len(record.done()) - 1
        step = PathStep(
            number, float(record.alphas[k]), record.n_nonzero(k), relative, explained, monitor.elapsed()
        )
        verdict = monitor.after_alpha(step)
        if verdict is Status.MAX_FEATURES:
            # This alpha went beyond what the user allowed.
            record.finished = k
        if verdict is not None:
            return verdict
    return Status.CONVERGED


def _judge(problem: Problem, status: Status, record: Record, settings: PathSettings) -> Status:
    """Warn once when alphas missed the tolerance, naming them and the remedy."""
    limit = settings.tol * problem.null_objective
    done = record.done()
    # A null model without loss: gaps at rounding level of zero are as good as they can be.
    is_missed = record.trail.gap[done] > limit if limit > 0.0 else np.zeros(done.size, dtype=bool)
    if not is_missed.any():
        return status
    if not settings.is_part:
        rounds = np.diff(record.trail.effort[done], prepend=0)[is_missed]
        _warn_of(record.alphas[done][is_missed], done.size, max(int(rounds.max()), 1), settings)
    return Status.NOT_CONVERGED if status is Status.CONVERGED else status


def _warn_of(missed: Float64, count: int, rounds: int, settings: PathSettings) -> None:
    remedy = f"raise max_iter (now {settings.max_iter}) or tol"
    if rounds < settings.max_iter:
        remedy = f"rounding left no more to gain after {rounds} rounds, raise tol"
    warn(
        f"{len(missed)} of {count} alphas did not reach the relative duality gap "
        f"tol={settings.tol:g} (first {missed[0]:.6g}, last {missed[-1]:.6g}): {remedy}",
        ConvergenceWarning,
    )


def _present(
    problem: Problem,
    record: Record,
    solver: Solver,
    status: Status,
    alpha_max: float,
    settings: PathSettings,
    fit_time: float,
) -> PathResult:
    """Translate the record into the user's scale and freeze it."""
    objective_unit, done = problem.objective_unit, record.done()
    coefs = _coefficients(problem, record)
    null = problem.null_objective * objective_unit
    effort = record.trail.effort[done]
    return PathResult(
        alphas=record.alphas[done],
        coefs_sparse=coefs,
        intercepts=problem.intercepts(coefs, record.trail.intercept[done]),
        dual_gaps=record.trail.gap[done] * objective_unit,
        n_iter=np.maximum(np.diff(effort, prepend=0), 1),
        status=status,
        dev_ratio=_explained(record.trail.square[done], 2.0 * problem.null_objective),
        null_deviance=2.0 * null * problem.response.total_weight,
        null_objective=null,
        alpha_max=alpha_max,
        l1_ratio=problem.penalty.l1_ratio,
        feature_names=problem.feature_names,
        counters=_counters(problem, solver),
        input_report=problem.design.report,
        fit_time=fit_time,
        alphas_requested=int(record.is_asked.sum()),
        tol=settings.tol,
        return_n_iter=settings.return_n_iter,
        fit_intercept=problem.fit_intercept,
        **_of_family(problem),
    )


def _of_family(problem: Problem) -> dict[str, Any]:
    """Return what a result keeps of its family."""
    return {} if problem.null is None else result_fields(problem.null.target)


def _coefficients(problem: Problem, record: Record) -> sparse.csc_array:
    """Return the coefficients on the user's scale, one column per alpha, features in order."""
    done = record.finished
    indptr = record.trail.ends[: done + 1].copy()
    features = record.trail.feature[: indptr[-1]].copy()
    with np.errstate(over="ignore"):
        values = record.trail.value[: indptr[-1]] * problem.coefficient_unit[features]
    if not np.isfinite(values).all():
        column = int(features[np.argmin(np.isfinite(values))]) % problem.design.p
        label = column_label(column, problem.feature_names)
        raise DataError(
            f"coefficients must fit into float64, but that of {label} is too large: rescale the column"
        )
    # A bound met exactly in the solver's units may be passed by a rounding error in the user's.
    penalty = problem.penalty
    columns = features % problem.design.p
    np.clip(values, penalty.lower[columns], penalty.upper[columns], out=values)
    coefs = sparse.csc_array((values, features, indptr), shape=(problem.size, done))
    coefs.sort_indices()
    return coefs if record.is_asked.all() else coefs[:, record.done()]


def _counters(problem: Problem, solver: Solver) -> Mapping[str, int | tuple[int, ...]]:
    """Name the work that was done; the survey counts as one full pass."""
    counts = {name: int(solver.stats[i]) for i, name in enumerate(state.COUNTER_NAMES)}
    counts["columns_read"] += problem.size
    counts["full_passes"] = -(-counts["columns_read"] // problem.size)
    return counts


def _explained(squares: Float64, null: float) -> Float64:
    """Return the share of the null deviance that is explained; rounding beside zero is zero."""
    if null <= 0.0:
        return np.zeros(len(squares))
    share = 1.0 - squares / null
    share[np.abs(share) < 1e-14] = 0.0
    return np.asarray(share)
