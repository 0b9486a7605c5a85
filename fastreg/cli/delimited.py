"""Read text tables with a header: .csv and .tsv, plain or compressed."""

from __future__ import annotations

import csv
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from fastreg._typing import Float64
from fastreg.errors import DataError

from .contents import Contents, Wanted, is_number, listed, missing_column, open_text, suffix_of, take_columns
from .exits import UsageError

__all__ = ["read_delimited"]


def read_delimited(path: Path, wanted: Wanted) -> Contents:
    """Read a table whose first line names the columns and whose other cells are numbers.

    A cell that is not a number is an error that names its column and line, except in columns to drop.
    """
    delimiter = wanted.delimiter or ("\t" if suffix_of(path) == ".tsv" else ",")
    if len(delimiter) != 1:
        raise UsageError(f"--delimiter must be one character, got {delimiter!r}")
    header, lines = _header(path, delimiter)
    for name in (*wanted.drop, *wanted.vectors):
        if name not in header:
            raise UsageError(missing_column(path, name, header))
    dropped = frozenset(header.index(name) for name in wanted.drop)
    table = _numbers(path, delimiter, header, lines, dropped)
    kept = [column for column in range(len(header)) if column not in dropped]
    if dropped:
        table = np.take(table, kept, axis=1)
    return take_columns(path, table, tuple(header[column] for column in kept), wanted)


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
    # R and pandas leave the name of the row names empty.
    header = [cell.strip() or f"unnamed_{column + 1}" for column, cell in enumerate(cells)]
    if len(set(header)) < len(header):
        twice = sorted({name for name in header if header.count(name) > 1})
        raise DataError(f"{path.name}: column names must differ, found more than once: {listed(twice)}")
    return header, lines


def _numbers(path: Path, delimiter: str, header: list[str], lines: int, dropped: frozenset[int]) -> Float64:
    """Read everything below the header, at the speed of NumPy; look for the culprit only if that fails."""
    # Dropped columns stay in the table as zeros: so NumPy still checks the number of cells in every line.
    zeros: dict[int | str, Callable[[str], Any]] = {column: lambda cell: 0.0 for column in dropped}
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
                    converters=zeros or None,
                )
    except ValueError as problem:
        raise DataError(_culprit(path, delimiter, header, dropped) or f"{path.name}: {problem}") from None
    if table.size == 0:
        raise DataError(f"{path.name}: expected rows of numbers below the header, found none")
    if table.shape[1] != len(header):
        raise DataError(_culprit(path, delimiter, header, dropped))
    return table


def _culprit(path: Path, delimiter: str, header: list[str], dropped: frozenset[int]) -> str:
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
                if column not in dropped and not is_number(cell):
                    what = f"got {cell!r}" if cell.strip() else "the cell is empty"
                    return (
                        f"{place}, column {header[column]!r}: expected a number, {what}; "
                        f"fill or remove the row, or leave the column out with --drop"
                    )
    return ""
