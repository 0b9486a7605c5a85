"""Large supports: what coordinate descent and conjugate gradients remember from one alpha to the next."""

from __future__ import annotations

from typing import Any

import numpy as np

from ._typing import Float64, Index
from .kernels import engine
from .kernels.finish import PAUSED, SOLVED
from .kernels.inverse import MAX_PARTNERS, MAX_ROW, Inverse
from .kernels.models import GAP
from .kernels.newton import (
    CARRY,
    EFFORT,
    FEW_PRODUCTS,
    IDLE,
    IS_FRESH,
    SQUARE,
    STALLED,
    SUM,
    Krylov,
    refresh,
    solve_restricted,
)
from .kernels.passes import (
    EXPECTED,
    SINCE,
    Anchors,
    admit,
    dismiss,
    expect,
    go_on,
    judge_pass,
    look_up,
    pass_over,
)
from .kernels.state import COLUMNS_READ, SCREENINGS, Working
from .kernels.storage import Csc
from .problem import Problem
from .record import Record

# Operations one compiled call may spend before Python looks at the clock: about 50 ms.
OPERATIONS_PER_CALL = 1e8
# Products with the support's columns in a round, about.
PRODUCTS_PER_ROUND = 50
# A pass pays against lazy references while X has at most this many entries per row: each of the 64 rows
# costs a product with an n-vector per screening.
PASSES_PAY = 64
# Share of the allowed gap the restricted problem may keep: the rest is for features outside.
INNER_SHARE = 0.9
# Stalls at one alpha after which the arithmetic is held to give no more.
MANY_STALLS = 25


class Descent:
    """Coordinate descent and conjugate gradients on the working set; sparse columns are packed first.

    ``by_passes``: after each alpha one pass over all columns reads those that two anchors do not certify, and
    references are no longer kept.
    """

    def __init__(self, problem: Problem) -> None:
        design = problem.design
        self.inverse = allocate_inverse(design.columns, design.square, design.n)
        self.krylov = allocate_krylov(1, design.n, self.inverse)
        self.packed = _packing_space(design.columns)
        self.by_passes = self.packed is not None and self.packed.data.shape[0] <= PASSES_PAY * design.n
        self.alpha = np.inf
        # Calls spent on the alpha at hand.
        self.calls = 0
        self.stalls = 0
        # Coefficients of the last alpha.
        self.last = np.zeros(design.p)
        self.last_alpha = np.inf
        # Correlations of all features (small ones estimates) now, at the last alpha, expected at the next.
        size = design.p if self.by_passes else 0
        self.now, self.before, self.expected = (np.zeros(size) for _ in range(3))
        self.anchors = allocate_anchors(problem.square[:size], design.n)
        self.level, self.is_read = np.inf, False
        # Where in the pack a feature's column is, once it was ever in the working set, and that of each slot.
        self.place_of: Index = np.full(design.p if self.packed is not None else 0, -1, np.int64)
        self.places: Index = np.zeros(0, np.int64)
        self.n_packed = 0
        # The bundles that kernels get, and the working set they were made for.
        self.bundled_for: Any = None
        self.bundles: tuple[Any, Any, Any] = (None, None, None)
        self.bytes_per_column = design.bytes_per_column
        self.columns, self.n = design.columns, design.n

    def advance(self, S: engine.Screened, alpha: float, allowed_gap: float) -> int:
        """Carry the solution to alpha by passes; return DONE with the report or a code to answer."""
        if alpha != self.alpha:
            self._start(S, alpha)
            self.level = EXPECTED * alpha
            dismiss(S.W, S.F.support, self.expected, self.level)
        if not admit(S.W, S.P, self.expected, S.sqnorm, self.level):
            return engine.GROW_WORKING
        self.level = np.inf
        code = self._restricted(S, alpha, INNER_SHARE * allowed_gap)
        if code != SOLVED:
            return code
        square = self._read(S, alpha, *self._where_it_fits(S))
        judge_pass(S.U, S.W, S.P, self.anchors, self.now, alpha, square, S.report)
        if S.report[GAP] <= allowed_gap:
            return engine.DONE
        self.expected[:], self.level = self.now, EXPECTED * alpha
        return engine.UNSOLVED

    def take_over(self, record: Record, features: Index, values: Float64) -> None:
        """Learn the path's direction from what was solved before, if that ended at these coefficients."""
        k = record.finished
        if k < 2:
            return
        last, before = record.coefficients(k - 1), record.coefficients(k - 2)
        if np.array_equal(last[0], features) and np.array_equal(last[1], values):
            self.last_alpha, self.alpha = float(record.alphas[k - 2]), float(record.alphas[k - 1])
            self.last[before[0]] = before[1]

    def stall(self, code: int) -> int:
        """Return the code; the first stalls of an alpha only mean that it takes long."""
        if code != STALLED:
            return code
        self.stalls += 1
        self.krylov.carry[IDLE] = 0.0
        return STALLED if self.stalls > MANY_STALLS else PAUSED

    def solve(self, S: engine.Screened, alpha: float, allowed_gap: float) -> int:
        """Solve the restricted problem; return a code of descend."""
        if alpha != self.alpha:
            self._start(S, alpha)
        while True:
            code = self._restricted(S, alpha, allowed_gap)
            if code != SOLVED or self.krylov.carry[IS_FRESH]:
                return code
            refresh(S.U, S.W, self.krylov, S.stats)

    def _restricted(self, S: engine.Screened, alpha: float, allowed_gap: float) -> int:
        entries = self._make_room(S)
        U, W, K = self.bundles
        rounds = 1 + self._affordable(entries)
        return int(solve_restricted(U, W, K, alpha, allowed_gap, rounds, self.by_passes, S.stats))

    def _affordable(self, entries: float) -> int:
        """Return how many rounds, or steps of Newton's, one call may take for columns of so many entries."""
        return 1 + int(OPERATIONS_PER_CALL / (PRODUCTS_PER_ROUND * (self.n + 2.0 * entries)))

    def _make_room(self, S: engine.Screened) -> float:
        """Pack the working set's columns and bundle what kernels get; return the entries they hold."""
        if self.krylov.slots.shape[0] < S.W.feature.shape[0]:
            larger = allocate_krylov(S.W.feature.shape[0], self.n, self.inverse)
            larger.carry[:] = self.krylov.carry
            self.krylov = larger
        entries = self.bytes_per_column / 8.0 * int(S.W.size[0])
        if self.packed is not None:
            entries = self._pack(S.W)
        if self.bundled_for is not S.W or self.bundles[2].slots is not self.krylov.slots:
            self.bundled_for, self.bundles = S.W, self._bundle(S)
        return entries

    def _pack(self, W: Working) -> float:
        """Copy the columns that are new to the working set behind the others; return the entries there are.

        Those that leave it keep their places: many come back.
        """
        if self.places.shape[0] < W.feature.shape[0]:
            self.places = np.zeros(W.feature.shape[0], np.int64)
            self.bundled_for = None
        count = look_up(W, self.place_of, self.places, W.listed)
        if count:
            new = W.listed[:count]
            engine.pack_columns(self.columns, new, self.n_packed, self.packed)
            self.place_of[new] = np.arange(self.n_packed, self.n_packed + count)
            self.n_packed += count
            look_up(W, self.place_of, self.places, W.listed)
        assert self.packed is not None
        return float(self.packed.indptr[self.n_packed])

    def _bundle(self, S: engine.Screened) -> tuple[Any, Any, Any]:
        """Return updates, working set and work space as the kernels see them."""
        K = self.krylov._replace(inverse=self.inverse._replace(names=S.W.feature))
        if self.packed is None:
            return S.U, S.W, K
        # Curved updates never come here: their descent has a model of its own.
        updates: Any = S.U
        return updates._replace(D=self.packed), S.W._replace(feature=self.places), K

    def _start(self, S: engine.Screened, alpha: float) -> None:
        """Predict coefficients and, by passes, correlations at a new alpha."""
        self.stalls = 0
        self.krylov.carry[:EFFORT] = 0.0, np.inf, 0.0, FEW_PRODUCTS, 0.0, 0.0, 0.0
        if self.by_passes and not self.is_read:
            self._read(S, alpha, S.U, S.W)
            self.before[:] = self.now
            self.is_read = True
        ahead = self._extrapolate(S.W, alpha)
        if self.by_passes:
            expect(self.now, self.before, ahead, self.expected)
            self.before, self.now = self.now, self.before

    def _where_it_fits(self, S: engine.Screened) -> tuple[Any, Any]:
        """Return updates and working set that form the residual fastest."""
        return self.bundles[0], self.bundles[1]

    def _read(self, S: engine.Screened, alpha: float, updates: Any, working: Working) -> float:
        """Pass over all columns at the current coefficients; return ||r||^2."""
        vsum, square, count = pass_over(
            S.U, S.W, S.P, updates, working, self.anchors, self.now, S.root_w, alpha
        )
        self.krylov.carry[[SUM, SQUARE, IS_FRESH]] = vsum, square, 1.0
        S.stats[COLUMNS_READ] += count
        S.stats[SCREENINGS] += 1
        return float(square)

    def _extrapolate(self, W: Working, alpha: float) -> float:
        """Go on along the path's last direction: between knots it is straight. Signs are kept.

        The answer is by how many times the last change of alpha.
        """
        times = 0.0
        if np.isfinite(self.last_alpha) and self.last_alpha > self.alpha:
            times = (alpha - self.alpha) / (self.alpha - self.last_alpha)
        go_on(W, self.last, times)
        self.last_alpha, self.alpha = self.alpha, alpha
        return times


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


def allocate_anchors(square: Float64, n: int) -> Anchors:
    """Return room for two residuals and all correlations with them, for columns of these squared norms."""
    p = square.shape[0]
    return Anchors(
        residual=np.zeros((2, n)),
        correlation=np.zeros((2, p)),
        norm=np.sqrt(square),
        listed=np.zeros(p, np.int64),
        value=np.zeros(p),
        since=np.zeros(SINCE, np.int64),
    )


def allocate_krylov(capacity: int, n: int, inverse: Inverse) -> Krylov:
    """Return work space for conjugate gradients on up to capacity features."""
    vectors = {
        name: np.zeros(capacity) for name in ("step", "residual", "direction", "image", "weight", "ridge")
    }
    return Krylov(
        inverse=inverse,
        slots=np.zeros(capacity, np.int64),
        column=np.zeros(capacity, np.uint64),
        fitted=np.zeros(n),
        moved=np.zeros(n),
        carry=np.zeros(CARRY),
        **vectors,
    )


def allocate_inverse(columns: Any, square: Float64, n: int) -> Inverse:
    """Return an approximate inverse that knows no partners yet; dense columns never get any."""
    p = square.shape[0]
    is_sparse = isinstance(columns, Csc)
    one: Any = columns if is_sparse else _no_columns(p)
    ends = np.cumsum(np.bincount(one.indices, minlength=n))
    begins = ends - np.diff(ends, prepend=0)
    partners, entries = (MAX_PARTNERS, MAX_ROW) if is_sparse else (0, 0)
    # Numbers are given out from the first on: pages of those that nobody gets cost nothing.
    return Inverse(
        columns=one,
        names=np.zeros(0, np.int64),
        known=np.full(p, -1, np.int32),
        size=np.zeros(1, np.int64),
        feature=np.empty(p, np.int32),
        begin=begins,
        end=begins.copy(),
        listed=np.empty(one.data.shape[0], np.uint32),
        entry=np.empty(one.data.shape[0], one.data.dtype),
        strength=_over(one.scale, np.sqrt(square)),
        mean_of=np.empty(p),
        strength_of=np.empty(p),
        count=np.empty(p, np.int64),
        partner=np.empty((p, partners), np.int32),
        alike=np.empty((p, partners)),
        used=np.empty(p, np.int64),
        row=np.empty((p, entries + 1)),
        position=np.empty(p, np.int64),
        start=np.zeros(p + 1, np.int64),
        place=np.empty(p * entries, np.uint64),
        value=np.empty(p * entries),
        own=np.empty(p),
        half=np.empty(p),
        product=np.empty(p),
        touched=np.zeros(p + 1, np.int64),
        small=np.zeros((MAX_ROW + 2, MAX_ROW + 1)),
    )


def _over(scale: Float64, norm: Float64) -> Float64:
    """Return scale / norm, zero where the norm is."""
    return np.divide(scale, norm, out=np.zeros_like(norm), where=norm > 0.0)


def _no_columns(p: int) -> Csc:
    """Return a sparse design of p empty columns."""
    return Csc(np.zeros(0), np.zeros(0, np.uint32), np.zeros(p + 1, np.uint32), np.zeros(p), np.ones(p))
