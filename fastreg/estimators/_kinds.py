"""The kinds of target that estimators fit: numbers and classes. Each reads y, and predicts it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, log_expit, log_softmax, softmax
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.metrics import d2_tweedie_score
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets

from .._links import respond
from .._typing import Float64
from ..errors import DataError
from ..validate import check_weights
from ..validate.options import check_flag
from ..validate.words import wanted
from ._base import Options

__all__ = ["Classification", "Counts", "Margins", "Probabilities", "Regression", "Responses", "Robust"]


@dataclass(eq=False, repr=False, kw_only=True)
class Regression(RegressorMixin, Options):
    """Fit one number per row."""

    fit_intercept: bool = True

    def _read(self, X: Any, y: Any, **asked: Any) -> tuple[Any, Any]:
        return super()._read(X, y, y_numeric=True)

    def _shaped(self, coef: Float64, intercept: Any) -> tuple[Float64, Any]:
        return coef[0], float(intercept[0])

    def predict(self, X: Any) -> Float64:
        """Predict the mean of the response.

        Parameters
        ----------
        X : array-like, sparse matrix or data frame of shape (n, p)
            Rows.

        Returns
        -------
        float64 ndarray of shape (n,)
            Predictions.
        """
        eta = self._linear(X)[:, 0]
        return respond(self.path_.family, eta)


@dataclass(eq=False, repr=False, kw_only=True)
class Robust(Regression):
    """Fit one number per row, of which some may be far off."""

    delta: float = 1.35
    scale: str | float = "mad"

    _fixed: ClassVar[Mapping[str, Any]] = {"family": "huber"}


class Counts(Regression):
    """Fit one number >= 0 per row, whose logarithm is expected to be linear."""

    _fixed: ClassVar[Mapping[str, Any]] = {"family": "poisson"}

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the share of the Poisson deviance that is explained, D^2 in place of R^2.

        Parameters
        ----------
        X : array-like, sparse matrix or data frame of shape (n, p)
            Rows.
        y : array-like of shape (n,)
            Counts.
        sample_weight : array-like of shape (n,), optional
            Weights >= 0.

        Returns
        -------
        float
            At most 1; 0 is a model that predicts the mean of y.
        """
        return float(d2_tweedie_score(y, self.predict(X), sample_weight=sample_weight, power=1))

    def __sklearn_tags__(self) -> Any:
        """Return scikit-learn's tags: y is never negative."""
        tags = super().__sklearn_tags__()
        tags.target_tags.positive_only = True
        return tags


@dataclass(eq=False, repr=False, kw_only=True)
class Responses(RegressorMixin, Options):
    """Fit several numbers per row."""

    fit_intercept: bool = True

    _fixed: ClassVar[Mapping[str, Any]] = {"family": "mgaussian", "l1_ratio": 1.0}

    def _read(self, X: Any, y: Any, **asked: Any) -> tuple[Any, Any]:
        X, y = super()._read(X, y, multi_output=True, y_numeric=True)
        if y.ndim == 1:
            remedy = "Lasso fits one response, y.reshape(-1, 1) makes it a column"
            raise DataError(wanted("y", "have shape (n, responses)", f"{y.shape}", remedy))
        return X, y

    def _shaped(self, coef: Float64, intercept: Any) -> tuple[Float64, Any]:
        return coef, intercept

    def predict(self, X: Any) -> Float64:
        """Predict every response.

        Parameters
        ----------
        X : array-like, sparse matrix or data frame of shape (n, p)
            Rows.

        Returns
        -------
        float64 ndarray of shape (n, responses)
            Predictions.
        """
        return self._linear(X)

    def __sklearn_tags__(self) -> Any:
        """Return scikit-learn's tags: y is a matrix."""
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output, tags.target_tags.single_output = True, False
        return tags


@dataclass(eq=False, repr=False, kw_only=True)
class Classification(ClassifierMixin, Options):
    """Fit one label per row."""

    fit_intercept: bool = True
    class_weight: Any = None

    def _read(self, X: Any, y: Any, **asked: Any) -> tuple[Any, Any]:
        X, y = super()._read(X, y)
        check_classification_targets(y)
        self.classes_ = np.unique(y)
        if len(self.classes_) < 2:
            remedy = "there is nothing to tell apart"
            raise DataError(
                wanted("y", "hold at least two classes", f"one class, {self.classes_.tolist()[0]!r}", remedy)
            )
        return X, y

    def _options(self, y: Any, sample_weight: Any) -> dict[str, Any]:
        if self.class_weight is not None:
            w, total = check_weights(sample_weight, len(y))
            sample_weight = w * total * compute_sample_weight(self.class_weight, y)
        return super()._options(y, sample_weight)

    def _shaped(self, coef: Float64, intercept: Any) -> tuple[Float64, Any]:
        return coef, intercept

    def decision_function(self, X: Any) -> Float64:
        """Return the linear predictors.

        Parameters
        ----------
        X : array-like, sparse matrix or data frame of shape (n, p)
            Rows.

        Returns
        -------
        float64 ndarray of shape (n,), or (n, classes) for more than two
            Above 0 for ``classes_[1]``; of more than two classes the largest is the likeliest.
        """
        eta = self._linear(X)
        return eta[:, 0] if len(self.classes_) == 2 else eta

    def predict(self, X: Any) -> NDArray[Any]:
        """Predict the likeliest class.

        Parameters
        ----------
        X : array-like, sparse matrix or data frame of shape (n, p)
            Rows.

        Returns
        -------
        ndarray of shape (n,)
            Labels.
        """
        eta = self.decision_function(X)
        best = eta.argmax(axis=1) if eta.ndim == 2 else (eta > 0.0).astype(np.intp)
        return np.asarray(self.classes_[best])


class Margins(Classification):
    """Fit a border between two classes, or between each of several and all others."""

    _fixed: ClassVar[Mapping[str, Any]] = {"family": "squared_hinge"}

    def _targets(self, y: Any) -> list[Any]:
        return [y] if len(self.classes_) == 2 else [y == label for label in self.classes_]


@dataclass(eq=False, repr=False, kw_only=True)
class Probabilities(Classification):
    """Fit the probabilities of classes."""

    grouped: bool = False

    def _options(self, y: Any, sample_weight: Any) -> dict[str, Any]:
        options = super()._options(y, sample_weight)
        grouped = check_flag(options.pop("grouped"), "grouped")
        # Of two classes one set of coefficients says all.
        if len(self.classes_) == 2:
            return options | {"family": "binomial"}
        return options | {"family": "multinomial", "grouped": grouped}

    def predict_proba(self, X: Any) -> Float64:
        """Predict the probability of every class.

        Parameters
        ----------
        X : array-like, sparse matrix or data frame of shape (n, p)
            Rows.

        Returns
        -------
        float64 ndarray of shape (n, classes)
            Probabilities, in the order of ``classes_``.
        """
        eta = self.decision_function(X)
        if eta.ndim == 2:
            return np.asarray(softmax(eta, axis=1))
        return np.asarray(expit(np.column_stack([-eta, eta])))

    def predict_log_proba(self, X: Any) -> Float64:
        """Predict the logarithm of the probability of every class, finite where that underflows.

        Parameters
        ----------
        X : array-like, sparse matrix or data frame of shape (n, p)
            Rows.

        Returns
        -------
        float64 ndarray of shape (n, classes)
            Logarithms, in the order of ``classes_``.
        """
        eta = self.decision_function(X)
        if eta.ndim == 2:
            return np.asarray(log_softmax(eta, axis=1))
        return np.asarray(log_expit(np.column_stack([-eta, eta])))
