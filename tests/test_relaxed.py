"""Refits and relaxed paths against normal equations, score equations and minimum norms written down here."""

from __future__ import annotations

import io
import pickle
from typing import Any

import numpy as np
import pytest
import scipy.optimize
import scipy.sparse

import fastreg
from fastreg.selection import unpenalised
from fastreg.selection.relaxed import blend, refit, relaxed

LABELS = ("binomial", "squared_hinge", "multinomial")


def problem(family: str, seed: int = 0, n: int = 50, p: int = 12) -> tuple[Any, Any]:
    """Return X and a response that three features decide in part."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p)) * rng.uniform(0.5, 2.0, p) + rng.standard_normal(p)
    eta = (X - X.mean(axis=0))[:, :3] @ np.array([0.6, -0.5, 0.4])
    noisy = eta + rng.logistic(size=n)
    y = {
        "gaussian": eta + rng.standard_normal(n),
        "binomial": (noisy > 0).astype(int),
        "squared_hinge": (noisy > 0).astype(int),
        "multinomial": np.digitize(noisy, [-0.8, 0.8]),
        "poisson": rng.poisson(np.exp(np.clip(eta, -3, 2))),
        "huber": eta + rng.standard_t(2, size=n),
        "cox": np.column_stack([rng.exponential(np.exp(-eta)), rng.random(n) < 0.7]),
        "mgaussian": np.column_stack([eta, -eta]) + rng.standard_normal((n, 2)),
    }[family]
    return X, y


def least_squares(X: Any, y: Any, w: Any, intercept: bool) -> Any:
    """Return (b0, b) of weighted least squares by an orthogonal factorisation."""
    T = np.column_stack([np.ones(len(y)) if intercept else np.zeros(len(y)), X])
    root = np.sqrt(w)
    return np.linalg.lstsq(root[:, None] * T, root * y, rcond=1e-12)[0]


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("standardize", [True, False])
def test_least_squares_refits(intercept: bool, standardize: bool) -> None:
    X, y = problem("gaussian")
    rng = np.random.default_rng(1)
    w, o = rng.uniform(0.2, 2.0, 50) * (np.arange(50) % 7 > 0), rng.standard_normal(50)
    factor = np.where(np.arange(12) == 5, 0.0, np.where(np.arange(12) == 6, np.inf, 1.0))
    path = fastreg.lasso_path(
        X, y, alphas=15, fit_intercept=intercept, standardize=standardize, sample_weight=w, offset=o,
        penalty_factor=factor,
    )  # fmt: skip
    fitted = path.refit()
    null = w @ (y - o - intercept * (w @ (y - o) / w.sum())) ** 2
    for k in range(15):
        support = np.union1d(path.selected(path.alphas[k]), [5])
        direct = least_squares(X[:, support], y - o, w, intercept)
        assert fitted.coefs[support, k] == pytest.approx(direct[1:], rel=1e-9, abs=1e-10)
        assert fitted.intercepts[k] == pytest.approx(direct[0], rel=1e-9, abs=1e-9)
        assert np.count_nonzero(fitted.coefs[:, k]) <= support.size
        left = y - o - fitted.intercepts[k] - X @ fitted.coefs[:, k]
        assert fitted.dev_ratio[k] == pytest.approx(1.0 - w @ left**2 / null, abs=1e-10)
    assert fitted.dual_gaps.max() < 1e-20
    assert np.array_equal(fitted.alphas, path.alphas)
    assert "without penalty" in repr(fitted)


@pytest.mark.parametrize("family", ["gaussian", "binomial", "poisson", "cox", "multinomial", "mgaussian"])
def test_gamma_blends_the_path_and_its_refit(family: str) -> None:
    X, y = problem(family)
    path = fastreg.glm_path(X, y, family=family, alphas=6, eps=0.05)
    fitted = path.refit()
    assert np.array_equal(path.relax(1.0).coefs, path.coefs)
    assert np.array_equal(path.relax(0.0).coefs, fitted.coefs)
    half = path.relax(0.3)
    assert half.coefs == pytest.approx(0.3 * path.coefs + 0.7 * fitted.coefs, rel=1e-12, abs=1e-13)
    assert half.intercepts == pytest.approx(0.3 * path.intercepts + 0.7 * fitted.intercepts, rel=1e-12)
    # Losses are convex: what is explained lies above the line between the two.
    assert (half.dev_ratio >= 0.3 * path.dev_ratio + 0.7 * fitted.dev_ratio - 1e-10).all()
    assert (fitted.dev_ratio >= path.dev_ratio - 1e-9).all()
    assert (fitted.dual_gaps <= 1e-10 * path.null_objective).all()
    if family == "cox":
        assert half.predict_survival(X[:2], times=[0.5], alpha=half.alphas[-1]).shape == (2, 1)


@pytest.mark.parametrize("family", ["binomial", "poisson", "huber", "squared_hinge", "multinomial"])
def test_refits_solve_the_score_equations(family: str) -> None:
    X, y = problem(family, n=60)
    w = np.random.default_rng(2).uniform(0.5, 2.0, 60)
    path = fastreg.glm_path(X, y, family=family, alphas=5, eps=0.1, sample_weight=w)
    fitted = path.refit()
    assert "ridge" not in fitted.status_note
    for k, alpha in enumerate(path.alphas):
        support = path.selected(alpha)
        T = np.column_stack([np.ones(60), X[:, support]])
        eta = fitted.predict(X, alpha=alpha, kind="link")
        if family == "multinomial":
            residual = (y[:, None] == np.arange(3)) - fitted.predict(X, alpha=alpha)
        else:
            residual = {
                "binomial": y - 1.0 / (1.0 + np.exp(-eta)),
                "poisson": y - np.exp(eta),
                "huber": np.clip(y - eta, -fitted.delta, fitted.delta),
                "squared_hinge": (2 * y - 1) * np.maximum(1.0 - (2 * y - 1) * eta, 0.0),
            }[family][:, None]
        assert np.abs(T.T @ (w[:, None] * residual)).max() < 1e-6 * np.abs(T).max() * w.sum()
        assert fitted.n_nonzero[k] == path.n_nonzero[k]


def test_cox_refits_maximise_the_partial_likelihood() -> None:
    X, y = problem("cox")
    path = fastreg.cox_path(X, y, alphas=4, eps=0.1)
    fitted = path.refit()
    support = path.selected(path.alphas[-1])

    def minus_log(b: Any) -> float:
        eta = X[:, support] @ b
        risk = [np.log(np.exp(eta[y[:, 0] >= y[i, 0]]).sum()) - eta[i] for i in np.flatnonzero(y[:, 1])]
        return float(np.sum(risk))

    best = scipy.optimize.minimize(minus_log, np.zeros(support.size), method="BFGS", options={"gtol": 1e-6})
    assert fitted.coefs[support, -1] == pytest.approx(best.x, abs=1e-4)
    assert minus_log(fitted.coefs[support, -1]) <= best.fun + 1e-8


@pytest.mark.compiled_only
def test_cox_refits_beyond_what_exponentials_can_hold_are_held_by_a_firmer_ridge() -> None:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((60, 150))
    alive = rng.exponential(np.exp(X[:, 1] - X[:, 0]))
    left = rng.exponential(1.5, 60)
    path = fastreg.cox_path(X, np.column_stack([np.minimum(alive, left), alive <= left]), alphas=25, eps=0.02)
    fitted = path.refit()
    assert "with a ridge of" in fitted.status_note
    assert np.isfinite(fitted.coefs).all()
    assert fitted.dual_gaps.max() <= 1e-6 * path.null_objective


@pytest.mark.compiled_only
def test_a_refit_does_not_depend_on_the_alphas_before() -> None:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((40, 30))
    rng.logistic(size=40), rng.poisson(np.exp(2 * X[:, 0] - 1))
    y = np.c_[rng.exponential(np.exp(-2 * X[:, 0])), rng.random(40) < 0.6]
    path = fastreg.cox_path(X, y, alphas=15, eps=0.02, tol=1e-10)
    alone = fastreg.cox_path(X, y, alphas=path.alphas[-1:], tol=1e-10)
    assert alone.relax(0.0).coefs[:, 0] == pytest.approx(path.relax(0.0).coefs[:, -1], rel=1e-6)


def test_several_responses_share_a_support() -> None:
    X, Y = problem("mgaussian")
    path = fastreg.multitask_path(X, Y, alphas=5, eps=0.1)
    fitted = path.refit()
    support = path.selected(path.alphas[-1])
    for c in range(2):
        direct = least_squares(X[:, support], Y[:, c], np.ones(50), True)
        assert fitted.coefs[c, support, -1] == pytest.approx(direct[1:], rel=1e-9)
        assert fitted.intercepts[c, -1] == pytest.approx(direct[0], rel=1e-9)


def test_dependent_columns_get_the_shortest_solution() -> None:
    X, y = problem("gaussian", n=10, p=30)
    path = fastreg.enet_path(X, y, l1_ratio=0.2, alphas=8, eps=1e-3, fit_intercept=True)
    support = path.selected(path.alphas[-1])
    assert support.size > 10
    fitted = path.refit()
    assert "dependent" in fitted.status_note
    assert fitted.predict(X)[:, -1] == pytest.approx(y, abs=1e-8)
    own = X[:, support] - X[:, support].mean(axis=0)
    scale = own.std(axis=0)
    direct = np.linalg.pinv(own / scale) @ (y - y.mean()) / scale
    assert fitted.coefs[support, -1] == pytest.approx(direct, rel=1e-7, abs=1e-9)
    assert np.isfinite(fitted.coefs).all()


@pytest.mark.parametrize("family", LABELS)
def test_separated_classes_stay_finite_and_say_so(family: str) -> None:
    rng = np.random.default_rng(3)
    X = rng.standard_normal((20, 40))
    y = np.digitize(X[:, 0] + X[:, 1], [-0.7, 0.7]) if family == "multinomial" else (X[:, 0] > 0).astype(int)
    path = fastreg.glm_path(X, y, family=family, alphas=10, eps=0.01)
    fitted = path.refit()
    assert np.isfinite(fitted.coefs).all()
    assert np.isfinite(fitted.dual_gaps).all()
    # The squared hinge has a minimum, zero; a likelihood has none.
    assert ("ridge" in fitted.status_note) is (family != "squared_hinge")
    assert fitted.dev_ratio[-1] > 0.99


def test_bounds_are_kept() -> None:
    X, y = problem("gaussian")
    options: dict[str, Any] = {"alphas": 8, "eps": 0.01, "positive": True, "fit_intercept": False}
    path = fastreg.lasso_path(X, y, **options)
    fitted = path.refit()
    assert (fitted.coefs >= 0.0).all()
    for k in (3, 7):
        support = path.selected(path.alphas[k])
        direct = scipy.optimize.nnls(X[:, support], y)[0]
        assert fitted.coefs[support, k] == pytest.approx(direct, rel=1e-6, abs=1e-8)


def test_sparse_columns_refit_as_dense_ones() -> None:
    X, y = problem("binomial")
    X = np.where(np.abs(X) > 1.0, X, 0.0)
    dense = fastreg.logistic_path(X, y, alphas=5, eps=0.1, tol=1e-12).refit()
    sparse = fastreg.logistic_path(scipy.sparse.csc_array(X), y, alphas=5, eps=0.1, tol=1e-12).refit()
    assert sparse.coefs == pytest.approx(dense.coefs, rel=1e-6, abs=1e-8)


def test_equal_supports_are_fitted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    own = unpenalised.LeastSquares.fit
    monkeypatch.setattr(
        unpenalised.LeastSquares, "fit", lambda self, at: (calls.append(at.size), own(self, at))[1]
    )
    X, y = problem("gaussian")
    path = fastreg.lasso_path(X, y, alphas=60, fit_intercept=True)
    path.refit()
    distinct = {tuple(path.selected(alpha)) for alpha in path.alphas}
    assert len(calls) == len(distinct) < 60


def test_training_weights_leave_rows_out() -> None:
    X, y = problem("gaussian")
    study = fastreg.lasso_path(X, y, alphas=6, fit_intercept=True, standardize=True).source.study()
    kept = np.arange(50) % 5 > 0
    path = study.fit(kept.astype(float), is_part=True)
    half = relaxed(study, path, 0.5, kept.astype(float))
    alone = fastreg.lasso_path(X[kept], y[kept], alphas=path.alphas, fit_intercept=True, standardize=True)
    assert half.coefs == pytest.approx(alone.relax(0.5).coefs, rel=1e-8, abs=1e-10)
    assert half.dev_ratio == pytest.approx(alone.relax(0.5).dev_ratio, abs=1e-9)
    again = blend(study, path, refit(study, path, kept.astype(float)), 0.5, kept.astype(float))
    assert np.array_equal(again.coefs, half.coefs)


def test_a_perfect_null_model_and_an_empty_support() -> None:
    path = fastreg.lasso_path(np.eye(4), np.full(4, 2.0), alphas=[1.0, 0.5], fit_intercept=True)
    fitted = path.refit()
    assert not fitted.coefs.any()
    assert fitted.intercepts == pytest.approx([2.0, 2.0])
    assert fitted.dev_ratio.tolist() == [0.0, 0.0]


@pytest.mark.parametrize("gamma", [-0.1, 1.5, float("nan")])
def test_gamma_lies_between_refit_and_path(gamma: float) -> None:
    path = fastreg.lasso_path(np.eye(3), np.arange(3.0), fit_intercept=True)
    with pytest.raises(fastreg.DataError, match=r"gamma must be a number in \[0, 1\]"):
        path.relax(gamma)


def test_what_follows_a_refit_keeps_its_gamma() -> None:
    X, y = problem("gaussian")
    path = fastreg.lasso_path(X, y, alphas=4, eps=0.05, fit_intercept=True)
    fitted = path.refit()
    k = next(k for k in range(2, 9) if k not in path.n_nonzero)
    found = fitted.with_k_features(k)
    support = found.selected(found.alphas[0])
    assert support.size == k
    assert found.coefs[support, 0] == pytest.approx(least_squares(X[:, support], y, np.ones(50), True)[1:])
    assert np.array_equal(fitted.support().active, path.support().active)
    with pytest.raises(fastreg.DataError, match="relax must be asked of the path itself"):
        fitted.relax(0.5)


def test_a_result_without_data_says_to_fit_again() -> None:
    path = fastreg.lasso_path(np.eye(3), np.arange(3.0), fit_intercept=True)
    copy = pickle.load(io.BytesIO(pickle.dumps(path)))
    with pytest.raises(fastreg.DataError, match="fit again"):
        copy.relax()


@pytest.mark.compiled_only
def test_real_data_refit(load_data: Any) -> None:
    data = load_data("leukemia")
    X, y = np.asfortranarray(data["X"], dtype=np.float64), np.array(data["y"], dtype=np.float64).ravel()
    path = fastreg.lasso_path(X, y, eps=1e-2, fit_intercept=True, standardize=True)
    fitted = path.refit()
    for k in (10, 50, 99):
        support = path.selected(path.alphas[k])
        direct = least_squares(X[:, support], y, np.ones(len(y)), True)
        assert fitted.coefs[support, k] == pytest.approx(direct[1:], rel=1e-6, abs=1e-10)
