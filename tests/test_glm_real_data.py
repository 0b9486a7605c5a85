"""Real problems of every loss: 100 alphas to alpha_max/50 at tol = 1e-8, each gap re-assessed by certify."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_real_data import film_reviews

import fastreg
from fastreg.certify import certify

pytestmark = pytest.mark.compiled_only

TOL, EPS, ALPHAS = 1e-8, 1 / 50, 100
# Film reviews are certified at every so many alphas, and at the last.
SOME = 9


def check(door: Any, X: Any, y: Any, *, every: int = 1, **options: Any) -> Any:
    """Return the path once all gaps are within 1e-8 and certify agrees, at every so many alphas."""
    path = door(X, y, alphas=ALPHAS, eps=EPS, tol=TOL, **options)
    assert path.status is fastreg.Status.CONVERGED
    assert len(path.alphas) == ALPHAS
    assert path.alphas[-1] == pytest.approx(path.alphas[0] * EPS, rel=1e-12)
    assert np.all(path.relative_gaps <= TOL)
    kept = np.unique(np.r_[0 : ALPHAS - 1 : every, ALPHAS - 1])
    family = {"family": path.family, "fit_intercept": path.family != "cox"}
    coefs = path.coefs[..., kept]
    claim = certify(X, y, coefs, path.intercepts[..., kept], path.alphas[kept], **family, **options)
    assert claim.feasible.all()
    assert claim.worst <= TOL
    assert claim.null_objective == pytest.approx(path.null_objective, rel=1e-9)
    assert not (claim.proven_zero & (coefs != 0)).any()
    assert np.all(np.diff(path.dev_ratio) >= -1e-6)
    assert not coefs[..., 0].any()
    return path


def gene_expression(load_data: Any, name: str) -> tuple[Any, Any]:
    data = load_data(name)
    return np.asfortranarray(data["X"], dtype=np.float64), np.asarray(data["y"])


@pytest.mark.parametrize("standardize", [False, True])
def test_leukemia_logistic(standardize: bool, load_data: Any) -> None:
    X, y = gene_expression(load_data, "leukemia")
    path = check(fastreg.logistic_path, X, y, standardize=standardize)
    assert path.classes == (1.0, 2.0)
    assert path.dev_ratio[-1] > 0.9


def test_leukemia_logistic_float32(load_data: Any) -> None:
    X, y = gene_expression(load_data, "leukemia")
    check(fastreg.logistic_path, X.astype(np.float32), y, every=SOME, standardize=True)


@pytest.mark.parametrize("l1_ratio", [0.5, 0.0])
def test_leukemia_elastic_net_and_ridge(l1_ratio: float, load_data: Any) -> None:
    X, y = gene_expression(load_data, "leukemia")
    options: dict[str, Any] = {"l1_ratio": l1_ratio, "standardize": True}
    path = fastreg.logistic_path(X, y, alphas=20, eps=EPS, tol=TOL, **options)
    assert path.status is fastreg.Status.CONVERGED
    assert certify(X, y, path, fit_intercept=True, standardize=True).worst <= TOL


@pytest.mark.parametrize("door", [fastreg.logistic_path, fastreg.squared_hinge_path])
def test_film_reviews(door: Any, data_folder: Path) -> None:
    X, y = film_reviews(data_folder)
    stored = X.data.copy()
    check(door, X, y, every=SOME)
    np.testing.assert_array_equal(X.data, stored)


@pytest.mark.parametrize("grouped", [False, True])
def test_khan_multinomial(grouped: bool, load_data: Any) -> None:
    # 63 tumours of four kinds to learn from; the other 20 are told apart.
    X, y = gene_expression(load_data, "khan")
    train, test = np.asfortranarray(X[:63]), X[63:]
    path = check(fastreg.multinomial_path, train, y[:63], grouped=grouped, standardize=True)
    assert path.n_outputs == 4
    guesses = path.predict(test, alpha=path.alphas[-1], kind="class")
    assert (guesses == y[63:]).mean() >= 0.9


def digits() -> tuple[Any, Any]:
    data = pytest.importorskip("sklearn.datasets").load_digits()
    return np.asfortranarray(data.data), data.target


def test_digits_multinomial() -> None:
    X, y = digits()
    assert X.shape == (1797, 64)
    path = check(fastreg.multinomial_path, X, y, grouped=False)
    right = (path.predict(X, alpha=path.alphas[-1], kind="class") == y).mean()
    assert right > 0.9


def test_digits_multinomial_grouped() -> None:
    X, y = digits()
    path = check(fastreg.multinomial_path, X, y, grouped=True)
    # A pixel enters for all ten digits at once.
    on = path.coefs[..., -1] != 0
    assert np.array_equal(on.any(axis=0), on.all(axis=0))


def test_breast_cancer_with_interactions() -> None:
    # 30 measurements and their 435 products, on scales from 1e-3 to 1e6.
    data = pytest.importorskip("sklearn.datasets").load_breast_cancer()
    pairs = pytest.importorskip("sklearn.preprocessing").PolynomialFeatures(
        2, interaction_only=True, include_bias=False
    )
    X = np.asfortranarray(pairs.fit_transform(data.data))
    assert X.shape == (569, 465)
    path = check(fastreg.logistic_path, X, data.target, standardize=True)
    assert path.dev_ratio[-1] > 0.7


def test_glmnet_poisson(load_data: Any) -> None:
    X, y = gene_expression(load_data, "glmnet_poisson")
    check(fastreg.poisson_path, X, y)


@pytest.mark.parametrize("ties", ["breslow", "efron"])
def test_glmnet_cox(ties: str, load_data: Any) -> None:
    X, y = gene_expression(load_data, "glmnet_cox")
    check(fastreg.cox_path, X, y, ties=ties)


def test_glmnet_multinomial_and_several_responses(load_data: Any) -> None:
    X, y = gene_expression(load_data, "glmnet_multinomial")
    for grouped in (False, True):
        check(fastreg.multinomial_path, X, y, grouped=grouped)
    check(fastreg.multitask_path, *gene_expression(load_data, "glmnet_multigaussian"))


def test_riboflavin_robust(load_data: Any) -> None:
    X, y = gene_expression(load_data, "riboflavin")
    y = y.astype(np.float64).ravel()
    y[:5] += 10.0
    path = fastreg.huber_path(X, y, alphas=ALPHAS, eps=EPS, tol=TOL, standardize=True)
    assert path.status is fastreg.Status.CONVERGED
    assert certify(X, y, path, fit_intercept=True, standardize=True).worst <= TOL
