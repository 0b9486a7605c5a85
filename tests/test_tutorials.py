"""The tutorials run, draw what they promise, and hold what they claim: they assert it themselves."""

import ast
import runpy
from pathlib import Path

import pytest

TUTORIALS = Path(__file__).resolve().parents[1] / "docs" / "tutorials"
SCRIPTS = sorted(TUTORIALS.glob("plot_*.py"))
# A tutorial that claims less than this is a picture book.
FEWEST_CLAIMS = 5
NEEDS_SKLEARN = "sklearn", "fastreg.estimators"


def _name(script):
    return script.stem.removeprefix("plot_")


@pytest.fixture
def drawn(monkeypatch):
    """Yield matplotlib without windows, in its own look before and after."""
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    from matplotlib import pyplot

    monkeypatch.setattr(pyplot, "show", lambda *args, **options: None)
    with matplotlib.rc_context():
        pyplot.close("all")
        yield pyplot
        pyplot.close("all")


@pytest.mark.compiled_only
@pytest.mark.parametrize("script", SCRIPTS, ids=_name)
def test_tutorial(script, drawn, tmp_path, monkeypatch):
    text = script.read_text(encoding="utf-8")
    if any(package in text for package in NEEDS_SKLEARN):
        pytest.importorskip("sklearn")
    # As the gallery and "python plot_x.py" do: what scripts share lies beside them.
    monkeypatch.syspath_prepend(TUTORIALS)
    runpy.run_path(str(script), run_name="__main__")
    figures = drawn.get_fignums()
    # Every picture lies in a cell of its own.
    assert len(figures) == text.count("plt.subplots(") + text.count(".plot()\n") + text.count(".plot(labels=")
    for number in figures:
        picture = tmp_path / f"{number}.png"
        drawn.figure(number).savefig(picture)
        assert picture.stat().st_size > 5_000


@pytest.mark.parametrize("script", SCRIPTS, ids=_name)
def test_tutorial_is_a_page(script):
    text = script.read_text(encoding="utf-8")
    tree = ast.parse(text)
    title, underline, blank = (ast.get_docstring(tree) or "").splitlines()[:3]
    assert set(underline) == {"="}
    assert len(underline) == len(title)
    assert blank == ""
    asserted = [node for node in ast.walk(tree) if isinstance(node, ast.Assert)]
    assert len(asserted) + text.count("np.testing.assert_") >= FEWEST_CLAIMS
    assert text.endswith("plt.show()\n")


def test_there_are_tutorials():
    assert len(SCRIPTS) >= 12
    assert (TUTORIALS / "GALLERY_HEADER.rst").exists()
