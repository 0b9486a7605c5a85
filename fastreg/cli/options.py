"""The options of commands that fit paths: how they are written, and what they become as arguments."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fastreg.errors import FastregError

from .exits import UsageError

__all__ = [
    "add_cv_options",
    "add_path_options",
    "add_select_options",
    "at_least",
    "check_choice",
    "path_keywords",
]


def grid(text: str) -> int | list[float]:
    """Read ``--alphas``: a number of alphas, or values separated by commas (0.5 alone is a value)."""
    try:
        return int(text)
    except ValueError:
        return [float(value) for value in text.split(",") if value.strip()]


def ratio_of_ends(text: str) -> float | str:
    """Read ``--eps``: a number or "auto"."""
    return text if text == "auto" else float(text)


def scale(text: str) -> float | str:
    """Read ``--scale``: a number or "mad"."""
    return text if text == "mad" else float(text)


def limit(text: str) -> float | Path:
    """Read ``--lower`` and ``--upper``: one number for all features, or a file with one per feature."""
    try:
        number = float(text)
    except ValueError:
        return Path(text)
    if math.isnan(number):
        raise argparse.ArgumentTypeError("expected a number or a file, got nan")
    return number


def names(text: str) -> tuple[str, ...]:
    """Read names separated by commas."""
    return tuple(name.strip() for name in text.split(",") if name.strip())


def ratios(text: str) -> list[float]:
    """Read ``--l1-ratios``: numbers separated by commas."""
    return [float(value) for value in text.split(",") if value.strip()]


def at_least(least: int) -> Callable[[str], int]:
    """Return a reader of whole numbers that are not below one."""

    def read(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            number = least - 1
        if number < least:
            raise argparse.ArgumentTypeError(f"expected a whole number of at least {least}, got {text!r}")
        return number

    return read


def within(low: float, high: float) -> Callable[[str], float]:
    """Return a reader of numbers above the lower end, and not above the upper one."""

    def read(text: str) -> float:
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        if not low < number <= high:
            expected = f"above {low:g}" + (f" and at most {high:g}" if math.isfinite(high) else "")
            raise argparse.ArgumentTypeError(f"expected a number {expected}, got {text!r}")
        return number

    return read


def add_path_options(parser: argparse.ArgumentParser) -> None:
    """Describe DATA and every option of ``path``."""
    _add_shared_options(parser)
    parser.add_argument(
        "--max-features", type=int, metavar="M", help="stop before the first alpha with more than M features"
    )


def add_cv_options(parser: argparse.ArgumentParser) -> None:
    """Describe DATA and every option of ``cv``."""
    _add_shared_options(parser)
    group = parser.add_argument_group("folds and choice")
    group.add_argument(
        "--cv", "--folds", type=at_least(2), default=10, metavar="N",
        help="number of folds (default: %(default)s)",
    )  # fmt: skip
    for option, what in (
        ("fold-of", "the number of each row's fold, in place of --cv"),
        ("groups", "labels of rows that must stay together"),
    ):
        pair = group.add_mutually_exclusive_group()
        pair.add_argument(f"--{option}", metavar="NAME", help=f"column or key that holds {what}")
        pair.add_argument(f"--{option}-file", type=Path, metavar="FILE", help="the same from a file")
    group.add_argument(
        "--repeats", type=at_least(1), default=1, metavar="R", help="divide the rows anew R times"
    )
    group.add_argument("--seed", type=at_least(0), default=0, help="seed of the folds (default: %(default)s)")
    group.add_argument(
        "--scoring", metavar="NAME", help="deviance (default), mse, mae, accuracy, auc or c_index"
    )
    group.add_argument("--rule", choices=("min", "1se"), default="min", help="what chooses alpha")
    group.add_argument("--l1-ratios", type=ratios, metavar="LIST", help="try several, such as 0.1,0.5,1")
    group.add_argument("--relax", action="store_true", help="try relaxed paths too")
    group.add_argument("--adaptive", choices=("ridge", "lasso"), help="adapt the penalty to a first fit")
    group.add_argument("--no-plot", action="store_true", help="do not draw the curve")


def add_select_options(parser: argparse.ArgumentParser) -> None:
    """Describe DATA and every option of ``select``."""
    _add_shared_options(parser)
    group = parser.add_argument_group("stability selection: give up to two of the first three")
    group.add_argument(
        "--q", "--choose", type=at_least(1), metavar="Q", help="features that each half of the rows chooses"
    )
    group.add_argument(
        "--threshold", type=within(0.5, 1.0), metavar="T", help="share of halves that makes stable"
    )
    group.add_argument(
        "--max-false", type=within(0.0, math.inf), metavar="V", help="bound on the expected false selections"
    )
    group.add_argument(
        "--pairs", type=at_least(1), default=50, metavar="N", help="pairs (default: %(default)s)"
    )
    group.add_argument(
        "--bound", choices=("shah-samworth", "unimodal", "meinshausen-buehlmann"), default="shah-samworth",
        help="what the bound assumes (default: %(default)s)",
    )  # fmt: skip
    group.add_argument(
        "--form", choices=("first", "region"), default="first",
        help="the first Q features of each half, or all over the grid (default: %(default)s)",
    )  # fmt: skip
    group.add_argument(
        "--seed", type=at_least(0), default=0, help="seed of the halves (default: %(default)s)"
    )
    group.add_argument("--no-plot", action="store_true", help="do not draw the probabilities")


def _add_shared_options(parser: argparse.ArgumentParser) -> None:
    """Describe DATA and what all commands that fit paths share."""
    parser.add_argument(
        "data", type=Path, metavar="DATA",
        help="X: .npz (key X, or a scipy.sparse file), .npy, .csv or .tsv with a header, .parquet, "
        ".svm/.svmlight/.libsvm; text may be compressed (.gz, .bz2, .xz)",
    )  # fmt: skip
    parser.add_argument(
        "--out", metavar="OUT", help="prefix of the result files (default: name of DATA, here)"
    )
    _add_data_options(parser)
    _add_family_options(parser)
    _add_model_options(parser)
    _add_solver_options(parser)


def _add_data_options(parser: argparse.ArgumentParser) -> None:
    """Describe where X, y, weights and offset come from."""
    group = parser.add_argument_group("data")
    for option, what in (
        ("response", "the response (default: y; for svmlight the label; several columns as a,b)"),
        ("weights", "row weights (default: all equal)"),
        ("offset", "what is added to the linear predictor of each row (default: 0)"),
        ("strata", "labels: cox compares rows with rows of their own stratum only"),
    ):
        pair = group.add_mutually_exclusive_group()
        pair.add_argument(f"--{option}", metavar="NAME", help=f"column or key that holds {what}")
        pair.add_argument(
            f"--{option}-file",
            type=Path,
            metavar="FILE",
            help="the same from a file: .npy, or one entry per line",
        )
    group.add_argument(
        "--drop",
        type=names,
        action="extend",
        default=[],
        metavar="NAME,...",
        help="columns to leave out, such as an id",
    )
    group.add_argument("--design", metavar="KEY", help="key of X in a .npz file (default: X)")
    group.add_argument(
        "--delimiter", metavar="CHAR", help="separator of a text table (default: , and for .tsv a tab)"
    )


def _add_family_options(parser: argparse.ArgumentParser) -> None:
    """Describe what is fitted."""
    group = parser.add_argument_group("family")
    group.add_argument(
        "--family", default="gaussian", metavar="NAME",
        help="gaussian (default), binomial or logistic, multinomial, poisson, squared_hinge, huber, cox "
        "(--response time,status or start,stop,status), mgaussian or multitask (--response a,b,c)",
    )  # fmt: skip
    group.add_argument(
        "--delta",
        type=float,
        metavar="D",
        help="huber: residuals beyond D scales count linearly (default: 1.35)",
    )
    group.add_argument(
        "--scale", type=scale, metavar="S",
        help='huber: unit of delta, a number or "mad" (default: the robust scale of the response)',
    )  # fmt: skip
    group.add_argument(
        "--ties", choices=("breslow", "efron"), help="cox: events at one time (default: breslow)"
    )
    group.add_argument(
        "--grouped",
        action="store_true",
        default=None,
        help="multinomial: a feature enters for all classes at once",
    )


def _add_model_options(parser: argparse.ArgumentParser) -> None:
    """Describe the objective and the grid."""
    group = parser.add_argument_group("objective and grid")
    group.add_argument(
        "--l1-ratio", type=float, default=1.0, metavar="R", help="1 lasso (default), 0 ridge, between: both"
    )
    group.add_argument(
        "--alphas", type=grid, default=100, metavar="N|LIST",
        help="size of the grid (default: %(default)s), or the alphas themselves: 0.5,0.1",
    )  # fmt: skip
    group.add_argument(
        "--eps", type=ratio_of_ends, metavar="E",
        help='last alpha over first alpha, or "auto" (default: 0.001, for ridge 1e-06)',
    )  # fmt: skip
    group.add_argument(
        "--intercept", action=argparse.BooleanOptionalAction,
        help="fit an intercept; done by default for all but cox, also where fastreg.lasso_path does not",
    )  # fmt: skip
    group.add_argument(
        "--standardize", action="store_true", help="penalise b_j times the standard deviation of feature j"
    )
    group.add_argument("--positive", action="store_true", help="no coefficient below 0")
    group.add_argument(
        "--lower", type=limit, metavar="V|FILE", help="lower limit of the coefficients, at most 0"
    )
    group.add_argument(
        "--upper", type=limit, metavar="V|FILE", help="upper limit of the coefficients, at least 0"
    )
    group.add_argument(
        "--penalty-factor", type=Path, metavar="FILE",
        help="one number per feature that multiplies its penalty: 0 free, inf left out",
    )  # fmt: skip


def _add_solver_options(parser: argparse.ArgumentParser) -> None:
    """Describe budgets and reports."""
    group = parser.add_argument_group("solver")
    group.add_argument(
        "--tol", type=float, default=1e-7, help="certified gap over the null objective (default: %(default)s)"
    )
    group.add_argument(
        "--max-time", type=float, metavar="SECONDS", help="stop after so long, keep the finished part"
    )
    group.add_argument("--threads", type=int, metavar="T", help="threads (default: what the machine has)")
    group.add_argument("--progress", action="store_true", help="show progress on stderr")


def check_choice(arguments: argparse.Namespace) -> None:
    """Refuse a choice of alpha or features that no data could be chosen by: that is bad usage.

    What is wrong without data, so that it is not found after they were read.
    """
    from fastreg.families import canonical
    from fastreg.selection.scores import make_scorer

    given = vars(arguments)
    if given.get("scoring") is not None:
        try:
            make_scorer(arguments.scoring, None, canonical(arguments.family))
        except FastregError as problem:
            raise UsageError(f"--scoring: {problem}") from None
    for ratio in given.get("l1_ratios") or ():
        if not 0.0 <= ratio <= 1.0:
            raise UsageError(f"--l1-ratios must lie in [0, 1], got {ratio:g}: 1 is the lasso, 0 is ridge")
    if given.get("pairs") is not None and arguments.l1_ratio == 0.0:
        raise UsageError("--l1-ratio must be > 0 for a selection, got 0: ridge chooses every feature")
    bounds = ("q", "threshold", "max_false")
    if all(given.get(name) is not None for name in bounds):
        raise UsageError("--q, --threshold and --max-false: give two, the third follows from them")


def path_keywords(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the options that are plain values under the names that the path functions use.

    They are checked here as well as at the library's border: a bad option is bad usage, not bad data.
    """
    from fastreg.families import FamilyOptions, canonical, check_owned
    from fastreg.penalty import make_penalty
    from fastreg.validate import check_alphas, check_options

    chosen = {name: getattr(arguments, name) for name in ("delta", "scale", "ties", "grouped")}
    bounds = [value if isinstance(value, float) else None for value in (arguments.lower, arguments.upper)]
    try:
        family = canonical(arguments.family)
        check_owned(family, FamilyOptions(strata=arguments.strata or arguments.strata_file, **chosen))
        check_alphas(arguments.alphas, arguments.eps, None, 1, 1)
        check_options(
            arguments.l1_ratio,
            arguments.tol,
            1,
            getattr(arguments, "max_features", None),
            arguments.max_time,
            arguments.threads,
        )
        make_penalty(1, arguments.l1_ratio, None, arguments.positive, *bounds)
    except FastregError as problem:
        raise UsageError(problem) from None
    if family == "cox" and arguments.intercept:
        raise UsageError("--intercept does not go with --family cox, whose baseline hazard contains one")
    of_family = {} if family == "gaussian" else {"family": family, "l1_ratio": arguments.l1_ratio}
    return (
        of_family
        | {name: value for name, value in chosen.items() if value is not None}
        | {
            "alphas": arguments.alphas,
            "eps": arguments.eps,
            "fit_intercept": family != "cox" if arguments.intercept is None else arguments.intercept,
            "standardize": arguments.standardize,
            "positive": arguments.positive,
            "tol": arguments.tol,
            "max_features": getattr(arguments, "max_features", None),
            "max_time": arguments.max_time,
            "n_threads": arguments.threads,
            "progress": arguments.progress,
        }
    )
