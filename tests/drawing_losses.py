"""Problems of every family that tests draw at random, with any mix of options, and their certified paths."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import oracle_losses
from oracle_losses import Problem

import fastreg
from fastreg.certify import certify

TOL = 1e-10
DEPTHS = np.array([1.0, 0.5, 0.15, 0.05])
DOORS = {
    "binomial": fastreg.logistic_path,
    "multinomial": fastreg.multinomial_path,
    "poisson": fastreg.poisson_path,
    "squared_hinge": fastreg.squared_hinge_path,
    "huber": fastreg.huber_path,
    "cox": fastreg.cox_path,
    "mgaussian": fastreg.multitask_path,
}
FAMILIES = tuple(DOORS)
# How a name of the tests is drawn: the family, and options beside it.
KINDS: dict[str, tuple[str, dict[str, Any]]] = {name: (name, {}) for name in FAMILIES} | {
    "grouped": ("multinomial", {"grouped": True}),
    "proportions": ("binomial", {}),
    "shares": ("multinomial", {}),
    "efron": ("cox", {"ties": "efron"}),
    "stratified": ("cox", {"ties": "efron", "strata": True}),
    "start-stop": ("cox", {"ties": "efron", "start": True}),
}
SHARED = (
    "l1_ratio", "standardize", "sample_weight", "offset", "penalty_factor", "positive", "lower_limits",
    "upper_limits",
)  # fmt: skip


def response(kind: str, eta: Any, rng: np.random.Generator) -> Any:
    """Return a response of this kind to the linear predictor eta, both classes present."""
    n = len(eta)
    family, extra = KINDS[kind]
    if kind == "proportions":
        return np.clip(1 / (1 + np.exp(-eta)) + 0.2 * rng.normal(size=n), 0, 1)
    if kind == "shares":
        y = rng.dirichlet([1.0, 1.0, 0.5], size=n)
        return y / y.sum(axis=1, keepdims=True)
    if family in ("binomial", "squared_hinge"):
        y = 1.0 * (eta + rng.logistic(size=n) > 0)
        y[:2] = 0.0, 1.0
        return y if family == "binomial" else 2 * y - 1
    if family == "multinomial":
        labels = np.clip(np.round(eta + rng.normal(size=n)), -1, 1).astype(int) + 1
        labels[:3] = (0, 1, 2)[: min(n, 3)]
        return np.eye(3)[labels]
    if family == "poisson":
        y = 1.0 * rng.poisson(np.exp(np.clip(eta, -3, 2.5)))
        y[0] += 1.0
        return y
    if family == "huber":
        return eta + rng.standard_t(2, size=n)
    if family == "mgaussian":
        return np.outer(eta, [1.0, 0.0, -2.0]) + rng.normal(size=(n, 3))
    # Few distinct times: many ties, and rows censored at the time of an event.
    time = np.ceil(3 * rng.exponential(np.exp(-np.clip(eta, -2, 2))))
    status = rng.random(n) < 0.7
    status[0] = True
    start = [np.floor(time * rng.random(n) * 0.9)] if extra.get("start") else []
    return np.column_stack([*start, time, status])


def draw(kind: str, seed: int, n: int = 0, p: int = 0, plain: bool = False) -> Problem:
    """Return a problem of this kind; with a mix of options unless plain."""
    rng = np.random.default_rng([seed, *kind.encode()])
    family, extra = KINDS[kind]
    n, p = n or int(rng.integers(15, 35)), p or int(rng.integers(2, 12))
    X = rng.normal(size=(n, p)) * np.exp(0.5 * rng.normal(size=p)) + rng.choice([0.0, 1.0])
    X[rng.random((n, p)) < rng.choice([0.0, 0.5])] = 0.0
    X[0] += 0.1  # no column is constant
    slope = rng.normal(size=p) * (rng.random(p) < 0.5) / np.sqrt(p / 4 + 1)
    y = response(kind, X @ slope, rng)
    problem = Problem(family, X, y, fit_intercept=family != "cox")
    if kind == "stratified":
        problem.strata = rng.integers(0, 3, size=n)
    problem.grouped, problem.ties = extra.get("grouped", False), extra.get("ties", "breslow")
    return problem if plain else _mixed(problem, rng)


def _mixed(problem: Problem, rng: np.random.Generator) -> Problem:
    """Add weights, offset, factors, limits and a mix of penalties, each or not."""
    n, p = problem.X.shape
    problem.fit_intercept &= bool(rng.random() < 0.7)
    problem.standardize = bool(rng.random() < 0.4)
    problem.l1_ratio = float(rng.choice([1.0, 1.0, 0.6, 0.2]))
    if rng.random() < 0.4:
        problem.sample_weight = rng.uniform(0.5, 2.0, size=n)
    if rng.random() < 0.3:
        shape = (n, problem.outputs) if problem.outputs > 1 else (n,)
        problem.offset = 0.5 * rng.normal(size=shape)
    if rng.random() < 0.4:
        problem.penalty_factor = rng.choice([0.5, 1.0, 2.0, np.inf], size=p, p=[0.3, 0.4, 0.2, 0.1])
    kind = 1.0 if problem.is_grouped else rng.random()  # groups take no limits
    if kind < 0.2:
        problem.positive = True
    elif kind < 0.5:
        problem.lower_limits = rng.choice([0.0, -0.1, -np.inf], size=p)
        problem.upper_limits = rng.choice([0.0, 0.1, np.inf], size=p)
    return problem


def options(problem: Problem) -> dict[str, Any]:
    """Return what path functions and certify both take."""
    found = {name: getattr(problem, name) for name in SHARED}
    if problem.family != "cox":
        found["fit_intercept"] = problem.fit_intercept
    else:
        found |= {"ties": problem.ties, "strata": problem.strata}
    return found


def solve(problem: Problem, alphas: Any, y: Any = None, **extra: Any) -> Any:
    """Return the certified path of the problem; y may be the same response in other words."""
    y = problem.y if y is None else y
    asked: dict[str, Any] = {"alphas": alphas, "tol": TOL} | options(problem)
    if problem.family == "huber":
        asked |= {"delta": problem.delta, "scale": 1.0}
    if problem.family == "multinomial":
        asked["grouped"] = problem.grouped
    path = DOORS[problem.family](problem.X, y, **(asked | extra))
    assert path.status is fastreg.Status.CONVERGED, (path.status_note, path.relative_gaps)
    assert np.all(path.relative_gaps <= path.tol)
    claim = assess(problem, path, y)
    assert claim.feasible.all()
    # Certify chooses dual points of its own, which may bound less well than the solver's.
    assert claim.worst <= 10 * path.tol
    assert not (claim.proven_zero & (path.coefs != 0)).any()
    return path


def assess(problem: Problem, path: Any, y: Any = None) -> Any:
    """Return the certificate of a path of the problem."""
    extra = {"fit_intercept": False} if problem.family == "cox" else {}
    extra |= {"grouped": problem.grouped} if problem.family == "multinomial" else {}
    return certify(problem.X, problem.y if y is None else y, path, **(options(problem) | extra))


def at(path: Any, k: int) -> tuple[Any, Any]:
    """Return coefficients (outputs, p) and intercepts (outputs,) of the k-th alpha."""
    coef = path.coefs[..., k]
    return np.atleast_2d(coef), np.atleast_1d(path.intercepts[..., k])


def grid(problem: Problem, depths: Any = DEPTHS) -> Any:
    """Return alphas that span the path, by the oracle's alpha_max."""
    top = oracle_losses.alpha_max(replace(problem, l1_ratio=max(problem.l1_ratio, 1e-2)))
    return depths * (top if top > 1e-12 else 1.0)


def objectives(problem: Problem, path: Any) -> Any:
    """Return the oracle's objective at every alpha of the path."""
    return np.array([
        oracle_losses.objective(replace(problem, alpha=float(alpha)), *at(path, k))
        for k, alpha in enumerate(path.alphas)
    ])  # fmt: skip


def predictors(problem: Problem, path: Any) -> Any:
    """Return the linear predictors (n, outputs, K)."""
    return np.stack([problem.eta(*at(path, k)) for k in range(len(path.alphas))], axis=-1)
