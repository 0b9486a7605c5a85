"""Pure L2 for every loss: optimality in extended precision, shapes, hard data, peers, glmnet."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import oracle_glm
import pytest
from handmade import target
from scipy import sparse

import fastreg
from fastreg import ridge_curvature
from fastreg.kernels import losses
from fastreg.null_model import allocate_curvature, fit_null
from fastreg.penalty import make_penalty
from fastreg.problem import make_problem
from fastreg.ridge_newton import Dual, Newton, Primal
from fastreg.solve_ridge_curved import is_curved_ridge
from fastreg.validate import check_design

LONG = np.longdouble
FAMILIES = ("binomial", "multinomial", "poisson", "squared_hinge", "huber", "cox", "mgaussian")
OPTIONS: dict[str, dict[str, Any]] = {"huber": {"delta": 0.8, "scale": 1.0}, "cox": {"ties": "efron"}}
WIDE, TALL = (24, 60), (60, 9)


def draw(family, n, p, seed=0):
    """Return X, and y that depends on its first columns."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p)) * rng.uniform(0.5, 2.0, p) + rng.standard_normal(p)
    eta = X[:, 0] - 0.7 * X[:, 1]
    if family == "multinomial":
        y: Any = np.argmax(np.stack([eta, -eta, X[:, 2], 0 * eta]) + rng.gumbel(size=(4, n)), axis=0)
        y[:4] = range(4)
    elif family == "mgaussian":
        y = np.stack([eta, X[:, 2], -eta], axis=1) + rng.standard_normal((n, 3))
    elif family == "cox":
        time = np.ceil(8 * rng.exponential(np.exp(-0.5 * eta)))
        y = np.stack([time, rng.random(n) < 0.7], axis=1)
    elif family == "poisson":
        y = rng.poisson(np.exp(0.4 * eta)).astype(float)
    elif family == "huber":
        y = eta + rng.standard_t(2, n)
    else:
        y = (rng.random(n) < 1 / (1 + np.exp(-eta))).astype(int)
        y[:2] = 0, 1
    return X, y


def gap_of(path, X, y, k, **options):
    """Return the gap of the k-th alpha relative to the null objective, in extended precision."""
    extra = {name: options.pop(name) for name in ("delta", "ties", "strata", "grouped") if name in options}
    options.pop("scale", None)
    options.setdefault("fit_intercept", path.family != "cox")
    alpha = LONG(path.alphas[k])
    problem = oracle_glm.Problem(path.family, X, y, alpha, l1_ratio=0.0, extra=extra, **options)
    model = oracle_glm.Solver(problem)
    several = path.n_outputs > 1
    B = (path.coefs[:, :, k].T if several else path.coefs[:, k : k + 1]).astype(LONG)
    b0 = np.atleast_1d(path.intercepts[..., k]).astype(LONG)
    value, slope = model.loss(model.offset + b0 + model.X @ B)
    g = -model.X.T @ slope
    if options["fit_intercept"]:
        # The sums of the residual are rounding: they belong to the intercept, not to uncentred columns.
        assert abs(slope.sum(axis=0)).max() < 1e-9
        g += np.outer(model.w @ model.X, slope.sum(axis=0))
    held = model.l2 > 0
    left = B[held] - g[held] / model.l2[held, None]
    factor = options.get("penalty_factor")
    if factor is not None:
        size = np.sqrt(np.einsum("ij,ij->j", X, X))
        assert np.all(abs(g[factor == 0]) <= 1e-8 * size[factor == 0, None])
        assert not B[np.isinf(factor)].any()
    assert abs(value - path_value(path, k)) <= 1e-9 * path.null_objective
    return float((model.l2[held, None] * left**2).sum() / 2) / path.null_objective


def path_value(path, k):
    """Return the loss at the k-th alpha from the share of the deviance it explains."""
    return (1.0 - path.dev_ratio[k]) * path.null_objective


def solve(family, X, y, **options):
    given = {"alphas": 12, "eps": 1e-4, "tol": 1e-10} | OPTIONS.get(family, {}) | options
    return fastreg.glm_path(X, y, family=family, l1_ratio=0.0, **given)


def is_newton(path):
    """Tell whether the path was solved here: nothing is screened and nothing enters."""
    return path.counters["reweightings"] > 0 and path.counters["screenings"] == path.counters["entered"] == 0


def assert_solved(path, X, y, tol=1e-10, **options):
    assert path.status is fastreg.Status.CONVERGED
    assert is_newton(path)
    assert path.relative_gaps.max() <= tol
    for k in range(len(path.alphas)):
        assert gap_of(path, X, y, k, **options) <= path.relative_gaps[k] + 1e-15


@pytest.mark.parametrize("shape", [WIDE, TALL], ids=["wide", "tall"])
@pytest.mark.parametrize("family", FAMILIES)
def test_every_loss_is_solved_and_certified(family, shape):
    X, y = draw(family, *shape)
    assert_solved(solve(family, X, y), X, y, **OPTIONS.get(family, {}))


@pytest.mark.parametrize("shape", [WIDE, TALL], ids=["wide", "tall"])
@pytest.mark.parametrize("family", FAMILIES)
def test_weights_offsets_factors_and_scales(family, shape):
    n, p = shape
    X, y = draw(family, n, p, seed=1)
    rng = np.random.default_rng(2)
    outputs = {"multinomial": (n, 4), "mgaussian": (n, 3)}.get(family, (n,))
    options = {
        "sample_weight": rng.integers(0, 4, n) + 0.0,
        "offset": 0.3 * rng.standard_normal(outputs),
        "penalty_factor": np.concatenate([[0.0, 0.0, np.inf], rng.uniform(0.5, 2.0, p - 3)]),
        "standardize": True,
    }
    path = solve(family, X, y, **options)
    assert_solved(path, X, y, **OPTIONS.get(family, {}), **options)


@pytest.mark.parametrize("family", [family for family in FAMILIES if family != "cox"])
def test_without_intercept(family):
    X, y = draw(family, *WIDE)
    path = solve(family, X, y, fit_intercept=False)
    assert not path.intercepts.any()
    assert_solved(path, X, y, fit_intercept=False, **OPTIONS.get(family, {}))


@pytest.mark.parametrize("family", ["binomial", "multinomial", "cox"])
def test_sparse_and_float32_columns(family):
    X, y = draw(family, *WIDE)
    X = np.where(np.abs(X) > 1.0, np.round(X, 1), 0.0)
    dense = solve(family, X, y, alphas=[1.0, 0.1, 0.01])
    compressed = solve(family, sparse.csc_array(X), y, alphas=[1.0, 0.1, 0.01])
    assert np.allclose(dense.coefs, compressed.coefs, rtol=0, atol=1e-9 * np.abs(dense.coefs).max())
    single = solve(family, X.astype(np.float32), y, alphas=[1.0, 0.1, 0.01])
    assert_solved(single, X.astype(np.float32), y, **OPTIONS.get(family, {}))


def test_strata_and_late_entries():
    rng = np.random.default_rng(5)
    X, y = draw("cox", 40, 70)
    strata = np.arange(40) % 3
    late = np.column_stack([y[:, 0] - rng.integers(1, 6, 40), y])
    assert_solved(solve("cox", X, late, strata=strata), X, late, ties="efron", strata=strata)
    assert_solved(solve("cox", X, y, ties="breslow"), X, y, ties="breslow")


def test_cox_columns_far_from_zero():
    # No intercept takes their means up, and none is needed: constants cancel in every risk set.
    X, y = draw("cox", *WIDE)
    path, far = solve("cox", X, y), solve("cox", X + 1e4, y)
    assert far.status is fastreg.Status.CONVERGED
    assert np.allclose(path.coefs, far.coefs, rtol=0, atol=1e-6 * np.abs(path.coefs).max())


def test_grouped_penalty_is_the_same_without_an_l1_part():
    X, y = draw("multinomial", *WIDE)
    alphas = [1.0, 0.1, 0.01]
    plain = solve("multinomial", X, y, alphas=alphas)
    grouped = solve("multinomial", X, y, alphas=alphas, grouped=True)
    assert np.array_equal(plain.coefs, grouped.coefs)


def test_proportions_are_responses():
    X, _ = draw("binomial", *WIDE)
    shares = np.random.default_rng(3).dirichlet(np.ones(3), len(X))
    assert_solved(solve("binomial", X, shares[:, 0]), X, shares[:, 0])
    path = solve("multinomial", X, shares)
    assert_solved(path, X, shares)


def test_classes_may_be_relabelled():
    X, y = draw("multinomial", *WIDE)
    order = np.array([2, 0, 3, 1])
    path, other = solve("multinomial", X, y), solve("multinomial", X, order[y])
    assert np.allclose(path.coefs, other.coefs[order], rtol=0, atol=1e-6 * np.abs(path.coefs).max())


def test_two_classes_agree_with_the_binomial():
    # Classes c and 1 - c have opposite coefficients, half of what tells them apart: half the penalty.
    X, y = draw("binomial", *WIDE)
    one = solve("binomial", X, y, alphas=[0.3, 0.03])
    two = solve("multinomial", X, y, alphas=[0.6, 0.06])
    apart = two.coefs[1] - two.coefs[0]
    assert np.allclose(apart, one.coefs, rtol=0, atol=1e-5 * np.abs(one.coefs).max())


def test_least_squares_in_several_outputs_is_the_one_of_each():
    X, y = draw("mgaussian", *WIDE)
    alphas = [10.0, 1.0, 0.1]
    path = solve("mgaussian", X, y, alphas=alphas)
    for c in range(3):
        one = fastreg.ridge_path(X, y[:, c], alphas=alphas, fit_intercept=True)
        assert np.allclose(path.coefs[c], one.coefs, rtol=0, atol=1e-9)
        assert np.allclose(path.intercepts[c], one.intercepts, rtol=0, atol=1e-9)


@pytest.mark.parametrize("family", FAMILIES)
def test_both_coordinates_find_the_same(family):
    # K = Phi Phi': the same problem, in n numbers per output and in p.
    X, y = draw(family, 20, 12)
    rng = np.random.default_rng(7)
    null = fit_null(target(family, y, fit_intercept=False, **OPTIONS.get(family, {})))
    Z = rng.standard_normal((20, 2))
    Phi = X - X.mean(axis=0)
    spaces = Dual(Phi @ Phi.T, Z), Primal(np.hstack([Phi, Z]), 12)
    u = np.zeros((null.outputs, 2))
    found = []
    for space in spaces:
        newton = Newton(space, null.loss, u, proves_balance=True)
        found.append([newton.solve(alpha, 1e-13 * null.value, 100)[0] for alpha in (1.0, 0.1, 0.02, 0.01)])
    for dual, primal in zip(*found, strict=True):
        assert dual.fit == pytest.approx(primal.fit, rel=1e-10)
        assert dual.ridge == pytest.approx(primal.ridge, rel=1e-6)
        assert np.allclose(dual.eta, primal.eta, rtol=0, atol=1e-6)


@pytest.mark.parametrize("family", FAMILIES)
def test_roots_are_roots_of_the_curvature(family):
    _, y = draw(family, 15, 4)
    rng = np.random.default_rng(11)
    null = fit_null(target(family, y, **OPTIONS.get(family, {})))
    loss = null.loss._replace(traits=np.array([null.loss.traits[losses.KIND], 0]))
    eta = null.loss.offset + rng.standard_normal((null.outputs, 15))
    at, r = allocate_curvature(loss), np.zeros_like(eta)
    losses.fit_null(loss, at, eta, np.zeros(null.outputs), r, np.zeros(null.outputs))
    blocks = ridge_curvature.curvature_blocks(loss, at, eta)
    T = rng.standard_normal((15, 4))
    first = 0
    for block in blocks:
        own = slice(first, first + block.outputs)
        x, product = rng.standard_normal((block.outputs, 15, 1)), np.zeros_like(eta)
        product[own] = x[:, :, 0]
        losses.flexed(loss, at, eta, r, product)
        # Flat rows count as curved, by the floor, in the kernels alone.
        assert np.allclose(block.apply_back(block.apply(x))[:, :, 0], product[own], rtol=0, atol=2e-6)
        eye = np.eye(block.outputs * 15).reshape(block.outputs, 15, -1)
        S = block.apply(eye)
        stacked = np.kron(np.eye(block.outputs), T)
        assert np.allclose(block.of_kernel(T @ T.T), S @ stacked @ stacked.T @ S.T)
        assert np.allclose(block.of_columns(T), stacked.T @ S.T @ S @ stacked)
        first = own.stop


@pytest.mark.parametrize("family", ["binomial", "squared_hinge", "multinomial"])
def test_separable_data_stay_finite(family):
    # Down to strengths at which every row is fitted to rounding.
    X, y = draw(family, *WIDE)
    path = solve(family, X, y, alphas=np.geomspace(10.0, 1e-10, 30), tol=1e-8)
    assert path.status is fastreg.Status.CONVERGED
    assert np.isfinite(path.coefs).all()
    assert path.dev_ratio[-1] > 0.999
    assert np.all(np.diff(np.abs(path.coefs).reshape(-1, 30).sum(axis=0)) > 0)


def test_a_free_column_that_separates_ends_somewhere():
    # Its coefficient would grow for ever: it stays where the loss is within rounding of its infimum.
    X, y = draw("binomial", *WIDE)
    X[:, 0] = y - 0.5
    path = solve("binomial", X, y, penalty_factor=np.r_[0.0, np.ones(WIDE[1] - 1)])
    assert path.status is fastreg.Status.CONVERGED
    assert np.isfinite(path.coefs).all()
    assert path.n_iter.max() <= 60


@pytest.mark.parametrize("family", FAMILIES)
def test_a_lone_small_alpha_needs_no_way_down(family):
    X, y = draw(family, *WIDE)
    alone = solve(family, X, y, alphas=[1e-3])
    assert_solved(alone, X, y, **OPTIONS.get(family, {}))


@pytest.mark.parametrize("factor", [1.0, [0.25, 1.0, 9.0, 0.0, np.inf]])
@pytest.mark.parametrize("family", ["gaussian", *FAMILIES])
def test_paths_begin_where_those_of_a_thousandth_of_l1_do(family, factor):
    X, y = draw("huber" if family == "gaussian" else family, 40, 5)
    one, other = (
        fastreg.glm_path(X, y, family=family, alphas=2, l1_ratio=ratio, penalty_factor=factor, tol=1e-4)
        for ratio in (0.0, 1e-3)
    )
    assert one.alpha_max == pytest.approx(other.alpha_max, rel=1e-9)


def test_duplicates_and_dependent_free_columns():
    X, y = draw("binomial", *WIDE)
    X[:, 1] = X[:, 0]
    X[:, 3] = X[:, 2]
    X[:, 5] = 1.0
    factor = np.ones(X.shape[1])
    factor[:2] = 0.0
    path = solve("binomial", X, y, penalty_factor=factor)
    assert_solved(path, X, y, penalty_factor=factor)
    assert np.allclose(path.coefs[2], path.coefs[3], rtol=0, atol=1e-9)
    assert not path.coefs[5].any()


def test_outliers_far_out_and_margins_all_met():
    X, y = draw("huber", *WIDE)
    y[:3] = 1e6, -1e7, 1e8
    assert_solved(solve("huber", X, y, tol=1e-9), X, y, tol=1e-9, **OPTIONS["huber"])
    # One class is rare: most margins are met at once, and what is left is flat for nearly all rows.
    X, y = draw("squared_hinge", 60, 90)
    y[:] = 0
    y[7] = 1
    assert_solved(solve("squared_hinge", X, y), X, y)


def test_huge_offsets_and_counts():
    X, y = draw("poisson", *WIDE)
    offset = np.linspace(-30.0, 200.0, len(y))
    path = solve("poisson", X, y + 1e6, offset=offset, tol=1e-8)
    assert path.status is fastreg.Status.CONVERGED
    assert np.isfinite(path.coefs).all()


def test_a_perfect_null_model_has_no_coefficients():
    X, _ = draw("poisson", *WIDE)
    path = solve("poisson", X, np.ones(len(X)))
    assert not path.coefs.any()
    assert path.status is fastreg.Status.CONVERGED


def test_what_is_not_reached_is_said():
    X, y = draw("binomial", *WIDE)
    with pytest.warns(fastreg.ConvergenceWarning):
        path = solve("binomial", X, y, alphas=[1e-4], max_iter=1, tol=1e-12)
    assert path.status is fastreg.Status.NOT_CONVERGED
    assert np.isfinite(path.coefs).all()
    assert path.relative_gaps[0] > 1e-12


def test_patience_ends_between_alphas():
    X, y = draw("binomial", *WIDE)
    whole = solve("binomial", X, y)
    seen = []
    part = solve("binomial", X, y, callback=lambda step: seen.append(step.k) or step.k == 4)
    assert part.status is fastreg.Status.CALLBACK
    assert seen == list(range(5))
    assert np.allclose(part.coefs, whole.coefs[:, :5], rtol=0, atol=1e-9)
    assert np.array_equal(np.cumsum(whole.n_iter)[:5], np.cumsum(part.n_iter))


def test_work_is_few_passes_and_fewer_factors_than_alphas():
    X, y = draw("binomial", 40, 300)
    path = solve("binomial", X, y, alphas=60, eps=1e-2, tol=1e-7)
    # Survey, K, coefficients, certificate.
    assert path.counters["full_passes"] == 4
    assert path.counters["reweightings"] <= 30
    assert path.n_iter.sum() <= 150


def pose(family, X, y, l1_ratio, **penalty):
    return make_problem(
        check_design(X),
        target(family, y, **OPTIONS.get(family, {})),
        make_penalty(X.shape[1], l1_ratio, **penalty),
        fit_intercept=family != "cox",
        standardize=False,
        n_threads=1,
    )


def test_bounds_and_an_l1_part_are_for_another_solver():
    X, y = draw("binomial", *WIDE)
    assert is_curved_ridge(pose("binomial", X, y, 0.0))
    assert is_curved_ridge(pose("binomial", X, y, 0.0, penalty_factor=np.repeat([0.0, np.inf, 1.0], 20)))
    assert not is_curved_ridge(pose("binomial", X, y, 0.01))
    assert not is_curved_ridge(pose("binomial", X, y, 0.0, positive=True))
    assert not is_curved_ridge(pose("binomial", X, y, 0.0, upper_limits=3.0))
    assert not is_curved_ridge(pose("binomial", X, y, 0.0, penalty_factor=0.0))


@pytest.mark.parametrize(
    ("family", "n", "p", "serves"),
    [
        ("binomial", 2500, 6000, True),
        ("binomial", 3500, 6000, False),
        ("binomial", 20_000, 50, True),
        ("cox", 2500, 6000, False),
        ("multinomial", 1100, 6000, False),
        ("multinomial", 900, 6000, True),
        ("multinomial", 5000, 60, True),
        ("mgaussian", 2500, 6000, True),
    ],
)
def test_large_systems_are_left_to_the_working_set(family, n, p, serves):
    y = draw(family, n, 3)[1]
    problem = pose(family, sparse.csc_array((n, p)), y, 0.0)
    # Columns of zeros are left out: what counts here is the shape.
    problem.arrays.l1[:], problem.arrays.l2[:] = 0.0, 1.0
    problem.arrays.lower[:], problem.arrays.upper[:] = -np.inf, np.inf
    assert is_curved_ridge(problem) == serves


def test_agrees_with_scikit_learn():
    linear = pytest.importorskip("sklearn.linear_model")
    X, y = draw("binomial", *WIDE)
    n = len(y)
    alphas = np.array([1.0, 0.1, 0.01])
    path = solve("binomial", X, y, alphas=alphas, tol=1e-13)
    poisson_y = draw("poisson", *WIDE)[1]
    counts = solve("poisson", X, poisson_y, alphas=alphas, tol=1e-13)
    for k, alpha in enumerate(alphas):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            newton = {"solver": "newton-cholesky", "tol": 1e-12, "max_iter": 1000}
            peer = linear.LogisticRegression(C=1 / (alpha * n), **newton).fit(X, y)
            other = linear.PoissonRegressor(alpha=alpha, **newton).fit(X, poisson_y)
        largest = np.abs(path.coefs[:, k]).max()
        assert np.allclose(path.coefs[:, k], peer.coef_[0], rtol=0, atol=1e-5 * largest)
        largest = np.abs(counts.coefs[:, k]).max()
        assert np.allclose(counts.coefs[:, k], other.coef_, rtol=0, atol=1e-5 * largest)


def test_meets_glmnet(load_data):
    data, reference = load_data("glmnet_binomial"), load_data("glmnet_reference")
    # Its first lambda is an infinity of its own.
    alphas, beta = reference["binomial_ridge/lambda"][1:], reference["binomial_ridge/beta"][:, 1:]
    path = solve("binomial", data["X"], data["y"], alphas=alphas, standardize=True, tol=1e-12)
    assert np.allclose(path.coefs, beta, rtol=0, atol=1e-5 * np.abs(beta).max())
    assert np.allclose(path.intercepts, reference["binomial_ridge/a0"][1:], rtol=0, atol=1e-5)


@pytest.mark.compiled_only
@pytest.mark.parametrize(("name", "family"), [("leukemia", "binomial"), ("khan", "multinomial")])
@pytest.mark.parametrize("tol", [1e-7, 1e-10])
def test_gene_expression(load_data, name, family, tol):
    data = load_data(name)
    path = solve(family, data["X"], data["y"], alphas=100, eps=1e-2, tol=tol)
    assert path.status is fastreg.Status.CONVERGED
    assert is_newton(path)
    assert path.relative_gaps.max() <= tol
    assert path.counters["full_passes"] <= 6
