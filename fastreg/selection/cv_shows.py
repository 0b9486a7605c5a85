"""The fields of a cross-validation, and how they are shown: tables, a picture, two lines of text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import _draw_cv, _render
from .._typing import Float64, Index
from ..errors import DataError, Status
from ..result import PathResult
from .cv_curve import CVCurve
from .folds import Fold

__all__ = ["CVShows"]


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class CVShows:
    """Hold the fields described in ``CVResult`` and show them."""

    curves: tuple[CVCurve, ...]
    best: int
    chosen_alpha: float | None
    rule: str
    folds: tuple[Fold, ...]
    folds_requested: int
    fold_weights: Float64
    n_rows: int
    scoring: str
    greater_is_better: bool
    status: Status
    fit_time: float

    @property
    def curve(self) -> CVCurve:
        """Return the curve of the chosen candidate."""
        return self.curves[self.best]

    @property
    def alphas(self) -> Float64:
        """Return the grid, largest first, (K,)."""
        return self.curve.alphas

    @property
    def scores(self) -> Float64:
        """Return the score of every fold at every alpha, (F, K)."""
        return self.curve.scores

    @property
    def mean(self) -> Float64:
        """Return the mean score at every alpha, (K,)."""
        return self.curve.mean

    @property
    def se(self) -> Float64:
        """Return the standard error of the mean at every alpha, (K,)."""
        return self.curve.se

    @property
    def path(self) -> PathResult:
        """Return the path on all rows."""
        return self.curve.path

    @property
    def n_nonzero(self) -> Index:
        """Return the number of features at every alpha, (K,)."""
        return self.curve.n_nonzero

    @property
    def l1_ratio(self) -> float:
        """Return the chosen share of the L1 penalty."""
        return self.curve.l1_ratio

    @property
    def gamma(self) -> float:
        """Return the chosen share of the penalised path; 1 where nothing was relaxed."""
        return self.curve.gamma

    @property
    def k_min(self) -> int:
        """Return the position of the best mean score."""
        return self.curve.k_min

    @property
    def k_1se(self) -> int:
        """Return the position of ``alpha_1se``."""
        return self.curve.k_1se

    @property
    def alpha_min(self) -> float:
        """Return the alpha with the best mean score."""
        return self.curve.alpha_min

    @property
    def alpha_1se(self) -> float:
        """Return the largest alpha whose mean score is within one standard error of the best."""
        return self.curve.alpha_1se

    def to_frame(self, *, folds: bool = False) -> Any:
        """Return a pandas DataFrame with one row per candidate and alpha.

        Parameters
        ----------
        folds : bool
            Whether to add the score of every fold.

        Returns
        -------
        pandas.DataFrame
            l1_ratio, gamma, alpha, mean, se, n_nonzero, and fold_0, fold_1, ... on request.

        Raises
        ------
        ImportError
            If pandas is absent.

        Examples
        --------
        >>> import numpy as np
        >>> from fastreg import cv_path
        >>> X = np.random.default_rng(0).standard_normal((40, 5))
        >>> cv_path(X, X[:, 1], cv=5, alphas=20).to_frame(folds=True).shape
        (20, 11)
        """
        try:
            import pandas as pd
        except ImportError as problem:
            raise ImportError(
                "to_frame() needs pandas: pip install pandas, or print summary_table() instead"
            ) from problem
        frames = []
        for curve in self.curves:
            columns: dict[str, Any] = {
                "l1_ratio": np.full(curve.alphas.size, curve.l1_ratio),
                "gamma": np.full(curve.alphas.size, curve.gamma),
                "alpha": curve.alphas,
                "mean": curve.mean,
                "se": curve.se,
                "n_nonzero": curve.n_nonzero,
            }
            each = {f"fold_{f}": scores for f, scores in enumerate(curve.scores)} if folds else {}
            frames.append(pd.DataFrame(columns | each))
        return pd.concat(frames, ignore_index=True)

    def summary_table(self, rows: int | None = 10) -> str:
        """Return the curve of the chosen candidate as a readable table.

        Parameters
        ----------
        rows : int or None
            How many alphas to show, evenly spaced, beside those that rules choose; None shows all.

        Returns
        -------
        str
            Lines with k, alpha, features, mean score and its standard error; "min" and "1se" are marked.

        Raises
        ------
        DataError
            If rows is below 1.

        Examples
        --------
        >>> import numpy as np
        >>> from fastreg import cv_path
        >>> X = np.random.default_rng(0).standard_normal((40, 5))
        >>> cv_path(X, X[:, 1], cv=5).summary_table(rows=3).splitlines()[0].split()
        ['k', 'alpha', 'features', 'deviance', 'se', 'rule']
        """
        if rows is not None and rows < 1:
            raise DataError(f"rows must be at least 1 or None, got {rows}: None shows every alpha")
        marks = self._marks()
        shown = sorted({*_render.pick_rows(self.alphas.size, rows), *marks})
        cells = [
            [
                str(k),
                f"{self.alphas[k]:.4g}",
                str(self.n_nonzero[k]),
                f"{self.mean[k]:.4g}",
                f"{self.se[k]:.2g}",
                marks.get(k, ""),
            ]
            for k in shown
        ]
        return _render.text_table(("k", "alpha", "features", self.scoring, "se", "rule"), cells)

    def _marks(self) -> dict[int, str]:
        """Return what rules choose, by position."""
        marks: dict[int, str] = {}
        if np.isfinite(self.mean).any():
            marks[self.k_min] = "min"
            if not np.isnan(self.se[self.k_min]):
                marks[self.k_1se] = "min, 1se" if self.k_1se in marks else "1se"
        return marks

    def plot(self, ax: Any = None) -> Any:
        """Draw the mean score with error bars over alpha, feature counts on top, the rules' alphas marked.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; None makes a new figure.

        Returns
        -------
        matplotlib Axes
            The axes drawn on.

        Raises
        ------
        ImportError
            If matplotlib is absent.

        Examples
        --------
        >>> import numpy as np
        >>> from fastreg import cv_path
        >>> X = np.random.default_rng(0).standard_normal((40, 5))
        >>> cv_path(X, X[:, 1], cv=5).plot().get_xlabel()
        'alpha'
        """
        lines = {mark: float(self.alphas[k]) for k, mark in self._marks().items()}
        if self.chosen_alpha is not None and self.rule not in ("min", "1se"):
            lines[self.rule] = self.chosen_alpha
        name = f"{self.scoring}, mean of {len(self.folds)} folds{self._candidate()}"
        bars = _draw_cv.Bars(self.alphas, self.mean, self.se, self.n_nonzero)
        return _draw_cv.draw_cv(ax, bars, name, lines)

    def _candidate(self) -> str:
        """Return the line that says which of several candidates is drawn."""
        if len(self.curves) == 1:
            return ""
        parts = [
            f"{name} {getattr(self.curve, name):g}"
            for name in ("l1_ratio", "gamma")
            if len({getattr(curve, name) for curve in self.curves}) > 1
        ]
        return f"\n{', '.join(parts)}, best of {len(self.curves)} candidates"

    def _headline(self) -> str:
        n, p = self.path.input_report.shape
        folds = str(len(self.folds))
        if len(self.folds) < self.folds_requested:
            folds += f" of {self.folds_requested}"
        more = f", best of {len(self.curves)} candidates" if len(self.curves) > 1 else ""
        relaxed = f", relaxed with gamma {self.gamma:g}" if self.gamma < 1.0 else ""
        head = f"{self.path._name()}{relaxed}{more}, {n} x {p}, {self.alphas.size} alphas, {folds} folds"
        if self.chosen_alpha is None:
            return head
        count = self.path.selected(self.chosen_alpha).size
        found = f"alpha {self.chosen_alpha:.4g} by rule {self.rule!r}, {count} features"
        return f"{head}; {found}, {self.scoring} {self._score_there()}"

    def _score_there(self) -> str:
        """Return the score at the grid's alpha next to the chosen one."""
        assert self.chosen_alpha is not None
        k = int(np.argmin(np.abs(np.log(self.alphas / self.chosen_alpha))))
        return f"{self.mean[k]:.4g} +- {self.se[k]:.2g}"

    def __repr__(self) -> str:
        return f"CVResult({self._headline()})\n  {self.status.value}; {self.fit_time:.3g} s"
