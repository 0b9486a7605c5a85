"""The scale of numbers, some of which may be far off."""

from __future__ import annotations

import numpy as np

from ._sums import inner
from ._typing import Float64

__all__ = ["robust_scale"]

# The median absolute deviation, and the mean one, of a normal distribution are these shares of its scale.
MEDIAN_SHARE, MEAN_SHARE = 0.6744897501960817, 0.7978845608028654


def robust_scale(values: Float64, w: Float64) -> float:
    """Return the scale of a normal distribution with the same weighted median absolute deviation.

    Where more than half of the values agree, the mean absolute deviation takes its place; 1 if all agree.

    Parameters
    ----------
    values : (n,) float64
        Numbers.
    w : (n,) float64
        Weights that sum to one.

    Returns
    -------
    float
        The scale, > 0, in units of the values.

    Examples
    --------
    >>> import numpy as np
    >>> round(robust_scale(np.array([-1.0, 0.0, 1.0, 50.0, -40.0]), np.full(5, 0.2)), 4)
    1.4826
    """
    distance = np.abs(values - _median(values, w))
    for center, share in ((_median(distance, w), MEDIAN_SHARE), (float(inner(w, distance)), MEAN_SHARE)):
        if center > 0.0:
            return center / share
    return 1.0


def _median(values: Float64, w: Float64) -> float:
    """Return the weighted median, the middle of the two where the weights split evenly."""
    order = np.argsort(values, kind="stable")
    order = order[w[order] > 0.0]
    reached = np.cumsum(w[order])
    half = 0.5 * reached[-1]
    # Sums of weights such as 1/n miss one half by rounding.
    slack = 1e-12
    low = int(np.searchsorted(reached, half * (1.0 - slack)))
    high = int(np.searchsorted(reached, half * (1.0 + slack), side="right"))
    return 0.5 * (float(values[order[low]]) + float(values[order[min(high, len(order) - 1)]]))
