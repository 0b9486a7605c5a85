"""Compare fastreg with its peers: time, accuracy, passes, speed-ups at matched accuracy.

* ``python benchmarks/run.py leukemia riboflavin``
* ``python benchmarks/run.py smoke smoke_losses``: small cases once, nothing stored, fails if fastreg is wrong
* ``python benchmarks/run.py losses``: classification, counts and survival
* ``python benchmarks/run.py all --solvers fastreg,glmnet,adelie --tols glmnet=1e-7,1e-13``
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.problems import CASES, GROUPS, SMOKE, SMOKE_LOSSES, MissingData, expand, load
from fastreg.bench.measure import Comparison, Plan, compare
from fastreg.bench.peers import OURS, PEERS, ready
from fastreg.bench.table import report

RESULTS = Path(__file__).resolve().parent / "results"


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Return the parsed command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "cases", nargs="+", metavar="CASE", help=f"{', '.join(CASES)}; groups: {', '.join(GROUPS)}"
    )
    parser.add_argument("--solvers", default=",".join(PEERS), help="comma-separated (default: all)")
    parser.add_argument(
        "--tols",
        action="append",
        default=[],
        metavar="SOLVER=TOL,TOL",
        help="replace a solver's ladder of tolerances",
    )
    parser.add_argument("--repeats", type=int, default=5, help="the best counts (default 5)")
    parser.add_argument(
        "--slow", type=float, default=15.0, help="seconds; slower runs are not repeated (default 15)"
    )
    parser.add_argument(
        "--out", type=Path, default=RESULTS, help="folder of the JSON files (default benchmarks/results)"
    )
    parser.add_argument("--no-save", action="store_true", help="print only")
    chosen = parser.parse_args(arguments)
    unknown = [case for case in expand(chosen.cases) if case not in CASES]
    if unknown:
        parser.error(f"unknown case {unknown[0]!r}; known: {', '.join(CASES)}; groups: {', '.join(GROUPS)}")
    return chosen


def ladders(given: list[str]) -> dict[str, tuple[float, ...]]:
    """Translate SOLVER=TOL,TOL into a mapping."""
    out = {}
    for entry in given:
        solver, _, values = entry.partition("=")
        out[solver] = tuple(float(value) for value in values.split(","))
    return out


def faults_of(comparison: Comparison) -> list[str]:
    """Return what is wrong with our own runs: a relative gap, measured here, above the tolerance."""
    return [
        f"{comparison.problem.name}: {OURS} at tol {run.tol:g} ends at relative gap {run.worst_gap:.2e}"
        for run in comparison.missed()
    ]


def main(arguments: list[str] | None = None) -> int:
    """Run, print and store; return 1 if one of our paths misses its tolerance or a smoke run lacks us."""
    chosen = parse(arguments)
    cases = expand(chosen.cases)
    smoke = set(cases) <= {*SMOKE, *SMOKE_LOSSES}
    solvers, missing = ready(chosen.solvers.split(","))
    plan = Plan(repeats=1 if smoke else chosen.repeats, slow=chosen.slow, tols=ladders(chosen.tols))
    faults = [f"{OURS} did not run"] if smoke and OURS not in [solver.name for solver in solvers] else []
    for name in cases:
        try:
            problem = load(name)
        except (MissingData, ImportError) as reason:
            print(f"{name}: skipped, {reason}")
            continue
        comparison = compare(problem, solvers, plan, say=print)
        comparison.skipped |= missing
        print(report(comparison.record()), end="\n\n", flush=True)
        faults += faults_of(comparison)
        if comparison.interrupted:
            faults.append(f"{name}: interrupted, nothing stored")
            break
        if not (smoke or chosen.no_save):
            chosen.out.mkdir(parents=True, exist_ok=True)
            text = json.dumps(comparison.record(), indent=1)
            (chosen.out / f"{name}.json").write_text(text + "\n", encoding="utf-8")
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
