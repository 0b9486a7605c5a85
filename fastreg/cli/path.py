"""The command ``path``: from a data file to coefficients, a table and a record of the run."""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .exits import Exit, exit_of
from .report import path_table
from .task import Task, read_task, say, stem
from .writers import Outputs, run_record

if TYPE_CHECKING:
    from fastreg.result import PathResult

__all__ = ["run_path"]


def run_path(arguments: argparse.Namespace) -> Exit:
    """Read, solve, write and show; return the exit code."""
    began = time.perf_counter()
    outputs = Outputs.of(arguments.out or stem(arguments.data))
    task = read_task(arguments)
    read = time.perf_counter() - began
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = task.solve()
    said = say(task.notes, caught)
    code = exit_of(result)
    more = {"read_time": read, "warnings": said, "exit_code": int(code)}
    outputs.write(result, _record(arguments, task, result, more))
    _show(result, outputs)
    return code


def _record(
    arguments: argparse.Namespace, task: Task, result: PathResult, more: Mapping[str, Any]
) -> dict[str, Any]:
    """Return everything that is needed to repeat the run and to judge it."""
    from fastreg._info import info

    given = {name: value for name, value in vars(arguments).items() if name != "run"}
    parameters = {name: value for name, value in task.keywords.items() if name != "feature_names"}
    return {
        "command": given,
        "parameters": {"l1_ratio": task.l1_ratio, **parameters},
        "data": {"file": arguments.data.name, "bytes": arguments.data.stat().st_size},
        **run_record(result),
        **more,
        "environment": info(),
    }


def _show(result: PathResult, outputs: Outputs) -> None:
    """Print the path, how it ended and where it lies."""
    print(path_table(result))
    print(f"\n{result.input_report}")
    solved = f"{len(result.alphas)} of {result.alphas_requested} alphas in {result.fit_time:.3g} s"
    print(f"{solved}: {result.status.value}{'; ' + result.status_note if result.status_note else ''}")
    print(f"saved {outputs}")
