"""Small cases for pytest-benchmark, and checks of the named problems.

``pytest benchmarks --benchmark-disable`` runs everything once, without peers, data or timing; ``pytest
benchmarks`` times fastreg on the small cases, for a quick look at a change. Figures that are reported come
from run.py.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from benchmarks import cold, memory, summary
from benchmarks.problems import (
    CASES,
    HARD,
    LOSSES,
    SMOKE,
    SMOKE_LOSSES,
    autoregressive,
    duplicates,
    expand,
    gene_blocks,
    genotypes,
    load,
    scales,
    survival,
)
from fastreg.bench.accuracy import assess
from fastreg.bench.measure import Comparison, Run
from fastreg.bench.peers import OURS, Peer, make
from fastreg.bench.problem import Problem


@pytest.fixture(scope="module")
def ours() -> Peer:
    return make(OURS)


@pytest.mark.parametrize("case", [*SMOKE, *SMOKE_LOSSES])
def test_path_on_a_small_case(benchmark: Any, ours: Peer, case: str) -> None:
    problem = load(case)
    tol = min(ours.ladder(problem))
    coefs, _ = benchmark(ours.solve, problem, problem.alphas, tol)
    (accuracy,) = assess(problem, problem.alphas, [coefs])
    assert accuracy.worst_gap <= tol


SMALL: dict[str, Callable[[], Problem]] = {
    **{case: CASES[case] for case in (*SMOKE, *SMOKE_LOSSES)},
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
    if first.family == "gaussian":
        assert abs(first.y.mean()) < 1e-12
    assert len(first.alphas) == 100
    assert first.alphas[-1] == pytest.approx(first.alphas[0] * first.eps)
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


def test_responses_of_other_losses_are_what_they_are_called() -> None:
    families = {case: CASES[case]().family for case in SMOKE_LOSSES}
    assert list(families.values()) == ["binomial", "binomial", "multinomial", "poisson", "cox"]
    counts = CASES["small_poisson"]().y
    assert np.array_equal(counts, np.rint(counts))
    time, is_event = survival("long", 4000, 30, seed=6).y.T
    assert len(np.unique(time)) == 4000
    assert 0.37 < 1.0 - is_event.mean() < 0.43
    assert {memory.warm_up_case(CASES[case]()) for case in SMOKE_LOSSES} == set(SMOKE_LOSSES)


@pytest.mark.parametrize("case", [case for case in SMALL if case not in (*SMOKE, *SMOKE_LOSSES)])
def test_hard_designs_are_solved(ours: Peer, case: str) -> None:
    problem = SMALL[case]()
    tol = min(ours.ladder(problem))
    coefs, _ = ours.solve(problem, problem.alphas, tol)
    (accuracy,) = assess(problem, problem.alphas, [coefs])
    assert accuracy.worst_gap <= tol


def test_groups_expand_without_repeats() -> None:
    assert expand(["genes", "leukemia"]) == ["leukemia", "riboflavin", "khan"]
    assert tuple(expand(["hard"])) == HARD
    assert not {*HARD, *SMOKE, *LOSSES, *SMOKE_LOSSES} & set(expand(["all"]))
    assert tuple(expand(["losses"])) == LOSSES == tuple(summary.LOSSES)


def test_an_unknown_case_is_named() -> None:
    with pytest.raises(KeyError, match="unknown case 'nonsense'"):
        load("nonsense")


def test_the_readme_shows_the_stored_figures() -> None:
    readme = summary.README.read_text(encoding="utf-8")
    assert summary.table() in readme, "run: python benchmarks/summary.py --write"
    assert summary.losses_table(summary.stored_losses()) in readme, (
        "run: python benchmarks/summary.py --write"
    )


def a_run(solver: str, seconds: float, accuracy: float, *, default: bool = False) -> Run:
    return Run(solver, 1e-4 if default else 1e-9, default, [seconds], None, worst_suboptimality=accuracy)


def test_the_table_of_the_other_losses() -> None:
    problem = Problem("cox_wide", np.eye(2), np.array([[1.0, 1.0], [2.0, 1.0]]), family="cox", eps=0.1)
    ours = [a_run(OURS, 0.1, 1e-6), a_run(OURS, 0.2, 1e-10), a_run(OURS, 0.3, 1e-14)]
    runs = [*ours, a_run("slow", 0.5, 1e-5, default=True)]
    record = Comparison(problem, runs, {}, {}, 1e-3, {}).record()
    text = summary.losses_table([record])
    assert text.splitlines()[-1] == (
        "| Cox: correlated columns, 300 x 20000, to alpha_max/10 | 200.0 ms | 0e+00 | none | - "
        "| slow 500.0 ms (1e-05) | 2.5 | 100.0 ms | 5.0 |"
    )
    assert len({line.count("|") for line in text.splitlines()}) == 1
    alone = Comparison(problem, ours, {}, {}, 1e-3, {}).record()
    assert summary.losses_table([alone]).endswith("| none | - | none | - | none | - |")
    assert summary.losses_table([]) == ""


def test_tables_are_put_in_the_place_of_the_old_ones() -> None:
    old = f"# Speed\n\n| {summary.FIRST} | a |\n|---|---|\n| 1 | 2 |\n\nwords\n"
    first, others = f"| {summary.FIRST} | b |\n|---|---|", f"| {summary.OTHERS} | c |\n|---|---|"
    once = summary.written(old, first, others)
    assert once == f"# Speed\n\n{first}\n\n{others}\n\nwords\n"
    assert summary.written(once, first, others) == once
    assert summary.written(old, first, "") == f"# Speed\n\n{first}\n\nwords\n"
    with pytest.raises(SystemExit, match="no table"):
        summary.written("words\n", first, others)


@pytest.mark.parametrize("kind", cold.KINDS)
def test_every_cold_start_is_measured_by_processes_in_turn(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    solved: list[tuple[str, ...]] = []

    def fresh(cache: str, *kinds: str) -> dict[str, float]:
        solved.append(kinds)
        return {"first": 2.0 / len(solved)}

    monkeypatch.setattr(cold, "fresh", fresh)
    rows = cold.measure(2, [kind])
    assert all(row["data"] == kind and row["repeats"] == 2 for row in rows)
    states = [row["cache"] for row in rows]
    if "after" not in kind:
        assert (states, solved) == (["empty", "warm"], 4 * [(kind,)])
        return
    last, _, first = kind.partition(" after ")
    assert states == ["empty, same process", f"of {first}, fresh process", "warm"]
    assert solved[:4] == [(first, last), (first,), (last,), (last,)]
