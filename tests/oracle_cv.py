"""Slow, obvious cross-validation: every fold is refitted on copies of its rows and judged row by row."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import oracle_losses
from numpy.typing import NDArray

import fastreg

Array = NDArray[np.float64]


@dataclass
class Case:
    """Data and options of one cross-validation; y as the package takes it."""

    family: str
    X: Any
    y: Any
    w: Any = None
    offset: Any = None
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        return int(np.shape(self.X)[0])

    @property
    def weights(self) -> Array:
        return np.ones(self.rows) if self.w is None else np.array(self.w, dtype=np.float64)

    def part(self, rows: Any) -> tuple[Any, Any, dict[str, Any]]:
        """Return copies of some rows of everything."""
        X = self.X[rows] if not hasattr(self.X, "tocsr") else self.X.tocsr()[rows].tocsc()
        options: dict[str, Any] = dict(self.options)
        if self.w is not None:
            options["sample_weight"] = self.w[rows]
        if self.offset is not None:
            options["offset"] = self.offset[rows]
        if options.get("strata") is not None:
            options["strata"] = options["strata"][rows]
        return X, self.y[rows], options


def eta_of(case: Case, path: Any, rows: Any) -> Array:
    """Return the linear predictors of some rows, (m, outputs, K)."""
    X = case.X.toarray() if hasattr(case.X, "toarray") else np.asarray(case.X)
    coefs = path.coefs if path.coefs.ndim == 3 else path.coefs[None]
    eta = np.einsum("ij,cjk->ick", X[rows].astype(np.float64), coefs) + np.atleast_2d(path.intercepts)
    if case.offset is not None:
        eta += np.asarray(case.offset)[rows].reshape(len(rows), -1)[:, :, None]
    return np.asarray(eta)


def unit_deviance(case: Case, i: int, eta: Array, delta: float, classes: Any) -> float:
    """Return twice the loss of row i at its predictors (outputs,), written down as one would on paper."""
    y = case.y[i]
    if case.family in ("gaussian", "mgaussian"):
        return float(np.sum((np.atleast_1d(y) - eta) ** 2))
    if case.family == "binomial":
        p = 1.0 / (1.0 + math.exp(-eta[0]))
        if classes is None:
            return 2.0 * (y * math.log(y / p) + (1.0 - y) * math.log((1.0 - y) / (1.0 - p)))
        return -2.0 * math.log(p if y == classes[1] else 1.0 - p)
    if case.family == "multinomial":
        p = np.exp(eta) / np.exp(eta).sum()
        return -2.0 * math.log(p[list(classes).index(y)])
    if case.family == "poisson":
        mu = math.exp(eta[0])
        return 2.0 * ((y * math.log(y / mu) if y > 0 else 0.0) - y + mu)
    if case.family == "squared_hinge":
        sign = 1.0 if y == classes[1] else -1.0
        return max(0.0, 1.0 - sign * float(eta[0])) ** 2
    assert case.family == "huber"
    e = abs(float(y - eta[0]))
    return e**2 if e <= delta else 2.0 * delta * e - delta**2


def cox_deviance(case: Case, rows: Any, eta: Array) -> float:
    """Return the deviance of the partial likelihood of some rows."""
    strata = case.options.get("strata")
    problem = oracle_losses.Problem(
        "cox", np.zeros((len(rows), 1)), case.y[rows], sample_weight=case.weights[rows], fit_intercept=False,
        ties=case.options.get("ties") or "breslow", strata=None if strata is None else strata[rows],
    )  # fmt: skip
    return 2.0 * float(case.weights[rows].sum()) * oracle_losses.value(problem, eta[rows])


def fold_scores(case: Case, train: Any, test: Any, alphas: Array, delta: float) -> Array:
    """Return the deviance of one fold at every alpha."""
    X, y, options = case.part(train)
    path = fastreg.glm_path(X, y, family=case.family, alphas=alphas, **options)
    w, K = case.weights, len(alphas)
    if case.family == "cox":
        eta = eta_of(case, path, np.arange(case.rows))
        both = np.union1d(train, test)
        events = np.sum(w[test] * np.asarray(case.y)[test, -1])
        found = [
            cox_deviance(case, both, eta[:, :, k]) - cox_deviance(case, train, eta[:, :, k]) for k in range(K)
        ]
        return np.array(found) / events
    eta = eta_of(case, path, test)
    deviances = [
        [unit_deviance(case, i, eta[m, :, k], delta, path.classes) for k in range(K)]
        for m, i in enumerate(test)
    ]
    return np.asarray(w[test] @ np.array(deviances) / w[test].sum())


def mean_and_error(scores: Array, weights: Array) -> tuple[Array, Array]:
    """Return the weighted mean over the folds and its standard error."""
    mean = np.average(scores, axis=0, weights=weights)
    variance = np.average((scores - mean) ** 2, axis=0, weights=weights) / (len(scores) - 1)
    return mean, np.sqrt(variance)


def area(y: Array, w: Array, eta: Array) -> float:
    """Return the weighted share of pairs that are ranked rightly, pair by pair."""
    won = total = 0.0
    for i in np.flatnonzero(y == 1):
        for j in np.flatnonzero(y == 0):
            weight = w[i] * w[j]
            total += weight
            won += weight * ((eta[i] > eta[j]) + 0.5 * (eta[i] == eta[j]))
    return won / total


def harrell(y: Array, w: Array, eta: Array) -> float:
    """Return Harrell's C of rows (time, status), pair by pair."""
    won = total = 0.0
    for i in range(len(y)):
        for j in range(len(y)):
            outlives = y[j, 0] > y[i, 0] or (y[j, 0] == y[i, 0] and y[j, 1] == 0)
            if y[i, 1] == 1 and i != j and outlives:
                weight = w[i] * w[j]
                total += weight
                won += weight * ((eta[i] > eta[j]) + 0.5 * (eta[i] == eta[j]))
    return won / total
