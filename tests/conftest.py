"""Hypothesis profiles, the data folder, and what is left out when kernels are not compiled for speed."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

_CHECKS = [HealthCheck.too_slow, HealthCheck.data_too_large]
settings.register_profile(
    "fast", max_examples=25, derandomize=True, deadline=None, database=None, suppress_health_check=_CHECKS
)
settings.register_profile(
    "thorough", max_examples=500, deadline=None, database=None, suppress_health_check=_CHECKS
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fast"))

DATA = Path(os.environ.get("FASTREG_DATA", Path(__file__).parents[1] / ".." / "shared" / "data"))


def _interpreted() -> str:
    """Return the switch that makes kernels slow, or nothing."""
    names = ("NUMBA_DISABLE_JIT", "NUMBA_BOUNDSCHECK")
    return next((name for name in names if os.environ.get(name, "0") not in ("", "0")), "")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    switch = _interpreted()
    if switch:
        skip = pytest.mark.skip(reason=f"too large for kernels under {switch}")
        for item in items:
            if "compiled_only" in item.keywords:
                item.add_marker(skip)


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """Return the folder of real data, or skip."""
    if not DATA.is_dir():
        pytest.skip(f"real data are not at {DATA}: set FASTREG_DATA to their folder")
    return DATA


@pytest.fixture(scope="session")
def load_data(data_folder: Path) -> Callable[[str], Any]:
    """Return a function that loads one .npz of the data folder, or skips."""

    def load(name: str) -> Any:
        path = data_folder / f"{name}.npz"
        if not path.is_file():
            pytest.skip(f"{path.name} is not in {data_folder}")
        return np.load(path)

    return load
