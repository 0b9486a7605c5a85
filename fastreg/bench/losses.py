"""The losses as the harness sees them: plain NumPy, nothing of the solver.

Least squares aside, every loss here is a divergence of known shares Y from the means M that a linear
predictor gives,

    f(eta) = 1/n sum_t omega_t sum_i KL(Y_ti || M_ti),    KL(a || b) = a log(a / b) - a + b,

so that the perfect fit has f = 0. Rows t of the two tables are observations (binomial: two columns that sum
to one, multinomial: a column per class, poisson: one column) or, for cox, event times, with a column per
observation, a share on those that have their event and a mean on those at risk (Breslow's ties, omega_t
events). M is exp(eta), divided by its sum along the row where shares are proportions.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp, xlogy

from fastreg._typing import Float64

__all__ = ["FAMILIES", "Loss", "make_loss"]

FAMILIES: tuple[str, ...] = ("gaussian", "binomial", "multinomial", "poisson", "cox")
# Newton on the intercepts ends here at the latest; from a fit of any solver it takes fewer than ten steps.
NEWTON_STEPS = 100
# Steps below this leave linear predictors near one as they are.
LEAST_STEP = 1e-16
# Below this relative change log1p is taken of it; above, a difference of logarithms loses nothing.
SMALL = 0.5


class Loss(ABC):
    """A loss f of linear predictors eta (n, outputs), per observation.

    Attributes
    ----------
    n : int
        Observations.
    outputs : int
        Linear predictors.
    has_intercept : bool
        Whether every output has an intercept, which is not penalised.
    """

    n: int
    outputs: int
    has_intercept: bool

    @abstractmethod
    def value(self, eta: Float64) -> float:
        """Return f."""

    @abstractmethod
    def residuals(self, eta: Float64) -> Float64:
        """Return minus n times the gradient of f, (n, outputs)."""

    @abstractmethod
    def bregman(self, eta: Float64, D: Float64) -> float:
        """Return f(eta - D) - f(eta) - <residuals(eta), D> / n; rounding is relative to D, not to f."""

    @abstractmethod
    def duality(self, eta: Float64, scale: float) -> float:
        """Return f(eta) + f*(-theta) + <theta, eta> for theta = scale * residuals(eta) / n."""

    @abstractmethod
    def best_scale(self, residuals: Float64, largest: float, ridge: float) -> float:
        """Return the best scale up to the largest feasible one; ridge is l2 ||b||^2."""

    @abstractmethod
    def centred(self, eta: Float64) -> Float64:
        """Return eta with the intercepts that are best for it, if there are any."""


class Squares(Loss):
    """f = ||y - eta||^2 / (2 n), without an intercept."""

    outputs, has_intercept = 1, False

    def __init__(self, y: Float64) -> None:
        self.n, self.y = len(y), y

    def value(self, eta: Float64) -> float:
        """Return f."""
        r = self.y - eta[:, 0]
        return float(r @ r) / (2 * self.n)

    def residuals(self, eta: Float64) -> Float64:
        """Return y - eta."""
        return np.asarray(self.y[:, None] - eta)

    def bregman(self, eta: Float64, D: Float64) -> float:
        """Return ||D||^2 / (2 n)."""
        return float(D[:, 0] @ D[:, 0]) / (2 * self.n)

    def duality(self, eta: Float64, scale: float) -> float:
        """Return (1 - scale)^2 ||r||^2 / (2 n)."""
        r = self.y - eta[:, 0]
        return 0.5 * (1.0 - scale) ** 2 * float(r @ r) / self.n

    def best_scale(self, residuals: Float64, largest: float, ridge: float) -> float:
        """Return the scale in closed form: the dual is a parabola in it."""
        r = residuals[:, 0]
        square = float(r @ r) / self.n + ridge
        return min(largest, float(self.y @ r) / self.n / square) if square > 0.0 else 1.0

    def centred(self, eta: Float64) -> Float64:
        """Return eta."""
        return eta


class Shares(Loss):
    """The divergence of the module's formula.

    Parameters
    ----------
    targets : (T, m) ndarray
        Y.
    places : (T, m) ndarray of int
        Where eta.ravel() holds the linear predictor of each cell; -1 for 0 and -2 for minus infinity.
    shape : tuple of int
        (n, outputs).
    weights : (T,) ndarray, optional
        omega; one by default.
    is_proportion : bool
        Whether means are divided by their sum along the row.
    has_intercept : bool
        Whether every output has an intercept.
    """

    def __init__(
        self,
        targets: Float64,
        places: NDArray[np.intp],
        shape: tuple[int, int],
        *,
        weights: Float64 | None = None,
        is_proportion: bool = True,
        has_intercept: bool = True,
    ) -> None:
        self.n, self.outputs = shape
        self.targets, self.places = targets, places
        self.weights = np.ones(len(targets)) if weights is None else weights
        self.is_proportion, self.has_intercept = is_proportion, has_intercept

    def _spread(self, values: Float64, off: float = 0.0) -> Float64:
        """Return the table whose cells are filled from values (n, outputs)."""
        return np.asarray(np.concatenate([values.ravel(), [off, 0.0]])[self.places])

    def _gather(self, table: Float64) -> Float64:
        """Return sums over the cells that are filled from the same place: the transpose of `_spread`."""
        size = self.n * self.outputs
        totals = np.bincount((self.places % (size + 2)).ravel(), table.ravel(), minlength=size)
        return np.asarray(totals[:size].reshape(self.n, self.outputs))

    def _log_means(self, eta: Float64) -> Float64:
        table = self._spread(eta, off=-math.inf)
        return table - logsumexp(table, axis=1, keepdims=True) if self.is_proportion else table

    def _mean(self, rows: Float64) -> float:
        return math.fsum(self.weights * rows) / self.n

    def value(self, eta: Float64) -> float:
        """Return f."""
        return self._mean(divergence(self.targets, self._log_means(eta)).sum(axis=1))

    def residuals(self, eta: Float64) -> Float64:
        """Return Y - M, gathered."""
        difference = self.targets - np.exp(self._log_means(eta))
        return self._gather(self.weights[:, None] * difference)

    def bregman(self, eta: Float64, D: Float64) -> float:
        """Return sum KL(M || M') with the means M' of eta - D: log1p of what is small where D is."""
        means, step = np.exp(self._log_means(eta)), self._spread(D)
        if self.is_proportion:
            step = step - (means * step).sum(axis=1, keepdims=True)
        rows = (means * (np.expm1(-step) + step)).sum(axis=1)
        return self._mean(np.log1p(rows) if self.is_proportion else rows)

    def duality(self, eta: Float64, scale: float) -> float:
        """Return sum KL(Q || M) with Q = scale M + (1 - scale) Y."""
        log_means = self._log_means(eta)
        means = np.exp(log_means)
        shift = (1.0 - scale) * (self.targets - means)
        return self._mean(shifted_divergence(means, log_means, shift).sum(axis=1))

    def best_scale(self, residuals: Float64, largest: float, ridge: float) -> float:
        """Return the largest scale that is feasible and gives shares."""
        return min(largest, 1.0)

    def centred(self, eta: Float64) -> Float64:
        """Return eta with the best intercepts, by Newton with halved steps."""
        if not self.has_intercept:
            return eta
        total = self.residuals(eta).sum(axis=0)
        for _ in range(NEWTON_STEPS):
            # Least squares: the curvature of several classes is singular along their common constant.
            step = np.linalg.lstsq(self._curvature(eta), total, rcond=None)[0]
            # Fits so extreme that no observation is left in doubt have no curvature.
            step = np.clip(step, -1.0, 1.0)
            while np.abs(step).max() > LEAST_STEP:
                moved = eta + step
                left = self.residuals(moved).sum(axis=0)
                if np.abs(left).max() < np.abs(total).max():
                    break
                step = 0.5 * step
            else:
                break
            eta, total = moved, left
        return eta

    def _curvature(self, eta: Float64) -> Float64:
        """Return the second derivatives of n f in the intercepts, (outputs, outputs)."""
        means = np.exp(self._log_means(eta))
        units = np.repeat(np.eye(self.outputs)[:, None, :], self.n, axis=1)
        sides = [self._spread(unit) for unit in units]
        H = np.array([[(means * a * b).sum() for b in sides] for a in sides])
        if self.is_proportion:
            rows = np.array([(means * side).sum(axis=1) for side in sides])
            H -= rows @ rows.T
        return H


def divergence(targets: Float64, log_means: Float64) -> Float64:
    """Return KL(Y || M) cell by cell.

    Parameters
    ----------
    targets : ndarray
        Y, not negative.
    log_means : ndarray
        log M; minus infinity only where Y is zero.

    Returns
    -------
    ndarray
        Not negative.

    Examples
    --------
    >>> divergence(np.array([0.0, 2.0]), np.array([0.0, np.log(2.0)]))
    array([1., 0.])
    """
    logs = np.where(targets > 0.0, log_means, 0.0)
    return np.asarray(xlogy(targets, targets) - targets * logs - targets + np.exp(log_means))


def shifted_divergence(means: Float64, log_means: Float64, shift: Float64) -> Float64:
    """Return KL(M + shift || M) cell by cell, to an error relative to itself where the shift is small.

    Parameters
    ----------
    means, log_means : ndarray
        M and its logarithm.
    shift : ndarray
        At least -M.

    Returns
    -------
    ndarray
        Not negative but for rounding.

    Examples
    --------
    >>> bool(shifted_divergence(np.ones(1), np.zeros(1), np.array([1e-9]))[0] > 4.9e-19)
    True
    """
    shares = np.maximum(means + shift, 0.0)
    is_small = np.abs(shift) < SMALL * means
    ratio = np.divide(shift, means, out=np.zeros_like(means), where=is_small)
    near = shares * np.log1p(ratio) - shift
    return np.where(is_small, near, divergence(shares, log_means))


def make_loss(family: str, y: Any) -> Loss:
    """Return the loss of a family.

    Parameters
    ----------
    family : str
        One of FAMILIES.
    y : ndarray
        (n,): numbers, 0 and 1, positions of classes, or counts; cox: (n, 2), time and 1 for an event.

    Returns
    -------
    Loss
        Value, gradient and gap.

    Raises
    ------
    ValueError
        If the family is none of them.

    Examples
    --------
    >>> loss = make_loss("binomial", np.array([0.0, 1.0]))
    >>> bool(np.isclose(loss.value(np.zeros((2, 1))), np.log(2.0)))
    True
    """
    if family == "gaussian":
        return Squares(y)
    n = len(y)
    rows = np.arange(n)
    if family == "binomial":
        places = np.column_stack([np.full(n, -1), rows])
        return Shares(np.column_stack([1.0 - y, y]), places, (n, 1))
    if family == "multinomial":
        classes = int(y.max()) + 1
        places = np.arange(n * classes).reshape(n, classes)
        return Shares(np.eye(classes)[y.astype(np.intp)], places, (n, classes))
    if family == "poisson":
        return Shares(y[:, None], rows[:, None], (n, 1), is_proportion=False)
    if family == "cox":
        return _cox(y[:, 0], y[:, 1] > 0.0)
    raise ValueError(f"family must be one of {', '.join(FAMILIES)}, got {family!r}")


def _cox(time: Float64, is_event: NDArray[np.bool_]) -> Shares:
    """Return the loss of right-censored times; a row censored at the time of an event is at risk."""
    n = len(time)
    moments = np.unique(time[is_event])[:, None]
    events = (moments == time) & is_event
    counts = events.sum(axis=1)
    places = np.where(time >= moments, np.arange(n), -2)
    shares = events / counts[:, None]
    return Shares(shares, places, (n, 1), weights=counts.astype(np.float64), has_intercept=False)
