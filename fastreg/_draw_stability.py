"""Pictures of stability selection: how often features are chosen along alpha."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ._draw import MOST_LINES, QUIET, Along, count_features_on_top, name_at_the_edge
from ._typing import Float64, Index


def draw_stability(
    ax: Any, along: Along, lines: Float64, names: Sequence[str], stable: Index, threshold: float
) -> None:
    """Draw a line per feature, the stable ones in colour with their names, and the threshold.

    Parameters
    ----------
    ax : matplotlib Axes
        Where to draw.
    along : Along
        The axis; one place per alpha.
    lines : float64 ndarray of shape (m, K)
        Selection probabilities, one row per feature, the most probable first.
    names : sequence of str
        Their names.
    stable : int ndarray
        Rows to colour and name.
    threshold : float
        Where a dashed line is drawn.
    """
    from matplotlib.collections import LineCollection

    quiet = np.setdiff1d(np.arange(len(lines))[:MOST_LINES], stable)
    colors = [f"C{i % 10}" for i in range(stable.size)]
    for rows, color, width, order in ((quiet, QUIET, 0.7, 1.5), (stable, colors, 1.6, 2.0)):
        shown = lines[rows]
        segments: Any = np.stack([np.broadcast_to(along.places, shown.shape), shown], axis=-1)
        ax.add_collection(
            LineCollection(segments, colors=color, linewidths=width, zorder=order), autolim=False
        )
    along.set_axis(ax)
    ax.set_ylim(0.0, 1.02)
    ax.set_ylabel("selection probability")
    ax.axhline(threshold, color="0.3", linewidth=0.9, linestyle="--", zorder=1.8)
    place = ax.get_xlim()[0]
    ax.annotate(
        f"threshold {threshold:g}",
        (place, threshold),
        xytext=(5, 4),
        textcoords="offset points",
        color="0.3",
        fontsize=8.5,
        bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.85, "pad": 1.0},
        zorder=2.5,
    )
    # How many features a half has chosen on average.
    count_features_on_top(ax, along, np.rint(lines.sum(axis=0)).astype(np.int64))
    name_at_the_edge(ax, lines[stable, -1], [names[i] for i in stable], colors)
