"""Cross-validation of every family: which penalty predicts best what was left out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from ._docs import documented
from ._typing import Float64
from .request import DEFAULT_MAX_ITER, DEFAULT_TOL, passed
from .selection.candidates import Adapting
from .selection.crossval import Plan, cross_validate
from .selection.cv_curve import CVCurve
from .selection.cv_result import CVResult
from .selection.folds import Splitting
from .validate import check_flag

__all__ = ["cv_path"]


@documented(
    y="""
    y : array, series or data frame
        Response, as the path function of this family takes it.
    """,
    loss="sum_i w_i loss(y_i, eta_i) / sum_i w_i",
    where="eta_i = b0 + o_i + x_i . b, as in `glm_path`; a fold leaves rows out by weights of zero.",
    own="""
    family : str, default "gaussian"
        "gaussian", "binomial" (or "logistic"), "multinomial", "poisson", "squared_hinge", "huber", "cox", or
        "mgaussian" (or "multitask").
    l1_ratio : float or sequence of float, default 1.0
        Share of the L1 penalty, in [0, 1]; of several, each with its own alphas, the best is chosen.
    cv : int, (n,) int array, splitter, or iterable of (train, test), default 10
        An integer: so many folds of shuffled rows, in which classes (binomial, multinomial, squared_hinge) or
        events (cox) are spread evenly. An array: the number of each row's fold, -1 for rows that are always
        trained on. A splitter: anything with `split(X, y, groups)`, as scikit-learn's. Else pairs of row
        numbers or boolean masks; test parts may overlap, and rows may be left out of both.
    repeats : int, default 1
        How often an integer cv divides the rows anew, at most 1000.
    groups : (n,) array of labels, optional
        With an integer cv, rows of a group stay together: groups are dealt out greedily, the largest first,
        so that rows, classes and events are spread as evenly as this goes. Handed on to a splitter.
    random_state : int, generator or None, default 0
        How rows are shuffled by an integer cv; None shuffles differently every time.
    scoring : str or callable, default "deviance"
        What folds are judged by: "deviance", "mse" or "mae" (of the mean response, summed over responses or
        classes), "accuracy" and "auc" (classes), "c_index" (cox), or a function f(y_true, prediction) or
        f(y_true, prediction, sample_weight), which gets the test rows of y and predictions on the scale of
        the response as `PathResult.predict` returns them, at one alpha.
    greater_is_better : bool, optional
        Whether a function's scores are better when larger; needed for functions.
    rule : "min", "1se" or callable, default "min"
        What chooses alpha: the best mean score; the largest alpha within one standard error of it; or a
        function of the best candidate's `CVCurve` that returns an alpha or a position on the grid.
    keep_predictions : bool, default False
        Whether to keep the prediction for every row by the paths that did not train on it, at every alpha.
    adaptive : "ridge", "lasso" or (p,) array, optional
        Adapt the penalty factors to a first fit as `adaptive_path` does, anew in every fold from its training
        rows; an array holds weights, the same for all folds.
    power : float, default 1.0
        How strongly first coefficients change the penalty, as in `adaptive_path`; belongs to ``adaptive``.
    relax : bool, float or sequence of float, default False
        Whether to relax the paths: gamma times the path plus 1 - gamma times the refits on its supports, made
        anew in every fold. True tries gamma 0, 0.25, 0.5, 0.75 and 1; numbers are the gammas to try.
    alphas : int or (K,) array
        Size of the geometric grid from alpha_max of all rows down, or the values. All folds share them.
    fit_intercept : bool, optional
        Whether to fit b0, which is never penalised. By default yes, but not for cox, which has none.
    standardize : bool
        Whether to penalise b_j times the standard deviation of x_j, in a fold that of its training rows.
    offset : (n,) or (n, outputs) array, optional
        Known part o of the linear predictor.
    max_time : float, optional
        Seconds after which the finished folds are returned.
    n_threads : int, optional
        Paths that are solved at once; results do not depend on it. All processors by default.
    delta, scale : optional
        Options of huber, as in `huber_path`; "mad" is measured in each fold from its training rows, while all
        folds are judged by the loss that all rows have.
    ties, strata : optional
        Options of cox, as in `cox_path`.
    grouped : bool, optional
        Option of multinomial, as in `multinomial_path`; mgaussian is always grouped.
    """,
)
def cv_path(
    X: Any,
    y: Any,
    *,
    family: str = "gaussian",
    l1_ratio: float | Sequence[float] | Float64 = 1.0,
    cv: int | Iterable[Any] | Any = 10,
    repeats: int = 1,
    groups: Any = None,
    random_state: Any = 0,
    scoring: str | Callable[..., Any] | None = None,
    greater_is_better: bool | None = None,
    rule: str | Callable[[CVCurve], Any] = "min",
    keep_predictions: bool = False,
    adaptive: Any = None,
    power: float = 1.0,
    relax: bool | float | Sequence[float] | Float64 = False,
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
    max_time: float | None = None,
    tol: float = DEFAULT_TOL,
    max_iter: int = DEFAULT_MAX_ITER,
    n_threads: int | None = None,
    progress: bool = False,
    feature_names: Sequence[str] | None = None,
) -> CVResult:
    """Choose alpha by cross-validation, for any family, and fit the path on all rows.

    {objective}

    Parameters
    ----------
    {parameters}

    Returns
    -------
    CVResult
        Scores of every fold along every candidate's path, the alpha that the rule chose, and the path on all
        rows. After Ctrl-C or max_time it holds the folds that were finished, and its status says so.

    Raises
    ------
    {raises}

    Notes
    -----
    X is never copied: a fold is the same path with weights of zero for the rows it leaves out, so that
    centring, scaling, penalties and intercepts know the training rows only. Folds share one grid of alphas.
    The score of a fold is the weighted mean over its test rows; the mean over folds is weighted by the
    weights v_f of their test rows, and its standard error is sqrt(sum_f v_f (s_f - mean)^2 / sum_f v_f /
    (F - 1)) with F folds in one pass over the rows: as cv.glmnet has them (Friedman, Hastie and Tibshirani,
    J. Stat. Softw. 33 (2010) 1-22), but for its clipping of probabilities at 1e-5.

    The deviance is twice the loss of a row. For cox it is the deviance of all rows less that of the training
    rows, per weight of the events tested (van Houwelingen et al., Stat. Med. 25 (2006) 3201-3216). "mse" and
    "mae" of a binomial response are summed over both classes. "c_index" weighs a pair of rows by the product
    of their weights (Harrell et al., Stat. Med. 15 (1996) 361-387).

    Examples
    --------
    >>> import numpy as np
    >>> from fastreg import cv_path
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((80, 200))
    >>> y = X[:, 3] - X[:, 8] + rng.standard_normal(80)
    >>> found = cv_path(X, y, cv=5, rule="1se")
    >>> sorted(set(found.selected.tolist()) & {3, 8})
    [3, 8]
    >>> found.predict(X[:2]).shape, found.scores.shape
    ((2,), (5, 100))
    """
    splitting = Splitting(cv, repeats, groups, random_state)
    is_kept = check_flag(keep_predictions, "keep_predictions")
    plan = Plan(splitting, scoring, greater_is_better, rule, is_kept, Adapting(adaptive, power), relax)
    nobody = {"coef_init": None, "max_features": None, "callback": None, "verbose": False}
    return cross_validate(X, y, passed(locals(), **nobody, random_state=None), plan)
