"""The lasso as benchmark_lasso states it: 1/2 ||y - X b - b0||^2 + lmbd ||b||_1.

A local stand-in with the same interface, so that solvers/fastreg.py can be tried without network.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from benchopt import BaseObjective


class Objective(BaseObjective):
    """Value, support and duality gap of a lasso solution."""

    name = "Lasso Regression"
    min_benchopt_version = "1.7"
    parameters = {"fit_intercept": [True, False], "reg": [0.5, 0.1, 0.01]}
    sampling_strategy = "iteration"

    def set_data(self, X: Any, y: np.ndarray) -> None:
        """Keep the data and set lmbd to `reg` times the smallest value that leaves no feature."""
        self.X, self.y = X, y
        centre = y.mean() if self.fit_intercept else 0.0
        self.lmbd = self.reg * np.abs(X.T @ (y - centre)).max()

    def get_objective(self) -> dict[str, Any]:
        """Return what every solver's set_objective gets."""
        return {"X": self.X, "y": self.y, "lmbd": self.lmbd, "fit_intercept": self.fit_intercept}

    def get_one_result(self) -> dict[str, np.ndarray]:
        """Return coefficients of the right shape, for benchopt's own tests."""
        return {"beta": np.zeros(self.X.shape[1] + self.fit_intercept)}

    def evaluate_result(self, beta: np.ndarray) -> dict[str, float]:
        """Return the objective at beta; the intercept, if there is one, comes last."""
        p = self.X.shape[1]
        residual = self.y - self.X @ beta[:p] - beta[p:].sum()
        value = 0.5 * residual @ residual + self.lmbd * np.abs(beta[:p]).sum()
        # With an intercept only centred residuals are dual feasible.
        dual = residual - residual.mean() if self.fit_intercept else residual
        dual = dual / max(1.0, np.abs(self.X.T @ dual).max() / self.lmbd)
        gap = value - (self.y @ dual - 0.5 * dual @ dual)
        return {"value": value, "support_size": int(np.count_nonzero(beta[:p])), "duality_gap": gap}
