"""Large supports under any loss: Newton steps whose quadratic models descent solves."""

from __future__ import annotations

from typing import Any

import numpy as np

from ._typing import Float64, Index
from .descent import Descent
from .kernels import engine
from .kernels.finish import PAUSED, SOLVED
from .kernels.inverse import UNKNOWN
from .kernels.newton import STALLED, descend
from .kernels.quadratic import form_model, look_within, try_again
from .kernels.updates import Naive
from .problem import Problem

# Share of the gap that a model's solution may keep, and of the goal it never needs to fall below.
MODEL_SHARE, LEAST_SHARE = 0.03, 0.3
# Newton steps of one call, and those without progress after which the arithmetic gives no more.
STEPS_PER_CALL, IDLE_STEPS = 3, 8
# Rounds of descent for one model.
MODEL_ROUNDS = 60
# The objective may rise by this share of itself and of the null model's: rounding. A step that raises it more
# is cut to this share of itself.
RISE, SHORTER = 1e-13, 0.3
MOST_CUTS = 30


class CurvedDescent(Descent):
    """Proximal Newton steps on the working set; every model is weighted least squares on packed columns."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        n = problem.design.n
        vectors = [np.zeros(n) for _ in range(4)]
        assert self.packed is not None
        y, w, r, v = vectors
        self.model = Naive(self.packed, y, w, r, v, np.zeros((1, n)), np.zeros(1))
        self.in_pack: Index = np.zeros(0, np.int64)
        self.raw: Float64 = np.zeros((5, 0))
        self.best, self.idle = np.inf, 0
        self.null_value = problem.null_objective

    def _start(self, S: engine.Screened, alpha: float) -> None:
        super()._start(S, alpha)
        self.best, self.idle = np.inf, 0
        # Rows of the preconditioner were computed with other weights.
        self.inverse.used[:] = UNKNOWN

    def solve(self, S: engine.Screened, alpha: float, allowed_gap: float) -> int:
        """Solve the restricted problem; return a code of descend."""
        if alpha != self.alpha:
            self._start(S, alpha)
        return self._restricted(S, alpha, allowed_gap)

    def _restricted(self, S: engine.Screened, alpha: float, allowed_gap: float) -> int:
        self._make_room(S)
        # The first look follows changes from outside; later ones a step that has evaluated where it ended.
        for step in range(STEPS_PER_CALL):
            gap, value = look_within(S.U, S.W, alpha, step > 0)
            if gap <= allowed_gap:
                return SOLVED
            self.idle = 0 if gap < 0.5 * self.best else self.idle + 1
            self.best = min(self.best, gap)
            if self.idle > IDLE_STEPS:
                return STALLED
            self._newton_step(S, alpha, gap, value, allowed_gap)
        return PAUSED

    def _newton_step(
        self, S: engine.Screened, alpha: float, gap: float, value: float, allowed_gap: float
    ) -> None:
        """Solve the model at hand and move there, or as far as the objective falls."""
        m = int(S.W.size[0])
        S.W.before[:m] = S.W.beta[:m]
        U, W, K = self.bundles
        if self.raw.shape[1] < m:
            self.raw = np.zeros((5, W.beta.shape[0]))
        unit = form_model(S.U, S.W, U, self.raw, W.sqnorm, self.krylov.carry)
        goal = max(MODEL_SHARE * gap, LEAST_SHARE * allowed_gap) / unit
        descend(U, W, K, alpha / unit, goal, MODEL_ROUNDS, False, S.stats)
        after = try_again(S.U, S.W, alpha, 1.0)
        for _ in range(MOST_CUTS):
            if after <= value + RISE * (abs(value) + self.null_value):
                return
            after = try_again(S.U, S.W, alpha, SHORTER)

    def _pack(self, features: Index) -> float:
        """Copy the working set's columns in the order of the slots: a model's means are kept by slot."""
        assert self.packed is not None
        if not np.array_equal(self.in_pack, features):
            engine.pack_columns(self.columns, features, 0, self.packed)
            self.in_pack = features.copy()
        return float(self.packed.indptr[features.size])

    def _bundle(self, S: engine.Screened) -> tuple[Any, Any, Any]:
        K = self.krylov._replace(inverse=self.inverse._replace(names=S.W.feature))
        slots = np.arange(S.W.feature.shape[0])
        # The model has its own squares; coefficients and correlations are the working set's.
        W = S.W._replace(feature=slots, sqnorm=np.zeros(S.W.feature.shape[0]))
        return self.model, W, K
