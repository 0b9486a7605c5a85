"""Bounds on the expected number of false selections of stability selection, and what keeps them.

A feature of low selection probability is chosen by half of the rows with a probability of at most q / p,
where q features of p are chosen. The bounds limit how many of those reach a threshold in B complementary
pairs.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from .._typing import Float64, Index
from ..errors import DataError
from ..validate.words import describe, wanted

__all__ = ["BOUNDS", "check_bound", "false_selections", "largest_q", "smallest_threshold", "tail"]

BOUNDS = ("shah-samworth", "unimodal", "meinshausen-buehlmann")
# Rounding of thresholds such as 0.6 times the number of halves.
SLACK = 1e-9
# Places of a at which the tail is looked at; those near the best, and how often it is narrowed down.
PLACES, NEAR_PLACES, ZOOMS = 384, 32, 7
SMALLEST_A, LARGEST_A = 1e-7, 1e9
MOST_KEPT = 4096


def check_bound(bound: Any) -> str:
    """Return the name of a bound."""
    if not isinstance(bound, str) or bound not in BOUNDS:
        names = ", ".join(repr(name) for name in BOUNDS)
        raise DataError(wanted("bound", f"be one of {names}", describe(bound)))
    return bound


def false_selections(q: float, p: int, threshold: float, pairs: int, bound: str) -> float:
    """Bound the expected number of selected features whose selection probability is at most q / p.

    Parameters
    ----------
    q : float
        Features that half of the rows choose: their number, or its mean.
    p : int
        Candidates.
    threshold : float
        Share of the halves that must choose a feature, in (1/2, 1].
    pairs : int
        Complementary pairs B.
    bound : {"shah-samworth", "unimodal", "meinshausen-buehlmann"}
        "meinshausen-buehlmann": q^2 / ((2 threshold - 1) p), without assumptions on the shape of
        distributions; "unimodal": that of Shah and Samworth's Theorem 2; "shah-samworth": their
        r-concave one.
        A stronger assumption never makes the bound larger.

    Returns
    -------
    float
        Features, between 0 and p.

    Notes
    -----
    Meinshausen and Buehlmann, J. R. Stat. Soc. B 72 (2010) 417-473, Theorem 1; Shah and Samworth, J. R. Stat.
    Soc. B 75 (2013) 55-80, Theorems 1 and 2 and section 3.4.

    Examples
    --------
    >>> round(false_selections(2, 9, 0.75, 50, "unimodal"), 3)
    0.454
    >>> false_selections(10, 1000, 0.75, 50, "meinshausen-buehlmann")
    0.2
    """
    theta = min(q / p, 1.0)
    # Probabilities are multiples of 1 / (2 B): a threshold between two of them means the upper one.
    count = int(np.ceil(2 * pairs * threshold - SLACK))
    reached = count / (2 * pairs)
    found = theta**2 / (2.0 * reached - 1.0)
    if bound != "meinshausen-buehlmann":
        found = min(found, _unimodal(theta, reached, pairs))
    if bound == "shah-samworth":
        both = tail(theta**2 * pairs, count - pairs, pairs, 2)
        either = tail(theta * 2 * pairs, count, 2 * pairs, 4)
        found = min(found, both, either)
    return float(p * min(found, 1.0))


def _unimodal(theta: float, threshold: float, pairs: int) -> float:
    """Return C(threshold, B) theta^2 where Theorem 2 holds, else 1."""
    lowest = min(0.5 + theta**2, 0.5 + 0.5 / pairs + 0.75 * theta**2)
    if theta > 3.0**-0.5 or threshold <= lowest or threshold < 0.5 + 1.0 / pairs - SLACK:
        return 1.0
    if threshold <= 0.75 + SLACK:
        return theta**2 / (2.0 * (2.0 * threshold - 1.0 - 0.5 / pairs))
    return theta**2 * 4.0 * (1.0 - threshold + 0.5 / pairs) / (1.0 + 1.0 / pairs)


def tail(mean: float, reached: int, size: int, power: int) -> float:
    """Return the largest P(X >= reached) of X in 0..size with this mean and an r-concave distribution.

    f is r-concave, r = -1/power < 0, where f^r is convex. The heaviest tail of a given mean has f^r linear
    up to some k and is cut off beyond: f(i) = c (a + i)^-power for i <= k, and what is left of the mean at
    k + 1. For every a the mean decides k and the rest; over a the maximum is searched.

    Parameters
    ----------
    mean : float
        Expectation of X.
    reached : int
        Where the tail begins.
    size : int
        Largest value of X.
    power : int
        -1 / r.

    Returns
    -------
    float
        A probability; 1 where the mean is no less than half of what is to be reached.

    Notes
    -----
    Shah and Samworth (2013), appendix A.4, from the definition.

    Examples
    --------
    >>> round(tail(0.01, 25, 50, 2), 6)
    4.8e-05
    """
    if mean <= 0.0:
        return 0.0
    if reached <= 2.0 * mean:
        return 1.0
    # Sums of very many pairs are larger than memory should hold on to.
    everywhere = _everywhere if size <= MOST_KEPT else _everywhere.__wrapped__
    places, sums = everywhere(size, power)
    best = 0.0
    for _ in range(ZOOMS):
        values = _tails(sums, mean, reached, size)
        k = int(np.argmax(values))
        best = max(best, float(values[k]))
        low, high = places[max(k - 1, 0)], places[min(k + 1, places.size - 1)]
        places = np.geomspace(low, high, NEAR_PLACES)
        sums = _sums(places, size, power)
    return min(best, 1.0)


@lru_cache(maxsize=2)
def _everywhere(size: int, power: int) -> tuple[Float64, tuple[Float64, Float64]]:
    """Return all places and their sums, which do not depend on the mean: searches ask for them again."""
    places = np.geomspace(SMALLEST_A, LARGEST_A, PLACES)
    return places, _sums(places, size, power)


def _sums(a: Float64, size: int, power: int) -> tuple[Float64, Float64]:
    """Return the sums of f and of i f up to every k, (m, size + 1) each."""
    i = np.arange(size + 1.0)
    f = 1.0 / (1.0 + i / a[:, None]) ** power
    return np.cumsum(f, axis=1), np.cumsum(i * f, axis=1)


def _tails(sums: tuple[Float64, Float64], mean: float, reached: int, size: int) -> Float64:
    """Return P(X >= reached) for every a, (m,)."""
    mass, moment = sums
    rows = np.arange(len(mass))
    k = _cut(mass, moment, mean)
    rest = np.where(k < size, (mean * mass[rows, k] - moment[rows, k]) / (k + 1 - mean), 0.0)
    below = mass[rows, np.minimum(reached - 1, k)]
    values: Float64 = np.where(k + 1 >= reached, 1.0 - below / (mass[rows, k] + rest), 0.0)
    return values


def _cut(mass: Float64, moment: Float64, mean: float) -> Index:
    """Return the largest k up to which the mean is no larger than wanted, by bisection: means rise with k."""
    rows = np.arange(len(mass))
    low = np.zeros(len(mass), dtype=np.int64)
    high = np.full(len(mass), mass.shape[1] - 1)
    while (low < high).any():
        middle = (low + high + 1) // 2
        is_below = moment[rows, middle] <= mean * mass[rows, middle]
        low, high = np.where(is_below, middle, low), np.where(is_below, high, middle - 1)
    return low


def smallest_threshold(q: float, p: int, max_false: float, pairs: int, bound: str) -> float:
    """Return the smallest threshold that keeps the bound below max_false.

    Parameters
    ----------
    q, p, pairs, bound
        As in ``false_selections``.
    max_false : float
        Expected false selections that are accepted.

    Returns
    -------
    float
        A multiple of 1 / (2 pairs), above 1/2.

    Raises
    ------
    DataError
        If even a threshold of 1 does not keep it.

    Examples
    --------
    >>> smallest_threshold(10, 1000, 0.2, 50, "meinshausen-buehlmann")
    0.75
    """
    halves = 2 * pairs

    def keeps(count: int) -> bool:
        return false_selections(q, p, count / halves, pairs, bound) <= max_false * (1.0 + SLACK)

    if not keeps(halves):
        came = f"max_false={max_false:g} with q={q:g} of {p} features and {pairs} pairs"
        remedy = f"the bound is {false_selections(q, p, 1.0, pairs, bound):.3g} even at threshold 1: lower q"
        raise DataError(wanted("max_false", "be within reach", came, remedy))
    return _first(keeps, pairs + 1, halves) / halves


def largest_q(p: int, threshold: float, max_false: float, pairs: int, bound: str) -> int:
    """Return the largest whole q that keeps the bound below max_false.

    Parameters
    ----------
    p, threshold, pairs, bound
        As in ``false_selections``.
    max_false : float
        Expected false selections that are accepted.

    Returns
    -------
    int
        Between 1 and p.

    Raises
    ------
    DataError
        If not even one feature may be chosen.

    Examples
    --------
    >>> largest_q(1000, 0.75, 0.2, 50, "meinshausen-buehlmann")
    10
    """

    def breaks(q: int) -> bool:
        return false_selections(q, p, threshold, pairs, bound) > max_false * (1.0 + SLACK)

    if breaks(1):
        came = f"max_false={max_false:g} with threshold={threshold:g}, {p} features and {pairs} pairs"
        remedy = "not even q=1 keeps it: raise max_false or the threshold"
        raise DataError(wanted("max_false", "be within reach", came, remedy))
    return p if not breaks(p) else _first(breaks, 1, p) - 1


def _first(holds: Callable[[int], bool], low: int, high: int) -> int:
    """Return the smallest number from low to high that holds, where all above it do and high does."""
    while low < high:
        middle = (low + high) // 2
        if holds(middle):
            high = middle
        else:
            low = middle + 1
    return high
