"""Every example in README.md and docs/ runs as written."""

import doctest
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def _without_fences(text):
    """Blank the code fences, so that a closing fence is not taken for expected output; line numbers stay."""
    return "\n".join("" if line.lstrip().startswith("```") else line for line in text.splitlines()) + "\n"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_examples_on_the_page(page, tmp_path, monkeypatch):
    # One namespace per page: an example may use what stands above it. Files it writes go to a scratch folder.
    monkeypatch.chdir(tmp_path)
    text = _without_fences(page.read_text(encoding="utf-8"))
    examples = doctest.DocTestParser().get_doctest(text, {}, page.name, str(page), 0)
    complaints = []
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
    outcome = runner.run(examples, out=complaints.append)
    assert outcome.failed == 0, "".join(complaints)


def test_some_pages_have_examples():
    assert sum(">>> " in page.read_text(encoding="utf-8") for page in PAGES) >= 2
