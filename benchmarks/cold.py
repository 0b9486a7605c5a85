"""Cold start: the first path of a fresh process, with an empty and with a warm kernel cache.

    python benchmarks/cold.py
    python benchmarks/cold.py --repeats 3 --save

Each figure comes from a new interpreter. `import` is the time of ``import fastreg``, `first` and `second` are
two identical calls, `process` is all of it from outside, interpreter start included. The cache lives in a
temporary folder.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from fastreg.bench.machine import describe

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
KINDS = ("dense", "sparse", "tall")

# Only numpy and scipy are loaded before the clock starts: their import is not ours to shorten.
CHILD = """
import json, sys, time
import numpy as np
from scipy import sparse
kind = sys.argv[1]
rng = np.random.default_rng(0)
n, p = (2000, 40) if kind == "tall" else (100, 2000)
X = np.asfortranarray(rng.standard_normal((n, p)))
y = X[:, :5].sum(axis=1) + rng.standard_normal(n)
y -= y.mean()
if kind == "sparse":
    X = sparse.csc_matrix(np.where(np.abs(X) > 1.5, X, 0.0))
times = {}
def clock(name, call):
    start = time.perf_counter()
    call()
    times[name] = time.perf_counter() - start
clock("import", lambda: __import__("fastreg"))
import fastreg
clock("first", lambda: fastreg.lasso_path(X, y, fit_intercept=False, eps=1e-2))
clock("second", lambda: fastreg.lasso_path(X, y, fit_intercept=False, eps=1e-2))
print(json.dumps(times))
"""


def fresh(kind: str, cache: str) -> dict[str, float]:
    """Run the two calls in a new interpreter with the given cache folder."""
    paths = [str(ROOT), os.environ.get("PYTHONPATH", "")]
    environment = {
        **os.environ,
        "FASTREG_CACHE_DIR": cache,
        "PYTHONPATH": os.pathsep.join(path for path in paths if path),
    }
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", CHILD, kind], check=True, capture_output=True, text=True, env=environment
    )
    process = time.perf_counter() - start
    return {**json.loads(done.stdout), "process": process}


def measure(repeats: int) -> list[dict[str, Any]]:
    """Return the best of `repeats` for each kind of data and state of the cache."""
    rows = []
    for kind in KINDS:
        runs: dict[str, list[dict[str, float]]] = {"empty": [], "warm": []}
        for _ in range(repeats):
            with tempfile.TemporaryDirectory(prefix="fastreg-cold-") as folder:
                cache = Path(folder) / "kernels"
                cache.mkdir(mode=0o700)
                runs["empty"].append(fresh(kind, str(cache)))
                runs["warm"].append(fresh(kind, str(cache)))
        for state, seen in runs.items():
            best = {name: min(run[name] for run in seen) for name in seen[0]}
            rows.append({"data": kind, "cache": state, "repeats": repeats, **best})
    return rows


def main(arguments: list[str] | None = None) -> int:
    """Measure, print a table and store it on request."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--repeats", type=int, default=2, help="fresh processes per figure, the best counts (default 2)"
    )
    parser.add_argument("--save", action="store_true", help="write benchmarks/results/cold.json")
    chosen = parser.parse_args(arguments)
    rows = measure(chosen.repeats)
    print("| data | cache | import | first path | second path | whole process |")
    print("|---|---|---|---|---|---|")
    for row in rows:
        print(
            f"| {row['data']} | {row['cache']} | {row['import']:.2f} s | {row['first']:.2f} s | "
            f"{1e3 * row['second']:.1f} ms | {row['process']:.2f} s |"
        )
    if chosen.save:
        RESULTS.mkdir(exist_ok=True)
        text = json.dumps({"machine": describe(), "runs": rows}, indent=1)
        (RESULTS / "cold.json").write_text(text + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
