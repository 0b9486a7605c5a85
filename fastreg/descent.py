"""Large supports: what coordinate descent and conjugate gradients remember from one alpha to the next."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse

from ._typing import Float64
from .kernels import engine
from .kernels.inverse import MAX_PARTNERS, MAX_ROW, UNKNOWN, Inverse
from .kernels.newton import Krylov, descend
from .kernels.state import Working
from .kernels.storage import Csc
from .problem import Problem

# Operations one compiled call may spend before Python looks at the clock: about 50 ms.
OPERATIONS_PER_CALL = 1e8


class Descent:
    """Coordinate descent and conjugate gradients on the working set; sparse columns are packed first."""

    def __init__(self, problem: Problem) -> None:
        design = problem.design
        self.inverse = allocate_inverse(design.columns, design.square, design.n)
        self.krylov = allocate_krylov(1, design.n, self.inverse)
        self.packed = _packing_space(problem.design.columns)
        self.alpha = np.inf
        self.last = np.zeros(problem.design.p)
        self.last_alpha = np.inf

    def solve(self, state: engine.Screened, alpha: float, allowed_gap: float) -> int:
        """Solve the restricted problem; return a code of descend."""
        if self.krylov.slots.shape[0] < state.W.feature.shape[0]:
            self.krylov = allocate_krylov(state.W.feature.shape[0], state.U.y.shape[0], self.inverse)
        if alpha != self.alpha:
            self._extrapolate(state.W, alpha)
            self.krylov.carry[1:] = np.inf, 0.0
        U, W = state.U, state.W
        K = self.krylov._replace(inverse=self.inverse._replace(names=W.feature))
        if self.packed is not None:
            engine.pack_working(U.D, W, self.packed)
            U, W = U._replace(D=self.packed), W._replace(feature=np.arange(W.feature.shape[0]))
        work = 1 + U.y.shape[0] + 60 * int(W.size[0]) * 10
        return int(
            descend(
                U, W, K, alpha, allowed_gap, 2 + int(OPERATIONS_PER_CALL / work / 100), state.stats
            )
        )

    def _extrapolate(self, W: Working, alpha: float) -> None:
        """Go on along the path's last direction: between knots it is straight. Signs are kept."""
        m = int(W.size[0])
        features, now = W.feature[:m], W.beta[:m].copy()
        if np.isfinite(self.last_alpha) and self.last_alpha > self.alpha:
            ahead = now + (alpha - self.alpha) / (self.alpha - self.last_alpha) * (now - self.last[features])
            safe = (ahead * now > 0.0) & (self.last[features] != 0.0)
            safe &= (ahead > W.lower[:m]) & (ahead < W.upper[:m])
            W.beta[:m] = np.where(safe, ahead, now)
        self.last[:] = 0.0
        self.last[features] = now
        self.last_alpha, self.alpha = self.alpha, alpha


def _packing_space(columns: Any) -> Csc | None:
    """Return room for copies of sparse columns; untouched pages of it cost no memory."""
    if not isinstance(columns, Csc):
        return None
    p = columns.mean.shape[0]
    return Csc(
        np.empty(columns.data.shape[0], columns.data.dtype),
        np.empty(columns.indices.shape[0], columns.indices.dtype),
        np.zeros(p + 1, columns.indptr.dtype),
        np.zeros(p),
        np.ones(p),
    )


def allocate_krylov(capacity: int, n: int, inverse: Inverse) -> Krylov:
    """Return work space for conjugate gradients on up to capacity features."""
    vectors = {name: np.zeros(capacity) for name in ("step", "residual", "direction", "image")}
    return Krylov(
        inverse=inverse,
        slots=np.zeros(capacity, np.int64),
        fitted=np.zeros(n),
        moved=np.zeros(n),
        carry=np.array([0.0, np.inf, 0.0]),
        **vectors,
    )


def allocate_inverse(columns: Any, square: Float64, n: int) -> Inverse:
    """Return an approximate inverse that knows no partners yet; dense columns never get any."""
    p = square.shape[0]
    is_sparse = isinstance(columns, Csc)
    one = columns if is_sparse else _no_columns()
    lengths = np.diff(one.indptr.astype(np.int64)) if is_sparse else np.zeros(p)
    rank = np.empty(p, np.int64)
    rank[np.argsort(-lengths, kind="stable")] = np.arange(p)
    partners, entries = (MAX_PARTNERS, MAX_ROW) if is_sparse else (0, 0)
    # What is indexed by feature is touched only where a feature enters the support: untouched pages cost nothing.
    return Inverse(
        columns=one,
        rows=_by_rows(one, n, p) if is_sparse else one,
        names=np.zeros(0, np.int64),
        rank=rank,
        square=square,
        count=np.full(p, -1 if is_sparse else 0, np.int64),
        partner=np.empty((p, partners), np.int64),
        used=np.full(p, UNKNOWN, np.int64),
        row=np.empty((p, entries + 1)),
        position=np.full(p, -1, np.int64),
        start=np.zeros(p + 1, np.int64),
        place=np.empty(p * entries, np.int64),
        value=np.empty(p * entries),
        own=np.empty(p),
        half=np.empty(p),
        product=np.empty(p),
        seen=np.full(p, -1, np.int64),
        touched=np.zeros(max(p, MAX_ROW + 1), np.int64),
        small=np.zeros((MAX_ROW + 2, MAX_PARTNERS)),
    )


def _no_columns() -> Csc:
    """Return a sparse design without columns."""
    index = np.zeros(1, np.uint32)
    return Csc(np.zeros(1), index, index, np.zeros(1), np.ones(1))


def _by_rows(columns: Csc, n: int, p: int) -> Csc:
    """Return the raw entries row by row."""
    signed = np.dtype(f"i{columns.indices.itemsize}")
    arrays = columns.data, columns.indices.view(signed), columns.indptr.view(np.dtype(f"i{columns.indptr.itemsize}"))
    rows = sparse.csc_array(arrays, shape=(n, p)).tocsr()
    unsigned = columns.indices.dtype
    return Csc(rows.data, rows.indices.astype(unsigned), rows.indptr.astype(columns.indptr.dtype), np.zeros(n), np.ones(n))


