"""Checks of compare.py that start no long process: what counts as slower, which work rose, what is copied."""

from __future__ import annotations

import json
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastreg
from benchmarks import compare
from benchmarks.compare import Result, check_out, kernel_digest, line, measure, parse, write_case
from benchmarks.problems import load


def result(base: list[float], head: list[float], **counters: tuple[int, int]) -> Result:
    counts = {
        side: {name: pair[i] for name, pair in counters.items()} for i, side in enumerate(("base", "head"))
    }
    return Result("case", {"base": base, "head": head}, counts, {"base": 1e-15, "head": 2e-15})


@pytest.mark.parametrize(
    ("base", "head", "slower"),
    [
        ([0.100, 0.300], [0.120, 0.500], True),
        ([0.100], [0.110], False),
        ([0.001], [0.002], False),
        ([0.120], [0.100], False),
    ],
)
def test_slower_means_by_a_share_and_by_an_amount(base: list[float], head: list[float], slower: bool) -> None:
    assert result(base, head).is_slower is slower


def test_counters_that_rose_are_named_with_both_values() -> None:
    found = result([1.0], [1.0], sweeps=(100, 120), cg_steps=(898, 899), entered=(50, 40), rebuilds=(0, 1))
    assert found.risen == {"sweeps": (100, 120), "rebuilds": (0, 1)}
    assert "sweeps 100 -> 120" in line(found, verdict=True)
    found.counters["base"] = {}
    assert found.risen == {}


def test_a_slow_case_is_measured_once_more_and_may_recover(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = iter([1.0, 2.0, 1.0, 1.0])

    def once(side: Any, case: Path, chosen: Any) -> dict[str, Any]:
        return {"times": [next(seconds)], "counters": {}, "gap": 0.0}

    monkeypatch.setattr(compare, "run_once", once)
    chosen = parse(["WORKTREE", ".", "--rounds", "1"])
    found = measure(Path("case"), {"base": "base", "head": "head"}, chosen)
    assert found.times == {"base": [1.0, 1.0], "head": [2.0, 1.0]}
    assert not found.is_slower


def test_exit_code_tells_the_verdict(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(compare, "measure", lambda *_: result([1.0], [2.0]))
    asked = ["WORKTREE", ".", "--cases", "small_tall"]
    assert compare.main(asked) == 1
    assert "SLOWER" in capsys.readouterr().out
    assert compare.main([*asked, "--no-verdict"]) == 0
    assert "SLOWER" not in capsys.readouterr().out
    assert compare.main([*asked, "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["cases"][0]["ratio"] == 2.0


def test_unknown_cases_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse(["HEAD", "HEAD", "--cases", "nonsense"])
    assert "unknown case 'nonsense'" in capsys.readouterr().err


def test_the_checkout_is_copied_and_nothing_is_left(tmp_path: Path) -> None:
    first, second = (check_out(name, tmp_path / key, None) for name, key in ((".", "a"), ("WORKTREE", "b")))
    assert (first.tree / "fastreg" / "api.py").exists()
    # Equal sources share their kernels.
    assert first.cache == second.cache
    edited = first.tree / "fastreg" / "kernels" / "prox.py"
    edited.write_text(edited.read_text() + "\n# another line\n")
    assert kernel_digest(first.tree / "fastreg") != kernel_digest(second.tree / "fastreg")


def test_a_commit_that_does_not_exist_is_told(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="git"):
        check_out("no-such-commit", tmp_path / "side", None)


@pytest.mark.parametrize("case", ["small_wide", "small_text", "small_enet", "small_cox"])
def test_the_worker_solves_what_was_written(case: str, tmp_path: Path, capsys: Any, monkeypatch: Any) -> None:
    problem = load(case)
    write_case(problem, tmp_path / case)
    worker = runpy.run_path(str(compare.WORKER))
    X, y = worker["load"](tmp_path / case)
    assert (X != problem.X).sum() == 0
    assert np.array_equal(y, problem.y)
    tree = str(Path(fastreg.__file__).resolve().parents[1])
    monkeypatch.setattr(sys, "argv", ["worker", str(tmp_path / case), tree, "1", '{"tol": 1e-6}'])
    worker["main"]()
    found = json.loads(capsys.readouterr().out)
    assert 0.0 <= found["gap"] <= 1e-6
    assert found["counters"]["entered"] > 0


def test_the_worker_refuses_another_fastreg(tmp_path: Path) -> None:
    write_case(load("small_tall"), tmp_path / "case")
    command = [sys.executable, str(compare.WORKER), str(tmp_path / "case"), str(tmp_path), "1", "{}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "expected the copy" in done.stderr or "No module named 'fastreg'" in done.stderr
