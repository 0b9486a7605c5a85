"""Cold start: the first path of a fresh process, with an empty and with a warm kernel cache.

    python benchmarks/cold.py
    python benchmarks/cold.py logistic "poisson after logistic" --repeats 3
    python benchmarks/cold.py --save

Each figure comes from a new interpreter. `import` is the time of ``import fastreg``, `first` and `second` are
two identical calls, `extra` is their difference, `process` is all of it from outside, interpreter start
included. The cache lives in a temporary folder. The figures of `poisson after logistic` tell what one more
family costs: its first path in the process of a first logistic one, and in a fresh process that finds in the
cache what the logistic one left there.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from fastreg.bench.machine import describe

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
# Least squares on three kinds of data, families on the first. "A after B" is timed where B has been solved.
KINDS = ("dense", "sparse", "tall", "logistic", "logistic after dense", "poisson after logistic")

# Only numpy and scipy are loaded before the clock starts: their import is not ours to shorten.
CHILD = """
import json, sys, time
import numpy as np
from scipy import sparse
kinds = sys.argv[1:]
rng = np.random.default_rng(0)
n, p = (2000, 40) if "tall" in kinds else (100, 2000)
X = np.asfortranarray(rng.standard_normal((n, p)))
eta = X[:, :5].sum(axis=1) + rng.standard_normal(n)
y = {"logistic": eta > 0.0, "poisson": np.floor(np.exp(0.5 * eta))}
if "sparse" in kinds:
    X = sparse.csc_matrix(np.where(np.abs(X) > 1.5, X, 0.0))
times = {}
def clock(name, call):
    start = time.perf_counter()
    call()
    times[name] = time.perf_counter() - start
clock("import", lambda: __import__("fastreg"))
import fastreg
def solve():
    if kind in y:
        getattr(fastreg, kind + "_path")(X, y[kind], eps=1e-2)
    else:
        fastreg.lasso_path(X, eta - eta.mean(), fit_intercept=False, eps=1e-2)
for kind in kinds:
    clock("first", solve)
    clock("second", solve)
print(json.dumps(times))
"""


def fresh(cache: str, *kinds: str) -> dict[str, float]:
    """Run two calls of each kind in a new interpreter with the given cache folder; the last kind is timed."""
    paths = [str(ROOT), os.environ.get("PYTHONPATH", "")]
    environment = {
        **os.environ,
        "FASTREG_CACHE_DIR": cache,
        "PYTHONPATH": os.pathsep.join(path for path in paths if path),
    }
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", CHILD, *kinds], check=True, capture_output=True, text=True, env=environment
    )
    process = time.perf_counter() - start
    times = json.loads(done.stdout)
    return {**times, "extra": times["first"] - times["second"], "process": process}


# One folder of kernels: processes in turn, the kinds that each solves and the state it is measured for.
Course = list[tuple[str, tuple[str, ...]]]
UNMEASURED = ""


def courses(kind: str) -> list[Course]:
    """Return the processes that a kind is measured by."""
    last, _, first = kind.partition(" after ")
    if not first:
        return [[("empty", (kind,)), ("warm", (kind,))]]
    return [
        [("empty, same process", (first, last))],
        [(UNMEASURED, (first,)), (f"of {first}, fresh process", (last,)), ("warm", (last,))],
    ]


def measure(repeats: int, kinds: Sequence[str] = KINDS) -> list[dict[str, Any]]:
    """Return the best of `repeats` for each kind of data and state of the cache."""
    rows = []
    for kind in kinds:
        seen: dict[str, list[dict[str, float]]] = {}
        for course in repeats * courses(kind):
            with tempfile.TemporaryDirectory(prefix="fastreg-cold-") as folder:
                cache = Path(folder) / "kernels"
                cache.mkdir(mode=0o700)
                for state, solved in course:
                    seen.setdefault(state, []).append(fresh(str(cache), *solved))
        seen.pop(UNMEASURED, None)
        for state, runs in seen.items():
            best = {name: min(run[name] for run in runs) for name in runs[0]}
            rows.append({"data": kind, "cache": state, "repeats": repeats, **best})
    return rows


def main(arguments: list[str] | None = None) -> int:
    """Measure, print a table and store it on request."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("kinds", nargs="*", choices=[*KINDS, []], metavar="KIND", help=", ".join(KINDS))
    parser.add_argument(
        "--repeats", type=int, default=2, help="fresh processes per figure, the best counts (default 2)"
    )
    parser.add_argument("--save", action="store_true", help="write benchmarks/results/cold.json")
    chosen = parser.parse_args(arguments)
    if chosen.save and chosen.kinds:
        parser.error("--save stores all of them: name none")
    rows = measure(chosen.repeats, chosen.kinds or KINDS)
    print("| data | cache | import | first path | second path | cold extra | whole process |")
    print("|---|---|---|---|---|---|---|")
    for row in rows:
        print(
            f"| {row['data']} | {row['cache']} | {row['import']:.2f} s | {row['first']:.2f} s | "
            f"{1e3 * row['second']:.1f} ms | {row['extra']:.2f} s | {row['process']:.2f} s |"
        )
    if chosen.save:
        RESULTS.mkdir(exist_ok=True)
        text = json.dumps({"machine": describe(), "runs": rows}, indent=1)
        (RESULTS / "cold.json").write_text(text + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
