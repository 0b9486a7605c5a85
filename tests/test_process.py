"""What only a fresh process shows: import cost, compile cache, concurrency.

Times are printed next to their budgets; the asserted limits are many times wider: a busy machine never fails.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import fastreg

pytestmark = pytest.mark.compiled_only

PACKAGE = Path(fastreg.__file__).resolve().parent
# Seconds: what the project promises, and what fails the test.
IMPORT_BUDGET, IMPORT_LIMIT = 0.5, 2.0
WARM_BUDGET, WARM_LIMIT = 0.5, 5.0
COLD_BUDGET, COLD_LIMIT = 6.0, 90.0

# Solves one small problem in one or more storages and prints coefficients, largest gap, time and cache state.
SOLVE = """
import json, sys, time
began = time.perf_counter()
import numpy as np
import scipy.sparse
import fastreg
from fastreg import _jit
imported = time.perf_counter()
rng = np.random.default_rng(7)
X = rng.standard_normal((30, 60))
y = 3.0 * X[:, 0] - 2.0 * X[:, 5] + 0.1 * rng.standard_normal(30)
y -= y.mean()
make = {
    "float64": lambda: np.asfortranarray(X),
    "float32": lambda: np.asfortranarray(X, dtype=np.float32),
    "csc": lambda: scipy.sparse.csc_array(X),
}
answers = {}
for storage in sys.argv[1].split(","):
    result = fastreg.lasso_path(make[storage](), y, alphas=20, eps=0.01)
    proven = bool(result.relative_gaps.max() <= 1e-7)
    answers[storage] = [float(result.coefs.sum()), result.n_nonzero.tolist(), proven]
print(json.dumps({
    "answers": answers,
    "import": imported - began,
    "solve": time.perf_counter() - imported,
    "state": _jit.cache_state(),
    "directory": str(_jit.cache_directory()),
}))
"""

# Calls one kernel that compiles quickly, on one or more dtypes; prints answers and cache state.
SURVEY = """
import json, sys
import numpy as np
from fastreg import _jit
from fastreg.kernels.prepass import Surveyed, survey
from fastreg.kernels.storage import Dense
answers = {}
for dtype in sys.argv[1].split(","):
    XT = np.array([[1.0, 2.0, 4.0, 5.0]], dtype=dtype)
    XT.setflags(write=False)
    w, wy, raw = np.full(4, 0.25), np.array([0.0, 0.0, 0.0, 1.0]), np.zeros((4, 1))
    numbers = [np.zeros(1) for _ in range(3)]
    out = Surveyed(*numbers, np.zeros(1, np.int16), np.zeros(1, np.uint8))
    survey(Dense(XT, np.zeros(1), np.ones(1)), 0, 1, w, wy, 1.0, out, raw)
    answers[dtype] = [*(float(number[0]) for number in numbers), raw[3, 0].item()]
print(json.dumps({
    "answers": answers, "state": _jit.cache_state(), "directory": str(_jit.cache_directory()),
}))
"""

STATE = """
import json
from fastreg import _jit
print(json.dumps({"state": _jit.cache_state(), "directory": str(_jit.cache_directory())}))
"""


def _environment(cache, **extra):
    """Return an environment without the switches that the suite itself may run under."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("NUMBA_", "COV_"))}
    return kept | {"FASTREG_CACHE_DIR": str(cache), "PYTHONDONTWRITEBYTECODE": "1"} | extra


def _start(code, *arguments, cache, path=PACKAGE.parent, **extra):
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        env=_environment(cache, PYTHONPATH=str(path), **extra),
        # The working directory comes first on the path of `python -c`.
        cwd=path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _finish(process):
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    assert err == ""
    return json.loads(out)


def _run(code, *arguments, cache, **extra):
    return _finish(_start(code, *arguments, cache=cache, **extra))


def _report(capsys, what, seconds, budget):
    with capsys.disabled():
        print(f"\n[process] {what}: {seconds:.2f} s (budget {budget} s)", flush=True)


@pytest.fixture(scope="module")
def cold(tmp_path_factory):
    """Return the cache that one process filled, with what that process reported."""
    cache = tmp_path_factory.mktemp("kernels")
    return cache, _run(SOLVE, "float64", cache=cache)


@pytest.fixture(scope="module")
def surveyed(tmp_path_factory):
    """Return the cache with one quick kernel for two dtypes, and what the process that filled it reported."""
    cache = tmp_path_factory.mktemp("quick")
    report = _run(SURVEY, "float64,float32", cache=cache)
    # Mean, square about it, product with y, sum of squares: exact in either precision.
    assert report["answers"] == dict.fromkeys(("float64", "float32"), [3.0, 2.5, 5.0, 46.0])
    return cache, report


def _assert_same(one, other):
    # A process that compiles may run a callee as it was first optimised, one that loads the cache as it was
    # inlined: sums then differ in their last bits. Within either kind of process they are the same.
    assert one.keys() == other.keys()
    for storage, (total, sizes, proven) in one.items():
        assert [sizes, proven] == other[storage][1:]
        assert total == pytest.approx(other[storage][0], rel=1e-12)


def test_import_is_quick(capsys, tmp_path):
    code = "import json, time; t = time.perf_counter(); import fastreg; print(time.perf_counter() - t)"
    seconds = min(_run(code, cache=tmp_path) for _ in range(3))
    _report(capsys, "import fastreg", seconds, IMPORT_BUDGET)
    assert seconds < IMPORT_LIMIT


def test_import_loads_no_optional_package(tmp_path):
    code = "import json, sys, fastreg; print(json.dumps([name.split('.')[0] for name in sys.modules]))"
    optional = {"sklearn", "pandas", "polars", "pyarrow", "matplotlib", "tqdm", "dask", "pytest"}
    assert set(_run(code, cache=tmp_path)) & optional == set()


def test_import_changes_nothing_around_it(tmp_path):
    code = """
import json, logging, os, signal, sys, threading, warnings
import numpy, scipy.sparse, numba
def world():
    from numba.core import config
    switches = {name: repr(value) for name, value in vars(config).items() if name.isupper()}
    loggers = [(log.level, str(log.handlers)) for log in (logging.root, logging.getLogger("fastreg"))]
    threads, handler = threading.active_count(), str(signal.getsignal(signal.SIGINT))
    return [dict(os.environ), loggers, handler, len(warnings.filters), threads, switches]
before = world()
import fastreg
after = world()
print(json.dumps(before == after))
"""
    cache = tmp_path / "untouched"
    assert _run(code, cache=cache) is True
    assert not cache.exists()


def test_first_call_with_an_empty_cache(capsys, cold):
    _, report = cold
    _report(capsys, "first path, empty cache", report["solve"], COLD_BUDGET)
    assert report["state"].startswith("on")
    assert report["answers"]["float64"][2]
    assert report["solve"] < COLD_LIMIT


def test_first_call_with_a_warm_cache(capsys, cold):
    cache, first = cold
    files = {file: file.stat().st_mtime_ns for file in cache.rglob("*.kernel")}
    report = _run(SOLVE, "float64", cache=cache)
    _report(capsys, "first path, warm cache", report["solve"], WARM_BUDGET)
    _assert_same(report["answers"], first["answers"])
    assert report["solve"] < WARM_LIMIT
    # Nothing was compiled again: the same files, none of them rewritten.
    assert files
    assert {file: file.stat().st_mtime_ns for file in cache.rglob("*.kernel")} == files


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="modes and owners are those of POSIX")
def test_the_cache_is_private(cold):
    cache, report = cold
    assert Path(report["directory"]).parent == cache
    assert Path(report["directory"]).stat().st_mode & 0o077 == 0


def test_a_cache_that_cannot_be_written_is_only_slower(surveyed, tmp_path):
    # Modes would not stop an administrator: a file where the directory should be stops everybody.
    occupied = tmp_path / "file"
    occupied.write_text("not a directory")
    report = _run(SURVEY, "float64,float32", cache=occupied)
    assert report["state"].startswith("off: ")
    assert report["answers"] == surveyed[1]["answers"]
    assert occupied.read_text() == "not a directory"


@pytest.mark.parametrize("place", ["below a file", "below a device"])
def test_unusable_places_turn_the_cache_off(place, tmp_path):
    (tmp_path / "file").write_text("")
    cache = tmp_path / "file" / "deeper" if place == "below a file" else Path(os.devnull) / "cache"
    assert _run(STATE, cache=cache)["directory"] == "None"
    assert _run(STATE, cache=cache)["state"].startswith("off: ")


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="modes and owners are those of POSIX")
def test_a_cache_that_others_may_write_is_not_trusted(cold, tmp_path):
    cache, report = cold
    directory = tmp_path / Path(report["directory"]).name
    shutil.copytree(report["directory"], directory)
    directory.chmod(0o777)
    assert _run(STATE, cache=tmp_path)["state"].startswith("off: ")
    directory.chmod(0o700)
    assert _run(STATE, cache=tmp_path)["state"].startswith("on")


@pytest.mark.parametrize("damage", ["nothing left", "half of it", "something else"])
def test_damaged_cache_files_are_compiled_again(surveyed, tmp_path, damage):
    cache, report = surveyed
    shutil.copytree(cache, tmp_path / "kernels")
    files = {file: file.read_bytes() for file in sorted((tmp_path / "kernels").rglob("*.kernel"))}
    assert len(files) == 2
    for file, content in files.items():
        kinds = {"nothing left": b"", "half of it": content[: len(content) // 2]}
        file.write_bytes(kinds.get(damage, b"not a pickle"))
    again = _run(SURVEY, "float64,float32", cache=tmp_path / "kernels")
    assert again["answers"] == report["answers"]
    # What was damaged is whole again.
    assert all(len(file.read_bytes()) > len(content) // 2 for file, content in files.items())


def test_two_processes_may_compile_at_once(surveyed, tmp_path):
    # Two signatures of one kernel, compiled in opposite order by two processes, must not swap their code.
    cache = tmp_path / "shared"
    orders = ["float64,float32", "float32,float64"]
    reports = [_finish(process) for process in [_start(SURVEY, order, cache=cache) for order in orders]]
    later = _run(SURVEY, "float64,float32", cache=cache)
    assert [each["answers"] for each in (*reports, later)] == [surveyed[1]["answers"]] * 3
    assert later["state"].startswith("on: 2 kernels")
    assert list(cache.rglob("*tmp*")) == []


def test_an_edited_kernel_is_compiled_again(tmp_path):
    # The trap: the caller's file is unchanged, the constant stands in a callee of another file.
    copy = tmp_path / "fastreg"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    callee = copy / "kernels" / "probe_callee.py"
    caller = copy / "kernels" / "probe_caller.py"
    head = "from .._jit import kernel\n"
    body = "@kernel\ndef ask(x):\n    return x + constant()\n"
    caller.write_text(head + "from .probe_callee import constant\n" + body)
    source = head + "@kernel\ndef constant():\n    return {}\n"
    code = """
import json
from fastreg import _jit
from fastreg.kernels.probe_caller import ask
answer = ask(1.0)
print(json.dumps([answer, str(_jit.cache_directory()), int(_jit.cache_state().split()[1])]))
"""
    answers = []
    for constant in ("1.0", "2.0", "1.0"):
        callee.write_text(source.format(constant))
        answers.append(_run(code, cache=tmp_path / "cache", path=tmp_path))
    assert [answer[0] for answer in answers] == [2.0, 3.0, 2.0]
    assert answers[0][1] == answers[2][1] != answers[1][1]
    # The third run finds what the first one left.
    assert answers[0][2] == answers[2][2] > 0


def test_an_edited_constant_of_a_storage_changes_the_answer(tmp_path):
    # The same with the package's own kernels: survey's file is unchanged, the verb it calls is edited.
    shutil.copytree(PACKAGE, tmp_path / "fastreg", ignore=shutil.ignore_patterns("__pycache__"))
    code = """
import json
import numpy as np
from fastreg.kernels.prepass import Surveyed, survey
from fastreg.kernels.storage import Dense
XT = np.array([[1.0, 2.0, 4.0, 5.0]])
XT.setflags(write=False)
w, zeros = np.full(4, 0.25), [np.zeros(1, kind) for kind in ("f8", "f8", "f8", "i2", "u1")]
out = Surveyed(*zeros)
survey(Dense(XT, np.zeros(1), np.ones(1)), 0, 1, w, w, 1.0, out, np.zeros((4, 1)))
print(json.dumps([out.mean[0], out.square[0]]))
"""
    assert _run(code, cache=tmp_path / "cache", path=tmp_path) == [3.0, 2.5]
    verbs = tmp_path / "fastreg" / "kernels" / "raw_columns.py"
    source = verbs.read_text(encoding="utf-8")
    # One column stands in for the three that are missing.
    for x in "abcd":
        line = f"s{x} += w[i] * x{x} * x{x}"
        assert line in source
        source = source.replace(line, line.replace("w[i]", "2.0 * w[i]"))
    verbs.write_text(source, encoding="utf-8")
    assert _run(code, cache=tmp_path / "cache", path=tmp_path) == [3.0, 5.0]


def test_a_copy_of_the_package_shares_the_cache_until_it_is_edited(cold, tmp_path):
    cache, report = cold
    copy = tmp_path / "fastreg"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    assert _run(STATE, cache=cache, path=tmp_path)["directory"] == report["directory"]
    storage = copy / "kernels" / "storage.py"
    storage.write_text(storage.read_text(encoding="utf-8") + "\n# edited\n", encoding="utf-8")
    assert _run(STATE, cache=cache, path=tmp_path)["directory"] != report["directory"]


def test_threads_may_solve_at_once(cold):
    code = """
import json, threading
import numpy as np, fastreg
rng = np.random.default_rng(7)
X = np.asfortranarray(rng.standard_normal((30, 60)))
y = X[:, 0] - X[:, 5]
y -= y.mean()
found = []
def solve():
    found.append(fastreg.lasso_path(X, y, alphas=20, eps=0.01).coefs.tobytes())
threads = [threading.Thread(target=solve) for _ in range(4)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
print(json.dumps([len(found), len(set(found))]))
"""
    assert _run(code, cache=cold[0]) == [4, 1]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform has no fork")
def test_a_forked_child_may_solve(cold):
    code = """
import json, multiprocessing
import numpy as np, fastreg
rng = np.random.default_rng(7)
X = np.asfortranarray(rng.standard_normal((30, 60)))
y = X[:, 0] - X[:, 5]
y -= y.mean()
def solve(_):
    return fastreg.lasso_path(X, y, alphas=20, eps=0.01, n_threads=2).coefs.tobytes()
here = solve(0)
with multiprocessing.get_context("fork").Pool(2) as pool:
    print(json.dumps([answer == here for answer in pool.map(solve, range(2))]))
"""
    process = _start(code, cache=cold[0])
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    assert json.loads(out) == [True, True]
