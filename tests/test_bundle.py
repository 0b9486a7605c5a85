"""Bundles look like named tuples, in Python and in compiled code; parts stay inside compiled code."""

import copy
import pickle
from typing import NamedTuple

import numba
import numpy as np
import pytest

from fastreg._bundle import Layout, bundle
from fastreg.kernels.prox import minimiser
from fastreg.kernels.state import Penalties, Reads


@bundle
class Inner(NamedTuple):
    table: np.ndarray
    where: np.ndarray


@bundle
class Outer(NamedTuple):
    first: np.ndarray
    inner: Inner
    last: np.ndarray


def make():
    inner = Inner(np.arange(6.0).reshape(2, 3), np.array([1, 2], np.uint32))
    return Outer(np.zeros(2), inner, last=np.ones((2, 1, 4), np.float32))


@numba.njit
def visit(B):
    rows, columns = B.inner.table.shape
    B.first[0] = B.inner.table[B.inner.where[0], 2] + 10.0 * rows + 100.0 * columns
    B.first[-1] = B.last[1, 0, 3] + B.last.shape[2] + B.last.size
    return B.inner


@numba.njit
def tell(B):
    return len(visit(B).table), B.last.strides[1] // B.last.itemsize


def test_kernels_read_and_write_the_fields_of_a_bundle():
    B = make()
    assert tell(B) == (2, 4)
    assert B.first.tolist() == [325.0, 13.0]


def test_a_field_that_was_replaced_is_the_one_kernels_see():
    B = make()
    total = numba.njit(lambda B: B.inner.table.sum())
    changed = B._replace(inner=B.inner._replace(table=np.ones((5, 5))))
    assert (total(B), total(changed)) == (15.0, 25.0)
    assert changed.first is B.first


@pytest.mark.compiled_only
def test_a_field_may_be_replaced_by_one_of_another_type():
    B = make()
    total = numba.njit(lambda B: B.last.sum())
    for last in (np.ones((2, 2)), np.full(3, 2, np.int16), np.zeros((2, 1, 4), np.float32)):
        changed = B._replace(last=last)
        assert changed._numba_type_ is Outer(B.first, B.inner, last)._numba_type_
        assert total(changed) == last.sum()
    wider = Inner(np.ones((2, 3), np.float32), np.array([0, 1], np.uint32))
    assert B._replace(inner=wider)._numba_type_ is Outer(B.first, wider, B.last)._numba_type_
    # Nor is an array where a bundle was taken for one, or the other way round.
    assert numba.njit(lambda B: B.inner[1])(B._replace(inner=np.arange(3.0))) == 1.0
    assert B._replace(last=B.inner)._numba_type_ is Outer(B.first, B.inner, B.inner)._numba_type_
    with pytest.raises(TypeError, match="contiguous"):
        B._replace(first=np.zeros(4)[::2])


@pytest.mark.compiled_only
def test_read_only_arrays_cannot_be_written_by_kernels():
    frozen = np.zeros(2)
    frozen.flags.writeable = False

    @numba.njit
    def write(B):
        B.first[0] = 1.0

    with pytest.raises(numba.TypingError, match="Cannot modify readonly array"):
        write(make()._replace(first=frozen))


@pytest.mark.compiled_only
def test_a_name_that_is_no_field_is_refused():
    with pytest.raises(numba.TypingError, match="Unknown attribute 'nothing'"):
        numba.njit(lambda B: B.nothing)(make())


def test_bundles_look_like_named_tuples():
    arrays = [np.zeros(2), np.ones(2), np.full(2, -np.inf), np.full(2, np.inf)]
    P = Penalties(*arrays)
    l1, l2, lower, upper = P
    assert [l1, l2, lower, upper] == [P.l1, P.l2, P.lower, P.upper]
    assert list(P._asdict()) == ["l1", "l2", "lower", "upper"]
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'upper'"):
        Penalties(*arrays[:3])
    with pytest.raises(AttributeError):
        P.l1 = l2


@pytest.mark.compiled_only
def test_arrays_with_gaps_are_refused():
    with pytest.raises(TypeError, match="C-contiguous"):
        Reads(np.arange(6)[::2], np.zeros(3))


def test_a_bundle_of_zeros_lies_in_one_block():
    B = Layout(Inner, table=(np.float32, 3, 5), where=(np.uint8, 7)).zeros()
    assert (B.table.shape, B.table.dtype, B.where.shape, B.where.dtype) == (
        (3, 5),
        np.float32,
        (7,),
        np.uint8,
    )
    assert not B.table.any()
    assert not B.where.any()

    @numba.njit
    def write(B):
        B.table[2, 4] = 2.0
        B.where[6] = 9
        return B.table.size, B.where.size

    assert write(B) == (15, 7)
    assert (B.table[2, 4], B.table.sum(), B.where[6], B.where.sum()) == (2.0, 2.0, 9, 9)
    # What was not looked at is the same array later, in copies and where another field is replaced.
    other = Layout(Inner, table=(np.float64, 2, 2), where=(np.int64, 0)).zeros()
    changed = other._replace(where=np.arange(3))
    changed.table[0, 1] = 5.0
    assert other.table[0, 1] == 5.0
    assert changed.where.tolist() == [0, 1, 2]
    assert numba.njit(lambda B: B.table.sum() + B.where.sum())(changed) == 8.0
    # Another of the same kind has memory of its own.
    assert not Layout(Inner, table=(np.float64, 2, 2), where=(np.int64, 0)).zeros().table.any()


@pytest.mark.compiled_only
def test_a_bundle_of_zeros_needs_every_field_and_no_other():
    with pytest.raises(TypeError, match="has the fields"):
        Layout(Inner, table=(np.float64, 2)).zeros()
    with pytest.raises(TypeError, match="has the fields"):
        Layout(Inner, table=(np.float64, 2), where=(np.int64, 1), there=(np.int64, 1)).zeros()
    with pytest.raises(AttributeError, match="no field 'there'"):
        _ = Layout(Inner, table=(np.float64, 2, 2), where=(np.int64, 1)).zeros().there


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda B: pickle.loads(pickle.dumps(B))])
def test_copies_of_a_bundle_point_to_their_own_arrays(again):
    reads = again(Reads(np.arange(3), np.zeros(3)))
    numba.njit(lambda reads: reads.value.fill(2.0))(reads)
    assert reads.value.tolist() == [2.0, 2.0, 2.0]


@pytest.mark.compiled_only
def test_parts_are_not_called_from_python():
    with pytest.raises(TypeError):
        minimiser(1.0, 1.0, 0.5, 0.0, -1.0, 1.0)


@pytest.mark.skipif(numba.config.DISABLE_JIT, reason="plain Python hands bundles over as named tuples")
def test_the_address_of_an_array_is_the_one_numpy_tells():
    table = np.arange(24.0).reshape(4, 6)
    frozen = table[2:]
    frozen.flags.writeable = False
    for array in (table, frozen, np.zeros(0), np.arange(3, dtype=np.uint16), np.zeros((2, 3, 4), np.float32)):
        words = Reads(array, array)._memory
        assert words[0] == words[1 + array.ndim] == array.__array_interface__["data"][0]
        assert tuple(words[1 : 1 + array.ndim]) == array.shape
