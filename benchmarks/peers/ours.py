"""The fastreg adapter."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.peers.base import Peer, importable, timed
from benchmarks.problems import Problem


class Fastreg(Peer):
    """lasso_path and enet_path of this repository.

    Dense problems run at the default tolerance (the exact finish ends at rounding level whatever it is);
    sparse ones also at 1e-9, and at 1e-6, the accuracy that peers have at their defaults.
    """

    name = "fastreg"
    default = 1e-7
    tols = (1e-7, 1e-9)

    def __init__(self) -> None:
        self._module, _ = importable("fastreg")
        self._notes: dict[str, Any] = {}

    def version(self) -> str:
        return str(self._module.__version__)

    def ladder(self, problem: Problem) -> tuple[float, ...]:
        return (1e-6, 1e-7, 1e-9) if problem.is_sparse else (self.default,)

    def solve(self, problem: Problem, alphas: np.ndarray, tol: float) -> tuple[Any, float]:
        if problem.l1_ratio == 1.0:

            def call() -> Any:
                return self._module.lasso_path(
                    problem.X, problem.y, alphas=alphas, fit_intercept=False, tol=tol
                )
        else:

            def call() -> Any:
                return self._module.enet_path(
                    problem.X,
                    problem.y,
                    l1_ratio=problem.l1_ratio,
                    alphas=alphas,
                    fit_intercept=False,
                    tol=tol,
                )

        path, seconds = timed(call)
        self._notes = {
            "status": path.status.name,
            "worst_reported_gap": float(np.max(path.relative_gaps)),
            "n_nonzero_last": int(path.n_nonzero[-1]),
            "counters": {name: _plain(value) for name, value in path.counters.items()},
        }
        return path.coefs_sparse, seconds

    def notes(self) -> dict[str, Any]:
        return self._notes


def _plain(value: Any) -> Any:
    return value if isinstance(value, int | float | str) else np.asarray(value).tolist()
