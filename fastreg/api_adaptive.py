"""The adaptive lasso: one path whose penalty factors come from a first fit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from ._docs import documented
from ._typing import Float64
from .control import PathStep
from .request import DEFAULT_MAX_ITER, DEFAULT_TOL, make_study, passed
from .result import PathResult
from .selection.source import Source

__all__ = ["adaptive_path"]


@documented(
    y="""
    y : array, series or data frame
        Response, as the function of this family takes it.
    """,
    loss="sum_i w_i loss(y_i, eta_i) / sum_i w_i",
    where="""
    eta_i = b0 + o_i + x_i . b, and v_j is the penalty factor times the weight |s_j b_j|^-power of a first fit
    b (s_j the standard deviation of x_j where standardize=True, else 1).
    """,
    own="""
    family : str, default "gaussian"
        Any family of `glm_path`.
    weights : {"ridge", "lasso"} or (p,) array, default "ridge"
        "ridge": from pure L2 at the alpha of the smallest generalised cross-validation score (for losses that
        are not quadratic that of the least squares problem at the null model). "lasso": from the lasso at the
        alpha of the smallest BIC, whose zeros stay out. An array: weights >= 0 as they are, inf excludes.
    power : float, default 1.0
        At least 0; 0 weighs all features alike.
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
def adaptive_path(
    X: Any,
    y: Any,
    *,
    family: str = "gaussian",
    weights: Any = "ridge",
    power: float = 1.0,
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
    """Solve the adaptive lasso along a path of alphas, certified at each.

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
    The weights of the first fit are part of the problem: gaps certify the weighted one, and
    ``result.source.ask.penalty_factor`` holds the factors. Under cross-validation the first fit has to be
    done again in every fold, as `cv_path` does when asked for ``adaptive``: factors from all rows have seen
    the rows that are left out. Zou, J. Am. Stat. Assoc. 101 (2006) 1418-1429; Huang, Ma and Zhang, Stat.
    Sinica 18 (2008) 1603-1618.

    Examples
    --------
    >>> import fastreg
    >>> data = fastreg.datasets.make_wide(n=80, p=200, n_true=3, seed=0)
    >>> path = fastreg.adaptive_path(data.X, data.y, alphas=30)
    >>> sorted(path.order_of_entry()[:2].tolist()), data.true_features.tolist()
    ([127, 174], [46, 127, 174])
    """
    # Only this function and cross-validation need it.
    from .selection.adaptive import adaptive_factors

    ask = passed(locals())
    study = make_study(X, y, ask)
    silent = Source(X, y, ask, True).study()
    factor = adaptive_factors(silent, weights, power=power)
    found = study.asking(penalty_factor=factor).fit()
    return replace(found, source=Source(X, y, replace(ask, penalty_factor=factor), True))
