"""What a data command is called with: the file, its columns, and the options as keywords of the library."""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .contents import COLUMNS_OF, Contents, Wanted, suffix_of
from .exits import UsageError
from .options import names, path_keywords
from .readers import read_contents, read_labels, read_vector

if TYPE_CHECKING:
    from fastreg.result import PathResult

__all__ = [
    "LABELLED",
    "RESPONSE",
    "SEVERAL_COLUMNS",
    "Task",
    "notes_of",
    "read_task",
    "say",
    "stem",
    "together",
]

# What a data file may hold beside the features.
ROLES = ("response", "weights", "offset", "strata", "fold_of", "groups")
# The column that is the response where none is named.
RESPONSE = "y"
# Roles whose entries may be any labels.
LABELS = ("strata", "groups")
# Families whose response may have several columns, and those whose response is a column of labels.
SEVERAL_COLUMNS = ("cox", "mgaussian", "multinomial")
LABELLED = ("binomial", "multinomial", "squared_hinge")


@dataclass(frozen=True)
class Task:
    """Hold what a path function is called with.

    ``rows`` says what belongs together in selection, ``notes`` what a user should know of the data.
    """

    X: Any
    y: Any
    l1_ratio: float
    keywords: Mapping[str, Any]
    rows: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def solve(self) -> PathResult:
        """Call the path function that the family and the mix of the penalty ask for."""
        from fastreg.api import enet_path, lasso_path, ridge_path
        from fastreg.api_glm import glm_path

        if "family" in self.keywords:
            return glm_path(self.X, self.y, **self.keywords)
        if self.l1_ratio == 1.0:
            return lasso_path(self.X, self.y, multi_response=None, **self.keywords)
        if self.l1_ratio == 0.0:
            return ridge_path(self.X, self.y, multi_response=None, **self.keywords)
        return enet_path(self.X, self.y, multi_response=None, l1_ratio=self.l1_ratio, **self.keywords)

    def shared(self) -> dict[str, Any]:
        """Return the keywords that functions of many paths take, whatever the family."""
        family = self.keywords.get("family", "gaussian")
        left_out = ("max_features",)
        kept = {name: value for name, value in self.keywords.items() if name not in left_out}
        return kept | {"family": family, "l1_ratio": self.l1_ratio}


def read_task(arguments: argparse.Namespace) -> Task:
    """Read the data and the files that options name."""
    keywords = path_keywords(arguments)
    family = keywords.get("family", "gaussian")
    named = _named(arguments, family)
    # A matrix of proportions holds numbers, whatever the family.
    is_labelled = family in LABELLED and len(named.get("response", ())) < 2
    textual = (*LABELS, "response") if is_labelled else LABELS
    if arguments.design is not None and suffix_of(arguments.data) != ".npz":
        raise UsageError(
            f"--design names a key of a .npz file, which {arguments.data.name} is not; leave it out"
        )
    wanted = Wanted(
        tuple(name for each in named.values() for name in each),
        tuple(arguments.drop),
        arguments.design or "X",
        arguments.delimiter,
        frozenset(name for role in textual for name in named.get(role, ())),
        named.get("response", ()),
        family,
    )
    contents = read_contents(arguments.data, wanted)
    vectors = {role: together([contents.vectors[name] for name in each]) for role, each in named.items()}
    for role in ROLES:
        if (file := getattr(arguments, f"{role}_file", None)) is not None:
            vectors[role] = (read_labels if role in textual else read_vector)(file)
    if family in COLUMNS_OF and vectors["response"].ndim == 1 and vectors["response"].dtype.names is None:
        raise UsageError(f"--family {family} takes several columns: --response {COLUMNS_OF[family]}; got one")
    if family == "cox":
        keywords["strata"] = vectors.get("strata")
    keywords |= {
        "sample_weight": vectors.get("weights"),
        "offset": vectors.get("offset"),
        "penalty_factor": _read_if_path(arguments.penalty_factor),
        "lower_limits": _read_if_path(arguments.lower),
        "upper_limits": _read_if_path(arguments.upper),
        "feature_names": contents.feature_names,
    }
    rows: dict[str, Any] = {role: vectors[role] for role in ("fold_of", "groups") if role in vectors}
    notes = notes_of(arguments.data, contents, arguments.response_file)
    return Task(contents.X, vectors["response"], arguments.l1_ratio, keywords, rows, notes)


def _named(arguments: argparse.Namespace, family: str) -> dict[str, tuple[str, ...]]:
    """Return the columns or keys of DATA that hold the response and what belongs to it."""
    named: dict[str, tuple[str, ...]] = {}
    named |= {role: (name,) for role in ROLES if (name := getattr(arguments, role, None)) is not None}
    if "response" in named and family in SEVERAL_COLUMNS:
        named["response"] = names(arguments.response)
    elif "response" not in named and arguments.response_file is None:
        named["response"] = (RESPONSE,)
    return named


def notes_of(path: Path, contents: Contents, response_file: Path | None) -> tuple[str, ...]:
    """Return what a user should know of the data: also that a feature has the name of a response."""
    if response_file is None or RESPONSE not in (contents.feature_names or ()):
        return contents.notes
    note = f"column {RESPONSE!r} of {path.name} is a feature, because --response-file is given"
    return (*contents.notes, f"{note}; --drop {RESPONSE} leaves it out")


def say(notes: Iterable[str], caught: Iterable[warnings.WarningMessage]) -> list[str]:
    """Show notes on the data and warnings of a run; return them."""
    said = [*notes, *(str(warning.message) for warning in caught)]
    for message in said:
        print(f"fastreg: warning: {message}", file=sys.stderr)
    return said


def together(columns: list[Any]) -> Any:
    """Return one column as it is, several side by side."""
    return columns[0] if len(columns) == 1 else np.column_stack(columns)


def _read_if_path(value: Any) -> Any:
    """Read a file with one number per feature; leave numbers and None alone."""
    return read_vector(value) if isinstance(value, Path) else value


def stem(data: Path) -> str:
    """Return the name of a data file up to its first dot that begins a format."""
    if data.is_dir():
        raise UsageError(f"DATA must be a file, got the folder {data}")
    name = data.name
    for suffix in reversed(data.suffixes[-2:]):
        if len(suffix) <= len(".svmlight"):
            name = name.removesuffix(suffix)
    return name
