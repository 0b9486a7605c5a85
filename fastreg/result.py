"""The result of a path: frozen, on the user's scale, certified at every alpha."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from . import _store
from ._choices import PathChooses
from ._links import check_kind, classify, respond, survive
from ._predict import interpolation, linear_predictor, output_offsets
from ._record import put_together, take_apart
from ._typing import Float64, Index, InputReport
from .errors import DataError
from .risksets import Baseline

__all__ = ["Baseline", "InputReport", "PathResult"]

# Version 2 added several outputs and families.
FORMAT, VERSION = "fastreg.PathResult", 2


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class PathResult(PathChooses):
    """Hold the solutions of a path, one for every alpha, with the proof of each.

    Unpacks as scikit-learn's tuple: ``alphas, coefs, dual_gaps = result`` (and the iteration counts where
    ``return_n_iter=True`` was asked for). Arrays are read-only; what unpacks is a copy.

    Parameters
    ----------
    alphas : float64 ndarray of shape (K,)
        The grid, largest first.
    coefs_sparse : csc_array of float64, shape (p, K), or (n_outputs * p, K)
        Coefficients on the scale of X, one column per alpha; without explicit zeros. Those of several outputs
        lie one after the other. ``coefs`` is the same dense: (p, K), or (n_outputs, p, K) for several.
    intercepts : float64 ndarray of shape (K,), or (n_outputs, K) for several outputs
        Intercepts on the scale of the linear predictor.
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
        Deviance and objective of intercepts and offset alone.
    alpha_max : float
        Smallest alpha at which every penalised coefficient is zero.
    l1_ratio : float
        Share of the l1 part of the penalty.
    feature_names : tuple of str or None
        Names of the columns, where X had some.
    classes : tuple or None
        Classes of a classifier, sorted; None for regression and for proportions.
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
        Loss that was fitted: "gaussian", "binomial", "multinomial", "poisson", "squared_hinge", "huber",
        "cox" or "mgaussian".
    n_outputs : int
        Number of linear predictors: of classes (multinomial) or responses (mgaussian), else 1.
    delta : float
        Where Huber's loss turns linear, in units of y.
    is_grouped : bool
        Whether the penalty was on the norm of a feature's coefficients over all outputs.
    fit_intercept : bool or None
        Whether intercepts were fitted; None in files of versions that did not record it.
    baseline : Baseline or None
        Cumulative baseline hazard of a cox path.
    return_n_iter : bool
        Whether unpacking yields four items.
    source : object or None
        Where the data are, for what needs them again (no copy); neither saved nor pickled.

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
            Coefficients on the scale of X; (n_outputs, p) or (n_outputs, p, m) for several outputs.
        intercept : float, or float64 ndarray of shape (m,) for several
            Intercepts; (n_outputs,) or (n_outputs, m) for several outputs.

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
        if self.n_outputs > 1:
            coef = coef.reshape(self.n_outputs, self.n_features, -1)
        if np.ndim(alpha) == 0:
            coef, intercept = coef[..., 0], intercept[..., 0]
        return coef, float(intercept) if np.ndim(intercept) == 0 else intercept

    def predict(
        self,
        X: Any,
        *,
        alpha: ArrayLike | None = None,
        offset: ArrayLike | None = None,
        kind: str = "response",
    ) -> Any:
        """Predict the response for new rows; columns without a coefficient are not read.

        Parameters
        ----------
        X : array-like, sparse or data frame of shape (n, p)
            New rows, with the columns the path was fitted on.
        alpha : float or array-like of shape (m,), optional
            Where on the path, as in ``coef_at``; None predicts at every alpha of the grid.
        offset : array-like of shape (n,), or (n, n_outputs) for several outputs, optional
            Added to the linear predictor.
        kind : {"response", "link", "class"}
            "response": the mean (gaussian, huber, mgaussian), the probability of ``classes[1]`` (binomial) or
            of every class (multinomial), the expected count (poisson), the hazard ratio exp(eta) (cox), the
            decision value (squared_hinge). "link": the linear predictor eta = intercept + offset + X @ coef.
            "class": the most likely label.

        Returns
        -------
        ndarray of shape (n,), or (n, m) for several alphas
            Predictions. Those of several outputs have shape (n, n_outputs) or (n, n_outputs, m), classes in
            the order of ``classes``; labels have no axis of outputs.

        Raises
        ------
        DataError
            If columns are not those of the path, a value read is not finite, alpha is out of range, or a
            class is asked for where there is none.

        Examples
        --------
        >>> from fastreg import lasso_path
        >>> path = lasso_path([[2, 0], [0, 2]], [6, 2], alphas=[6, 2, 1], fit_intercept=False)
        >>> path.predict([[1, 1]], alpha=2.0).round(6)
        array([2.])
        """
        kind = check_kind(kind, self.family, self.classes)
        eta = self._predictors(X, alpha, offset)
        if kind == "class":
            assert self.classes is not None
            found = classify(eta, self.classes)
        else:
            found = eta if kind == "link" else respond(self.family, eta)
            found = found[:, 0] if self.n_outputs == 1 else found
        single = alpha is not None and np.ndim(alpha) == 0
        return found[..., 0] if single else found

    def predict_survival(
        self,
        X: Any,
        times: ArrayLike | None = None,
        *,
        alpha: ArrayLike | None = None,
        offset: ArrayLike | None = None,
        strata: Any = None,
    ) -> Float64:
        """Predict the probability to be without an event at some times; for cox paths.

        exp(-H0(t) exp(eta)) with the baseline hazard H0 of Breslow or Efron, as the ties were; between alphas
        of the grid the logarithm of H0 is interpolated.

        Parameters
        ----------
        X : array-like, sparse or data frame of shape (n, p)
            New rows, with the columns the path was fitted on.
        times : float or array-like of shape (T,), optional
            Times, in the unit of y; None takes all event times of a path without strata.
        alpha : float or array-like of shape (m,), optional
            Where on the path, as in ``coef_at``; None predicts at every alpha of the grid.
        offset : array-like of shape (n,), optional
            Added to the linear predictor.
        strata : array-like of shape (n,), optional
            The stratum of each row, for a path with strata.

        Returns
        -------
        float64 ndarray of shape (n, T), or (n, T, m) for several alphas
            Probabilities, which fall along T.

        Raises
        ------
        DataError
            If the path is of another family, a stratum is unknown, or as in ``predict``.

        Examples
        --------
        >>> from fastreg import cox_path
        >>> path = cox_path([[0.0], [1.0], [0.5]], [[3, 1], [1, 1], [2, 0]], alphas=[10.0])
        >>> path.predict_survival([[0.0]], times=[0.5, 1.0], alpha=10.0).round(4)
        array([[1.    , 0.7165]])
        """
        if self.baseline is None:
            raise DataError(f"predict_survival needs a path of cox_path, got family={self.family!r}")
        weights = interpolation(self.alphas, self.alphas if alpha is None else alpha)
        eta = self._predictors(X, alpha, offset)[:, 0]
        found = survive(self.baseline, weights, eta, times, strata)
        return found[..., 0] if alpha is not None and np.ndim(alpha) == 0 else found

    def _predictors(self, X: Any, alpha: ArrayLike | None, offset: ArrayLike | None) -> Float64:
        """Return the linear predictors, shape (n, n_outputs, m)."""
        weights = interpolation(self.alphas, self.alphas if alpha is None else alpha)
        coefs = (self.coefs_sparse @ weights).tocsc()
        eta = linear_predictor(X, coefs, self.feature_names, self.n_outputs)
        eta += (np.atleast_2d(self.intercepts) @ weights)[None]
        if offset is not None:
            eta += output_offsets(offset, len(eta), self.n_outputs)[:, :, None]
        return eta

    def selected(self, alpha: float) -> Index:
        """Return the features with a non-zero coefficient at alpha, in any output.

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
        rows = column.indices[column.data != 0.0]
        return np.unique(rows % self.n_features).astype(np.int64)

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
