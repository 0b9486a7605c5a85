"""From anything array-like to a plain array of real numbers, or to an error that names the place."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from .._typing import Float
from ..errors import DataError, DataTypeError
from .words import column_label, describe, wanted

NUMERIC_KINDS = "fiub"
# float64 holds every integer up to here.
LARGEST_EXACT_INTEGER = 2**53


def as_array(values: Any, name: str) -> NDArray[Any]:
    """Return values as an array of the base class, without a copy where they are an array already."""
    if type(values) is np.ndarray:
        return values
    if isinstance(values, np.matrix):
        raise DataTypeError(wanted(name, "be an array", "numpy.matrix", f"pass numpy.asarray({name})"))
    if isinstance(values, np.ma.MaskedArray):
        if np.ma.is_masked(values):
            first = tuple(int(i) for i in np.argwhere(np.ma.getmaskarray(values))[0])
            came = f"a masked entry at {first if len(first) > 1 else first[0]}"
            raise DataError(wanted(name, "have no masked entries", came, "drop or impute them"))
        return np.asarray(values.data)
    if isinstance(values, np.ndarray):
        return np.asarray(values)
    try:
        array = np.asarray(values)
        # A list that mixes numbers and text becomes text: keep the entries, to name the guilty one.
        return np.asarray(values, dtype=object) if array.dtype.kind in "US" else array
    except (TypeError, ValueError) as error:
        raise DataError(
            wanted(name, "be a rectangular array of numbers", describe(values), str(error))
        ) from error


def series_values(column: Any, name: str) -> NDArray[Any]:
    """Return a column of a data frame, or any array-like, as an array; missing numbers become NaN."""
    dtype = getattr(column, "dtype", None)
    kind = getattr(dtype, "kind", "")
    arrow_type = str(getattr(column, "type", ""))
    if arrow_type.startswith("dictionary") or (kind == "O" and not isinstance(dtype, np.dtype)):
        # Categories of numbers would otherwise pass as the numbers themselves.
        raise not_numeric(name, arrow_type or str(dtype), is_label=name == "y")
    if kind and kind in NUMERIC_KINDS and not isinstance(dtype, np.dtype):
        target = float_type(getattr(dtype, "numpy_dtype", np.dtype(np.float64)))
        return np.asarray(column.to_numpy(dtype=target, na_value=np.nan))
    return as_array(column, name)


def not_numeric(name: str, came: str, is_label: bool = False) -> DataTypeError:
    """Return the error for data that is not made of real numbers; labels are what a classifier predicts."""
    remedy = "encode or drop it" if "column" in name else "convert it with astype(float)"
    if is_label:
        remedy = "labels are for logistic_path (two) or multinomial_path (more)"
    return DataTypeError(wanted(name, "hold real numbers", came, remedy))


def require_numeric(values: NDArray[Any], name: str, names: Sequence[str] | None = None) -> None:
    """Raise DataTypeError, naming the first guilty column or row, unless values are real numbers."""
    dtype = values.dtype
    if dtype.kind in NUMERIC_KINDS:
        return
    if dtype.names is not None:
        came = f"a structured dtype whose first field is {dtype.names[0]!r} (column 0)"
        raise DataTypeError(wanted(name, "be one plain numeric array", came, "stack the fields as columns"))
    if dtype.kind == "c":
        raise DataTypeError(wanted(name, "hold real numbers", f"dtype {dtype}", "pass both parts apart"))
    place = _first_not_real(values) if dtype.kind == "O" else (0,) * values.ndim
    if values.ndim == 2:
        label = f"{column_label(place[1], names)} of {name}"
    else:
        label = f"entry {place[0]} of {name}" if place else name
    entry = values[place]
    if dtype.kind == "O" and _is_real(entry):
        came = "dtype object"
    else:
        came = f"{describe(entry)} at row {place[0]}" if values.ndim == 2 else describe(entry)
        came += f", dtype {dtype}"
    raise not_numeric(label, came, is_label=name == "y" and values.ndim == 1 and isinstance(entry, str))


def _is_real(value: Any) -> bool:
    return isinstance(value, Real | np.bool_)


def _first_not_real(values: NDArray[Any]) -> tuple[int, ...]:
    """Return the place of the first entry, by columns, that is no real number; of entry 0 if all are."""
    for place in np.ndindex(*values.T.shape):
        if not _is_real(values.T[place]):
            return place[::-1]
    return (0,) * values.ndim


def float_type(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return the type that kernels read in place of dtype: float32 for itself, else float64."""
    single = dtype.kind == "f" and dtype.itemsize == 4
    return np.dtype(np.float32 if single else np.float64)


def cast(values: NDArray[Any], target: DTypeLike, name: str) -> NDArray[Any]:
    """Return a C-ordered copy of values as target."""
    if not is_extended(values.dtype):
        return np.array(values, dtype=target, order="C")
    with np.errstate(over="ignore"):
        copy = np.array(values, dtype=target, order="C")
    require_in_range(values, copy, name)
    return copy


def is_extended(dtype: np.dtype[Any]) -> bool:
    """Tell whether numbers of this type may be beyond float64."""
    return dtype.kind == "f" and dtype.itemsize > 8


def require_in_range(source: NDArray[Any], copy: Float, name: str) -> None:
    """Raise DataError where a number of an extended type became zero or infinite on its way to float64."""
    if is_extended(source.dtype):
        lost = ((copy == 0) & (source != 0)) | (np.isinf(copy) & np.isfinite(source))
        if lost.any():
            raise DataError(
                wanted(name, "lie within the range of float64", f"{source[lost][0]}", "rescale it")
            )


def rounded_integers(source: np.dtype[Any], copy: Float) -> tuple[str, ...]:
    """Return the sentence for the report when integers were too long for float64."""
    if source.kind in "iu" and source.itemsize == 8 and copy.size:
        largest = max(float(copy.max()), -float(copy.min()))
        if largest > LARGEST_EXACT_INTEGER:
            return ("integers beyond 2**53 were rounded to the nearest float64",)
    return ()
