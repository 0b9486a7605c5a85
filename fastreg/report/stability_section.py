"""The section of a report that shows stability selection: how often halves of the rows chose a feature."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._typing import Index
from . import chart
from .chart import Axis
from .extra import Extra
from .tables import heads, table
from .text import escaped, number, short
from .view import shown_alphas

# Lines in the picture and rows in the table: the most probable features.
MOST_LINES, MOST_ROWS = 150, 50


def stability_extra(found: Any) -> Extra:
    """Return the section; found is a ``StabilityResult``, imports go down only."""
    if not found.pairs:
        return Extra("stability", _section(f"<p>No pair was finished: {escaped(found.status.value)}.</p>"))
    ranked, selected = found.ranked(), set(found.selected.tolist())
    inside = _lead(found, len(selected))
    if ranked.size:
        inside += _picture(found, ranked[:MOST_LINES], selected) + _table(found, ranked, selected)
    return Extra("stability", _section(inside))


def _section(inside: str) -> str:
    return (
        '<section id="stability" aria-labelledby="stability-title"><h2 id="stability-title">Stability</h2>'
        f"{inside}</section>"
    )


def _lead(found: Any, count: int) -> str:
    """Say what was done and what it proves."""
    pairs = f"{found.pairs}" if found.pairs == found.pairs_asked else f"{found.pairs} of {found.pairs_asked}"
    text = (
        f"Paths on both halves of {pairs} random splits of the rows, about {number(found.q, 3)} features "
        f"chosen by each half. {count} feature{' is' if count == 1 else 's are'} chosen by at least "
        f"{100.0 * found.threshold:.1f} % of the halves. No more than {number(found.max_false, 3)} false "
        f"selections are expected ({found.wish.bound} bound)."
    )
    return f'<p class="lead">{escaped(text)}</p>'


def _picture(found: Any, shown: Index, selected: set[int]) -> str:
    """Draw the selection probabilities along alpha, the stable ones named."""
    k = shown_alphas(found.alphas.size)
    alphas, lines = found.alphas[k], found.along[shown].toarray()[:, k]
    x = Axis("alpha (log scale)", float(alphas[0]), float(alphas[-1]), is_log=True)
    y = Axis("selection probability", 0.0, 1.0)
    places = x.place(alphas)
    names = [short(found.label(int(j))) for j in shown]
    stable = np.array([i for i, j in enumerate(shown.tolist()) if j in selected], dtype=np.int64)
    quiet = np.setdiff1d(np.arange(len(shown)), stable)
    body = [chart.line(places, y.place(lines[i]), "quiet", names[i]) for i in quiet]
    body.append(chart.level(found.threshold, "mark"))
    body += [chart.line(places, y.place(lines[i]), "strong", names[i]) for i in stable]
    named = stable[: chart.NAMED]
    at_edge = chart.spread_names(named, y.place(lines[named, -1]), [names[i] for i in named])
    label = (
        f"Selection probabilities of {len(shown)} features along alpha, {len(stable)} above the threshold "
        f"{number(found.threshold)}"
    )
    more = (
        f'<span class="level" style="bottom:{100.0 * found.threshold:.2f}%">threshold '
        f"{number(found.threshold)}</span>{chart.edge(at_edge)}"
    )
    return chart.figure(x, y, body, label=label, more=more, size="tall")


def _table(found: Any, ranked: Index, selected: set[int]) -> str:
    """Return the most probable features."""
    body = "".join(
        f'<tr><th scope="row"><bdi>{escaped(short(found.label(j)))}</bdi></th>'
        f'<td class="num">{100.0 * found.probabilities[j]:.1f} %</td><td class="bar" aria-hidden="true">'
        f'<i style="left:0;width:{100.0 * found.probabilities[j]:.1f}%"></i></td>'
        f'<td class="num">{100.0 * found.simultaneous[j]:.1f} %</td>'
        f"<td>{'stable' if j in selected else ''}</td></tr>"
        for j in ranked[:MOST_ROWS].tolist()
    )
    note = ""
    if ranked.size > MOST_ROWS:
        note = f'<p class="note">The {MOST_ROWS} most probable of {ranked.size:,} that were ever chosen.</p>'
    head = (
        f'{heads(["Feature"], "")}{heads(["Chosen by halves"])}<th class="bar" aria-hidden="true"></th>'
        f"{heads(['By both of a pair'])}{heads([''], '')}"
    )
    return table("The most probable features", head, body, kind="shares") + note
