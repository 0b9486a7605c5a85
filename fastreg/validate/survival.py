"""The check of survival times: when a row was watched, and whether it ended in an event."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._typing import Float64, Mask
from ..errors import DataError
from .frames import is_frame
from .labels import check_responses
from .numeric import as_array
from .words import wanted

__all__ = ["Survival", "check_survival"]

# Names under which other packages keep the status; a boolean column is one under any name.
STATUS_NAMES = {"status", "event", "events", "died", "dead", "death", "failure", "cens", "e"}
SHAPES = "(time, status) or (start, stop, status)"


@dataclass(frozen=True, eq=False)
class Survival:
    """Hold when every row was under observation, start < t <= stop, and whether an event ended it."""

    start: Float64 | None
    stop: Float64
    is_event: Mask


def check_survival(y: Any, n: int, name: str = "y") -> Survival:
    """Return survival times and status.

    Parameters
    ----------
    y : (n, 2) or (n, 3) array-like, structured array or data frame
        Columns time and status, or start, stop and status, in this order; of fields and columns with names
        the status may stand anywhere if it is boolean or called status, event, death or the like.
    n : int
        Rows of X.
    name : str
        Name of the argument, for the message.

    Returns
    -------
    Survival
        Times as float64.

    Raises
    ------
    DataError
        If the shape is another, a time is not finite, a status is neither 0 nor 1, or start >= stop.
    DataTypeError
        If an entry is no real number.

    Examples
    --------
    >>> check_survival([[3.5, 1], [2.0, 0]], 2).is_event
    array([ True, False])
    """
    names, values = check_responses(_as_columns(y, name), n, name)
    if values.shape[1] not in (2, 3):
        remedy = "numpy.column_stack([time, status]) makes it"
        raise DataError(wanted(name, f"have the columns {SHAPES}", f"shape {values.shape}", remedy))
    place = _status_column(y, names, values.shape[1])
    times, status = np.delete(values, place, axis=1), values[:, place]
    wrong = (status != 0.0) & (status != 1.0)
    if wrong.any():
        row = int(np.argmax(wrong))
        remedy = "1 is an event, 0 a censored row; recode it"
        raise DataError(wanted(f"the status in {name}", "be 0 or 1", f"{status[row]:g} at row {row}", remedy))
    start = np.ascontiguousarray(times[:, 0]) if times.shape[1] == 2 else None
    stop = np.ascontiguousarray(times[:, -1])
    if start is not None and not (start < stop).all():
        row = int(np.argmin(start < stop))
        came = f"{start[row]:g} to {stop[row]:g} at row {row}"
        raise DataError(wanted(f"start in {name}", "lie before stop", came, "correct or drop the row"))
    return Survival(start, stop, status == 1.0)


def _as_columns(y: Any, name: str) -> Any:
    """Return structured arrays as plain columns, all else as it came."""
    if is_frame(y) or not (isinstance(y, np.ndarray) and y.dtype.names is not None):
        return y
    array: NDArray[Any] = as_array(y, name).reshape(-1)
    return np.column_stack([np.asarray(array[field]) for field in y.dtype.names])


def _status_column(y: Any, names: tuple[Any, ...] | None, count: int) -> int:
    """Return which column holds the status: one that says so, else the last."""
    fields = getattr(getattr(y, "dtype", None), "names", None)
    if fields is not None:
        marked = [
            k for k, field in enumerate(fields) if y.dtype[field].kind == "b" or field.lower() in STATUS_NAMES
        ]
    elif names is not None:
        marked = [k for k, each in enumerate(names) if str(each).lower() in STATUS_NAMES]
    else:
        marked = []
    return marked[0] if len(marked) == 1 else count - 1
