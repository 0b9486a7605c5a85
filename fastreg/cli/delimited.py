"""Read text tables with a header: .csv and .tsv, plain or compressed."""

from __future__ import annotations

import csv
import warnings
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from fastreg._typing import Float64
from fastreg.errors import DataError

from .contents import (
    COLUMNS_OF,
    Contents,
    Wanted,
    as_labels,
    is_number,
    listed,
    missing_column,
    open_text,
    suffix_of,
    take_columns,
)
from .exits import UsageError

__all__ = ["read_delimited"]

# Names of columns without one: R and pandas write row names under an empty one.
UNNAMED = "unnamed_"


def read_delimited(path: Path, wanted: Wanted) -> Contents:
    """Read a table whose first line names the columns and whose other cells are numbers.

    A cell that is not a number is an error that names its column and line, except in columns to drop and in
    columns of labels, where any text is one.
    """
    delimiter = wanted.delimiter or ("\t" if suffix_of(path) == ".tsv" else ",")
    if len(delimiter) != 1:
        raise UsageError(f"--delimiter must be one character, got {delimiter!r}")
    header, lines = _header(path, delimiter)
    for name in (*wanted.drop, *wanted.vectors):
        if name not in header:
            raise UsageError(missing_column(path, name, header, wanted))
    dropped = frozenset(header.index(name) for name in wanted.drop)
    texts = {header.index(name): Codes() for name in wanted.vectors if name in wanted.labels}
    table = _numbers(path, delimiter, header, lines, dropped, texts, wanted)
    kept = [column for column in range(len(header)) if column not in dropped]
    if dropped:
        table = np.take(table, kept, axis=1)
    contents = take_columns(path, table, tuple(header[column] for column in kept), wanted)
    decoded = {
        header[column]: codes.decode(contents.vectors[header[column]]) for column, codes in texts.items()
    }
    notes = _notes(path, contents.feature_names or ())
    return replace(contents, vectors={**contents.vectors, **decoded}, notes=notes)


def _notes(path: Path, features: tuple[str, ...]) -> tuple[str, ...]:
    """Return a note on features without a name: most are row names."""
    unnamed = [name for name in features if name.startswith(UNNAMED)]
    if not unnamed:
        return ()
    taken = f"{path.name} has a column without a name, taken as the feature {unnamed[0]!r}"
    return (f"{taken}; if it holds row names, --drop {unnamed[0]} leaves it out",)


class Codes:
    """Number the texts of a column in the order in which they come, so that NumPy can read it as numbers."""

    def __init__(self) -> None:
        self.known: dict[str, int] = {}

    def __call__(self, cell: str) -> float:
        """Return the number of a text; an empty cell is no label."""
        text = cell.strip()
        if not text:
            raise ValueError("a label is empty")
        return float(self.known.setdefault(text, len(self.known)))

    def decode(self, codes: Float64) -> Any:
        """Return the texts, as numbers where all of them are."""
        return as_labels(self.known)[codes.astype(np.int64)]


def _header(path: Path, delimiter: str) -> tuple[list[str], int]:
    """Return the column names and the number of lines that they take."""
    with open_text(path) as handle:
        reader = csv.reader(handle, delimiter=delimiter)
        cells = next((row for row in reader if row), None)
        lines = reader.line_num
    if cells is None:
        raise DataError(f"{path.name}: expected a first line with column names, the file is empty")
    if all(is_number(cell) for cell in cells):
        raise DataError(f"{path.name}: expected column names in the first line, got numbers; add a header")
    header = [cell.strip() or f"{UNNAMED}{column + 1}" for column, cell in enumerate(cells)]
    if len(set(header)) < len(header):
        twice = sorted({name for name in header if header.count(name) > 1})
        raise DataError(f"{path.name}: column names must differ, found more than once: {listed(twice)}")
    return header, lines


def _numbers(
    path: Path,
    delimiter: str,
    header: list[str],
    lines: int,
    dropped: frozenset[int],
    texts: dict[int, Codes],
    wanted: Wanted,
) -> Float64:
    """Read everything below the header, at the speed of NumPy; look for the culprit only if that fails."""
    # Dropped columns stay in the table as zeros: so NumPy still checks the number of cells in every line.
    readers: dict[int | str, Callable[[str], Any]] = {column: lambda cell: 0.0 for column in dropped}
    for column, codes in texts.items():
        readers[column] = codes
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "loadtxt: input contained no data")
            with open_text(path) as handle:
                table: Float64 = np.loadtxt(
                    handle,
                    delimiter=delimiter,
                    skiprows=lines,
                    comments=None,
                    quotechar='"',
                    ndmin=2,
                    converters=readers or None,
                    encoding=None,
                )
    except ValueError as problem:
        found = _culprit(path, delimiter, header, dropped, texts, wanted)
        raise DataError(found or f"{path.name}: {problem}") from None
    if table.size == 0:
        raise DataError(f"{path.name}: expected rows of numbers below the header, found none")
    if table.shape[1] != len(header):
        raise DataError(_culprit(path, delimiter, header, dropped, texts, wanted))
    return table


def _culprit(
    path: Path,
    delimiter: str,
    header: list[str],
    dropped: frozenset[int],
    texts: Mapping[int, Codes],
    wanted: Wanted,
) -> str:
    """Return the message for the first line or cell that is not as it should be, "" if there is none."""
    with open_text(path) as handle:
        reader = csv.reader(handle, delimiter=delimiter)
        rows = (row for row in reader if row)
        next(rows)
        for row in rows:
            place = f"{path.name}, line {reader.line_num}"
            if len(row) != len(header):
                return f"{place}: expected {len(header)} cells, one per column of the header, got {len(row)}"
            for column, cell in enumerate(row):
                is_bad = not cell.strip() if column in texts else not is_number(cell)
                if column not in dropped and is_bad:
                    what = f"got {cell!r}" if cell.strip() else "the cell is empty"
                    kind = "label" if column in texts else "number"
                    remedy = "fill or remove the row, or leave the column out with --drop"
                    if header[column] in wanted.response:
                        remedy = "fill or remove the row"
                        if cell.strip() and wanted.family not in COLUMNS_OF:
                            remedy += "; labels go with --family binomial (two) or multinomial"
                    return f"{place}, column {header[column]!r}: expected a {kind}, {what}; {remedy}"
    return ""
