"""Assess any claimed solution of a path problem, in plain NumPy and independent of the solver.

The claim (intercept, coef) at alpha is judged by a duality gap written as a sum of non-negative terms, so
that it keeps its digits near the optimum. With r the residual, theta a dual point and t_j = x_j' Omega theta,

    P(b) - D(theta) = 1/2 ||r - theta||^2 + sum_j [ phi_j(b_j) + phi*_j(t_j) - b_j t_j ]

(F9 of docs/math.md) holds for every theta that is orthogonal to the intercept column and to free unbounded
columns. Each bracket is a Fenchel-Young term; phi_j holds the l1 part, the ridge part, and the bounds.
Rounding is bounded, not ignored: each t_j becomes the worse end of an interval that holds the exact value.
For other losses the square is replaced by the Fenchel-Young terms of the loss (`_evidence_glm`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from fastreg._evidence import DenseColumns, Model, SparseColumns
from fastreg._evidence_columns import CurvedDense, CurvedSparse
from fastreg._evidence_glm import LossModel
from fastreg._evidence_input import (
    Claim,
    Sample,
    gaussian_floor,
    gaussian_null,
    read_bounds,
    read_claim,
    read_matrix,
    read_offset,
    read_sample,
    read_vector,
)  # fmt: skip
from fastreg._evidence_targets import Options, family_name, read_target
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
        Features with a nonzero coefficient in the claim.
    null_objective : float
        Loss of the null model (intercept and offset only); for the gaussian family half the weighted mean
        square of its residual.
    proven_zero : bool, shape of the coefficients: (p,), (p, K), (n_outputs, p) or (n_outputs, p, K)
        Coefficients that are zero in every optimal solution: by the gap-safe sphere, for Poisson and Cox by a
        bound of Bernstein's type.
    family : str
        Loss that was assessed.

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
    family: str = "gaussian"

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
    family: str | None = None, grouped: bool = False, delta: float | None = None, ties: str = "breslow",
    strata: ArrayLike | None = None,
) -> Certificate:  # fmt: skip
    """Bound how far claimed coefficients are from optimal, without using the solver.

    The objective is sum_i w_i f(y_i, b0 + o_i + x_i.b) / sum w + alpha sum_j v_j s_j (l1_ratio |b_j| +
    (1 - l1_ratio)/2 s_j b_j^2) subject to lower <= b <= upper, with s_j = 1 unless `standardize`. f is half a
    unit deviance, (y - eta)^2 / 2 for the gaussian family, hence never negative. With several outputs the
    penalty is summed over them; `grouped` puts the norm of a feature's coefficients in place of |b_j|.

    Parameters
    ----------
    X : (n, p) array, memory map, data frame or scipy sparse
        Design. Sparse X stays sparse; any real dtype is assessed in float64.
    y : array
        Response, as the path function of the family takes it: (n,) numbers; labels of two classes, or
        proportions (floats in [0, 1], not all whole), for "binomial"; labels of two classes for
        "squared_hinge"; (n,) labels or (n, n_outputs) proportions for "multinomial"; counts >= 0 for
        "poisson"; (n, 2) time, status or (n, 3) start, stop, status for "cox"; (n, n_outputs) numbers for
        "mgaussian". Classes are those of the path result, else sorted; of two, the coefficients are those of
        the second.
    coef : array, scipy sparse or PathResult
        Claimed coefficients, (p,) or (p, K); for several outputs (n_outputs, p) or (n_outputs, p, K), sparse
        (n_outputs p, K). A path result brings its own intercepts, alphas, l1_ratio, family and classes.
    intercept, alpha : float or array
        Claimed intercepts, (K,), (n_outputs,) or (n_outputs, K), and the penalty strengths they belong to,
        (K,).
    l1_ratio : float, optional
        Mix of the penalty, 1 for the lasso. Taken from the path result if there is one, else 1.
    fit_intercept : bool, optional
        Whether the problem has an intercept. Taken from the path result if that recorded it, else whether any
        claimed intercept differs from 0.
    standardize : bool
        Whether b_j is penalised times the weighted standard deviation of its column. Constant columns must
        then have coefficient 0.
    sample_weight, offset : (n,) array, optional
        As in `lasso_path`.
    penalty_factor, lower_limits, upper_limits : float or (p,) array, optional
        As in `lasso_path`.
    positive : bool
        Whether coefficients below 0 are infeasible.
    family : str, optional
        "gaussian", "binomial" (or "logistic"), "multinomial", "poisson", "squared_hinge", "huber", "cox" or
        "mgaussian" (or "multitask"). Taken from the path result if there is one, else "gaussian".
    grouped : bool
        Whether a feature's coefficients in all outputs are penalised together; always so for "mgaussian".
    delta : float, optional
        Where Huber's loss turns linear, in units of y. Taken from the path result if that has it.
    ties : str
        "breslow" or "efron", for "cox".
    strata : (n,) array, optional
        Labels of the strata, for "cox".

    Returns
    -------
    Certificate
        Gap, KKT violation and proven zeros, per solution.

    Raises
    ------
    DataError
        If shapes do not match, a number is not finite where it must be, or no alpha is given.
    DataTypeError
        If y holds what the family cannot use.

    Notes
    -----
    Formulas F8 to F15 of docs/math.md. Columns that depend linearly on free columns to rounding count as
    dependent. Source of the sphere and of the dual scaling: Fercoq, Gramfort and Salmon, "Mind the duality
    gap", 2015; the centre (r + theta)/2 halves the squared radius because primal and dual are both strongly
    curved in the residual. Losses other than squares: dual points are multiples c <= 1 of the pseudo-residual
    where intercepts and free columns are solved anew, made orthogonal to these exactly. Where that fails, as
    it can for Cox with free columns far from their optimum, the gap is the objective itself.

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
    >>> votes = certify(X, ["no", "yes"], np.zeros(2), alpha=0.25, family="binomial")
    >>> votes.relative_gap < 1e-14, round(votes.null_objective, 3)
    (True, 0.693)
    """
    name = _family(family, coef)
    matrix = read_matrix(X)
    bounds = read_bounds(matrix.shape[1], penalty_factor, positive, lower_limits, upper_limits)
    target = None
    if name != "gaussian":
        target = read_target(name, y, matrix.shape[0], _options(coef, delta, ties, strata))
    if name == "cox" and fit_intercept:
        raise DataError("fit_intercept must be False for family 'cox', whose loss has no intercept, got True")
    fit_intercept = False if name == "cox" else fit_intercept
    outputs = 1 if target is None else target.outputs
    claim = read_claim(coef, intercept, alpha, l1_ratio, fit_intercept, outputs)
    if claim.coef.shape[0] != outputs * matrix.shape[1]:
        each = f"{outputs} outputs of {matrix.shape[1]}" if outputs > 1 else f"{matrix.shape[1]}"
        raise DataError(f"coef must have {each} rows, one per column of X, got {claim.coef.shape[0]}")
    rows = read_sample(matrix, sample_weight)
    if target is None:
        return _assess_squares(claim, rows, y, offset, standardize, bounds)
    shift = read_offset(offset, matrix.shape[0], outputs)[rows.kept]
    # Dual points of Cox's loss sum to zero by themselves: its columns may be centred too.
    columns = (CurvedSparse if rows.sparse else CurvedDense)(
        rows.X, rows.w, claim.fit_intercept or name == "cox"
    )
    loss = target.loss(rows.kept, rows.w)
    grouped = outputs > 1 and (grouped or name == "mgaussian" or bool(getattr(coef, "is_grouped", False)))
    model = LossModel(
        columns, loss, shift, claim.l1_ratio, standardize, bounds,
        claim.fit_intercept, grouped,
    )  # fmt: skip
    parts = []
    for some in _chunks(claim, max(matrix.shape)):
        stacked = claim.coef[:, some].toarray().reshape(outputs, -1, claim.alpha[some].size)
        parts.append(model.assess(stacked.swapaxes(0, 1), claim.intercept[:, some], claim.alpha[some]))
    return _assemble(claim, (model.null_objective(), loss.floor), name, parts)


def _family(family: str | None, coef: Any) -> str:
    """Return the family that was asked for, which must be the path's where there is a path."""
    found = getattr(coef, "family", None) if hasattr(coef, "coefs_sparse") else None
    name = family_name(family or found or "gaussian")
    if found is not None and family_name(found) != name:
        raise DataError(f"family must be that of the path, {found!r}, or left out, got {family!r}")
    return name


def _options(coef: Any, delta: float | None, ties: str, strata: Any) -> Options:
    """Return what families need beside y, from the path result where that has it."""
    if not hasattr(coef, "coefs_sparse"):
        return Options(None, False, delta, ties, strata)
    delta = (getattr(coef, "delta", None) or None) if delta is None else delta
    return Options(getattr(coef, "classes", None), True, delta, ties, strata)


def _chunks(claim: Claim, length: int) -> list[slice]:
    step = max(1, _CHUNK_NUMBERS // (length * claim.outputs))
    return [slice(a, a + step) for a in range(0, max(claim.alpha.size, 1), step)]


def _assess_squares(
    claim: Claim,
    rows: Sample,
    y: Any,
    offset: Any,
    standardize: bool,
    bounds: tuple[Float64, Float64, Float64],
) -> Certificate:
    """Return the certificate of a gaussian claim."""
    n = rows.kept.size
    target, shift = (read_vector("y", y, n), read_vector("offset", 0.0 if offset is None else offset, n))
    target, shift = (v if rows.kept.all() else v[rows.kept] for v in (target, shift))
    root = np.sqrt(rows.w)
    size = float(np.linalg.norm(root * target) + np.linalg.norm(root * shift))
    target = target - shift
    columns = (SparseColumns if rows.sparse else DenseColumns)(rows.X, rows.w, claim.fit_intercept)
    model = Model(columns, target, size, claim.l1_ratio, standardize, bounds)
    parts = [
        model.assess(claim.coef[:, c].toarray(), claim.intercept[0, c], claim.alpha[c])
        for c in _chunks(claim, rows.shape[1])
    ]
    null = gaussian_null(target, rows.w, claim.fit_intercept)
    return _assemble(claim, (null, gaussian_floor(target, size)), "gaussian", parts)


def _assemble(
    claim: Claim, null: tuple[float, float], family: str, parts: list[dict[str, Any]]
) -> Certificate:
    fields = {name: np.concatenate([part[name] for part in parts], axis=-1) for name in parts[0]}
    objective, floor = null
    # A gap that is only the rounding of y itself must not count when the null model is already perfect.
    gap = fields["gap"]
    fields["relative_gap"] = gap / objective if objective > floor else np.where(gap <= 4 * floor, 0.0, np.inf)
    fields["alpha"] = claim.alpha
    zeros = fields.pop("proven_zero")
    if zeros.ndim == 3:  # (p, outputs, K)
        zeros = zeros[:, 0] if claim.outputs == 1 else zeros.swapaxes(0, 1)
    if claim.single:
        fields, zeros = {name: v[0].item() for name, v in fields.items()}, zeros[..., 0]
    return Certificate(
        l1_ratio=claim.l1_ratio, fit_intercept=claim.fit_intercept, null_objective=objective,
        family=family, proven_zero=zeros, **fields,
    )  # fmt: skip
