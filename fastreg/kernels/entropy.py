"""What moving a mean costs in entropy: the conjugates of all exponential families in one function."""

from __future__ import annotations

import math

from .._jit import exact_part

# Below this size phi is a short series.
SMALL = 1e-2


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
def far(m, d):  # type: ignore[no-untyped-def]
    """Return the divergence where near does not."""
    return 0.0 if math.fabs(d) < SMALL * m else divergence(m, d)
