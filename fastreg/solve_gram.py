"""Tall data: one Gram matrix over all features, then everything without reading X again."""

from __future__ import annotations

import numpy as np

from ._typing import Float64, Index
from .designs.blocks import gram_matrix
from .driver import MAX_ROUNDS, ROUNDING, ExactSolver, KeepGoing, allocate_factor, allocate_working
from .kernels import engine
from .kernels.models import GAP, SQUARE
from .kernels.state import COLUMNS_READ
from .kernels.storage import Csc
from .kernels.updates import Gram
from .problem import Problem
from .record import Record
from .solvers import ScreenedSolver

# Rows per column from which the Gram matrix costs less than the passes it saves (300 x 300: 15 against 19 ms,
# 4000 x 2000: 1.8 against 3.9 s; docs/performance.md), and its most columns.
TALL, MAX_COLUMNS = 1, 4096
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


class GramSolver(ExactSolver):
    """Exact finish on gradients alone: every feature has a slot, nothing is screened, X is not read again."""

    def __init__(self, problem: Problem, n_threads: int, allowed_gap: float, is_part: bool = True) -> None:
        super().__init__(problem, n_threads, allowed_gap, is_part)
        design, response, arrays = problem.design, problem.response, problem.arrays
        p = design.p
        W = allocate_working(p, p, 0, ROUNDING * response.square**0.5)
        W.feature[:] = W.slot_of[:] = W.order[:] = np.arange(p)
        W.l1[:], W.l2[:], W.lower[:], W.upper[:] = arrays
        W.sqnorm[:], W.g[:], W.size[0] = design.square, design.product, p
        gram = design.remembered("gram", lambda: gram_matrix(design, response.w))
        self.state = engine.InGramSpace(
            U=Gram(gram, design.product.copy()),
            W=W,
            F=allocate_factor(min(p, 64), self.idle_gap),
            response_square=np.array([response.square]),
            stats=self.stats,
            report=np.zeros(4),
        )
        self.stats[COLUMNS_READ] += p

    def first_correlations(self) -> Float64:
        """Return all correlations with the null residual."""
        return self.problem.design.product

    def coefficients(self) -> tuple[Index, Float64]:
        """Return the non-zero coefficients; see ExactSolver."""
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
        self.follow(Record(np.array([1e300]), self.problem.size), 1, keep_going, MAX_ROUNDS)
        if self.instead is not None:
            return np.array(self.instead.read_all())
        return np.array(self.state.W.g)

    def leave_factor(self) -> None:
        """Hand the coefficients to descent on the columns: the support is too singular for a factor."""
        features, values = self.coefficients()
        # start_from drops them where a worn factor has led beyond the null model.
        descent = ScreenedSolver(self.problem, self.n_threads, self.allowed_gap, self.is_part)
        descent.stats[:] = self.stats
        self.stats = descent.stats
        descent.start_from(features, values)
        descent.leave_factor()
        self.instead = descent

    def _call(self, record: Record, stop: int) -> tuple[int, int]:
        limits = self._limits(0, self.problem.design.p)
        return engine.follow_in_gram_space(  # type: ignore[no-any-return]
            self.state, record.alphas, record.finished, stop, self.stage, limits, record.trail
        )

    def _answer(self, code: int, alpha: float) -> int:
        self._refactor(code, alpha)
        return engine.SOLVE

    def _give_up(self, alpha: float) -> tuple[float, float]:
        engine.assess_in_gram_space(self.state, alpha)
        return float(self.state.report[GAP]), float(self.state.report[SQUARE])
