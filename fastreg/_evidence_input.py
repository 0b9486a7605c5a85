"""Claims, designs, weights, limits: what `certify` is given, checked and brought to one form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse
from numpy.typing import ArrayLike

from fastreg._evidence import gamma
from fastreg._typing import Float64, Mask
from fastreg.errors import DataError


@dataclass(frozen=True)
class Claim:
    """Claimed solutions, outputs stacked one after the other."""

    coef: Any  # (outputs p, K) csc
    intercept: Float64  # (outputs, K)
    alpha: Float64
    l1_ratio: float
    fit_intercept: bool
    single: bool
    outputs: int = 1


@dataclass(frozen=True)
class Sample:
    """The rows of positive weight."""

    X: Any
    kept: Mask  # which of the rows they are
    w: Float64  # positive, sums to one
    sparse: bool

    @property
    def shape(self) -> tuple[int, int]:
        """Return the shape of what is left of X."""
        return self.X.shape  # type: ignore[no-any-return]


def read_claim(
    coef: Any, intercept: Any, alpha: Any, l1_ratio: float | None, fit_intercept: bool | None,
    outputs: int = 1,
) -> Claim:  # fmt: skip
    """Return the claim, whichever of its forms it came in."""
    if hasattr(coef, "coefs_sparse"):
        l1_ratio = coef.l1_ratio if l1_ratio is None else l1_ratio
        fit_intercept = getattr(coef, "fit_intercept", None) if fit_intercept is None else fit_intercept
        coef, intercept, alpha = coef.coefs_sparse, coef.intercepts, coef.alphas
    if alpha is None:
        raise DataError("alpha must be given with coef (a path result brings its own), got None")
    matrix, single = _stack(coef, outputs)
    count = matrix.shape[1]
    alphas, starts = np.atleast_1d(np.asarray(alpha, float)), np.atleast_1d(np.asarray(intercept, float))
    for name, values in (("alpha", alphas), ("intercept", starts)):
        if values.shape not in ((1,), (count,)) and (name == "alpha" or outputs == 1):
            raise DataError(f"{name} must be one number or have shape ({count},), got {values.shape}")
    if outputs > 1 and starts.shape != (1,):
        starts = starts[:, None] if starts.ndim == 1 else starts
        if starts.shape not in ((outputs, 1), (outputs, count)):
            shapes = f"({outputs},) or ({outputs}, {count})"
            raise DataError(f"intercept must be one number or have shape {shapes}, got {np.shape(intercept)}")
    if not (np.isfinite(alphas).all() and (alphas > 0).all()):
        raise DataError("alpha must be finite and > 0")
    ratio = 1.0 if l1_ratio is None else float(l1_ratio)
    if not 0 <= ratio <= 1:
        raise DataError(f"l1_ratio must lie in [0, 1], got {ratio}")
    starts = np.array(np.broadcast_to(starts, (outputs, count)))
    fitted = bool(np.any(starts != 0)) if fit_intercept is None else bool(fit_intercept)
    alphas = np.array(np.broadcast_to(alphas, (count,)))
    return Claim(matrix, starts, alphas, ratio, fitted, single, outputs)


def _stack(coef: Any, outputs: int) -> tuple[Any, bool]:
    """Return coefficients as (outputs p, K) csc, and whether they were one solution."""
    sparse = scipy.sparse.issparse(coef)
    single = not sparse and np.ndim(coef) == (1 if outputs == 1 else 2)
    if single:
        coef = np.asarray(coef, dtype=np.float64).reshape(-1, 1)
    elif not sparse and outputs > 1:
        coef = np.asarray(coef, dtype=np.float64)
        if coef.ndim != 3 or coef.shape[0] != outputs:
            raise DataError(
                f"coef must have shape ({outputs}, p) or ({outputs}, p, K), outputs first, got {coef.shape}"
            )
        coef = coef.reshape(-1, coef.shape[2])
    return scipy.sparse.csc_array(coef, dtype=np.float64), single


def read_matrix(X: Any) -> Any:
    """Return X as an array or, where it is sparse, as CSC without duplicate entries."""
    if hasattr(X, "dtypes") and hasattr(X, "sparse"):  # only frames that are sparse throughout
        X = X.sparse.to_coo()
    X = _canonical(X) if scipy.sparse.issparse(X) else np.asarray(X)
    if X.ndim != 2 or 0 in X.shape:
        raise DataError(f"X must have two dimensions and no empty one, got shape {X.shape}")
    return X


def _canonical(X: Any) -> Any:
    """Return X as CSC without duplicate entries, sharing its arrays where that needs no change."""
    X = scipy.sparse.csc_array(X)
    if not X.has_canonical_format:
        X = X.copy()
        X.sum_duplicates()
    return X


def read_vector(name: str, values: Any, n: int) -> Float64:
    """Return a finite vector with one number per row; one number stands for all."""
    v = np.asarray(values, dtype=np.float64)
    v = np.full(n, float(v)) if v.ndim == 0 else v.ravel() if v.shape == (n, 1) else v
    if v.shape != (n,) or not np.isfinite(v).all():
        raise DataError(f"{name} must have shape ({n},) and be finite, got shape {v.shape}")
    return v


def read_offset(offset: Any, n: int, outputs: int) -> Float64:
    """Return offsets, (n, outputs); a vector serves all outputs."""
    values = np.asarray(0.0 if offset is None else offset, dtype=np.float64)
    if outputs > 1 and values.ndim == 2:
        if values.shape != (n, outputs) or not np.isfinite(values).all():
            raise DataError(
                f"offset must have shape ({n},) or ({n}, {outputs}) and be finite, got {values.shape}"
            )
        return values
    return np.repeat(read_vector("offset", values, n)[:, None], outputs, axis=1)


def read_sample(X: Any, sample_weight: ArrayLike | None) -> Sample:
    """Return the rows of positive weight."""
    sparse = scipy.sparse.issparse(X)
    w = read_vector("sample_weight", 1.0 if sample_weight is None else sample_weight, X.shape[0])
    if (w < 0).any() or not (w > 0).any():
        raise DataError("sample_weight must be >= 0 and not all zero")
    kept = w > 0
    if not kept.all():
        w = w[kept]
        X = scipy.sparse.csc_array(X.tocsr()[kept]) if sparse else X[kept]
    w = w / w.max()
    return Sample(X, kept, w / w.sum(), sparse)


def per_feature(name: str, value: ArrayLike | None, default: float, p: int) -> Float64:
    """Return one number per column of X."""
    array = np.asarray(default if value is None else value, dtype=np.float64)
    if array.shape not in ((), (p,)):
        raise DataError(f"{name} must be one number or have shape ({p},), got {array.shape}")
    return np.array(np.broadcast_to(array, (p,)))


def read_bounds(
    p: int, penalty_factor: Any, positive: bool, lower: Any, upper: Any
) -> tuple[Float64, Float64, Float64]:
    """Return penalty factors, lower and upper limits."""
    low = per_feature("lower_limits", lower, -np.inf, p)
    high = per_feature("upper_limits", upper, np.inf, p)
    if positive:
        low = np.maximum(low, 0.0)
    if not ((low <= 0).all() and (high >= 0).all()):
        raise DataError("limits must enclose zero: lower_limits <= 0 <= upper_limits")
    factor = per_feature("penalty_factor", penalty_factor, 1.0, p)
    if np.isnan(factor).any() or (factor < 0).any():
        raise DataError("penalty_factor must be numbers >= 0 (inf excludes), got negative or NaN entries")
    return factor, low, high


def gaussian_null(y: Float64, w: Float64, fit_intercept: bool) -> float:
    """Return half the weighted mean square of the residual of the null model."""
    if not fit_intercept:
        return 0.5 * float(w @ y**2)
    if y.max() == y.min():
        return 0.0
    return 0.5 * float(w @ (y - w @ y) ** 2)


def gaussian_floor(y: Float64, size: float) -> float:
    """Return the null objective that the rounding of y itself can make."""
    return float(0.5 * (gamma(y.size + 32) * size) ** 2)
