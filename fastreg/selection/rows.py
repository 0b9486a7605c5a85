"""Some rows of the one X in memory: the weights that leave out all others, and a path evaluated there."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse

from .._predict import BLOCK
from .._typing import Float64, Index
from ..result import PathResult
from ..validate import DesignInput

__all__ = ["predictors_of", "weights_on"]


def weights_on(weights: Float64, rows: Index) -> Float64:
    """Return the weights of some rows and zero for all others, (n,)."""
    kept = np.zeros_like(weights)
    kept[rows] = weights[rows]
    return kept


def predictors_of(given: DesignInput, path: PathResult, rows: Index) -> Float64:
    """Compute the linear predictors of some rows at every alpha, offsets left out.

    Only the columns that ever have a coefficient are read, and only at these rows.

    Parameters
    ----------
    given : DesignInput
        X, checked.
    path : PathResult
        A path on these columns.
    rows : (m,) int64
        Rows of X, sorted.

    Returns
    -------
    (m, outputs, K) float64
        Intercepts plus X @ coefs.
    """
    coefs, p, outputs = path.coefs_sparse, given.p, path.n_outputs
    K = coefs.shape[1]
    feature, output = coefs.indices % p, coefs.indices // p
    place = np.zeros(p, dtype=np.int64)
    place[feature] = 1
    used = np.flatnonzero(place)
    place[used] = np.arange(used.size)
    dense = np.zeros((used.size, outputs * K))
    dense[place[feature], output * K + np.repeat(np.arange(K), np.diff(coefs.indptr))] = coefs.data
    eta = _times(given, used, rows, dense).reshape(len(rows), outputs, K)
    eta += path.intercepts.reshape(outputs, K)
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
