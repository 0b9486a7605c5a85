"""Estimators of survival times."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Self

from ._choice import ChosenAlpha, GivenAlpha, Mixed
from ._survival import Survival
from ._texts import COX, explained

__all__ = ["SparseCoxRegressor", "SparseCoxRegressorCV"]


@explained(**COX)
@dataclass(eq=False, repr=False, kw_only=True)
class SparseCoxRegressor(Survival, Mixed, GivenAlpha):
    """Fit the sparse Cox proportional hazards model at one alpha.

    {objective}

    y has the columns time and status (1 for an event, 0 for a censored row) or start, stop and status, as an
    array, structured array or data frame (see ``fastreg.cox_path``); a single column holds times whose events
    were all seen.

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    {attributes}

    See Also
    --------
    fastreg.cox_path : The same along a path of alphas.

    Examples
    --------
    >>> import numpy as np
    >>> from fastreg.estimators import SparseCoxRegressor
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((80, 50))
    >>> time, censored = rng.exponential(np.exp(-X[:, 4])), rng.exponential(2.0, 80)
    >>> y = np.column_stack([np.minimum(time, censored), time <= censored])
    >>> model = SparseCoxRegressor(alpha=0.2).fit(X, y)
    >>> np.flatnonzero(model.coef_)
    array([4])
    >>> model.predict_survival_function(X[:2], times=[0.5, 1.0]).shape
    (2, 2)
    >>> bool(model.score(X, y) > 0.7)
    True
    """

    alpha: float = field(default=0.01, kw_only=False)

    def fit(self, X: Any, y: Any, sample_weight: Any = None, strata: Any = None) -> Self:
        """Fit the model.

        Parameters
        ----------
        X : array-like, sparse matrix or data frame of shape (n, p)
            Features. F-ordered float64 or float32 and CSC are read in place, never changed.
        y : array-like
            Times and status, as the class describes them.
        sample_weight : array-like of shape (n,), optional
            Weights >= 0.
        strata : array-like of shape (n,), optional
            Labels; rows are compared with rows of their own stratum only.

        Returns
        -------
        self
            The fitted estimator.
        """
        return self._fit(X, y, sample_weight, strata=strata)


@explained(**COX)
@dataclass(eq=False, repr=False, kw_only=True)
class SparseCoxRegressorCV(Survival, Mixed, ChosenAlpha):
    """Fit the sparse Cox proportional hazards model at the alpha that cross-validation chooses.

    {objective}

    y is that of ``SparseCoxRegressor``.

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    {attributes}

    See Also
    --------
    fastreg.cv_path : The same as a function.

    Examples
    --------
    >>> import numpy as np
    >>> from fastreg.estimators import SparseCoxRegressorCV
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((80, 30))
    >>> time, censored = rng.exponential(np.exp(-X[:, 4])), rng.exponential(2.0, 80)
    >>> y = np.column_stack([np.minimum(time, censored), time <= censored])
    >>> model = SparseCoxRegressorCV(alphas=20).fit(X, y)
    >>> bool(model.coef_.argmax() == 4 and model.score(X, y) > 0.7)
    True
    """

    def fit(self, X: Any, y: Any, sample_weight: Any = None, groups: Any = None, strata: Any = None) -> Self:
        """Choose alpha by cross-validation, and fit all rows at it.

        Parameters
        ----------
        X : array-like, sparse matrix or data frame of shape (n, p)
            Features. F-ordered float64 or float32 and CSC are read in place, never changed.
        y : array-like
            Times and status, as in ``SparseCoxRegressor``.
        sample_weight : array-like of shape (n,), optional
            Weights >= 0, of the loss and of the scores.
        groups : array-like of shape (n,), optional
            Labels; rows with the same one are never in the training and the test part of one fold.
        strata : array-like of shape (n,), optional
            Labels; rows are compared with rows of their own stratum only.

        Returns
        -------
        self
            The fitted estimator.
        """
        return self._fit(X, y, sample_weight, groups=groups, strata=strata)
