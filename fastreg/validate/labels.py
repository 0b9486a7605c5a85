"""The checks of responses that are not one number per row: labels, proportions, counts, several responses."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse

from .._typing import Float64, Index
from ..errors import DataError, DataTypeError
from .frames import is_frame, read_frame
from .numeric import as_array, cast, require_numeric
from .vectors import check_response
from .words import column_label, describe, wanted

__all__ = ["Labels", "check_counts", "check_labels", "check_proportions", "check_responses"]

# Rows of proportions may miss a sum of one by this much: what float32 and rounding to a few digits leave.
SUM_SLACK = 1e-6
LABEL_KINDS = "biufUO"


@dataclass(frozen=True, eq=False)
class Labels:
    """Hold a column of labels: the distinct ones, sorted, and for every row the position of its own."""

    classes: tuple[Any, ...]
    codes: Index

    def indicator(self, k: int) -> Float64:
        """Return 1 for the rows of class k, else 0."""
        return np.asarray(self.codes == k, dtype=np.float64)


def check_labels(y: Any, n: int, name: str = "y") -> Labels:
    """Return labels of any kind as sorted classes and positions among them.

    Parameters
    ----------
    y : (n,) or (n, 1) array-like, series or categorical
        Numbers, booleans or strings; without missing entries.
    n : int
        Rows of X.
    name : str
        Name of the argument, for the message.

    Returns
    -------
    Labels
        Classes as plain Python numbers or strings.

    Raises
    ------
    DataError
        If the shape is another or an entry is missing or not finite; names the row.
    DataTypeError
        If an entry is no label, or labels cannot be put in one order.

    Examples
    --------
    >>> check_labels(["no", "yes", "no"], 3).classes
    ('no', 'yes')
    >>> check_labels([1, -1, 1], 3).codes
    array([1, 0, 1])
    """
    array = plain_entries(y, name)
    if array.shape not in ((n,), (n, 1)):
        came = str(array.shape) if array.ndim else describe(y)
        raise DataError(wanted(name, f"have shape ({n},)", came, f"one label for each of the {n} rows of X"))
    array = array.reshape(n)
    if array.dtype.kind == "S":
        array = array.astype(np.str_)
    _require_labels(array, name)
    try:
        classes, codes = np.unique(array, return_inverse=True)
    except TypeError:
        kinds = {type(value).__name__ for value in array}
        remedy = f"convert them, as in numpy.asarray({name}, dtype=str)"
        came = " and ".join(sorted(kinds))
        raise DataTypeError(wanted(name, "hold labels of one type", came, remedy)) from None
    plain = tuple(value.item() if isinstance(value, np.generic) else value for value in classes.tolist())
    return Labels(plain, codes.reshape(n).astype(np.int64))


def check_proportions(y: Any, n: int, name: str = "y") -> tuple[tuple[Any, ...], Float64]:
    """Return rows of proportions, one column per class, each row exactly normalised.

    Parameters
    ----------
    y : (n, classes) array-like or data frame
        Numbers >= 0 whose rows sum to one.
    n : int
        Rows of X.
    name : str
        Name of the argument, for the message.

    Returns
    -------
    classes : tuple
        The names of the columns of a data frame, else 0, 1, ...
    proportions : (n, classes) float64
        The same numbers.

    Raises
    ------
    DataError
        If a number is negative, a row does not sum to one, or the shape is another.

    Examples
    --------
    >>> check_proportions([[1, 0], [0.25, 0.75]], 2)
    ((0, 1), array([[1.  , 0.  ],
           [0.25, 0.75]]))
    """
    names, values = check_responses(y, n, name)
    negative = np.asarray((values < 0.0).any(axis=1))
    sums = values.sum(axis=1)
    wrong = np.asarray(negative | (np.abs(sums - 1.0) > SUM_SLACK))
    if wrong.any():
        row = int(np.argmax(wrong))
        came = f"{values[row].min()}" if negative[row] else f"a sum of {sums[row]:.6g}"
        remedy = "divide each row by its sum and pass the sums as sample_weight"
        raise DataError(
            wanted(name, "have rows of proportions >= 0 with sum 1", f"{came} in row {row}", remedy)
        )
    return names or tuple(range(values.shape[1])), values / sums[:, None]


def check_counts(y: Any, n: int, name: str = "y") -> Float64:
    """Return counts as a new float64 vector; they need not be whole numbers.

    Parameters
    ----------
    y : (n,) array-like
        Finite numbers >= 0.
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
        If a count is negative or not finite; names the row.

    Examples
    --------
    >>> check_counts([0, 2.5, 3], 3)
    array([0. , 2.5, 3. ])
    """
    counts = check_response(y, n, name)
    if (counts < 0).any():
        row = int(np.argmax(counts < 0))
        raise DataError(wanted(name, "be >= 0", f"{counts[row]} at row {row}", "counts are never negative"))
    return counts


def check_responses(y: Any, n: int, name: str = "y") -> tuple[tuple[Any, ...] | None, Float64]:
    """Return a matrix with one row per row of X as new float64, and the names of a data frame's columns.

    Parameters
    ----------
    y : (n, q) array-like or data frame
        Finite real numbers.
    n : int
        Rows of X.
    name : str
        Name of the argument, for the message.

    Returns
    -------
    names : tuple of str or None
        Names of the columns, where they have some.
    values : (n, q) float64
        The numbers.

    Raises
    ------
    DataError
        If the shape is another or an entry is not finite; names row and column.
    DataTypeError
        If an entry is no real number.

    Examples
    --------
    >>> check_responses([[1, 2], [3, 4]], 2)[1]
    array([[1., 2.],
           [3., 4.]])
    """
    if issparse(y):
        remedy = f"pass {name}.toarray()"
        raise DataTypeError(wanted(name, "be dense", f"a sparse {type(y).__name__}", remedy))
    names: tuple[Any, ...] | None = None
    if is_frame(y):
        found = read_frame(y)
        if found.XT is None:
            raise DataTypeError(wanted(name, "be dense", "a data frame of sparse columns", "make them dense"))
        names, array = found.names, np.asarray(found.XT).T
    else:
        array = as_array(y, name)
    if array.ndim != 2 or array.shape[0] != n or array.shape[1] == 0:
        remedy = f"{name}.reshape(-1, 1) makes one column" if array.ndim == 1 else ""
        raise DataError(wanted(name, f"have shape ({n}, columns)", f"{array.shape}", remedy))
    require_numeric(array, name, names)
    values = cast(array, np.float64, name)
    finite = np.isfinite(values)
    if not finite.all():
        row, column = (int(i) for i in np.argwhere(~finite)[0])
        came = f"{values[row, column]} in {column_label(column, names)}, row {row}"
        raise DataError(wanted(name, "be finite", came, "drop or impute it"))
    return names, values


def plain_entries(y: Any, name: str) -> NDArray[Any]:
    """Return a column of anything as an array of its entries; those of a categorical are its labels."""
    if issparse(y):
        remedy = f"pass {name}.toarray().ravel()"
        raise DataTypeError(wanted(name, "be a dense vector", f"a sparse {type(y).__name__}", remedy))
    if hasattr(y, "to_pylist"):
        return as_array(y.to_pylist(), name)
    if hasattr(y, "to_numpy") and not is_frame(y):
        return np.asarray(y.to_numpy())
    return np.asarray(y) if hasattr(y, "categories") else as_array(y, name)


def _require_labels(array: NDArray[Any], name: str) -> None:
    """Raise unless every entry is a finite number, a boolean or a string."""
    kind = array.dtype.kind
    if kind not in LABEL_KINDS:
        remedy = f"pass {name}.astype(str)"
        raise DataTypeError(
            wanted(name, "hold labels: numbers, booleans or strings", f"dtype {array.dtype}", remedy)
        )
    if kind == "f":
        good = np.isfinite(array)
    elif kind == "O":
        good = np.array([not _is_missing(value) for value in array], dtype=bool)
    else:
        return
    if not good.all():
        row = int(np.argmin(good))
        raise DataError(wanted(name, "have no missing labels", f"{array[row]} at row {row}", "drop the row"))
    if kind == "O":
        for row, value in enumerate(array):
            if not isinstance(value, str | Real | np.bool_):
                came = f"{describe(value)} at row {row}"
                remedy = "convert them to strings"
                raise DataTypeError(wanted(name, "hold labels: numbers, booleans or strings", came, remedy))


def _is_missing(value: Any) -> bool:
    """Tell whether a label is absent: None, NaN, infinite or one of pandas' marks."""
    if isinstance(value, float | np.floating):
        return not np.isfinite(value)
    return value is None or type(value).__name__ in ("NAType", "NaTType")
