"""Slow, obvious losses and a slow, obvious solver for all of them; imports nothing of fastreg.

`Problem` says in the words of the package what is minimised; linear predictors are (n, outputs). `solve` is
an accelerated proximal gradient method whose guess of the support is finished by Newton steps; it returns
only what satisfies the optimality conditions to rounding, and raises otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import xlogy

Array = NDArray[np.float64]

GROUPED = ("mgaussian",)  # families whose penalty is on rows of coefficients whether one asks or not
# Optimality to this share of the largest gradient at the null model counts as exact.
EXACT = 1e-11


@dataclass
class Problem:
    """Data and options of one problem.

    y is (n,) or, for multinomial and mgaussian, (n, outputs): proportions or responses; binomial 0 to 1,
    squared_hinge -1 or 1, cox columns [time, status] or [start, stop, status].
    """

    family: str
    X: Any
    y: Any
    alpha: float = 1.0
    l1_ratio: float = 1.0
    fit_intercept: bool = True
    standardize: bool = False
    sample_weight: Any = None
    offset: Any = None
    penalty_factor: Any = None
    positive: bool = False
    lower_limits: Any = None
    upper_limits: Any = None
    delta: float = 1.35
    ties: str = "breslow"
    strata: Any = None
    grouped: bool = False
    terms: Any = field(default=None, init=False)

    @property
    def design(self) -> Array:
        """Return X as a dense float64 array."""
        X = self.X.toarray() if hasattr(self.X, "toarray") else self.X
        return np.array(X, dtype=np.float64)

    @property
    def w(self) -> Array:
        """Return the weights, summing to one."""
        n = np.shape(self.X)[0]
        w = np.array(np.ones(n) if self.sample_weight is None else self.sample_weight, dtype=np.float64)
        return w / w.sum()

    @property
    def outputs(self) -> int:
        """Return the number of linear predictors."""
        return np.shape(self.y)[1] if self.family in ("multinomial", "mgaussian") else 1

    @property
    def is_grouped(self) -> bool:
        """Tell whether the penalty is on the norms of rows of coefficients."""
        return self.grouped or self.family in GROUPED

    @property
    def shift(self) -> Array:
        """Return the offset as (n, outputs)."""
        n = np.shape(self.X)[0]
        offset = np.zeros(n) if self.offset is None else np.asarray(self.offset, dtype=np.float64)
        return np.array(np.broadcast_to(offset.reshape(n, -1), (n, self.outputs)))

    def penalty(self) -> tuple[Array, Array, Array, Array]:
        """Return per feature alpha v rho s, alpha v (1 - rho) s^2 and the limits; inf excludes."""
        X, w = self.design, self.w
        p = X.shape[1]

        def filled(value: Any, default: float) -> Array:
            return np.array(np.broadcast_to(default if value is None else value, (p,)), dtype=np.float64)

        v = filled(self.penalty_factor, 1.0)
        low, high = filled(self.lower_limits, -np.inf), filled(self.upper_limits, np.inf)
        low = np.maximum(low, 0.0) if self.positive else low
        spread = np.sqrt(w @ (X - w @ X) ** 2)
        constant = spread <= 1e-12 * np.abs(X).max(axis=0)
        out = np.isinf(v) | (constant & (self.fit_intercept or self.standardize))
        out |= ~X.any(axis=0)
        s = spread if self.standardize else np.ones(p)
        v, low, high = (np.where(out, 0.0, a) for a in (v, low, high))
        return self.alpha * v * self.l1_ratio * s, self.alpha * v * (1 - self.l1_ratio) * s**2, low, high

    def eta(self, coef: Array, intercept: Any = 0.0) -> Array:
        """Return linear predictors (n, outputs) of coefficients (outputs, p) or (p,)."""
        return self.shift + np.atleast_1d(intercept) + self.design @ np.atleast_2d(coef).T


# Losses: value (half the unit deviance, weighted), gradient and Hessian with respect to eta


def value(problem: Problem, eta: Array) -> float:
    """Return sum_i w_i f(y_i, eta_i) with weights summing to one."""
    y, w = _columns(problem), problem.w
    with np.errstate(over="ignore", invalid="ignore"):
        if problem.family == "cox":
            return _cox(problem, eta)[0]
        if problem.family in ("gaussian", "mgaussian"):
            f = 0.5 * np.sum((y - eta) ** 2, axis=1)
        elif problem.family == "binomial":
            f = (np.logaddexp(0.0, eta) - y * eta + xlogy(y, y) + xlogy(1 - y, 1 - y))[:, 0]
        elif problem.family == "multinomial":
            f = np.logaddexp.reduce(eta, axis=1) - np.sum(y * eta, axis=1) + np.sum(xlogy(y, y), axis=1)
        elif problem.family == "poisson":
            f = (np.exp(eta) - y * eta - (y - xlogy(y, y)))[:, 0]
        elif problem.family == "squared_hinge":
            f = (0.5 * np.maximum(0.0, 1.0 - y * eta) ** 2)[:, 0]
        elif problem.family == "huber":
            e, d = np.abs(y - eta)[:, 0], problem.delta
            f = np.where(e <= d, 0.5 * e**2, d * e - 0.5 * d**2)
        else:
            raise ValueError(problem.family)
        # A row of no weight counts for nothing, however far off it is.
        return float(np.sum(w[w > 0] * f[w > 0]))


def gradient(problem: Problem, eta: Array) -> Array:
    """Return the derivative of `value`, (n, outputs)."""
    y, w = _columns(problem), problem.w[:, None]
    with np.errstate(over="ignore"):
        if problem.family == "cox":
            return _cox(problem, eta)[1][:, None]
        if problem.family in ("gaussian", "mgaussian"):
            return w * (eta - y)
        if problem.family in ("binomial", "multinomial", "poisson"):
            return w * (mean(problem, eta) - y)
        if problem.family == "squared_hinge":
            return -w * y * np.maximum(0.0, 1.0 - y * eta)
        return -w * np.clip(y - eta, -problem.delta, problem.delta)


def hessian(problem: Problem, eta: Array) -> Array:
    """Return the second derivative, (n * outputs, n * outputs), output after output."""
    n, C = eta.shape
    if problem.family == "cox":
        return _cox(problem, eta, curved=True)[2]
    out = np.zeros((C, n, C, n))
    y, w, rows = _columns(problem), problem.w, np.arange(n)
    if problem.family in ("gaussian", "mgaussian"):
        for c in range(C):
            out[c, rows, c, rows] = w
    elif problem.family == "multinomial":
        pi = mean(problem, eta)
        for c in range(C):
            for d in range(C):
                out[c, rows, d, rows] = w * pi[:, c] * ((c == d) - pi[:, d])
    else:
        mu = mean(problem, eta)[:, 0]
        curvature = {
            "binomial": mu * (1 - mu), "poisson": mu, "squared_hinge": 1.0 * (y * eta < 1)[:, 0],
            "huber": 1.0 * (np.abs(y - eta) <= problem.delta)[:, 0],
        }[problem.family]  # fmt: skip
        out[0, rows, 0, rows] = w * curvature
    return out.reshape(n * C, n * C)


def mean(problem: Problem, eta: Array) -> Array:
    """Return what the model expects of y, (n, outputs): probabilities, counts, or eta itself."""
    if problem.family == "binomial":
        small = np.exp(-np.abs(eta))
        return np.where(eta >= 0, 1.0, small) / (1.0 + small)
    if problem.family == "multinomial":
        ratio = np.exp(eta - eta.max(axis=1, keepdims=True))
        return ratio / ratio.sum(axis=1, keepdims=True)
    return np.exp(eta) if problem.family == "poisson" else eta


def _columns(problem: Problem) -> Array:
    y = np.array(problem.y, dtype=np.float64)
    return y[:, None] if y.ndim == 1 else y


def _cox_terms(problem: Problem) -> list[tuple[float, Array, Array]]:
    """Return omega, weights at risk and expected share of every term, event by event.

    For every stratum, every time with deaths, every term of that time; the weights at risk are divided by
    those of the saturated model, in which only the dead are at risk.
    """
    times, w = np.array(problem.y, dtype=np.float64), problem.w
    n = len(w)
    start = times[:, 0] if times.shape[1] == 3 else np.full(n, -np.inf)
    stop, died = times[:, -2], (times[:, -1] != 0) & (w > 0)
    strata = np.zeros(n) if problem.strata is None else np.asarray(problem.strata)
    terms = []
    for stratum in np.unique(strata):
        inside = strata == stratum
        for t in np.unique(stop[inside & died]):
            dead = inside & died & (stop == t)
            at_risk = inside & (start < t) & (t <= stop)
            weight, d = w[dead].sum(), int(dead.sum())
            steps = [(weight, 0.0)] if problem.ties == "breslow" else [(weight / d, m / d) for m in range(d)]
            for omega, share in steps:
                part = np.where(at_risk, w, 0.0) * np.where(dead, 1.0 - share, 1.0)
                terms.append((omega, part / (weight * (1.0 - share)), np.where(dead, w, 0.0) / weight))
    return terms


def _cox(problem: Problem, eta: Array, curved: bool = False) -> tuple[float, Array, Array]:
    """Return minus the log partial likelihood less its saturated value, gradient and (if curved) Hessian."""
    if problem.terms is None:
        problem.terms = _cox_terms(problem)
    x, n = eta[:, 0], len(eta)
    total, first, second = 0.0, np.zeros(n), np.zeros((n, n) if curved else 0)
    for omega, part, expected in problem.terms:
        top = x[part > 0].max()
        mass = part * np.exp(np.minimum(x - top, 0.0))
        pi = mass / mass.sum()
        total += omega * (top + np.log(mass.sum()) - expected @ x)
        first += omega * (pi - expected)
        if curved:
            second += omega * (np.diag(pi) - np.outer(pi, pi))
    return total, first, second


def objective(problem: Problem, coef: Array, intercept: Any = 0.0) -> float:
    """Return loss and penalty, written down as in the documentation; infinite where limits are broken."""
    B = np.atleast_2d(coef)
    l1, l2, low, high = problem.penalty()
    if np.any(low > B) or np.any(high < B):
        return np.inf
    size = np.sqrt(np.sum(B**2, axis=0)) if problem.is_grouped else np.sum(np.abs(B), axis=0)
    penalty = np.sum(l1 * size + l2 / 2 * np.sum(B**2, axis=0))
    return value(problem, problem.eta(coef, intercept)) + float(penalty)


# The solver: columns centred (with an intercept) and scaled to unit norm, coefficients (outputs, p)


@dataclass
class _Scaled:
    problem: Problem
    Z: Array = field(init=False)
    scale: Array = field(init=False)
    centre: Array = field(init=False)

    def __post_init__(self) -> None:
        problem, X, w = self.problem, self.problem.design, self.problem.w
        l1, l2, low, high = problem.penalty()
        # Cox's loss does not see a constant in eta, so that its columns may be centred too.
        centred = problem.fit_intercept or problem.family == "cox"
        self.centre = w @ X if centred else np.zeros(X.shape[1])
        Z = X - self.centre
        self.scale = np.sqrt(w @ Z**2)
        self.scale[(self.scale == 0) | ((low == 0) & (high == 0))] = 1.0
        self.l1, self.l2 = l1 / self.scale, l2 / self.scale**2
        self.low, self.high = low * self.scale, high * self.scale
        # The intercept is one more column, of ones, free and without limits.
        if problem.fit_intercept:
            Z, self.scale = np.hstack([Z / self.scale, np.ones((len(Z), 1))]), np.append(self.scale, 1.0)
            self.l1, self.l2 = np.append(self.l1, 0.0), np.append(self.l2, 0.0)
            self.low, self.high = np.append(self.low, -np.inf), np.append(self.high, np.inf)
        else:
            Z = Z / self.scale
        self.Z = Z

    def loss(self, B: Array) -> float:
        return value(self.problem, self.problem.shift + self.Z @ B.T)

    def total(self, B: Array) -> float:
        size = np.linalg.norm(B, axis=0) if self.problem.is_grouped else np.abs(B).sum(axis=0)
        return self.loss(B) + float(np.sum(self.l1 * size + self.l2 / 2 * np.sum(B**2, axis=0)))

    def slope(self, B: Array) -> Array:
        return gradient(self.problem, self.problem.shift + self.Z @ B.T).T @ self.Z

    def prox(self, B: Array, step: float) -> Array:
        """Minimise |A - B|^2 / (2 step) + penalty(A) within the limits."""
        if not self.problem.is_grouped:
            soft = np.sign(B) * np.maximum(np.abs(B) - step * self.l1, 0.0)
            return np.clip(soft / (1 + step * self.l2), self.low, self.high)
        # Groups have no limits, other than being left out.
        size = np.linalg.norm(B, axis=0)
        share = np.maximum(1.0 - step * self.l1 / np.where(size > 0, size, 1.0), 0.0) / (1 + step * self.l2)
        return B * np.where(self.low < self.high, share, 0.0)

    def violation(self, B: Array) -> float:
        """Return how far one proximal step moves: zero only at a solution."""
        return float(np.abs(B - self.prox(B - self.slope(B), 1.0)).max())

    def polish(self, B: Array) -> Array:
        """Return Newton's answer with the signs, zeros and limits of B held."""
        B = B.copy()
        inside = (self.low < B) & (self.high > B)
        moves = inside & ((B != 0) | (self.l1 == 0))
        sign = np.sign(B) * (self.l1 > 0)
        C, p = B.shape
        k = np.flatnonzero(moves)
        if not k.size:
            return B
        jacobian = np.kron(np.eye(C), self.Z)[:, k]
        for _ in range(30):
            g, H = self._smooth(B, sign, jacobian, k)
            step = np.zeros(C * p)
            step[k] = -np.linalg.lstsq(H, g, rcond=1e-13)[0]
            length, here, descent = 1.0, self.total(B), abs(float(g @ step[k]))
            while length > 1e-6 and not (self.total(B + length * step.reshape(C, p)) <= here + 1e-13):
                length /= 2
            B = B + length * step.reshape(C, p)
            if descent <= 1e-30:
                break
        return B

    def _smooth(self, B: Array, sign: Array, jacobian: Array, k: Any) -> tuple[Array, Array]:
        eta = self.problem.shift + self.Z @ B.T
        C, p = B.shape
        g = self.slope(B) + self.l2 * B
        H = jacobian.T @ hessian(self.problem, eta) @ jacobian + np.diag(np.tile(self.l2, C)[k])
        if not self.problem.is_grouped:
            return (g + self.l1 * sign).ravel()[k], H
        size = np.linalg.norm(B, axis=0)
        size[size == 0] = np.inf
        unit, feature, U = B / size, np.tile(np.arange(p), C)[k], (B / size).ravel()[k]
        same = feature[:, None] == feature[None, :]
        weight = (self.l1 / size)[feature]
        curve = weight[:, None] * np.where(same, np.eye(len(k)) - np.outer(U, U), 0.0)
        return (g + self.l1 * unit).ravel()[k], H + curve

    def user(self, B: Array) -> tuple[Array, Array]:
        _, _, low, high = self.problem.penalty()
        p = len(low)
        # Back on the scale of the input a coefficient at its limit may miss it by rounding.
        coef = np.clip(B[:, :p] / self.scale[:p], low, high)
        return coef, B[:, -1] - coef @ self.centre if self.problem.fit_intercept else np.zeros(len(B))


def solve(problem: Problem, max_iter: int = 60_000, start: Any = None) -> tuple[Array, Array]:
    """Return exact coefficients (outputs, p) and intercepts (outputs,)."""
    scaled = _Scaled(problem)
    B = np.zeros((problem.outputs, scaled.Z.shape[1])) if start is None else start
    size = np.abs(scaled.slope(np.zeros_like(B))).max() + 1e-300
    ahead, momentum, step = B, 1.0, 1.0
    for turn in range(1, max_iter):
        here, slope = scaled.loss(ahead), scaled.slope(ahead)
        step *= 1.1
        while True:
            new = scaled.prox(ahead - step * slope, step)
            d = new - ahead
            bound = here + np.sum(slope * d) + np.sum(d**2) / (2 * step)
            if step < 1e-18 or scaled.loss(new) <= bound + 1e-15 * abs(here):
                break
            step /= 2
        # Restart the momentum where it points uphill.
        later = 1.0 if np.sum((ahead - new) * (new - B)) > 0 else (1 + np.sqrt(1 + 4 * momentum**2)) / 2
        ahead = new + (0.0 if later == 1.0 else (momentum - 1) / later) * (new - B)
        B, momentum = new, later
        if turn == 1 or turn % 50 == 0:
            for candidate in (B, scaled.polish(B)):
                if scaled.violation(candidate) <= EXACT * size:
                    return scaled.user(candidate)
    raise ArithmeticError(f"not solved: {scaled.violation(B) / size:.1e} after {max_iter} steps")


def null_model(problem: Problem, free: bool = False) -> tuple[Array, Array]:
    """Return the solution with intercept and offset only, or with the free features too."""
    factor = np.broadcast_to(1.0 if problem.penalty_factor is None else problem.penalty_factor,
                             np.shape(problem.X)[1])  # fmt: skip
    kept = np.where((factor == 0) & free, 0.0, np.inf)
    return solve(replace(problem, penalty_factor=kept))


def null_value(problem: Problem) -> float:
    """Return the loss of the null model: half its deviance per unit of weight."""
    coef, intercept = null_model(problem)
    return value(problem, problem.eta(coef, intercept))


def alpha_max(problem: Problem) -> float:
    """Return the smallest alpha at which every penalised coefficient is zero (l1_ratio > 0)."""
    coef, intercept = null_model(problem, free=True)
    unit = replace(problem, alpha=1.0)
    l1, _, low, high = unit.penalty()
    X = problem.design
    X = X - problem.w @ X if problem.fit_intercept else X
    pull = -gradient(problem, problem.eta(coef, intercept)).T @ X
    pull = np.where(pull > 0, np.where(high > 0, pull, 0.0), np.where(low < 0, pull, 0.0))
    size = np.linalg.norm(pull, axis=0) if problem.is_grouped else np.abs(pull).max(axis=0)
    return float(np.max(np.where(l1 > 0, size / np.where(l1 > 0, l1, 1.0), 0.0)))


def kkt(problem: Problem, coef: Array, intercept: Any) -> float:
    """Return the largest distance of a gradient entry (per outputs and feature) from optimality.

    In units of the input: what certificates call kkt; for grouped penalties the norm over outputs.
    """
    B, X = np.atleast_2d(coef), problem.design
    l1, l2, low, high = problem.penalty()
    residual = gradient(problem, problem.eta(coef, intercept))
    g = residual.T @ X + l2 * B
    at_low, at_high = (low >= B) & (low > -np.inf), (high <= B) & (high < np.inf)
    if problem.is_grouped:
        size = np.linalg.norm(B, axis=0)
        on = size > 0
        pull = g + l1 * np.where(on, B / np.where(on, size, 1.0), 0.0)
        pull = np.where(at_low, np.minimum(pull, 0), np.where(at_high, np.maximum(pull, 0), pull))
        pull = np.where(at_low & at_high, 0.0, pull)
        norm = np.linalg.norm(pull, axis=0)
        worst = np.where(on, norm, np.maximum(norm - l1, 0.0))
    else:
        pull = np.where(B != 0, g + l1 * np.sign(B), np.sign(g) * np.maximum(np.abs(g) - l1, 0.0))
        pull = np.where(at_low, np.minimum(pull, 0), np.where(at_high, np.maximum(pull, 0), pull))
        worst = np.abs(np.where(at_low & at_high, 0.0, pull))
    rest = np.abs(residual.sum(axis=0)).max() if problem.fit_intercept else 0.0
    return float(max(np.max(worst, initial=0.0), rest))
