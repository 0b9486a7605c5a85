"""The relaxed lasso: a path, its refit without penalty on every support, and what lies between the two."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from scipy import sparse

from .._typing import Float64, Index
from ..afterwards import with_rows_seen
from ..errors import Status
from ..families import Target
from ..problem import Response
from ..request import Study
from ..result import PathResult
from ..validate.options import check_real
from .columns import mean_losses, predictors
from .unpenalised import DEPENDENT, RIDGED, Fit, make_refitter

__all__ = ["blend", "refit", "relaxed", "supports"]

GAMMA = "a number in [0, 1]"


def relaxed(study: Study, path: PathResult, gamma: float, sample_weight: Float64 | None = None) -> PathResult:
    """Return the relaxed path: gamma times the path plus (1 - gamma) times its refit.

    Parameters
    ----------
    study : Study
        What the path was fitted to.
    path : PathResult
        A path of this study.
    gamma : float
        In [0, 1]: 1 is the path, 0 the refit.
    sample_weight : (n,) float64, optional
        Weights in place of those of the study, as in ``Study.fit``.

    Returns
    -------
    PathResult
        As ``blend`` says.
    """
    gamma = check_real(gamma, "gamma", GAMMA, lambda value: 0.0 <= value <= 1.0)
    if gamma == 1.0:
        return path
    return blend(study, path, refit(study, path, sample_weight), gamma, sample_weight)


def refit(study: Study, path: PathResult, sample_weight: Float64 | None = None) -> PathResult:
    """Return the fit without penalty on the support of every alpha; equal supports are fitted once.

    A support holds the features with a coefficient in any output, and those that are never penalised. Bounds,
    offsets, weights and the intercept are those of the path. What happens where no such fit exists stands in
    ``unpenalised``; ``status_note`` says for how many alphas it did.

    Parameters
    ----------
    study : Study
        What the path was fitted to.
    path : PathResult
        A path of this study.
    sample_weight : (n,) float64, optional
        Weights in place of those of the study, as in ``Study.fit``.

    Returns
    -------
    PathResult
        On the same alphas. ``dual_gaps`` are those of the problems without penalty (with the tiny ridge where
        there is one), ``dev_ratio`` those of the refits.
    """
    began = time.perf_counter()
    penalty = study.penalty()
    target = study.target(sample_weight)
    free = np.flatnonzero(penalty.free & (penalty.lower < penalty.upper))
    found = supports(path, free)
    used = _union(found)
    bounded = np.isfinite(penalty.lower[used]) | np.isfinite(penalty.upper[used])
    fit = make_refitter(study, target, used, has_bounds=bool(bounded.any()))
    known: dict[bytes, Fit] = {}
    for support in found:
        key = support.tobytes()
        if key not in known:
            known[key] = fit(support)
    fits = [known[support.tobytes()] for support in found]
    null = path.null_objective
    losses = np.array([one.loss for one in fits])
    result = replace(
        path,
        coefs_sparse=_stacked(found, fits, path),
        intercepts=_intercepts(fits, path),
        dual_gaps=np.array([one.gap for one in fits]),
        dev_ratio=1.0 - losses / null if null > 0.0 else np.zeros(len(fits)),
        n_iter=np.ones(len(fits), dtype=np.int64),
        status=Status.CONVERGED if path.status is Status.NOT_CONVERGED else path.status,
        status_note=_note(fits),
        fit_time=time.perf_counter() - began,
    )
    return _with_baseline(study, result, target)


def blend(
    study: Study,
    path: PathResult,
    refitted: PathResult,
    gamma: float,
    sample_weight: Float64 | None = None,
) -> PathResult:
    """Return gamma times a path plus (1 - gamma) times its refit, coefficients and intercepts.

    Meinshausen, Comput. Stat. Data Anal. 52 (2007) 374-393; in this form Hastie, Tibshirani and Tibshirani,
    Stat. Sci. 35 (2020) 579-592.

    Parameters
    ----------
    study : Study
        What the path was fitted to.
    path, refitted : PathResult
        A path and what ``refit`` made of it.
    gamma : float
        In [0, 1]: 1 is the path, 0 the refit.
    sample_weight : (n,) float64, optional
        Weights in place of those of the study, as in ``Study.fit``.

    Returns
    -------
    PathResult
        On the same alphas. ``dual_gaps`` are blended alike: they tell how well both were solved.
    """
    gamma = check_real(gamma, "gamma", GAMMA, lambda value: 0.0 <= value <= 1.0)
    if gamma in (0.0, 1.0):
        return path if gamma == 1.0 else refitted
    target = study.target(sample_weight)
    rest = 1.0 - gamma
    coefs = sparse.csc_array(gamma * path.coefs_sparse + rest * refitted.coefs_sparse)
    intercepts = gamma * path.intercepts + rest * refitted.intercepts
    null = path.null_objective
    losses = mean_losses(target, predictors(study, coefs, intercepts)) if null > 0.0 else np.zeros(1)
    note = f"relaxed with gamma={gamma:g}"
    result = replace(
        path,
        coefs_sparse=coefs,
        intercepts=intercepts,
        dual_gaps=gamma * path.dual_gaps + rest * refitted.dual_gaps,
        dev_ratio=1.0 - losses / null if null > 0.0 else np.zeros(path.alphas.size),
        status_note=f"{note}; {refitted.status_note}" if refitted.status_note else note,
        fit_time=path.fit_time + refitted.fit_time,
    )
    return _with_baseline(study, result, target)


def supports(path: PathResult, always: Index) -> list[Index]:
    """Return the features with a coefficient in any output at every alpha, and some always; sorted.

    Parameters
    ----------
    path : PathResult
        The path.
    always : (m,) int64
        Features that belong to every support.

    Returns
    -------
    list of (k,) int64
        One support per alpha.
    """
    indptr, rows = path.coefs_sparse.indptr, path.coefs_sparse.indices % path.n_features
    return [np.union1d(rows[a:b], always).astype(np.int64) for a, b in zip(indptr, indptr[1:], strict=False)]


def _union(found: Iterable[Index]) -> Index:
    parts = [np.zeros(0, dtype=np.int64), *found]
    return np.unique(np.concatenate(parts))


def _stacked(found: list[Index], fits: list[Fit], path: PathResult) -> sparse.csc_array:
    """Return the coefficients of all fits, one column per alpha, outputs one after the other."""
    p, outputs = path.n_features, path.n_outputs
    rows = [support + c * p for support in found for c in range(outputs)]
    values = [one.coef[c] for one in fits for c in range(outputs)]
    ends = np.cumsum([0, *(support.size * outputs for support in found)])
    nothing = np.zeros(0, dtype=np.int64)
    columns = (np.concatenate([np.zeros(0), *values]), np.concatenate([nothing, *rows]), ends)
    return sparse.csc_array(columns, shape=(p * outputs, len(found)))


def _intercepts(fits: list[Fit], path: PathResult) -> Float64:
    """Return the intercepts, (K,) or (outputs, K)."""
    found = np.array([one.intercept for one in fits]).reshape(len(fits), path.n_outputs).T
    return found[0] if path.n_outputs == 1 else found


def _note(fits: list[Fit]) -> str:
    """Say what the refits are, and of how many alphas they are not what was asked for."""
    count = Counter(one.kind for one in fits)
    notes = ["refitted without penalty"]
    if count[DEPENDENT]:
        notes.append(f"at {count[DEPENDENT]} alphas columns are dependent: the shortest solution")
    if count[RIDGED]:
        largest = max(one.ridge for one in fits if one.kind == RIDGED)
        notes.append(f"at {count[RIDGED]} alphas with a ridge of {largest:g} of the curvature or less")
    return "; ".join(notes)


def _with_baseline(study: Study, result: PathResult, target: Response | Target) -> PathResult:
    """Return a cox result with the baseline hazard that belongs to it."""
    if isinstance(target, Target) and target.risk is not None and result.baseline is not None:
        return with_rows_seen(result, study.given, target)
    return result
