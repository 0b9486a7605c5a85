"""Peak extra memory of one path, in a fresh process: how much the resident size rises above the data.

    python benchmarks/memory.py                                 fastreg on ar05_1000x100000 (X is 800 MB)
    python benchmarks/memory.py ar05_500x20000 --solver celer

The solver is warmed up on a small problem first, so that compiled code does not count. Only solvers that
run inside this interpreter can be measured.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import json
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.problems import CASES, load
from fastreg.bench.machine import describe
from fastreg.bench.peers import OURS, PEERS, make
from fastreg.bench.problem import Problem

RESULTS = Path(__file__).resolve().parent / "results"
IN_PROCESS = [name for name in PEERS if name not in ("glmnet", "adelie", "adelie-gram")]
MEGABYTE = 2**20


def main(arguments: list[str] | None = None) -> int:
    """Measure one case in a child process, print the figure and store it on request."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("case", nargs="?", default="ar05_1000x100000", choices=list(CASES))
    parser.add_argument("--solver", default=OURS, choices=IN_PROCESS)
    parser.add_argument(
        "--save", action="store_true", help="write benchmarks/results/memory_CASE_SOLVER.json"
    )
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args(arguments)
    if chosen.child:
        print(json.dumps(measure(chosen.case, chosen.solver)))
        return 0
    command = [sys.executable, __file__, chosen.case, "--solver", chosen.solver, "--child"]
    record = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    print(
        f"{record['case']}, {record['solver']} {record['version']}: X {record['X_mb']:.1f} MB, "
        f"peak extra {record['extra_mb']:.1f} MB = {100 * record['extra_share']:.1f} % of X "
        f"({record['kept_mb']:.1f} MB of it is the answer), {record['seconds']:.2f} s"
    )
    if chosen.save:
        path = RESULTS / f"memory_{chosen.case}_{chosen.solver}.json"
        path.write_text(json.dumps({**record, "machine": describe()}, indent=1) + "\n", encoding="utf-8")
    return 0


def warm_up_case(problem: Problem) -> str:
    """Return the small case that needs the same kernels."""
    if problem.family == "gaussian":
        return (
            "small_text" if problem.is_sparse else ("small_tall" if problem.n > problem.p else "small_wide")
        )
    if problem.family == "binomial":
        return "small_text_logistic" if problem.is_sparse else "small_logistic"
    return f"small_{problem.family}"


def measure(case: str, solver: str) -> dict[str, Any]:
    """Solve once and return how far the peak rose above the resident size before the call."""
    problem = load(case)
    adapter = make(solver)
    small = load(warm_up_case(problem))
    adapter.solve(small, small.alphas, adapter.default)
    alphas = problem.alphas
    gc.collect()
    _trim()
    before, exact = _resident(), _reset_peak()
    coefs, seconds = adapter.solve(problem, alphas, adapter.default)
    peak = _peak(exact)
    size = problem.X.data.nbytes + (
        problem.X.indices.nbytes + problem.X.indptr.nbytes if problem.is_sparse else 0
    )
    kept = (
        sum(part.nbytes for part in (coefs.data, coefs.indices, coefs.indptr))
        if hasattr(coefs, "indptr")
        else coefs.nbytes
    )
    return {
        "case": case,
        "solver": solver,
        "version": adapter.version(),
        "X_mb": size / MEGABYTE,
        "extra_mb": (peak - before) / MEGABYTE,
        "extra_share": (peak - before) / size,
        "kept_mb": kept / MEGABYTE,
        "seconds": seconds,
        "peak_was_reset": exact,
    }


def _status(field: str) -> int | None:
    status = Path("/proc/self/status")
    if not status.exists():
        return None
    for line in status.read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) * 1024
    return None


def _resident() -> int:
    value = _status("VmRSS")
    return value if value is not None else _largest_ever()


def _largest_ever() -> int:
    # Kilobytes on Linux, bytes on macOS.
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def _reset_peak() -> bool:
    """Set the recorded peak back to the present size; False where the system cannot."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return False
    return True


def _peak(was_reset: bool) -> int:
    value = _status("VmHWM") if was_reset else None
    return value if value is not None else _largest_ever()


def _trim() -> None:
    """Give freed memory back to the system, so that it cannot hide what the solver takes."""
    if sys.platform == "linux":
        try:
            ctypes.CDLL("libc.so.6").malloc_trim(0)
        except (OSError, AttributeError):
            return


if __name__ == "__main__":
    sys.exit(main())
