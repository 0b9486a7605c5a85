"""Estimators of numbers: least squares, robust regression, counts, several responses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from ._choice import GivenAlpha, Mixed
from ._kinds import Counts, Regression, Responses, Robust
from ._texts import HUBER, POISSON, SQUARES, TASKS, explained

__all__ = [
    "ElasticNet",
    "Lasso",
    "MultiTaskLasso",
    "Ridge",
    "SparseHuberRegressor",
    "SparsePoissonRegressor",
]


@explained(**SQUARES)
@dataclass(eq=False, repr=False, kw_only=True)
class Lasso(Regression, GivenAlpha):
    """Fit the lasso at one alpha.

    {objective}

    with l1_ratio = 1: the objective of scikit-learn's ``Lasso`` at the same alpha.

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    {attributes}

    See Also
    --------
    LassoCV : The same with alpha chosen by cross-validation.
    fastreg.lasso_path : The solutions at many alphas for little more than the price of one.

    Examples
    --------
    >>> import numpy as np
    >>> from fastreg.estimators import Lasso
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((50, 200))
    >>> y = 3 * X[:, 7] - 2 * X[:, 11] + 0.1 * rng.standard_normal(50)
    >>> model = Lasso(alpha=0.5).fit(X, y)
    >>> np.flatnonzero(model.coef_)
    array([ 7, 11])
    >>> bool(model.dual_gap_ < 1e-12), round(model.score(X, y), 1)
    (True, 0.9)
    """

    _fixed: ClassVar[Mapping[str, Any]] = {"family": "gaussian", "l1_ratio": 1.0}


@explained(**SQUARES)
@dataclass(eq=False, repr=False, kw_only=True)
class ElasticNet(Regression, Mixed, GivenAlpha):
    """Fit the elastic net at one alpha.

    {objective}

    which is the objective of scikit-learn's ``ElasticNet`` at the same alpha and l1_ratio.

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    {attributes}

    See Also
    --------
    ElasticNetCV : The same with alpha and l1_ratio chosen by cross-validation.

    Examples
    --------
    Of two equal features the lasso is free to pick one; the elastic net shares between them.

    >>> import numpy as np
    >>> from fastreg.estimators import ElasticNet
    >>> rng = np.random.default_rng(0)
    >>> x = rng.standard_normal(40)
    >>> X = np.column_stack([x, x, rng.standard_normal((40, 5))])
    >>> model = ElasticNet(alpha=0.1, l1_ratio=0.5).fit(X, 2 * x)
    >>> bool(np.isclose(model.coef_[0], model.coef_[1]))
    True
    """

    l1_ratio: float = 0.5

    _fixed: ClassVar[Mapping[str, Any]] = {"family": "gaussian"}


@explained(**SQUARES)
@dataclass(eq=False, repr=False, kw_only=True)
class Ridge(Regression, GivenAlpha):
    """Fit ridge regression at one alpha.

    {objective}

    with l1_ratio = 0. scikit-learn's ``Ridge`` does not divide by the weights: its alpha is this one times
    sum_i w_i (``fastreg.convert.from_sklearn_ridge``).

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    {attributes}

    See Also
    --------
    RidgeCV : The same with alpha chosen by cross-validation.

    Examples
    --------
    >>> import numpy as np
    >>> from fastreg.estimators import Ridge
    >>> rng = np.random.default_rng(0)
    >>> X, y = rng.standard_normal((30, 100)), rng.standard_normal(30)
    >>> model = Ridge(alpha=0.5, fit_intercept=False).fit(X, y)
    >>> b = X.T @ np.linalg.solve(X @ X.T + 30 * 0.5 * np.eye(30), y)
    >>> bool(np.allclose(model.coef_, b))
    True
    """

    _fixed: ClassVar[Mapping[str, Any]] = {"family": "gaussian", "l1_ratio": 0.0}


@explained(**HUBER)
@dataclass(eq=False, repr=False, kw_only=True)
class SparseHuberRegressor(Robust, Mixed, GivenAlpha):
    """Fit sparse robust regression at one alpha: large residuals count by their size, not their square.

    {objective}

    scikit-learn's ``HuberRegressor`` estimates the scale together with the coefficients; here it is fixed
    before, from y alone.

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    {attributes}

    See Also
    --------
    fastreg.huber_path : The same along a path of alphas.

    Examples
    --------
    >>> import numpy as np
    >>> from fastreg.estimators import SparseHuberRegressor
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((80, 100))
    >>> y = 3 * X[:, 7] + 0.1 * rng.standard_normal(80)
    >>> y[:5] += 100
    >>> model = SparseHuberRegressor(alpha=0.5).fit(X, y)
    >>> np.flatnonzero(model.coef_)
    array([7])
    """


@explained(**POISSON)
@dataclass(eq=False, repr=False, kw_only=True)
class SparsePoissonRegressor(Counts, Mixed, GivenAlpha):
    """Fit sparse Poisson regression at one alpha.

    {objective}

    At l1_ratio = 0 this is the objective of scikit-learn's ``PoissonRegressor`` at the same alpha. Where
    exposures differ, fit rates (counts divided by exposures) with the exposures as sample_weight.

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    {attributes}

    See Also
    --------
    fastreg.poisson_path : The same along a path of alphas.

    Examples
    --------
    >>> import numpy as np
    >>> from fastreg.estimators import SparsePoissonRegressor
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((100, 50))
    >>> y = rng.poisson(np.exp(1 + 0.5 * X[:, 3]))
    >>> model = SparsePoissonRegressor(alpha=0.8).fit(X, y)
    >>> np.flatnonzero(model.coef_)
    array([3])
    >>> bool(model.predict(X).min() > 0)
    True
    """

    alpha: float = field(default=0.01, kw_only=False)


@explained(**TASKS)
@dataclass(eq=False, repr=False, kw_only=True)
class MultiTaskLasso(Responses, GivenAlpha):
    """Fit several responses that share their features, at one alpha.

    {objective}

    which is the objective of scikit-learn's ``MultiTaskLasso`` at the same alpha.

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    {attributes}

    See Also
    --------
    fastreg.multitask_path : The same along a path of alphas, also as an elastic net.

    Examples
    --------
    >>> import numpy as np
    >>> from fastreg.estimators import MultiTaskLasso
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((50, 80))
    >>> Y = X[:, [4]] @ [[2.0, -1.0, 3.0]] + 0.1 * rng.standard_normal((50, 3))
    >>> model = MultiTaskLasso(alpha=0.5).fit(X, Y)
    >>> np.flatnonzero(model.coef_.any(axis=0)), model.coef_.shape
    (array([4]), (3, 80))
    """
