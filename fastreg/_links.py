"""From linear predictors to what a user wants to know: means, probabilities, hazard ratios, labels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._typing import Float64, Index
from .errors import DataError
from .risksets import Baseline
from .validate.labels import check_labels
from .validate.numeric import as_array, require_numeric
from .validate.words import describe, wanted

__all__ = ["KINDS", "check_kind", "classify", "respond", "survive"]

KINDS = ("response", "link", "class")


def check_kind(kind: Any, family: str, classes: tuple[Any, ...] | None) -> str:
    """Return what is to be predicted.

    Parameters
    ----------
    kind : str
        One of ``KINDS``.
    family : str
        Canonical name of the family.
    classes : tuple or None
        Classes of a classifier.

    Returns
    -------
    str
        The same.

    Raises
    ------
    DataError
        If it is none of them, or a class of a path without classes.
    """
    if not isinstance(kind, str) or kind not in KINDS:
        raise DataError(wanted("kind", f"be one of {', '.join(map(repr, KINDS))}", describe(kind)))
    if kind == "class" and classes is None:
        why = "it was fitted to proportions" if family == "binomial" else f"family={family!r} has none"
        raise DataError(f'kind="class" needs a path with classes, but {why}: use "response"')
    return kind


def respond(family: str, eta: Float64) -> Float64:
    """Return the mean response, or what stands for it.

    Parameters
    ----------
    family : str
        Canonical name.
    eta : (n, outputs, m) float64
        Linear predictors; changed no more after this call, for they may be returned.

    Returns
    -------
    (n, outputs, m) float64
        Probabilities (binomial: of the second class), expected counts, hazard ratios, else eta. What is
        beyond float64 is inf.
    """
    return INVERSE_LINKS[family](eta)


def classify(eta: Float64, classes: tuple[Any, ...]) -> NDArray[Any]:
    """Return the most likely label of every row.

    Parameters
    ----------
    eta : (n, outputs, m) float64
        Linear predictors, one per class, or of the second of two.
    classes : tuple
        Their labels.

    Returns
    -------
    (n, m) ndarray
        Labels; a predictor of exactly zero means the first of two classes, as in scikit-learn.
    """
    best: Index = eta.argmax(axis=1) if eta.shape[1] > 1 else (eta[:, 0] > 0.0).astype(np.int64)
    return np.asarray(classes)[best]


def survive(baseline: Baseline, weights: Any, eta: Float64, times: Any = None, strata: Any = None) -> Float64:
    """Return the probability to be without an event at some times.

    S(t) = exp(-H0(t) exp(eta)); between the alphas of the grid the logarithm of H0 is interpolated.

    Parameters
    ----------
    baseline : Baseline
        Cumulative baseline hazard on the grid.
    weights : (K, m) sparse array
        Weights that interpolate between the alphas of the grid.
    eta : (n, m) float64
        Linear predictors.
    times : (T,) array-like, optional
        Times; those of the events if not given, which needs a path without strata.
    strata : (n,) array-like of labels, optional
        The stratum of each row, where the path has some.

    Returns
    -------
    (n, T, m) float64
        Probabilities.

    Raises
    ------
    DataError
        If strata are missing or unknown, or times are no numbers.
    """
    place = _strata(baseline, strata, len(eta))
    if times is None:
        if baseline.strata is not None:
            raise DataError("times must be given for a path with strata, whose event times differ; got None")
        times = baseline.times
    wanted_times = _times(times)
    # H0 is zero before the first event of a stratum.
    log_hazard = baseline.log_hazard @ weights
    survival = np.empty((len(eta), len(wanted_times), eta.shape[1]))
    begins = np.concatenate([[0], baseline.ends[:-1]])
    for stratum, (begin, end) in enumerate(zip(begins, baseline.ends, strict=True)):
        rows = np.flatnonzero(place == stratum)
        before = np.full((1, eta.shape[1]), -np.inf)
        steps = np.concatenate([before, log_hazard[begin:end]])
        at = steps[np.searchsorted(baseline.times[begin:end], wanted_times, side="right")]
        with np.errstate(over="ignore"):
            survival[rows] = np.exp(-np.exp(at[None] + eta[rows][:, None]))
    return survival


def _times(times: Any) -> Float64:
    array = as_array(times, "times")
    require_numeric(array, "times")
    if array.ndim > 1 or np.isnan(array.astype(np.float64)).any():
        came = f"shape {array.shape}" if array.ndim > 1 else "nan"
        raise DataError(wanted("times", "be a number or a vector of numbers", came))
    return np.atleast_1d(array.astype(np.float64))


def _strata(baseline: Baseline, strata: Any, n: int) -> Index:
    """Return the position of every row's stratum."""
    if baseline.strata is None:
        if strata is not None:
            raise DataError("strata must be left out: the path was fitted without strata")
        return np.zeros(n, dtype=np.int64)
    if strata is None:
        known = ", ".join(map(repr, baseline.strata[:8]))
        raise DataError(wanted("strata", "be given for a path with strata", "None", f"the path has {known}"))
    labels = check_labels(strata, n, "strata")
    where = {name: k for k, name in enumerate(baseline.strata)}
    unknown = [name for name in labels.classes if name not in where]
    if unknown:
        remedy = "it has no event in the data fitted, or was not in it: no baseline hazard is known"
        raise DataError(wanted("strata", "be those of the path", repr(unknown[0]), remedy))
    return np.array([where[name] for name in labels.classes])[labels.codes]


def _logistic(eta: Float64) -> Float64:
    """Return 1 / (1 + e^-eta), also where e^-eta is beyond float64."""
    return np.asarray(np.exp(-np.logaddexp(0.0, -eta)))


def _softmax(eta: Float64) -> Float64:
    size = np.exp(eta - eta.max(axis=1, keepdims=True))
    return np.asarray(size / size.sum(axis=1, keepdims=True))


def _exponential(eta: Float64) -> Float64:
    with np.errstate(over="ignore"):
        return np.asarray(np.exp(eta))


def _unchanged(eta: Float64) -> Float64:
    return eta


INVERSE_LINKS: dict[str, Callable[[Float64], Float64]] = {
    "gaussian": _unchanged,
    "binomial": _logistic,
    "multinomial": _softmax,
    "poisson": _exponential,
    "squared_hinge": _unchanged,
    "huber": _unchanged,
    "cox": _exponential,
    "mgaussian": _unchanged,
}
