"""A small path built by hand, for tests of what a result does without a solver."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from fastreg.errors import Status
from fastreg.result import InputReport, PathResult

NAMES = ("dose", "age", "height", "income")
COEFS = np.array([[0.0, 1.0, 2.0], [0.0, 0.0, 0.0], [0.0, -3.0, -1.0], [0.0, 0.0, 0.5]])


def make(coefs=COEFS, alphas=(4.0, 2.0, 1.0), **changes):
    K = len(alphas)
    given = {
        "alphas": np.array(alphas, dtype=float),
        "coefs_sparse": sparse.csc_array(np.asarray(coefs, dtype=float)),
        "intercepts": np.linspace(1.0, 2.0, K),
        "dual_gaps": np.linspace(0.0, 1e-9, K),
        "n_iter": np.arange(K),
        "status": Status.CONVERGED,
        "dev_ratio": np.linspace(0.0, 0.75, K),
        "null_deviance": 40.0,
        "null_objective": 2.0,
        "alpha_max": 4.0,
        "l1_ratio": 1.0,
        "counters": {"columns_read": 12, "working_set_sizes": (1, 2)},
        "input_report": InputReport("dense", "float64", (10, len(coefs)), 0, ()),
        "fit_time": 0.0125,
        "alphas_requested": K,
        "tol": 1e-7,
    }
    return PathResult(**(given | changes))


def empty(**changes):
    return make(np.zeros((4, 0)), (), status=Status.INTERRUPTED, alphas_requested=100, **changes)
