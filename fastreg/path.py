"""The path: warm-started from the largest alpha down, every alpha certified, always a result."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
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
from .kernels.trail import Scale, Shown, show
from .problem import Problem
from .record import Record, with_stepping_stones
from .result import PathResult
from .solve_ridge import RidgeSolver, is_ridge
from .solve_ridge_curved import is_curved_ridge
from .validate import AlphaGrid
from .validate.words import column_label

# The grid of a problem whose null model is already perfect: any positive alphas give zero coefficients.
ARBITRARY_ALPHA = 1e-15
# Relative gaps up to this are met where the tolerance is zero.
LEFT_BY_ROUNDING = 1e-9
# What a change of units may do to a number, as a share of it: a few roundings.
ROUNDED = 4 * np.finfo(np.float64).eps
# Of columns whose means no intercept takes up.
NO_MEANS = np.zeros(1)


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
    # Where the data are, for what a result is asked later.
    source: Any = None


def fit_path(problem: Problem, grid: AlphaGrid, settings: PathSettings, monitor: Monitor) -> PathResult:
    """Solve the path and present it on the user's scale."""
    with monitor:
        under_way = PathUnderWay(problem, grid, settings, monitor)
        under_way.carry_on()
    return under_way.result()


class PathUnderWay:
    """A path that is solved in stages: begun, carried on, in the end a result."""

    def __init__(self, problem: Problem, grid: AlphaGrid, settings: PathSettings, monitor: Monitor) -> None:
        began = time.perf_counter()
        self.problem, self.settings, self.monitor = problem, settings, monitor
        solver: Solver
        solver, alpha_max = start_solver(
            problem,
            settings.n_threads,
            settings.tol,
            settings.coef_init,
            monitor.keep_going,
            settings.is_part,
        )
        alphas = _alphas(grid, alpha_max)
        # A warm start replaces the way down to the first alpha.
        start = alpha_max if settings.coef_init is None or alpha_max == 0.0 else float(alphas[0])
        if problem.null is None and is_ridge(problem):
            solver = RidgeSolver(problem)
            start = 0.0
        elif is_curved_ridge(problem):
            start = 0.0
        self.solver, self.alpha_max = solver, alpha_max
        self.record = with_stepping_stones(
            alphas, start, problem.size, problem.outputs, problem.design.n, settings.is_part
        )
        self.status = Status.CONVERGED
        self.seconds = time.perf_counter() - began

    @property
    def alphas(self) -> Float64:
        """The alphas that are asked for, largest first."""
        return self.record.alphas[self.record.is_asked]

    @property
    def is_done(self) -> bool:
        """Whether all alphas are solved."""
        return self.record.finished == len(self.record.alphas)

    def carry_on(self) -> None:
        """Solve on to the end of the path."""
        began = time.perf_counter()
        self.status = _follow(self.problem, self.solver, self.settings, self.monitor, self.record)
        self.seconds += time.perf_counter() - began

    def solutions(self) -> tuple[Shown, Status]:
        """Return what was solved and how it ended, in place of a whole ``result``."""
        status = _judge(self.problem, self.status, self.record, self.settings)
        del self.solver
        return _shown(self.problem, self.record), status

    def result(self) -> PathResult:
        """Return what was solved; the path cannot be carried on after that."""
        began = time.perf_counter()
        status = _judge(self.problem, self.status, self.record, self.settings)
        counters = _counters(self.problem, self.solver)
        # What the solver carried has done its work: the result is made where it was.
        del self.solver
        seconds = self.seconds + time.perf_counter() - began
        return _present(self.problem, self.record, counters, status, self.alpha_max, self.settings, seconds)


def _alphas(grid: AlphaGrid, alpha_max: float) -> Float64:
    """Return the alphas to solve, largest first."""
    if grid.values is not None:
        return grid.values
    top = alpha_max if alpha_max > 0.0 else ARBITRARY_ALPHA
    if grid.size == 1:
        return np.array([top])
    return top * _shares(grid.eps, grid.size)


@lru_cache(maxsize=64)
def _shares(eps: float, size: int) -> Float64:
    """Return the alphas of a grid as shares of the largest, which is one."""
    shares = np.geomspace(1.0, eps, size)
    # geomspace may end one rounding error beside its ends.
    shares[0], shares[-1] = 1.0, eps
    shares.flags.writeable = False
    return shares


def _follow(
    problem: Problem, solver: Solver, settings: PathSettings, monitor: Monitor, record: Record
) -> Status:
    """Solve until the path or the user's patience ends; one by one only where somebody watches."""
    null, total = problem.null_objective, len(record.alphas)
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
    # A tolerance of zero asks for what rounding leaves.
    limit = (settings.tol or LEFT_BY_ROUNDING) * problem.null_objective
    gaps = record.trail.gap[: record.finished]
    # Neither an infinite gap nor one that is NaN proves anything, whatever it is compared with.
    is_met = (gaps <= limit) & (limit < np.inf)
    # A null model without loss: gaps at rounding level of zero are as good as they can be.
    if limit <= 0.0 or is_met.all():
        return status
    done = record.done()
    is_missed = ~is_met[done]
    # Stones on the way are nobody's concern.
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
    counters: Mapping[str, int | tuple[int, ...]],
    status: Status,
    alpha_max: float,
    settings: PathSettings,
    fit_time: float,
) -> PathResult:
    """Translate the record into the user's scale and freeze it."""
    shown = _shown(problem, record)
    null = problem.null_objective * problem.objective_unit
    return PathResult(
        alphas=record.alphas_done(),
        coefs_sparse=_coefficients(problem, shown),
        intercepts=shown.intercept if problem.outputs > 1 else shown.intercept[0],
        dual_gaps=shown.gap,
        n_iter=shown.rounds.astype(np.int64, copy=False),
        status=status,
        dev_ratio=shown.explained,
        null_deviance=2.0 * null * problem.response.total_weight,
        null_objective=null,
        alpha_max=alpha_max,
        l1_ratio=problem.penalty.l1_ratio,
        feature_names=problem.feature_names,
        counters=counters,
        input_report=problem.design.report,
        fit_time=fit_time,
        alphas_requested=record.requested,
        tol=settings.tol,
        return_n_iter=settings.return_n_iter,
        source=settings.source,
        fit_intercept=problem.fit_intercept,
        **_of_family(problem),
    )


def _shown(problem: Problem, record: Record) -> Shown:
    """Return the alphas that were asked for on the user's scale, features in order."""
    is_asked = record.is_asked[: record.finished]
    count, entries = record.finished, int(record.trail.ends[record.finished])
    if not record.is_plain:
        count, entries = int(is_asked.sum()), int(np.diff(record.trail.ends[: count + 1])[is_asked].sum())
    # The type that SciPy would choose after a look at every entry.
    index = np.int32 if max(problem.size, entries) <= np.iinfo(np.int32).max else np.int64
    shown = Shown(
        gap=np.empty(count),
        explained=np.empty(count),
        rounds=np.empty(count, np.int64),
        ends=np.zeros(count + 1, index),
        feature=np.empty(entries, index),
        value=np.empty(entries),
        intercept=np.empty((problem.outputs, count)),
    )
    p, null_square = problem.design.p, 2.0 * problem.null_objective
    scale = Scale(problem.objective_unit, null_square, problem.response.centre, p)
    means = problem.design.mean if problem.fit_intercept else NO_MEANS
    failed = show(record.trail, is_asked, problem.units, means, scale, shown)
    if failed >= 0:
        label = column_label(int(failed), problem.feature_names)
        raise DataError(
            f"coefficients must fit into float64, but that of {label} is too large: rescale the column"
        )
    penalty = problem.penalty
    if penalty.has_bounds:
        columns = shown.feature % p
        _keep_within(shown.value, penalty.lower[columns], penalty.upper[columns])
    return shown


def _keep_within(value: Float64, lower: Float64, upper: Float64) -> None:
    """Put coefficients on the limits that they met exactly in the solver's units.

    In the user's units rounding may have led them beyond, or left them short of a limit: there an inner
    product of either sign would count, and nobody could certify them.
    """
    for limit in (lower, upper):
        near = np.abs(value - limit) <= ROUNDED * np.abs(value)
        value[near] = limit[near]
    np.clip(value, lower, upper, out=value)


def _coefficients(problem: Problem, shown: Shown) -> sparse.csc_array:
    """Return the coefficients, one column per alpha."""
    coefs = sparse.csc_array((shown.value, shown.feature, shown.ends), shape=(problem.size, shown.gap.size))
    # Sorted, without zeros or duplicates: the record can keep them as they are.
    coefs.has_canonical_format = True
    for array in (coefs.data, coefs.indices, coefs.indptr):
        array.flags.writeable = False
    return coefs


def _of_family(problem: Problem) -> dict[str, Any]:
    """Return what a result keeps of its family."""
    return {} if problem.null is None else result_fields(problem.null.target)


def _counters(problem: Problem, solver: Solver) -> Mapping[str, int | tuple[int, ...]]:
    """Name the work that was done; the survey counts as one full pass."""
    counts = {name: int(solver.stats[i]) for i, name in enumerate(state.COUNTER_NAMES)}
    counts["columns_read"] += problem.size
    counts["full_passes"] = -(-counts["columns_read"] // problem.size)
    return counts
