"""Proofs that a feature is active: a dual value of the problem without it above the objective (F46).

If D is a lower bound of the problem in which b_j = 0, and D > P(b) for the solution at hand, then no optimal
solution has b_j = 0: whatever they are, they are at least as good as b. The dual points lie on the line from
the pseudo-residual r towards that of the support without j, of which one inverse of the support's Gram matrix
gives all. Nothing here is solved, and an inaccurate line only proves less.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from scipy import sparse
from scipy.special import expit, log_expit

from .._evidence import fenchel_young
from .._evidence_loss import divergence
from .._typing import Float64, Index, Mask
from ..families import Target
from ..request import Study
from .columns import gathered
from .freedom import spreads

__all__ = ["FAMILIES", "Lines"]

# Rounding of float64, and how many times over it is charged.
EPS, CHARGE = float(np.finfo(np.float64).eps), 16.0
# Supports beyond this are left undecided: a proof reads all columns once per feature.
LARGEST_SUPPORT = 1000
# Numbers of dense X that are read at a time.
BLOCK = 1 << 21
# Share of the trace that keeps a Gram matrix of dependent columns invertible.
LIFT = 1e-13
# How far along the line, in units of how far dual points stay feasible.
SHARES = (1.0, 0.5, 0.1)


@dataclass(frozen=True, eq=False)
class Rows:
    """A loss over rows: y less nothing, offset, weights (sum one), and delta of Huber."""

    y: Float64
    offset: Float64
    w: Float64
    delta: float = 0.0


@dataclass(frozen=True, eq=False)
class LossTerms:
    """What a proof asks of a loss: residual and curvature at eta, Fenchel-Young terms, and their domain.

    ``young(rows, eta, theta)`` is f(eta) + f*(-theta) + theta eta >= 0, inf outside the domain, whose ends
    ``domain(rows)`` gives row by row.
    """

    residual: Callable[[Rows, Float64], Float64]
    curvature: Callable[[Rows, Float64], Float64]
    young: Callable[[Rows, Float64, Float64], Float64]
    domain: Callable[[Rows], tuple[Any, Any]]


def _square_young(rows: Rows, eta: Float64, theta: Float64) -> Float64:
    return np.asarray(0.5 * (rows.y - eta - theta) ** 2)


def _binomial_young(rows: Rows, eta: Float64, theta: Float64) -> Float64:
    """Return KL(y - theta, pi); y - theta is a probability."""
    pi, rest, q = expit(eta), expit(-eta), rows.y - theta
    # What y - theta is away from pi, formed without their difference where y is 0 or 1.
    d = rows.y * rest - (1.0 - rows.y) * pi - theta
    value = divergence(pi, log_expit(eta), d) + divergence(rest, log_expit(-eta), -d)
    return np.where((q >= 0.0) & (q <= 1.0), value, np.inf)


def _poisson_young(rows: Rows, eta: Float64, theta: Float64) -> Float64:
    with np.errstate(over="ignore", invalid="ignore"):
        mu = np.exp(eta)
        value = divergence(mu, eta, rows.y - theta - mu)
    return np.where(rows.y - theta >= 0.0, value, np.inf)


def _hinge_young(rows: Rows, eta: Float64, theta: Float64) -> Float64:
    short, a = 1.0 - rows.y * eta, rows.y * theta
    value = 0.5 * (np.maximum(short, 0.0) - a) ** 2 + a * np.maximum(-short, 0.0)
    return np.where(a >= 0.0, value, np.inf)


def _huber_young(rows: Rows, eta: Float64, theta: Float64) -> Float64:
    e = rows.y - eta
    apart = np.clip(e, -rows.delta, rows.delta) - theta
    value = 0.5 * apart**2 + np.abs(apart) * np.maximum(np.abs(e) - rows.delta, 0.0)
    return np.where(np.abs(theta) <= rows.delta, value, np.inf)


TERMS = {
    "gaussian": LossTerms(
        lambda o, eta: o.y - eta,
        lambda o, eta: np.ones_like(eta),
        _square_young,
        lambda o: (-np.inf, np.inf),
    ),
    "binomial": LossTerms(
        lambda o, eta: o.y * expit(-eta) - (1.0 - o.y) * expit(eta),
        lambda o, eta: expit(eta) * expit(-eta),
        _binomial_young,
        lambda o: (o.y - 1.0, o.y),
    ),
    "poisson": LossTerms(
        lambda o, eta: o.y - np.exp(eta),
        lambda o, eta: np.exp(eta),
        _poisson_young,
        lambda o: (-np.inf, o.y),
    ),
    "squared_hinge": LossTerms(
        lambda o, eta: o.y * np.maximum(1.0 - o.y * eta, 0.0),
        lambda o, eta: (o.y * eta < 1.0).astype(np.float64),
        _hinge_young,
        lambda o: (np.where(o.y < 0.0, -np.inf, 0.0), np.where(o.y < 0.0, 0.0, np.inf)),
    ),
    "huber": LossTerms(
        lambda o, eta: np.clip(o.y - eta, -o.delta, o.delta),
        lambda o, eta: (np.abs(o.y - eta) <= o.delta).astype(np.float64),
        _huber_young,
        lambda o: (-o.delta, o.delta),
    ),
}
FAMILIES = tuple(TERMS)


class Lines:
    """The problem on the input scale, ready to prove features active at one solution after the other."""

    def __init__(self, study: Study, l1_ratio: float) -> None:
        self.study, self.terms = study, TERMS[study.family]
        target = study.target()
        if isinstance(target, Target):
            self.rows = Rows(target.y, target.offset, target.w, target.delta)
        else:
            y = np.ldexp(target.values, target.exponent) + target.centre
            self.rows = Rows(y, np.zeros_like(y), target.w)
        penalty = study.penalty()
        scale = spreads(study, target.w) if study.ask.standardize else np.ones(study.given.p)
        factor = np.where(penalty.excluded, 0.0, penalty.factor)
        self.l1, self.l2 = l1_ratio * factor * scale, (1.0 - l1_ratio) * factor * scale**2
        self.lower = np.where(penalty.excluded, 0.0, penalty.lower)
        self.upper = np.where(penalty.excluded, 0.0, penalty.upper)
        self.is_free = (self.l1 == 0.0) & (self.l2 == 0.0) & np.isinf(self.lower) & np.isinf(self.upper)

    @cached_property
    def norms(self) -> Float64:
        """Return ||x_j|| in the weighted norm, not about the mean."""
        return np.asarray(np.sqrt(self.over_columns(self.rows.w[:, None], is_squared=True)[:, 0]))

    def over_columns(self, V: Float64, *, is_squared: bool = False) -> Float64:
        """Return X' V (p, m), or that of the squares of X."""
        given = self.study.given
        if given.csc is not None:
            data, indices, indptr = given.csc
            data = data.astype(np.float64)
            parts = (data**2 if is_squared else data, indices, indptr)
            return np.asarray(sparse.csc_array(parts, shape=(given.n, given.p)).T @ V)
        assert given.XT is not None
        out, step = np.empty((given.p, V.shape[1])), max(1, BLOCK // given.n)
        for start in range(0, given.p, step):
            rows = given.XT[start : start + step].astype(np.float64, copy=False)
            out[start : start + step] = (rows**2 if is_squared else rows) @ V
        return out

    def active(self, b: sparse.csc_array, intercept: float, alpha: float) -> Mask:
        """Return which features no optimal solution at alpha can do without.

        Parameters
        ----------
        b : (p, 1) csc_array
            A feasible solution on the scale of X.
        intercept : float
            Its intercept.
        alpha : float
            Penalty strength.

        Returns
        -------
        (p,) bool
            True where the proof succeeded.
        """
        proven = np.zeros(self.l1.size, dtype=bool)
        A = b.indices.astype(np.int64)
        if not 0 < A.size <= LARGEST_SUPPORT:
            return proven
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            line = _Line(self, A, b.data, intercept, alpha)
            values = np.min([line.excess(share) for share in SHARES], axis=0)
        proven[A] = values < 0.0
        return proven


class _Line:
    """The dual points of one solution, one line for every feature of its support."""

    def __init__(self, lines: Lines, A: Index, b: Float64, intercept: float, alpha: float) -> None:
        self.lines, self.A, self.b, self.intercept = lines, A, b, intercept
        self.l1, self.l2 = alpha * lines.l1, alpha * lines.l2
        rows = lines.rows
        X = gathered(lines.study.given, A)
        self.eta = rows.offset + intercept + X @ b
        self.size = np.abs(rows.offset) + abs(intercept) + np.abs(X) @ np.abs(b)
        self.h = lines.terms.curvature(rows, self.eta)
        self.r = lines.terms.residual(rows, self.eta)
        Z = X[:, lines.is_free[A]]
        if lines.study.fit_intercept:
            Z = np.column_stack([np.ones(self.r.size), Z])
        self.point = self._balanced(self.r, Z)
        direction = self._directions(X, Z)
        w = rows.w[:, None]
        products = lines.over_columns(w * np.column_stack([self.point, direction]))
        # Orthogonal by construction, but for the rounding that is charged for.
        products[lines.is_free] = 0.0
        self.t0, self.td = products[:, :1], products[:, 1:]
        # A free feature's own product with its own direction is what is proven by.
        own = np.flatnonzero(lines.is_free[A])
        self.td[A[own], own] = np.sum(w * X[:, own] * direction[:, own], axis=0)
        self.direction = direction
        self.reach = self._reach()
        self.near = self._near()

    def _balanced(self, theta: Float64, Z: Float64) -> Float64:
        """Return theta less H Z times what makes it orthogonal to Z: rows without curvature stay."""
        if Z.shape[1] == 0:
            return theta
        w = self.lines.rows.w
        for _ in range(2):
            inner = (Z * (w * self.h)[:, None]).T @ Z
            move = Z @ np.linalg.lstsq(inner, Z.T @ (w * theta.T).T, rcond=1e-12)[0]
            theta = theta - (self.h * move.T).T
        return np.asarray(theta)

    def _directions(self, X: Float64, Z: Float64) -> Float64:
        """Return b_j H u_j (n, k): u_j is orthogonal in H to intercept and support, but for j."""
        mass = (self.lines.rows.w * self.h)[:, None]
        ones = np.ones((len(X), int(self.lines.study.fit_intercept)))
        T = np.concatenate([X, ones], axis=1)
        length = np.sqrt(np.sum(mass * T**2, axis=0))
        length[length == 0.0] = 1.0
        T = T / length
        gram = T.T @ (mass * T)
        gram[np.diag_indices_from(gram)] += np.append(self.l2[self.A], np.zeros(ones.shape[1])) / length**2
        gram[np.diag_indices_from(gram)] += LIFT * np.trace(gram) + np.finfo(float).tiny
        inverse = np.linalg.inv(gram)[:, : X.shape[1]]
        # b_j in units of the column that was scaled.
        U = (T @ inverse) / np.diag(inverse) * (self.b * length[: X.shape[1]])
        direction = self.h[:, None] * U
        is_free = self.lines.is_free[self.A]
        direction[:, ~is_free] = self._balanced(direction[:, ~is_free], Z)
        for place, k in enumerate(np.flatnonzero(is_free)):
            others = np.delete(Z, ones.shape[1] + place, axis=1)
            direction[:, k] = self._balanced(direction[:, k], others)
        return np.asarray(direction)

    def _near(self) -> Index:
        """Return the features that can matter: the support, and who comes to its limit on some line.

        Between the ends of a line nobody is further out than at one of them.
        """
        lines, w = self.lines, self.lines.rows.w[:, None]
        ends = self.point[:, None] + self.reach * self.direction
        length = np.sqrt(max(float((w * ends**2).sum(axis=0).max()), float(w[:, 0] @ self.point**2)))
        most = np.abs(self.td * self.reach + self.t0).max(axis=1)
        most = np.maximum(most, np.abs(self.t0[:, 0])) + CHARGE * len(w) * EPS * lines.norms * length
        is_near = (most > self.l1) & ~lines.is_free
        is_near[self.A] = True
        return np.flatnonzero(is_near)

    def _reach(self) -> Float64:
        """Return how far along its line each dual point stays feasible, at most 1, (k,)."""
        lines = self.lines
        hard = (self.l2 == 0.0) & ~lines.is_free & (np.isinf(lines.upper) | np.isinf(lines.lower))
        hard[self.A] = False
        t0, td, l1 = self.t0[hard], self.td[hard], self.l1[hard, None]
        rising = td > 0.0
        share = (l1 - np.where(rising, t0, -t0)) / np.abs(td)
        if not (np.isinf(lines.upper[hard]).all() and np.isinf(lines.lower[hard]).all()):
            # Towards a bound nothing but the price of a coefficient there grows.
            bounded = np.where(
                rising, np.isfinite(lines.upper[hard, None]), np.isfinite(lines.lower[hard, None])
            )
            share[bounded] = np.inf
        reach = np.nanmin(share, axis=0, initial=1.0)
        # No further than the loss's own dual values go.
        seen = lines.rows.w > 0.0
        step, start = self.direction[seen], self.point[seen, None]
        low, high = (np.broadcast_to(end, seen.shape)[seen, None] for end in lines.terms.domain(lines.rows))
        room = np.where(step > 0.0, high - start, np.where(step < 0.0, low - start, np.inf))
        own = np.where(step == 0.0, np.inf, room / step)
        return np.asarray(np.maximum(np.minimum(reach, own.min(axis=0)) * (1.0 - CHARGE * EPS), 0.0))

    def excess(self, share: float) -> Float64:
        """Return upper bounds (k,) of P(b) - D(theta), theta that share of the way along its line."""
        lines, at = self.lines, self.near
        w, reach = lines.rows.w[:, None], share * self.reach
        theta, t = self.point[:, None] + reach * self.direction, self.t0[at] + reach * self.td[at]
        err = CHARGE * len(w) * EPS * lines.norms[at, None] * np.sqrt(np.sum(w * theta**2, axis=0))
        free = lines.is_free[at]
        err[free] = 0.0
        own = (np.searchsorted(at, self.A), np.arange(self.A.size))
        scale = self._scale(t, err, own)
        theta, t, err = scale * theta, scale * t, scale * err
        column = replace(lines.rows, y=lines.rows.y[:, None])
        young = lines.terms.young(column, self.eta[:, None], theta)
        total = np.sum(w * young, axis=0, where=w > 0.0) + self._rounding(theta)
        b = np.zeros(at.size)
        b[own[0]] = self.b
        args = (self.l1[at, None], self.l2[at, None], lines.lower[at, None], lines.upper[at, None])
        terms = np.maximum(*(fenchel_young(b[:, None], t + sign * err, *args) for sign in (1.0, -1.0)))
        # Orthogonal to free features; and what bounds a line's own feature is left out, which is the point.
        terms[free] = 0.0
        price = self.l1[self.A] * np.abs(self.b) + 0.5 * self.l2[self.A] * self.b**2
        terms[own] = price - self.b * t[own] + np.abs(self.b) * err[own]
        return np.asarray(total + terms.sum(axis=0))

    def _scale(self, t: Float64, err: Float64, own: tuple[Index, Index]) -> Float64:
        """Return the largest multiples, at most 1, of the dual points that are feasible, (k,)."""
        lines, at = self.lines, self.near
        scale = np.ones(self.A.size)
        for bound, side in ((lines.upper, t + err), (lines.lower, err - t)):
            is_hard = np.isinf(bound[at]) & (self.l2[at] == 0.0) & ~lines.is_free[at]
            over = np.where(is_hard[:, None] & (side > 0.0), self.l1[at, None] / side, np.inf)
            over[own] = np.inf
            scale = np.minimum(scale, over.min(axis=0, initial=np.inf))
        return np.asarray(np.maximum(scale * (1.0 - CHARGE * EPS), 0.0))

    def _rounding(self, theta: Float64) -> Float64:
        """Return what rounding of eta, and of sums that are held to be zero, can have done, (k,)."""
        w, n = self.lines.rows.w[:, None], len(theta)
        slip = CHARGE * (self.A.size + 16) * EPS * self.size[:, None]
        apart = np.sum(w * np.abs(self.r[:, None] - theta) * slip, axis=0)
        bend = 0.5 * np.sum(w * np.maximum(self.h[:, None], 1.0) * slip**2, axis=0)
        length = np.sqrt(np.sum(w * theta**2, axis=0))
        scale = float(np.sqrt(w[:, 0] @ self.size**2)) + abs(self.intercept)
        return np.asarray(apart + bend + CHARGE * n * EPS * length * scale)
