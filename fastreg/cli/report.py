"""A path as a table that people read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from fastreg._render import percent, pick_rows, text_table

if TYPE_CHECKING:
    from fastreg.result import PathResult

__all__ = ["path_table", "plural"]

ROWS = 12


def path_table(result: PathResult, more: Mapping[str, Sequence[int]] | None = None) -> str:
    """Show a dozen alphas of a path, first and last included.

    Parameters
    ----------
    result : PathResult
        Path to show.
    more : mapping of str to sequence of int, optional
        Further columns, one value per alpha, shown after the number of features.

    Returns
    -------
    str
        Table with a header, right-aligned, one line per alpha.
    """
    extra = dict(more or {})
    header = ["alpha", "features", *extra, "deviance explained", "certified gap"]
    counts, gaps = result.n_nonzero, result.relative_gaps
    rows = [
        [
            f"{result.alphas[k]:.4g}",
            str(counts[k]),
            *(str(values[k]) for values in extra.values()),
            # Adding zero turns the -0.0 of rounding into 0.0.
            percent(float(result.dev_ratio[k])),
            f"{gaps[k]:.1e}",
        ]
        for k in pick_rows(result.alphas.size, ROWS)
    ]
    return text_table(header, rows)


def plural(count: int, noun: str) -> str:
    """Return "1 row", "2 rows"."""
    return f"{count} {noun}{'' if count == 1 else 's'}"
