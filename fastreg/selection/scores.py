"""What a fold is judged by at every alpha: deviances, errors, shares of right answers, functions."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy.special import xlogy

from .._links import respond
from .._sums import inner
from .._typing import Float64, Index
from ..errors import DataError, DataTypeError
from ..families import Target
from ..risksets import make_risk_sets
from ..validate.labels import check_labels
from ..validate.options import check_flag
from ..validate.survival import check_survival
from ..validate.words import describe, wanted
from .cox_deviance import cox_deviance
from .folds import Fold
from .ranking import area_under_curve, comparable_pairs, concordance

__all__ = ["Judged", "Scorer", "make_scorer"]

NUMBERS = ("gaussian", "binomial", "multinomial", "poisson", "huber", "mgaussian")
CLASSES = ("binomial", "multinomial", "squared_hinge")
# The families that every score belongs to; deviance belongs to all.
OWNERS = {
    "mse": NUMBERS,
    "mae": NUMBERS,
    "accuracy": CLASSES,
    "auc": ("binomial", "squared_hinge"),
    "c_index": ("cox",),
}
LARGER_IS_BETTER = ("accuracy", "auc", "c_index")


@dataclass(frozen=True, eq=False)
class Judged:
    """What predictions are judged against: the response as its loss wants it, and as the user gave it.

    Attributes
    ----------
    target : Target
        Response, offsets and weights of all rows.
    y : Any
        The response as given.
    ties, strata : Any
        Options of cox, as given.
    """

    target: Target
    y: Any
    ties: Any = None
    strata: Any = None

    @cached_property
    def w(self) -> Float64:
        """Return the weights as given, (n,)."""
        return self.target.w * self.target.total_weight

    @cached_property
    def response(self) -> Float64:
        """Return the response, (n, outputs)."""
        return np.ascontiguousarray(self.target.y.reshape(self.target.outputs, -1).T)

    @cached_property
    def survival(self) -> Any:
        """Return times and status of a cox response."""
        return check_survival(self.y, len(self.w))

    @cached_property
    def stratum(self) -> Index:
        """Return the stratum of every row."""
        n = len(self.w)
        return np.zeros(n, np.int64) if self.strata is None else check_labels(self.strata, n, "strata").codes

    @cached_property
    def entries(self) -> Any:
        """Return y as an array whose rows can be picked."""
        return np.asarray(self.y)

    def classes_of(self, rows: Index) -> tuple[Float64, Float64]:
        """Return the weights of rows in the second and in the first of two classes."""
        share = self.response[rows, 0]
        share = 0.5 * (1.0 + share) if self.target.family == "squared_hinge" else share
        return self.w[rows] * share, self.w[rows] * (1.0 - share)

    def weighing(self, rows: Index) -> Index:
        """Return those of some rows that weigh something."""
        return rows[self.w[rows] > 0.0]


# Predictors (m, outputs, K) of a fold's rows that weigh something become one score per alpha, (K,).
Score = Callable[[Judged, Fold, Float64], Float64]


@dataclass(frozen=True, eq=False)
class Scorer:
    """How folds are judged.

    Attributes
    ----------
    name : str
        Name of the score, or of the function.
    greater_is_better : bool
        Whether the best score is the largest.
    score : callable
        From the data, a fold and linear predictors (m, outputs, K) of ``rows`` to scores (K,).
    require : callable
        Says what a fold lacks to be judged, nothing where it lacks nothing.
    by_events : bool
        Whether folds weigh what their events weigh, and all rows of a fold are looked at.
    """

    name: str
    greater_is_better: bool
    score: Score
    require: Callable[[Judged, Fold], str]
    by_events: bool = False

    def rows(self, judged: Judged, fold: Fold) -> Index:
        """Return the rows whose predictors the score needs."""
        return judged.weighing(np.union1d(fold.train, fold.test) if self.by_events else fold.test)

    def weigh(self, judged: Judged, fold: Fold) -> float:
        """Return how much a fold's score counts in the mean."""
        w = judged.w[fold.test]
        return float(inner(w, judged.response[fold.test, 0]) if self.by_events else w.sum())

    def check(self, judged: Judged, folds: tuple[Fold, ...]) -> None:
        """Raise for the first fold that cannot be judged."""
        for f, fold in enumerate(folds):
            lacking = self.require(judged, fold)
            if lacking:
                remedy = "use fewer folds, or an integer cv, which spreads classes and events evenly"
                raise DataError(
                    wanted(f"fold {f} of cv", f"test {lacking} for scoring={self.name!r}", "none", remedy)
                )


def make_scorer(scoring: Any, greater_is_better: Any, family: str) -> Scorer:
    """Return the scorer of a name or a function.

    Parameters
    ----------
    scoring : str, callable or None
        A name, a function f(y_true, prediction) or f(y_true, prediction, sample_weight), or None for the
        deviance.
    greater_is_better : bool or None
        What a function needs to be said; of names it is known.
    family : str
        Canonical name.

    Returns
    -------
    Scorer
        How folds are judged.

    Raises
    ------
    DataError
        If the name does not belong to the family, or it is not said which scores of a function are better.
    DataTypeError
        If it is neither a name nor a function.
    """
    is_said = greater_is_better is not None
    larger = check_flag(greater_is_better, "greater_is_better") if is_said else False
    if callable(scoring):
        name = getattr(scoring, "__name__", type(scoring).__name__)
        if not is_said:
            remedy = f"True if larger values of {name} are better, False if smaller"
            raise DataError(wanted("greater_is_better", "be given for a function", "None", remedy))
        return Scorer(name, larger, _Called(scoring, _takes_weights(scoring)), _nothing_lacks)
    name = "deviance" if scoring is None else scoring
    fitting = ["deviance", *(each for each, owners in OWNERS.items() if family in owners)]
    if not isinstance(name, str):
        raise DataTypeError(wanted("scoring", "be a name or a function", describe(scoring)))
    if name not in fitting:
        known = ", ".join(map(repr, fitting))
        raise DataError(wanted("scoring", f"be a function or one of {known} for {family}", describe(name)))
    if is_said and larger != (name in LARGER_IS_BETTER):
        better = "larger" if name in LARGER_IS_BETTER else "smaller"
        raise DataError(f"greater_is_better belongs to functions: {better} values of {name!r} are better")
    if name == "deviance" and family == "cox":
        return Scorer(name, False, _cox, _lacks_events, by_events=True)
    lacks = {"auc": _lacks_classes, "c_index": _lacks_pairs}.get(name, _nothing_lacks)
    return Scorer(name, name in LARGER_IS_BETTER, SCORES.get(name, _deviance), lacks)


def _nothing_lacks(judged: Judged, fold: Fold) -> str:
    return ""


def _lacks_events(judged: Judged, fold: Fold) -> str:
    return "" if (judged.w * judged.response[:, 0])[fold.test].any() else "rows with an event"


def _lacks_classes(judged: Judged, fold: Fold) -> str:
    return "" if all(part.any() for part in judged.classes_of(fold.test)) else "rows of both classes"


def _lacks_pairs(judged: Judged, fold: Fold) -> str:
    pairs = comparable_pairs(judged.survival, judged.stratum, judged.weighing(fold.test))
    return "" if pairs else "an event that another row outlives"


def _mean(judged: Judged, fold: Fold, losses: Float64) -> Float64:
    """Return the weighted mean of the losses (m, K) of a fold's test rows."""
    w = judged.w[judged.weighing(fold.test)]
    return np.asarray(inner(losses.T, w) / w.sum())


def _own(judged: Judged, fold: Fold) -> Float64:
    """Return the responses of a fold's test rows, (m, outputs, 1)."""
    return judged.response[judged.weighing(fold.test), :, None]


def _deviance(judged: Judged, fold: Fold, eta: Float64) -> Float64:
    unit = UNIT_DEVIANCES[judged.target.family]
    with np.errstate(over="ignore"):
        return _mean(judged, fold, unit(_own(judged, fold), eta, judged.target.delta))


def _squares(y: Float64, eta: Float64, delta: float) -> Float64:
    return np.asarray(((y - eta) ** 2).sum(axis=1))


def _binomial(y: Float64, eta: Float64, delta: float) -> Float64:
    """2 (log(1 + e^eta) - y eta) less its least value, without probabilities that could round to 0 or 1."""
    tail = np.log1p(np.exp(-np.abs(eta)))
    away = np.where(eta > 0.0, (1.0 - y) * eta, -y * eta)
    return np.asarray(2.0 * (tail + away + xlogy(y, y) + xlogy(1.0 - y, 1.0 - y)))[:, 0]


def _multinomial(y: Float64, eta: Float64, delta: float) -> Float64:
    below = eta - eta.max(axis=1, keepdims=True)
    fit = (y * below).sum(axis=1) - xlogy(y, y).sum(axis=1)
    return np.asarray(2.0 * (np.log(np.exp(below).sum(axis=1)) - fit))


def _poisson(y: Float64, eta: Float64, delta: float) -> Float64:
    return np.asarray(2.0 * (np.exp(eta) - y * eta - (y - xlogy(y, y))))[:, 0]


def _squared_hinge(y: Float64, eta: Float64, delta: float) -> Float64:
    return np.asarray(np.maximum(1.0 - y * eta, 0.0) ** 2)[:, 0]


def _huber(y: Float64, eta: Float64, delta: float) -> Float64:
    size = np.abs(y - eta)
    inner = np.minimum(size, delta)
    return np.asarray(inner * (2.0 * size - inner))[:, 0]


# Twice the loss of a row, from y (m, outputs, 1) and eta (m, outputs, K) to (m, K).
UNIT_DEVIANCES: dict[str, Callable[[Float64, Float64, float], Float64]] = {
    "gaussian": _squares,
    "mgaussian": _squares,
    "binomial": _binomial,
    "multinomial": _multinomial,
    "poisson": _poisson,
    "squared_hinge": _squared_hinge,
    "huber": _huber,
}


def _cox(judged: Judged, fold: Fold, eta: Float64) -> Float64:
    """Return the deviance of all rows of a fold less that of its training rows, per weight of its events.

    Van Houwelingen, Bruinsma, Hart, van 't Veer and Wessels, Stat. Med. 25 (2006) 3201-3216, section 3.
    """
    n = len(judged.w)
    seen = np.zeros((n, eta.shape[2]))
    everyone = judged.weighing(np.union1d(fold.train, fold.test))
    seen[everyone] = eta[:, 0]
    parts = []
    for rows in (everyone, fold.train):
        w = np.zeros(n)
        w[rows] = judged.w[rows]
        total = float(w.sum())
        risk = make_risk_sets(judged.survival, w / total, judged.ties, judged.strata)
        parts.append(cox_deviance(risk, w / total, total, seen))
    events = float(judged.w[fold.test] @ judged.response[fold.test, 0])
    return np.asarray((parts[0] - parts[1]) / events)


def _errors(judged: Judged, fold: Fold, eta: Float64) -> Float64:
    """Return responses less predictions, (m, outputs, K); two classes have one output each."""
    family = judged.target.family
    error = _own(judged, fold) - respond(family, eta)
    return np.concatenate([error, -error], axis=1) if family == "binomial" else error


def _mse(judged: Judged, fold: Fold, eta: Float64) -> Float64:
    return _mean(judged, fold, (_errors(judged, fold, eta) ** 2).sum(axis=1))


def _mae(judged: Judged, fold: Fold, eta: Float64) -> Float64:
    return _mean(judged, fold, np.abs(_errors(judged, fold, eta)).sum(axis=1))


def _accuracy(judged: Judged, fold: Fold, eta: Float64) -> Float64:
    y = _own(judged, fold)
    if y.shape[1] > 1:
        right = np.take_along_axis(y, eta.argmax(axis=1)[:, None], axis=1)[:, 0]
    else:
        share = 0.5 * (1.0 + y[:, 0]) if judged.target.family == "squared_hinge" else y[:, 0]
        right = np.where(eta[:, 0] > 0.0, share, 1.0 - share)
    return _mean(judged, fold, right)


def _auc(judged: Judged, fold: Fold, eta: Float64) -> Float64:
    return area_under_curve(*judged.classes_of(judged.weighing(fold.test)), eta[:, 0])


def _c_index(judged: Judged, fold: Fold, eta: Float64) -> Float64:
    rows = judged.weighing(fold.test)
    pairs = comparable_pairs(judged.survival, judged.stratum, rows)
    return concordance(pairs, judged.w[rows], eta[:, 0])


SCORES: dict[str, Score] = {
    "mse": _mse,
    "mae": _mae,
    "accuracy": _accuracy,
    "auc": _auc,
    "c_index": _c_index,
}


def _takes_weights(function: Callable[..., Any]) -> str:
    """Tell how a function takes weights: "keyword", "third" or "" for not at all."""
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        # Compiled functions may not tell.
        return ""
    if any(each.name == "sample_weight" for each in parameters):
        return "keyword"
    needed = [
        each
        for each in parameters
        if each.default is each.empty and each.kind in (each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD)
    ]
    return "third" if len(needed) >= 3 else ""


@dataclass(frozen=True, eq=False)
class _Called:
    """Judge by a user's function, which is called once per alpha with predictions on the response's scale."""

    function: Callable[..., Any]
    weights: str

    def __call__(self, judged: Judged, fold: Fold, eta: Float64) -> Float64:
        rows = judged.weighing(fold.test)
        predicted = respond(judged.target.family, eta)
        predicted = predicted[:, 0] if judged.target.outputs == 1 else predicted
        y, w = judged.entries[rows], judged.w[rows]
        scores = np.empty(eta.shape[2])
        for k in range(len(scores)):
            prediction = np.ascontiguousarray(predicted[..., k])
            if self.weights == "keyword":
                value = self.function(y, prediction, sample_weight=w)
            else:
                value = self.function(y, prediction, *([w] if self.weights else []))
            try:
                scores[k] = float(value)
            except (TypeError, ValueError):
                expected = "return a number"
                raise DataTypeError(wanted("scoring", expected, describe(value))) from None
        return scores
