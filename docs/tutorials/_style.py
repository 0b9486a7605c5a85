"""What the pictures of the tutorials share: few colours, no frames, names at lines."""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patheffects import withStroke

BLUE, ORANGE, GREEN, RED = "#1f5fa8", "#d9762b", "#3a8a4d", "#b3303a"
GREY, DARK = "#a9a9a9", "#333333"
# The figure sizes are inches at this many dots each: about the width of a page of text.
DPI = 110


def apply() -> None:
    """Set the look of every picture that follows."""
    plt.rcParams.update(
        {
            "figure.dpi": DPI,
            "savefig.dpi": DPI,
            "figure.constrained_layout.use": True,
            "font.size": 9.5,
            "axes.titlesize": 10,
            "axes.titlelocation": "left",
            "axes.labelsize": 9.5,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.edgecolor": DARK,
            "axes.linewidth": 0.8,
            "xtick.labelsize": 8.5,
            "ytick.labelsize": 8.5,
            "legend.frameon": False,
            "lines.linewidth": 1.6,
        }
    )


def label(
    ax: Any, x: float, y: float, text: str, color: str = DARK, **options: Any
) -> None:
    """Write a name to the right of a point of the data, readable over lines."""
    options = {
        "xytext": (5, 0),
        "textcoords": "offset points",
        "va": "center",
        "fontsize": 9,
    } | options
    halo = [withStroke(linewidth=3, foreground="white")]
    ax.annotate(
        text, (x, y), color=color, annotation_clip=False, path_effects=halo, **options
    )


def along_alpha(ax: Any, alphas: Any, ticks: tuple[float, ...] | None = None) -> None:
    """Make the horizontal axis one of alphas: logarithmic, the largest on the left."""
    ax.set_xscale("log")
    ax.set_xlim(np.max(alphas), np.min(alphas))
    ax.set_xlabel("alpha")
    if ticks is not None:
        ax.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        ax.set_xticks([], minor=True)
