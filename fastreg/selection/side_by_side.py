"""Paths on one X that are solved side by side: all columns are read for several of them at once."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np

from ..errors import Status
from ..kernels.together import CODE, FIELDS, FINISHED, STOP, Waiting, follow_together
from ..path import PathUnderWay
from ..solvers import ScreenedSolver

__all__ = ["TOGETHER", "carry_on_together"]

# Paths in one compiled call: part of its type, so that it is compiled once. Where there are fewer, the first
# stands for the others too, of whom nothing is asked.
TOGETHER = 8


def carry_on_together(paths: Sequence[PathUnderWay]) -> None:
    """Solve on to the ends of up to TOGETHER paths; ``path.result`` then has what was solved.

    Paths that somebody watches alpha by alpha, and those that no reading in common would help, go on by
    themselves, as does whoever leaves its factor on the way.
    """
    together = []
    for path in paths:
        if isinstance(path.solver, ScreenedSolver) and not path.monitor.is_watched:
            path.solver.await_readings()
            path.solver.expect(path.settings.max_iter)
            together.append((path, path.solver))
    if members := [each for each in together if _goes_on(*each)]:
        _carry_on(members)
    for path in paths:
        if path.status is Status.CONVERGED and not path.is_done:
            if isinstance(path.solver, ScreenedSolver):
                path.solver.read_alone()
            path.carry_on()


def _carry_on(members: list[tuple[PathUnderWay, ScreenedSolver]]) -> None:
    """Solve on, in calls for all paths, until nobody is left who goes on together with others."""
    design = members[0][0].problem.design
    waiting = Waiting(
        member=np.zeros(TOGETHER, np.int64),
        V=np.zeros((TOGETHER, design.n)),
        sums=np.zeros(TOGETHER),
        product=np.zeros((TOGETHER, design.p)),
        features=np.arange(design.p),
    )
    longest = max(len(path.record.alphas) for path, _ in members)
    while members := [each for each in members if _goes_on(*each)]:
        began = time.perf_counter()
        alphas, orders = np.zeros((len(members), longest)), np.empty((len(members), FIELDS), np.int64)
        for m, (path, solver) in enumerate(members):
            alphas[m, : len(path.record.alphas)] = path.record.alphas
            orders[m] = solver.order(path.record)
        all_of_them = members + [members[0]] * (TOGETHER - len(members))
        states = tuple(solver.state for _, solver in all_of_them)
        follow_together(states, tuple(path.record.trail for path, _ in all_of_them), alphas, orders, waiting)
        for (path, solver), order in zip(members, orders, strict=True):
            stop, code, finished = (int(order[field]) for field in (STOP, CODE, FINISHED))
            if not solver.heed(path.record, stop, code, finished, path.monitor.keep_going):
                path.status = path.monitor.why_stopped()
        seconds = (time.perf_counter() - began) / len(members)
        for path, _ in members:
            path.seconds += seconds


def _goes_on(path: PathUnderWay, solver: ScreenedSolver) -> bool:
    """Tell whether a path goes on in calls for several."""
    return path.status is Status.CONVERGED and not path.is_done and solver.is_together
