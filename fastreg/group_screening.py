"""Which groups have to be read at a residual: those that past residuals do not certify."""

from __future__ import annotations

import numpy as np

from ._typing import Float64, Index
from .designs import Design
from .kernels import group_screening
from .kernels.group_screening import LEAST, Outlook

# Most directions that are kept, and their share of the rows: beyond it a pass costs as little.
MOST_DIRECTIONS, SHARE_OF_ROWS = 64, 0.35
# Columns with fewer entries than this are read faster than certified.
SHORT = 24
# Where this share of the features would have to be read, since the last pass, a pass over all pays.
PASS_PAYS = 0.25
# Inflates a spectral norm that was computed.
INFLATION = 1e-10


class GroupScreen:
    """Directions in which residuals have moved, and every column's coordinates along them."""

    def __init__(self, design: Design, w: Float64, outputs: int) -> None:
        n, p = design.n, design.p
        self.root_w = np.sqrt(w)
        self.is_useful = design.bytes_per_column >= 8 * SHORT
        most = min(max(int(SHARE_OF_ROWS * n), 2 * outputs), max(MOST_DIRECTIONS, 2 * outputs), n)
        spread = np.sqrt(design.square)
        self.outlook = Outlook(
            basis=np.zeros((most, n)),
            along=np.zeros((p, most)),
            rest=spread.copy(),
            spread=spread,
            K=np.zeros((outputs, most)),
            E=np.zeros((outputs, n)),
            square=np.zeros((outputs, outputs)),
            size=np.zeros(1, np.int64),
            norm=np.zeros(1),
            listed=np.zeros(p + 1, np.int64),
        )
        self.read = 0

    def open(self, residual: Float64, l1: Float64, slot_of: Index, alpha: float) -> Index | None:
        """Return the features outside the working set that have to be read; None where all should be."""
        Q = self.outlook
        if not self.is_useful or Q.size[0] == 0:
            return None
        group_screening.project(Q, residual, self.root_w)
        distance = float(np.linalg.eigvalsh(Q.square)[-1].clip(0.0)) ** 0.5 * (1.0 + INFLATION)
        count = int(group_screening.list_open(Q, l1, slot_of, alpha, distance))
        self.read += count
        return Q.listed[:count] if self.read <= PASS_PAYS * l1.size else None

    def learn(self, residual: Float64, correlations: Float64) -> None:
        """Take up the residual, at which all correlations (outputs, p) are known."""
        Q = self.outlook
        self.read = 0
        if not self.is_useful:
            return
        for _ in range(2):
            group_screening.project(Q, residual, self.root_w)
            values, turn = np.linalg.eigh(Q.square)
            real = values > (LEAST * Q.norm[0]) ** 2
            count = int(np.count_nonzero(real))
            if int(Q.size[0]) + count <= Q.basis.shape[0]:
                break
            # Full: begin again with this residual alone.
            Q.size[0] = 0
            Q.along[:] = 0.0
        count = min(count, Q.basis.shape[0])
        if count and Q.norm[0] > 0.0:
            lengths = np.sqrt(values[::-1][:count])
            directions = np.ascontiguousarray(turn[:, ::-1][:, :count])
            group_screening.widen(Q, correlations, directions, lengths, count)
