"""The measuring itself: problems made equal, accuracy, verdicts, adapters, table and picture."""

import json
import signal
import subprocess
import sys

import numpy as np
import pytest
from scipy import sparse

import fastreg
from fastreg.bench import frontier, machine, table
from fastreg.bench.accuracy import as_columns, assess
from fastreg.bench.measure import MOST_IN_A_TURN, Comparison, Plan, Run, compare
from fastreg.bench.peers import OURS, Peer, Unavailable, make
from fastreg.bench.problem import equalise, standardise
from fastreg.datasets import make_correlated
from fastreg.errors import DataError


def tiny(l1_ratio=1.0, size=12):
    X, y = make_correlated(30, 8, 3, snr=5.0)
    return equalise(X, y, name="tiny", l1_ratio=l1_ratio, size=size)


def sweeps(problem, rounds):
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


class Sweeper(Peer):
    """A peer whose tolerance is one over its number of sweeps, and whose times are made up."""

    name, tols, default = "sweeper", (1.0, 0.02), 1.0

    def version(self):
        return "7.0"

    def solve(self, problem, alphas, tol):
        return sweeps(problem, round(1.0 / tol)), 0.03125 / tol


def quiet(line):
    pass


# problems


def test_dense_data_are_standardised_and_sparse_ones_are_not():
    rng = np.random.default_rng(1)
    X = rng.normal(3.0, 2.0, size=(20, 6))
    X[:, 2] = 7.1
    y = rng.normal(5.0, 1.0, size=20)
    given = X.copy()
    dense = equalise(X, y, size=7, eps=0.1, l1_ratio=0.5)
    assert np.array_equal(X, given)
    assert (dense.p, dense.left_out, dense.size) == (5, 1, 7)
    assert dense.X.flags.f_contiguous
    np.testing.assert_allclose(dense.X.mean(axis=0), 0.0, atol=1e-14)
    np.testing.assert_allclose((dense.X**2).mean(axis=0), 1.0)
    np.testing.assert_allclose(dense.y.mean(), 0.0, atol=1e-14)
    np.testing.assert_allclose(np.corrcoef(dense.y, y)[0, 1], 1.0)
    assert dense.alphas[0] == dense.alpha_max == np.abs(dense.X.T @ dense.y).max() / 20 / 0.5
    assert dense.alphas[-1] == pytest.approx(0.1 * dense.alpha_max)
    stored = equalise(sparse.csr_array(X.astype(np.float32)), y)
    assert isinstance(stored.X, sparse.csc_matrix)
    assert (stored.left_out, stored.X.indices.dtype, stored.X.dtype) == (1, np.int32, np.float64)
    assert np.array_equal(stored.X.toarray(), np.delete(X, 2, axis=1).astype(np.float32))


@pytest.mark.parametrize("scale", [1e-200, 1e-3, 1.0, 1e200])
def test_columns_of_any_size_are_standardised(scale):
    columns = np.random.default_rng(2).normal(size=(4, 50))
    found = standardise(columns * scale)
    np.testing.assert_allclose((found**2).mean(axis=0), 1.0, rtol=1e-13)


@pytest.mark.parametrize("scale", [2.0**-900, 2.0**900])
def test_the_size_of_the_response_does_not_matter(scale):
    rng = np.random.default_rng(4)
    X, y = rng.normal(size=(20, 3)), rng.normal(size=20)
    here, there = equalise(X, y), equalise(X, scale * y)
    assert np.array_equal(here.y, there.y)
    assert 0.5 <= np.sqrt(np.mean(here.y**2)) < 1.0


def test_rounding_noise_around_a_constant_makes_no_feature():
    XT = np.vstack([np.full(30, 1e6 + 0.1), np.arange(30.0)])
    assert np.all(standardise(XT)[:, 0] == 0.0)


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        ([[1.0, np.nan], [2.0, 1.0]], [1.0, 2.0], "finite"),
        ([[1.0, 5.0], [2.0, 1.0]], [1.0, np.inf], "finite"),
        ([[1.0, 5.0], [2.0, 1.0]], [1.0, 2.0, 3.0], "shape"),
        ([[1.0, 5.0], [2.0, 1.0]], [2.0, 2.0], "y must vary"),
        ([[1.0, 5.0], [1.0, 5.0]], [1.0, 2.0], "column that varies"),
        ([[1.0], [-1.0], [-1.0], [1.0]], [1.0, 1.0, -1.0, -1.0], "related to some column"),
    ],
)
def test_data_that_make_no_comparison_are_refused(X, y, message):
    with pytest.raises(DataError, match=message):
        equalise(X, y)


# accuracy


@pytest.mark.parametrize("l1_ratio", [1.0, 0.5])
def test_accuracy_resolves_small_differences(l1_ratio):
    problem = tiny(l1_ratio)
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
def test_gap_bounds_the_suboptimality(l1_ratio):
    problem = tiny(l1_ratio)
    _, rough = assess(problem, problem.alphas, [sweeps(problem, 400), sweeps(problem, 1)])
    assert rough.worst > 1e-9
    assert np.all(rough.gap >= rough.suboptimality - 1e-15)


def test_wrong_shape_is_refused():
    problem = tiny()
    with pytest.raises(ValueError, match="coefs must have shape"):
        assess(problem, problem.alphas, [np.zeros((3, 3))])


# measure


def test_every_run_is_timed_and_judged():
    problem = tiny()
    lines = []
    found = compare(problem, [make(OURS), Sweeper()], Plan(repeats=3), lines.append)
    assert [(run.solver, run.tol) for run in found.runs] == [
        (OURS, 1e-7),
        ("sweeper", 1.0),
        ("sweeper", 0.02),
    ]
    # Runs of 0.03125 s are repeated within their turns, of 0.1 s each.
    assert [len(run.times) for run in found.runs[1:]] == [1 + 2 * 4, 3]
    assert len(found.runs[0].times) >= 3
    assert found.versions == {OURS: fastreg.__version__, "sweeper": "7.0"}
    exact, loose, tight = found.runs
    assert exact.worst_gap <= 1e-7
    assert loose.worst_suboptimality > tight.worst_suboptimality
    assert loose.is_default
    assert not tight.is_default
    assert tight.passes == 0.03125 / 0.02 / found.pass_seconds
    assert exact.n_nonzero_last == np.count_nonzero(as_columns(exact.coefs)[:, [-1]].toarray())
    assert found.missed() == []
    assert any("sweeper: 2 tolerances" in line for line in lines)


def test_a_turn_ends_even_where_the_clock_stands_still():
    class Instant(Sweeper):
        def solve(self, problem, alphas, tol):
            return super().solve(problem, alphas, tol)[0], 0.0

    found = compare(tiny(), [Instant()], Plan(repeats=2, tols={"sweeper": (0.5,)}), quiet)
    assert [len(run.times) for run in found.runs] == [1 + MOST_IN_A_TURN]


def test_a_slow_run_is_not_repeated_and_ends_the_ladder():
    found = compare(tiny(), [Sweeper()], Plan(repeats=3, slow=0.005), quiet)
    assert [len(run.times) for run in found.runs] == [1]


def test_tolerances_can_be_given():
    found = compare(tiny(), [Sweeper()], Plan(repeats=1, tols={"sweeper": (0.5,)}), quiet)
    assert [run.tol for run in found.runs] == [0.5]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (lambda problem: np.full((problem.p, problem.size), np.nan), "not finite"),
        (lambda problem: np.zeros((problem.p, 2)), "instead of"),
    ],
)
def test_an_answer_that_is_none_spoils_nothing(answer, reason):
    class Broken(Sweeper):
        name = "broken"

        def solve(self, problem, alphas, tol):
            return answer(problem), 1.0

    found = compare(tiny(), [Broken(), Sweeper()], Plan(repeats=2), quiet)
    assert {run.solver for run in found.runs} == {"sweeper"}
    assert reason in found.skipped["broken"]
    assert np.isfinite([run.worst_suboptimality for run in found.runs]).all()


def test_a_peer_that_fails_half_way_keeps_its_finished_runs():
    class Tired(Sweeper):
        calls = 0

        def solve(self, problem, alphas, tol):
            self.calls += 1
            if self.calls == 4:
                raise Unavailable("no breath")
            return super().solve(problem, alphas, tol)

    found = compare(tiny(), [Tired()], Plan(repeats=2), quiet)
    assert [len(run.times) for run in found.runs] == [1, 1]
    assert found.skipped == {"sweeper": "ended while it was repeated: no breath"}
    found = compare(tiny(), [Tired()], Plan(repeats=2, tols={"sweeper": (1.0, 0.5, 0.2, 0.1)}), quiet)
    assert len(found.runs) == 2
    assert found.skipped == {"sweeper": "ended after 2 tolerances: no breath"}


@pytest.mark.parametrize("last", [3, 5])
def test_an_interruption_keeps_finished_runs(last):
    class Interrupted(Sweeper):
        calls, closed = 0, False

        def solve(self, problem, alphas, tol):
            self.calls += 1
            if self.calls == last:
                signal.raise_signal(signal.SIGINT)
            return super().solve(problem, alphas, tol)

        def close(self):
            self.closed = True

    peer = Interrupted()
    found = compare(tiny(), [make(OURS), peer], Plan(repeats=4), quiet)
    assert found.interrupted
    assert peer.closed
    assert [run.solver for run in found.runs] == [OURS, "sweeper", "sweeper"][: last - 1]
    assert all(run.passes > 0.0 for run in found.runs)
    assert table.verdict_lines(found.record())[0].startswith("Interrupted")


def a_run(solver, tol, seconds, worst, *, default=False):
    return Run(solver, tol, default, [seconds, 2 * seconds], None, worst_suboptimality=worst)


def comparison(*runs):
    return Comparison(tiny(), list(runs), {}, {}, 1e-3, {})


RUNS = (
    a_run(OURS, 1e-7, 1.0, 1e-15, default=True),
    a_run("quick", 1e-4, 2.0, 1e-5, default=True),
    a_run("quick", 1e-9, 4.0, 5e-10),
    a_run("quick", 1e-12, 6.0, 5e-13),
    a_run("exact", 1e-4, 3.0, 2e-9, default=True),
    a_run("exact", 1e-9, 9.0, 1e-16),
)


def test_speed_ups_compare_at_matched_accuracy():
    (verdict,) = comparison(*RUNS).verdicts()
    assert verdict["matched"]["solver"] == "quick"
    assert verdict["matched"]["speed_up"] == 4.0
    assert verdict["default"]["speed_up"] == 2.0


def test_verdicts_in_words():
    faster, default = table.verdict_lines(comparison(*RUNS).record())
    assert faster.startswith("fastreg is 4.0 times faster than the fastest peer at matched accuracy")
    assert "quick at tol 1e-09, 4.00 s" in faster
    assert default.startswith("fastreg is 2.0 times faster than the fastest peer at its default")
    slow = comparison(
        a_run(OURS, 1e-7, 3.0, 0.0, default=True), a_run("quick", 1e-4, 1.5, 1e-3, default=True)
    )
    matched, default = table.verdict_lines(slow.record())
    assert matched.startswith("No peer at matched accuracy")
    assert default.startswith("fastreg is 2.0 times slower")
    assert table.verdict_lines(comparison(RUNS[1]).record()) == ["No verdict: fastreg did not run."]
    (alone,) = table.verdict_lines(comparison(RUNS[0]).record())
    assert alone.startswith("No peer ran")


def test_a_path_of_ours_that_misses_its_tolerance_is_named():
    ours, other = a_run(OURS, 1e-7, 1.0, 0.0), a_run("quick", 1e-7, 1.0, 0.0)
    ours.worst_gap = other.worst_gap = 2e-7
    assert comparison(ours, other).missed() == [ours]


def test_the_record_goes_through_json():
    record = comparison(*RUNS).record()
    again = json.loads(json.dumps(record, allow_nan=False))
    assert again == record
    assert table.report(again) == table.report(record)
    assert "coefs" not in record["runs"][0]


def test_the_machine_is_described():
    found = machine.describe()
    assert found["cores"] >= 1
    json.dumps(found)
    problem = tiny()
    assert machine.pass_cost(problem, seconds=1e-3) > 0.0


# table and picture


def test_the_short_table_shows_what_decides():
    runs = comparison(*RUNS).record()["runs"]
    kept = [(run["solver"], run["tol"]) for run in table.deciding(runs)]
    assert kept == [(OURS, 1e-7), ("quick", 1e-4), ("quick", 1e-9), ("exact", 1e-4), ("exact", 1e-9)]
    rough = [run for run in runs if run["worst_suboptimality"] > 1e-9]
    assert len(table.deciding(rough)) == 2


def test_the_table_is_markdown_whose_columns_line_up():
    lines = table.comparison_table(comparison(*RUNS).record()).splitlines()
    assert len(lines) == 2 + len(RUNS)
    assert len({len(line) for line in lines}) == 1
    assert [cell.strip() for cell in lines[3].split("|")[1:5]] == [
        "quick (default)",
        "1e-04",
        "2.00 s",
        "2.0",
    ]
    assert table.comparison_table(comparison().record()) == ""


def test_the_picture_is_not_blank(tmp_path):
    pytest.importorskip("matplotlib")
    from matplotlib.figure import Figure
    from matplotlib.image import imread

    record = comparison(*RUNS).record()
    file = frontier.save_frontier(record, tmp_path / "picture.png")
    pixels = imread(file)
    assert pixels.shape[1] >= 800
    assert len(np.unique(pixels.reshape(-1, pixels.shape[2]), axis=0)) > 50
    ax = frontier.draw_frontier(record, Figure().subplots())
    assert [text.get_text() for text in ax.get_legend().get_texts()][:3] == [OURS, "quick", "exact"]
    drawn = {line.get_label(): line for line in ax.lines}
    np.testing.assert_array_equal(drawn["quick"].get_xdata(), [2.0, 4.0, 6.0])
    assert drawn[OURS].get_ydata()[0] == 1e-15
    with pytest.raises(ValueError, match="nothing to draw"):
        frontier.draw_frontier(comparison().record(), Figure().subplots())


def test_without_matplotlib_the_picture_says_how_to_get_it(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match=r'pip install "fastreg-paths\[plot\]"'):
        frontier.save_frontier(comparison(*RUNS).record(), tmp_path / "picture.png")


# the package


def test_importing_fastreg_does_not_import_the_harness():
    code = "import sys, fastreg, fastreg.cli; print([name for name in sys.modules if 'bench' in name])"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=100, check=True
    )
    assert done.stdout.strip() in ("[]", "['fastreg.cli.bench']")
