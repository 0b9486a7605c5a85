"""Results on disk: named arrays and one JSON header in an npz file, never pickle."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Mapping
from typing import Any

import numpy as np

from .errors import DataError

HEADER = "header"


def write(path: str | os.PathLike[str], header: Mapping[str, Any], arrays: Mapping[str, Any]) -> None:
    """Write the arrays and the header to exactly this path; a reader never meets half a file.

    Parameters
    ----------
    path : str or path
        File to write; replaced if it exists, and no ending is appended.
    header : mapping
        What JSON can hold; must name "format" and "version".
    arrays : mapping of str to ndarray
        Arrays of numbers, stored bit for bit.
    """
    text = json.dumps(header, default=_plain).encode()
    target = os.fspath(path)
    partial = f"{target}.{os.getpid()}.partial"
    try:
        with open(partial, "wb") as handle:
            np.savez(handle, allow_pickle=False, **{HEADER: np.frombuffer(text, dtype=np.uint8)}, **arrays)
        os.replace(partial, target)
    finally:
        if os.path.exists(partial):
            os.remove(partial)


def read(
    path: str | os.PathLike[str], kind: str, version: int
) -> tuple[dict[str, Any], dict[str, np.ndarray[Any, Any]]]:
    """Read what ``write`` wrote and check that it is of this kind and not newer than this version.

    Parameters
    ----------
    path : str or path
        File to read.
    kind : str
        The format that the header must name.
    version : int
        The newest version that the caller understands.

    Returns
    -------
    header : dict
        The header.
    arrays : dict of str to ndarray
        The arrays.

    Raises
    ------
    DataError
        If the file is something else, damaged, or written by a newer fastreg.
    """
    try:
        # Opened here: np.load leaves a damaged file open.
        with open(path, "rb") as handle:
            if not zipfile.is_zipfile(handle):
                raise ValueError("it is no npz file")
            handle.seek(0)
            with np.load(handle, allow_pickle=False) as archive:
                arrays = {name: archive[name] for name in archive.files}
        if HEADER not in arrays:
            raise ValueError("it has no header")
        header = dict(json.loads(arrays.pop(HEADER).tobytes()))
    except (zipfile.BadZipFile, ValueError, TypeError, KeyError, EOFError, AttributeError) as problem:
        raise DataError(
            f"{os.fspath(path)} must be a file that save() wrote, got something else: {problem}"
        ) from problem
    if header.get("format") != kind:
        raise DataError(
            f"{os.fspath(path)} must hold a {kind}, got {header.get('format')!r}: load another file"
        )
    found = header.get("version")
    if not isinstance(found, int) or found > version:
        raise DataError(
            f"{os.fspath(path)} must have version {version} or older, got {found!r}: update fastreg"
        )
    return header, arrays


def _plain(value: Any) -> Any:
    """Return a NumPy scalar as the Python number it stands for."""
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"a header holds numbers, strings and lists, got {type(value).__name__}")
