"""The adaptive lasso against weights that are computed here."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.sparse
from test_relaxed import problem

import fastreg
from fastreg.selection.adaptive import adaptive_factors

FAMILIES = ("gaussian", "binomial", "multinomial", "poisson", "squared_hinge", "huber", "cox", "mgaussian")


def factors(path: Any) -> Any:
    return path.source.ask.penalty_factor


def test_given_weights_are_penalty_factors() -> None:
    X, y = problem("gaussian")
    v = np.random.default_rng(0).uniform(0.5, 2.0, 12)
    v[3] = np.inf
    own = np.where(np.arange(12) == 1, 0.0, 2.0)
    path = fastreg.adaptive_path(X, y, weights=v, power=3.0, penalty_factor=own, alphas=8)
    plain = fastreg.lasso_path(
        X, y, penalty_factor=np.where(own == 0, 0.0, own * v), alphas=8, fit_intercept=True
    )
    assert np.array_equal(path.coefs, plain.coefs)
    assert not path.coefs[3].any()


@pytest.mark.parametrize(("n", "p"), [(40, 8), (15, 30)])
@pytest.mark.parametrize("standardize", [True, False])
def test_ridge_weights_come_from_the_smallest_gcv(n: int, p: int, standardize: bool) -> None:
    X, y = problem("gaussian", 1, n, p)
    w = np.random.default_rng(1).uniform(0.5, 2.0, n)
    path = fastreg.adaptive_path(
        X, y, weights="ridge", power=2.0, sample_weight=w, standardize=standardize, alphas=5
    )
    u = w / w.sum()
    Z, r = X - u @ X, y - u @ y
    s = np.sqrt(u @ Z**2) if standardize else np.ones(p)
    Z = Z / s
    gram = Z.T @ (u[:, None] * Z)
    grid = np.linalg.eigvalsh(gram).max() * np.geomspace(10.0, 1e-6, 141)
    scores, fits = [], []
    for alpha in grid:
        # alpha times the inverse is what a fit leaves: no difference of nearly equal numbers.
        rest = alpha * np.linalg.inv(Z @ (Z * u[:, None]).T + alpha * np.eye(n))
        scores.append(u @ (rest @ r) ** 2 / ((np.trace(rest) - 1.0) / n) ** 2)
        fits.append(np.linalg.solve(gram + alpha * np.eye(p), Z.T @ (u * r)))
    best = fits[int(np.argmin(scores))]
    assert factors(path) == pytest.approx(np.abs(best) ** -2.0, rel=1e-5)


def test_lasso_weights_come_from_the_smallest_bic() -> None:
    X, y = problem("gaussian", 2, 60, 12)
    path = fastreg.adaptive_path(X, y, weights="lasso", alphas=5)
    first = fastreg.lasso_path(X, y, fit_intercept=True, eps=1e-2, alphas=100)
    b = first.coef_at(first.best("bic"))[0]
    assert (b == 0).any()
    with np.errstate(divide="ignore"):
        assert factors(path) == pytest.approx(1.0 / np.abs(b), rel=1e-9)


def test_adaptive_is_the_lasso_on_weighted_columns() -> None:
    X, y = problem("gaussian", 3, 60, 8)
    path = fastreg.adaptive_path(X, y, weights="ridge", alphas=6)
    v = factors(path)
    plain = fastreg.lasso_path(X / v, y, alphas=path.alphas, fit_intercept=True)
    assert path.coefs == pytest.approx(plain.coefs / v[:, None], rel=1e-8, abs=1e-10)


def test_units_of_columns_do_not_matter_when_standardising() -> None:
    X, y = problem("binomial", 4, 60, 8)
    scale = np.geomspace(0.01, 100.0, 8)
    for how in ("ridge", "lasso"):
        options: dict[str, Any] = {"family": "binomial", "weights": how, "standardize": True, "alphas": 5}
        one, other = fastreg.adaptive_path(X, y, **options), fastreg.adaptive_path(X * scale, y, **options)
        assert other.alphas == pytest.approx(one.alphas, rel=1e-5)
        assert other.coefs * scale[:, None] == pytest.approx(one.coefs, rel=1e-3, abs=1e-5)


@pytest.mark.parametrize("how", ["ridge", "lasso"])
def test_training_weights_leave_rows_out(how: str) -> None:
    X, y = problem("gaussian", 5)
    kept = np.arange(50) % 4 > 0
    study = fastreg.lasso_path(X, y, alphas=3, fit_intercept=True, standardize=True).source.study()
    alone = fastreg.lasso_path(
        X[kept], y[kept], alphas=3, fit_intercept=True, standardize=True
    ).source.study()
    part = adaptive_factors(study, how, kept.astype(float))
    assert part == pytest.approx(adaptive_factors(alone, how), rel=1e-6)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("how", ["ridge", "lasso"])
def test_every_family_has_a_first_fit(family: str, how: str) -> None:
    X, y = problem(family, 6)
    factor = np.ones(12)
    factor[4], factor[7] = 0.0, np.inf
    path = fastreg.adaptive_path(X, y, family=family, weights=how, penalty_factor=factor, alphas=4, eps=0.1)
    found = factors(path)
    assert found[4] == 0.0
    assert np.isinf(found[7])
    assert (found[np.arange(12) != 4] > 0.0).all()
    assert path.status is fastreg.Status.CONVERGED
    # The result knows its own factors: what is derived from it uses them.
    assert path.refit().family == path.family


def test_sparse_columns_weigh_as_dense_ones() -> None:
    X, y = problem("gaussian", 7)
    X = np.where(np.abs(X) > 1.0, X, 0.0)
    dense = fastreg.adaptive_path(X, y, alphas=4)
    sparse = fastreg.adaptive_path(scipy.sparse.csc_array(X), y, alphas=4)
    assert factors(sparse) == pytest.approx(factors(dense), rel=1e-7)


def test_nothing_found_first_leaves_nothing() -> None:
    rng = np.random.default_rng(8)
    X = rng.standard_normal((40, 5))
    path = fastreg.adaptive_path(X, np.full(40, 3.0), weights="lasso", alphas=3)
    assert np.isinf(factors(path)).all()
    assert not path.coefs.any()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"weights": "enet"}, 'weights must be "ridge", "lasso" or an array'),
        ({"weights": [1.0, 2.0]}, r"weights must have shape \(12,\)"),
        ({"weights": -np.ones(12)}, "weights must be >= 0"),
        ({"power": -1.0}, "power must be a finite number >= 0"),
    ],
)
def test_what_cannot_be_a_weight_is_refused(options: dict[str, Any], message: str) -> None:
    X, y = problem("gaussian")
    with pytest.raises(fastreg.DataError, match=message):
        fastreg.adaptive_path(X, y, **options)


@pytest.mark.parametrize("seed", [1, 4, 6, 11])
def test_a_first_ridge_is_the_same_on_masked_and_on_copied_rows(seed: int) -> None:
    # Where columns span all rows GCV was a difference of equal numbers: rounding chose its minimum.
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((60, 80))
    y = rng.poisson(np.exp(X[:, 0] - X[:, 1])).astype(float)
    train = np.arange(60) % 4 != 0
    options: dict[str, Any] = {"family": "poisson", "weights": "ridge", "alphas": [0.05], "tol": 1e-12}
    masked = fastreg.adaptive_path(X, y, sample_weight=train.astype(float), **options)
    copied = fastreg.adaptive_path(X[train], y[train], **options)
    assert masked.coefs[:, 0] == pytest.approx(copied.coefs[:, 0], abs=1e-7)


@pytest.mark.parametrize("how", ["ridge", "lasso"])
def test_columns_of_any_size_weigh_the_same_when_standardising(how: str) -> None:
    X, y = problem("gaussian")
    own = fastreg.adaptive_path(X, y, weights=how, standardize=True, alphas=5)
    tiny = fastreg.adaptive_path(X * 2.0**-660, y, weights=how, standardize=True, alphas=5)
    assert np.allclose(factors(tiny), factors(own), rtol=1e-7)
    assert np.allclose(np.ldexp(tiny.coefs, -660), own.coefs, rtol=1e-6, atol=1e-9)
