"""Penalty factors of the adaptive lasso: features that a first fit finds small are penalised more."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._typing import Float64
from ..errors import DataError
from ..families import Target
from ..null_model import fit_null
from ..problem import Response
from ..request import Study
from ..result import PathResult
from ..solve_ridge import RidgeSolver
from ..validate import check_vector
from ..validate.options import check_real
from ..validate.words import describe, wanted
from .columns import null_curvature
from .criteria import best, criterion
from .freedom import ridge_spectrum, scaled_columns, spreads

__all__ = ["adaptive_factors"]

# The ridges that are tried: largest and smallest alpha relative to the largest eigenvalue, and how many.
RIDGE_RANGE, RIDGE_GRID = (1e1, 1e-6), 141
# The first lasso: alphas, and the last one relative to the first.
LASSO_GRID, LASSO_EPS = 100, 1e-2
# First coefficients below this share of the largest are rounding.
NOTHING = 1e-12
# Families without a likelihood, of which BIC knows nothing.
WITHOUT_LIKELIHOOD = ("squared_hinge", "huber")


def adaptive_factors(
    study: Study, how: Any, sample_weight: Float64 | None = None, power: float = 1.0
) -> Float64:
    """Return v_j |s_j b_j|^-power from a first fit b, or v_j times given weights.

    v_j is the penalty factor of the study, s_j the standard deviation of column j where the study
    standardises, else 1: the same quantity is penalised. With several outputs |b_j| is the norm over them.

    * "ridge": pure L2 at the alpha of the smallest generalised cross-validation score (F43) among 141 from
      10 down to 1e-6 times the largest eigenvalue of the columns; where the loss is not quadratic, that score
      is of the least squares problem at the null model.
    * "lasso": at the alpha of the smallest BIC (GCV for squared_hinge and huber); zeros stay out, factor inf.
    * an array: weights used as they are, whatever ``power``.

    Zou, J. Am. Stat. Assoc. 101 (2006) 1418-1429; with p > n Huang, Ma and Zhang, Stat. Sinica 18 (2008)
    1603-1618.

    Parameters
    ----------
    study : Study
        The data and what is asked about them.
    how : {"ridge", "lasso"} or (p,) array
        Where the weights come from.
    sample_weight : (n,) float64, optional
        Weights in place of those of the study, as in ``Study.fit``.
    power : float
        At least 0.

    Returns
    -------
    (p,) float64
        Penalty factors; 0 stays 0, inf stays inf.

    Raises
    ------
    DataError
        If ``how`` or ``power`` is something else, or no ridge can be chosen for a design so large.
    """
    power = check_real(power, "power", "a finite number >= 0", lambda value: 0.0 <= value < np.inf)
    factor = study.penalty().factor
    if not isinstance(how, str):
        weights = _given(how, study.given.p)
    elif how in FIRST_FITS:
        size = FIRST_FITS[how](study, sample_weight)
        weights = _inverse(size, power)
    else:
        raise DataError(wanted("weights", 'be "ridge", "lasso" or an array of p numbers', describe(how)))
    with np.errstate(invalid="ignore"):
        return np.where(factor == 0.0, 0.0, np.where(np.isinf(factor), np.inf, factor * weights))


def _given(how: Any, p: int) -> Float64:
    """Return weights that were given: numbers >= 0, inf for a feature that stays out."""
    raw = np.asarray(how)
    is_out = np.isposinf(raw) if raw.dtype.kind == "f" and raw.shape == (p,) else np.zeros(p, dtype=bool)
    weights = check_vector(np.where(is_out, 0.0, raw) if is_out.any() else how, p, "weights")
    if (weights < 0.0).any():
        j = int(np.argmax(weights < 0.0))
        raise DataError(wanted("weights", "be >= 0", f"{weights[j]} in column {j}", "pass |b_j|^-power"))
    weights[is_out] = np.inf
    return weights


def _inverse(size: Float64, power: float) -> Float64:
    """Return size^-power, inf where a size is zero or rounding."""
    is_something = size > NOTHING * size.max(initial=0.0)
    weights = np.full(size.size, np.inf)
    weights[is_something] = size[is_something] ** -power
    return weights


def _by_ridge(study: Study, sample_weight: Float64 | None) -> Float64:
    target = study.target(sample_weight)
    solver = ridge_spectrum(study, target.w)
    alpha = _least_gcv(solver, _null_residuals(target), null_curvature(target), study.fit_intercept)
    # Groups have no ridge of their own: the norm's square is the sum of squares.
    plain = study.asking(
        l1_ratio=0.0, alphas=[alpha], n_alphas=None, eps=LASSO_EPS, coef_init=None, n_threads=1
    )
    path = plain.fit_whole(sample_weight)
    return _sizes(study, path, alpha, solver.problem.design.spread)


def _null_residuals(target: Response | Target) -> Float64:
    """Return the pseudo-residuals of the null model, (outputs, n)."""
    if isinstance(target, Target):
        return fit_null(target).residual
    return np.ldexp(target.values, target.exponent)[None]


def _least_gcv(solver: RidgeSolver, residuals: Float64, curvature: float, fit_intercept: bool) -> float:
    """Return the alpha of the smallest GCV score of least squares at the null model.

    With curvature h there, the working response is r / h and the spectrum h lambda; h is 1 for squares.
    """
    y = solver.root_w * residuals
    y = y - (y @ solver.basis) @ solver.basis.T
    kept = solver.values > NOTHING * solver.values.max(initial=0.0)
    values, vectors = solver.values[kept], solver.vectors[:, kept]
    if not values.size:
        return 1.0
    if solver.is_narrow:
        vectors = scaled_columns(solver) @ vectors / np.sqrt(values)
    inner = y @ vectors
    parts = inner**2
    rows = np.count_nonzero(solver.root_w)
    used = solver.basis.shape[1] + fit_intercept + values.size
    # What no column explains; where they span all rows it is nothing, of which a difference leaves rounding.
    rest = float(np.sum((y - inner @ vectors.T) ** 2)) if used < rows else 0.0
    alphas = curvature * values.max() * np.geomspace(*RIDGE_RANGE, RIDGE_GRID)
    kept_share = alphas[:, None] / (curvature * values + alphas[:, None])
    left = np.maximum((rows - used + kept_share.sum(axis=1)) / rows, NOTHING)
    score = (rest + kept_share**2 @ parts.sum(axis=0)) / left**2
    return best(score, alphas)


def _by_lasso(study: Study, sample_weight: Float64 | None) -> Float64:
    plain = study.asking(
        l1_ratio=1.0, alphas=LASSO_GRID, n_alphas=None, eps=LASSO_EPS, coef_init=None, n_threads=1
    )
    path = plain.fit_whole(sample_weight)
    name = "gcv" if study.family in WITHOUT_LIKELIHOOD else "bic"
    alpha = best(criterion(plain, path, name, sample_weight=sample_weight), path.alphas)
    spread = np.ones(study.given.p)
    if study.ask.standardize:
        spread = spreads(study, study.target(sample_weight).w)
    return _sizes(study, path, alpha, spread)


def _sizes(study: Study, path: PathResult, alpha: float, spread: Float64) -> Float64:
    """Return |s_j b_j| at one alpha of the grid."""
    k = int(np.flatnonzero(path.alphas == alpha)[0])
    b = path.coefs_sparse[:, [k]].toarray().reshape(path.n_outputs, -1)
    scaled = b * spread if study.ask.standardize else b
    # Squares of what is far from one would leave the range of floats.
    peak = float(np.abs(scaled).max(initial=0.0)) or 1.0
    return np.asarray(np.linalg.norm(scaled / peak, axis=0) * peak)


FIRST_FITS = {"ridge": _by_ridge, "lasso": _by_lasso}
