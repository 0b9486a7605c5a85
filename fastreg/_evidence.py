"""The arithmetic behind `certify`: dual points, Fenchel-Young terms and what rounding can have done to them.

Every column is first multiplied by a power of two so that its largest entry lies in [1/2, 1): exact, and
nothing overflows later. Vectors of length n are kept multiplied by the root of the weights, so that plain
norms and inner products are the weighted ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import scipy.linalg
import scipy.sparse

from fastreg._typing import Float64, Mask
from fastreg.errors import DataError

_ROUNDOFF = 2.0**-53  # half the distance from 1 to the next float64
_LONG_ROUNDOFF = float(np.finfo(np.longdouble).eps) / 2  # the same of extended precision, where there is one
_BLOCK_BYTES = 2**25  # dense X is read in column blocks of about this size: no full float64 copy is ever made
_FLAT = 2.0**-49  # a column of largest entry 1 whose spread is no larger is constant to rounding
_MOST_PINNED = 256  # columns projected out for rounding's sake, per solution: the factor stays small
_HUGE = 1e300  # rescaled penalties and limits are capped here, lest inf * 0 arise; they only ever meet zeros


def gamma(k: Any) -> Any:
    """Return the classical bound k u / (1 - k u) of the relative rounding error of k operations."""
    return k * _ROUNDOFF / (1.0 - k * _ROUNDOFF)


class Columns(Protocol):
    """What the certificate asks of a design: rescaled columns, centred if there is an intercept."""

    exponent: Any  # (p,) the column was divided by 2**exponent
    centre: Float64  # (p,) what `times` subtracts from the columns
    constant: Mask  # (p,) the spread is a few rounding errors of the entries, or less
    spread: Float64  # (p,) weighted standard deviation
    raw: Float64  # (p,) weighted norm before centring
    norm: Float64  # (p,) weighted norm, about the mean if centred
    noise: Float64  # (p,) bound of the rounding error of one inner product with a unit vector
    root: Float64  # (n,) root of the weights
    centred: bool

    def times(self, B: Float64) -> Float64:
        """Return (X - centre) @ B for few nonzero rows of B, shape (n, K)."""

    def correlate(self, Z: Float64) -> Float64:
        """Return the inner products of all columns with Z, shape (p, K)."""

    def take(self, which: Any) -> Float64:
        """Return some columns, centred and times the root of the weights, shape (n, m)."""


def _exponents(largest: Float64) -> Any:
    if not np.isfinite(largest).all():
        raise DataError(f"X must be finite, got NaN or inf in column {int(np.argmin(np.isfinite(largest)))}")
    return np.frexp(largest)[1]


class DenseColumns:
    """Read a dense X block by block; centre explicitly, which loses no digits to large means."""

    def __init__(self, X: Any, w: Float64, centred: bool) -> None:
        n, p = X.shape
        self.X, self.root, self.centred = X, np.sqrt(w), centred
        self.exponent = np.zeros(p, dtype=np.int64)
        self.centre, self.spread, self.raw = np.zeros(p), np.zeros(p), np.zeros(p)
        for block in self._blocks():
            x = np.asarray(X[:, block], dtype=np.float64)
            e = _exponents(np.abs(x).max(axis=0))
            x = np.ldexp(x, -e)
            mean = w @ x
            mean = mean + w @ (x - mean)
            mean = np.where(x.max(axis=0) == x.min(axis=0), x[0], mean)
            self.exponent[block], self.centre[block] = e, mean if centred else 0.0
            self.spread[block] = np.sqrt(w @ (x - mean) ** 2)
            self.raw[block] = np.sqrt(w @ x**2)
        self.constant = self.spread <= _FLAT  # the largest entry is about one
        self.norm = self.spread if centred else self.raw
        self.noise = gamma(n + 8) * self.norm

    def _blocks(self) -> Iterator[slice]:
        n, p = self.X.shape
        step = max(1, _BLOCK_BYTES // (8 * n))
        return (slice(a, min(a + step, p)) for a in range(0, p, step))

    def _scaled(self, which: Any) -> Float64:
        x: Float64 = np.ldexp(np.asarray(self.X[:, which], dtype=np.float64), -self.exponent[which])
        return x

    def times(self, B: Float64) -> Float64:
        """Return (X - centre) @ B for few nonzero rows of B."""
        out = np.zeros((self.root.size, B.shape[1]))
        for block in self._blocks():
            some = np.flatnonzero(B[block].any(axis=1)) + block.start
            if some.size:
                out += (self._scaled(some) - self.centre[some]) @ B[some]
        return out

    def correlate(self, Z: Float64) -> Float64:
        """Return the inner products of all (centred) columns with Z."""
        V = self.root[:, None] * Z
        out = np.empty((self.centre.size, Z.shape[1]))
        for block in self._blocks():
            out[block] = (self._scaled(block) - self.centre[block]).T @ V
        return out

    def take(self, which: Any) -> Float64:
        """Return some (centred) columns times the root of the weights."""
        out: Float64 = self.root[:, None] * (self._scaled(which) - self.centre[which])
        return out


class SparseColumns:
    """Work on the stored entries only; centring is a rank-one correction and its rounding is in the noise."""

    def __init__(self, X: Any, w: Float64, centred: bool) -> None:
        n, p = X.shape
        self.root, self.centred, self.centre = np.sqrt(w), centred, np.zeros(p)
        count = np.diff(X.indptr)
        owner = np.repeat(np.arange(p), count)
        data = X.data.astype(np.float64)
        largest = np.zeros(p)
        np.maximum.at(largest, owner, np.abs(data))
        self.exponent = _exponents(largest)
        data = np.ldexp(data, -self.exponent[owner])
        self.X = scipy.sparse.csc_array((data, X.indices, X.indptr), shape=X.shape)
        weight = w[X.indices]
        self.mean = np.bincount(owner, weight * data, p)
        low, high = np.full(p, np.inf), np.full(p, -np.inf)
        np.minimum.at(low, owner, data)
        np.maximum.at(high, owner, data)
        self.mean = np.where((count == n) & (low == high), high, self.mean)
        absent = np.where(count == n, 0.0, np.maximum(1.0 - np.bincount(owner, weight, p), 0.0))
        around = np.bincount(owner, weight * (data - self.mean[owner]) ** 2, p)
        self.spread = np.sqrt(around + absent * self.mean**2)
        self.raw = np.sqrt(np.bincount(owner, weight * data**2, p))
        self.constant = self.spread <= _FLAT
        self.norm = self.spread if centred else self.raw
        shift = (8 * _ROUNDOFF + 2 * n * _LONG_ROUNDOFF) * np.abs(self.mean) if centred else 0.0
        self.noise = gamma(count + 8) * self.raw + shift

    def times(self, B: Float64) -> Float64:
        """Return X @ B for few nonzero rows of B."""
        some = np.flatnonzero(B.any(axis=1))
        out: Float64 = self.X[:, some] @ B[some]
        return out

    def correlate(self, Z: Float64) -> Float64:
        """Return the inner products of all (centred) columns with Z."""
        V = self.root[:, None] * Z
        out: Float64 = self.X.T @ V
        if self.centred:
            out -= np.outer(self.mean, V.sum(axis=0, dtype=np.longdouble).astype(np.float64))
        return out

    def take(self, which: Any) -> Float64:
        """Return some (centred) columns times the root of the weights."""
        x: Float64 = self.X[:, which].toarray()
        return self.root[:, None] * (x - self.mean[which] if self.centred else x)


def fenchel_young(b: Float64, t: Float64, l1: Float64, l2: Float64, lo: Float64, hi: Float64) -> Float64:
    """Return phi(b) + phi*(t) - b t >= 0 for phi = l1 |b| + l2/2 b^2 on [lo, hi], without cancellation (F9).

    With sizes taken along the sign of t, the conjugate's maximiser is best = clip((|t| - l1) / l2, 0, limit),
    and the term is the drop of the concave t b - phi(b) from best to b, factored.
    """
    limit = np.where(t >= 0, hi, -lo)
    along = np.where(t >= 0, b, -b)
    excess = np.abs(t) - l1
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        free = np.where(excess > 0, excess / l2, 0.0)
    best = np.minimum(free, limit)
    unbounded = np.isinf(best)
    best = np.where(unbounded, 0.0, best)
    inside = (excess > 0) & (best == free)
    drop = (best - along) * (excess - l2 / 2 * (best + along))
    ahead = np.where(inside, l2 / 2 * (best - along) ** 2, drop)
    behind = best * (excess - l2 / 2 * best) - along * (np.abs(t) + l1) + l2 / 2 * along**2
    value = np.where(along >= 0, ahead, behind)
    return np.where(unbounded, np.inf, np.maximum(value, 0.0))


def project_out(Z: Float64, F: Float64) -> tuple[Float64, Float64]:
    """Return Z made orthogonal to the columns of F, and a bound of its distance from exactly that.

    Columns of F that depend on the others to rounding are left out.
    """
    n = Z.shape[0]
    norms = np.linalg.norm(F, axis=0)
    F = F[:, norms > 0] / norms[norms > 0]
    if F.shape[1] == 0:
        return Z.copy(), np.zeros(Z.shape[1])
    Q, R, order = scipy.linalg.qr(F, mode="economic", pivoting=True)
    rank = int(np.sum(np.abs(np.diag(R)) > 8 * n * _ROUNDOFF))
    Q, kept = Q[:, :rank], F[:, order[:rank]]
    smallest = float(np.linalg.svd(R[:rank, :rank], compute_uv=False)[-1])
    for _ in range(2):  # once leaves what the first rounding left; twice is enough
        Z = Z - Q @ (Q.T @ Z)
    # What is left is all rounding: only sums in extended precision can tell it from their own.
    left = np.linalg.norm((kept.T.astype(np.longdouble) @ Z.astype(np.longdouble)).astype(np.float64), axis=0)
    own = (4 * _ROUNDOFF + 2 * n * _LONG_ROUNDOFF) * np.sqrt(rank) * np.linalg.norm(Z, axis=0)
    return Z, (left + own) * (1 + 1e-12) / smallest


@dataclass(frozen=True)
class _Dual:
    """A dual direction and everything needed to price its multiples, for K solutions at once."""

    b: Float64  # (p, K)
    t: Float64  # (p, K) inner products with the direction
    g: Float64  # (p, K) inner products with the residual
    err: Float64  # (p, K) bound of the error of either
    pinned: Mask  # (p, K) where t is exactly 0
    l1: Float64  # (p, K)
    l2: Float64  # (p, K)
    lower: Float64  # (p, 1)
    upper: Float64  # (p, 1)
    anchor: Float64  # (K,) squared norm of the direction
    apart: Any  # c -> (K,) norm of residual - c direction
    blur: Float64  # (K,) bound of the rounding error of the residual
    defect: Float64  # (K,) distance of the direction from a dual point that is feasible exactly

    @property
    def loose(self) -> Float64:
        """Return the error bound of t, zero where t is pinned."""
        return np.where(self.pinned, 0.0, self.err)

    def largest_scale(self, within: bool = False) -> Float64:
        """Return the largest c at which no term is infinite, rounding included; within: see restricts."""
        lower, upper = (restricts(end, self.b, within) for end in (self.lower, self.upper))
        with np.errstate(divide="ignore", invalid="ignore"):
            high, low = self.t + self.loose, self.loose - self.t
            above = np.where(upper & (high > 0), self.l1 / high, np.inf)
            below = np.where(lower & (low > 0), self.l1 / low, np.inf)
        out: Float64 = np.minimum(above, below).min(axis=0) * (1 - 16 * _ROUNDOFF)
        return out

    def best_scale(self) -> Float64:
        """Return the c of the smallest gap: the root of a piecewise linear derivative, kinks at l1 / |t|."""
        with np.errstate(divide="ignore", invalid="ignore"):
            slope = np.einsum("jk,jk->k", self.t, self.b)
            best = np.where(self.anchor > 0, 1 + slope / self.anchor, 0.0)
        boxed = np.flatnonzero(((np.isfinite(self.lower) & (self.lower < 0))
                                | (np.isfinite(self.upper) & (self.upper > 0))).ravel())  # fmt: skip
        limit = np.where(self.t[boxed] >= 0, self.upper[boxed], -self.lower[boxed])
        for k in np.flatnonzero(self.anchor > 0) if boxed.size else ():
            some = np.isfinite(limit[:, k]) & (limit[:, k] > 0) & (self.t[boxed, k] != 0)
            size = np.abs(self.t[boxed, k][some])
            kinks = self.l1[boxed, k][some] / size
            order = np.argsort(kinks)
            pull = np.concatenate([[0.0], np.cumsum((size * limit[some, k])[order])])
            roots = 1 + (slope[k] - pull) / self.anchor[k]
            kinks = np.concatenate([[-np.inf], kinks[order], [np.inf]])
            m = int(np.argmax(roots <= kinks[1:]))
            best[k] = max(roots[m], kinks[m])
        return np.maximum(np.minimum(best, self.largest_scale()), 0.0)

    def gap(self, c: Float64) -> Float64:
        """Return an upper bound of the gap at dual point c * direction."""
        total = 0.5 * (self.apart(c) + self.blur * (1 + c) + c * self.defect) ** 2
        loose = self.loose
        reach = c * (np.abs(self.t) + loose)
        rows = np.flatnonzero(((self.b != 0) | (reach > self.l1)).any(axis=1))  # elsewhere the terms vanish
        args = (self.l1[rows], self.l2[rows], self.lower[rows], self.upper[rows])
        b, t, err = self.b[rows], c * self.t[rows], c * loose[rows]
        # A Fenchel-Young term is convex in t: the worst t of an interval is one of its ends.
        worst = np.maximum(fenchel_young(b, t - err, *args), fenchel_young(b, t + err, *args))
        out: Float64 = (total + worst.sum(axis=0)) * (1 + gamma(rows.size + 64))
        return out

    def zeros(self, c: Float64, gap: Float64, norm: Float64) -> Mask:
        """Return what the sphere about (residual + c direction)/2 proves to be zero (F14, F15)."""
        apart = np.maximum(self.apart(c) * (1 - 1e-12) - self.blur * (1 + c) - c * self.defect, 0.0)
        radius = np.sqrt(np.maximum(gap - apart**2 / 4, 0.0)) * (1 + 1e-12) + self.blur
        centre, slack = (self.g + c * self.t) / 2, (1 + c) / 2 * self.err + norm * radius
        limit = self.l1 * (1 - 16 * _ROUNDOFF)
        below = (self.upper == 0) | (centre + slack < limit)
        out: Mask = below & ((self.lower == 0) | (slack - centre < limit))
        return out


def restricts(end: Float64, b: Float64, within: bool) -> Mask:
    """Tell towards which ends inner products must not be too long: infinite ones, or those away from b."""
    out: Mask = (end != 0) & (end != b) if within else np.isinf(end)
    return out


def kkt_violation(b: Float64, g: Float64, l1: Float64, l2: Float64, lo: Float64, hi: Float64) -> Float64:
    """Return the distance of the correlation g from the subdifferential of phi at b, entry by entry."""
    slope = l2 * b + np.sign(b) * l1
    at_upper, at_lower = (b > 0) & (b >= hi), (b < 0) & (b <= lo)
    at_zero = np.maximum(np.where(hi > 0, g - l1, 0.0), np.where(lo < 0, -g - l1, 0.0))
    out = np.where(b == 0, np.maximum(at_zero, 0.0), np.abs(g - slope))
    out = np.where(at_upper, np.maximum(slope - g, 0.0), out)
    return np.where(at_lower, np.maximum(g - slope, 0.0), out)


class Model:
    """The problem on rescaled columns, ready to assess claims in bulk."""

    def __init__(
        self, columns: Columns, y: Float64, size: float, l1_ratio: float, standardize: bool,
        bounds: tuple[Float64, Float64, Float64],
    ) -> None:  # fmt: skip
        factor, lower, upper = bounds
        self.columns, self.y, self.size, self.limits = columns, y, size, (lower, upper)
        # Constant columns have no scale to standardise by: they are left out, as in the path functions.
        self.excluded = np.isinf(factor) | (columns.constant & standardize)
        v = np.where(self.excluded, 0.0, factor)
        with np.errstate(over="ignore"):
            unit = columns.spread if standardize else np.minimum(np.ldexp(1.0, -columns.exponent), _HUGE)
            self.l1 = l1_ratio * v * unit
            self.l2 = (1 - l1_ratio) * v * unit * unit
            self.lower = np.where(self.excluded, 0.0, np.ldexp(lower, columns.exponent))
            self.upper = np.where(self.excluded, 0.0, np.ldexp(upper, columns.exponent))
        unpenalised = (self.l1 == 0) & (self.l2 == 0)
        sides = np.isinf(self.lower).astype(int) + np.isinf(self.upper)
        self.free = np.flatnonzero(unpenalised & (sides == 2))
        self.half_free = np.flatnonzero(unpenalised & (sides == 1))
        ones = columns.root[:, None] if columns.centred else np.empty((y.size, 0))
        self.basis = np.column_stack([ones, columns.take(self.free)])

    def feasible(self, B: Float64, intercept: Float64) -> Mask:
        """Return which claims keep every constraint exactly and hold finite numbers only."""
        lower, upper = (v[:, None] for v in self.limits)
        inside = np.greater_equal(B, lower) & np.less_equal(B, upper)
        kept = np.isfinite(B) & inside & ~(self.excluded[:, None] & (B != 0))
        out: Mask = kept.all(axis=0) & np.isfinite(intercept) & ((intercept == 0) | self.columns.centred)
        return out

    def weak(self, Z: Float64, l1: Float64, l2: Float64) -> Mask:
        """Return penalties below the rounding of an inner product: no scaling of a dual point respects those.

        A dual point orthogonal to such columns costs no more than their penalty, which is as little. Limits
        make other inner products optimal, and need no scaling.
        """
        size = 8 * self.columns.noise[:, None]
        eligible = np.isinf(self.lower) & np.isinf(self.upper)
        eligible[self.free] = False
        weak = eligible[:, None] & (l1 <= size * np.linalg.norm(Z, axis=0)) & (l2 <= size)
        out: Mask = weak & (np.count_nonzero(weak, axis=0) <= _MOST_PINNED)
        return out

    def _direction(self, Z: Float64, b: Float64, weak: Mask) -> tuple[Float64, Float64, Mask]:
        """Project residuals to dual points; return also their distance to exact ones and where t is 0."""
        pinned = np.zeros(b.shape, dtype=bool)
        pinned[self.free] = True
        out, defect = project_out(Z, self.basis)
        half = np.union1d(self.half_free, np.flatnonzero(weak.any(axis=1)))
        H = self.columns.take(half)
        # A free column with one bound asks for the sign of t only: pin it where it moves freely or where the
        # sign is wrong.
        signed = np.isin(half, self.half_free)
        side = np.where(np.isinf(self.upper[half]), 1.0, -1.0)
        edge = np.where(side > 0, self.lower[half], self.upper[half])
        for k in range(Z.shape[1]) if half.size else ():
            chosen = np.where(signed, b[half, k] != edge, weak[half, k])
            while True:  # ends: every round pins another column or none is wrong
                F = np.column_stack([self.basis, H[:, chosen]])
                z, far = project_out(Z[:, k : k + 1], F)
                slack = (self.columns.noise[half] * np.linalg.norm(z) + self.columns.norm[half] * far) * 2
                wrong = signed & ~chosen & (side * (H.T @ z)[:, 0] + slack > 0)
                if not wrong.any():
                    break
                chosen |= wrong
            out[:, k], defect[k], pinned[half, k] = z[:, 0], far[0], chosen
        return out, defect, pinned

    def assess(self, B: Float64, intercept: Float64, alpha: Float64) -> dict[str, Any]:
        """Return the fields of a certificate that are per solution, as arrays over the K claims."""
        feasible = self.feasible(B, intercept)
        nonzero = np.count_nonzero(B, axis=0)
        intercept = np.where(feasible, intercept, 0.0)
        with np.errstate(over="ignore"):
            b = np.ldexp(np.where(feasible, B, 0.0), self.columns.exponent[:, None])
            l1 = np.minimum(self.l1[:, None] * alpha, _HUGE)
            l2 = np.minimum(self.l2[:, None] * alpha, _HUGE)
        box = (self.lower[:, None], self.upper[:, None])
        # The rounding of this shift is projected out again; large means must not enter `times`.
        shift = intercept + self.columns.centre @ b
        Z = self.columns.root[:, None] * (self.y[:, None] - shift - self.columns.times(b))
        direction, defect, pinned = self._direction(Z, b, self.weak(Z, l1, l2))
        t = self.columns.correlate(direction)
        g = self.columns.correlate(Z) if pinned.any() else t
        length = np.linalg.norm(Z, axis=0)
        err = self.columns.noise[:, None] * length + self.columns.norm[:, None] * defect
        err += 8 * _ROUNDOFF * (np.abs(g) + l1 + l2 * np.abs(b))
        # Where pinned, the exact inner product with the exact dual point is zero.
        t = np.where(pinned, 0.0, t)
        used = np.count_nonzero(b.any(axis=1))
        blur = gamma(used + 16) * (self.size + np.abs(intercept) + self.columns.raw @ np.abs(b))
        inflate = 1 + gamma(2 * self.y.size + 32)

        def apart(c: Float64) -> Float64:
            out: Float64 = np.linalg.norm(Z - c * direction, axis=0) * inflate
            return out

        primal = 0.5 * np.sum(Z**2, axis=0) + np.sum(l1 * np.abs(b) + l2 / 2 * b**2, axis=0)
        anchor = np.sum(direction**2, axis=0)
        plain = _Dual(b, t, g, err, pinned, l1, l2, *box, anchor, apart, blur, defect)
        gap, zeros = _price(plain, self.columns.norm[:, None], primal)
        violation = np.ldexp(kkt_violation(b, g, l1, l2, *box), self.columns.exponent[:, None])
        tilt = np.abs(self.columns.root @ Z) if self.columns.centred else np.zeros(alpha.size)
        return {
            "primal": np.where(feasible, primal, np.inf),
            "dual": primal - gap,
            "gap": np.where(feasible, gap, np.inf),
            "kkt": np.where(feasible, np.maximum(violation.max(axis=0), tilt), np.inf),
            "feasible": feasible,
            "n_nonzero": nonzero,
            "proven_zero": zeros,
        }


def _price(plain: _Dual, norm: Float64, primal: Float64) -> tuple[Float64, Mask]:
    """Return the smallest gap over the dual points on offer, and what any of them proves to be zero.

    Without a ridge part: multiples of the direction. With one: the direction as it is, and multiples of the
    direction of the lasso with one extra row sqrt(l2_j) per feature (F10 to F12).
    """
    offers = []
    if np.any(plain.l2 > 0):
        offers.append((plain, np.ones_like(primal), norm))
    ridge = np.sum(plain.l2 * plain.b**2, axis=0)
    slope = plain.l2 * plain.b

    def apart(c: Float64) -> Float64:
        out: Float64 = np.sqrt(plain.apart(c) ** 2 + (1 - c) ** 2 * ridge) * (1 + 4 * _ROUNDOFF)
        return out

    rows = replace(plain, t=plain.t - slope, g=plain.g - slope, l2=np.zeros_like(slope),
                   pinned=plain.pinned & (slope == 0), anchor=plain.anchor + ridge, apart=apart)  # fmt: skip
    best = rows.best_scale()
    norm = np.sqrt(norm**2 + plain.l2)
    # The way to a limit may be as long as anybody likes: what rounding takes it to is better not paid for.
    within = np.maximum(np.minimum(best, rows.largest_scale(within=True)), 0.0)
    offers += [(rows, c, norm) for c in (best, np.minimum(best, 1.0), within, np.minimum(within, 1.0))]
    gap, zeros = primal * (1 + 1e-12), np.zeros(plain.b.shape, dtype=bool)
    for dual, c, size in offers:
        value = dual.gap(c)
        zeros |= dual.zeros(c, value, size)
        gap = np.minimum(gap, value)
    return gap, zeros
