"""How accurate is a path? Measured here, in float64, for every solver alike; nobody's own claim is used.

Two objectives that agree to ten digits leave six in their difference, so differences are never taken
between values of the objective. With eta* the linear predictors of the best solution b*, D = eta* - eta and
r* minus n times the gradient of the loss at eta*,

    P(b) - P(b*) = r* . D / n + B(D) + alpha * sum_j [phi(b_j) - phi(b*_j)]

whose terms shrink with b - b*: rounding is relative to the difference, not to P. B, what the loss has beyond
its tangent at eta*, is ||D||^2 / (2n) for least squares and a divergence of means for the others (`losses`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from .problem import Problem

__all__ = ["PathAccuracy", "as_columns", "assess", "n_features"]


@dataclass(frozen=True)
class PathAccuracy:
    """Accuracy of one path, per alpha, in units of P(0).

    Attributes
    ----------
    suboptimality : float64 ndarray of shape (K,)
        (P(b) - P*) / P(0), P* the best value among the paths assessed together, P(0) the one of the model
        without features.
    gap : float64 ndarray of shape (K,)
        Duality gap over P(0): a bound that needs no other solver.
    """

    suboptimality: np.ndarray
    gap: np.ndarray

    @property
    def worst(self) -> float:
        """The largest suboptimality over the path."""
        return float(np.max(self.suboptimality))

    @property
    def worst_gap(self) -> float:
        """The largest relative duality gap over the path."""
        return float(np.max(self.gap))


def as_columns(coefs: Any) -> sparse.csc_array:
    """Return coefficients, dense or sparse, as canonical columns without stored zeros.

    Parameters
    ----------
    coefs : (rows, K) array, or scipy.sparse matrix or array
        Solutions, as `problem` describes them.

    Returns
    -------
    scipy.sparse.csc_array of shape (rows, K)
        float64; a copy.

    Examples
    --------
    >>> as_columns([[0.0, 1.0], [0.0, 2.0]]).data
    array([1., 2.])
    """
    # A copy: what solvers return may be read-only.
    columns = sparse.csc_array(coefs, dtype=np.float64, copy=True)
    columns.sum_duplicates()
    columns.eliminate_zeros()
    return columns


def n_features(problem: Problem, columns: sparse.csc_array, k: int) -> int:
    """Return how many features have a coefficient, of any output, that is not zero.

    Parameters
    ----------
    problem : Problem
        What was solved.
    columns : scipy.sparse.csc_array of shape (rows, K)
        Solutions.
    k : int
        Which of them.

    Returns
    -------
    int
        Features; intercepts do not count.

    Examples
    --------
    >>> import numpy as np
    >>> problem = Problem("tiny", np.eye(2), np.array([0.0, 1.0]), family="multinomial")
    >>> n_features(problem, as_columns([[0.0], [1.0], [0.0], [-1.0], [0.5], [-0.5]]), 0)
    1
    """
    support = columns.indices[columns.indptr[k] : columns.indptr[k + 1]]
    return len(np.unique(support[support < problem.loss.outputs * problem.p] % problem.p))


def assess(problem: Problem, alphas: np.ndarray, paths: list[Any]) -> list[PathAccuracy]:
    """Measure several paths over the same alphas against the best value any of them reached.

    Parameters
    ----------
    problem : Problem
        What was solved.
    alphas : float64 ndarray of shape (K,)
        The grid.
    paths : list of (rows, K) arrays, or scipy.sparse matrices or arrays
        Solutions of each path, as `problem` describes them.

    Returns
    -------
    list of PathAccuracy
        One per path.

    Raises
    ------
    ValueError
        If solutions have another shape than (rows, K).

    Examples
    --------
    >>> import numpy as np
    >>> from fastreg.bench.problem import Problem
    >>> problem = Problem("tiny", np.array([[1.0], [-1.0]]), np.array([2.0, -2.0]), size=2)
    >>> exact, null = assess(problem, problem.alphas, [[[0.0, 1.98]], [[0.0, 0.0]]])
    >>> exact.worst, round(null.worst, 4), bool(null.worst_gap >= null.worst)
    (0.0, 0.9801, True)
    """
    if not paths:
        return []
    columns = [as_columns(path) for path in paths]
    for path in columns:
        if path.shape != (problem.rows, len(alphas)):
            raise ValueError(f"coefs must have shape {(problem.rows, len(alphas))}, got {path.shape}")
    excess = np.empty((len(columns), len(alphas)))
    gap = np.empty_like(excess)
    for k, alpha in enumerate(alphas):
        found = _candidates(problem, columns, k)
        excess[:, k] = _excess(problem, float(alpha), found)
        gap[:, k] = _gaps(problem, float(alpha), found)
    excess /= problem.null_objective
    gap /= problem.null_objective
    return [PathAccuracy(excess[i], gap[i]) for i in range(len(columns))]


@dataclass(frozen=True)
class _Candidates:
    """Solutions of one alpha on the union of their supports.

    ``features`` (u,) holds the columns of X in use and ``XU`` their values, ``B`` (u, outputs, m) the
    coefficients of m solutions, ``intercepts`` (outputs, m) theirs, zero where there are none.
    """

    features: np.ndarray
    XU: Any
    B: np.ndarray
    intercepts: np.ndarray

    def eta(self, B: np.ndarray, intercepts: np.ndarray) -> np.ndarray:
        """Return linear predictors (n, outputs, m)."""
        # Sizes are given, not inferred: there may be no feature at all.
        products = self.XU @ B.reshape(len(B), intercepts.size)
        return np.asarray(products.reshape(-1, *intercepts.shape) + intercepts)


def _candidates(problem: Problem, paths: list[sparse.csc_array], k: int) -> _Candidates:
    """Return the solutions of alpha k."""
    p, outputs = problem.p, problem.loss.outputs
    slots = [slice(path.indptr[k], path.indptr[k + 1]) for path in paths]
    rows = [path.indices[slot] for path, slot in zip(paths, slots, strict=True)]
    values = [path.data[slot] for path, slot in zip(paths, slots, strict=True)]
    used = np.concatenate(rows)
    features = np.unique(used[used < outputs * p] % p)
    B = np.zeros((len(features), outputs, len(paths)))
    intercepts = np.zeros((outputs, len(paths)))
    for i, (row, value) in enumerate(zip(rows, values, strict=True)):
        is_coef = row < outputs * p
        B[np.searchsorted(features, row[is_coef] % p), row[is_coef] // p, i] = value[is_coef]
        intercepts[row[~is_coef] - outputs * p, i] = value[~is_coef]
    return _Candidates(features, problem.X[:, features], B, intercepts)


def _penalties(problem: Problem, alpha: float, B: np.ndarray) -> np.ndarray:
    rho = problem.l1_ratio
    return np.asarray(alpha * (rho * np.abs(B) + 0.5 * (1.0 - rho) * B**2).sum(axis=(0, 1)))


def _excess(problem: Problem, alpha: float, found: _Candidates) -> np.ndarray:
    """Return P(b) - P(b*) of every candidate, b* the best of them, by the formula of the module."""
    loss, rho, B, intercepts = problem.loss, problem.l1_ratio, found.B, found.intercepts
    eta = found.eta(B, intercepts)
    values = [loss.value(eta[..., i]) for i in range(B.shape[2])]
    best = int(np.nanargmin(values + _penalties(problem, alpha, B)))
    D = found.eta(B[..., [best]] - B, intercepts[:, [best]] - intercepts)
    at_best, reference = loss.residuals(eta[..., best]), B[..., best]
    out = np.empty(B.shape[2])
    for i in range(len(out)):
        absolute = np.abs(B[..., i]) - np.abs(reference)
        squares = (B[..., i] - reference) * (B[..., i] + reference)
        penalty = math.fsum((rho * absolute + 0.5 * (1.0 - rho) * squares).ravel())
        tangent = math.fsum((at_best * D[..., i]).ravel()) / problem.n
        out[i] = tangent + loss.bregman(eta[..., best], D[..., i]) + alpha * penalty
    return np.asarray(out - out.min())


def _gaps(problem: Problem, alpha: float, found: _Candidates) -> np.ndarray:
    """Return the duality gap of every candidate, as sums of non-negative terms.

    The dual point is made of the residuals at the best intercepts, which sum to zero. The ridge part enters
    as extra rows of X (the lasso gap with scaled dual point) or through its conjugate; both are bounds, the
    smaller counts.
    """
    loss, n, B = problem.loss, problem.n, found.B
    l1, l2 = alpha * problem.l1_ratio, alpha * (1.0 - problem.l1_ratio)
    eta = found.eta(B, found.intercepts)
    centred = np.stack([loss.centred(eta[..., i]) for i in range(B.shape[2])], axis=-1)
    residuals = np.stack([loss.residuals(centred[..., i]) for i in range(B.shape[2])], axis=-1)
    gradients = np.asarray(problem.X.T @ residuals.reshape(n, -1)).reshape(problem.p, *B.shape[1:]) / n
    out = np.empty(B.shape[2])
    for i in range(len(out)):
        b, g, at = B[..., i], gradients[..., i], centred[..., i]
        augmented = g.copy()
        augmented[found.features] -= l2 * b
        ridge = l2 * float((b * b).sum())
        largest = float(np.abs(augmented).max())
        c = loss.best_scale(residuals[..., i], l1 / largest if largest > 0.0 else math.inf, ridge)
        slack = l1 * np.abs(b) - c * b * augmented[found.features]
        rest = 0.5 * (1.0 - c) ** 2 * ridge + math.fsum(slack.ravel())
        out[i] = max(loss.duality(at, c) + rest, 0.0)
        if l2 > 0.0:
            # phi(b) + phi*(g) - b g over all features: off the support, phi* alone.
            excess = np.maximum(np.abs(g) - l1, 0.0) ** 2 / (2.0 * l2)
            excess[found.features] += l1 * np.abs(b) + 0.5 * l2 * b**2 - b * g[found.features]
            out[i] = min(out[i], max(loss.duality(at, 1.0) + math.fsum(excess.ravel()), 0.0))
        # What better intercepts would gain; nothing without them.
        D = at - eta[..., i]
        out[i] += math.fsum((residuals[..., i] * D).ravel()) / n + loss.bregman(at, D)
    return out
