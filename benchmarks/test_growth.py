"""Checks of growth.py, figures.py and the page: requests without measuring, drawing, what is up to date."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import growth, one_path
from benchmarks.figures import DRAWINGS, FIGURES, digest, draw, inputs
from benchmarks.page import BLOCK, PAGE, PARTS, filled, slope
from fastreg.bench.accuracy import assess
from fastreg.bench.peers import OURS

SPEED = {OURS: 1.0, "glmnet": 3.0, "celer": 5.0, "scikit-learn": 40.0, "skglm": 8.0}


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """Make up a measurement: time grows with the size of X, supports along the path."""
    design = request.get("ar") or request.get("text") or {"n": 100, "p": 1000}
    n, p, solver = design["n"], design["p"], request.get("solver", OURS)
    seconds = SPEED[solver] * 1e-8 * n * p
    found = {
        "n": n,
        "p": p,
        "dtype": "float64",
        "X_bytes": 8 * n * p,
        "entries_per_column": n * design.get("words", p) / p,
        "seconds": seconds,
        "times": [seconds],
        "extra_bytes": None if solver == "glmnet" else n * p,
        "n_nonzero_last": 50,
        "passes_read": 12.0,
        "is_complete": True,
    }
    if request.get("trace"):
        found["trace"] = {"active": [0, 5, 50, 500], "elapsed": [0.0, 0.001, 0.01, 0.1]}
    return found


@pytest.fixture(scope="module")
def made_up() -> dict[str, Any]:
    parts = {
        name: {"quick": True, "constants": one_path.constants(), "rows": rows(True, answer)}
        for name, rows in growth.PARTS.items()
    }
    found = inputs()
    # Where the other losses have not been measured, least squares stand in for them.
    losses = [{**record, "family": "cox", "case": "cox_wide"} for record in found["cases"][:2]]
    return {"losses": losses, **found, **parts}


@pytest.mark.parametrize("name", growth.PARTS)
@pytest.mark.parametrize("quick", [True, False])
def test_every_part_asks_for_things_that_can_be_stored(name: str, quick: bool) -> None:
    rows = growth.PARTS[name](quick, answer)
    assert rows
    assert json.loads(json.dumps(rows)) == rows
    assert {row["request"].get("mode", "auto") for row in rows} <= set(one_path.FORCED)


def test_a_peer_is_left_out_once_it_would_take_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(growth, "PATIENCE", 1.0)
    rows = list(growth.grow([(100, 10_000), (100, 100_000), (100, 300_000)], [OURS, "scikit-learn"], answer))
    sizes = {name: [row["p"] for row in rows if row["request"]["solver"] == name] for name in SPEED}
    assert sizes[OURS] == [10_000, 100_000, 300_000]
    assert sizes["scikit-learn"] == [10_000]


def test_float32_is_not_given_to_peers() -> None:
    rows = list(growth.grow([(200, 300_000), (200, 1_000_000)], [OURS, "glmnet"], answer))
    assert [row["p"] for row in rows if row["request"]["solver"] == "glmnet"] == [300_000]


def test_parts_are_stored_side_by_side(tmp_path: Path) -> None:
    out = tmp_path / "growth.json"
    growth.store("n", [{"seconds": 1.0}], False, out)
    growth.store("p", [{"seconds": 2.0}], False, out)
    growth.store("n", [{"seconds": 3.0}], False, out)
    record = json.loads(out.read_text())
    assert list(record) == ["p", "n"]
    assert record["n"]["rows"] == [{"seconds": 3.0}]


def test_one_path_measures_time_work_and_memory() -> None:
    found = one_path.measure({"ar": {"n": 30, "p": 120, "support": 5}, "repeats": 1, "trace": True})
    assert found["seconds"] > 0.0
    assert found["passes_read"] > 0.0
    assert found["extra_bytes"] >= 0
    assert found["worst_gap"] <= 1e-7
    assert len(found["trace"]["active"]) == 100


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_designs_have_their_alpha_max(dtype: type, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(one_path, "DOUBLE_LIMIT", np.inf if dtype is np.float64 else 0.0)
    problem = one_path.autoregressive(40, 90, support=4)
    assert problem.X.dtype == dtype
    assert problem.X.flags.f_contiguous
    double = problem.X.astype(np.float64)
    expected = np.abs(double.T @ problem.y.astype(np.float64)).max() / 40
    assert problem.alpha_max == pytest.approx(expected, rel=1e-5)


# Where fastreg's cost model has changed, this says what has to follow in one_path.py.
@pytest.mark.parametrize("mode", one_path.FORCED)
def test_every_mode_can_be_forced_and_solves(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib

    for module, name, value in one_path.FORCED[mode]:
        assert hasattr(importlib.import_module(module), name), (
            f"{module} has no {name}: FORCED is out of date"
        )
        monkeypatch.setattr(f"{module}.{name}", value)
    problem = one_path.autoregressive(60, 40, support=4)
    coefs, _, notes = one_path.ours({})(problem)
    assert assess(problem, problem.alphas, [coefs])[0].worst_gap <= 1e-7
    assert (notes["counters"].get("sweeps", 0) > 0) == (mode == "descent")


@pytest.mark.parametrize("name", DRAWINGS)
def test_figures_are_drawn_and_equal_inputs_give_equal_files(
    name: str, made_up: dict[str, Any], tmp_path: Path
) -> None:
    data = made_up[DRAWINGS[name][0]]
    first = draw(name, data, tmp_path).read_bytes()
    assert draw(name, data, tmp_path).read_bytes() == first
    assert b"<svg" in first
    assert digest(data).encode() in first


def test_the_figures_are_those_of_the_stored_results() -> None:
    found = inputs()
    stale = []
    for name, (key, _) in DRAWINGS.items():
        file = FIGURES / f"{name}.svg"
        if key in found:
            stale += [name] if not file.exists() or digest(found[key]) not in file.read_text() else []
        else:
            assert not file.exists(), f"{name} has no results behind it"
    assert stale == [], "run: python benchmarks/figures.py --page"


def test_the_page_shows_the_stored_results() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert filled(text, inputs()) == text, "run: python benchmarks/figures.py --page"


def test_every_generated_part_is_on_the_page_and_can_be_written(made_up: dict[str, Any]) -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert sorted(match[2] for match in BLOCK.finditer(text)) == sorted(PARTS)
    rows = [
        {"what": "one path", "solver": "fastreg", "tol": 1e-7, "seconds": 0.005},
        {"what": "10-fold CV", "solver": "fastreg", "tol": 1e-7, "seconds": 0.04, "curve_error": 1e-9}
        | {"extra_memory": 0.5},
        {"what": "100 responses", "solver": "fastreg", "seconds": 0.3, "times_one": 60.0},
    ]
    everything = filled(text, {**made_up, "cold": {"runs": []}, "selection": {"rows": rows}})
    assert "costs 8.0 paths and 50% of the size of X" in everything
    assert "Not measured yet" not in everything
    assert "nan" not in everything
    assert filled(everything, {}).count("Not measured yet") == len(PARTS) - 1


def test_every_counter_is_explained() -> None:
    explained = set(re.findall(r"`(\w+)`", PAGE.read_text(encoding="utf-8").partition("## Work counters")[2]))
    path = one_path.ours({})(one_path.autoregressive(20, 30, support=3))[2]
    assert set(path["counters"]) - explained == set()


def test_slopes_are_exponents() -> None:
    assert slope([1.0, 10.0, 100.0], [2.0, 20.0, 200.0]) == pytest.approx(1.0)
