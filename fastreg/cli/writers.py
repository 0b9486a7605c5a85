"""Write what a path run leaves behind: coefficients (npz), a table (tsv) and a record of the run (json)."""

from __future__ import annotations

import json
import math
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, is_dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .exits import UsageError

if TYPE_CHECKING:
    from fastreg.result import PathResult

__all__ = ["Outputs", "name_files", "plain", "run_record"]

LONGEST_LIST = 1000  # parameters with more numbers than this are described, not repeated


def name_files(prefix: str, ends: Sequence[str]) -> dict[str, Path]:
    """Name the files of a run and make sure, before any computation, that their folder can be written."""
    if not Path(prefix).name or prefix.endswith(("/", "\\")):
        raise UsageError(f"--out begins the names of files, got {prefix!r}; add one, such as {prefix}result")
    files = {end: Path(f"{prefix}.{end}") for end in ends}
    folder = Path(prefix).parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as problem:
        why = f"{list(files.values())[-1]}: {problem.strerror or problem}"
        raise UsageError(f"cannot write {why}; choose another --out") from None
    return files


@dataclass(frozen=True)
class Outputs:
    """Hold the names of the three files of a run."""

    coefs: Path
    table: Path
    record: Path

    @classmethod
    def of(cls, prefix: str) -> Outputs:
        """Name the files and make sure, before anything is computed, that their folder can be written."""
        return cls(*name_files(prefix, ("coefs.npz", "table.tsv", "run.json")).values())

    def write(self, result: PathResult, record: Mapping[str, Any]) -> None:
        """Write the three files; numbers are written with all their digits."""
        result.save(self.coefs)
        self.table.write_text(_table(result), encoding="utf-8")
        self.record.write_text(json.dumps(plain(record), indent=2, allow_nan=False) + "\n", encoding="utf-8")

    def __str__(self) -> str:
        return f"{self.coefs}, {self.table}, {self.record}"


def _table(result: PathResult) -> str:
    """Return one line per alpha, separated by tabs."""
    columns: dict[str, Any] = {
        "alpha": result.alphas,
        "n_nonzero": result.n_nonzero,
        "dev_ratio": result.dev_ratio,
        **_intercepts(result),
        "dual_gap": result.dual_gaps,
        "relative_gap": result.relative_gaps,
        "n_iter": result.n_iter,
    }
    rows = zip(*(values.tolist() for values in columns.values()), strict=True)
    return "\n".join("\t".join(map(str, row)) for row in [tuple(columns), *rows]) + "\n"


def _intercepts(result: PathResult) -> dict[str, Any]:
    """Return the intercepts of every output; its number stands for a class, which may be called anything."""
    if result.n_outputs == 1:
        return {"intercept": result.intercepts}
    return {f"intercept_{c}": row for c, row in enumerate(result.intercepts)}


def run_record(result: PathResult) -> dict[str, Any]:
    """Return what a run found out, apart from the coefficients."""
    return {
        "status": result.status.name,
        "status_message": result.status.value,
        "status_note": result.status_note,
        "alphas_requested": result.alphas_requested,
        "alphas_solved": len(result.alphas),
        "alpha_max": result.alpha_max,
        "l1_ratio": result.l1_ratio,
        "family": result.family,
        "n_outputs": result.n_outputs,
        "classes": result.classes,
        "delta": result.delta,
        "is_grouped": result.is_grouped,
        "null_objective": result.null_objective,
        "null_deviance": result.null_deviance,
        "worst_relative_gap": max(result.relative_gaps.tolist(), default=None),
        "alphas": result.alphas,
        "n_nonzero": result.n_nonzero,
        "dev_ratio": result.dev_ratio,
        "relative_gaps": result.relative_gaps,
        "counters": result.counters,
        "input_report": result.input_report,
        "fit_time": result.fit_time,
    }


def plain(value: Any) -> Any:
    """Return a value as JSON knows it; numbers that JSON does not know become "inf", "-inf", "nan"."""
    match value:
        case bool() | None | int() | str():
            return value
        case float():
            return value if math.isfinite(value) else str(value)
        case Enum():
            return value.name
        case np.ndarray() if value.size > LONGEST_LIST:
            return f"array of {value.size} numbers from {value.min()} to {value.max()}"
        case np.ndarray() | np.generic():
            return plain(value.tolist())
        case list() | tuple():
            return [plain(item) for item in value]
        case Mapping():
            return {str(key): plain(item) for key, item in value.items()}
        case _ if is_dataclass(value) and not isinstance(value, type):
            return plain(asdict(value))
        case _:
            return str(value)
