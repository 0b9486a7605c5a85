"""Cox's partial likelihood for `certify`: a sum over terms of relative entropies KL(e_t, pi_t).

Term t has weight omega_t; pi_t is the distribution over its risk set that the predictor claims, e_t that of
its events. Breslow's ties have one term per event time, Efron's as many as events. The dual point c times the
residual belongs to q_t = (1 - c) e_t + c pi_t, for which KL(q_t, pi_t) needs the events only. Free columns
are made orthogonal by pi_t (1 + z - E_t z), the Newton step of the dual.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import scipy.linalg

from fastreg._evidence import _LONG_ROUNDOFF, _ROUNDOFF, gamma
from fastreg._evidence_loss import LONG, Loss, Point, divergence, worst
from fastreg._evidence_risk import Groups, log_sum
from fastreg._typing import Float64, Index

_PAIRS = 2**20  # pairs of a term and an event held at once
_STEEPEST = 0.9  # a correction that changes a probability by a larger share is not used


@dataclass(frozen=True)
class _State:
    """Everything at one predictor."""

    v: Float64  # (n,) log w + eta
    log_others: Float64  # (T,) log of the sum over who is at risk and has no event
    log_total: Float64  # (T,) log of the sum over the risk set
    mass: Float64  # (n,) sum_t omega_t pi_t
    residual: Float64  # (n,) w times the event, less mass
    size: Float64  # (n,) what the rounding of the residual is relative to
    eps: float  # relative error of every probability


@dataclass(frozen=True)
class _Tilt:
    """z of a correction pi_t (1 + z - E_t z), and its moments over those at risk without event."""

    z: Float64  # (n,)
    mean: Float64  # (T,) E_t z
    first: Float64  # (T,) sum pi (z - E z)
    second: Float64  # (T,) sum pi (z - E z)^2
    size: float  # bound of |z - E_t z|
    blur: float  # bound of what z misses to exact orthogonality


class Cox(Loss):
    """Minus the log partial likelihood over the sum of weights, minus its saturated value."""

    lipschitz: float | None = None
    outputs = 1

    def __init__(self, groups: Groups, w: Float64) -> None:
        self.groups, self.w, self.root = groups, w, np.sqrt(w)
        self.event = groups.group >= 0
        self.floor = gamma(w.size + 32)

    def value(self, eta: Float64) -> float:
        """Return f, without a margin for its rounding."""
        exact = replace(self._state(eta[:, 0]), eps=0.0)
        return CoxPoint(self, exact, None, eta, np.zeros(1)).cost(0.0)

    def residual(self, eta: Float64) -> Float64:
        """Return minus the derivative per unit weight: the martingale residual."""
        out: Float64 = (self._state(eta[:, 0]).residual / self.w)[:, None]
        return out

    def gram(self, eta: Float64, F: Float64) -> Float64:
        """Return the second derivative along columns F."""
        return self._gram(self._state(eta[:, 0]), F / self.root[:, None])

    def start(self, offset: Float64) -> Float64:
        """Return the intercept that stands for none."""
        return np.zeros(1)

    def noise(self, eta: Float64) -> Float64:
        """Return the rounding of eta itself; that of the sums is in the state's eps."""
        return 8 * _ROUNDOFF * np.abs(eta)

    def wobble(self, eta: Float64, e: Float64) -> Float64:
        """Return a bound of the error of the residual if eta is wrong by at most e."""
        state = self._state(eta[:, 0])
        out: Float64 = (state.mass / self.w * (np.expm1(2 * e.max()) + state.eps) + 4 * _ROUNDOFF)[:, None]
        return out

    def bend(self, eta: Float64, e: Float64) -> float:
        """Return a bound of e'He: a variance is no larger than the largest square."""
        return float(self.groups.weight.sum() * e.max(initial=0.0) ** 2)

    def mass(self, eta: Float64) -> Float64:
        """Return sum_t omega_t pi_t: second moments about any point bound variances."""
        return self._state(eta[:, 0]).mass

    def point(self, eta: Float64, other: Float64, bases: list[Float64]) -> CoxPoint | None:
        """Return the dual point at the claim, corrected where there are free columns; `other` is not used."""
        state = self._state(eta[:, 0])
        residual, size = state.residual, state.size
        eps, tilt = state.eps, None
        if bases[0].shape[1]:
            Z = bases[0] / self.root[:, None]
            found = self._tilt(state, Z, residual)
            if found is None:
                return None
            tilt, change = found
            residual = residual - change
            eps = eps + 2 * tilt.blur
        r = residual / self.w
        defect = (eps + 8 * _ROUNDOFF) * float(np.linalg.norm(size / self.root))
        return CoxPoint(self, state, tilt, r[:, None], np.array([defect]))

    def pairs(self) -> Iterator[tuple[Index, Index]]:
        """Yield terms and, beside each, the places of its events in `groups.events`, a block at a time."""
        sizes = self.groups.sizes[self.groups.term_group]
        first = self.groups.first_event[self.groups.term_group]
        ends = np.cumsum(sizes)
        t = 0
        while t < sizes.size:
            stop = max(t + 1, int(np.searchsorted(ends, ends[t] - sizes[t] + _PAIRS)))
            terms = np.repeat(np.arange(t, stop), sizes[t:stop])
            within = np.arange(terms.size) - np.repeat(
                ends[t:stop] - sizes[t:stop] - (ends[t] - sizes[t]), sizes[t:stop]
            )
            yield terms, first[terms] + within
            t = stop

    def _state(self, eta: Float64) -> _State:
        v = np.log(self.w) + eta
        log_others, log_total = self._risk_sums(v)
        with np.errstate(invalid="ignore"):
            past, own = self._hazard(v, np.log(self.groups.weight) - log_total)
            others = np.exp(log_others - log_total)
        largest = float(np.abs(v).max(initial=0.0)) + np.log(v.size + 1.0)
        eps = gamma(2 * v.size + 64) + 16 * _ROUNDOFF * (self.groups.tree.depth + 4) * (1.0 + largest)
        left, size = self.w * self.event - own, self.w * self.event + own
        # An event alone at its time: what its probability leaves is the others', and no difference.
        g = self.groups
        events = np.flatnonzero(self.event)
        alone = events[g.sizes[g.group[events]] == 1]
        left[alone] = size[alone] = self.w[alone] * others[g.first_term[g.group[alone]]]
        return _State(v, log_others, log_total, past + own, left - past, size + past, eps)

    def _risk_sums(self, v: Float64) -> tuple[Float64, Float64]:
        """Return log sums of exp(v) per term: without the events, and with their share."""
        g = self.groups
        others = g.tree.over_rows(v)[g.term_group]
        tied = _events_sum(g, v)[g.term_group]
        return others, np.logaddexp(others, tied + g.log_rest)

    def _hazard(self, v: Float64, u: Float64) -> tuple[Float64, Float64]:
        """Return exp(v) times the sum of exp(u_t), u per term, over the terms that have the row at risk.

        Those of earlier groups, or of all where there is no event, and those of its own event.
        """
        g = self.groups
        own = _terms_sum(g, u + g.log_rest)
        with np.errstate(over="ignore"):
            past = np.exp(v + g.tree.over_groups(_terms_sum(g, u)))
            mine = np.zeros_like(past)
            mine[self.event] = np.exp(v[self.event] + own[g.group[self.event]])
        return past, mine

    def _mean(self, state: _State, Z: Float64) -> Float64:
        """Return E_t z for every column of Z, shape (T, m)."""
        out = np.empty((self.groups.weight.size, Z.shape[1]))
        for j in range(Z.shape[1]):
            low, span = _frame(Z[:, j])
            x = np.log1p((Z[:, j] - low) / span)  # of numbers between one and two: sums stay positive
            out[:, j] = low + span * np.expm1(self._risk_sums(state.v + x)[1] - state.log_total)
        return out

    def _gram(self, state: _State, Z: Float64) -> Float64:
        mean = self._mean(state, Z)
        out: Float64 = Z.T @ (state.mass[:, None] * Z) - mean.T @ (self.groups.weight[:, None] * mean)
        return out

    def _tilt(self, state: _State, Z: Float64, residual: Float64) -> tuple[_Tilt, Float64] | None:
        """Return the correction that makes the residual orthogonal to Z, and what it subtracts from it."""
        K = self._gram(state, Z)
        scale = np.sqrt(np.maximum(np.diag(K), 0.0))
        inverse = np.where(scale > 0, 1.0 / np.where(scale > 0, scale, 1.0), 0.0)
        values, vectors = scipy.linalg.eigh(inverse[:, None] * K * inverse)
        kept = values > 1e-12 * scale.size
        values, vectors = values[kept], inverse[:, None] * vectors[:, kept]
        z, change = np.zeros(residual.size), np.zeros(residual.size)
        for _ in range(3):
            left = (Z.T.astype(LONG) @ (residual - change).astype(LONG)).astype(np.float64)
            z = z + Z @ (vectors @ ((vectors.T @ left) / values))
            change, tilt = self._bend_by(state, z)
        size = state.size + state.mass
        left = np.abs((Z.T.astype(LONG) @ (residual - change).astype(LONG)).astype(np.float64))
        own = (4 * state.eps + 2 * residual.size * _LONG_ROUNDOFF) * (np.abs(Z).T @ size)
        step = np.abs(vectors) @ ((np.abs(vectors.T) @ (left + own)) / values)
        blur = 2 * float(np.max(np.abs(Z) @ step, initial=0.0))
        if not (tilt.size + 2 * blur < _STEEPEST):
            return None
        return _Tilt(tilt.z, tilt.mean, tilt.first, tilt.second, tilt.size, blur), change

    def _bend_by(self, state: _State, z: Float64) -> tuple[Float64, _Tilt]:
        """Return H z, and the moments of z."""
        low, span = _frame(z)
        x = (z - low) / span
        first, total = self._risk_sums(state.v + np.log1p(x))
        with np.errstate(invalid="ignore"):
            raised = np.exp(total - state.log_total)  # E_t (1 + x), between one and two
            others = np.exp(state.log_others - state.log_total)
            once = np.exp(first - state.log_total)
            twice = np.exp(self._risk_sums(state.v + 2 * np.log1p(x))[0] - state.log_total)
        change = span * (
            state.mass * (1 + x)
            - np.add(*self._hazard(state.v, np.log(self.groups.weight * raised) - state.log_total))
        )
        moment = np.maximum(twice - 2 * raised * once + raised**2 * others, 0.0) + 8 * state.eps
        tilt = _Tilt(
            z,
            low + span * (raised - 1),
            span * (once - raised * others),
            span**2 * moment,
            float(np.ptp(z)),
            0.0,
        )
        return change, tilt


@dataclass(frozen=True)
class CoxPoint(Point):
    """Mixtures of the events' distribution and of the claimed one, tilted where there are free columns."""

    loss: Cox
    state: _State
    tilt: _Tilt | None
    r: Float64
    defect: Float64

    def cost(self, c: float) -> float:
        """Return sum_t omega_t KL(q_t, pi_t)."""
        g, s, tilt = self.loss.groups, self.state, self.tilt
        with np.errstate(over="ignore", invalid="ignore"):
            others = np.exp(s.log_others - s.log_total)
        if tilt is None:
            blur = np.zeros(others.size)
            each = others * _outside(c)
        else:
            # entropy(x) at x = c - 1 + c u is at most its expansion with the largest second derivative.
            blur = np.full(others.size, tilt.blur)
            second = (np.sqrt(tilt.second) + 2 * tilt.blur) ** 2
            size = tilt.size + 2 * tilt.blur
            slope = c * np.log(c) * tilt.first if c > 0 else 0.0
            steep = abs(c * np.log(c)) * (2 * tilt.blur + 4 * s.eps * tilt.size) if c > 0 else 0.0
            each = others * _outside(c) + slope + steep + c * second / (2 * (1 - size))
        total = float(g.weight @ each)
        for terms, places in self.loss.pairs():
            rows = g.events[places]
            log_pi = s.v[rows] + g.log_rest[terms] - s.log_total[terms]
            pi, share = np.exp(log_pi), g.share[places]
            alone = g.sizes[g.term_group[terms]] == 1
            d = (1.0 - c) * np.where(alone, others[terms], share - pi)
            slack = (1.0 - c) * s.eps * np.where(alone, others[terms], share + pi)
            if tilt is not None:
                d = d + c * pi * (tilt.z[rows] - tilt.mean[terms])
                slack = slack + c * pi * (2 * blur[terms] + 4 * s.eps * tilt.size)
            total += float(g.weight[terms] @ worst(pi, log_pi, d, slack))
        return total * (1.0 + 8 * s.eps)


def _outside(c: float) -> float:
    """Return what a unit of probability without event adds: x ln x - x + 1 at x = q / pi = c."""
    return float(divergence(np.ones(1), np.zeros(1), np.array([c - 1.0]))[0])


def _events_sum(g: Groups, v: Float64) -> Float64:
    """Return log sum exp(v) over the events of every group."""
    return log_sum(v[g.events], g.first_event, g.count)


def _terms_sum(g: Groups, u: Float64) -> Float64:
    """Return log sum exp(u) over the terms of every group."""
    return log_sum(u, g.first_term, g.count)


def _frame(z: Float64) -> tuple[float, float]:
    """Return the least entry and the range, 1 if that is zero."""
    low, high = float(z.min()), float(z.max())
    return low, (high - low) or 1.0
