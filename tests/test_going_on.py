"""Selections that are cut short or gone on with: Ctrl-C is not lost, and other data are not mixed in."""

import signal
from dataclasses import replace

import numpy as np
import pytest
from scipy import sparse

import fastreg
from fastreg import DataError, DataTypeError, Status
from fastreg.control import Monitor
from fastreg.request import make_study, passed
from fastreg.selection.fingerprint import fingerprint

N, P = 40, 30


def wide(seed=0, n=N, p=P, signal=(3.0, -2.0, 1.5)):
    rng = np.random.default_rng(seed)
    X = np.asfortranarray(rng.standard_normal((n, p)))
    return X, X[:, : len(signal)] @ np.asarray(signal), rng


def same(one, other):
    pairs = ((one.tally, other.tally), (one.together, other.together))
    return all((a != b).nnz == 0 for a, b in pairs) and np.array_equal(one.done, other.done)


@pytest.fixture
def ctrl_c(monkeypatch):
    """Return a function that has Ctrl-C come when the k-th watch over paths begins, from 1."""
    begin = Monitor.__enter__

    def at(number):
        seen = []

        def entered(self):
            found = begin(self)
            seen.append(self)
            if len(seen) == number:
                signal.raise_signal(signal.SIGINT)
            return found

        monkeypatch.setattr(Monitor, "__enter__", entered)

    return at


@pytest.mark.parametrize(
    "select",
    [
        lambda X, y: fastreg.stability_selection(X, y, pairs=3, q=2),
        lambda X, y: fastreg.multi_split(X, y, splits=3),
        lambda X, y: fastreg.adaptive_path(X, y, weights="ridge", alphas=8),
        lambda X, y: fastreg.adaptive_path(X, y, weights="lasso", alphas=8),
    ],
)
def test_ctrl_c_in_a_path_that_nobody_sees_is_not_lost(select, ctrl_c):
    X, eta, rng = wide()
    y = eta + rng.standard_normal(N)
    ctrl_c(1)
    with pytest.raises(KeyboardInterrupt):
        select(X, y)


def test_ctrl_c_in_the_first_fit_of_a_fold_keeps_the_folds_that_are_done(ctrl_c):
    X, eta, rng = wide()
    # The watches: over all, the first fit of all rows, of fold 0, of fold 1.
    ctrl_c(4)
    found = fastreg.cv_path(X, eta + rng.standard_normal(N), cv=4, alphas=5, adaptive="ridge", n_threads=1)
    assert found.status is Status.INTERRUPTED
    assert len(found.folds) == 1
    assert len(found.path.alphas) == 5


def digest_of(X, y, **options):
    taken = {"eps": None, "alphas": None, "l1_ratio": 1.0, "standardize": False, "sample_weight": None}
    taken |= {"offset": None, "penalty_factor": None, "positive": False, "lower_limits": None}
    taken |= {"upper_limits": None, "coef_init": None, "max_features": None, "max_time": None, "tol": 1e-7}
    taken |= {"max_iter": 9, "n_threads": 1, "callback": None, "progress": False, "verbose": False}
    return fingerprint(make_study(X, y, passed(taken | {"feature_names": None} | options)))


def test_a_digest_is_that_of_the_numbers_however_they_are_stored():
    X, eta, rng = wide()
    X = X.astype(np.float32).astype(np.float64)
    X[rng.random(X.shape) < 0.5] = 0.0
    own = digest_of(X, eta)
    zeros = sparse.csc_array((np.zeros(3), ([0, 1, 2], [0, 0, 4])), shape=X.shape)
    for same in (
        np.ascontiguousarray(X),
        X.astype(np.float32),
        sparse.csr_array(X),
        np.where(X == 0.0, -0.0, X),
    ):
        assert digest_of(same, eta) == own
    assert digest_of(sparse.csc_array(X) + zeros, eta, sample_weight=np.ones(N), tol=1e-3) == own
    swapped = X.copy()
    swapped[[0, 1]] = swapped[[1, 0]]
    nudged = X.copy()
    nudged[3, 5] = np.nextafter(X[3, 5], 9.0)
    other = eta.copy()
    other[7] += 1e-12
    for data in (
        (swapped, eta),
        (nudged, eta),
        (X[:, ::-1], eta),
        (X, other),
        (sparse.csc_array(nudged), eta),
    ):
        assert digest_of(*data) != own
    asked = [{"l1_ratio": 0.5}, {"standardize": True}, {"penalty_factor": np.r_[2.0, np.ones(P - 1)]}]
    asked += [{"positive": True}, {"offset": np.r_[1.0, np.zeros(N - 1)]}, {"fit_intercept": False}]
    asked += [{"sample_weight": np.r_[2.0, np.ones(N - 1)]}, {"family": "huber", "delta": 1.0}]
    found = {digest_of(X, eta, **each) for each in asked}
    assert len(found | {own}) == len(asked) + 1


def test_other_data_of_the_same_size_are_not_mixed_in():
    X, eta, rng = wide()
    y = eta + rng.standard_normal(N)
    result = fastreg.stability_selection(X, y, pairs=2, q=3)
    # alpha_max stays: it is that of the first feature.
    changed = X.copy()
    changed[:, -1] = rng.permutation(X[:, -1])
    for other in ({"X": changed}, {"sample_weight": np.r_[0.5, np.ones(N - 1)]}, {"l1_ratio": 0.9}):
        with pytest.raises(
            DataError, match="must be of the same data and options, got one whose X, y, weights"
        ):
            fastreg.stability_selection(**({"X": X, "y": y, "pairs": 3, "resume": result} | other))
    old = replace(result, digest=None)
    assert same(fastreg.stability_selection(X, y, pairs=3, resume=old), result.resume(3))
    with pytest.raises(DataError, match="got alpha_max"):
        fastreg.stability_selection(X, 2 * y, resume=old)
    with pytest.raises(DataTypeError, match="resume must be a StabilityResult"):
        fastreg.stability_selection(X, y, resume=np.ones((2, 2)))


@pytest.mark.parametrize(
    "options",
    [
        {"q": 5},
        {"threshold": 0.8},
        {"max_false": 2.0},
        {"bound": "unimodal"},
        {"form": "region"},
        {"alphas": 30},
        {"alphas": [0.1, 0.2]},
        {"random_state": 3},
    ],
)
def test_what_a_result_has_settled_is_not_asked_for_again(options):
    X, eta, rng = wide()
    y = eta + rng.standard_normal(N)
    settled = {"q": 4, "threshold": 0.7, "alphas": 25, "random_state": 2}
    result = fastreg.stability_selection(X, y, pairs=2, **settled)
    again = fastreg.stability_selection(X, y, pairs=3, resume=result, **settled)
    assert same(again, fastreg.stability_selection(X, y, pairs=3, resume=result, alphas=result.alphas))
    with pytest.raises(DataError, match=f"{next(iter(options))} must be that of the result to resume"):
        fastreg.stability_selection(X, y, pairs=3, resume=result, **options)
