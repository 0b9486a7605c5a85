"""The example scripts run, and what they claim holds: they assert it themselves."""

import runpy
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[1] / "docs" / "examples"


@pytest.mark.compiled_only
@pytest.mark.parametrize("script", sorted(EXAMPLES.glob("*.py")), ids=lambda script: script.stem)
def test_example(script, tmp_path, monkeypatch, capsys):
    pytest.importorskip("matplotlib")
    if "sklearn" in script.read_text(encoding="utf-8"):
        pytest.importorskip("sklearn")
    picture = tmp_path / "picture.png"
    monkeypatch.setattr(sys, "argv", [str(script), "--out", str(picture)])
    runpy.run_path(str(script), run_name="__main__")
    assert picture.stat().st_size > 10_000
    assert str(picture) in capsys.readouterr().out
