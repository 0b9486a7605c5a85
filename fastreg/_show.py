"""A path for the eye: tables, pictures, and what a notebook displays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from . import _draw, _render
from ._page import PathPages
from .errors import DataError
from .validate.options import check_count
from .validate.words import describe, wanted

# Lines in the inline picture: more cannot be told apart at its size.
INLINE_LINES = 20


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class PathShows(PathPages):
    """Add tables and pictures to the fields of a path."""

    def to_frame(self, *, coefs: bool = False) -> Any:
        """Return a pandas DataFrame with one row per alpha.

        Parameters
        ----------
        coefs : bool
            Whether to add the intercept and one column for every feature that ever enters; with several
            outputs there are these for each output.

        Returns
        -------
        pandas.DataFrame
            alpha, n_nonzero, dev_ratio, dual_gap, relative_gap, n_iter, and the coefficients on request.

        Raises
        ------
        ImportError
            If pandas is absent.

        Examples
        --------
        >>> from fastreg import lasso_path
        >>> path = lasso_path([[2, 0], [0, 2]], [6, 2], alphas=[6, 2, 1], fit_intercept=False)
        >>> list(path.to_frame(coefs=True).columns[-3:])
        ['intercept', 'x0', 'x1']
        """
        try:
            import pandas as pd
        except ImportError as problem:
            raise ImportError(
                "to_frame() needs pandas: pip install pandas, or print summary_table() instead"
            ) from problem
        summary = {
            "alpha": self.alphas,
            "n_nonzero": self.n_nonzero,
            "dev_ratio": self.dev_ratio,
            "dual_gap": self.dual_gaps,
            "relative_gap": self.relative_gaps,
            "n_iter": self.n_iter,
        }
        if not coefs:
            return pd.DataFrame(summary)
        entered = np.unique(self.coefs_sparse.indices)
        wide = pd.DataFrame(self._lines(entered).T, columns=[self._line_label(row) for row in entered])
        # concat, not a dict: a feature may be called "alpha".
        return pd.concat([pd.DataFrame(summary | self._named_intercepts()), wide], axis=1)

    def summary_table(self, rows: int | None = 10) -> str:
        """Return the path as a readable table.

        Parameters
        ----------
        rows : int or None
            How many alphas to show, evenly spaced with the first and the last; None shows all.

        Returns
        -------
        str
            Lines with k, alpha, features, deviance explained and relative gap.

        Raises
        ------
        DataError
            If rows is below 1.

        Examples
        --------
        >>> from fastreg import lasso_path
        >>> path = lasso_path([[2, 0], [0, 2]], [6, 2], alphas=[6, 2, 1], fit_intercept=False)
        >>> print(path.summary_table(rows=1).splitlines()[0])
        k  alpha  features  deviance explained  relative gap
        """
        if rows is not None and rows < 1:
            raise DataError(f"rows must be at least 1 or None, got {rows}: None shows every alpha")
        shown = _render.pick_rows(self.alphas.size, rows)
        counts, gaps = self.n_nonzero, self.relative_gaps
        cells = [
            [
                str(k),
                f"{self.alphas[k]:.4g}",
                str(counts[k]),
                _render.percent(self.dev_ratio[k]),
                f"{gaps[k]:.1e}",
            ]
            for k in shown
        ]
        return _render.text_table(("k", "alpha", "features", "deviance explained", "relative gap"), cells)

    def plot(self, ax: Any = None, *, labels: int = 10, along: str = "alpha") -> Any:
        """Draw the coefficients along the path, feature counts on top and the largest named at the edge.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; None makes a new figure.
        labels : int
            How many lines to colour and name, by the size of the coefficient at the smallest alpha.
        along : {"alpha", "norm", "deviance"}
            The axis: alpha on a log scale, sum_j |coef_j| or the share of the deviance explained.

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
        >>> from fastreg import lasso_path
        >>> path = lasso_path([[2, 0], [0, 2]], [6, 2], alphas=[6, 2, 1], fit_intercept=False)
        >>> path.plot(labels=2).get_xlabel()
        'alpha'
        """
        axis, labels = self._axis(along), check_count(labels, "labels", least=0)
        ax = _draw.new_axes(ax)
        entered = self._by_size()
        shown = entered[: _draw.MOST_LINES]
        names = [self._line_label(row) for row in shown]
        lines = self._lines(shown)
        _draw.draw_path(ax, axis, lines, names, self.n_nonzero, entered.size, labels)
        return ax

    def _axis(self, along: str) -> _draw.Along:
        """Return the axis of that name."""
        if along == "alpha":
            return _draw.along_alpha(self.alphas)
        if along == "deviance":
            return _draw.Along(self.dev_ratio, "deviance explained", is_log=False)
        if along == "norm":
            norms = np.asarray(abs(self.coefs_sparse).sum(axis=0)).ravel()
            return _draw.Along(norms, "sum of |coefficient|", is_log=False)
        raise DataError(wanted("along", "be 'alpha', 'norm' or 'deviance'", describe(along)))

    def plot_gap(self, ax: Any = None) -> Any:
        """Draw the relative duality gap over alpha, with the tolerance.

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
        >>> from fastreg import lasso_path
        >>> path = lasso_path([[2, 0], [0, 2]], [6, 2], alphas=[6, 2, 1], fit_intercept=False)
        >>> path.plot_gap().get_xlabel()
        'alpha'
        """
        ax = _draw.new_axes(ax)
        _draw.draw_gaps(ax, self.alphas, self.relative_gaps, self.tol)
        return ax

    def __repr__(self) -> str:
        return f"PathResult({self._headline()})\n  {self._verdict()}"

    def _repr_html_(self) -> str:
        shown = self._by_size()[:INLINE_LINES]
        names = [self._line_label(row) for row in shown]
        picture = _render.path_svg(self.alphas, self._lines(shown), names)
        entered = ", ".join(self.label(j) for j in self.order_of_entry()[:5])
        facts = [
            ("result", self._verdict()),
            ("first to enter", entered or "none"),
            ("input", str(self.input_report)),
        ]
        return _render.html_card(self._headline(), facts, picture)
