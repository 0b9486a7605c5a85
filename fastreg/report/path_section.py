"""The section of a report that shows the path: picture, slider, and the features in the model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from . import chart
from .chart import Axis
from .lines import Lines, at_the_edge, axes_of, count_ticks, still
from .tables import table
from .text import escaped, number
from .view import PathView

# Rows of the list of features that are written into the page; the script shows the rest.
ROWS = 50
AXES = (("alpha", "log alpha"), ("norm", "norm"), ("deviance", "deviance"))


@dataclass(frozen=True)
class Mark:
    """Hold an alpha that has a name, such as the minimum of cross-validation."""

    label: str
    k: int

    @property
    def plain(self) -> dict[str, Any]:
        """Return the mark as JSON holds it."""
        return {"label": self.label, "k": self.k}


def y_axis(lines: Lines) -> Axis:
    """Return the axis of the coefficients."""
    return chart.padded("coefficient", lines.values.ravel())


def path_section(lines: Lines, marks: list[Mark], start: int) -> str:
    """Return the section."""
    view = lines.view
    if not view.alphas.size:
        return _section("<p>No alpha was finished, so there is no coefficient to show.</p>")
    if not lines.packed:
        said = f"No feature has a coefficient at any of the {view.alphas_solved} alphas."
        return _section(f"<p>{said} The model is its intercept.</p>")
    head = f'<div class="tools js-only">{_axis_switch()}{_output_choice(view)}</div>'
    return _section(
        f"{_intro(lines)}{head}{_picture(lines, marks)}{_slider(view, marks, start)}"
        f"{_readout(view, start)}{_list(lines, start)}"
    )


def _section(inside: str) -> str:
    title = '<h2 id="path-title">Coefficients</h2>'
    return f'<section id="path" aria-labelledby="path-title">{title}{inside}</section>'


def _intro(lines: Lines) -> str:
    """Say what is drawn, and what was left out for want of room."""
    view = lines.view
    what = "line" if view.outputs else "feature"
    text = f"Every {what} that enters is drawn; those with the largest final coefficients are named."
    if len(lines.packed) < view.n_lines:
        text = (
            f"The {len(lines.packed):,} largest of {view.n_lines:,} {what}s are drawn and listed; those with "
            "the largest final coefficients are named."
        )
    if view.alphas.size < view.alphas_solved:
        text += f" {view.alphas.size} of the {view.alphas_solved} alphas are shown, evenly spaced."
    move = (
        " Move the slider to list the model at each alpha; point at a line, or press a name in the list, to "
        "see which is which."
    )
    return f'<p class="lead">{text}<span class="js-only">{move}</span></p>'


def _axis_switch() -> str:
    """Return the choice of the horizontal axis: radio buttons, which keyboards know."""
    buttons = "".join(
        f'<label><input type="radio" name="along" autocomplete="off" value="{name}"'
        f"{' checked' if name == 'alpha' else ''}>"
        f"<span>{text}</span></label>"
        for name, text in AXES
    )
    return f'<fieldset class="switch"><legend>Along</legend>{buttons}</fieldset>'


def _output_choice(view: PathView) -> str:
    """Return the choice of an output, where there are several."""
    if not view.outputs:
        return ""
    what = "Class" if view.is_classifier else "Response"
    options = "".join(f'<option value="{c}">{escaped(name)}</option>' for c, name in enumerate(view.outputs))
    return (
        f'<label class="choice" for="output">{what} <select id="output" autocomplete="off">'
        f'<option value="">all</option>{options}</select></label>'
    )


def _picture(lines: Lines, marks: list[Mark]) -> str:
    """Return the chart that stands without the script, which draws over it."""
    view = lines.view
    x, places = axes_of(view)["alpha"]
    y = y_axis(lines)
    named = at_the_edge(lines, y)
    body = still(lines, places, y, {name.line for name in named})
    body += [chart.upright(float(places[mark.k]), "mark", mark.label) for mark in marks]
    label = (
        f"Coefficient path: {len(lines.packed)} lines over {view.alphas.size} alphas from "
        f"{number(view.alphas[0])} to {number(view.alphas[-1])}; the list below holds the numbers"
    )
    more = chart.edge(named)
    top = count_ticks(places, view.counts)
    return chart.figure(x, y, body, label=label, top=top, more=more, size="tall")


def _slider(view: PathView, marks: list[Mark], start: int) -> str:
    """Return the slider over alpha and the buttons that go to alphas with a name."""
    buttons = "".join(
        f'<button type="button" class="jump" data-k="{mark.k}">{escaped(mark.label)}</button>'
        for mark in marks
    )
    jumps = f'<span class="jumps">{buttons}</span>' if buttons else ""
    return (
        '<div class="slide js-only"><label for="alpha" class="hidden">alpha, from the largest to the smallest'
        f'</label><input id="alpha" type="range" min="0" max="{view.alphas.size - 1}" value="{start}" '
        f'step="1" autocomplete="off">{jumps}</div>'
    )


def _readout(view: PathView, k: int) -> str:
    """Return the numbers at one alpha."""
    gap, missed = float(view.relative_gaps[k]), bool(view.relative_gaps[k] > view.tol)
    terms = [
        ("alpha", "alpha", number(view.alphas[k], 5)),
        ("features", "features", f"{int(view.counts[k]):,}"),
        ("deviance", "deviance explained", f"{number(100.0 * view.dev_ratio[k])} %"),
        ("gap", "relative gap", f"{number(gap, 2)}{' (above tol)' if missed else ''}"),
    ]
    if not view.outputs:
        terms.append(("intercept", "intercept", number(view.intercepts[0, k])))
    cells = "".join(
        f'<div><dt>{name}</dt><dd id="at-{key}">{escaped(value)}</dd></div>' for key, name, value in terms
    )
    return f'<dl class="readout" aria-label="The model at this alpha">{cells}</dl>'


def _list(lines: Lines, k: int) -> str:
    """Return the features in the model at one alpha, largest coefficient first."""
    view = lines.view
    values = lines.values[:, k]
    order = np.argsort(-np.abs(values), kind="stable")
    rows = [int(i) for i in order if values[i] != 0.0]
    largest = float(np.abs(values).max()) or 1.0
    body = "".join(_row(lines, i, float(values[i]), largest) for i in rows[:ROWS])
    what = "Class" if view.is_classifier else "Response"
    head = (
        '<th scope="col" data-sort="name">Feature</th>'
        + (f'<th scope="col" data-sort="output">{what}</th>' if view.outputs else "")
        + '<th scope="col" class="num" data-sort="size">Coefficient</th>'
        '<th class="bar" aria-hidden="true"></th>'
        '<th scope="col" class="num" data-sort="rank">Order of entry</th>'
        '<th scope="col" class="num wide">Enters at alpha</th>'
    )
    more = f"The {ROWS} largest of {len(rows):,}." if len(rows) > ROWS else ""
    return (
        '<div class="find js-only"><label for="filter">Filter by name</label>'
        '<input id="filter" type="search" autocomplete="off" spellcheck="false">'
        '<span id="found" role="status"></span></div>'
        f"{table('Features in the model', head, body, kind='features', body_id='features')}"
        f'<p class="note" id="more">{more}</p>'
        '<button type="button" id="all" class="js-only" hidden>Show all</button>'
    )


def _row(lines: Lines, i: int, value: float, largest: float) -> str:
    """Return one row of the list."""
    view = lines.view
    place, c = lines.packed[i][:2]
    rank, alpha = view.entry[lines.features[place]]
    output = f"<td><bdi>{escaped(view.outputs[c])}</bdi></td>" if view.outputs else ""
    wide = 50.0 * abs(value / largest)
    left = 50.0 if value > 0.0 else 50.0 - wide
    return (
        f'<tr><th scope="row"><bdi>{escaped(lines.names[place])}</bdi></th>{output}'
        f'<td class="num">{number(value)}</td><td class="bar" aria-hidden="true">'
        f'<i style="left:{left:.1f}%;width:{wide:.1f}%"></i></td>'
        f'<td class="num">{rank}</td><td class="num wide">{number(alpha)}</td></tr>'
    )
