"""The celer adapter."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from ..problem import Problem
from .base import InProcessPeer, Unavailable, importable


class Celer(InProcessPeer):
    """celer.celer_path; tol bounds the duality gap relative to ||y||^2 / n (estimators' default: 1e-4)."""

    name = "celer"
    default = 1e-4
    tols = (1e-4, 1e-6, 1e-7, 1e-8, 1e-9, 1e-11)
    reasons: ClassVar[dict[str, str]] = {"binomial": "its logistic regression has no intercept"}
    # The default, 20 working sets, is not enough for tight tolerances at the end of a long path.
    max_iter = 200
    max_epochs = 200_000

    def __init__(self) -> None:
        super().__init__()
        self._module, self._version = importable("celer", "celer")

    def version(self) -> str:
        """Return the version that ran."""
        return self._version

    def call(self, problem: Problem, alphas: np.ndarray, tol: float) -> Callable[[], Any]:
        """Return the call that is timed."""
        if problem.is_sparse and problem.l1_ratio < 1.0:
            raise Unavailable("sparse elastic net is not compared")
        return lambda: self._module.celer_path(
            problem.X,
            problem.y,
            pb="lasso",
            l1_ratio=problem.l1_ratio,
            alphas=alphas,
            tol=tol,
            max_iter=self.max_iter,
            max_epochs=self.max_epochs,
        )[1]
