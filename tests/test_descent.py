"""Large supports: descent with conjugate gradients, forced on small problems by taking the factor away."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.sparse
from numba.core import config

import fastreg
from fastreg import certify, descent, driver, solve_gram, solvers
from fastreg.descent import Descent, allocate_inverse
from fastreg.driver import allocate_working
from fastreg.kernels import engine
from fastreg.kernels.inverse import NEARBY, precondition, prepare
from fastreg.kernels.passes import EXPECTED, pass_over
from fastreg.kernels.storage import Csc

RNG = np.random.default_rng(3)
X = RNG.standard_normal((40, 60)) * (RNG.random((40, 60)) < 0.4)
X[:, 7] = X[:, 3]
X[:, 8] = -X[:, 4]
Y = X[:, :6] @ np.array([2.0, -1.0, 1.5, 0.7, -0.4, 1.0]) + 0.3 * RNG.standard_normal(40)

CASES: dict[str, dict[str, Any]] = {
    "lasso": {},
    "elastic net": {"l1_ratio": 0.5},
    "standardised": {"standardize": True, "sample_weight": RNG.integers(1, 4, 40)},
    "bounds": {"lower_limits": -0.3, "upper_limits": 0.5},
    "positive": {"positive": True},
    "factors": {"penalty_factor": np.r_[0.0, np.ones(50), np.full(8, 2.0), np.inf]},
    "no intercept": {"fit_intercept": False},
}


@pytest.fixture
def no_factor(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the cost model find that neither a factor nor a Gram matrix ever pays."""
    monkeypatch.setattr(solve_gram, "TALL", 1e9)
    monkeypatch.setattr(solvers, "SMALL_SUPPORT", 2)
    monkeypatch.setattr(solvers, "FACTOR_WORTH", 0)
    monkeypatch.setattr(solvers, "LARGEST_FACTOR", 2)


def test_descent_goes_on_in_the_direction_of_the_path(
    no_factor: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = []
    original = Descent.take_over

    def remember(self: Descent, record: Any, *found: Any) -> None:
        original(self, record, *found)
        taken.append((record.finished, self.last_alpha))

    monkeypatch.setattr(Descent, "take_over", remember)
    path = fastreg.lasso_path(scipy.sparse.csc_array(X), Y, alphas=60, eps=1e-2, fit_intercept=True)
    # Two alphas of the factor tell where the path goes: what it wrote down is what descent begins with.
    [(finished, last_alpha)] = taken
    assert finished >= 2
    assert last_alpha == path.alphas[finished - 2]


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("store", [np.asfortranarray, scipy.sparse.csc_array])
def test_descent_certifies_what_the_exact_finish_finds(no_factor: None, case: str, store: Any) -> None:
    options = {"fit_intercept": True} | CASES[case]
    path = fastreg.enet_path(store(X), Y, alphas=15, eps=1e-2, tol=1e-9, **({"l1_ratio": 1.0} | options))
    claim = {name: value for name, value in options.items() if name != "l1_ratio"}
    assert path.status is fastreg.Status.CONVERGED
    assert path.counters["sweeps"] > 0
    assert path.counters["cg_steps"] > 0
    assert certify(store(X), Y, path, **claim).worst <= 1.1e-9


def _followed(monkeypatch: pytest.MonkeyPatch, X: Any) -> tuple[Any, list[int]]:
    """Solve 15 alphas by descent; return what descended and how many columns each packing copied."""
    made: list[Any] = []
    copied: list[int] = []
    pack = engine.pack_columns
    new = solvers.ScreenedSolver._new_descent

    def kept(solver: Any) -> Any:
        made.append(new(solver))
        return made[-1]

    def counted(columns: Any, features: Any, first: int, packed: Any) -> None:
        copied.append(len(features))
        pack(columns, features, first, packed)

    monkeypatch.setattr(solvers.ScreenedSolver, "_new_descent", kept)
    monkeypatch.setattr(engine, "pack_columns", counted)
    path = fastreg.lasso_path(X, Y, alphas=15, eps=1e-2, tol=1e-9, fit_intercept=True)
    assert path.status is fastreg.Status.CONVERGED
    return made[0], copied


def test_a_column_is_packed_once_and_lies_where_it_is_said_to(
    no_factor: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    sparse = scipy.sparse.csc_array(X)
    descent, copied = _followed(monkeypatch, sparse)
    packed = np.flatnonzero(descent.place_of >= 0)
    # The working set changes at nearly every alpha: copying it whole would count a column many times.
    assert sum(copied) == descent.n_packed == packed.size
    assert len(copied) > 5
    for j in packed:
        place = descent.place_of[j]
        entries = slice(int(descent.packed.indptr[place]), int(descent.packed.indptr[place + 1]))
        column = np.zeros(len(Y))
        column[descent.packed.indices[entries]] = descent.packed.data[entries]
        assert np.array_equal(column, X[:, j])


def _text_like(n: int, p: int, words: int, rng: np.random.Generator) -> Any:
    """Return sparse columns of falling frequency."""
    frequency = 1.0 / np.arange(1, p + 1)
    cells = rng.choice(p, size=n * words, p=frequency / frequency.sum())
    X = scipy.sparse.coo_array(
        (np.ones(n * words), (np.repeat(np.arange(n), words), cells)), shape=(n, p)
    ).tocsc()
    X.data = np.log1p(X.data)
    return X


def test_where_descent_takes_over_alphas_end_as_near_as_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(solve_gram, "TALL", 1e9)
    monkeypatch.setattr(solvers, "SMALL_SUPPORT", 8)
    monkeypatch.setattr(solvers, "FACTOR_WORTH", 0)
    rng = np.random.default_rng(5)
    X = _text_like(300, 400, 14, rng)
    y = X[:, :30] @ rng.standard_normal(30) + rng.standard_normal(300)

    def solved(tol: float) -> tuple[Any, Any]:
        path = fastreg.lasso_path(X, y, alphas=40, eps=2e-2, tol=tol, fit_intercept=False)
        loss = 0.5 * np.mean((y[:, None] - X @ path.coefs) ** 2, axis=0)
        return path, loss + path.alphas * np.abs(path.coefs).sum(axis=0)

    path, objective = solved(3e-3)
    assert path.counters["cg_steps"] > 0
    # Without the path's direction, or without any round where the last coefficients would do: 5e-4.
    assert ((objective - solved(1e-11)[1]) / path.null_objective).max() < 3e-5


def test_of_equal_columns_one_is_used(no_factor: None) -> None:
    path = fastreg.lasso_path(np.asfortranarray(X), Y, alphas=15, eps=1e-2, fit_intercept=True)
    used = path.coefs != 0
    assert not (used[3] & used[7]).any()


def test_a_budget_of_rounds_is_kept_and_still_certified(no_factor: None) -> None:
    with pytest.warns(fastreg.ConvergenceWarning, match="raise max_iter"):
        path = fastreg.lasso_path(X, Y, alphas=15, eps=1e-3, fit_intercept=True, tol=1e-14, max_iter=1)
    assert path.status is fastreg.Status.NOT_CONVERGED
    evidence = certify(X, Y, path, fit_intercept=True)
    # What is reported bounds what is proven independently, up to rounding.
    assert (path.dual_gaps <= 1e6 * evidence.gap + 1e-9).all()
    assert np.isfinite(path.dual_gaps).all()


def test_tight_bounds_on_columns_that_look_alike_do_not_cycle() -> None:
    rng = np.random.default_rng(0)
    design = np.cumsum(rng.standard_normal((30, 80)), axis=1)
    response = design @ rng.standard_normal(80) + rng.standard_normal(30)
    options = {"lower_limits": -0.01, "upper_limits": 0.01, "fit_intercept": False}
    path = fastreg.lasso_path(design, response, alphas=30, eps=1e-4, **options)
    assert path.status is fastreg.Status.CONVERGED
    assert certify(design, response, path, **options).worst <= 1e-9
    assert path.counters["gradients"] < 2000


def test_a_factor_without_digits_is_left_before_it_harms() -> None:
    # Powers of t: past the twelfth the support is singular to working precision.
    t = np.linspace(-1.0, 1.0, 200)
    powers, response = np.vander(t, 12), np.sin(5.0 * t)
    path = fastreg.lasso_path(powers, response, alphas=40, eps=1e-5, fit_intercept=True)
    assert path.relative_gaps.max() <= 1e-7
    assert certify(powers, response, path, fit_intercept=True).worst <= 1e-7


def test_ridge_with_nothing_to_shrink_is_least_squares() -> None:
    path = fastreg.ridge_path(X[:, :5], Y, alphas=[1.0], penalty_factor=np.zeros(5), fit_intercept=False)
    np.testing.assert_allclose(path.coefs[:, 0], np.linalg.lstsq(X[:, :5], Y)[0], atol=1e-10)


TALL = np.random.default_rng(5).standard_normal((400, 80))
TALL_Y = TALL @ np.linspace(-1.0, 1.0, 80) + np.random.default_rng(6).standard_normal(400)


def test_the_factor_grows_with_a_tall_support() -> None:
    path = fastreg.lasso_path(TALL, TALL_Y, alphas=8, eps=1e-4, fit_intercept=True)
    assert path.n_nonzero[-1] > 64
    assert path.counters["full_passes"] == 2
    assert certify(TALL, TALL_Y, path, fit_intercept=True).worst <= 1e-9


def test_where_a_tall_path_is_given_up_its_gaps_are_those_of_the_certificate() -> None:
    design, response = np.asfortranarray(TALL[:80, :16]), TALL_Y[:80]
    with pytest.warns(fastreg.ConvergenceWarning, match="raise max_iter"):
        path = fastreg.lasso_path(design, response, alphas=6, eps=1e-3, fit_intercept=True, max_iter=1)
    assert path.status is fastreg.Status.NOT_CONVERGED
    assert path.dual_gaps[-1] > 0.5 * path.null_objective
    evidence = certify(design, response, path, fit_intercept=True)
    np.testing.assert_allclose(path.dual_gaps, evidence.gap, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("is_free", [False, True])
@pytest.mark.parametrize(("n", "p"), [(80, 16), pytest.param(400, 80, marks=pytest.mark.compiled_only)])
def test_a_tall_path_whose_factor_cycles_goes_on_by_descent(
    monkeypatch: pytest.MonkeyPatch, n: int, p: int, is_free: bool
) -> None:
    def two_rounds(self: Any, reads: int, support: int) -> engine.Limits:
        return engine.Limits(reads, 2, 2, 10**15, support)

    monkeypatch.setattr(driver.ExactSolver, "_limits", two_rounds)
    monkeypatch.setattr(driver, "MAX_ROUNDS", 0)
    monkeypatch.setattr(driver, "ROUNDS_PER_FEATURE", 0)
    design, response = np.asfortranarray(TALL[:n, :p]), TALL_Y[:n]
    options = {"fit_intercept": True, "penalty_factor": np.r_[1.0 - is_free, np.ones(p - 1)]}
    path = fastreg.lasso_path(design, response, alphas=8, eps=1e-3, tol=1e-9, **options)
    assert path.counters["sweeps"] > 0
    assert certify(design, response, path, **options).worst <= 1.1e-9


@pytest.mark.skipif(not config.DISABLE_JIT, reason="calls parts of kernels, which only plain Python can")
def test_the_approximate_inverse_is_exact_where_pairs_are_all_there_is() -> None:
    rng = np.random.default_rng(7)
    pairs = [scipy.sparse.random_array((30, 2), density=0.5, rng=rng) for _ in range(20)]
    design = scipy.sparse.csc_array(scipy.sparse.block_diag(pairs))
    n, p = design.shape
    square = design.power(2).sum(axis=0)
    columns = Csc(
        design.data,
        design.indices.astype(np.uint32),
        design.indptr.astype(np.uint32),
        np.zeros(p),
        np.ones(p),
    )
    inverse = allocate_inverse(columns, square, n)._replace(names=np.arange(p))
    work = allocate_working(p, p, 0, 0.0)
    work.sqnorm[:], work.slot_of[:] = square, np.arange(p)
    prepare(inverse, np.ones(n), work, np.arange(p), p, 1.0, True)
    residual, out = rng.standard_normal(p), np.zeros(p)
    energy = precondition(inverse, p, residual, out)
    gram = (design.T @ design).toarray()
    correlation = np.abs(gram) / np.sqrt(np.outer(square, square))
    gram[correlation <= NEARBY] = 0.0
    np.testing.assert_allclose(gram @ out, residual, atol=1e-10)
    assert energy == pytest.approx(residual @ out)


@pytest.mark.compiled_only
def test_partners_save_products(no_factor: None) -> None:
    rng = np.random.default_rng(8)
    one = scipy.sparse.random_array((300, 60), density=0.1, rng=rng)
    noise = scipy.sparse.random_array((300, 60), density=0.05, rng=rng)
    design = scipy.sparse.csc_array(scipy.sparse.hstack([one, one + noise]))
    response = design @ rng.standard_normal(120) + 0.1 * rng.standard_normal(300)
    options = {"alphas": 10, "eps": 1e-2, "tol": 1e-9, "fit_intercept": False}
    path = fastreg.lasso_path(design, response, **options)
    dense = fastreg.lasso_path(np.asfortranarray(design.toarray()), response, **options)
    assert certify(design, response, path, fit_intercept=False).worst <= 1.1e-9
    assert path.counters["cg_steps"] < 0.8 * dense.counters["cg_steps"]


@pytest.mark.compiled_only
@pytest.mark.parametrize("store", [np.asfortranarray, scipy.sparse.csc_array])
def test_near_copies_without_a_factor_are_solved(no_factor: None, store: Any) -> None:
    # Clipping every coefficient that crosses zero led nowhere here: 2500 sweeps and a gap of 1e-2.
    rng = np.random.default_rng(8)
    one = scipy.sparse.random_array((300, 60), density=0.1, rng=rng)
    noise = scipy.sparse.random_array((300, 60), density=0.01, rng=rng)
    design = scipy.sparse.hstack([one, one + 0.3 * noise]).toarray()
    response = design @ rng.standard_normal(120) + 0.1 * rng.standard_normal(300)
    options = {"fit_intercept": False}
    path = fastreg.lasso_path(store(design), response, alphas=10, eps=1e-2, tol=1e-9, **options)
    assert certify(store(design), response, path, **options).worst <= 1.1e-9
    assert path.counters["sweeps"] < 1000


@pytest.mark.parametrize("family", ["gaussian", "binomial"])
def test_what_anchors_certify_stays_below_the_level(
    no_factor: None, monkeypatch: pytest.MonkeyPatch, family: str
) -> None:
    rng = np.random.default_rng(5)
    rare = scipy.sparse.random_array((120, 300), density=0.05, rng=rng, format="csc")
    score = rare[:, :8] @ np.linspace(4.0, 2.0, 8) + 0.3 * rng.standard_normal(120)
    estimated = []

    def check(U: Any, W: Any, P: Any, T: Any, M: Any, A: Any, now: Any, root_w: Any, alpha: float) -> Any:
        answer = pass_over(U, W, P, T, M, A, now, root_w, alpha)
        exact = np.zeros(now.size)
        engine.read_columns(U, np.arange(now.size), exact)
        is_estimate = np.abs(now - exact) > 1e-12 * np.abs(exact).max()
        estimated.append(np.count_nonzero(is_estimate))
        assert np.all(np.abs(exact[is_estimate]) <= EXPECTED * alpha)
        assert not np.any(is_estimate[W.feature[: W.size[0]]])
        # All that was read is counted, and nothing else is known.
        assert answer[2] >= now.size - estimated[-1] - np.count_nonzero(exact == 0.0)
        return answer

    monkeypatch.setattr(descent, "pass_over", check)
    y = score if family == "gaussian" else (score > np.median(score)).astype(int)
    path = fastreg.glm_path(rare, y, family=family, alphas=60, eps=2e-2, standardize=True)
    assert path.status is fastreg.Status.CONVERGED
    assert sum(estimated) > 0.2 * rare.shape[1] * len(estimated)
