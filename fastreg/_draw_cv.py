"""The picture of a cross-validation with matplotlib, which is imported when it is drawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ._draw import along_alpha, count_features_on_top, new_axes
from ._typing import Float64, Index

__all__ = ["Bars", "draw_cv"]

QUIET = "0.6"
# Share of the axis that is left free on both sides.
ROOM = 0.02
STYLES = ("--", ":", "-.")


@dataclass(frozen=True, eq=False)
class Bars:
    """Mean scores with their standard errors, and the number of features, one entry per alpha."""

    alphas: Float64
    mean: Float64
    se: Float64
    counts: Index


def draw_cv(ax: Any, bars: Bars, name: str, lines: Mapping[str, float]) -> Any:
    """Draw mean scores with error bars over alpha.

    Parameters
    ----------
    ax : matplotlib Axes or None
        Where to draw; None makes a new figure.
    bars : Bars
        What to draw; means that are not finite are left out.
    name : str
        Name of the score.
    lines : mapping of str to float
        Names of rules and the alphas they choose.

    Returns
    -------
    matplotlib Axes
        The axes drawn on.
    """
    ax = new_axes(ax)
    along = along_alpha(bars.alphas)
    shown = np.isfinite(bars.mean)
    if shown.any():
        errors = np.where(np.isfinite(bars.se), bars.se, 0.0)[shown]
        ax.errorbar(
            bars.alphas[shown], bars.mean[shown], yerr=errors, fmt="o", color="C3", markersize=3.5,
            ecolor=QUIET, elinewidth=0.9, capsize=1.8,
        )  # fmt: skip
    along.set_axis(ax)
    if bars.alphas.size > 1:
        # Room for the marks and lines at both ends.
        room = (bars.alphas[0] / bars.alphas[-1]) ** ROOM
        ax.set_xlim(bars.alphas[0] * room, bars.alphas[-1] / room)
    for i, (rule, alpha) in enumerate(lines.items()):
        near = int(np.argmin(np.abs(np.log(bars.alphas / alpha))))
        label = f"{rule}: alpha {alpha:.3g}, {int(bars.counts[near])} features"
        ax.axvline(alpha, color="0.25", linewidth=1.1, linestyle=STYLES[i % len(STYLES)], label=label)
    ax.set_ylabel(name)
    count_features_on_top(ax, along, bars.counts)
    if lines:
        # Its text is not crossed by the lines that it explains.
        ax.legend(loc="best", framealpha=0.9, edgecolor="none")
    return ax
