"""Large supports: an inverse kept by half is the inverse, and forecasts of who enters cost no digit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numba.core import config

import fastreg
from fastreg import certify, driver
from fastreg.kernels import engine, factor, shifted, symmetric
from fastreg.kernels.finish import REBUILD, SOLVED
from fastreg.kernels.shifted import HAS_LOST, HAS_TREND, LAST

# As plain Python supports of 300 take minutes; there, and only there, the limit can be moved.
SIZE, LIMIT = ((30, 150), 70) if config.DISABLE_JIT else ((150, 1500), symmetric.LARGE)


@pytest.fixture
def solver(monkeypatch: pytest.MonkeyPatch, solvers_made: list[Any]) -> Any:
    """Return the solver of an elastic net whose support has become large."""
    for module in (symmetric, factor, shifted):
        monkeypatch.setattr(module, "LARGE", LIMIT)
    rng = np.random.default_rng(3)
    X = rng.standard_normal(SIZE)
    y = X[:, :5].sum(axis=1) + rng.standard_normal(SIZE[0])
    path = fastreg.enet_path(X, y, alphas=30, eps=2e-2, l1_ratio=0.1, fit_intercept=True)
    assert path.n_nonzero[-1] > 1.15 * LIMIT
    return solvers_made[0]


def half(F: Any, k: int) -> np.ndarray:
    """Return the inverse as its lower half tells it."""
    lower = np.tril(F.inverse[:k, :k])
    return np.asarray(lower + np.tril(lower, -1).T)


def test_what_is_kept_of_a_large_inverse_is_the_inverse_on_the_way_up_and_down(solver: Any) -> None:
    sizes = []
    solver.max_iter = 10**6
    alpha = float(solver.state.F.pace[LAST])
    for times in (*np.geomspace(1.0, 8.0, 20), 3.0, 1.0):
        while (code := engine.settle(solver.state, times * alpha, solver._limits(0, 0))) != SOLVED:
            # What is out of date and yet read shows as an inverse that has to be formed afresh.
            assert code != REBUILD
            solver._answer(code, times * alpha)
        W, F = solver.state.W, solver.state.F
        k = int(W.size[1])
        support = F.support[:k]
        K = F.gram[:k, :k] + F.ridge_alpha[0] * np.diag(W.l2[support])
        inverse = half(F, k)
        np.testing.assert_allclose(inverse @ K, np.eye(k), atol=1e-11)
        # Below the limit both halves are read.
        if k <= LIMIT:
            np.testing.assert_allclose(F.inverse[:k, :k], inverse, rtol=1e-12, atol=1e-14 * inverse.max())
        gradient = W.g[support] - times * alpha * (
            W.l2[support] * W.beta[support] + F.sign[:k] * W.l1[support]
        )
        assert np.abs(gradient).max() <= 1e-6 * times * alpha * W.l1[support].max()
        sizes.append(k)
    # Down below the limit and up again.
    assert sizes[0] > LIMIT
    assert min(sizes) < LIMIT
    assert sizes[-1] > LIMIT


@pytest.mark.parametrize("pays", [0, 10**6], ids=["LAPACK", "bordering"])
def test_the_inverse_formed_afresh_is_the_inverse(
    solver: Any, monkeypatch: pytest.MonkeyPatch, pays: int
) -> None:
    monkeypatch.setattr(driver, "LAPACK_PAYS", pays)
    W, F = solver.state.W, solver.state.F
    k, alpha = int(W.size[1]), 0.7 * float(F.pace[LAST])
    F.inverse[:k, :k] = np.nan
    driver.refactor(W, F, alpha)
    assert (W.size[1], F.ridge_alpha[0]) == (k, alpha)
    K = F.gram[:k, :k] + alpha * np.diag(W.l2[F.support[:k]])
    np.testing.assert_allclose(half(F, k) @ K, np.eye(k), atol=1e-11)


@pytest.mark.parametrize("l1_ratio", [0.9, 0.3])
@pytest.mark.parametrize("rho", [0.0, 0.95])
def test_forecasts_that_fail_cost_no_digit(rho: float, l1_ratio: float) -> None:
    rng = np.random.default_rng(5)
    X = rng.standard_normal((40, 200))
    for j in range(1, 200):
        X[:, j] = rho * X[:, j - 1] + np.sqrt(1.0 - rho * rho) * X[:, j]
    y = X[:, ::40].sum(axis=1) + rng.standard_normal(40)
    top = fastreg.enet_path(X, y, alphas=1, l1_ratio=l1_ratio, fit_intercept=True).alphas[0]
    # Steps of very different length: what went on as before would overshoot by far.
    alphas = top * np.exp(-np.cumsum(rng.choice([1e-3, 0.02, 0.3], size=20)))
    options: dict[str, Any] = {"l1_ratio": l1_ratio, "fit_intercept": True, "tol": 1e-10}
    path = fastreg.enet_path(X, y, alphas=alphas, **options)
    assert certify(X, y, path, l1_ratio=l1_ratio, fit_intercept=True).worst <= 1e-12
    alone = fastreg.enet_path(X, y, alphas=alphas[-1:], **options)
    np.testing.assert_allclose(path.coefs[:, -1], alone.coefs[:, -1], atol=1e-7)


def test_what_a_trend_does_to_correlations_is_known_whoever_left(solver: Any) -> None:
    solver.max_iter = 10**6
    W, F = solver.state.W, solver.state.F
    X = np.asarray(solver.state.U.D.XT).T
    X = X - X.mean(axis=0)
    alpha, seen = float(F.pace[LAST]), []
    for times in np.geomspace(1.0, 0.2, 20)[1:]:
        support, has_lost = F.support[: W.size[1]].copy(), bool(F.pace[HAS_LOST])
        while (code := engine.settle(solver.state, times * alpha, solver._limits(0, 0))) != SOLVED:
            solver._answer(code, times * alpha)
        assert F.pace[HAS_TREND] == 0.0
        W, F = solver.state.W, solver.state.F
        columns = X[:, W.feature[support]]
        image = columns.T @ (columns @ W.trend[support]) / len(X)
        known = ~np.isnan(W.image[support])
        np.testing.assert_allclose(W.image[support][known], image[known], atol=1e-9 * np.abs(image).max())
        # Only who came since has to ask the Gram matrix.
        assert known.mean() > 0.5
        seen.append(has_lost)
    assert {False, True} <= set(seen)
