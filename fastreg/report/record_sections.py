"""The sections of a report that say how far the numbers can be trusted, and how they came about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from .._info import info
from .._render import pick_rows
from ..errors import Status
from . import chart
from .chart import Axis
from .lines import axes_of
from .tables import cell, heads, table
from .text import DASH, TIMES, clean, escaped, number, percent
from .view import PathView

# A gap of exactly zero has no place on a log scale; it is drawn here.
GAP_FLOOR = 1e-17
# Rows of the table that is always open.
ROWS = 12
# What may be told about the machine: no folder and no user's name.
VERSIONS = ("fastreg", "python", "numpy", "scipy", "numba", "platform", "cpu", "threads", "blas")
LONGEST_VALUE = 300


def verdict(view: PathView) -> tuple[bool, str]:
    """Return whether everything asked for is proven, and the verdict in words."""
    solved, asked = view.alphas_solved, view.alphas_requested
    if not solved:
        return False, f"No alpha was finished: {view.status.value}."
    # A budget that ended the path was asked for as well; an interrupt was not.
    early = "" if view.status.finished else f" The path {view.status.value}."
    if view.missed:
        said = (
            f"{view.missed} of {solved} alphas missed the tolerance {number(view.tol)}: the largest relative "
            f"gap is {number(view.worst_gap, 2)}."
        )
        return False, said + early
    alphas = "the one alpha" if solved == 1 else f"all {solved} alphas"
    if solved < asked:
        alphas = f"each of the {solved} alphas that were solved, of {asked} asked for"
    said = (
        f"Proven at {alphas}: the objective is within {number(view.worst_gap, 2)} of its minimum, in units "
        f"of the null model's objective ({number(view.tol)} was asked for)."
    )
    return view.status is not Status.INTERRUPTED, said + early


def certificate_section(view: PathView) -> str:
    """Return the section of the certificates."""
    what = (
        "The duality gap bounds how far the objective at these coefficients is above its minimum, whatever "
        "the minimum is. It is divided by the objective of intercept and offset alone, which makes "
        "it a pure number. A gap near 1e-16 is zero to the last digit of the arithmetic."
    )
    inside = f'<p class="lead">{what}</p>'
    if view.alphas.size:
        inside += _gap_picture(view) + _table(view, pick_rows(view.alphas.size, ROWS), "Certificates")
        if view.alphas.size > ROWS:
            whole = _table(view, range(view.alphas.size), "Certificates at every alpha")
            inside += f"<details><summary>All {view.alphas.size} alphas</summary>{whole}</details>"
    return (
        '<section id="certificates" aria-labelledby="certificates-title">'
        f'<h2 id="certificates-title">Certificates</h2>{inside}</section>'
    )


def _gap_picture(view: PathView) -> str:
    """Draw the relative gaps on a log scale, with the tolerance."""
    gaps = np.where(np.isfinite(view.relative_gaps), view.relative_gaps, np.nan)
    shown = np.maximum(gaps, GAP_FLOOR)
    highest = 10.0 * max(view.tol, float(np.nanmax([*shown, GAP_FLOOR])))
    y = Axis("relative gap (log scale)", GAP_FLOOR / 3.0, highest, is_log=True)
    x, places = axes_of(view)["alpha"]
    missed = view.relative_gaps > view.tol
    heights = y.place(np.where(np.isfinite(shown), shown, highest))
    body = [chart.line(places, heights, "quiet")]
    body += [
        chart.dot(
            float(places[k]),
            float(heights[k]),
            "missed" if missed[k] else "met",
            f"alpha {number(view.alphas[k])}: {number(view.relative_gaps[k], 2)}",
        )
        for k in range(view.alphas.size)
    ]
    more = ""
    if view.tol > 0.0:
        at = float(y.place(np.array([view.tol]))[0])
        body.append(chart.level(at, "mark"))
        more = f'<span class="level" style="bottom:{100 * at:.2f}%">tolerance {number(view.tol)}</span>'
    label = f"Relative gap at every alpha: {view.missed} above the tolerance {number(view.tol)}"
    floor = " Gaps below 1e-17 are drawn there." if (gaps < GAP_FLOOR).any() else ""
    return chart.figure(x, y, body, label=label, more=more) + (
        f'<p class="note">{floor}</p>' if floor else ""
    )


def _table(view: PathView, rows: Iterable[int], caption: str) -> str:
    """Return a table with one row per alpha."""
    body = "".join(_alpha_row(view, k) for k in rows)
    names = ("k", "alpha", "features", "deviance explained", "relative gap")
    head = f"{heads(names)}{heads(['iterations'], 'num wide')}{heads(['tolerance'], '')}"
    return table(caption, head, body)


def _alpha_row(view: PathView, k: int) -> str:
    """Return what is known of one alpha."""
    missed = bool(view.relative_gaps[k] > view.tol)
    cells = [
        str(int(view.places[k]) + 1),
        number(view.alphas[k]),
        f"{int(view.counts[k]):,}",
        percent(float(view.dev_ratio[k])),
        number(view.relative_gaps[k], 2),
    ]
    numbers = "".join(cell(text) for text in cells)
    kind, word = ("failed", "missed") if missed else ("proven", "met")
    return f'<tr class="{kind}">{numbers}<td class="num wide">{int(view.n_iter[k])}</td><td>{word}</td></tr>'


def record_section(view: PathView, details: Mapping[str, str]) -> str:
    """Return the record of the run: what was asked, how it went, on what it ran."""
    went: dict[str, Any] = {
        "status": view.status.name.replace("_", " ").lower() + f": {view.status.value}",
        "note": view.status_note,
        "alphas": f"{view.alphas_solved} of {view.alphas_requested} asked for",
        "input": view.input_report,
        "time": f"{number(view.fit_time, 3)} s",
    }
    known = info()
    groups = [
        ("This report", details),
        ("How it went", {name: value for name, value in went.items() if value}),
        ("What was asked", view.options),
        ("Numbers", view.numbers),
        ("Work", view.counters),
        ("Versions of this page", {name: known[name] for name in VERSIONS if name in known}),
    ]
    inside = "".join(_facts(title, group) for title, group in groups if group)
    objective = (
        "sum_i w_i loss(y_i, b0 + o_i + x_i . b) / sum_i w_i\n"
        "  + alpha * sum_j v_j * (l1_ratio * |b_j| + (1 - l1_ratio) / 2 * b_j^2)"
    )
    return (
        '<section id="record" aria-labelledby="record-title"><h2 id="record-title">Run record</h2>'
        '<p class="lead">What is minimised over the intercept b0 and the coefficients b, on the scale of the '
        f'input:</p><pre class="formula">{objective}</pre><div class="groups">{inside}</div></section>'
    )


def _facts(title: str, group: Mapping[str, Any]) -> str:
    """Return a titled list of names and values."""
    rows = "".join(
        f"<div><dt>{escaped(name.replace('_', ' '))}</dt><dd>{escaped(_words(value))}</dd></div>"
        for name, value in group.items()
    )
    return f'<div class="group"><h3>{escaped(title)}</h3><dl class="facts">{rows}</dl></div>'


def _words(value: Any) -> str:
    """Return a value as words."""
    match value:
        case bool():
            return "yes" if value else "no"
        case None:
            return DASH
        case int():
            return f"{value:,}"
        case float():
            return number(value, 7)
        case tuple() | list():
            text = ", ".join(_words(item) for item in value) or DASH
        case _:
            text = clean(value)
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]} ... ({len(text):,} characters)"


def headline_facts(view: PathView) -> str:
    """Return the few numbers that stand at the top."""
    n, p = view.shape
    most = int(view.counts.max()) if view.alphas.size else 0
    explained = float(np.nan_to_num(view.dev_ratio).max()) if view.alphas.size else 0.0
    cells = [
        ("data", f"{n:,} {TIMES} {p:,}"),
        ("alphas", f"{view.alphas_solved:,}"),
        ("largest model", f"{most:,} feature{'' if most == 1 else 's'}"),
        ("deviance explained", f"{100.0 * explained:.1f} %"),
        ("solved in", f"{number(view.fit_time, 3)} s"),
    ]
    inside = "".join(f"<div><dt>{name}</dt><dd>{escaped(value)}</dd></div>" for name, value in cells)
    return f'<dl class="headline">{inside}</dl>'
