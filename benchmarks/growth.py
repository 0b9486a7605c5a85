"""How cost grows, one command per part; each part replaces its entry in benchmarks/results/growth.json.

* ``python benchmarks/growth.py p``: time, passes and extra memory against p at a fixed true support
* ``python benchmarks/growth.py n``: the same against n at p = 20000
* ``python benchmarks/growth.py threads``: 1 and 2 threads on two cases, and where a second thread pays
* ``python benchmarks/growth.py memory``: peak extra memory over the size of X, by case and solver
* ``python benchmarks/growth.py modes``: each way of solving forced over shapes and supports
* ``python benchmarks/growth.py all --quick --out FILE``: everything at toy sizes, to try it

Every figure comes from a fresh process (one_path.py). Without --out, --quick stores nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.one_path import DOUBLE_LIMIT, constants
from fastreg.bench.machine import describe
from fastreg.bench.peers import OURS, ready

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "growth.json"
CHILD = ROOT / "benchmarks" / "one_path.py"
# A peer takes part as long as it needs less than this many seconds.
PATIENCE = 20.0
# Seconds after which a process is ended: drawing X, a warm-up and the measured paths.
TIMEOUT = 900.0
# Seconds a forced mode may take before it is cut off: the course up to there is kept.
CUT = 60.0
PEERS = ("glmnet", "celer", "scikit-learn")
MEMORY_SOLVERS = (OURS, "celer", "scikit-learn", "skglm")
RHO, SUPPORT = 0.5, 20

Request = dict[str, Any]
Row = dict[str, Any]
# What answers a request; tests put something cheaper here.
Ask = Callable[[Request], Row | None]


def ask(request: Request) -> Row | None:
    """Answer one request in a fresh process; None, with a line on stderr, if that fails."""
    paths = [str(ROOT), os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in paths if path)}
    command = [sys.executable, str(CHILD), json.dumps(request)]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, env=environment, timeout=TIMEOUT, check=False
        )
    except subprocess.TimeoutExpired:
        print(f"  {json.dumps(request)}: ended after {TIMEOUT:.0f} s", file=sys.stderr)
        return None
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        print(f"  {json.dumps(request)}: {last}", file=sys.stderr)
        return None
    return dict(json.loads(done.stdout.splitlines()[-1]))


def rows_of(requests: Iterable[Request], answer: Ask) -> Iterator[Row]:
    """Yield every answered request together with its answer."""
    for request in requests:
        found = answer(request)
        if found is not None:
            yield {"request": request, **found}


def grow(shapes: list[tuple[int, int]], solvers: list[str], answer: Ask) -> Iterator[Row]:
    """Solve AR designs of growing shapes; a peer is left out once it would take longer than PATIENCE."""
    expected = dict.fromkeys(solvers, 0.0)
    before = shapes[0]
    for n, p in shapes:
        growth = (n * p) / (before[0] * before[1])
        for solver in solvers:
            # Peers get float64 only: glmnet knows nothing else, and celer 0.7.4 stumbles over float32.
            is_single = 8 * n * p > DOUBLE_LIMIT
            if solver != OURS and (is_single or expected[solver] * growth > PATIENCE):
                expected[solver] = float("inf")
                continue
            request = {"ar": {"n": n, "p": p, "rho": RHO, "support": SUPPORT}, "solver": solver}
            for row in rows_of([request], answer):
                expected[solver] = row["seconds"]
                yield row
        before = (n, p)


def part_p(quick: bool, answer: Ask) -> list[Row]:
    """Grow p at n = 200."""
    sizes = [300, 1000] if quick else [1000, 3000, 10_000, 30_000, 100_000, 300_000, 1_000_000]
    solvers, _ = ready((OURS, *PEERS))
    n = 40 if quick else 200
    return list(grow([(n, p) for p in sizes], [solver.name for solver in solvers], answer))


def part_n(quick: bool, answer: Ask) -> list[Row]:
    """Grow n at p = 20000."""
    sizes = [20, 60] if quick else [50, 100, 200, 500, 1000, 2000]
    solvers, _ = ready((OURS, *PEERS))
    p = 400 if quick else 20_000
    return list(grow([(n, p) for n in sizes], [solver.name for solver in solvers], answer))


def part_threads(quick: bool, answer: Ask) -> list[Row]:
    """Solve two cases with 1 and 2 threads; then X of growing size with none, all and the rule's threads."""
    cases = ["small_wide"] if quick else ["ar05_500x20000", "ar05_1000x100000"]
    requests = [{"case": case, "threads": threads} for case in cases for threads in (1, 2)]
    sizes = [100, 400] if quick else [500, 1000, 2000, 4000, 8000, 16_000, 32_000, 64_000, 128_000]
    for p in sizes:
        design = {"ar": {"n": 50 if quick else 500, "p": p, "rho": RHO, "support": SUPPORT}}
        requests += [
            {**design, "threads": 1},
            {**design, "threads": 2},
            {**design, "threads": 2, "mode": "always threads"},
        ]
    return list(rows_of(requests, answer))


def part_memory(quick: bool, answer: Ask) -> list[Row]:
    """Measure the peak of fastreg and of the peers that run in this interpreter, case by case."""
    cases = ["leukemia", "riboflavin", "ar05_500x20000", "ar05_1000x100000", "tall_20000x500", "rt_polarity"]
    solvers = [solver.name for solver in ready(MEMORY_SOLVERS)[0]]
    requests = [
        {"case": case, "solver": solver, "repeats": 1}
        for case in (["small_wide", "small_text"] if quick else cases)
        for solver in solvers
        # Minutes for one path, and known: see the frontier of the smaller case.
        if not (case == "ar05_1000x100000" and solver in ("scikit-learn", "skglm"))
    ]
    return list(rows_of(requests, answer))


def part_modes(quick: bool, answer: Ask) -> list[Row]:
    """Force each mode: Gram space against columns over n/p, the factor against descent over supports."""
    return list(rows_of([*shape_requests(quick), *support_requests(quick)], answer))


def shape_requests(quick: bool) -> list[Request]:
    """Return requests over n/p at two p; `figure` tells figures.py where they belong."""
    ratios = {40: (0.5, 8)} if quick else {300: (0.5, 1, 2, 4, 8, 16, 32), 2000: (0.25, 0.5, 1, 2, 4, 8)}
    return [
        {
            "figure": "shape",
            "ar": {"n": int(ratio * p), "p": p, "rho": RHO, "support": SUPPORT},
            "mode": mode,
            "eps": 1e-3,
            "repeats": 5,
            "max_time": CUT,
        }
        for p, several in ratios.items()
        for ratio in several
        for mode in ("exact", "gram", "auto")
    ]


def support_requests(quick: bool) -> list[Request]:
    """Return requests whose supports grow along the path: sparse text of three densities, and dense."""
    designs: list[Request] = [
        {"text": {"n": 6000, "p": 12_000, "words": words}, "eps": 1e-2} for words in (8, 30, 120)
    ]
    designs.append({"ar": {"n": 2000, "p": 4000, "rho": RHO, "support": 200}, "eps": 1e-3})
    if quick:
        designs = [{"text": {"n": 400, "p": 600, "words": 12}, "eps": 1e-2}]
    return [
        {"figure": "support", **design, "mode": mode, "repeats": 1, "max_time": CUT, "trace": True}
        for design in designs
        for mode in ("exact", "descent", "auto")
    ]


PARTS: dict[str, Callable[[bool, Ask], list[Row]]] = {
    "p": part_p,
    "n": part_n,
    "threads": part_threads,
    "memory": part_memory,
    "modes": part_modes,
}


def summary(row: Row) -> str:
    """Return one line about a row, for whoever waits."""
    request = row["request"]
    what = request.get("case") or f"{row['n']} x {row['p']}"
    asked = [request.get("solver", OURS), request.get("mode", "")]
    asked.append(f"{request['threads']} threads" if request.get("threads") else "")
    extra = (
        "" if row["extra_bytes"] is None else f", extra memory {row['extra_bytes'] / row['X_bytes']:.1%} of X"
    )
    words = " ".join(word for word in [what, *asked] if word)
    return f"  {words}: {1e3 * row['seconds']:.1f} ms{extra}, {row['n_nonzero_last']} non-zeros at the end"


def store(part: str, rows: list[Row], quick: bool, out: Path) -> None:
    """Replace one part of the file, keeping the others."""
    record = json.loads(out.read_text(encoding="utf-8")) if out.exists() else {}
    record[part] = {"quick": quick, "machine": describe(), "constants": constants(), "rows": rows}
    ordered = {name: record[name] for name in PARTS if name in record}
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(ordered, indent=1) + "\n", encoding="utf-8")


def main(arguments: list[str] | None = None) -> int:
    """Measure the parts asked for, print and store them."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="+", choices=[*PARTS, "all"], metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--quick", action="store_true", help="toy sizes")
    parser.add_argument("--out", type=Path, help="file to write (default benchmarks/results/growth.json)")
    chosen = parser.parse_args(arguments)
    out = chosen.out or (None if chosen.quick else RESULTS)
    empty = False
    for part in PARTS if "all" in chosen.parts else dict.fromkeys(chosen.parts):
        print(f"{part}:", flush=True)

        def answer(request: Request) -> Row | None:
            found = ask(request)
            if found is not None:
                print(summary({"request": request, **found}), flush=True)
            return found

        rows = PARTS[part](chosen.quick, answer)
        empty = empty or not rows
        if out is not None and rows:
            store(part, rows, chosen.quick, out)
    return 1 if empty else 0


if __name__ == "__main__":
    sys.exit(main())
