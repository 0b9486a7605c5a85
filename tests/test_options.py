"""The checks of vectors, numbers and switches, and the penalty they become."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from scipy import sparse

from fastreg import enet_path
from fastreg.errors import DataError, DataTypeError
from fastreg.penalty import make_penalty
from fastreg.validate import (
    check_alphas,
    check_coefficients,
    check_drop_in,
    check_flag,
    check_offset,
    check_options,
    check_response,
    check_vector,
    check_weights,
)

INF, NAN = float("inf"), float("nan")


@pytest.mark.parametrize(
    "y",
    [
        [1, 2, 0],
        np.array([[1.0], [2.0], [0.0]]),
        np.array([1, 2, 0], np.float32),
        np.array([1.0, 9, 2, 9, 0, 9])[::2],
        pd.Series([1, 2, 0], index=[5, 6, 7]),
        pd.Series([1, 2, 0], dtype="Int64"),
        pd.DataFrame({"y": [1, 2, 0]}),
        pl.Series([1, 2, 0]),
        pl.DataFrame({"y": [1, 2, 0]}),
        pa.array([1, 2, 0]),
        pa.chunked_array([[1], [2, 0]]),
    ],
)
def test_responses_of_all_kinds(y):
    found = check_response(y, 3)
    np.testing.assert_array_equal(found, [1.0, 2.0, 0.0])
    assert found.dtype == np.float64
    assert found.flags.c_contiguous
    assert found.flags.writeable


def test_vectors_are_new_arrays():
    y = np.arange(3.0)
    for found in (check_response(y, 3), check_vector(y, 3, "v"), check_weights(y, 3)[0], check_offset(y, 3)):
        assert not np.shares_memory(found, y)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        ([1.0, 2.0], r"y must have shape \(3,\), got \(2,\)"),
        (np.ones((3, 2)), "multitask_path"),
        (np.ones((1, 3)), "multitask_path"),
        (5.0, "got 5.0"),
        (np.ones((3, 1, 1)), r"got \(3, 1, 1\)"),
        ([1.0, NAN, INF], "y must be finite, got nan at row 1"),
        ([1.0, 2.0, -INF], "-inf at row 2"),
        (pd.Series([1, None, 2], dtype="Int64"), "nan at row 1"),
        (np.ma.masked_equal([1.0, 2.0, 3.0], 2.0), "masked entry at 1"),
    ],
)
def test_responses_that_cannot_be_used(y, message):
    with pytest.raises(DataError, match=message):
        check_response(y, 3)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (["a", "b", "c"], r"entry 0 of y must hold real numbers, got 'a'"),
        ([1, 2, "c"], "entry 2 of y"),
        (np.array([1, 2, 3], object), "dtype object"),
        (np.array([1j, 2, 3]), "complex"),
        (pd.Series(["a", "b", "a"], dtype="category"), "y must hold real numbers, got category"),
        (pd.Series([1, 2, 1], dtype="category"), "category"),
        (sparse.csc_array(np.ones((3, 1))), "dense vector"),
        (None, "None"),
    ],
)
def test_responses_without_numbers(y, message):
    with pytest.raises((DataTypeError, DataError), match=message):
        check_response(y, 3)


@pytest.mark.parametrize("scale", [1.0, 1e-320, 1e300])
def test_weights_sum_to_one(scale):
    w, total = check_weights(np.array([1.0, 0.0, 3.0]) * scale, 3)
    np.testing.assert_allclose(w, [0.25, 0.0, 0.75], rtol=1e-3)
    assert w.sum() == pytest.approx(1.0, abs=1e-15)
    assert total == pytest.approx(4 * scale)


def test_equal_weights_are_no_weights():
    for weights in (None, np.ones(7), np.full(7, 3.0)):
        w, total = check_weights(weights, 7)
        np.testing.assert_array_equal(w, np.full(7, 1 / 7))
        assert total == (21.0 if weights is not None and weights[0] == 3.0 else 7.0)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (np.ones(100), r"sample_weight must have shape \(3,\), got \(100,\)"),
        ([1.0, -2.0, 1.0], "sample_weight must be >= 0, got -2.0 at row 1"),
        ([0.0, 0.0, 0.0], "positive entry"),
        ([1.0, NAN, 1.0], "nan at row 1"),
        ([1.0, INF, 1.0], "inf at row 1"),
        (2.0, r"shape \(3,\)"),
    ],
)
def test_weights_that_cannot_be_used(weights, message):
    with pytest.raises(DataError, match=message):
        check_weights(weights, 3)


def test_offset_and_starting_coefficients():
    np.testing.assert_array_equal(check_offset(None, 2), [0.0, 0.0])
    assert check_coefficients(None, 2) is None
    np.testing.assert_array_equal(check_coefficients([1, 2], 2), [1.0, 2.0])
    with pytest.raises(DataError, match="offset must be finite, got inf at row 1"):
        check_offset([0.0, INF], 2)
    with pytest.raises(DataError, match=r"coef_init must have shape \(2,\)"):
        check_coefficients([1.0], 2)


@pytest.mark.parametrize(
    ("alphas", "n_alphas", "size", "values"),
    [
        (100, None, 100, None),
        (100, 30, 30, None),
        (30, 30, 30, None),
        (None, None, 100, None),
        (None, 7, 7, None),
        (np.int64(5), None, 5, None),
        (np.array(5), None, 5, None),
        (1, None, 1, None),
        ([0.1, 3, 1], None, 3, [3.0, 1.0, 0.1]),
        ([0.1, 3, 3], 3, 3, [3.0, 3.0, 0.1]),
        (pd.Series([1, 2]), None, 2, [2.0, 1.0]),
        (range(1, 3), None, 2, [2.0, 1.0]),
        ([1e-300], None, 1, [1e-300]),
    ],
)
def test_grids(alphas, n_alphas, size, values):
    grid = check_alphas(alphas, 1e-3, n_alphas, 10, 5)
    assert (grid.size, grid.eps) == (size, 1e-3)
    if values is None:
        assert grid.values is None
    else:
        assert grid.values.tolist() == values
        assert grid.values.flags.c_contiguous


def test_values_of_the_user_are_not_sorted_in_place():
    alphas = np.array([1.0, 3.0, 2.0])
    assert not np.shares_memory(check_alphas(alphas, 1e-3, None, 10, 5).values, alphas)
    assert alphas.tolist() == [1.0, 3.0, 2.0]


@pytest.mark.parametrize(("n", "p", "eps"), [(10, 11, 1e-2), (10, 10, 1e-4)])
def test_automatic_eps(n, p, eps):
    assert check_alphas(100, "auto", None, n, p).eps == eps
    # The first alpha of ridge is a thousand times that of the lasso.
    assert check_alphas(100, "auto", None, n, p, is_ridge=True).eps == pytest.approx(eps * 1e-3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 1e-3, None), "alphas must be an integer >= 1, got 0"),
        (([], 1e-3, None), "non-empty"),
        (([[1.0]], 1e-3, None), "non-empty vector"),
        (([1.0, 0.0], 1e-3, None), "alphas must be finite and > 0, got 0.0 at position 1"),
        (([1.0, -1.0], 1e-3, None), "-1.0 at position 1"),
        (([NAN], 1e-3, None), "nan at position 0"),
        (([INF], 1e-3, None), "inf at position 0"),
        ((50, 1e-3, 30), "alphas=50 and n_alphas=30"),
        (([1.0, 2.0], 1e-3, 30), "2 alphas and n_alphas=30"),
        ((100, 0.0, None), "eps must be a number in"),
        ((100, 1.0, None), "eps"),
        ((100, NAN, None), "eps"),
        ((100, 1e-3, 0), "n_alphas must be an integer >= 1"),
    ],
)
def test_grids_that_cannot_be_used(arguments, message):
    with pytest.raises(DataError, match=message):
        check_alphas(*arguments, 10, 5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0.5, 1e-3, None), r"pass \[0.5\]"),
        ((True, 1e-3, None), "alphas"),
        (("many", 1e-3, None), "alphas"),
        ((["a"], 1e-3, None), "real numbers"),
        ((100, "small", None), 'eps must be a number in .* or "auto"'),
        ((100, 1e-3, 3.0), "n_alphas"),
    ],
)
def test_grids_of_another_type(arguments, message):
    with pytest.raises(DataTypeError, match=message):
        check_alphas(*arguments, 10, 5)


def test_options_become_plain_numbers():
    found = check_options(np.float32(0.5), np.array(1e-7), np.int32(10), 3, 1, 2)
    assert (found.l1_ratio, found.tol, found.max_iter) == (0.5, 1e-7, 10)
    assert (found.max_features, found.max_time, found.n_threads) == (3, 1.0, 2)
    assert type(found.max_iter) is int
    assert check_options(1, 0, 1).max_time is None


GOOD = {
    "l1_ratio": 0.5,
    "tol": 1e-7,
    "max_iter": 10,
    "max_features": None,
    "max_time": None,
    "n_threads": None,
}


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("l1_ratio", 1.5, DataError),
        ("l1_ratio", -0.1, DataError),
        ("l1_ratio", NAN, DataError),
        ("l1_ratio", [0.5], DataTypeError),
        ("l1_ratio", True, DataTypeError),
        ("l1_ratio", None, DataTypeError),
        ("tol", -1e-7, DataError),
        ("tol", NAN, DataError),
        ("tol", "1e-7", DataTypeError),
        ("tol", np.ones(3), DataTypeError),
        ("tol", "x" * 100, DataTypeError),
        ("max_iter", 0, DataError),
        ("max_iter", 10.0, DataTypeError),
        ("max_features", 0, DataError),
        ("max_features", True, DataTypeError),
        ("max_time", 0, DataError),
        ("max_time", NAN, DataError),
        ("max_time", "1 s", DataTypeError),
        ("n_threads", -1, DataError),
        ("n_threads", 1.5, DataTypeError),
    ],
)
def test_options_that_cannot_be_used(name, value, error):
    with pytest.raises(error, match=f"{name} must be .*got"):
        check_options(**{**GOOD, name: value})


def test_switches():
    assert check_flag(np.True_, "positive") is True
    for wrong in ("no", 1, None, []):
        with pytest.raises(DataTypeError, match="positive must be True or False"):
            check_flag(wrong, "positive")


SKLEARN = {
    "precompute": "auto",
    "Xy": None,
    "copy_X": True,
    "selection": "cyclic",
    "random_state": None,
    "check_input": True,
}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("precompute", np.eye(3)),
        ("precompute", True),
        ("precompute", None),
        ("Xy", np.zeros(3)),
        ("copy_X", False),
        ("selection", "random"),
        ("random_state", 0),
        ("random_state", np.random.default_rng(0)),
        ("random_state", np.random.RandomState(0)),
        ("check_input", False),
    ],
)
def test_arguments_of_scikit_learn_are_accepted(name, value):
    check_drop_in(**{**SKLEARN, name: value}, p=3)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("precompute", "yes"),
        ("precompute", np.eye(2)),
        ("precompute", 3),
        ("precompute", np.full((3, 3), "a")),
        ("Xy", np.zeros(2)),
        ("copy_X", "no"),
        ("selection", "greedy"),
        ("selection", ["cyclic"]),
        ("random_state", "seed"),
        ("random_state", True),
        ("check_input", 1),
    ],
)
def test_arguments_of_scikit_learn_are_checked(name, value):
    with pytest.raises((DataError, DataTypeError), match=name):
        check_drop_in(**{**SKLEARN, name: value}, p=3)


# Penalty


def test_defaults_of_the_penalty():
    penalty = make_penalty(3, 1)
    assert penalty.l1_ratio == 1.0
    np.testing.assert_array_equal(penalty.factor, np.ones(3))
    assert not penalty.has_bounds
    assert not penalty.free.any()
    assert not penalty.excluded.any()
    assert not penalty.factor.flags.writeable


def test_numbers_serve_all_features_and_vectors_each():
    penalty = make_penalty(2, 0.5, [0, INF], False, -1, [2.0, INF])
    assert penalty.lower.tolist() == [-1.0, -1.0]
    assert penalty.upper.tolist() == [2.0, INF]
    assert penalty.free.tolist() == [True, False]
    assert penalty.excluded.tolist() == [False, True]
    assert penalty.has_bounds


@pytest.mark.parametrize("lower", [None, 0, [0.0, 0.0]])
def test_positive_is_a_lower_limit_of_zero(lower):
    penalty = make_penalty(2, 1.0, positive=True, lower_limits=lower, upper_limits=3)
    assert penalty.lower.tolist() == [0.0, 0.0]
    assert penalty.upper.tolist() == [3.0, 3.0]


def test_arrays_of_the_user_stay_writable():
    factor = np.ones(2)
    assert not np.shares_memory(make_penalty(2, 1.0, factor).factor, factor)
    assert factor.flags.writeable


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"penalty_factor": [1.0, -1.0]}, "penalty_factor must be >= 0, got -1.0 in column 1"),
        ({"penalty_factor": [1.0, NAN]}, "nan in column 1"),
        ({"penalty_factor": [1.0]}, r"have shape \(2,\), got shape \(1,\)"),
        ({"penalty_factor": NAN}, "got nan"),
        ({"lower_limits": [0.0, 0.5]}, "lower_limits must be <= 0, got 0.5 in column 1"),
        ({"lower_limits": INF}, "lower_limits must be <= 0"),
        ({"upper_limits": -0.5}, "upper_limits must be >= 0, got -0.5 in column 0"),
        ({"upper_limits": np.ones((2, 1))}, "upper_limits must be one number or have shape"),
        ({"positive": True, "lower_limits": [0.0, -1.0]}, "0 with positive=True, got -1.0 in column 1"),
    ],
)
def test_penalties_that_cannot_be_used(options, message):
    with pytest.raises(DataError, match=message):
        make_penalty(2, 1.0, **options)


@pytest.mark.parametrize(
    "options",
    [
        {"penalty_factor": ["a", "b"]},
        {"lower_limits": [1j, 0]},
        {"upper_limits": [None, 1.0]},
        {"positive": 1},
    ],
)
def test_penalties_of_another_type(options):
    with pytest.raises(DataTypeError, match=next(iter(options))):
        make_penalty(2, 1.0, **options)


def test_eps_by_default():
    assert check_alphas(100, None, None, 10, 20).eps == 1e-3
    assert check_alphas(100, None, None, 10, 20, is_ridge=True).eps == pytest.approx(1e-6)
    assert check_alphas(100, 1e-2, None, 10, 20, is_ridge=True).eps == 1e-2


@pytest.mark.parametrize("l1_ratio", [1.0, 0.5, 0.0])
@pytest.mark.parametrize("kind", [np.asarray, sparse.csc_array])
def test_what_is_said_for_every_feature_is_the_same_as_nothing(l1_ratio, kind):
    rng = np.random.default_rng(5)
    X, y = kind(rng.standard_normal((15, 30))), rng.standard_normal(15)
    every = {
        "penalty_factor": np.ones(30),
        "lower_limits": np.full(30, -INF),
        "upper_limits": np.full(30, INF),
    }
    for scale in (1.0, 2.0**300):
        plain, said = (
            enet_path(X, scale * y, l1_ratio=l1_ratio, alphas=8, eps=0.05, fit_intercept=True, **more)
            for more in ({}, every)
        )
        np.testing.assert_array_equal(plain.alphas, said.alphas)
        np.testing.assert_array_equal(plain.coefs, said.coefs)
    assert make_penalty(30, l1_ratio) is make_penalty(30, l1_ratio)
    assert make_penalty(30, l1_ratio, **every) is not make_penalty(30, l1_ratio)
    assert not make_penalty(30, l1_ratio).upper.flags.writeable
