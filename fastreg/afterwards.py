"""What only the rows that were fitted can tell of a result: baseline hazards and separated classes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ._predict import product
from ._typing import Float64
from .families import Target, baseline_hazard
from .result import PathResult
from .validate import DesignInput


def with_rows_seen(result: PathResult, given: DesignInput, target: Target) -> PathResult:
    """Return the result with what the fitted rows add to it."""
    if target.risk is not None:
        eta = product(given, result.coefs_sparse) + target.offset[:, None]
        return replace(result, baseline=baseline_hazard(target, eta))
    has_classes = target.family in ("binomial", "multinomial")
    if not (has_classes and result.alphas.size and _is_separated(result, given, target)):
        return result
    where = f"the classes are separated at alpha={result.alphas[-1]:.3g}"
    return replace(result, status_note=f"{where}: without a penalty coefficients would have no bound")


def _is_separated(result: PathResult, given: DesignInput, target: Target) -> bool:
    """Tell whether every row of some weight has its own class as the likeliest one at the smallest alpha."""
    response = target.y.reshape(target.outputs, -1)
    if not np.isin(response, (0.0, 1.0)).all():
        return False
    last = result.coefs_sparse[:, [-1]]
    p = result.n_features
    intercepts = np.atleast_2d(result.intercepts)[:, -1]
    outputs = range(target.outputs)
    eta = np.stack([product(given, last[c * p : (c + 1) * p])[:, 0] + intercepts[c] for c in outputs])
    return bool((_margins(eta + target.offset.reshape(eta.shape), response)[target.w > 0.0] > 0.0).all())


def _margins(eta: Float64, response: Float64) -> Float64:
    """Return by how much each row's own class is ahead, (n,)."""
    if len(eta) == 1:
        return np.asarray((2.0 * response[0] - 1.0) * eta[0])
    own = np.sum(eta * response, axis=0)
    return np.asarray(own - np.where(response == 1.0, -np.inf, eta).max(axis=0))
