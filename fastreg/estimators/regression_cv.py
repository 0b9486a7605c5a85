"""Estimators of numbers that choose alpha by cross-validation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from ._choice import ChosenAlpha, Mixed
from ._kinds import Counts, Regression, Responses, Robust
from ._texts import HUBER, POISSON, SQUARES, TASKS, explained

__all__ = [
    "ElasticNetCV",
    "LassoCV",
    "MultiTaskLassoCV",
    "RidgeCV",
    "SparseHuberRegressorCV",
    "SparsePoissonRegressorCV",
]


@explained(**SQUARES)
@dataclass(eq=False, repr=False, kw_only=True)
class LassoCV(Regression, ChosenAlpha):
    """Fit the lasso at the alpha that cross-validation chooses.

    {objective}

    with l1_ratio = 1. One grid of alphas serves all folds; with standardize=True every fold is scaled by its
    own training rows, which a ``StandardScaler`` before this estimator does not do (docs/estimators.md).

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
    >>> from fastreg.estimators import LassoCV
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((60, 100))
    >>> y = 3 * X[:, 7] - 2 * X[:, 11] + rng.standard_normal(60)
    >>> model = LassoCV(select="1se").fit(X, y)
    >>> np.flatnonzero(model.coef_)
    array([ 7, 11])
    >>> model.alpha_ == model.cv_.alpha_1se, model.cv_.scores.shape
    (True, (5, 100))
    """

    _fixed: ClassVar[Mapping[str, Any]] = {"family": "gaussian", "l1_ratio": 1.0}


@explained(
    own="""
    l1_ratio : float or sequence of float
        Share of the L1 penalty, in [0, 1]; of several the best is chosen.
    """,
    **SQUARES,
)
@dataclass(eq=False, repr=False, kw_only=True)
class ElasticNetCV(Regression, Mixed, ChosenAlpha):
    """Fit the elastic net at the alpha and l1_ratio that cross-validation chooses.

    {objective}

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
    >>> from fastreg.estimators import ElasticNetCV
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((60, 40))
    >>> y = X[:, :3].sum(axis=1) + rng.standard_normal(60)
    >>> model = ElasticNetCV(l1_ratio=[0.5, 0.9, 1.0], alphas=20).fit(X, y)
    >>> model.l1_ratio_ in (0.5, 0.9, 1.0), len(model.cv_.curves)
    (True, 3)
    """

    l1_ratio: float | Sequence[float] = 0.5

    _fixed: ClassVar[Mapping[str, Any]] = {"family": "gaussian"}


@explained(**SQUARES)
@dataclass(eq=False, repr=False, kw_only=True)
class RidgeCV(Regression, ChosenAlpha):
    """Fit ridge regression at the alpha that cross-validation chooses.

    {objective}

    with l1_ratio = 0. scikit-learn's ``RidgeCV`` leaves out single rows by default (``cv=len(y)`` here), and
    its alphas are these times sum_i w_i.

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
    >>> from fastreg.estimators import RidgeCV
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((40, 60))
    >>> model = RidgeCV(alphas=[0.1, 1.0, 10.0]).fit(X, X[:, :30].sum(axis=1))
    >>> model.alpha_ in (0.1, 1.0, 10.0), model.coef_.shape
    (True, (60,))
    """

    _fixed: ClassVar[Mapping[str, Any]] = {"family": "gaussian", "l1_ratio": 0.0}


@explained(**HUBER)
@dataclass(eq=False, repr=False, kw_only=True)
class SparseHuberRegressorCV(Robust, Mixed, ChosenAlpha):
    """Fit sparse robust regression at the alpha that cross-validation chooses.

    {objective}

    Folds are judged by the same loss, so that rows far off do not decide.

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
    >>> from fastreg.estimators import SparseHuberRegressorCV
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((80, 30))
    >>> y = 3 * X[:, 7] + 0.1 * rng.standard_normal(80)
    >>> y[:5] += 100
    >>> model = SparseHuberRegressorCV(alphas=20).fit(X, y)
    >>> int(model.coef_.argmax()), bool(model.coef_[7] > 1)
    (7, True)
    """


@explained(**POISSON)
@dataclass(eq=False, repr=False, kw_only=True)
class SparsePoissonRegressorCV(Counts, Mixed, ChosenAlpha):
    """Fit sparse Poisson regression at the alpha that cross-validation chooses.

    {objective}

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
    >>> from fastreg.estimators import SparsePoissonRegressorCV
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((100, 30))
    >>> y = rng.poisson(np.exp(1 + 0.5 * X[:, 3]))
    >>> model = SparsePoissonRegressorCV(alphas=20, select="1se").fit(X, y)
    >>> bool(model.coef_.argmax() == 3 and model.score(X, y) > 0.2)
    True
    """


@explained(**TASKS)
@dataclass(eq=False, repr=False, kw_only=True)
class MultiTaskLassoCV(Responses, ChosenAlpha):
    """Fit several responses that share their features, at the alpha that cross-validation chooses.

    {objective}

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
    >>> from fastreg.estimators import MultiTaskLassoCV
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((50, 30))
    >>> Y = X[:, [4]] @ [[2.0, -1.0, 3.0]] + 0.1 * rng.standard_normal((50, 3))
    >>> model = MultiTaskLassoCV(alphas=20, select="1se").fit(X, Y)
    >>> np.flatnonzero(model.coef_.any(axis=0)), model.coef_.shape
    (array([4]), (3, 30))
    """
