"""Newton's method for pure L2 in the smaller of two coordinates, n per output or p per output.

With Phi = X~ L2^-1/2, every solution of min L(offset + Z u + X~ b) + alpha/2 b' L2 b has b = L2^-1 X~' c, so
that the predictor is offset + Z u + K c with K = Phi Phi'. Dual coordinates are c, n numbers per output with
the metric K; primal ones are c = L2^1/2 b, with the identity. Unpenalised columns Z, the intercept's among
them, come as a basis. At the optimum alpha c is w r (or Phi' w r) and Z' w r = 0, r the pseudo-residual.
Arrays of coordinates have shape (outputs, m), of u (outputs, z), of rows (outputs, n).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.linalg import lapack

from ._typing import Float64
from .driver import KeepGoing
from .kernels import losses
from .kernels.losses import Loss
from .null_model import allocate_curvature
from .ridge_curvature import Block, curvature_blocks

# Newton steps at one alpha, whatever max_iter allows: convergence is faster than linear.
MOST_STEPS = 200
# A step is the last one where it is predicted to gain less than this share of the allowed gap.
LAST_SHARE = 1e-2
# The sums Z' w r may keep this share of ||r|| where unpenalised columns prove their own equations.
BALANCED = 1e-11
# A factor that lets the predicted gain shrink by less than this is formed anew.
SLOW = 0.05
# Steps with a fresh factor that do not halve the predicted gain, after which rounding is held to be reached.
IDLE_STEPS = 3
# Gains below this share of the objective may be rounding.
ROUNDING = 1e-13
# An alpha that differs by more than this factor from the one a factor was formed at needs another.
STALE = 2.0
# Armijo's share, the rise that is rounding, and trials of a step.
ARMIJO, RISE, MOST_TRIALS = 1e-4, 1e-14, 60
# A step that went too far is shortened to a share between these, but not to where the objective falls by more
# than this share of its first slope.
SHORTEST, SHORTER, STEEP = 1e-3, 0.5, 0.5
# A share that is known to within this factor is known well enough.
NARROW = 1.2
# Curvature per unit weight that unpenalised directions count as having at least.
FLOOR = 1e-14
# What is added to a diagonal that rounding has cost its definiteness, in shares of its largest entry.
EXTRAS = (1e-15, 1e-13, 1e-10, 1e-7, 1e-3, 1.0)
# Above this predictor exp may overflow; so far apart, sums over risk sets underflow and mean nothing.
LARGEST_EXPONENT = WIDEST = 600.0
# Solutions that the next one is extrapolated from, and the longest way in steps of log alpha.
REMEMBERED, FARTHEST = 4, 2.0


class Factor(Protocol):
    """A factor of the second derivative at some point and alpha."""

    def direction(self, pull: Float64, balance: Float64) -> tuple[Float64, Float64]:
        """Return the Newton step (dc, du) for the gradients pull (outputs, m) and balance (outputs, z)."""


class Coordinates(Protocol):
    """How penalised coefficients are described; see the module."""

    Z: Float64
    m: int

    def image(self, c: Float64) -> tuple[Float64, Float64]:
        """Return what c (outputs, m) adds to the predictor, and its product with the metric."""

    def gather(self, v: Float64) -> Float64:
        """Return w r (outputs, n) as seen from these coordinates, (outputs, m)."""

    def factor(self, blocks: list[Block], alpha: float) -> Factor:
        """Factor the second derivative."""


@dataclass(frozen=True, eq=False)
class Way:
    """A step: coordinates, what it adds to the predictor, the metric's product, and the slope along it."""

    dc: Float64
    du: Float64
    image: Float64
    metric: Float64
    gain: float


@dataclass(frozen=True, eq=False)
class Point:
    """A solution on its way: coordinates, their product with the metric, predictor and w r there."""

    c: Float64
    u: Float64
    metric: Float64
    eta: Float64
    v: Float64
    fit: float

    @property
    def ridge(self) -> float:
        """Twice the penalty per unit alpha."""
        return float(np.vdot(self.c, self.metric))


def _cholesky(matrix: Float64) -> Float64:
    """Return the lower factor of a symmetric matrix, which is overwritten.

    Where rounding has cost it its definiteness it gains a little on the diagonal: steps are checked.
    """
    diagonal = np.diag(matrix).copy()
    for extra in EXTRAS:
        # LAPACK counts columns first: the transposed view of a symmetric matrix needs no copy.
        factor, info = lapack.dpotrf(matrix.T, lower=1, clean=0)
        if info == 0:
            return np.asarray(factor)
        matrix[np.diag_indices_from(matrix)] = diagonal + extra * float(diagonal.max())
    # Not a number somewhere: no step will be taken.
    return np.asarray(factor)


def _solved(factor: Float64, rhs: Float64) -> Float64:
    """Return the inverse times rhs (order, columns)."""
    if rhs.size == 0:
        return rhs
    return np.asarray(lapack.dpotrs(factor, rhs, lower=1)[0])


def _fix_shift(matrix: Float64, outputs: int, columns: slice) -> None:
    """Add curvature along a constant for all outputs, (outputs, m, outputs, m) as one matrix, in place.

    No loss changes along it and no gradient points there: any curvature will do.
    """
    size = matrix.shape[0] // outputs
    blocks = matrix.reshape(outputs, size, outputs, size)
    places = np.arange(size)[columns]
    blocks[:, places, :, places] += float(np.trace(matrix)) / max(matrix.shape[0], 1) / outputs


class DualFactor:
    """(alpha + S K S') and what it leaves of the unpenalised columns.

    From alpha (c + dc) = w r - H d_eta, d_eta = K dc + Z du: with e = pull / alpha, dc = e + S' h and
    (alpha + S K S') h = -S (K e + Z du). Nothing is divided by H.
    """

    def __init__(self, kernel: Float64, Z: Float64, blocks: list[Block], alpha: float) -> None:
        self.kernel, self.Z, self.blocks, self.alpha = kernel, Z, blocks, alpha
        self.parts: list[tuple[Float64, Float64, Float64, Float64]] = []
        for k, block in enumerate(blocks):
            same = k > 0 and block is blocks[k - 1]
            self.parts.append(self.parts[-1] if same else self._part(block))

    def _part(self, block: Block) -> tuple[Float64, Float64, Float64, Float64]:
        """Return a block's Cholesky factor, A = S (I x Z), the inverse times it, and the factor for u."""
        matrix = block.of_kernel(self.kernel)
        matrix[np.diag_indices_from(matrix)] += self.alpha
        inner = _cholesky(matrix)
        o, z = block.outputs, self.Z.shape[1]
        columns = np.zeros((o, self.Z.shape[0], o, z))
        for c in range(o):
            columns[c, :, c] = self.Z
        A = block.apply(columns.reshape(o, self.Z.shape[0], o * z))
        BA = _solved(inner, A)
        outer = A.T @ BA
        if block.is_shift_free:
            _fix_shift(outer, o, slice(None))
        outer[np.diag_indices_from(outer)] += FLOOR / self.alpha
        return inner, A, BA, _cholesky(outer) if z else outer

    def direction(self, pull: Float64, balance: Float64) -> tuple[Float64, Float64]:
        """Return the Newton step; see Factor."""
        e = pull / self.alpha
        dc, du = e, np.zeros_like(balance)
        image = e @ self.kernel
        start = 0
        for block, (inner, A, BA, outer) in zip(self.blocks, self.parts, strict=True):
            own = slice(start, start + block.outputs)
            h = _solved(inner, block.apply(image[own, :, None]))
            if balance.shape[1]:
                left = balance[own].reshape(-1, 1) / self.alpha - A.T @ h
                move = _solved(outer, left)
                h = h + BA @ move
                du[own] = move.reshape(block.outputs, -1)
            dc[own] -= block.apply_back(h)[:, :, 0]
            start = own.stop
        return dc, du


class Dual:
    """Coordinates c with b = L2^-1 X~' c: n per output, the metric is K."""

    def __init__(self, kernel: Float64, Z: Float64) -> None:
        self.kernel, self.Z, self.m = kernel, Z, kernel.shape[0]

    def image(self, c: Float64) -> tuple[Float64, Float64]:
        """Return K c twice; see Coordinates."""
        image = c @ self.kernel
        return image, image

    def gather(self, v: Float64) -> Float64:
        """Return w r itself; see Coordinates."""
        return v

    def factor(self, blocks: list[Block], alpha: float) -> Factor:
        """Factor the second derivative; see Coordinates."""
        return DualFactor(self.kernel, self.Z, blocks, alpha)


class PrimalFactor:
    """T' H T + alpha on the penalised ones of the columns T = [Phi, Z]."""

    def __init__(self, columns: Float64, m: int, blocks: list[Block], alpha: float) -> None:
        self.m, self.blocks = m, blocks
        self.parts: list[Float64] = []
        for k, block in enumerate(blocks):
            if k > 0 and block is blocks[k - 1]:
                self.parts.append(self.parts[-1])
                continue
            matrix = block.of_columns(columns)
            if block.is_shift_free:
                _fix_shift(matrix, block.outputs, slice(m, None))
            added = np.full((block.outputs, columns.shape[1]), FLOOR)
            added[:, :m] = alpha
            matrix[np.diag_indices_from(matrix)] += added.ravel()
            self.parts.append(_cholesky(matrix))

    def direction(self, pull: Float64, balance: Float64) -> tuple[Float64, Float64]:
        """Return the Newton step; see Factor."""
        both = np.concatenate([pull, balance], axis=1)
        start = 0
        for block, factor in zip(self.blocks, self.parts, strict=True):
            own = slice(start, start + block.outputs)
            both[own] = _solved(factor, both[own].reshape(-1, 1)).reshape(block.outputs, -1)
            start = own.stop
        return both[:, : self.m], both[:, self.m :]


class Primal:
    """Coordinates c = L2^1/2 b: one per penalised column and output."""

    def __init__(self, columns: Float64, m: int) -> None:
        # T = [Phi, Z], shape (n, m + z).
        self.columns, self.m = columns, m
        self.Phi, self.Z = columns[:, :m], columns[:, m:]

    def image(self, c: Float64) -> tuple[Float64, Float64]:
        """Return Phi c and c; see Coordinates."""
        return c @ self.Phi.T, c

    def gather(self, v: Float64) -> Float64:
        """Return Phi' w r; see Coordinates."""
        return v @ self.Phi

    def factor(self, blocks: list[Block], alpha: float) -> Factor:
        """Factor the second derivative; see Coordinates."""
        return PrimalFactor(self.columns, self.m, blocks, alpha)


def _for_ever() -> bool:
    return True


class Newton:
    """Solutions for one alpha after the other, each from an extrapolation of the last ones.

    A factor serves until steps with it shrink the error too little. ``evaluations`` counts values of the
    loss, ``factors`` factorisations. With ``proves_balance`` the sums Z' w r must vanish themselves, but for
    ``noise``; else another method settles what is unpenalised.
    """

    def __init__(
        self, space: Coordinates, loss: Loss, u: Float64, *, proves_balance: bool, noise: float = 0.0
    ) -> None:
        self.space, self.proves_balance, self.noise = space, proves_balance, noise
        # Without intercepts of its own: those are in Z.
        self.loss = loss._replace(traits=np.array([loss.traits[losses.KIND], 0]))
        self.is_poisson = int(loss.traits[losses.KIND]) == losses.POISSON
        self.is_cox = int(loss.traits[losses.KIND]) == losses.COX
        self.at = allocate_curvature(loss)
        self.none = np.zeros(loss.y.shape[0])
        self.evaluations = self.factors = 0
        self.factor: Factor | None = None
        # The alpha that the factor belongs to, and whether it was formed where the next step begins.
        self.factored_at, self.is_fresh = 0.0, False
        self.past: list[tuple[float, Point]] = []
        c = np.zeros((loss.y.shape[0], space.m))
        self.last = self.evaluated(c, u, *space.image(c))

    def fit_unpenalised(self, goal: float) -> None:
        """Begin where u alone fits best."""
        alone = Newton(Primal(self.space.Z, 0), self.loss, self.last.u, proves_balance=True, noise=self.noise)
        point, _ = alone.improve(alone.last, 1.0, goal, MOST_STEPS)
        if point is not None:
            self.last = self.evaluated(self.last.c, point.u, *self.space.image(self.last.c))

    def value(self, eta: Float64) -> tuple[float, Float64]:
        """Return the loss and w r at eta; the curvature there is left in self.at."""
        self.evaluations += 1
        r = np.zeros_like(eta)
        if not np.isfinite(eta).all() or (self.is_poisson and float(eta.max()) > LARGEST_EXPONENT):
            return np.inf, r
        if self.is_cox and float(np.ptp(eta[:, self.loss.w > 0.0])) > WIDEST:
            return np.inf, r
        fit = float(losses.fit_null(self.loss, self.at, eta, self.none, r, self.none))
        r *= self.loss.w
        return fit, r

    def evaluated(self, c: Float64, u: Float64, image: Float64, metric: Float64) -> Point:
        """Return the point at c and u, image and metric belonging to c."""
        eta = np.ascontiguousarray(self.loss.offset + image + u @ self.space.Z.T)
        fit, v = self.value(eta)
        return Point(c, u, metric, eta, v, fit)

    def solve(
        self, alpha: float, allowed_gap: float, max_steps: int, keep_going: KeepGoing = _for_ever
    ) -> tuple[Point | None, int]:
        """Return the solution at alpha and the number of steps taken; none where patience ended before."""
        goal, most = LAST_SHARE * allowed_gap, min(max_steps, MOST_STEPS)
        point, steps = self.improve(self._start(alpha), alpha, goal, most, keep_going)
        if point is None:
            return point, steps
        self.last = point
        if not self.past or self.past[-1][0] != np.log(alpha):
            self.past = [*self.past[1 - REMEMBERED :], (float(np.log(alpha)), point)]
        return point, steps

    def improve(
        self, point: Point, alpha: float, goal: float, max_steps: int, keep_going: KeepGoing = _for_ever
    ) -> tuple[Point | None, int]:
        """Return the point after steps to where one more is predicted to gain less than the goal."""
        before, idle = np.inf, 0
        for step in range(max_steps):
            if step > 0 and not keep_going():
                return None, step
            way = self._way(point, alpha)
            if not way.gain < SLOW * before and not self.is_fresh:
                self.factor = None
                way = self._way(point, alpha)
            is_last = way.gain <= goal and self._is_balanced(point)
            is_still = self.is_fresh and way.gain <= ROUNDING * (point.fit + alpha * point.ridge)
            idle = idle + 1 if is_still and not way.gain < 0.5 * before else 0
            point, share = self._walk(point, way, alpha)
            self.is_fresh = False
            if is_last or idle >= IDLE_STEPS or share == 0.0:
                return point, step + 1
            before = way.gain if share == 1.0 else np.inf
            if share < 1.0:
                self.factor = None
        return point, max_steps

    def correct(self, c: Float64, u: Float64, eta: Float64, alpha: float) -> tuple[Float64, Float64]:
        """Return c and u after one Newton step from a predictor that was formed by X itself."""
        fit, v = self.value(eta)
        point = Point(c, u, self.space.image(c)[1], eta, v, fit)
        self.factor = None
        way = self._way(point, alpha)
        return c + way.dc, u + way.du

    def _way(self, point: Point, alpha: float) -> Way:
        """Return the step from the point, by the factor there is or a new one."""
        if self.factor is None or not 1.0 / STALE < alpha / self.factored_at < STALE:
            # The curvature left behind may belong to a step that was not taken.
            self.value(point.eta)
            self.factor = self.space.factor(curvature_blocks(self.loss, self.at, point.eta), alpha)
            self.factored_at, self.is_fresh = alpha, True
            self.factors += 1
        pull = self.space.gather(point.v) - alpha * point.c
        balance = point.v @ self.space.Z
        dc, du = self.factor.direction(pull, balance)
        image, metric = self.space.image(dc)
        gain = float(np.vdot(pull, metric) + np.vdot(balance, du))
        return Way(dc, du, image + du @ self.space.Z.T, metric, gain)

    def _is_balanced(self, point: Point) -> bool:
        """Tell whether the unpenalised columns' equations hold as closely as their proof asks for."""
        if not self.proves_balance:
            return True
        w = self.loss.w
        square = np.divide(point.v**2, w, out=np.zeros_like(point.v), where=w > 0.0)
        largest = np.abs(point.v @ self.space.Z).max(initial=0.0)
        return bool(largest <= BALANCED * square.sum() ** 0.5 + self.noise)

    def _walk(self, point: Point, way: Way, alpha: float) -> tuple[Point, float]:
        """Return the point after a step that lowers the objective, and the share of the way it took."""
        first = alpha * float(np.vdot(way.dc, point.metric))
        second = alpha * float(np.vdot(way.dc, way.metric))
        slack = RISE * (point.fit + alpha * point.ridge)
        found, low, high, share = point, 0.0, np.inf, 1.0
        for _ in range(MOST_TRIALS):
            eta = point.eta + share * way.image
            fit, v = self.value(eta)
            rise = fit - point.fit + share * (first + 0.5 * share * second)
            slope = first + share * second - float(np.vdot(v, way.image))
            # The objective is convex: it has fallen all the way to a point where it still falls.
            if fit < np.inf and (slope <= 0.0 or rise <= slack - ARMIJO * share * way.gain):
                c, u = point.c + share * way.dc, point.u + share * way.du
                found, low = Point(c, u, point.metric + share * way.metric, eta, v, fit), share
                if share == 1.0 or slope >= -STEEP * way.gain:
                    break
            else:
                high = share
            if high <= NARROW * low:
                break
            if low > 0.0:
                share = (low * high) ** 0.5
            else:
                # Where the slope would vanish if it were linear.
                secant = way.gain / (way.gain + slope) if fit < np.inf else 0.0
                share *= min(max(secant, SHORTEST), SHORTER)
        return found, low

    def _start(self, alpha: float) -> Point:
        """Return the better of the last solution and what the last ones extrapolate to."""
        last = self.last
        # What steps have added up is computed afresh once per alpha.
        start = self.evaluated(last.c, last.u, *self.space.image(last.c))
        guess = self._extrapolated(float(np.log(alpha)))
        if guess is None or not guess.fit + 0.5 * alpha * guess.ridge < start.fit + 0.5 * alpha * start.ridge:
            return start
        return guess

    def _extrapolated(self, place: float) -> Point | None:
        """Return the polynomial in log alpha through the last solutions at another place."""
        places = [where for where, _ in self.past]
        if len(places) < 2 or abs(place - places[-1]) > FARTHEST * abs(places[-1] - places[-2]):
            return None
        shares = [
            float(np.prod([(place - there) / (here - there) for there in places if there != here]))
            for here in places
        ]
        c, u = (
            sum(share * array for share, array in zip(shares, arrays, strict=True))
            for arrays in zip(*((point.c, point.u) for _, point in self.past), strict=True)
        )
        return self.evaluated(c, u, *self.space.image(c))
