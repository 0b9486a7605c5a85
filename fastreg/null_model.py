"""The loss a target is fitted with, and the fit of its intercepts alone: where every path begins."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ._sums import inner
from ._typing import Float64, Index
from .families import Target
from .kernels import losses
from .kernels.losses import Curvature, Loss

# Pseudo-residuals of so many rounding errors of the response are none.
PERFECT_ULPS = 32
# Newton steps to first intercepts under offsets, the shortest share of one, and of the fall it promises.
BALANCING_STEPS, SHORTEST_STEP, ARMIJO = 100, 1e-9, 1e-4

KINDS = {
    "gaussian": losses.GAUSSIAN,
    "mgaussian": losses.GAUSSIAN,
    "binomial": losses.LOGISTIC,
    "multinomial": losses.MULTINOMIAL,
    "poisson": losses.POISSON,
    "squared_hinge": losses.SQUARED_HINGE,
    "huber": losses.HUBER,
    "cox": losses.COX,
}


@dataclass(frozen=True, eq=False)
class NullModel:
    """The model without features: intercepts and offsets only.

    ``residual`` (outputs, n) is the pseudo-residual per unit weight, ``sums`` (outputs,) its weighted sums,
    ``curvature`` the second derivative beside it, ``value`` the objective. ``centre`` is what the loss's
    response lies below the target's: intercepts are relative to it.
    """

    target: Target
    loss: Loss
    intercept: Float64
    residual: Float64
    sums: Float64
    curvature: Curvature
    value: float
    centre: float = 0.0

    @property
    def outputs(self) -> int:
        """Number of linear predictors."""
        return self.target.outputs


def make_loss(target: Target, centre: float = 0.0) -> Loss:
    """Return the target as kernels see it, with its response about a centre."""
    shape = (target.outputs, -1)
    risk = target.risk
    nothing: Index = np.zeros(1, np.int64)
    none = np.zeros(1)
    return Loss(
        traits=np.array([KINDS[target.family], int(target.fit_intercept)]),
        y=target.y.reshape(shape) - centre,
        offset=np.ascontiguousarray(target.offset.reshape(shape)),
        w=target.w,
        scale=np.array([target.delta]),
        enter=risk.enter if risk is not None else nothing,
        leave=risk.leave if risk is not None else nothing,
        group=risk.group if risk is not None else nothing,
        first_term=risk.first_term if risk is not None else nothing,
        restart=risk.restart if risk is not None else nothing,
        term_weight=risk.weight if risk is not None else none,
        term_fraction=risk.fraction if risk is not None else none,
    )


def allocate_curvature(loss: Loss) -> Curvature:
    """Return room for a loss's second derivative."""
    outputs, n = loss.y.shape
    groups = loss.restart.shape[0]
    of_rows = ("mass", "odds", "inverse", "early")
    vectors = {name: np.zeros(groups) for name in Curvature._fields if name not in of_rows}
    return Curvature(
        mass=np.zeros((outputs, n)),
        odds=np.zeros((outputs, n)),
        inverse=np.zeros((outputs, outputs + 1)),
        early=np.zeros(loss.leave.shape[0]),
        **vectors,
    )


def fit_null(target: Target) -> NullModel:
    """Fit the intercepts alone."""
    # An intercept at the level of years or prices would leave its rounding in every residual.
    is_shifted = target.family == "huber" and target.fit_intercept
    centre = float(np.median(target.y - target.offset)) if is_shifted else 0.0
    loss = make_loss(target, centre)
    intercept = np.zeros(target.outputs)
    if target.fit_intercept:
        intercept = _first_intercepts(loss)
    eta = loss.offset + intercept[:, None]
    residual = np.zeros_like(eta)
    sums = np.zeros(target.outputs)
    curvature = allocate_curvature(loss)
    value = losses.fit_null(loss, curvature, eta, intercept, residual, sums)
    if np.abs(residual[:, loss.w > 0.0]).max() <= _rounding(target):
        # Nothing but rounding is left to fit.
        residual[:] = sums[:] = value = 0.0
    return NullModel(target, loss, intercept, residual, sums, curvature, max(float(value), 0.0), centre)


def _rounding(target: Target) -> float:
    """Return what rounding may leave of a pseudo-residual that is zero, in rows that weigh something."""
    there = np.tile(target.w > 0.0, target.outputs)
    size = np.abs(target.y[there]).max()
    if target.family in ("huber", "mgaussian"):
        size = max(size, np.abs(target.offset[there]).max())
    return float(PERFECT_ULPS * np.finfo(np.float64).eps * size)


def _first_intercepts(loss: Loss) -> Float64:
    """Return intercepts from which Newton's method has not far to go."""
    w = loss.w
    kind = int(loss.traits[losses.KIND])
    if kind == losses.POISSON:
        # The answer itself, without overflow.
        top = float(loss.offset.max())
        return np.array([np.log(inner(w, loss.y[0]) / inner(w, np.exp(loss.offset[0] - top))) - top])
    if kind in (losses.GAUSSIAN, losses.HUBER):
        return np.median(loss.y - loss.offset, axis=1)
    if kind == losses.MULTINOMIAL:
        shares = np.log(np.maximum(inner(loss.y, w), 1e-300))
        first = np.asarray(shares - shares.mean() - inner(loss.offset, w))
        return _balance(loss, first) if loss.offset.any() else first
    if kind == losses.LOGISTIC:
        share = float(inner(loss.y[0], w))
        return np.array([np.log(share) - np.log1p(-share) - inner(loss.offset[0], w)])
    return np.array([-float(np.median(loss.offset))])


def _balance(loss: Loss, intercept: Float64) -> Float64:
    """Return the intercepts of a softmax under offsets, nearly: Newton's method with steps that go downhill.

    Where offsets differ by more than the curvature reaches, whole steps may go round in circles.
    """

    def look(at: Float64) -> tuple[float, Float64]:
        eta = loss.offset + at[:, None]
        eta = eta - eta.max(axis=0)
        mass = np.exp(eta)
        total = mass.sum(axis=0)
        return float(((np.log(total) - (loss.y * eta).sum(axis=0)) * loss.w).sum()), mass / total

    value, shares = look(intercept)
    for _ in range(BALANCING_STEPS):
        pull = ((loss.y - shares) * loss.w).sum(axis=1)
        weighted = shares * loss.w
        hessian = np.diag(weighted.sum(axis=1)) - weighted @ shares.T
        # One constant for all classes changes no probability: any curvature along it will do.
        hessian += (np.trace(hessian) + losses.FLOOR) / pull.size**2
        move = np.linalg.lstsq(hessian, pull, rcond=None)[0]
        fall, length = float(move @ pull), 1.0
        found = look(intercept + move)
        while length > SHORTEST_STEP and found[0] > value - ARMIJO * length * fall:
            length *= 0.5
            found = look(intercept + length * move)
        if not (length > SHORTEST_STEP and fall > 0.0):
            break
        intercept = intercept + length * move
        value, shares = found
    return intercept
