"""Degrees of freedom along a path, and what leaving out one row does to a ridge fit (F42, F43)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy import sparse
from scipy.linalg import eigvalsh

from .._typing import Float64, Index
from ..designs.blocks import column_blocks
from ..errors import DataError
from ..families import FamilyOptions, Target
from ..kernels import losses
from ..null_model import allocate_curvature, make_loss
from ..problem import Response, make_problem, make_response
from ..request import Study
from ..result import PathResult
from ..solve_ridge import MAX_EIGEN, RidgeSolver
from ..validate.words import wanted
from .columns import gathered, predictors
from .relaxed import supports

__all__ = ["as_squares", "degrees_of_freedom", "leave_one_out", "ridge_spectrum", "scaled_columns", "spreads"]

# Losses whose second derivative at the solution is diagonal in the rows.
DIAGONAL = ("gaussian", "binomial", "poisson", "squared_hinge", "huber")
# Eigenvalues below this share of the largest are rounding.
DEPENDENT = 1e-12


def degrees_of_freedom(
    study: Study, path: PathResult, sample_weight: Float64 | None = None, *, share: float = 1.0
) -> Float64:
    """Return the degrees of freedom at every alpha, intercepts included (F42).

    Lasso: the coefficients that are neither zero nor at a bound (Zou, Hastie and Tibshirani, Ann. Stat. 35
    (2007) 2173-2192). With a ridge part: the trace of the hat matrix of the support; for losses that are not
    quadratic that of the weighted least squares problem at the solution. Coefficients of several outputs
    count one by one (of grouped ones, and of all of Cox and multinomial, that is an upper bound where there
    is a ridge part).

    Parameters
    ----------
    study : Study
        What the path was fitted to.
    path : PathResult
        A path of this study.
    sample_weight : (n,) float64, optional
        Weights in place of those of the study.
    share : float
        Of the path in a relaxed one, whose refit has as many degrees of freedom as coefficients.

    Returns
    -------
    (K,) float64
        Degrees of freedom.

    Raises
    ------
    DataError
        If the trace needs a matrix that is too large.
    """
    target = study.target(sample_weight)
    found = _intercepts(path, study.fit_intercept) + np.zeros(path.alphas.size)
    is_traced = path.l1_ratio < 1.0 and path.family in (*DIAGONAL, "mgaussian")
    share = share if is_traced else 0.0
    if share < 1.0:
        found += (1.0 - share) * _counted(study, path)
    if share > 0.0:
        found += share * path.n_outputs * _traced(study, path, target)
    return found


def _traced(study: Study, path: PathResult, target: Response | Target) -> Float64:
    """Return the trace of every hat matrix of one output, intercept apart."""
    is_squares = path.family in ("gaussian", "mgaussian")
    if path.l1_ratio > 0.0 or not is_squares or study.penalty().has_bounds:
        return _traces(study, path, target)
    solver = ridge_spectrum(study, target.w)
    return np.asarray(solver.basis.shape[1] + _shrunk(solver.values, path.alphas))


def ridge_spectrum(study: Study, w: Float64) -> RidgeSolver:
    """Return the spectrum of the columns as pure ridge penalises them, as least squares whatever the family.

    Parameters
    ----------
    study : Study
        The data.
    w : (n,) float64
        Weights that sum to one.

    Returns
    -------
    RidgeSolver
        Its ``values``, ``vectors`` and ``basis`` of columns without penalty.

    Raises
    ------
    DataError
        If both n and p are so large that no eigendecomposition is made.
    """
    given, penalty = study.given, study.penalty()
    _require_moderate(given.n, given.p)
    is_centred = study.fit_intercept or study.family == "cox"
    nothing = make_response(np.zeros(given.n), None, w, 1.0, fit_intercept=is_centred)
    problem = make_problem(
        given,
        nothing,
        replace(penalty, l1_ratio=0.0),
        fit_intercept=is_centred,
        standardize=bool(study.ask.standardize),
        n_threads=1,
    )
    return RidgeSolver(problem)


def leave_one_out(study: Study, path: PathResult, sample_weight: Float64 | None = None) -> Float64:
    """Return the residuals that a ridge fit has at each row when it is fitted without that row (F43).

    r_i / (1 - h_i) with the leverage h_i, intercept and free columns included. Exact for a fit to the other
    rows with the same penalty on the sum scale, alpha * sum(w): without row i that is
    alpha * sum(w) / (sum(w) - w_i) in the units of this package; standard deviations are those of all rows.
    Allen, Technometrics 16 (1974) 125-127; Golub, Heath and Wahba, Technometrics 21 (1979) 215-223.

    Parameters
    ----------
    study : Study
        What the path was fitted to.
    path : PathResult
        A gaussian path with ``l1_ratio=0`` and without bounds.
    sample_weight : (n,) float64, optional
        Weights in place of those of the study.

    Returns
    -------
    (n, K) float64
        Residuals, inf where a row alone decides its own fit.

    Raises
    ------
    DataError
        If the path is another one.
    """
    if path.family != "gaussian" or path.l1_ratio != 0.0 or study.penalty().has_bounds:
        kind = f"family={path.family!r} with l1_ratio={path.l1_ratio:g}"
        remedy = "ridge of least squares without bounds has a formula for it; cv_path leaves out rows of any"
        raise DataError(wanted("leave-one-out", "be asked of a ridge_path without bounds", kind, remedy))
    target = study.target(sample_weight)
    assert isinstance(target, Response)
    solver = ridge_spectrum(study, target.w)
    own = np.sum(solver.basis**2, axis=1) + (target.w if study.fit_intercept else 0.0)
    if solver.is_narrow:
        image = scaled_columns(solver) @ solver.vectors
        leverage = image**2 @ (1.0 / (solver.values[:, None] + path.alphas))
    else:
        leverage = solver.vectors**2 @ (solver.values[:, None] / (solver.values[:, None] + path.alphas))
    eta = predictors(study, path.coefs_sparse, path.intercepts)[0]
    y = np.ldexp(target.values, target.exponent) + target.centre
    # A row of weight zero has no leverage: it is left out already.
    left = 1.0 - own[:, None] - leverage
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(left > 1e-14, (y[:, None] - eta) / left, np.inf)


def scaled_columns(solver: RidgeSolver) -> Float64:
    """Return the penalised columns times sqrt(w / l2), less what columns without penalty explain, (n, p).

    Parameters
    ----------
    solver : RidgeSolver
        From ``ridge_spectrum``.

    Returns
    -------
    (n, p) float64
        The columns; zero where a feature is not penalised.
    """
    design = solver.problem.design
    columns = np.empty((design.n, design.p))
    for block, rows in column_blocks(design, solver.root_w):
        columns[:, block] = (rows * np.sqrt(solver.pull[block])[:, None]).T
    for _ in range(2):
        columns = columns - solver.basis @ (solver.basis.T @ columns)
    return columns


def _require_moderate(n: int, k: int) -> None:
    if min(n, k) > MAX_EIGEN:
        raise DataError(
            wanted(
                "the hat matrix of a ridge part",
                f"have rank at most {MAX_EIGEN}",
                f"{n} rows and {k} features",
                "use l1_ratio=1, or cv_path",
            )
        )


def _intercepts(path: PathResult, fit_intercept: bool) -> float:
    """Return the number of intercepts that data decide: the softmax has one too many."""
    count = path.n_outputs - 1 if path.family == "multinomial" else path.n_outputs
    return float(count * fit_intercept)


def _shrunk(values: Float64, alphas: Float64) -> Float64:
    """Return sum_m values_m / (values_m + alpha) at every alpha."""
    values = values[values > DEPENDENT * values.max(initial=0.0)]
    return np.asarray(np.sum(values / (values + alphas[:, None]), axis=1))


def _counted(study: Study, path: PathResult) -> Float64:
    """Return the number of coefficients that may move: not zero, not at a bound."""
    penalty, stored = study.penalty(), path.coefs_sparse
    columns = stored.indices % path.n_features
    moves = (stored.data < penalty.upper[columns]) & (stored.data > penalty.lower[columns])
    owner = np.repeat(np.arange(path.alphas.size), np.diff(stored.indptr))
    count = np.bincount(owner, moves, path.alphas.size)
    if path.family == "multinomial" and path.is_grouped:
        # One constant per feature over the classes changes no probability.
        count = count - path.n_nonzero
    return np.asarray(count, dtype=np.float64)


def _traces(study: Study, path: PathResult, target: Response | Target) -> Float64:
    """Return the trace of every support's hat matrix, at the curvature of the solution."""
    penalty = study.penalty()
    scale = np.ones(study.given.p)
    if study.ask.standardize:
        scale = spreads(study, target.w)
    l2 = (1.0 - path.l1_ratio) * penalty.factor * scale**2
    nobody: Index = np.zeros(0, dtype=np.int64)
    found = np.zeros(path.alphas.size)
    for k, support in enumerate(supports(path, nobody)):
        weights = target.w * _curvature(study, path.coefs_sparse[:, [k]], path.intercepts[..., [k]], target)
        root = np.sqrt(weights)[:, None]
        if path.n_outputs == 1:
            b = path.coefs_sparse[:, [k]].toarray()[support, 0]
            support = support[(b < penalty.upper[support]) & (b > penalty.lower[support])]
        is_free = l2[support] == 0.0
        basis = root * gathered(study.given, support[is_free])
        if study.fit_intercept:
            basis = np.concatenate([root, basis], axis=1)
        _require_moderate(study.given.n, support.size)
        own = support[~is_free]
        B = root * gathered(study.given, own) / np.sqrt(l2[own])
        Q = _orthonormal(basis)
        for _ in range(2):
            B = B - Q @ (Q.T @ B)
        small = B.T @ B if own.size <= study.given.n else B @ B.T
        values = np.maximum(eigvalsh(small), 0.0) if own.size else np.zeros(0)
        rank = Q.shape[1] - min(study.fit_intercept, Q.shape[1])
        found[k] = rank + _shrunk(values, path.alphas[k : k + 1])[0]
    return found


def _orthonormal(columns: Float64) -> Float64:
    """Return an orthonormal basis of the span of some columns."""
    norms = np.linalg.norm(columns, axis=0)
    columns = columns[:, norms > 0.0] / norms[norms > 0.0]
    if columns.shape[1] == 0:
        return columns
    left, values, _ = np.linalg.svd(columns, full_matrices=False)
    return np.asarray(left[:, values > 1e-10 * values[0]])


def spreads(study: Study, w: Float64) -> Float64:
    """Return the weighted standard deviations of all columns."""
    response = make_response(np.zeros(study.given.n), None, w, 1.0, fit_intercept=True)
    problem = make_problem(
        study.given,
        response,
        replace(study.penalty(), l1_ratio=0.0),
        fit_intercept=True,
        standardize=True,
        n_threads=1,
    )
    return problem.design.spread


def _curvature(
    study: Study, coefs: sparse.csc_array, intercepts: Float64, target: Response | Target
) -> Float64:
    """Return the second derivative of the loss per unit weight at one solution, (n,)."""
    if not isinstance(target, Target) or target.family == "mgaussian":
        return np.ones(study.given.n)
    eta = predictors(study, coefs, intercepts)[:, :, 0] + target.offset.reshape(target.outputs, -1)
    loss, x = make_loss(target), np.ones_like(eta)
    # With an intercept of its own the loss would project the ones off.
    loss = loss._replace(traits=np.array([loss.traits[losses.KIND], 0]))
    losses.flexed(loss, allocate_curvature(loss), np.ascontiguousarray(eta), np.zeros_like(eta), x)
    w = target.w
    return np.asarray(np.divide(x[0], w, out=np.zeros_like(w), where=w > 0.0))


def as_squares(study: Study, y: Float64) -> Study:
    """Return a study of the same columns with another response and least squares as its loss."""
    options = {name: None for name in vars(FamilyOptions())}
    intercept = study.fit_intercept or study.family == "cox"
    plain = study.asking(y=y, family="gaussian", fit_intercept=intercept, offset=None, **options)
    return replace(plain, family="gaussian", fit_intercept=intercept)
