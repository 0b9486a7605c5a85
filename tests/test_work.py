"""Tests that hold the work, not the time: what a path may read, enter and step through, case by case.

Small versions of the benchmark cases, 100 alphas to alpha_max/100. A counter that a case does not bound must
be zero. Bounds are about 1.2 times what was measured, compiled and as plain Python alike, and none may be
looser than twice the measured work: so work that doubles fails, and work that was saved is held.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
import scipy.sparse

import fastreg
import fastreg.path
from fastreg.reading_costs import cost_of_all, cost_of_sharing

# Large for plain Python, and traced they would take twice the time; what they reach, smaller tests reach too.
pytestmark = pytest.mark.no_cover
GRID: dict[str, Any] = {"eps": 1e-2, "fit_intercept": True, "l1_ratio": 1.0}
# A bound that could be halved holds nothing: it must be tightened.
LOOSEST = 2.0
# Counts as small as this may double by chance.
FEW = 4


def response(X: Any, support: int, rng: np.random.Generator) -> np.ndarray:
    """Return a signal of coefficients +-1 at random features, with a fifth of its variance as noise."""
    chosen = np.sort(rng.choice(X.shape[1], size=support, replace=False))
    signal = X[:, chosen] @ rng.choice([-1.0, 1.0], size=support)
    return np.asarray(signal + rng.standard_normal(X.shape[0]) * np.sqrt(signal.var() / 5.0))


def chain(n: int, p: int, rho: float, support: int, seed: int) -> tuple[Any, Any]:
    """Return an AR(1) design, corr(x_j, x_k) = rho^|j - k|, and a response."""
    rng = np.random.default_rng(seed)
    X = np.asfortranarray(rng.standard_normal((n, p)))
    for j in range(1, p):
        X[:, j] = rho * X[:, j - 1] + np.sqrt(1.0 - rho * rho) * X[:, j]
    return X, response(X, support, rng)


def text(n: int, p: int, words: int, seed: int) -> tuple[Any, Any]:
    """Return a sparse matrix like TF-IDF of text, word frequencies falling as 1/rank, and a response."""
    rng = np.random.default_rng(seed)
    frequency = 1.0 / np.arange(1, p + 1)
    frequency /= frequency.sum()
    cells = rng.choice(p, size=(n, words), p=frequency)
    rows = np.repeat(np.arange(n), words)
    X = scipy.sparse.coo_array((np.ones(n * words), (rows, cells.ravel())), shape=(n, p)).tocsr()
    X.data = (1.0 + np.log(X.data)) * -np.log(frequency)[X.indices]
    X.data /= np.sqrt(np.repeat(X.power(2).sum(axis=1), np.diff(X.indptr)))
    return X.tocsc(), response(X, max(1, p // 40), rng)


def work(path: fastreg.PathResult) -> dict[str, float]:
    """Return the counters in units that do not depend on the size of the problem.

    Passes over X; rounds and steps per alpha; features entered and left per feature of the last solution.
    """
    counts: dict[str, Any] = dict(path.counters)
    counts.pop("full_passes")
    units = dict.fromkeys(counts, len(path.alphas)) | {
        "columns_read": path.coefs_sparse.shape[0],
        "entered": path.n_nonzero[-1],
        "left": path.n_nonzero[-1],
        "swaps": 1,
        "rebuilds": 1,
    }
    return {name: count / units[name] for name, count in counts.items()}


def hold(path: fastreg.PathResult, most: dict[str, float]) -> None:
    """Fail with every kind of work above its bound, and with every bound that holds nothing."""
    assert path.status is fastreg.Status.CONVERGED
    done = work(path)
    assert {name: value for name, value in done.items() if value > most.get(name, 0.0)} == {}
    loose = {name: (done[name], bound) for name, bound in most.items() if bound >= LOOSEST * done[name]}
    assert {name: values for name, values in loose.items() if path.counters[name] > FEW} == {}


CASES: dict[str, tuple[Any, dict[str, Any], dict[str, float]]] = {
    "wide": (
        lambda: chain(60, 800, 0.5, support=10, seed=11),
        {},
        {
            # One and a half by themselves, 6 passes when all were: among all a column costs two fifths.
            "columns_read": 12.0,
            # A first round moves the support, a second lets a batch enter: rounds per alpha below 2.
            "gradients": 1.75,
            # One step per round, and one more for each feature that leaves on the way.
            "exact_steps": 2.0,
            # n = 60: features come and go near saturation, a third of the last support in all.
            "entered": 1.6,
            "left": 0.42,
            # One screening per alpha and no more than a tenth more: violators outside are rare.
            "screenings": 1.1,
        },
    ),
    "correlated": (
        lambda: chain(60, 800, 0.95, support=10, seed=12),
        {},
        {
            # Neighbours of those in the support stay near the level: bounds hold for fewer alphas.
            "columns_read": 23.0,
            "gradients": 1.85,
            "exact_steps": 2.2,
            # A feature often gives way to its neighbour, and no batch may enter mostly to fall out again.
            "entered": 1.7,
            "left": 0.6,
            "screenings": 1.1,
        },
    ),
    "wider": (
        lambda: chain(100, 3000, 0.0, support=10, seed=15),
        {},
        {
            # Passes do not grow with p: "wide" needs as many with a quarter of the columns.
            "columns_read": 9.4,
            "gradients": 2.0,
            "exact_steps": 2.3,
            "entered": 1.5,
            "left": 0.31,
            "screenings": 1.1,
        },
    ),
    "tall": (
        lambda: chain(1000, 40, 0.5, support=10, seed=13),
        {},
        {
            # The survey and the Gram matrix; then X is not read again and there is nothing to screen.
            "columns_read": 2.0,
            # One round per alpha and a second one where somebody enters: once per feature.
            "gradients": 1.5,
            "exact_steps": 1.5,
            # Nothing that entered has to leave: 28 features in, none out.
            "entered": 1.0,
        },
    ),
    "text": (
        lambda: text(300, 400, 12, seed=14),
        {},
        {
            # Many short columns of little correlation: all of them cost a fifth of what they do singly.
            "columns_read": 34.0,
            # Four features enter per three alphas, in batches; one at a time takes as many rounds more.
            "gradients": 2.2,
            "exact_steps": 2.35,
            # Words hardly overlap: who enters stays.
            "entered": 1.25,
            "left": 0.09,
            # More features enter per alpha, so more alphas have violators outside: one in six.
            "screenings": 1.3,
        },
    ),
    "text beyond the factor": (
        lambda: text(400, 600, 12, seed=14),
        {},
        {
            # Leaving the factor costs two passes; from there on two anchors certify most columns at each
            # alpha: 38 when each of them was read.
            "columns_read": 37.0,
            "gradients": 2.25,
            "exact_steps": 2.2,
            "entered": 1.0,
            "left": 0.037,
            "screenings": 1.3,
            # Descent serves the end of the path only.
            "sweeps": 0.3,
            "cg_steps": 3.4,
            "swaps": FEW,
        },
    ),
    "elastic net": (
        lambda: chain(40, 500, 0.5, support=6, seed=11),
        {"l1_ratio": 0.5},
        {
            # The ridge part makes solutions smoother: a quarter less than the lasso reads. One by itself, 3.4
            # when all were read more seldom.
            "columns_read": 9.9,
            # Who is sure to enter does so before the first round: 1.54 when all waited for it.
            "gradients": 1.7,
            "exact_steps": 1.7,
            # Hardly anybody leaves under a ridge part.
            "entered": 1.25,
            "screenings": 1.1,
            "left": 0.05,
            # The inverse at another alpha preconditions: 4 steps a solve, each k^2; 5.5 an alpha instead of
            # 4.8 when the first solve did not begin along the trend.
            "cg_steps": 5.7,
            # One rebuild when the steps since the last have cost as much, here about 100.
            "rebuilds": 7,
        },
    ),
    "elastic net beyond n": (
        lambda: chain(60, 800, 0.5, support=10, seed=11),
        {"l1_ratio": 0.5},
        {
            "columns_read": 8.5,
            # With 93 features for 60 rows a round costs as much as two steps with the inverse.
            "gradients": 1.85,
            "exact_steps": 1.9,
            "entered": 1.25,
            "left": 0.06,
            "screenings": 1.1,
            # Steps leave what the next ones take up: 13 when each was solved to rounding.
            "cg_steps": 6.4,
            # None near the end of the path.
            "rebuilds": 5,
        },
    ),
}


@cache
def solved(name: str) -> fastreg.PathResult:
    """Return the path of a case, which several tests look at."""
    make, options, _ = CASES[name]
    return fastreg.enet_path(*make(), **(GRID | options))


@pytest.mark.parametrize("name", CASES)
def test_work_of_a_small_path(name: str) -> None:
    hold(solved(name), CASES[name][2])


def test_a_tall_path_reads_x_twice_and_screens_never() -> None:
    path = solved("tall")
    assert path.counters["full_passes"] == 2
    assert path.counters["columns_read"] == 2 * path.coefs_sparse.shape[0]
    assert path.counters["screenings"] == 0


def test_a_finer_grid_reads_hardly_more() -> None:
    X, y = CASES["wide"][0]()
    coarse, fine = work(fastreg.enet_path(X, y, alphas=30, **GRID)), work(solved("wide"))
    # What is read depends on how far the residual moves, not on how many alphas it stops at: 1.12 times.
    assert fine["columns_read"] <= 1.25 * coarse["columns_read"]
    # Features that enter at one alpha after the other do not fall out again.
    assert fine["entered"] <= coarse["entered"]


def test_a_finer_grid_under_a_ridge_part_solves_no_alpha_at_a_higher_price() -> None:
    X, y = CASES["elastic net"][0]()
    options = GRID | CASES["elastic net"][1]
    coarse, fine = (fastreg.enet_path(X, y, alphas=size, **options).counters for size in (100, 400))
    # Shorter steps have fewer digits to gain, and the trend knows more: 0.47 of the products an alpha.
    assert fine["cg_steps"] <= 4 * 0.6 * coarse["cg_steps"]
    # The inverse is formed once per about 100 products, not once per so many alphas.
    assert fine["rebuilds"] <= 1 + fine["cg_steps"] // 80


def test_columns_of_noise_cost_their_screening_only() -> None:
    X, y = CASES["wide"][0]()
    # Noise below every level of alpha: a tenth of the columns' size.
    noise = 0.1 * np.random.default_rng(16).standard_normal(X.shape)
    alone: dict[str, Any] = dict(solved("wide").counters)
    among: dict[str, Any] = dict(fastreg.enet_path(np.hstack([X, noise]), y, **GRID).counters)
    # They are read where all are, which happens as often as without them.
    assert among["columns_read"] <= 2 * alone["columns_read"]
    assert {name: among[name] for name in ("gradients", "entered", "left", "screenings")} == {
        name: alone[name] for name in ("gradients", "entered", "left", "screenings")
    }


# Three minutes of plain Python; test_references goes the same ways on less.
@pytest.mark.compiled_only
@pytest.mark.parametrize("n", [150, 20])
def test_responses_have_columns_read_together_where_that_is_cheaper(n: int) -> None:
    rng = np.random.default_rng(2)
    X = np.asfortranarray(rng.standard_normal((n, 1500)))
    Y = np.column_stack([X[:, :5].sum(axis=1) + rng.standard_normal(n), *rng.standard_normal((3, n))])
    options = {"alphas": 100, "eps": 1e-2, "fit_intercept": True}
    paths = fastreg.lasso_path(X, Y, multi_response="independent", **options)
    for y, path in zip(Y.T, paths, strict=True):
        counted, alone = dict(path.counters), dict(fastreg.lasso_path(X, y, **options).counters)
        if n == 20:
            # To wait for columns of 20 entries costs more than to read them.
            assert counted["columns_read"] == alone["columns_read"]
            continue
        # Columns that are read for all are cheap, so that more of them are read: 1.2 to 1.4 times as many.
        assert alone["columns_read"] < counted["columns_read"]
        cost = counted["columns_read"] * cost_of_sharing(n)
        assert cost <= 0.65 * alone["columns_read"] * cost_of_all(n)
        # Who waits loses no round: the look goes on where it was.
        assert abs(counted["gradients"] - alone["gradients"]) <= 3


def test_the_working_set_stays_near_the_support(monkeypatch: pytest.MonkeyPatch) -> None:
    # A set that only grows saves reading and hides from every counter, but each gradient reads all of it.
    sizes = []
    count = fastreg.path._counters

    def looking(problem: Any, solver: Any) -> Any:
        sizes.append(solver.state.W.size[:2].copy())
        return count(problem, solver)

    monkeypatch.setattr(fastreg.path, "_counters", looking)
    X, y = CASES["correlated"][0]()
    fastreg.enet_path(X, y, **GRID)
    ((held, support),) = sizes
    # 69 slots for 55 features; 105 when nobody is discharged.
    assert support <= held <= 1.5 * support


def test_storage_changes_no_work() -> None:
    X, y = CASES["wide"][0]()
    stored = fastreg.enet_path(scipy.sparse.csc_array(X), y, **GRID)
    for name, count in solved("wide").counters.items():
        # Rounding may turn a tie: never more than one count in fifty. When all columns are read at once is a
        # matter of bytes.
        share = 0.2 if name in ("columns_read", "full_passes") else 0.02
        assert stored.counters[name] == pytest.approx(count, rel=share, abs=1), name


@pytest.mark.compiled_only
def test_work_of_a_text_whose_path_is_descent() -> None:
    X, y = text(2000, 3000, 12, seed=14)
    hold(
        fastreg.enet_path(X, y, **GRID),
        {
            # The last third of the path is descent, at whose alphas two anchors certify most columns: 47 when
            # each of them was read.
            "columns_read": 41.0,
            "gradients": 2.2,
            "exact_steps": 1.9,
            # Most of the last support enters by descent, which does not count them.
            "entered": 0.27,
            "left": 0.009,
            "screenings": 1.25,
            # Sweeps only find signs; conjugate gradients do the rest, five steps per sweep.
            "sweeps": 1.2,
            "cg_steps": 5.9,
            "swaps": FEW,
        },
    )


GENES: dict[str, dict[str, float]] = {
    "leukemia": {
        # 7129 genes: 4.4 passes beyond the survey, 3.6 when reading all at once was held to cost more.
        "columns_read": 5.7,
        "gradients": 1.6,
        "exact_steps": 1.7,
        "entered": 1.55,
        "left": 0.35,
        # No alpha has a violator outside: one screening each.
        "screenings": 1.05,
    },
    "riboflavin": {
        # 4088 genes, many of them alike: three times as much as leukemia.
        "columns_read": 15.2,
        "gradients": 2.1,
        "exact_steps": 2.5,
        "entered": 1.95,
        "left": 0.8,
        "screenings": 1.05,
    },
}


@pytest.mark.compiled_only
@pytest.mark.parametrize("name", GENES)
def test_work_of_gene_expression(name: str, load_data: Any) -> None:
    data = load_data(name)
    X, y = np.asfortranarray(data["X"], dtype=np.float64), np.array(data["y"], dtype=np.float64).ravel()
    hold(fastreg.enet_path(X, y, standardize=True, **GRID), GENES[name])


def test_early_alphas_of_other_losses_end_as_near_as_late_ones() -> None:
    rng = np.random.default_rng(7)
    X = rng.standard_normal((200, 100))
    y = (X[:, :3] @ [1.0, -1.0, 0.5] + rng.logistic(size=200) > 0).astype(int)

    def solved(tol: float) -> tuple[fastreg.PathResult, np.ndarray]:
        path = fastreg.logistic_path(X, y, alphas=60, eps=0.5, tol=tol)
        eta = X @ path.coefs + path.intercepts
        loss = np.mean(np.logaddexp(0.0, eta) - y[:, None] * eta, axis=0)
        return path, loss + path.alphas * np.abs(path.coefs).sum(axis=0)

    path, objective = solved(1e-4)
    # 1.1e-7 where every gap counts beside the null model alone.
    assert ((objective - solved(1e-12)[1]) / path.null_objective).max() < 5e-8
