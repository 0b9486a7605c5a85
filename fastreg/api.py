"""The path functions: thin doors; what they are given is checked and solved in ``request``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ._typing import Float64
from .control import PathStep
from .request import DEFAULT_MAX_ITER, DEFAULT_TOL, passed, run
from .result import PathResult

__all__ = ["enet_path", "lasso_path", "ridge_path"]


def lasso_path(
    X: Any,
    y: Any,
    *,
    eps: float | str = 1e-3,
    alphas: int | Sequence[float] | Float64 | None = 100,
    fit_intercept: bool | None = None,
    standardize: bool = False,
    sample_weight: Any = None,
    offset: Any = None,
    penalty_factor: Any = None,
    positive: bool = False,
    lower_limits: Any = None,
    upper_limits: Any = None,
    coef_init: Any = None,
    max_features: int | None = None,
    max_time: float | None = None,
    tol: float = DEFAULT_TOL,
    max_iter: int = DEFAULT_MAX_ITER,
    n_threads: int | None = None,
    callback: Callable[[PathStep], Any] | None = None,
    progress: bool = False,
    verbose: bool | int = False,
    return_n_iter: bool = False,
    feature_names: Sequence[str] | None = None,
    n_alphas: int | None = None,
    precompute: Any = None,
    Xy: Any = None,
    copy_X: bool = True,
    check_input: bool = True,
    selection: str = "cyclic",
    random_state: Any = None,
) -> PathResult:
    """Solve the lasso along a path of alphas, certified at each.

    Minimise over b0 and b

        sum_i w_i (y_i - b0 - o_i - x_i . b)^2 / (2 sum_i w_i)
          + alpha * sum_j v_j * (l1_ratio * |b_j| + (1 - l1_ratio) / 2 * b_j^2)
        subject to lower_j <= b_j <= upper_j

    Parameters
    ----------
    X : (n, p) array, sparse matrix, memory map or data frame
        Features. F-ordered float64 or float32 and CSC are read in place, never changed.
    y : (n,) array
        Response.
    eps : float or "auto"
        Smallest alpha relative to alpha_max; "auto" is 1e-2 when p > n, else 1e-4.
    alphas : int or (K,) array
        Size of the geometric grid from alpha_max down, or the values themselves in any order.
    fit_intercept : bool, optional
        Whether to fit b0. By default no, as in scikit-learn; a warning says so when y is clearly not centred.
    standardize : bool
        Whether to penalise b_j times the weighted standard deviation of x_j; b keeps the input scale.
    sample_weight : (n,) array, optional
        Weights w >= 0.
    offset : (n,) array, optional
        Known part o of the prediction.
    penalty_factor : (p,) array, optional
        Factors v >= 0, used as given: 0 leaves a feature free, inf excludes it.
    positive : bool
        Whether to keep all coefficients >= 0.
    lower_limits, upper_limits : float or (p,) array, optional
        Bounds <= 0 and >= 0 of the coefficients.
    coef_init : (p,) array, optional
        Coefficients to start from.
    max_features : int, optional
        End the path before the first alpha with more features.
    max_time : float, optional
        Seconds after which the finished part is returned.
    tol : float
        Bound of the duality gap relative to the null model's objective.
    max_iter : int
        Bound of the solver's rounds at one alpha.
    n_threads : int, optional
        Threads that read large X; results do not depend on it. All processors by default.
    callback : callable, optional
        Called with a `PathStep` after each alpha; returning True ends the path.
    progress : bool
        Whether to show a progress bar on stderr.
    verbose : bool or int
        Whether to write a line per alpha on stderr.
    return_n_iter : bool
        Whether the result unpacks into four items, as in scikit-learn.
    feature_names : sequence of str, optional
        Names of the columns.
    n_alphas, precompute, Xy, copy_X, check_input, selection, random_state : optional
        scikit-learn's arguments: checked, and without influence on the solution.

    Returns
    -------
    PathResult
        Coefficients, intercepts and certified duality gaps at every alpha; unpacks as
        `alphas, coefs, dual_gaps`.

    Raises
    ------
    DataError
        If a value cannot be used: what was expected, what came, what to do.
    DataTypeError
        If X, y or an option is of a type that cannot be used.

    Notes
    -----
    Formulas F1 to F35 of docs/math.md: lazy references, exact finish, duality gap without cancellation. On
    dense wide data every alpha is solved to rounding, whatever tol is; on large sparse data to tol.

    Examples
    --------
    >>> import numpy as np
    >>> from fastreg import lasso_path
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((50, 200))
    >>> y = 3 * X[:, 7] - 2 * X[:, 11] + 0.1 * rng.standard_normal(50)
    >>> path = lasso_path(X, y, alphas=20, fit_intercept=True)
    >>> path.order_of_entry()[:2]
    array([ 7, 11])
    >>> bool(path.relative_gaps.max() < 1e-12)
    True
    """
    ask = passed(locals(), l1_ratio=1.0)
    return run(X, y, ask, default_intercept=False)


def enet_path(
    X: Any,
    y: Any,
    *,
    l1_ratio: float = 0.5,
    eps: float | str = 1e-3,
    alphas: int | Sequence[float] | Float64 | None = 100,
    fit_intercept: bool | None = None,
    standardize: bool = False,
    sample_weight: Any = None,
    offset: Any = None,
    penalty_factor: Any = None,
    positive: bool = False,
    lower_limits: Any = None,
    upper_limits: Any = None,
    coef_init: Any = None,
    max_features: int | None = None,
    max_time: float | None = None,
    tol: float = DEFAULT_TOL,
    max_iter: int = DEFAULT_MAX_ITER,
    n_threads: int | None = None,
    callback: Callable[[PathStep], Any] | None = None,
    progress: bool = False,
    verbose: bool | int = False,
    return_n_iter: bool = False,
    feature_names: Sequence[str] | None = None,
    n_alphas: int | None = None,
    precompute: Any = None,
    Xy: Any = None,
    copy_X: bool = True,
    check_input: bool = True,
    selection: str = "cyclic",
    random_state: Any = None,
) -> PathResult:
    """Solve the elastic net along a path of alphas, certified at each.

    Minimise over b0 and b

        sum_i w_i (y_i - b0 - o_i - x_i . b)^2 / (2 sum_i w_i)
          + alpha * sum_j v_j * (l1_ratio * |b_j| + (1 - l1_ratio) / 2 * b_j^2)
        subject to lower_j <= b_j <= upper_j

    Parameters
    ----------
    X : (n, p) array, sparse matrix, memory map or data frame
        Features. F-ordered float64 or float32 and CSC are read in place, never changed.
    y : (n,) array
        Response.
    l1_ratio : float, default 0.5
        Share of the L1 penalty, in [0, 1].
    eps : float or "auto"
        Smallest alpha relative to alpha_max; "auto" is 1e-2 when p > n, else 1e-4.
    alphas : int or (K,) array
        Size of the geometric grid from alpha_max down, or the values themselves in any order.
    fit_intercept : bool, optional
        Whether to fit b0. By default no, as in scikit-learn; a warning says so when y is clearly not centred.
    standardize : bool
        Whether to penalise b_j times the weighted standard deviation of x_j; b keeps the input scale.
    sample_weight : (n,) array, optional
        Weights w >= 0.
    offset : (n,) array, optional
        Known part o of the prediction.
    penalty_factor : (p,) array, optional
        Factors v >= 0, used as given: 0 leaves a feature free, inf excludes it.
    positive : bool
        Whether to keep all coefficients >= 0.
    lower_limits, upper_limits : float or (p,) array, optional
        Bounds <= 0 and >= 0 of the coefficients.
    coef_init : (p,) array, optional
        Coefficients to start from.
    max_features : int, optional
        End the path before the first alpha with more features.
    max_time : float, optional
        Seconds after which the finished part is returned.
    tol : float
        Bound of the duality gap relative to the null model's objective.
    max_iter : int
        Bound of the solver's rounds at one alpha.
    n_threads : int, optional
        Threads that read large X; results do not depend on it. All processors by default.
    callback : callable, optional
        Called with a `PathStep` after each alpha; returning True ends the path.
    progress : bool
        Whether to show a progress bar on stderr.
    verbose : bool or int
        Whether to write a line per alpha on stderr.
    return_n_iter : bool
        Whether the result unpacks into four items, as in scikit-learn.
    feature_names : sequence of str, optional
        Names of the columns.
    n_alphas, precompute, Xy, copy_X, check_input, selection, random_state : optional
        scikit-learn's arguments: checked, and without influence on the solution.

    Returns
    -------
    PathResult
        Coefficients, intercepts and certified duality gaps at every alpha; unpacks as
        `alphas, coefs, dual_gaps`.

    Raises
    ------
    DataError
        If a value cannot be used: what was expected, what came, what to do.
    DataTypeError
        If X, y or an option is of a type that cannot be used.

    Notes
    -----
    Formulas F1 to F35 of docs/math.md: lazy references, exact finish, duality gap without cancellation. On
    dense wide data every alpha is solved to rounding, whatever tol is; on large sparse data to tol.

    Examples
    --------
    Of two equal features the lasso is free to pick one; the elastic net shares between them.

    >>> import numpy as np
    >>> from fastreg import enet_path
    >>> rng = np.random.default_rng(0)
    >>> x = rng.standard_normal(40)
    >>> X = np.column_stack([x, x, rng.standard_normal((40, 5))])
    >>> path = enet_path(X, 2 * x, l1_ratio=0.5, alphas=[0.1], fit_intercept=True)
    >>> bool(np.isclose(path.coefs[0, 0], path.coefs[1, 0]))
    True
    """
    ask = passed(locals())
    return run(X, y, ask, default_intercept=False)


def ridge_path(
    X: Any,
    y: Any,
    *,
    eps: float | str = 1e-3,
    alphas: int | Sequence[float] | Float64 | None = 100,
    fit_intercept: bool | None = None,
    standardize: bool = False,
    sample_weight: Any = None,
    offset: Any = None,
    penalty_factor: Any = None,
    positive: bool = False,
    lower_limits: Any = None,
    upper_limits: Any = None,
    coef_init: Any = None,
    max_features: int | None = None,
    max_time: float | None = None,
    tol: float = DEFAULT_TOL,
    max_iter: int = DEFAULT_MAX_ITER,
    n_threads: int | None = None,
    callback: Callable[[PathStep], Any] | None = None,
    progress: bool = False,
    verbose: bool | int = False,
    return_n_iter: bool = False,
    feature_names: Sequence[str] | None = None,
    n_alphas: int | None = None,
    precompute: Any = None,
    Xy: Any = None,
    copy_X: bool = True,
    check_input: bool = True,
    selection: str = "cyclic",
    random_state: Any = None,
) -> PathResult:
    """Solve ridge regression for all alphas, certified at each.

    Minimise over b0 and b

        sum_i w_i (y_i - b0 - o_i - x_i . b)^2 / (2 sum_i w_i)
          + alpha * sum_j v_j * (l1_ratio * |b_j| + (1 - l1_ratio) / 2 * b_j^2)
        subject to lower_j <= b_j <= upper_j

    Parameters
    ----------
    X : (n, p) array, sparse matrix, memory map or data frame
        Features. F-ordered float64 or float32 and CSC are read in place, never changed.
    y : (n,) array
        Response.
    eps : float or "auto"
        Smallest alpha relative to alpha_max; "auto" is 1e-2 when p > n, else 1e-4.
    alphas : int or (K,) array
        Size of the geometric grid from alpha_max down, or the values themselves in any order.
    fit_intercept : bool, optional
        Whether to fit b0. By default yes.
    standardize : bool
        Whether to penalise b_j times the weighted standard deviation of x_j; b keeps the input scale.
    sample_weight : (n,) array, optional
        Weights w >= 0.
    offset : (n,) array, optional
        Known part o of the prediction.
    penalty_factor : (p,) array, optional
        Factors v >= 0, used as given: 0 leaves a feature free, inf excludes it.
    positive : bool
        Whether to keep all coefficients >= 0.
    lower_limits, upper_limits : float or (p,) array, optional
        Bounds <= 0 and >= 0 of the coefficients.
    coef_init : (p,) array, optional
        Coefficients to start from.
    max_features : int, optional
        End the path before the first alpha with more features.
    max_time : float, optional
        Seconds after which the finished part is returned.
    tol : float
        Bound of the duality gap relative to the null model's objective.
    max_iter : int
        Bound of the solver's rounds at one alpha.
    n_threads : int, optional
        Threads that read large X; results do not depend on it. All processors by default.
    callback : callable, optional
        Called with a `PathStep` after each alpha; returning True ends the path.
    progress : bool
        Whether to show a progress bar on stderr.
    verbose : bool or int
        Whether to write a line per alpha on stderr.
    return_n_iter : bool
        Whether the result unpacks into four items, as in scikit-learn.
    feature_names : sequence of str, optional
        Names of the columns.
    n_alphas, precompute, Xy, copy_X, check_input, selection, random_state : optional
        scikit-learn's arguments: checked, and without influence on the solution.

    Returns
    -------
    PathResult
        Coefficients, intercepts and certified duality gaps at every alpha; unpacks as
        `alphas, coefs, dual_gaps`.

    Raises
    ------
    DataError
        If a value cannot be used: what was expected, what came, what to do.
    DataTypeError
        If X, y or an option is of a type that cannot be used.

    Notes
    -----
    l1_ratio = 0: one eigendecomposition of the smaller Gram matrix serves all alphas (F29, F30).
    No finite alpha makes all coefficients zero: the automatic grid starts where l1_ratio = 0.001 would, which
    is glmnet's choice.

    Examples
    --------
    >>> import numpy as np
    >>> from fastreg import ridge_path
    >>> rng = np.random.default_rng(0)
    >>> X, y = rng.standard_normal((30, 100)), rng.standard_normal(30)
    >>> path = ridge_path(X, y, alphas=[0.5], fit_intercept=False)
    >>> b = X.T @ np.linalg.solve(X @ X.T + 30 * 0.5 * np.eye(30), y)
    >>> bool(np.allclose(path.coefs[:, 0], b))
    True
    """
    ask = passed(locals(), l1_ratio=0.0)
    return run(X, y, ask, default_intercept=True)
