"""What kernels read and write is what the same lines do in Python, whatever is indexed by what."""

import math
import os
import subprocess
import sys
from typing import NamedTuple

import numpy as np
import pytest

from fastreg._bundle import bundle
from fastreg._jit import kernel, part


@bundle
class Table(NamedTuple):
    line: np.ndarray
    grid: np.ndarray
    cube: np.ndarray
    where: np.ndarray
    half: np.ndarray
    flag: np.ndarray
    whole: np.ndarray


def make():
    return Table(
        line=np.arange(5.0),
        grid=np.arange(12.0).reshape(3, 4),
        cube=np.arange(24.0).reshape(2, 3, 4),
        where=np.array([1, 2], np.uint32),
        half=np.arange(3, dtype=np.float32) / 4,
        flag=np.array([True, False]),
        whole=np.arange(4, dtype=np.int16),
    )


@part
def third_power(x, times):
    return x if times == 0 else x * x * x


@kernel
def read_all_ways(T, plain, k, out):
    rows, columns = T.grid.shape
    row = T.grid[k]
    pair = (k, 2)
    out[0] = T.line[k] + T.line[-1] + T.line[k - 2]
    out[1] = T.grid[k, 2] + T.grid[-1, -k] + T.grid[pair] + T.grid[T.where[1], T.where[0]]
    out[2] = row[3] + row.shape[0] + len(row)
    out[3] = T.cube[k][2, 1] + T.cube[1, k][0] + T.cube[0, 2, 3] + T.cube[1][k][-1]
    out[4] = 10.0 * rows + columns + T.cube.shape[2]
    out[5] = T.half[k] + T.half[T.whole[2]]
    out[6] = 1.0 if T.flag[0] and not T.flag[k] else 0.0
    out[7] = plain[k] + plain[-1] + plain.shape[0]
    return rows, row[-1]


@kernel
def write_all_ways(T, k):
    T.line[k] += 1.5
    T.line[-1] = T.whole[3]
    T.grid[k, T.where[0]] = T.line[k]
    T.grid[0][-1] = -7.0
    T.cube[k, -1, k] -= 3.0
    T.half[k] = T.line[k]
    T.whole[k] = 3 * k
    T.flag[k] = T.line[k] > 2.0
    T.where[1] = k + 1


@kernel
def compare(x, y, m, n, out):
    out[0], out[1] = max(x, y), min(x, y)
    out[2], out[3] = max(m, n), min(m, n)
    out[4], out[5] = max(x, 1.0), max(0, m)
    signs = 0
    for is_so in (x < y, x <= y, x > y, x >= y, x == y, x != y, m < n, m >= n, m == n, m != n):
        signs = 2 * signs + (1 if is_so else 0)
    out[6] = signs
    out[7] = max(x, m) - x * y + m * n - (m - n)


@kernel
def call_with_numbers(x, m):
    return third_power(x, 0) + third_power(x, 1) + third_power(x, m)


def test_entries_are_read_as_in_python():
    out = np.zeros(8)
    rows, last = read_all_ways(make(), np.array([4.0, 5.0, 6.0]), 1, out)
    assert (rows, last) == (3, 7.0)
    assert out.tolist() == [
        9.0,
        6.0 + 11.0 + 6.0 + 9.0,
        15.0,
        21.0 + 16.0 + 11.0 + 19.0,
        38.0,
        0.75,
        1.0,
        14.0,
    ]


def test_entries_are_written_as_in_python():
    T = make()
    write_all_ways(T, 1)
    assert T.line.tolist() == [0.0, 2.5, 2.0, 3.0, 3.0]
    assert T.grid[:2].tolist() == [[0.0, 1.0, 2.0, -7.0], [4.0, 2.5, 6.0, 7.0]]
    assert T.cube[1, 2, 1] == 18.0
    assert (T.half.tolist(), T.whole.tolist(), T.flag.tolist()) == (
        [0.0, 2.5, 0.5],
        [0, 3, 2, 3],
        [True, True],
    )
    assert T.where.tolist() == [1, 2]


@pytest.mark.parametrize("x", [1.0, -2.5, math.inf, math.nan, -0.0])
@pytest.mark.parametrize("y", [1.0, -2.5, math.nan, 0.0])
def test_numbers_are_compared_as_in_python(x, y):
    found, expected = np.zeros(8), np.zeros(8)
    compare(x, y, 3, -2, found)
    getattr(compare, "py_func", compare)(x, y, 3, -2, expected)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.compiled_only
@pytest.mark.parametrize("place", ["B.line[5]", "B.line[-6]", "B.grid[1, 4]", "B.grid[3][0]", "B.grid[1][4]"])
def test_bounds_checks_check(place, tmp_path):
    code = f"""
from tests.test_lowering import make
from fastreg._jit import kernel
@kernel
def look(B):
    return {place}
look(make())
"""
    environment = {**os.environ, "NUMBA_BOUNDSCHECK": "1", "FASTREG_CACHE_DIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)
    assert "IndexError: index is out of bounds" in done.stderr


def test_parts_take_numbers_that_are_written_out():
    assert call_with_numbers(2.0, 3) == 18.0


@pytest.mark.compiled_only
def test_a_part_is_compiled_once_for_all_of_them():
    assert call_with_numbers(2.0, 3) == 18.0
    # A kernel that came from the disk has not compiled its parts.
    call_with_numbers._cache.disable()
    try:
        call_with_numbers.recompile()
    finally:
        call_with_numbers._cache.enable()
    assert [str(kind) for kind in third_power.signatures[0]] == ["float64", "int64"]
    assert len(third_power.signatures) == 1


WITH_ANOTHER_NUMBA = """
import numba
numba.__version__ = "0.999.0"
import numpy as np
from fastreg import _jit
assert _jit.KERNEL_COMPILER is _jit.PART_COMPILER is numba.core.compiler.Compiler
from fastreg.kernels.together import correlate_several
from fastreg.kernels.storage import Dense
X, V, out = np.arange(12.0).reshape(3, 4), np.arange(20.0).reshape(5, 4), np.zeros((5, 3))
X.flags.writeable = False
correlate_several(Dense(X, np.zeros(3), np.ones(1)), np.arange(3), V, V.sum(axis=1), out)
assert (out == V @ X.T).all(), out
"""


@pytest.mark.compiled_only
def test_a_numba_that_was_never_tried_compiles_by_itself(tmp_path):
    environment = {**os.environ, "FASTREG_CACHE_DIR": str(tmp_path)}
    subprocess.run([sys.executable, "-c", WITH_ANOTHER_NUMBA], check=True, env=environment)
