"""What `certify` asks of a loss and of its dual points, and relative entropy without cancellation."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np

from fastreg._evidence import _ROUNDOFF
from fastreg._typing import Float64

_SERIES = 0.25  # below it (1 + x) ln(1 + x) - x is summed as a series: the formula would cancel
_PLAIN = 1e8  # relative changes up to it have a logarithm of their own
FINEST = 1e-16  # null models start no closer than this to a mean of 0 or 1
ROUNDS = 40  # corrections towards orthogonality, each of which may silence rows
HIDDEN = 1e-8  # corrections above it are made, however little rounding leaves of them
BELOW = 1.0 - 64 * _ROUNDOFF  # below one by what a few operations can add
LONG = np.longdouble


def entropy(x: Float64) -> Float64:
    """Return (1 + x) ln(1 + x) - x >= 0 for small |x|, by the series of artanh z at z = x / (2 + x)."""
    z = x / (2.0 + x)
    square = z * z
    tail = np.zeros_like(z)
    for k in range(11, 0, -1):
        tail = tail * square + 1.0 / (2 * k + 1)
    out: Float64 = 2.0 * square * (1.0 + (1.0 + z) * z * tail) / (1.0 - z)
    return out


def divergence(mu: Float64, log_mu: Float64, d: Float64) -> Float64:
    """Return q ln(q / mu) - q + mu >= 0 for q = mu + d, without cancellation, entry by entry."""
    d = np.maximum(d, -mu)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        x = d / mu
        small = np.abs(x) <= _SERIES
        q = mu + d
        # Where mu underflows its logarithm is still known.
        ratio = np.where(np.abs(x) <= _PLAIN, np.log1p(x), np.log(np.where(q > 0, q, 1.0)) - log_mu)
        far = np.where(q > 0, q * ratio, 0.0) - d
    near = mu * entropy(np.where(small, x, 0.0))
    return np.where(d == 0, 0.0, np.where(small, near, np.maximum(far, 0.0)))


def worst(mu: Float64, log_mu: Float64, d: Float64, slack: Float64) -> Float64:
    """Return the largest divergence for d within slack: convex in d, so that an end of an interval has it."""
    low = divergence(mu, log_mu, d - slack)
    return np.maximum(low, divergence(mu, log_mu, d + slack))


class Point(ABC):
    """A dual point whose multiples c <= 1 are feasible, for one claim."""

    r: Float64  # (n, C) the dual point per unit weight
    defect: Float64  # (C,) weighted distance to a point that is feasible exactly

    @abstractmethod
    def cost(self, c: float) -> float:
        """Return the weighted sum of the Fenchel-Young terms at c times the point."""


class Loss(ABC):
    """What a certificate asks of a loss; eta and residuals have shape (n, outputs)."""

    w: Float64  # (n,)
    outputs: int
    lipschitz: float | None  # of the gradient, per unit weight; None: no global bound
    floor: float  # null objectives up to it are rounding

    @abstractmethod
    def value(self, eta: Float64) -> float:
        """Return the weighted sum of f."""

    @abstractmethod
    def residual(self, eta: Float64) -> Float64:
        """Return minus the derivative per unit weight."""

    @abstractmethod
    def gram(self, eta: Float64, F: Float64) -> Float64:
        """Return the second derivative along columns F (times the root of the weights), (C m, C m)."""

    @abstractmethod
    def start(self, offset: Float64) -> Float64:
        """Return intercepts near those of the null model, shape (C,)."""

    @abstractmethod
    def noise(self, eta: Float64) -> Float64:
        """Return the change of eta, (n, C), that explains the rounding of what is computed from it."""

    @abstractmethod
    def wobble(self, eta: Float64, e: Float64) -> Float64:
        """Return a bound of the error of `residual` if eta is wrong by at most e."""

    @abstractmethod
    def bend(self, eta: Float64, e: Float64) -> float:
        """Return a bound of e'He for the second derivative H anywhere within e of eta."""

    def mass(self, eta: Float64) -> Float64:
        """Return weights m (n,) with x'Hx <= sum m (x - a)^2 for columns x, where there is no `lipschitz`."""
        raise TypeError(f"{type(self).__name__} has a global bound of its curvature")

    @abstractmethod
    def point(self, eta: Float64, other: Float64, bases: list[Float64]) -> Point | None:
        """Return the dual point at `other`, orthogonal to one basis per output, None if there is none."""
