"""The kind of target that is a time, seen to its end or not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from sklearn.base import RegressorMixin

from .._typing import Float64
from ..errors import DataError
from ..selection.ranking import comparable_pairs, concordance
from ..validate import check_weights
from ..validate.labels import check_labels
from ..validate.survival import check_survival
from ..validate.words import wanted
from ._base import Options
from ._reading import is_table, read_known

__all__ = ["Survival"]


@dataclass(eq=False, repr=False, kw_only=True)
class Survival(RegressorMixin, Options):
    """Fit the hazard of survival times."""

    ties: str = "breslow"

    _fixed: ClassVar[Mapping[str, Any]] = {"family": "cox"}

    def _read(self, X: Any, y: Any, **asked: Any) -> tuple[Any, Any]:
        X, y = super()._read(X, y, tables=True, y_numeric=True)
        return X, y if is_table(y) else _with_status(y)

    def _shaped(self, coef: Float64, intercept: Any) -> tuple[Float64, Any]:
        return coef[0], float(intercept[0])

    def predict(self, X: Any) -> Float64:
        """Predict the logarithm of the hazard ratio to a row of zeros: larger means an earlier event.

        Parameters
        ----------
        X : array-like, sparse matrix or data frame of shape (n, p)
            Rows.

        Returns
        -------
        float64 ndarray of shape (n,)
            Logarithms of hazard ratios.
        """
        return self._linear(X)[:, 0]

    def predict_survival_function(self, X: Any, times: Any = None, strata: Any = None) -> Float64:
        """Predict the probability to be without an event at some times.

        Parameters
        ----------
        X : array-like, sparse matrix or data frame of shape (n, p)
            Rows.
        times : float or array-like of shape (T,), optional
            Times, in the unit of y; None takes the event times of a model without strata
            (``path_.baseline.times``).
        strata : array-like of shape (n,), optional
            The stratum of each row, for a model with strata.

        Returns
        -------
        float64 ndarray of shape (n, T)
            Probabilities, which fall along T.
        """
        X = read_known(self, X)
        chances: Float64 = self.path_.predict_survival(X, times, alpha=self.alpha_, strata=strata)
        return chances

    def score(self, X: Any, y: Any, sample_weight: Any = None, strata: Any = None) -> float:
        """Return Harrell's C: the share of comparable pairs whose earlier event had the larger hazard.

        Parameters
        ----------
        X : array-like, sparse matrix or data frame of shape (n, p)
            Rows.
        y : array-like
            Times and status, as in ``fit``.
        sample_weight : array-like of shape (n,), optional
            Weights >= 0: a pair counts the product of its two.
        strata : array-like of shape (n,), optional
            Labels; rows are compared with rows of their own stratum only.

        Returns
        -------
        float
            In [0, 1]; 0.5 is no better than chance, ties in the prediction count one half.
        """
        eta = self.predict(X)
        n = len(eta)
        survival = check_survival(y if is_table(y) else _with_status(np.asarray(y).ravel()), n)
        w, _ = check_weights(sample_weight, n)
        codes = np.zeros(n, np.int64) if strata is None else check_labels(strata, n, "strata").codes
        rows = np.flatnonzero(w > 0.0)
        pairs = comparable_pairs(survival, codes, rows)
        if not pairs:
            remedy = "score more rows at once"
            raise DataError(wanted("y", "hold rows that outlive the event of another", "none", remedy))
        return float(concordance(pairs, w[rows], eta[rows, None])[0])


def _with_status(times: Any) -> Float64:
    """Return times whose events were all seen as the columns time and status."""
    return np.column_stack([times, np.ones(len(times))])
