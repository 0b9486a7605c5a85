"""A data matrix as the solver sees it: read-only columns, centred and scaled by numbers beside them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .._typing import Float, Float64, Index, InputReport, Mask
from ..errors import DataError
from ..kernels.prepass import survey
from ..kernels.storage import Csc, Dense
from ..validate import DesignInput, locate_nonfinite
from ..validate.words import column_label
from .threads import even_bounds, in_ranges

EPSILON = float(np.finfo(np.float64).eps)
# Squares and products of columns within these powers of two neither overflow nor lose digits to underflow.
SAFE_EXPONENT = 256
LARGEST_USUAL = 2.0**SAFE_EXPONENT
NOTHING_EXTREME: Index = np.zeros(1, np.int64)
# Powers of two whose reciprocals float64 holds too.
LARGEST_EXPONENT = 1000


@dataclass(frozen=True)
class Design:
    """The columns x~_j = unit_j (x_j - mean_j), and what one pass over them tells.

    ``unit`` (p,) is 1/sd_j when standardising, else 1, times an exact power of two for columns of extreme
    scale: a coefficient on the input scale is unit_j times the solver's. ``spread`` (p,) is the standard
    deviation on the input scale. ``square`` and ``product`` are ||x~_j||^2 and x~_j' Omega y~. ``constant``
    marks columns that cannot enter. ``memory`` keeps what several responses share.
    """

    columns: Dense | Csc
    n: int
    p: int
    unit: Float64
    mean: Float64
    spread: Float64
    square: Float64
    product: Float64
    constant: Mask
    report: InputReport
    memory: dict[str, Any] | None = None

    def remembered(self, name: str, make: Callable[[], Any]) -> Any:
        """Return what follows from columns, weights and penalty alone: made once where there is a memory.

        Threads that come at the same time may make it twice; all of them get the same one.
        """
        if self.memory is None:
            return make()
        if name not in self.memory:
            self.memory.setdefault(name, make())
        return self.memory[name]

    @property
    def bytes_per_column(self) -> float:
        """The bytes one column's reading touches, on average."""
        if isinstance(self.columns, Dense):
            return float(self.n * self.columns.XT.itemsize)
        stored = self.columns.data.nbytes + self.columns.indices.nbytes
        return stored / max(self.p, 1)

    def split(self, n_threads: int) -> list[int]:
        """Return column bounds for the threads, balanced by stored entries."""
        bounds = even_bounds(self.p, self.bytes_per_column * self.p, n_threads)
        if isinstance(self.columns, Dense) or len(bounds) == 2:
            return bounds
        shares = np.asarray(bounds) / self.p * self.columns.indptr[-1]
        return [int(j) for j in np.searchsorted(self.columns.indptr, shares)]


def make_design(
    given: DesignInput, w: Float64, y: Float64, *, fit_intercept: bool, standardize: bool, n_threads: int
) -> Design:
    """Survey the columns and settle their centres and scales; y is centred already under an intercept."""
    columns = _columns(given)
    wy = w * y
    raw = _survey(columns, given, w, wy, n_threads)
    report = given.report
    exponent = _extreme_exponents(raw)
    if exponent is None:
        locate_nonfinite(given)
    elif exponent.any():
        columns, report = _rescale(columns, exponent, report)
        raw = _survey(columns, given, w, wy, n_threads)
    else:
        exponent = None
    mean, variance, product, low, high = raw
    # A copy of its own lets go of the other rows.
    mean = mean.copy()
    sd = np.sqrt(variance)
    largest = np.maximum(np.abs(low), np.abs(high))
    # A spread of a few rounding errors of the entries is a constant column.
    flat = (low == high) | (sd <= 8 * EPSILON * largest)
    centre = mean if fit_intercept else np.zeros_like(mean)
    scale = np.ones_like(mean)
    if standardize:
        np.divide(1.0, sd, out=scale, where=~flat)
    square = variance if fit_intercept else variance + mean * mean
    constant = flat if (fit_intercept or standardize) else square == 0.0
    two = np.exp2(-exponent.astype(np.float64)) if exponent is not None else 1.0
    with np.errstate(over="ignore"):
        unit = scale * two
    if not np.isfinite(unit).all():
        label = column_label(int(np.argmin(np.isfinite(unit))), given.feature_names)
        raise DataError(
            f"X must have columns that float64 can scale, but {label} is too small: rescale the column"
        )
    return Design(
        columns=columns._replace(mean=centre, scale=scale),
        n=given.n,
        p=given.p,
        unit=unit,
        mean=centre / two,
        spread=sd / two,
        square=square * scale * scale,
        product=(product - (mean * wy.sum() if fit_intercept else 0.0)) * scale,
        constant=constant,
        report=report,
    )


def _columns(given: DesignInput) -> Dense | Csc:
    """Wrap the validated arrays, uncentred and unscaled."""
    zero, one = np.zeros(given.p), np.ones(given.p)
    if given.XT is not None:
        return Dense(given.XT, zero, one)
    if given.csc is None:
        raise DataError("expected a dense or a sparse design, got neither")
    data, indices, indptr = given.csc
    return Csc(data, _unsigned(indices), _unsigned(indptr), zero, one)


def _unsigned(indices: Index) -> Index:
    """View indices as unsigned: kernels then need not test for Python's negative indexing."""
    return indices.view(np.dtype(f"u{indices.itemsize}"))


def _survey(columns: Dense | Csc, given: DesignInput, w: Float64, wy: Float64, n_threads: int) -> Float64:
    """Run the pass: rows of the result are mean, variance, product with wy, smallest and largest entry."""
    raw = np.empty((5, given.p))
    size = given.n * given.p * 8 if given.XT is not None else (given.csc or (np.empty(0),))[0].nbytes
    total = float(wy.sum())

    def work(start: int, stop: int) -> None:
        survey(columns, start, stop, w, wy, total, raw)

    # Overflow is how columns of extreme scale show themselves; without the compiler NumPy would warn of it.
    with np.errstate(over="ignore", invalid="ignore"):
        in_ranges(work, even_bounds(given.p, size, n_threads), n_threads)
    return raw


def _extreme_exponents(raw: Float64) -> Index | None:
    """Return the power of two to divide each column by, one 0 for all; None if an entry is not finite."""
    largest = np.maximum(np.abs(raw[3]), np.abs(raw[4]))
    if not np.isfinite(largest).all() or np.isnan(raw[0]).any():
        return None
    if largest.max() < LARGEST_USUAL and largest.min() > 1.0 / LARGEST_USUAL:
        return NOTHING_EXTREME
    exponent: Index = np.frexp(largest)[1].astype(np.int64)
    exponent[np.abs(exponent) <= SAFE_EXPONENT] = 0
    np.clip(exponent, -LARGEST_EXPONENT, LARGEST_EXPONENT, out=exponent)
    return exponent


def _rescale(columns: Dense | Csc, exponent: Index, report: InputReport) -> tuple[Dense | Csc, InputReport]:
    """Copy the columns with extreme ones divided by powers of two, which is exact; say so in the report."""
    values: Float
    if isinstance(columns, Dense):
        values = np.ldexp(columns.XT.astype(np.float64), -exponent[:, None])
        columns = columns._replace(XT=_frozen(values))
    else:
        per_entry = np.repeat(exponent, np.diff(columns.indptr))
        values = np.ldexp(columns.data.astype(np.float64), -per_entry)
        columns = columns._replace(data=_frozen(values))
    sentence = (
        f"{int((exponent != 0).sum())} columns of extreme scale were divided by powers of two in a copy"
    )
    return columns, replace(
        report, copied_bytes=report.copied_bytes + values.nbytes, conversions=(*report.conversions, sentence)
    )


def _frozen(values: Float) -> Float:
    view = values.view()
    view.flags.writeable = False
    return view
