"""The parser of the command line and the way from a command to its exit code.

Commands import what they need when they run: ``--help`` and usage errors cost no compiler.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from fastreg.errors import DataError, DataTypeError

from .bench import DESCRIPTION as BENCH
from .bench import add_bench_options, run_bench
from .exits import Exit, UsageError
from .options import add_cv_options, add_path_options, add_select_options
from .report_command import add_report_options, run_report

__all__ = ["main"]

EPILOG = """exit codes: 0 ok, 2 usage, 3 not converged (some alpha missed the tolerance), 4 bad data,
5 interrupted, with the finished part saved"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments without the program's name; those of the process if not given.

    Returns
    -------
    int
        0 ok, 2 usage, 3 not converged, 4 bad data, 5 interrupted with the finished part saved.

    Examples
    --------
    >>> from fastreg.cli import main
    >>> main(["cache"])
    2
    """
    # Pictures go to files. What a notebook left in the environment may not even exist here.
    os.environ["MPLBACKEND"] = "Agg"
    try:
        arguments = _parser().parse_args(argv)
    except SystemExit as stop:  # argparse has said why
        return int(stop.code or 0)
    try:
        code = int(arguments.run(arguments))
        sys.stdout.flush()  # here, where a reader that went away can be told from a fault
        return code
    except UsageError as problem:
        return _fail(Exit.USAGE, problem)
    except (DataError, DataTypeError) as problem:
        return _fail(Exit.BAD_DATA, problem)
    except KeyboardInterrupt:
        return _fail(Exit.KILLED, "interrupted")
    except BrokenPipeError:
        # The reader of our output went away (head, less).
        _discard_output()
        return int(Exit.OK)
    except OSError as problem:
        # What files are named is checked before: this is a disk that is full, or the like.
        _discard_output()
        return _fail(Exit.USAGE, f"cannot write: {problem.strerror}; files written before are kept")


def _discard_output() -> None:
    """Let what is left of the output go nowhere, also at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _fail(code: Exit, message: object) -> int:
    """Say on stderr what is wrong and return the exit code."""
    print(f"fastreg: {message}", file=sys.stderr)
    return int(code)


def _parser() -> argparse.ArgumentParser:
    """Describe every command."""
    parser = argparse.ArgumentParser(
        prog="fastreg", epilog=EPILOG,
        description="Certified regularisation paths of linear and generalised linear models.",
        formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False,
    )  # fmt: skip
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _add_demo(commands)
    path = commands.add_parser(
        "path", help="solve the path of a data file", allow_abbrev=False, epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Solve the path of a data file and write OUT.coefs.npz, OUT.table.tsv and OUT.run.json.",
    )  # fmt: skip
    add_path_options(path)
    path.set_defaults(run=_run_path)
    cv = commands.add_parser(
        "cv", help="choose the penalty by cross-validation", allow_abbrev=False, epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Cross-validate the path of a data file and write OUT.cv.npz, OUT.cv.tsv,\n"
        "OUT.cv.features.tsv, OUT.cv.run.json and the picture OUT.cv.png.",
    )  # fmt: skip
    add_cv_options(cv)
    cv.set_defaults(run=_run_cv)
    select = commands.add_parser(
        "select", help="choose features by stability selection", allow_abbrev=False, epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Find the features that halves of the rows agree on, with a bound on false selections,\n"
        "and write OUT.stability.npz, OUT.stability.features.tsv, OUT.stability.run.json and the picture\n"
        "OUT.stability.png.",
    )  # fmt: skip
    add_select_options(select)
    select.set_defaults(run=_run_select)
    report = commands.add_parser(
        "report", help="solve the path of a data file and show it as an HTML page", allow_abbrev=False,
        epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Solve the path of a data file and write OUT.html, a page that needs nothing but itself.",
    )  # fmt: skip
    add_report_options(report)
    report.set_defaults(run=run_report)
    bench = commands.add_parser(
        "bench", help="compare with the solvers that are installed", allow_abbrev=False, epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter, description=BENCH,
    )  # fmt: skip
    add_bench_options(bench)
    bench.set_defaults(run=run_bench)
    info = commands.add_parser("info", help="print versions, machine and cache", allow_abbrev=False)
    info.set_defaults(run=_run_info)
    warmup = commands.add_parser(
        "warmup", help="compile every kernel once, into the cache", allow_abbrev=False
    )
    warmup.set_defaults(run=_run_warmup)
    cache = commands.add_parser("cache", help="manage the cache of compiled kernels", allow_abbrev=False)
    actions = cache.add_subparsers(required=True, metavar="ACTION")
    clear = actions.add_parser("clear", help="delete the compiled kernels", allow_abbrev=False)
    clear.set_defaults(run=_run_clear)
    return parser


def _add_demo(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe the demo."""
    demo = commands.add_parser(
        "demo", help="solve a wide built-in problem and show the path", allow_abbrev=False,
        description="Solve a wide problem with a known truth, print its path and draw fastreg_demo.png.",
    )  # fmt: skip
    demo.add_argument("--n", type=int, default=200, help="rows (default: %(default)s)")
    demo.add_argument("--p", type=int, default=20_000, help="features (default: %(default)s)")
    demo.add_argument("--seed", type=int, default=0, help="seed of the problem (default: %(default)s)")
    demo.add_argument(
        "--out", type=Path, default=Path("."), metavar="DIR", help="folder of the picture (default: here)"
    )
    demo.add_argument("--no-plot", action="store_true", help="do not draw the path")
    demo.set_defaults(run=_run_demo)


def _run_demo(arguments: argparse.Namespace) -> int:
    from .demo import run_demo

    return run_demo(arguments.n, arguments.p, arguments.seed, None if arguments.no_plot else arguments.out)


def _run_path(arguments: argparse.Namespace) -> int:
    from .path import run_path

    return run_path(arguments)


def _run_cv(arguments: argparse.Namespace) -> int:
    from .selection import run_cv

    return run_cv(arguments)


def _run_select(arguments: argparse.Namespace) -> int:
    from .selection import run_select

    return run_select(arguments)


def _run_info(arguments: argparse.Namespace) -> int:
    from fastreg._info import info

    print(info())
    return Exit.OK


def _run_warmup(arguments: argparse.Namespace) -> int:
    from fastreg._jit import cache_directory, cache_state
    from fastreg._warmup import warm_up

    total = 0.0
    for case, seconds in warm_up():
        print(f"{case:<32} {seconds:7.2f} s", flush=True)
        total += seconds
    print(f"all kernels ready after {total:.1f} s; cache {cache_state()}")
    if cache_directory() is None:
        print("fastreg: kernels are not kept; set FASTREG_CACHE_DIR to a folder of your own", file=sys.stderr)
    return Exit.OK


def _run_clear(arguments: argparse.Namespace) -> int:
    from fastreg._jit import clear_cache

    print(f"{clear_cache()} files removed")
    return Exit.OK
