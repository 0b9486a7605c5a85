"""The path functions of classification: labels of any kind go in, probabilities and labels come out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ._docs import documented
from ._typing import Float64
from .control import PathStep
from .request import DEFAULT_MAX_ITER, DEFAULT_TOL, passed
from .result import PathResult
from .run import run

__all__ = ["logistic_path", "multinomial_path", "squared_hinge_path"]

TWO_LABELS = """
y : (n,) array, series or categorical
    Two labels of any kind: numbers, booleans or strings. The larger one in sorted order is `classes[1]`,
    whose coefficients these are.
"""


@documented(
    y="""
    y : (n,) array, series or categorical
        Two labels of any kind: numbers, booleans or strings. The larger one in sorted order is `classes[1]`,
        whose log-odds are modelled. Floats in [0, 1] that are not all 0 or 1 are proportions of it: pass the
        numbers of trials as sample_weight; `classes` is then None.
    """,
    loss="sum_i w_i (log(1 + exp(eta_i)) - y_i eta_i) / sum_i w_i",
    where="eta_i = b0 + o_i + x_i . b, and y_i is 1 for classes[1], 0 for classes[0], or the proportion.",
)
def logistic_path(
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
    """Solve sparse logistic regression along a path of alphas, certified at each.

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
    The objective and the gap count from the perfect fit, which changes neither for labels: half the mean
    deviance. Where classes can be separated, coefficients grow without bound as alpha falls to zero, but
    every alpha > 0 has its finite solution. Friedman, Hastie and Tibshirani, J. Stat. Softw. 33 (2010) 1-22,
    section 3; screening: Ndiaye, Fercoq, Gramfort and Salmon, J. Mach. Learn. Res. 18 (2017) 1-33.

    Examples
    --------
    >>> import numpy as np
    >>> from fastreg import logistic_path
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((80, 200))
    >>> y = np.where(X[:, 3] - X[:, 8] + 0.3 * rng.standard_normal(80) > 0, "ill", "well")
    >>> path = logistic_path(X, y, alphas=20)
    >>> sorted(path.order_of_entry()[:2].tolist()), path.classes
    ([3, 8], ('ill', 'well'))
    >>> path.predict(X[:1], alpha=path.alphas[-1], kind="class").tolist() == [y[0]]
    True
    >>> bool(path.relative_gaps.max() < 1e-7)
    True
    """
    return run(X, y, passed(locals(), family="binomial"))


@documented(
    y="""
    y : (n,) array, series or categorical; or (n, classes) array or data frame
        Labels of any kind: numbers, booleans or strings, sorted in `classes`. Or rows of proportions >= 0
        with sum one, a column per class: `classes` are then the names of the columns, or 0, 1, ...
    """,
    loss="sum_i w_i (log sum_c exp(eta_ic) - sum_c y_ic eta_ic) / sum_i w_i",
    where="""
    eta_ic = b0_c + o_ic + x_i . b_c, with y_ic the indicator or proportion of class c. With grouped=True the
    penalty of feature j is v_j * (l1_ratio * ||b_j||_2 + (1 - l1_ratio) / 2 * ||b_j||_2^2), b_j its
    coefficients in all classes.
    """,
    penalty="every output",
)
def multinomial_path(
    X: Any,
    y: Any,
    *,
    grouped: bool = False,
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
    """Solve sparse multinomial regression along a path of alphas, certified at each.

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
    Every class has coefficients of its own (the symmetric softmax): the penalty makes them unique, but for a
    feature left free and for intercepts, whose sum over classes is kept at zero. `coefs` has shape
    (classes, p, K), `intercepts` (classes, K). Friedman, Hastie and Tibshirani, J. Stat. Softw. 33 (2010)
    1-22, section 4; grouped: Simon, Friedman and Hastie, arXiv:1311.6529 (2013).

    Examples
    --------
    >>> import numpy as np
    >>> from fastreg import multinomial_path
    >>> rng = np.random.default_rng(0)
    >>> y = rng.choice(["ash", "beech", "oak"], 90)
    >>> X = rng.standard_normal((90, 40))
    >>> X[:, 5] += 3.0 * (y == "oak")
    >>> path = multinomial_path(X, y, alphas=20)
    >>> path.label(path.order_of_entry()[0]), path.classes
    ('x5', ('ash', 'beech', 'oak'))
    >>> path.predict(X[:4], alpha=path.alphas[-1]).sum(axis=1).round(12)
    array([1., 1., 1., 1.])
    """
    return run(X, y, passed(locals(), family="multinomial"))


@documented(
    y=TWO_LABELS,
    loss="sum_i w_i max(0, 1 - y_i eta_i)^2 / (2 sum_i w_i)",
    where="eta_i = b0 + o_i + x_i . b, and y_i is 1 for classes[1], -1 for classes[0].",
)
def squared_hinge_path(
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
    """Solve the linear support vector machine with squared hinge along a path of alphas, certified at each.

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
    scikit-learn's `LinearSVC(loss="squared_hinge", C=C)` minimises the same at alpha = 1 / (2 C n) and
    l1_ratio 1 or 0, but it penalises the intercept. Chang, Hsieh and Lin, J. Mach. Learn. Res. 9 (2008)
    1369-1398; Fan, Chang, Hsieh, Wang and Lin, J. Mach. Learn. Res. 9 (2008) 1871-1874.

    Examples
    --------
    >>> import numpy as np
    >>> from fastreg import squared_hinge_path
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((60, 150))
    >>> path = squared_hinge_path(X, X[:, 2] > 0, alphas=20)
    >>> path.order_of_entry()[:1]
    array([2])
    >>> bool(np.mean(path.predict(X, alpha=path.alphas[-1], kind="class") == (X[:, 2] > 0)) > 0.95)
    True
    """
    return run(X, y, passed(locals(), family="squared_hinge"))
