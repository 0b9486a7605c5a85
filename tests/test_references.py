"""Lazy references: a path with more alphas than reference rows must certify every one of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.sparse
from numba.core import config

import fastreg
from fastreg import certify, solvers
from fastreg.kernels import engine
from fastreg.kernels.screening import LIFTED

RNG = np.random.default_rng(8)
X = RNG.standard_normal((30, 120))
Y = X[:, :4] @ np.array([2.0, -1.0, 1.0, 0.5]) + RNG.standard_normal(30)


@pytest.mark.parametrize("rows", [2, 3, 5])
@pytest.mark.parametrize("store", [np.asfortranarray, scipy.sparse.csc_array])
def test_rows_are_freed_only_when_nobody_rests_on_them(
    monkeypatch: pytest.MonkeyPatch, rows: int, store: Any
) -> None:
    # Once, a row that had to be freed kept its users uncounted, and features were certified by stale numbers.
    monkeypatch.setattr(solvers, "MAX_REFERENCES", rows)
    path = fastreg.lasso_path(store(X), Y, alphas=60, eps=1e-2, fit_intercept=True)
    assert certify(store(X), Y, path, fit_intercept=True).worst <= 1e-9


def test_counts_of_users_add_up(monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[Any] = []
    original = solvers.ScreenedSolver.__init__

    def remember(self: Any, *arguments: Any) -> None:
        original(self, *arguments)
        kept.append(self)

    monkeypatch.setattr(solvers, "MAX_REFERENCES", 4)
    monkeypatch.setattr(solvers.ScreenedSolver, "__init__", remember)
    fastreg.lasso_path(X, Y, alphas=80, eps=1e-3, fit_intercept=True)
    references, working = kept[0].state.Q, kept[0].state.W
    outside = working.slot_of < 0
    counted = np.bincount(references.frame, minlength=len(references.users))
    np.testing.assert_array_equal(references.users, counted)
    assert (references.frame[~outside] == LIFTED).all()


@pytest.mark.skipif(not config.DISABLE_JIT, reason="looks into kernels, which only plain Python allows")
@pytest.mark.parametrize("eps", [1e-2, 1e-5])
@pytest.mark.parametrize("spread", [0, 60, 200], ids=["alike", "scaled", "beyond float32"])
def test_no_bound_is_passed(monkeypatch: pytest.MonkeyPatch, eps: float, spread: int) -> None:
    # At every screening, whatever the rows: no feature's correlation may exceed what its frame promises.
    unit = np.exp2(np.random.default_rng(9).integers(-spread, spread + 1, X.shape[1]))
    original, checked = engine.select_reads, []

    def check(Q: Any, P: Any, alpha: float, begin: int, reads: Any) -> tuple[int, int]:
        state = solver[0].state
        design = state.U.D.XT if hasattr(state.U.D, "XT") else None
        assert design is not None
        centred = (design - state.U.D.mean[:, None]) * state.U.D.scale[:, None]
        exact = centred @ (state.U.w * state.U.r)
        f = Q.frame
        bound = np.abs(Q.along_u * Q.u[f] + Q.along_z * Q.z[f]) + Q.rest * Q.distance[f]
        out = f != LIFTED
        assert (np.abs(exact[out]) <= bound[out] * (1 + 1e-12) + 1e-14 * unit[out]).all()
        checked.append(int((Q.second[f[out]] >= 0).sum()))
        count, end = original(Q, P, alpha, begin, reads)
        return int(count), int(end)

    solver: list[Any] = []
    make = solvers.ScreenedSolver.__init__

    def remember(self: Any, *arguments: Any) -> None:
        make(self, *arguments)
        solver.append(self)

    monkeypatch.setattr(solvers.ScreenedSolver, "__init__", remember)
    monkeypatch.setattr(engine, "select_reads", check)
    options = {"alphas": 25, "eps": eps, "fit_intercept": True}
    path = fastreg.lasso_path(np.asfortranarray(X * unit), Y, penalty_factor=unit, **options)
    assert len(checked) >= 25
    monkeypatch.undo()
    # The penalty factors undo the scales.
    plain = fastreg.lasso_path(np.asfortranarray(X), Y, **options)
    np.testing.assert_allclose(path.coefs * unit[:, None], plain.coefs, atol=1e-8)
    # Pairs of rows were in use, else this tests half of it.
    assert max(checked) > 10


@pytest.mark.compiled_only
def test_thousands_of_alphas_are_certified() -> None:
    data = fastreg.datasets.make_correlated(n=100, p=2000, rho=0.5, seed=0)
    path = fastreg.lasso_path(data.X, data.y, alphas=3000, eps=1e-2, fit_intercept=True)
    assert certify(data.X, data.y, path, fit_intercept=True).worst <= 1e-9


@pytest.mark.parametrize("spread", [60, 200])
@pytest.mark.parametrize("store", [np.asfortranarray, scipy.sparse.csc_array])
def test_columns_of_any_scale_are_certified(spread: int, store: Any) -> None:
    # References keep float32 numbers; columns are left as given in a range that is much larger.
    unit = np.exp2(np.random.default_rng(9).integers(-spread, spread + 1, X.shape[1]))
    options = {"alphas": 60, "eps": 1e-2, "fit_intercept": True}
    path = fastreg.lasso_path(store(X * unit), Y, penalty_factor=unit, **options)
    assert certify(store(X * unit), Y, path, fit_intercept=True, penalty_factor=unit).worst <= 1e-9
    plain = fastreg.lasso_path(store(X), Y, **options)
    np.testing.assert_allclose(path.coefs * unit[:, None], plain.coefs, atol=1e-8)
