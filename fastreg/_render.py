"""Text tables, HTML cards and inline pictures, from plain numbers; no plotting library needed."""

from __future__ import annotations

import html
from collections.abc import Sequence

import numpy as np

from ._typing import Float64

# Size of the inline picture in CSS pixels, and the room its axis labels take.
WIDTH, HEIGHT, MARGIN = 420, 190, 30
# Points of one line: more cannot be told apart at this size.
MOST_POINTS = 100
# Readable on light and on dark pages.
COLORS = ("#4477aa", "#ee6677", "#228833", "#b8960c", "#0fa3c4", "#aa3377", "#e07b39", "#6b7fd7")


def text_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Set rows under a header, right-aligned, two blanks between columns.

    Parameters
    ----------
    header : sequence of str
        Column titles.
    rows : sequence of sequence of str
        Cells.

    Returns
    -------
    str
        Lines without a trailing newline.
    """
    widths = [max(len(cell) for cell in column) for column in zip(header, *rows, strict=True)]
    lines = [
        "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True))
        for row in (header, *rows)
    ]
    return "\n".join([lines[0], "  ".join("-" * width for width in widths), *lines[1:]])


def percent(share: float) -> str:
    """Return a share as per cent with two decimals."""
    # Adding zero turns the -0.0 of rounding into 0.0.
    return f"{round(100.0 * share, 2) + 0.0:.2f} %"


def pick_rows(size: int, rows: int | None) -> list[int]:
    """Choose evenly spaced positions, the first and the last among them.

    Parameters
    ----------
    size : int
        How many there are.
    rows : int or None
        How many to choose at most; None chooses all.

    Returns
    -------
    list of int
        Increasing positions.
    """
    if rows is None or rows >= size:
        return list(range(size))
    return [int(k) for k in np.unique(np.round(np.linspace(0, size - 1, rows)))]


def path_svg(alphas: Float64, lines: Float64, labels: Sequence[str]) -> str:
    """Draw coefficients over log(alpha), the largest alpha on the left.

    Parameters
    ----------
    alphas : float64 ndarray of shape (K,)
        The grid, largest first.
    lines : float64 ndarray of shape (m, K)
        One row per feature.
    labels : sequence of str
        Name of each line, shown on hovering; escaped here.

    Returns
    -------
    str
        An ``svg`` element; an empty string where there is nothing to draw.
    """
    if alphas.size < 2 or alphas[0] == alphas[-1] or not len(lines):
        return ""
    shown = pick_rows(alphas.size, MOST_POINTS)
    ends, lines = (alphas[0], alphas[-1]), lines[:, shown]
    x = _stretch(-np.log(alphas[shown]), MARGIN, WIDTH - MARGIN)
    # The last column holds zero, so that the axis is always inside; screen y grows downwards.
    y = _stretch(np.column_stack([lines, np.zeros(len(lines))]), HEIGHT - MARGIN, 8)
    zero = y[0, -1]
    # A line starts where it leaves zero; what rests there would only hide the axis.
    starts = np.maximum((lines != 0.0).argmax(axis=1) - 1, 0)
    drawn = [
        f'<polyline fill="none" stroke="{COLORS[i % len(COLORS)]}" stroke-width="1.4" points="'
        + " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x[start:], y[i, start:-1], strict=True))
        + f'"><title>{html.escape(name)}</title></polyline>'
        for i, (name, start) in enumerate(zip(labels, starts, strict=True))
    ]
    style = 'fill="currentColor" font-size="10" font-family="sans-serif"'
    texts = [
        f'<text x="{MARGIN}" y="{HEIGHT - 14}" {style}>{ends[0]:.3g}</text>',
        f'<text x="{WIDTH - MARGIN}" y="{HEIGHT - 14}" text-anchor="end" {style}>{ends[1]:.3g}</text>',
        f'<text x="{WIDTH // 2}" y="{HEIGHT - 2}" text-anchor="middle" {style}>alpha (log scale)</text>',
        f'<text x="{MARGIN - 4}" y="{zero + 3:.1f}" text-anchor="end" {style}>0</text>',
    ]
    axis = f'<path d="M{MARGIN} {zero:.1f}H{WIDTH - MARGIN}" stroke="currentColor" stroke-opacity="0.4"/>'
    size = f'width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}"'
    picture = "".join([axis, *drawn, *texts])
    label = 'role="img" aria-label="coefficient path"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {label} {size}>{picture}</svg>'


def html_card(title: str, facts: Sequence[tuple[str, str]], picture: str) -> str:
    """Return a small HTML card with a title, named facts and a picture.

    Parameters
    ----------
    title : str
        First line; escaped here.
    facts : sequence of (str, str)
        Names and values; escaped here.
    picture : str
        An ``svg`` element, used as it is.

    Returns
    -------
    str
        A ``div`` element with inline style only.
    """
    cell = 'style="text-align:left;padding:1px 10px 1px 0"'
    rows = "".join(
        f"<tr><th {cell}>{html.escape(name)}</th><td {cell}>{html.escape(value)}</td></tr>"
        for name, value in facts
    )
    return (
        '<div class="fastreg-path" style="font-family:sans-serif;font-size:13px;line-height:1.4">'
        f"<strong>{html.escape(title)}</strong>"
        '<div style="display:flex;flex-wrap:wrap;gap:16px;align-items:center">'
        f"<table>{rows}</table>{picture}</div></div>"
    )


def _stretch(values: Float64, start: float, stop: float) -> Float64:
    """Map the range of the values linearly onto [start, stop]; all of one value fall in the middle."""
    low, high = float(values.min()), float(values.max())
    if not high > low:
        return np.full_like(values, 0.5 * (start + stop))
    # Divided before subtracted: coefficients near the largest float must not overflow.
    unit = max(abs(low), abs(high))
    return start + (stop - start) * ((values / unit - low / unit) / (high / unit - low / unit))
