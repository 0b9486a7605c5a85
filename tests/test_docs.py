"""Every example in README.md and docs/ runs as written, links lead somewhere, public names have pages."""

import doctest
import importlib
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

import fastreg
from fastreg.cli import main

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(page for page in DOCS.rglob("*.md") if "_build" not in page.parts)]
OTHERS = [ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", ROOT / "benchmarks" / "README.md"]
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# A command, and the output that is shown for it, which is an example like any other.
COMMANDS = re.compile(r"^```sh\n(.*?)^```$(\n\n```text\n(.*?)^```$)?", re.MULTILINE | re.DOTALL)
# Commands that are not for a test to run, by how they begin: who runs them.
RUN_ELSEWHERE = {
    "python3 -m venv .venv": ".ci/run",
    "python -m pip install": ".ci/run",
    "docs/build": ".ci/run",
    "python -m fastreg bench": "tests/test_bench_command.py",
}
LINK = re.compile(r"(?<!`)\[[^\]]+\]\(([^)\s]+)\)")
PEERS = ("celer", "skglm", "sklearn", "pandas", "matplotlib")


class Checker(doctest.OutputChecker):
    """Take all numbers below 1e-12 for equal: they are rounding, and another machine rounds otherwise."""

    ROUNDING = re.compile(r"\b\d(?:\.\d+)?e-(?:1[2-9]|[2-9]\d)\b")

    def check_output(self, want, got, optionflags):
        want, got = (self.ROUNDING.sub("rounding", text) for text in (want, got))
        return super().check_output(want, got, optionflags)


def _name(page):
    return page.relative_to(ROOT).as_posix()


def _commands_as_examples(found):
    """Turn a block of commands into calls of shell(), with the output that the page shows."""
    commands = [line.split("  #")[0].strip() for line in found[1].splitlines() if line.strip()]
    commands = [line for line in commands if not line.startswith(tuple(RUN_ELSEWHERE))]
    shown = re.sub(r"^$", "<BLANKLINE>", found[3].rstrip("\n"), flags=re.MULTILINE) if found[3] else ""
    example = "".join(f">>> shell({line!r})\n" for line in commands) + shown
    return example + "\n" * max(1, found[0].count("\n") - example.count("\n"))


def _without_fences(text):
    """Blank the code fences, so that a closing fence is not taken for expected output; line numbers stay."""
    return "\n".join("" if line.lstrip().startswith("```") else line for line in text.splitlines()) + "\n"


def _shell(command):
    """Run one command of fastreg as the shell would; print what it prints."""
    words = shlex.split(command)
    assert words[:3] == ["python", "-m", "fastreg"], f"who runs {command!r}? Say so in RUN_ELSEWHERE"
    assert main(words[3:]) == 0


@pytest.mark.compiled_only
@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_examples_on_the_page(page, tmp_path, monkeypatch):
    # One namespace per page: an example may use what stands above it. Files it writes go to a scratch folder.
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "Agg")
    text = page.read_text(encoding="utf-8")
    for package in PEERS:
        if re.search(rf">>> (import|from) ([\w, ]*, )?{package}\b", text):
            pytest.importorskip(package)
    text = _without_fences(COMMANDS.sub(_commands_as_examples, text))
    examples = doctest.DocTestParser().get_doctest(text, {"shell": _shell}, page.name, str(page), 0)
    complaints = []
    runner = doctest.DocTestRunner(Checker(), optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
    outcome = runner.run(examples, out=complaints.append)
    assert outcome.failed == 0, "".join(complaints)


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_no_block_is_left_out(page):
    # What has no prompt would not be run; formulas and tables are indented or bare.
    for language, block in BLOCK.findall(page.read_text(encoding="utf-8")):
        assert language in ("python", "sh", "r", "text", ""), language
        if language == "python":
            parts = [part.strip() for part in block.split("\n\n") if part.strip()]
            assert all(part.startswith(">>> ") for part in parts), block


@pytest.mark.parametrize(
    "page", [page for page in PAGES if "```r\n" in page.read_text(encoding="utf-8")], ids=_name
)
def test_blocks_in_r(page, tmp_path):
    if not shutil.which("Rscript"):
        # No Python package brings it; only this page's blocks need it.
        pytest.skip("R is not installed (Debian: r-base-core)")
    blocks = BLOCK.findall(page.read_text(encoding="utf-8"))
    pairs = [(code, blocks[k + 1][1]) for k, (language, code) in enumerate(blocks) if language == "r"]
    script = tmp_path / "page.R"
    script.write_text("".join(f'{code}\ncat("=== end of block\\n")\n' for code, _ in pairs), encoding="utf-8")
    ran = subprocess.run(["Rscript", str(script)], capture_output=True, text=True, timeout=120, check=False)
    if "there is no package" in ran.stderr:
        pytest.skip("R has no glmnet (Debian: r-cran-glmnet)")
    assert ran.returncode == 0, ran.stderr
    printed = ran.stdout.split("=== end of block\n")
    assert [text.strip() for text in printed[:-1]] == [shown.strip() for _, shown in pairs]


def test_some_pages_have_examples():
    assert sum(">>> " in page.read_text(encoding="utf-8") for page in PAGES) >= 10


def _anchors(page):
    """Return what headings are called in links, as GitHub and the site make it."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", [*PAGES, *OTHERS], ids=_name)
def test_links_lead_somewhere(page):
    for target in LINK.findall(page.read_text(encoding="utf-8")):
        if target.startswith(("http://", "https://", "mailto:")):
            continue
        path, _, anchor = target.partition("#")
        found = (page.parent / path).resolve() if path else page
        assert found.exists(), target
        if anchor:
            assert anchor in _anchors(found), target


def test_every_public_name_has_its_page():
    pages = {page: page.read_text(encoding="utf-8") for page in (DOCS / "reference").glob("*.rst")}
    listed = {word for text in pages.values() for word in re.findall(r"^   (\w+)$", text, re.MULTILINE)}
    modules = ["convert", "datasets", "penalties", "plots"]
    assert sorted(set(fastreg.__all__) - set(modules) - {"estimators"} - listed) == []
    if importlib.util.find_spec("sklearn"):
        modules.append("estimators")
    for module in modules:
        names = importlib.import_module(f"fastreg.{module}").__all__
        assert sorted(set(names) - listed) == [], module
