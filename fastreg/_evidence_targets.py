"""Responses of every family for `certify`, read without the code of the path functions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastreg._evidence_classes import Multinomial
from fastreg._evidence_cox import Cox
from fastreg._evidence_loss import Loss
from fastreg._evidence_losses import Binomial, Huber, Poisson, SquaredError, SquaredHinge
from fastreg._evidence_risk import Groups
from fastreg._typing import Float64, Mask
from fastreg.errors import DataError, DataTypeError

ALIASES = {"logistic": "binomial", "multitask": "mgaussian"}
FAMILIES = (
    "gaussian", "binomial", "multinomial", "poisson", "squared_hinge", "huber", "cox", "mgaussian",
)  # fmt: skip
_SUM_SLACK = 1e-6  # rows of proportions may miss a sum of one by what rounding to a few digits leaves
_STATUS_NAMES = {"status", "event", "events", "died", "dead", "death", "failure", "cens", "e"}


@dataclass(frozen=True)
class Options:
    """What some families ask for beside y."""

    classes: Any = None  # from a path result
    is_path: bool = False  # then classes None means proportions
    delta: float | None = None
    ties: str = "breslow"
    strata: Any = None


@dataclass(frozen=True)
class Target:
    """A response that was read, for all rows; `loss` takes the rows of positive weight and their weights."""

    outputs: int
    loss: Callable[[Mask, Float64], Loss]


def family_name(family: str) -> str:
    """Return the canonical name of a family."""
    name = ALIASES.get(family, family)
    if name not in FAMILIES:
        raise DataError(f"family must be one of {', '.join((*FAMILIES, *ALIASES))}, got {family!r}")
    return name


def read_target(family: str, y: Any, n: int, options: Options) -> Target:
    """Return the response of any family but the gaussian."""
    if family == "cox":
        return _read_cox(y, n, options)
    if family == "multinomial":
        matrix = _read_classes(y, n, options)
        return Target(matrix.shape[1], lambda rows, w: Multinomial(matrix[rows], w))
    if family == "mgaussian":
        values = _numbers(y, n, None)
        return Target(values.shape[1], lambda rows, w: SquaredError(values[rows], w))
    if family in ("binomial", "squared_hinge"):
        column = _read_two_classes(y, n, options, proportions=family == "binomial")
        if family == "binomial":
            return Target(1, lambda rows, w: Binomial(column[rows], w))
        return Target(1, lambda rows, w: SquaredHinge(2.0 * column[rows] - 1.0, w))
    numbers = _numbers(y, n, 1)
    if family == "poisson":
        if (numbers < 0).any():
            row = int(np.argmax(numbers[:, 0] < 0))
            raise DataError(f"y must be counts >= 0, got {numbers[row, 0]} at row {row}")
        return Target(1, lambda rows, w: Poisson(numbers[rows], w))
    delta = options.delta
    if delta is None or not (np.isfinite(delta) and delta > 0):
        raise DataError(
            f"delta must be a finite number > 0, in units of y, got {delta}: pass that of the fit"
        )
    knee = float(delta)
    return Target(1, lambda rows, w: Huber(numbers[rows], w, knee))


def _numbers(y: Any, n: int, columns: int | None) -> Float64:
    """Return y as a finite matrix with n rows and, unless None, so many columns."""
    try:
        array = np.asarray(y, dtype=np.float64)
    except (TypeError, ValueError):
        raise DataTypeError(f"y must hold numbers, got a {type(y).__name__} of others: convert it") from None
    array = array[:, None] if array.ndim == 1 and columns == 1 else array
    if array.ndim != 2 or array.shape[0] != n or array.shape[1] != (columns or max(array.shape[1], 1)):
        expected = f"({n},)" if columns == 1 else f"({n}, {columns or 'responses'})"
        raise DataError(f"y must have shape {expected}, got {np.shape(y)}")
    finite = np.isfinite(array)
    if not finite.all():
        row, column = (int(i) for i in np.argwhere(~finite)[0])
        raise DataError(f"y must be finite, got {array[row, column]} at row {row}")
    return array


def _labels(y: Any, n: int) -> Any:
    """Return a column of labels: numbers, booleans or strings, none missing."""
    array = np.asarray(y)
    array = array.astype(np.str_) if array.dtype.kind == "S" else array
    if array.shape not in ((n,), (n, 1)):
        raise DataError(f"y must have shape ({n},), one label for each row of X, got {array.shape}")
    array = array.reshape(n)
    if array.dtype.kind not in "biufUO":
        raise DataTypeError(f"y must hold labels (numbers, booleans or strings), got dtype {array.dtype}")
    absent = [array.dtype.kind in "fO" and _is_missing(value) for value in array]
    if any(absent):
        raise DataError(f"y must have no missing labels, got one at row {absent.index(True)}: drop the row")
    return array


def _is_missing(value: Any) -> bool:
    return value is None or type(value).__name__ in ("NAType", "NaTType") or bool(value != value)


def _codes(labels: Any, classes: Any) -> tuple[Any, int]:
    """Return the position of every label among the classes (given, else sorted), and how many classes."""
    if classes is None:
        try:
            found, codes = np.unique(labels, return_inverse=True)
        except TypeError:
            raise DataTypeError("y must hold labels of one type: convert them to strings") from None
        return codes.reshape(-1), found.size
    codes = np.full(labels.size, -1)
    for k, label in enumerate(classes):
        codes[labels == label] = k
    if (codes < 0).any():
        strange = labels[int(np.argmax(codes < 0))]
        raise DataError(f"y must hold the classes of the path, {tuple(classes)}, got {strange!r}")
    return codes, len(classes)


def _read_two_classes(y: Any, n: int, options: Options, proportions: bool) -> Float64:
    """Return 1 for the second class and 0 for the first, or the proportions themselves, as a column."""
    labels = _labels(y, n)
    if proportions and options.classes is None and labels.dtype.kind == "f":
        inside = ((labels >= 0) & (labels <= 1)).all()
        if inside and (options.is_path or (labels != np.rint(labels)).any()):
            shares: Float64 = labels.astype(np.float64)[:, None]
            return shares
    codes, count = _codes(labels, options.classes)
    if count != 2:
        hint = " or, as floats, proportions in [0, 1]" if proportions else ""
        raise DataError(f"y must hold labels of two classes{hint}, got {count}")
    out: Float64 = (codes == 1).astype(np.float64)[:, None]
    return out


def _read_classes(y: Any, n: int, options: Options) -> Float64:
    """Return one row of class proportions per row of y."""
    if np.ndim(y) == 2 and np.shape(y)[1] > 1:
        matrix = _numbers(y, n, None)
        sums = matrix.sum(axis=1)
        wrong = (matrix < 0).any(axis=1) | (np.abs(sums - 1.0) > _SUM_SLACK)
        if wrong.any():
            row = int(np.argmax(wrong))
            raise DataError(
                f"y must have rows of proportions >= 0 with sum 1, got {matrix[row]} in row {row}: divide "
                "each row by its sum and pass the sums as sample_weight"
            )
        shares: Float64 = matrix / sums[:, None]
        return shares
    codes, count = _codes(_labels(y, n), options.classes)
    if count < 2:
        raise DataError(f"y must hold labels of two classes at least, got {count} distinct values")
    out: Float64 = np.eye(count)[codes]
    return out


def _read_cox(y: Any, n: int, options: Options) -> Target:
    fields = getattr(getattr(y, "dtype", None), "names", None)
    names = [str(name) for name in (fields if fields else getattr(y, "columns", ()))]
    times = np.column_stack([np.asarray(y[name]).reshape(-1) for name in fields]) if fields else np.asarray(y)
    if times.ndim != 2 or times.shape[1] not in (2, 3):
        raise DataError(
            f"y must have columns (time, status) or (start, stop, status), got shape {times.shape}"
        )
    times = _numbers(times, n, times.shape[1])
    marked = [k for k, name in enumerate(names) if name.lower() in _STATUS_NAMES]
    place = marked[0] if len(marked) == 1 else times.shape[1] - 1
    status, times = times[:, place], np.delete(times, place, axis=1)
    if not np.isin(status, (0.0, 1.0)).all():
        row = int(np.argmin(np.isin(status, (0.0, 1.0))))
        raise DataError(f"status in y must be 0 (censored) or 1 (event), got {status[row]} at row {row}")
    start = times[:, 0] if times.shape[1] == 2 else None
    stop = times[:, -1]
    if start is not None and not (start < stop).all():
        row = int(np.argmin(start < stop))
        raise DataError(f"start in y must lie before stop, got {start[row]} to {stop[row]} at row {row}")
    if options.ties not in ("breslow", "efron"):
        raise DataError(f"ties must be 'breslow' or 'efron', got {options.ties!r}")
    strata = np.zeros(n, dtype=np.int64)
    if options.strata is not None:
        strata = _codes(_labels(options.strata, n), None)[0]
    efron, event = options.ties == "efron", status == 1

    def loss(rows: Mask, w: Float64) -> Loss:
        entry = None if start is None else start[rows]
        return Cox(Groups(entry, stop[rows], event[rows], strata[rows], w, efron), w)

    return Target(1, loss)
