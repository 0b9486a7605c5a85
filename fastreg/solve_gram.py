"""Tall data: one Gram matrix over all features, then everything without reading X again."""

from __future__ import annotations

import numpy as np

from ._typing import Float64, Index
from .designs.blocks import gram_matrix
from .kernels import engine
from .kernels.finish import GROW_SUPPORT, REBUILD, REFRESH
from .kernels.state import GRADIENTS, N_COUNTERS, REBUILDS
from .kernels.storage import Csc
from .kernels.updates import Gram
from .problem import Problem
from .solvers import (
    MAX_REBUILDS,
    MAX_ROUNDS,
    ROUNDING,
    ROUNDS_PER_FEATURE,
    UNFINISHED,
    KeepGoing,
    ScreenedSolver,
    Solution,
    allocate_factor,
    allocate_working,
    grown,
    refactor,
    rounds_per_call,
)

# Rows per column from which the Gram matrix costs less than the passes it saves, and its most columns.
TALL, MAX_COLUMNS = 4, 4096
# Means of sparse columns, in standard deviations, beyond which centring costs their Gram matrix digits.
LARGE_MEAN = 10.0


def is_tall(problem: Problem) -> bool:
    """Tell whether a path in Gram space costs less than one that reads columns."""
    design = problem.design
    if (
        isinstance(design.columns, Csc)
        and (np.abs(design.mean) > LARGE_MEAN * design.spread)[~design.constant].any()
    ):
        return False
    return design.p <= MAX_COLUMNS and design.n >= TALL * design.p


class GramSolver:
    """Exact finish on gradients alone: every feature has a slot, nothing is screened, X is not read again."""

    def __init__(self, problem: Problem, n_threads: int, allowed_gap: float) -> None:
        design, response, arrays = problem.design, problem.response, problem.arrays
        p = design.p
        self.problem, self.n_threads, self.allowed_gap = problem, n_threads, allowed_gap
        self.stats: Index = np.zeros(N_COUNTERS, np.int64)
        W = allocate_working(p, p, ROUNDING * response.square**0.5)
        W.feature[:] = W.slot_of[:] = np.arange(p)
        W.l1[:], W.l2[:], W.lower[:], W.upper[:] = arrays
        W.sqnorm[:], W.g[:], W.size[0] = design.square, design.product, p
        self.state = engine.InGramSpace(
            U=Gram(gram_matrix(design, response.w), design.product.copy()),
            W=W,
            F=allocate_factor(min(p, 64)),
            response_square=np.array([response.square]),
            stats=self.stats,
            report=np.zeros(4),
        )
        self.stats[0] += p
        self.instead: ScreenedSolver | None = None

    def solve(self, alpha: float, keep_going: KeepGoing, max_iter: int) -> Solution:
        """Carry the solution to alpha; see Solver."""
        rebuilds, rounds, began = 0, 0, int(self.stats[GRADIENTS])
        while self.instead is None:
            code = engine.advance_in_gram_space(
                self.state, alpha, min(rounds_per_call(self.state.W, 0), max_iter - rounds)
            )
            if code == engine.DONE:
                return self._solution()
            rounds = int(self.stats[GRADIENTS]) - began
            rebuilds += code == REBUILD
            if code == GROW_SUPPORT:
                self.state = self.state._replace(F=grown(self.state.F, self.problem.design.p))
            elif code in (REBUILD, REFRESH):
                self.stats[REBUILDS] += 1
                refactor(self.state.W, self.state.F, alpha)
                if rebuilds > MAX_REBUILDS:
                    self._fall_back()
            elif rounds > MAX_ROUNDS + ROUNDS_PER_FEATURE * self.problem.design.p:
                self._fall_back()
            if not keep_going():
                return UNFINISHED
            if rounds >= max_iter:
                engine.assess_in_gram_space(self.state, alpha)
                return self._solution()
        return self.instead.solve(alpha, keep_going, max_iter)

    def coefficients(self) -> tuple[Index, Float64]:
        """Return the non-zero coefficients; see Solver."""
        if self.instead is not None:
            return self.instead.coefficients()
        features = self.state.W.beta.nonzero()[0]
        return features, self.state.W.beta[features]

    def start_from(self, features: Index, values: Float64) -> None:
        """Set coefficients from outside; a start that fits worse than zero is no help and is dropped."""
        W = self.state.W
        W.beta[features] = values
        engine.refresh(self.state)
        if W.beta @ (self.state.U.q + W.g) < 0.0:
            W.beta[features] = 0.0
            engine.refresh(self.state)

    def fit_free(self, features: Index, keep_going: KeepGoing) -> Float64:
        """Fit the features without penalty alone; return all correlations with what is left."""
        # At this alpha no penalised feature can enter.
        self.solve(1e300, keep_going, MAX_ROUNDS)
        return self.state.W.g.copy()

    def _solution(self) -> Solution:
        return Solution(float(self.state.report[engine.GAP]), float(self.state.report[engine.SQUARE]), True)

    def _fall_back(self) -> None:
        """Hand the coefficients to descent on the columns: the support is too singular for a factor."""
        features, values = self.coefficients()
        # start_from drops them where a worn factor has led beyond the null model.
        self.instead = ScreenedSolver(self.problem, self.n_threads, self.allowed_gap)
        self.instead.stats[:] = self.stats
        self.stats = self.instead.stats
        self.instead.start_from(features, values)
        self.instead.leave_factor()
