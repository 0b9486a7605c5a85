"""Reader for sparse X: CSC in place, every other format converted once, the user's object left as it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from .._typing import Float, Index
from ..errors import DataError
from .columns import Columns, as_view, read_only, require_matrix
from .numeric import cast, float_type, require_numeric, rounded_integers
from .words import column_label, wanted

# Entries examined at a time: the temporaries of a check stay at a few megabytes whatever nnz is.
CHUNK = 1 << 20


def read_sparse(X: Any, names: Sequence[str] | None = None) -> Columns:
    """Return the columns of any scipy.sparse matrix or array."""
    n, p = require_matrix(X, X.shape)
    require_numeric(np.empty((1, 1), X.dtype), "X", names)
    if X.format in ("csc", "csr"):
        require_sound(X.indptr, X.indices, len(X.data), (n, p) if X.format == "csr" else (p, n))
    if X.format == "csc":
        found = _read_csc(X, n, p)
    else:
        found = _convert(X, n, p)
    if found.csc is not None:
        place = first_nonfinite(found.csc)
        if place is not None:
            raise nonfinite(*place, names)
    return found


def _read_csc(X: Any, n: int, p: int) -> Columns:
    """Return views of the arrays of X, or copies where they are unsorted, not unique or of another type."""
    index = _index_type(X)
    stored = int(X.indptr[-1])
    indptr, copied_indptr = as_view(X.indptr, index)
    indices, copied_indices = as_view(X.indices[:stored], index)
    target = float_type(X.data.dtype)
    notes: tuple[str, ...] = ()
    if X.data.dtype == target:
        data, copied_data = as_view(X.data[:stored], target)
    else:
        data = read_only(cast(X.data[:stored], target, "X"))
        copied_data = data.nbytes
        notes = _notes(X.data.dtype, target, data)
    if not is_canonical(indices, indptr):
        return _clean(data, indices, indptr, (n, p), notes)
    copied = copied_data + copied_indices + copied_indptr
    if copied and not notes:
        notes = ("the arrays of X were copied to make them contiguous and of one index type",)
    return Columns(n, p, csc=(data, indices, indptr), copied_bytes=copied, conversions=notes)


def _clean(
    data: Float, indices: Index, indptr: Index, shape: tuple[int, int], notes: tuple[str, ...]
) -> Columns:
    """Return a copy with sorted columns and duplicate entries added up."""
    copy = sparse.csc_array((data.copy(), indices.copy(), indptr.copy()), shape=shape)
    copy.sum_duplicates()
    # scipy may have narrowed the indices; their width is the user's choice.
    index = indices.dtype
    arrays = copy.data, copy.indices.astype(index, copy=False), copy.indptr.astype(index, copy=False)
    sentence = "X was copied to sort its rows and add up duplicates; X.sum_duplicates() avoids this copy"
    return Columns(*shape, csc=_frozen(*arrays), copied_bytes=_size(arrays), conversions=(*notes, sentence))


def _convert(X: Any, n: int, p: int) -> Columns:
    """Return the columns of a matrix in another format than CSC, converted once."""
    source = X.dtype
    target = float_type(source)
    notes: tuple[str, ...] = ()
    # Before the conversion of the format, which adds up duplicates and would overflow small integers.
    if source != target:
        with np.errstate(over="ignore"):
            X = X.astype(target)
        notes = _notes(source, target, X.tocoo().data)
    by_column = X.tocsc(copy=True)
    if not is_canonical(by_column.indices, by_column.indptr):
        by_column.sum_duplicates()
    index = _index_type(by_column)
    indices, indptr = (part.astype(index, copy=False) for part in (by_column.indices, by_column.indptr))
    # Formats such as DIA may leave spare room behind the last entry.
    arrays = by_column.data[: indptr[-1]], indices[: indptr[-1]], indptr
    sentence = f"X was converted from {X.format} to csc; X.tocsc() avoids this copy"
    return Columns(n, p, csc=_frozen(*arrays), copied_bytes=_size(arrays), conversions=(*notes, sentence))


def _notes(source: np.dtype[Any], target: np.dtype[Any], data: Float) -> tuple[str, ...]:
    return f"the entries of X were converted from {source} to {target}", *rounded_integers(source, data)


def _frozen(data: Float, indices: Index, indptr: Index) -> tuple[Float, Index, Index]:
    return read_only(data), read_only(indices), read_only(indptr)


def _size(arrays: tuple[NDArray[Any], ...]) -> int:
    return sum(array.nbytes for array in arrays)


def _index_type(X: Any) -> np.dtype[Any]:
    """Return int32 where both index arrays have it, else int64."""
    narrow = X.indices.dtype == np.int32 and X.indptr.dtype == np.int32
    return np.dtype(np.int32 if narrow else np.int64)


def require_sound(indptr: Index, indices: Index, n_entries: int, sizes: tuple[int, int]) -> None:
    """Raise DataError unless the arrays describe a matrix with sizes[0] major and sizes[1] minor lines.

    Compiled code does not check bounds: what passes here cannot make it read foreign memory.
    """
    major, minor = sizes
    stored = int(indptr[-1]) if len(indptr) == major + 1 else -1
    sound = 0 <= stored <= min(n_entries, len(indices)) and indptr[0] == 0
    sound = sound and bool((indptr[1:] >= indptr[:-1]).all())
    if sound and stored:
        used = indices[:stored]
        sound = int(used.min()) >= 0 and int(used.max()) < minor
    if not sound:
        remedy = "X.check_format() tells which"
        raise DataError(wanted("X", "be a sound sparse matrix", "indptr or indices out of range", remedy))


def is_canonical(indices: Index, indptr: Index) -> bool:
    """Tell whether the row indices strictly increase within every column."""
    stored = len(indices)
    for start in range(0, stored - 1, CHUNK):
        stop = min(start + CHUNK, stored - 1)
        falls = np.flatnonzero(indices[start + 1 : stop + 1] <= indices[start:stop]) + (start + 1)
        # A fall is allowed where a column begins, and only there.
        if falls.size and not bool((indptr[np.searchsorted(indptr, falls)] == falls).all()):
            return False
    return True


def first_nonfinite(csc: tuple[Float, Index, Index]) -> tuple[float, int, int] | None:
    """Return value, row and column of the first entry that is not finite, None if all are."""
    data, indices, indptr = csc
    for start in range(0, len(data), CHUNK):
        finite = np.isfinite(data[start : start + CHUNK])
        if not finite.all():
            at = start + int(np.argmin(finite))
            return float(data[at]), int(indices[at]), int(np.searchsorted(indptr, at, side="right")) - 1
    return None


def nonfinite(value: float, row: int, column: int, names: Sequence[str] | None) -> DataError:
    """Return the error for an entry of X that is NaN or infinite."""
    came = f"{value} in {column_label(column, names)}, row {row}"
    return DataError(wanted("X", "be finite", came, "drop or impute it"))
