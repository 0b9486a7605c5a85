"""Every gaussian path that R glmnet computed for the data folder, met at every lambda and certified.

The translation is written out: with s_y the standard deviation of y (denominator n, weighted; about zero
without an intercept), glmnet's gaussian penalty at lambda is lambda (a |b| s + (1 - a) / (2 s_y) b^2 s^2),
its penalty factors are rescaled to sum p, and columns are scaled by their deviation about the mean even
without an intercept.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

import fastreg
from fastreg.certify import certify

FACTORS = np.repeat([0.0, 1.0, 2.0], [2, 9, 9])


@dataclass(frozen=True)
class Case:
    """One call of glmnet: its mixing parameter, and options that mean the same in both packages."""

    data: str = "glmnet_quickstart"
    mix: float = 1.0
    weighted: bool = False
    options: dict[str, Any] = field(default_factory=dict)


CASES = {
    "quickstart_lasso": Case(),
    "quickstart_lasso_nostd": Case(options={"standardize": False}),
    "quickstart_lasso_noint": Case(options={"fit_intercept": False}),
    "quickstart_enet05": Case(mix=0.5),
    "quickstart_ridge": Case(mix=0.0),
    "quickstart_positive": Case(options={"positive": True}),
    "quickstart_box": Case(options={"lower_limits": -0.1, "upper_limits": 0.5}),
    "quickstart_pf": Case(options={"penalty_factor": FACTORS}),
    "quickstart_weights": Case(weighted=True),
    "quickstart_weights_enet_pf": Case(mix=0.3, weighted=True, options={"penalty_factor": FACTORS}),
    "leukemia_gaussian": Case(data="leukemia"),
    "riboflavin_gaussian": Case(data="riboflavin"),
    "riboflavin_enet05": Case(data="riboflavin", mix=0.5),
}
WIDE = {"leukemia", "riboflavin"}


def translate(case: Case, X: Any, y: Any, lambdas: Any) -> tuple[Any, float, dict[str, Any]]:
    """Return our alphas, l1_ratio and options for a call of glmnet."""
    n, p = X.shape
    options: dict[str, Any] = {"fit_intercept": True, "standardize": True} | case.options
    w = (np.arange(1, n + 1) % 5) + 1.0 if case.weighted else np.ones(n)
    if case.weighted:
        options["sample_weight"] = w
    if "penalty_factor" in options:
        options["penalty_factor"] = options["penalty_factor"] * p / options["penalty_factor"].sum()
    centre = np.average(y, weights=w) if options["fit_intercept"] else 0.0
    s_y = np.sqrt(np.average((y - centre) ** 2, weights=w))
    whole = case.mix + (1 - case.mix) / s_y
    return lambdas * whole, case.mix / whole, options


def reference(name: str, load_data: Any) -> tuple[Any, ...]:
    case = CASES[name]
    data, paths = load_data(case.data), load_data("glmnet_reference")
    X, y = np.asarray(data["X"], dtype=np.float64), np.asarray(data["y"], dtype=np.float64).ravel()
    # The class labels 1 and 2 of leukemia entered glmnet as 0 and 1.
    y = y - 1.0 if case.data == "leukemia" else y
    # glmnet writes infinity for the first lambda of a ridge path.
    first = 1 if case.mix == 0.0 else 0
    lambdas, beta, a0 = (paths[f"{name}/{part}"][..., first:] for part in ("lambda", "beta", "a0"))
    return X, y, beta, a0, *translate(case, X, y, lambdas)


def test_every_gaussian_case_is_listed(load_data: Any) -> None:
    other = ("binomial", "poisson", "multinomial", "cox", "mgaussian")
    stored = {key.split("/")[0] for key in load_data("glmnet_reference").files}
    assert {name for name in stored if not any(word in name for word in other)} == set(CASES)


@pytest.mark.parametrize("name", CASES)
def test_the_translation_is_right(name: str, load_data: Any) -> None:
    # Independent of the solver: glmnet's own solutions are nearly optimal for our objective.
    X, y, beta, a0, alphas, l1_ratio, options = reference(name, load_data)
    beta = np.clip(beta, options.get("lower_limits", -np.inf), options.get("upper_limits", np.inf))
    claim = certify(X, y, beta, a0, alphas, l1_ratio=l1_ratio, **options)
    assert claim.feasible.all()
    assert claim.worst <= 1e-6


@pytest.mark.parametrize("name", [name for name in CASES if CASES[name].data not in WIDE])
def test_path_meets_the_reference(name: str, load_data: Any) -> None:
    X, y, beta, a0, alphas, l1_ratio, options = reference(name, load_data)
    path = certified_path(X, y, alphas, l1_ratio, options)
    assert np.all(np.abs(path.coefs - beta).max(axis=0) <= 1e-6 * np.abs(beta).max())
    if options["fit_intercept"]:
        assert np.all(np.abs(path.intercepts - a0) <= 1e-6 * max(np.abs(a0).max(), 1.0))


@pytest.mark.compiled_only
@pytest.mark.parametrize("name", [name for name in CASES if CASES[name].data in WIDE])
def test_wide_path_meets_the_refined_reference(name: str, load_data: Any) -> None:
    # With p >> n glmnet's own solutions stop short of 1e-6: despite thresh 1e-14 their certified relative gap
    # is up to 5e-7, and they are up to 1.3e-4 of the largest coefficient away from the optimum (leukemia).
    # They do have the optimal support and signs, which leave a linear system to solve exactly.
    X, y, beta, _, alphas, l1_ratio, options = reference(name, load_data)
    path = certified_path(X, y, alphas, l1_ratio, options)
    refined = refine(X, y, beta, alphas, l1_ratio)
    size = np.abs(beta).max()
    assert np.all(np.abs(path.coefs - refined).max(axis=0) <= 1e-9 * size)
    assert np.all(np.abs(path.coefs - beta).max(axis=0) <= 2e-4 * size)


def certified_path(X: Any, y: Any, alphas: Any, l1_ratio: float, options: dict[str, Any]) -> Any:
    path = fastreg.enet_path(X, y, alphas=alphas, l1_ratio=l1_ratio, tol=1e-11, **options)
    np.testing.assert_array_equal(path.alphas, alphas)
    assert certify(X, y, path, **options).worst <= 1e-10
    assert np.all(path.relative_gaps <= 1e-11)
    return path


def refine(X: Any, y: Any, beta: Any, alphas: Any, l1_ratio: float) -> Any:
    """Return the exact solutions on the supports and with the signs of beta, once checked to be optimal.

    For standardised columns, unit weights and an intercept; uses neither the solver nor certify.
    """
    n = len(y)
    s = X.std(axis=0)
    Z = (X - X.mean(axis=0)) / s
    out = np.zeros_like(beta)
    for k, alpha in enumerate(alphas):
        A = np.flatnonzero(beta[:, k])
        sign = np.sign(beta[A, k])
        gram = Z[:, A].T @ Z[:, A] / n + alpha * (1 - l1_ratio) * np.eye(A.size)
        b = np.linalg.solve(gram, Z[:, A].T @ (y - y.mean()) / n - alpha * l1_ratio * sign)
        correlation = np.abs(Z.T @ (y - y.mean() - Z[:, A] @ b)) / n
        correlation[A] = 0.0
        assert np.array_equal(np.sign(b), sign)
        assert correlation.max() <= alpha * l1_ratio * (1 + 1e-10)
        out[A, k] = b / s[A]
    return out
