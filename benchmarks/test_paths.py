"""Small cases for pytest-benchmark, and checks of the measuring itself.

``pytest benchmarks --benchmark-disable`` runs everything once, without peers, data or timing; ``pytest
benchmarks`` times fastreg on the small cases, for a quick look at a change. Figures that are reported come
from run.py.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import summary
from benchmarks.accuracy import assess
from benchmarks.measure import Comparison, Run
from benchmarks.peers import OURS, PEERS, Peer, Unavailable, make
from benchmarks.problems import SMOKE, Problem, autoregressive, elastic_net, expand, load


@pytest.fixture(scope="module")
def ours() -> Peer:
    return make(OURS)


def sweeps(problem: Problem, rounds: int) -> np.ndarray:
    """Solve by plain coordinate descent: slow, obvious, and independent of every solver measured."""
    X, y, n = problem.X, problem.y, problem.n
    squares = (X**2).sum(axis=0) / n
    coefs = np.zeros((problem.p, problem.size))
    b, r = np.zeros(problem.p), y.copy()
    for k, alpha in enumerate(problem.alphas):
        l1, l2 = alpha * problem.l1_ratio, alpha * (1.0 - problem.l1_ratio)
        for _ in range(rounds):
            for j in range(problem.p):
                z = squares[j] * b[j] + X[:, j] @ r / n
                new = np.sign(z) * max(abs(z) - l1, 0.0) / (squares[j] + l2)
                r += X[:, j] * (b[j] - new)
                b[j] = new
        coefs[:, k] = b
    return coefs


@pytest.mark.parametrize("case", SMOKE)
def test_path_on_a_small_case(benchmark: Any, ours: Peer, case: str) -> None:
    problem = load(case)
    tol = min(ours.ladder(problem))
    coefs, _ = benchmark(ours.solve, problem, problem.alphas, tol)
    (accuracy,) = assess(problem, problem.alphas, [coefs])
    assert accuracy.worst_gap <= tol


@pytest.mark.parametrize("l1_ratio", [1.0, 0.5])
def test_accuracy_resolves_small_differences(l1_ratio: float) -> None:
    lasso = autoregressive("tiny", 30, 8, 0.5, support=3, snr=5.0, seed=0)
    problem = elastic_net(lasso, "tiny", l1_ratio)
    best = sweeps(problem, 400)
    # At a minimiser the excess of a small step on the support is a known quadratic form.
    k, step = problem.size - 1, 1e-7
    moved = best.copy()
    j = int(np.argmax(np.abs(best[:, k])))
    moved[j, k] += step
    curvature = float(problem.X[:, j] @ problem.X[:, j]) / problem.n + problem.alphas[k] * (1.0 - l1_ratio)
    reference, shifted = assess(problem, problem.alphas, [best, moved])
    assert reference.worst == 0.0
    assert shifted.worst == pytest.approx(0.5 * curvature * step**2 / problem.null_objective, rel=1e-3)
    assert shifted.worst < 1e-13
    assert reference.worst_gap < 1e-13


@pytest.mark.parametrize("l1_ratio", [1.0, 0.5])
def test_gap_bounds_the_suboptimality(l1_ratio: float) -> None:
    lasso = autoregressive("tiny", 30, 8, 0.5, support=3, snr=5.0, seed=0)
    problem = elastic_net(lasso, "tiny", l1_ratio)
    rough = sweeps(problem, 1)
    _, accuracy = assess(problem, problem.alphas, [sweeps(problem, 400), rough])
    assert accuracy.worst > 1e-9
    assert np.all(accuracy.gap >= accuracy.suboptimality - 1e-15)


def test_wrong_shape_is_refused() -> None:
    problem = load("small_tall")
    with pytest.raises(ValueError, match="coefs must have shape"):
        assess(problem, problem.alphas, [np.zeros((3, 3))])


@pytest.mark.parametrize("case", SMOKE)
def test_problems_are_seeded_and_normalised(case: str) -> None:
    first, second = load(case), load(case)
    assert np.array_equal(first.y, second.y)
    assert (first.X != second.X).sum() == 0
    assert abs(first.y.mean()) < 1e-12
    assert len(first.alphas) == 100
    assert first.alphas[-1] == pytest.approx(first.alphas[0] / 100)
    if not first.is_sparse:
        assert first.X.flags.f_contiguous
        assert np.abs(first.X.mean(axis=0)).max() < 1e-12
        assert np.abs((first.X**2).mean(axis=0) - 1.0).max() < 1e-12


def test_autoregressive_columns_have_the_correlation_asked_for() -> None:
    problem = autoregressive("long", 4000, 6, 0.8, support=2, snr=5.0, seed=5)
    correlation = problem.X.T @ problem.X / problem.n
    expected = 0.8 ** np.abs(np.subtract.outer(np.arange(6), np.arange(6)))
    assert np.abs(correlation - expected).max() < 0.05


def test_groups_expand_without_repeats() -> None:
    assert expand(["genes", "leukemia"]) == ["leukemia", "riboflavin", "khan"]


def test_an_unknown_case_and_solver_are_named() -> None:
    with pytest.raises(KeyError, match="unknown case 'nonsense'"):
        load("nonsense")
    with pytest.raises(KeyError, match="unknown solver 'nonsense'"):
        make("nonsense")


def test_every_default_tolerance_is_on_its_ladder() -> None:
    assert all(solver.default in solver.tols for solver in PEERS.values())


def test_speed_ups_compare_at_matched_accuracy() -> None:
    def run(solver: str, tol: float, seconds: float, worst: float, *, default: bool = False) -> Run:
        return Run(solver, tol, default, [seconds, 2 * seconds], None, worst_suboptimality=worst)

    runs = [
        run(OURS, 1e-7, 1.0, 1e-15, default=True),
        run("quick", 1e-4, 2.0, 1e-5, default=True),
        run("quick", 1e-9, 4.0, 5e-10),
        run("exact", 1e-4, 3.0, 2e-9, default=True),
        run("exact", 1e-9, 9.0, 1e-16),
    ]
    (verdict,) = Comparison(load("small_tall"), runs, {}, {}, 1.0, {}).verdicts()
    assert verdict["matched"]["solver"] == "quick"
    assert verdict["matched"]["speed_up"] == 4.0
    assert verdict["default"]["speed_up"] == 2.0


@pytest.mark.parametrize("name", ["adelie"])
def test_an_absent_peer_says_what_is_missing(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FASTREG_BENCH_ADELIE_PYTHON", raising=False)
    with pytest.raises(Unavailable, match="FASTREG_BENCH_ADELIE_PYTHON"):
        make(name)


def test_the_readme_shows_the_stored_figures() -> None:
    readme = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    assert summary.table() in readme
