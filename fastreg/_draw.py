"""Pictures of a path with matplotlib, which is imported when the first one is drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ._typing import Float64, Index

# Lines beyond this number cannot be told apart and cost seconds: the largest are drawn.
MOST_LINES = 5000
# Characters of a name at the edge of the picture, and how many of its end stay where it is cut: names of one
# origin often begin alike.
LONGEST_NAME = 28
KEPT_END = 12
# An axis of fewer decades than the first has numbers at 1, 2 and 5 too, one of fewer than the second evenly
# spread ones; matplotlib's own would lie over each other.
FEW_DECADES, FEWER_DECADES = 2.0, 0.7
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


@dataclass(frozen=True)
class Along:
    """What a path is drawn along, from the null model on the left to the least penalty on the right.

    Parameters
    ----------
    places : float64 ndarray of shape (K,)
        Where every alpha stands.
    label : str
        Name of the axis.
    is_log : bool
        Whether the axis is logarithmic and falls to the right, as one of alphas does.
    """

    places: Float64
    label: str
    is_log: bool

    def ticks(self, count: int) -> Float64:
        """Return so many places, spread evenly over the axis."""
        space = np.geomspace if self.is_log else np.linspace
        return np.asarray(space(self.places[0], self.places[-1], count), dtype=np.float64)

    def nearest(self, ticks: Float64) -> Index:
        """Return the numbers of the alphas that stand nearest to the ticks."""
        scaled = np.log if self.is_log else np.asarray
        return np.unique(np.abs(scaled(self.places)[:, None] - scaled(ticks)).argmin(axis=0))

    def set_axis(self, ax: Any) -> None:
        """Give the axes the range, scale and name of this one."""
        ax.set_xlabel(self.label)
        if not self.places.size:
            return
        first, last = self.places[0], self.places[-1]
        if self.is_log:
            ax.set_xscale("log")
            # One alpha alone needs a range to stand in.
            wide = 1.5 if first == last else 1.0
            ax.set_xlim(first * wide, last / wide)
            _number_few_decades(ax.xaxis, float(np.log10(first / last * wide**2)))
        else:
            low, high = float(self.places.min()), float(self.places.max())
            ax.set_xlim(low, high if high > low else low + 1.0)


def _number_few_decades(axis: Any, decades: float) -> None:
    """Write plain numbers along few decades, and none between them; leave an axis of many as it is."""
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter, NullLocator

    if decades >= FEW_DECADES:
        return
    if decades < FEWER_DECADES:
        axis.set_major_locator(MaxNLocator(5))
        axis.set_minor_locator(NullLocator())
    else:
        axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())


def along_alpha(alphas: Float64) -> Along:
    """Return the usual axis: alphas on a log scale, the largest on the left."""
    return Along(alphas, "alpha", is_log=True)


def draw_path(
    ax: Any, along: Along, lines: Float64, names: Sequence[str], counts: Index, entered: int, labels: int
) -> None:
    """Draw every line in grey, the largest at the right edge in colour with their names.

    Parameters
    ----------
    ax : matplotlib Axes
        Where to draw.
    along : Along
        The axis; one place per alpha.
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

    places = along.places
    ends = lines[:, -1] if places.size else np.zeros(len(lines))
    named = np.argsort(-np.abs(ends), kind="stable")[:labels]
    named = named[ends[named] != 0.0]
    colors = [f"C{i % 10}" for i in range(named.size)]
    quiet = np.setdiff1d(np.arange(len(lines)), named)
    for rows, color, width, order in ((quiet, QUIET, 0.8, 1.5), (named, colors, 1.6, 2.0)):
        shown = _without_rest(lines[rows])
        segments: Any = np.stack([np.broadcast_to(places, shown.shape), shown], axis=-1)
        ax.add_collection(
            LineCollection(segments, colors=color, linewidths=width, zorder=order), autolim=False
        )
        if places.size == 1 and len(rows):
            # A line of one point cannot be seen.
            ax.scatter(np.full(len(rows), places[0]), lines[rows, 0], 14.0, color, zorder=order)
    ax.axhline(0.0, color="0.3", linewidth=0.8, zorder=1.0)
    along.set_axis(ax)
    low, high = (min(lines.min(), 0.0), max(lines.max(), 0.0)) if lines.size else (-1.0, 1.0)
    room = 0.06 * (high - low) or 1.0
    ax.set_ylim(low - room, high + room)
    ax.set_ylabel("coefficient")
    if entered > len(lines):
        note = f"the {len(lines)} largest of {entered} lines"
        ax.text(0.01, 0.01, note, transform=ax.transAxes, color="0.4")
    count_features_on_top(ax, along, counts)
    name_at_the_edge(ax, ends[named], [names[i] for i in named], colors)


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
    along_alpha(alphas).set_axis(ax)
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


def count_features_on_top(ax: Any, along: Along, counts: Index) -> None:
    """Write the number of features above some of the alphas.

    Parameters
    ----------
    ax : matplotlib Axes
        Where to draw.
    along : Along
        The axis; one place per alpha.
    counts : int ndarray of shape (K,)
        Features at every alpha.
    """
    if along.places.size == 0:
        return
    top = ax.secondary_xaxis("top")
    nearest = along.nearest(along.ticks(8))
    top.set_xticks(along.places[nearest], [str(int(c)) for c in counts[nearest]])
    top.set_xticks([], minor=True)
    top.set_xlabel("features")


def draw_criteria(ax: Any, along: Along, curves: Mapping[str, Float64], counts: Index) -> None:
    """Draw criteria above their minima, which are marked; the lower the better.

    Parameters
    ----------
    ax : matplotlib Axes
        Where to draw.
    along : Along
        The axis; one place per alpha.
    curves : mapping of str to float64 ndarray of shape (K,)
        Values of each criterion under its name.
    counts : int ndarray of shape (K,)
        Features at every alpha, for the top axis.
    """
    for i, (name, values) in enumerate(curves.items()):
        finite = np.isfinite(values)
        if not finite.any():
            continue
        best = int(np.nanargmin(np.where(finite, values, np.nan)))
        above = np.where(finite, values - values[best], np.nan)
        label = f"{name}: {int(counts[best])} features"
        ax.plot(along.places, above, color=f"C{i % 10}", linewidth=1.4, label=label)
        ax.plot(along.places[best], 0.0, "o", color=f"C{i % 10}", markersize=6)
    along.set_axis(ax)
    ax.set_ylabel("criterion above its minimum")
    count_features_on_top(ax, along, counts)
    if curves:
        ax.legend(loc="best", frameon=False)


def cut_name(name: str) -> str:
    """Return a name that fits beside a picture; where it is too long its middle is left out."""
    if len(name) <= LONGEST_NAME:
        return name
    return f"{name[: LONGEST_NAME - KEPT_END - 3]}...{name[-KEPT_END:]}"


def name_at_the_edge(ax: Any, values: Float64, names: Sequence[str], colors: Sequence[str]) -> None:
    """Write names outside the right edge, beside the ends of their lines, none over another.

    Parameters
    ----------
    ax : matplotlib Axes
        Where to draw.
    values : float64 ndarray of shape (m,)
        Where the lines end.
    names, colors : sequence of str
        Their names, and the colours of lines and names.
    """
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
        ax.annotate(
            # A dollar sign would start a formula.
            cut_name(names[i]).replace("$", r"\$"),
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
