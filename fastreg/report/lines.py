"""The lines of a path on their way into a page: as JSON for the script, as a still picture without it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._render import pick_rows
from .._typing import Float64
from . import chart
from .chart import Axis, Ticks
from .text import number, rounded, short
from .view import PathView

# Room for lines in the page, in bytes, and what the name and place of one takes beside its numbers.
ROOM, OVERHEAD = 1_000_000, 60
# Lines and points of the still picture, features counted above it.
STILL_LINES, STILL_POINTS, COUNTED = 200, 100, 8


@dataclass(frozen=True, eq=False)
class Lines:
    """Hold the lines that a page has room for.

    Attributes
    ----------
    view : PathView
        Where they come from.
    packed : list
        For each line: position of its feature among the names, output, first alpha with a coefficient, and
        the coefficients from there to the last one that is not zero.
    names : list of str
        Names of the features.
    features : list of int
        Their columns of X.
    """

    view: PathView
    packed: list[list[Any]]
    names: list[str]
    features: list[int]

    @property
    def values(self) -> Float64:
        """Return the coefficients, one row per line."""
        return self.view.lines[: len(self.packed)]

    def label(self, i: int) -> str:
        """Return the name of a line: feature, and output where there are several."""
        outputs = self.view.outputs
        return f"{self.names[self.packed[i][0]]}{f': {outputs[self.packed[i][1]]}' if outputs else ''}"


def pack(view: PathView) -> Lines:
    """Take as many lines as there is room for, the largest first."""
    packed: list[list[Any]] = []
    places: dict[int, int] = {}
    names: list[str] = []
    room = ROOM
    for row, j, c, name in zip(
        view.lines, view.features.tolist(), view.line_outputs.tolist(), view.names, strict=True
    ):
        text = short(name)
        used = np.flatnonzero(row)
        first, last = (int(used[0]), int(used[-1]) + 1) if used.size else (0, 0)
        values = [rounded(value) for value in row[first:last].tolist()]
        room -= len(json.dumps(values, separators=(",", ":"))) + OVERHEAD
        room -= 0 if j in places else 2 * len(json.dumps(text))
        if room < 0:
            break
        if j not in places:
            places[j] = len(names)
            names.append(text)
        packed.append([places[j], c, first, values])
    return Lines(view, packed, names, list(places))


def axes_of(view: PathView) -> dict[str, tuple[Axis, Float64]]:
    """Return what a path can be drawn along, and where every alpha stands."""
    alphas = view.alphas
    ends = (float(alphas[0]), float(alphas[-1])) if alphas.size else (1.0, 1.0)
    shares = np.nan_to_num(view.dev_ratio, nan=0.0, posinf=1.0, neginf=0.0)
    found = {
        "alpha": (Axis("alpha (log scale)", *ends, is_log=True), alphas),
        "norm": (_whole("sum of |coefficient|", view.norms), view.norms),
        "deviance": (_whole("share of deviance explained", shares), shares),
    }
    return {name: (axis, axis.place(values)) for name, (axis, values) in found.items()}


def _whole(label: str, values: Float64) -> Axis:
    """Return an axis that just holds the values."""
    found = values[np.isfinite(values)]
    return Axis(label, float(found.min()), float(found.max())) if found.size else Axis(label, 0.0, 1.0)


def count_ticks(places: Float64, counts: Any) -> Ticks:
    """Return numbers of features for the upper edge, at evenly spread places."""
    if not places.size:
        return ()
    wanted = np.linspace(0.0, 1.0, COUNTED)
    found = np.unique(np.abs(places[:, None] - wanted).argmin(axis=0))
    # Along the norm many alphas may share a place: two numbers there would lie over each other.
    kept: list[int] = []
    for k in found.tolist():
        apart = abs(places[k] - places[kept[-1]]) > 0.6 / COUNTED if kept else True
        # The same number again says nothing, but at the end.
        if apart and (not kept or counts[k] != counts[kept[-1]] or k == found[-1]):
            kept.append(k)
    return tuple((float(places[k]), str(int(counts[k]))) for k in kept)


def at_the_edge(lines: Lines, y: Axis) -> list[chart.Name]:
    """Return the lines named at the right edge: those with the largest final coefficients."""
    if not lines.packed or not lines.view.alphas.size:
        return []
    ends = lines.values[:, -1]
    largest = np.argsort(-np.abs(ends), kind="stable")[: chart.NAMED]
    largest = largest[ends[largest] != 0.0]
    return chart.spread_names(largest, y.place(ends[largest]), [lines.label(int(i)) for i in largest])


def still(lines: Lines, x: Float64, y: Axis, named: set[int]) -> list[str]:
    """Return the elements of the still picture: grey lines, and those that are named above them."""
    points = pick_rows(x.size, STILL_POINTS)
    shown = range(min(len(lines.packed), STILL_LINES))
    quiet = [i for i in shown if i not in named]
    drawn = [chart.level(float(y.place(np.zeros(1))[0]), "zero")]
    for kind, which in (("quiet", quiet), ("strong", sorted(named))):
        for i in which:
            values = without_rest(lines.values[i, points])
            if np.isfinite(values).sum() > 1:
                drawn.append(chart.line(x[points], y.place(values), kind, lines.label(i)))
            elif np.isfinite(values).any():
                k = int(np.flatnonzero(np.isfinite(values))[0])
                at = float(y.place(values[k : k + 1])[0])
                drawn.append(chart.dot(float(x[points][k]), at, kind, lines.label(i)))
    return drawn


def without_rest(values: Float64) -> Float64:
    """Blank where a line rests at zero, but for the points it leaves from and comes back to."""
    rest = values == 0.0
    inner = rest.copy()
    inner[:-1] &= rest[1:]
    inner[1:] &= rest[:-1]
    return np.where(inner, np.nan, values)


def block(lines: Lines, y: Axis, marks: list[dict[str, Any]], start: int) -> dict[str, Any]:
    """Return everything that the script of the page needs, numbers to seven digits."""
    view = lines.view
    entry = [view.entry[j] for j in lines.features]
    few = view.intercepts.size <= 20 * max(view.alphas.size, 1)
    return {
        "alphas": _vector(view.alphas),
        "counts": view.counts.tolist(),
        "dev_ratio": _vector(view.dev_ratio),
        "relative_gaps": _vector(view.relative_gaps),
        "intercepts": [_vector(row) for row in view.intercepts] if few else [],
        "tol": rounded(view.tol),
        "outputs": [short(name) for name in view.outputs],
        "names": lines.names,
        "rank": [rank for rank, _ in entry],
        "entry": [number(alpha) for _, alpha in entry],
        "lines": lines.packed,
        "n_lines": view.n_lines,
        "y": [y.start, y.stop],
        "axes": {
            name: {
                "label": axis.label,
                "places": _vector(places),
                "ticks": [[rounded(at), text] for at, text in axis.ticks],
                "top": [[rounded(at), text] for at, text in count_ticks(places, view.counts)],
            }
            for name, (axis, places) in axes_of(view).items()
        },
        "marks": marks,
        "start": start,
    }


def _vector(values: Float64) -> list[float | int | None]:
    """Return numbers as JSON holds them."""
    return [rounded(value) for value in values.tolist()]
