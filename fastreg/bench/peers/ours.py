"""The fastreg adapter."""

from __future__ import annotations

import sys
import warnings
from typing import Any, ClassVar

import numpy as np

from fastreg.api_glm import glm_path
from fastreg.errors import ConvergenceWarning, Status

from ..losses import FAMILIES
from ..problem import Problem
from .base import Peer, stacked, timed


class Fastreg(Peer):
    """glm_path of this package, of which lasso_path, logistic_path and so on are special cases.

    Dense least squares run at the default tolerance (the exact finish ends at rounding level whatever it is);
    sparse ones also at 1e-9, and at 5e-3, which on text ends near the accuracy that peers have at their
    defaults: a gap is far above the suboptimality it bounds. The other losses start at 1e-4: peers' defaults
    stop their Newton steps early.
    """

    name = "fastreg"
    default = 1e-7
    tols = (1e-7, 1e-9)
    families: ClassVar[tuple[str, ...]] = FAMILIES

    def __init__(self) -> None:
        self._notes: dict[str, Any] = {}

    def version(self) -> str:
        """Return the version that ran."""
        # Looked up, not imported: imports only go down, and the package itself stands above its modules.
        return str(sys.modules["fastreg"].__version__)

    def ladder(self, problem: Problem) -> tuple[float, ...]:
        """Return the tolerances to run on this problem."""
        if problem.family != "gaussian":
            return (1e-4, 5e-5, 1e-7, 1e-9)
        return (5e-3, 1e-7, 1e-9) if problem.is_sparse else (self.default,)

    def solve(self, problem: Problem, alphas: np.ndarray, tol: float) -> tuple[Any, float]:
        """Return solutions (rows, K) and the seconds the solver took."""
        with warnings.catch_warnings():
            # Whether the tolerance was met is measured by us, as for every solver.
            warnings.simplefilter("ignore", ConvergenceWarning)
            path, seconds = timed(
                lambda: glm_path(
                    problem.X,
                    problem.y,
                    family=problem.family,
                    l1_ratio=problem.l1_ratio,
                    alphas=alphas,
                    fit_intercept=problem.loss.has_intercept,
                    tol=tol,
                )
            )
        if path.status is Status.INTERRUPTED:
            # Ctrl-C gives the finished part of a path: no answer to what was asked here.
            raise KeyboardInterrupt
        self._notes = {
            "status": path.status.name,
            "worst_reported_gap": float(np.max(path.relative_gaps)),
            "n_nonzero_last": int(path.n_nonzero[-1]),
            "counters": {name: _plain(value) for name, value in path.counters.items()},
        }
        return stacked(problem, path.coefs_sparse, path.intercepts), seconds

    def notes(self) -> dict[str, Any]:
        """Return status, gap and work counters of the last run."""
        return self._notes


def _plain(value: Any) -> Any:
    return value if isinstance(value, int | float | str) else np.asarray(value).tolist()
