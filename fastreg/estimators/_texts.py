"""What the docstrings of the estimators share: parameters, objective, what a fit leaves."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, TypeVar

from .._docs import documented

__all__ = ["COX", "HINGE", "HUBER", "LOGISTIC", "POISSON", "SQUARES", "TASKS", "explained"]

Estimator = TypeVar("Estimator", bound=type[Any])

PARAMETERS = """
alpha : float
    Strength of the penalty, > 0.
l1_ratio : float
    Share of the L1 penalty, in [0, 1]: 1 is the lasso, 0 is ridge.
standardize : bool
    Whether to penalise b_j times the weighted standard deviation of x_j; coefficients keep the input scale.
penalty_factor : (p,) array, optional
    Factors v >= 0, used as given: 0 leaves a feature free, inf excludes it.
class_weight : dict or "balanced", optional
    Factors of the sample weights by class; "balanced" gives all classes the same total.
n_jobs : int, optional
    Threads; None is 1 outside of a joblib context, -1 is all processors. Results do not depend on it.
"""

# Those of the estimators that choose alpha.
CHOOSING = """
cv : int, (n,) array, splitter or iterable of (train, test)
    Number of folds, the fold of every row, or the folds themselves, as in `fastreg.cv_path`: a number of
    folds is drawn by random_state, and keeps the shares of the classes.
repeats : int
    How often to draw a number of folds anew.
select : {"min", "1se"} or callable
    Which alpha: of the best mean score, the largest within one standard error of it, or what the callable
    returns for the curve of scores: a position on the grid or an alpha.
scoring : str or callable, optional
    What is scored: "deviance" by default, another name `fastreg.cv_path` knows, or a function of y, the
    prediction and the weights.
greater_is_better : bool, optional
    Whether a callable's best score is the largest.
relax : bool, float or sequence of float
    Whether to fit the selected features again with less penalty, or the share or shares of it that are tried.
adaptive : str, array or None
    Weights of the adaptive lasso, made anew in every fold, as in `fastreg.cv_path`.
random_state : int, Generator, RandomState or None
    Seed or source of the folds; None draws others at every fit.
"""

ATTRIBUTES = """
coef_ : float64 ndarray
    Coefficients b on the scale of X: {coef}.
intercept_ : {intercept}
alpha_ : float
    Penalty at which these are solved.
dual_gap_ : float
    Certified distance to the optimum, in units of the objective. Of relaxed fits it is that of the penalised
    and the unpenalised fit, blended alike; of adaptive ones that of the reweighted problem.
n_iter_ : int
    Iterations of the solver.
path_ : PathResult
    The solution as the path functions return it, with all they know of it.{classes}
n_features_in_ : int
    Number of columns of X.
feature_names_in_ : (p,) array of str
    Names of the columns, where X has names.
"""

CHOSEN = """
cv_ : CVResult
    Scores of every fold and candidate, and the rules that choose among them.
alphas_ : (K,) array
    The grid, largest first.
l1_ratio_ : float
    The share of the L1 penalty that was chosen.
"""

# The objectives, as ``explained`` takes them.
SQUARES: dict[str, Any] = {"loss": "sum_i w_i (y_i - b0 - x_i . b)^2 / (2 sum_i w_i)"}
HUBER: dict[str, Any] = {
    "loss": "sum_i w_i h(y_i - b0 - x_i . b) / sum_i w_i",
    "where": "with h(e) = e^2 / 2 where |e| <= delta * scale =: d, else d |e| - d^2 / 2.",
}
POISSON: dict[str, Any] = {
    "loss": "sum_i w_i (exp(eta_i) - y_i eta_i) / sum_i w_i",
    "where": "eta_i = b0 + x_i . b, and y_i >= 0 are counts or rates.",
}
TASKS: dict[str, Any] = {
    "target": "numbers",
    "loss": "sum_i w_i sum_c (y_ic - eta_ic)^2 / (2 sum_i w_i)",
    "where": "eta_ic = b0_c + x_i . b_c; b_j: all coefficients of feature j; l1_ratio = 1.",
    "penalty": "norm",
}
LOGISTIC: dict[str, Any] = {
    "target": "class",
    "loss": "sum_i w_i (log sum_c exp(eta_ic) - sum_c y_ic eta_ic) / sum_i w_i",
    "where": """
    eta_ic = b0_c + x_i . b_c, with y_ic the indicator of class c. Of two classes only the second one,
    classes_[1], has coefficients; the other one's eta is zero. With grouped=True the penalty of feature j is
    v_j * (l1_ratio * ||b_j||_2 + (1 - l1_ratio) / 2 * ||b_j||_2^2), b_j its coefficients in all classes.
    """,
    "penalty": "every output",
}
HINGE: dict[str, Any] = {
    "target": "class",
    "loss": "sum_i w_i max(0, 1 - y_i eta_i)^2 / (2 sum_i w_i)",
    "where": "eta_i = b0 + x_i . b, and y_i is 1 for classes_[1], -1 for classes_[0].",
}
COX: dict[str, Any] = {
    "target": "times",
    "loss": "sum_t omega_t (log sum_{i at risk} w_i exp(x_i . b) - mean_{i in D_t} x_i . b) / sum_i w_i",
    "where": "D_t are the events at time t, omega_t is their weight, over which the mean is taken.",
    "unknowns": "b",
}

# Those of a selector of columns.
COLUMNS = """
stability_ : StabilityResult
    How often every feature was chosen, the bound that is kept, tables and pictures; more pairs on request.
probabilities_ : (p,) array
    Share of the halves that chose each feature.
threshold_ : float
    The smallest share that is enough to be kept.
n_features_in_ : int
    Number of columns of X.
feature_names_in_ : (p,) array of str
    Names of the columns, where X has names.
"""

# Shape of coef_, kind of intercept_ and what else there is, by the kind of target.
SHAPES = {
    "number": ("shape (p,)", "float\n    Intercept b0.", ""),
    "numbers": ("shape (responses, p)", "float64 ndarray of shape (responses,)\n    Intercepts b0.", ""),
    "class": (
        "shape (1, p), or (classes, p) for more than two",
        "float64 ndarray of shape (1,) or (classes,)\n    Intercepts b0.",
        "\nclasses_ : ndarray of shape (classes,)\n    The labels, sorted.",
    ),
    "times": ("shape (p,)", "float\n    Zero: the baseline hazard is all the intercept there is.", ""),
}

ATTRIBUTES_OF = {
    name: ATTRIBUTES.format(coef=coef, intercept=intercept, classes=classes)
    for name, (coef, intercept, classes) in SHAPES.items()
} | {"columns": COLUMNS}


def explained(
    *, target: str = "number", own: str = "", **objective: Any
) -> Callable[[Estimator], Estimator]:  # fmt: skip
    """Return a decorator that fills what estimators share into a docstring.

    Parameters
    ----------
    target : str
        Key of ``ATTRIBUTES_OF``.
    own : str
        Parameters of this class, as in a parameter section.
    **objective
        The objective, as ``documented`` takes it.

    Returns
    -------
    callable
        Returns the class itself, with its docstring complete.
    """
    attributes = ATTRIBUTES_OF[target].strip()

    def fill(cls: Estimator) -> Estimator:
        if cls.__doc__ is None:  # python -OO
            return cls
        chooses = hasattr(cls, "select")
        indented = (attributes + CHOSEN.rstrip() * chooses).replace("\n", "\n    ")
        cls.__doc__ = cls.__doc__.replace("{attributes}", indented)
        texts = "\n".join(inspect.cleandoc(part) for part in (PARAMETERS, CHOOSING * chooses, own))
        return documented(y="", own=texts, **objective)(cls)

    return fill
