"""Print the README's table of speed from the stored results: ``python benchmarks/summary.py``."""

from __future__ import annotations

import json
import sys
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from fastreg.bench.table import duration

RESULTS = Path(__file__).parent / "results"
CASES = {
    "leukemia": "leukemia, 72 x 7129",
    "riboflavin": "riboflavin, 71 x 4088",
    "khan": "khan, 83 x 2308",
    "leukemia_enet": "leukemia, elastic net 0.5",
    "ar05_500x20000": "correlated columns, 500 x 20000",
    "ar95_500x20000": "strongly correlated, 500 x 20000",
    "ar05_500x20000_enet": "correlated, elastic net 0.5",
    "ar05_1000x100000": "correlated, 1000 x 100000",
    "tall_20000x500": "tall, 20000 x 500",
    "rt_polarity": "film reviews (sparse), 10662 x 29260",
}

_short = partial(duration, decimals=1)


def row(name: str, result: dict[str, Any]) -> str:
    """Return one line: our tightest run against the fastest peer as accurate, and against the defaults."""
    ours = result["verdicts"][-1]
    matched, default = ours["matched"], ours["default"]
    # No run of a peer may have been as accurate.
    peer = (
        f"{matched['solver']} {_short(matched['seconds'])} | {matched['speed_up']:.1f}"
        if matched
        else "none | -"
    )
    return (
        f"| {CASES[name]} | {_short(ours['seconds'])} | {ours['worst_gap']:.0e} | {peer} "
        f"| {default['solver']} {_short(default['seconds'])} ({default['worst_suboptimality']:.0e}) "
        f"| {default['speed_up']:.1f} |"
    )


def table() -> str:
    """Return the whole table."""
    lines = [
        "| 100 alphas to alpha_max/100 | fastreg | its largest gap | fastest peer at 1e-9 | times faster "
        "| fastest peer at its default (suboptimality) | times faster |",
        "|---|---|---|---|---|---|---|",
    ]
    for name in CASES:
        lines.append(row(name, json.loads((RESULTS / f"{name}.json").read_text())))
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
