"""Compare fastreg with its peers: time, accuracy, passes, speed-ups at matched accuracy.

* ``python benchmarks/run.py leukemia riboflavin``
* ``python benchmarks/run.py smoke``: small cases once, nothing stored, fails if fastreg is wrong
* ``python benchmarks/run.py all --solvers fastreg,glmnet,adelie --tols glmnet=1e-7,1e-13``
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.measure import Comparison, Plan, compare
from benchmarks.peers import OURS, PEERS, Peer, Unavailable, make
from benchmarks.problems import CASES, GROUPS, SMOKE, MissingData, expand, load

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


def solvers(names: list[str]) -> list[Peer]:
    """Return the adapters that are available, and say which are not and why."""
    ready = []
    for name in names:
        try:
            ready.append(make(name))
        except Unavailable as reason:
            print(f"{name}: skipped, {reason}")
    return ready


def table(comparison: Comparison) -> str:
    """Return the comparison as a Markdown table and one line per speed-up."""
    problem = comparison.problem
    kind = "lasso" if problem.l1_ratio == 1.0 else f"elastic net {problem.l1_ratio:g}"
    lines = [
        f"## {problem.name}: {kind}, {problem.n} x {problem.p}{' sparse' if problem.is_sparse else ''}, "
        f"{problem.size} alphas; one pass {1e3 * comparison.pass_seconds:.3f} ms",
        "| solver | tol | time | passes | worst suboptimality | worst gap | nonzeros at the end | repeats |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for run in comparison.runs:
        default = " (default)" if run.is_default else ""
        lines.append(
            f"| {run.solver} | {run.tol:.0e}{default} | {_time(run.seconds)} | {run.passes:.0f} | "
            f"{run.worst_suboptimality:.1e} | {run.worst_gap:.1e} | {run.n_nonzero_last} | {len(run.times)} |"
        )
    for verdict in comparison.verdicts():
        lines.append(f"{OURS} at tol {verdict['tol']:.0e} ({_time(verdict['seconds'])}):")
        for name, wording in (("matched", "at matched accuracy"), ("default", "at its default")):
            peer = verdict[name]
            lines.append(
                f"  no peer {wording}"
                if peer is None
                else f"  {peer['speed_up']:.1f} x the fastest peer {wording}: {peer['solver']} "
                f"tol {peer['tol']:.0e}, {_time(peer['seconds'])}, {peer['worst_suboptimality']:.1e}"
            )
    return "\n".join(lines)


def _time(seconds: float) -> str:
    return f"{1e3 * seconds:.1f} ms" if seconds < 1.0 else f"{seconds:.2f} s"


def inaccurate(comparison: Comparison) -> list[str]:
    """Return what is wrong with our own runs: a relative gap, measured here, above the tolerance."""
    return [
        f"{comparison.problem.name}: {OURS} at tol {run.tol:g} ends at relative gap {run.worst_gap:.2e}"
        for run in comparison.of(OURS)
        if not run.worst_gap <= run.tol
    ]


def main(arguments: list[str] | None = None) -> int:
    """Run, print and store; return 1 if one of our paths misses its tolerance or a smoke run lacks us."""
    chosen = parse(arguments)
    cases = expand(chosen.cases)
    smoke = set(cases) <= set(SMOKE)
    ready = solvers(chosen.solvers.split(","))
    plan = Plan(repeats=1 if smoke else chosen.repeats, slow=chosen.slow, tols=ladders(chosen.tols))
    faults = [f"{OURS} did not run"] if smoke and OURS not in [solver.name for solver in ready] else []
    for name in cases:
        try:
            problem = load(name)
        except (MissingData, ImportError) as reason:
            print(f"{name}: skipped, {reason}")
            continue
        comparison = compare(problem, ready, plan, say=print)
        print(table(comparison), end="\n\n", flush=True)
        faults += inaccurate(comparison)
        if not (smoke or chosen.no_save):
            chosen.out.mkdir(parents=True, exist_ok=True)
            text = json.dumps(comparison.record(), indent=1)
            (chosen.out / f"{name}.json").write_text(text + "\n", encoding="utf-8")
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
