"""Read DATA and the vectors that come with it; every format ends in the same ``Contents``."""

from __future__ import annotations

import csv
import lzma
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from fastreg.errors import DataError, DataTypeError

from .contents import Contents, Wanted, as_labels, is_number, listed, missing_column, open_text, suffix_of
from .delimited import read_delimited
from .exits import UsageError
from .svmlight import read_svmlight

__all__ = ["read_contents", "read_labels", "read_vector"]

Read = TypeVar("Read")
# What the libraries below raise for a damaged, truncated or mistaken file.
UNREADABLE = (
    OSError,
    EOFError,
    ValueError,
    KeyError,
    csv.Error,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
)


def read_contents(path: Path, wanted: Wanted) -> Contents:
    """Read a data file by its suffix."""
    suffix = suffix_of(path)
    if suffix not in READERS:
        raise UsageError(f"cannot tell the format of {path.name}; expected one of {', '.join(READERS)}")
    return _guarded(path, lambda: READERS[suffix](path, wanted))


def read_vector(path: Path) -> NDArray[Any]:
    """Read one number per row or feature: .npy, .npz with one array, or text with a number per line."""
    return _guarded(path, lambda: ARRAYS.get(suffix_of(path), _text_vector)(path))


def read_labels(path: Path) -> NDArray[Any]:
    """Read one label per row: .npy, .npz with one array, or text with a label per line."""
    return _guarded(path, lambda: ARRAYS.get(suffix_of(path), _text_labels)(path))


def _guarded(path: Path, read: Callable[[], Read]) -> Read:
    """Read a file; a file that is not there is bad usage, one that cannot be understood is bad data."""
    try:
        with path.open("rb"):
            pass
    except OSError as problem:
        raise UsageError(f"cannot read {path}: {problem.strerror}") from None
    try:
        return read()
    except (DataError, DataTypeError):
        raise
    except UnicodeDecodeError as problem:
        kind = suffix_of(path) or "text"
        raise DataError(f"{path.name} cannot be read as {kind}: {problem}; save it as UTF-8") from problem
    except UNREADABLE as problem:
        raise DataError(f"{path.name} cannot be read as {suffix_of(path) or 'text'}: {problem}") from problem


def _load(path: Path) -> Any:
    """Open a .npy or .npz file; arrays are mapped, not read, and nothing in the file can run."""
    return np.load(path, mmap_mode="r", allow_pickle=False)


def _read_npy(path: Path, wanted: Wanted) -> Contents:
    """Map X; a .npy file holds nothing else."""
    names = (*wanted.vectors, *wanted.drop)
    if names:
        raise UsageError(
            f"{path.name} holds X only and no {names[0]!r}; give --response-file (or --weights-file ...)"
        )
    return Contents(_load(path), {})


def _read_npz(path: Path, wanted: Wanted) -> Contents:
    """Read X and vectors by key, or X from a file of ``scipy.sparse.save_npz``."""
    if wanted.drop:
        raise UsageError("--drop works on tables with named columns, not on .npz")
    with _load(path) as archive:
        keys = list(archive.keys())
        is_scipy = wanted.design not in keys and {"format", "shape", "data"} <= set(keys)
        needed = wanted.vectors if is_scipy else (wanted.design, *wanted.vectors)
        missing = [key for key in needed if key not in keys]
        if missing:
            option = "--design" if missing[0] == wanted.design else "--response or --response-file"
            hint = f"{wanted.advice(missing[0])}name the right one with {option}"
            raise UsageError(f"{path.name} has no key {missing[0]!r}; {hint}. It has: {listed(keys)}")
        X = sparse.load_npz(path) if is_scipy else archive[wanted.design]
        names = archive["feature_names"] if "feature_names" in keys else None
        vectors = {key: archive[key] for key in wanted.vectors}
    return Contents(X, vectors, None if names is None else tuple(str(name) for name in names.ravel()))


def _read_parquet(path: Path, wanted: Wanted) -> Contents:
    """Read a parquet table with pyarrow; columns of other types than numbers are the library's to refuse."""
    try:
        from pyarrow import ArrowException
        from pyarrow.parquet import read_table
    except ImportError:
        raise UsageError(f"reading {path.name} needs pyarrow: pip install pyarrow") from None
    try:
        table = read_table(path)
    except ArrowException as problem:
        raise DataError(f"{path.name} cannot be read as parquet: {problem}") from problem
    for name in (*wanted.vectors, *wanted.drop):
        if name not in table.column_names:
            raise UsageError(missing_column(path, name, table.column_names, wanted))
    vectors = {name: table.column(name).to_numpy() for name in wanted.vectors}
    X = table.drop_columns(list(dict.fromkeys((*wanted.vectors, *wanted.drop))))
    return Contents(X, vectors, None)


def _only_array(path: Path) -> Any:
    """Return the one array of a .npz file."""
    with _load(path) as archive:
        keys = list(archive.keys())
        if len(keys) != 1:
            raise UsageError(f"expected one array in {path.name}, found {listed(keys)}; save it as .npy")
        return archive[keys[0]]


def _text_vector(path: Path) -> Any:
    """Read one number per line; the first line may be a name."""
    numbers: list[float] = []
    with open_text(path) as handle:
        for line, text in enumerate(handle, start=1):
            cell = text.strip().strip('"')
            if not cell or (line == 1 and not is_number(cell)):
                continue
            if not is_number(cell):
                raise DataError(f"{path.name}, line {line}: expected one number per line, got {cell!r}")
            numbers.append(float(cell))
    if not numbers:
        raise DataError(f"{path.name}: expected one number per line, found none")
    return np.asarray(numbers)


def _text_labels(path: Path) -> Any:
    """Read one label per line; a first line above numbers only may be a name."""
    with open_text(path) as handle:
        cells = [cell for cell in (text.strip().strip('"') for text in handle) if cell]
    if len(cells) > 1 and not is_number(cells[0]) and all(is_number(cell) for cell in cells[1:]):
        del cells[0]
    if not cells:
        raise DataError(f"{path.name}: expected one label per line, found none")
    return as_labels(cells)


ARRAYS: dict[str, Callable[[Path], Any]] = {".npy": _load, ".npz": _only_array}
READERS: dict[str, Callable[[Path, Wanted], Contents]] = {
    ".npz": _read_npz,
    ".npy": _read_npy,
    ".csv": read_delimited,
    ".tsv": read_delimited,
    ".parquet": _read_parquet,
    ".svm": read_svmlight,
    ".svmlight": read_svmlight,
    ".libsvm": read_svmlight,
}
