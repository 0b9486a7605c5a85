"""The problem in the solver's coordinates: centred response, scaled columns, penalties per unit alpha.

Everything a user may ask for becomes arrays here (0, 1, inf), so that no kernel has a special case.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import NamedTuple

import numpy as np

from ._repeated import at_length, shortest
from ._sums import inner
from ._typing import Float64, Mask
from .designs import Design, make_design
from .errors import DataError
from .families import Target
from .kernels.state import Penalties
from .null_model import NullModel, fit_null
from .penalty import Penalty
from .validate import DesignInput
from .validate.words import column_label

# A response whose entries all agree to this many rounding errors is constant.
CONSTANT_ULPS = 8
# Powers of two whose squares leave room for sums in float64.
LARGEST_RESPONSE_EXPONENT = 500
# Strengths beyond this, or its reciprocal, are too close to the ends of float64 to compute with.
SMALLEST_STRENGTH = 1e-305


@dataclass(frozen=True)
class Response:
    """The response, weighted and centred: y~ = 2^-exponent (y - offset - centre).

    ``total_weight`` is the raw sum of weights.
    """

    values: Float64
    w: Float64
    total_weight: float
    centre: float
    exponent: int

    @cached_property
    def square(self) -> float:
        """||y~||^2 in the weighted norm."""
        return float(inner(self.values, self.w * self.values))


def scaled(values: Float64, exponent: int) -> Float64:
    """Return values times two to the exponent: the same array for zero, as for nearly all data."""
    return values if exponent == 0 else np.ldexp(values, exponent)


def make_response(
    y: Float64, offset: Float64 | None, w: Float64, total_weight: float, *, fit_intercept: bool
) -> Response:
    """Subtract the offset and, under an intercept, the weighted mean.

    Extreme scales are brought to one by a power of two.
    """
    shifted = y if offset is None else y - offset
    largest = float(np.max(np.abs(shifted)))
    exponent = math.frexp(largest)[1] if largest > 0.0 else 0
    exponent = exponent if abs(exponent) > 100 else 0
    if abs(exponent) > LARGEST_RESPONSE_EXPONENT:
        raise DataError(
            f"y must have a square that float64 can hold, got a largest entry of {largest:.3g}: "
            "rescale y and alphas"
        )
    values = scaled(shifted, -exponent)
    centre = 0.0
    if fit_intercept:
        centre = float(inner(w, values))
        values = values - centre
        # The second centring removes the rounding error of the first mean.
        rest = float(inner(w, values))
        values = values - rest
        centre += rest
        if np.max(np.abs(values)) <= CONSTANT_ULPS * np.finfo(np.float64).eps * abs(centre):
            values = np.zeros_like(values)
    return Response(np.ascontiguousarray(values), w, total_weight, math.ldexp(centre, exponent), exponent)


def null_response(null: NullModel) -> Response:
    """Return the null model's pseudo-residuals, one entry per output and row: what is left to fit."""
    target = null.target
    w = np.tile(target.w, target.outputs)
    return Response(null.residual.ravel(), w, target.total_weight, null.centre, 0)


class PerCoefficient(NamedTuple):
    """The penalties as read-only vectors of full length, (size,) each; see ``Penalties``."""

    l1: Float64
    l2: Float64
    lower: Float64
    upper: Float64


@dataclass(frozen=True)
class Problem:
    """One regularised problem, ready for a solver.

    ``null`` is None for least squares. Penalties are per coefficient: with several outputs those of output c
    are c p to (c + 1) p. ``arrays`` is what kernels get: one entry where all are equal.
    """

    design: Design
    response: Response
    penalty: Penalty
    arrays: Penalties
    fit_intercept: bool
    feature_names: tuple[str, ...] | None
    null: NullModel | None = None

    @property
    def outputs(self) -> int:
        """Number of linear predictors."""
        return 1 if self.null is None else self.null.outputs

    @property
    def size(self) -> int:
        """Number of coefficients."""
        return self.design.p * self.outputs

    @cached_property
    def square(self) -> Float64:
        """||x~||^2 per coefficient."""
        return self.design.square if self.outputs == 1 else np.tile(self.design.square, self.outputs)

    @property
    def per_coefficient(self) -> PerCoefficient:
        """The penalties for NumPy, one per coefficient."""
        return PerCoefficient(*(at_length(array, self.size) for array in self.arrays))

    @property
    def null_objective(self) -> float:
        """Objective of the intercept-only model, in the solver's units."""
        return 0.5 * self.response.square if self.null is None else self.null.value

    @property
    def objective_unit(self) -> float:
        """What one unit of the solver's objective is in the user's."""
        return math.ldexp(1.0, 2 * self.response.exponent)

    @property
    def units(self) -> Float64:
        """What one unit of the solver's coefficients is in the user's, per column, (p,).

        One entry where all columns have the same.
        """
        # Beyond float64 are those of columns that cannot enter without their coefficients being so too.
        with np.errstate(over="ignore"):
            return scaled(shortest(self.design.unit), self.response.exponent)


def make_problem(
    given: DesignInput,
    response: Response | Target,
    penalty: Penalty,
    *,
    fit_intercept: bool,
    standardize: bool,
    n_threads: int,
    design: Design | None = None,
) -> Problem:
    """Survey the design, unless it came surveyed, and express the penalty in its scaled coordinates."""
    null = None
    if isinstance(response, Target):
        null = fit_null(response)
        response = null_response(null)
        with np.errstate(over="ignore", invalid="ignore"):
            is_finite = math.isfinite(response.square)
        if not is_finite:
            raise DataError(
                "y and offset must leave residuals whose squares float64 can hold, got some up to "
                f"{np.abs(response.values).max():.3g} without features: rescale y or the offset"
            )
    n = given.n
    design = design or make_design(
        given,
        response.w[:n] if null is None else null.target.w,
        response.values[:n],
        # Constants cancel in a risk set as an intercept takes them up: centred columns keep more digits.
        fit_intercept=fit_intercept or (null is not None and null.target.risk is not None),
        standardize=standardize,
        n_threads=n_threads,
    )
    arrays = design.remembered(
        f"strengths at 2^{response.exponent}",
        lambda: _strengths(penalty, design, response.exponent, given, standardize=standardize),
    )
    if null is not None and null.outputs > 1:
        arrays = Penalties(*(_tiled(array, null.outputs) for array in arrays))
        if null.target.family == "multinomial" and not null.target.is_grouped:
            arrays = _fix_last_class(arrays, given.p, null.outputs)
    return Problem(design, response, penalty, arrays, fit_intercept, given.feature_names, null)


def _strengths(
    penalty: Penalty, design: Design, exponent: int, given: DesignInput, *, standardize: bool
) -> Penalties:
    """Return the penalty of one output in the solver's units: one entry where all features are alike."""
    unit, constant = shortest(design.unit), shortest(design.constant)
    if unit.size == constant.size == 1 and penalty.is_alike:
        arrays, lost = _express_alike(penalty, float(unit[0]), bool(constant[0]), exponent, standardize)
    else:
        arrays, lost = _express(penalty, unit, constant, exponent, standardize=standardize)
    if lost.any():
        label = column_label(int(np.argmax(lost)), given.feature_names)
        raise DataError(
            f"X must have columns whose penalty float64 can hold, but {label} is so large or small that its "
            "squared scale is not: pass standardize=True or rescale the column"
        )
    return arrays


@lru_cache(maxsize=64)
def _express_alike(
    penalty: Penalty, unit: float, is_constant: bool, exponent: int, standardize: bool
) -> tuple[Penalties, Mask]:
    """Do what _express does where all features are alike: once for all paths with this penalty."""
    return _express(penalty, np.array([unit]), np.array([is_constant]), exponent, standardize=standardize)


def _express(
    penalty: Penalty, unit: Float64, constant: Mask, exponent: int, *, standardize: bool
) -> tuple[Penalties, Mask]:
    """Return the penalty in the solver's units, and where float64 would make it none or infinite."""
    factor = shortest(penalty.factor)
    # The penalised quantity b_j s_j is beta_j times this; exactly 1 when standardising.
    size = np.ones(1) if standardize else unit
    free = shortest(penalty.free)
    excluded = shortest(penalty.excluded) | constant
    with np.errstate(over="ignore", invalid="ignore"):
        l1 = np.ldexp(penalty.l1_ratio * factor * size, -exponent)
        l2 = (1.0 - penalty.l1_ratio) * factor * size * size
        lower = np.ldexp(shortest(penalty.lower) / unit, -exponent)
        upper = np.ldexp(shortest(penalty.upper) / unit, -exponent)
    lost = ~excluded & ~free & _is_beyond(l1 if penalty.l1_ratio > 0.0 else l2)
    # Beside an L1 part a ridge part beyond float64 decides nothing: the L1 part is as extreme.
    np.minimum(l2, 1.0 / SMALLEST_STRENGTH, out=l2)
    if excluded.any():
        l1 = np.where(excluded, np.inf, l1)
        l2, lower, upper = (np.where(excluded, 0.0, array) for array in (l2, lower, upper))
    return Penalties(l1, l2, lower, upper), lost


def _is_beyond(strength: Float64) -> Mask:
    """Tell which strengths are too close to the ends of float64 to compute with."""
    return ~((strength > SMALLEST_STRENGTH) & (strength < 1.0 / SMALLEST_STRENGTH))


def _tiled(array: Float64, outputs: int) -> Float64:
    """Return the numbers of one output for all of them; one entry stands for any number."""
    return array if array.shape[0] == 1 else np.tile(array, outputs)


def _fix_last_class(arrays: Penalties, p: int, outputs: int) -> Penalties:
    """Hold the last class's coefficients of free features at zero.

    One constant added to a feature's coefficients of all classes changes no probability. A penalty settles
    it; without one, the last class is the reference.
    """
    l1, l2, lower, upper = (at_length(array, p * outputs) for array in arrays)
    free = (l1 == 0.0) & (l2 == 0.0) & np.isinf(lower) & np.isinf(upper)
    free[: (outputs - 1) * p] = False
    if not free.any():
        return arrays
    lower, upper = (np.where(free, 0.0, array) for array in (lower, upper))
    return arrays._replace(l1=np.where(free, np.inf, l1), lower=lower, upper=upper)
