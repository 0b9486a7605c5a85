"""The glum adapter."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from ..problem import Problem
from .base import InProcessPeer, Unavailable, importable

# glum forms a p x p matrix at every step: a path of 100 alphas on 60 x 800 took it 15 s.
MOST_FEATURES = 500


class Glum(InProcessPeer):
    """GeneralizedLinearRegressor with irls-cd; tol bounds the gradient's violation (default 1e-4)."""

    name = "glum"
    default = 1e-4
    tols = (1e-4, 1e-6, 1e-8)
    reasons: ClassVar[dict[str, str]] = dict.fromkeys(
        ("binomial", "poisson"), "made for tall data: run on least squares only"
    )
    max_iter = 10_000

    def __init__(self) -> None:
        super().__init__()
        self._module, self._version = importable("glum", "glum")

    def version(self) -> str:
        """Return the version that ran."""
        return self._version

    def call(self, problem: Problem, alphas: np.ndarray, tol: float) -> Callable[[], Any]:
        """Return the call that is timed."""
        if problem.p > min(problem.n, MOST_FEATURES):
            raise Unavailable(f"made for tall data: run only where p <= n and p <= {MOST_FEATURES}")
        model = self._module.GeneralizedLinearRegressor(
            family="normal",
            link="identity",
            solver="irls-cd",
            alpha_search=True,
            alpha=alphas,
            l1_ratio=problem.l1_ratio,
            fit_intercept=False,
            gradient_tol=tol,
            max_iter=self.max_iter,
        )
        return lambda: np.asarray(model.fit(problem.X, problem.y).coef_path_).T
