"""The table "input policy" of the interface, row by row, through the public path functions."""

import hashlib
import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

import fastreg
from fastreg import certify, enet_path, lasso_path, ridge_path
from fastreg.errors import DataError, DataTypeError, Status

INF, NAN = float("inf"), float("nan")
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


def _spoiled(value, row=4, column=2):
    bad = X.copy()
    bad[row, column] = value
    return bad


# NaN or inf in X, y, weights, offset


@every_path
@every_storage
@pytest.mark.parametrize("value", [NAN, INF, -INF])
def test_x_that_is_not_finite(path, store, value):
    for options in ({}, {"fit_intercept": True}, {"fit_intercept": True, "standardize": True}):
        with pytest.raises(ValueError, match="X must be finite, got .* in column 2, row 4"):
            path(store(_spoiled(value)), Y, **{"fit_intercept": False, **options})


@every_path
@every_storage
def test_x_that_is_not_finite_names_the_feature(path, store):
    with pytest.raises(DataError, match=r"column 2 \('c'\), row 4"):
        path(store(_spoiled(NAN)), Y, fit_intercept=True, feature_names=list("abcde"))


@every_path
def test_x_that_is_not_finite_in_single_precision_and_with_check_input_off(path):
    with pytest.raises(DataError, match="column 2, row 4"):
        path(_spoiled(NAN).astype(np.float32), Y, fit_intercept=True, check_input=False)


@every_path
def test_nan_in_a_row_of_weight_zero_is_still_an_error(path):
    weights = np.ones(N)
    weights[4] = 0.0
    with pytest.raises(DataError, match="column 2, row 4"):
        path(_spoiled(NAN), Y, fit_intercept=True, sample_weight=weights)


@every_path
@every_storage
@pytest.mark.parametrize("value", [NAN, INF])
@pytest.mark.parametrize("name", ["y", "sample_weight", "offset"])
def test_vectors_that_are_not_finite(path, store, name, value):
    vector = np.ones(N)
    vector[3] = value
    options = {"y": Y, name: vector}
    with pytest.raises(ValueError, match=f"{name} must be finite, got {value} at row 3"):
        path(store(X), options.pop("y"), fit_intercept=True, **options)


# Wrong shapes, empty data, numbers out of range


@every_path
@every_storage
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"y": Y[:-1]}, r"y must have shape \(12,\), got \(11,\)"),
        ({"sample_weight": np.ones(5)}, r"sample_weight must have shape \(12,\), got \(5,\)"),
        ({"sample_weight": -np.ones(N)}, "sample_weight must be >= 0, got -1.0 at row 0"),
        ({"sample_weight": np.zeros(N)}, "sample_weight must have a positive entry"),
        ({"offset": np.ones(5)}, r"offset must have shape \(12,\), got \(5,\)"),
        ({"penalty_factor": np.ones(3)}, r"penalty_factor must .*\(5,\)"),
        ({"penalty_factor": [1, 1, -1, 1, 1]}, "penalty_factor must be >= 0, got -1.0 in column 2"),
        ({"penalty_factor": [1, 1, NAN, 1, 1]}, "penalty_factor must .*nan in column 2"),
        ({"lower_limits": 0.5}, "lower_limits must be <= 0, got 0.5"),
        ({"lower_limits": np.zeros(3)}, "lower_limits must .*shape"),
        ({"upper_limits": [1, 1, 1, 1, -0.5]}, "upper_limits must be >= 0, got -0.5 in column 4"),
        ({"upper_limits": NAN}, "upper_limits must .*nan"),
        ({"positive": True, "lower_limits": -1.0}, "lower_limits must be 0 with positive=True"),
        ({"coef_init": np.zeros(3)}, r"coef_init must have shape \(5,\), got \(3,\)"),
        ({"coef_init": np.full(P, NAN)}, "coef_init must be finite"),
        ({"alphas": [0.1, 0.0]}, "alphas must be finite and > 0, got 0.0 at position 1"),
        ({"alphas": [-0.1]}, "alphas must be finite and > 0"),
        ({"alphas": [NAN]}, "alphas must be finite"),
        ({"alphas": []}, "alphas must"),
        ({"alphas": 0}, "alphas must"),
        ({"eps": 0.0}, "eps must"),
        ({"eps": 2.0}, "eps must"),
        ({"tol": -1.0}, "tol must"),
        ({"max_iter": 0}, "max_iter must"),
        ({"max_features": 0}, "max_features must"),
        ({"max_time": 0.0}, "max_time must"),
        ({"n_threads": 0}, "n_threads must"),
        ({"selection": "greedy"}, "selection must"),
        ({"precompute": np.eye(3)}, "precompute must"),
        ({"Xy": np.ones(3)}, "Xy must"),
        ({"feature_names": ["a", "b"]}, "feature_names must hold 5 names, one per column of X, got 2"),
    ],
)
def test_values_that_cannot_be_used(path, store, options, message):
    options = {"y": Y, **options}
    with pytest.raises(ValueError, match=message) as caught:
        path(store(X), options.pop("y"), **{"fit_intercept": True, **options})
    assert isinstance(caught.value, DataError)


@every_path
@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (0, 0)])
def test_empty_data(path, shape):
    for store in STORAGES.values():
        with pytest.raises(DataError, match="X must have at least one row and one column"):
            path(store(np.ones(shape)), np.ones(shape[0]), fit_intercept=True)


@every_path
def test_one_dimensional_x_says_reshape(path):
    with pytest.raises(DataError, match="reshape"):
        path(np.ones(N), Y, fit_intercept=True)


@every_path
@every_storage
def test_several_responses_name_the_function_for_them(path, store):
    for y in (np.ones((N, 2)), pd.DataFrame({"a": Y, "b": Y})):
        with pytest.raises(ValueError, match="multitask_path"):
            path(store(X), y, fit_intercept=True)


@every_storage
@pytest.mark.parametrize("value", [-0.1, 1.1, NAN, INF])
def test_l1_ratio_outside_its_range(store, value):
    with pytest.raises(ValueError, match="l1_ratio must be a number in"):
        enet_path(store(X), Y, l1_ratio=value, fit_intercept=True)


# Types


@every_path
def test_columns_without_numbers(path):
    mixed = X.astype(object)
    mixed[2, 3] = "high"
    frame = pd.DataFrame(X, columns=list("abcde"))
    guilty = [
        (mixed, "column 3"),
        (X.astype(object), "column 0"),
        (X.astype(str), "column 0"),
        (frame.assign(d="high"), r"column 3 \('d'\)"),
        (frame.assign(c=pd.Series([1, "x"] * 6, dtype=object)), r"column 2 \('c'\)"),
        (frame.assign(b=pd.Categorical([1, 2] * 6)), r"column 1 \('b'\)"),
        (frame.assign(e=pd.Timestamp("2020-01-01")), r"column 4 \('e'\)"),
    ]
    for given, place in guilty:
        with pytest.raises(TypeError, match=place) as caught:
            path(given, Y, fit_intercept=True)
        assert isinstance(caught.value, DataTypeError)


@every_path
def test_labels_are_sent_to_where_they_are_understood(path):
    labels = ["low", "high"] * (N // 2)
    for y in (labels, np.array(labels), pd.Series(labels, dtype="category")):
        with pytest.raises(DataTypeError, match="labels are for logistic_path .* or multinomial_path"):
            path(X, y, fit_intercept=True)
    with pytest.raises(DataTypeError, match="astype"):
        path(X, Y, sample_weight=labels, fit_intercept=True)


@every_path
@every_storage
def test_complex_numbers(path, store):
    with pytest.raises(TypeError, match="real numbers"):
        path(store(X * 1j), Y, fit_intercept=True)
    with pytest.raises(TypeError, match="real numbers"):
        path(store(X), Y * 1j, fit_intercept=True)


@every_path
@every_storage
def test_unknown_keywords(path, store):
    for wrong in ("sample_weights", "lambda_", "foo"):
        with pytest.raises(TypeError, match=wrong):
            path(store(X), Y, **{wrong: 1})


@pytest.mark.parametrize("path", [lasso_path, ridge_path])
def test_paths_with_a_fixed_mix_take_no_l1_ratio(path):
    with pytest.raises(TypeError, match="l1_ratio"):
        path(X, Y, l1_ratio=0.5)


@every_path
@pytest.mark.parametrize(
    "options",
    [
        {"fit_intercept": "no"},
        {"standardize": "no"},
        {"positive": 1},
        {"callback": 3},
        {"progress": "bar"},
        {"return_n_iter": "yes"},
        {"copy_X": "no"},
        {"check_input": "no"},
        {"alphas": 0.5},
        {"alphas": "auto"},
        {"eps": "small"},
        {"tol": "tight"},
        {"max_iter": 10.0},
        {"feature_names": "abcde"},
    ],
)
def test_options_of_another_type(path, options):
    with pytest.raises(TypeError, match=next(iter(options))):
        path(X, Y, **{"fit_intercept": True, **options})


@every_path
def test_everything_after_y_is_by_name(path):
    with pytest.raises(TypeError, match="positional"):
        path(X, Y, 1e-3)


# Untouched inputs, and what the report says


@every_path
@every_storage
def test_inputs_are_untouched(path, store):
    given = store(X.copy())
    parts = [given.data, given.row, given.col] if given is not None and hasattr(given, "row") else None
    if parts is None:
        parts = [given.data, given.indices, given.indptr] if sparse.issparse(given) else [given]
    vectors = {"sample_weight": np.ones(N), "offset": np.zeros(N), "penalty_factor": np.ones(P)}
    y = Y.copy()
    arrays = [*parts, y, *vectors.values()]
    before = [hashlib.sha256(np.ascontiguousarray(array)).hexdigest() for array in arrays]
    result = path(given, y, fit_intercept=True, standardize=True, alphas=ALPHAS, **vectors)
    assert [hashlib.sha256(np.ascontiguousarray(array)).hexdigest() for array in arrays] == before
    assert all(array.flags.writeable for array in arrays)
    assert result.input_report.shape == (N, P)


@every_path
def test_read_only_memory_maps_run_in_place(path, tmp_path):
    np.save(tmp_path / "X.npy", np.asfortranarray(X))
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    result = _certified(path, mapped, Y)
    assert result.input_report.copied_bytes == 0
    np.testing.assert_array_equal(result.coefs, _solve(path, np.asfortranarray(X), Y).coefs)


@every_path
def test_names_of_data_frames_reach_the_result(path):
    result = _solve(path, pd.DataFrame(X, columns=list("abcde")), Y)
    assert result.feature_names == ("a", "b", "c", "d", "e")
    assert _solve(path, X, Y, feature_names=list("vwxyz")).feature_names == ("v", "w", "x", "y", "z")


@every_path
@pytest.mark.parametrize("dtype", [np.int64, np.int8, np.bool_, np.float16, np.longdouble])
def test_other_numbers_are_as_good_as_float64(path, dtype):
    whole = np.round(2 * X).astype(dtype)
    result = _certified(path, whole, Y)
    assert str(np.dtype(dtype)) in result.input_report.conversions[0]
    np.testing.assert_allclose(
        result.coefs, _solve(path, sparse.csr_array(whole.astype(float)), Y).coefs, atol=1e-5
    )


def test_the_table_is_reached_from_the_top():
    assert {path.__name__ for path in PATHS} <= set(fastreg.__all__)
