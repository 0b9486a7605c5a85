"""Reader for data frames of pandas, polars and pyarrow, known by their attributes and never imported."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .columns import Columns, read_only, require_matrix
from .compressed import read_sparse
from .dense import read_dense
from .numeric import NUMERIC_KINDS, float_type, not_numeric, require_in_range, rounded_integers, series_values
from .words import column_label


def is_frame(X: Any) -> bool:
    """Tell whether X is a data frame.

    Frames of pandas have iloc and columns, of polars to_series and columns, of pyarrow column_names.
    """
    if isinstance(X, np.ndarray):
        return False
    labelled = (hasattr(X, "iloc") or hasattr(X, "to_series")) and hasattr(X, "columns")
    return labelled or hasattr(X, "column_names")


def read_frame(X: Any, names: Sequence[str] | None = None) -> Columns:
    """Return the columns of a data frame and their names, in place where it holds them as one block."""
    own, column = _access(X)
    _, p = require_matrix(X, tuple(X.shape) if hasattr(X, "shape") else (X.num_rows, X.num_columns))
    labels = names if names is not None and len(names) == p else own
    whole = _read_whole(X, labels) if hasattr(X, "iloc") else None
    return replace(whole or _read_each(column, labels), names=own)


def _access(X: Any) -> tuple[tuple[str, ...], Callable[[int], Any]]:
    """Return the names and the function that gets a column by its position."""
    if hasattr(X, "iloc"):
        return tuple(map(str, X.columns)), lambda j: X.iloc[:, j]
    if hasattr(X, "to_series"):
        return tuple(map(str, X.columns)), X.to_series
    return tuple(map(str, X.column_names)), X.column


def _read_whole(X: Any, labels: Sequence[str]) -> Columns | None:
    """Return the columns of a pandas frame with dtypes of NumPy only or sparse only, None for any other."""
    dtypes = list(X.dtypes)
    if hasattr(X, "sparse"):  # the accessor is there only if all columns are sparse
        if all(dtype.fill_value == 0 and dtype.kind in NUMERIC_KINDS for dtype in dtypes):
            return read_sparse(X.sparse.to_coo(), labels)
        return None
    if not all(_is_plain(dtype) for dtype in dtypes):
        return None
    kinds = sorted({str(dtype) for dtype in dtypes})
    # One dtype is left to the reader of arrays; several are brought together here, block by block.
    values = X.to_numpy() if len(kinds) == 1 else X.to_numpy(dtype=_common(dtypes))
    found = read_dense(values, labels)
    if len(kinds) == 1 and np.may_share_memory(values, X.iloc[:, 0].to_numpy()):
        return found
    notes = [_copied(kinds, values.dtype), *found.conversions]
    if len(kinds) > 1 and found.XT is not None:
        for wide in {dtype for dtype in dtypes if dtype.kind in "iu"}:
            notes += rounded_integers(wide, found.XT[[dtype == wide for dtype in dtypes]])
    unique = tuple(dict.fromkeys(notes))
    return replace(found, copied_bytes=found.copied_bytes + values.nbytes, conversions=unique)


def _is_plain(dtype: Any) -> bool:
    """Tell whether a NumPy dtype holds real numbers that fit into float64."""
    return isinstance(dtype, np.dtype) and dtype.kind in NUMERIC_KINDS and dtype.itemsize <= 8


def _common(dtypes: Sequence[np.dtype[Any]]) -> np.dtype[Any]:
    """Return float32 if every column has it, else float64."""
    return np.result_type(*{float_type(dtype) for dtype in dtypes})


def _copied(kinds: Sequence[str], target: np.dtype[Any]) -> str:
    return f"the columns of the data frame ({', '.join(kinds)}) were copied into one {target} array"


def _read_each(column: Callable[[int], Any], labels: Sequence[str]) -> Columns:
    """Return a copy of the columns, read one by one."""
    parts = [_numbers(column(j), j, labels) for j in range(len(labels))]
    kinds = sorted({str(part.dtype) for part in parts})
    target = _common([part.dtype for part in parts])
    XT = np.empty((len(parts), len(parts[0])), dtype=target)
    notes = [_copied(kinds, target)]
    for j, part in enumerate(parts):
        with np.errstate(over="ignore"):
            XT[j] = part
        require_in_range(part, XT[j], f"{column_label(j, labels)} of X")
        notes += [note for note in rounded_integers(part.dtype, XT[j]) if note not in notes]
    return Columns(
        XT.shape[1], len(parts), XT=read_only(XT), copied_bytes=XT.nbytes, conversions=tuple(notes)
    )


def _numbers(column: Any, j: int, labels: Sequence[str]) -> NDArray[Any]:
    """Return one column as an array of real numbers."""
    label = f"{column_label(j, labels)} of X"
    values = series_values(column, label)
    if values.dtype.kind not in NUMERIC_KINDS:
        raise not_numeric(label, f"dtype {getattr(column, 'dtype', getattr(column, 'type', values.dtype))}")
    return values
