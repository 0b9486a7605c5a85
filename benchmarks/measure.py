"""Run solvers on one problem and judge them: times, accuracy, speed-ups at matched accuracy."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from benchmarks.accuracy import as_columns, assess
from benchmarks.machine import describe, pass_cost
from benchmarks.peers import OURS, Peer, Unavailable
from benchmarks.problems import Problem

# A peer has matched us when it is as accurate as we are, or as this.
MATCHED = 1e-9


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
        kept = {name: value for name, value in asdict(_without_coefs(self)).items() if name != "coefs"}
        return {**kept, "seconds": self.seconds, "repeats": len(self.times)}


def _without_coefs(run: Run) -> Run:
    return Run(**{**run.__dict__, "coefs": None})


@dataclass
class Comparison:
    """All runs on one problem, and what is said about them."""

    problem: Problem
    runs: list[Run]
    versions: dict[str, str]
    skipped: dict[str, str]
    pass_seconds: float
    machine: dict[str, Any]

    def of(self, solver: str) -> list[Run]:
        """Return the runs of one solver."""
        return [run for run in self.runs if run.solver == solver]

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
            "n": problem.n,
            "p": problem.p,
            "storage": "csc" if problem.is_sparse else "dense, F-ordered, float64",
            "nonzeros": int(problem.X.nnz) if problem.is_sparse else problem.n * problem.p,
            "l1_ratio": problem.l1_ratio,
            "alphas": problem.size,
            "eps": problem.eps,
            "pass_ms": 1e3 * self.pass_seconds,
            "machine": self.machine,
            "versions": self.versions,
            "skipped": self.skipped,
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
    repeats : runs per solver and tolerance, the best counts
    slow : seconds; a run slower than this is not repeated, and ends the ladder of its solver
    tols : tolerances per solver where they differ from the adapter's ladder
    """

    repeats: int = 5
    slow: float = 15.0
    tols: dict[str, tuple[float, ...]] = field(default_factory=dict)


def compare(problem: Problem, solvers: Iterable[Peer], plan: Plan, say: Callable[[str], None]) -> Comparison:
    """Run every solver at every tolerance and measure accuracy.

    Each solver is warmed up at its loosest tolerance. Repeats go round robin over all
    runs, so that a slow spell of the machine hits all solvers alike.
    """
    runs: list[Run] = []
    versions: dict[str, str] = {}
    skipped: dict[str, str] = {}
    ready = {solver.name: solver for solver in solvers}
    machine = describe()
    pass_seconds = pass_cost(problem)
    try:
        for name, solver in ready.items():
            try:
                versions[name] = solver.version()
                runs += _first_round(problem, solver, plan, say)
            except Unavailable as reason:
                skipped[name] = str(reason)
                say(f"  {name}: skipped, {reason}")
        for _ in range(plan.repeats - 1):
            for run in runs:
                if run.times[0] <= plan.slow:
                    run.times.append(ready[run.solver].solve(problem, problem.alphas, run.tol)[1])
    finally:
        for solver in ready.values():
            solver.close()
    for run, accuracy in zip(runs, assess(problem, problem.alphas, [run.coefs for run in runs]), strict=True):
        run.worst_suboptimality, run.worst_gap = accuracy.worst, accuracy.worst_gap
        run.passes = run.seconds / pass_seconds
        run.n_nonzero_last = int(np.diff(run.coefs.indptr)[-1])
    return Comparison(problem, runs, versions, skipped, pass_seconds, machine)


def _first_round(problem: Problem, solver: Peer, plan: Plan, say: Callable[[str], None]) -> list[Run]:
    ladder = plan.tols.get(solver.name, solver.ladder(problem))
    _, warm_up = solver.solve(problem, problem.alphas, ladder[0])
    runs = []
    for tol in ladder:
        coefs, seconds = solver.solve(problem, problem.alphas, tol)
        is_default = tol == solver.default
        runs.append(Run(solver.name, tol, is_default, [seconds], as_columns(coefs), solver.notes()))
        if seconds > plan.slow:
            say(f"  {solver.name}: {seconds:.1f} s at tol {tol:g}: not repeated, tighter ones left out")
            break
    total = sum(run.times[0] for run in runs)
    say(f"  {solver.name}: {len(runs)} tolerances, {total:.2f} s (warm-up {warm_up:.2f} s)")
    return runs
