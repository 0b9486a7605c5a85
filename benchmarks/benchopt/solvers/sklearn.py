"""scikit-learn's Lasso, to have something beside fastreg in the local benchmark."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from benchopt import BaseSolver
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import Lasso


class Solver(BaseSolver):
    """Cyclic coordinate descent; benchopt raises the number of sweeps."""

    name = "sklearn"
    sampling_strategy = "iteration"
    install_cmd = "conda"
    requirements = ["scikit-learn"]

    def set_objective(self, X: Any, y: Any, lmbd: float, fit_intercept: bool) -> None:
        """Keep the problem; scikit-learn divides the loss by n."""
        self.X, self.y = X, y
        self.lasso = Lasso(alpha=lmbd / X.shape[0], fit_intercept=fit_intercept, tol=0.0)
        self.beta = np.zeros(X.shape[1] + fit_intercept)

    def run(self, n_iter: int) -> None:
        """Do n_iter sweeps from zero."""
        if n_iter == 0:
            return
        self.lasso.max_iter = n_iter
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            self.lasso.fit(self.X, self.y)
        self.beta = np.append(self.lasso.coef_, [self.lasso.intercept_] if self.lasso.fit_intercept else [])

    def get_result(self) -> dict[str, np.ndarray]:
        """Return the coefficients, the intercept last."""
        return {"beta": self.beta}
