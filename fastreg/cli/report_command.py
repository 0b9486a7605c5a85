"""The command ``report``: from a data file to one HTML page, with cross-validation and stability if asked."""

from __future__ import annotations

import argparse
import warnings
from typing import TYPE_CHECKING, Any

from .exits import Exit, UsageError, exit_of
from .options import add_path_options, at_least, check_choice
from .report import path_table
from .task import Task, read_task, say, stem
from .writers import name_files

if TYPE_CHECKING:
    from fastreg.result import PathResult

__all__ = ["add_report_options", "run_report"]


def add_report_options(parser: argparse.ArgumentParser) -> None:
    """Describe DATA and every option of ``report``."""
    add_path_options(parser)
    group = parser.add_argument_group("page")
    group.add_argument("--title", metavar="TEXT", help="title of the page (default: name of DATA)")
    group.add_argument(
        "--cv",
        "--folds",
        type=at_least(2),
        metavar="K",
        help="choose alpha by cross-validation with K folds, and show the curve",
    )
    group.add_argument(
        "--rule", choices=("min", "1se"), default="min", help="what chooses alpha (default: %(default)s)"
    )
    group.add_argument(
        "--pairs",
        type=at_least(1),
        metavar="N",
        help="show how stable features are over N complementary pairs",
    )
    group.add_argument(
        "--seed", type=at_least(0), default=0, help="seed of folds and pairs (default: %(default)s)"
    )


def run_report(arguments: argparse.Namespace) -> Exit:
    """Read, solve, write the page; return the exit code."""
    file = name_files(arguments.out or stem(arguments.data), ("html",))["html"]
    check_choice(arguments)
    task = read_task(arguments)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = task.solve()
        # Ctrl-C means: write what there is.
        more = {} if exit_of(result) is Exit.INTERRUPTED else _more(task, arguments)
    said = say(task.notes, caught)
    details = {"data": f"{arguments.data.name}, {arguments.data.stat().st_size:,} bytes"}
    details |= {"seed": str(arguments.seed)} if more else {}
    details |= {"warnings": "; ".join(said)} if said else {}
    try:
        result.to_html(file, title=arguments.title or arguments.data.name, details=details, **more)
    except OSError as problem:
        raise UsageError(f"cannot write {file}: {problem.strerror}; choose another --out") from None
    print(path_table(result))
    for found in more.values():
        print(f"\n{found}")
    print(f"\nsaved {file}")
    return _exit(result, more)


def _more(task: Task, arguments: argparse.Namespace) -> dict[str, Any]:
    """Return what was asked for beside the path."""
    from fastreg.api_cv import cv_path
    from fastreg.api_stability import stability_selection

    found: dict[str, Any] = {}
    shared = task.shared() | {"random_state": arguments.seed}
    if arguments.cv is not None:
        found["cv"] = cv_path(task.X, task.y, cv=arguments.cv, rule=arguments.rule, **shared)
    if arguments.pairs is not None:
        found["stability"] = stability_selection(task.X, task.y, pairs=arguments.pairs, **shared)
    return found


def _exit(result: PathResult, more: dict[str, Any]) -> Exit:
    """Return the exit code: that of the path, unless a later part was interrupted."""
    from fastreg.errors import Status

    if any(found.status is Status.INTERRUPTED for found in more.values()):
        return Exit.INTERRUPTED
    return exit_of(result)
