"""The path functions of least squares: thin doors to ``request``, where all is checked and solved."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Unpack, overload

from ._docs import documented
from ._options import EnetOptions, SquaresOptions
from ._typing import Float64
from .control import PathStep
from .request import DEFAULT_MAX_ITER, DEFAULT_TOL, passed
from .result import PathResult
from .run import run, run_each

__all__ = ["enet_path", "lasso_path", "multitask_path", "ridge_path"]

NUMBERS = """
y : (n,) array
    Response.
"""
SQUARES = "sum_i w_i (y_i - b0 - o_i - x_i . b)^2 / (2 sum_i w_i)"
MANY = """
multi_response : "independent", optional
    Solve a path for every column of y (n, q) by itself, and return a tuple of q results; X is checked and
    surveyed once for all of them, and they are solved in threads. `offset` may then be (n, q) and `coef_init`
    (q, p); `multitask_path` is for responses that share their features.
"""
AS_SCIKIT_LEARN = """
l1_ratio : float, default 0.5
    Share of the L1 penalty, in [0, 1].
fit_intercept : bool, optional
    Whether to fit b0. By default no, as in scikit-learn; a warning says so when y is clearly not centred.
"""
BY_DEFAULT = """
fit_intercept : bool, optional
    Whether to fit b0. By default yes.
"""


@overload
def lasso_path(
    X: Any, y: Any, *, multi_response: None = None, **options: Unpack[SquaresOptions]
) -> PathResult: ...
@overload
def lasso_path(
    X: Any, y: Any, *, multi_response: str, **options: Unpack[SquaresOptions]
) -> tuple[PathResult, ...]: ...
@documented(y=NUMBERS, loss=SQUARES, own=AS_SCIKIT_LEARN + MANY)
def lasso_path(
    X: Any,
    y: Any,
    *,
    eps: float | str | None = 1e-3,
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
    multi_response: str | None = None,
) -> PathResult | tuple[PathResult, ...]:
    """Solve the lasso along a path of alphas, certified at each.

    {objective}

    Parameters
    ----------
    {parameters}

    Returns
    -------
    {returns}

    Raises
    ------
    {raises}

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
    return run_each(X, y, ask, multi_response, default_intercept=False)


@overload
def enet_path(
    X: Any, y: Any, *, multi_response: None = None, **options: Unpack[EnetOptions]
) -> PathResult: ...
@overload
def enet_path(
    X: Any, y: Any, *, multi_response: str, **options: Unpack[EnetOptions]
) -> tuple[PathResult, ...]: ...
@documented(y=NUMBERS, loss=SQUARES, own=AS_SCIKIT_LEARN + MANY)
def enet_path(
    X: Any,
    y: Any,
    *,
    l1_ratio: float = 0.5,
    eps: float | str | None = 1e-3,
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
    multi_response: str | None = None,
) -> PathResult | tuple[PathResult, ...]:
    """Solve the elastic net along a path of alphas, certified at each.

    {objective}

    Parameters
    ----------
    {parameters}

    Returns
    -------
    {returns}

    Raises
    ------
    {raises}

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
    return run_each(X, y, ask, multi_response, default_intercept=False)


@overload
def ridge_path(
    X: Any, y: Any, *, multi_response: None = None, **options: Unpack[SquaresOptions]
) -> PathResult: ...
@overload
def ridge_path(
    X: Any, y: Any, *, multi_response: str, **options: Unpack[SquaresOptions]
) -> tuple[PathResult, ...]: ...
@documented(y=NUMBERS, loss=SQUARES, own=BY_DEFAULT + MANY)
def ridge_path(
    X: Any,
    y: Any,
    *,
    eps: float | str | None = None,
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
    multi_response: str | None = None,
) -> PathResult | tuple[PathResult, ...]:
    """Solve ridge regression for all alphas, certified at each.

    {objective}

    Parameters
    ----------
    {parameters}

    Returns
    -------
    {returns}

    Raises
    ------
    {raises}

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
    return run_each(X, y, ask, multi_response, default_intercept=True)


@documented(
    y="""
    y : (n, q) array or data frame
        Responses, one column each.
    """,
    loss="sum_i w_i sum_c (y_ic - eta_ic)^2 / (2 sum_i w_i)",
    where="eta_ic = b0_c + o_ic + x_i . b_c; b_j holds the q coefficients of feature j.",
    penalty="norm",
    own="""
    offset : (n, q) or (n,) array, optional
        Known parts o of the predictions; one column stands for all responses.
    """,
)
def multitask_path(
    X: Any,
    y: Any,
    *,
    l1_ratio: float = 1.0,
    eps: float | str | None = None,
    alphas: int | Sequence[float] | Float64 | None = 100,
    fit_intercept: bool = True,
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
    feature_names: Sequence[str] | None = None,
) -> PathResult:
    """Solve the multi-task lasso along a path of alphas: a feature enters for all responses or for none.

    {objective}

    Parameters
    ----------
    {parameters}

    Returns
    -------
    {returns}

    Raises
    ------
    {raises}

    Notes
    -----
    Duality gaps are certified as for one response. `coefs` has shape (q, p, K), `intercepts` (q, K).
    Row-sparse least squares: Obozinski, Taskar and Jordan, Stat. Comput. 20 (2010) 231-252, equation 1; the
    norm of groups: Yuan and Lin, J. R. Stat. Soc. B 68 (2006) 49-67.

    Examples
    --------
    >>> import numpy as np
    >>> from fastreg import multitask_path
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((40, 60))
    >>> B = np.zeros((60, 3))
    >>> B[[4, 9]] = [[2, -2, 1], [1, 1, -2]]
    >>> path = multitask_path(X, X @ B + 0.1 * rng.standard_normal((40, 3)), alphas=20)
    >>> sorted(path.order_of_entry()[:2].tolist())
    [4, 9]
    >>> path.coefs.shape
    (3, 60, 20)
    """
    return run(X, y, passed(locals(), family="mgaussian"))
