"""Every path of another loss that R glmnet computed for the data folder, met at every lambda and certified.

What is translated: labels become 0/1 and class numbers; glmnet scales columns by their deviation about the
mean, also without an intercept; its Cox loss is the log partial likelihood divided by n. Its ridge part is
lambda (1 - a) / 2 b^2 s^2 for these families, and for the grouped ones the norm is over classes or responses.
The symmetric multinomial leaves a constant over classes open: fitted probabilities are compared.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import drawing_losses
import numpy as np
import oracle_losses
import pytest
from oracle_losses import Problem

from fastreg.certify import certify

# Distance to the reference, relative to the largest coefficient (or intercept).
CLOSE = 1e-5
# Relative suboptimality of the references: glmnet ran with thresh = 1e-14. Their certified gaps are larger:
# conditions that hold to 4e-7 of the first lambda miss by 4e-3 of the last one of the Cox lasso.
REFERENCE_LOSS, REFERENCE_GAP = 1e-6, 2e-4
TOL = 1e-12


@dataclass(frozen=True)
class Case:
    """One call of glmnet: data, family, mixing parameter, and what else was not the default."""

    data: str
    family: str
    mix: float = 1.0
    options: dict[str, Any] = field(default_factory=dict)
    close: float = CLOSE


CASES = {
    # glmnet is 1.2e-5 off at the end, where coefficients grow to 14: see the test of some of the path.
    "binomial_lasso": Case("glmnet_binomial", "binomial", close=1.5e-5),
    "binomial_enet05": Case("glmnet_binomial", "binomial", 0.5),
    "binomial_ridge": Case("glmnet_binomial", "binomial", 0.0),
    "binomial_weights": Case("glmnet_binomial", "binomial", options={"sample_weight": "cycle"}),
    "binomial_noint": Case("glmnet_binomial", "binomial", options={"fit_intercept": False}),
    "poisson_lasso": Case("glmnet_poisson", "poisson"),
    "poisson_enet05": Case("glmnet_poisson", "poisson", 0.5),
    "poisson_offset": Case("glmnet_poisson", "poisson", options={"offset": "cycle"}),
    "multinomial_lasso": Case("glmnet_multinomial", "multinomial"),
    "multinomial_enet05": Case("glmnet_multinomial", "multinomial", 0.5),
    "multinomial_grouped": Case("glmnet_multinomial", "multinomial", options={"grouped": True}),
    "cox_lasso": Case("glmnet_cox", "cox", options={"fit_intercept": False}),
    "cox_enet05": Case("glmnet_cox", "cox", 0.5, {"fit_intercept": False}),
    "mgaussian_lasso": Case("glmnet_multigaussian", "mgaussian"),
    "leukemia_binomial": Case("leukemia", "binomial"),
    "khan_multinomial": Case("khan", "multinomial"),
}
WIDE = ("leukemia_binomial", "khan_multinomial")
# Interpreted kernels take their time: they solve every tenth lambda of three small cases.
QUICK = ("binomial_enet05", "binomial_ridge", "mgaussian_lasso")
SMALL = [
    pytest.param(name, marks=[] if name in QUICK else pytest.mark.compiled_only)
    for name in CASES
    if name.startswith(("binomial", "mgaussian"))
]
THIN = 10


@dataclass(frozen=True)
class Reference:
    """One case in our words, y both as users have it and as the oracle wants it, with glmnet's solutions."""

    problem: Problem
    y: Any
    lambdas: Any
    beta: Any  # (outputs, p, K)
    a0: Any  # (outputs, K)
    close: float

    def thinned(self) -> Reference:
        """Return the last lambda and every tenth before it."""
        kept = slice((self.lambdas.size - 1) % THIN, None, THIN)
        lambdas, beta, a0 = (part[..., kept] for part in (self.lambdas, self.beta, self.a0))
        return replace(self, lambdas=lambdas, beta=beta, a0=a0)

    def at(self, k: int) -> tuple[Problem, Any, Any]:
        """Return problem, coefficients and intercepts of the k-th lambda."""
        problem = self.problem
        problem.alpha = float(self.lambdas[k])
        return problem, self.beta[..., k], self.a0[..., k]


@pytest.fixture
def reference(request: pytest.FixtureRequest, load_data: Any) -> Reference:
    name = request.param
    case = CASES[name]
    data, paths = load_data(case.data), load_data("glmnet_reference")
    X, y = np.asfortranarray(data["X"], dtype=np.float64), np.asarray(data["y"])
    row = np.arange(1, len(X) + 1)
    options = dict(case.options)
    if "sample_weight" in options:
        options["sample_weight"] = row % 5 + 1.0
    if "offset" in options:
        options["offset"] = np.log(1.0 + row % 7)
    plain = y.astype(np.float64)
    if case.family == "binomial":
        plain = 1.0 * (y == y.max())
    if case.family == "multinomial":
        plain = 1.0 * (y[:, None] == np.unique(y))
    problem = Problem(case.family, X, plain, l1_ratio=case.mix, standardize=True, **options)
    # glmnet writes infinity for the first lambda of a ridge path.
    first = 1 if case.mix == 0.0 else 0
    lambdas, beta, a0 = (paths[f"{name}/{part}"][..., first:] for part in ("lambda", "beta", "a0"))
    if beta.ndim == 2:
        beta, a0 = beta[None], (a0 if a0.size else np.zeros(lambdas.size))[None]
    return Reference(problem, y, lambdas, beta, a0, case.close)


def every(names: Any) -> Any:
    return pytest.mark.parametrize("reference", names, indirect=True)


def path_of(reference: Reference) -> Any:
    """Return the certified path at glmnet's lambdas."""
    return drawing_losses.solve(reference.problem, reference.lambdas, reference.y, tol=TOL)


def test_every_other_case_is_listed(load_data: Any) -> None:
    stored = {key.split("/")[0] for key in load_data("glmnet_reference").files}
    gaussian = ("quickstart", "leukemia_gaussian", "riboflavin")
    assert {name for name in stored if not name.startswith(gaussian)} == set(CASES)


@every(CASES)
def test_the_translation_is_right(reference: Reference) -> None:
    # Without the solver: at glmnet's own solutions the optimality conditions hold, by the oracle.
    # Columns are measured by their deviations, so that conditions of all features have one unit.
    unit = np.min(reference.problem.design.std(axis=0))
    for k in range(0, reference.lambdas.size, 7):
        problem, beta, a0 = reference.at(k)
        assert oracle_losses.kkt(problem, beta, a0) / unit <= 1e-5 * reference.lambdas[0]


@every([name for name in CASES if name not in WIDE and name != "binomial_ridge"])
def test_the_first_lambda_is_alpha_max(reference: Reference) -> None:
    # Both by the oracle: glmnet starts where the first coefficient enters.
    assert oracle_losses.alpha_max(reference.problem) == pytest.approx(reference.lambdas[0], rel=1e-9)


@every(CASES)
def test_references_are_certified(reference: Reference) -> None:
    # Certify, which shares no code with the solver, finds glmnet's solutions nearly optimal too.
    reference = reference.thinned()
    problem = reference.problem
    several = problem.outputs > 1
    beta, a0 = (reference.beta, reference.a0) if several else (reference.beta[0], reference.a0[0])
    options = drawing_losses.options(problem) | {"fit_intercept": problem.fit_intercept}
    claim = certify(
        problem.X, reference.y, beta, a0, reference.lambdas, family=problem.family, grouped=problem.grouped,
        **options,
    )  # fmt: skip
    assert claim.feasible.all()
    assert claim.worst <= REFERENCE_GAP


def assert_close(reference: Reference) -> Any:
    """Return our path once coefficients (or probabilities) and objectives are those of the reference."""
    path, problem, K = path_of(reference), reference.problem, reference.lambdas.size
    np.testing.assert_array_equal(path.alphas, reference.lambdas)
    ours = [drawing_losses.at(path, k) for k in range(K)]
    is_open = problem.family == "multinomial"
    centre = reference.beta.mean(axis=0) if is_open else 0.0
    size = max(np.abs(reference.beta - centre).max(), np.abs(reference.a0).max())
    for k, (coef, intercept) in enumerate(ours):
        one, beta, a0 = reference.at(k)
        if is_open:
            pi = oracle_losses.mean(one, one.eta(coef, intercept))
            assert np.abs(pi - oracle_losses.mean(one, one.eta(beta, a0))).max() <= reference.close
            found = path.predict(problem.X, alpha=path.alphas[k])
            np.testing.assert_allclose(found, pi, rtol=0, atol=1e-10)
        if is_open and one.grouped:
            assert (
                np.abs((coef - coef.mean(axis=0)) - (beta - beta.mean(axis=0))).max()
                <= reference.close * size
            )
        if not is_open:
            assert np.abs(coef - beta).max() <= reference.close * size
            assert np.abs(intercept - a0).max() <= reference.close * size
        lost = oracle_losses.objective(one, coef, intercept) - oracle_losses.objective(one, beta, a0)
        assert -REFERENCE_LOSS * path.null_objective <= lost <= 2 * TOL * path.null_objective
    return path


@every(SMALL)
def test_some_of_the_path_meets_the_reference(reference: Reference) -> None:
    # Ours against glmnet, and both against the oracle: glmnet is up to 1.2e-5 off, ours to rounding.
    reference = reference.thinned()
    path = assert_close(reference)
    size = np.abs(reference.beta).max()
    for k in range(reference.lambdas.size):
        one, beta, _ = reference.at(k)
        exact, _ = oracle_losses.solve(one)
        assert np.abs(drawing_losses.at(path, k)[0] - exact).max() <= 1e-6 * size
        assert np.abs(beta - exact).max() <= reference.close * size


@pytest.mark.compiled_only
@every([name for name in CASES if name not in WIDE])
def test_path_meets_the_reference(reference: Reference) -> None:
    assert_close(reference)


@pytest.mark.compiled_only
@every(WIDE)
def test_wide_path_meets_the_reference(reference: Reference) -> None:
    assert_close(reference)
