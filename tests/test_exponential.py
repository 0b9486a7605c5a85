"""Exponential and logarithm of the kernels beside NumPy's, over all of float64."""

import numpy as np
import pytest

from fastreg._jit import kernel
from fastreg.kernels.entropy import between, divergence, far, near
from fastreg.kernels.exponential import exponential, log_one_plus

TINY = np.nextafter(0.0, 1.0)


@kernel
def exponentials(x, out):
    for i in range(x.shape[0]):
        out[i] = exponential(x[i])


@kernel
def logarithms(x, out):
    for i in range(x.shape[0]):
        out[i] = log_one_plus(x[i])


@kernel
def divergences(m, d, whole, parts):
    for i in range(m.shape[0]):
        whole[i] = divergence(m[i], d[i])
        parts[0, i], parts[1, i], parts[2, i] = near(m[i], d[i]), between(m[i], d[i]), far(m[i], d[i])


def units_apart(got, expected):
    """Return the largest distance in units in the last place of what is expected."""
    return np.max(np.abs(got - expected) / np.spacing(np.abs(expected)))


# Up to where the result is subnormal, and there too.
@pytest.mark.parametrize(("low", "high"), [(-1e-9, 1e-9), (-1, 1), (-40, 40), (-708, 709), (-745, -708)])
def test_exponential_is_right_to_the_last_place(low, high):
    x = np.random.default_rng(0).uniform(low, high, 20_000)
    got = np.empty_like(x)
    exponentials(x, got)
    assert units_apart(got, np.exp(x)) <= 1.5


def test_exponential_at_the_ends_of_float64():
    x = np.array([0.0, -0.0, TINY, -TINY, 709.782712893384, 709.7827128933841, 710.5, 1e308, np.inf, -745.13,
                  -745.14, -1e308, -np.inf, np.nan])  # fmt: skip
    got = np.empty_like(x)
    exponentials(x, got)
    with np.errstate(over="ignore"):
        np.testing.assert_allclose(got, np.exp(x), rtol=1e-15, atol=0)


def test_logarithm_is_right_to_two_last_places():
    rng = np.random.default_rng(1)
    x = np.concatenate([rng.uniform(0, 1, 20_000), 10.0 ** rng.uniform(-323, 0, 20_000), [TINY, 0.0, 1.0]])
    got = np.empty_like(x)
    logarithms(x, got)
    assert units_apart(got, np.log1p(x)) <= 2.0


def test_three_parts_make_up_the_divergence():
    rng = np.random.default_rng(2)
    m = np.concatenate([10.0 ** rng.uniform(-300, 0, 1000), np.zeros(3)])
    d = np.concatenate(
        [m[:1000] * rng.choice([-1, 1], 1000) * 10.0 ** rng.uniform(-20, 0, 1000), [0.0, 1.0, -1.0]]
    )
    whole, parts = np.empty_like(m), np.empty((3, m.size))
    divergences(m, d, whole, parts)
    assert (np.count_nonzero(parts, axis=0) <= 1).all()
    # Logarithms cancel in the part between: rounding of ln(1 + x) beside x^2 / 2.
    is_between = parts[1] != 0.0
    assert 50 < is_between.sum() < 500
    np.testing.assert_allclose(parts[1, is_between], whole[is_between], rtol=2e-13)
    np.testing.assert_allclose(parts.sum(axis=0)[~is_between], whole[~is_between], rtol=1e-15)
    divergences(np.array([0.5]), np.array([np.nan]), whole[:1], parts[:, :1])
    assert np.isnan(parts[:, 0].sum())
