"""The skglm adapter."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from ..problem import Problem
from .base import InProcessPeer, Unavailable, importable

DATAFITS = {"gaussian": "Quadratic", "binomial": "Logistic", "poisson": "Poisson", "cox": "Cox"}


class Skglm(InProcessPeer):
    """A warm-started path; tol bounds the violation of optimality, absolute (default 1e-4).

    AndersonCD for least squares. ProxNewton, which its own estimators take, for the other losses: on
    leukemia_logistic AndersonCD took 20 times as long.
    """

    name = "skglm"
    default = 1e-4
    tols = (1e-4, 1e-6, 3e-7, 1e-7, 1e-8, 1e-10)
    families = tuple(DATAFITS)
    # The other losses: suboptimality falls with the square of the violation.
    curved_tols: ClassVar[tuple[float, ...]] = (1e-4, 1e-5, 1e-6, 1e-7, 1e-8)
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

    def ladder(self, problem: Problem) -> tuple[float, ...]:
        """Return the tolerances to run on this problem."""
        return self.tols if problem.family == "gaussian" else self.curved_tols

    def _datafit(self, family: str) -> Any:
        # Compiling is once per process, and not what is measured.
        if family not in self._compiled:
            datafit = getattr(self._datafits, DATAFITS[family])()
            self._compiled[family] = self._utils.compiled_clone(datafit)
        return self._compiled[family]

    def _penalty(self, problem: Problem, alpha: float) -> Any:
        if problem.l1_ratio == 1.0:
            return self._utils.compiled_clone(self._penalties.L1(alpha))
        return self._utils.compiled_clone(self._penalties.L1_plus_L2(alpha, problem.l1_ratio))

    def call(self, problem: Problem, alphas: np.ndarray, tol: float) -> Callable[[], Any]:
        """Return the call that is timed."""
        datafit, penalty = self._datafit(problem.family), self._penalty(problem, float(alphas[0]))
        if problem.family == "gaussian":
            solver = self._solvers.AndersonCD(
                tol=tol, max_iter=self.max_iter, fit_intercept=False, warm_start=True
            )
            return lambda: solver.path(problem.X, problem.y, datafit, penalty, alphas=alphas)[1]
        if problem.family == "poisson" and problem.is_sparse:
            # skglm 0.5, full_grad_sparse: exp(eta - y) stands where exp(eta) - y is meant.
            raise Unavailable("its gradient of sparse Poisson regression is wrong")
        y = 2.0 * problem.y - 1.0 if problem.family == "binomial" else np.asfortranarray(problem.y)
        newton = self._solvers.ProxNewton(
            tol=tol, max_iter=self.max_iter, fit_intercept=problem.loss.has_intercept
        )

        def solve_all() -> np.ndarray:
            solution, eta = np.zeros(problem.rows), np.zeros(problem.n)

            def solve(alpha: float) -> np.ndarray:
                penalty.alpha = alpha
                # Both are changed in place: each alpha starts from the last.
                newton.solve(problem.X, y, datafit, penalty, solution, eta)
                return solution.copy()

            return self.along(alphas, solve)

        return solve_all
