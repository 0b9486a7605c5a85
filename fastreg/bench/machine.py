"""What a figure depends on beside the code: machine, threads, versions, and the cost of one pass."""

from __future__ import annotations

import os
import platform
import time
from typing import Any

from fastreg._info import info

from .problem import Problem

__all__ = ["describe", "pass_cost"]

THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


def describe() -> dict[str, Any]:
    """Tell processor, cores, load, threads and the versions that matter.

    Returns
    -------
    dict
        Plain data for a JSON file.

    Examples
    --------
    >>> sorted(describe())
    ['cores', 'libraries', 'load', 'processor', 'python', 'system', 'thread_variables']
    """
    found = info()
    return {
        "processor": found["cpu"],
        "cores": found["threads"],
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "load": [round(value, 2) for value in os.getloadavg()] if hasattr(os, "getloadavg") else [],
        "thread_variables": {name: os.environ[name] for name in THREAD_VARIABLES if name in os.environ},
        "libraries": {name: found[name] for name in ("numpy", "scipy", "numba")},
    }


def pass_cost(problem: Problem, seconds: float = 0.3) -> float:
    """Time one pass, X.T @ y, with one BLAS thread and with all, and return the better.

    On a busy machine threaded BLAS waits for a free core; one thread is then the honest unit.

    Parameters
    ----------
    problem : Problem
        Whose X and y are multiplied.
    seconds : float
        How long each of the two is repeated; the best time counts.

    Returns
    -------
    float
        Seconds per pass.

    Examples
    --------
    >>> import numpy as np
    >>> from fastreg.bench.problem import Problem
    >>> pass_cost(Problem("tiny", np.eye(3), np.ones(3)), seconds=1e-3) > 0.0
    True
    """
    best = _best_pass(problem, seconds)
    try:
        from threadpoolctl import threadpool_limits
    except ImportError:
        return best
    with threadpool_limits(limits=1, user_api="blas"):
        return min(best, _best_pass(problem, seconds))


def _best_pass(problem: Problem, seconds: float) -> float:
    # A response of several columns is as good as its first one: what counts is the read of X.
    vector = problem.y.reshape(problem.n, -1)[:, 0].copy()
    problem.X.T @ vector
    best, spent = float("inf"), 0.0
    while spent < seconds:
        start = time.perf_counter()
        problem.X.T @ vector
        took = time.perf_counter() - start
        best, spent = min(best, took), spent + took
    return best
