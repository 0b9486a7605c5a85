"""What a path is made of: frozen arrays and facts, what follows from them, how they are stored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ._predict import label
from ._render import percent
from ._typing import Float64, Index, InputReport
from .errors import DataError, Status

VECTORS = ("alphas", "intercepts", "dual_gaps", "n_iter", "dev_ratio")
COLUMNS = ("data", "indices", "indptr")


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class PathRecord:
    """Hold the fields of a path, described in ``PathResult``, and the numbers that follow from them."""

    alphas: Float64
    coefs_sparse: sparse.csc_array
    intercepts: Float64
    dual_gaps: Float64
    n_iter: NDArray[np.int64]
    status: Status
    status_note: str = ""
    dev_ratio: Float64
    null_deviance: float
    null_objective: float
    alpha_max: float
    l1_ratio: float
    feature_names: tuple[str, ...] | None = None
    classes: tuple[Any, ...] | None = None
    counters: Mapping[str, int | tuple[int, ...]]
    input_report: InputReport
    fit_time: float
    alphas_requested: int
    tol: float
    family: str = "gaussian"
    return_n_iter: bool = False

    def __post_init__(self) -> None:
        """Freeze the arrays and drop stored zeros, so that what is stored is what is selected."""
        for name in VECTORS:
            kind = np.int64 if name == "n_iter" else np.float64
            object.__setattr__(self, name, _frozen(np.asarray(getattr(self, name), dtype=kind)))
        object.__setattr__(self, "coefs_sparse", _frozen_columns(self.coefs_sparse))
        lengths = {name: getattr(self, name).shape for name in VECTORS} | {
            "coefs": self.coefs_sparse.shape[1:]
        }
        if set(lengths.values()) != {(self.alphas.size,)}:
            raise DataError(
                f"every array of a path must have one entry per alpha, got {lengths}: correct them"
            )

    @cached_property
    def coefs(self) -> Float64:
        """Return the coefficients as a read-only F-ordered array of shape (p, K), made on first use."""
        dense: Float64 = _frozen(self.coefs_sparse.toarray(order="F"))
        return dense

    @property
    def n_features(self) -> int:
        """Return p, the number of columns of X."""
        return int(self.coefs_sparse.shape[0])

    @property
    def n_nonzero(self) -> NDArray[np.int64]:
        """Return the number of features at every alpha, shape (K,)."""
        counts: NDArray[np.int64] = np.diff(self.coefs_sparse.indptr).astype(np.int64)
        return counts

    @property
    def relative_gaps(self) -> Float64:
        """Return the gaps divided by the null objective, shape (K,); this is what ``tol`` bounds."""
        if self.null_objective > 0.0:
            return self.dual_gaps / self.null_objective
        # y is fitted exactly by the null model: a gap of zero is zero by any measure.
        return np.where(self.dual_gaps > 0.0, np.inf, 0.0)

    def label(self, j: int) -> str:
        """Return the name of feature j, ``x`` and its position where X had no names.

        Parameters
        ----------
        j : int
            Column of X, from 0.

        Returns
        -------
        str
            The name.

        Examples
        --------
        >>> from fastreg import lasso_path
        >>> lasso_path([[2, 0], [0, 2]], [6, 2], fit_intercept=False, feature_names=["dose", "age"]).label(1)
        'age'
        """
        return label(self.feature_names, j)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._unpacked)

    def __len__(self) -> int:
        return 4 if self.return_n_iter else 3

    def __getitem__(self, item: int | slice) -> Any:
        return self._unpacked[item]

    @cached_property
    def _unpacked(self) -> tuple[Any, ...]:
        """Return what scikit-learn returns: writable arrays, made once, of which nothing here depends."""
        items = (self.alphas.copy(), self.coefs_sparse.toarray(order="F"), self.dual_gaps.copy())
        return (*items, self.n_iter.tolist()) if self.return_n_iter else items

    def _by_size(self) -> Index:
        """Return the features that enter, largest max |coef| first."""
        size = np.zeros(self.n_features)
        np.maximum.at(size, self.coefs_sparse.indices, np.abs(self.coefs_sparse.data))
        entered = np.flatnonzero(size)
        return entered[np.argsort(-size[entered], kind="stable")]

    def _lines(self, features: Index) -> Float64:
        """Return the coefficients of some features, one row each."""
        lines: Float64 = self.coefs_sparse[features].toarray()
        return lines

    def _headline(self) -> str:
        n, p = self.input_report.shape
        name = {1.0: "lasso", 0.0: "ridge"}.get(self.l1_ratio, f"elastic net, l1_ratio {self.l1_ratio:g}")
        size = self.alphas.size
        grid = (
            f"{size} alphas" if size == self.alphas_requested else f"{size} of {self.alphas_requested} alphas"
        )
        if not size:
            return f"{name}, {n} x {p}, {grid}"
        ends = f"{self.alphas[0]:.4g} to {self.alphas[-1]:.4g}"
        most = f"up to {self.n_nonzero.max()} features, {percent(self.dev_ratio.max())} of deviance explained"
        return f"{name}, {n} x {p}, {grid} from {ends}, {most}"

    def _verdict(self) -> str:
        note = f" ({self.status_note})" if self.status_note else ""
        gaps = (
            f"; largest relative gap {self.relative_gaps.max():.1e} (tol {self.tol:.0e})"
            if self.alphas.size
            else ""
        )
        return f"{self.status.value}{note}{gaps}; {self.fit_time:.3g} s"


def take_apart(record: PathRecord) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what JSON can hold and what only arrays can."""
    apart = (*VECTORS, "coefs_sparse")
    header = {field.name: getattr(record, field.name) for field in fields(record) if field.name not in apart}
    header |= {"status": record.status.name, "input_report": asdict(record.input_report)}
    header |= {"counters": dict(record.counters), "shape": record.coefs_sparse.shape}
    arrays = {name: getattr(record, name) for name in VECTORS}
    return header, arrays | {name: getattr(record.coefs_sparse, name) for name in COLUMNS}


def put_together(header: Mapping[str, Any], arrays: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a path from what ``take_apart`` returned, after a trip through JSON."""
    known = {field.name for field in fields(PathRecord)}
    report = header["input_report"]
    columns = sparse.csc_array(tuple(arrays[name] for name in COLUMNS), shape=tuple(header["shape"]))
    # A file from elsewhere may hold indices out of range, which compiled code would follow out of its arrays.
    columns.check_format(full_check=True)
    lists = {name: header[name] for name in ("feature_names", "classes")}
    return {
        **{name: value for name, value in header.items() if name in known},
        **{name: arrays[name] for name in VECTORS},
        **{name: None if value is None else tuple(value) for name, value in lists.items()},
        "coefs_sparse": columns,
        "status": Status[header["status"]],
        "counters": {k: tuple(v) if isinstance(v, list) else v for k, v in header["counters"].items()},
        "input_report": InputReport(
            **report | {"shape": tuple(report["shape"]), "conversions": tuple(report["conversions"])}
        ),
    }


def _frozen(array: Any) -> Any:
    """Return a read-only view."""
    view = array.view()
    view.flags.writeable = False
    return view


def _frozen_columns(columns: sparse.csc_array) -> sparse.csc_array:
    """Return canonical CSC with read-only arrays: sorted, no duplicates, no stored zeros."""
    if not columns.has_canonical_format or not columns.data.all():
        columns = columns.copy()
        columns.sum_duplicates()
        columns.eliminate_zeros()
    arrays = (
        _frozen(columns.data.astype(np.float64, copy=False)),
        _frozen(columns.indices),
        _frozen(columns.indptr),
    )
    frozen = sparse.csc_array(arrays, shape=columns.shape)
    # Checked above; SciPy would otherwise sort in place when it first asks.
    frozen.has_canonical_format = True
    return frozen
