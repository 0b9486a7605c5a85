"""Small paths and targets built by hand, for tests of what they do without a solver."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from fastreg.errors import Status
from fastreg.families import make_target
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


def target(family, y, *, weights=None, offset=None, fit_intercept=None, **options):
    n = len(y)
    raw = np.ones(n) if weights is None else np.asarray(weights, dtype=float)
    return make_target(
        family, y, n, w=raw / raw.sum(), total_weight=raw.sum(), offset=offset,
        fit_intercept=family != "cox" if fit_intercept is None else fit_intercept, **options,
    )  # fmt: skip


# Three outputs of four features: the coefficients of COEFS, shifted by one feature from output to output.
STACKED = np.concatenate([np.roll(COEFS, c, axis=0) for c in range(3)])
INTERCEPTS = np.arange(9.0).reshape(3, 3) / 10.0


def several(**changes):
    """Return a path of three classes; its coefficients (3, 4, 3) are STACKED."""
    given = {
        "intercepts": INTERCEPTS,
        "n_outputs": 3,
        "family": "multinomial",
        "classes": ("ash", "beech", "oak"),
        "input_report": InputReport("dense", "float64", (10, 4), 0, ()),
    }
    return make(STACKED, **(given | changes))
