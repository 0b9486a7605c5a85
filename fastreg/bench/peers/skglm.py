"""The skglm adapter."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..problem import Problem
from .base import InProcessPeer, importable


class Skglm(InProcessPeer):
    """AndersonCD on a warm-started path; tol bounds the violation of optimality, absolute (default 1e-4)."""

    name = "skglm"
    default = 1e-4
    tols = (1e-4, 1e-6, 3e-7, 1e-7, 1e-8, 1e-10)
    max_iter = 200

    def __init__(self) -> None:
        super().__init__()
        self._solvers, self._version = importable("skglm.solvers", "skglm")
        self._penalties, _ = importable("skglm.penalties", "skglm")
        self._datafits, _ = importable("skglm.datafits", "skglm")
        self._utils, _ = importable("skglm.utils.jit_compilation", "skglm")
        self._compiled: dict[str, Any] = {}

    def version(self) -> str:
        """Return the version that ran."""
        return self._version

    def _datafit(self) -> Any:
        # Compiling is once per process, and not what is measured.
        return self._compiled.setdefault("datafit", self._utils.compiled_clone(self._datafits.Quadratic()))

    def _penalty(self, problem: Problem, alpha: float) -> Any:
        if problem.l1_ratio == 1.0:
            return self._utils.compiled_clone(self._penalties.L1(alpha))
        return self._utils.compiled_clone(self._penalties.L1_plus_L2(alpha, problem.l1_ratio))

    def call(self, problem: Problem, alphas: np.ndarray, tol: float) -> Callable[[], Any]:
        """Return the call that is timed."""
        datafit, penalty = self._datafit(), self._penalty(problem, float(alphas[0]))
        solver = self._solvers.AndersonCD(
            tol=tol, max_iter=self.max_iter, fit_intercept=False, warm_start=True
        )
        return lambda: solver.path(problem.X, problem.y, datafit, penalty, alphas=alphas)[1]
