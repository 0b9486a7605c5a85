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
from .risksets import Baseline

VECTORS = ("alphas", "intercepts", "dual_gaps", "n_iter", "dev_ratio")
COLUMNS = ("data", "indices", "indptr")
# The arrays of a baseline hazard, under these names in a file.
BASELINE = ("times", "log_hazard", "ends")
# How each family is called before "lasso", "ridge" or "elastic net".
FAMILY_WORDS = {
    "gaussian": "",
    "binomial": "logistic ",
    "multinomial": "multinomial ",
    "poisson": "Poisson ",
    "squared_hinge": "squared-hinge ",
    "huber": "Huber ",
    "cox": "Cox ",
    "mgaussian": "multi-task ",
}


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
    n_outputs: int = 1
    delta: float = 0.0
    is_grouped: bool = False
    fit_intercept: bool | None = None
    baseline: Baseline | None = None
    return_n_iter: bool = False
    source: Any = None

    def __post_init__(self) -> None:
        """Freeze the arrays and drop stored zeros, so that what is stored is what is selected."""
        size = np.size(self.alphas)
        is_whole = True
        for name in VECTORS:
            kind = np.int64 if name == "n_iter" else np.float64
            array = _frozen(np.asarray(getattr(self, name), dtype=kind))
            object.__setattr__(self, name, array)
            several = (self.n_outputs,) if name == "intercepts" and self.n_outputs > 1 else ()
            is_whole &= array.shape == (*several, size)
        object.__setattr__(self, "coefs_sparse", _frozen_columns(self.coefs_sparse))
        if not is_whole or self.coefs_sparse.shape[1] != size:
            lengths = {name: getattr(self, name).shape for name in VECTORS}
            lengths["coefs"] = self.coefs_sparse.shape[1:]
            raise DataError(
                f"every array of a path must have one entry per alpha, got {lengths}: correct them"
            )

    @cached_property
    def coefs(self) -> Float64:
        """Return the coefficients as a read-only array of shape (p, K), made on first use.

        F-ordered; (n_outputs, p, K) for several outputs.
        """
        dense: Float64 = _frozen(self._dense())
        return dense

    @property
    def n_features(self) -> int:
        """Return p, the number of columns of X."""
        return int(self.coefs_sparse.shape[0]) // self.n_outputs

    @property
    def n_nonzero(self) -> NDArray[np.int64]:
        """Return the number of features at every alpha, shape (K,); several outputs share theirs."""
        counts: NDArray[np.int64] = np.diff(self._by_feature.indptr).astype(np.int64)
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

    def order_of_entry(self) -> Index:
        """Return the features in the order in which they first get a coefficient as alpha falls.

        Returns
        -------
        int64 ndarray of shape (m,)
            Columns of X; those that enter at one alpha are sorted by the size of their coefficients there,
            those that never enter are left out.

        Examples
        --------
        >>> from fastreg import lasso_path
        >>> lasso_path([[2, 0], [0, 6]], [6, 9], alphas=[9, 5, 1], fit_intercept=False).order_of_entry()
        array([1, 0])
        """
        merged = self._by_feature
        features, first = np.unique(merged.indices, return_index=True)
        entered = np.searchsorted(merged.indptr, first, side="right")
        order = np.lexsort((-np.abs(merged.data[first]), entered))
        return features[order].astype(np.int64)

    def __getstate__(self) -> dict[str, Any]:
        """Return what is pickled: the result without the data it came from."""
        return self.__dict__ | {"source": None}

    def __iter__(self) -> Iterator[Any]:
        return iter(self._unpacked)

    def __len__(self) -> int:
        return 4 if self.return_n_iter else 3

    def __getitem__(self, item: int | slice) -> Any:
        return self._unpacked[item]

    @cached_property
    def _unpacked(self) -> tuple[Any, ...]:
        """Return what scikit-learn returns: writable arrays, made once, of which nothing here depends."""
        items = (self.alphas.copy(), self._dense(), self.dual_gaps.copy())
        return (*items, self.n_iter.tolist()) if self.return_n_iter else items

    def _dense(self) -> Float64:
        """Return new dense coefficients, (p, K), or (n_outputs, p, K) for several outputs."""
        flat: Float64 = self.coefs_sparse.toarray(order="F")
        if self.n_outputs == 1:
            return flat
        return flat.T.reshape(-1, self.n_outputs, self.n_features).transpose(1, 2, 0)

    @cached_property
    def _by_feature(self) -> sparse.csc_array:
        """Return one row per feature: the coefficients, or the sum of their sizes over several outputs."""
        stored = self.coefs_sparse
        if self.n_outputs == 1:
            return stored
        parts = np.abs(stored.data), stored.indices % self.n_features, stored.indptr
        merged = sparse.csc_array(parts, shape=(self.n_features, self.alphas.size), copy=True)
        merged.sum_duplicates()
        return merged

    def _by_size(self) -> Index:
        """Return the rows of ``coefs_sparse`` that are ever used, largest max |coef| first."""
        size = np.zeros(self.coefs_sparse.shape[0])
        np.maximum.at(size, self.coefs_sparse.indices, np.abs(self.coefs_sparse.data))
        entered = np.flatnonzero(size)
        return entered[np.argsort(-size[entered], kind="stable")]

    def _lines(self, rows: Index) -> Float64:
        """Return some rows of ``coefs_sparse``, one line each."""
        lines: Float64 = self.coefs_sparse[rows].toarray()
        return lines

    def _line_label(self, row: int) -> str:
        """Return the name of a row of ``coefs_sparse``: feature, and output where there are several."""
        output, j = divmod(int(row), self.n_features)
        return self.label(j) if self.n_outputs == 1 else f"{self.label(j)}: {self._output_name(output)}"

    def _output_name(self, output: int) -> str:
        """Return the class of an output, ``y`` and its position where there are no classes."""
        return f"y{output}" if self.classes is None else str(self.classes[output])

    def _named_intercepts(self) -> dict[str, Float64]:
        """Return the intercepts (K,) of every output under the name of a column."""
        if self.n_outputs == 1:
            return {"intercept": self.intercepts}
        return {f"intercept: {self._output_name(c)}": row for c, row in enumerate(self.intercepts)}

    def _name(self) -> str:
        """Return what was fitted in a few words."""
        kind = {1.0: "lasso", 0.0: "ridge"}.get(self.l1_ratio, f"elastic net, l1_ratio {self.l1_ratio:g}")
        grouped = "grouped " if self.is_grouped and self.family == "multinomial" else ""
        return grouped + FAMILY_WORDS.get(self.family, f"{self.family} ") + kind

    def _headline(self) -> str:
        n, p = self.input_report.shape
        name = self._name()
        if self.n_outputs > 1:
            name += f", {self.n_outputs} {'responses' if self.classes is None else 'classes'}"
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
    apart = (*VECTORS, "coefs_sparse", "baseline", "source")
    header = {field.name: getattr(record, field.name) for field in fields(record) if field.name not in apart}
    header |= {"status": record.status.name, "input_report": asdict(record.input_report)}
    header |= {"counters": dict(record.counters), "shape": record.coefs_sparse.shape}
    arrays = {name: getattr(record, name) for name in VECTORS}
    arrays |= {name: getattr(record.coefs_sparse, name) for name in COLUMNS}
    baseline = record.baseline
    if baseline is not None:
        header |= {"has_baseline": True, "strata": baseline.strata}
        arrays |= {f"baseline_{name}": getattr(baseline, name) for name in BASELINE}
    return header, arrays


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
        "baseline": _baseline(header, arrays),
    }


def _baseline(header: Mapping[str, Any], arrays: Mapping[str, Any]) -> Baseline | None:
    """Return the baseline hazard that a file holds, if it does."""
    if not header.get("has_baseline"):
        return None
    strata = header["strata"]
    parts = {name: arrays[f"baseline_{name}"] for name in BASELINE}
    return Baseline(**parts, strata=None if strata is None else tuple(strata))


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
    elif not any(array.flags.writeable for array in (columns.data, columns.indices, columns.indptr)):
        # Frozen before: a record that differs from another in a fact beside them shares its coefficients.
        return columns
    arrays = (
        _frozen(columns.data.astype(np.float64, copy=False)),
        _frozen(columns.indices),
        _frozen(columns.indptr),
    )
    frozen = sparse.csc_array(arrays, shape=columns.shape)
    # Checked above; SciPy would otherwise sort in place when it first asks.
    frozen.has_canonical_format = True
    return frozen
