"""Large supports under any loss: Newton steps whose quadratic models descent solves."""

from __future__ import annotations

from typing import Any

import numpy as np

from .descent import Descent
from .kernels import engine
from .kernels.finish import PAUSED, SOLVED
from .kernels.inverse import UNKNOWN
from .kernels.models import GAP
from .kernels.newton import STALLED, descend
from .kernels.quadratic import form_model, look_within, try_again
from .kernels.stacked import CscStack
from .kernels.state import GRADIENTS
from .kernels.updates import Naive
from .problem import Problem

# Share of the gap that a model's solution may keep, and of the goal it never needs to fall below.
MODEL_SHARE, LEAST_SHARE = 0.03, 0.5
# Newton steps of one call, and those without progress after which the arithmetic gives no more.
STEPS_PER_CALL, IDLE_STEPS = 3, 8
# Share of what the loss is foreseen to leave after a step, because it is no parabola: its model is solved no
# further.
LEFT_SHARE = 0.3
# Share of the allowed gap: where steps left less at the last alpha, the pass over all features looks at once.
SURE = 0.5
# Steps at one alpha of which more are not foreseen.
MOST_FORESEEN = 4
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
        n, p = problem.design.n, problem.design.p
        vectors = [np.zeros(n) for _ in range(4)]
        assert self.packed is not None
        y, w, r, v = vectors
        # The model has means of its own; the loss is evaluated with those of the design.
        self.model = Naive(self.packed._replace(mean=np.zeros(p)), y, w, r, v, np.zeros((1, n)), np.zeros(1))
        columns: Any = self.packed
        self.stack: Any = CscStack(*columns)
        # The loss on the packed columns, and the working set that speaks of them.
        self.loss: tuple[Any, Any] = (None, None)
        self.best, self.idle = np.inf, 0
        self.null_value = problem.null_objective
        # Steps taken at this alpha, and the gap that so many left at the last one that took them.
        self.steps = 0
        self.left = np.full(MOST_FORESEEN, np.inf)

    def _start(self, S: engine.Screened, alpha: float) -> None:
        super()._start(S, alpha)
        self.best, self.idle = np.inf, 0
        self.steps = 0
        # Rows of the preconditioner were computed with other weights.
        self.inverse.used[: self.inverse.size[0]] = UNKNOWN

    def advance(self, S: engine.Screened, alpha: float, allowed_gap: float) -> int:
        """Carry the solution to alpha by passes; see Descent."""
        code = super().advance(S, alpha, allowed_gap)
        if code in (engine.DONE, engine.UNSOLVED):
            self._note(float(S.report[GAP]))
        return code

    def solve(self, S: engine.Screened, alpha: float, allowed_gap: float) -> int:
        """Solve the restricted problem; return a code of descend."""
        if alpha != self.alpha:
            self._start(S, alpha)
        return self._restricted(S, alpha, allowed_gap)

    def _restricted(self, S: engine.Screened, alpha: float, allowed_gap: float) -> int:
        self._make_room(S)
        U, W = self.loss
        before = np.inf
        # The first look follows changes from outside; later ones a step that has evaluated where it ended.
        for step in range(STEPS_PER_CALL):
            if step > 0 and self.by_passes and self._foreseen(self.steps) < SURE * allowed_gap:
                return SOLVED
            gap, value = look_within(U, W, alpha, step > 0, allowed_gap)
            if self.steps > 0:
                self._note(gap)
            if gap <= allowed_gap:
                return SOLVED
            self.idle = 0 if gap < 0.5 * self.best else self.idle + 1
            self.best = min(self.best, gap)
            if self.idle > IDLE_STEPS:
                return STALLED
            goal = LEAST_SHARE * allowed_gap
            # Endless while a free feature's equation is not met: that says nothing of how far to go.
            if np.isfinite(gap):
                # Newton squares what is left: no model is solved further than the next one starts from.
                expected = max(min(MODEL_SHARE, (gap / before) ** 2) * gap, self._left_by_loss(gap))
                goal, before = max(goal, expected), gap
            self._newton_step(S, alpha, value, goal)
            self.steps += 1
        return PAUSED

    def _foreseen(self, steps: int) -> float:
        """Return the gap that so many steps left at the last alpha that took them."""
        return float(self.left[steps]) if steps < MOST_FORESEEN else np.inf

    def _left_by_loss(self, gap: float) -> float:
        """Return what the next model may leave beside what its own error will, by the last alpha's steps."""
        left = self._foreseen(self.steps + 1)
        return min(LEFT_SHARE * left, MODEL_SHARE * gap) if np.isfinite(left) else 0.0

    def _note(self, gap: float) -> None:
        """Note the gap that the steps so far have left."""
        if self.steps < MOST_FORESEEN:
            self.left[self.steps] = gap

    def _newton_step(self, S: engine.Screened, alpha: float, value: float, goal: float) -> None:
        """Solve the model at hand to the goal and move there, or as far as the objective falls."""
        m = int(S.W.size[0])
        S.W.before[:m] = S.W.beta[:m]
        T, M, K = self.bundles
        U, W = self.loss
        unit = form_model(U, W, T, M.sqnorm, self.krylov.carry)
        # All correlations are formed next, but a model that is left early may change nothing: not twice.
        descend(T, M, K, alpha / unit, goal / unit, MODEL_ROUNDS, self.idle == 0, S.stats)
        S.stats[GRADIENTS] += 1
        after = try_again(U, W, alpha, 1.0)
        for _ in range(MOST_CUTS):
            if after <= value + RISE * (abs(value) + self.null_value):
                return
            after = try_again(U, W, alpha, SHORTER)

    def _where_it_fits(self, S: engine.Screened) -> tuple[Any, Any]:
        return S.U, S.W

    def _bundle(self, S: engine.Screened) -> tuple[Any, Any, Any]:
        K = self.krylov._replace(inverse=self.inverse._replace(names=S.W.feature))
        W = S.W._replace(feature=self.places)
        self.loss = S.U._replace(D=self.stack), W
        # The model has its own squares; coefficients and correlations are the working set's.
        return self.model, W._replace(sqnorm=np.zeros(S.W.feature.shape[0])), K
