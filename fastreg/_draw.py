"""Pictures of a path with matplotlib, which is imported when the first one is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ._typing import Float64, Index

# Lines beyond this number cannot be told apart and cost seconds: the largest are drawn.
MOST_LINES = 5000
# Characters of a name at the edge of the picture.
LONGEST_NAME = 28
# A gap of exactly zero has no place on a log scale; it is drawn here.
GAP_FLOOR = 1e-17
QUIET = "0.72"


def new_axes(ax: Any) -> Any:
    """Return the axes, those of a new figure when None came.

    Parameters
    ----------
    ax : matplotlib Axes or None
        Where to draw.

    Returns
    -------
    matplotlib Axes
        Where to draw.

    Raises
    ------
    ImportError
        If matplotlib is absent.
    """
    if ax is not None:
        # Axes may come without pyplot, its windows and its global state: leave them so.
        return ax
    try:
        import matplotlib.pyplot as plt
    except ImportError as problem:
        raise ImportError(
            "plot() and plot_gap() need matplotlib: pip install 'fastreg-paths[plot]'"
        ) from problem
    return plt.subplots(figsize=(7.5, 4.8), layout="constrained")[1]


def draw_path(
    ax: Any, alphas: Float64, lines: Float64, names: Sequence[str], counts: Index, entered: int, labels: int
) -> None:
    """Draw every line in grey, the largest at the right edge in colour with their names.

    Parameters
    ----------
    ax : matplotlib Axes
        Where to draw.
    alphas : float64 ndarray of shape (K,)
        The grid, largest first.
    lines : float64 ndarray of shape (m, K)
        One row per feature, largest max |coef| first; at most MOST_LINES.
    names : sequence of str
        Their names.
    counts : int ndarray of shape (K,)
        Features at every alpha, for the top axis.
    entered : int
        How many features enter; a note says so where fewer lines came.
    labels : int
        How many lines to name.
    """
    from matplotlib.collections import LineCollection

    ends = lines[:, -1] if alphas.size else np.zeros(len(lines))
    named = np.argsort(-np.abs(ends), kind="stable")[:labels]
    named = named[ends[named] != 0.0]
    colors = [f"C{i % 10}" for i in range(named.size)]
    quiet = np.setdiff1d(np.arange(len(lines)), named)
    for rows, color, width, order in ((quiet, QUIET, 0.8, 1.5), (named, colors, 1.6, 2.0)):
        shown = _without_rest(lines[rows])
        segments: Any = np.stack([np.broadcast_to(alphas, shown.shape), shown], axis=-1)
        ax.add_collection(
            LineCollection(segments, colors=color, linewidths=width, zorder=order), autolim=False
        )
    ax.axhline(0.0, color="0.3", linewidth=0.8, zorder=1.0)
    _set_alpha_axis(ax, alphas)
    low, high = (min(lines.min(), 0.0), max(lines.max(), 0.0)) if lines.size else (-1.0, 1.0)
    room = 0.06 * (high - low) or 1.0
    ax.set_ylim(low - room, high + room)
    ax.set_ylabel("coefficient")
    if entered > len(lines):
        note = f"the {len(lines)} largest of {entered} lines"
        ax.text(0.01, 0.01, note, transform=ax.transAxes, color="0.4")
    _count_features_on_top(ax, alphas, counts)
    _name_at_the_edge(ax, ends[named], [names[i] for i in named], colors)


def draw_gaps(ax: Any, alphas: Float64, gaps: Float64, tol: float) -> None:
    """Draw relative gaps over alpha, both on log scales, with the tolerance.

    Parameters
    ----------
    ax : matplotlib Axes
        Where to draw.
    alphas : float64 ndarray of shape (K,)
        The grid, largest first.
    gaps : float64 ndarray of shape (K,)
        Relative gaps.
    tol : float
        The tolerance that was asked for.
    """
    ax.set_yscale("log" if gaps.size else "linear")
    shown = np.maximum(gaps, GAP_FLOOR)
    missed = gaps > tol
    ax.plot(alphas, shown, color="C0", linewidth=1.0, marker=".", markersize=5, label="relative gap")
    if missed.any():
        ax.plot(alphas[missed], shown[missed], "o", color="C3", markersize=6, label="missed the tolerance")
    if tol > 0.0:
        ax.axhline(tol, color="0.3", linewidth=1.0, linestyle="--", label=f"tolerance {tol:.0e}")
    _set_alpha_axis(ax, alphas)
    floor = f"; at most {GAP_FLOOR:.0e} drawn there" if (gaps <= GAP_FLOOR).any() else ""
    ax.set_ylabel(f"duality gap / null objective{floor}")
    ax.legend(loc="best", frameon=False)


def spread(wanted: Float64, height: float, low: float, high: float) -> Float64:
    """Move positions as little as possible so that neighbours keep their distance.

    Minimises the sum of squared moves subject to y_(i+1) - y_i >= height and all of them in [low, high]:
    bounded isotonic regression of y_i - i * height by pooling adjacent violators.

    Parameters
    ----------
    wanted : float64 ndarray of shape (m,)
        Increasing positions.
    height : float
        Distance to keep, in the same unit.
    low, high : float
        Range; where it is too small for all, the lower end is kept.

    Returns
    -------
    float64 ndarray of shape (m,)
        Increasing positions.
    """
    steps = height * np.arange(wanted.size)
    pools: list[tuple[float, int]] = []
    for value in wanted - steps:
        mean, size = float(value), 1
        while pools and pools[-1][0] > mean:
            before, count = pools.pop()
            mean, size = (before * count + mean * size) / (count + size), count + size
        pools.append((mean, size))
    means = np.repeat([mean for mean, _ in pools], [size for _, size in pools]) if pools else np.empty(0)
    top = max(high - height * (wanted.size - 1), low)
    placed: Float64 = np.clip(means, low, top) + steps
    return placed


def _without_rest(lines: Float64) -> Float64:
    """Blank the stretches where a line rests at zero, but for the point it leaves from."""
    rest = lines == 0.0
    inner = rest.copy()
    inner[:, :-1] &= rest[:, 1:]
    inner[:, 1:] &= rest[:, :-1]
    return np.where(inner, np.nan, lines)


def _set_alpha_axis(ax: Any, alphas: Float64) -> None:
    if alphas.size:
        ax.set_xscale("log")
        # One alpha alone needs a range to stand in.
        wide = 1.5 if alphas[0] == alphas[-1] else 1.0
        ax.set_xlim(alphas[0] * wide, alphas[-1] / wide)
    ax.set_xlabel("alpha")


def _count_features_on_top(ax: Any, alphas: Float64, counts: Index) -> None:
    if alphas.size == 0:
        return
    top = ax.secondary_xaxis("top")
    ticks = np.geomspace(alphas[0], alphas[-1], 8)
    nearest = np.unique(np.abs(np.log(alphas)[:, None] - np.log(ticks)).argmin(axis=0))
    top.set_xticks(alphas[nearest], [str(int(c)) for c in counts[nearest]])
    top.set_xticks([], minor=True)
    top.set_xlabel("features")


def _name_at_the_edge(ax: Any, values: Float64, names: Sequence[str], colors: Sequence[str]) -> None:
    """Write names outside the right edge, beside the ends of their lines, none over another."""
    if not len(names):
        return
    # The layout must stand before heights in pixels mean anything; names only narrow the picture afterwards.
    ax.figure.draw_without_rendering()
    box = ax.get_window_extent()
    size = 8.5
    height = 1.35 * size / 72.0 * ax.figure.dpi / box.height
    ends = ax.transAxes.inverted().transform(ax.transData.transform([(ax.get_xlim()[1], v) for v in values]))[
        :, 1
    ]
    order = np.argsort(ends, kind="stable")
    for i, y in zip(order, spread(ends[order], height, 0.0, 1.0), strict=True):
        name = names[i] if len(names[i]) <= LONGEST_NAME else names[i][: LONGEST_NAME - 3] + "..."
        ax.annotate(
            # A dollar sign would start a formula.
            name.replace("$", r"\$"),
            xy=(1.0, ends[i]),
            xytext=(1.035, y),
            xycoords="axes fraction",
            textcoords="axes fraction",
            va="center",
            fontsize=size,
            color=colors[i],
            annotation_clip=False,
            # relpos: the leader ends at the left of the name and never runs through another.
            arrowprops={
                "arrowstyle": "-",
                "color": colors[i],
                "linewidth": 0.6,
                "shrinkA": 0,
                "shrinkB": 0,
                "relpos": (0.0, 0.5),
            },
        )
