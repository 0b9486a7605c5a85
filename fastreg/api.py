"""The path functions: thin doors that check what they are given and hand it to the one path loop."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ._typing import Float64
from .control import Monitor, PathStep
from .designs.threads import available_threads
from .errors import InputWarning
from .path import PathSettings, fit_path
from .penalty import make_penalty
from .problem import make_problem, make_response
from .result import PathResult
from .validate import (
    check_alphas,
    check_coefficients,
    check_design,
    check_drop_in,
    check_flag,
    check_offset,
    check_options,
    check_response,
    check_weights,
)

__all__ = ["enet_path", "lasso_path", "ridge_path"]

DEFAULT_TOL = 1e-7
# Rounds of the solver at one alpha: far beyond what any certified path has needed.
DEFAULT_MAX_ITER = 10_000
# A mean of y beyond this many standard errors is not a centred response.
OFF_CENTRE = 6.0


@dataclass(frozen=True)
class _Request:
    """What all path functions take, exactly as given."""

    eps: Any
    alphas: Any
    l1_ratio: Any
    fit_intercept: Any
    standardize: Any
    sample_weight: Any
    offset: Any
    penalty_factor: Any
    positive: Any
    lower_limits: Any
    upper_limits: Any
    coef_init: Any
    max_features: Any
    max_time: Any
    tol: Any
    max_iter: Any
    n_threads: Any
    callback: Any
    progress: Any
    verbose: Any
    return_n_iter: Any
    feature_names: Any
    n_alphas: Any
    precompute: Any
    Xy: Any
    copy_X: Any
    check_input: Any
    selection: Any
    random_state: Any


def _run(X: Any, y: Any, ask: _Request, *, default_intercept: bool) -> PathResult:
    """Check everything at the border, then solve the path."""
    options = check_options(ask.l1_ratio, ask.tol, ask.max_iter, ask.max_features, ask.max_time, ask.n_threads)
    given = check_design(X, ask.feature_names)
    check_drop_in(ask.precompute, ask.Xy, ask.copy_X, ask.selection, ask.random_state, ask.check_input, given.p)
    response = check_response(y, given.n)
    w, total_weight = check_weights(ask.sample_weight, given.n)
    offset = check_offset(ask.offset, given.n) if ask.offset is not None else None
    grid = check_alphas(ask.alphas, ask.eps, ask.n_alphas, given.n, given.p)
    penalty = make_penalty(
        given.p, options.l1_ratio, ask.penalty_factor, ask.positive, ask.lower_limits, ask.upper_limits
    )
    coef_init = check_coefficients(ask.coef_init, given.p)
    fit_intercept = default_intercept if ask.fit_intercept is None else check_flag(ask.fit_intercept, "fit_intercept")
    if ask.fit_intercept is None and not default_intercept:
        _warn_off_centre(response if offset is None else response - offset, w)
    monitor = Monitor(
        grid.size, options.max_time, options.max_features, ask.callback, ask.progress, ask.verbose
    )
    settings = PathSettings(
        tol=options.tol,
        max_iter=options.max_iter,
        n_threads=options.n_threads or available_threads(),
        coef_init=coef_init,
        return_n_iter=check_flag(ask.return_n_iter, "return_n_iter"),
    )
    target = make_response(response, offset, w, total_weight, fit_intercept=fit_intercept)
    problem = make_problem(
        given,
        target,
        penalty,
        fit_intercept=fit_intercept,
        standardize=check_flag(ask.standardize, "standardize"),
        n_threads=settings.n_threads,
    )
    return fit_path(problem, grid, settings, monitor)


def _warn_off_centre(y: Float64, w: Float64) -> None:
    """Warn when a path without intercept was not asked for and y has a mean that is no accident."""
    mean = float(w @ y)
    spread = float(np.sqrt(w @ (y - mean) ** 2))
    if abs(mean) > OFF_CENTRE * spread / np.sqrt(len(y)) and abs(mean) > 1e-8 * float(np.max(np.abs(y))):
        warnings.warn(
            f"y has mean {mean:.4g} and standard deviation {spread:.4g}, but no intercept is fitted, as in "
            "scikit-learn's path functions: pass fit_intercept=True, or fit_intercept=False to say that this is meant",
            InputWarning,
            stacklevel=4,
        )


def _passed(local: dict[str, Any]) -> dict[str, Any]:
    """Return a path function's arguments without X and y."""
    return {name: value for name, value in local.items() if name not in ("X", "y")}


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
        Whether to penalise b_j times the weighted standard deviation of x_j; coefficients are on the input scale.
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
        Coefficients, intercepts and certified duality gaps at every alpha; unpacks as `alphas, coefs, dual_gaps`.

    Raises
    ------
    DataError
        If a value cannot be used: what was expected, what came, what to do.
    DataTypeError
        If X, y or an option is of a type that cannot be used.

    Notes
    -----
    Formulas F1 to F33 of docs/math.md: lazy references, exact finish, duality gap without cancellation. On dense wide
    data every alpha is solved to rounding, whatever tol is; on large sparse data to tol.

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
    ask = _Request(l1_ratio=1.0, **_passed(locals()))
    return _run(X, y, ask, default_intercept=False)


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
        Whether to penalise b_j times the weighted standard deviation of x_j; coefficients are on the input scale.
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
        Coefficients, intercepts and certified duality gaps at every alpha; unpacks as `alphas, coefs, dual_gaps`.

    Raises
    ------
    DataError
        If a value cannot be used: what was expected, what came, what to do.
    DataTypeError
        If X, y or an option is of a type that cannot be used.

    Notes
    -----
    Formulas F1 to F33 of docs/math.md: lazy references, exact finish, duality gap without cancellation. On dense wide
    data every alpha is solved to rounding, whatever tol is; on large sparse data to tol.

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
    ask = _Request(**_passed(locals()))
    return _run(X, y, ask, default_intercept=False)


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
        Whether to penalise b_j times the weighted standard deviation of x_j; coefficients are on the input scale.
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
        Coefficients, intercepts and certified duality gaps at every alpha; unpacks as `alphas, coefs, dual_gaps`.

    Raises
    ------
    DataError
        If a value cannot be used: what was expected, what came, what to do.
    DataTypeError
        If X, y or an option is of a type that cannot be used.

    Notes
    -----
    l1_ratio = 0: one eigendecomposition of the smaller Gram matrix serves all alphas (F33 of docs/math.md). No finite alpha makes all
    coefficients zero: the automatic grid starts where l1_ratio = 0.001 would, which is glmnet's choice.

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
    ask = _Request(l1_ratio=0.0, **_passed(locals()))
    return _run(X, y, ask, default_intercept=True)
