"""Information criteria along a path: what a fit costs and what its degrees of freedom are charged (F44)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special

from .._typing import Float64
from ..errors import DataError
from ..families import Target
from ..request import Study
from ..result import PathResult
from ..validate.options import check_real
from ..validate.words import describe, wanted
from .freedom import degrees_of_freedom, leave_one_out
from .noise import noise_variance

__all__ = ["CRITERIA", "best", "criterion"]

# Losses whose cost is a sum of squares in units of the noise; those that have a likelihood of their own.
SQUARES, LIKELIHOODS = ("gaussian", "mgaussian", "huber"), ("binomial", "multinomial", "poisson", "cox")
PROFILE = "profile"


@dataclass(frozen=True, eq=False)
class Facts:
    """What criteria are made of.

    Attributes
    ----------
    n : float
        Rows of positive weight; for Cox the events among them.
    p : int
        Features that may enter: neither excluded nor free.
    entered : (K,) float64
        How many of these have entered.
    df : (K,) float64
        Degrees of freedom.
    """

    n: float
    p: int
    entered: Float64
    df: Float64


def _aic(facts: Facts, gamma: float) -> Float64:
    return 2.0 * facts.df


def _aicc(facts: Facts, gamma: float) -> Float64:
    """2 df + 2 df (df + 1) / (n - df - 1) (Hurvich and Tsai, Biometrika 76 (1989) 297-307)."""
    left = facts.n - facts.df - 1.0
    with np.errstate(divide="ignore", invalid="ignore"):
        more = 2.0 * facts.df * (facts.df + 1.0) / np.maximum(left, 0.0)
    return np.where(left > 0.0, 2.0 * facts.df + more, np.inf)


def _bic(facts: Facts, gamma: float) -> Float64:
    return np.asarray(np.log(facts.n) * facts.df)


def _ebic(facts: Facts, gamma: float) -> Float64:
    """Count the supports of the same size too: 2 gamma log C(p, k) (Chen and Chen, Biometrika 95 (2008))."""
    k, p = facts.entered, facts.p
    choices = special.gammaln(p + 1.0) - special.gammaln(k + 1.0) - special.gammaln(p - k + 1.0)
    return _bic(facts, gamma) + 2.0 * gamma * np.asarray(choices)


def _gic(facts: Facts, gamma: float) -> Float64:
    """log(log n) log(p) df (Fan and Tang, J. R. Stat. Soc. B 75 (2013) 531-552)."""
    return np.asarray(np.log(np.log(max(facts.n, 3.0))) * np.log(max(facts.p, 2)) * facts.df)


CHARGES: dict[str, Callable[[Facts, float], Float64]] = {
    "aic": _aic, "aicc": _aicc, "bic": _bic, "ebic": _ebic, "gic": _gic,
}  # fmt: skip
CRITERIA = (*CHARGES, "gcv", "loo")


def criterion(
    study: Study,
    path: PathResult,
    name: Any,
    *,
    gamma: Any = None,
    noise: Any = None,
    sample_weight: Float64 | None = None,
    share: float = 1.0,
) -> Float64:
    """Return a criterion at every alpha; the smaller the better.

    Parameters
    ----------
    study : Study
        What the path was fitted to.
    path : PathResult
        A path of this study.
    name : str
        One of ``CRITERIA``.
    gamma : float, optional
        Of EBIC, in [0, 1]; by default max(0, 1 - log(n) / (2 log(p))), from which on it is consistent.
    noise : float or "profile", optional
        Variance of a row of weight one; by default ``noise_variance`` estimates it. "profile" puts the
        maximum-likelihood estimate of every alpha in its place, n log(RSS / n).
    sample_weight : (n,) float64, optional
        Weights in place of those of the study.
    share : float
        Of the path in a relaxed one; see ``degrees_of_freedom``.

    Returns
    -------
    (K,) float64
        Values, inf where there are no degrees of freedom left.

    Raises
    ------
    DataError
        If there is no such criterion, or the family has none, or an option does not belong to it.
    """
    if not isinstance(name, str) or name not in CRITERIA:
        raise DataError(wanted("criterion", f"be one of {', '.join(map(repr, CRITERIA))}", describe(name)))
    if gamma is not None and name != "ebic":
        raise DataError(f"gamma belongs to 'ebic', got it with {name!r}; leave it out")
    target = study.target(sample_weight)
    df = degrees_of_freedom(study, path, sample_weight, share=share) if name != "loo" else np.zeros(0)
    if name in ("gcv", "loo"):
        if noise is not None:
            raise DataError(f"noise_variance must be left out of {name!r}, which needs none, got {noise!r}")
        if name == "loo":
            if share != 1.0:
                raise DataError("'loo' must be asked of the path itself, got a relaxed one")
            left = leave_one_out(study, path, sample_weight)
            # A row of weight zero counts for nothing, however far it is.
            return np.asarray(target.w @ np.where(target.w[:, None] > 0.0, left, 0.0) ** 2)
        return _gcv(study, path, df, sample_weight)
    facts = _facts(study, path, df, sample_weight)
    if gamma is None:
        gamma = max(0.0, 1.0 - np.log(facts.n) / (2.0 * np.log(max(facts.p, 2))))
    gamma = check_real(gamma, "gamma", "a number in [0, 1]", lambda value: 0.0 <= value <= 1.0)
    return _cost(study, path, noise, sample_weight) + CHARGES[name](facts, gamma)


def best(values: Float64, alphas: Float64) -> float:
    """Return the alpha of the smallest value, the largest such alpha.

    Parameters
    ----------
    values : (K,) float64
        A criterion.
    alphas : (K,) float64
        The grid, largest first.

    Returns
    -------
    float
        An alpha of the grid.

    Raises
    ------
    DataError
        If no value is finite.
    """
    if not np.isfinite(values).any():
        came = "none" if values.size else "an empty path"
        raise DataError(wanted("the criterion", "be finite at some alpha", came, "use another criterion"))
    return float(alphas[int(np.argmin(np.where(np.isnan(values), np.inf, values)))])


def _rows(target: Any) -> int:
    """Return the number of rows of positive weight."""
    return int(np.count_nonzero(target.w))


def _facts(study: Study, path: PathResult, df: Float64, sample_weight: Float64 | None) -> Facts:
    target, penalty = study.target(sample_weight), study.penalty()
    n = _rows(target)
    if isinstance(target, Target) and target.risk is not None:
        # What a likelihood of events knows grows with them (Volinsky and Raftery, Biometrics 56 (2000)).
        n = int(np.count_nonzero(target.y[target.w > 0.0]))
    may_enter = ~penalty.free & ~penalty.excluded
    merged = path.coefs_sparse.indices % path.n_features
    owner = np.repeat(np.arange(path.alphas.size), np.diff(path.coefs_sparse.indptr))
    pairs = np.unique(owner[may_enter[merged]] * path.n_features + merged[may_enter[merged]])
    entered = np.bincount(pairs // path.n_features, minlength=path.alphas.size).astype(np.float64)
    return Facts(float(n), int(may_enter.sum()), entered, df)


def _deviance(path: PathResult) -> Float64:
    """Return the mean unit deviance at every alpha: twice the first term of the objective."""
    return 2.0 * path.null_objective * np.maximum(1.0 - path.dev_ratio, 0.0)


def _cost(study: Study, path: PathResult, noise: Any, sample_weight: Float64 | None) -> Float64:
    """Return minus twice the log-likelihood, but for a constant, weights brought to mean one."""
    n = _rows(study.target(sample_weight))
    deviance = n * _deviance(path)
    if path.family in LIKELIHOODS:
        if noise is not None:
            raise DataError(f"noise_variance belongs to least squares, got it with family={path.family!r}")
        return deviance
    if path.family not in SQUARES:
        remedy = 'use "gcv", or cv_path'
        raise DataError(wanted("a criterion", "have a likelihood", f"family={path.family!r}", remedy))
    if isinstance(noise, str) and noise == PROFILE and path.family != "huber":
        size = n * path.n_outputs
        with np.errstate(divide="ignore"):
            return size * np.log(deviance / size)
    if noise is None:
        if path.family == "huber":
            remedy = 'give the variance of the errors, or use "gcv" or cv_path'
            raise DataError(wanted("noise_variance", "be given for family='huber'", "None", remedy))
        # Rounding of y is noise too: without it nothing could be compared with a perfect fit.
        floor = np.finfo(np.float64).eps ** 2 * 2.0 * path.null_objective
        return deviance / max(noise_variance(study, sample_weight), floor, np.finfo(np.float64).tiny)
    kinds = 'a number > 0, "profile" or None'
    return deviance / check_real(noise, "noise_variance", kinds, lambda value: 0.0 < value < np.inf)


def _gcv(study: Study, path: PathResult, df: Float64, sample_weight: Float64 | None) -> Float64:
    """Return the mean unit deviance over (1 - df / n)^2 (Craven and Wahba, Numer. Math. 31 (1979))."""
    left = 1.0 - df / (_rows(study.target(sample_weight)) * path.n_outputs)
    with np.errstate(divide="ignore"):
        return np.where(left > 1e-12, _deviance(path) / np.maximum(left, 1e-12) ** 2, np.inf)
