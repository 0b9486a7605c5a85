"""Small cases for pytest-benchmark, and checks of the named problems.

``pytest benchmarks --benchmark-disable`` runs everything once, without peers, data or timing; ``pytest
benchmarks`` times fastreg on the small cases, for a quick look at a change. Figures that are reported come
from run.py.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import summary
from benchmarks.problems import (
    CASES,
    HARD,
    SMOKE,
    autoregressive,
    duplicates,
    expand,
    gene_blocks,
    genotypes,
    load,
    scales,
)
from fastreg.bench.accuracy import assess
from fastreg.bench.peers import OURS, Peer, make
from fastreg.bench.problem import Problem


@pytest.fixture(scope="module")
def ours() -> Peer:
    return make(OURS)


@pytest.mark.parametrize("case", SMOKE)
def test_path_on_a_small_case(benchmark: Any, ours: Peer, case: str) -> None:
    problem = load(case)
    tol = min(ours.ladder(problem))
    coefs, _ = benchmark(ours.solve, problem, problem.alphas, tol)
    (accuracy,) = assess(problem, problem.alphas, [coefs])
    assert accuracy.worst_gap <= tol


SMALL: dict[str, Callable[[], Problem]] = {
    **{case: CASES[case] for case in SMOKE},
    "duplicates": lambda: duplicates("duplicates", 50, 120, seed=1),
    "gene_blocks": lambda: gene_blocks("gene_blocks", 50, 120, seed=2),
    "scales": lambda: scales("scales", 50, 120, seed=3),
    "genotypes": lambda: genotypes("genotypes", 50, 120, seed=4),
}


@pytest.mark.parametrize("case", SMALL)
def test_problems_are_seeded_and_normalised(case: str) -> None:
    first, second = SMALL[case](), SMALL[case]()
    assert np.array_equal(first.y, second.y)
    assert (first.X != second.X).sum() == 0
    assert abs(first.y.mean()) < 1e-12
    assert len(first.alphas) == 100
    assert first.alphas[-1] == pytest.approx(first.alphas[0] / 100)
    if not first.is_sparse:
        assert first.X.flags.f_contiguous
        size = np.sqrt((first.X**2).mean(axis=0))
        assert np.abs(first.X.mean(axis=0) / size).max() < 1e-12
        # The one case whose columns differ in size, which is what it is there for.
        assert (np.ptp(np.log10(size)) > 6.0) if case == "scales" else (np.abs(size - 1.0).max() < 1e-12)


def test_autoregressive_columns_have_the_correlation_asked_for() -> None:
    problem = autoregressive("long", 4000, 6, 0.8, support=2, snr=5.0, seed=5)
    correlation = problem.X.T @ problem.X / problem.n
    expected = 0.8 ** np.abs(np.subtract.outer(np.arange(6), np.arange(6)))
    assert np.abs(correlation - expected).max() < 0.05


def test_hard_designs_are_what_they_are_called() -> None:
    X = SMALL["duplicates"]().X
    assert np.array_equal(X[:, :40], X[:, 40:80])
    assert np.array_equal(X[:, :40], X[:, 80:])
    X = SMALL["gene_blocks"]().X
    correlation = X.T @ X / len(X)
    assert correlation[:20, :20].min() > 0.8
    assert np.abs(correlation[:20, 20:]).max() < 0.8
    X = SMALL["genotypes"]().X
    counts = [np.unique(column.round(9)).size for column in X.T]
    assert set(counts) == {2, 3}
    assert np.unique(X.round(9), axis=1).shape[1] < X.shape[1]


@pytest.mark.parametrize("case", [case for case in SMALL if case not in SMOKE])
def test_hard_designs_are_solved(ours: Peer, case: str) -> None:
    problem = SMALL[case]()
    tol = min(ours.ladder(problem))
    coefs, _ = ours.solve(problem, problem.alphas, tol)
    (accuracy,) = assess(problem, problem.alphas, [coefs])
    assert accuracy.worst_gap <= tol


def test_groups_expand_without_repeats() -> None:
    assert expand(["genes", "leukemia"]) == ["leukemia", "riboflavin", "khan"]
    assert tuple(expand(["hard"])) == HARD
    assert not set(HARD + SMOKE) & set(expand(["all"]))


def test_an_unknown_case_is_named() -> None:
    with pytest.raises(KeyError, match="unknown case 'nonsense'"):
        load("nonsense")


def test_the_readme_shows_the_stored_figures() -> None:
    readme = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    assert summary.table() in readme
