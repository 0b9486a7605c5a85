"""Many responses on one X: every path is that of its column alone, and X is surveyed once."""

import itertools
import pickle
import warnings

import numpy as np
import pytest
from scipy import sparse

import fastreg
from fastreg import DataError, InputWarning, Status, control, driver, solvers

Q = 4


def problem(n=30, p=50, seed=0, density=1.0):
    rng = np.random.default_rng(seed)
    X = np.asfortranarray(rng.standard_normal((n, p)))
    X[rng.random(X.shape) > density] = 0.0
    Y = (
        X[:, :Q] * [3.0, -2.0, 1.0, 0.0]
        + X[:, 5:6]
        + 0.5 * rng.standard_normal((n, Q))
        + [0.0, 1.0, -2.0, 5.0]
    )
    return X, Y, rng


FUNCTIONS = {
    "lasso": (fastreg.lasso_path, {}),
    "enet": (fastreg.enet_path, {"l1_ratio": 0.6}),
    "ridge": (fastreg.ridge_path, {}),
}


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("shape", [(30, 50), (60, 9)])
@pytest.mark.parametrize("storage", [np.asfortranarray, sparse.csc_array, lambda X: X.astype(np.float32)])
@pytest.mark.parametrize("standardize", [False, True])
def test_every_path_is_that_of_its_column(name, shape, storage, standardize):
    X, Y, rng = problem(*shape, density=0.5)
    function, own = FUNCTIONS[name]
    options = {"standardize": standardize, "fit_intercept": True, "alphas": 12, "eps": 1e-2} | own
    options["sample_weight"] = rng.uniform(0.5, 2.0, shape[0])
    many = function(storage(X), Y, multi_response="independent", **options)
    assert isinstance(many, tuple)
    assert len(many) == Q
    for c, path in enumerate(many):
        alone = function(storage(X), Y[:, c], **options)
        assert np.allclose(path.alphas, alone.alphas, rtol=1e-12)
        assert np.allclose(path.coefs, alone.coefs, rtol=1e-9, atol=1e-11 * np.abs(alone.coefs).max())
        assert np.allclose(path.intercepts, alone.intercepts, rtol=1e-9, atol=1e-10)
        assert path.relative_gaps.max() < 1e-10
        assert path.status is Status.CONVERGED


def test_threads_change_nothing_and_x_stays_as_it_is():
    for shape in ((30, 50), (60, 9)):
        X, Y, _ = problem(*shape)
        before = X.copy()
        options = {"multi_response": "independent", "fit_intercept": True, "alphas": 10}
        one = fastreg.lasso_path(X, Y, n_threads=1, **options)
        two = fastreg.lasso_path(X, Y, n_threads=3, **options)
        # The last one comes after what is shared was used by the others.
        alone = fastreg.lasso_path(X, Y[:, -1:], n_threads=1, **options)
        for a, b in zip(one, two, strict=True):
            assert np.array_equal(a.coefs, b.coefs)
            assert np.array_equal(a.dual_gaps, b.dual_gaps)
        assert np.allclose(alone[0].coefs, one[-1].coefs, rtol=1e-11)
        assert np.array_equal(X, before)


def test_offsets_starts_bounds_and_free_features():
    X, Y, rng = problem()
    offset, start = rng.standard_normal(Y.shape), rng.standard_normal((Q, 50))
    factor = np.ones(50)
    factor[7] = 0.0
    options = {"fit_intercept": True, "alphas": [0.5, 0.1], "penalty_factor": factor, "upper_limits": 1.0}
    many = fastreg.lasso_path(X, Y, multi_response="independent", offset=offset, coef_init=start, **options)
    shared = fastreg.lasso_path(
        X, Y, multi_response="independent", offset=offset[:, 0], coef_init=start[0], **options
    )
    for c in range(Q):
        alone = fastreg.lasso_path(X, Y[:, c], offset=offset[:, c], coef_init=start[c], **options)
        assert np.allclose(many[c].coefs, alone.coefs, rtol=1e-8, atol=1e-10)
        alone = fastreg.lasso_path(X, Y[:, c], offset=offset[:, 0], **options)
        assert np.allclose(shared[c].coefs, alone.coefs, rtol=1e-8, atol=1e-10)
    with pytest.raises(DataError, match=r"offset must have shape \(30, 4\), got \(30, 3\)"):
        fastreg.lasso_path(X, Y, multi_response="independent", offset=offset[:, :3], fit_intercept=True)


def test_results_go_on_by_themselves():
    pd = pytest.importorskip("pandas")
    X, Y, _ = problem()
    names = [f"g{j}" for j in range(50)]
    frame = pd.DataFrame(X, columns=names)
    many = fastreg.lasso_path(
        frame, pd.DataFrame(Y), multi_response="independent", alphas=8, fit_intercept=True
    )
    assert many[2].label(many[2].order_of_entry()[0]) in names
    again = many[2].source.study().fit()
    assert np.allclose(again.coefs, many[2].coefs, rtol=1e-9, atol=1e-12)
    assert pickle.loads(pickle.dumps(many))[1].n_nonzero.tolist() == many[1].n_nonzero.tolist()


def test_max_features_and_a_budget_shorten_paths_and_say_so():
    X, Y, _ = problem()
    options = {"multi_response": "independent", "fit_intercept": True}
    few = fastreg.lasso_path(X, Y, max_features=3, **options)
    for c, path in enumerate(few):
        assert path.status is Status.MAX_FEATURES
        assert path.n_nonzero.max() <= 3
        alone = fastreg.lasso_path(X, Y[:, c], max_features=3, fit_intercept=True)
        assert path.alphas.size == alone.alphas.size
    cut = fastreg.lasso_path(X, Y, max_time=1e-9, max_features=49, **options)
    assert len(cut) == Q
    assert {path.status for path in cut} == {Status.MAX_TIME}
    assert max(path.alphas.size for path in cut) <= 1


@pytest.mark.parametrize("calls", [1, 5, 20])
def test_paths_that_wait_for_a_reading_end_with_their_budget(monkeypatch, calls):
    X, Y, _ = problem(p=200)
    # On so few columns all paths would end in their first call.
    monkeypatch.setattr(driver, "OPERATIONS_PER_CALL", 2000)
    monkeypatch.setattr(solvers, "cost_of_sharing", lambda entries: 0.1)
    asked = itertools.count()
    monkeypatch.setattr(control.Member, "keep_going", lambda self: next(asked) < calls)
    options = {"fit_intercept": True, "eps": 1e-2}
    paths = fastreg.lasso_path(X, Y, multi_response="independent", n_threads=1, **options)
    assert {path.status for path in paths} == {Status.MAX_TIME}
    assert all(path.alphas.size < 100 for path in paths)
    if calls > 1:
        assert max(path.alphas.size for path in paths) > 0
    monkeypatch.undo()
    for c, path in enumerate(paths):
        alone = fastreg.lasso_path(X, Y[:, c], **options)
        assert np.allclose(path.coefs, alone.coefs[:, : path.alphas.size], rtol=1e-8, atol=1e-10)
        assert (path.relative_gaps < 1e-10).all()


def test_one_warning_for_all_responses():
    X, Y, _ = problem(n=60)
    with pytest.warns(
        InputWarning, match=r"2 columns \(2, 3\) of y have means that are no accident"
    ) as found:
        fastreg.lasso_path(X, Y - [0.0, 1.0, 0.0, 0.0], multi_response="independent", alphas=3)
    assert len(found) == 1
    assert found[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fastreg.lasso_path(X, Y, multi_response="independent", alphas=3, fit_intercept=False)
    with pytest.warns(fastreg.ConvergenceWarning, match="columns .* of y have alphas that did not") as found:
        fastreg.lasso_path(X, Y, multi_response="independent", fit_intercept=True, tol=0.0, max_iter=1)
    assert len(found) == 1
    assert found[0].filename == __file__


@pytest.mark.parametrize(
    ("y", "options", "message"),
    [
        (np.zeros((30, 0)), {}, r"y must have shape \(30, columns\), got \(30, 0\)"),
        (np.zeros(30), {}, r"y must have shape \(30, columns\), got \(30,\); y.reshape\(-1, 1\)"),
        (np.zeros((29, 2)), {}, r"y must have shape \(30, columns\), got \(29, 2\)"),
        (np.where(np.arange(60) == 41, np.nan, 1.0).reshape(30, 2), {}, "got nan in column 1, row 20"),
        (np.ones((30, 2)), {"multi_response": "shared"}, "multi_response must be None or 'independent'"),
        (np.ones((30, 2)), {"callback": print}, "callback tells of one path"),
        (np.ones((30, 2)), {"verbose": True}, "verbose tells of one path"),
        (np.ones((30, 2)), {"l1_ratio": 2.0}, r"l1_ratio must be a number in \[0, 1\]"),
    ],
)
def test_what_is_wrong_is_named(y, options, message):
    X, _, _ = problem()
    with pytest.raises(DataError, match=message):
        fastreg.enet_path(X, y, **{"multi_response": "independent", "fit_intercept": True} | options)


def test_one_response_still_refuses_several():
    X, Y, _ = problem()
    with pytest.raises(DataError, match="multitask_path fits several responses"):
        fastreg.lasso_path(X, Y)


def test_constant_responses_have_zero_paths():
    X, Y, _ = problem()
    Y[:, 1] = 3.0
    many = fastreg.lasso_path(X, Y, multi_response="independent", fit_intercept=True, alphas=5)
    assert (many[1].coefs == 0.0).all()
    assert np.allclose(many[1].intercepts, 3.0)
    assert min(many[0].n_nonzero[-1], many[2].n_nonzero[-1]) > 0
