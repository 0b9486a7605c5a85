"""The command ``path``: from a data file to coefficients, a table and a record of the run."""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .contents import Wanted
from .exits import Exit, exit_of
from .options import path_keywords
from .readers import read_contents, read_vector
from .report import path_table
from .writers import Outputs, run_record

if TYPE_CHECKING:
    from fastreg.result import PathResult

__all__ = ["run_path"]


@dataclass(frozen=True)
class Task:
    """Hold what a path function is called with."""

    X: Any
    y: Any
    l1_ratio: float
    keywords: Mapping[str, Any]

    def solve(self) -> PathResult:
        """Call the path function that the mix of the penalty asks for."""
        from fastreg.api import enet_path, lasso_path, ridge_path

        if self.l1_ratio == 1.0:
            return lasso_path(self.X, self.y, **self.keywords)
        if self.l1_ratio == 0.0:
            return ridge_path(self.X, self.y, **self.keywords)
        return enet_path(self.X, self.y, l1_ratio=self.l1_ratio, **self.keywords)


def run_path(arguments: argparse.Namespace) -> Exit:
    """Read, solve, write and show; return the exit code."""
    began = time.perf_counter()
    outputs = Outputs.of(arguments.out or _stem(arguments.data))
    task = _task(arguments)
    read = time.perf_counter() - began
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = task.solve()
    said = [str(warning.message) for warning in caught]
    for message in said:
        print(f"fastreg: warning: {message}", file=sys.stderr)
    code = exit_of(result)
    more = {"read_time": read, "warnings": said, "exit_code": int(code)}
    outputs.write(result, _record(arguments, task, result, more))
    _show(result, outputs)
    return code


def _task(arguments: argparse.Namespace) -> Task:
    """Read the data and the files that options name."""
    keywords = path_keywords(arguments)
    sources = {"response": arguments.response, "weights": arguments.weights, "offset": arguments.offset}
    files = {role: getattr(arguments, f"{role}_file") for role in sources}
    if sources["response"] is None and files["response"] is None:
        sources["response"] = "y"
    named = {role: name for role, name in sources.items() if name is not None}
    wanted = Wanted(tuple(named.values()), arguments.drop, arguments.design, arguments.delimiter)
    contents = read_contents(arguments.data, wanted)
    vectors = {role: contents.vectors[name] for role, name in named.items()}
    vectors |= {role: read_vector(file) for role, file in files.items() if file is not None}
    keywords |= {
        "sample_weight": vectors.get("weights"),
        "offset": vectors.get("offset"),
        "penalty_factor": _read_if_path(arguments.penalty_factor),
        "lower_limits": _read_if_path(arguments.lower),
        "upper_limits": _read_if_path(arguments.upper),
        "feature_names": contents.feature_names,
    }
    return Task(contents.X, vectors["response"], arguments.l1_ratio, keywords)


def _read_if_path(value: Any) -> Any:
    """Read a file with one number per feature; leave numbers and None alone."""
    return read_vector(value) if isinstance(value, Path) else value


def _stem(data: Path) -> str:
    """Return the name of a data file up to its first dot that begins a format."""
    name = data.name
    for suffix in reversed(data.suffixes[-2:]):
        if len(suffix) <= len(".svmlight"):
            name = name.removesuffix(suffix)
    return name


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
