"""The result of a path: frozen, on the user's scale, certified at every alpha."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from . import _draw, _render, _store
from ._predict import interpolation, linear_predictor
from ._record import PathRecord, put_together, take_apart
from ._typing import Float64, Index, InputReport
from .errors import DataError
from .validate import check_offset

__all__ = ["InputReport", "PathResult"]

FORMAT, VERSION = "fastreg.PathResult", 1
# Lines in the inline picture: more cannot be told apart at its size.
INLINE_LINES = 20


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class PathResult(PathRecord):
    """Hold the solutions of a path, one for every alpha, with the proof of each.

    Unpacks as scikit-learn's tuple: ``alphas, coefs, dual_gaps = result`` (and the iteration counts where
    ``return_n_iter=True`` was asked for). Arrays are read-only; what unpacks is a copy.

    Parameters
    ----------
    alphas : float64 ndarray of shape (K,)
        The grid, largest first.
    coefs_sparse : csc_array of float64, shape (p, K)
        Coefficients on the scale of X, one column per alpha; without explicit zeros.
    intercepts : float64 ndarray of shape (K,)
        Intercepts on the scale of y.
    dual_gaps : float64 ndarray of shape (K,)
        Certified distance to the optimum, in units of the objective.
    n_iter : int64 ndarray of shape (K,)
        Iterations spent at every alpha.
    status : Status
        How the path ended.
    status_note : str
        What a user should know beside the status.
    dev_ratio : float64 ndarray of shape (K,)
        Share of the null deviance explained.
    null_deviance, null_objective : float
        Deviance and objective of the model without penalised features.
    alpha_max : float
        Smallest alpha at which every penalised coefficient is zero.
    l1_ratio : float
        Share of the l1 part of the penalty.
    feature_names : tuple of str or None
        Names of the columns, where X had some.
    classes : tuple or None
        Classes of a classification, None for regression.
    counters : mapping of str to int or tuple
        Work that was done: columns read, full passes, sweeps, exact solves, working-set sizes.
    input_report : InputReport
        How X was taken in and what was copied.
    fit_time : float
        Seconds from call to result.
    alphas_requested : int
        Size of the grid that was asked for.
    tol : float
        Bound on the relative gaps that was asked for.
    family : str
        Loss that was fitted.
    return_n_iter : bool
        Whether unpacking yields four items.

    Examples
    --------
    >>> from fastreg import lasso_path
    >>> path = lasso_path([[2, 0], [0, 2]], [6, 2], alphas=[6, 2, 1], fit_intercept=False)
    >>> path.n_nonzero
    array([0, 1, 2])
    >>> coef, intercept = path.coef_at(1.5)
    >>> coef.round(6)
    array([2.25, 0.25])
    >>> alphas, coefs, dual_gaps = path
    >>> coefs.shape
    (2, 3)
    """

    def coef_at(self, alpha: ArrayLike) -> tuple[Float64, Any]:
        """Return coefficients and intercept at any alpha of the range, linear between neighbours on the grid.

        Exact for the lasso where no feature enters or leaves between the neighbours (docs/math.md, F26).

        Parameters
        ----------
        alpha : float or array-like of shape (m,)
            Penalty strengths between the smallest and the largest alpha of the path.

        Returns
        -------
        coef : float64 ndarray of shape (p,), or (p, m) for several
            Coefficients on the scale of X.
        intercept : float, or float64 ndarray of shape (m,) for several
            Intercepts.

        Raises
        ------
        DataError
            If an alpha lies outside the range of the path.

        Examples
        --------
        >>> from fastreg import lasso_path
        >>> path = lasso_path([[2, 0], [0, 2]], [6, 2], alphas=[6, 2, 1], fit_intercept=False)
        >>> path.coef_at([4.0, 1.5])[0].round(6)
        array([[1.  , 2.25],
               [0.  , 0.25]])
        """
        weights = interpolation(self.alphas, alpha)
        coef, intercept = (self.coefs_sparse @ weights).toarray(), self.intercepts @ weights
        return (coef[:, 0], float(intercept[0])) if np.ndim(alpha) == 0 else (coef, intercept)

    def predict(self, X: Any, *, alpha: ArrayLike | None = None, offset: ArrayLike | None = None) -> Float64:
        """Predict the response for new rows; columns without a coefficient are not read.

        Parameters
        ----------
        X : array-like, sparse or data frame of shape (n, p)
            New rows, with the columns the path was fitted on.
        alpha : float or array-like of shape (m,), optional
            Where on the path, as in ``coef_at``; None predicts at every alpha of the grid.
        offset : array-like of shape (n,), optional
            Added to every prediction.

        Returns
        -------
        float64 ndarray of shape (n,), or (n, m) for several alphas
            intercept + offset + X @ coef.

        Raises
        ------
        DataError
            If columns are not those of the path, a value read is not finite, or alpha is out of range.

        Examples
        --------
        >>> from fastreg import lasso_path
        >>> path = lasso_path([[2, 0], [0, 2]], [6, 2], alphas=[6, 2, 1], fit_intercept=False)
        >>> path.predict([[1, 1]], alpha=2.0).round(6)
        array([2.])
        """
        weights = interpolation(self.alphas, self.alphas if alpha is None else alpha)
        eta = linear_predictor(X, self.coefs_sparse @ weights, self.feature_names)
        eta += self.intercepts @ weights
        if offset is not None:
            eta += check_offset(offset, len(eta))[:, None]
        single = alpha is not None and np.ndim(alpha) == 0
        return eta[:, 0] if single else eta

    def selected(self, alpha: float) -> Index:
        """Return the features with a non-zero coefficient at alpha.

        Parameters
        ----------
        alpha : float
            Where on the path, as in ``coef_at``.

        Returns
        -------
        int64 ndarray of shape (m,)
            Columns of X in increasing order; ``label`` names them.

        Raises
        ------
        DataError
            If alpha lies outside the range of the path.

        Examples
        --------
        >>> from fastreg import lasso_path
        >>> lasso_path([[2, 0], [0, 2]], [6, 2], alphas=[6, 2, 1], fit_intercept=False).selected(2.0)
        array([0])
        """
        column = self.coefs_sparse @ interpolation(self.alphas, float(alpha))
        return np.sort(column.indices[column.data != 0.0]).astype(np.int64)

    def order_of_entry(self) -> Index:
        """Return the features in the order in which they first get a coefficient as alpha falls.

        Returns
        -------
        int64 ndarray of shape (m,)
            Columns of X; those that enter at one alpha are sorted by the size of their coefficient there,
            those that never enter are left out.

        Examples
        --------
        >>> from fastreg import lasso_path
        >>> lasso_path([[2, 0], [0, 6]], [6, 9], alphas=[9, 5, 1], fit_intercept=False).order_of_entry()
        array([1, 0])
        """
        features, first = np.unique(self.coefs_sparse.indices, return_index=True)
        entered = np.searchsorted(self.coefs_sparse.indptr, first, side="right")
        order = np.lexsort((-np.abs(self.coefs_sparse.data[first]), entered))
        return features[order].astype(np.int64)

    def to_frame(self, *, coefs: bool = False) -> Any:
        """Return a pandas DataFrame with one row per alpha.

        Parameters
        ----------
        coefs : bool
            Whether to add the intercept and one column for every feature that ever enters.

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
        wide = pd.DataFrame(self._lines(entered).T, columns=[self.label(j) for j in entered])
        # concat, not a dict: a feature may be called "alpha".
        return pd.concat([pd.DataFrame(summary | {"intercept": self.intercepts}), wide], axis=1)

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

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a file that ``load`` reads back bit for bit: npz with a JSON header, never pickle.

        Parameters
        ----------
        path : str or path
            File to write, exactly this name.

        Examples
        --------
        >>> import os, tempfile
        >>> from fastreg import lasso_path
        >>> path = lasso_path([[2, 0], [0, 2]], [6, 2], alphas=[6, 2, 1], fit_intercept=False)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path.save(os.path.join(folder, "path.npz"))
        ...     os.listdir(folder)
        ['path.npz']
        """
        header, arrays = take_apart(self)
        _store.write(path, header | {"format": FORMAT, "version": VERSION}, arrays)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> PathResult:
        """Read a result that ``save`` wrote.

        Parameters
        ----------
        path : str or path
            File to read.

        Returns
        -------
        PathResult
            Equal to the one saved, bit for bit.

        Raises
        ------
        DataError
            If the file holds something else, is damaged, or was written by a newer fastreg.

        Examples
        --------
        >>> import os, tempfile
        >>> from fastreg import lasso_path
        >>> from fastreg.result import PathResult
        >>> path = lasso_path([[2, 0], [0, 2]], [6, 2], alphas=[6, 2, 1], fit_intercept=False)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path.save(os.path.join(folder, "path.npz"))
        ...     PathResult.load(os.path.join(folder, "path.npz")).n_nonzero
        array([0, 1, 2])
        """
        header, arrays = _store.read(path, FORMAT, VERSION)
        try:
            return cls(**put_together(header, arrays))
        except (KeyError, TypeError, ValueError) as problem:
            raise DataError(f"{os.fspath(path)} is damaged ({problem!r}): save the result again") from problem

    def plot(self, ax: Any = None, *, labels: int = 10) -> Any:
        """Draw the coefficients over alpha, feature counts on top and the largest named at the edge.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; None makes a new figure.
        labels : int
            How many features to colour and name, by the size of their coefficient at the smallest alpha.

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
        ax = _draw.new_axes(ax)
        entered = self._by_size()
        features = entered[: _draw.MOST_LINES]
        names = [self.label(j) for j in features]
        lines = self._lines(features)
        _draw.draw_path(ax, self.alphas, lines, names, self.n_nonzero, entered.size, labels)
        return ax

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
        features = self._by_size()[:INLINE_LINES]
        names = [self.label(j) for j in features]
        picture = _render.path_svg(self.alphas, self._lines(features), names)
        entered = ", ".join(self.label(j) for j in self.order_of_entry()[:5])
        facts = [
            ("result", self._verdict()),
            ("first to enter", entered or "none"),
            ("input", str(self.input_report)),
        ]
        return _render.html_card(self._headline(), facts, picture)
