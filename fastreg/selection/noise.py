"""How large the noise is: the residual variance of least squares, whichever way p compares with n."""

from __future__ import annotations

import numpy as np
from scipy import special

from .._typing import Float64
from ..control import PathStep
from ..families import Target
from ..problem import Response
from ..request import Study
from ..result import PathResult
from .columns import predictors
from .freedom import as_squares
from .unpenalised import LeastSquares

__all__ = ["noise_variance"]

# All columns are fitted where they take at most this share of the rows.
MOST_COLUMNS = 0.5
# The grid of the lasso that is scaled by its own noise, and halvings of the interval where it is.
GRID, EPS, HALVINGS = 100, 1e-4, 60


def noise_variance(study: Study, sample_weight: Float64 | None = None) -> float:
    """Estimate the variance of a row of weight one (weights are brought to mean one) (F45).

    With at most n/2 columns: the residual variance RSS / (n - p - 1) of least squares on all of them. With
    more: the scaled lasso, sigma^2 of the lasso on standardised columns at the alpha where

        alpha = sigma L sqrt(2 / n),   sigma^2 = RSS(alpha) / n,   L^4 + 2 L^2 = p Phi(-L)

    Sun and Zhang, Biometrika 99 (2012) 879-898; level of Sun and Zhang, J. Mach. Learn. Res. 14 (2013)
    3385-3418. Signals that the penalty shrinks or misses count as noise: it errs upwards where they are many.
    Of several responses it is the mean.

    Parameters
    ----------
    study : Study
        The data; family gaussian or mgaussian.
    sample_weight : (n,) float64, optional
        Weights in place of those of the study.

    Returns
    -------
    float
        The estimate; 0 where y is fitted exactly.
    """
    target = study.target(sample_weight)
    if not isinstance(target, Target):
        y = np.ldexp(target.values, target.exponent) + target.centre
        return _of_one(as_squares(study, y), target.w)
    rows = (target.y - target.offset).reshape(target.outputs, -1)
    return float(np.mean([_of_one(as_squares(study, y), target.w) for y in rows]))


def _of_one(study: Study, w: Float64) -> float:
    """Return the estimate for one response of which the offset is subtracted."""
    penalty = study.penalty()
    candidates = np.flatnonzero(~penalty.excluded)
    n = int(np.count_nonzero(w))
    if candidates.size + study.fit_intercept <= MOST_COLUMNS * n:
        target = study.target(w)
        fit = LeastSquares(study, target, candidates)
        return 2.0 * fit.fit(candidates).loss * n / (n - fit.rank(candidates) - study.fit_intercept)
    factor = np.where(penalty.free, 0.0, np.where(penalty.excluded, np.inf, 1.0))
    plain = study.asking(
        alphas=GRID, n_alphas=None, eps=EPS, l1_ratio=1.0, standardize=True, penalty_factor=factor,
        positive=False, lower_limits=None, upper_limits=None, coef_init=None, n_threads=1,
    )  # fmt: skip
    level = _level(candidates.size) * np.sqrt(2.0 / n)
    target = plain.target(w)
    assert isinstance(target, Response)
    square = float(np.ldexp(target.square, 2 * target.exponent))

    def is_below(step: PathStep) -> bool:
        return bool(step.alpha <= level * np.sqrt(square * max(1.0 - step.dev_ratio, 0.0)))

    # Most of the grid lies beyond where alpha meets the noise: the path ends there.
    return _scaled(plain, plain.fit_whole(w, until=is_below), w, level)


def _level(p: int) -> float:
    """Return L with L^4 + 2 L^2 = p Phi(-L)."""
    low, high = 0.0, 40.0
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        is_below = middle**4 + 2.0 * middle**2 < p * special.ndtr(-middle)
        low, high = (middle, high) if is_below else (low, middle)
    return high


def _scaled(study: Study, path: PathResult, w: Float64, level: float) -> float:
    """Return sigma^2 where alpha = level * sigma, between the alphas of the grid by F26."""
    target = study.target(w)
    assert isinstance(target, Response)
    squares = 2.0 * path.null_objective * np.maximum(1.0 - path.dev_ratio, 0.0)
    beyond = np.flatnonzero(path.alphas <= level * np.sqrt(squares))
    k = int(beyond[0]) if beyond.size else path.alphas.size - 1
    square = float(squares[k])
    if k > 0 and beyond.size:
        eta = predictors(study, path.coefs_sparse[:, [k - 1, k]], path.intercepts[[k - 1, k]])[0]
        r = np.ldexp(target.values, target.exponent)[:, None] + target.centre - eta
        first, last = path.alphas[k - 1], path.alphas[k]
        low, high = 0.0, 1.0
        for _ in range(HALVINGS):
            z = 0.5 * (low + high)
            square = float(w @ ((1.0 - z) * r[:, 0] + z * r[:, 1]) ** 2)
            is_above = (1.0 - z) * first + z * last > level * np.sqrt(square)
            low, high = (z, high) if is_above else (low, z)
    return square
