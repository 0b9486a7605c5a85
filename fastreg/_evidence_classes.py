"""The multinomial loss for `certify`: symmetric softmax, dual points that stay rows of probabilities.

A dual point is q = y + c (m - y) with m near the softmax at some predictor. Orthogonality to the intercepts
and to free columns is reached by m <- m (1 + z - sum_c m z), which keeps every row a distribution: the Newton
step of the dual, linear in the unknowns, and exact after a few repeats but for rounding.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy  # its parts load when they are first used
import scipy.linalg

from fastreg._evidence import _LONG_ROUNDOFF, _ROUNDOFF, gamma
from fastreg._evidence_loss import FINEST, HIDDEN, LONG, ROUNDS, Loss, Point, worst
from fastreg._typing import Float64

_DEPENDENT = 1e-13  # least eigenvalue, per column, of a Gram of unit diagonal whose columns are independent


@dataclass(frozen=True)
class _Chances:
    """Class probabilities, and 1 less each of them as the sum of the others: neither is a difference."""

    pi: Float64  # (n, C)
    rest: Float64  # (n, C)

    def less(self, y: Float64) -> Float64:
        """Return y - pi, with a relative error of a few units for labels and rows that are fitted well."""
        out: Float64 = y * self.rest - (1.0 - y) * self.pi
        return out

    def size(self, y: Float64) -> Float64:
        """Return what the rounding of `less` is relative to; pi rest is no larger.

        Proportions that are no labels sum to one but for the rounding of each.
        """
        out: Float64 = y * self.rest + (1.0 - y) * self.pi + ((y > 0) & (y < 1))
        return out


def _chances(odds: Float64) -> _Chances:
    """Return the probabilities that are proportional to odds, (n, C)."""
    total = odds.sum(axis=1, keepdims=True)
    pi = odds / total
    top = np.argmax(odds, axis=1)[:, None]
    others = odds.copy()
    np.put_along_axis(others, top, 0.0, axis=1)
    rest = 1.0 - pi
    np.put_along_axis(rest, top, others.sum(axis=1, keepdims=True) / total, axis=1)
    return _Chances(pi, rest)


def _softmax(eta: Float64) -> _Chances:
    return _chances(np.exp(eta - eta.max(axis=1, keepdims=True)))


@dataclass(frozen=True)
class MixturePoint(Point):
    """Mixtures of the response and of given class probabilities."""

    y: Float64
    w: Float64
    claim: _Chances
    log_pi: Float64  # at the claim
    mean: _Chances  # class probabilities of the dual point
    blur: float  # distance of every probability m from exact feasibility, as a share of m (1 - m)
    r: Float64
    defect: Float64

    def cost(self, c: float) -> float:
        """Return the weighted sum of the relative entropies KL(q, pi)."""
        pi, rest, mean = self.claim.pi, self.claim.rest, self.mean
        near_one = pi > 0.5
        move = np.where(near_one, rest - mean.rest, mean.pi - pi)
        d = (1.0 - c) * self.claim.less(self.y) + c * move
        size = np.where(near_one, rest + mean.rest, mean.pi + pi)
        slack = 8 * _ROUNDOFF * pi.shape[1] * ((1.0 - c) * self.claim.size(self.y) + c * size)
        slack += c * self.blur * mean.pi * mean.rest
        return float(self.w @ worst(pi, self.log_pi, d, slack).sum(axis=1))


class Multinomial(Loss):
    """f = KL(y, pi), y rows of proportions, pi the softmax of eta."""

    lipschitz: float | None = 0.5

    def __init__(self, y: Float64, w: Float64) -> None:
        self.y, self.w, self.root, self.outputs = y, w, np.sqrt(w), y.shape[1]
        self.floor = gamma(w.size + 32)

    def value(self, eta: Float64) -> float:
        """Return the weighted sum of f."""
        claim, log_pi = _softmax(eta), scipy.special.log_softmax(eta, axis=1)
        slack = 4 * _ROUNDOFF * self.outputs * claim.size(self.y)
        return float(self.w @ worst(claim.pi, log_pi, claim.less(self.y), slack).sum(axis=1))

    def residual(self, eta: Float64) -> Float64:
        """Return y - pi."""
        return _softmax(eta).less(self.y)

    def gram(self, eta: Float64, F: Float64) -> Float64:
        """Return the second derivative along columns F, for all pairs of outputs."""
        return _gram(_softmax(eta), [F] * self.outputs)

    def start(self, offset: Float64) -> Float64:
        """Return the logarithms of the class shares."""
        out: Float64 = np.log(np.maximum(self.w @ self.y, FINEST)) - self.w @ offset
        return out

    def noise(self, eta: Float64) -> Float64:
        """Return the rounding of the softmax as a change of eta."""
        top = np.abs(eta).max(axis=1, keepdims=True)
        return np.broadcast_to(8 * _ROUNDOFF * (self.outputs + top), eta.shape)

    def wobble(self, eta: Float64, e: Float64) -> Float64:
        """Return a bound of the error of y - pi if eta is wrong by at most e."""
        claim = _softmax(eta)
        near = np.minimum(claim.pi, claim.rest) * np.expm1(2 * e.max(axis=1, keepdims=True))
        out: Float64 = near + 8 * _ROUNDOFF * self.outputs * claim.size(self.y)
        return out

    def bend(self, eta: Float64, e: Float64) -> float:
        """Return a bound of e'He."""
        return 0.5 * float(self.w @ (e**2).sum(axis=1))

    def point(self, eta: Float64, other: Float64, bases: list[Float64]) -> MixturePoint | None:
        """Return class probabilities near those at `other`, orthogonal to the bases once y is subtracted."""
        found = self._balance(_softmax(other), bases)
        if found is None:
            return None
        mean, blur = found
        log_pi = scipy.special.log_softmax(eta, axis=1)
        size = np.linalg.norm(self.root[:, None] * mean.size(self.y), axis=0)
        defect = (blur + 8 * _ROUNDOFF * self.outputs) * size
        r = mean.less(self.y)
        return MixturePoint(self.y, self.w, _softmax(eta), log_pi, mean, blur, r, defect)

    def _balance(self, mean: _Chances, bases: list[Float64]) -> tuple[_Chances, float] | None:
        """Return probabilities orthogonal to the bases, and what they miss of it, relatively."""
        if not any(F.shape[1] for F in bases):
            return mean, 0.0
        rows = [F / self.root[:, None] for F in bases]
        reach = max(np.linalg.norm(Z, axis=1).max(initial=0.0) for Z in rows)
        ends = np.cumsum([F.shape[1] for F in bases])[:-1]
        for _ in range(ROUNDS):
            step, hidden = _correction(self.y, mean, self.root, bases)
            z = np.column_stack([Z @ part for Z, part in zip(rows, np.split(step, ends), strict=True)])
            tilt = z - (mean.pi * z).sum(axis=1, keepdims=True)
            if not np.isfinite(tilt).all():
                return None
            if np.abs(tilt).max() <= 4 * min(reach * hidden, HIDDEN) + 64 * _ROUNDOFF:
                # m times its tilt is m sum_d m_d (z - z_d), the class itself adding nothing.
                blur = 2 * float(reach * (np.linalg.norm(step) + hidden))
                return (mean, blur) if blur < 0.5 else None
            mean = _chances(mean.pi * np.maximum(1.0 + tilt, 0.0))
        return None


def _gram(mean: _Chances, bases: list[Float64]) -> Float64:
    """Return the blocks F_a' diag(m_a [a = b] - m_a m_b) F_b."""
    blocks = []
    for a, F in enumerate(bases):
        row = []
        for b, G in enumerate(bases):
            h = mean.pi[:, a] * (mean.rest[:, a] if a == b else -mean.pi[:, b])
            row.append(F.T @ (h[:, None] * G))
        blocks.append(row)
    return np.block(blocks)


def _correction(y: Float64, mean: _Chances, root: Float64, bases: list[Float64]) -> tuple[Float64, float]:
    """Return the step that makes y - mean orthogonal to the bases, and what rounding hides of it."""
    excess = (root[:, None] * mean.less(y)).astype(LONG)
    left = np.concatenate([F.T.astype(LONG) @ excess[:, c] for c, F in enumerate(bases)]).astype(np.float64)
    K = _gram(mean, bases)
    scale = np.sqrt(np.maximum(np.diag(K), 0.0))
    inverse = np.where(scale > 0, 1.0 / np.where(scale > 0, scale, 1.0), 0.0)
    values, vectors = scipy.linalg.eigh(inverse[:, None] * K * inverse)
    kept = values > _DEPENDENT * scale.size
    values, vectors = values[kept], inverse[:, None] * vectors[:, kept]
    size = root[:, None] * mean.size(y)
    reach = np.concatenate([np.abs(F).T @ size[:, c] for c, F in enumerate(bases)])
    own = (8 * _ROUNDOFF + 2 * y.shape[0] * _LONG_ROUNDOFF) * y.shape[1] * reach
    bound = np.abs(vectors) @ ((np.abs(vectors.T) @ own) / values)
    return vectors @ ((vectors.T @ left) / values), float(np.linalg.norm(bound))
