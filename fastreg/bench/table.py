"""A comparison as a Markdown table and sentences, from the record that is stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .measure import MATCHED
from .peers import OURS

__all__ = ["comparison_table", "duration", "heading", "report", "skipped_lines", "verdict_lines"]

# What the penalty is put on.
LOSS_WORDS = {
    "gaussian": "",
    "binomial": "logistic ",
    "multinomial": "multinomial ",
    "poisson": "Poisson ",
    "cox": "Cox ",
}
COLUMNS = (
    "solver",
    "tol",
    "time",
    "times ours",
    "passes",
    "worst suboptimality",
    "worst gap",
    "non-zeros",
    "repeats",
)


def report(record: Mapping[str, Any], *, every: bool = True) -> str:
    """Return everything that is printed of a comparison: heading, table, verdicts, and who did not run.

    Parameters
    ----------
    record : mapping
        From `Comparison.record`, or a file that holds one.
    every : bool
        Show every run, not only those that decide (see `comparison_table`).

    Returns
    -------
    str
        Markdown.

    Examples
    --------
    >>> print(report(EXAMPLE))
    ## tiny: lasso, 20 x 40, 10 alphas to alpha_max/100; one pass 0.002 ms
    <BLANKLINE>
    | solver  |   tol |   time | times ours | passes | worst suboptimality | worst gap | non-zeros | repeats |
    |---------|-------|--------|------------|--------|---------------------|-----------|-----------|---------|
    | fastreg | 1e-07 | 0.4 ms |        1.0 |    200 |             0.0e+00 |   1.0e-16 |        15 |       5 |
    <BLANKLINE>
    No peer ran: nothing to compare with. Install one, for instance: pip install scikit-learn
    """
    parts = [heading(record), comparison_table(record, every=every)]
    parts.append("\n".join([*verdict_lines(record), *skipped_lines(record)]))
    return "\n\n".join(part for part in parts if part)


def heading(record: Mapping[str, Any]) -> str:
    """Return one line that says what was solved.

    Parameters
    ----------
    record : mapping
        From `Comparison.record`.

    Returns
    -------
    str
        A Markdown heading.

    Examples
    --------
    >>> heading(EXAMPLE)
    '## tiny: lasso, 20 x 40, 10 alphas to alpha_max/100; one pass 0.002 ms'
    """
    return f"## {description(record)}; one pass {record['pass_ms']:.3f} ms"


def description(record: Mapping[str, Any]) -> str:
    """Return name, penalty, size and grid of a comparison.

    Parameters
    ----------
    record : mapping
        From `Comparison.record`.

    Returns
    -------
    str
        Words without a line break.

    Examples
    --------
    >>> description(EXAMPLE)
    'tiny: lasso, 20 x 40, 10 alphas to alpha_max/100'
    """
    ratio = record["l1_ratio"]
    loss = LOSS_WORDS[record.get("family", "gaussian")]
    kind = loss + ("lasso" if ratio == 1.0 else f"elastic net {ratio:g}")
    storage = " sparse" if record["storage"] == "csc" else ""
    grid = f"{record['alphas']} alphas to alpha_max/{1.0 / record['eps']:g}"
    return f"{record['case']}: {kind}, {record['n']} x {record['p']}{storage}, {grid}"


def comparison_table(record: Mapping[str, Any], *, every: bool = True) -> str:
    """Return the runs as a Markdown table whose columns line up.

    Parameters
    ----------
    record : mapping
        From `Comparison.record`.
    every : bool
        Show every run. Otherwise, of each peer, the run at its default and the fastest one that is accurate
        to 1e-9 (the most accurate one if none is).

    Returns
    -------
    str
        Lines without a trailing newline; empty if nothing ran.

    Examples
    --------
    >>> print(comparison_table(EXAMPLE).splitlines()[2])
    | fastreg | 1e-07 | 0.4 ms |        1.0 |    200 |             0.0e+00 |   1.0e-16 |        15 |       5 |
    """
    runs = record["runs"] if every else deciding(record["runs"])
    if not runs:
        return ""
    unit = _unit(record["runs"])
    return markdown(COLUMNS, [_cells(run, unit) for run in runs])


def deciding(runs: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return our runs and, of each peer, the default and the fastest that is accurate to 1e-9.

    Parameters
    ----------
    runs : sequence of mapping
        The runs of a record.

    Returns
    -------
    list of mapping
        Some of them, in their order.

    Examples
    --------
    >>> len(deciding(EXAMPLE["runs"]))
    1
    """
    kept: list[Mapping[str, Any]] = []
    for run in runs:
        same = [other for other in runs if other["solver"] == run["solver"]]
        accurate = [other for other in same if other["worst_suboptimality"] <= MATCHED]
        if accurate:
            best = min(accurate, key=lambda other: float(other["seconds"]))
        else:
            best = min(same, key=lambda other: float(other["worst_suboptimality"]))
        if run["solver"] == OURS or run["is_default"] or run is best:
            kept.append(run)
    return kept


def verdict_lines(record: Mapping[str, Any]) -> list[str]:
    """Return sentences: our speed-up at matched accuracy and against defaults.

    Parameters
    ----------
    record : mapping
        From `Comparison.record`.

    Returns
    -------
    list of str
        Two for each of our runs; one if there is nothing to compare.

    Examples
    --------
    >>> verdict_lines(EXAMPLE)
    ['No peer ran: nothing to compare with. Install one, for instance: pip install scikit-learn']
    """
    solvers = {run["solver"] for run in record["runs"]}
    lines = []
    if record.get("interrupted"):
        lines.append("Interrupted: only the runs above were finished, and only they are compared.")
    if OURS not in solvers:
        return [*lines, f"No verdict: {OURS} did not run."]
    if solvers == {OURS}:
        advice = "Install one, for instance: pip install scikit-learn"
        return [*lines, f"No peer ran: nothing to compare with. {advice}"]
    verdicts = record["verdicts"]
    for verdict in verdicts:
        ours = f"{OURS} at tol {verdict['tol']:.0e}" if len(verdicts) > 1 else OURS
        reached = max(float(verdict["worst_suboptimality"]), MATCHED)
        lines.append(
            _sentence(ours, verdict["matched"], f"at matched accuracy (suboptimality {reached:.0e})")
        )
        lines.append(_sentence(ours, verdict["default"], "at its default tolerance"))
    return lines


def skipped_lines(record: Mapping[str, Any]) -> list[str]:
    """Return one line for every solver that did not run to the end, with the reason.

    Parameters
    ----------
    record : mapping
        From `Comparison.record`.

    Returns
    -------
    list of str
        Sentences.

    Examples
    --------
    >>> skipped_lines({"skipped": {"celer": "not installed; pip install celer"}})
    ['Skipped celer: not installed; pip install celer']
    """
    return [f"Skipped {name}: {reason}" for name, reason in record["skipped"].items()]


def duration(seconds: float, decimals: int = 1) -> str:
    """Return seconds in the unit that reads best.

    Parameters
    ----------
    seconds : float
        Time.
    decimals : int
        Digits after the point of milliseconds.

    Returns
    -------
    str
        Milliseconds below one second, seconds from there on.

    Examples
    --------
    >>> duration(0.0123), duration(0.0123, 0), duration(2.5)
    ('12.3 ms', '12 ms', '2.50 s')
    """
    return f"{1e3 * seconds:.{decimals}f} ms" if seconds < 1.0 else f"{seconds:.2f} s"


def markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table, the first column to the left, the others to the right.

    Parameters
    ----------
    header : sequence of str
        Column titles.
    rows : sequence of sequence of str
        Cells.

    Returns
    -------
    str
        Lines of equal length.

    Examples
    --------
    >>> print(markdown(["a", "b"], [["x", "10"]]))
    | a |  b |
    |---|----|
    | x | 10 |
    """
    widths = [max(len(cell) for cell in column) for column in zip(header, *rows, strict=True)]

    def line(cells: Sequence[str]) -> str:
        first, *others = zip(cells, widths, strict=True)
        placed = [first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in others)]
        return f"| {' | '.join(placed)} |"

    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([line(header), rule, *(line(row) for row in rows)])


def _unit(runs: Sequence[Mapping[str, Any]]) -> float | None:
    """Return our time, at the default tolerance if it was run."""
    ours = [run for run in runs if run["solver"] == OURS]
    ours = [run for run in ours if run["is_default"]] or ours
    return float(ours[0]["seconds"]) if ours else None


def _cells(run: Mapping[str, Any], unit: float | None) -> list[str]:
    return [
        run["solver"] + (" (default)" if run["is_default"] and run["solver"] != OURS else ""),
        f"{run['tol']:.0e}",
        duration(run["seconds"]),
        "-" if unit is None else f"{run['seconds'] / unit:.1f}",
        f"{run['passes']:.0f}",
        f"{run['worst_suboptimality']:.1e}",
        f"{run['worst_gap']:.1e}",
        str(run["n_nonzero_last"]),
        str(run["repeats"]),
    ]


def _sentence(ours: str, peer: Mapping[str, Any] | None, where: str) -> str:
    if peer is None:
        return f"No peer {where}."
    faster = peer["speed_up"] >= 1.0
    factor = peer["speed_up"] if faster else 1.0 / peer["speed_up"]
    return (
        f"{ours} is {factor:.1f} times {'faster' if faster else 'slower'} than the fastest peer {where}: "
        f"{peer['solver']} at tol {peer['tol']:.0e}, {duration(peer['seconds'])}, "
        f"worst suboptimality {peer['worst_suboptimality']:.0e}."
    )


# What the examples above show: one run of ours on a tiny problem.
EXAMPLE: dict[str, Any] = {
    "case": "tiny",
    "n": 20,
    "p": 40,
    "storage": "dense, F-ordered, float64",
    "l1_ratio": 1.0,
    "alphas": 10,
    "eps": 0.01,
    "pass_ms": 0.002,
    "skipped": {},
    "runs": [
        {
            "solver": OURS,
            "tol": 1e-7,
            "is_default": True,
            "seconds": 4e-4,
            "repeats": 5,
            "passes": 200.0,
            "worst_suboptimality": 0.0,
            "worst_gap": 1e-16,
            "n_nonzero_last": 15,
        }
    ],
    "verdicts": [],
}
