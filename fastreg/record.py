"""The finished part of a path while it grows, on the solver's scale."""

from __future__ import annotations

import numpy as np

from ._typing import Float64, Index
from .kernels.trail import Trail

# Room for coefficients per alpha at first; it doubles when it is used up.
ROOM_PER_ALPHA = 32


class Record:
    """All finished alphas of one path; compiled code writes into ``trail``."""

    def __init__(self, alphas: Float64) -> None:
        count = len(alphas)
        self.alphas = alphas
        self.finished = 0
        self.trail = Trail(
            gap=np.zeros(count),
            square=np.zeros(count),
            effort=np.zeros(count, np.int64),
            ends=np.zeros(count + 1, np.int64),
            feature=np.zeros(ROOM_PER_ALPHA * count, np.int64),
            value=np.zeros(ROOM_PER_ALPHA * count),
        )

    def make_room(self, entries: int) -> None:
        """Make room for at least so many more coefficients."""
        used = int(self.trail.ends[self.finished])
        size = self.trail.feature.shape[0]
        while size < used + entries:
            size *= 2
        feature, value = np.zeros(size, np.int64), np.zeros(size)
        feature[:used], value[:used] = self.trail.feature[:used], self.trail.value[:used]
        self.trail = self.trail._replace(feature=feature, value=value)

    def add(self, features: Index, values: Float64, gap: float, square: float, effort: int) -> None:
        """Write the next alpha down."""
        k, count = self.finished, len(features)
        if self.trail.ends[k] + count > self.trail.feature.shape[0]:
            self.make_room(count)
        entries = slice(int(self.trail.ends[k]), int(self.trail.ends[k]) + count)
        self.trail.feature[entries], self.trail.value[entries] = features, values
        self.trail.ends[k + 1] = entries.stop
        self.trail.gap[k], self.trail.square[k], self.trail.effort[k] = gap, square, effort
        self.finished += 1

    def n_nonzero(self, k: int) -> int:
        """Return how many coefficients differ from zero at the k-th alpha."""
        return int(self.trail.ends[k + 1] - self.trail.ends[k])
