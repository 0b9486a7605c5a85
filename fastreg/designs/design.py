"""A data matrix as the solver sees it: read-only columns, centred and scaled by numbers beside them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import reduce
from operator import or_
from typing import Any

import numpy as np

from .._repeated import at_length, repeat
from .._typing import Float, Float64, Index, InputReport, Mask
from ..errors import DataError
from ..kernels.prepass import SOME_EXTREME, SOME_FLAT, SOME_NOT_FINITE, Surveyed, survey
from ..kernels.storage import Csc, Dense
from ..validate import DesignInput, locate_nonfinite
from ..validate.words import column_label
from .threads import even_bounds, in_ranges

# Columns whose extremes are held at a time while the survey judges them.
SURVEYED_AT_ONCE = 128


@dataclass
class Opening:
    """What only the beginning of a path asks for: x~_j' Omega y~ (p,). A path lets go of it."""

    product: Float64 | None


@dataclass(frozen=True)
class Design:
    """The columns x~_j = unit_j (x_j - mean_j), and what one pass over them tells.

    ``unit`` (p,) is 1/sd_j when standardising, else 1, times an exact power of two for columns of extreme
    scale: a coefficient on the input scale is unit_j times the solver's. ``square`` (p,) is ||x~_j||^2.
    ``deviation`` (p,) is ``spread`` where columns are not centred. ``constant`` marks columns that cannot
    enter. ``memory`` keeps what several responses share. Vectors of equal entries lie at one place in memory.
    """

    columns: Dense | Csc
    n: int
    p: int
    unit: Float64
    mean: Float64
    square: Float64
    opening: Opening
    constant: Mask
    report: InputReport
    deviation: Float64 | None = None
    memory: dict[str, Any] | None = None

    @property
    def product(self) -> Float64:
        """The correlations with the response, x~_j' Omega y~, (p,); there until ``let_go``."""
        assert self.opening.product is not None
        return self.opening.product

    def let_go(self) -> None:
        """Free what only the beginning of a path asks for."""
        self.opening.product = None

    @property
    def spread(self) -> Float64:
        """The standard deviations on the input scale, (p,)."""
        return np.sqrt(self.square) / self.unit if self.deviation is None else self.deviation

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
    p = given.p
    found = Surveyed(np.empty(p), np.empty(p), np.empty(p), np.empty(p, np.int16), np.empty(p, np.uint8))
    # The survey asks for neither centres nor scales: they are written where kernels will look for them.
    scale = np.empty(p) if standardize else np.ones(1)
    columns = _columns(given, found.mean, scale)
    wy = w * y
    total = float(wy.sum())
    there_is = _survey(columns, given, w, wy, total, n_threads, found)
    report = given.report
    if there_is & SOME_NOT_FINITE:
        locate_nonfinite(given)
    two: Float64 | float = 1.0
    if there_is & SOME_EXTREME:
        two = np.exp2(-found.exponent.astype(np.float64))
        columns, report = _rescale(columns, found.exponent, report)
        there_is = _survey(columns, given, w, wy, total, n_threads, found)
    mean, square, product = found.mean, found.square, found.product
    flat = found.flat.view(bool) if there_is & SOME_FLAT else repeat(False, p)
    deviation = None
    if fit_intercept:
        product -= mean * total
    else:
        deviation = np.sqrt(square) / two
    if standardize:
        np.sqrt(square, out=scale)
        scale[flat] = 1.0
        np.divide(1.0, scale, out=scale)
    if not fit_intercept:
        square += mean * mean
        mean[:] = 0.0
    constant = flat
    if not fit_intercept and not standardize and there_is & SOME_FLAT:
        # Without an intercept a constant column is as good as any other, unless it is zero.
        constant = square == 0.0
        constant = constant if constant.any() else repeat(False, p)
    unit = scale
    if isinstance(two, np.ndarray):
        with np.errstate(over="ignore"):
            unit = scale * two
    if (standardize or isinstance(two, np.ndarray)) and not np.isfinite(unit).all():
        label = column_label(int(np.argmin(np.isfinite(unit))), given.feature_names)
        raise DataError(
            f"X must have columns that float64 can scale, but {label} is too small: rescale the column"
        )
    if standardize:
        square *= scale * scale
        product *= scale
    return Design(
        columns=columns,
        n=given.n,
        p=p,
        unit=at_length(unit, p),
        mean=mean if isinstance(two, float) else mean / two,
        square=square,
        opening=Opening(product),
        constant=constant,
        report=report,
        deviation=deviation,
    )


def _columns(given: DesignInput, mean: Float64, scale: Float64) -> Dense | Csc:
    """Wrap the validated arrays."""
    if given.XT is not None:
        return Dense(given.XT, mean, scale)
    if given.csc is None:
        raise DataError("expected a dense or a sparse design, got neither")
    data, indices, indptr = given.csc
    return Csc(data, _unsigned(indices), _unsigned(indptr), mean, scale)


def _unsigned(indices: Index) -> Index:
    """View indices as unsigned: kernels then need not test for Python's negative indexing."""
    return indices.view(np.dtype(f"u{indices.itemsize}"))


def _survey(
    columns: Dense | Csc,
    given: DesignInput,
    w: Float64,
    wy: Float64,
    total: float,
    n_threads: int,
    found: Surveyed,
) -> int:
    """Run the pass; return what there is among the columns."""
    size = given.n * given.p * 8 if given.XT is not None else (given.csc or (np.empty(0),))[0].nbytes
    there_is = []

    def work(start: int, stop: int) -> None:
        raw = np.empty((4, SURVEYED_AT_ONCE))
        there_is.append(int(survey(columns, start, stop, w, wy, total, found, raw)))

    in_ranges(work, even_bounds(given.p, size, n_threads), n_threads)
    return reduce(or_, there_is)


def _rescale(columns: Dense | Csc, exponents: Index, report: InputReport) -> tuple[Dense | Csc, InputReport]:
    """Copy the columns with extreme ones divided by powers of two, which is exact; say so in the report."""
    values: Float
    exponent = exponents.astype(np.int64)
    if isinstance(columns, Dense):
        values = np.ldexp(columns.XT.astype(np.float64), -exponent[:, None])
        columns = columns._replace(XT=_frozen(values))
    else:
        per_entry = np.repeat(exponent, np.diff(columns.indptr).astype(np.int64))
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
