"""Large supports under any loss: Newton steps whose quadratic models descent solves."""

from __future__ import annotations

from typing import Any

import numpy as np

from .descent import Descent
from .kernels import engine
from .kernels.inverse import UNKNOWN
from .kernels.models import GAP
from .kernels.quadratic import LEFT, MOST_FORESEEN, NOTES, TAKEN, Aim, solve_by_models
from .kernels.stacked import CscStack
from .kernels.updates import Naive
from .problem import Problem

# Newton steps of one call at most.
STEPS_PER_CALL = 3
# What is noted of an alpha before its first step, see solve_by_models.
AFRESH = 0.0, np.inf, 0.0, np.inf


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
        self.notes = np.full(NOTES, np.inf)
        self.notes[:LEFT] = AFRESH

    def _start(self, S: engine.Screened, alpha: float) -> None:
        super()._start(S, alpha)
        self.notes[:LEFT] = AFRESH
        # Rows of the preconditioner were computed with other weights.
        self.inverse.used[: self.inverse.size[0]] = UNKNOWN

    def advance(self, S: engine.Screened, alpha: float, allowed_gap: float) -> int:
        """Carry the solution to alpha by passes; see Descent."""
        code = super().advance(S, alpha, allowed_gap)
        if code in (engine.DONE, engine.UNSOLVED):
            steps = int(self.notes[TAKEN])
            if steps < MOST_FORESEEN:
                self.notes[LEFT + steps] = S.report[GAP]
        return code

    def solve(self, S: engine.Screened, alpha: float, allowed_gap: float) -> int:
        """Solve the restricted problem; return a code of descend."""
        if alpha != self.alpha:
            self._start(S, alpha)
        return self._restricted(S, alpha, allowed_gap)

    def _restricted(self, S: engine.Screened, alpha: float, allowed_gap: float) -> int:
        steps = min(self._affordable(self._make_room(S)), STEPS_PER_CALL)
        aim = Aim(alpha, allowed_gap, steps, self.by_passes)
        return int(solve_by_models(*self.loss, *self.bundles, aim, self.notes, S.stats))

    def _where_it_fits(self, S: engine.Screened) -> tuple[Any, Any]:
        return self.loss

    def _bundle(self, S: engine.Screened) -> tuple[Any, Any, Any]:
        K = self.krylov._replace(inverse=self.inverse._replace(names=S.W.feature))
        W = S.W._replace(feature=self.places)
        self.loss = S.U._replace(D=self.stack), W
        # The model has its own squares; coefficients and correlations are the working set's.
        return self.model, W._replace(sqnorm=np.zeros(S.W.feature.shape[0])), K
