"""The scikit-learn adapter."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..problem import Problem
from .base import InProcessPeer, importable


class ScikitLearn(InProcessPeer):
    """sklearn.linear_model.enet_path; tol bounds the duality gap relative to ||y||^2 (default 1e-4)."""

    name = "scikit-learn"
    default = 1e-4
    tols = (1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-10)
    max_iter = 200_000

    def __init__(self) -> None:
        super().__init__()
        self._module, self._version = importable("sklearn.linear_model", "scikit-learn")

    def version(self) -> str:
        """Return the version that ran."""
        return self._version

    def call(self, problem: Problem, alphas: np.ndarray, tol: float) -> Callable[[], Any]:
        """Return the call that is timed."""
        return lambda: self._module.enet_path(
            problem.X,
            problem.y,
            l1_ratio=problem.l1_ratio,
            alphas=alphas,
            copy_X=False,
            tol=tol,
            max_iter=self.max_iter,
        )[1]
