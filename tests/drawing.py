"""Problems that tests draw at random, with any mix of options, and their certified paths."""

from __future__ import annotations

from typing import Any

import numpy as np
import oracle

import fastreg
from fastreg.certify import certify

TOL = 1e-11
DEPTHS = np.array([1.0, 0.4, 0.1, 0.03])


def draw_problem(seed: int) -> oracle.Problem:
    """Return a problem with a unique solution path and any mix of options."""
    rng = np.random.default_rng(seed)
    n, p = int(rng.integers(8, 30)), int(rng.integers(1, 12))
    X = rng.normal(size=(n, p)) * np.exp(rng.normal(size=p)) + rng.choice([0.0, 2.0])
    X[rng.random((n, p)) < rng.choice([0.0, 0.5])] = 0.0
    X[0] += 0.1  # no column is constant
    y = X @ (rng.normal(size=p) * (rng.random(p) < 0.5)) + rng.normal(size=n)
    options: dict[str, Any] = {
        "fit_intercept": bool(rng.random() < 0.6),
        "standardize": bool(rng.random() < 0.4),
        "sample_weight": rng.integers(1, 4, size=n).astype(float) if rng.random() < 0.5 else None,
        "offset": rng.normal(size=n) if rng.random() < 0.3 else None,
    }
    if rng.random() < 0.5:
        options["penalty_factor"] = rng.choice([0.5, 1.0, 2.0, np.inf], size=p, p=[0.3, 0.4, 0.2, 0.1])
        if p > 2 and rng.random() < 0.6:
            options["penalty_factor"][rng.integers(p)] = 0.0
    if rng.random() < 0.25:
        options["positive"] = True
    elif rng.random() < 0.4:
        options["lower_limits"] = rng.choice([0.0, -0.2, -np.inf], size=p)
        options["upper_limits"] = rng.choice([0.0, 0.2, np.inf], size=p)
    rho = float(rng.choice([1.0, 1.0, 0.7, 0.2]))
    return oracle.Problem(X, y, 1.0, rho, **options)


def grid(problem: oracle.Problem) -> Any:
    """Return alphas that span the path, from the size of the data alone."""
    X, y, w, *_ = problem.arrays()
    centred = X - w @ X
    top = np.abs(centred.T @ (w * (y - w @ y))).max() / max(problem.l1_ratio, 0.1)
    return top * DEPTHS if top > 0 else DEPTHS


def solve(problem: oracle.Problem, alphas: Any, **extra: Any) -> Any:
    """Return the certified path of the problem."""
    path = fastreg.enet_path(
        problem.X, problem.y, l1_ratio=problem.l1_ratio, alphas=alphas, tol=TOL, **(problem.options | extra)
    )
    assert path.status is fastreg.Status.CONVERGED
    claim = certify(problem.X, problem.y, path, **problem.options)
    assert claim.feasible.all()
    assert claim.worst <= 1e-10
    assert not (claim.proven_zero & (path.coefs != 0)).any()
    return path
