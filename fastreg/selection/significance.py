"""Outcome of single coefficients in a model with few features, and p-values of several splits made one."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import scipy  # its parts load when they are first used

from .._typing import Float64, Index
from ..control import Monitor
from ..request import Study
from ..validate import check_design

__all__ = ["Outcome", "aggregated", "intervals", "likelihood_tests", "ranks", "t_tests"]

# A coefficient is determined where its direction lies in the row space of X up to this much.
DETERMINED = 1e-8
# Deviances are compared: their paths are solved to this relative gap.
DEVIANCE_TOL = 1e-10
EPS = float(np.finfo(np.float64).eps)


@dataclass(frozen=True, eq=False)
class Outcome:
    """Two-sided p-values of m coefficients; estimates and standard errors where the test has them.

    ``degrees`` are those of freedom of the t distribution.
    """

    p_values: Float64
    estimates: Float64
    errors: Float64
    degrees: float


def t_tests(columns: Float64, y: Float64, w: Float64, has_intercept: bool) -> Outcome:
    """Test every coefficient of a least-squares fit against zero.

    Parameters
    ----------
    columns : (n, m) float64
        Features.
    y : (n,) float64
        Response, offset subtracted.
    w : (n,) float64
        Weights > 0: precisions, of which only ratios matter.
    has_intercept : bool
        Whether the model has an intercept, which is not tested.

    Returns
    -------
    Outcome
        p-value 1 where a coefficient is not determined or no degree of freedom is left.
    """
    n, m = columns.shape
    if not m:
        return _no_tests()
    # Twice, because a sum of huge weights is none.
    share = w / w.max()
    share = share / share.sum()
    design, units = _in_own_units(columns, share, has_intercept)
    response, unit = _in_own_units(y[:, None], share, has_intercept)
    root = np.sqrt(share)[:, None]
    left, values, right = np.linalg.svd(root * design, full_matrices=False)
    keep = values > max(design.shape) * EPS * values.max(initial=0.0)
    left, values, right = left[:, keep], values[keep], right[keep]
    goal = (root * response)[:, 0]
    spectrum = left.T @ goal
    estimates = right.T @ (spectrum / values)
    rest = goal - left @ spectrum
    degrees = float(n - values.size - has_intercept)
    is_determined = np.sum(right**2, axis=0) > 1.0 - DETERMINED
    variance = float(rest @ rest) / degrees if degrees > 0.0 else np.inf
    with np.errstate(divide="ignore", invalid="ignore"):
        errors = np.sqrt(variance * np.sum((right / values[:, None]) ** 2, axis=0))
        errors[~is_determined] = np.inf
        size = np.abs(estimates) / errors
    # A coefficient of zero in a fit without residual says nothing.
    size = np.nan_to_num(size, nan=0.0, posinf=np.inf)
    # scipy.stats says the same, and takes half a second to import.
    p_values = 2.0 * scipy.special.stdtr(max(degrees, 1.0), -size)
    with np.errstate(over="ignore"):
        return Outcome(p_values, estimates / units * unit, errors / units * unit, degrees)


def _no_tests() -> Outcome:
    nothing = np.zeros(0)
    return Outcome(nothing, nothing, nothing, np.inf)


def _in_own_units(columns: Float64, share: Float64, has_intercept: bool) -> tuple[Float64, Float64]:
    """Return columns of weighted norm one, under an intercept centred, and their units, (m,).

    Columns that vary by rounding only come back as zeros.
    """
    peak = np.abs(columns).max(axis=0)
    peak[peak == 0.0] = 1.0
    scaled = columns / peak
    before = np.sqrt(share @ scaled**2)
    if has_intercept:
        scaled = scaled - share @ scaled
    norm = np.sqrt(share @ scaled**2)
    is_nothing = norm <= len(share) * EPS * before
    norm[is_nothing] = 1.0
    return np.where(is_nothing, 0.0, scaled / norm), peak * norm


def likelihood_tests(study: Study, columns: Float64, weights: Float64, monitor: Monitor) -> Outcome | None:
    """Test every coefficient by the ratio of the likelihoods with and without its feature.

    The fits are paths whose features have no penalty; twice the difference of their log-likelihoods is
    referred to the chi-squared distribution.

    Parameters
    ----------
    study : Study
        Response and options; its own X is not looked at.
    columns : (n, m) float64
        Features.
    weights : (n,) float64
        Zero for the rows that are left out; else how often a row counts.
    monitor : Monitor
        Who may end the fits.

    Returns
    -------
    Outcome or None
        Without estimates; None where the fits were cut short.
    """
    m = columns.shape[1]
    if not m:
        return _no_tests()
    few = replace(study, given=check_design(np.asfortranarray(columns)))
    few = few.asking(alphas=[1.0], l1_ratio=1.0, tol=DEVIANCE_TOL)
    deviances = np.empty(m + 1)
    for k in range(m + 1):
        factor = np.zeros(m)
        factor[k:] = np.where(np.arange(k, m) == k, np.inf, 0.0)
        path = few.asking(penalty_factor=factor).fit(weights, monitor, is_part=True)
        if not path.status.finished:
            return None
        deviances[k] = path.null_deviance * (1.0 - path.dev_ratio[0])
    gain = np.maximum(deviances[:m] - deviances[m], 0.0)
    unknown = np.full(m, np.nan)
    return Outcome(scipy.special.chdtrc(1.0, gain), unknown, unknown, np.inf)


def ranks(splits: int, gamma_min: float) -> Index:
    """Return which order statistics are the quantiles between gamma_min and 1, as positions from 0."""
    return np.arange(int(np.floor(gamma_min * splits + 1e-9)), splits)


def aggregated(p_values: Float64, gamma_min: float) -> Float64:
    """Return one p-value per feature from those of many splits.

    min(1, (1 - log gamma_min) inf_gamma q_gamma / gamma), gamma_min < gamma < 1, with q_gamma the empirical
    gamma-quantile over the splits: it changes at multiples of 1 / splits only.

    Parameters
    ----------
    p_values : (splits, m) float64
        Each corrected for the number of tests of its split, 1 for features that were not tested.
    gamma_min : float
        In (0, 1).

    Returns
    -------
    (m,) float64
        p-values.

    Notes
    -----
    Meinshausen, Meier and Buehlmann, J. Am. Stat. Assoc. 104 (2009) 1671-1681, equation 2.3.

    Examples
    --------
    >>> import numpy as np
    >>> aggregated(np.array([[0.001, 1.0], [0.002, 0.5], [0.004, 1.0]]), 0.5).round(4)
    array([0.0051, 1.    ])
    """
    splits = len(p_values)
    which = ranks(splits, gamma_min)
    ordered = np.sort(p_values, axis=0)[which] / ((which + 1) / splits)[:, None]
    least: Float64 = np.minimum((1.0 - np.log(gamma_min)) * ordered.min(axis=0), 1.0)
    return least


def intervals(
    estimates: Float64, errors: Float64, degrees: Float64, sizes: Index, level: float, gamma_min: float
) -> tuple[Float64, Float64]:
    """Return for every feature the values that the aggregated tests do not reject.

    A value is rejected where, for some k, at least k splits reject it at the level that ``aggregated`` asks
    of the k-th smallest p-value. The interval is that set without holes: from the largest over k of the k-th
    largest lower end to the smallest of the k-th smallest upper end.

    Parameters
    ----------
    estimates, errors : (splits, m) float64
        NaN where a split did not test a feature.
    degrees : (splits,) float64
        Degrees of freedom.
    sizes : (splits,) int64
        Outcome of each split.
    level : float
        Simultaneous coverage, in (0, 1).
    gamma_min : float
        As in ``aggregated``.

    Returns
    -------
    lower, upper : (m,) float64
        Ends, infinite where too few splits tested a feature.
    """
    splits = len(estimates)
    lower, upper = np.full(estimates.shape[1], -np.inf), np.full(estimates.shape[1], np.inf)
    centre = np.nan_to_num(estimates, nan=0.0)
    spread = np.where(np.isnan(errors), np.inf, errors)
    for k in ranks(splits, gamma_min):
        share = (1.0 - level) * (k + 1) / splits / (1.0 - np.log(gamma_min))
        reach = -scipy.special.stdtrit(np.maximum(degrees, 1.0), share / (2.0 * np.maximum(sizes, 1)))
        half = spread * reach[:, None]
        lower = np.maximum(lower, np.sort(centre - half, axis=0)[splits - 1 - k])
        upper = np.minimum(upper, np.sort(centre + half, axis=0)[k])
    return lower, upper
