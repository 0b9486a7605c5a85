"""What kernels read of columns does not depend on who reads them together."""

import numpy as np
import pytest

from fastreg.kernels.engine import read_columns
from fastreg.kernels.storage import Dense
from fastreg.kernels.updates import Naive


@pytest.mark.parametrize("n", [1, 7, 71, 500])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_column_is_summed_alike_in_every_list(n: int, dtype: type) -> None:
    # Threads split lists: a sum in another order would make answers depend on their number.
    rng = np.random.default_rng(n)
    XT = rng.standard_normal((40, n)).astype(dtype)
    XT.flags.writeable = False
    y, w = rng.standard_normal(n), np.full(n, 1.0 / n)
    mean, scale = rng.standard_normal(40), rng.random(40) + 0.5
    U = Naive(Dense(XT, mean, scale), y, w, y.copy(), w * y, np.zeros((8, n)), np.zeros(8))
    features = rng.permutation(40)
    whole = np.zeros(40)
    read_columns(U, features, whole)
    exact = scale[features] * (XT[features].astype(float) @ (w * y) - mean[features] * (w * y).sum())
    np.testing.assert_allclose(whole, exact, rtol=0, atol=1e-13)
    for start, stop in ((0, 1), (3, 5), (2, 9), (8, 16), (5, 17), (39, 40)):
        part = np.zeros(stop - start)
        read_columns(U, features[start:stop].copy(), part)
        np.testing.assert_array_equal(part, whole[start:stop])
