"""The penalty's Fenchel-Young terms for `certify`: one for every coefficient, or one for every row of them.

t are the inner products of the columns with a dual point, g those with the claim's own residual; both have
shape (features, outputs) and are wrong by at most err. What is called c scales t.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from fastreg._evidence import _ROUNDOFF, fenchel_young, kkt_violation, restricts
from fastreg._typing import Float64, Mask

_BELOW = 1.0 - 16 * _ROUNDOFF


class Terms(Protocol):
    """What the price of a dual point asks of the penalty."""

    def active(self) -> Terms:
        """Return the terms that can differ from zero at c <= 1."""

    def largest(self) -> float:
        """Return the largest c at which no term is infinite, rounding included."""

    def quiet(self) -> float:
        """Return the largest c at which no term of a coefficient that is zero costs anything."""

    def within(self) -> float:
        """Return the largest c at which no limit costs anything at which the coefficient is not."""

    def cost(self, c: float) -> float:
        """Return an upper bound of the terms' sum at c t."""

    def zeros(self, centre: Float64, err: Float64, radius: Float64) -> Mask:
        """Return what is zero wherever inner products lie in a ball about centre, itself wrong by err."""

    def violation(self, g: Float64) -> Float64:
        """Return the distance of -gradient g from the subdifferential, one number per row."""


@dataclass(frozen=True)
class Entries:
    """A penalty that is a sum over coefficients."""

    b: Float64  # (p, C)
    t: Float64  # (p, C)
    err: Float64  # (p, C)
    l1: Float64  # (p, 1) as are the others
    l2: Float64
    lower: Float64
    upper: Float64

    def _scales(self, ridge: bool, within: bool = False) -> float:
        free = (self.l2 == 0) | ridge
        lower, upper = (restricts(end, self.b, within) for end in (self.lower, self.upper))
        with np.errstate(divide="ignore", invalid="ignore"):
            high, low = self.t + self.err, self.err - self.t
            above = np.where(upper & free & (high > 0), self.l1 / high, np.inf)
            below = np.where(lower & free & (low > 0), self.l1 / low, np.inf)
        return float(np.minimum(above, below).min(initial=np.inf)) * _BELOW

    def largest(self) -> float:
        """Return the largest c at which no term is infinite, rounding included."""
        return self._scales(ridge=False)

    def quiet(self) -> float:
        """Return the largest c at which no unbounded term of a zero coefficient costs anything."""
        return self._scales(ridge=True)

    def within(self) -> float:
        """Return the largest c at which no limit costs anything at which the coefficient is not."""
        return self._scales(ridge=False, within=True)

    def active(self) -> Entries:
        """Return the rows whose terms can differ from zero at c <= 1."""
        some = ((self.b != 0) | (np.abs(self.t) + self.err > self.l1)).any(axis=1)
        return replace(self, **{name: value[some] for name, value in vars(self).items()})

    def cost(self, c: float) -> float:
        """Return an upper bound of the terms' sum: convex in t, so that an end of every interval has it."""
        args = (self.l1, self.l2, self.lower, self.upper)
        low, high = c * (self.t - self.err), c * (self.t + self.err)
        return float(np.maximum(fenchel_young(self.b, low, *args), fenchel_young(self.b, high, *args)).sum())

    def zeros(self, centre: Float64, err: Float64, radius: Float64) -> Mask:
        """Return what is zero wherever inner products lie in a ball about centre, itself wrong by err."""
        limit, slack = self.l1 * _BELOW, err + radius
        below = (self.upper == 0) | (centre + slack < limit)
        out: Mask = below & ((self.lower == 0) | (slack - centre < limit))
        return out

    def violation(self, g: Float64) -> Float64:
        """Return the distance of -gradient g from the subdifferential, the largest of every row."""
        each = kkt_violation(self.b, g, self.l1, self.l2, self.lower, self.upper)
        return np.max(each, axis=1)  # type: ignore[no-any-return]


@dataclass(frozen=True)
class Rows:
    """The penalty l1 ||B_j|| + l2/2 ||B_j||^2 within limits, B_j a row; rows without penalty are Entries.

    Inner products T of a row are split, T = U + V: U meets the penalty's conjugate, V that of the limits
    (their infimal convolution is the conjugate of the sum, so that every split is a bound). V takes what
    pushes against a limit at which the coefficient sits, or close to which it may sit.
    """

    b: Float64
    t: Float64
    err: Float64
    l1: Float64
    l2: Float64
    lower: Float64
    upper: Float64

    def active(self) -> Rows:
        """Return the rows whose terms can differ from zero at c <= 1."""
        reach = np.linalg.norm(self.t, axis=1) + np.linalg.norm(self.err, axis=1)
        some = self.b.any(axis=1) | (reach > self.l1[:, 0])
        return replace(self, **{name: value[some] for name, value in vars(self).items()})

    def _void(self) -> Mask:
        out: Mask = ((self.l1 == 0) & (self.l2 == 0))[:, 0]
        return out

    def _entries(self) -> Entries:
        void = self._void()
        return Entries(**{name: value[void] for name, value in vars(self).items()})

    def _rows(self) -> Rows:
        void = self._void()
        return replace(self, **{name: value[~void] for name, value in vars(self).items()})

    def _norms(self, x: Float64, finite: bool) -> Float64:
        """Return row norms of x, without entries that push against a limit: at zero, or any finite one."""
        high = np.isfinite(self.upper) if finite else self.upper == 0
        low = np.isfinite(self.lower) if finite else self.lower == 0
        kept = np.where(x > 0, ~high, ~low)
        out: Float64 = np.linalg.norm(np.where(kept, x, 0.0), axis=1, keepdims=True)
        return out

    def _scales(self, ridge: bool, within: bool = False) -> float:
        norms = self._norms(self.t, finite=not within) + np.linalg.norm(self.err, axis=1, keepdims=True)
        with np.errstate(divide="ignore", invalid="ignore"):
            each = np.where((norms > 0) & ((self.l2 == 0) | ridge), self.l1 / norms, np.inf)
        return float(each.min(initial=np.inf)) * _BELOW

    def largest(self) -> float:
        """Return the largest c at which no term is infinite, rounding included."""
        return min(self._rows()._scales(ridge=False), self._entries().largest())

    def quiet(self) -> float:
        """Return the largest c at which no unbounded term of a zero row costs anything."""
        return min(self._rows()._scales(ridge=True), self._entries().quiet())

    def within(self) -> float:
        """Return the largest c at which limits other than zero cost nothing."""
        return min(self._rows()._scales(ridge=False, within=True), self._entries().within())

    def cost(self, c: float) -> float:
        """Return an upper bound of the terms' sum."""
        return self._entries().cost(c) + self._rows()._cost(c)

    def _cost(self, c: float) -> float:
        t, err = c * self.t, c * np.linalg.norm(self.err, axis=1, keepdims=True)
        both = [self._prices(t, err, near) for near in (False, True)]
        return float(np.minimum(*both).sum())

    def _prices(self, t: Float64, err: Float64, near: bool) -> Float64:
        """Return an upper bound of every row's term, for one of two splits."""
        b, size = self.b, np.linalg.norm(self.b, axis=1, keepdims=True)
        u, v = self._split(t, err, near)
        with np.errstate(invalid="ignore"):
            box = np.where(v > 0, self.upper - b, b - self.lower) * np.abs(v)
        box = np.where(v == 0, 0.0, box)
        reach = np.linalg.norm(u, axis=1, keepdims=True)
        # <b, u> = ||b|| ||u|| less this, which is half a squared distance of unit vectors:
        with np.errstate(divide="ignore", invalid="ignore"):
            turned = np.where((size > 0) & (reach > 0), b / size - u / reach, 0.0)
        angle = 0.5 * size * reach * np.sum(turned**2, axis=1, keepdims=True)
        open_ = np.full_like(size, np.inf)
        ends = [fenchel_young(size, x, self.l1, self.l2, -open_, open_)
                for x in (np.maximum(reach - err, 0.0), reach + err)]  # fmt: skip
        out: Float64 = (np.maximum(*ends) + angle + 2 * size * err)[:, 0] + box.sum(axis=1)
        return out

    def _split(self, t: Float64, err: Float64, near: bool) -> tuple[Float64, Float64]:
        """Return the parts of t for the penalty and the limits; near: also limits that are not reached."""
        b = self.b
        size = np.linalg.norm(b, axis=1, keepdims=True)
        with np.errstate(divide="ignore", invalid="ignore"):
            slope = np.where(size > 0, self.l1 * b / size, 0.0) + self.l2 * b
        at_upper = ((b >= self.upper) | (near & np.isfinite(self.upper))) & (t > slope)
        at_lower = ((b <= self.lower) | (near & np.isfinite(self.lower))) & (t < slope)
        u = np.where(at_upper | at_lower, slope, t)
        # Where the penalty would be infinite, or zero is claimed, finite limits take what is too long.
        long = (self.l2 == 0) | (size == 0)
        finite = np.where(u > 0, np.isfinite(self.upper), np.isfinite(self.lower))
        fixed = np.linalg.norm(np.where(finite, 0.0, u), axis=1, keepdims=True)
        loose = np.linalg.norm(np.where(finite, u, 0.0), axis=1, keepdims=True)
        room = np.maximum(self.l1 * _BELOW - err, 0.0)
        with np.errstate(divide="ignore", invalid="ignore"):
            share = np.sqrt(np.maximum(room**2 - fixed**2, 0.0)) / loose
        share = np.where(
            long & (loose > 0) & (fixed**2 + loose**2 > room**2), np.minimum(share * _BELOW, 1.0), 1.0
        )
        u = np.where(finite, share * u, u)
        return u, t - u

    def zeros(self, centre: Float64, err: Float64, radius: Float64) -> Mask:
        """Return what is zero wherever inner products lie in a ball about centre, itself wrong by err."""
        norms = self._norms(centre, finite=False) + np.linalg.norm(err, axis=1, keepdims=True) + radius
        held = (self.lower == 0) & (self.upper == 0)
        return np.broadcast_to(held | (norms < self.l1 * _BELOW), centre.shape)

    def violation(self, g: Float64) -> Float64:
        """Return the distance of -gradient g from the subdifferential, as the norm of a row."""
        out = np.zeros(self.b.shape[0])
        void = self._void()
        out[void] = self._entries().violation(g[void])
        out[~void] = self._rows()._violation(g[~void])
        return out

    def _violation(self, g: Float64) -> Float64:
        b, size = self.b, np.linalg.norm(self.b, axis=1, keepdims=True)
        with np.errstate(divide="ignore", invalid="ignore"):
            slope = np.where(size > 0, self.l1 * b / size + self.l2 * b, 0.0)
        rest = g - slope
        rest = np.where(b >= self.upper, np.minimum(rest, 0.0), rest)
        rest = np.where(b <= self.lower, np.maximum(rest, 0.0), rest)
        norms = np.linalg.norm(rest, axis=1)
        out: Float64 = np.where(size[:, 0] > 0, norms, np.maximum(norms - self.l1[:, 0], 0.0))
        return out
