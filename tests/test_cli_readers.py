"""Readers of the command line: every format gives the same numbers, every fault is named with its place."""

import bz2
import gzip
import lzma
import sys

import numpy as np
import pytest
from scipy import sparse

from fastreg.cli.contents import Wanted
from fastreg.cli.exits import UsageError
from fastreg.cli.readers import read_contents, read_vector
from fastreg.errors import DataError

RNG = np.random.default_rng(5)
X = RNG.standard_normal((6, 3)) * (RNG.random((6, 3)) < 0.7)
Y = RNG.standard_normal(6)
NAMES = ("a", "b", "c")
WITH_Y = Wanted(vectors=("y",))


def _csv_text(delimiter=","):
    rows = [delimiter.join([*NAMES, "y"])]
    rows += [delimiter.join(repr(float(v)) for v in (*x, y)) for x, y in zip(X, Y, strict=True)]
    return "\n".join(rows) + "\n"


def _svmlight_text(first=1):
    lines = []
    for x, y in zip(X, Y, strict=True):
        pairs = " ".join(f"{j + first}:{float(v)!r}" for j, v in enumerate(x) if v != 0.0)
        lines.append(f"{float(y)!r} {pairs}".rstrip())
    return "\n".join(lines) + "\n"


def _write(tmp_path, name, text):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def _dense(contents):
    return contents.X.toarray() if sparse.issparse(contents.X) else np.asarray(contents.X)


def _fails(tmp_path, name, text, wanted=WITH_Y):
    with pytest.raises(DataError) as caught:
        read_contents(_write(tmp_path, name, text), wanted)
    return str(caught.value)


# Delimited text


@pytest.mark.parametrize(("name", "delimiter"), [("t.csv", ","), ("t.tsv", "\t")])
def test_tables_with_a_header(tmp_path, name, delimiter):
    contents = read_contents(_write(tmp_path, name, _csv_text(delimiter)), WITH_Y)
    np.testing.assert_array_equal(contents.X, X)
    assert contents.X.flags.f_contiguous
    np.testing.assert_array_equal(contents.vectors["y"], Y)
    assert contents.feature_names == NAMES


@pytest.mark.parametrize(("suffix", "module"), [(".gz", gzip), (".bz2", bz2), (".xz", lzma)])
def test_compressed_text(tmp_path, suffix, module):
    for name, text in (("t.csv", _csv_text()), ("t.svmlight", _svmlight_text())):
        path = tmp_path / (name + suffix)
        path.write_bytes(module.compress(text.encode()))
        np.testing.assert_array_equal(_dense(read_contents(path, WITH_Y)), X)


def test_another_delimiter_quotes_byte_order_mark_and_line_ends(tmp_path):
    text = '\ufeff"a; first";b;y\r\n"1.5";2;3\r\n\r\n4;5e0;-6\r\n'
    contents = read_contents(_write(tmp_path, "t.csv", text), Wanted(vectors=("y",), delimiter=";"))
    np.testing.assert_array_equal(contents.X, [[1.5, 2.0], [4.0, 5.0]])
    assert contents.feature_names == ("a; first", "b")


def test_columns_may_be_dropped_whatever_they_hold(tmp_path):
    text = ",a,city,y\nr1,1,Aarhus,3\nr2,2,,4\n"
    wanted = Wanted(vectors=("y",), drop=("unnamed_1", "city"))
    contents = read_contents(_write(tmp_path, "t.csv", text), wanted)
    np.testing.assert_array_equal(contents.X, [[1.0], [2.0]])
    np.testing.assert_array_equal(contents.vectors["y"], [3.0, 4.0])
    assert contents.feature_names == ("a",)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("a,y\n1,2\n3,four\n", ["t.csv, line 3, column 'y'", "expected a number, got 'four'", "--drop"]),
        ("a,y\n1,2\n\n,4\n", ["line 4, column 'a'", "the cell is empty"]),
        ("a,y\n1,NA\n", ["line 2, column 'y'", "got 'NA'"]),
        ("a,y\n1_000,2\n", ["line 2, column 'a'", "got '1_000'"]),
        ("a,y\n1,2\n1,2,3\n", ["line 3", "expected 2 cells", "got 3"]),
        ("a,y\n1,2,3\n", ["line 2", "expected 2 cells", "got 3"]),
        ("a,y\n1\n", ["line 2", "expected 2 cells", "got 1"]),
        ("1,2\n3,4\n", ["expected column names", "add a header"]),
        ("a,a,y\n1,2,3\n", ["must differ", "'a'"]),
        ("a,y\n", ["expected rows of numbers", "found none"]),
        ("", ["is empty"]),
        ("y\n1\n", ["expected a feature beside 'y'"]),
    ],
)
def test_faults_of_tables_are_named(tmp_path, text, parts):
    message = _fails(tmp_path, "t.csv", text)
    assert [part for part in parts if part not in message] == []


def test_a_line_that_is_too_long_is_found_beside_dropped_columns(tmp_path):
    message = _fails(tmp_path, "t.csv", "id,a,y\nu,1,2\nv,1,2,3\n", Wanted(vectors=("y",), drop=("id",)))
    assert "line 3: expected 3 cells" in message


def test_bytes_that_are_not_text(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes(b"a,y\n\xff\xfe,1\n")
    with pytest.raises(DataError, match=r"t\.csv cannot be read as \.csv: .*; save it as UTF-8"):
        read_contents(path, WITH_Y)


@pytest.mark.parametrize(("delimiter", "told"), [(";", "';'"), ("\t", r"\$'\\t'"), ("|", "'\\|'")])
def test_another_separator_is_noticed(tmp_path, delimiter, told):
    path = _write(tmp_path, "t.csv", _csv_text(delimiter))
    with pytest.raises(UsageError, match=f"pass --delimiter {told}"):
        read_contents(path, WITH_Y)
    contents = read_contents(path, Wanted(vectors=("y",), delimiter=delimiter))
    np.testing.assert_array_equal(contents.X, X)


def test_a_column_without_a_name_is_taken_and_told_of(tmp_path):
    path = _write(tmp_path, "t.csv", ",b,y\n0,2,1\n1,3,2\n")
    assert read_contents(path, WITH_Y).feature_names == ("unnamed_1", "b")
    assert "--drop unnamed_1 leaves it out" in read_contents(path, WITH_Y).notes[0]
    assert read_contents(path, Wanted(vectors=("y",), drop=("unnamed_1",))).notes == ()


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        (Wanted(vectors=("z",)), "no column 'z'.*It has: 'a', 'b', 'c', 'y'"),
        (Wanted(vectors=("y",), drop=("z",)), "no column 'z'"),
        (Wanted(vectors=("y",), drop=("y",)), "no column 'y'"),
        (Wanted(vectors=("y",), delimiter="::"), "--delimiter must be one character"),
    ],
)
def test_names_that_do_not_exist_are_bad_usage(tmp_path, wanted, message):
    with pytest.raises(UsageError, match=message):
        read_contents(_write(tmp_path, "t.csv", _csv_text()), wanted)


# svmlight


@pytest.mark.parametrize("name", ["t.svm", "t.svmlight", "t.libsvm"])
def test_svmlight_counts_from_one(tmp_path, name):
    contents = read_contents(_write(tmp_path, name, _svmlight_text()), WITH_Y)
    assert contents.X.format == "csc"
    assert contents.X.has_canonical_format
    np.testing.assert_array_equal(_dense(contents), X)
    np.testing.assert_array_equal(contents.vectors["y"], Y)


def test_svmlight_counts_from_zero_where_zero_occurs(tmp_path):
    contents = read_contents(_write(tmp_path, "t.svm", _svmlight_text(first=0)), WITH_Y)
    np.testing.assert_array_equal(_dense(contents), X)


def test_svmlight_comments_order_and_empty_rows(tmp_path):
    text = "# head\n+1 3:3.5 1:-1e0 # tail\n\n-1\n0.5\t2:.5  \n"
    contents = read_contents(_write(tmp_path, "t.svm", text), WITH_Y)
    np.testing.assert_array_equal(_dense(contents), [[-1.0, 0.0, 3.5], [0.0, 0.0, 0.0], [0.0, 0.5, 0.0]])
    np.testing.assert_array_equal(contents.vectors["y"], [1.0, -1.0, 0.5])


def test_svmlight_agrees_with_another_reader(tmp_path):
    datasets = pytest.importorskip("sklearn.datasets")
    rng = np.random.default_rng(1)
    design = sparse.random(60, 40, density=0.15, format="csr", random_state=2)
    path = tmp_path / "t.svmlight"
    datasets.dump_svmlight_file(design, rng.standard_normal(60), str(path), zero_based=False)
    expected, labels = datasets.load_svmlight_file(str(path))
    contents = read_contents(path, WITH_Y)
    np.testing.assert_array_equal(_dense(contents), expected.toarray())
    np.testing.assert_array_equal(contents.vectors["y"], labels)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("1 1:1\n1 qid:3 1:2\n", ["line 2", "qid", "not supported"]),
        ("1 1:2:3 4\n", ["line 1", "got '1:2:3'"]),
        ("1 1:2 4\n", ["line 1", "got '4'"]),
        ("1 1.5:2\n", ["line 1", "whole number", "got '1.5:2'"]),
        ("1 -1:2\n", ["got '-1:2'"]),
        ("1 1: 2\n", ["got '1:'"]),
        ("1 1:1_0\n", ["got '1:1_0'"]),
        ("1 1:x\n", ["line 1", "after the colon", "got 'x'"]),
        ("one 1:1\n", ["expected a number as label, got 'one'"]),
        ("1,2 1:1\n", ["several labels"]),
        ("1 1:1\n# note\n1 2:1 3:1 2:5\n", ["line 3: index 2 occurs more than once"]),
        ("1 3000000000:1\n", ["indices below 2^31"]),
        ("1 99999999999999999999:1\n", ["too large"]),
        ("1\n-1\n", ["holds", "label"]),
        ("# nothing\n", ["holds none"]),
    ],
)
def test_faults_of_svmlight_are_named(tmp_path, text, parts):
    message = _fails(tmp_path, "t.svm", text)
    assert [part for part in parts if part not in message] == []


def test_the_same_index_in_neighbouring_rows_is_no_repetition(tmp_path):
    contents = read_contents(_write(tmp_path, "t.svm", "1 1:1 2:2\n2 2:3\n3\n4 2:4\n"), WITH_Y)
    np.testing.assert_array_equal(_dense(contents)[:, 1], [2.0, 3.0, 0.0, 4.0])


def test_svmlight_has_no_other_columns(tmp_path):
    path = _write(tmp_path, "t.svm", _svmlight_text())
    for wanted in (Wanted(vectors=("w",)), Wanted(vectors=("y",), drop=("a",))):
        with pytest.raises(UsageError, match="--weights-file"):
            read_contents(path, wanted)


# Arrays


def test_npz_by_key(tmp_path):
    path = tmp_path / "t.npz"
    np.savez(path, X=X, y=Y, w=Y**2, Z=X[:, :2], feature_names=NAMES)
    contents = read_contents(path, Wanted(vectors=("y", "w")))
    np.testing.assert_array_equal(contents.X, X)
    np.testing.assert_array_equal(contents.vectors["w"], Y**2)
    assert contents.feature_names == NAMES
    assert read_contents(path, Wanted(design="Z")).X.shape == (6, 2)
    for wanted, message in (
        (Wanted(design="A"), "no key 'A'; name the right one with --design. It has: 'X', 'y'"),
        (Wanted(vectors=("target",)), "no key 'target'.*--response"),
        (Wanted(drop=("a",)), "--drop"),
    ):
        with pytest.raises(UsageError, match=message):
            read_contents(path, wanted)


def test_npz_of_scipy(tmp_path):
    path = tmp_path / "t.npz"
    sparse.save_npz(path, sparse.csc_array(X))
    contents = read_contents(path, Wanted())
    assert contents.X.format == "csc"
    np.testing.assert_array_equal(_dense(contents), X)


def test_npy_is_mapped(tmp_path):
    path = tmp_path / "t.npy"
    np.save(path, np.asfortranarray(X))
    contents = read_contents(path, Wanted())
    assert isinstance(contents.X, np.memmap)
    assert not contents.X.flags.writeable
    np.testing.assert_array_equal(contents.X, X)
    with pytest.raises(UsageError, match="--response-file"):
        read_contents(path, WITH_Y)


def test_parquet(tmp_path):
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    path = tmp_path / "t.parquet"
    parquet.write_table(pa.table({"id": list("uvwxyz"), "y": Y} | dict(zip(NAMES, X.T, strict=True))), path)
    contents = read_contents(path, Wanted(vectors=("y",), drop=("id",)))
    assert contents.X.column_names == list(NAMES)
    np.testing.assert_array_equal(contents.vectors["y"], Y)
    with pytest.raises(UsageError, match="no column 'z'"):
        read_contents(path, Wanted(vectors=("z",)))
    path.write_bytes(b"PAR1 is not enough")
    with pytest.raises(DataError, match="cannot be read as"):
        read_contents(path, WITH_Y)


def test_parquet_without_pyarrow(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(UsageError, match="needs pyarrow"):
        read_contents(_write(tmp_path, "t.parquet", ""), WITH_Y)


@pytest.mark.parametrize("name", ["t.npz", "t.npy", "t.csv.gz", "t.csv.xz"])
def test_damaged_files(tmp_path, name):
    with pytest.raises(DataError, match="cannot be read as"):
        read_contents(_write(tmp_path, name, "not what the name says"), Wanted())


def test_pickles_are_not_opened(tmp_path):
    path = tmp_path / "t.npz"
    np.savez(path, X=np.array([{"a": 1}], dtype=object))
    with pytest.raises(DataError, match="cannot be read as"):
        read_contents(path, Wanted())


@pytest.mark.parametrize(("name", "message"), [("t.csv", "cannot read .*t.csv"), ("t.docx", "cannot tell")])
def test_files_that_are_not_there_or_not_known(tmp_path, name, message):
    with pytest.raises(UsageError, match=message):
        read_contents(tmp_path / name, WITH_Y)


# Vectors


@pytest.mark.parametrize("text", ["1\n2\n\ninf\n", "weight\n1\n2\ninf\n", '"w"\n"1"\n"2"\n"inf"\n'])
def test_vectors_from_text(tmp_path, text):
    np.testing.assert_array_equal(read_vector(_write(tmp_path, "v.txt", text)), [1.0, 2.0, np.inf])


def test_vectors_from_arrays(tmp_path):
    np.save(tmp_path / "v.npy", Y)
    np.savez(tmp_path / "v.npz", v=Y)
    np.savez(tmp_path / "two.npz", v=Y, w=Y)
    for name in ("v.npy", "v.npz"):
        np.testing.assert_array_equal(read_vector(tmp_path / name), Y)
    with pytest.raises(UsageError, match="expected one array"):
        read_vector(tmp_path / "two.npz")


@pytest.mark.parametrize(("text", "message"), [("1\n2 3\n", "line 2: .*got '2 3'"), ("name\n", "found none")])
def test_faults_of_vectors_are_named(tmp_path, text, message):
    with pytest.raises(DataError, match=message):
        read_vector(_write(tmp_path, "v.txt", text))
