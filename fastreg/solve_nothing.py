"""The path of a problem whose null model is perfect: zeros, with gap zero, whatever alpha is."""

from __future__ import annotations

import numpy as np

from ._typing import Float64, Index
from .driver import KeepGoing
from .kernels.state import N_COUNTERS
from .problem import Problem
from .record import Record


class NothingToSolve:
    """Write the null model down at every alpha; see driver.Solver."""

    def __init__(self, problem: Problem) -> None:
        assert problem.null is not None
        self.stats: Index = np.zeros(N_COUNTERS, np.int64)
        self.intercept: Float64 = problem.null.intercept

    def follow(self, record: Record, stop: int, keep_going: KeepGoing, max_iter: int) -> None:
        """Go on to alpha number stop."""
        while record.finished < stop:
            record.add(np.zeros(0, np.int64), np.zeros(0), 0.0, 0.0, record.finished + 1, self.intercept)
            if record.finished < stop and not keep_going():
                return
