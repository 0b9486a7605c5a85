"""Degenerate problems and extreme scales: solved and certified, or refused; never silently wrong."""

import warnings

import numpy as np
import pytest
from scipy import sparse

from fastreg import certify, enet_path, glm_path, lasso_path, ridge_path
from fastreg.errors import ConvergenceWarning, DataError, Status

INF = float("inf")
PATHS = [lasso_path, enet_path, ridge_path]
STORAGES = {
    "F": np.asfortranarray,
    "C": np.ascontiguousarray,
    "csc": sparse.csc_array,
    "csr": sparse.csr_array,
    "coo": sparse.coo_matrix,
}
ALPHAS = [0.3, 0.1, 0.01]
TOL = 1e-7

_rng = np.random.default_rng(7)
N, P = 12, 5
X = _rng.standard_normal((N, P)) * (_rng.random((N, P)) < 0.7)
Y = X @ np.array([2.0, 0.0, -1.5, 0.0, 1.0]) + 0.3 * _rng.standard_normal(N)

every_path = pytest.mark.parametrize("path", PATHS, ids=lambda path: path.__name__)
every_storage = pytest.mark.parametrize("store", STORAGES.values(), ids=STORAGES)
with_and_without = pytest.mark.parametrize("fit_intercept", [False, True], ids=["no intercept", "intercept"])


def _solve(path, X, y, **options):
    """Return the path, with every warning an error, after checking its shape and its certificate."""
    options = {"alphas": ALPHAS, "fit_intercept": True, "tol": TOL, **options}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = path(X, y, **options)
    assert result.status is Status.CONVERGED
    assert result.coefs.shape == (X.shape[1], len(result.alphas))
    assert np.isfinite(result.coefs).all()
    assert np.isfinite(result.intercepts).all()
    assert (result.dual_gaps >= 0).all()
    assert (result.relative_gaps <= TOL).all()
    return result


def _certified(path, X, y, **options):
    """Return the path after an independent assessment of every alpha."""
    result = _solve(path, X, y, **options)
    left_out = ("alphas", "l1_ratio", "tol", "feature_names")
    problem = {name: value for name, value in options.items() if name not in left_out}
    certificate = certify(X, y, result, **{"fit_intercept": True, **problem})
    assert np.all(certificate.feasible)
    assert certificate.worst <= 2 * TOL
    return result


# Degenerate problems


@every_path
@every_storage
@pytest.mark.parametrize("standardize", [False, True])
@pytest.mark.parametrize("constant", [0.0, 1.0, 0.1, -1e8])
def test_constant_columns(path, store, standardize, constant):
    held = X.copy()
    held[:, 1] = constant
    result = _certified(path, store(held), Y, standardize=standardize)
    assert not result.coefs[1].any()
    others = _solve(path, store(np.delete(held, 1, axis=1)), Y, standardize=standardize)
    np.testing.assert_allclose(np.delete(result.coefs, 1, axis=0), others.coefs, atol=1e-5)


@every_path
@every_storage
def test_columns_of_zeros_without_intercept(path, store):
    held = X.copy()
    held[:, 1] = 0.0
    for standardize in (False, True):
        result = _certified(path, store(held), Y, fit_intercept=False, standardize=standardize)
        assert not result.coefs[1].any()


@every_path
@every_storage
def test_nothing_but_constant_columns(path, store):
    result = _certified(path, store(np.ones((N, 3))), Y)
    assert not result.coefs.any()
    np.testing.assert_allclose(result.intercepts, Y.mean())
    assert len(_solve(path, store(np.ones((N, 3))), Y, alphas=4).alphas) == 4


@every_path
@every_storage
@pytest.mark.parametrize("alphas", [ALPHAS, 5])
@pytest.mark.parametrize("value", [0.0, 1.0, 0.1, -3e7])
def test_constant_response(path, store, alphas, value):
    result = _solve(path, store(X), np.full(N, value), alphas=alphas)
    assert len(result.alphas) == len(result.dev_ratio) == (5 if alphas == 5 else 3)
    assert not result.coefs.any()
    assert not result.dual_gaps.any()
    np.testing.assert_allclose(result.intercepts, value)
    assert np.isfinite(result.alphas).all()
    assert (result.alphas > 0).all()
    assert np.isfinite(result.dev_ratio).all()


@every_path
@every_storage
@pytest.mark.parametrize("alphas", [ALPHAS, 5])
def test_response_of_zeros_without_intercept(path, store, alphas):
    result = _solve(path, store(X), np.zeros(N), alphas=alphas, fit_intercept=False)
    assert not result.coefs.any()
    assert not result.dual_gaps.any()
    assert not result.intercepts.any()


@every_path
@every_storage
@with_and_without
@pytest.mark.parametrize("shape", [(1, 1), (1, 4), (9, 1), (2, 1), (2, 3)])
def test_few_rows_or_columns(path, store, fit_intercept, shape):
    rng = np.random.default_rng(3)
    small, y = rng.standard_normal(shape), rng.standard_normal(shape[0])
    _certified(path, store(small), y, fit_intercept=fit_intercept)
    result = _solve(path, store(small), y, fit_intercept=fit_intercept, alphas=6)
    assert len(result.alphas) == 6


@every_path
@every_storage
@with_and_without
@pytest.mark.parametrize("standardize", [False, True])
def test_duplicate_and_opposite_columns(path, store, fit_intercept, standardize):
    twins = np.hstack([X, X, -X])
    result = _certified(path, store(twins), Y, fit_intercept=fit_intercept, standardize=standardize)
    assert (result.n_nonzero > 0).any()


@every_path
@every_storage
@with_and_without
def test_rank_deficient(path, store, fit_intercept):
    rng = np.random.default_rng(5)
    wide = rng.standard_normal((N, 3)) @ rng.standard_normal((3, 20))
    _certified(path, store(wide), Y, fit_intercept=fit_intercept)
    tall = rng.standard_normal((60, 2)) @ rng.standard_normal((2, 6))
    _certified(path, store(tall), rng.standard_normal(60), fit_intercept=fit_intercept)


@every_path
@every_storage
def test_every_feature_excluded(path, store):
    result = _certified(path, store(X), Y, penalty_factor=np.full(P, INF))
    assert not result.coefs.any()
    assert len(_solve(path, store(X), Y, penalty_factor=np.full(P, INF), alphas=4).alphas) == 4


@every_path
@every_storage
def test_duplicate_free_columns(path, store):
    twins = np.hstack([X, X[:, :1]])
    _certified(path, store(twins), Y, penalty_factor=[0, 1, 1, 1, 1, 0])


# Columns and responses of extreme scale


EXPONENTS = [-996, 664, 0, -300, 300]  # about 1e-300, 1e200, 1, 1e-90, 1e90


@every_path
@every_storage
@with_and_without
def test_standardised_columns_of_wildly_different_scale(path, store, fit_intercept):
    scaled = np.ldexp(X, EXPONENTS)
    options = {"fit_intercept": fit_intercept, "standardize": True, "tol": 1e-10}
    base, result = (
        path(store(X), Y, alphas=ALPHAS, **options),
        path(store(scaled), Y, alphas=ALPHAS, **options),
    )
    assert result.status is Status.CONVERGED
    assert (base.n_nonzero > 0).all()
    np.testing.assert_allclose(np.ldexp(result.coefs, np.array(EXPONENTS)[:, None]), base.coefs, atol=1e-4)
    np.testing.assert_allclose(result.intercepts, base.intercepts, atol=1e-4)
    np.testing.assert_allclose(result.dev_ratio, base.dev_ratio, atol=1e-8)


@every_storage
@pytest.mark.parametrize("exponent", [-996, -664, 664])
def test_all_columns_of_extreme_scale(store, exponent):
    alphas = np.ldexp(ALPHAS, exponent)
    base = lasso_path(store(X), Y, alphas=ALPHAS, fit_intercept=True)
    result = lasso_path(store(np.ldexp(X, exponent)), Y, alphas=alphas, fit_intercept=True)
    assert (result.n_nonzero > 0).all()
    np.testing.assert_allclose(np.ldexp(result.coefs, exponent), base.coefs, atol=1e-3)


@every_path
@every_storage
@pytest.mark.parametrize(
    "scales", [[1e-300, 1e200, 1, 1, 1], [1e200] * 5, [1e-300] * 5, [1e-310] * 5, [1e300] * 5]
)
def test_extreme_scales_are_never_silently_zero(path, store, scales):
    for standardize in (False, True):
        try:
            result = path(store(X * scales), Y, alphas=10, fit_intercept=True, standardize=standardize)
        except DataError:
            continue
        assert np.isfinite(result.coefs).all()
        assert np.isfinite(result.alphas).all()
        assert result.n_nonzero[-1] > 0
        assert result.dev_ratio[-1] > 0.0


@every_path
@every_storage
@pytest.mark.parametrize("exponent", [-600, -300, 300, 600])
def test_response_of_extreme_scale(path, store, exponent):
    # The l1 part scales with y, the ridge part does not: each pure path has its own rule for alpha.
    alphas = np.ldexp(ALPHAS, 0 if path is ridge_path else exponent)
    options = {"fit_intercept": True, "l1_ratio": 1.0} if path is enet_path else {"fit_intercept": True}
    base = path(store(X), Y, alphas=ALPHAS, **options)
    try:
        result = path(store(X), np.ldexp(Y, exponent), alphas=alphas, **options)
    except DataError:
        # An objective beyond float64 may be refused; it may not come back wrong.
        assert abs(2 * exponent) > 1000
        return
    np.testing.assert_allclose(np.ldexp(result.coefs, -exponent), base.coefs, atol=1e-3)


@every_storage
@pytest.mark.parametrize("constant", [0.1, -3.7, 1e5 + 0.1])
@pytest.mark.parametrize("n", [2, 7, 12])
def test_constant_columns_have_no_scale_without_intercept_either(store, constant, n):
    held = X[:n].copy()
    held[:, 1] = constant
    weights = np.linspace(0.5, 2.0, n)
    options = {"fit_intercept": False, "standardize": True, "sample_weight": weights}
    assert not _certified(lasso_path, store(held), Y[:n], **options).coefs[1].any()


@every_storage
@pytest.mark.parametrize("limit", [1e9, 1e30])
def test_limits_that_nobody_reaches_cost_the_certificate_nothing(store, limit):
    limits = {"lower_limits": -limit, "upper_limits": np.where(np.arange(P) == 2, INF, limit)}
    bounded = _certified(lasso_path, store(X), Y, **limits)
    plain = _solve(lasso_path, store(X), Y)
    np.testing.assert_array_equal(bounded.coefs, plain.coefs)
    assert bounded.relative_gaps.max() < 1e-12
    assert certify(store(X), Y, bounded, fit_intercept=True, **limits).worst < 1e-12
    # Whoever is at a limit still pays nothing for it.
    tight = {"lower_limits": -limit, "upper_limits": np.array([0.5, limit, limit, limit, 0.1])}
    found = _certified(lasso_path, store(X), Y, **tight)
    assert found.coefs[0, -1] == 0.5
    assert found.relative_gaps.max() < 1e-12


@pytest.mark.parametrize("family", ["gaussian", "logistic", "poisson", "huber"])
def test_free_columns_that_end_at_a_limit_are_exactly_there(family):
    # One rounding short of it they would be free to move, and no dual point would prove anything: the change
    # of units left a quarter of them there, and gaps of 0.2 to 0.6 to whoever checked.
    at_limit = 0
    for seed in range(6):
        rng = np.random.default_rng(seed)
        held = rng.standard_normal((40, 60)) * rng.uniform(0.3, 3.0, 60)
        eta = held[:, :4].sum(axis=1)
        y = rng.poisson(np.exp(eta / 4.0)) if family == "poisson" else eta + rng.standard_t(2, 40)
        if family == "logistic":
            y = y > 0.0
        options = {"penalty_factor": np.arange(60) >= 3, "upper_limits": 0.1, "standardize": True}
        path = glm_path(held, y, family=family, alphas=10, fit_intercept=True, **options)
        assert path.status is Status.CONVERGED
        assert certify(held, y, path, fit_intercept=True, **options).worst < TOL
        at_limit += np.count_nonzero(path.coefs[:3, -1] == 0.1)
    assert at_limit >= 12


def test_free_columns_that_nearly_agree_end_soon_and_say_so():
    # Their equations are beyond float64: no gap is finite, and none of the rounds is progress.
    spread = np.array([[2.6, 0.4, -2.5], [0.1, 1.8, 0.3], [-1.4, 0.2, -0.7]])
    held = np.column_stack([np.array([5e4, 6e3, 4e4]) + spread, X[:3]])
    with pytest.warns(ConvergenceWarning):
        path = lasso_path(
            held, Y[:3], alphas=4, penalty_factor=[0, 0, 0, 1, 1, 1, 1, 1], fit_intercept=False, max_time=30.0
        )
    assert path.status is Status.NOT_CONVERGED
    assert path.counters["cg_steps"] < 100_000


def test_long_indices_of_columns_of_extreme_scale():
    held = sparse.csc_array(np.array([[1e-100, 1.0], [2e-100, 0.0], [0.0, 3e80]]))
    expected = _solve(lasso_path, held, Y[:3], alphas=3)
    held.indices, held.indptr = held.indices.astype(np.int64), held.indptr.astype(np.int64)
    np.testing.assert_array_equal(_solve(lasso_path, held, Y[:3], alphas=3).coefs, expected.coefs)


def test_a_ridge_whose_gradients_leave_the_floats_says_that_nothing_is_certified():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((60, 6))
    y = 3 * X[:, 0] - 3 * X[:, 2] + rng.standard_normal(60)
    with pytest.warns(ConvergenceWarning, match="1 of 1 alphas did not reach"):
        path = ridge_path(1e150 * X, y, alphas=[1.0], fit_intercept=True)
    assert path.status is Status.NOT_CONVERGED
    ordinary = np.linalg.lstsq(np.column_stack([X, np.ones(60)]), y, rcond=None)[0][:6]
    assert np.allclose(1e150 * path.coefs[:, 0], ordinary, rtol=1e-9)


def test_an_alpha_whose_share_of_the_largest_is_no_float():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((20, 3))
    path = lasso_path(1e150 * X, X[:, 0], alphas=[1e-300], fit_intercept=True)
    assert np.allclose(1e150 * path.coefs[:, 0], [1.0, 0.0, 0.0], atol=1e-6)


@pytest.mark.parametrize("p", [1, 3])
@pytest.mark.parametrize("tiny", [5e-324, 1e-310])
def test_a_column_too_small_to_scale_is_named_however_many_there_are(p: int, tiny: float) -> None:
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((20, p)), rng.standard_normal(20)
    X[:, 0] *= tiny
    with pytest.raises(DataError, match="float64 can scale, but column 0"):
        lasso_path(X, y, alphas=3, standardize=True, fit_intercept=True)


def test_coefficients_that_nobody_has_may_be_beyond_float64() -> None:
    # Warnings are errors here: the unit of a column that stays out overflows, and no result holds it.
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((20, 3)), rng.standard_normal(20)
    X[:, 1] *= 1e-200
    path = lasso_path(X, 1e140 * y, alphas=3, fit_intercept=True)
    assert np.isfinite(path.coefs).all()
    assert not path.coefs[1].any()


def test_the_first_column_whose_coefficient_is_too_large_is_named() -> None:
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((20, 3)), rng.standard_normal(20)
    with pytest.raises(DataError, match="that of column 0 is too large"):
        lasso_path(X * 1e-320, y, alphas=3, fit_intercept=True)
