"""Criteria, degrees of freedom, leave-one-out and noise against direct computation."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.optimize
import scipy.special
import scipy.stats
from test_relaxed import problem

import fastreg
from fastreg.selection import noise


def gaussian(seed: int = 0, n: int = 40, p: int = 10, **options: Any) -> tuple[Any, Any, Any]:
    X, y = problem("gaussian", seed, n, p)
    return X, y, fastreg.enet_path(X, y, **({"alphas": 12, "fit_intercept": True} | options))


def hat(X: Any, w: Any, penalty: Any, intercept: bool) -> Any:
    """Return the hat matrix of penalised weighted least squares."""
    T = np.column_stack([np.ones(len(X)), X]) if intercept else X
    ridge = np.concatenate([[0.0], penalty]) if intercept else penalty
    return T @ np.linalg.solve(T.T @ (w[:, None] * T) + np.diag(ridge), T.T * w)


@pytest.mark.parametrize("l1_ratio", [1.0, 0.5, 0.0])
@pytest.mark.parametrize("standardize", [True, False])
@pytest.mark.parametrize("n", [40, 8])
def test_degrees_of_freedom_are_traces(l1_ratio: float, standardize: bool, n: int) -> None:
    rng = np.random.default_rng(4)
    w = rng.uniform(0.5, 2.0, n)
    factor = np.where(np.arange(10) == 4, 0.0, rng.uniform(0.5, 2.0, 10))
    X, _, path = gaussian(
        n=n, l1_ratio=l1_ratio, standardize=standardize, sample_weight=w, penalty_factor=factor, eps=0.05
    )
    u = w / w.sum()
    s = np.sqrt(u @ (X - u @ X) ** 2) if standardize else np.ones(10)
    for k, alpha in enumerate(path.alphas):
        A = np.flatnonzero(path.coefs[:, k])
        H = hat(X[:, A], u, alpha * (1.0 - l1_ratio) * (factor * s**2)[A], True)
        assert path.degrees_of_freedom()[k] == pytest.approx(np.trace(H), rel=1e-8)


def test_refits_have_as_many_degrees_of_freedom_as_coefficients() -> None:
    _, _, path = gaussian(l1_ratio=0.5, eps=0.05)
    shrunk, counted = path.degrees_of_freedom(), 1.0 + path.n_nonzero
    assert (shrunk[1:] < counted[1:]).all()
    assert path.refit().degrees_of_freedom() == pytest.approx(counted)
    assert path.relax(0.3).degrees_of_freedom() == pytest.approx(0.3 * shrunk + 0.7 * counted)
    y = path.source.y
    rss = np.sum((y[:, None] - path.refit().predict(path.source.X)) ** 2, axis=0)
    bic = path.refit().criterion("bic", noise_variance=2.0)
    assert bic == pytest.approx(rss / 2.0 + np.log(40) * counted, rel=1e-9)


def test_coefficients_at_a_bound_do_not_count() -> None:
    X, y = problem("gaussian")
    path = fastreg.lasso_path(X, y, alphas=8, fit_intercept=True, upper_limits=0.1)
    held = (path.coefs == 0.1).sum(axis=0)
    assert held[-1] > 0
    assert np.array_equal(path.degrees_of_freedom(), 1 + path.n_nonzero - held)


@pytest.mark.parametrize("family", ["binomial", "poisson"])
def test_other_losses_have_the_trace_at_their_curvature(family: str) -> None:
    X, y = problem(family, n=60)
    path = fastreg.glm_path(X, y, family=family, l1_ratio=0.5, alphas=5, eps=0.1)
    mu = path.predict(X)
    for k, alpha in enumerate(path.alphas):
        A = np.flatnonzero(path.coefs[:, k])
        h = (mu[:, k] * (1.0 - mu[:, k]) if family == "binomial" else mu[:, k]) / 60
        H = hat(X[:, A], h, np.full(A.size, alpha * 0.5), True)
        assert path.degrees_of_freedom()[k] == pytest.approx(np.trace(H), rel=1e-6)


def test_charges_and_costs_of_least_squares() -> None:
    w = np.random.default_rng(5).uniform(0.5, 2.0, 40) * (np.arange(40) > 2)
    X, y, path = gaussian(l1_ratio=1.0, sample_weight=w)
    n, p = 37, 10
    rss = n / w.sum() * (w @ (y[:, None] - path.predict(X)) ** 2)
    df = 1.0 + path.n_nonzero
    k = path.n_nonzero
    choices = np.log(scipy.special.comb(p, k))
    charges = {
        "aic": 2 * df,
        "aicc": 2 * df + 2 * df * (df + 1) / (n - df - 1),
        "bic": np.log(n) * df,
        "gic": np.log(np.log(n)) * np.log(p) * df,
    }
    for name, charge in charges.items():
        assert path.criterion(name, noise_variance=0.7) == pytest.approx(rss / 0.7 + charge, rel=1e-9)
        profile = path.criterion(name, noise_variance="profile")
        assert profile == pytest.approx(n * np.log(rss / n) + charge, rel=1e-9)
        auto = path.criterion(name)
        assert auto == pytest.approx(rss / path.noise_variance() + charge, rel=1e-9)
        assert path.best(name) == path.alphas[np.argmin(auto)]
    ebic = path.criterion("ebic", gamma=0.4, noise_variance=0.7)
    assert ebic == pytest.approx(rss / 0.7 + np.log(n) * df + 0.8 * choices, rel=1e-9)
    default = max(0.0, 1.0 - np.log(n) / (2 * np.log(p)))
    assert path.criterion("ebic") == pytest.approx(path.criterion("ebic", gamma=default))
    assert path.criterion("gcv") == pytest.approx(rss / n / (1 - df / n) ** 2, rel=1e-9)


def test_no_degrees_of_freedom_left_is_infinite() -> None:
    X, y = problem("gaussian", n=8, p=40)
    path = fastreg.lasso_path(X, y, alphas=20, eps=1e-4, fit_intercept=True)
    spent = path.degrees_of_freedom() >= 7
    assert spent.any()
    assert np.array_equal(np.isinf(path.criterion("aicc")), spent)
    assert np.isfinite(path.criterion("bic")).all()


@pytest.mark.parametrize("family", ["binomial", "poisson", "multinomial", "cox"])
def test_likelihoods_cost_their_deviance(family: str) -> None:
    X, y = problem(family)
    path = fastreg.glm_path(X, y, family=family, alphas=5, eps=0.1)
    n, df = 50, path.n_nonzero + 1.0
    mu = path.predict(X)
    if family == "binomial":
        deviance = -2 * np.log(np.where(y[:, None] == 1, mu, 1 - mu)).sum(axis=0)
    elif family == "poisson":
        deviance = 2 * (scipy.special.xlogy(y, y)[:, None] - y[:, None] * np.log(mu) - y[:, None] + mu).sum(
            axis=0
        )
    elif family == "multinomial":
        deviance = -2 * np.log(mu[np.arange(50), y]).sum(axis=0)
        df = (path.coefs != 0).sum(axis=(0, 1)) + 2.0
    else:
        # Likelihoods of events: the saturated one of distinct times is one.
        n, df = int(y[:, 1].sum()), path.n_nonzero.astype(float)
        eta = X @ path.coefs
        deviance = 2 * sum(
            np.log(np.exp(eta[y[:, 0] >= y[i, 0]]).sum(axis=0)) - eta[i] for i in np.flatnonzero(y[:, 1])
        )
    assert path.degrees_of_freedom() == pytest.approx(df)
    assert path.criterion("bic") == pytest.approx(deviance + np.log(n) * df, rel=1e-8)


@pytest.mark.parametrize(("n", "p"), [(30, 6), (12, 25)])
@pytest.mark.parametrize("intercept", [True, False])
def test_leave_one_out_equals_explicit_refits(n: int, p: int, intercept: bool) -> None:
    X, y = problem("gaussian", 6, n, p)
    w = np.random.default_rng(6).uniform(0.5, 2.0, n)
    w[3] = 0.0
    factor = np.where(np.arange(p) == 2, 0.0, 1.0)
    options: dict[str, Any] = {"fit_intercept": intercept, "penalty_factor": factor}
    path = fastreg.ridge_path(X, y, alphas=[2.0, 0.3, 0.01], sample_weight=w, **options)
    left = path.leave_one_out()
    for i in range(n):
        without = np.where(np.arange(n) == i, 0.0, w)
        alphas = path.alphas * w.sum() / without.sum()
        other = fastreg.ridge_path(X, y, alphas=alphas, sample_weight=without, **options)
        assert left[i] == pytest.approx(y[i] - other.predict(X[i : i + 1])[0], rel=1e-8, abs=1e-8)
    assert path.criterion("loo") == pytest.approx(w @ left**2 / w.sum(), rel=1e-12)
    # GCV replaces every leverage by their mean.
    mean = np.trace(hat(X, w / w.sum(), 0.3 * factor, intercept)) / (n - 1)
    mse = w @ (y - path.predict(X)[:, 1]) ** 2 / w.sum()
    assert path.criterion("gcv")[1] == pytest.approx(mse / (1 - mean) ** 2, rel=1e-8)


def test_gcv_equals_leave_one_out_where_leverages_are_equal() -> None:
    rng = np.random.default_rng(7)
    # A circulant design moves every row in the same way.
    first = rng.standard_normal(8)
    X = np.stack([np.roll(first, k) for k in range(8)])
    path = fastreg.ridge_path(X, rng.standard_normal(8), alphas=[1.0, 0.1], fit_intercept=False)
    assert path.criterion("gcv") == pytest.approx(path.criterion("loo"), rel=1e-9)


def test_noise_of_few_columns_is_the_residual_variance() -> None:
    X, y, path = gaussian(l1_ratio=1.0)
    T = np.column_stack([np.ones(40), X])
    left = y - T @ np.linalg.lstsq(T, y, rcond=None)[0]
    assert path.noise_variance() == pytest.approx(left @ left / (40 - 11), rel=1e-10)


def test_the_path_to_the_noise_ends_there(monkeypatch: pytest.MonkeyPatch) -> None:
    solved = []
    scaled = noise._scaled
    monkeypatch.setattr(noise, "_scaled", lambda *given: solved.append(given[1]) or scaled(*given))
    X, y = problem("gaussian", 8, 50, 200)
    assert fastreg.lasso_path(X, y, alphas=5, fit_intercept=True).noise_variance() > 0.0
    assert solved[0].status is fastreg.Status.CALLBACK
    assert solved[0].alphas.size < noise.GRID / 2


def test_noise_of_many_columns_is_where_alpha_meets_it() -> None:
    X, y = problem("gaussian", 8, 50, 200)
    path = fastreg.lasso_path(X, y, alphas=5, fit_intercept=True)
    variance = path.noise_variance()
    L = scipy.optimize.brentq(lambda t: t**4 + 2 * t**2 - 200 * scipy.stats.norm.sf(t), 0.01, 10.0)
    alpha = L * np.sqrt(2 * variance / 50)
    at = fastreg.lasso_path(X, y, alphas=[alpha], fit_intercept=True, standardize=True)
    assert np.mean((y - at.predict(X)[:, 0]) ** 2) == pytest.approx(variance, rel=5e-3)
    ridge = fastreg.ridge_path(X * 3.0, y, alphas=5)
    assert ridge.noise_variance() == pytest.approx(variance, rel=1e-6)


@pytest.mark.compiled_only
def test_noise_is_found_among_thousands_of_columns() -> None:
    found = []
    for seed in range(10):
        rng = np.random.default_rng(seed)
        X = rng.standard_normal((100, 1000))
        y = X[:, :3].sum(axis=1) + 2.0 * rng.standard_normal(100)
        found.append(fastreg.lasso_path(X, y, alphas=2, fit_intercept=True).noise_variance())
    assert 3.0 < np.mean(found) < 6.0


def test_ebic_finds_the_model_where_p_exceeds_n() -> None:
    rng = np.random.default_rng(9)
    X = rng.standard_normal((60, 120))
    y = X[:, :3] @ np.array([3.0, -3.0, 3.0]) + rng.standard_normal(60)
    path = fastreg.lasso_path(X, y, alphas=40, fit_intercept=True)
    assert set(path.selected(path.best("ebic")).tolist()) >= {0, 1, 2}
    assert path.selected(path.best("ebic", gamma=1.0)).size <= 8


def test_what_cannot_be_asked_is_refused() -> None:
    X, y, path = gaussian(l1_ratio=1.0)
    for options, message in (
        ({"name": "cp"}, "criterion must be one of 'aic'"),
        ({"name": "bic", "gamma": 0.5}, "gamma belongs to 'ebic'"),
        ({"name": "ebic", "gamma": 2.0}, r"gamma must be a number in \[0, 1\]"),
        ({"name": "bic", "noise_variance": -1.0}, "noise_variance must be a number > 0"),
        ({"name": "gcv", "noise_variance": 1.0}, "needs none"),
        ({"name": "loo"}, "ridge_path without bounds"),
    ):
        with pytest.raises(fastreg.DataError, match=message):
            path.criterion(**options)
    labels = (y > 0).astype(int)
    with pytest.raises(fastreg.DataError, match="least squares"):
        fastreg.logistic_path(X, labels, alphas=3).criterion("aic", noise_variance=1.0)
    with pytest.raises(fastreg.DataError, match="likelihood"):
        fastreg.squared_hinge_path(X, labels, alphas=3).criterion("aic")
    huber = fastreg.huber_path(X, y, alphas=3)
    with pytest.raises(fastreg.DataError, match="be given for family='huber'"):
        huber.criterion("aic")
    assert huber.criterion("aic", noise_variance=1.0).shape == (3,)
    assert np.isfinite(huber.best("gcv"))
    with pytest.raises(fastreg.DataError, match="least squares"):
        huber.noise_variance()


def test_ridge_finds_its_best_alpha_inside_the_automatic_grid() -> None:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((200, 10))
    path = fastreg.ridge_path(X, X @ np.ones(10) + rng.standard_normal(200))
    for name in ("gcv", "loo"):
        assert path.alphas[-1] < path.best(name) < path.alphas[0]
    assert fastreg.cv_path(X, X @ np.ones(10), l1_ratio=[0.0, 1.0], cv=3, alphas=20).curves[0].alphas[-1] == (
        pytest.approx(1e-6 * path_max(X))
    )


def path_max(X: Any) -> float:
    """Return the first alpha of ridge: a thousand times the largest correlation."""
    y = X @ np.ones(10)
    return 1e3 * float(np.abs((X - X.mean(axis=0)).T @ (y - y.mean())).max()) / len(y)


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_one_row_leaves_no_degrees_of_freedom_without_a_warning(fit_intercept: bool) -> None:
    path = fastreg.lasso_path([[1.0, 2.0]], [3.0], fit_intercept=fit_intercept, alphas=3)
    assert np.isinf(path.criterion("aicc", noise_variance=1.0)).all()
