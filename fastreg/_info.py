"""What runs here: versions, machine, threads and the cache of compiled kernels."""

from __future__ import annotations

import os
import platform
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["Info", "info"]

OPTIONAL = ("scikit-learn", "pandas", "polars", "pyarrow", "matplotlib", "tqdm")


class Info(dict[str, Any]):
    """Hold what `info` found out: a dict that prints as lines."""

    def __str__(self) -> str:
        width = max(map(len, self), default=0)
        return "\n".join(f"{key:<{width}}  {_words(value)}" for key, value in self.items())

    __repr__ = __str__


def info() -> Info:
    """Tell versions, machine, threads, BLAS and the state of the kernel cache.

    Returns
    -------
    Info
        A dict that prints as lines, for bug reports and run records.

    Examples
    --------
    >>> import fastreg
    >>> found = fastreg.info()
    >>> sorted(found)[:4]
    ['blas', 'cache', 'cache_directory', 'cpu']
    >>> found["fastreg"] == fastreg.__version__
    True
    """
    from ._jit import cache_directory, cache_state

    python = f"{platform.python_version()} ({sys.implementation.name})"
    # Looked up, not imported: imports only go down, and the package itself stands above its modules.
    found = Info(fastreg=sys.modules["fastreg"].__version__, python=python)
    for package in ("numpy", "scipy", "numba", "llvmlite"):
        found[package] = metadata.version(package)
    found["optional"] = {package: version for package in OPTIONAL if (version := _version(package))}
    found |= {"platform": platform.platform(), "cpu": _cpu(), "threads": _threads(), "blas": _blas()}
    directory = cache_directory()
    found |= {"cache_directory": None if directory is None else str(directory), "cache": cache_state()}
    return found


def _words(value: Any) -> str:
    """Return a value as words."""
    if isinstance(value, dict):
        return ", ".join(f"{key} {item}" for key, item in value.items()) or "none"
    return "none" if value is None else str(value)


def _version(package: str) -> str | None:
    """Return the version of an installed package without importing it."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _cpu() -> str:
    """Return the processor's name and what the compiler calls it."""
    from llvmlite.binding import get_host_cpu_name

    return f"{_model_name() or platform.processor() or platform.machine()} ({get_host_cpu_name()})"


def _model_name() -> str:
    """Return the processor's name where Linux tells it, "" elsewhere."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")


def _threads() -> int:
    """Return the number of processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _blas() -> str:
    """Return the BLAS that NumPy was built with."""
    built: Any = np.show_config(mode="dicts")
    blas = built.get("Build Dependencies", {}).get("blas", {})
    return f"{blas.get('name', 'unknown')} {blas.get('version', '')}".strip()
