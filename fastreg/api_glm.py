"""The path functions of counts, robust regression and survival, and the general one behind all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ._docs import documented
from ._typing import Float64
from .control import PathStep
from .request import DEFAULT_MAX_ITER, DEFAULT_TOL, passed
from .result import PathResult
from .run import run

__all__ = ["cox_path", "glm_path", "huber_path", "poisson_path"]


@documented(
    y="""
    y : (n,) array
        Counts >= 0, not all zero under an intercept; they need not be whole numbers.
    """,
    loss="sum_i w_i (exp(eta_i) - y_i eta_i) / sum_i w_i",
    where="eta_i = b0 + o_i + x_i . b; the offset o is the logarithm of the exposure.",
)
def poisson_path(
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
    """Solve sparse Poisson regression along a path of alphas, certified at each.

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
    The objective and the gap count from the perfect fit: half the mean deviance. Log link; McCullagh and
    Nelder, Generalized Linear Models (1989), chapter 6.

    Examples
    --------
    >>> import numpy as np
    >>> from fastreg import poisson_path
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((100, 80))
    >>> y = rng.poisson(np.exp(1.0 + X[:, 6]))
    >>> path = poisson_path(X, y, alphas=20)
    >>> path.order_of_entry()[:1]
    array([6])
    >>> bool(np.isclose(path.predict(X).mean(axis=0), y.mean()).all())
    True
    """
    return run(X, y, passed(locals(), family="poisson"))


@documented(
    y="""
    y : (n,) array
        Response.
    """,
    loss="sum_i w_i h(y_i - b0 - o_i - x_i . b) / sum_i w_i",
    where="with h(e) = e^2 / 2 where |e| <= delta * scale =: d, else d |e| - d^2 / 2.",
)
def huber_path(
    X: Any,
    y: Any,
    *,
    delta: float = 1.35,
    scale: str | float = "mad",
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
    """Solve sparse Huber regression along a path of alphas, certified at each; outliers count linearly.

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
    At delta = 1.35 robust scales the fit keeps 95 % of the efficiency of least squares on normal errors. The
    scale is taken once, from y; it is not fitted along with b. Huber, Ann. Math. Statist. 35 (1964) 73-101;
    paths of it: Yi and Huang, J. Comput. Graph. Stat. 26 (2017) 547-557.

    Examples
    --------
    >>> import numpy as np
    >>> from fastreg import huber_path
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((60, 100))
    >>> y = 3 * X[:, 5] + 0.1 * rng.standard_normal(60)
    >>> y[:3] += 1000.0
    >>> path = huber_path(X, y, alphas=20)
    >>> path.order_of_entry()[:1]
    array([5])
    """
    return run(X, y, passed(locals(), family="huber"))


@documented(
    y="""
    y : (n, 2) or (n, 3) array, structured array or data frame
        Columns time and status (1 for an event, 0 for a censored row), or start, stop and status. Among
        columns with names the status may stand anywhere if it is boolean or called status, event or the like.
    """,
    loss="sum_t omega_t (log sum_{i at risk} w_i exp(eta_i) - mean_{i in D_t} eta_i) / sum_i w_i",
    where="""
    eta_i = o_i + x_i . b; D_t are the events at time t, omega_t is their weight, over which the mean is
    taken. Efron's ties split each of these terms in as many as there are events at t and take out a growing
    share of them from the rows at risk.
    """,
    unknowns="b",
)
def cox_path(
    X: Any,
    y: Any,
    *,
    ties: str = "breslow",
    strata: Any = None,
    l1_ratio: float = 1.0,
    eps: float | str | None = None,
    alphas: int | Sequence[float] | Float64 | None = 100,
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
    """Solve the sparse Cox proportional hazards model along a path of alphas, certified at each.

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
    Minus the log partial likelihood per weight, counted from the saturated model. There is no intercept: the
    baseline hazard is one; `predict_survival` estimates it. A row censored at the time of an event is still
    at risk. Cox, J. R. Stat. Soc. B 34 (1972) 187-220; ties: Breslow, Biometrics 30 (1974) 89-99, and Efron,
    J. Am. Stat. Assoc. 72 (1977) 557-565; paths: Simon, Friedman, Hastie and Tibshirani, J. Stat. Softw. 39
    (2011) 1-13.

    Examples
    --------
    >>> import numpy as np
    >>> from fastreg import cox_path
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((80, 50))
    >>> time, censored = rng.exponential(np.exp(-X[:, 4])), rng.exponential(2.0, 80)
    >>> path = cox_path(X, np.column_stack([np.minimum(time, censored), time <= censored]), alphas=20)
    >>> path.order_of_entry()[:1]
    array([4])
    >>> path.predict_survival(X[:2], times=[0.5, 1.0], alpha=path.alphas[-1]).shape
    (2, 2)
    """
    return run(X, y, passed(locals(), family="cox"))


@documented(
    y="""
    y : array, series or data frame
        Response, as the function of this family takes it.
    """,
    loss="sum_i w_i loss(y_i, eta_i) / sum_i w_i",
    where="""
    eta_i = b0 + o_i + x_i . b. Several outputs have an eta each, and their penalties add up; with grouped
    coefficients the penalty is on the norm of b_j over the outputs.
    """,
    own="""
    family : str, default "gaussian"
        "gaussian", "binomial" (or "logistic"), "multinomial", "poisson", "squared_hinge", "huber", "cox", or
        "mgaussian" (or "multitask").
    fit_intercept : bool, optional
        Whether to fit b0, which is never penalised. By default yes, but not for cox, which has none.
    offset : (n,) or (n, outputs) array, optional
        Known part o of the linear predictor.
    coef_init : (p,) or (outputs, p) array, optional
        Coefficients to start from.
    delta, scale : optional
        Options of huber, as in `huber_path`.
    ties, strata : optional
        Options of cox, as in `cox_path`.
    grouped : bool, optional
        Option of multinomial, as in `multinomial_path`; mgaussian is always grouped.
    """,
)
def glm_path(
    X: Any,
    y: Any,
    *,
    family: str = "gaussian",
    l1_ratio: float = 1.0,
    eps: float | str | None = None,
    alphas: int | Sequence[float] | Float64 | None = 100,
    fit_intercept: bool | None = None,
    delta: float | None = None,
    scale: str | float | None = None,
    ties: str | None = None,
    strata: Any = None,
    grouped: bool | None = None,
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
    """Solve the path of any family, certified at every alpha: the general form of the other functions.

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
    An option of another family is an error. The losses, and where they come from, stand with the functions of
    their own: `lasso_path`, `logistic_path`, `multinomial_path`, `poisson_path`, `squared_hinge_path`,
    `huber_path`, `cox_path`, `multitask_path`.

    Examples
    --------
    >>> import numpy as np
    >>> from fastreg import glm_path
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((60, 40))
    >>> path = glm_path(X, X[:, 1] > 0, family="logistic", l1_ratio=0.9, alphas=10)
    >>> path.family, path.classes, path.order_of_entry()[:1]
    ('binomial', (False, True), array([1]))
    """
    return run(X, y, passed(locals()))
