"""The figures of docs/performance.md: records of benchmarks/results in, matplotlib figures out."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import (
    EngFormatter,
    FuncFormatter,
    LogLocator,
    MaxNLocator,
    NullFormatter,
    ScalarFormatter,
)

from fastreg.bench.frontier import FLOOR, STYLES
from fastreg.bench.measure import MATCHED
from fastreg.bench.peers import OURS

Row = dict[str, Any]
GREY = "0.45"
# Colour, marker and words of each way of solving; the automatic choice lies under the others as a broad band.
MODES = {
    "auto": ("#C8C8C8", "", "automatic choice"),
    "exact": ("#000000", "o", "exact finish on a working set"),
    "gram": ("#0072B2", "s", "Gram space"),
    "descent": ("#D55E00", "^", "descent"),
}


def style_of(solver: str) -> tuple[str, str]:
    """Return colour and marker of a solver, the same in every picture."""
    return STYLES.get(solver, ("#7F7F7F", "X"))


def panels(count: int, columns: int, width: float, height: float) -> tuple[Figure, list[Any]]:
    """Return a figure with `count` axes in rows of `columns`, each of the given inches."""
    rows = math.ceil(count / columns)
    figure = Figure(figsize=(width * columns, height * rows + 0.5), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.08, h_pad=0.08)
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for ax in axes[count:]:
        ax.remove()
    return figure, list(axes[:count])


def dress(ax: Any, x: str, y: str, title: str) -> None:
    """Set what all axes share: labels, a light grid, no box."""
    ax.set_xlabel(x)
    ax.set_ylabel(y)
    ax.set_title(title, loc="left", fontweight="bold")
    ax.grid(which="major", color="0.92", linewidth=0.8)
    ax.set_axisbelow(True)
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)


def log_ticks(axis: Any, unit: str | None = None, low: float = 1.0, high: float = 1e9) -> None:
    """Put ticks at powers of ten, with more between them where the range is short, with SI prefixes."""
    times = high / low
    between = () if times > 60.0 else (3.0,) if times > 12.0 else (2.0, 5.0)
    axis.set_major_locator(LogLocator(subs=(1.0, *between), numticks=20))
    axis.set_major_formatter(EngFormatter(unit=unit or "", sep=" " if unit else ""))
    axis.set_minor_formatter(NullFormatter())


def log_log(ax: Any, x_unit: str | None = None, y_unit: str | None = None) -> None:
    """Make both axes logarithmic, ticks suited to what is drawn so far."""
    ax.set_xscale("log")
    ax.set_yscale("log")
    log_ticks(ax.xaxis, x_unit, *ax.get_xlim())
    log_ticks(ax.yaxis, y_unit, *ax.get_ylim())


def plot_solver(ax: Any, solver: str, x: Sequence[float], y: Sequence[float]) -> None:
    """Draw the line of one solver; ours is broad and on top."""
    colour, marker = style_of(solver)
    ours = solver == OURS
    ax.plot(
        x,
        y,
        color=colour,
        marker=marker,
        markersize=12 if ours else 6.5,
        markeredgecolor="white",
        markeredgewidth=0.7,
        linewidth=2.2 if ours else 1.4,
        zorder=4 if ours else 3,
    )


def solver_legend(figure: Figure, solvers: Iterable[str], more: Sequence[Any] = ()) -> None:
    """Put one legend for all axes above them."""
    handles: list[Any] = []
    for solver in solvers:
        colour, marker = style_of(solver)
        size = 12 if solver == OURS else 6.5
        handles.append(
            Line2D(
                [],
                [],
                color=colour,
                marker=marker,
                markersize=size,
                markeredgecolor="white",
                linewidth=2.2 if solver == OURS else 1.4,
                label=solver,
            )
        )
    handles += more
    figure.legend(handles=handles, loc="outside upper left", ncols=len(handles), frameon=False)


def in_order(rows: Iterable[Row], key: Callable[[Row], str]) -> list[str]:
    """Return the names that occur, ours first, in the order of the styles."""
    seen = {key(row) for row in rows}
    return [name for name in STYLES if name in seen] + sorted(seen - set(STYLES))


def draw_frontiers(cases: list[Row]) -> Figure:
    """Draw time against accuracy, one small picture per case; down and left is better."""
    columns = 2 if len(cases) in (2, 4) else min(3, len(cases))
    figure, axes = panels(len(cases), columns, 3.5 if columns == 3 else 4.6, 3.1)
    for ax, record in zip(axes, cases, strict=True):
        for solver in in_order(record["runs"], lambda run: run["solver"]):
            runs = [run for run in record["runs"] if run["solver"] == solver]
            level = [max(run["worst_suboptimality"], FLOOR) for run in runs]
            plot_solver(ax, solver, [run["seconds"] for run in runs], level)
        ax.axhline(MATCHED, color=GREY, linewidth=0.9, linestyle="--", zorder=1)
        log_log(ax, "s")
        ax.set_ylim(FLOOR / 6.0, 3.0)
        ax.yaxis.set_major_locator(LogLocator(base=1e4, numticks=12))
        ax.yaxis.set_major_formatter(FuncFormatter(power_of_ten))
        kind = "" if record["l1_ratio"] == 1.0 else f", l1_ratio {record['l1_ratio']:g}"
        storage = " sparse" if record["storage"] == "csc" else ""
        dress(ax, "time", "", f"{record['case']}\n{record['n']} x {record['p']}{storage}{kind}")
    for ax in axes[::columns]:
        ax.set_ylabel("worst suboptimality")
    everyone = in_order((run for record in cases for run in record["runs"]), lambda run: run["solver"])
    solver_legend(figure, everyone, [Line2D([], [], color=GREY, linestyle="--", linewidth=0.9, label="1e-9")])
    return figure


def power_of_ten(value: float, position: int) -> str:
    """Return a power of ten; values at the floor may lie below it."""
    bound = r"\leq " if value <= 1.5 * FLOOR else ""
    return rf"${bound}10^{{{round(math.log10(value))}}}$"


def draw_growth_p(part: Row) -> Figure:
    """Draw time, columns read and extra memory against p."""
    return draw_growth(part["rows"], "p", "features p")


def draw_growth_n(part: Row) -> Figure:
    """Draw the same against n."""
    return draw_growth(part["rows"], "n", "rows n")


def draw_growth(rows: list[Row], size: str, words: str) -> Figure:
    """Draw time of all solvers; passes over X that fastreg reads; extra memory of solvers that show it."""
    figure, (time, passes, memory) = panels(3, 3, 3.6, 3.4)
    solvers = in_order(rows, lambda row: row["request"]["solver"])
    for solver in solvers:
        mine = [row for row in rows if row["request"]["solver"] == solver]
        x = [row[size] for row in mine]
        plot_solver(time, solver, x, [row["seconds"] for row in mine])
        seen = [row for row in mine if row["extra_bytes"] is not None]
        if seen:
            share = [100.0 * max(row["extra_bytes"], 1) / row["X_bytes"] for row in seen]
            plot_solver(memory, solver, [row[size] for row in seen], share)
    ours = [row for row in rows if row["request"]["solver"] == OURS]
    plot_solver(passes, OURS, [row[size] for row in ours], [row["passes_read"] for row in ours])
    if size == "p":
        linear_guide(time, [row["p"] for row in ours], [row["seconds"] for row in ours])
    for ax, unit in ((time, "s"), (passes, None), (memory, "%")):
        log_log(ax, None, unit)
        ax.margins(y=0.12)
    passes.set_yscale("linear")
    passes.yaxis.set_major_locator(MaxNLocator(6, integer=True))
    passes.yaxis.set_major_formatter(ScalarFormatter())
    passes.set_ylim(0.0, 1.25 * max(row["passes_read"] for row in ours))
    memory.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g} %"))
    fixed = {row["n" if size == "p" else "p"] for row in rows}
    at = f"{'n' if size == 'p' else 'p'} = {fixed.pop()}" if len(fixed) == 1 else ""
    dress(time, words, "", f"time of the whole path, {at}")
    dress(passes, words, "", "passes over X, fastreg")
    dress(memory, words, "", "extra memory, share of X")
    dotted = Line2D([], [], color=GREY, linestyle=":", label="proportional to p")
    solver_legend(figure, solvers, [dotted] if size == "p" else [])
    return figure


def linear_guide(ax: Any, x: Sequence[float], y: Sequence[float]) -> None:
    """Draw what growth in proportion to x looks like, through the last point."""
    ends = np.array([x[0], x[-1]], dtype=float)
    ax.plot(ends, y[-1] * ends / x[-1], color=GREY, linestyle=":", linewidth=1.2, zorder=2)


def draw_threads(part: Row) -> Figure:
    """Draw two cases with one and two threads, and where a second thread starts to pay."""
    figure, (bars, curve) = panels(2, 2, 4.8, 3.5)
    named = [row for row in part["rows"] if "case" in row["request"]]
    cases = list(dict.fromkeys(row["request"]["case"] for row in named))
    best = {(row["request"]["case"], row["request"]["threads"]): row["seconds"] for row in named}
    for at, case in enumerate(cases):
        for offset, threads, colour in ((-0.18, 1, "#9A9A9A"), (0.18, 2, "#000000")):
            share = best[case, threads] / best[case, 1]
            bars.bar(at + offset, share, 0.34, color=colour)
            label = EngFormatter(unit="s", places=2 if best[case, threads] >= 1.0 else 0)
            bars.annotate(label(best[case, threads]), (at + offset, share), (0, 3), ha="center", **ABOVE)
    bars.set_xticks(range(len(cases)), cases)
    bars.set_ylim(0.0, 1.2)
    dress(bars, "", "time over that of one thread", "one thread (grey) and two (black)")
    bars.grid(visible=False, axis="x")
    drawn = [row for row in part["rows"] if "ar" in row["request"]]
    single = {row["p"]: row["seconds"] for row in drawn if row["request"]["threads"] == 1}
    for mode in ("always threads", "auto"):
        rows = [
            row
            for row in drawn
            if row["request"]["threads"] == 2 and row["request"].get("mode", "auto") == mode
        ]
        x, y = [row["X_bytes"] for row in rows], [row["seconds"] / single[row["p"]] for row in rows]
        colour, words = ("#000000", "the rule") if mode == "auto" else ("#D55E00", "always split")
        curve.plot(x, y, color=colour, marker="o", markersize=5, linewidth=1.8, label=words)
    curve.axhline(1.0, color=GREY, linewidth=0.9, linestyle="--")
    curve.set_xscale("log")
    log_ticks(curve.xaxis, "B", *curve.get_xlim())
    curve.set_ylim(bottom=0.0)
    curve.legend(frameon=False)
    rows_each = drawn[0]["n"] if drawn else 0
    dress(curve, f"size of X, n = {rows_each}", "time over that of one thread", "two threads over one")
    return figure


ABOVE = {"textcoords": "offset points", "fontsize": 9}


def draw_memory(part: Row) -> Figure:
    """Draw peak extra memory over the size of X, a line of dots per case."""
    rows = part["rows"]
    cases = list(dict.fromkeys(row["request"]["case"] for row in rows))[::-1]
    figure, (ax,) = panels(1, 1, 8.0, 0.55 * len(cases) + 1.0)
    solvers = in_order(rows, lambda row: row["request"]["solver"])
    # Ours is drawn last, on top.
    for solver in solvers[::-1]:
        mine = [row for row in rows if row["request"]["solver"] == solver]
        colour, marker = style_of(solver)
        ax.plot(
            [max(row["extra_bytes"] / row["X_bytes"], 1e-3) for row in mine],
            [cases.index(row["request"]["case"]) for row in mine],
            linestyle="none",
            color=colour,
            marker=marker,
            markersize=14 if solver == OURS else 8,
            markeredgecolor="white",
        )
    size = {row["request"]["case"]: EngFormatter(unit="B", places=0)(row["X_bytes"]) for row in rows}
    ax.set_yticks(range(len(cases)), [f"{case} ({size[case]})" for case in cases])
    ax.set_ylim(-0.6, len(cases) - 0.4)
    ax.set_xscale("log")
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100.0 * value:g} %"))
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.axvline(0.1, color=GREY, linewidth=0.9, linestyle="--", zorder=1)
    dress(ax, "peak extra memory, share of X; left is better, dashed: 10 %", "", "")
    solver_legend(figure, solvers)
    return figure


def plot_mode(ax: Any, mode: str, x: Sequence[float], y: Sequence[float], markers: bool) -> None:
    """Draw one way of solving."""
    colour, marker, _ = MODES[mode]
    auto = mode == "auto"
    ax.plot(
        x,
        y,
        color=colour,
        marker=marker if markers else "",
        markersize=5,
        linewidth=7.0 if auto else 1.5,
        solid_capstyle="round",
        zorder=2 if auto else 3,
    )


def mode_legend(figure: Figure, modes: Sequence[str], line: str) -> None:
    """Put one legend above: the ways of solving, and what the vertical line is."""
    handles = [
        Line2D([], [], color=MODES[m][0], linewidth=7.0 if m == "auto" else 1.5, label=MODES[m][2])
        for m in modes
    ]
    handles.append(Line2D([], [], color=GREY, linestyle="--", linewidth=1.0, label=line))
    figure.legend(handles=handles, loc="outside upper left", ncols=len(handles), frameon=False)


def draw_shapes(part: Row) -> Figure:
    """Draw Gram space against the working set over n/p."""
    # What was cut off has no time to show.
    rows = [row for row in part["rows"] if row["request"]["figure"] == "shape" and row["is_complete"]]
    sizes = sorted({row["p"] for row in rows})
    figure, axes = panels(len(sizes), len(sizes), 4.6, 3.4)
    for ax, p in zip(axes, sizes, strict=True):
        for mode in ("auto", "exact", "gram"):
            mine = [row for row in rows if row["p"] == p and row["request"]["mode"] == mode]
            plot_mode(ax, mode, [row["n"] / p for row in mine], [row["seconds"] for row in mine], True)
        log_log(ax, None, "s")
        ax.xaxis.set_major_locator(LogLocator(base=2, numticks=12))
        ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        if "TALL" in part["constants"]:
            ax.axvline(part["constants"]["TALL"], color=GREY, linewidth=1.0, linestyle="--", zorder=1)
        dress(ax, "rows per feature, n / p", "time of the whole path", f"p = {p}")
    mode_legend(figure, ("auto", "exact", "gram"), "where the rule switches")
    return figure


def draw_supports(part: Row) -> Figure:
    """Draw the course of a path in each mode: time so far against the support reached."""
    rows = [row for row in part["rows"] if row["request"]["figure"] == "support"]
    designs = list(dict.fromkeys((row["n"], row["p"], row["entries_per_column"]) for row in rows))
    figure, axes = panels(len(designs), min(2, len(designs)), 4.6, 3.2)
    for ax, (n, p, entries) in zip(axes, designs, strict=True):
        for mode in ("auto", "exact", "descent"):
            for row in rows:
                same = (row["n"], row["p"], row["entries_per_column"]) == (n, p, entries)
                if same and row["request"]["mode"] == mode:
                    # The beginning, where all is over in a millisecond, says nothing.
                    course = [(k, t) for k, t in zip(*row["trace"].values(), strict=True) if k >= 10]
                    plot_mode(ax, mode, *(zip(*course, strict=True) if course else ((), ())), False)
        log_log(ax, None, "s")
        switch = switch_at(part["constants"], entries)
        if switch is not None:
            ax.axvline(switch, color=GREY, linewidth=1.0, linestyle="--", zorder=1)
        kind = "dense" if entries == n else f"sparse, {entries:.0f} entries a column"
        dress(ax, "active features", "time since the start", f"{n} x {p}, {kind}")
    mode_legend(figure, ("auto", "exact", "descent"), "where the rule switches")
    return figure


def switch_at(constants: dict[str, float], entries: float) -> float | None:
    """Return the support at which the rule leaves the factor, or None where the rule has changed."""
    if not {"FACTOR_WORTH", "SMALL_SUPPORT"} <= set(constants):
        return None
    return max(math.sqrt(constants["FACTOR_WORTH"] * entries), constants["SMALL_SUPPORT"])
