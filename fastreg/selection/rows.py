"""Some rows of the one X in memory: the weights that leave out all others, and a path evaluated there."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse

from .._predict import BLOCK
from .._typing import Float64, Index
from ..kernels.trail import Shown
from ..validate import DesignInput

__all__ = ["predictors_of", "weights_on"]


def weights_on(weights: Float64, rows: Index) -> Float64:
    """Return the weights of some rows and zero for all others, (n,)."""
    kept = np.zeros_like(weights)
    kept[rows] = weights[rows]
    return kept


def predictors_of(given: DesignInput, path: Shown, rows: Index) -> Float64:
    """Compute the linear predictors of some rows at every alpha, offsets left out.

    Only the columns that ever have a coefficient are read, and only at these rows.

    Parameters
    ----------
    given : DesignInput
        X, checked.
    path : Shown
        Coefficients and intercepts of a path on these columns.
    rows : (m,) int64
        Rows of X, sorted.

    Returns
    -------
    (m, outputs, K) float64
        Intercepts plus X @ coefs.
    """
    p, (outputs, K) = given.p, path.intercept.shape
    feature, column = path.feature, np.repeat(np.arange(K), np.diff(path.ends))
    if outputs > 1:
        output, feature = np.divmod(feature, p)
        column += output * K
    place = np.zeros(p, dtype=np.int32)
    place[feature] = 1
    used = place.nonzero()[0]
    place[used] = np.arange(used.size)
    dense = np.zeros((used.size, outputs * K))
    dense[place[feature], column] = path.value
    eta = _times(given, used, rows, dense).reshape(len(rows), outputs, K)
    eta += path.intercept
    return eta


def _times(given: DesignInput, used: Index, rows: Index, dense: Float64) -> Float64:
    """Return X[rows][:, used] @ dense."""
    if given.csc is not None:
        columns = sparse.csc_array(given.csc, shape=(given.n, given.p))
        return np.asarray(columns[:, used][rows] @ dense, dtype=np.float64)
    XT: Any = given.XT
    eta = np.zeros((len(rows), dense.shape[1]))
    for start in range(0, used.size, BLOCK):
        block = slice(start, start + BLOCK)
        eta += XT[np.ix_(used[block], rows)].T.astype(np.float64, copy=False) @ dense[block]
    return eta
