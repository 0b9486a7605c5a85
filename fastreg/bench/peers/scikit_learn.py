"""The scikit-learn adapter."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from ..problem import Problem
from .base import InProcessPeer, importable


class ScikitLearn(InProcessPeer):
    """sklearn.linear_model.enet_path; tol bounds the duality gap relative to ||y||^2 (default 1e-4).

    Classification: LogisticRegression with saga, the one of its solvers that leaves the intercept out of an
    L1 penalty (liblinear does not), warm-started; tol bounds the largest relative change (default 1e-4).
    """

    name = "scikit-learn"
    default = 1e-4
    tols = (1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-10)
    families = ("gaussian", "binomial", "multinomial")
    reasons: ClassVar[dict[str, str]] = {
        "poisson": "PoissonRegressor has no L1 penalty",
        "cox": "has no Cox model",
    }
    # saga: every further digit takes several times as long.
    curved_tols: ClassVar[tuple[float, ...]] = (1e-4, 1e-5, 1e-6)
    max_iter = 200_000
    epochs: ClassVar[int] = 10_000

    def __init__(self) -> None:
        super().__init__()
        self._module, self._version = importable("sklearn.linear_model", "scikit-learn")

    def version(self) -> str:
        """Return the version that ran."""
        return self._version

    def ladder(self, problem: Problem) -> tuple[float, ...]:
        """Return the tolerances to run on this problem."""
        return self.tols if problem.family == "gaussian" else self.curved_tols

    def call(self, problem: Problem, alphas: np.ndarray, tol: float) -> Callable[[], Any]:
        """Return the call that is timed."""
        if problem.family != "gaussian":
            return lambda: self._saga(problem, alphas, tol)
        return lambda: self._module.enet_path(
            problem.X,
            problem.y,
            l1_ratio=problem.l1_ratio,
            alphas=alphas,
            copy_X=False,
            tol=tol,
            max_iter=self.max_iter,
        )[1]

    def _saga(self, problem: Problem, alphas: np.ndarray, tol: float) -> np.ndarray:
        """Return solutions (rows, K) of LogisticRegression, each started from the last."""
        model = self._module.LogisticRegression(
            solver="saga",
            l1_ratio=problem.l1_ratio,
            tol=tol,
            max_iter=self.epochs,
            warm_start=True,
            random_state=0,
        )

        def solve(alpha: float) -> np.ndarray:
            model.C = 1.0 / (problem.n * alpha)
            model.fit(problem.X, problem.y)
            return np.concatenate([model.coef_.ravel(), model.intercept_])

        return self.along(alphas, solve)
