"""Charts as HTML: lines in an SVG that stretches with the page, ticks and names as text that does not.

Places are shares of the plot's width and height, so that one description serves every screen and the script.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from .._draw import spread
from .._typing import Float64, Index
from .text import escaped, number

# Units of the stretched picture: tenths of a per mille are finer than a pixel.
UNITS = 1000.0
# Steps between ticks, and how many ticks there are about.
STEPS = (1.0, 2.0, 5.0, 10.0)
TICKS = 7
# Lines named at the edge, and the least distance of two names: a line of text as a share of the height.
NAMED, NAME_HEIGHT = 8, 0.052

# Names at the edge longer than this are cut before these last characters.
LONGEST_WHOLE, KEPT_END = 12, 6
Ticks = tuple[tuple[float, str], ...]


@dataclass(frozen=True)
class Axis:
    """Hold the range of an axis.

    Parameters
    ----------
    label : str
        What the axis shows.
    start, stop : float
        Values at its start (left, bottom) and at its end (right, top).
    is_log : bool
        Whether it is logarithmic.
    """

    label: str
    start: float
    stop: float
    is_log: bool = False

    def place(self, values: Float64) -> Float64:
        """Return where values stand, 0 at the start and 1 at the end; in the middle where all are one."""
        start, stop = np.float64(self.start), np.float64(self.stop)
        if start == stop:
            return np.full(np.shape(values), 0.5)
        if self.is_log:
            return np.asarray((np.log(values) - np.log(start)) / (np.log(stop) - np.log(start)))
        # Divided before subtracted: coefficients near the largest float must not overflow.
        unit = max(abs(start), abs(stop))
        return np.asarray((values / unit - start / unit) / (stop / unit - start / unit))

    @property
    def ticks(self) -> Ticks:
        """Return places and labels of round values."""
        low, high = sorted((self.start, self.stop))
        if low == high:
            return ((0.5, number(low)),)
        values = _log_ticks(low, high) if self.is_log else _linear_ticks(low, high)
        if len(values) < 2:
            values = [low, high]
        places = self.place(np.asarray(values))
        return tuple((float(at), number(value, 4)) for at, value in zip(places, values, strict=True))


def _linear_ticks(low: float, high: float) -> list[float]:
    """Return round values inside a range."""
    wide = high - low
    if not np.isfinite(wide) or wide == 0.0:
        return [low, high]
    power = 10.0 ** np.floor(np.log10(wide / TICKS))
    if power == 0.0:
        return [low, high]
    step = next((power * s for s in STEPS if wide / (power * s) <= TICKS), 10.0 * power)
    first, last = int(np.ceil(low / step - 1e-9)), int(np.floor(high / step + 1e-9))
    # Written with the step's own digits: 0.30000000000000004 is 0.3.
    return [float(f"{k * step:.12g}") for k in range(first, last + 1)]


def _log_ticks(low: float, high: float) -> list[float]:
    """Return powers of ten inside a range, with 2 and 5 of each where these are few."""
    first, last = int(np.floor(np.log10(low))), int(np.ceil(np.log10(high)))
    within = (low * (1.0 - 1e-9), high * (1.0 + 1e-9))
    apart = max(1, -(-(last - first) // TICKS))
    tens = [float(f"1e{k}") for k in range(first, last + 1) if k % apart == 0]
    inside = [value for value in tens if within[0] <= value <= within[1]]
    if len(inside) >= 4:
        return inside
    finer = [float(f"{s:g}e{k}") for k in range(first, last + 1) for s in (1, 2, 5)]
    return [value for value in finer if within[0] <= value <= within[1]]


def padded(label: str, values: Float64, *, with_zero: bool = True) -> Axis:
    """Return a linear axis with a little room beyond the values."""
    found = values[np.isfinite(values)]
    ends = [0.0] if with_zero or not found.size else []
    low, high = float(min([*ends, *found])), float(max([*ends, *found]))
    if low == high:
        low, high = (low - 1.0, high + 1.0) if low == 0.0 else (low - 0.1 * abs(low), high + 0.1 * abs(high))
    room = 0.04 * (high / 2.0 - low / 2.0) * 2.0
    largest = float(np.finfo(np.float64).max)
    return Axis(label, max(low - room, -largest), min(high + room, largest))


def polyline(x: Float64, y: Float64) -> str:
    """Return the data of an SVG path through places; where y is not finite the line is broken."""
    pieces: list[str] = []
    begun = False
    for a, b in zip((UNITS * x).tolist(), (UNITS * (1.0 - y)).tolist(), strict=True):
        if not np.isfinite(b):
            begun = False
            continue
        pieces.append(f"{'' if begun else 'M'}{a:.4g} {b:.4g}")
        begun = True
    return " ".join(pieces)


def line(x: Float64, y: Float64, kind: str, title: str = "") -> str:
    """Return a line; the title is what hovering shows."""
    inside = f"<title>{escaped(title)}</title>" if title else ""
    return f'<path class="{kind}" d="{polyline(x, y)}">{inside}</path>'


def dot(x: float, y: float, kind: str, title: str = "") -> str:
    """Return a dot: a line of no length, whose round ends do not stretch with the picture."""
    inside = f"<title>{escaped(title)}</title>" if title else ""
    return f'<path class="dot {kind}" d="M{UNITS * x:.4g} {UNITS * (1.0 - y):.4g}h0">{inside}</path>'


def area(x: Float64, low: Float64, high: Float64, kind: str) -> str:
    """Return what lies between two lines."""
    there, back = polyline(x, high), polyline(x[::-1], low[::-1])
    return f'<path class="{kind}" d="{there} {back.replace("M", "L", 1)}Z"></path>'


def level(y: float, kind: str) -> str:
    """Return a line across the plot."""
    return f'<path class="{kind}" d="M0 {UNITS * (1.0 - y):.4g}H{UNITS:g}"></path>'


def upright(x: float, kind: str, title: str = "") -> str:
    """Return a line from the bottom to the top of the plot."""
    inside = f"<title>{escaped(title)}</title>" if title else ""
    return f'<path class="{kind}" d="M{UNITS * x:.4g} 0V{UNITS:g}">{inside}</path>'


def tick_labels(ticks: Iterable[tuple[float, str]], side: str) -> str:
    """Return labels along a side of the plot; on small screens every other one is left out."""
    edge = "bottom" if side == "y" else "left"
    return "".join(
        f'<span class="tick {side}{" odd" if i % 2 else ""}" style="{edge}:{100.0 * at:.2f}%">'
        f"{escaped(text)}</span>"
        for i, (at, text) in enumerate(ticks)
    )


@dataclass(frozen=True)
class Name:
    """Hold a name at the right edge: of which line, where that ends, where the name stands."""

    line: int
    end: float
    place: float
    text: str


def spread_names(lines: Index, ends: Float64, texts: Sequence[str]) -> list[Name]:
    """Return names beside the ends of their lines, none over another."""
    order = np.argsort(ends, kind="stable")
    placed = spread(ends[order], NAME_HEIGHT, 0.02, 0.98)
    return [
        Name(int(lines[i]), float(ends[i]), float(at), texts[i]) for i, at in zip(order, placed, strict=True)
    ]


def _edge_text(text: str) -> str:
    """Return a name whose end stays where there is no room for its middle: names may begin alike."""
    kept = len(text) - KEPT_END if len(text) > LONGEST_WHOLE else len(text)
    return f'<bdi>{escaped(text[:kept])}</bdi><bdi class="end">{escaped(text[kept:])}</bdi>'


def edge(names: Sequence[Name]) -> str:
    """Return names beside the plot, and the leaders to them."""
    leaders = "".join(
        f'<path data-line="{name.line}" '
        f'd="M0 {UNITS * (1 - name.end):.4g}L10 {UNITS * (1 - name.place):.4g}"></path>'
        for name in names
    )
    texts = "".join(
        f'<span class="edge" data-line="{name.line}" style="bottom:{100 * name.place:.2f}%" '
        f'title="{escaped(name.text)}">{_edge_text(name.text)}</span>'
        for name in names
    )
    return (
        f'<svg class="leaders" viewBox="0 0 10 {UNITS:g}" preserveAspectRatio="none" aria-hidden="true">'
        f'{leaders}</svg><div class="edges" aria-hidden="true">{texts}</div>'
    )


def figure(
    x: Axis, y: Axis, body: Sequence[str], *, label: str, top: Ticks = (), more: str = "", size: str = ""
) -> str:
    """Return a chart.

    Parameters
    ----------
    x, y : Axis
        Its axes.
    body : sequence of str
        Elements of the picture.
    label : str
        What the picture shows, for those who do not see it.
    top : sequence of (float, str)
        Ticks above the plot: features in the model.
    more : str
        HTML placed over the plot: names at its edge.
    size : str
        Further classes.

    Returns
    -------
    str
        A div element.
    """
    rules = "".join(level(at, "rule") for at, _ in y.ticks)
    view = f"0 0 {UNITS:g} {UNITS:g}"
    top_label = '<span class="axis-label top">features in the model</span>' if top else ""
    return (
        f'<div class="chart {size}"><span class="axis-label y">{escaped(y.label)}</span>'
        f'{top_label}<div class="plot">'
        f'<svg class="picture" viewBox="{view}" preserveAspectRatio="none" role="img" '
        f'aria-label="{escaped(label)}">{rules}{"".join(body)}</svg>'
        f'<div class="ticks-y" aria-hidden="true">{tick_labels(y.ticks, "y")}</div>'
        f'<div class="ticks-x" aria-hidden="true">{tick_labels(x.ticks, "x")}</div>'
        f'<div class="ticks-top" aria-hidden="true">{tick_labels(top, "top")}</div>'
        f'{more}</div><span class="axis-label x">{escaped(x.label)}</span></div>'
    )
