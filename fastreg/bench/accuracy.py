"""How accurate is a path? Measured here, in float64, for every solver alike; nobody's own claim is used.

Two objectives that agree to ten digits leave six in their difference, so differences are never taken
between values of the objective. With d = X (b* - b), r = y - X b and r* = y - X b*,

    P(b) - P(b*) = d . (r + r*) / (2n) + alpha * sum_j [phi(b_j) - phi(b*_j)]      (r - r* = d)

whose terms shrink with b - b*: rounding is relative to the difference, not to P.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from .problem import Problem

__all__ = ["PathAccuracy", "as_columns", "assess"]


@dataclass(frozen=True)
class PathAccuracy:
    """Accuracy of one path, per alpha, in units of P(0).

    Attributes
    ----------
    suboptimality : float64 ndarray of shape (K,)
        (P(b) - P*) / P(0), P* the best value among the paths assessed together.
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
    coefs : (p, K) array, or scipy.sparse matrix or array
        Coefficients.

    Returns
    -------
    scipy.sparse.csc_array of shape (p, K)
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


def assess(problem: Problem, alphas: np.ndarray, paths: list[Any]) -> list[PathAccuracy]:
    """Measure several paths over the same alphas against the best value any of them reached.

    Parameters
    ----------
    problem : Problem
        What was solved.
    alphas : float64 ndarray of shape (K,)
        The grid.
    paths : list of (p, K) arrays, or scipy.sparse matrices or arrays
        Coefficients of each path.

    Returns
    -------
    list of PathAccuracy
        One per path.

    Raises
    ------
    ValueError
        If coefficients have another shape than (p, K).

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
        if path.shape != (problem.p, len(alphas)):
            raise ValueError(f"coefs must have shape {(problem.p, len(alphas))}, got {path.shape}")
    excess = np.empty((len(columns), len(alphas)))
    gap = np.empty_like(excess)
    for k, alpha in enumerate(alphas):
        excess[:, k], gap[:, k] = _at_one_alpha(problem, float(alpha), [_column(path, k) for path in columns])
    excess /= problem.null_objective
    gap /= problem.null_objective
    return [PathAccuracy(excess[i], gap[i]) for i in range(len(columns))]


def _column(path: sparse.csc_array, k: int) -> tuple[np.ndarray, np.ndarray]:
    at = slice(path.indptr[k], path.indptr[k + 1])
    return path.indices[at], path.data[at]


def _at_one_alpha(
    problem: Problem, alpha: float, candidates: list[tuple[np.ndarray, np.ndarray]]
) -> tuple[np.ndarray, np.ndarray]:
    """Return the excess over the best candidate, and the gap, of every candidate (support, values)."""
    union = np.unique(np.concatenate([support for support, _ in candidates]))
    B = np.zeros((len(union), len(candidates)))
    for i, (support, values) in enumerate(candidates):
        B[np.searchsorted(union, support), i] = values
    XU = problem.X[:, union]
    values = objectives(problem, alpha, B, problem.y[:, None] - XU @ B)
    best = int(np.nanargmin(values))
    at_best = problem.y - XU @ B[:, best]
    D = XU @ (B[:, [best]] - B)
    excess = differences(problem, alpha, B, best, at_best, D)
    residuals = at_best[:, None] + D
    return excess - excess.min(), gaps(problem, alpha, B, union, residuals)


def objectives(problem: Problem, alpha: float, B: np.ndarray, residuals: np.ndarray) -> np.ndarray:
    """Return P for coefficients B, one candidate per column, with their residuals (n, m)."""
    rho = problem.l1_ratio
    penalty = rho * np.abs(B).sum(axis=0) + 0.5 * (1.0 - rho) * (B**2).sum(axis=0)
    return np.asarray((residuals**2).sum(axis=0) / (2 * problem.n) + alpha * penalty)


def differences(
    problem: Problem, alpha: float, B: np.ndarray, best: int, at_best: np.ndarray, D: np.ndarray
) -> np.ndarray:
    """Return P(b) - P(b*) for every column b of B, b* = B[:, best], by the formula of the module."""
    rho = problem.l1_ratio
    out = np.empty(B.shape[1])
    reference = B[:, best]
    for i in range(B.shape[1]):
        absolute = np.abs(B[:, i]) - np.abs(reference)
        squares = (B[:, i] - reference) * (B[:, i] + reference)
        penalty = math.fsum(rho * absolute + 0.5 * (1.0 - rho) * squares)
        out[i] = math.fsum(D[:, i] * (2.0 * at_best + D[:, i])) / (2 * problem.n) + alpha * penalty
    return out


def gaps(
    problem: Problem, alpha: float, B: np.ndarray, support: np.ndarray, residuals: np.ndarray
) -> np.ndarray:
    """Return the duality gap of every candidate, as sums of non-negative terms.

    The ridge part enters as extra rows of X (the lasso gap with scaled dual point) or through its conjugate;
    both are bounds, the smaller counts.
    """
    rho, n = problem.l1_ratio, problem.n
    l1, l2 = alpha * rho, alpha * (1.0 - rho)
    gradients = np.asarray(problem.X.T @ residuals) / n
    out = np.empty(B.shape[1])
    for i in range(B.shape[1]):
        b, g, r = B[:, i], gradients[:, i], residuals[:, i]
        augmented = g.copy()
        augmented[support] -= l2 * b
        square = float(r @ r) / n + l2 * float(b @ b)
        largest = float(np.abs(augmented).max())
        c_max = l1 / largest if largest > 0.0 else math.inf
        c = min(c_max, float(problem.y @ r) / n / square) if square > 0.0 else 1.0
        slack = l1 * np.abs(b) - c * b * augmented[support]
        out[i] = max(0.5 * (1.0 - c) ** 2 * square + math.fsum(slack), 0.0)
        if l2 > 0.0:
            # phi(b) + phi*(g) - b g over all features: off the support, phi* alone.
            excess = np.maximum(np.abs(g) - l1, 0.0) ** 2 / (2.0 * l2)
            excess[support] += l1 * np.abs(b) + 0.5 * l2 * b**2 - b * g[support]
            out[i] = min(out[i], max(math.fsum(excess), 0.0))
    return out
