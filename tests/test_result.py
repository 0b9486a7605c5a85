"""PathResult: its fields, its tuple, values between the alphas, selection and prediction; built by hand."""

from __future__ import annotations

import dataclasses
import re

import numpy as np
import pytest
from handmade import COEFS, NAMES, empty, make
from scipy import sparse

from fastreg.errors import ConvergenceWarning, DataError, DataTypeError, FastregError, InputWarning, Status
from fastreg.result import InputReport

# Fields and numbers that follow from them


def test_fields_are_frozen_and_arrays_read_only():
    path = make()
    with pytest.raises(dataclasses.FrozenInstanceError):
        path.tol = 1.0
    for array in (path.alphas, path.coefs, path.coefs_sparse.data, path.intercepts, path.n_iter):
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0


def test_the_arrays_that_came_stay_writeable():
    alphas = np.array([4.0, 2.0, 1.0])
    make(alphas=alphas)
    assert alphas.flags.writeable


def test_coefs_is_dense_f_ordered_and_made_once():
    path = make()
    assert path.coefs.flags.f_contiguous
    assert path.coefs is path.coefs
    np.testing.assert_array_equal(path.coefs, COEFS)
    assert sparse.issparse(path.coefs_sparse)


def test_stored_zeros_and_disorder_do_not_count_as_features():
    columns = sparse.csc_array(
        (np.array([0.0, 2.0, 1.0]), np.array([3, 2, 0]), np.array([0, 0, 1, 3])), shape=(4, 3)
    )
    before = columns.indices.copy()
    path = make(coefs_sparse=columns)
    np.testing.assert_array_equal(path.n_nonzero, [0, 0, 2])
    np.testing.assert_array_equal(path.coefs_sparse.indices, [0, 2])
    np.testing.assert_array_equal(columns.indices, before)


def test_relative_gaps_and_their_limit():
    np.testing.assert_array_equal(make().relative_gaps, np.linspace(0.0, 1e-9, 3) / 2.0)
    degenerate = make(null_objective=0.0, dual_gaps=np.array([0.0, 0.0, 1.0]))
    np.testing.assert_array_equal(degenerate.relative_gaps, [0.0, 0.0, np.inf])


def test_lengths_must_agree():
    with pytest.raises(DataError, match="one entry per alpha"):
        make(intercepts=np.zeros(2))


def test_status_tells_whether_the_grid_is_whole():
    assert [status for status in Status if status.finished] == [Status.CONVERGED, Status.NOT_CONVERGED]
    assert len({status.value for status in Status}) == len(Status) == 6


def test_errors_are_also_the_builtin_ones():
    assert issubclass(DataError, ValueError)
    assert issubclass(DataTypeError, TypeError)
    assert issubclass(DataError, FastregError)
    assert issubclass(DataTypeError, FastregError)
    assert issubclass(ConvergenceWarning, UserWarning)
    assert issubclass(InputWarning, UserWarning)


def test_input_report_reads_as_a_sentence():
    assert str(make().input_report) == "10 x 4 dense float64, read in place"
    report = InputReport("csc", "float32", (3, 2), 2_000_000, ("CSR was converted to CSC",))
    assert str(report) == "3 x 2 csc float32, 2 MB copied; CSR was converted to CSC"


# The tuple of scikit-learn


def test_unpacks_as_a_tuple_of_three_or_four():
    alphas, coefs, dual_gaps = make()
    assert (alphas.shape, coefs.shape, dual_gaps.shape) == ((3,), (4, 3), (3,))
    alphas, coefs, dual_gaps, n_iters = make(return_n_iter=True)
    assert n_iters == [0, 1, 2]
    assert len(make()) == 3
    assert len(make(return_n_iter=True)) == 4


def test_indexing_and_slicing_as_a_tuple():
    path = make()
    np.testing.assert_array_equal(path[1], COEFS)
    assert path[1] is path[1]
    assert path[-1].shape == (3,)
    assert len(path[:2]) == 2
    with pytest.raises(IndexError):
        path[3]


def test_unpacked_arrays_may_be_changed_without_touching_the_result():
    path = make()
    alphas, coefs, _ = path
    coefs *= 2.0
    alphas[:] = 0.0
    np.testing.assert_array_equal(path.coefs, COEFS)
    np.testing.assert_array_equal(path.alphas, [4.0, 2.0, 1.0])


def test_unpacks_the_shapes_and_types_of_scikit_learn():
    linear_model = pytest.importorskip("sklearn.linear_model")
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((10, 4)), rng.standard_normal(10)
    theirs = linear_model.lasso_path(X, y, alphas=[0.2, 0.1], return_n_iter=True)
    ours = make(theirs[1], theirs[0], dual_gaps=theirs[2], n_iter=theirs[3], return_n_iter=True)
    for their, our in zip(theirs, ours, strict=True):
        assert type(their) is type(our)
        np.testing.assert_array_equal(their, our)


# Between the alphas


def test_grid_values_come_back_exactly():
    path = make()
    for k, alpha in enumerate(path.alphas):
        coef, intercept = path.coef_at(alpha)
        np.testing.assert_array_equal(coef, COEFS[:, k])
        assert isinstance(intercept, float)
        assert intercept == path.intercepts[k]


def test_interpolation_is_linear_in_alpha_and_keeps_the_order_asked_for():
    path = make()
    coef, intercept = path.coef_at([1.25, 3.0, 2.0])
    expected = np.column_stack([0.25 * COEFS[:, 1] + 0.75 * COEFS[:, 2], 0.5 * COEFS[:, 1], COEFS[:, 1]])
    np.testing.assert_allclose(coef, expected, rtol=1e-15)
    np.testing.assert_allclose(intercept, [1.875, 1.25, 1.5], rtol=1e-15)
    assert coef.shape == (4, 3)


def test_one_alpha_in_a_list_keeps_its_axis():
    coef, intercept = make().coef_at([2.0])
    assert coef.shape == (4, 1)
    assert intercept.shape == (1,)


def test_alphas_that_repeat_do_not_divide_by_zero():
    path = make(alphas=(2.0, 2.0, 1.0))
    np.testing.assert_array_equal(path.coef_at(2.0)[0], COEFS[:, 0])
    assert np.isfinite(path.coef_at([1.5, 1.0])[0]).all()


@pytest.mark.parametrize("alpha", [4.1, 0.9, np.nan, np.inf, -1.0])
def test_alphas_outside_are_refused_with_the_range(alpha):
    with pytest.raises(DataError, match=re.escape("[1, 4]")):
        make().coef_at(alpha)


def test_rounding_at_the_ends_is_forgiven():
    coef, _ = make().coef_at([4.0 * (1 + 1e-12), 1.0 * (1 - 1e-12)])
    np.testing.assert_array_equal(coef, COEFS[:, [0, 2]])


def test_an_array_of_alphas_must_be_flat():
    with pytest.raises(DataError, match="shape \\(1, 2\\)"):
        make().coef_at([[1.0, 2.0]])


def test_a_path_of_one_alpha_knows_only_that_one():
    path = make(COEFS[:, 1:2], (2.0,))
    np.testing.assert_array_equal(path.coef_at(2.0)[0], COEFS[:, 1])
    with pytest.raises(DataError, match="range"):
        path.coef_at(1.9)


# Selection


def test_selected_on_and_between_alphas():
    path = make()
    np.testing.assert_array_equal(path.selected(4.0), [])
    np.testing.assert_array_equal(path.selected(2.0), [0, 2])
    np.testing.assert_array_equal(path.selected(1.5), [0, 2, 3])
    assert path.selected(1.5).dtype == np.int64


def test_order_of_entry_breaks_ties_by_size_and_leaves_out_the_rest():
    np.testing.assert_array_equal(make().order_of_entry(), [2, 0, 3])


def test_order_of_entry_remembers_features_that_left():
    path = make([[0.0, 1.0, 0.0], [0.0, 0.0, 9.0]])
    np.testing.assert_array_equal(path.order_of_entry(), [0, 1])


def test_labels():
    assert make().label(2) == "x2"
    assert make(feature_names=NAMES).label(2) == "height"


# Prediction

ROWS = np.array([[1.0, 9.0, 1.0, 0.0], [0.0, 9.0, 2.0, 4.0]])


@pytest.mark.parametrize(
    "convert", [np.asarray, np.asfortranarray, sparse.csr_array, sparse.csc_matrix, np.ndarray.tolist]
)
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int64])
def test_predict_agrees_with_the_formula_whatever_x_is(convert, dtype):
    path = make()
    expected = ROWS @ COEFS + path.intercepts
    X = convert(ROWS.astype(dtype))
    np.testing.assert_allclose(path.predict(X), expected, rtol=1e-15)
    np.testing.assert_allclose(path.predict(X, alpha=2.0), expected[:, 1], rtol=1e-15)
    np.testing.assert_allclose(path.predict(X, alpha=[1.0, 2.0]), expected[:, [2, 1]], rtol=1e-15)
    np.testing.assert_allclose(path.predict(X, alpha=1.0, offset=[1.0, -1.0]), expected[:, 2] + [1.0, -1.0])


def test_predict_with_every_feature_and_more_than_one_block():
    rng = np.random.default_rng(3)
    X, coefs = rng.standard_normal((5, 2500)).astype(np.float32), rng.standard_normal((2500, 2))
    path = make(coefs, (2.0, 1.0))
    np.testing.assert_allclose(path.predict(X), X.astype(float) @ coefs + path.intercepts, rtol=1e-12)


def test_predict_at_the_null_model_is_the_intercept():
    np.testing.assert_array_equal(make().predict(ROWS, alpha=4.0), [1.0, 1.0])


def test_predict_reads_only_columns_with_a_coefficient_and_changes_nothing():
    X = ROWS.copy()
    X[0, 1] = np.nan
    before = X.copy()
    X.flags.writeable = False
    assert np.isfinite(make().predict(X)).all()
    np.testing.assert_array_equal(X, before)


@pytest.mark.parametrize("names", [None, NAMES])
def test_predict_names_the_bad_column(names):
    X = ROWS.copy()
    X[1, 2] = np.inf
    with pytest.raises(DataError, match="height" if names else "x2"):
        make(feature_names=names).predict(X)


def test_predict_refuses_other_columns():
    with pytest.raises(DataError, match="4 columns of the path, got 3"):
        make().predict(ROWS[:, :3])


def test_predict_refuses_an_offset_of_another_length():
    with pytest.raises(DataError, match="offset"):
        make().predict(ROWS, offset=[1.0, 2.0, 3.0])


def test_predict_checks_the_names_of_a_data_frame():
    pd = pytest.importorskip("pandas")
    path = make(feature_names=NAMES)
    frame = pd.DataFrame(ROWS, columns=NAMES)
    np.testing.assert_allclose(path.predict(frame), ROWS @ COEFS + path.intercepts)
    with pytest.raises(DataError, match="column 0 of X must be 'dose' as in the path, got 'age'"):
        path.predict(frame[["age", "dose", "height", "income"]])


def test_a_path_without_alphas_says_so_where_it_is_asked():
    assert empty().coefs.shape == (4, 0)
    assert list(empty().order_of_entry()) == []
    assert "0 of 100 alphas" in repr(empty())
    for ask in (empty().coef_at, empty().selected, lambda alpha: empty().predict(ROWS, alpha=alpha)):
        with pytest.raises(DataError, match="no alpha was finished"):
            ask(1.0)
