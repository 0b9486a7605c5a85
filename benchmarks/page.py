"""The generated parts of docs/performance.md: every number on that page comes from here.

A part stands between ``<!-- generated: NAME -->`` and ``<!-- end -->``; ``figures.py --page`` fills it, and a
test checks that it still is what would be filled in.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.one_path import constants
from benchmarks.summary import losses_table
from fastreg.bench.measure import MATCHED
from fastreg.bench.peers import OURS
from fastreg.bench.table import duration, markdown

Row = dict[str, Any]
Found = dict[str, Any]
PAGE = Path(__file__).resolve().parents[1] / "docs" / "performance.md"
BLOCK = re.compile(r"(<!-- generated: (\w+) -->\n).*?(<!-- end -->)", flags=re.DOTALL)
# A lead below this is named among the weak points.
CLOSE = 2.0
COUNTERS = ("full_passes", "gradients", "exact_steps", "entered", "left", "sweeps", "cg_steps", "rebuilds")


def filled(text: str, found: Found) -> str:
    """Return the page with all its generated parts written anew."""
    return BLOCK.sub(lambda match: f"{match[1]}{part(match[2], found)}\n{match[3]}", text)


def part(name: str, found: Found) -> str:
    """Return one generated part, or what to run where nothing has been measured."""
    key, command, write = PARTS[name]
    if key and key not in found:
        return f"*Not measured yet: `{command}`.*"
    return write(found)


def comparisons(found: Found) -> list[Row]:
    """Return everything that was compared with peers: least squares, then the other losses."""
    return [*found["cases"], *found.get("losses", [])]


def machine(found: Found) -> str:
    """Say where the comparisons were measured, once per machine and set of versions."""
    lines = []
    for record in comparisons(found):
        on = record["machine"]
        solvers = ", ".join(f"{name} {version}" for name, version in record["versions"].items())
        libraries = ", ".join(f"{name} {version}" for name, version in on["libraries"].items())
        system = f"{on['processor']}, {on['cores']} cores, {on['system']}, Python {on['python']}"
        lines.append(f"{system}, {libraries}; {solvers}.")
    return "\n".join(f"* {line}" for line in dict.fromkeys(lines))


def name_of(record: Row) -> str:
    """Return name and size of a case, for a table."""
    ratio = "" if record["l1_ratio"] == 1.0 else f", l1_ratio {record['l1_ratio']:g}"
    storage = " sparse" if record["storage"] == "csc" else ""
    return f"{record['case']}, {record['n']} x {record['p']}{storage}{ratio}"


def speed(found: Found) -> str:
    """Return the tables of speed: our tightest run against the fastest peer that is as accurate."""
    header = ["case", "fastreg", "its largest gap", "fastest peer at 1e-9", "times faster"]
    header += ["fastest peer at its default", "its suboptimality"]
    rows = []
    for record in found["cases"]:
        if not record["verdicts"]:
            continue
        ours = record["verdicts"][-1]
        cells = [name_of(record), duration(ours["seconds"]), f"{ours['worst_gap']:.0e}"]
        for peer in (ours["matched"], ours["default"]):
            cells.append(f"{peer['solver']} {duration(peer['seconds'])}" if peer else "none")
            if peer is ours["matched"]:
                cells.append(f"{peer['speed_up']:.1f}" if peer else "")
        cells.append(f"{ours['default']['worst_suboptimality']:.0e}" if ours["default"] else "")
        rows.append(cells)
    others = losses_table(found.get("losses", []))
    return markdown(header, rows) + (f"\n\n{others}" if others else "")


def faster_peers(found: Found) -> str:
    """Name every case in which some run of a peer takes less time than every run of ours."""
    lines = []
    for record in comparisons(found):
        runs = record["runs"]
        ours = min((run for run in runs if run["solver"] == OURS), key=lambda run: run["seconds"])
        quicker: dict[str, Row] = {}
        for run in runs:
            if run["solver"] == OURS or run["seconds"] >= ours["seconds"]:
                continue
            best = quicker.get(run["solver"])
            if best is None or run["worst_suboptimality"] < best["worst_suboptimality"]:
                quicker[run["solver"]] = run
        told = [
            f"{run['solver']} {duration(run['seconds'])} with suboptimality {run['worst_suboptimality']:.0e}"
            for run in quicker.values()
        ]
        if told:
            lines.append(
                f"* {name_of(record)}: {'; '.join(told)}. fastreg's fastest run: {duration(ours['seconds'])} "
                f"with {ours['worst_suboptimality']:.0e}."
            )
        matched = record["verdicts"][-1]["matched"]
        if matched and matched["speed_up"] < CLOSE:
            lines.append(
                f"* {name_of(record)}: fastreg is only {matched['speed_up']:.1f} times as fast "
                f"as {matched['solver']}, which is as accurate."
            )
    return "\n".join(lines) or "In no case that was measured."


def counters(found: Found) -> str:
    """Return what the default run did in every case."""
    told = [counter_table(found["cases"], COUNTERS)]
    if "losses" in found:
        told.append(counter_table(found["losses"], ("reweightings", *COUNTERS)))
    return "\n\n".join(told)


def counter_table(records: list[Row], names: Sequence[str]) -> str:
    """Return the counters of these names, a line per case."""
    rows = []
    for record in records:
        for run in record["runs"]:
            if run["solver"] == OURS and run["is_default"]:
                counts = run["notes"]["counters"]
                rows.append([name_of(record), *(str(counts.get(name, "")) for name in names)])
    return markdown(["case", *names], rows)


def rules(found: Found) -> str:
    """Return the constants of the cost model as they stand in the code."""
    here = constants()
    told = {
        "TALL": "`TALL`: rows per feature from which the path runs in Gram space",
        "MAX_COLUMNS": "`MAX_COLUMNS`: most features for that",
        "SMALL_SUPPORT": "`SMALL_SUPPORT`: up to this many active features the factor is always kept",
        "FACTOR_WORTH": "`FACTOR_WORTH`: above, it is left once k^2 exceeds this times a column's entries",
        "CROSSOVER_BYTES": "`CROSSOVER_BYTES`: bytes of columns from which a read is shared between threads",
    }
    return "\n".join(f"* {words}: {here[name]:.0f}." for name, words in told.items() if name in here)


def slope(x: Sequence[float], y: Sequence[float]) -> float:
    """Return the exponent of the power law through the points, by least squares on logarithms."""
    return float(np.polyfit(np.log(x), np.log(y), 1)[0])


def growth(size: str, found: Found) -> str:
    """Say how time, passes and memory grow, solver by solver."""
    rows = found[size]["rows"]
    ours = [row for row in rows if row["request"]["solver"] == OURS]
    last = ours[-1]
    header = ["solver", f"{size} from", "to", "time at the first", "at the last", f"time grows as {size}^"]
    table = []
    for solver in dict.fromkeys(row["request"]["solver"] for row in rows):
        mine = [row for row in rows if row["request"]["solver"] == solver]
        sizes, times = [row[size] for row in mine], [row["seconds"] for row in mine]
        exponent = f"{slope(sizes, times):.2f}" if len(mine) > 1 else ""
        ends = [str(sizes[0]), str(sizes[-1]), duration(times[0]), duration(times[-1])]
        table.append([solver, *ends, exponent])
    reads = [row["passes_read"] for row in ours]
    return (
        f"{markdown(header, table)}\n\nfastreg reads X {min(reads):.1f} to {max(reads):.1f} times over the "
        f"whole path. At {last['n']} x {last['p']} ({last['dtype']}) its peak extra memory is "
        f"{100.0 * last['extra_bytes'] / last['X_bytes']:.1f} % of X."
    )


def threads(found: Found) -> str:
    """Say what a second thread brings."""
    rows = [row for row in found["threads"]["rows"] if "case" in row["request"]]
    seconds = {(row["request"]["case"], row["request"]["threads"]): row["seconds"] for row in rows}
    return "\n".join(
        f"* {case}: {duration(seconds[case, 1])} with one thread, {duration(seconds[case, 2])} with two "
        f"({seconds[case, 1] / seconds[case, 2]:.2f} times faster)."
        for case in dict.fromkeys(case for case, _ in seconds)
    )


def memory(found: Found) -> str:
    """Return peak extra memory over the size of X, a line per case."""
    rows = found["memory"]["rows"]
    solvers = list(dict.fromkeys(row["request"]["solver"] for row in rows))
    share = {
        (row["request"]["case"], row["request"]["solver"]): row["extra_bytes"] / row["X_bytes"]
        for row in rows
    }
    size = {row["request"]["case"]: row["X_bytes"] / 1e6 for row in rows}
    lines = []
    for case, megabytes in size.items():
        cells = [f"{100.0 * share[case, s]:.1f} %" if (case, s) in share else "" for s in solvers]
        lines.append([case, f"{megabytes:.1f}", *cells])
    return markdown(["case", "MB of X", *solvers], lines)


def cold(found: Found) -> str:
    """Return the first call of a fresh process."""
    header = ["data", "kernel cache", "import", "first path", "second path", "whole process"]
    names = ("import", "first", "second", "process")
    return markdown(
        header,
        [
            [row["data"], row["cache"], *(duration(row[name]) for name in names)]
            for row in found["cold"]["runs"]
        ],
    )


def selection(found: Found) -> str:
    """Return the times of cross-validation, stability selection and many responses."""
    rows = found["selection"]["rows"]
    one = next(row["seconds"] for row in rows if row["what"] == "one path")
    ours = next(row["seconds"] for row in rows if "CV" in row["what"] and row["solver"] == OURS)
    lines = []
    for row in rows:
        is_cv = "curve_error" in row
        lines.append(
            [
                row["what"],
                row["solver"] + (f" {row['version']}" if "version" in row else ""),
                f"{row['tol']:.0e}" if "tol" in row else "",
                duration(row["seconds"]),
                f"{row['curve_error']:.0e}" if is_cv else "",
                f"{row['seconds'] / ours:.1f}" if is_cv else "",
            ]
        )
    header = ["what", "solver", "tol", "time", "error of the curve", "times fastreg's"]
    memory = next(row["extra_memory"] for row in rows if row.get("extra_memory"))
    several = next((row["times_one"] for row in rows if "times_one" in row), None)
    text = f"Cross-validation costs {ours / one:.1f} paths and {memory:.0%} of the size of X in extra memory."
    if several is not None:
        text += f" A hundred responses cost {several:.0f} times one of them."
    return f"{markdown(header, lines)}\n\n{text}"


def crossovers(found: Found) -> str:
    """Say how far the automatic choice is from the best mode, over the shapes that were measured."""
    shapes = [row for row in found["modes"]["rows"] if row["request"]["figure"] == "shape"]
    rows = [row for row in shapes if row["is_complete"]]
    worst, where = 0.0, None
    for row in rows:
        if row["request"]["mode"] != "auto":
            continue
        rivals = [other["seconds"] for other in rows if (other["n"], other["p"]) == (row["n"], row["p"])]
        if row["seconds"] / min(rivals) > worst:
            worst, where = row["seconds"] / min(rivals), row
    if where is None:
        return "No shape was measured with the automatic choice."
    return (
        f"Over the shapes of the first figure the automatic choice takes at most {worst:.2f} times the best "
        f"mode (at {where['n']} x {where['p']})."
    )


def figure(name: str, words: str) -> Callable[[Found], str]:
    """Return what shows a figure."""
    return lambda found: f"![{words}](figures/{name}.svg)"


def frontiers(found: Found) -> str:
    """Return what shows time against accuracy, of the other losses too where they have been measured."""
    names = ["frontier", "frontier_losses"] if "losses" in found else ["frontier"]
    return "\n".join(f"![time against accuracy, one picture per case](figures/{name}.svg)" for name in names)


RUN, GROW = "python benchmarks/run.py all", "python benchmarks/growth.py"
# Name of the part: what must have been measured, how to measure it, what writes it.
PARTS: dict[str, tuple[str, str, Callable[[Found], str]]] = {
    "machine": ("cases", RUN, machine),
    "speed": ("cases", RUN, speed),
    "faster_peers": ("cases", RUN, faster_peers),
    "counters": ("cases", RUN, counters),
    "rules": ("", "", rules),
    "growth_p": ("p", f"{GROW} p", lambda found: growth("p", found)),
    "growth_n": ("n", f"{GROW} n", lambda found: growth("n", found)),
    "threads": ("threads", f"{GROW} threads", threads),
    "memory": ("memory", f"{GROW} memory", memory),
    "crossovers": ("modes", f"{GROW} modes", crossovers),
    "cold": ("cold", "python benchmarks/cold.py --save", cold),
    "selection": ("selection", "python benchmarks/selection.py --save", selection),
    "figure_frontier": ("cases", RUN, frontiers),
    "figure_growth_p": ("p", f"{GROW} p", figure("growth_p", "time, passes and memory against p")),
    "figure_growth_n": ("n", f"{GROW} n", figure("growth_n", "time, passes and memory against n")),
    "figure_threads": ("threads", f"{GROW} threads", figure("threads", "one thread and two")),
    "figure_memory": ("memory", f"{GROW} memory", figure("memory", "extra memory by case and solver")),
    "figure_shape": (
        "modes",
        f"{GROW} modes",
        figure("modes_shape", "Gram space and working set over n / p"),
    ),
    "figure_support": ("modes", f"{GROW} modes", figure("modes_support", "factor and descent over supports")),
}
assert math.isclose(MATCHED, 1e-9), "headings of the tables name this accuracy"
