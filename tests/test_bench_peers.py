"""The adapters: what an absent, failing, busy or interrupted solver does, and that all solve one problem."""

import sys
import time

import numpy as np
import pytest
from handmade import make as handmade

from fastreg.bench.measure import Plan, compare
from fastreg.bench.peers import OURS, PEERS, Missing, Unavailable, base, make, ours, ready
from fastreg.bench.problem import equalise
from fastreg.datasets import make_correlated, make_sparse
from fastreg.errors import Status


def tiny():
    X, y = make_correlated(30, 8, 3, snr=5.0)
    return equalise(X, y, name="tiny", size=12)


def quiet(line):
    pass


def test_every_default_tolerance_is_on_its_ladder():
    assert all(solver.default in solver.tols for solver in PEERS.values())


def test_an_unknown_solver_is_named():
    with pytest.raises(KeyError, match="unknown solver 'nonsense'"):
        make("nonsense")


def test_absent_peers_say_how_to_install_them(monkeypatch):
    def absent(name):
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(base, "import_module", absent)
    monkeypatch.setattr("shutil.which", lambda name: None)
    solvers, missing = ready(PEERS)
    assert [solver.name for solver in solvers] == [OURS]
    assert set(missing) == set(PEERS) - {OURS}
    assert "pip install scikit-learn" in missing["scikit-learn"]
    assert "pip install celer" in missing["celer"]
    assert "r-cran-glmnet" in missing["glmnet"]
    assert "FASTREG_BENCH_ADELIE_PYTHON" in missing["adelie"]


def test_an_interpreter_without_adelie_is_no_peer(monkeypatch):
    monkeypatch.setenv("FASTREG_BENCH_ADELIE_PYTHON", sys.executable)
    with pytest.raises(Missing, match="pip install adelie"):
        make("adelie")


def test_our_interrupted_path_is_no_answer(monkeypatch):
    monkeypatch.setattr(ours, "glm_path", lambda *args, **options: handmade(status=Status.INTERRUPTED))
    problem = tiny()
    with pytest.raises(KeyboardInterrupt):
        make(OURS).solve(problem, problem.alphas, 1e-7)


def test_our_ladder_is_longer_on_sparse_data():
    X, y = make_sparse(60, 30, 3, density=0.2)
    problem = equalise(X, y, size=8)
    found = compare(problem, [make(OURS)], Plan(repeats=1), quiet)
    assert [run.tol for run in found.runs] == [5e-3, 1e-7, 1e-9]
    assert found.missed() == []


def test_a_peer_that_raises_is_left_out():
    class Raising(base.InProcessPeer):
        name, tols, default = "raising", (1e-4,), 1e-4

        def version(self):
            return "1"

        def call(self, problem, alphas, tol):
            return lambda: {}["absent"]

    pytest.importorskip("threadpoolctl")
    found = compare(tiny(), [Raising()], Plan(), quiet)
    assert found.skipped == {"raising": "KeyError: 'absent'"}


WORKER = """
import sys, time
import numpy as np
folder = sys.argv[1]
print("chatter"); print("ready 1.5", flush=True)
for line in sys.stdin:
    if float(line) == 0.5:
        raise SystemExit("out of coal")
    if float(line) == 0.25:
        time.sleep(600)
    np.save(folder + "/coefs.npy", np.full((8, 12), float(line)))
    print("done 0.125", flush=True)
"""


class Works(base.WorkerPeer):
    name, tols, default = "works", (1.0,), 1.0

    def version(self):
        return "1.5"

    def command(self):
        return [sys.executable, "-c", WORKER]

    def write(self, problem, alphas, folder):
        np.save(folder / "alphas.npy", alphas)

    def read(self, problem, alphas, folder):
        return np.load(folder / "coefs.npy")


def test_a_solver_in_another_process():
    problem, peer = tiny(), Works()
    coefs, seconds = peer.solve(problem, problem.alphas, 1.0)
    assert (coefs.shape, seconds) == ((8, 12), 0.125)
    process = peer._worker._process
    assert peer.solve(problem, problem.alphas, 2.0)[0][0, 0] == 2.0
    assert peer._worker._process is process
    with pytest.raises(Unavailable, match="out of coal"):
        peer.solve(problem, problem.alphas, 0.5)
    peer.close()
    assert not peer._worker


def test_a_busy_worker_is_ended_at_once():
    problem, peer = tiny(), Works()
    peer.solve(problem, problem.alphas, 1.0)
    process = peer._worker._process
    process.stdin.write("0.25\n")
    process.stdin.flush()
    began = time.monotonic()
    peer.close()
    assert process.poll() is not None
    assert time.monotonic() - began < 60.0


@pytest.mark.compiled_only
@pytest.mark.parametrize("name", [name for name in PEERS if name not in (OURS, "adelie-gram")])
def test_installed_peers_solve_the_same_problem(name):
    try:
        peer = make(name)
    except Missing as reason:
        # Peers are for comparisons, the test extra installs none; the reason says how to get one.
        pytest.skip(str(reason))
    X, y = make_correlated(40, 15, 3)
    shapes = {"lasso": equalise(X, y, size=10), "elastic net": equalise(X, y, size=10, l1_ratio=0.5)}
    X, y = make_sparse(60, 30, 3, density=0.2)
    shapes["sparse"] = equalise(X, y, size=10)
    for shape, problem in shapes.items():
        found = compare(problem, [make(OURS), peer], Plan(repeats=1, tols={name: (peer.tols[-1],)}), quiet)
        assert found.skipped == {}, shape
        assert found.of(name)[0].worst_suboptimality < 1e-8, shape
        assert found.of(OURS)[0].worst_suboptimality < 1e-12, shape
