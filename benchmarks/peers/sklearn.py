"""The scikit-learn adapter."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.peers.base import Peer, importable, timed_quietly
from benchmarks.problems import Problem


class ScikitLearn(Peer):
    """sklearn.linear_model.enet_path; tol bounds the duality gap relative to ||y||^2 (default 1e-4)."""

    name = "scikit-learn"
    default = 1e-4
    tols = (1e-4, 1e-6, 1e-7, 1e-8, 1e-10)
    max_iter = 200_000

    def __init__(self) -> None:
        self._module, self._version = importable("sklearn.linear_model", "scikit-learn")

    def version(self) -> str:
        return self._version

    def solve(self, problem: Problem, alphas: np.ndarray, tol: float) -> tuple[Any, float]:
        (_, coefs, _), seconds = timed_quietly(
            problem,
            lambda: self._module.enet_path(
                problem.X,
                problem.y,
                l1_ratio=problem.l1_ratio,
                alphas=alphas,
                copy_X=False,
                tol=tol,
                max_iter=self.max_iter,
            ),
        )
        return coefs, seconds
