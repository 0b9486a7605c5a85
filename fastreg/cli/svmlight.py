"""Read svmlight / libsvm files in plain Python, one line per row: ``label index:value ... # comment``."""

from __future__ import annotations

import re
from array import array
from pathlib import Path

import numpy as np
from scipy import sparse

from fastreg.errors import DataError

from .contents import Contents, Wanted, is_number, open_text
from .exits import UsageError

__all__ = ["read_svmlight"]

# What follows the label. Everything that float() would take but the format does not mean (1_0) is left out.
PAIRS = re.compile(r"(?:\s+\d+:[^\s:_]+)*\s*", re.ASCII)
# A sparse array holds one pointer per column: a damaged index must not ask for all the memory there is.
LARGEST_INDEX = 2**31 - 2


def read_svmlight(path: Path, wanted: Wanted) -> Contents:
    """Read the file into CSC and the labels, which are the response "y".

    Indices count from 1, or from 0 if index 0 occurs; the last feature is the largest index.
    """
    other = [name for name in wanted.vectors if name != "y"]
    if other or wanted.drop:
        raise UsageError(
            f"{path.name}: svmlight has no column {(*other, *wanted.drop)[0]!r}; the label is the response, "
            "weights, offset and strata come from --weights-file and the like"
        )
    labels, indices, values = array("d"), array("q"), array("d")
    ends, lines = array("q", [0]), array("q")
    with open_text(path) as handle:
        for number, line in enumerate(handle, start=1):
            text = line.partition("#")[0].strip()
            if not text:
                continue
            label, pairs = _split(path, number, text)
            try:
                labels.append(float(label))
                indices.extend(map(int, pairs[0::2]))
                values.extend(map(float, pairs[1::2]))
            except (ValueError, OverflowError):
                raise DataError(_culprit(path, number, label, pairs)) from None
            ends.append(len(indices))
            lines.append(number)
    if not lines:
        raise DataError(f"{path.name}: expected lines 'label index:value ...', the file holds none")
    X = _assemble(path, np.asarray(indices), np.asarray(values), np.asarray(ends), lines)
    return Contents(X, {"y": np.asarray(labels)})


def _split(path: Path, number: int, text: str) -> tuple[str, list[str]]:
    """Split a line into its label and a flat list: index, value, index, value, ..."""
    label = text.split(None, 1)[0]
    rest = text[len(label) :]
    if PAIRS.fullmatch(rest):
        return label, rest.replace(":", " ").split()
    place = f"{path.name}, line {number}"
    wrong = next(word for word in rest.split() if not PAIRS.fullmatch(" " + word))
    if wrong.startswith("qid:"):
        raise DataError(f"{place}: query ids (qid) belong to ranking and are not supported; remove them")
    raise DataError(f"{place}: expected index:value with a whole number as index, got {wrong!r}")


def _culprit(path: Path, number: int, label: str, pairs: list[str]) -> str:
    """Return the message for the word that is not a number."""
    place = f"{path.name}, line {number}"
    if not is_number(label):
        hint = "; several labels per line are not supported" if "," in label else ""
        return f"{place}: expected a number as label, got {label!r}{hint}"
    wrong = next((value for value in pairs[1::2] if not is_number(value)), None)
    if wrong is None:
        return f"{place}: an index is too large for 64 bits"
    return f"{place}: expected a number after the colon, got {wrong!r}"


def _assemble(
    path: Path, indices: np.ndarray, values: np.ndarray, ends: np.ndarray, lines: array[int]
) -> sparse.csc_array:
    """Make the CSC array of rows that were read one after the other."""
    if indices.size == 0:
        raise DataError(f"{path.name}: expected at least one index:value, every line holds a label only")
    first = 0 if (indices == 0).any() else 1
    if indices.max() > LARGEST_INDEX:
        raise DataError(f"{path.name}: expected indices below 2^31, got {indices.max()}")
    rows = sparse.csr_array(
        (values, indices - first, ends), shape=(len(lines), int(indices.max()) - first + 1)
    )
    rows.sort_indices()
    same = np.diff(rows.indices) == 0
    inner = ends[(ends > 0) & (ends < indices.size)]
    same[inner - 1] = False  # neighbours, but of different rows
    if same.any():
        entry = int(np.flatnonzero(same)[0])
        row = int(np.searchsorted(ends, entry, side="right")) - 1
        index = int(rows.indices[entry]) + first
        raise DataError(f"{path.name}, line {lines[row]}: index {index} occurs more than once")
    return rows.tocsc()
