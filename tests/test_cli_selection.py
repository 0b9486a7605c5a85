"""The commands ``cv`` and ``select``: what they write equals what the library returns, and how they end."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import fastreg
from fastreg.cli import main
from fastreg.cli.exits import Exit
from fastreg.selection.cv_result import CVResult
from fastreg.selection.stability_result import StabilityResult

N, P = 40, 12


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Run in a folder with one data file that holds everything a command may ask for."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(5)
    X = np.asfortranarray(rng.standard_normal((N, P)))
    y = 2.0 * X[:, 3] - X[:, 7] + 0.3 * rng.standard_normal(N)
    np.savez(
        "data.npz",
        X=X,
        y=y,
        label=np.where(y > 0, "high", "low"),
        fold=np.arange(N) % 4,
        batch=np.array([f"b{i // 5}" for i in range(N)]),
        half=np.full(N, 0.5),
    )
    return X, y


def _run(*arguments, alphas=12):
    return main([*arguments, "--alphas", str(alphas), "--eps", "0.05", "--out", "out"])


def _record(command):
    with open(f"out.{command}.run.json", encoding="utf-8") as stored:
        return json.load(stored)


def _table(file):
    with open(file, encoding="utf-8") as stored:
        header, *rows = [line.rstrip("\n").split("\t") for line in stored]
    return {name: [row[k] for row in rows] for k, name in enumerate(header)}


def test_cv_writes_what_the_library_finds(folder, capsys):
    pytest.importorskip("matplotlib")
    X, y = folder
    assert _run("cv", "data.npz", "--fold-of", "fold", "--rule", "1se") == Exit.OK
    expected = fastreg.cv_path(X, y, cv=np.arange(N) % 4, alphas=12, eps=0.05, rule="1se")
    stored = CVResult.load("out.cv.npz")
    assert np.array_equal(stored.mean, expected.mean)
    assert stored.alpha == expected.alpha == _record("cv")["alpha"]
    table = _table("out.cv.tsv")
    assert np.array_equal(np.array(table["mean"], float), expected.mean)
    assert np.array_equal(np.array(table["fold_3"], float), expected.scores[3])
    features = _table("out.cv.features.tsv")
    assert list(map(int, features["column"]))[:2] == [3, 7]
    assert float(features["coefficient"][0]) == expected.coef[3]
    with open("out.cv.png", "rb") as picture:
        assert picture.read(4) == b"\x89PNG"
    shown = capsys.readouterr().out
    assert str(expected).split(";")[0] in shown
    assert "saved out.cv.npz, out.cv.tsv, out.cv.features.tsv, out.cv.run.json, out.cv.png" in shown


def test_cv_options_reach_the_library(folder, capsys):
    X, y = folder
    options = ["--groups", "batch", "--cv", "3", "--repeats", "2", "--seed", "4", "--l1-ratios", "0.5,1"]
    more = ["--family", "binomial", "--response", "label", "--scoring", "auc", "--relax", "--no-plot"]
    assert _run("cv", "data.npz", *options, *more, alphas=5) == Exit.OK
    groups = [f"b{i // 5}" for i in range(N)]
    expected = fastreg.cv_path(
        X, np.where(y > 0, "high", "low"), family="binomial", groups=groups, cv=3, repeats=2, random_state=4,
        l1_ratio=[0.5, 1.0], scoring="auc", relax=True, alphas=5, eps=0.05,
    )  # fmt: skip
    stored = CVResult.load("out.cv.npz")
    assert len(stored.curves) == len(expected.curves) == 10
    assert np.array_equal(stored.mean, expected.mean)
    assert "auc" in capsys.readouterr().out


def test_cv_of_several_outputs_names_a_column_for_each(folder):
    arguments = ["--family", "multinomial", "--response", "label", "--cv", "4", "--no-plot"]
    assert _run("cv", "data.npz", *arguments) == Exit.OK
    assert {"coefficient_0", "coefficient_1"} <= set(_table("out.cv.features.tsv"))


def test_select_writes_what_the_library_finds(folder, capsys):
    pytest.importorskip("matplotlib")
    X, y = folder
    assert _run("select", "data.npz", "--q", "3", "--pairs", "8", "--seed", "2") == Exit.OK
    expected = fastreg.stability_selection(X, y, q=3, pairs=8, random_state=2, alphas=12, eps=0.05)
    stored = StabilityResult.load("out.stability.npz")
    assert np.array_equal(stored.probabilities, expected.probabilities)
    features = _table("out.stability.features.tsv")
    assert list(map(int, features["column"])) == expected.ranked().tolist()
    assert np.array_equal(np.array(features["probability"], float), expected.probabilities[expected.ranked()])
    record = _record("stability")
    assert record["selected"] == [f"x{j}" for j in expected.selected]
    assert record["max_false"] == expected.max_false
    assert "both halves" in capsys.readouterr().out


def test_sister_commands_leave_each_other_alone(folder):
    files = ("out.cv.features.tsv", "out.cv.run.json")
    assert _run("cv", "data.npz", "--folds", "4", "--no-plot") == Exit.OK
    before = [Path(name).read_bytes() for name in files]
    assert _run("select", "data.npz", "--choose", "3", "--pairs", "4", "--no-plot") == Exit.OK
    assert _run("report", "data.npz", "--folds", "4") == Exit.OK
    assert [Path(name).read_bytes() for name in files] == before
    assert _record("cv")["command"]["cv"] == 4
    assert _record("stability")["q"] == 3


def test_a_budget_keeps_what_was_finished(folder, capsys):
    assert _run("cv", "data.npz", "--max-time", "1e-9", "--no-plot") == Exit.OK
    assert _record("cv")["folds_finished"] == 0
    assert _table("out.cv.features.tsv") == {"feature": []}
    assert "no fold was finished" in capsys.readouterr().out
    assert _run("select", "data.npz", "--max-time", "1e-9", "--no-plot") == Exit.OK
    assert _record("stability")["status"] == "MAX_TIME"


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["cv", "data.npz", "--cv", "1"], Exit.USAGE, "--cv/--folds: expected a whole number of at least 2"),
        (["cv", "data.npz", "--cv", "41"], Exit.BAD_DATA, "cv must be at most 40"),
        (["cv", "data.npz", "--seed", "-1"], Exit.USAGE, "--seed"),
        (["cv", "data.npz", "--fold-of", "half"], Exit.BAD_DATA, "--fold-of must hold whole numbers"),
        (["cv", "data.npz", "--fold-of", "absent"], Exit.USAGE, "absent"),
        (["cv", "data.npz", "--scoring", "auc"], Exit.USAGE, "--scoring"),
        (["cv", "data.npz", "--l1-ratios", "0.5,2"], Exit.USAGE, "--l1-ratios must"),
        (["cv", "data.npz", "--l1-ratio", "2"], Exit.USAGE, "l1_ratio"),
        (["cv", "data.npz", "--rule", "best"], Exit.USAGE, "invalid choice"),
        (["cv", "data.npz", "--max-features", "3"], Exit.USAGE, "unrecognized arguments"),
        (
            ["select", "data.npz", "--threshold", "0.4"],
            Exit.USAGE,
            "--threshold: expected a number above 0.5 and",
        ),
        (["select", "data.npz", "--max-false", "0"], Exit.USAGE, "--max-false"),
        (
            ["select", "data.npz", "--q", "3", "--threshold", "0.9", "--max-false", "1"],
            Exit.USAGE,
            "give two",
        ),
        (["select", "data.npz", "--q", "13"], Exit.BAD_DATA, "q must be at most"),
        (["select", "data.npz", "--l1-ratio", "0"], Exit.USAGE, "--l1-ratio must be > 0"),
        (["select", "data.npz", "--pairs", "0"], Exit.USAGE, "--pairs"),
        (["select", "absent.npz"], Exit.USAGE, "absent.npz"),
    ],
)
def test_what_cannot_be_done_is_said(folder, capsys, arguments, code, message):
    assert main([*arguments, "--no-plot"]) == code
    assert message in capsys.readouterr().err


def test_without_matplotlib(folder, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    assert _run("cv", "data.npz", "--cv", "4") == Exit.USAGE
    assert "pip install 'fastreg-paths[plot]', or pass --no-plot" in capsys.readouterr().err
    assert _run("cv", "data.npz", "--folds", "4", "--no-plot") == Exit.OK


def test_pictures_need_no_window(folder):
    pytest.importorskip("matplotlib")
    command = [sys.executable, "-m", "fastreg", "cv", "data.npz", "--alphas", "3", "--cv", "2"]
    environment = os.environ | {"MPLBACKEND": "module://of_a_notebook"}
    subprocess.run(command, capture_output=True, env=environment, timeout=100, check=True)
    assert os.path.getsize("data.cv.png") > 5_000
