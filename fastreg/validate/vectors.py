"""The checks of everything with one number per row or per column."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse

from .._typing import Float64
from ..errors import DataError, DataTypeError
from .numeric import as_array, cast, require_numeric, series_values
from .words import describe, wanted


def check_vector(values: Any, size: int, name: str) -> Float64:
    """Return a new float64 vector of finite numbers.

    Always a copy: kernels then meet one array type, and never the user's memory.

    Parameters
    ----------
    values : (size,) array-like
        Real numbers; shape (size, 1) is taken as one column.
    size : int
        Expected length.
    name : str
        Name of the argument, for the message.

    Returns
    -------
    (size,) float64
        C-ordered and writable.

    Raises
    ------
    DataError
        If the shape is another or an entry is not finite; names the row.
    DataTypeError
        If values are not real numbers.

    Examples
    --------
    >>> check_vector([1, 2, 3], 3, "offset")
    array([1., 2., 3.])
    >>> check_vector([1, 2], 3, "offset")
    Traceback (most recent call last):
        ...
    fastreg.errors.DataError: offset must have shape (3,), got (2,)
    """
    vector = _column(values, size, name)
    require_finite(vector, name)
    return vector


def _column(values: Any, size: int, name: str, remedy: str = "") -> Float64:
    """Return a new float64 vector of the given size whose entries may be anything."""
    array = _array(values, name)
    if array.shape not in ((size,), (size, 1)):
        came = str(array.shape) if array.ndim else describe(values)
        raise DataError(wanted(name, f"have shape ({size},)", came, remedy))
    require_numeric(array, name)
    return cast(array.reshape(size), np.float64, name)


def _array(values: Any, name: str) -> NDArray[Any]:
    """Return any array-like as an array, before its entries are looked at."""
    if type(values) is np.ndarray:
        return values
    if issparse(values):
        remedy = f"pass {name}.toarray().ravel()"
        raise DataTypeError(wanted(name, "be a dense vector", f"a sparse {type(values).__name__}", remedy))
    if hasattr(values, "dtype") or hasattr(values, "type"):
        return series_values(values, name)
    return as_array(values, name)


def require_finite(vector: Float64, name: str) -> None:
    """Raise DataError, naming the first bad row, unless every entry is finite."""
    finite = np.isfinite(vector)
    if not finite.all():
        row = int(np.argmin(finite))
        raise DataError(wanted(name, "be finite", f"{vector[row]} at row {row}", "drop or impute it"))


def check_response(y: Any, n: int, name: str = "y") -> Float64:
    """Return the response as a new float64 vector.

    Parameters
    ----------
    y : (n,) or (n, 1) array-like
        Real numbers, all finite.
    n : int
        Rows of X.
    name : str
        Name of the argument, for the message.

    Returns
    -------
    (n,) float64
        C-ordered and writable.

    Raises
    ------
    DataError
        If y has more than one column, another length than X has rows, or an entry that is not finite.
    DataTypeError
        If y is not made of real numbers.

    Examples
    --------
    >>> check_response([[1], [2]], 2)
    array([1., 2.])
    >>> check_response([[1, 2], [3, 4]], 2)
    Traceback (most recent call last):
        ...
    fastreg.errors.DataError: y must have shape (2,), got (2, 2); multitask_path fits several responses
    """
    array = _array(y, name)
    remedy = ""
    if array.ndim == 2 and array.shape[1] > 1:
        remedy = "multitask_path fits several responses"
    elif array.ndim == 1:
        remedy = f"one number for each of the {n} rows of X"
    vector = _column(array, n, name, remedy)
    require_finite(vector, name)
    return vector


def check_weights(sample_weight: Any, n: int) -> tuple[Float64, float]:
    """Return the weights divided by their sum, and the sum.

    Parameters
    ----------
    sample_weight : (n,) array-like, optional
        Numbers >= 0, not all zero; None weighs every row 1.
    n : int
        Rows of X.

    Returns
    -------
    w : (n,) float64
        Sums to one.
    total : float
        Sum of the weights as given.

    Raises
    ------
    DataError
        If a weight is negative or not finite, if all are zero, or the shape is another.

    Examples
    --------
    >>> w, total = check_weights([1, 0, 3], 3)
    >>> w, total
    (array([0.25, 0.  , 0.75]), 4.0)
    """
    if sample_weight is None:
        return np.full(n, 1.0 / n), float(n)
    w = check_vector(sample_weight, n, "sample_weight")
    smallest = int(np.argmin(w))
    if w[smallest] < 0:
        row = int(np.argmax(w < 0))
        raise DataError(wanted("sample_weight", "be >= 0", f"{w[row]} at row {row}", "0 leaves a row out"))
    largest = float(np.max(w))
    if largest == 0:
        raise DataError(
            wanted("sample_weight", "have a positive entry", "zeros only", "None weighs rows alike")
        )
    # A power of two brings the sum within range without rounding.
    exponent = int(np.frexp(largest)[1])
    w = np.ldexp(w, -exponent)
    total = float(w.sum())
    with np.errstate(over="ignore"):
        return w / total, float(np.ldexp(total, exponent))


def check_offset(offset: Any, n: int) -> Float64:
    """Return the offset as a new float64 vector, zeros for None.

    Parameters
    ----------
    offset : (n,) array-like, optional
        Known part of the linear predictor, all finite.
    n : int
        Rows of X.

    Returns
    -------
    (n,) float64
        C-ordered and writable.

    Raises
    ------
    DataError
        If the shape is another or an entry is not finite.

    Examples
    --------
    >>> check_offset(None, 2)
    array([0., 0.])
    """
    return np.zeros(n) if offset is None else check_vector(offset, n, "offset")


def check_coefficients(coef_init: Any, p: int) -> Float64 | None:
    """Return the starting coefficients as a new float64 vector, None for None.

    Parameters
    ----------
    coef_init : (p,) array-like, optional
        Coefficients on the input scale to start from, all finite.
    p : int
        Columns of X.

    Returns
    -------
    (p,) float64 or None
        C-ordered and writable.

    Raises
    ------
    DataError
        If the shape is another or an entry is not finite.

    Examples
    --------
    >>> check_coefficients([0, 1], 2)
    array([0., 1.])
    """
    return None if coef_init is None else check_vector(coef_init, p, "coef_init")


def check_matrix(values: Any, shape: tuple[int, int], name: str) -> Float64:
    """Return a new float64 matrix of finite numbers.

    Parameters
    ----------
    values : array-like of the shape
        Real numbers.
    shape : tuple of int
        Expected shape.
    name : str
        Name of the argument, for the message.

    Returns
    -------
    float64 ndarray of the shape
        C-ordered and writable.

    Raises
    ------
    DataError
        If the shape is another or an entry is not finite; names the row.

    Examples
    --------
    >>> check_matrix([[1, 2]], (1, 2), "coef_init")
    array([[1., 2.]])
    """
    array = _array(values, name)
    if array.shape != shape:
        raise DataError(wanted(name, f"have shape {shape}", str(array.shape)))
    require_numeric(array, name)
    matrix: Float64 = cast(array, np.float64, name)
    finite = np.isfinite(matrix).all(axis=1)
    if not finite.all():
        row = int(np.argmin(finite))
        raise DataError(wanted(name, "be finite", f"an entry that is not in row {row}", "correct it"))
    return matrix
