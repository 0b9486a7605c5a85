"""What moving a mean costs in entropy: the conjugates of all exponential families in one function."""

from __future__ import annotations

import math

from .._jit import exact_part
from .exponential import log_one_plus

# Below this size phi is a short series; up to the other its logarithm is arithmetic as well.
SMALL, MEDIUM = 1e-2, 0.5


@exact_part
def _series(x):  # type: ignore[no-untyped-def]
    """Return phi(x) for small x: sum_k (-x)^k / (k (k - 1)) from k = 2 on, up to 1e-18 x^2."""
    a = 1 / 42 - x * (1 / 56 - x / 72)
    return x * x * (1 / 2 - x * (1 / 6 - x * (1 / 12 - x * (1 / 20 - x * (1 / 30 - x * a)))))


@exact_part
def phi(x):  # type: ignore[no-untyped-def]
    """Return (1 + x) ln(1 + x) - x >= 0 for x >= -1, without cancellation near 0."""
    if math.fabs(x) < SMALL:
        return _series(x)
    if x <= -1.0:
        return 1.0
    return (1.0 + x) * math.log1p(x) - x


@exact_part
def divergence(m, d):  # type: ignore[no-untyped-def]
    """Return m phi(d / m), what moving a mean m >= 0 by d >= -m costs."""
    if m <= 0.0:
        return 0.0 if d <= 0.0 else math.inf
    return m * phi(d / m)


@exact_part
def near(m, d):  # type: ignore[no-untyped-def]
    """Return the divergence where d is small beside m, else zero: arithmetic alone, no branch."""
    return m * _series(d / m) if math.fabs(d) < SMALL * m else 0.0


@exact_part
def is_near(m, d):  # type: ignore[no-untyped-def]
    """Say whether near gives the divergence."""
    return math.fabs(d) < SMALL * m


@exact_part
def _by_logarithm(x):  # type: ignore[no-untyped-def]
    """Return phi(x) for |x| <= 1/2: ln(1 + x) = -ln(1 - x / (1 + x)) where x is negative."""
    t = x if x > 0.0 else -x / (1.0 + x)
    logarithm = log_one_plus(t)
    return (1.0 + x) * (logarithm if x > 0.0 else -logarithm) - x


@exact_part
def between(m, d):  # type: ignore[no-untyped-def]
    """Return the divergence where d is neither near nor far, else zero: arithmetic alone, no branch."""
    return m * _by_logarithm(d / m) if SMALL * m <= math.fabs(d) < MEDIUM * m else 0.0


@exact_part
def is_far(m, d):  # type: ignore[no-untyped-def]
    """Say whether only far gives the divergence."""
    return not math.fabs(d) < MEDIUM * m


@exact_part
def far(m, d):  # type: ignore[no-untyped-def]
    """Return the divergence where near and between do not."""
    return divergence(m, d) if is_far(m, d) else 0.0
