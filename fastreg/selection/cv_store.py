"""Cross-validations on disk: every curve with its path, in one npz file."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from .. import _store
from .._record import put_together, take_apart
from ..errors import DataError, Status
from ..result import PathResult
from .cv_curve import CVCurve
from .cv_result import CVResult
from .folds import Fold

__all__ = ["read_result", "write_result"]

FORMAT, VERSION = "fastreg.CVResult", 1
# What JSON holds of a result and of a curve, and which arrays a curve has.
PLAIN = (
    "best", "chosen_alpha", "rule", "folds_requested", "n_rows", "scoring", "greater_is_better", "fit_time",
)  # fmt: skip
OF_CURVE = ("l1_ratio", "gamma", "greater_is_better")
ARRAYS = ("alphas", "scores", "mean", "se")


def write_result(result: CVResult, path: str | os.PathLike[str]) -> None:
    """Write a result to exactly this path."""
    header: dict[str, Any] = {name: getattr(result, name) for name in PLAIN}
    header |= {"format": FORMAT, "version": VERSION, "status": result.status.name, "curves": []}
    arrays: dict[str, Any] = {"fold_weights": result.fold_weights}
    for part in ("train", "test"):
        rows = [getattr(fold, part) for fold in result.folds]
        arrays[f"{part}_rows"] = np.concatenate([np.zeros(0, np.int64), *rows])
        arrays[f"{part}_ends"] = np.cumsum([len(each) for each in rows], dtype=np.int64)
    for i, curve in enumerate(result.curves):
        about, columns = take_apart(curve.path)
        said = {name: getattr(curve, name) for name in OF_CURVE}
        header["curves"].append(said | {"path": about, "is_kept": curve.predictions is not None})
        arrays |= {f"{i}/{name}": getattr(curve, name) for name in ARRAYS}
        arrays |= {f"{i}/path/{name}": array for name, array in columns.items()}
        if curve.predictions is not None:
            arrays[f"{i}/predictions"] = curve.predictions
    _store.write(path, header, arrays)


def read_result(path: str | os.PathLike[str]) -> CVResult:
    """Read what ``write_result`` wrote."""
    header, arrays = _store.read(path, FORMAT, VERSION)
    try:
        return CVResult(
            curves=tuple(_curve(i, said, arrays) for i, said in enumerate(header["curves"])),
            folds=_folds(arrays),
            fold_weights=arrays["fold_weights"],
            status=Status[header["status"]],
            **{name: header[name] for name in PLAIN},
        )
    except (KeyError, TypeError, ValueError) as problem:
        raise DataError(f"{os.fspath(path)} is damaged ({problem!r}): save the result again") from problem


def _curve(i: int, said: dict[str, Any], arrays: dict[str, Any]) -> CVCurve:
    start = f"{i}/path/"
    columns = {name.removeprefix(start): array for name, array in arrays.items() if name.startswith(start)}
    return CVCurve(
        path=PathResult(**put_together(said["path"], columns)),
        predictions=arrays[f"{i}/predictions"] if said["is_kept"] else None,
        **{name: said[name] for name in OF_CURVE},
        **{name: arrays[f"{i}/{name}"] for name in ARRAYS},
    )


def _folds(arrays: dict[str, Any]) -> tuple[Fold, ...]:
    parts = [np.split(arrays[f"{part}_rows"], arrays[f"{part}_ends"])[:-1] for part in ("train", "test")]
    return tuple(Fold(train, test) for train, test in zip(*parts, strict=True))
