"""The finished part of a path while it grows, on the solver's scale."""

from __future__ import annotations

import numpy as np

from ._typing import Float64, Index, Mask
from .kernels.trail import Trail

# Room for coefficients per alpha at first, half of the rows where these are few; it grows by half.
ROOM_PER_ALPHA, FEWEST_PER_ALPHA = 40, 10
# Where the next alpha is below this share of the last one, others are solved between them: one step would let
# too many features in at once. On 500 x 20000 a lone alpha_max/100 took 2.2 s, in ten steps 0.12 s.
LONGEST_STEP = 0.5
# The share from one stepping stone to the next is at least this.
STONE_STEP = 0.6


class Record:
    """All finished alphas of one path; compiled code writes into ``trail``.

    ``is_asked`` (K,) tells the alphas that were asked for from stepping stones on the way. ``size`` is the
    number of coefficients, ``room`` how many per alpha are expected.
    """

    def __init__(
        self,
        alphas: Float64,
        size: int,
        is_asked: Mask | None = None,
        outputs: int = 1,
        room: int = ROOM_PER_ALPHA,
    ) -> None:
        count = len(alphas)
        self.alphas = alphas
        # Whether there are no stepping stones.
        self.is_plain = is_asked is None
        self.is_asked = np.ones(count, bool) if is_asked is None else is_asked
        self.finished = 0
        self.trail = Trail(
            gap=np.zeros(count),
            square=np.zeros(count),
            effort=np.zeros(count, np.int64),
            ends=np.zeros(count + 1, np.int64),
            feature=np.zeros(room * count, np.int32 if size < 2**31 else np.int64),
            value=np.zeros(room * count),
            intercept=np.zeros((count, outputs)),
        )

    def make_room(self, entries: int) -> None:
        """Make room for at least so many more coefficients."""
        used = int(self.trail.ends[self.finished])
        size = self.trail.feature.shape[0]
        while size < used + entries:
            size += size // 2 + 1
        # One after the other: the first is freed before the second is copied.
        for name in ("feature", "value"):
            smaller = getattr(self.trail, name)
            larger = np.zeros(size, smaller.dtype)
            larger[:used] = smaller[:used]
            self.trail = self.trail._replace(**{name: larger})
            del smaller

    def add(
        self, features: Index, values: Float64, gap: float, square: float, effort: int, intercept: Float64
    ) -> None:
        """Write the next alpha down."""
        k, count = self.finished, len(features)
        if self.trail.ends[k] + count > self.trail.feature.shape[0]:
            self.make_room(count)
        entries = slice(int(self.trail.ends[k]), int(self.trail.ends[k]) + count)
        self.trail.feature[entries], self.trail.value[entries] = features, values
        self.trail.ends[k + 1] = entries.stop
        self.trail.gap[k], self.trail.square[k], self.trail.effort[k] = gap, square, effort
        self.trail.intercept[k] = intercept
        self.finished += 1

    def coefficients(self, k: int) -> tuple[Index, Float64]:
        """Return the features with non-zero coefficients at the k-th alpha, and the coefficients."""
        entries = slice(int(self.trail.ends[k]), int(self.trail.ends[k + 1]))
        return self.trail.feature[entries], self.trail.value[entries]

    @property
    def requested(self) -> int:
        """How many alphas were asked for."""
        return len(self.alphas) if self.is_plain else int(self.is_asked.sum())

    def alphas_done(self) -> Float64:
        """Return the finished alphas that were asked for."""
        return self.alphas[: self.finished] if self.is_plain else self.alphas[self.done()]

    def done(self) -> Index:
        """Return the places of the finished alphas that were asked for."""
        return np.flatnonzero(self.is_asked[: self.finished])

    def n_nonzero(self, k: int) -> int:
        """Return how many coefficients differ from zero at the k-th alpha."""
        return int(self.trail.ends[k + 1] - self.trail.ends[k])


def with_stepping_stones(
    alphas: Float64, start: float, size: int, outputs: int, rows: int, is_part: bool
) -> Record:
    """Return the record of a path that takes no step too long, from where all coefficients are zero on.

    From a start of zero on no step is too long. One path of many, ``is_part``, takes less room.
    """
    room = min(ROOM_PER_ALPHA, max(2 * rows // 5 if is_part else rows // 2, FEWEST_PER_ALPHA))
    if start == 0.0:
        return Record(alphas, size, outputs=outputs, room=room)
    steps_ahead = alphas[1:] >= LONGEST_STEP * np.minimum(alphas[:-1], start)
    if alphas[0] >= LONGEST_STEP * start and steps_ahead.all():
        return Record(alphas, size, outputs=outputs, room=room)
    stones = []
    last = start
    for alpha in alphas:
        if 0.0 < alpha < LONGEST_STEP * last:
            ratio = max(alpha / last, np.finfo(np.float64).tiny)
            steps = int(np.ceil(np.log(ratio) / np.log(STONE_STEP)))
            # Products of one ratio: scaling all alphas by a power of two scales the stones exactly.
            stones.append(last * ratio ** (np.arange(1, steps) / steps))
        last = min(last, float(alpha))
    if not stones:
        return Record(alphas, size, outputs=outputs, room=room)
    between = np.concatenate(stones)
    everything = np.concatenate([alphas, between])
    # Stable: an alpha that was asked for comes before a stone of the same value.
    order = np.argsort(-everything, kind="stable")
    return Record(everything[order], size, order < len(alphas), outputs, room)
