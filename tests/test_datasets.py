"""The generators: shapes, layouts, seeds, and that the truth is what they say."""

import dataclasses

import numpy as np
import pytest
from scipy import sparse

from fastreg.datasets import make_correlated, make_logistic, make_sparse, make_wide

MAKERS = [make_wide, make_correlated, make_sparse, make_logistic]
SMALL = {"n": 40, "p": 90, "n_true": 7}
SIZES = {make_sparse: {"density": 0.2}}


def _make(maker, **changes):
    return maker(**(SMALL | SIZES.get(maker, {}) | changes))


@pytest.mark.parametrize("maker", MAKERS)
def test_shapes_names_and_truth(maker):
    problem = _make(maker)
    assert problem.X.shape == (40, 90)
    assert problem.X.dtype == np.float64
    assert problem.y.shape == (40,)
    assert problem.coef.shape == (90,)
    assert problem.true_features.size == 7
    assert problem.feature_names == tuple(f"x{j}" for j in range(90))
    X, y = problem
    assert X is problem.X
    assert y is problem.y
    with pytest.raises(dataclasses.FrozenInstanceError):
        problem.y = y


@pytest.mark.parametrize("maker", MAKERS)
def test_the_seed_decides(maker):
    def content(problem):
        X = problem.X.toarray() if sparse.issparse(problem.X) else problem.X
        return X.tobytes(), problem.y.tobytes(), problem.coef.tobytes()

    assert content(_make(maker)) == content(_make(maker))
    assert content(_make(maker)) != content(_make(maker, seed=1))
    assert content(_make(maker, seed=None)) != content(_make(maker, seed=None))


@pytest.mark.parametrize("maker", [make_wide, make_correlated, make_logistic])
def test_dense_designs_run_in_place(maker):
    X = _make(maker).X
    assert X.flags.f_contiguous
    assert X.flags.aligned


def test_sparse_designs_are_canonical_csc():
    X = make_sparse(n=300, p=400, n_true=5, density=0.05).X
    assert isinstance(X, sparse.csc_array)
    assert X.has_canonical_format
    assert X.indices.dtype == np.int32
    assert X.data.min() > 0.0
    assert X.data.max() <= 1.0
    # Binomial with 120000 trials: four standard deviations are 302.
    assert abs(X.nnz - 0.05 * 120_000) < 302


def test_an_empty_sparse_design_is_possible():
    problem = make_sparse(n=3, p=4, n_true=1, density=1e-9)
    assert problem.X.nnz == 0
    assert np.isfinite(problem.y).all()


@pytest.mark.parametrize("rho", [-0.7, 0.5, 0.95])
def test_neighbours_are_correlated_as_asked(rho):
    X = make_correlated(n=20_000, p=4, n_true=1, rho=rho).X
    expected = rho ** np.abs(np.subtract.outer(np.arange(4), np.arange(4)))
    np.testing.assert_allclose(np.corrcoef(X.T), expected, atol=0.04)
    np.testing.assert_allclose(X.std(axis=0), 1.0, atol=0.04)


def test_noise_has_the_asked_for_size():
    problem = make_wide(n=5000, p=30, n_true=10, snr=4.0)
    signal = problem.X @ problem.coef
    assert signal.var() / (problem.y - signal).var() == pytest.approx(4.0, rel=0.1)


def test_without_noise_the_truth_explains_all():
    problem = make_wide(n=50, p=30, n_true=10, snr=np.inf)
    np.testing.assert_allclose(problem.X @ problem.coef, problem.y, rtol=1e-12, atol=1e-12)


def test_without_true_features_there_is_noise_only():
    problem = make_wide(n=500, p=10, n_true=0)
    assert not problem.coef.any()
    assert problem.y.std() == pytest.approx(1.0, rel=0.2)


def test_logistic_labels_follow_their_odds():
    problem = make_logistic(n=20_000, p=5, n_true=1, intercept=-1.0)
    assert problem.y.dtype == np.int64
    eta = problem.X @ problem.coef - 1.0
    probability = 1.0 / (1.0 + np.exp(-eta))
    high = probability > 0.7
    assert problem.y[high].mean() == pytest.approx(probability[high].mean(), abs=0.02)
    assert problem.y[~high].mean() == pytest.approx(probability[~high].mean(), abs=0.02)


def test_repr_is_short():
    assert repr(_make(make_wide)) == "Problem(40 x 90 dense, 7 true features)"
    assert repr(_make(make_sparse)) == "Problem(40 x 90 sparse, 7 true features)"


@pytest.mark.parametrize(
    ("maker", "bad", "message"),
    [
        (make_wide, {"n": 0}, "at least 1"),
        (make_wide, {"p": 0, "n_true": 0}, "at least 1"),
        (make_wide, {"n_true": 91}, "n_true must lie between 0 and p=90"),
        (make_wide, {"snr": 0.0}, "snr must be positive"),
        (make_wide, {"snr": np.nan}, "snr must be positive"),
        (make_correlated, {"rho": 1.0}, "rho must lie between"),
        (make_logistic, {"rho": -1.0}, "rho must lie between"),
        (make_sparse, {"density": 1.0}, "density must lie between"),
    ],
)
def test_impossible_problems_are_refused(maker, bad, message):
    with pytest.raises(ValueError, match=message):
        _make(maker, **bad)
