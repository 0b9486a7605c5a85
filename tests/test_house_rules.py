"""Rules of the house that a machine can check; CONTRIBUTING.md gives the reasons."""

import ast
import inspect
import os
import re
from pathlib import Path

import pytest

import fastreg

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "fastreg"
KERNELS = sorted((PACKAGE / "kernels").glob("*.py"))
LONGEST_FILE = 450
LONGEST_FUNCTION = 60
# Optional at run time: nobody may need them to import fastreg.
OPTIONAL = {"sklearn", "pandas", "polars", "pyarrow", "matplotlib", "tqdm", "dask"}
LEFT_OUT = {"__pycache__", "build", "dist", "htmlcov"}
UNFINISHED = re.compile("|".join(["TO" + "DO", "FIX" + "ME", "X" + "XX", "NotImplemented" + "Error"]))
MACHINE_PATH = re.compile(r"(?:^|[^A-Za-z0-9_.])/(?:work|root|farm|home|tmp/[a-z])")


def _files(*suffixes):
    """Return the project's files with these suffixes; environments, caches and builds are not walked."""
    found = []
    for folder, names, files in os.walk(ROOT):
        names[:] = [name for name in names if name not in LEFT_OUT and not name.startswith(".")]
        found += [Path(folder, file) for file in files if Path(file).suffix in suffixes]
    return sorted(found)


def _name(path):
    return path.relative_to(ROOT).as_posix()


def _lines_with(pattern, paths):
    return [
        f"{_name(path)}:{number}: {line.strip()}"
        for path in paths
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if pattern.search(line)
    ]


def _tree(path):
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def _imports(nodes):
    """Yield (level, dotted name) of every import among the nodes."""
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from ((0, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.level, node.module or ""


PYTHON = _files(".py")
SOURCES = [path for path in PYTHON if PACKAGE in path.parents]


def test_there_is_something_to_check():
    assert len(SOURCES) > 10
    assert len(KERNELS) > 3


@pytest.mark.parametrize("path", PYTHON, ids=_name)
def test_files_hold_one_idea(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST_FILE


@pytest.mark.parametrize("path", SOURCES, ids=_name)
def test_functions_fit_on_a_page(path):
    text = path.read_text(encoding="utf-8").splitlines()
    too_long = []
    for node in ast.walk(_tree(path)):
        if not isinstance(node, ast.FunctionDef):
            continue
        has_docstring = ast.get_docstring(node) is not None and len(node.body) > 1
        first = node.body[1 if has_docstring else 0].lineno
        body = [line.strip() for line in text[first - 1 : node.end_lineno]]
        length = sum(1 for line in body if line and not line.startswith("#"))
        if length > LONGEST_FUNCTION:
            too_long.append(f"{node.name}: {length} lines of code")
    assert too_long == []


def test_nothing_is_left_unfinished():
    assert _lines_with(UNFINISHED, PYTHON) == []


def test_no_paths_of_one_machine():
    paths = _files(".py", ".md", ".toml", ".tsv", ".json", ".cfg", ".yml", ".R")
    assert _lines_with(MACHINE_PATH, [*paths, ROOT / ".ci" / "run"]) == []


@pytest.mark.parametrize("path", PYTHON, ids=_name)
def test_code_is_ascii(path):
    path.read_text(encoding="ascii")


@pytest.mark.parametrize("path", SOURCES, ids=_name)
def test_compile_options_that_break_are_absent(path):
    # docs/decisions/0002: each of these misses the disk cache, aborts processes or drops NaN.
    found = []
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.keyword) and node.arg in {"fastmath", "parallel"}:
            if isinstance(node.value, ast.Constant) and node.value.value is True:
                found.append(f"{node.arg}=True")
        elif isinstance(node, ast.Name | ast.Attribute | ast.alias):
            name = {ast.Name: "id", ast.Attribute: "attr", ast.alias: "name"}[type(node)]
            if getattr(node, name) in {"jitclass", "guvectorize", "prange"}:
                found.append(getattr(node, name))
    assert found == []


@pytest.mark.parametrize("path", KERNELS, ids=_name)
def test_kernels_import_only_downwards(path):
    allowed = {(0, "__future__"), (0, "math"), (0, "typing"), (0, "collections.abc"), (0, "numpy")}
    allowed |= {(2, "_bundle"), (2, "_jit"), (2, "_typing"), (1, "")}
    allowed |= {(1, other.stem) for other in KERNELS if other != path}
    assert set(_imports(ast.walk(_tree(path)))) - allowed == set()


@pytest.mark.parametrize("path", [path for path in SOURCES if path not in KERNELS], ids=_name)
def test_only_the_kernels_folder_is_compiled(path):
    # The cache directory is named by a hash of that folder: a kernel elsewhere could meet stale machine code.
    decorators = {
        ast.unparse(decorator).split("(")[0].rsplit(".", 1)[-1]
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.FunctionDef)
        for decorator in node.decorator_list
    }
    compiling = {"kernel", "part", "exact_part", "bundle", "verb", "njit", "jit", "vectorize"}
    assert decorators & compiling == set()


def _decorated(path, names):
    """Return the functions of a file that have one of the decorators."""
    return {
        node.name
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.FunctionDef)
        and names & {ast.unparse(decorator) for decorator in node.decorator_list}
    }


def test_parts_of_kernels_are_called_by_kernels_only():
    # Machine code for a call from Python is not made for them.
    parts = {(path.stem, name) for path in KERNELS for name in _decorated(path, {"part", "exact_part"})}
    assert len(parts) > 30
    for path in set(SOURCES) - set(KERNELS):
        nodes = list(ast.walk(_tree(path)))
        used = {
            (node.value.id, node.attr)
            for node in nodes
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
        }
        for node in nodes:
            if isinstance(node, ast.ImportFrom) and "kernels" in (node.module or ""):
                used |= {(node.module.rsplit(".", 1)[-1], alias.name) for alias in node.names}
        assert used & parts == set(), _name(path)


# Loaded when they are asked for, by those who have scikit-learn.
ESTIMATORS = sorted((PACKAGE / "estimators").glob("*.py"))


@pytest.mark.parametrize("path", [path for path in SOURCES if path not in ESTIMATORS], ids=_name)
def test_optional_packages_are_imported_where_they_are_used(path):
    at_import = [node for node in _tree(path).body if not isinstance(node, ast.FunctionDef | ast.ClassDef)]
    assert {name.split(".")[0] for _, name in _imports(at_import)} & OPTIONAL == set()


def _public():
    """Yield (name, object) for every public function and class, those of public modules included."""
    for name in fastreg.__all__:
        obj = getattr(fastreg, name)
        if inspect.ismodule(obj):
            for inner in getattr(obj, "__all__", [n for n in vars(obj) if not n.startswith("_")]):
                member = getattr(obj, inner)
                if getattr(member, "__module__", None) == obj.__name__ and callable(member):
                    yield f"{name}.{inner}", member
        elif inspect.isclass(obj) or inspect.isroutine(obj):
            yield name, obj


PUBLIC = dict(_public())


@pytest.mark.parametrize("name", PUBLIC)
def test_public_names_are_documented(name):
    obj = PUBLIC[name]
    doc = inspect.getdoc(obj) or ""
    assert doc.split("\n", 1)[0].endswith("."), "the first line is one sentence"
    if inspect.isclass(obj) and issubclass(obj, Exception):
        return
    assert ">>> " in doc, "an example that runs as a doctest"
    if inspect.isclass(obj):
        return
    signature = inspect.signature(obj)
    headings = set(re.findall(r"^([A-Z][a-z]+)\n-{3,}$", doc, flags=re.MULTILINE))
    wanted = {"Returns", "Examples"} | ({"Parameters"} if signature.parameters else set())
    assert wanted - headings == set()
    described = re.findall(r"^([\w*, ]+) : ", doc, flags=re.MULTILINE)
    names = {name.strip("* ") for line in described for name in line.split(",")}
    undescribed = [name for name in signature.parameters if name not in names]
    assert undescribed == []


@pytest.mark.parametrize("name", fastreg.__all__)
def test_public_names_exist(name):
    assert hasattr(fastreg, name)


@pytest.mark.parametrize("path", SOURCES, ids=_name)
def test_modules_say_what_they_hold(path):
    tree = _tree(path)
    assert ast.get_docstring(tree) or not tree.body


def test_formula_numbers_run_through_and_are_the_ones_cited():
    page = (ROOT / "docs" / "math.md").read_text(encoding="utf-8")
    numbers = [int(number) for number in re.findall(r"^\*\*F(\d+)\*\*", page, flags=re.MULTILINE)]
    assert numbers == list(range(1, len(numbers) + 1))
    cited = {
        int(number)
        for path in SOURCES
        for line in path.read_text(encoding="utf-8").splitlines()
        for number in re.findall(r"\bF(\d+)\b", line.partition("# noqa")[0])
    }
    assert cited - set(numbers) == set()


def test_decisions_say_context_choice_consequence_and_figures():
    pages = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))
    assert [int(page.name[:4]) for page in pages] == list(range(1, len(pages) + 1))
    for page in pages:
        headings = re.findall(r"^## (\w+)", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
        assert headings[:4] == ["Context", "Choice", "Consequence", "Figures"], page.name
