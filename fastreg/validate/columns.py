"""What a reader of X hands on: read-only columns and the account of what it had to copy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._typing import Float, Index
from ..errors import DataError, DataTypeError
from .words import describe, wanted


@dataclass(frozen=True, eq=False)
class Columns:
    """The columns of X, dense as the rows of XT (p, n) or compressed; exactly one of XT and csc is given."""

    n: int
    p: int
    XT: Float | None = None
    csc: tuple[Float, Index, Index] | None = None
    names: tuple[str, ...] | None = None
    copied_bytes: int = 0
    conversions: tuple[str, ...] = ()


def read_only(array: NDArray[Any]) -> NDArray[Any]:
    """Return a read-only view; the flag of the array itself stays as it is."""
    view = array.view()
    view.flags.writeable = False
    return view


def require_matrix(X: Any, shape: tuple[int, ...]) -> tuple[int, int]:
    """Return n and p, or raise unless X has two dimensions, neither of them empty."""
    if len(shape) == 1:
        remedy = "X.reshape(-1, 1) makes it one feature, X.reshape(1, -1) one observation"
        raise DataError(wanted("X", "be 2-D with shape (n, p)", f"shape {shape}", remedy))
    if len(shape) == 0:
        remedy = "pass an array, a scipy.sparse matrix or a data frame"
        raise DataTypeError(wanted("X", "be 2-D with shape (n, p)", describe(X), remedy))
    if len(shape) != 2:
        remedy = "X.reshape(len(X), -1) puts all but the first axis into columns"
        raise DataError(wanted("X", "be 2-D with shape (n, p)", f"shape {shape}", remedy))
    if 0 in shape:
        raise DataError(wanted("X", "have at least one row and one column", f"shape {tuple(shape)}"))
    return int(shape[0]), int(shape[1])


def check_names(names: Any, p: int | None = None) -> tuple[str, ...] | None:
    """Return feature names as strings, one per column; p None leaves their number unchecked."""
    if names is None:
        return None
    if isinstance(names, str | bytes) or not (hasattr(names, "__iter__") or isinstance(names, Sequence)):
        raise DataTypeError(wanted("feature_names", "be a sequence of names", describe(names)))
    found = tuple(str(name) for name in names)
    if p is not None and len(found) != p:
        raise DataError(wanted("feature_names", f"hold {p} names, one per column of X", str(len(found))))
    return found


def as_view(array: NDArray[Any], dtype: np.dtype[Any]) -> tuple[NDArray[Any], int]:
    """Return a contiguous, aligned, read-only array of dtype, and the bytes copied: 0 where a view serves."""
    plain = np.asarray(array)
    flags = plain.flags
    if plain.dtype == dtype and flags.c_contiguous and flags.aligned:
        return read_only(plain), 0
    copy = np.array(plain, dtype=dtype, order="C")
    return read_only(copy), copy.nbytes
