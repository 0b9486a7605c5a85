"""The README's tables of speed, from the stored results.

* ``python benchmarks/summary.py``: print them
* ``python benchmarks/summary.py --write``: put them into README.md, in the place of the old ones
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from fastreg.bench.measure import MATCHED
from fastreg.bench.peers import OURS
from fastreg.bench.table import duration

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
README = ROOT / "README.md"
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
LOSSES = {
    "leukemia_logistic": "logistic: leukemia, 72 x 7129",
    "rt_polarity_logistic": "logistic: film reviews (sparse), 10662 x 29260",
    "khan_multinomial": "multinomial: khan, 83 x 2308, 4 classes",
    "poisson_wide": "Poisson: correlated columns, 300 x 20000",
    "cox_wide": "Cox: correlated columns, 300 x 20000",
}
FIRST, OTHERS = "100 alphas to alpha_max/100", "Other losses, 100 alphas"
COLUMNS = (
    "fastreg",
    "its largest gap",
    "fastest peer at 1e-9",
    "times faster",
    "fastest peer at its default (suboptimality)",
    "times faster",
)

_short = partial(duration, decimals=1)


def cells(label: str, ours: dict[str, Any]) -> list[str]:
    """Return one line from a verdict: us against the fastest peer as accurate, and against the defaults."""
    told = [label, _short(ours["seconds"]), f"{ours['worst_gap']:.0e}", *_against(ours["matched"])]
    return [*told, *_against(ours["default"], tell_accuracy=True)]


def _against(peer: dict[str, Any] | None, *, tell_accuracy: bool = False) -> list[str]:
    # No run of a peer may have been as accurate, or none may have come to an end at its default.
    if peer is None:
        return ["none", "-"]
    accuracy = f" ({peer['worst_suboptimality']:.0e})" if tell_accuracy else ""
    return [f"{peer['solver']} {_short(peer['seconds'])}{accuracy}", f"{peer['speed_up']:.1f}"]


def _lines(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    header, *lines = [f"| {' | '.join(row)} |" for row in (header, *rows)]
    return "\n".join([header, "|" + "---|" * (header.count("|") - 1), *lines])


def table(results: Path = RESULTS) -> str:
    """Return the table of least squares."""
    rows = []
    for name, label in CASES.items():
        record = json.loads((results / f"{name}.json").read_text(encoding="utf-8"))
        # Our tightest run.
        rows.append(cells(label, record["verdicts"][-1]))
    return _lines([FIRST, *COLUMNS], rows)


def losses_table(records: Sequence[dict[str, Any]]) -> str:
    """Return the table of the other losses; empty before they have been measured.

    Here the run of ours is chosen as that of a peer is: the fastest one accurate to 1e-9. The last columns
    compare with the fastest peer at its default once more, by our fastest run that is at least as accurate.
    """
    rows = []
    for record in records:
        verdicts = record["verdicts"]
        if verdicts:
            label = f"{LOSSES[record['case']]}, to alpha_max/{1.0 / record['eps']:g}"
            accurate = [verdict for verdict in verdicts if verdict["worst_suboptimality"] <= MATCHED]
            ours = min(accurate or verdicts[-1:], key=lambda verdict: float(verdict["seconds"]))
            rows.append([*cells(label, ours), *_as_accurate(record)])
    header = [OTHERS, "fastreg at 1e-9", *COLUMNS[1:], "fastreg, as accurate as that", "times faster"]
    return _lines(header, rows) if rows else ""


def _as_accurate(record: dict[str, Any]) -> list[str]:
    """Return the time of our fastest run that is as accurate as the fastest default, and the speed-up."""
    peer = record["verdicts"][-1]["default"]
    if peer is None:
        return ["none", "-"]
    ours = [run for run in record["runs"] if run["solver"] == OURS]
    level = peer["worst_suboptimality"]
    times = [run["seconds"] for run in ours if run["worst_suboptimality"] <= level]
    return [_short(min(times)), f"{peer['seconds'] / min(times):.1f}"] if times else ["none", "-"]


def stored_losses(results: Path = RESULTS) -> list[dict[str, Any]]:
    """Return what has been measured of the other losses."""
    files = [results / f"{name}.json" for name in LOSSES]
    return [json.loads(file.read_text(encoding="utf-8")) for file in files if file.exists()]


def written(text: str, first: str, others: str) -> str:
    """Return the README with its tables replaced; the second one follows the first where it is new."""
    found = _block(FIRST).search(text)
    if found is None:
        raise SystemExit(f"README.md has no table that begins with | {FIRST} |")
    text = f"{text[: found.start()]}{first}\n{text[found.end() :]}"
    if not others:
        return text
    if _block(OTHERS).search(text):
        return _block(OTHERS).sub(lambda _: others + "\n", text)
    return text.replace(first + "\n", f"{first}\n\n{others}\n")


def _block(title: str) -> re.Pattern[str]:
    """Return the pattern of a table, from its first cell to the last line that is part of it."""
    return re.compile(rf"^\| {re.escape(title)} \|.*\n(?:\|.*\n)+", flags=re.MULTILINE)


def main(arguments: list[str] | None = None) -> int:
    """Print the tables, or write them."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--write", action="store_true", help="put the tables into README.md")
    first, others = table(), losses_table(stored_losses())
    if parser.parse_args(arguments).write:
        README.write_text(written(README.read_text(encoding="utf-8"), first, others), encoding="utf-8")
    else:
        print(f"{first}\n\n{others}".strip())
    return 0


if __name__ == "__main__":
    sys.exit(main())
