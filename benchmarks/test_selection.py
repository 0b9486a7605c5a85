"""The measurements of selection run, on small data and without peers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from benchmarks import selection


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Measure 20 rows and 30 columns, twice ten alphas, and no other solver."""

    def data(name: str) -> tuple[Any, Any]:
        rng = np.random.default_rng(len(name))
        X = np.asfortranarray(rng.standard_normal((20, 30)))
        return X, X[:, 0] + 0.1 * rng.standard_normal(20)

    monkeypatch.setattr(selection, "data", data)
    monkeypatch.setattr(selection, "ALPHAS", 10)
    monkeypatch.setattr(selection, "R_TOLERANCES", (1e-7,))
    monkeypatch.setattr(selection, "SKLEARN_TOLERANCES", ())


@pytest.mark.parametrize("part", selection.MEASURES)
def test_every_part_is_measured(small: None, part: str, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("sklearn")
    assert selection.main([part, "--repeats", "1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines
    assert all("fastreg" in line or "glmnet" in line for line in lines)


def test_curves_of_peers_are_those_of_fastreg(small: None) -> None:
    rows = selection.cross_validation(1)
    errors = {row["solver"]: row["curve_error"] for row in rows if "curve_error" in row}
    assert errors.pop("fastreg") < 1e-9
    assert all(error < 1e-2 for error in errors.values())


def test_parts_are_stored_together_only() -> None:
    with pytest.raises(SystemExit):
        selection.main(["cv", "--save"])
