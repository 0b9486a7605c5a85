"""The command ``bench``: what it prints and writes, and the exit code of every ending."""

import json
import os
import signal
import sys

import numpy as np
import pytest
from scipy import sparse

import fastreg
from fastreg.bench import peers, table
from fastreg.bench.peers import OURS, Missing, Peer
from fastreg.cli import bench, main
from fastreg.cli.exits import Exit

N, P = 30, 12
FEW = ["--alphas", "8", "--repeats", "1", "--no-plot"]


class Borrowed(Peer):
    """A peer that answers with our own path, twenty or two hundred seconds later."""

    name, tols, default = "borrowed", (1e-2, 1e-9), 1e-2

    def version(self):
        return "1.0"

    def solve(self, problem, alphas, tol):
        path = fastreg.enet_path(problem.X, problem.y, l1_ratio=problem.l1_ratio, alphas=alphas, tol=1e-9)
        return path.coefs_sparse, 20.0 if tol == self.default else 200.0


class Absent(Borrowed):
    name = "absent"

    def __init__(self):
        raise Missing("not installed; pip install absent")


class Interrupted(Borrowed):
    name = "interrupted"

    def solve(self, problem, alphas, tol):
        if tol == self.tols[-1]:
            signal.raise_signal(signal.SIGINT)
        return super().solve(problem, alphas, tol)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Run in an empty folder with two peers, one of which is absent, and a small built-in case."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(peers, "PEERS", {OURS: peers.PEERS[OURS], "borrowed": Borrowed, "absent": Absent})
    monkeypatch.setattr(bench, "BUILT_IN", {**bench.BUILT_IN, "n": N, "p": P, "n_true": 3})
    rng = np.random.default_rng(3)
    X = rng.standard_normal((N, P))
    y = 2.0 + 3.0 * X[:, 1] - 2.0 * X[:, 4] + 0.1 * rng.standard_normal(N)
    np.savez("data.npz", X=X, y=y)
    header = ",".join([*(f"f{j}" for j in range(P)), "y"])
    np.savetxt("data.csv", np.column_stack([X, y]), fmt="%.17g", delimiter=",", header=header, comments="")
    return tmp_path


def _record(file="r.json"):
    with open(file, encoding="utf-8") as stored:
        return json.load(stored)


def test_the_built_in_case(folder, capsys):
    assert main(["bench", *FEW]) == Exit.OK
    shown = capsys.readouterr()
    assert f"## built-in: lasso, {N} x {P}, 8 alphas to alpha_max/100" in shown.out
    assert "| borrowed (default) |" in shown.out
    assert "times faster than the fastest peer at matched accuracy" in shown.out
    assert "times faster than the fastest peer at its default" in shown.out
    assert "Skipped absent: not installed; pip install absent" in shown.out
    assert "borrowed: 1 tolerance," in shown.err, "slower than --slow: the ladder ends"
    assert sorted(os.listdir()) == ["data.csv", "data.npz"]


def test_data_of_the_user(folder, capsys):
    pytest.importorskip("matplotlib")
    options = "--l1-ratio 0.5 --eps 0.1 --slow 1000 --repeats 2 --alphas 6 --json deep/r.json"
    assert main(["bench", "data.csv", *options.split()]) == Exit.OK
    text = capsys.readouterr().out
    assert f"## data.csv: elastic net 0.5, {N} x {P}, 6 alphas to alpha_max/10;" in text
    assert "Picture: fastreg_bench_data.png" in text
    assert (folder / "fastreg_bench_data.png").read_bytes().startswith(b"\x89PNG")
    record = _record("deep/r.json")
    assert [(run["solver"], run["tol"]) for run in record["runs"]] == [
        (OURS, 1e-7),
        ("borrowed", 1e-2),
        ("borrowed", 1e-9),
    ]
    # One run to begin with, and a turn of at least one.
    assert all(len(run["times"]) == run["repeats"] >= 2 for run in record["runs"])
    assert record["versions"] == {OURS: fastreg.__version__, "borrowed": "1.0"}
    assert record["skipped"] == {"absent": "not installed; pip install absent"}
    assert table.report(record, every=False) in text


def test_every_format_gives_the_same_problem(folder):
    with np.load("data.npz") as data:
        X, y = data["X"], data["y"]
    np.save("X.npy", X)
    np.savetxt("y.txt", y)
    found = []
    for arguments in (
        ["data.npz"],
        ["data.csv", "--response", "y"],
        ["X.npy", "--response-file", "y.txt"],
    ):
        assert main(["bench", *arguments, "--json", "r.json", *FEW]) == Exit.OK
        found.append(_record()["runs"][0]["n_nonzero_last"])
    assert found == [found[0]] * 3
    sparse.save_npz("S.npz", sparse.csc_array(np.where(np.abs(X) > 1.0, X, 0.0)))
    assert main(["bench", "S.npz", "--response-file", "y.txt", "--json", "r.json", *FEW]) == Exit.OK
    assert _record()["storage"] == "csc"
    assert main(["bench", "data.csv", "--drop", "f0,f1", "--json", "r.json", *FEW]) == Exit.OK
    assert _record()["p"] == P - 2


def test_without_any_peer(folder, capsys, monkeypatch):
    monkeypatch.setattr(peers, "PEERS", {OURS: peers.PEERS[OURS], "absent": Absent})
    assert main(["bench", *FEW]) == Exit.OK
    text = capsys.readouterr().out
    assert "| fastreg |" in text
    assert "No peer ran: nothing to compare with. Install one" in text
    assert "Skipped absent: not installed; pip install absent" in text


def test_peers_can_be_chosen(folder, capsys):
    assert main(["bench", "--peers", f"absent,{OURS}", *FEW]) == Exit.OK
    text = capsys.readouterr().out
    assert "borrowed" not in text
    assert text.count("| fastreg |") == 1


def test_the_long_table(folder, capsys, monkeypatch):
    assert main(["bench", "--every", "--slow", "1000", *FEW]) == Exit.OK
    assert capsys.readouterr().out.count("| borrowed") == 2
    monkeypatch.setattr(Borrowed, "tols", (1e-2, 1e-4, 1e-9))
    assert main(["bench", "--slow", "1000", *FEW]) == Exit.OK
    assert "--every shows all" in capsys.readouterr().out


def test_an_interruption_shows_the_finished_rows(folder, capsys, monkeypatch):
    pytest.importorskip("matplotlib")
    known = {OURS: peers.PEERS[OURS], "interrupted": Interrupted, "borrowed": Borrowed}
    monkeypatch.setattr(peers, "PEERS", known)
    options = ["--alphas", "8", "--slow", "1000", "--json", "r.json"]
    assert main(["bench", "data.npz", *options]) == Exit.INTERRUPTED
    text = capsys.readouterr().out
    assert "| fastreg " in text
    assert "| interrupted (default) |" in text
    assert "borrowed" not in text
    assert "Interrupted: only the runs above were finished" in text
    assert _record()["interrupted"] is True
    assert os.path.exists("fastreg_bench_data.png")


def test_an_interruption_before_there_is_a_row(folder, capsys, monkeypatch):
    def interrupt(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(peers.PEERS[OURS], "solve", interrupt)
    assert main(["bench", "--json", "r.json", *FEW]) == Exit.KILLED
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "interrupted" in shown.err
    assert not os.path.exists("r.json")


def test_a_path_of_ours_that_misses_its_tolerance(folder, capsys, monkeypatch):
    class Rough(peers.PEERS[OURS]):
        def solve(self, problem, alphas, tol):
            coefs, seconds = super().solve(problem, alphas, tol)
            return 0.9 * coefs, seconds

    monkeypatch.setattr(peers, "PEERS", {OURS: Rough, "borrowed": Borrowed})
    assert main(["bench", *FEW]) == Exit.NOT_CONVERGED
    shown = capsys.readouterr()
    assert "our own path ends at relative gap" in shown.err
    assert "| borrowed" in shown.out


def test_constant_columns_are_left_out_and_said_to_be(folder, capsys):
    X = np.random.default_rng(0).normal(size=(N, 4))
    X[:, [1, 3]] = 2.5, 0.0
    np.savez("data.npz", X=X, y=X[:, 0])
    assert main(["bench", "data.npz", *FEW]) == Exit.OK
    text = capsys.readouterr().out
    assert f"{N} x 2" in text
    assert "Constant columns left out: 2" in text


def test_bad_data_are_named(folder, capsys):
    X, y = np.random.default_rng(0).normal(size=(N, 4)), np.arange(float(N))
    X[4, 2] = np.nan
    for changed, response, message in (
        (X, y, "got nan in column 2, row 4"),
        (np.ones((N, 4)), y, "column that varies"),
        (X[:, :2], y[:5], "shape"),
        (X[:, :2], np.ones(N), "y must vary"),
    ):
        np.savez("data.npz", X=changed, y=response)
        assert main(["bench", "data.npz", *FEW]) == Exit.BAD_DATA
        assert message in capsys.readouterr().err
    with open("data.csv", "a", encoding="utf-8") as file:
        file.write("a" + ",1" * P + "\n")
    assert main(["bench", "data.csv", *FEW]) == Exit.BAD_DATA
    assert "column 'f0': expected a number, got 'a'" in capsys.readouterr().err


def test_every_family_is_measured(folder, capsys):
    with np.load("data.npz") as data:
        X, y = data["X"], data["y"]
    labels = np.where(y > np.median(y), "high", "low")
    np.savez("labels.npz", X=X, y=labels)
    np.savez("counts.npz", X=X, y=np.floor(4.0 * np.abs(y)))
    times = np.abs(y) + 0.1
    np.savez("times.npz", X=X, time=times, status=(np.arange(len(y)) % 3 > 0).astype(float))
    cases = {
        "binomial": ["labels.npz"],
        "multinomial": ["labels.npz"],
        "poisson": ["counts.npz"],
        "cox": ["times.npz", "--response", "time,status"],
    }
    for family, data in cases.items():
        code = main(["bench", *data, "--family", family, "--json", "r.json", "--eps", "0.2", *FEW])
        assert code == Exit.OK
        ours = [run for run in _record()["runs"] if run["solver"] == OURS]
        assert ours
        assert max(run["worst_suboptimality"] for run in ours) < 1e-3, family
    assert main(["bench", "--family", "binomial", *FEW]) == Exit.OK
    assert "lasso" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["absent.csv"], "cannot read absent.csv"),
        (["data.csv", "--response", "target"], "no column 'target'"),
        (["--response", "target"], "--response needs DATA"),
        (["--drop", "id"], "--drop needs DATA"),
        (["--l1-ratio", "0"], "--l1-ratio must be in (0, 1]"),
        (["--alphas", "1"], "--alphas must be at least 2"),
        (["--eps", "nan"], "--eps must be between 0 and 1"),
        (["--repeats", "0"], "--repeats must be at least 1"),
        (["--slow", "0"], "--slow must be positive"),
        (["--peers", "borowed"], "unknown peer 'borowed'; known: borrowed, absent"),
        (["--out", "picture.docx"], "--out must end in one of .png"),
        (["--out", "data.csv/picture.png"], "cannot write"),
        (["--json", "."], "it is a folder"),
        (["--family", "poisson"], "--family poisson needs DATA"),
        (["--family", "gamma"], "--family must be one of gaussian, binomial"),
    ],
)
def test_bad_usage(folder, capsys, arguments, message):
    pytest.importorskip("matplotlib")
    before = sorted(os.listdir())
    assert main(["bench", *arguments]) == Exit.USAGE
    assert message in capsys.readouterr().err
    assert sorted(os.listdir()) == before


def test_without_matplotlib(folder, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    assert main(["bench", *FEW[:-1]]) == Exit.OK
    assert "No picture: the picture needs matplotlib" in capsys.readouterr().out
    assert main(["bench", "--out", "picture.png", *FEW[:-1]]) == Exit.USAGE
    assert 'pip install "fastreg-paths[plot]"' in capsys.readouterr().err


def test_help(capsys):
    assert main(["bench", "--help"]) == 0
    text = capsys.readouterr().out
    assert "usage: fastreg bench" in text
    assert "exit codes: 0 ok" in text
