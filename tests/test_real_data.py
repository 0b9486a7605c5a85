"""Real problems end to end: every alpha of a 100-point path to alpha_max/100, re-assessed by certify."""

from __future__ import annotations

import gzip
import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastreg
from fastreg.certify import certify

pytestmark = pytest.mark.compiled_only


def gene_expression(load_data: Any, name: str) -> tuple[Any, Any]:
    data = load_data(name)
    X, y = np.asfortranarray(data["X"], dtype=np.float64), np.array(data["y"], dtype=np.float64).ravel()
    return X, y


@pytest.mark.parametrize("name", ["leukemia", "riboflavin"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_gene_expression_at_default_settings(name: str, dtype: Any, load_data: Any) -> None:
    X, y = gene_expression(load_data, name)
    X = X.astype(dtype)
    options: dict[str, Any] = {"fit_intercept": True, "standardize": True}
    path = fastreg.lasso_path(X, y, eps=1e-2, **options)
    claim = certify(X, y, path, **options)
    assert path.status is fastreg.Status.CONVERGED
    assert len(path.alphas) == 100
    assert path.alphas[-1] == pytest.approx(path.alphas[0] / 100, rel=1e-12)
    assert claim.worst <= 1e-9
    # "Exact" is the product's promise for dense data: most alphas at rounding level.
    assert np.median(claim.relative_gap) <= 1e-12
    assert np.all(path.relative_gaps <= path.tol)
    assert path.null_objective == pytest.approx(claim.null_objective, rel=1e-9)
    assert not (claim.proven_zero & (path.coefs != 0)).any()


def test_leukemia_reads_few_columns(load_data: Any) -> None:
    X, y = gene_expression(load_data, "leukemia")
    path = fastreg.lasso_path(X, y, eps=1e-2, fit_intercept=True, standardize=True)
    whole = path.counters["columns_read"]
    assert isinstance(whole, int)
    assert whole <= 8 * X.shape[1]
    # A path of one alpha must not cost what a whole path does: nothing is hidden outside the counter.
    short = fastreg.lasso_path(X, y, alphas=path.alphas[:1], fit_intercept=True, standardize=True)
    part = short.counters["columns_read"]
    assert isinstance(part, int)
    assert 0 <= part <= whole


def test_inputs_stay_untouched_on_real_data(load_data: Any) -> None:
    X, y = gene_expression(load_data, "riboflavin")
    before = [hashlib.sha256(a.tobytes(order="K")).hexdigest() for a in (X, y)]
    fastreg.lasso_path(X, y, eps=1e-2, alphas=20, fit_intercept=True, standardize=True)
    assert [hashlib.sha256(a.tobytes(order="K")).hexdigest() for a in (X, y)] == before


def film_reviews(folder: Path) -> tuple[Any, Any]:
    """Return the TF-IDF matrix of benchmarks: 10662 x 29260, positive sentences first."""
    vectorizer = pytest.importorskip("sklearn.feature_extraction.text").TfidfVectorizer
    lines: list[str] = []
    counts = []
    for part in ("pos", "neg"):
        path = folder / f"rt-polarity.{part}.gz"
        # As in conftest: a folder of one's own need not hold all of them.
        if not path.is_file():
            pytest.skip(f"{path.name} is not in {folder}")
        with gzip.open(path, "rt", encoding="latin-1", newline="\n") as stream:
            sentences = stream.read().rstrip("\n").split("\n")
        lines += sentences
        counts.append(len(sentences))
    X = vectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True).fit_transform(lines)
    return X.tocsc(), np.repeat([1.0, 0.0], counts)


def test_film_reviews_sparse(data_folder: Path) -> None:
    X, y = film_reviews(data_folder)
    assert X.shape == (10662, 29260)
    assert X.nnz == 265736
    stored = X.data.copy()
    options: dict[str, Any] = {"fit_intercept": True}
    path = fastreg.lasso_path(X, y, eps=1e-2, tol=1e-9, **options)
    assert path.status is fastreg.Status.CONVERGED
    assert len(path.alphas) == 100
    claim = certify(X, y, path, **options)
    assert claim.worst <= 1e-9
    assert np.all(path.relative_gaps <= 1e-9)
    np.testing.assert_array_equal(X.data, stored)


def test_autoregressive_design_is_certified() -> None:
    rng = np.random.default_rng(0)
    n, p, rho = 200, 5000, 0.9
    X = np.empty((n, p), order="F")
    X[:, 0] = rng.normal(size=n)
    for j in range(1, p):
        X[:, j] = rho * X[:, j - 1] + np.sqrt(1 - rho**2) * rng.normal(size=n)
    y = X[:, :: p // 20] @ rng.choice([-1.0, 1.0], size=20) + rng.normal(size=n)
    path = fastreg.lasso_path(X, y, eps=1e-2, fit_intercept=True)
    assert certify(X, y, path, fit_intercept=True).worst <= 1e-9


@pytest.mark.parametrize("l1_ratio", [1.0, 0.5, 0.0])
def test_tall_design_is_certified(l1_ratio: float) -> None:
    rng = np.random.default_rng(1)
    X = np.asfortranarray(rng.normal(size=(5000, 100)) + 1.0)
    y = X[:, :10].sum(axis=1) + rng.normal(size=5000)
    solve = fastreg.ridge_path if l1_ratio == 0.0 else fastreg.enet_path
    extra: dict[str, Any] = {} if l1_ratio == 0.0 else {"l1_ratio": l1_ratio}
    path = solve(X, y, eps=1e-3, tol=1e-10, fit_intercept=True, **extra)
    claim = certify(X, y, path, fit_intercept=True)
    assert claim.l1_ratio == l1_ratio
    assert claim.worst <= 1e-10
