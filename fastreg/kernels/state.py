"""What the solver carries from one alpha to the next.

Bundles of arrays, allocated by the driver, changed in place.
Working-set position = slot (0 <= slot < m); support position = place (0 <= place < k).
"""

from __future__ import annotations

from typing import NamedTuple

from .._bundle import bundle
from .._typing import Float, Float64, Index


@bundle
class Penalties(NamedTuple):
    """Per feature, in scaled coordinates: phi_j(b) = alpha (l1 |b| + l2/2 b^2) on [lower, upper].

    A vector of one entry holds for every feature.
    """

    l1: Float64
    l2: Float64
    lower: Float64
    upper: Float64


# Features that may enter the support in one update of its inverse.
BLOCK = 8


@bundle
class Working(NamedTuple):
    """The working set: the features that are computed exactly.

    ``beta`` and the gradient ``g = X~' Omega r`` belong together whenever a kernel returns. ``place`` is the
    slot's position in the support, or -1: then beta is zero or sits at a bound. ``order`` has the slots by
    feature. ``slot_of`` (p,) int32 is the inverse of ``feature``, -1 outside, or empty where nobody asks for
    it: the exact finish on dense columns.
    ``size`` = [m, k, entries of a column]. ``noise`` = [what rounding leaves of a correlation, per unit of
    the column's norm]. ``listed``, ``found`` and ``before`` are work space.

    Kept under a ridge part: ``earlier`` is g at the end of the last alpha but one, nan where it is not known,
    and ``settled`` is beta there. Up to the last alpha beta changed by ``trend`` and g by less ``image`` = G
    trend, but for what those who left since then did, which adds up in ``lost``.
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
    order: Index
    slot_of: Index
    size: Index
    noise: Float64
    earlier: Float64
    settled: Float64
    trend: Float64
    image: Float64
    lost: Float64
    listed: Index
    found: Float64
    before: Float64


@bundle
class Factor(NamedTuple):
    """The support's exact algebra: gram = G_AA and inverse = (G_AA + ridge_alpha diag(l2))^-1.

    Both are in the order of ``support``; of a large inverse only the lower half is kept. ``sign`` is the
    sign a coefficient may not leave, 0 for features without an l1 penalty. ``rhs`` is the gradient that a
    ``step`` is to bring to zero, ``pull`` what it would at ridge_alpha. ``ridge_alpha`` has one entry;
    ``pace`` = [the gap that steps may leave, products since the inverse was formed, features that entered
    unforeseen at the last alpha, the last alpha, the one before, alphas ahead, alphas that were ahead when
    the inverse was formed, whether somebody left since the last alpha, whether the next step may begin along
    the trend]. ``entering`` (BLOCK,) are slots about to enter, with G_A,slot and inverse times it as the rows
    of ``columns`` and ``products`` (BLOCK, capacity); ``small`` (3, BLOCK, BLOCK) is their own Gram matrix,
    Schur complement and its inverse.
    """

    support: Index
    sign: Float64
    gram: Float64
    inverse: Float64
    rhs: Float64
    step: Float64
    pull: Float64
    spare: Float64
    ridge_alpha: Float64
    pace: Float64
    entering: Index
    columns: Float64
    products: Float64
    small: Float64


@bundle
class References(NamedTuple):
    """Lazy references: where a feature's correlation was last computed exactly (F16 of docs/math.md).

    Rows: ``rows`` (T, n) past residuals times sqrt(w), ``norm`` (T,) their norms, ``along`` (T,)
    their products with the current residual, ``live`` (T,) how many features rest on them, ``frame_with``
    (T,) the frame of the row just written and an older one, -1 while there is none.
    Frames, of one or two rows; frame 0 belongs to features in the working set, frame 1 to those whose row
    was taken away: ``first`` and ``second`` the rows, -1 for none, ``users`` how many features rest on the
    frame, ``shared`` and ``height`` the second row's coordinates along the first and orthogonal to it,
    ``u``, ``z`` and ``distance`` the current residual's coordinates in the frame and its distance from it.
    Features: ``frame``, ``along_u``, ``along_z`` the column's coordinates there, ``rest`` (p,) at least the
    norm of what they leave, float32, in units of ``unit`` = [a power of two, its reciprocal]; ``u``, ``z``
    and ``distance`` are in the reciprocal unit. ``is_doubted`` and ``doubted`` are work space for the look at
    a few hundred features.
    """

    rows: Float64
    norm: Float64
    along: Float64
    live: Index
    frame_with: Index
    first: Index
    second: Index
    users: Index
    shared: Float64
    height: Float64
    u: Float64
    z: Float64
    distance: Float64
    frame: Index
    along_u: Float
    along_z: Float
    rest: Float
    unit: Float64
    is_doubted: Index
    doubted: Index


@bundle
class Reads(NamedTuple):
    """The columns to read next and their correlations; as many as there is room for are read at a time."""

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
REWEIGHTINGS = 10
# Multiplications, about: what a compiled call may spend before Python looks at the clock.
WORK = 11
N_COUNTERS = 12
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
    "reweightings",
)
