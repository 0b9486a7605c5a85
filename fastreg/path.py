"""The one path loop: warm-started from the largest alpha down, every alpha certified, always a result."""

from __future__ import annotations

import time
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from scipy import sparse

from ._typing import Float64, Index
from .choose import start_solver
from .control import Monitor, PathStep
from .errors import ConvergenceWarning, DataError, Status
from .kernels import state
from .problem import Problem
from .result import PathResult
from .solve_ridge import RidgeSolver, is_ridge
from .solvers import Solver
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


@dataclass
class _Record:
    """The finished part of a path, on the solver's scale."""

    alphas: list[float] = field(default_factory=list)
    features: list[Index] = field(default_factory=list)
    values: list[Float64] = field(default_factory=list)
    gaps: list[float] = field(default_factory=list)
    squares: list[float] = field(default_factory=list)
    efforts: list[int] = field(default_factory=list)

    def forget_last(self) -> None:
        """Drop the last alpha: it went beyond what the user allowed."""
        for column in (self.alphas, self.features, self.values, self.gaps, self.squares, self.efforts):
            column.pop()


def fit_path(problem: Problem, grid: AlphaGrid, settings: PathSettings, monitor: Monitor) -> PathResult:
    """Solve the path and present it on the user's scale."""
    began = time.perf_counter()
    record = _Record()
    with monitor:
        solver: Solver
        solver, alpha_max = start_solver(
            problem, settings.n_threads, settings.tol, settings.coef_init, monitor.keep_going
        )
        alphas = _alphas(grid, alpha_max)
        if is_ridge(problem):
            solver = RidgeSolver(problem, alphas)
        status = _follow(problem, solver, alphas, settings, monitor, record)
    status = _judge(problem, status, record, settings)
    return _present(
        problem, record, solver, status, alpha_max, settings, len(alphas), time.perf_counter() - began
    )


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
    problem: Problem,
    solver: Solver,
    alphas: Float64,
    settings: PathSettings,
    monitor: Monitor,
    record: _Record,
) -> Status:
    """Solve alpha after alpha until the grid or the user's patience ends."""
    unit, null = problem.objective_unit, problem.null_objective
    effort = 0
    for k, alpha in enumerate(alphas):
        gap, square, is_finished = solver.solve(float(alpha), monitor.keep_going, settings.max_iter)
        if not is_finished:
            return monitor.why_stopped()
        features, values = solver.coefficients()
        done = int(solver.stats[[state.GRADIENTS, state.SWEEPS]].sum())
        record.alphas.append(float(alpha))
        record.features.append(features)
        record.values.append(values)
        record.gaps.append(gap * unit)
        record.squares.append(square * unit)
        record.efforts.append(max(done - effort, 1))
        effort = done
        relative = gap / null if null > 0.0 else 0.0
        explained = 1.0 - square / (2.0 * null) if null > 0.0 else 0.0
        verdict = monitor.after_alpha(
            PathStep(k, float(alpha), len(features), relative, explained, monitor.elapsed())
        )
        if verdict is Status.MAX_FEATURES and len(features) > (monitor.max_features or 0):
            record.forget_last()
        if verdict is not None:
            return verdict
    return Status.CONVERGED


def _judge(problem: Problem, status: Status, record: _Record, settings: PathSettings) -> Status:
    """Warn once when alphas missed the tolerance, naming them and the remedy."""
    limit = settings.tol * problem.null_objective * problem.objective_unit
    # A null model without loss: gaps at rounding level of zero are as good as they can be.
    missed = (
        [a for a, gap in zip(record.alphas, record.gaps, strict=True) if gap > limit] if limit > 0.0 else []
    )
    if not missed:
        return status
    warnings.warn(
        f"{len(missed)} of {len(record.alphas)} alphas did not reach the relative duality gap "
        f"tol={settings.tol:g} (first {missed[0]:.6g}, last {missed[-1]:.6g}): "
        f"raise max_iter (now {settings.max_iter}) or tol",
        ConvergenceWarning,
        stacklevel=4,
    )
    return Status.NOT_CONVERGED if status is Status.CONVERGED else status


def _present(
    problem: Problem,
    record: _Record,
    solver: Solver,
    status: Status,
    alpha_max: float,
    settings: PathSettings,
    requested: int,
    fit_time: float,
) -> PathResult:
    """Translate the record into the user's scale and freeze it."""
    unit, objective_unit = problem.coefficient_unit, problem.objective_unit
    penalty = problem.penalty
    columns, rows, intercepts = [], [], []
    for features, values in zip(record.features, record.values, strict=True):
        order = np.argsort(features)
        with np.errstate(over="ignore"):
            coefs = values[order] * unit[features[order]]
        if not np.isfinite(coefs).all():
            label = column_label(int(features[order][np.argmin(np.isfinite(coefs))]), problem.feature_names)
            raise DataError(
                f"coefficients must fit into float64, but that of {label} is too large: rescale the column"
            )
        # A bound met exactly in the solver's units may be passed by a rounding error in the user's.
        np.clip(coefs, penalty.lower[features[order]], penalty.upper[features[order]], out=coefs)
        rows.append(features[order])
        columns.append(coefs)
        intercepts.append(problem.intercept(features[order], coefs))
    indptr = np.concatenate([[0], np.cumsum([len(r) for r in rows])])
    data = np.concatenate(columns) if columns else np.empty(0)
    indices = np.concatenate(rows) if rows else np.empty(0, np.int64)
    shape = (problem.design.p, len(rows))
    total = problem.response.total_weight
    null = problem.null_objective * objective_unit
    squares = np.array(record.squares)
    return PathResult(
        alphas=np.array(record.alphas),
        coefs_sparse=sparse.csc_array((data, indices, indptr), shape=shape),
        intercepts=np.array(intercepts),
        dual_gaps=np.array(record.gaps),
        n_iter=np.array(record.efforts, dtype=np.int64),
        status=status,
        dev_ratio=_explained(squares, 2.0 * null),
        null_deviance=2.0 * null * total,
        null_objective=null,
        alpha_max=alpha_max,
        l1_ratio=problem.penalty.l1_ratio,
        feature_names=problem.feature_names,
        counters=_counters(problem, solver),
        input_report=problem.design.report,
        fit_time=fit_time,
        alphas_requested=requested,
        tol=settings.tol,
        return_n_iter=settings.return_n_iter,
    )


def _counters(problem: Problem, solver: Solver) -> Mapping[str, int | tuple[int, ...]]:
    """Name the work that was done; the survey counts as one full pass."""
    counts = {name: int(solver.stats[i]) for i, name in enumerate(state.COUNTER_NAMES)}
    counts["columns_read"] += problem.design.p
    counts["full_passes"] = -(-counts["columns_read"] // problem.design.p)
    return counts


def _explained(squares: Float64, null: float) -> Float64:
    """Return the share of the null deviance that is explained; rounding beside zero is zero."""
    if null <= 0.0:
        return np.zeros(len(squares))
    share = 1.0 - squares / null
    share[np.abs(share) < 1e-14] = 0.0
    return np.asarray(share)
