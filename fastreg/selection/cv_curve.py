"""One candidate of cross-validation: its scores along the path, and the alphas that rules choose."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._typing import Float64, Index
from ..errors import DataError
from ..result import PathResult
from ..validate.options import check_real
from ..validate.words import describe, wanted
from .folds import is_integer

__all__ = ["CVCurve", "Rule", "alpha_by"]


@dataclass(frozen=True, eq=False, kw_only=True)
class CVCurve:
    """Hold the cross-validated scores of one candidate along its path.

    Parameters
    ----------
    l1_ratio : float
        Share of the L1 penalty.
    gamma : float
        Share of the penalised path in a relaxed one; 1 is the penalised path itself, 0 the refits.
    alphas : float64 ndarray of shape (K,)
        The grid of all folds, largest first.
    scores : float64 ndarray of shape (F, K)
        Score of every fold at every alpha.
    mean : float64 ndarray of shape (K,)
        Mean over the folds, weighted by their test weights.
    se : float64 ndarray of shape (K,)
        Its standard error; NaN where there is one fold only.
    path : PathResult
        The path on all rows.
    greater_is_better : bool
        Whether the best score is the largest.
    predictions : float64 ndarray of shape (n, K) or (n, outputs, K), or None
        Predictions for every row by the paths that did not train on it, on the scale of the response; NaN for
        rows that no fold tests, means where several folds test a row. On request.

    Examples
    --------
    >>> import numpy as np
    >>> from fastreg import cv_path
    >>> X = np.random.default_rng(0).standard_normal((40, 5))
    >>> curve = cv_path(X, X[:, 1], cv=5).curves[0]
    >>> curve.scores.shape, curve.l1_ratio, curve.alpha_min <= curve.alpha_1se
    ((5, 100), 1.0, True)
    """

    l1_ratio: float
    gamma: float
    alphas: Float64
    scores: Float64
    mean: Float64
    se: Float64
    path: PathResult
    greater_is_better: bool
    predictions: Float64 | None = None

    @property
    def n_nonzero(self) -> Index:
        """Return the number of features of the path on all rows at every alpha, (K,)."""
        return self.path.n_nonzero

    @property
    def k_min(self) -> int:
        """Return the position of the best mean score; of equal ones that of the largest alpha."""
        finite = np.isfinite(self.mean)
        if not finite.any():
            came = "none: no fold was finished" if not len(self.scores) else "none that is finite"
            remedy = "see status, and give more time" if not len(self.scores) else "see scores"
            raise DataError(wanted("the mean over the folds", "have scores to choose by", came, remedy))
        worth = self.mean if self.greater_is_better else -self.mean
        return int(np.argmax(np.where(finite, worth, -np.inf)))

    @property
    def k_1se(self) -> int:
        """Return the position of the largest alpha whose mean is within one standard error of the best."""
        best = self.k_min
        if np.isnan(self.se[best]):
            raise DataError(
                wanted('the rule "1se"', "have at least two folds", str(len(self.scores)), 'use rule="min"')
            )
        lost = self.mean[best] - self.mean if self.greater_is_better else self.mean - self.mean[best]
        return int(np.argmax(lost <= self.se[best]))

    @property
    def alpha_min(self) -> float:
        """Return the alpha with the best mean score."""
        return float(self.alphas[self.k_min])

    @property
    def alpha_1se(self) -> float:
        """Return the largest alpha whose mean is within one standard error of the best."""
        return float(self.alphas[self.k_1se])


Rule = str | Callable[[CVCurve], Any]


def alpha_by(rule: Rule, curve: CVCurve) -> float:
    """Return the alpha that a rule chooses.

    Parameters
    ----------
    rule : "min", "1se" or callable
        A callable takes the curve and returns a position on the grid (an integer) or an alpha.
    curve : CVCurve
        Scores along the path.

    Returns
    -------
    float
        An alpha inside the path.

    Raises
    ------
    DataError
        If there are no scores, or what a callable returns lies outside the grid.
    """
    if isinstance(rule, str):
        return curve.alpha_1se if rule == "1se" else curve.alpha_min
    said = rule(curve)
    if is_integer(said):
        if not 0 <= said < curve.alphas.size:
            expected = f"return a position from 0 to {curve.alphas.size - 1}, or an alpha"
            raise DataError(wanted("rule", expected, describe(said)))
        return float(curve.alphas[int(said)])
    low, high = float(curve.alphas[-1]), float(curve.alphas[0])
    expected = f"a function that returns a position, or an alpha from {low:.6g} to {high:.6g}"
    return check_real(said, "rule", expected, lambda alpha: low <= alpha <= high)
