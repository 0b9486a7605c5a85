"""The check of X, whatever it is: array, memory map, sparse matrix, data frame or nested list."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from scipy.sparse import issparse

from .._typing import Float, Index, InputReport
from .columns import Columns, check_names
from .compressed import first_nonfinite, nonfinite, read_sparse
from .dense import read_dense
from .frames import is_frame, read_frame

# Rows of XT examined at a time when looking for the entry that is not finite.
ROWS_PER_BLOCK = 256


@dataclass(frozen=True, eq=False)
class DesignInput:
    """Hold X as read-only columns; exactly one of XT and csc is given.

    Attributes
    ----------
    XT : (p, n) float64 or float32, C-ordered, read-only, or None
        Dense X, feature-major. A view of the user's memory where X is F-ordered.
    csc : tuple of data (nnz,), indices (nnz,) and indptr (p + 1,), or None
        Sparse X, read-only: float64 or float32 data, int32 or int64 indices, sorted and without duplicates.
    n, p : int
        Rows and columns.
    feature_names : tuple of str or None
        As given, else as the data frame has them.
    report : InputReport
        What was copied and converted.
    """

    XT: Float | None
    csc: tuple[Float, Index, Index] | None
    n: int
    p: int
    feature_names: tuple[str, ...] | None
    report: InputReport


# The first reader whose test accepts X reads it.
_READERS: tuple[tuple[Callable[[Any], bool], Callable[[Any, Sequence[str] | None], Columns]], ...] = (
    (issparse, read_sparse),
    (is_frame, read_frame),
    (lambda X: True, read_dense),
)


def check_design(X: Any, feature_names: Sequence[str] | None = None) -> DesignInput:
    """Return X as read-only columns, in place where its layout serves.

    F-ordered float64 and float32 arrays, memory maps and canonical CSC run in place; all else is copied once.
    Dense entries are not read, so NaN is not noticed here: see `locate_nonfinite`.

    Parameters
    ----------
    X : (n, p) array-like, memory map, scipy.sparse matrix or array, or data frame (pandas, polars, pyarrow)
        Real numbers. float32 stays float32; integers, booleans and other floats become float64.
    feature_names : sequence of p str, optional
        Names of the columns, in place of those of a data frame.

    Returns
    -------
    DesignInput
        The columns, their names and the account of what was copied.

    Raises
    ------
    DataError
        If X is empty, not 2-D, has masked or (sparse X) non-finite entries, or feature_names does not fit.
    DataTypeError
        If X holds anything but real numbers; names the column.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.asfortranarray([[1.0, 2.0], [3.0, 4.0]])
    >>> design = check_design(X)
    >>> np.shares_memory(design.XT, X), design.report.copied_bytes
    (True, 0)
    >>> check_design([[1, 2], [3, 4]]).report.conversions
    ('X was converted from int64 to float64',)
    """
    given = check_names(feature_names)
    found = next(read for accepts, read in _READERS if accepts(X))(X, given)
    names = check_names(given, found.p) or found.names
    if found.XT is not None:
        storage, dtype = "dense", found.XT.dtype
    else:
        assert found.csc is not None
        storage, dtype = "csc", found.csc[0].dtype
    report = InputReport(storage, _name_of(dtype), (found.n, found.p), found.copied_bytes, found.conversions)
    return DesignInput(found.XT, found.csc, found.n, found.p, names, report)


@lru_cache(maxsize=8)
def _name_of(dtype: np.dtype[Any]) -> str:
    """Return the name of one of the few types that kernels read: NumPy puts it together every time."""
    return str(dtype)


def locate_nonfinite(design: DesignInput) -> None:
    """Raise the error that names the first column of X with a NaN or infinite entry, and the row.

    Parameters
    ----------
    design : DesignInput
        From `check_design`.

    Returns
    -------
    None
        If every entry is finite.

    Raises
    ------
    DataError
        If an entry is not finite.

    Examples
    --------
    >>> import numpy as np
    >>> design = check_design(np.array([[1.0, 2.0], [3.0, np.nan]]), ["age", "weight"])
    >>> locate_nonfinite(design)
    Traceback (most recent call last):
        ...
    fastreg.errors.DataError: X must be finite, got nan in column 1 ('weight'), row 1; drop or impute it
    """
    place = first_nonfinite(design.csc) if design.csc is not None else _first_dense(design)
    if place is not None:
        raise nonfinite(*place, design.feature_names)


def _first_dense(design: DesignInput) -> tuple[float, int, int] | None:
    """Return value, row and column of the first entry of dense X that is not finite, None if all are."""
    XT = design.XT
    assert XT is not None
    for start in range(0, design.p, ROWS_PER_BLOCK):
        finite = np.isfinite(XT[start : start + ROWS_PER_BLOCK])
        if not finite.all():
            j, i = np.unravel_index(int(np.argmin(finite)), finite.shape)
            return float(XT[start + j, i]), int(i), start + int(j)
    return None
