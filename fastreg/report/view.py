"""What a report is made from: plain numbers and words of a path, few enough for one page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._render import pick_rows
from .._typing import Float64, Index, InputReport
from ..errors import Status

# Alphas shown; of a longer grid evenly spaced ones.
MOST_ALPHAS = 500
# Lines considered; the largest, as many as the page has room for.
MOST_LINES = 3000
# How far outside the grid an alpha may lie, relatively.
SLACK = 1e-9


@dataclass(frozen=True, eq=False, kw_only=True)
class PathView:
    """Hold what a report says about a path.

    Attributes
    ----------
    kind : str
        What was fitted: "logistic lasso".
    shape : tuple of int
        Rows and columns of X.
    outputs : tuple of str
        Names of several outputs; empty for one.
    places : (K,) int array
        Positions on the grid of the alphas that are shown.
    alphas, dev_ratio, relative_gaps, norms : (K,) float64 arrays
        The alphas shown, the share of the deviance explained, the certified gaps, sum_j |coef_j|.
    counts, n_iter : (K,) int arrays
        Features in the model and iterations.
    intercepts : (outputs, K) float64 array
        Intercepts.
    lines : (m, K) float64 array
        Coefficients of the largest lines, largest first.
    features, line_outputs : (m,) int arrays
        Feature and output of every line.
    names : tuple of str
        The name of each line's feature.
    n_lines : int
        How many lines there are, those not shown included.
    entry : mapping of int to (int, float)
        Rank and alpha at which a feature enters, for those of the lines.
    alphas_solved, alphas_requested : int
        Size of the grid.
    worst_gap : float
        Largest relative gap of all alphas; nan without any.
    missed : int
        How many alphas missed the tolerance.
    tol : float
        What was asked for.
    status, status_note
        How the path ended.
    fit_time : float
        Seconds.
    input_report : InputReport
        How X was taken in.
    counters : mapping
        Work that was done.
    is_classifier : bool
        Whether outputs are classes.
    numbers : mapping of str to object
        What follows from the data alone: alpha_max, the null model's deviance and objective.
    options : mapping of str to object
        What was asked for.
    """

    kind: str
    shape: tuple[int, int]
    outputs: tuple[str, ...]
    places: Index
    alphas: Float64
    dev_ratio: Float64
    relative_gaps: Float64
    norms: Float64
    counts: Index
    n_iter: Index
    intercepts: Float64
    lines: Float64
    features: Index
    line_outputs: Index
    names: tuple[str, ...]
    n_lines: int
    entry: Mapping[int, tuple[int, float]]
    alphas_solved: int
    alphas_requested: int
    worst_gap: float
    missed: int
    tol: float
    status: Status
    status_note: str
    fit_time: float
    input_report: InputReport
    counters: Mapping[str, Any]
    is_classifier: bool
    numbers: Mapping[str, Any]
    options: Mapping[str, Any]

    @property
    def start(self) -> int:
        """Return the alpha at which a reader begins: the last with a list that fits on a screen."""
        few = np.flatnonzero((self.counts > 0) & (self.counts <= 20))
        return int(few[-1]) if few.size else max(self.alphas.size - 1, 0)

    def nearest(self, alpha: float) -> int | None:
        """Return the position among the alphas shown that is nearest on the log scale; None outside them."""
        alphas = self.alphas
        # The grid of another fit may differ in its last digits.
        if not alphas.size or not alphas[-1] * (1.0 - SLACK) <= alpha <= alphas[0] * (1.0 + SLACK):
            return None
        return int(np.abs(np.log(alphas) - np.log(alpha)).argmin())


def shown_alphas(size: int) -> Index:
    """Return the positions of the alphas that a report shows."""
    return np.asarray(pick_rows(size, MOST_ALPHAS), dtype=np.int64)
