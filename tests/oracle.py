"""Slow, obvious solvers that import nothing of fastreg: what the tests compare with.

`solve` is cyclic coordinate descent in float64 on explicit centred and scaled copies; `solve_exactly` tries
every pattern of signs and bounds in rational arithmetic and returns the exact optimum of the problem that the
floats define.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]


@dataclass
class Problem:
    """Data and options of one gaussian problem, in the words of the package."""

    X: Any
    y: Any
    alpha: float
    l1_ratio: float = 1.0
    fit_intercept: bool = False
    standardize: bool = False
    sample_weight: Any = None
    offset: Any = None
    penalty_factor: Any = None
    positive: bool = False
    lower_limits: Any = None
    upper_limits: Any = None

    @property
    def options(self) -> dict[str, Any]:
        """Return the keyword arguments that path functions and certify share."""
        left_out = ("X", "y", "alpha", "l1_ratio")
        return {name: value for name, value in vars(self).items() if name not in left_out}

    def arrays(self) -> tuple[Vector, Vector, Vector, Vector, Vector, Vector]:
        """Return X, y minus offset, weights summing to one, factors, lower and upper limits."""
        X = np.array(self.X, dtype=np.float64)
        n, p = X.shape
        y = np.array(self.y, dtype=np.float64) - _filled(self.offset, 0.0, n)
        w, v = _filled(self.sample_weight, 1.0, n), _filled(self.penalty_factor, 1.0, p)
        low, high = _filled(self.lower_limits, -np.inf, p), _filled(self.upper_limits, np.inf, p)
        if self.positive:
            low = np.maximum(low, 0.0)
        low, high = np.where(np.isinf(v), 0.0, low), np.where(np.isinf(v), 0.0, high)
        return X, y, w / w.sum(), np.where(np.isinf(v), 0.0, v), low, high

    def scales(self) -> Vector:
        """Return s_j of the objective: weighted standard deviations, or ones."""
        X, _, w, *_ = self.arrays()
        return np.sqrt(w @ (X - w @ X) ** 2) if self.standardize else np.ones(X.shape[1])


def _filled(value: Any, default: float, size: int) -> Vector:
    return np.array(np.broadcast_to(default if value is None else value, (size,)), dtype=np.float64)


def objective(problem: Problem, coef: Vector, intercept: float = 0.0) -> float:
    """Return the objective, written down as in the documentation."""
    X, y, w, v, low, high = problem.arrays()
    s, rho = problem.scales(), problem.l1_ratio
    if np.any(coef < low) or np.any(coef > high):
        return np.inf
    loss = 0.5 * np.sum(w * (y - intercept - X @ coef) ** 2)
    penalty = np.sum(v * (rho * np.abs(coef) * s + (1 - rho) / 2 * coef**2 * s**2))
    return float(loss + problem.alpha * penalty)


def solve(problem: Problem, tol: float = 1e-15, max_sweeps: int = 200_000) -> tuple[Vector, float]:
    """Return coefficients and intercept by cyclic coordinate descent until no step matters."""
    X, y, w, v, low, high = problem.arrays()
    s, rho = problem.scales(), problem.l1_ratio
    mean_x, mean_y = (w @ X, w @ y) if problem.fit_intercept else (np.zeros(X.shape[1]), 0.0)
    Xc = X - mean_x
    r = y - mean_y
    size = np.sqrt(w @ r**2)
    curvature = w @ Xc**2
    coef = np.zeros(X.shape[1])
    l1, l2 = problem.alpha * v * rho * s, problem.alpha * v * (1 - rho) * s**2
    # A column that is constant up to the rounding of its mean has nothing to fit.
    live = curvature > 1e-24 * (w @ X**2)
    if problem.standardize:
        live &= s > 1e-12 * np.abs(X).max(axis=0)
    for _ in range(max_sweeps):
        largest = 0.0
        for j in np.flatnonzero(live):
            old = coef[j]
            q = Xc[:, j] @ (w * r) + curvature[j] * old
            new = np.sign(q) * max(abs(q) - l1[j], 0.0) / (curvature[j] + l2[j])
            coef[j] = min(max(new, low[j]), high[j])
            if coef[j] != old:
                r -= Xc[:, j] * (coef[j] - old)
                largest = max(largest, abs(coef[j] - old) * np.sqrt(curvature[j]))
        if largest <= tol * size:
            break
    return coef, float(mean_y - mean_x @ coef)


@dataclass
class ExactProblem:
    """The same problem in fractions; `scale` replaces the standard deviations, which need not be rational."""

    X: list[list[Fraction]]
    y: list[Fraction]
    w: list[Fraction]
    l1: list[Fraction]
    l2: list[Fraction]
    low: list[Fraction | None]
    high: list[Fraction | None]
    fit_intercept: bool
    size: int = field(init=False)

    def __post_init__(self) -> None:
        self.size = len(self.l1)

    def objective(self, coef: list[Fraction], intercept: Fraction) -> Fraction:
        """Return the exact objective of exact numbers."""
        total = Fraction(0)
        for row, target, weight in zip(self.X, self.y, self.w, strict=True):
            r = target - intercept - sum((x * b for x, b in zip(row, coef, strict=True)), Fraction(0))
            total += weight * r * r / 2
        for b, l1, l2 in zip(coef, self.l1, self.l2, strict=True):
            total += l1 * abs(b) + l2 * b * b / 2
        return total


def exact(problem: Problem, scale: Any = None) -> ExactProblem:
    """Return the problem that the floats of `problem` define, without any rounding."""
    if problem.standardize and scale is None:
        raise ValueError("standard deviations are irrational in general: pass the exact ones as scale")
    n, p = np.shape(problem.X)

    def fractions(value: Any, default: float, size: int) -> list[Any]:
        filled = _filled(value, default, size)
        return [Fraction(float(v)) if np.isfinite(v) else float(v) for v in filled]

    X = [[Fraction(float(x)) for x in row] for row in np.asarray(problem.X)]
    y = [a - b for a, b in zip(fractions(problem.y, 0, n), fractions(problem.offset, 0, n), strict=True)]
    raw = fractions(problem.sample_weight, 1, n)
    v = fractions(problem.penalty_factor, 1, p)
    s = fractions(scale, 1, p)
    out = [factor == np.inf for factor in v]
    alpha, rho = Fraction(float(problem.alpha)), Fraction(float(problem.l1_ratio))
    l1 = [Fraction(0) if o else alpha * f * rho * u for f, u, o in zip(v, s, out, strict=True)]
    l2 = [Fraction(0) if o else alpha * f * (1 - rho) * u * u for f, u, o in zip(v, s, out, strict=True)]
    low, high = fractions(problem.lower_limits, -np.inf, p), fractions(problem.upper_limits, np.inf, p)
    low = [Fraction(0) if o else b for b, o in zip(low, out, strict=True)]
    high = [Fraction(0) if o else b for b, o in zip(high, out, strict=True)]
    if problem.positive:
        low = [Fraction(0) if b < 0 else b for b in low]
    lower = [None if b == -np.inf else b for b in low]
    upper = [None if b == np.inf else b for b in high]
    total = sum(raw, Fraction(0))
    return ExactProblem(X, y, [a / total for a in raw], l1, l2, lower, upper, problem.fit_intercept)


def solve_exactly(problem: ExactProblem) -> tuple[list[Fraction], Fraction]:
    """Return an exact solution by trying every pattern: free with a sign, at zero, or at a bound.

    The pattern whose stationary point satisfies all optimality conditions is a solution; one with independent
    free columns always exists.
    """
    p, start = problem.size, 1 if problem.fit_intercept else 0
    columns = [[row[j] for row in problem.X] for j in range(p)]
    if start:
        columns = [[Fraction(1)] * len(problem.y), *columns]
    gram = [[_dot(problem.w, a, b) for b in columns] for a in columns]
    target = [_dot(problem.w, a, problem.y) for a in columns]
    choices = [_choices(problem, j) for j in range(p)]
    for pattern in product(*choices):
        full = _stationary(problem, pattern, gram, target, start)
        if full is not None and _is_optimal(problem, pattern, full, gram, target, start):
            return full[start:], full[0] if start else Fraction(0)
    raise ArithmeticError("no pattern is optimal: the problem is unbounded or malformed")


def _dot(w: list[Fraction], a: list[Fraction], b: list[Fraction]) -> Fraction:
    return sum((x * y * z for x, y, z in zip(w, a, b, strict=True)), Fraction(0))


def _choices(problem: ExactProblem, j: int) -> list[tuple[str, Fraction]]:
    zero, low, high = Fraction(0), problem.low[j], problem.high[j]
    kinds = [("zero", zero)]
    if problem.l1[j] == 0:
        kinds.append(("free", zero))
    else:
        kinds += [("+", zero)] if high is None or high > 0 else []
        kinds += [("-", zero)] if low is None or low < 0 else []
    kinds += [("high", high)] if high is not None and high > 0 else []
    kinds += [("low", low)] if low is not None and low < 0 else []
    return kinds


_SIGN = {"+": 1, "-": -1, "free": 0, "high": 1, "low": -1, "zero": 0}


def _stationary(
    problem: ExactProblem, pattern: Any, gram: list[list[Fraction]], target: list[Fraction], start: int
) -> list[Fraction] | None:
    """Return intercept and coefficients with zero gradient in the free positions, None if not unique."""
    full = [Fraction(0)] * start + [value for _, value in pattern]
    moving = [j + start for j, (kind, _) in enumerate(pattern) if kind in ("+", "-", "free")]
    free = list(range(start)) + moving
    fixed = [m for m in range(len(full)) if m not in free]
    rows = []
    for i in free:
        j = i - start
        right = target[i] - sum((gram[i][m] * full[m] for m in fixed), Fraction(0))
        row = [gram[i][m] for m in free]
        if j >= 0:
            right -= problem.l1[j] * _SIGN[pattern[j][0]]
            row[free.index(i)] += problem.l2[j]
        rows.append([*row, right])
    solution = _eliminate(rows)
    if solution is None:
        return None
    for i, value in zip(free, solution, strict=True):
        full[i] = value
    return full


def _eliminate(rows: list[list[Fraction]]) -> list[Fraction] | None:
    size = len(rows)
    for k in range(size):
        pivot = next((i for i in range(k, size) if rows[i][k] != 0), None)
        if pivot is None:
            return None
        rows[k], rows[pivot] = rows[pivot], rows[k]
        rows[k] = [value / rows[k][k] for value in rows[k]]
        for i in range(size):
            if i != k and rows[i][k] != 0:
                rows[i] = [a - rows[i][k] * b for a, b in zip(rows[i], rows[k], strict=True)]
    return [row[-1] for row in rows]


def _is_optimal(
    problem: ExactProblem, pattern: Any, full: list[Fraction], gram: list[list[Fraction]],
    target: list[Fraction], start: int,
) -> bool:  # fmt: skip
    for j, (kind, _) in enumerate(pattern):
        b, l1, low, high = full[j + start], problem.l1[j], problem.low[j], problem.high[j]
        if (low is not None and b < low) or (high is not None and b > high) or b * _SIGN[kind] < 0:
            return False
        products = (g * value for g, value in zip(gram[j + start], full, strict=True))
        g = target[j + start] - sum(products, Fraction(0)) - problem.l2[j] * b
        if kind == "zero" and ((g > l1 and high != 0) or (g < -l1 and low != 0)):
            return False
        if (kind == "high" and g < l1) or (kind == "low" and g > -l1):
            return False
    return True
