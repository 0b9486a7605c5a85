"""Slow, obvious solver for every loss and penalty, in extended precision; imports nothing of fastreg."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

LONG = np.longdouble


@dataclass
class Problem:
    """Data and options of one problem, in the words of the package; y as the path functions take it."""

    family: str
    X: Any
    y: Any
    alpha: float
    l1_ratio: float = 1.0
    fit_intercept: bool = False
    standardize: bool = False
    sample_weight: Any = None
    offset: Any = None
    penalty_factor: Any = None
    lower_limits: Any = None
    upper_limits: Any = None
    extra: dict[str, Any] = field(default_factory=dict)  # grouped, delta, ties, strata

    @property
    def options(self) -> dict[str, Any]:
        """Return the keyword arguments of certify."""
        left_out = ("X", "y", "alpha", "extra")
        return {name: value for name, value in vars(self).items() if name not in left_out} | self.extra

    @property
    def grouped(self) -> bool:
        return self.family == "mgaussian" or bool(self.extra.get("grouped", False))


def _filled(value: Any, default: float, n: int) -> Any:
    return np.broadcast_to(np.asarray(default if value is None else value, dtype=LONG), (n,)).copy()


class Solver:
    """One problem in extended precision: objective, proximal gradient steps."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.X = np.array(problem.X, dtype=LONG)
        n, p = self.X.shape
        self.w = _filled(problem.sample_weight, 1.0, n)
        self.w /= self.w.sum()
        v = _filled(problem.penalty_factor, 1.0, p)
        self.low, self.high = (
            _filled(problem.lower_limits, -np.inf, p),
            _filled(problem.upper_limits, np.inf, p),
        )
        out = np.isinf(v)
        s = np.ones(p, dtype=LONG)
        if problem.standardize:
            s = np.sqrt(self.w @ (self.X - self.w @ self.X) ** 2)
        v[out] = 0
        self.low[out] = self.high[out] = 0
        self.l1 = problem.alpha * problem.l1_ratio * v * s
        self.l2 = problem.alpha * (1 - LONG(problem.l1_ratio)) * v * s**2
        self.y, self.outputs = self._response()
        offset = 0.0 if problem.offset is None else np.asarray(problem.offset, dtype=LONG)
        offset = offset[:, None] if np.ndim(offset) == 1 else offset
        self.offset = np.zeros((n, self.outputs), dtype=LONG) + offset

    def _response(self) -> tuple[Any, int]:
        family, y = self.problem.family, self.problem.y
        if family in ("binomial", "squared_hinge"):
            y = np.asarray(y)
            if y.dtype.kind != "f" or np.unique(y).size == 2:
                y = (y == np.unique(y)[1]).astype(float)
            y = y.astype(LONG)[:, None]
            return (y if family == "binomial" else 2 * y - 1), 1
        if family == "multinomial":
            y = np.asarray(y)
            if y.ndim == 1:
                y = (y[:, None] == np.unique(y)).astype(LONG)
            return y.astype(LONG), y.shape[1]
        y = np.asarray(y, dtype=LONG)
        if family == "mgaussian":
            return y, y.shape[1]
        return (y, 1) if family == "cox" else (y[:, None], 1)

    def loss(self, eta: Any) -> tuple[Any, Any]:
        """Return the loss and its gradient with respect to eta, (n, outputs)."""
        y, w = self.y, self.w[:, None]
        family = self.problem.family
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            if family == "mgaussian":
                return (w * (y - eta) ** 2).sum() / 2, w * (eta - y)
            if family == "huber":
                delta, e = LONG(self.problem.extra["delta"]), y - eta
                value = np.where(abs(e) <= delta, e**2 / 2, delta * abs(e) - delta**2 / 2)
                return (w * value).sum(), -w * np.clip(e, -delta, delta)
            if family == "squared_hinge":
                short = np.maximum(1 - y * eta, 0)
                return (w * short**2).sum() / 2, -w * y * short
            saturated = np.where(y > 0, y * np.log(np.where(y > 0, y, 1)), 0) if family != "cox" else 0
            if family == "poisson":
                return (w * (np.exp(eta) - y * eta - y + saturated)).sum(), w * (np.exp(eta) - y)
            if family == "binomial":
                rest = np.where(y < 1, (1 - y) * np.log(np.where(y < 1, 1 - y, 1)), 0)
                value = np.maximum(eta, 0) + np.log1p(np.exp(-abs(eta))) - y * eta + saturated + rest
                return (w * value).sum(), w * (1 / (1 + np.exp(-eta)) - y)
            if family == "multinomial":
                top = eta.max(axis=1, keepdims=True)
                total = top + np.log(np.exp(eta - top).sum(axis=1, keepdims=True))
                return (w * (y * (total - eta) + saturated)).sum(), w * (np.exp(eta - total) - y)
        return self._cox(eta[:, 0])

    def _cox(self, eta: Any) -> tuple[Any, Any]:
        """Return the Cox loss by its definition, one risk set after the other."""
        y, n = self.y, self.w.size
        start = y[:, 0] if y.shape[1] == 3 else np.full(n, -np.inf)
        stop, event = y[:, -2], y[:, -1] == 1
        strata = np.asarray(self.problem.extra.get("strata", np.zeros(n)))
        value, slope = LONG(0), np.zeros(n, dtype=LONG)
        for stratum in np.unique(strata):
            for time in np.unique(stop[event & (strata == stratum)]):
                risk = (strata == stratum) & (start < time) & (time <= stop) & (self.w > 0)
                dead = event & (stop == time) & (strata == stratum) & (self.w > 0)
                weight = self.w[dead].sum()
                if not dead.any():
                    continue
                d = int(dead.sum()) if self.problem.extra.get("ties") == "efron" else 1
                for step in range(d):
                    a = self.w * risk * np.where(dead, 1 - LONG(step) / d, 1)
                    top = eta[risk].max()
                    part = a * np.exp(np.where(risk, eta - top, 0))
                    pi, e = part / part.sum(), np.where(dead, self.w / weight, 0)
                    value += (
                        weight
                        / d
                        * (np.log(part.sum()) + top - e @ eta - np.log((1 - LONG(step) / d) * weight))
                    )
                    slope += weight / d * (pi - e)
        return value, slope[:, None]

    def objective(self, B: Any, b0: Any) -> Any:
        """Return the objective at coefficients (p, outputs) and intercepts (outputs,)."""
        B = np.asarray(B, dtype=LONG)
        size = np.sqrt((B**2).sum(axis=1)) if self.problem.grouped else abs(B).sum(axis=1)
        penalty = self.l1 @ size + self.l2 @ (B**2).sum(axis=1) / 2
        return self.loss(self.offset + np.asarray(b0, dtype=LONG) + self.X @ B)[0] + penalty

    def prox(self, V: Any, step: Any) -> Any:
        """Return the minimiser of ||B - V||^2 / (2 step) + penalty within the limits."""
        l1, l2 = step * self.l1[:, None], step * self.l2[:, None]
        low, high = self.low[:, None], self.high[:, None]
        if not self.problem.grouped:
            return np.clip(np.sign(V) * np.maximum(abs(V) - l1, 0) / (1 + l2), low, high)
        cone = np.where(((V > 0) & (high == 0)) | ((V < 0) & (low == 0)), 0, V)
        out = np.zeros_like(V)
        for j, v in enumerate(cone):
            norm = np.sqrt((v**2).sum())
            if norm <= l1[j, 0] and norm > 0 and l1[j, 0] > 0:
                continue
            if not (np.isfinite(self.low[j]) and self.low[j] or np.isfinite(self.high[j]) and self.high[j]):
                out[j] = v * (1 - l1[j, 0] / norm) / (1 + l2[j, 0]) if norm > 0 else v
                continue
            a, b = LONG(0), norm + LONG(1e-300)
            shrunk = v
            for _ in range(80):
                m = (a + b) / 2
                shrunk = np.clip(v * m / (m * (1 + l2[j, 0]) + l1[j, 0]), self.low[j], self.high[j])
                a, b = (m, b) if np.sqrt((shrunk**2).sum()) > m else (a, m)
            out[j] = shrunk
        return out

    def _slopes(self, B: Any, b0: Any) -> tuple[Any, Any]:
        slope = self.loss(self.offset + b0 + self.X @ B)[1]
        return self.X.T @ slope, slope.sum(axis=0) * self.problem.fit_intercept

    def _next(self, x: Any, step: Any) -> Any:
        B, b0 = x[: -self.outputs].reshape(-1, self.outputs), x[-self.outputs :]
        gB, g0 = self._slopes(B, b0)
        return np.concatenate(
            [self.prox(B - step * gB, step).ravel(), (b0 - step * g0) * self.problem.fit_intercept]
        )

    def _away(self, x: Any, step: Any) -> Any:
        """Return x minus where a proximal gradient step takes it: zero at a solution and only there."""
        return x - self._next(x, step)

    def solve(self, rounds: int = 40) -> tuple[Any, Any, bool]:
        """Return coefficients, intercepts and whether they are exact.

        Proximal gradient steps find the support, Newton's method the digits. Where the solution lies at
        infinity, as with free columns that separate, there is no end.
        """
        solved = False
        x = np.zeros((self.X.shape[1] + 1) * self.outputs, dtype=LONG)
        for _ in range(rounds):
            x, step = self._descend(x, 60)
            for _ in range(5):
                here = self._away(x, step)
                if abs(here).max() <= 1e-18:
                    break
                nudge = LONG(1e-8)
                columns = [
                    (self._away(x + nudge * e, step) - here) / nudge for e in np.eye(x.size, dtype=LONG)
                ]
                move = np.linalg.lstsq(
                    np.array(columns, dtype=float).T, np.array(here, dtype=float), rcond=1e-11
                )[0]
                if not abs(self._away(x - move, step)).max() < 0.5 * abs(here).max():
                    break
                x = x - move
            solved = bool(abs(self._away(x, step)).max() <= 1e-16 and abs(x).max() < 15)
            if solved or abs(x).max() > 50:
                break
        x = self._next(x, step)  # zeros and limits exactly
        return x[: -self.outputs].reshape(-1, self.outputs), x[-self.outputs :], solved

    def _descend(self, x: Any, steps: int) -> tuple[Any, Any]:
        """Run accelerated proximal gradient steps; return the last point and the last step length."""
        p, C = self.X.shape[1], self.outputs
        y, momentum, step = x, LONG(1), LONG(1)
        for _ in range(steps):
            B, b0 = y[:-C].reshape(p, C), y[-C:]
            value = self.loss(self.offset + b0 + self.X @ B)[0]
            gB, g0 = self._slopes(B, b0)
            slope = np.concatenate([gB.ravel(), g0])
            while True:
                new = np.concatenate([self.prox(B - step * gB, step).ravel(), b0 - step * g0])
                d = new - y
                bound = value + slope @ d + d @ d / (2 * step)
                got = self.loss(self.offset + new[-C:] + self.X @ new[:-C].reshape(p, C))[0]
                if got <= bound + LONG(1e-18) * (1 + abs(bound)) or step < 1e-12:
                    break
                step /= 2
            if (y - new) @ (new - x) > 0:  # momentum points uphill: start it anew
                momentum = LONG(1)
            following = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
            y = new + (momentum - 1) / following * (new - x)
            x, momentum = new, following
        return x, step
