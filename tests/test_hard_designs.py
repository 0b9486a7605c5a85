"""Designs that make active sets cycle: near copies, exact copies, ties, wild scales, genotypes with linkage.

Default settings, every alpha of the path assessed by certify, and the work bounded: a cycle that ends by a
limit of rounds would still be certified, but not within these counts.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
import scipy.sparse
from scipy.linalg import hadamard
from scipy.special import ndtri

import fastreg
from fastreg.certify import certify

pytestmark = pytest.mark.compiled_only

Rng = np.random.Generator


def neighbours(rng: Rng) -> Any:
    """AR(1) with correlation 0.99: the right feature and its neighbours can hardly be told apart."""
    X = rng.standard_normal((120, 1500))
    for j in range(1, X.shape[1]):
        X[:, j] = 0.99 * X[:, j - 1] + np.sqrt(1.0 - 0.99**2) * X[:, j]
    return X


def copies(rng: Rng) -> Any:
    """Every column three times, the blocks far apart: solutions are not unique."""
    return np.tile(rng.standard_normal((80, 200)), 3)


def gene_blocks(rng: Rng) -> Any:
    """Blocks of 20 columns with correlation 0.95 inside, none between: genes of one pathway."""
    shared = np.repeat(rng.standard_normal((80, 50)), 20, axis=1)
    return np.sqrt(0.95) * shared + np.sqrt(0.05) * rng.standard_normal(shared.shape)


def scales(rng: Rng) -> Any:
    """Columns of sizes from 1e-4 to 1e4."""
    return rng.standard_normal((80, 600)) * 10.0 ** rng.uniform(-4.0, 4.0, 600)


def genotypes(rng: Rng, n: int = 120, p: int = 1000, commonest: float = 0.5) -> Any:
    """Counts 0, 1, 2 of an allele (int8), linked in runs of 50 loci: many equal columns, rare variants."""
    cut = ndtri(np.clip(commonest * rng.beta(0.3, 1.5, size=p), 0.5 / n, 0.5))
    counts = np.zeros((n, p), np.int8)
    for _ in range(2):
        ancestor = np.zeros(n)
        for j in range(p):
            is_fresh = rng.random(n) < (0.02 if j % 50 else 1.0)
            ancestor = np.where(is_fresh, rng.standard_normal(n), ancestor)
            counts[:, j] += ancestor < cut[j]
    return counts


def rare_variants(rng: Rng) -> Any:
    """Genotypes of a few carriers each: short columns, many of them equal."""
    return genotypes(rng, 400, 1200, commonest=0.02)


def signs(rng: Rng) -> Any:
    """Entries +-1; the second half repeats the first, half of it with the other sign."""
    X = rng.choice([-1.0, 1.0], size=(60, 200))
    return np.hstack([X, X * np.repeat([1.0, -1.0], 100)])


# Design, whether columns are standardised, and the most rounds per alpha (gradients and sweeps): about 1.2
# times what the elastic net takes in CSC, the costliest of the four. A cycle takes hundreds at one alpha.
DESIGNS: dict[str, tuple[Callable[[Rng], Any], bool, float]] = {
    # A feature gives way to its neighbour and that one to the next: most rounds of all.
    "neighbours": (neighbours, False, 4.7),
    # Copies of who is in the support do not enter, so they cost nothing.
    "copies": (copies, False, 2.3),
    "gene blocks": (gene_blocks, False, 4.0),
    # Large columns enter at once and small ones never: the same rounds as columns of one size.
    "scales": (scales, False, 2.9),
    "scales, standardised": (scales, True, 2.2),
    # The support of the elastic net outgrows the factor of short columns: some sweeps.
    "genotypes": (genotypes, False, 4.3),
    "genotypes, standardised": (genotypes, True, 4.4),
    "signs": (signs, False, 2.1),
}
RARE: dict[str, tuple[Callable[[Rng], Any], bool, float]] = {
    "rare variants": (rare_variants, False, 5.0),
    "rare variants, standardised": (rare_variants, True, 4.8),
}
STORES = {"dense": np.asarray, "csc": scipy.sparse.csc_array}
# Dense lasso paths end at rounding level, whatever the tolerance; elsewhere tol, and rounding.
EXACT, DEFAULT = 1e-9, 1.01e-7
# Rounds at any one alpha: 9 are the most that were seen without a descent.
MOST_ROUNDS = 14
# Trades of a feature for a combination of others: one or two where columns are equal.
MOST_SWAPS = 4


@cache
def problem(name: str) -> tuple[Any, Any]:
    """Return a design and a response: 15 features of equal weight, and noise of a fifth of their variance."""
    rng = np.random.default_rng(20)
    X = (DESIGNS | RARE)[name][0](rng)
    chosen = rng.choice(np.flatnonzero(X.std(axis=0) > 0), size=15, replace=False)
    signal = (X[:, chosen] / X[:, chosen].std(axis=0)) @ rng.choice([-1.0, 1.0], size=15)
    return X, signal + rng.standard_normal(X.shape[0]) * np.sqrt(signal.var() / 5.0)


def solved(X: Any, y: Any, worst: float, standardize: bool = False, **options: Any) -> fastreg.PathResult:
    """Return the path after an independent assessment of every alpha, without a warning on the way."""
    stored = X.copy()
    path = fastreg.enet_path(X, y, fit_intercept=True, standardize=standardize, **options)
    assert path.status is fastreg.Status.CONVERGED
    assert len(path.alphas) == 100
    claim = certify(X, y, path, fit_intercept=True, standardize=standardize)
    assert np.all(claim.feasible)
    assert claim.worst <= worst
    assert (stored != X).sum() == 0
    return path


def rounds(path: fastreg.PathResult) -> float:
    """Return the rounds per alpha, of the factor and of descent."""
    counts: dict[str, Any] = dict(path.counters)
    return float(counts["gradients"] + counts["sweeps"]) / len(path.alphas)


@pytest.mark.parametrize("name", DESIGNS)
@pytest.mark.parametrize("l1_ratio", [1.0, 0.5])
@pytest.mark.parametrize("store", STORES)
def test_every_alpha_is_certified_in_bounded_work(name: str, l1_ratio: float, store: str) -> None:
    X, y = problem(name)
    _, standardize, most = DESIGNS[name]
    worst = EXACT if l1_ratio == 1.0 and store == "dense" else DEFAULT
    path = solved(STORES[store](X), y, worst, standardize, l1_ratio=l1_ratio)
    assert rounds(path) <= most
    assert path.n_iter.max() <= MOST_ROUNDS
    assert path.counters["swaps"] <= MOST_SWAPS
    # Violators outside the working set at three alphas of ten, at most.
    assert path.counters["screenings"] <= 1.35 * len(path.alphas)
    # Twice in and once out, at most: nobody comes and goes.
    assert path.counters["entered"] <= 2.7 * path.n_nonzero.max()
    if l1_ratio == 1.0:
        # Columns of a support are independent of each other and of the intercept's.
        assert path.n_nonzero.max() < X.shape[0]


@pytest.mark.parametrize("name", ["copies", "signs"])
def test_of_equal_columns_one_is_used(name: str) -> None:
    X, y = problem(name)
    coefs = solved(X, y, EXACT, l1_ratio=1.0).coefs
    period = 200
    used = (coefs.reshape(-1, period, coefs.shape[1]) != 0).sum(axis=0)
    assert used.max() == 1


def test_features_that_tie_enter_together() -> None:
    # Orthogonal columns of +-1, every one twice, and no noise: all correlations of one sign and size tie.
    X = np.tile(hadamard(64)[:, 1:].astype(np.float64), 2)
    y = X[:, :20] @ np.repeat([2.0, -1.0], 10)
    path = solved(X, y, EXACT, l1_ratio=1.0)
    assert path.n_nonzero.max() == 20
    assert rounds(path) <= 1.5
    assert path.counters["entered"] == 20
    assert path.counters["left"] == 0


@pytest.mark.parametrize("name", RARE)
def test_rare_variants_by_a_factor(name: str) -> None:
    X, y = problem(name)
    path = solved(np.asarray(X), y, EXACT, RARE[name][1], l1_ratio=1.0)
    assert rounds(path) <= RARE[name][2]
    assert path.n_iter.max() <= MOST_ROUNDS
    assert path.counters["swaps"] <= MOST_SWAPS


@pytest.mark.parametrize("name", RARE)
def test_rare_variants_by_descent(name: str) -> None:
    X, y = problem(name)
    path = solved(scipy.sparse.csc_array(X), y, DEFAULT, RARE[name][1], l1_ratio=0.5)
    # Half of the path is descent: a sweep finds the signs, conjugate gradients the rest.
    assert path.counters["sweeps"] > 0
    assert rounds(path) <= 6.3


def test_where_descent_stalls_the_factor_takes_over_again() -> None:
    # Linked columns of few entries: descent took 2042 rounds at alpha 84 and ended at a gap of 1.5e-4.
    X, y = problem("rare variants, standardised")
    path = solved(scipy.sparse.csc_array(X), y, DEFAULT, True, l1_ratio=1.0)
    assert path.counters["sweeps"] > 0
    # The stalled alpha's rounds, and those of the factor as for the dense copy of X.
    assert path.n_iter.max() <= 150
    assert rounds(path) <= 8.0


def test_gaps_in_gram_space_count_the_rounding_of_what_cancels() -> None:
    # G beta is far larger than the residual's correlations, and rounds as what it is.
    rng = np.random.default_rng(5)
    X = rng.standard_normal((60, 1)) + 1e-2 * rng.standard_normal((60, 4))
    y = 100.0 * X @ [1.0, -1.0, 1.0, -1.0]
    path = fastreg.lasso_path(X, y, alphas=[1e-3], fit_intercept=False)
    weights = np.abs(path.coefs[:, 0])
    terms = weights @ (np.abs(X.T @ y / 60) + np.abs(X.T @ X / 60) @ weights)
    assert path.dual_gaps[0] >= 2.0**-53 * terms
