"""Draw every figure of docs/performance.md from benchmarks/results, and write the page's figures and numbers.

* ``python benchmarks/figures.py``: docs/figures/*.svg, from what has been measured
* ``python benchmarks/figures.py --page``: the same, then the generated parts of docs/performance.md
* ``python benchmarks/figures.py --growth FILE --out FOLDER --png``: other data, elsewhere, and PNG beside SVG

Equal inputs give equal files. Each SVG holds a hash of its inputs, so that a test can tell when it is stale.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.drawing import (
    draw_frontiers,
    draw_growth_n,
    draw_growth_p,
    draw_memory,
    draw_shapes,
    draw_supports,
    draw_threads,
)
from benchmarks.page import PAGE, filled
from benchmarks.problems import LOSSES, NAMED

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
FIGURES = ROOT / "docs" / "figures"
DPI = 110

# Name of the file, key of the input, how it is drawn.
Figure = tuple[str, Callable[[Any], Any]]
DRAWINGS: dict[str, Figure] = {
    "frontier": ("cases", draw_frontiers),
    "frontier_losses": ("losses", draw_frontiers),
    "growth_p": ("p", draw_growth_p),
    "growth_n": ("n", draw_growth_n),
    "threads": ("threads", draw_threads),
    "memory": ("memory", draw_memory),
    "modes_shape": ("modes", draw_shapes),
    "modes_support": ("modes", draw_supports),
}


def inputs(results: Path = RESULTS, growth: Path | None = None) -> dict[str, Any]:
    """Return what has been measured: `cases` and `losses`, comparisons, the parts of growth.json, others."""
    found: dict[str, Any] = {}
    for key, names in (("cases", NAMED), ("losses", LOSSES)):
        files = [results / f"{name}.json" for name in names]
        records = [json.loads(file.read_text(encoding="utf-8")) for file in files if file.exists()]
        found |= {key: records} if records else {}
    growth = growth or results / "growth.json"
    if growth.exists():
        found |= json.loads(growth.read_text(encoding="utf-8"))
    for name in ("cold", "selection"):
        if (results / f"{name}.json").exists():
            found[name] = json.loads((results / f"{name}.json").read_text(encoding="utf-8"))
    return found


def digest(data: Any) -> str:
    """Return the hash of a figure's inputs."""
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()[:16]


def draw(name: str, data: Any, folder: Path, png: bool = False) -> Path:
    """Draw one figure into the folder and return its file."""
    import matplotlib

    # Identifiers inside an SVG are random without a salt, and its date and creator would differ.
    style = {"svg.hashsalt": "fastreg", "font.family": "DejaVu Sans", "font.size": 10, "axes.titlesize": 10.5}
    with matplotlib.rc_context({**matplotlib.rcParamsDefault, **style, "backend": "agg"}):
        figure = DRAWINGS[name][1](data)
        file = folder / f"{name}.svg"
        metadata = {"Date": None, "Creator": "benchmarks/figures.py", "Description": f"inputs {digest(data)}"}
        figure.savefig(file, metadata=metadata)
        if png:
            figure.savefig(file.with_suffix(".png"), dpi=DPI)
    # Lines of an SVG end in blanks, which git and editors complain about.
    lines = file.read_text(encoding="utf-8").splitlines()
    file.write_text("".join(line.rstrip() + "\n" for line in lines), encoding="utf-8")
    return file


def main(arguments: list[str] | None = None) -> int:
    """Draw what can be drawn; with --page also rewrite the page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder of the JSON files")
    parser.add_argument("--growth", type=Path, help="growth.json, if elsewhere")
    parser.add_argument(
        "--out", type=Path, default=FIGURES, help="folder to draw into (default docs/figures)"
    )
    parser.add_argument("--png", action="store_true", help="PNG too")
    parser.add_argument("--page", action="store_true", help="also fill docs/performance.md")
    chosen = parser.parse_args(arguments)
    found = inputs(chosen.results, chosen.growth)
    in_docs = chosen.out.resolve() == FIGURES.resolve()
    chosen.out.mkdir(parents=True, exist_ok=True)
    for name, (key, _) in DRAWINGS.items():
        if key not in found:
            print(f"{name}: not measured yet")
        elif in_docs and isinstance(found[key], dict) and found[key]["quick"]:
            raise SystemExit(f"{key} was measured with --quick: not for the documentation")
        else:
            draw(name, found[key], chosen.out, chosen.png)
            print(f"{name}: drawn")
    if chosen.page:
        PAGE.write_text(filled(PAGE.read_text(encoding="utf-8"), found), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
