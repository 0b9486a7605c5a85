"""Data frames of pandas, polars and pyarrow as X: read by columns, and named in errors."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from scipy import sparse

from fastreg.errors import DataError, DataTypeError
from fastreg.validate import check_design, locate_nonfinite

NAN = float("nan")
X = np.random.default_rng(0).standard_normal((7, 4)).round(2)
HOLEY = np.where(np.abs(X) > 0.5, X, 0.0)


def _dense(design):
    """Return the columns of a design as an (n, p) array."""
    if design.XT is not None:
        return design.XT.T
    return sparse.csc_array(design.csc, shape=(design.n, design.p)).toarray()


def test_pandas_frame_of_one_block_runs_in_place():
    frame = pd.DataFrame(np.ascontiguousarray(X), columns=["a", "b", "b", 3])
    design = check_design(frame)
    np.testing.assert_array_equal(_dense(design), X)
    assert design.feature_names == ("a", "b", "b", "3")
    in_place = pd.DataFrame({name: X[:, j] for j, name in enumerate("abcd")})
    assert check_design(in_place).report.copied_bytes in (0, X.nbytes)


def test_pandas_frame_of_several_blocks_is_copied():
    frame = pd.DataFrame(X)
    frame["last"] = 1.0
    design = check_design(frame)
    np.testing.assert_array_equal(_dense(design), np.hstack([X, np.ones((7, 1))]))
    assert design.report.copied_bytes == design.XT.nbytes
    assert design.report.conversions == (
        "the columns of the data frame (float64) were copied into one float64 array",
    )


def test_long_integers_among_other_columns_are_reported():
    frame = pd.DataFrame({"a": [2**60 + 1, 0], "b": [1.5, 2.0], "c": [True, False]})
    assert sum("2**53" in note for note in check_design(frame).report.conversions) == 1
    whole = pd.DataFrame({"a": [3, 0], "b": [1e300, 2.0]})
    assert len(check_design(whole).report.conversions) == 1


def test_given_names_win_over_those_of_the_frame():
    assert check_design(pd.DataFrame({"a": [1.0], "b": [2.0]}), ["u", "v"]).feature_names == ("u", "v")


def _frames():
    columns = {"a": [1.5, 2.0, 3.0], "b": [1, 2, 4], "c": [True, False, True]}
    nullable = pd.DataFrame(
        {
            "a": pd.array([1.5, 2.0, 3.0], dtype="Float64"),
            "b": pd.array([1, 2, 4], dtype="Int64"),
            "c": pd.array([True, False, True], dtype="boolean"),
        }
    )
    table = pa.table(columns)
    arrow = pd.DataFrame(
        {name: pd.array(table[name].to_pylist(), pd.ArrowDtype(table[name].type)) for name in "abc"}
    )
    return [pd.DataFrame(columns), nullable, arrow, pl.DataFrame(columns), table, table.to_batches()[0]]


@pytest.mark.parametrize("frame", _frames(), ids=["pandas", "nullable", "arrow", "polars", "table", "batch"])
def test_frames_of_several_numeric_types(frame):
    design = check_design(frame)
    np.testing.assert_array_equal(_dense(design), [[1.5, 1, 1], [2, 2, 0], [3, 4, 1]])
    assert design.feature_names == ("a", "b", "c")
    assert design.report.copied_bytes == design.XT.nbytes


@pytest.mark.parametrize("maker", [pd.DataFrame, pl.DataFrame, pa.table])
def test_frames_of_single_precision_stay_single(maker):
    frame = maker({"a": np.ones(3, np.float32), "b": np.zeros(3, np.float32)})
    assert check_design(frame).report.dtype == "float32"


def _bad_columns():
    return {
        "text": ["x", "y", "z"],
        "mixed": pd.Series([1, "y", 2.0], dtype=object),
        "category": pd.Categorical([1, 2, 1]),
        "time": pd.date_range("2020-01-01", periods=3),
        "zoned": pd.date_range("2020-01-01", periods=3, tz="UTC"),
        "complex": [1j, 2.0, 3.0],
    }


@pytest.mark.parametrize("kind", _bad_columns())
def test_pandas_columns_without_numbers_are_named(kind):
    frame = pd.DataFrame({"good": [1.0, 2.0, 3.0], "guilty": _bad_columns()[kind]})
    with pytest.raises(DataTypeError, match=r"column 1 \('guilty'\) of X must hold real numbers"):
        check_design(frame)
    with pytest.raises(DataTypeError, match=r"column 0 \('guilty'\)"):
        check_design(frame[["guilty"]])


@pytest.mark.parametrize(
    "frame",
    [
        pl.DataFrame({"good": [1.0, 2.0], "guilty": ["x", "y"]}),
        pl.DataFrame({"good": [1.0, 2.0], "guilty": pl.Series(["x", "y"], dtype=pl.Categorical)}),
        pl.DataFrame({"good": [1.0, 2.0], "guilty": pl.Series([1, 2]).cast(pl.Date)}),
        pa.table({"good": [1.0, 2.0], "guilty": pa.array([1, 2]).dictionary_encode()}),
        pa.table({"good": [1.0, 2.0], "guilty": pa.array([1, 2], pa.timestamp("s"))}),
    ],
)
def test_columns_of_other_frames_without_numbers_are_named(frame):
    with pytest.raises(DataTypeError, match=r"column 1 \('guilty'\)"):
        check_design(frame)


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame({"a": [1.0, 2.0], "b": [NAN, 1.0]}),
        pd.DataFrame({"a": pd.array([1, 2], "Int64"), "b": pd.array([None, 1], "Int64")}),
        pl.DataFrame({"a": [1, 2], "b": [None, 1]}),
        pa.table({"a": [1, 2], "b": [None, 1]}),
    ],
)
def test_missing_values_are_located(frame):
    with pytest.raises(DataError, match=r"nan in column 1 \('b'\), row 0"):
        locate_nonfinite(check_design(frame))


def test_sparse_frames():
    frame = pd.DataFrame.sparse.from_spmatrix(sparse.csc_matrix(HOLEY), columns=list("abcd"))
    design = check_design(frame)
    assert design.report.storage == "csc"
    assert design.feature_names == ("a", "b", "c", "d")
    np.testing.assert_array_equal(_dense(design), HOLEY)
    filled = pd.DataFrame({"a": pd.arrays.SparseArray([1.0, 1.0, 2.0], fill_value=1.0)})
    np.testing.assert_array_equal(_dense(check_design(filled)), [[1.0], [1.0], [2.0]])
