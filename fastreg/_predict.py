"""A path evaluated between its alphas and on new rows."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse

from ._typing import Float64
from .errors import DataError
from .validate import DesignInput, check_design, check_matrix, check_offset, locate_nonfinite

# An alpha copied or recomputed from the grid may differ in its last digits: accepted this far outside.
ALPHA_SLACK = 1e-9
# Columns converted to float64 at a time, so that a float32 X is never copied whole.
BLOCK = 1024


def interpolation(alphas: Float64, wanted: ArrayLike) -> sparse.csc_array:
    """Return the weights that interpolate linearly in alpha (docs/math.md, F26).

    Parameters
    ----------
    alphas : float64 ndarray of shape (K,)
        The grid, largest first.
    wanted : array-like of shape (m,) or scalar
        Values inside the grid, in any order.

    Returns
    -------
    csc_array of shape (K, m)
        At most two weights a column, which sum to one; exactly 1 on a grid value.

    Raises
    ------
    DataError
        If a value lies outside the grid or the grid is empty.
    """
    if alphas.size == 0:
        raise DataError("alpha must lie inside the path, which is empty: no alpha was finished, see status")
    target = np.atleast_1d(np.asarray(wanted, dtype=np.float64))
    if target.ndim != 1:
        raise DataError(
            f"alpha must be a number or a vector of numbers, got shape {target.shape}: flatten it"
        )
    low, high = alphas[-1], alphas[0]
    inside = (target >= low * (1.0 - ALPHA_SLACK)) & (target <= high * (1.0 + ALPHA_SLACK))
    if not inside.all():
        raise DataError(
            f"alpha must lie in the path's range [{low:.6g}, {high:.6g}], got {target[~inside][0]:.6g}: "
            "choose one inside, or fit again with alphas that reach it"
        )
    target = np.clip(target, low, high)
    right = np.searchsorted(-alphas, -target, side="left")
    left = np.maximum(right - 1, 0)
    width = alphas[left] - alphas[right]
    # width 0: the first grid value, where left is right.
    share = np.divide(alphas[left] - target, width, out=np.ones_like(target), where=width > 0.0)
    column = np.arange(target.size)
    entries = np.concatenate([1.0 - share, share])
    places = (np.concatenate([left, right]), np.concatenate([column, column]))
    weights = sparse.csc_array((entries, places), shape=(alphas.size, target.size))
    weights.eliminate_zeros()
    return weights


def linear_predictor(
    X: Any, coefs: sparse.csc_array, names: tuple[str, ...] | None, n_outputs: int = 1
) -> Float64:
    """Compute X @ coefs of every output, reading only the columns that have a coefficient.

    Parameters
    ----------
    X : array-like, sparse or data frame of shape (n, p)
        Rows to predict for.
    coefs : csc_array of shape (n_outputs * p, m)
        Coefficients, those of one output after those of another.
    names : tuple of str or None
        Names of the columns that the path was fitted on; a data frame must have the same ones.
    n_outputs : int
        Number of outputs.

    Returns
    -------
    float64 ndarray of shape (n, n_outputs, m)
        The linear predictors without intercept and offset.

    Raises
    ------
    DataError
        If the columns of X are not those of the path, or a column that is read holds NaN or infinity.
    """
    p, m = coefs.shape[0] // n_outputs, coefs.shape[1]
    if n_outputs > 1:
        coefs = sparse.hstack([coefs[c * p : (c + 1) * p] for c in range(n_outputs)], format="csc")
    used = np.unique(coefs.indices)
    if isinstance(X, np.ndarray) and X.ndim == 2 and X.shape[1] == p and 0 < used.size < p:
        # A row-major matrix, or one on disk, would otherwise be copied whole for a few columns.
        design = check_design(X[:, used], [label(names, j) for j in used])
        coefs = coefs[used]
    else:
        design = check_design(X)
        _check_columns(design, p, names)
    # What is not finite is reported below, with its place: NumPy's warning would say less.
    with np.errstate(invalid="ignore", over="ignore"):
        eta = product(design, coefs)
    if not np.isfinite(eta).all():
        locate_nonfinite(design)
    return eta.reshape(design.n, n_outputs, m)


def output_offsets(offset: Any, n: int, n_outputs: int) -> Float64:
    """Return the offsets of new rows, one column per output or one for all.

    Parameters
    ----------
    offset : array-like of shape (n,) or (n, n_outputs)
        Offsets.
    n, n_outputs : int
        Rows and outputs.

    Returns
    -------
    float64 ndarray of shape (n, n_outputs) or (n, 1)
        The same.

    Raises
    ------
    DataError
        If the shape is another or an entry is not finite.
    """
    if n_outputs == 1 or np.ndim(offset) == 1:
        return check_offset(offset, n)[:, None]
    return check_matrix(offset, (n, n_outputs), "offset")


def label(names: tuple[str, ...] | None, j: int) -> str:
    """Return the name of feature j, ``x`` and its position where there are no names."""
    return f"x{j}" if names is None else names[j]


def _check_columns(design: DesignInput, p: int, names: tuple[str, ...] | None) -> None:
    if design.p != p:
        raise DataError(f"X must have the {p} columns of the path, got {design.p}: pass the same features")
    if names is None or design.feature_names is None:
        return
    for j, (wanted, came) in enumerate(zip(names, design.feature_names, strict=True)):
        if wanted != came:
            raise DataError(
                f"column {j} of X must be {wanted!r} as in the path, got {came!r}: "
                "select the columns of the path, in its order"
            )


def product(design: DesignInput, coefs: sparse.csc_array) -> Float64:
    """Compute X @ coefs, reading only the columns that have a coefficient.

    Parameters
    ----------
    design : DesignInput
        X, checked.
    coefs : csc_array of shape (p, m)
        Coefficients.

    Returns
    -------
    float64 ndarray of shape (n, m)
        The product.
    """
    if design.csc is not None:
        columns = sparse.csc_array(design.csc, shape=(design.n, design.p))
        return np.asarray((columns @ coefs).toarray(), dtype=np.float64)
    XT: Any = design.XT
    used, rows = np.unique(coefs.indices), coefs.tocsr()
    eta = np.zeros((design.n, coefs.shape[1]))
    for start in range(0, used.size, BLOCK):
        block = used[start : start + BLOCK]
        eta += XT[block].T.astype(np.float64, copy=False) @ rows[block].toarray()
    return eta
