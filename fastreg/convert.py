"""Exchange rates between fastreg's alpha and the penalties of glmnet, scikit-learn and celer.

Every function is pure: numbers in, numbers out. fastreg minimises, with weights w and penalty factors v,

    sum_i w_i loss_i / sum_i w_i + alpha * sum_j v_j (l1_ratio |b_j| + (1 - l1_ratio)/2 b_j^2)

and the others minimise the same up to a factor, given in each docstring. Penalties may be arrays: a whole
path converts in one call. The Lasso and ElasticNet of scikit-learn and celer need no translation: their alpha
and l1_ratio are fastreg's, celer's ``weights`` are ``penalty_factor``. celer's ``C`` is scikit-learn's.
``total_weight`` is the sum of the sample weights, n where there are none.
"""

from __future__ import annotations

from typing import Generic, NamedTuple, TypeVar, cast

import numpy as np
from numpy.typing import ArrayLike

from ._typing import Float64
from .errors import DataError

__all__ = [
    "FastregPenalty",
    "GlmnetPenalty",
    "from_celer_logistic",
    "from_glmnet",
    "from_sklearn_c",
    "from_sklearn_ridge",
    "glmnet_sd_y",
    "to_celer_logistic",
    "to_glmnet",
    "to_sklearn_c",
    "to_sklearn_ridge",
]

Number = TypeVar("Number", float, Float64)


class FastregPenalty(NamedTuple, Generic[Number]):
    """Name the penalty arguments of fastreg's path functions.

    Parameters
    ----------
    alpha : float or ndarray of shape (K,)
        Penalty strength, pass it as ``alphas`` (a single one in a list).
    l1_ratio : float
        Share of the l1 part.
    penalty_factor : float64 ndarray of shape (p,) or None
        Factors as fastreg uses them, never rescaled; None where none were given.

    Examples
    --------
    >>> from fastreg.convert import FastregPenalty
    >>> FastregPenalty(0.1, 1.0, None).alpha
    0.1
    """

    alpha: Number
    l1_ratio: float
    penalty_factor: Float64 | None


class GlmnetPenalty(NamedTuple, Generic[Number]):
    """Name the penalty arguments of R's ``glmnet()``.

    Parameters
    ----------
    lambda_ : float or ndarray of shape (K,)
        ``lambda`` of glmnet.
    mixing : float
        ``alpha`` of glmnet.
    penalty_factor : float64 ndarray of shape (p,) or None
        ``penalty.factor`` of glmnet, which rescales it to sum p.

    Examples
    --------
    >>> from fastreg.convert import GlmnetPenalty
    >>> GlmnetPenalty(0.1, 1.0, None).mixing
    1.0
    """

    lambda_: Number
    mixing: float
    penalty_factor: Float64 | None


def from_glmnet(
    lambda_: Number,
    *,
    mixing: float = 1.0,
    sd_y: float = 1.0,
    penalty_factor: ArrayLike | None = None,
) -> FastregPenalty[Number]:
    """Translate glmnet's penalty into fastreg's (docs/math.md, F32 and F33).

    glmnet's gaussian family minimises, on the scale of y,

        sum_i w_i/2 (y_i - eta_i)^2 / sum_i w_i
          + lambda sum_j u_j (mixing |b_j| + (1 - mixing)/2 b_j^2 / sd_y)

    with u = p * penalty_factor / sum(penalty_factor). Put l1 = lambda mixing, l2 = lambda (1 - mixing)/sd_y;
    then alpha = l1 + l2, l1_ratio = l1 / (l1 + l2), factors u. ``standardize`` means the same in both.

    Parameters
    ----------
    lambda_ : float or array-like of shape (K,)
        glmnet's ``lambda``, at least 0.
    mixing : float
        glmnet's ``alpha``, in [0, 1].
    sd_y : float
        ``glmnet_sd_y(y)`` for the gaussian family, 1 for every other family; no effect at ``mixing=1``.
    penalty_factor : array-like of shape (p,), optional
        glmnet's ``penalty.factor``, before rescaling; inf excludes a column and counts as 1 in the rescaling.

    Returns
    -------
    FastregPenalty
        alpha (of the shape of lambda_), l1_ratio and penalty_factor.

    Raises
    ------
    DataError
        If an argument lies outside its range.

    Examples
    --------
    >>> from fastreg.convert import from_glmnet
    >>> from_glmnet(0.2, mixing=0.5, sd_y=4.0, penalty_factor=[0.0, 2.0])
    FastregPenalty(alpha=0.125, l1_ratio=0.8, penalty_factor=array([0., 2.]))
    """
    strength = _checked("lambda_", lambda_, zero=True)
    mixing, sd_y = _checked_ratio("mixing", mixing), _checked("sd_y", sd_y)
    factor = None
    if penalty_factor is not None:
        factor, mean = _factor_and_mean(penalty_factor)
        # Excluded columns stay excluded: inf divided by a finite mean.
        factor = factor / mean
    ridge = (1.0 - mixing) / sd_y
    return FastregPenalty(strength * (mixing + ridge), mixing / (mixing + ridge), factor)


def to_glmnet(
    alpha: Number,
    *,
    l1_ratio: float = 1.0,
    sd_y: float = 1.0,
    penalty_factor: ArrayLike | None = None,
) -> GlmnetPenalty[Number]:
    """Translate fastreg's penalty into glmnet's, the inverse of ``from_glmnet`` (docs/math.md, F32 and F33).

    Put l1 = alpha * l1_ratio, l2 = alpha (1 - l1_ratio) sd_y, and m the mean of the penalty factors, which
    glmnet divides by; then lambda = m (l1 + l2) and mixing = l1 / (l1 + l2).

    Parameters
    ----------
    alpha : float or array-like of shape (K,)
        fastreg's alpha, at least 0.
    l1_ratio : float
        Share of the l1 part, in [0, 1].
    sd_y : float
        ``glmnet_sd_y(y)`` for the gaussian family, 1 for every other family.
    penalty_factor : array-like of shape (p,), optional
        fastreg's penalty factors; inf excludes a column.

    Returns
    -------
    GlmnetPenalty
        lambda_ (of the shape of alpha), mixing (glmnet's ``alpha``) and penalty_factor, unchanged.

    Raises
    ------
    DataError
        If an argument lies outside its range, or all factors are 0 (glmnet refuses that).

    Examples
    --------
    >>> from fastreg.convert import to_glmnet
    >>> to_glmnet(0.125, l1_ratio=0.5, sd_y=3.0)
    GlmnetPenalty(lambda_=0.25, mixing=0.25, penalty_factor=None)
    """
    strength = _checked("alpha", alpha, zero=True)
    l1_ratio, sd_y = _checked_ratio("l1_ratio", l1_ratio), _checked("sd_y", sd_y)
    factor, mean = None, 1.0
    if penalty_factor is not None:
        factor, mean = _factor_and_mean(penalty_factor)
    ridge = (1.0 - l1_ratio) * sd_y
    return GlmnetPenalty(strength * (mean * (l1_ratio + ridge)), l1_ratio / (l1_ratio + ridge), factor)


def glmnet_sd_y(y: ArrayLike, sample_weight: ArrayLike | None = None, *, fit_intercept: bool = True) -> float:
    """Compute the scale of y that glmnet's gaussian family divides the ridge part by.

    sd_y^2 = sum_i w_i (y_i - m)^2 / sum_i w_i, with m the weighted mean of y, or 0 without an intercept.

    Parameters
    ----------
    y : array-like of shape (n,)
        Response; with an offset, the response minus the offset.
    sample_weight : array-like of shape (n,), optional
        Weights, at least 0.
    fit_intercept : bool
        Whether the model has an intercept.

    Returns
    -------
    float
        Standard deviation with denominator sum w (not n - 1).

    Raises
    ------
    DataError
        If shapes differ or no weight is positive.

    Examples
    --------
    >>> from fastreg.convert import glmnet_sd_y
    >>> glmnet_sd_y([1.0, 5.0])
    2.0
    """
    response = np.asarray(y, dtype=np.float64)
    weights = np.ones_like(response) if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
    if response.ndim != 1 or weights.shape != response.shape:
        raise DataError(
            "y and sample_weight must be vectors of one length, "
            f"got shapes {response.shape} and {weights.shape}: pass one weight per value of y"
        )
    if not (weights >= 0.0).all() or not weights.sum() > 0.0:
        raise DataError("sample_weight must be at least 0 with a positive sum: remove or correct the weights")
    center = np.average(response, weights=weights) if fit_intercept else 0.0
    return float(np.sqrt(np.average((response - center) ** 2, weights=weights)))


def from_sklearn_c(C: Number, total_weight: float) -> Number:
    """Translate the ``C`` of scikit-learn's LogisticRegression: alpha = 1 / (C * total_weight).

    It minimises C * sum_i w_i loss_i + l1_ratio |b|_1 + (1 - l1_ratio)/2 |b|_2^2; divide by C * sum_i w_i
    (docs/math.md, F31).

    Parameters
    ----------
    C : float or array-like of shape (K,)
        Inverse penalty strength, above 0.
    total_weight : float
        Sum of the sample weights; n without weights.

    Returns
    -------
    float or ndarray of shape (K,)
        fastreg's alpha.

    Raises
    ------
    DataError
        If an argument is not above 0.

    Examples
    --------
    >>> from fastreg.convert import from_sklearn_c
    >>> from_sklearn_c(0.5, total_weight=100)
    0.02
    """
    return 1.0 / (_checked("C", C) * _checked("total_weight", total_weight))


def to_sklearn_c(alpha: Number, total_weight: float) -> Number:
    """Translate alpha into the ``C`` of scikit-learn's LogisticRegression: C = 1 / (alpha * total_weight).

    Parameters
    ----------
    alpha : float or array-like of shape (K,)
        fastreg's alpha, above 0.
    total_weight : float
        Sum of the sample weights; n without weights.

    Returns
    -------
    float or ndarray of shape (K,)
        Inverse penalty strength.

    Raises
    ------
    DataError
        If an argument is not above 0.

    Examples
    --------
    >>> from fastreg.convert import to_sklearn_c
    >>> to_sklearn_c(0.02, total_weight=100)
    0.5
    """
    return 1.0 / (_checked("alpha", alpha) * _checked("total_weight", total_weight))


def from_sklearn_ridge(penalty: Number, total_weight: float) -> Number:
    """Translate the ``alpha`` of scikit-learn's Ridge: alpha = penalty / total_weight, at l1_ratio = 0.

    Ridge minimises sum_i w_i (y_i - eta_i)^2 + penalty * |b|_2^2; divide by 2 sum_i w_i (docs/math.md, F31).

    Parameters
    ----------
    penalty : float or array-like of shape (K,)
        ``alpha`` of Ridge, at least 0.
    total_weight : float
        Sum of the sample weights; n without weights.

    Returns
    -------
    float or ndarray of shape (K,)
        fastreg's alpha.

    Raises
    ------
    DataError
        If an argument lies outside its range.

    Examples
    --------
    >>> from fastreg.convert import from_sklearn_ridge
    >>> from_sklearn_ridge(1.0, total_weight=50)
    0.02
    """
    return _checked("penalty", penalty, zero=True) / _checked("total_weight", total_weight)


def to_sklearn_ridge(alpha: Number, total_weight: float) -> Number:
    """Translate alpha into the ``alpha`` of scikit-learn's Ridge: penalty = alpha * total_weight.

    Parameters
    ----------
    alpha : float or array-like of shape (K,)
        fastreg's alpha, at least 0.
    total_weight : float
        Sum of the sample weights; n without weights.

    Returns
    -------
    float or ndarray of shape (K,)
        ``alpha`` of Ridge.

    Raises
    ------
    DataError
        If an argument lies outside its range.

    Examples
    --------
    >>> from fastreg.convert import to_sklearn_ridge
    >>> to_sklearn_ridge(0.02, total_weight=50)
    1.0
    """
    return _checked("alpha", alpha, zero=True) * _checked("total_weight", total_weight)


def from_celer_logistic(penalty: Number, n: int) -> Number:
    """Translate the ``alpha`` of ``celer_path(pb="logreg")``: alpha = penalty / n.

    It minimises sum_i loss_i + penalty * sum_j v_j |b_j|; divide by n.

    Parameters
    ----------
    penalty : float or array-like of shape (K,)
        celer's ``alpha``, at least 0.
    n : int
        Number of rows.

    Returns
    -------
    float or ndarray of shape (K,)
        fastreg's alpha.

    Raises
    ------
    DataError
        If an argument lies outside its range.

    Examples
    --------
    >>> from fastreg.convert import from_celer_logistic
    >>> from_celer_logistic(2.0, n=100)
    0.02
    """
    return _checked("penalty", penalty, zero=True) / _checked("n", float(n))


def to_celer_logistic(alpha: Number, n: int) -> Number:
    """Translate alpha into the ``alpha`` of ``celer_path(pb="logreg")``: penalty = alpha * n.

    Parameters
    ----------
    alpha : float or array-like of shape (K,)
        fastreg's alpha, at least 0.
    n : int
        Number of rows.

    Returns
    -------
    float or ndarray of shape (K,)
        celer's ``alpha``.

    Raises
    ------
    DataError
        If an argument lies outside its range.

    Examples
    --------
    >>> from fastreg.convert import to_celer_logistic
    >>> to_celer_logistic(0.02, n=100)
    2.0
    """
    return _checked("alpha", alpha, zero=True) * _checked("n", float(n))


def _checked(name: str, value: Number, *, zero: bool = False) -> Number:
    """Return the value as float or float64 array, all of it finite and above (or, with zero, at least) 0."""
    numbers = np.asarray(value, dtype=np.float64)
    inside = np.isfinite(numbers) & (numbers >= 0.0 if zero else numbers > 0.0)
    if not inside.all():
        wanted = "at least 0" if zero else "above 0"
        raise DataError(f"{name} must be finite and {wanted}, got {numbers[~inside].flat[0]!s}: correct it")
    return cast(Number, numbers if numbers.ndim else float(numbers))


def _checked_ratio(name: str, value: float) -> float:
    if not 0.0 <= value <= 1.0:
        raise DataError(f"{name} must lie in [0, 1], got {value!r}: 1 is the lasso, 0 is ridge")
    return float(value)


def _factor_and_mean(penalty_factor: ArrayLike) -> tuple[Float64, float]:
    """Return the factors and the mean that glmnet divides them by; it counts an excluded column as 1."""
    factor = np.asarray(penalty_factor, dtype=np.float64)
    if factor.ndim != 1 or not (factor >= 0.0).all():
        raise DataError("penalty_factor must be a vector of numbers >= 0 (inf excludes a column): correct it")
    mean = float(np.where(np.isinf(factor), 1.0, factor).mean()) if factor.size else 0.0
    if not mean > 0.0:
        raise DataError("penalty_factor must have an entry above 0 for glmnet, got none: give one")
    return factor, mean
