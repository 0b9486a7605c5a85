"""The penalty as arrays: factors and bounds per feature, 0 for free, inf for excluded or unbounded."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from ._repeated import at_length, repeat, shortest
from ._typing import Float64, Mask
from .errors import DataError
from .validate.numeric import as_array, cast, require_numeric
from .validate.options import check_flag, check_real
from .validate.words import describe, wanted

__all__ = ["Penalty", "make_penalty"]


@dataclass(frozen=True, eq=False)
class Penalty:
    """Hold the penalty of every feature, used as given; equal entries lie at one place in memory.

    sum_j factor_j (l1_ratio |b_j| + (1 - l1_ratio)/2 b_j^2) subject to lower_j <= b_j <= upper_j

    Attributes
    ----------
    l1_ratio : float
        1 for the lasso, 0 for ridge.
    factor : (p,) float64, read-only
        Multiplies alpha; 0 leaves a feature free, inf excludes it.
    lower, upper : (p,) float64, read-only
        Bounds on the input scale, -inf and inf where there is none.

    Examples
    --------
    >>> penalty = make_penalty(3, 1.0, penalty_factor=[0, 1, float("inf")])
    >>> penalty.free, penalty.excluded, penalty.has_bounds
    (array([ True, False, False]), array([False, False,  True]), False)
    """

    l1_ratio: float
    factor: Float64
    lower: Float64
    upper: Float64

    @cached_property
    def free(self) -> Mask:
        """Return the mask of features without penalty."""
        return at_length(shortest(self.factor) == 0.0, self.factor.size)

    @cached_property
    def excluded(self) -> Mask:
        """Return the mask of features whose coefficient is zero by decree."""
        return at_length(np.isposinf(shortest(self.factor)), self.factor.size)

    @cached_property
    def is_alike(self) -> bool:
        """Tell whether all features are penalised alike."""
        return all(shortest(array).size == 1 for array in (self.factor, self.lower, self.upper))

    @cached_property
    def has_bounds(self) -> bool:
        """Tell whether any coefficient has a finite bound."""
        return bool(np.isfinite(shortest(self.lower)).any() or np.isfinite(shortest(self.upper)).any())


def make_penalty(
    p: int, l1_ratio: float, penalty_factor: Any = None, positive: bool = False, lower_limits: Any = None,
    upper_limits: Any = None,
) -> Penalty:  # fmt: skip
    """Return the penalty of p features.

    Parameters
    ----------
    p : int
        Columns of X.
    l1_ratio : float
        In [0, 1].
    penalty_factor : float or (p,) array-like, optional
        Numbers >= 0, used as given; 0 leaves a feature free, inf excludes it.
    positive : bool
        Whether all coefficients must be >= 0.
    lower_limits, upper_limits : float or (p,) array-like, optional
        Bounds with lower <= 0 <= upper; None is no bound.

    Returns
    -------
    Penalty
        Frozen, with read-only arrays.

    Raises
    ------
    DataError
        If a factor is negative, lower > 0, upper < 0, a number is NaN, a shape is another, or positive meets
        lower < 0.
    DataTypeError
        If an argument is not made of numbers.

    Examples
    --------
    >>> make_penalty(2, 1.0, positive=True, upper_limits=[1.0, float("inf")]).upper
    array([ 1., inf])
    >>> make_penalty(2, 1.0, lower_limits=[0.0, 0.5])
    Traceback (most recent call last):
        ...
    fastreg.errors.DataError: lower_limits must be <= 0, got 0.5 in column 1; move the bound into the offset
    """
    ratio = check_real(l1_ratio, "l1_ratio", "a number in [0, 1]", lambda v: 0 <= v <= 1)
    if positive is False and penalty_factor is None and lower_limits is None and upper_limits is None:
        return _plain(p, ratio)
    factor = _per_feature(penalty_factor, p, "penalty_factor", 1.0)
    lower = _per_feature(lower_limits, p, "lower_limits", -np.inf)
    upper = _per_feature(upper_limits, p, "upper_limits", np.inf)
    _require(shortest(factor) >= 0, factor, "penalty_factor", "be >= 0", "0 leaves a feature free")
    _require(shortest(lower) <= 0, lower, "lower_limits", "be <= 0", "move the bound into the offset")
    _require(shortest(upper) >= 0, upper, "upper_limits", "be >= 0", "move the bound into the offset")
    if check_flag(positive, "positive"):
        if lower_limits is not None:
            _require(lower >= 0, lower, "lower_limits", "be 0 with positive=True", "leave one of the two out")
        lower = repeat(0.0, p)
    for array in (factor, lower, upper):
        array.flags.writeable = False
    return Penalty(ratio, factor, lower, upper)


@lru_cache(maxsize=32)
def _plain(p: int, ratio: float) -> Penalty:
    """Return the penalty that holds all features alike and bounds none; made once."""
    return Penalty(ratio, repeat(1.0, p), repeat(-np.inf, p), repeat(np.inf, p))


def _per_feature(values: Any, p: int, name: str, default: float) -> Float64:
    """Return a float64 vector of one number per feature; a single number is for all of them."""
    if values is None:
        return repeat(default, p)
    array = as_array(values, name)
    if array.shape not in ((), (p,)):
        raise DataError(wanted(name, f"be one number or have shape ({p},)", f"shape {array.shape}"))
    require_numeric(array, name)
    vector = at_length(cast(array, np.float64, name), p)
    if np.isnan(shortest(vector)).any():
        j = int(np.argmax(np.isnan(vector)))
        came = f"nan in column {j}" if array.ndim else describe(values)
        raise DataError(wanted(name, "be numbers", came, "inf or -inf is no bound"))
    return vector


def _require(good: Mask, values: Float64, name: str, expected: str, remedy: str) -> None:
    """Raise DataError for the first feature whose value is not good."""
    if not good.all():
        j = int(np.argmin(good))
        raise DataError(wanted(name, expected, f"{values[j]} in column {j}", remedy))
