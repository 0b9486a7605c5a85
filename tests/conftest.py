"""Hypothesis profiles, the data folder, Ctrl-C, how workers share work, and what needs fast kernels."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

PLAIN = "NUMBA_DISABLE_JIT"
_CHECKS = [HealthCheck.too_slow, HealthCheck.data_too_large]
for _name, _options in {
    "fast": {"max_examples": 25, "derandomize": True},
    "few": {"max_examples": 10, "derandomize": True},
    "thorough": {"max_examples": 500},
}.items():
    settings.register_profile(_name, deadline=None, database=None, suppress_health_check=_CHECKS, **_options)

# Fewer tests than these meet few kernels, and none meets those of this storage.
WORTH_WARMING, NO_TESTS_OF = 500, "csc float32 int64"
DATA = Path(os.environ.get("FASTREG_DATA", Path(__file__).parents[1] / ".." / "shared" / "data"))


def _interpreted() -> str:
    """Return the switch that makes kernels slow, or nothing."""
    names = (PLAIN, "NUMBA_BOUNDSCHECK")
    return next((name for name in names if os.environ.get(name, "0") not in ("", "0")), "")


settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "few" if _interpreted() == PLAIN else "fast"))


def pytest_configure() -> None:
    """Hear Ctrl-C: what a shell runs in the background ignores it, and tests that send it would fail."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    switch = _interpreted()
    if switch:
        skip = pytest.mark.skip(reason=f"too large for kernels under {switch}")
        for item in items:
            if "compiled_only" in item.keywords:
                item.add_marker(skip)
    if switch == PLAIN:
        _keep_two_cases(config, items)


def _keep_two_cases(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the first and the last case of a test: those between try other values.

    Compiled, all of them run; as plain Python they would double the time of the longest stage of CI.
    """
    cases: dict[str, list[pytest.Item]] = {}
    for item in items:
        if "compiled_only" not in item.keywords:
            cases.setdefault(item.nodeid.partition("[")[0], []).append(item)
    between = {item for same in cases.values() for item in same[1:-1]}
    config.hook.pytest_deselected(items=[item for item in items if item in between])
    items[:] = [item for item in items if item not in between]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Give each worker tests that lie together, unless --dist asks for something else.

    They share what is kept per module, and two workers do not meet the same new kernel at the same time.
    """
    from xdist.scheduler import WorkStealingScheduling

    return WorkStealingScheduling(config, log) if config.getoption("dist") == "load" else None


def pytest_collection_finish(session: pytest.Session) -> None:
    """Compile what most tests need once for all workers, each beginning with other storages than the rest.

    A worker goes on through the others' cases too: it reads their kernels, or compiles what nobody has yet.
    """
    given = getattr(session.config, "workerinput", None)
    if given is None or len(session.items) < WORTH_WARMING or _interpreted() == PLAIN:
        return
    from fastreg._warmup import CASES, warm_up

    cases = tuple(case for case in CASES if not case.startswith(NO_TESTS_OF))
    first = len(cases) * int(given["workerid"].removeprefix("gw")) // given["workercount"]
    for _ in warm_up(cases[first:] + cases[:first]):
        pass


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """Return the folder of real data, or skip."""
    # The data belong to others and are never part of the project: who has only a clone tests everything else.
    if not DATA.is_dir():
        pytest.skip(f"real data are not at {DATA}: set FASTREG_DATA to their folder")
    return DATA


@pytest.fixture(scope="session")
def load_data(data_folder: Path) -> Callable[[str], Any]:
    """Return a function that loads one .npz of the data folder, or skips."""

    def load(name: str) -> Any:
        path = data_folder / f"{name}.npz"
        # A folder of one's own need not hold all of them.
        if not path.is_file():
            pytest.skip(f"{path.name} is not in {data_folder}")
        return np.load(path)

    return load


@pytest.fixture
def solvers_made(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Return a list to which every solver of wide data that is made from now on is added."""
    from fastreg.solvers import ScreenedSolver

    made: list[Any] = []
    original = ScreenedSolver.__init__

    def remember(self: Any, *arguments: Any) -> None:
        original(self, *arguments)
        made.append(self)

    monkeypatch.setattr(ScreenedSolver, "__init__", remember)
    return made
