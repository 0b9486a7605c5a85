"""The picture of a comparison: time against accuracy, one line per solver.

matplotlib is imported when the first picture is drawn.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .measure import MATCHED
from .peers import OURS
from .table import description

__all__ = ["SUFFIXES", "draw_frontier", "require_matplotlib", "save_frontier"]

# Suboptimality below this is rounding, and zero has no place on a log scale: it is drawn here.
FLOOR = 1e-16
# Inches, and dots per inch: 1440 x 855 pixels, readable when shown at 800.
SIZE = (9.0, 5.4)
DPI = 160
# Colours of Okabe and Ito, told apart by every kind of colour vision; a peer looks alike in every picture.
STYLES: dict[str, tuple[str, str]] = {
    OURS: ("#000000", "*"),
    "glmnet": ("#0072B2", "o"),
    "adelie": ("#D55E00", "s"),
    "adelie-gram": ("#E69F00", "D"),
    "celer": ("#009E73", "^"),
    "scikit-learn": ("#CC79A7", "v"),
    "skglm": ("#56B4E9", "P"),
    "glum": ("#F0E442", "X"),
}
OTHERS = (("#7F7F7F", "p"), ("#8C564B", "h"), ("#BCBD22", "d"))
SUFFIXES = (".png", ".svg", ".pdf")
MISSING = (
    'the picture needs matplotlib, which is not installed: pip install "fastreg-paths[plot]" '
    "(or pip install matplotlib)"
)


def require_matplotlib() -> Any:
    """Import matplotlib, or say how to get it.

    Returns
    -------
    type
        The class ``matplotlib.figure.Figure``.

    Raises
    ------
    ImportError
        If matplotlib is not installed.

    Examples
    --------
    >>> require_matplotlib().__name__
    'Figure'
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as problem:
        raise ImportError(MISSING) from problem
    return Figure


def save_frontier(record: Mapping[str, Any], file: str | Path) -> Path:
    """Draw a comparison into a file.

    Parameters
    ----------
    record : mapping
        From `Comparison.record`, or a file of ``benchmarks/results`` as `json.load` reads it.
    file : str or Path
        Where to; the suffix (.png, .svg, .pdf) tells the format.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    ValueError
        If nothing ran, or the suffix is none that matplotlib knows.

    Examples
    --------
    >>> import tempfile
    >>> from fastreg.bench.table import EXAMPLE
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_frontier(EXAMPLE, f"{folder}/picture.png").name
    'picture.png'
    """
    # A figure of its own: no window, no display and no global state are needed.
    figure = require_matplotlib()(figsize=SIZE, layout="constrained")
    draw_frontier(record, figure.subplots())
    figure.savefig(file, dpi=DPI)
    return Path(file)


def draw_frontier(record: Mapping[str, Any], ax: Any) -> Any:
    """Draw time against the worst suboptimality over the path, both on log scales; down and left is better.

    One line per solver from its loosest to its tightest tolerance. A ring marks a solver's default tolerance.

    Parameters
    ----------
    record : mapping
        From `Comparison.record`.
    ax : matplotlib Axes
        Where to draw.

    Returns
    -------
    matplotlib Axes
        The axes given.

    Raises
    ------
    ValueError
        If nothing ran.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> from fastreg.bench.table import EXAMPLE
    >>> draw_frontier(EXAMPLE, Figure().subplots()).get_title(loc="left")
    'tiny: lasso, 20 x 40, 10 alphas to alpha_max/100'
    """
    runs = record["runs"]
    if not runs:
        raise ValueError("nothing to draw: no run was finished")
    ax.set_xscale("log")
    ax.set_yscale("log")
    others = iter(OTHERS * len(runs))
    for name in dict.fromkeys(run["solver"] for run in runs):
        style = STYLES.get(name) or next(others)
        _draw_solver(ax, name, [run for run in runs if run["solver"] == name], style)
    _draw_level(ax)
    _dress(ax, record)
    return ax


def _draw_solver(ax: Any, name: str, runs: Sequence[Mapping[str, Any]], style: tuple[str, str]) -> None:
    """Draw the line of one solver."""
    color, marker = style
    ours = name == OURS
    times, accuracy = [run["seconds"] for run in runs], [_shown(run) for run in runs]
    ax.plot(
        times,
        accuracy,
        color=color,
        marker=marker,
        markersize=17 if ours else 6.5,
        markeredgecolor="white",
        markeredgewidth=0.8,
        linewidth=2.4 if ours else 1.5,
        zorder=4 if ours else 3,
        label=name,
    )
    # Where there is one run only, a ring would say nothing.
    default = [run for run in runs if run["is_default"] and len(runs) > 1]
    ax.plot(
        [run["seconds"] for run in default],
        [_shown(run) for run in default],
        linestyle="none",
        marker="o",
        markersize=20 if ours else 13,
        markerfacecolor="none",
        markeredgecolor=color,
        markeredgewidth=1.3,
        zorder=3,
    )


def _shown(run: Mapping[str, Any]) -> float:
    return max(float(run["worst_suboptimality"]), FLOOR)


def _power(value: float, position: int) -> str:
    """Return a power of ten; what is drawn at the floor may lie below it."""
    floor = "\\leq " if value <= 1.5 * FLOOR else ""
    return f"${floor}10^{{{round(math.log10(value))}}}$"


def _draw_level(ax: Any) -> None:
    """Draw the accuracy at which speed-ups are told."""
    ax.axhline(MATCHED, color="0.45", linewidth=1.0, linestyle="--", zorder=1, label="matched accuracy, 1e-9")


def _dress(ax: Any, record: Mapping[str, Any]) -> None:
    """Set limits, labels, ticks and legend."""
    from matplotlib.lines import Line2D
    from matplotlib.ticker import EngFormatter, FuncFormatter, LogLocator, NullFormatter

    low, high = ax.get_xlim()
    ax.set_xlim(low / 1.15, high * 1.15)
    worst = max(_shown(run) for run in record["runs"])
    ax.set_ylim(FLOOR / 8.0, max(12.0 * worst, 1e-6))
    subs = (1.0,) if high / low > 300.0 else (1.0, 2.0, 5.0)
    ax.xaxis.set_major_locator(LogLocator(subs=subs, numticks=20))
    ax.xaxis.set_major_formatter(EngFormatter(unit="s"))
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.yaxis.set_major_locator(LogLocator(numticks=12))
    ax.yaxis.set_major_formatter(FuncFormatter(_power))
    ax.grid(which="major", color="0.9", linewidth=0.8)
    ax.set_axisbelow(True)
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    ax.tick_params(labelsize=11)
    ax.set_xlabel("time of the whole path, best of the repeats; left is better", fontsize=12)
    ax.set_ylabel("worst suboptimality over the path\n(P - P*) / P(0); down is better", fontsize=12)
    ax.set_title(description(record), fontsize=12.5, loc="left", pad=12)
    ring = Line2D([], [], linestyle="none", marker="o", markersize=11, markerfacecolor="none", color="0.35")
    handles, labels = ax.get_legend_handles_labels()
    ax.legend(
        [*handles, ring],
        [*labels, "default tolerance"],
        loc="upper left",
        bbox_to_anchor=(1.01, 1.0),
        borderaxespad=0.0,
        frameon=False,
        fontsize=11,
        labelspacing=0.75,
    )
