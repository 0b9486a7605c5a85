"""What is kept of every alpha, and how it is shown on the user's scale."""

from __future__ import annotations

import numpy as np

from fastreg.kernels.trail import Scale, Shown, show
from fastreg.record import Record


def test_alphas_of_another_hand_are_shown_by_feature() -> None:
    rng = np.random.default_rng(0)
    record = Record(np.array([3.0, 2.0, 1.0]), 50, np.array([True, False, True]))
    for features, values in (
        ([7, 2], [1.0, 2.0]),
        ([9], [5.0]),
        (rng.permutation(40) + 5, np.arange(1.0, 41)),
    ):
        record.add(np.array(features), np.array(values), 1.0, 8.0, 3 * record.finished, np.zeros(1))
    shown = Shown(
        gap=np.zeros(2),
        explained=np.zeros(2),
        rounds=np.zeros(2, np.int64),
        ends=np.zeros(3, np.int32),
        feature=np.zeros(43, np.int32),
        value=np.zeros(43),
        intercept=np.zeros((1, 2)),
    )
    scale = Scale(0.5, 16.0, 4.0, 50)
    units = np.linspace(1.0, 2.0, 50)
    assert show(record.trail, record.is_asked, units, np.ones(1), scale, shown) == -1
    assert shown.ends.tolist() == [0, 2, 42]
    assert shown.feature[:42].tolist() == [2, 7, *range(5, 45)]
    np.testing.assert_allclose(shown.value[:2], [2.0 * units[2], units[7]])
    last = record.coefficients(2)
    np.testing.assert_allclose(shown.value[2:42], (last[1] * units[last[0]])[np.argsort(last[0])])
    np.testing.assert_allclose(shown.intercept[0], 4.0 - np.add.reduceat(shown.value[:42], [0, 2]))
    assert (shown.gap.tolist(), shown.explained.tolist()) == ([0.5, 0.5], [0.5, 0.5])
    # Rounds of the stone count for the alpha after it; a look without work is one.
    assert shown.rounds.tolist() == [1, 6]
    units[2] = np.inf
    assert show(record.trail, record.is_asked, units, np.ones(1), scale, shown) == 2
