"""The command ``bench``: fastreg and the peers that are installed, on the user's data or a built-in case."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .contents import Wanted
from .exits import Exit, UsageError
from .options import names
from .readers import read_contents, read_labels, read_vector
from .task import LABELLED, RESPONSE, SEVERAL_COLUMNS, notes_of, say, together
from .writers import plain

if TYPE_CHECKING:
    from fastreg.bench.measure import Comparison
    from fastreg.bench.problem import Problem

__all__ = ["add_bench_options", "run_bench"]

# The built-in case is as wide as gene-expression data, with neighbours as correlated as theirs.
BUILT_IN = {"n": 100, "p": 5000, "n_true": 20, "rho": 0.5, "snr": 5.0, "seed": 0}
# Its response is a number, and its sign a label.
BUILT_IN_FAMILIES = ("gaussian", "binomial")
LONGEST_NAME = 40
DESCRIPTION = """Run fastreg and every peer that is installed (glmnet, adelie, celer, scikit-learn, skglm,
glum) on one problem and print time and accuracy of each. The problem is made the same for all: dense columns
are standardised, sparse ones left as they are; for least squares y is centred and brought to unit size by a
power of two, other families fit an intercept; and all get the same alphas. Accuracy is measured here, alike
for all. Progress is told on stderr."""


def add_bench_options(parser: argparse.ArgumentParser) -> None:
    """Describe DATA and every option of ``bench``."""
    parser.add_argument(
        "data", type=Path, nargs="?", metavar="DATA",
        help="data file, in the formats of the command path (default: a built-in problem, "
        f"{BUILT_IN['n']} x {BUILT_IN['p']})",
    )  # fmt: skip
    _add_data_options(parser)
    grid = parser.add_argument_group("objective and grid")
    grid.add_argument(
        "--family", default="gaussian", metavar="NAME",
        help="gaussian (default), binomial, multinomial, poisson or cox (--response time,status); with an "
        "intercept but for gaussian and cox",
    )  # fmt: skip
    grid.add_argument(
        "--l1-ratio", type=float, default=1.0, metavar="R", help="1 lasso (default), below: elastic net"
    )
    grid.add_argument("--alphas", type=int, default=100, metavar="N", help="grid size (default: %(default)s)")
    grid.add_argument(
        "--eps", type=float, default=1e-2, metavar="E", help="last alpha over first (default: %(default)s)"
    )
    _add_run_options(parser)


def _add_data_options(parser: argparse.ArgumentParser) -> None:
    """Describe where X and y come from."""
    group = parser.add_argument_group("data")
    response = group.add_mutually_exclusive_group()
    response.add_argument("--response", metavar="NAME", help="column or key of the response (default: y)")
    response.add_argument(
        "--response-file", type=Path, metavar="FILE", help="the same from a file: .npy, or a number per line"
    )
    group.add_argument(
        "--drop", type=names, action="extend", default=[], metavar="NAME,...", help="columns to leave out"
    )
    group.add_argument("--design", default="X", metavar="KEY", help="key of X in a .npz file (default: X)")
    group.add_argument("--delimiter", metavar="CHAR", help="separator of a text table (default: , or a tab)")


def _add_run_options(parser: argparse.ArgumentParser) -> None:
    """Describe what is run, how often, and what is kept."""
    group = parser.add_argument_group("runs and results")
    group.add_argument("--peers", type=names, metavar="NAME,...", help="which peers (default: all)")
    group.add_argument(
        "--repeats", type=int, default=3, metavar="N", help="best of N turns (default: %(default)s)"
    )
    group.add_argument(
        "--slow", type=float, default=10.0, metavar="SECONDS",
        help="a run slower than this is not repeated, and its solver not run at tighter tolerances "
        "(default: %(default)s)",
    )  # fmt: skip
    group.add_argument(
        "--every", action="store_true", help="show every tolerance, not only those that decide"
    )
    group.add_argument(
        "--out", type=Path, metavar="FILE",
        help="picture of time against accuracy: .png, .svg or .pdf (default: fastreg_bench_NAME.png, here)",
    )  # fmt: skip
    group.add_argument("--no-plot", action="store_true", help="do not draw the picture")
    group.add_argument(
        "--json", type=Path, metavar="FILE", help="write every figure, with versions and machine"
    )


def run_bench(arguments: argparse.Namespace) -> Exit:
    """Measure, print and draw; return the exit code."""
    from fastreg.bench.measure import Plan, compare
    from fastreg.bench.peers import OURS, ready

    _check(arguments)
    asked = _peers(arguments.peers)
    problem = _problem(arguments)
    picture = None if arguments.no_plot else arguments.out or Path(f"fastreg_bench_{_stem(problem.name)}.png")
    _require_writable(arguments, picture)
    solvers, missing = ready([OURS, *asked])
    comparison = compare(problem, solvers, Plan(arguments.repeats, arguments.slow), say=_progress)
    comparison.skipped |= missing
    _show(arguments, comparison, picture)
    return _exit(comparison)


def _check(arguments: argparse.Namespace) -> None:
    """Refuse options that make no comparison."""
    from fastreg.bench.losses import FAMILIES

    if arguments.family not in FAMILIES:
        raise UsageError(f"--family must be one of {', '.join(FAMILIES)}, got {arguments.family}")
    if arguments.data is None and arguments.family not in BUILT_IN_FAMILIES:
        raise UsageError(f"--family {arguments.family} needs DATA; the built-in response is a number")
    for option, holds, expected in (
        ("l1_ratio", 0.0 < arguments.l1_ratio <= 1.0, "be in (0, 1]: ridge has no path to compare"),
        ("alphas", arguments.alphas >= 2, "be at least 2"),
        ("eps", 0.0 < arguments.eps < 1.0, "be between 0 and 1, exclusive"),
        ("repeats", arguments.repeats >= 1, "be at least 1"),
        ("slow", arguments.slow > 0.0, "be positive"),
    ):
        if not holds:
            name = option.replace("_", "-")
            raise UsageError(f"--{name} must {expected}, got {getattr(arguments, option)}")
    given = {"--response": arguments.response, "--response-file": arguments.response_file}
    for name, value in ({"--drop": arguments.drop} | given).items():
        if value and arguments.data is None:
            raise UsageError(f"{name} needs DATA; the built-in problem brings its own response")


def _peers(given: tuple[str, ...] | None) -> list[str]:
    """Return the peers that were asked for, without ourselves."""
    from fastreg.bench.peers import OURS, PEERS

    unknown = [name for name in given or () if name not in PEERS]
    if unknown:
        known = ", ".join(name for name in PEERS if name != OURS)
        raise UsageError(f"--peers: unknown peer {unknown[0]!r}; known: {known}")
    return [name for name in dict.fromkeys(PEERS if given is None else given) if name != OURS]


def _problem(arguments: argparse.Namespace) -> Problem:
    """Read the data, or make the built-in case, and equalise it."""
    from fastreg.bench.problem import equalise
    from fastreg.datasets import make_correlated

    family = arguments.family
    grid = {"l1_ratio": arguments.l1_ratio, "size": arguments.alphas, "eps": arguments.eps}
    if arguments.data is None:
        X, y = make_correlated(**BUILT_IN)  # type: ignore[arg-type]
        return equalise(X, y if family == "gaussian" else y > 0, name="built-in", family=family, **grid)
    is_labelled = family in LABELLED
    response: tuple[str, ...] = ()
    if arguments.response_file is None:
        given = arguments.response or RESPONSE
        response = names(given) if family in SEVERAL_COLUMNS else (given,)
    textual = frozenset(response) if is_labelled and len(response) == 1 else frozenset()
    wanted = Wanted(response, tuple(arguments.drop), arguments.design, arguments.delimiter, textual)
    contents = read_contents(arguments.data, wanted)
    if response:
        y = together([contents.vectors[name] for name in response])
    else:
        y = (read_labels if is_labelled else read_vector)(arguments.response_file)
    say(notes_of(arguments.data, contents, arguments.response_file), ())
    name = arguments.data.name
    short = name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 3] + "..."
    return equalise(contents.X, y, name=short, family=family, **grid)


def _stem(name: str) -> str:
    """Return a name up to its first dot."""
    return name.partition(".")[0] or "data"


def _require_writable(arguments: argparse.Namespace, picture: Path | None) -> None:
    """Make sure, before anything is measured, that what was asked for can be written."""
    if picture is not None and arguments.out is not None:
        from fastreg.bench.frontier import SUFFIXES, require_matplotlib

        if picture.suffix.lower() not in SUFFIXES:
            raise UsageError(f"--out must end in one of {', '.join(SUFFIXES)}, got {picture}")
        try:
            require_matplotlib()
        except ImportError as problem:
            raise UsageError(f"--out: {problem}") from None
    for file in (picture, arguments.json):
        if file is not None:
            try:
                file.parent.mkdir(parents=True, exist_ok=True)
                with tempfile.TemporaryFile(dir=file.parent):
                    pass
            except OSError as problem:
                raise UsageError(f"cannot write {file}: {problem.strerror or problem}") from None
            if file.is_dir():
                raise UsageError(f"cannot write {file}: it is a folder")


def _progress(line: str) -> None:
    """Tell how far the measurement is, apart from what it found."""
    print(line, file=sys.stderr, flush=True)


def _show(arguments: argparse.Namespace, comparison: Comparison, picture: Path | None) -> None:
    """Print the table and write the files."""
    from fastreg.bench.measure import MATCHED
    from fastreg.bench.table import deciding, report

    record = comparison.record()
    if not record["runs"]:
        return
    print(report(record, every=arguments.every))
    if len(deciding(record["runs"])) < len(record["runs"]) and not arguments.every:
        print(
            f"Shown of each peer: its default, and its fastest run accurate to {MATCHED:.0e} (or its most "
            "accurate one); --every shows all."
        )
    if record["left_out"]:
        print(f"Constant columns left out: {record['left_out']}")
    if arguments.json is not None:
        text = json.dumps(plain(record), indent=1, allow_nan=False)
        arguments.json.write_text(text + "\n", encoding="utf-8")
        print(f"Figures: {arguments.json}")
    if picture is not None:
        print(_draw(record, picture))


def _draw(record: Mapping[str, Any], picture: Path) -> str:
    """Draw the picture and say where, or why not."""
    from fastreg.bench.frontier import save_frontier

    try:
        return f"Picture: {save_frontier(record, picture)}"
    except ImportError as problem:
        return f"No picture: {problem}"
    except OSError as problem:
        raise UsageError(f"cannot write {picture}: {problem.strerror}; choose another --out") from None


def _exit(comparison: Comparison) -> Exit:
    """Translate how the measurement ended."""
    if comparison.interrupted:
        if not comparison.runs:
            raise KeyboardInterrupt
        return Exit.INTERRUPTED
    for run in comparison.missed():
        print(
            f"fastreg: at tol {run.tol:g} our own path ends at relative gap {run.worst_gap:.1e}",
            file=sys.stderr,
        )
    return Exit.NOT_CONVERGED if comparison.missed() else Exit.OK
