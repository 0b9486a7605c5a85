"""The commands ``cv`` and ``select``: the choice of the penalty and of the features from a data file."""

from __future__ import annotations

import argparse
import json
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fastreg.errors import DataError, Status

from .exits import Exit, UsageError
from .options import check_choice
from .task import Task, read_task, say, stem
from .writers import name_files, plain

if TYPE_CHECKING:
    from fastreg.selection.cv_result import CVResult
    from fastreg.selection.stability_result import StabilityResult

__all__ = ["run_cv", "run_select"]

# Features that are printed; the file holds all.
SHOWN = 15


def run_cv(arguments: argparse.Namespace) -> Exit:
    """Read, cross-validate, write and show; return the exit code."""
    from fastreg.api_cv import cv_path

    ends = ("cv.npz", "cv.tsv", "cv.features.tsv", "cv.run.json", "cv.png")
    files = name_files(_prefix(arguments), ends)
    check_choice(arguments)
    _require_drawable(arguments)
    task = read_task(arguments)
    options = {
        "cv": _fold_numbers(task.rows["fold_of"]) if "fold_of" in task.rows else arguments.cv,
        "groups": task.rows.get("groups"),
        "repeats": arguments.repeats,
        "random_state": arguments.seed,
        "scoring": arguments.scoring,
        "rule": arguments.rule,
        "relax": arguments.relax,
        "adaptive": arguments.adaptive,
    }
    options |= {"l1_ratio": arguments.l1_ratios} if arguments.l1_ratios else {}
    result, facts = _timed(task, lambda: cv_path(task.X, task.y, **(task.shared() | options)))
    has_choice = len(result.folds) > 0
    result.save(files["cv.npz"])
    _write_table(files["cv.tsv"], _cv_columns(result))
    _write_table(files["cv.features.tsv"], _chosen_columns(result) if has_choice else {"feature": []})
    _write_record(files["cv.run.json"], arguments, task, facts | _cv_facts(result))
    if not arguments.no_plot and has_choice:
        _draw(result, files["cv.png"])
    print(result.summary_table() if has_choice else "no fold was finished")
    print(f"\n{result}")
    if has_choice:
        _show_features(_chosen_columns(result))
    _say_saved(files)
    return _exit(result.status)


def run_select(arguments: argparse.Namespace) -> Exit:
    """Read, select, write and show; return the exit code."""
    from fastreg.api_stability import stability_selection

    ends = ("stability.npz", "stability.features.tsv", "stability.run.json", "stability.png")
    files = name_files(_prefix(arguments), ends)
    check_choice(arguments)
    _require_drawable(arguments)
    task = read_task(arguments)
    options = {
        "pairs": arguments.pairs,
        "q": arguments.q,
        "threshold": arguments.threshold,
        "max_false": arguments.max_false,
        "bound": arguments.bound,
        "form": arguments.form,
        "random_state": arguments.seed,
    }
    result, facts = _timed(task, lambda: stability_selection(task.X, task.y, **(task.shared() | options)))
    result.save(files["stability.npz"])
    columns = _stable_columns(result) if result.pairs else {"feature": []}
    _write_table(files["stability.features.tsv"], columns)
    _write_record(files["stability.run.json"], arguments, task, facts | _stability_facts(result))
    if not arguments.no_plot and result.pairs:
        _draw(result, files["stability.png"])
    print(result.summary_table() if result.pairs else "no pair was finished")
    print(f"\n{result}")
    _say_saved(files)
    return _exit(result.status)


def _timed(task: Task, call: Callable[[], Any]) -> tuple[Any, dict[str, Any]]:
    """Return what a call returns, with its time and its warnings, which are shown."""
    began = time.perf_counter()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = call()
    said = say(task.notes, caught)
    return result, {"seconds": time.perf_counter() - began, "warnings": said}


def _prefix(arguments: argparse.Namespace) -> str:
    return str(arguments.out or stem(arguments.data))


def _fold_numbers(values: Any) -> Any:
    """Return the numbers of the folds as integers."""
    numbers = np.rint(values)
    if not np.array_equal(numbers, values):
        raise DataError("--fold-of must hold whole numbers, got fractions: number the folds 0, 1, 2, ...")
    return numbers.astype(np.int64)


def _require_drawable(arguments: argparse.Namespace) -> None:
    """Say before anything is computed that no picture can be drawn."""
    if arguments.no_plot:
        return
    try:
        import_module("matplotlib.figure")
    except ImportError:
        remedy = "pip install 'fastreg-paths[plot]', or pass --no-plot"
        raise UsageError(f"the picture needs matplotlib: {remedy}") from None


def _draw(result: CVResult | StabilityResult, file: Path) -> None:
    """Draw without windows: no pyplot."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.0, 5.0), layout="constrained")
    FigureCanvasAgg(figure)
    result.plot(figure.subplots())
    figure.savefig(file, dpi=120)


def _cv_columns(result: CVResult) -> dict[str, Any]:
    """Return the scores of all candidates, one line per alpha."""
    sizes = [curve.alphas.size for curve in result.curves]
    columns: dict[str, Any] = {
        "l1_ratio": np.repeat([curve.l1_ratio for curve in result.curves], sizes),
        "gamma": np.repeat([curve.gamma for curve in result.curves], sizes),
    }
    for name in ("alpha", "mean", "se", "n_nonzero"):
        field = "alphas" if name == "alpha" else name
        columns[name] = np.concatenate([getattr(curve, field) for curve in result.curves])
    for k in range(len(result.folds)):
        columns[f"fold_{k}"] = np.concatenate([curve.scores[k] for curve in result.curves])
    return columns


def _chosen_columns(result: CVResult) -> dict[str, Any]:
    """Return the features at the chosen alpha with their coefficients, the largest first."""
    path = result.path
    coef = np.atleast_2d(result.coef)
    order = np.argsort(-np.abs(coef).max(axis=0), kind="stable")[: np.count_nonzero(coef.any(axis=0))]
    names = ["coefficient"] if len(coef) == 1 else [f"coefficient_{c}" for c in range(len(coef))]
    return {"feature": [path.label(j) for j in order], "column": order} | dict(
        zip(names, coef[:, order], strict=True)
    )


def _stable_columns(result: StabilityResult) -> dict[str, Any]:
    """Return every feature that was ever chosen, the most probable first."""
    order = result.ranked()
    return {
        "feature": [result.label(j) for j in order],
        "column": order,
        "probability": result.probabilities[order],
        "both_halves": result.simultaneous[order],
        "is_stable": np.isin(order, result.selected).astype(int),
    }


def _cv_facts(result: CVResult) -> dict[str, Any]:
    """Return what cross-validation found, apart from the curves."""
    facts: dict[str, Any] = {
        "status": result.status.name,
        "folds_finished": len(result.folds),
        "folds_requested": result.folds_requested,
        "scoring": result.scoring,
        "greater_is_better": result.greater_is_better,
        "rule": result.rule,
    }
    if result.folds:
        names = ("l1_ratio", "gamma", "alpha", "alpha_min", "alpha_1se", "k_min", "k_1se")
        facts |= {name: getattr(result, name) for name in names}
        facts |= {"mean": result.mean[result.k_min], "se": result.se[result.k_min]}
    return facts


def _stability_facts(result: StabilityResult) -> dict[str, Any]:
    """Return what stability selection found, apart from the probabilities."""
    facts: dict[str, Any] = {
        "status": result.status.name,
        "pairs_finished": result.pairs,
        "pairs_requested": result.pairs_asked,
        "seed": result.seed,
    }
    if result.pairs:
        facts |= {"q": result.q, "threshold": result.threshold, "max_false": result.max_false}
        facts |= {"selected": [result.label(j) for j in result.selected]}
    return facts


def _write_table(file: Path, columns: Mapping[str, Sequence[Any] | Any]) -> None:
    """Write one line per entry, separated by tabs; numbers with all their digits."""
    lists = [
        values.tolist() if isinstance(values, np.ndarray) else list(values) for values in columns.values()
    ]
    rows = [tuple(columns), *zip(*lists, strict=True)]
    file.write_text("\n".join("\t".join(map(str, row)) for row in rows) + "\n", encoding="utf-8")


def _write_record(file: Path, arguments: argparse.Namespace, task: Task, facts: Mapping[str, Any]) -> None:
    """Write everything that is needed to repeat the run and to judge it."""
    from fastreg._info import info

    record = {
        "command": {name: value for name, value in vars(arguments).items() if name != "run"},
        "data": {"file": arguments.data.name, "bytes": arguments.data.stat().st_size, "shape": task.X.shape},
        **facts,
        "environment": info(),
    }
    file.write_text(json.dumps(plain(record), indent=2, allow_nan=False) + "\n", encoding="utf-8")


def _show_features(columns: Mapping[str, Any]) -> None:
    """Print the first features at the chosen alpha."""
    from fastreg._render import text_table

    rows = zip(*(columns[name] for name in columns if name != "column"), strict=True)
    header = [name for name in columns if name != "column"]
    cells = [[str(row[0]), *(f"{value:.4g}" for value in row[1:])] for row in rows]
    print("\n" + text_table(header, cells[:SHOWN]))
    if len(cells) > SHOWN:
        print(f"... and {len(cells) - SHOWN} more")


def _say_saved(files: Mapping[str, Path]) -> None:
    print(f"saved {', '.join(str(file) for file in files.values() if file.exists())}")


def _exit(status: Status) -> Exit:
    """Translate how it ended; a budget that ended it is what was asked for."""
    if status is Status.INTERRUPTED:
        return Exit.INTERRUPTED
    return Exit.NOT_CONVERGED if status is Status.NOT_CONVERGED else Exit.OK
