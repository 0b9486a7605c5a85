"""A few columns of a study, and what predictors on them are worth: what refits and criteria read of X."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from scipy import sparse

from .._predict import product
from .._typing import Float64, Index
from ..families import Target
from ..kernels import losses
from ..null_model import allocate_curvature, make_loss
from ..problem import Response
from ..request import Study
from ..validate import DesignInput

__all__ = ["gathered", "mean_losses", "null_curvature", "part_of", "predictors"]


def gathered(given: DesignInput, features: Index) -> Float64:
    """Return some columns of X as a new float64 array.

    Parameters
    ----------
    given : DesignInput
        X, checked.
    features : (k,) int64
        Columns.

    Returns
    -------
    (n, k) float64, F-ordered
        The columns.
    """
    if given.csc is not None:
        columns = sparse.csc_array(given.csc, shape=(given.n, given.p))
        return np.asarray(columns[:, features].toarray(order="F"), dtype=np.float64)
    assert given.XT is not None
    return given.XT[features].astype(np.float64).T


def part_of(study: Study, features: Index, **changes: Any) -> Study:
    """Return a study of some columns only, with their factors and bounds; they are copied.

    Parameters
    ----------
    study : Study
        The whole.
    features : (k,) int64
        Columns.
    **changes
        Fields of the request to change; penalty factors and bounds are per column of the part.

    Returns
    -------
    Study
        The part, without feature names.
    """
    given, penalty = study.given, study.penalty()
    csc = XT = None
    if given.csc is not None:
        columns = sparse.csc_array(given.csc, shape=(given.n, given.p))[:, features]
        csc = (columns.data, columns.indices, columns.indptr)
    else:
        assert given.XT is not None
        XT = given.XT[features]
        XT.flags.writeable = False
    size = features.size
    own = {
        "penalty_factor": penalty.factor[features],
        "lower_limits": penalty.lower[features],
        "upper_limits": penalty.upper[features],
        "positive": False,
        "coef_init": None,
        "feature_names": None,
    }
    few = DesignInput(XT, csc, given.n, size, None, replace(given.report, shape=(given.n, size)))
    return replace(study, given=few).asking(**(own | changes))


def null_curvature(target: Response | Target) -> float:
    """Return the mean curvature of the loss at the null model without offsets, per unit weight and output.

    1 for squares, m (1 - m) for probabilities m, m for counts, and for Cox the weight of the events.

    Parameters
    ----------
    target : Response or Target
        The response as the loss wants it.

    Returns
    -------
    float
        Curvature, at least 1e-12.
    """
    if not isinstance(target, Target):
        return 1.0
    means = target.y.reshape(target.outputs, -1) @ target.w
    own = {
        "binomial": float(np.mean(means * (1.0 - means))),
        "multinomial": float(np.mean(means * (1.0 - means))),
        "poisson": float(np.mean(means)),
        "cox": float(np.mean(means)),
    }
    return max(own.get(target.family, 1.0), 1e-12)


def predictors(study: Study, coefs: sparse.csc_array, intercepts: Float64) -> Float64:
    """Return linear predictors of the rows that were fitted, without offset.

    Parameters
    ----------
    study : Study
        The data.
    coefs : (outputs * p, K) csc_array
        Coefficients on the scale of X.
    intercepts : (K,) or (outputs, K) float64
        Intercepts.

    Returns
    -------
    (outputs, n, K) float64
        Predictors.
    """
    p = study.given.p
    rows = np.atleast_2d(intercepts)
    return np.stack([product(study.given, coefs[c * p : (c + 1) * p]) + rows[c] for c in range(len(rows))])


def mean_losses(target: Response | Target, eta: Float64) -> Float64:
    """Return the weighted mean of the loss, half a unit deviance, at some predictors.

    Parameters
    ----------
    target : Response or Target
        The response as the loss wants it.
    eta : (outputs, n, K) float64
        Predictors without offset.

    Returns
    -------
    (K,) float64
        First term of the objective, in the user's units.
    """
    if not isinstance(target, Target):
        y = np.ldexp(target.values, target.exponent) + target.centre
        return np.asarray(0.5 * (target.w @ (y[:, None] - eta[0]) ** 2))
    loss = make_loss(target)
    at = allocate_curvature(loss)
    offset = target.offset.reshape(target.outputs, -1)
    found = np.zeros(eta.shape[2])
    for k in range(found.size):
        here = np.ascontiguousarray(eta[:, :, k]) + offset
        found[k] = losses.value_of(loss, at, here, np.zeros_like(here))
    return np.maximum(found, 0.0)
