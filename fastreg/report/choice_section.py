"""The section of a report that shows cross-validation: the curve, its minimum, and what the rule chose."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from . import chart
from .chart import Axis
from .extra import Extra
from .lines import count_ticks
from .tables import cell, heads, table
from .text import escaped, number
from .view import shown_alphas

# Candidates in the table; of more, the first.
MOST_CURVES = 30


def choice_extra(cv: Any) -> Extra:
    """Return the section, and the alphas that it names; cv is a ``CVResult`` (imports go down only)."""
    curve = cv.curves[cv.best]
    if not np.isfinite(curve.mean).any():
        text = f"<p>No fold was finished, so nothing is chosen: {escaped(cv.status.value)}.</p>"
        return Extra("choice", _section(text))
    marks = [("minimum", curve.k_min), ("one standard error", curve.k_1se)]
    if cv.greater_is_better:
        marks[0] = ("maximum", curve.k_min)
    named = [(f"CV {label}", float(curve.alphas[k])) for label, k in marks]
    if cv.alpha not in [alpha for _, alpha in named]:
        named.append((f"chosen by {cv.rule}", float(cv.alpha)))
    inside = f"{_lead(cv, curve)}{_picture(cv, curve, named)}{_candidates(cv)}"
    return Extra("choice", _section(inside), tuple(named), float(cv.alpha))


def _section(inside: str) -> str:
    return (
        '<section id="choice" aria-labelledby="choice-title"><h2 id="choice-title">Cross-validation</h2>'
        f"{inside}</section>"
    )


def _lead(cv: Any, curve: Any) -> str:
    """Say what was scored, and what was chosen."""
    k = int(np.abs(np.log(curve.alphas) - np.log(cv.alpha)).argmin())
    best = "largest" if cv.greater_is_better else "smallest"
    finished = len(curve.scores)
    folds = f"{finished}" if finished == cv.folds_requested else f"{finished} of {cv.folds_requested}"
    early = "" if cv.status.finished else f" It {cv.status.value}."
    text = (
        f"Mean {cv.scoring} over {folds} folds, with one standard error to each side; the {best} is best. "
        f"The rule \u201c{cv.rule}\u201d chose alpha = {number(cv.alpha, 5)}: "
        f"{int(curve.n_nonzero[k]):,} features, {cv.scoring} {number(curve.mean[k])} \u00b1 "
        f"{number(curve.se[k], 2)}.{early}"
    )
    return f'<p class="lead">{escaped(text)}</p>'


def _picture(cv: Any, curve: Any, named: Sequence[tuple[str, float]]) -> str:
    """Draw the mean along alpha in the band of its standard error."""
    shown = shown_alphas(curve.alphas.size)
    alphas, mean = curve.alphas[shown], curve.mean[shown]
    se = np.nan_to_num(curve.se[shown])
    x = Axis("alpha (log scale)", float(alphas[0]), float(alphas[-1]), is_log=True)
    y = chart.padded(cv.scoring, np.concatenate([mean - se, mean + se]), with_zero=False)
    places, finite = x.place(alphas), np.isfinite(mean)
    low, high = y.place(mean - se), y.place(mean + se)
    body = [chart.area(places[finite], low[finite], high[finite], "band")]
    body.append(chart.line(places, y.place(mean), "strong"))
    body += [chart.upright(float(x.place(np.array([alpha]))[0]), "mark", label) for label, alpha in named]
    counts = count_ticks(places, np.asarray(curve.n_nonzero)[shown])
    words = ", ".join(f"{name} at alpha {number(alpha)}" for name, alpha in named)
    return chart.figure(x, y, body, label=f"Mean {cv.scoring} along alpha; {words}", top=counts)


def _candidates(cv: Any) -> str:
    """Return a table with the best of every candidate."""
    body = "".join(
        _candidate(curve, "best" if i == cv.best else "")
        for i, curve in enumerate(cv.curves[:MOST_CURVES])
        if np.isfinite(curve.mean).any()
    )
    names = (
        "l1_ratio",
        "gamma",
        "best alpha",
        "mean",
        "standard error",
        "features",
        "1-SE alpha",
        "features",
    )
    return table("The best score of every candidate", heads(names) + heads([""], ""), body)


def _candidate(curve: Any, note: str) -> str:
    """Return the best of one candidate."""
    best, sparser = curve.k_min, curve.k_1se
    cells = (
        number(curve.l1_ratio),
        number(curve.gamma),
        number(curve.alphas[best]),
        number(curve.mean[best]),
        number(curve.se[best], 2),
        f"{int(curve.n_nonzero[best]):,}",
        number(curve.alphas[sparser]),
        f"{int(curve.n_nonzero[sparser]):,}",
    )
    return f"<tr>{''.join(cell(text) for text in cells)}<td>{note}</td></tr>"
