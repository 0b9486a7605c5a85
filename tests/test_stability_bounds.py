"""Bounds on false selections against their definitions: linear programmes and searches over distributions."""

import numpy as np
import pytest
from scipy.optimize import linprog, minimize

from fastreg import DataError
from fastreg.selection.bounds import BOUNDS, false_selections, largest_q, smallest_threshold, tail


def heaviest_unimodal_tail(mean, reached, size):
    """Return the largest P(X >= reached) over unimodal distributions on 0..size, by linear programmes."""
    i = np.arange(size + 1)
    best = 0.0
    for mode in i:
        rises = np.eye(size + 1)[:-1] - np.eye(size + 1)[1:]
        rises[mode:] *= -1.0
        found = linprog(
            -(i >= reached).astype(float),
            A_ub=np.vstack([rises, i]),
            b_ub=np.r_[np.zeros(size), mean],
            A_eq=np.ones((1, size + 1)),
            b_eq=[1.0],
        )
        # Rising up to a late mode takes more mean than there is.
        best = max(best, -found.fun if found.success else 0.0)
    return best


@pytest.mark.parametrize("pairs", [10, 25])
@pytest.mark.parametrize("share", [0.6, 0.7, 0.8, 0.9, 1.0])
def test_unimodal_bound_is_the_heaviest_tail_of_both_halves(pairs, share):
    q, p = 5, 200
    count = int(np.ceil(2 * pairs * share - 1e-9))
    exact = heaviest_unimodal_tail(pairs * (q / p) ** 2, count - pairs, pairs)
    bound = false_selections(q, p, share, pairs, "unimodal")
    # The theorem's formula rounds an even or odd place; it is never below.
    assert p * exact * (1 - 1e-9) <= bound <= p * exact * 1.05


def heaviest_concave_tail(mean, reached, size, power, rng):
    """Return the largest P(X >= reached) that a search over convex f^r finds, r = -1 / power."""
    best = 0.0
    for last in range(reached, size + 1):
        i = np.arange(last + 1)

        def shares(log_f, i=i):
            f = np.exp(log_f - log_f.max())
            return f / f.sum()

        def bends(log_f):
            return np.diff(np.exp(-log_f / power), 2)

        for _ in range(4):
            slope = rng.uniform(0.2, 3.0)
            start = -power * np.log(slope + i)
            # On some machines the search steps far out; where it ends in no numbers it is not allowed below.
            with np.errstate(over="ignore", invalid="ignore"):
                found = minimize(
                    lambda log_f, last=last: -shares(log_f)[reached:].sum(),
                    start,
                    method="SLSQP",
                    constraints=[
                        {"type": "ineq", "fun": bends},
                        {"type": "ineq", "fun": lambda log_f, i=i: mean - i @ shares(log_f)},
                    ],
                    options={"maxiter": 500, "ftol": 1e-12},
                )
                is_allowed = bends(found.x).min(initial=0.0) > -1e-7 and i @ shares(found.x) <= mean + 1e-7
            if is_allowed:
                best = max(best, -found.fun)
    return best


@pytest.mark.parametrize(
    ("mean", "reached", "size", "power"), [(0.3, 2, 5, 2), (0.5, 3, 6, 4), (0.2, 4, 6, 2)]
)
def test_concave_tail_is_what_a_search_over_distributions_finds(mean, reached, size, power):
    found = heaviest_concave_tail(mean, reached, size, power, np.random.default_rng(0))
    assert tail(mean, reached, size, power) == pytest.approx(found, rel=2e-3)


def test_no_concave_distribution_has_a_heavier_tail():
    rng = np.random.default_rng(1)
    tried = 0
    for _ in range(1200):
        size, power = int(rng.integers(3, 20)), int(rng.choice([2, 4]))
        i = np.arange(size + 1)
        # A convex function is the largest of some lines; its power -power is r-concave.
        lines = rng.normal(size=3)[:, None] * i + rng.uniform(0.05, 3.0, 3)[:, None]
        f = np.maximum(lines.max(axis=0), 1e-3) ** -float(power)
        f[int(rng.integers(1, size + 2)) :] = 0.0
        f /= f.sum()
        mean, reached = float(i @ f), int(rng.integers(1, size + 1))
        if 2.0 * mean >= reached:
            continue
        tried += 1
        assert f[reached:].sum() <= tail(mean, reached, size, power) * (1 + 1e-7)
    assert tried > 300


def test_published_values():
    # The vignette of the R package stabs 0.6: p = 9, cutoff 0.75, PFER 1, unimodal gives q = 2 and 0.454.
    assert largest_q(9, 0.75, 1.0, 50, "unimodal") == 2
    assert false_selections(2, 9, 0.75, 50, "unimodal") == pytest.approx(0.454, abs=5e-4)
    # Meinshausen and Buehlmann 2010, section 2.4: threshold 0.9 and q = sqrt(0.8 p) give one false selection.
    for p in (100, 4088):
        assert false_selections((0.8 * p) ** 0.5, p, 0.9, 50, "meinshausen-buehlmann") == pytest.approx(1.0)


@pytest.mark.parametrize("bound", BOUNDS)
@pytest.mark.parametrize(("q", "p"), [(2, 9), (10, 100), (60, 100), (50, 5000)])
def test_bounds_are_monotone_and_ordered(bound, q, p):
    shares = np.arange(51, 101) / 100
    along = [false_selections(q, p, share, 50, bound) for share in shares]
    assert (np.diff(along) <= 1e-12).all()
    assert 0.0 <= min(along) <= max(along) <= p
    more = [false_selections(each, p, 0.75, 50, bound) for each in range(1, min(p, 60))]
    assert (np.diff(more) >= -1e-12).all()
    for share, value in zip(shares, along, strict=True):
        assert value <= false_selections(q, p, share, 50, "meinshausen-buehlmann") + 1e-12


@pytest.mark.parametrize("bound", BOUNDS)
def test_what_follows_from_a_bound(bound):
    p, pairs = 500, 20
    for limit in (0.3, 1.0, 3.0):
        q = largest_q(p, 0.75, limit, pairs, bound)
        assert false_selections(q, p, 0.75, pairs, bound) <= limit * (1 + 1e-8)
        assert false_selections(q + 1, p, 0.75, pairs, bound) > limit
        found = smallest_threshold(8, p, limit, pairs, bound)
        places = [k / (2 * pairs) for k in range(pairs + 1, 2 * pairs + 1)]
        kept = [
            share for share in places if false_selections(8, p, share, pairs, bound) <= limit * (1 + 1e-8)
        ]
        assert found == min(kept)


def test_what_no_threshold_keeps():
    with pytest.raises(DataError, match="even at threshold 1: lower q"):
        smallest_threshold(90, 100, 0.1, 50, "meinshausen-buehlmann")
    with pytest.raises(DataError, match="not even q=1 keeps it"):
        largest_q(2, 0.6, 0.01, 50, "meinshausen-buehlmann")


@pytest.mark.parametrize(
    ("mean", "reached", "size", "power"), [(0.2, 30, 50, 2), (5.0, 75, 100, 4), (0.01, 9, 10, 2)]
)
def test_tails_are_those_of_a_fine_grid(mean, reached, size, power):
    best, i = 0.0, np.arange(size + 1)
    for a in np.geomspace(1e-7, 1e9, 20_000):
        f = (1 + i / a) ** -power
        mass, moment = np.cumsum(f), np.cumsum(i * f)
        k = np.flatnonzero(moment <= mean * mass)[-1]
        rest = (mean * mass[k] - moment[k]) / (k + 1 - mean) if k < size else 0.0
        if k + 1 >= reached:
            best = max(best, 1 - mass[min(reached - 1, k)] / (mass[k] + rest))
    assert best * (1 - 1e-9) <= tail(mean, reached, size, power) <= best * (1 + 1e-2)
