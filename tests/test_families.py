"""What each family makes of a response: labels, proportions, counts, times; and what it refuses."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from handmade import target

from fastreg.errors import DataError, DataTypeError
from fastreg.families import FAMILIES, canonical, make_target, result_fields
from fastreg.robust import robust_scale


def test_families_are_known_by_their_other_names_too():
    assert [canonical(name) for name in FAMILIES] == list(FAMILIES)
    assert (canonical("logistic"), canonical("multitask")) == ("binomial", "mgaussian")
    for wrong in ("normal", None, 3):
        with pytest.raises(DataError, match="family must be one of 'gaussian', 'binomial'"):
            canonical(wrong)


# labels

LABELS = {
    "strings": ["b", "a", "b", "a"],
    "objects": np.array(["b", "a", "b", "a"], dtype=object),
    "bytes": np.array([b"b", b"a", b"b", b"a"]),
    "0 and 1": [1, 0, 1, 0],
    "floats": [1.0, 0.0, 1.0, 0.0],
    "-1 and 1": np.array([1, -1, 1, -1], dtype=np.int8),
    "booleans": [True, False, True, False],
    "other numbers": [7.25, -3.5, 7.25, -3.5],
    "one column": np.array([[2], [1], [2], [1]]),
    "pandas": pd.Series(["b", "a", "b", "a"]),
    "pandas categorical": pd.Series(pd.Categorical(["b", "a", "b", "a"], categories=["b", "a"])),
    "bare categorical": pd.Categorical(["b", "a", "b", "a"]),
    "pandas nullable": pd.Series([1, 0, 1, 0], dtype="Int64"),
    "polars": pl.Series(["b", "a", "b", "a"]),
    "polars categorical": pl.Series(["b", "a", "b", "a"], dtype=pl.Categorical),
    "arrow": pa.array(["b", "a", "b", "a"]),
    "arrow dictionary": pa.chunked_array([pa.array(["b", "a", "b", "a"]).dictionary_encode()]),
}


@pytest.mark.parametrize("name", LABELS)
def test_two_labels_of_any_kind(name):
    found = target("binomial", LABELS[name])
    np.testing.assert_array_equal(found.y, [1.0, 0.0, 1.0, 0.0])
    np.testing.assert_array_equal(target("squared_hinge", LABELS[name]).y, [1.0, -1.0, 1.0, -1.0])
    assert len(found.classes) == 2
    assert found.classes[0] < found.classes[1]
    assert all(type(each) in (bool, int, float, str) for each in found.classes)
    several = target("multinomial", LABELS[name])
    assert several.classes == found.classes
    np.testing.assert_array_equal(several.y.reshape(2, 4), [1.0 - found.y, found.y])


def test_several_labels_and_classes_of_one_member():
    found = target("multinomial", ["c", "a", "b", "a"])
    assert found.classes == ("a", "b", "c")
    assert found.outputs == 3
    np.testing.assert_array_equal(found.y.reshape(3, 4), [[0, 1, 0, 1], [0, 0, 1, 0], [1, 0, 0, 0]])
    assert target("binomial", [0, 0, 0, 1]).y.sum() == 1.0


@pytest.mark.parametrize("family", ["binomial", "multinomial", "squared_hinge"])
@pytest.mark.parametrize(
    ("y", "error", "message"),
    [
        (
            [1, 1, 1],
            DataError,
            "y must hold at least two classes, got 1 only; there is nothing to tell apart",
        ),
        (["a", None, "b"], DataError, "no missing labels, got None at row 1"),
        ([0.0, np.nan, 1.0], DataError, "no missing labels, got nan at row 1"),
        ([0.0, np.inf, 1.0], DataError, "no missing labels, got inf at row 1"),
        (pd.Series(["a", pd.NA, "b"]), DataError, "no missing labels, got .* at row 1"),
        (pd.Series([1, None, 0], dtype="Int64"), DataError, "no missing labels, got .* at row 1"),
        (["a", 1, "b"], DataTypeError, "labels of one type, got int and str; convert them"),
        ([1j, 2j, 1j], DataTypeError, "numbers, booleans or strings, got dtype complex128"),
        (np.array([("a",), 1, 2], dtype=object), DataTypeError, "booleans or strings, got .* at row 0"),
        ([1.5, 2.5, 0.1], DataError, "hold labels, got 3 distinct numbers, such as .*lasso_path"),
        (["a", "b"], DataError, r"must have shape \(3,\), got \(2,\); one label for each"),
    ],
)
def test_labels_that_cannot_be_used(family, y, error, message):
    with pytest.raises(error, match=message):
        make_target(
            family, y, 3, w=np.full(3, 1 / 3), total_weight=3.0, offset=None, fit_intercept=True
        )  # fmt: skip


def test_a_third_class_is_sent_on():
    for family in ("binomial", "squared_hinge"):
        with pytest.raises(DataError, match="must hold 2 classes, got 3; multinomial_path fits several"):
            target(family, ["a", "b", "c"])
        with pytest.raises(DataError, match="multinomial_path takes one column per class"):
            target(family, np.eye(3))


@pytest.mark.parametrize("family", ["binomial", "multinomial", "squared_hinge"])
def test_a_class_without_weight_has_no_finite_intercept(family):
    with pytest.raises(DataError, match="positive weight in every class, got none in 'b'"):
        target(family, ["a", "b", "a"], weights=[1, 0, 2])
    assert target(family, ["a", "b", "a"], weights=[1, 0, 2], fit_intercept=False).classes == ("a", "b")


# proportions


def test_fractions_are_proportions_of_the_second_class():
    for y in ([0.25, 1.0, 0.0, 0.5], pd.Series([0.25, 1.0, 0.0, 0.5]), pa.array([0.25, 1.0, 0.0, 0.5])):
        found = target("binomial", y)
        np.testing.assert_array_equal(found.y, [0.25, 1.0, 0.0, 0.5])
        assert found.classes is None
    assert target("binomial", [0.3, 0.3]).classes is None
    # Two numbers of which one lies outside are labels.
    assert target("binomial", [0.5, 1.5]).classes == (0.5, 1.5)
    with pytest.raises(DataError, match="positive weight in every class, got none in 'the second class'"):
        target("binomial", [0.0, 0.5, 0.0], weights=[1, 0, 1])


def test_rows_of_proportions():
    rows = np.array([[0.2, 0.3, 0.5], [1.0, 0.0, 0.0], [0.0, 0.5, 0.5], [0.1, 0.8, 0.1]])
    found = target("multinomial", rows)
    assert found.classes == (0, 1, 2)
    np.testing.assert_allclose(found.y.reshape(3, 4), rows.T, rtol=0, atol=1e-15)
    assert target("multinomial", pd.DataFrame(rows, columns=["x", "y", "z"])).classes == ("x", "y", "z")
    np.testing.assert_array_equal(target("multinomial", np.eye(4)).y, np.eye(4).ravel())
    # What float32 leaves of a sum of one is made exact.
    exact = target("multinomial", rows.astype(np.float32)).y.reshape(3, 4)
    np.testing.assert_allclose(exact.sum(axis=0), 1.0, rtol=0, atol=1e-15)
    for change, message in ((-0.2, "got -0.2 in row 1"), (0.5, "got a sum of 0.5 in row 1; divide each row")):
        wrong = rows.copy()
        wrong[1, 0] = change
        with pytest.raises(DataError, match=message):
            target("multinomial", wrong)
    with pytest.raises(DataError, match="every class, got none in 2"):
        target("multinomial", [[0.5, 0.5, 0.0], [1.0, 0.0, 0.0]])


# numbers


def test_counts():
    np.testing.assert_array_equal(target("poisson", [0, 2, 3.5]).y, [0.0, 2.0, 3.5])
    for wrong, message in (
        ([0, -1], "be >= 0, got -1.0 at row 1"),
        ([0, np.inf], "finite, got inf at row 1"),
    ):
        with pytest.raises(DataError, match=message):
            target("poisson", wrong)


def test_counts_of_zero_only_have_no_finite_intercept():
    for weights, y in ((None, [0, 0, 0]), ([1, 0, 1], [0, 4, 0])):
        with pytest.raises(
            DataError, match="count above zero in a row of positive weight.*fit_intercept=False"
        ):
            target("poisson", y, weights=weights)
        np.testing.assert_array_equal(target("poisson", y, weights=weights, fit_intercept=False).y, y)


def test_several_responses():
    Y = np.arange(6.0).reshape(3, 2)
    found = target("mgaussian", Y)
    assert found.is_grouped
    assert found.outputs == 2
    np.testing.assert_array_equal(found.y, [0, 2, 4, 1, 3, 5])
    np.testing.assert_array_equal(target("mgaussian", pd.DataFrame(Y, columns=["a", "b"])).y, found.y)
    for y, message in (
        ([1.0, 2.0], "lasso_path fits one response, y.reshape"),
        ([[1.0, np.nan]], "finite, got nan in column 1, row 0"),
        (pd.DataFrame({"a": [1.0], "b": [np.inf]}), r"got inf in column 1 \('b'\), row 0"),
    ):
        with pytest.raises(DataError, match=message):
            target("mgaussian", y)
    with pytest.raises(DataTypeError, match=r"column 1 of y must hold real numbers"):
        target("mgaussian", np.array([[1, "b"]], dtype=object))


def test_gaussian_is_a_family_like_others():
    np.testing.assert_array_equal(target("gaussian", [3, 1]).y, [3.0, 1.0])
    assert result_fields(target("multinomial", ["a", "b"], grouped=True)) == {
        "family": "multinomial", "n_outputs": 2, "classes": ("a", "b"), "delta": 0.0, "is_grouped": True,
    }  # fmt: skip


# huber


def test_delta_counts_in_robust_scales_or_in_units_of_y():
    y = np.array([0.0, 1.0, 2.0, 3.0, 1000.0])
    scale = 1.0 / 0.6744897501960817
    assert target("huber", y).delta == pytest.approx(1.35 * scale)
    assert target("huber", 10 * y, delta=2.0, scale="mad").delta == pytest.approx(20 * scale)
    assert target("huber", y, delta=2.0, scale=1.0).delta == 2.0
    assert target("huber", y, offset=y).delta == 1.35
    for options, error, message in (
        ({"delta": 0.0}, DataError, "delta must be a finite number > 0, got 0.0"),
        ({"delta": "1"}, DataTypeError, "delta must be a finite number > 0"),
        ({"scale": -1.0}, DataError, 'scale must be "mad" or a finite number > 0'),
        ({"scale": "sd"}, DataError, 'scale must be "mad" or a number > 0'),
    ):
        with pytest.raises(error, match=message):
            target("huber", y, **options)


def test_the_robust_scale_has_an_answer_for_every_response():
    rng = np.random.default_rng(0)
    values = rng.normal(5.0, 3.0, 20001)
    equal = np.full(values.size, 1 / values.size)
    assert robust_scale(values, equal) == pytest.approx(3.0, rel=0.03)
    # Weights are repetitions.
    few, counts = rng.standard_normal(9), rng.integers(0, 4, 9)
    repeated = np.repeat(few, counts)
    assert robust_scale(few, counts / counts.sum()) == pytest.approx(
        robust_scale(repeated, np.full(repeated.size, 1 / repeated.size)), rel=1e-14
    )
    mostly_equal = np.array([0.0] * 9 + [10.0])
    assert robust_scale(mostly_equal, np.full(10, 0.1)) == pytest.approx(1.0 / 0.7978845608028654)
    assert robust_scale(np.full(4, 7.0), np.full(4, 0.25)) == 1.0


# options and offsets


@pytest.mark.parametrize(
    ("family", "options", "message"),
    [
        ("binomial", {"delta": 1.0}, "delta belongs to family='huber', got 1.0 with family='binomial'"),
        ("huber", {"ties": "efron"}, "ties belongs to family='cox'"),
        ("poisson", {"strata": [1, 2]}, "strata belongs to family='cox'"),
        ("binomial", {"grouped": False}, "grouped belongs to family='multinomial' or family='mgaussian'"),
        ("multinomial", {"grouped": "yes"}, "grouped must be True or False"),
    ],
)
def test_options_belong_to_their_family(family, options, message):
    with pytest.raises((DataError, DataTypeError), match=message):
        target(family, [0, 1], **options)
    with pytest.raises(TypeError):
        target(family, [0, 1], colour="red")
    with pytest.raises(DataError, match="grouped must be True for family='mgaussian'"):
        target("mgaussian", np.eye(2), grouped=False)


def test_offsets_of_several_outputs():
    Y, both = np.eye(3)[:, :2] + 0.5, np.arange(6.0).reshape(3, 2)
    np.testing.assert_array_equal(target("mgaussian", Y, offset=[1, 2, 3]).offset, [1, 2, 3, 1, 2, 3])
    np.testing.assert_array_equal(target("mgaussian", Y, offset=both).offset, [0, 2, 4, 1, 3, 5])
    labels = ["a", "b", "a"]
    np.testing.assert_array_equal(target("multinomial", labels, offset=both).offset, [0, 2, 4, 1, 3, 5])
    np.testing.assert_array_equal(target("multinomial", labels).offset, np.zeros(6))
    np.testing.assert_array_equal(target("binomial", labels, offset=[1, 2, 3]).offset, [1, 2, 3])
    with pytest.raises(DataError, match=r"offset must have shape \(3, 2\), got \(3,\); one column per class"):
        target("multinomial", labels, offset=[1, 2, 3])
    with pytest.raises(
        DataError, match=r"offset must have shape \(3, 2\), got \(2, 3\); one column per resp"
    ):
        target("mgaussian", Y, offset=both.T)
    with pytest.raises(DataError, match="offset must be finite"):
        target("mgaussian", Y, offset=both + np.inf)


def test_responses_must_be_dense():
    sparse = pytest.importorskip("scipy.sparse")
    for family, message in (("binomial", "dense vector, got a sparse"), ("mgaussian", "dense, got a sparse")):
        with pytest.raises(DataTypeError, match=message):
            make_target(
                family, sparse.csr_array(np.eye(2)), 2, w=np.full(2, 0.5), total_weight=2.0, offset=None,
                fit_intercept=True,
            )  # fmt: skip
    frame = pd.DataFrame(np.eye(2)).astype(pd.SparseDtype(float, 0.0))
    with pytest.raises(DataTypeError, match="dense, got a data frame of sparse columns"):
        target("mgaussian", frame)
