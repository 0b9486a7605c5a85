"""Run solvers on one problem and judge them: times, accuracy, speed-ups at matched accuracy."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
from scipy import sparse

from .accuracy import as_columns, assess, n_features
from .machine import describe, pass_cost
from .peers import OURS, Peer, Unavailable
from .problem import Problem

__all__ = ["MATCHED", "Comparison", "Plan", "Run", "compare"]

# A peer has matched us when it is as accurate as we are, or as this.
MATCHED = 1e-9
# Seconds of one turn and its most runs: a shorter run is repeated until its turn took so long. A single call
# of milliseconds after seconds of other solvers' work tells what the caches lost; warm times are asked for.
TURN, MOST_IN_A_TURN = 0.1, 25


@dataclass
class Run:
    """One solver at one tolerance on one problem."""

    solver: str
    tol: float
    is_default: bool
    times: list[float]
    coefs: Any = field(repr=False)
    notes: dict[str, Any] = field(default_factory=dict)
    passes: float = 0.0
    worst_suboptimality: float = 0.0
    worst_gap: float = 0.0
    n_nonzero_last: int = 0

    @property
    def seconds(self) -> float:
        """The best time."""
        return min(self.times)

    def record(self) -> dict[str, Any]:
        """Return what is stored: everything but the coefficients."""
        kept = asdict(replace(self, coefs=None))
        del kept["coefs"]
        return {**kept, "seconds": self.seconds, "repeats": len(self.times)}


@dataclass
class Comparison:
    """All runs on one problem, and what is said about them.

    Attributes
    ----------
    problem : Problem
        What was solved.
    runs : list of Run
        In the order of solvers, each from its loosest to its tightest tolerance.
    versions : dict
        Version of every solver that was tried.
    skipped : dict
        Why a solver did not run, or not to the end of its ladder.
    pass_seconds : float
        Seconds of one product X.T @ y.
    machine : dict
        From `machine.describe`.
    interrupted : bool
        Whether Ctrl-C ended the measurement; `runs` then holds what was finished.
    """

    problem: Problem
    runs: list[Run]
    versions: dict[str, str]
    skipped: dict[str, str]
    pass_seconds: float
    machine: dict[str, Any]
    interrupted: bool = False

    def of(self, solver: str) -> list[Run]:
        """Return the runs of one solver."""
        return [run for run in self.runs if run.solver == solver]

    def missed(self) -> list[Run]:
        """Return our own runs whose relative gap, measured here, is above their tolerance."""
        return [run for run in self.of(OURS) if not run.worst_gap <= run.tol]

    def verdicts(self) -> list[dict[str, Any]]:
        """Return, for each of our runs, the fastest peer at matched accuracy and at its default."""
        peers = [run for run in self.runs if run.solver != OURS]
        out = []
        for ours in self.of(OURS):
            threshold = max(ours.worst_suboptimality, MATCHED)
            matched = [run for run in peers if run.worst_suboptimality <= threshold]
            defaults = [run for run in peers if run.is_default]
            out.append(
                {
                    "tol": ours.tol,
                    "seconds": ours.seconds,
                    "worst_suboptimality": ours.worst_suboptimality,
                    "worst_gap": ours.worst_gap,
                    "matched": _against(ours, matched),
                    "default": _against(ours, defaults),
                }
            )
        return out

    def record(self) -> dict[str, Any]:
        """Return the comparison as plain data for a JSON file."""
        problem = self.problem
        return {
            "case": problem.name,
            # Files of least squares say nothing of a family.
            **({} if problem.family == "gaussian" else {"family": problem.family}),
            "n": problem.n,
            "p": problem.p,
            "storage": "csc" if problem.is_sparse else "dense, F-ordered, float64",
            "nonzeros": int(problem.X.nnz) if problem.is_sparse else problem.n * problem.p,
            "left_out": problem.left_out,
            "l1_ratio": problem.l1_ratio,
            "alphas": problem.size,
            "eps": problem.eps,
            "pass_ms": 1e3 * self.pass_seconds,
            "machine": self.machine,
            "versions": self.versions,
            "skipped": self.skipped,
            "interrupted": self.interrupted,
            "runs": [run.record() for run in self.runs],
            "verdicts": self.verdicts(),
        }


def _against(ours: Run, candidates: list[Run]) -> dict[str, Any] | None:
    if not candidates:
        return None
    fastest = min(candidates, key=lambda run: run.seconds)
    return {
        "solver": fastest.solver,
        "tol": fastest.tol,
        "seconds": fastest.seconds,
        "worst_suboptimality": fastest.worst_suboptimality,
        "speed_up": fastest.seconds / ours.seconds,
    }


@dataclass(frozen=True)
class Plan:
    """How often and how long.

    Attributes
    ----------
    repeats : int
        Turns per solver and tolerance; the best run counts.
    slow : float
        Seconds; a run slower than this is not repeated, and ends the ladder of its solver.
    tols : mapping of str to tuple of float
        Tolerances per solver where they differ from the adapter's ladder.
    """

    repeats: int = 5
    slow: float = 15.0
    tols: Mapping[str, tuple[float, ...]] = field(default_factory=dict)


def compare(problem: Problem, solvers: Iterable[Peer], plan: Plan, say: Callable[[str], None]) -> Comparison:
    """Run every solver at every tolerance and measure accuracy.

    Each solver is warmed up at its loosest tolerance. Repeats go round robin over all runs, so that a slow
    spell of the machine hits all solvers alike; a run of milliseconds is repeated within its turn. A solver
    that fails is noted and left out from there on. Ctrl-C ends the measurement; what was finished is judged
    and returned.

    Parameters
    ----------
    problem : Problem
        What to solve.
    solvers : iterable of Peer
        Adapters; they are closed at the end.
    plan : Plan
        Repeats, patience and tolerances.
    say : callable
        Called with one line whenever a solver is done.

    Returns
    -------
    Comparison
        Times and accuracy of every run.

    Examples
    --------
    >>> from fastreg.bench.peers import make
    >>> from fastreg.bench.problem import equalise
    >>> from fastreg.datasets import make_wide
    >>> problem = equalise(*make_wide(n=20, p=40, n_true=3), name="tiny", size=10)
    >>> found = compare(problem, [make("fastreg")], Plan(repeats=2), say=lambda line: None)
    >>> [run.solver for run in found.runs], found.missed()
    (['fastreg'], [])
    """
    ready = {solver.name: solver for solver in solvers}
    found = Comparison(problem, [], {}, {}, pass_cost(problem), describe())
    try:
        for solver in ready.values():
            _climb(found, solver, plan, say)
        _repeat(found, ready, plan, say)
    except KeyboardInterrupt:
        found.interrupted = True
    finally:
        for solver in ready.values():
            solver.close()
    _judge(found)
    return found


def _climb(found: Comparison, solver: Peer, plan: Plan, say: Callable[[str], None]) -> None:
    """Run one solver once at every tolerance of its ladder."""
    problem, name = found.problem, solver.name
    before = len(found.runs)
    try:
        found.versions[name] = solver.version()
        solver.admit(problem)
        ladder = plan.tols.get(name, solver.ladder(problem))
        _, warm_up = solver.solve(problem, problem.alphas, ladder[0])
        for tol in ladder:
            coefs, seconds = solver.solve(problem, problem.alphas, tol)
            columns = _checked(problem, coefs)
            found.runs.append(Run(name, tol, tol == solver.default, [seconds], columns, solver.notes()))
            if seconds > plan.slow:
                say(f"  {name}: {seconds:.1f} s at tol {tol:g}: not repeated, tighter ones left out")
                break
    except Unavailable as reason:
        done = len(found.runs) - before
        found.skipped[name] = f"ended after {_tolerances(done)}: {reason}" if done else str(reason)
        say(f"  {name}: skipped, {found.skipped[name]}")
        return
    times = [run.times[0] for run in found.runs[before:]]
    say(f"  {name}: {_tolerances(len(times))}, {sum(times):.2f} s (warm-up {warm_up:.2f} s)")


def _tolerances(count: int) -> str:
    return f"{count} tolerance{'' if count == 1 else 's'}"


def _checked(problem: Problem, coefs: Any) -> sparse.csc_array:
    """Return solutions as columns, or say what is wrong with them."""
    columns = as_columns(coefs)
    if columns.shape != (problem.rows, problem.size):
        raise Unavailable(f"returned {columns.shape} coefficients instead of {(problem.rows, problem.size)}")
    if not np.isfinite(columns.data).all():
        raise Unavailable("returned coefficients that are not finite")
    return columns


def _repeat(found: Comparison, ready: Mapping[str, Peer], plan: Plan, say: Callable[[str], None]) -> None:
    """Time every run that is not too slow again, round robin, short ones several times in a turn."""
    for done in range(1, plan.repeats):
        say(f"  repeat {done} of {plan.repeats - 1}")
        for run in found.runs:
            if run.times[0] <= plan.slow and run.solver not in found.skipped:
                try:
                    _take_turn(found.problem, ready[run.solver], run)
                except Unavailable as reason:
                    found.skipped[run.solver] = f"ended while it was repeated: {reason}"


def _take_turn(problem: Problem, solver: Peer, run: Run) -> None:
    """Time one run at least once, and until the turn is over."""
    spent = 0.0
    for _ in range(MOST_IN_A_TURN):
        run.times.append(solver.solve(problem, problem.alphas, run.tol)[1])
        spent += run.times[-1]
        if spent >= TURN:
            return


def _judge(found: Comparison) -> None:
    """Measure how accurate every run is."""
    judged = assess(found.problem, found.problem.alphas, [run.coefs for run in found.runs])
    for run, accuracy in zip(found.runs, judged, strict=True):
        run.worst_suboptimality, run.worst_gap = accuracy.worst, accuracy.worst_gap
        run.passes = run.seconds / found.pass_seconds
        run.n_nonzero_last = n_features(found.problem, run.coefs, found.problem.size - 1)
