"""What is asked of a data file, and what a reader returns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from fastreg._typing import Float64
from fastreg.errors import DataError

from .exits import UsageError

__all__ = ["Contents", "Wanted", "as_labels", "is_number", "listed", "open_text", "suffix_of", "take_columns"]

COMPRESSED = (".gz", ".bz2", ".xz")
# What separates columns in files that call themselves .csv all the same, and how a shell is told.
OTHER_DELIMITERS = {";": "';'", "\t": "$'\\t'", "|": "'|'", ",": "','", " ": "' '"}
# How the response is named for families that take several columns.
COLUMNS_OF = {"cox": "time,status or start,stop,status", "mgaussian": "a,b,c"}


@dataclass(frozen=True)
class Wanted:
    """Say which parts of a data file are not features."""

    vectors: tuple[str, ...] = ()  # columns or keys: response, weights, offset, strata
    drop: tuple[str, ...] = ()
    design: str = "X"
    delimiter: str | None = None
    labels: frozenset[str] = frozenset()  # those of the vectors whose entries may be any text
    response: tuple[str, ...] = ()  # those of the vectors that are the response
    family: str = "gaussian"

    def advice(self, name: str) -> str:
        """Return what to do where a column that is not there was to hold the response."""
        if name not in self.response:
            return ""
        if self.family in COLUMNS_OF:
            return f"--family {self.family} takes --response {COLUMNS_OF[self.family]}; "
        return "several columns of a response go with --family mgaussian or cox; " if "," in name else ""


@dataclass(frozen=True)
class Contents:
    """Hold what was read: the design as it lies in the file, and the columns that were asked for."""

    X: Any
    vectors: Mapping[str, NDArray[Any]]
    feature_names: tuple[str, ...] | None = None
    notes: tuple[str, ...] = ()  # what a user should know of them


def suffix_of(path: Path) -> str:
    """Return the suffix that tells the format, without that of a compression."""
    parts = [suffix.lower() for suffix in path.suffixes]
    if parts and parts[-1] in COMPRESSED:
        parts.pop()
    return parts[-1] if parts else ""


def open_text(path: Path) -> IO[str]:
    """Open a text file for reading, compressed or not."""
    import bz2
    import gzip
    import lzma

    openers: dict[str, Any] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
    opener = openers.get(path.suffix.lower(), open)
    handle: IO[str] = opener(path, "rt", encoding="utf-8-sig", newline="")
    return handle


def is_number(cell: str) -> bool:
    """Tell whether a cell is written as a number (Python's digit groups, 1_000, are not meant)."""
    try:
        float(cell)
    except ValueError:
        return False
    return "_" not in cell


def as_labels(cells: Iterable[str]) -> NDArray[Any]:
    """Return cells as numbers if all of them are, whole ones as integers; else as the text they are."""
    every = list(cells)
    if not all(is_number(cell) for cell in every):
        return np.asarray(every)
    try:
        return np.asarray([int(cell) for cell in every])
    except ValueError:
        return np.asarray([float(cell) for cell in every])


def listed(names: Iterable[str], most: int = 8) -> str:
    """Return a few names for a message, and how many more there are."""
    every = list(names)
    rest = f" and {len(every) - most} more" if len(every) > most else ""
    return ", ".join(repr(name) for name in every[:most]) + rest


def take_columns(path: Path, table: Float64, columns: tuple[str, ...], wanted: Wanted) -> Contents:
    """Split a table (n, number of columns) into the features, F-ordered, and the columns asked for.

    Columns to drop are not in the table any more.
    """
    where = {name: column for column, name in enumerate(columns)}
    missing = [name for name in wanted.vectors if name not in where]
    if missing:
        raise UsageError(missing_column(path, missing[0], columns, wanted))
    features = [column for column, name in enumerate(columns) if name not in wanted.vectors]
    if not features:
        raise DataError(f"{path.name}: expected a feature beside {listed(wanted.vectors)}, found none")
    X = np.take(table.T, features, axis=0).T
    vectors = {name: table[:, where[name]].copy() for name in wanted.vectors}
    return Contents(X, vectors, tuple(columns[column] for column in features))


def missing_column(path: Path, name: str, columns: Iterable[str], wanted: Wanted) -> str:
    """Return the message for a column that is not there."""
    every = list(columns)
    separator = (
        next((mark for mark in OTHER_DELIMITERS if mark in every[0]), None) if len(every) == 1 else None
    )
    if separator is not None:
        return (
            f"{path.name} has no column {name!r}: its first line is one name with {separator!r} in it; "
            f"pass --delimiter {OTHER_DELIMITERS[separator]}"
        )
    return (
        f"{path.name} has no column {name!r}; {wanted.advice(name)}name the right one (--response, "
        f"--weights, --offset, --strata, --drop). It has: {listed(every)}"
    )
