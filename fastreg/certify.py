"""Assess any claimed solution of a gaussian path problem, in plain NumPy and independent of the solver.

The claim (intercept, coef) at alpha is judged by a duality gap written as a sum of non-negative terms, so
that it keeps its digits near the optimum. With r the residual, theta a dual point and t_j = x_j' Omega theta,

    P(b) - D(theta) = 1/2 ||r - theta||^2 + sum_j [ phi_j(b_j) + phi*_j(t_j) - b_j t_j ]

(F9 of docs/math.md) holds for every theta that is orthogonal to the intercept column and to free unbounded
columns. Each bracket is a Fenchel-Young term; phi_j holds the l1 part, the ridge part, and the bounds.
Rounding is bounded, not ignored: each t_j becomes the worse end of an interval that holds the exact value.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse
from numpy.typing import ArrayLike

from fastreg._evidence import DenseColumns, Model, SparseColumns, gamma
from fastreg._typing import Float64, Mask
from fastreg.errors import DataError

__all__ = ["Certificate", "certify"]

_CHUNK_NUMBERS = 2**23  # p x K numbers held at once when many solutions are certified


@dataclass(frozen=True)
class Certificate:
    """Hold the assessment of one claimed solution (numbers) or of K of them (arrays of shape (K,)).

    Attributes
    ----------
    alpha : float or (K,) float64
        Penalty strength of the claim.
    l1_ratio : float
        Mix of the penalty that was assessed.
    fit_intercept : bool
        Whether the problem that was assessed has an intercept.
    primal, dual : float or (K,) float64
        Objective at the claim, and a lower bound of the optimal objective.
    gap, relative_gap : float or (K,) float64
        Upper bound of objective(claim) - optimal objective; the same divided by `null_objective`.
    kkt : float or (K,) float64
        Largest distance of a gradient entry from the subdifferential, the intercept's included.
    feasible : bool or (K,) bool
        False if a bound is violated, an excluded coefficient is not zero, or a number is not finite.
    n_nonzero : int or (K,) int64
        Nonzero coefficients of the claim.
    null_objective : float
        Half the weighted mean square of the residual of the null model (intercept and offset only).
    proven_zero : (p,) or (p, K) bool
        Features that are zero in every optimal solution, by the gap-safe sphere.

    Examples
    --------
    >>> import numpy as np
    >>> path = np.array([[0.0, 1.0], [0.0, 0.0]])
    >>> claim = certify(np.eye(2), np.array([3.0, 1.0]), path, alpha=[1.5, 1.0])
    >>> claim.n_nonzero, claim.worst < 1e-14
    (array([0, 1]), True)
    """

    alpha: Any
    l1_ratio: float
    fit_intercept: bool
    primal: Any
    dual: Any
    gap: Any
    relative_gap: Any
    kkt: Any
    feasible: Any
    n_nonzero: Any
    null_objective: float
    proven_zero: Mask

    @property
    def worst(self) -> float:
        """Return the largest relative gap."""
        return float(np.max(self.relative_gap))


def certify(
    X: Any, y: ArrayLike, coef: Any, intercept: ArrayLike = 0.0, alpha: ArrayLike | None = None, *,
    l1_ratio: float | None = None, fit_intercept: bool | None = None, standardize: bool = False,
    sample_weight: ArrayLike | None = None, offset: ArrayLike | None = None,
    penalty_factor: ArrayLike | None = None, positive: bool = False,
    lower_limits: ArrayLike | None = None, upper_limits: ArrayLike | None = None,
) -> Certificate:  # fmt: skip
    """Bound how far claimed coefficients are from optimal, without using the solver.

    The objective is sum_i w_i (y_i - b0 - o_i - x_i.b)^2 / (2 sum w) + alpha sum_j v_j s_j (l1_ratio |b_j| +
    (1 - l1_ratio)/2 s_j b_j^2) subject to lower <= b <= upper, with s_j = 1 unless `standardize`.

    Parameters
    ----------
    X : (n, p) array, memory map, data frame or scipy sparse
        Design. Sparse X stays sparse; any real dtype is assessed in float64.
    y : (n,) array
        Response.
    coef : (p,) or (p, K) array or scipy sparse, or PathResult
        Claimed coefficients. A path result brings its own intercepts, alphas and l1_ratio.
    intercept, alpha : float or (K,) array
        Claimed intercepts and the penalty strengths they belong to.
    l1_ratio : float, optional
        Mix of the penalty, 1 for the lasso. Taken from the path result if there is one, else 1.
    fit_intercept : bool, optional
        Whether the problem has an intercept. If not given: whether any claimed intercept differs from 0.
    standardize : bool
        Whether b_j is penalised times the weighted standard deviation of its column. Constant columns must
        then have coefficient 0.
    sample_weight, offset : (n,) array, optional
        As in `lasso_path`.
    penalty_factor, lower_limits, upper_limits : float or (p,) array, optional
        As in `lasso_path`.
    positive : bool
        Whether coefficients below 0 are infeasible.

    Returns
    -------
    Certificate
        Gap, KKT violation and proven zeros, per solution.

    Raises
    ------
    DataError
        If shapes do not match, a number is not finite where it must be, or no alpha is given.

    Notes
    -----
    Formulas F8 to F15 of docs/math.md. Columns that depend linearly on free columns to rounding count as
    dependent. Source of the sphere and of the dual scaling: Fercoq, Gramfort and Salmon, "Mind the duality
    gap", 2015; the centre (r + theta)/2 halves the squared radius because primal and dual are both strongly
    curved in the residual.

    Examples
    --------
    >>> import numpy as np
    >>> X, y = np.eye(2), np.array([3.0, 1.0])
    >>> exact = certify(X, y, np.array([1.0, 0.0]), alpha=1.0)
    >>> bool(exact.gap < 1e-14), exact.proven_zero
    (True, array([False,  True]))
    >>> wrong = certify(X, y, np.zeros(2), alpha=1.0)
    >>> round(wrong.primal, 3), round(wrong.gap, 3), wrong.feasible
    (2.5, 0.278, True)
    """
    claim = _read_claim(coef, intercept, alpha, l1_ratio, fit_intercept)
    data = _read_data(X, y, sample_weight, offset)
    p = data.shape[1]
    if claim.coef.shape[0] != p:
        raise DataError(f"coef must have {p} rows, one per column of X, got {claim.coef.shape[0]}")
    lower, upper = _limits(p, positive, lower_limits, upper_limits)
    factor = _per_feature("penalty_factor", penalty_factor, 1.0, p)
    if np.isnan(factor).any() or (factor < 0).any():
        raise DataError("penalty_factor must be numbers >= 0 (inf excludes), got negative or NaN entries")
    columns = (SparseColumns if data.sparse else DenseColumns)(data.X, data.w, claim.fit_intercept)
    model = Model(columns, data.y, data.size, claim.l1_ratio, standardize, (factor, lower, upper))
    step = max(1, _CHUNK_NUMBERS // p)
    chunks = [slice(a, a + step) for a in range(0, max(claim.alpha.size, 1), step)]
    parts = [model.assess(claim.coef[:, c].toarray(), claim.intercept[c], claim.alpha[c]) for c in chunks]
    return _assemble(claim, _null_objective(data, claim.fit_intercept), data, parts)


@dataclass(frozen=True)
class _Claim:
    coef: Any  # (p, K) csc
    intercept: Float64
    alpha: Float64
    l1_ratio: float
    fit_intercept: bool
    single: bool


@dataclass(frozen=True)
class _Data:
    X: Any
    y: Float64  # offset subtracted, rows of zero weight removed
    w: Float64  # positive, sums to one
    size: float  # weighted norm of y and offset together: the scale of their rounding
    sparse: bool

    @property
    def shape(self) -> tuple[int, int]:
        return self.X.shape  # type: ignore[no-any-return]


def _read_claim(
    coef: Any, intercept: Any, alpha: Any, l1_ratio: float | None, fit_intercept: bool | None
) -> _Claim:
    if hasattr(coef, "coefs_sparse"):
        if getattr(coef, "family", "gaussian") != "gaussian":
            raise DataError(f"certify assesses gaussian paths, got a {coef.family} path")
        l1_ratio = coef.l1_ratio if l1_ratio is None else l1_ratio
        coef, intercept, alpha = coef.coefs_sparse, coef.intercepts, coef.alphas
    if alpha is None:
        raise DataError("alpha must be given with coef (a path result brings its own), got None")
    single = not scipy.sparse.issparse(coef) and np.ndim(coef) == 1
    array = np.asarray(coef, dtype=np.float64)[:, None] if single else coef
    matrix = scipy.sparse.csc_array(array, dtype=np.float64)
    count = matrix.shape[1]
    alphas, starts = np.atleast_1d(np.asarray(alpha, float)), np.atleast_1d(np.asarray(intercept, float))
    for name, values in (("alpha", alphas), ("intercept", starts)):
        if values.shape not in ((1,), (count,)):
            raise DataError(f"{name} must be one number or have shape ({count},), got {values.shape}")
    if not (np.isfinite(alphas).all() and (alphas > 0).all()):
        raise DataError("alpha must be finite and > 0")
    ratio = 1.0 if l1_ratio is None else float(l1_ratio)
    if not 0 <= ratio <= 1:
        raise DataError(f"l1_ratio must lie in [0, 1], got {ratio}")
    starts = np.array(np.broadcast_to(starts, (count,)))
    fitted = bool(np.any(starts != 0)) if fit_intercept is None else bool(fit_intercept)
    return _Claim(matrix, starts, np.array(np.broadcast_to(alphas, (count,))), ratio, fitted, single)


def _read_data(X: Any, y: ArrayLike, sample_weight: ArrayLike | None, offset: ArrayLike | None) -> _Data:
    sparse = scipy.sparse.issparse(X)
    X = _canonical(X) if sparse else np.asarray(X)
    if X.ndim != 2 or 0 in X.shape:
        raise DataError(f"X must have two dimensions and no empty one, got shape {X.shape}")
    n = X.shape[0]
    vectors = []
    for name, values in (("y", y), ("offset", 0.0 if offset is None else offset),
                         ("sample_weight", 1.0 if sample_weight is None else sample_weight)):  # fmt: skip
        v = np.asarray(values, dtype=np.float64)
        v = np.full(n, float(v)) if v.ndim == 0 else v.ravel() if v.shape == (n, 1) else v
        if v.shape != (n,) or not np.isfinite(v).all():
            raise DataError(f"{name} must have shape ({n},) and be finite, got shape {v.shape}")
        vectors.append(v)
    target, shift, w = vectors
    if (w < 0).any() or not (w > 0).any():
        raise DataError("sample_weight must be >= 0 and not all zero")
    rows = w > 0
    if not rows.all():
        target, shift, w = target[rows], shift[rows], w[rows]
        X = scipy.sparse.csc_array(X.tocsr()[rows]) if sparse else X[rows]
    w = w / w.max()
    w = w / w.sum()
    root = np.sqrt(w)
    size = float(np.linalg.norm(root * target) + np.linalg.norm(root * shift))
    return _Data(X, target - shift, w, size, sparse)


def _canonical(X: Any) -> Any:
    """Return X as CSC without duplicate entries, sharing its arrays where that needs no change."""
    X = scipy.sparse.csc_array(X)
    if not X.has_canonical_format:
        X = X.copy()
        X.sum_duplicates()
    return X


def _per_feature(name: str, value: ArrayLike | None, default: float, p: int) -> Float64:
    array = np.asarray(default if value is None else value, dtype=np.float64)
    if array.shape not in ((), (p,)):
        raise DataError(f"{name} must be one number or have shape ({p},), got {array.shape}")
    return np.array(np.broadcast_to(array, (p,)))


def _limits(p: int, positive: bool, lower: Any, upper: Any) -> tuple[Float64, Float64]:
    low = _per_feature("lower_limits", lower, -np.inf, p)
    high = _per_feature("upper_limits", upper, np.inf, p)
    if positive:
        low = np.maximum(low, 0.0)
    if not ((low <= 0).all() and (high >= 0).all()):
        raise DataError("limits must enclose zero: lower_limits <= 0 <= upper_limits")
    return low, high


def _null_objective(data: _Data, fit_intercept: bool) -> float:
    if not fit_intercept:
        return 0.5 * float(data.w @ data.y**2)
    if data.y.max() == data.y.min():
        return 0.0
    return 0.5 * float(data.w @ (data.y - data.w @ data.y) ** 2)


def _assemble(claim: _Claim, null: float, data: _Data, parts: list[dict[str, Any]]) -> Certificate:
    fields = {name: np.concatenate([part[name] for part in parts], axis=-1) for name in parts[0]}
    # A gap that is only the rounding of y itself must not count when the null model is already perfect.
    floor = 0.5 * (gamma(data.y.size + 32) * data.size) ** 2
    gap = fields["gap"]
    fields["relative_gap"] = gap / null if null > floor else np.where(gap <= 4 * floor, 0.0, np.inf)
    fields["alpha"] = claim.alpha
    if claim.single:
        fields = {name: v[:, 0] if name == "proven_zero" else v[0].item() for name, v in fields.items()}
    return Certificate(
        l1_ratio=claim.l1_ratio, fit_intercept=claim.fit_intercept, null_objective=null, **fields
    )
