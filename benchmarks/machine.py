"""What a figure depends on beside the code: machine, threads, versions, and the cost of one pass."""

from __future__ import annotations

import os
import platform
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from benchmarks.problems import Problem

THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


def describe() -> dict[str, Any]:
    """Return processor, cores, threads and the versions that matter."""
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "load": [round(value, 2) for value in os.getloadavg()],
        "thread_variables": {name: os.environ[name] for name in THREAD_VARIABLES if name in os.environ},
        "libraries": {name: _version(name) for name in ("numpy", "scipy", "numba")},
    }


def pass_cost(problem: Problem, seconds: float = 0.3) -> float:
    """Return the best time of one pass, X.T @ y, with one BLAS thread or all, each tried for `seconds`.

    On a busy machine threaded BLAS waits for a free core; one thread is then the honest unit.
    """
    best = _best_pass(problem, seconds)
    try:
        from threadpoolctl import threadpool_limits
    except ImportError:
        return best
    with threadpool_limits(limits=1, user_api="blas"):
        return min(best, _best_pass(problem, seconds))


def _best_pass(problem: Problem, seconds: float) -> float:
    problem.X.T @ problem.y
    best, spent = float("inf"), 0.0
    while spent < seconds:
        start = time.perf_counter()
        problem.X.T @ problem.y
        took = time.perf_counter() - start
        best, spent = min(best, took), spent + took
    return best


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
