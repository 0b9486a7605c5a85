"""Offsets, levels and scales far from one: the answer is that of tame numbers, or a refusal, or no proof."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from drawing_losses import FAMILIES
from test_glm_degenerate import RESPONSES, N, X, finite

import fastreg
from fastreg.certify import certify
from fastreg.errors import DataError, Status

# Families whose coefficients may have limits one by one.
ONE_BY_ONE = [family for family in FAMILIES if family != "mgaussian"]


@pytest.mark.parametrize("level", [1e4, -1e6])
def test_the_level_of_y_changes_nothing_but_the_intercept_of_huber(level: float) -> None:
    y = RESPONSES["huber"]
    plain = finite(fastreg.huber_path(X, y, alphas=8))
    found = finite(fastreg.huber_path(X, y + level, alphas=8))
    np.testing.assert_allclose(found.coefs, plain.coefs, atol=1e-8)
    np.testing.assert_allclose(found.intercepts - level, plain.intercepts, atol=1e-8)
    assert certify(X, y + level, found).worst <= found.tol


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("delta", [0.1, 0.01])
def test_a_loss_that_is_flat_nearly_everywhere_has_an_intercept(delta: float, seed: int) -> None:
    # Whole steps go from one end of the flat parts to the other and back.
    rng = np.random.default_rng(seed)
    Z = rng.normal(size=(6, 9))
    y = Z[:, 0] + rng.normal(size=6)
    path = finite(fastreg.huber_path(Z, y, delta=delta, alphas=8))
    assert (np.diff(path.dev_ratio) >= -1e-9).all()
    assert certify(Z, y, path).worst <= path.tol


def test_null_models_of_classes_under_offsets_far_apart() -> None:
    for seed in range(8):
        rng = np.random.default_rng(seed)
        y, offset = rng.permutation(np.arange(10) % 3), 10.0 * rng.normal(size=(10, 3))
        path = finite(fastreg.multinomial_path(X[:10], y, offset=offset, alphas=3))
        expected = certify(X[:10], y, path, offset=offset)
        assert path.null_objective == pytest.approx(expected.null_objective, rel=1e-9)
        assert expected.worst <= 2 * path.tol


CONSTANT: dict[str, Any] = {
    "poisson": [2977.0] * (N - 1) + [5.0],
    "binomial": [0.3] * (N - 1) + [0.5],
    "multinomial": [[0.3, 0.7]] * (N - 1) + [[0.5, 0.5]],
    "mgaussian": [[0.3, 0.7]] * (N - 1) + [[0.5, 0.5]],
}


@pytest.mark.parametrize("family", CONSTANT)
def test_a_response_is_constant_where_rows_weigh_something(family: str) -> None:
    weights = np.r_[np.ones(N - 1), 0.0]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        path = fastreg.glm_path(X, CONSTANT[family], family=family, sample_weight=weights, alphas=3)
    assert path.status is Status.CONVERGED
    assert not path.coefs.any()
    assert not path.dual_gaps.any()


@pytest.mark.parametrize(
    ("offset", "fit_intercept"),
    [([400.0, 400, -400, -400], True), ([-745.0] * 4, False), ([-1e3] * 4, False)],
)
def test_means_beyond_float64_keep_their_logarithm(offset: Any, fit_intercept: bool) -> None:
    Z, y = [[1.0], [-1.0], [2.0], [0.5]], [0, 1, 2, 3]
    options = {"offset": offset, "fit_intercept": fit_intercept}
    path = finite(fastreg.poisson_path(Z, y, alphas=3, eps=0.1, **options))
    assert certify(Z, y, path, **options).worst <= path.tol


def test_counts_and_proportions_may_be_small_but_are_never_taken_for_none() -> None:
    expected = fastreg.poisson_path(X, np.arange(N) + 1.0, alphas=2, eps=0.1)
    found = finite(fastreg.poisson_path(X, 1e-12 * (np.arange(N) + 1.0), alphas=2, eps=0.1))
    np.testing.assert_allclose(found.coefs, expected.coefs, rtol=1e-6)
    for fit in (fastreg.poisson_path, fastreg.logistic_path):
        with pytest.warns(fastreg.errors.ConvergenceWarning):
            path = fit(X, 1e-20 * (np.arange(N) + 1.0), alphas=2, eps=0.1)
        assert path.alpha_max == pytest.approx(1e-20 * expected.alpha_max, rel=1e-6)
        assert path.status is Status.NOT_CONVERGED


@pytest.mark.parametrize("options", [{"offset": [600.0] * N, "fit_intercept": False}, {"scale": 1e160}])
def test_residuals_whose_squares_overflow_are_refused(options: Any) -> None:
    y = options.pop("scale", 1.0) * (np.arange(N) + 1.0)
    with pytest.raises(DataError, match="squares float64 can hold, got some up to .*rescale y or the offset"):
        fastreg.poisson_path(X, y, alphas=2, **options)


@pytest.mark.parametrize("gap", [np.inf, np.nan])
def test_a_gap_that_is_no_number_is_a_miss(gap: float, monkeypatch: pytest.MonkeyPatch) -> None:
    from fastreg import path as paths

    follow = paths._follow

    def spoil(problem: Any, solver: Any, settings: Any, monitor: Any, record: Any) -> Any:
        status = follow(problem, solver, settings, monitor, record)
        record.trail.gap[record.done()[2]] = gap
        return status

    monkeypatch.setattr(paths, "_follow", spoil)
    with pytest.warns(fastreg.errors.ConvergenceWarning, match="1 of 4 alphas"):
        path = fastreg.lasso_path(X, X[:, 0], alphas=4, fit_intercept=True)
    assert path.status is Status.NOT_CONVERGED


@pytest.mark.parametrize("family", ONE_BY_ONE)
def test_limits_that_nobody_reaches_cost_the_certificate_nothing(family: str) -> None:
    options = {"alphas": 4, "eps": 0.2}
    plain = finite(fastreg.glm_path(X, RESPONSES[family], family=family, **options))
    limits = {"lower_limits": -1e30, "upper_limits": 1e30}
    found = finite(fastreg.glm_path(X, RESPONSES[family], family=family, **options, **limits))
    np.testing.assert_allclose(found.dual_gaps, plain.dual_gaps, rtol=1e-6, atol=1e-15)
    assert certify(X, RESPONSES[family], found, **limits).worst <= found.tol
