"""What comes out of every kind of X, what is copied, what is said, and that nothing of the user's changes."""

import hashlib
from fractions import Fraction

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse

from fastreg.errors import DataError, DataTypeError
from fastreg.validate import check_design, locate_nonfinite

INF, NAN = float("inf"), float("nan")
X = np.asfortranarray(np.random.default_rng(0).standard_normal((7, 4)).round(2))
HOLEY = np.where(np.abs(X) > 0.5, X, 0.0)


def _dense(design):
    """Return the columns of a design as an (n, p) array."""
    if design.XT is not None:
        assert design.csc is None
        assert design.XT.flags.c_contiguous
        assert not design.XT.flags.writeable
        return design.XT.T
    data, indices, indptr = design.csc
    assert not any(part.flags.writeable for part in design.csc)
    assert indices.dtype == indptr.dtype
    assert indices.dtype in (np.int32, np.int64)
    return sparse.csc_array((data, indices, indptr), shape=(design.n, design.p)).toarray()


def _hash(*arrays):
    return [(hashlib.sha256(np.ascontiguousarray(a)).hexdigest(), a.flags.writeable, a.dtype) for a in arrays]


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_column_order_runs_in_place(dtype):
    given = np.asfortranarray(X.astype(dtype))
    design = check_design(given)
    assert np.shares_memory(design.XT, given)
    assert design.XT.dtype == dtype
    assert design.report == type(design.report)("dense", np.dtype(dtype).name, (7, 4), 0, ())
    assert given.flags.writeable


def test_memory_maps_and_read_only_arrays_run_in_place(tmp_path):
    path = tmp_path / "X.dat"
    np.memmap(path, dtype=np.float64, mode="w+", shape=X.shape, order="F")[:] = X
    mapped = np.memmap(path, dtype=np.float64, mode="r", shape=X.shape, order="F")
    design = check_design(mapped)
    assert np.shares_memory(design.XT, mapped)
    # numba compiles once more for a subclass.
    assert type(design.XT) is np.ndarray
    np.testing.assert_array_equal(_dense(design), X)
    assert design.report.copied_bytes == 0


@pytest.mark.parametrize("shape", [(1, 1), (1, 5), (5, 1)])
def test_one_row_or_column_is_never_copied(shape):
    assert check_design(np.ones(shape)).report.copied_bytes == 0


@pytest.mark.parametrize("shape", [(7, 4), (300, 270), (257, 1), (1, 600), (256, 512)])
def test_row_order_is_copied_once_and_exactly(shape):
    given = np.random.default_rng(1).standard_normal(shape)
    design = check_design(np.ascontiguousarray(given))
    np.testing.assert_array_equal(_dense(design), given)
    if 1 not in shape:
        assert design.report.copied_bytes == given.nbytes
        assert "asfortranarray" in design.report.conversions[0]


@pytest.mark.parametrize(
    "view", [np.repeat(X, 2, axis=0)[::2], X[:, ::-1], np.asfortranarray(np.hstack([X, X]))[:, ::2][:, :2]]
)
def test_strided_views_are_copied(view):
    design = check_design(view)
    np.testing.assert_array_equal(_dense(design), view)
    assert design.report.copied_bytes == view.nbytes


def test_memory_that_is_not_aligned_is_copied():
    raw = np.zeros(X.nbytes + 1, np.uint8)[1:].view(np.float64).reshape(X.shape, order="F")
    raw[:] = X
    design = check_design(raw)
    assert design.XT.flags.aligned
    assert "aligned" in design.report.conversions[0]


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize(
    "dtype", ["i1", "u1", "i4", "i8", "u8", "?", "f2", ">f8", ">f4", ">i4", np.longdouble]
)
def test_other_numbers_become_floats(dtype, order):
    given = np.array([[1, 0], [3, 1], [0, 5]], dtype=dtype, order=order)
    before = _hash(given)
    design = check_design(given)
    np.testing.assert_array_equal(_dense(design), given)
    # float32 in foreign byte order stays single; everything else becomes float64.
    assert design.XT.dtype == (np.float32 if dtype == ">f4" else np.float64)
    assert design.XT.dtype.isnative
    assert design.report.copied_bytes == design.XT.nbytes
    assert str(given.dtype) in design.report.conversions[0]
    assert _hash(given) == before


def test_integers_too_long_for_float64_are_reported():
    assert "2**53" in check_design(np.array([[2**60 + 1, 1]])).report.conversions[-1]
    assert "2**53" in check_design(sparse.csc_array([[-(2**60) - 1, 1]])).report.conversions[-1]
    assert "2**53" in check_design(pd.DataFrame({"a": [2**60], "b": [1.0]})).report.conversions[-1]


@pytest.mark.skipif(
    np.finfo(np.longdouble).max <= np.finfo(np.float64).max, reason="longdouble is float64 here"
)
@pytest.mark.parametrize("value", ["1e-400", "1e400"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_extended_range_is_refused_rather_than_lost(value, order):
    with pytest.raises(DataError, match="range of float64"):
        check_design(np.array([[np.longdouble(value), 1], [1, 1]], order=order))


def test_nested_lists_are_read():
    design = check_design([[1.5, 2], [3, 4]], feature_names=["a", "b"])
    np.testing.assert_array_equal(_dense(design), [[1.5, 2], [3, 4]])
    assert design.feature_names == ("a", "b")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (np.ones(3), r"X must be 2-D with shape \(n, p\), got shape \(3,\); X.reshape\(-1, 1\)"),
        (np.ones((2, 2, 2)), "must be 2-D"),
        (np.ones((0, 3)), "at least one row"),
        (np.ones((3, 0)), "at least one row and one column"),
        (sparse.csc_array((0, 3)), "at least one row"),
        (sparse.csr_array((3, 0)), "at least one row"),
        (sparse.coo_array(np.ones(3)), "must be 2-D"),
        (pd.DataFrame({"a": []}), "at least one row"),
        (pl.DataFrame(), "at least one row"),
        ([[1, 2], [3]], "rectangular"),
        (np.ma.masked_equal([[1.0, 2.0]], 2.0), r"masked entry at \(0, 1\)"),
    ],
)
def test_shapes_that_cannot_be_used(given, message):
    with pytest.raises(DataError, match=message):
        check_design(given)


def test_masked_array_without_masked_entries_is_an_array():
    np.testing.assert_array_equal(_dense(check_design(np.ma.masked_array(X))), X)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            np.array([[1, 2], [3, "x"]], dtype=object),
            r"column 1 \('b'\) of X must hold real.* got 'x' \(str\) at row 1",
        ),
        (np.array([[1, 2], [3, 4]], dtype=object), r"column 0 \('a'\).*dtype object"),
        ([[1, 2], [3, "x"]], r"column 1 \('b'\)"),
        (np.array([["1", "2"]]), r"column 0 \('a'\).*<U1"),
        (np.array([["2020-01-01", "2020-01-02"]], dtype="M8[D]"), "column 0.*datetime64"),
        (np.array([[1j, 2]]), "real numbers, got dtype complex128"),
        (sparse.csc_array(np.array([[1j, 2]])), "real numbers, got dtype complex128"),
        (np.ones(3, dtype=[("u", "f8"), ("v", "i4")]), "structured dtype whose first field is 'u'"),
        (np.matrix(X[:, :2]), "numpy.matrix"),
        (None, "got None"),
        ("table.csv", "array, a scipy.sparse matrix or a data frame"),
        (pl.LazyFrame({"a": [1]}), "LazyFrame"),
        ([[Fraction(1, 2), 1.0]], "dtype object"),
    ],
)
def test_what_is_not_made_of_real_numbers(given, message):
    with pytest.raises(DataTypeError, match=message):
        check_design(given, feature_names=["a", "b"])


@pytest.mark.parametrize(
    "names", [["a", "b", "c", "d"], np.array(["a", "b", "c", "d"]), pd.Index(list("abcd"))]
)
def test_feature_names(names):
    assert check_design(X, names).feature_names == ("a", "b", "c", "d")


def test_feature_names_that_do_not_fit():
    with pytest.raises(DataError, match="feature_names must hold 4 names, one per column of X, got 2"):
        check_design(X, ["a", "b"])
    for wrong in ("abcd", 4):
        with pytest.raises(DataTypeError, match="sequence of names"):
            check_design(X, wrong)


def test_first_bad_entry_is_located():
    bad = X.copy()
    bad[5, 1], bad[2, 3] = -INF, NAN
    locate_nonfinite(check_design(X))
    locate_nonfinite(check_design(HOLEY))
    for given in (bad, np.asfortranarray(bad), bad.astype(np.float32)):
        with pytest.raises(DataError, match=r"X must be finite, got -inf in column 1 \('b'\), row 5"):
            locate_nonfinite(check_design(given, list("abcd")))
    wide = np.ones((2, 1000))
    wide[1, 700] = NAN
    with pytest.raises(DataError, match="nan in column 700, row 1"):
        locate_nonfinite(check_design(wide))


# Sparse X


def _clean_twin(kind, index=np.int32):
    matrix = kind(HOLEY)
    matrix.indices, matrix.indptr = matrix.indices.astype(index), matrix.indptr.astype(index)
    return matrix


@pytest.mark.parametrize("index", [np.int32, np.int64])
@pytest.mark.parametrize("kind", [sparse.csc_array, sparse.csc_matrix])
def test_csc_runs_in_place(kind, index):
    given = _clean_twin(kind, index)
    design = check_design(given)
    data, indices, indptr = design.csc
    assert np.shares_memory(data, given.data)
    assert np.shares_memory(indices, given.indices)
    assert np.shares_memory(indptr, given.indptr)
    assert indices.dtype == indptr.dtype == index
    assert (design.report.storage, design.report.copied_bytes, design.report.conversions) == ("csc", 0, ())
    np.testing.assert_array_equal(_dense(design), HOLEY)
    assert given.data.flags.writeable


def test_single_precision_csc_runs_in_place():
    given = sparse.csc_array(HOLEY.astype(np.float32))
    design = check_design(given)
    assert np.shares_memory(design.csc[0], given.data)
    assert design.report.dtype == "float32"


@pytest.mark.parametrize("dtypes", [(np.int32, np.int64), (np.int64, np.int32), (np.int16, np.int16)])
def test_indices_of_two_types_become_wide(dtypes):
    given = sparse.csc_array(HOLEY)
    given.indices, given.indptr = given.indices.astype(dtypes[0]), given.indptr.astype(dtypes[1])
    design = check_design(given)
    np.testing.assert_array_equal(_dense(design), HOLEY)
    assert design.csc[1].dtype == np.int64
    assert "one index type" in design.report.conversions[0]
    assert design.report.copied_bytes > 0


@pytest.mark.parametrize("form", ["csr", "coo", "lil", "dok", "dia", "bsr"])
@pytest.mark.parametrize("kind", ["array", "matrix"])
def test_other_formats_are_converted_once(form, kind):
    given = getattr(sparse, f"csc_{kind}")(HOLEY).asformat(form)
    design = check_design(given)
    np.testing.assert_array_equal(_dense(design), HOLEY)
    assert design.report.copied_bytes == sum(part.nbytes for part in design.csc)
    assert f"from {form} to csc" in design.report.conversions[-1]
    assert given.format == form


def test_wide_indices_of_csr_are_kept():
    assert check_design(_clean_twin(sparse.csr_array, np.int64)).csc[1].dtype == np.int64


def _unsorted(index=np.int32):
    parts = np.array([3.0, 1.0, 2.0, 5.0]), np.array([2, 0, 1, 1], index), np.array([0, 2, 4], index)
    return sparse.csc_array(parts, shape=(3, 2))


@pytest.mark.parametrize("index", [np.int32, np.int64])
def test_unsorted_and_repeated_entries_are_cleaned_in_a_copy(index):
    given = _unsorted()
    given.indices, given.indptr = given.indices.astype(index), given.indptr.astype(index)
    before = _hash(given.data, given.indices, given.indptr)
    state = set(vars(given))
    design = check_design(given)
    np.testing.assert_array_equal(_dense(design), [[1, 0], [0, 7], [3, 0]])
    assert design.csc[1].tolist() == [0, 2, 1]
    assert design.csc[1].dtype == design.csc[2].dtype == index
    assert "sort its rows" in design.report.conversions[0]
    assert design.report.copied_bytes == sum(part.nbytes for part in design.csc)
    # Not even a cached flag is left behind on the user's object.
    assert _hash(given.data, given.indices, given.indptr) == before
    assert set(vars(given)) == state


def test_repeated_entries_of_other_formats_are_added_up():
    rows, columns = np.array([0, 0, 1]), np.array([1, 1, 0])
    for dtype in (np.float64, np.int8):
        coo = sparse.coo_array((np.array([100, 100, 1], dtype), (rows, columns)), shape=(2, 2))
        np.testing.assert_array_equal(_dense(check_design(coo)), [[0, 200], [1, 0]])
    csr = sparse.csr_array((np.array([1.0, 2.0]), np.array([1, 1]), np.array([0, 2])), shape=(1, 2))
    np.testing.assert_array_equal(_dense(check_design(csr)), [[0, 3]])


@pytest.mark.parametrize("form", ["csc", "csr", "coo"])
@pytest.mark.parametrize("dtype", ["i1", "i8", "?", np.longdouble])
def test_sparse_numbers_become_float64(form, dtype):
    given = sparse.coo_array(np.array([[1, 0], [3, 1], [0, 5]]).astype(dtype)).asformat(form)
    design = check_design(given)
    assert design.csc[0].dtype == np.float64
    np.testing.assert_array_equal(_dense(design), given.toarray())
    assert str(given.dtype) in design.report.conversions[0]


def test_explicit_zeros_empty_columns_and_spare_room_are_fine():
    given = sparse.csc_array(
        (np.array([0.0, 2.0, 9.0]), np.array([0, 1, 0]), np.array([0, 1, 1, 2])), shape=(2, 3)
    )
    np.testing.assert_array_equal(_dense(check_design(given)), [[0, 0, 0], [0, 0, 2]])
    assert check_design(sparse.csc_array((3, 2))).csc[0].size == 0


@pytest.mark.parametrize("form", ["csc", "csr"])
@pytest.mark.parametrize(("part", "value"), [("indices", 9), ("indices", -1), ("indptr", 99), ("indptr", -3)])
def test_broken_sparse_structure_is_found_before_it_is_read(form, part, value):
    given = sparse.csc_array(HOLEY).asformat(form)
    getattr(given, part)[-1 if part == "indptr" else 0] = value
    with pytest.raises(DataError, match="sound sparse matrix"):
        check_design(given)


@pytest.mark.parametrize("form", ["csc", "csr", "coo"])
def test_sparse_entries_must_be_finite(form):
    bad = HOLEY.copy()
    bad[4, 2] = NAN
    with pytest.raises(DataError, match=r"nan in column 2 \('c'\), row 4"):
        check_design(sparse.csc_array(bad).asformat(form), list("abcd"))


def test_falls_at_the_seams_of_a_long_check(monkeypatch):
    monkeypatch.setattr("fastreg.validate.compressed.CHUNK", 3)
    big = sparse.random_array((40, 30), density=0.3, format="csc", rng=np.random.default_rng(0))
    big.sort_indices()
    assert check_design(big).report.copied_bytes == 0
    for at in range(1, 12):
        mixed = big.copy()
        start = int(big.indptr[at])
        mixed.indices[start : start + 2] = mixed.indices[start : start + 2][::-1].copy()
        assert check_design(mixed).report.copied_bytes > 0
