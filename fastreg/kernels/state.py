"""What the solver carries from one alpha to the next.

Bundles of arrays, allocated by the driver, changed in place.
Working-set position = slot (0 <= slot < m); support position = place (0 <= place < k).
"""

from __future__ import annotations

from typing import NamedTuple

from .._bundle import bundle
from .._typing import Float64, Index


@bundle
class Penalties(NamedTuple):
    """Per feature, in scaled coordinates: phi_j(b) = alpha (l1 |b| + l2/2 b^2) on [lower, upper]."""

    l1: Float64
    l2: Float64
    lower: Float64
    upper: Float64


@bundle
class Working(NamedTuple):
    """The working set: the features that are computed exactly.

    ``beta`` and the gradient ``g = X~' Omega r`` belong together whenever a kernel returns. ``place`` is the
    slot's position in the support, or -1: then beta is zero or sits at a bound. ``slot_of`` (p,) is the
    inverse of ``feature``, -1 outside. ``size`` = [m, k]. ``noise`` = [what rounding leaves of a correlation,
    per unit of the column's norm].
    """

    feature: Index
    beta: Float64
    g: Float64
    l1: Float64
    l2: Float64
    lower: Float64
    upper: Float64
    sqnorm: Float64
    place: Index
    slot_of: Index
    size: Index
    noise: Float64


@bundle
class Factor(NamedTuple):
    """The support's exact algebra: gram = G_AA and inverse = (G_AA + ridge_alpha diag(l2))^-1.

    Both are in the order of ``support``. ``sign`` is the sign a coefficient may not leave, 0 for features
    without an l1 penalty. ``ridge_alpha`` has one entry.
    """

    support: Index
    sign: Float64
    gram: Float64
    inverse: Float64
    rhs: Float64
    step: Float64
    column: Float64
    product: Float64
    spare: Float64
    ridge_alpha: Float64


@bundle
class References(NamedTuple):
    """Lazy references (algorithm page, section 5): where a feature's correlation was last computed exactly.

    ``rows`` (T, n): past residuals times sqrt(w); ``square`` (T,) their squared norms; ``users`` (T,) how
    many features rest on them.
    Per feature: ``ref`` the row, ``value`` the correlation there, ``rest`` =
    sqrt(||x~_j||^2 - value^2 / square).
    ``share`` and ``distance`` (T,): the current residual is share * row + a vector of length distance that is
    orthogonal to row.
    """

    rows: Float64
    square: Float64
    users: Index
    share: Float64
    distance: Float64
    ref: Index
    value: Float64
    rest: Float64


@bundle
class Reads(NamedTuple):
    """The columns to read next and their correlations."""

    feature: Index
    value: Float64


# Positions in the array of work counters.
COLUMNS_READ = 0
GRADIENTS = 1
EXACT_STEPS = 2
ENTERED = 3
LEFT = 4
SCREENINGS = 5
SWEEPS = 6
CG_STEPS = 7
SWAPS = 8
REBUILDS = 9
N_COUNTERS = 10
COUNTER_NAMES = (
    "columns_read",
    "gradients",
    "exact_steps",
    "entered",
    "left",
    "screenings",
    "sweeps",
    "cg_steps",
    "swaps",
    "rebuilds",
)
