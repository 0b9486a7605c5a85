"""fastreg as a solver of benchopt's benchmark_lasso: one alpha; fastreg takes long steps in short ones."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from benchopt import BaseSolver

import fastreg

# fastreg's dense solutions are exact whatever the tolerance is; below this no sparse path can be certified.
SMALLEST_TOL = 1e-14


class Solver(BaseSolver):
    """Exact finish on a working set, with screening by lazy references; every solution is certified."""

    name = "fastreg"
    sampling_strategy = "tolerance"
    install_cmd = "conda"
    # The package is not on PyPI yet: an address of the repository or a folder, see README.md.
    requirements = ["pip::fastreg-paths"]
    references = ["fastreg: certified lasso, elastic-net and ridge paths"]

    def skip(self, X: Any, y: Any, lmbd: float, fit_intercept: bool) -> tuple[bool, str | None]:
        """Refuse what is not a matrix in memory."""
        if not hasattr(X, "dtype") or not (isinstance(X, np.ndarray) or hasattr(X, "tocsc")):
            return True, "fastreg needs an array or a scipy sparse matrix"
        return False, None

    def set_objective(self, X: Any, y: Any, lmbd: float, fit_intercept: bool) -> None:
        """Keep the problem in the layout that is read in place: F-ordered or CSC."""
        self.X = X.tocsc() if hasattr(X, "tocsc") else np.asfortranarray(X)
        self.y, self.fit_intercept = y, bool(fit_intercept)
        # benchmark_lasso minimises 1/2 ||y - X b||^2 + lmbd ||b||_1, fastreg the same divided by n.
        self.alpha = lmbd / X.shape[0]

    def warm_up(self) -> None:
        """Compile."""
        self.run(1e-2)

    @staticmethod
    def get_next(previous: float) -> float:
        """Return the tolerance after `previous`: three digits first, then one digit a time."""
        return min(1e-3, previous / 10.0)

    def run(self, tolerance: float) -> None:
        """Solve to a duality gap of `tolerance`, relative to the objective at zero."""
        p = self.X.shape[1]
        self.beta = np.zeros(p + self.fit_intercept)
        if tolerance >= 1.0:
            # benchopt's first call asks for the starting point.
            return
        with warnings.catch_warnings():
            # A tolerance below what float64 can certify is benchopt's way to the end of the curve.
            warnings.simplefilter("ignore", fastreg.ConvergenceWarning)
            path = fastreg.lasso_path(
                self.X,
                self.y,
                alphas=[self.alpha],
                fit_intercept=self.fit_intercept,
                tol=max(tolerance, SMALLEST_TOL),
            )
        coef, intercept = path.coef_at(self.alpha)
        self.beta[:p] = coef
        if self.fit_intercept:
            self.beta[p] = intercept

    def get_result(self) -> dict[str, np.ndarray]:
        """Return the coefficients, the intercept last."""
        return {"beta": self.beta}
