"""Supports too large for a factor, under losses that are not quadratic: Newton steps solved by descent."""

from typing import Any

import numpy as np
import pytest
import scipy.sparse

import fastreg
from fastreg import solvers

RNG = np.random.default_rng(11)
N, P = 60, 80
X = scipy.sparse.csc_array(RNG.standard_normal((N, P)) * (RNG.random((N, P)) < 0.3))
ETA = X @ np.r_[np.array([1.5, -1.0, 1.0, 0.5]), np.zeros(P - 4)]
RESPONSES: dict[str, Any] = {
    "binomial": (RNG.random(N) < 1 / (1 + np.exp(-2 * ETA))).astype(int),
    "squared_hinge": ETA + 0.5 * RNG.standard_normal(N) > 0,
    "poisson": RNG.poisson(np.exp(0.5 * ETA + 0.5)),
    "huber": ETA + RNG.standard_t(2, N),
}
OPTIONS: dict[str, dict[str, Any]] = {
    "lasso": {},
    "elastic net": {"l1_ratio": 0.5},
    "weights and bounds": {"sample_weight": RNG.integers(1, 4, N), "lower_limits": -0.2, "upper_limits": 0.4},
    "standardised, no intercept": {"standardize": True, "fit_intercept": False},
    "factors": {"penalty_factor": np.r_[0.0, np.ones(P - 2), np.inf]},
}


@pytest.fixture
def no_factor(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the cost model find that a factor never pays."""
    monkeypatch.setattr(solvers, "SMALL_SUPPORT", 2)
    monkeypatch.setattr(solvers, "FACTOR_WORTH", 0)


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("family", RESPONSES)
def test_descent_certifies_what_chords_find(no_factor: None, family: str, options: str) -> None:
    asked = OPTIONS[options]
    y = RESPONSES[family]
    path = fastreg.glm_path(X, y, family=family, alphas=8, eps=3e-2, tol=1e-9, **asked)
    assert path.status is fastreg.Status.CONVERGED
    assert path.counters["sweeps"] > 0
    # Certify knows the mixture from the result.
    claim = {name: value for name, value in asked.items() if name != "l1_ratio"}
    assert fastreg.certify(X, y, path, **({"fit_intercept": True} | claim)).worst <= 1e-8


def test_descent_and_chords_agree(no_factor: None, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, Any] = {"family": "binomial", "alphas": 8, "eps": 3e-2, "tol": 1e-11}
    one = fastreg.glm_path(X, RESPONSES["binomial"], **asked)
    monkeypatch.setattr(solvers, "SMALL_SUPPORT", 200)
    other = fastreg.glm_path(X, RESPONSES["binomial"], **asked)
    assert other.counters["sweeps"] == 0
    np.testing.assert_allclose(one.coefs, other.coefs, rtol=0, atol=1e-4 * np.abs(other.coefs).max())
    np.testing.assert_allclose(one.dev_ratio, other.dev_ratio, rtol=0, atol=1e-9)
