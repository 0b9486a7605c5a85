"""Lazy references: a path with more alphas than reference rows must certify every one of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.sparse
from numba.core import config

import fastreg
from fastreg import certify, solvers
from fastreg._jit import kernel
from fastreg.kernels import engine, together
from fastreg.kernels.screening import FIRST_FRAME, LIFTED, SOME, VACATED, select_reads
from fastreg.kernels.state import Penalties, Reads

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


def test_counts_of_users_add_up(monkeypatch: pytest.MonkeyPatch, solvers_made: list[Any]) -> None:
    monkeypatch.setattr(solvers, "MAX_REFERENCES", 4)
    fastreg.lasso_path(X, Y, alphas=80, eps=1e-3, fit_intercept=True)
    references, working = solvers_made[0].state.Q, solvers_made[0].state.W
    outside = np.isin(np.arange(X.shape[1]), working.feature[: working.size[0]], invert=True)
    counted = np.bincount(references.frame, minlength=len(references.users))
    np.testing.assert_array_equal(references.users, counted)
    assert (references.frame[~outside] == LIFTED).all()


@pytest.mark.parametrize("store", [np.asfortranarray, scipy.sparse.csc_array])
@pytest.mark.parametrize("largest", [10_000, 1])
def test_slots_are_known_in_the_order_of_their_features(
    monkeypatch: pytest.MonkeyPatch, solvers_made: list[Any], store: Any, largest: int
) -> None:
    monkeypatch.setattr(solvers.ScreenedSolver, "_largest_support", lambda self: largest)
    # Many enter and leave: few rows, and correlated columns.
    correlated = X + 2.0 * RNG.standard_normal((30, 1))
    fastreg.lasso_path(store(correlated), Y, alphas=40, eps=1e-2)
    working = solvers_made[0].state.W
    m = int(working.size[0])
    assert m > 20
    order = working.order[:m]
    np.testing.assert_array_equal(np.sort(order), np.arange(m))
    assert (np.diff(working.feature[order]) > 0).all()
    if working.slot_of.size:
        np.testing.assert_array_equal(working.slot_of[working.feature[:m]], np.arange(m))


@pytest.mark.skipif(not config.DISABLE_JIT, reason="looks into kernels, which only plain Python allows")
def test_counts_of_users_add_up_where_responses_share_the_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[Any] = []
    readings: dict[int, int] = {}
    original = together._rest_anew

    def remember(S: Any, alpha: float, correlations: Any) -> None:
        original(S, alpha, correlations)
        references, working = S.Q, S.W
        outside = np.isin(np.arange(X.shape[1]), working.feature[: working.size[0]], invert=True)
        counted = np.bincount(references.frame, minlength=len(references.users))
        np.testing.assert_array_equal(references.users, counted)
        assert (references.frame[~outside] == LIFTED).all()
        exact = X.T @ S.U.v - S.U.D.mean * S.U.v.sum()
        np.testing.assert_allclose(correlations, exact, atol=1e-13)
        kept.append(np.count_nonzero(np.bincount(references.frame[outside])))
        readings[id(S.stats)] = readings.get(id(S.stats), 0) + 1

    monkeypatch.setattr(together, "_rest_anew", remember)
    # Columns of 30 entries are no trouble to read: as if they were.
    monkeypatch.setattr(solvers, "cost_of_sharing", lambda entries: 0.15)
    # Noise of its own: the same whatever test came before.
    noise = np.random.default_rng(0).standard_normal((30, 4))
    Z = np.column_stack([Y, X[:, 5] + noise[:, 0], noise[:, 1:]])
    options = {"alphas": 30, "eps": 1e-2, "fit_intercept": True}
    paths = fastreg.lasso_path(X, Z, multi_response="independent", **options)
    # All is read where lists have grown: several times, and not at every alpha.
    assert 2 * 5 <= len(kept) <= 15 * 5
    # Every path has its own, and the alphas are 30.
    assert len(readings) == 5
    assert max(readings.values()) <= 15
    # Features part between two readings, and meet again.
    assert min(kept) == 1
    for z, path in zip(Z.T, paths, strict=True):
        assert certify(X, z, path, fit_intercept=True).worst <= 1e-9
        # To wait costs no round, the look goes on where it was; rounding may cost one.
        alone = fastreg.lasso_path(X, z, alphas=30, eps=1e-2, fit_intercept=True)
        assert abs(int(path.n_iter.sum() - alone.n_iter.sum())) <= 2
        # The survey, and what all columns are read for every path; at most a quarter of the rest without.
        own = path.counters["columns_read"] / X.shape[1] - 1 - len(kept) / 5
        assert own <= 0.3 * (alone.counters["columns_read"] / X.shape[1] - 1)


@pytest.mark.skipif(not config.DISABLE_JIT, reason="looks into kernels, which only plain Python allows")
@pytest.mark.parametrize("eps", [1e-2, 1e-5])
@pytest.mark.parametrize("count", [1, 3], ids=["alone", "together"])
@pytest.mark.parametrize("spread", [0, 60, 200], ids=["alike", "scaled", "beyond float32"])
def test_no_bound_is_passed(
    monkeypatch: pytest.MonkeyPatch, solvers_made: list[Any], eps: float, spread: int, count: int
) -> None:
    # At every screening, whatever the rows: no feature's correlation may exceed what its frame promises.
    unit = np.exp2(np.random.default_rng(9).integers(-spread, spread + 1, X.shape[1]))
    original, checked = engine.select_reads, []

    def check(Q: Any, P: Any, alpha: float, begin: int, reads: Any) -> tuple[int, int]:
        state = next(each.state for each in solvers_made if each.state.Q is Q)
        design = state.U.D.XT if hasattr(state.U.D, "XT") else None
        assert design is not None
        centred = (design - state.U.D.mean[:, None]) * state.U.D.scale[:, None]
        exact = centred @ (state.U.w * state.U.r)
        f = Q.frame
        bound = np.abs(Q.along_u * Q.u[f] + Q.along_z * Q.z[f]) + Q.rest * Q.distance[f]
        out = f != LIFTED
        assert (np.abs(exact[out]) <= bound[out] * (1 + 1e-12) + 1e-14 * unit[out]).all()
        checked.append(int((Q.second[f[out]] >= 0).sum()))
        listed, end = original(Q, P, alpha, begin, reads)
        return int(listed), int(end)

    monkeypatch.setattr(engine, "select_reads", check)
    monkeypatch.setattr(solvers, "cost_of_sharing", lambda entries: 0.2)
    options = {"alphas": 25, "eps": eps, "fit_intercept": True}
    Z = np.column_stack([Y, Y + X[:, 9], Y - X[:, 8]])[:, :count]
    scaled = np.asfortranarray(X * unit)
    path, *_ = fastreg.lasso_path(scaled, Z, penalty_factor=unit, multi_response="independent", **options)
    assert len(checked) >= 25 * count
    monkeypatch.undo()
    # The penalty factors undo the scales.
    plain = fastreg.lasso_path(np.asfortranarray(X), Y, **options)
    np.testing.assert_allclose(path.coefs * unit[:, None], plain.coefs, atol=1e-8)
    # Pairs of rows were in use, else this tests half of it.
    assert max(checked) > 10


@kernel
def listed_by_the_kernel(Q, P, alpha, begin, reads):
    return select_reads(Q, P, alpha, begin, reads)


def references_at_the_edge(rng: np.random.Generator, p: int, size: float, share: float) -> Any:
    """Return references whose bounds lie around ``size``, many closer to it than float32 can tell."""
    Q = solvers._allocate_references(np.ones(p), 5)
    Q.frame[:] = np.where(rng.random(p) < share, FIRST_FRAME, FIRST_FRAME + rng.integers(0, 4, p))
    axes = Q.u.size - FIRST_FRAME
    Q.u[FIRST_FRAME:], Q.z[FIRST_FRAME:] = size * rng.standard_normal((2, axes))
    Q.distance[FIRST_FRAME:] = size * rng.random(axes)
    Q.along_u[:], Q.along_z[:], Q.rest[:] = *rng.standard_normal((2, p)), rng.random(p)
    signed, rest = terms(Q)
    edge = size / (np.abs(signed) + rest) * rng.choice([1.0, 1 + 1e-7, 1 - 1e-7, 1.01, 0.99], p)
    for part in (Q.along_u, Q.along_z, Q.rest):
        part *= edge
    for frame, left in ((VACATED, 1.0), (LIFTED, 0.0)):
        some = rng.random(p) < 0.05
        Q.frame[some], Q.along_u[some], Q.along_z[some], Q.rest[some] = frame, 0.0, 0.0, left
    Q.users[:] = np.bincount(Q.frame, minlength=Q.users.size)
    return Q


def terms(Q: Any) -> tuple[Any, Any]:
    """Return what frames know of the correlations, and what is left."""
    u, z, distance = Q.u[Q.frame], Q.z[Q.frame], Q.distance[Q.frame]
    return Q.along_u.astype(float) * u + Q.along_z.astype(float) * z, Q.rest.astype(float) * distance


@pytest.mark.parametrize("share", [0.0, 0.9])
@pytest.mark.parametrize("size", [1.0, 1e-40, 1e25, 1e-300])
@pytest.mark.parametrize("room", [5000, 40])
def test_whoever_passes_the_bound_is_listed_and_nobody_else(size: float, share: float, room: int) -> None:
    # The first look is in float32: it may doubt those at the edge, never pass one by.
    rng = np.random.default_rng(3)
    p = 3 * SOME + 17
    for lower in (np.full(1, -np.inf), np.where(rng.random(p) < 0.3, 0.0, -np.inf)):
        Q = references_at_the_edge(rng, p, size, share)
        P = Penalties(np.ones(1), np.zeros(1), lower, np.full(1, np.inf))
        signed, rest = terms(Q)
        passed = np.maximum(signed, np.where(lower < 0.0, -signed, -np.inf)) + rest
        reads, found, at = Reads(np.zeros(room, np.int64), np.zeros(room)), [], 0
        while at < p:
            count, at = listed_by_the_kernel(Q, P, size, at, reads)
            found += reads.feature[:count].tolist()
        assert found == sorted(set(found))
        is_listed = np.isin(np.arange(p), found)
        # In float64 the last digit may be rounded either way.
        assert is_listed[passed > size * (1.0 + 1e-12)].all()
        assert not is_listed[passed < size * (1.0 - 1e-12)].any()
        assert 0.2 * p < is_listed.sum() < 0.8 * p


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
