"""Losses that split over rows and outputs, for `certify`: value, pseudo-residual and Fenchel-Young terms.

f is half a unit deviance, hence f >= 0, and its pseudo-residual is r = -f'(eta). For a dual value rho

    young(eta, rho) = f(eta) + f*(-rho) + rho eta >= 0

is written as what it is, a square, a product of non-negative factors or a relative entropy, never as a
difference. Dual values are shares of the pseudo-residual at another linear predictor, rho = a r(other) with
0 <= a <= 1: these lie in the domain of f* for every loss, whatever was claimed.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy  # its parts load when they are first used
import scipy.linalg

from fastreg._evidence import _LONG_ROUNDOFF, _ROUNDOFF, gamma
from fastreg._evidence_loss import BELOW, FINEST, HIDDEN, LONG, ROUNDS, Loss, Point, worst
from fastreg._typing import Float64

_UNKNOWN = 0.1  # corrections of rows of which rounding hides more than this share


@dataclass(frozen=True)
class SharePoint(Point):
    """Shares of the pseudo-residual at `other`."""

    loss: Any
    eta: Float64
    other: Float64
    share: Float64  # (n, C)
    blur: Float64  # (C,) relative distance of every share from exact feasibility
    r: Float64
    defect: Float64

    def cost(self, c: float) -> float:
        """Return the weighted sum of the Fenchel-Young terms, with shares at the worse end of their blur."""
        low, high = c * self.share * (1.0 - self.blur), c * self.share * (1.0 + self.blur)
        terms = [self.loss.young(self.eta, self.other, share) for share in (low, high)]
        return float(self.loss.w @ np.maximum(*terms).sum(axis=1))


class Separable(Loss):
    """The base of losses that are a sum over rows and outputs."""

    lipschitz: float | None = 1.0

    def __init__(self, y: Float64, w: Float64) -> None:
        self.y, self.w, self.root, self.outputs = y, w, np.sqrt(w), y.shape[1]
        self.floor = gamma(w.size + 32)  # f of a few for every unit of eta

    @abstractmethod
    def curvature(self, eta: Float64) -> Float64:
        """Return the second derivative per unit weight."""

    @abstractmethod
    def young(self, eta: Float64, other: Float64, share: Any) -> Float64:
        """Return the Fenchel-Young terms at rho = share * residual(other)."""

    def value(self, eta: Float64) -> float:
        """Return the weighted sum of f: its Fenchel-Young terms at rho = 0."""
        return float(self.w @ self.young(eta, eta, 0.0).sum(axis=1))

    def gram(self, eta: Float64, F: Float64) -> Float64:
        """Return the second derivative along columns F, one block per output."""
        h = self.curvature(eta)
        out: Float64 = scipy.linalg.block_diag(*[F.T @ (h[:, c : c + 1] * F) for c in range(self.outputs)])
        return out

    def start(self, offset: Float64) -> Float64:
        """Return the intercepts of least squares."""
        out: Float64 = self.w @ (self.y - offset)
        return out

    def noise(self, eta: Float64) -> Float64:
        """Return the rounding of y - eta, and of functions of eta, as a change of eta."""
        out: Float64 = 8 * _ROUNDOFF * (1.0 + np.abs(self.y) + np.abs(eta))
        return out

    def wobble(self, eta: Float64, e: Float64) -> Float64:
        """Return a bound of the error of the pseudo-residual if eta is wrong by at most e."""
        size = 8 * _ROUNDOFF * (np.abs(self.y) + np.abs(self.residual(eta)))
        return (self.lipschitz or 0.0) * e + size

    def bend(self, eta: Float64, e: Float64) -> float:
        """Return a bound of e'He."""
        return (self.lipschitz or 0.0) * float(self.w @ (e**2).sum(axis=1))

    def mass(self, eta: Float64) -> Float64:
        """Return the curvature times the weights."""
        out: Float64 = self.w * self.curvature(eta)[:, 0]
        return out

    def point(self, eta: Float64, other: Float64, bases: list[Float64]) -> SharePoint | None:
        """Return the residual at `other`, each row reduced by a share: orthogonal to the bases."""
        r = self.residual(other)
        shares, blur = np.ones(r.shape), np.zeros(self.outputs)
        for c, F in enumerate(bases):
            found = balance(r[:, c], F, self.root)
            if found is None:
                return None
            shares[:, c], blur[c] = found
        r = shares * r
        defect = (blur + 4 * _ROUNDOFF) * np.linalg.norm(self.root[:, None] * r, axis=0)
        return SharePoint(self, eta, other, shares, blur + 4 * _ROUNDOFF, r, defect)


def balance(r: Float64, F: Float64, root: Float64) -> tuple[Float64, float] | None:
    """Return shares a in [0, 1] that make a * r orthogonal to F / root, and what they miss of it, relatively.

    a = 1 - sign(r_i) z_i . delta with (Z' diag(w |r|) Z) delta = Z' (w r), which always has a solution. Rows
    whose share would turn negative, or is nothing but rounding, are given none, and the rest are balanced
    anew. None if that has no end.
    """
    share = np.ones(r.size)
    for _ in range(ROUNDS):
        found = _unbalance(share * r, F, root)
        if found is None:
            return share * BELOW, 0.0
        rows, left, hidden = found
        change, most = rows @ left, float(hidden.max())
        if most > _UNKNOWN:
            share = np.where(hidden > _UNKNOWN, 0.0, share)
            continue
        if np.abs(change).max() <= 4 * min(most, HIDDEN) + 64 * _ROUNDOFF:
            missed = 2 * float(np.linalg.norm(rows, axis=1).max() * np.linalg.norm(left) + most)
            reach = max(float(share.max()), 1e-300) * (1.0 + missed)
            # Scaled below one, lest what is missed carry a dual value out of its domain.
            return (share / max(reach, 1.0) * BELOW, missed) if missed < 0.5 else None
        share = share * np.maximum(1.0 - change, 0.0)
        if not np.isfinite(share).all():
            return None
    return None


def _unbalance(r: Float64, F: Float64, root: Float64) -> tuple[Float64, Float64, Float64] | None:
    """Return signed rows z_i and delta of the correction, and what of each z_i . delta rounding hides.

    None if no column is left that r meets at all. Columns that depend on others to rounding are left out.
    """
    A = np.sqrt(np.abs(r))[:, None] * F
    norms = np.linalg.norm(A, axis=0)
    if not (norms > 0).any():
        return None
    A, Z = A[:, norms > 0] / norms[norms > 0], F[:, norms > 0] / norms[norms > 0]
    _, R, order = scipy.linalg.qr(A, mode="economic", pivoting=True)
    rank = int(np.sum(np.abs(np.diag(R)) > 8 * r.size * _ROUNDOFF))
    Z, inverse = Z[:, order[:rank]], np.linalg.inv(R[:rank, :rank])
    products = Z.astype(LONG) * (root * r).astype(LONG)[:, None]
    left = inverse.T @ products.sum(axis=0).astype(np.float64)
    rows = (np.sign(r) / root)[:, None] * (Z @ inverse)
    # The rounding of these sums, and of the terms that `correlate` will meet.
    own = (8 * _ROUNDOFF + 2 * r.size * _LONG_ROUNDOFF) * (np.abs(Z).T @ np.abs(root * r))
    hidden: Float64 = np.linalg.norm(rows, axis=1) * (np.linalg.norm(inverse, 2) * np.linalg.norm(own))
    return rows, left, hidden


class SquaredError(Separable):
    """f = (y - eta)^2 / 2, for several responses."""

    def __init__(self, y: Float64, w: Float64) -> None:
        super().__init__(y, w)
        self.floor = 0.5 * (self.floor * float(np.linalg.norm(self.root[:, None] * y))) ** 2

    def residual(self, eta: Float64) -> Float64:
        """Return y - eta."""
        return self.y - eta

    def noise(self, eta: Float64) -> Float64:
        """Return the rounding of y - eta as a change of eta: it scales with y."""
        out: Float64 = 8 * _ROUNDOFF * (np.abs(self.y) + np.abs(eta))
        return out

    def curvature(self, eta: Float64) -> Float64:
        """Return ones."""
        return np.ones_like(eta)

    def young(self, eta: Float64, other: Float64, share: Any) -> Float64:
        """Return (r - rho)^2 / 2."""
        out: Float64 = 0.5 * (self.residual(eta) - share * self.residual(other)) ** 2
        return out


class Huber(SquaredError):
    """f = e^2 / 2 for e = y - eta within delta, linear beyond."""

    def __init__(self, y: Float64, w: Float64, delta: float) -> None:
        super().__init__(y, w)
        self.delta = delta

    def residual(self, eta: Float64) -> Float64:
        """Return e, clipped at delta."""
        return np.clip(self.y - eta, -self.delta, self.delta)

    def curvature(self, eta: Float64) -> Float64:
        """Return 1 within delta, 0 beyond."""
        return (np.abs(self.y - eta) <= self.delta).astype(np.float64)

    def young(self, eta: Float64, other: Float64, share: Any) -> Float64:
        """Return (r - rho)^2 / 2 + |r - rho| (|e| - delta)_+: rho never passes delta."""
        apart = self.residual(eta) - share * self.residual(other)
        beyond = np.maximum(np.abs(self.y - eta) - self.delta, 0.0)
        out: Float64 = 0.5 * apart**2 + np.abs(apart) * beyond
        return out


class SquaredHinge(Separable):
    """f = m^2 / 2 for a margin that is short by m = 1 - y eta > 0, y = -1 or 1."""

    def _short(self, eta: Float64) -> Float64:
        out: Float64 = 1.0 - self.y * eta
        return out

    def residual(self, eta: Float64) -> Float64:
        """Return y m."""
        return self.y * np.maximum(self._short(eta), 0.0)

    def curvature(self, eta: Float64) -> Float64:
        """Return 1 where the margin is short."""
        return (self._short(eta) > 0).astype(np.float64)

    def young(self, eta: Float64, other: Float64, share: Any) -> Float64:
        """Return (m - a)^2 / 2 for rho = y a, a^2 / 2 - a m where the margin is kept (m <= 0)."""
        short, a = self._short(eta), share * np.maximum(self._short(other), 0.0)
        out: Float64 = 0.5 * (np.maximum(short, 0.0) - a) ** 2 + a * np.maximum(-short, 0.0)
        return out


class Binomial(Separable):
    """f = KL(y, pi), y in [0, 1]: pi and 1 - pi are formed apart, so that neither is a difference."""

    lipschitz: float | None = 0.25

    def residual(self, eta: Float64) -> Float64:
        """Return y - pi."""
        out: Float64 = self.y * scipy.special.expit(-eta) - (1.0 - self.y) * scipy.special.expit(eta)
        return out

    def curvature(self, eta: Float64) -> Float64:
        """Return pi (1 - pi)."""
        out: Float64 = scipy.special.expit(eta) * scipy.special.expit(-eta)
        return out

    def young(self, eta: Float64, other: Float64, share: Any) -> Float64:
        """Return KL(q, pi) for q = y + share (pi(other) - y)."""
        pi, rest = scipy.special.expit(eta), scipy.special.expit(-eta)
        there, there_rest = scipy.special.expit(other), scipy.special.expit(-other)
        near_one = pi > 0.5
        move = np.where(near_one, rest - there_rest, there - pi)
        d = (1.0 - share) * self.residual(eta) + share * move
        size = np.where(near_one, rest + there_rest, there + pi)
        slack = 8 * _ROUNDOFF * ((1.0 - share) * (self.y * rest + (1.0 - self.y) * pi) + share * size)
        ones = worst(pi, scipy.special.log_expit(eta), d, slack)
        return ones + worst(rest, scipy.special.log_expit(-eta), -d, slack)

    def start(self, offset: Float64) -> Float64:
        """Return the log odds of the mean."""
        mean = np.clip(self.w @ self.y, FINEST, 1.0 - FINEST)
        out: Float64 = np.log(mean / (1.0 - mean)) - self.w @ offset
        return out


class Poisson(Separable):
    """f = mu - y eta - (y - y ln y), mu = exp(eta)."""

    lipschitz: float | None = None

    def __init__(self, y: Float64, w: Float64) -> None:
        super().__init__(y, w)
        self.floor *= float(np.max(w @ y)) or 1.0

    def residual(self, eta: Float64) -> Float64:
        """Return y - mu."""
        return self.y - np.exp(eta)

    def curvature(self, eta: Float64) -> Float64:
        """Return mu."""
        return np.exp(eta)

    def young(self, eta: Float64, other: Float64, share: Any) -> Float64:
        """Return q ln(q / mu) - q + mu for q = y + share (mu(other) - y)."""
        mu, there = np.exp(eta), np.exp(other)
        d = (1.0 - share) * (self.y - mu) + share * (there - mu)
        slack = 8 * _ROUNDOFF * ((1.0 - share) * (self.y + mu) + share * (there + mu))
        return worst(mu, eta, d, slack)

    def start(self, offset: Float64) -> Float64:
        """Return the logarithm of the mean count over the mean exposure."""
        top = offset.max()
        mean = np.maximum(self.w @ self.y, FINEST)
        out: Float64 = np.log(mean) - np.log(self.w @ np.exp(offset - top)) - top
        return out

    def wobble(self, eta: Float64, e: Float64) -> Float64:
        """Return a bound of the error of y - mu if eta is wrong by at most e."""
        out: Float64 = np.exp(eta) * np.expm1(e) + 8 * _ROUNDOFF * (self.y + np.exp(eta))
        return out

    def bend(self, eta: Float64, e: Float64) -> float:
        """Return a bound of e'He."""
        return float(self.w @ (np.exp(eta + e) * e**2)[:, 0])
