"""The problem in the solver's coordinates: centred response, scaled columns, penalties per unit alpha.

Everything a user may ask for becomes arrays here (0, 1, inf), so that no kernel has a special case.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import sparse

from ._typing import Float64, Mask
from .designs import Design, make_design
from .errors import DataError
from .kernels.state import Penalties
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
        return float(self.values @ (self.w * self.values))


def make_response(
    y: Float64, offset: Float64 | None, w: Float64, total_weight: float, *, fit_intercept: bool
) -> Response:
    """Subtract the offset and, under an intercept, the weighted mean.

    Extreme scales are brought to one by a power of two.
    """
    shifted = y if offset is None else y - offset
    largest = float(np.max(np.abs(shifted)))
    exponent = int(np.frexp(largest)[1]) if largest > 0.0 else 0
    exponent = exponent if abs(exponent) > 100 else 0
    if abs(exponent) > LARGEST_RESPONSE_EXPONENT:
        raise DataError(
            f"y must have a square that float64 can hold, got a largest entry of {largest:.3g}: "
            "rescale y and alphas"
        )
    values = np.ldexp(shifted, -exponent)
    centre = 0.0
    if fit_intercept:
        centre = float(w @ values)
        values = values - centre
        # The second centring removes the rounding error of the first mean.
        rest = float(w @ values)
        values = values - rest
        centre += rest
        if np.max(np.abs(values)) <= CONSTANT_ULPS * np.finfo(np.float64).eps * abs(centre):
            values = np.zeros_like(values)
    return Response(
        np.ascontiguousarray(values), w, total_weight, float(np.ldexp(centre, exponent)), exponent
    )


@dataclass(frozen=True)
class Problem:
    """One regularised least-squares problem, ready for a solver."""

    design: Design
    response: Response
    penalty: Penalty
    arrays: Penalties
    fit_intercept: bool
    feature_names: tuple[str, ...] | None

    @property
    def null_objective(self) -> float:
        """Objective of the intercept-only model, in the solver's units."""
        return 0.5 * self.response.square

    @property
    def objective_unit(self) -> float:
        """What one unit of the solver's objective is in the user's."""
        return float(np.ldexp(1.0, 2 * self.response.exponent))

    @property
    def coefficient_unit(self) -> Float64:
        """What one unit of the solver's coefficients is in the user's, per feature."""
        return np.ldexp(self.design.unit, self.response.exponent)

    def intercepts(self, coefs: sparse.csc_array) -> Float64:
        """Return the user's intercepts (K,) for coefficients (p, K) on the input scale."""
        if not self.fit_intercept:
            return np.zeros(coefs.shape[1])
        return np.asarray(self.response.centre - self.design.mean @ coefs)


def make_problem(
    given: DesignInput,
    response: Response,
    penalty: Penalty,
    *,
    fit_intercept: bool,
    standardize: bool,
    n_threads: int,
) -> Problem:
    """Survey the design and express the penalty in its scaled coordinates."""
    design = make_design(
        given,
        response.w,
        response.values,
        fit_intercept=fit_intercept,
        standardize=standardize,
        n_threads=n_threads,
    )
    # The penalised quantity b_j s_j is beta_j times this; exactly 1 when standardising.
    size = np.ones(design.p) if standardize else design.unit
    excluded = penalty.excluded | design.constant
    with np.errstate(over="ignore", invalid="ignore"):
        l1 = np.ldexp(penalty.l1_ratio * penalty.factor * size, -response.exponent)
        l2 = (1.0 - penalty.l1_ratio) * penalty.factor * size * size
        lower = np.ldexp(penalty.lower / design.unit, -response.exponent)
        upper = np.ldexp(penalty.upper / design.unit, -response.exponent)
    _require_representable(l1, ~excluded & ~penalty.free & (penalty.l1_ratio > 0.0), given)
    if penalty.l1_ratio == 0.0:
        _require_representable(l2, ~excluded & ~penalty.free, given)
    # Beside an L1 part a ridge part beyond float64 decides nothing: the L1 part is as extreme.
    np.minimum(l2, 1.0 / SMALLEST_STRENGTH, out=l2)
    l1[excluded] = np.inf
    l2[excluded] = lower[excluded] = upper[excluded] = 0.0
    return Problem(
        design, response, penalty, Penalties(l1, l2, lower, upper), fit_intercept, given.feature_names
    )


def _require_representable(strength: Float64, counts: Mask, given: DesignInput) -> None:
    """Raise where a penalty on a column of extreme scale leaves float64.

    It would silently become none or infinite.
    """
    lost = counts & ~((strength > SMALLEST_STRENGTH) & (strength < 1.0 / SMALLEST_STRENGTH))
    if lost.any():
        label = column_label(int(np.argmax(lost)), given.feature_names)
        raise DataError(
            f"X must have columns whose penalty float64 can hold, but {label} is so large or small that its "
            "squared scale is not: pass standardize=True or rescale the column"
        )
