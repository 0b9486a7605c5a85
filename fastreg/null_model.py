"""The loss a target is fitted with, and the fit of its intercepts alone: where every path begins."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ._typing import Float64, Index
from .families import Target
from .kernels import losses
from .kernels.losses import Curvature, Loss

# Pseudo-residuals of so many rounding errors of the response are none.
PERFECT_ULPS = 32

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
    ``curvature`` the second derivative beside it, ``value`` the objective.
    """

    target: Target
    loss: Loss
    intercept: Float64
    residual: Float64
    sums: Float64
    curvature: Curvature
    value: float

    @property
    def outputs(self) -> int:
        """Number of linear predictors."""
        return self.target.outputs


def make_loss(target: Target) -> Loss:
    """Return the target as kernels see it."""
    shape = (target.outputs, -1)
    risk = target.risk
    nothing: Index = np.zeros(1, np.int64)
    none = np.zeros(1)
    return Loss(
        traits=np.array([KINDS[target.family], int(target.fit_intercept)]),
        y=np.ascontiguousarray(target.y.reshape(shape)),
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
    loss = make_loss(target)
    intercept = np.zeros(target.outputs)
    if target.fit_intercept:
        intercept = _first_intercepts(loss)
    eta = loss.offset + intercept[:, None]
    residual = np.zeros_like(eta)
    sums = np.zeros(target.outputs)
    curvature = allocate_curvature(loss)
    value = losses.fit_null(loss, curvature, eta, intercept, residual, sums)
    if np.abs(residual).max() <= PERFECT_ULPS * np.finfo(np.float64).eps * max(1.0, np.abs(loss.y).max()):
        # Nothing but rounding is left to fit.
        residual[:] = sums[:] = value = 0.0
    return NullModel(target, loss, intercept, residual, sums, curvature, max(float(value), 0.0))


def _first_intercepts(loss: Loss) -> Float64:
    """Return intercepts from which Newton's method has not far to go."""
    w = loss.w
    kind = int(loss.traits[losses.KIND])
    if kind == losses.POISSON:
        # The answer itself, without overflow.
        top = float(loss.offset.max())
        return np.array([np.log((w @ loss.y[0]) / (w @ np.exp(loss.offset[0] - top))) - top])
    if kind in (losses.GAUSSIAN, losses.HUBER):
        return np.median(loss.y - loss.offset, axis=1)
    if kind == losses.MULTINOMIAL:
        shares = np.log(np.maximum(loss.y @ w, 1e-300))
        return np.asarray(shares - shares.mean() - loss.offset @ w)
    if kind == losses.LOGISTIC:
        # Sums, not products: BLAS would wake its threads for them.
        share = float((loss.y[0] * w).sum())
        return np.array([np.log(share) - np.log1p(-share) - (loss.offset[0] * w).sum()])
    return np.array([-float(np.median(loss.offset))])
