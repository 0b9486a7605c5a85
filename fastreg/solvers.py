"""The solver of wide data: a working set solved exactly or by descent, lazy references for the rest."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from ._bundle import Layout
from ._sums import inner
from ._typing import Float64, Index
from .descent import INNER_SHARE, Descent
from .designs import in_ranges
from .designs.threads import CROSSOVER_BYTES, even_bounds
from .driver import (
    ROUNDING,
    ExactSolver,
    KeepGoing,
    allocate_factor,
    allocate_working,
    enlarge,
)
from .kernels import engine
from .kernels.finish import SOLVED
from .kernels.models import COST, GAP, REPORT, SQUARE, TO_READ, WAITS
from .kernels.newton import STALLED
from .kernels.opening import empty_references
from .kernels.screening import FIRST_FRAME, SOME
from .kernels.state import BLOCK, COLUMNS_READ, Reads, References
from .kernels.storage import Csc, Dense
from .kernels.together import GO_ON
from .kernels.updates import Naive
from .problem import Problem
from .reading_costs import cost_of_all, cost_of_sharing
from .record import Record
from .twins import redundant_features

# Rows of references kept: each costs memory and, in use, an n-vector product per screening. A few are enough
# where columns are short: there all are read once many have to be.
MAX_REFERENCES, FEWEST_REFERENCES, FEATURES_PER_ROW = 63, 24, 256
# Pairs of rows that may be in use at once, per row; features for whom there is none left rest on one row.
PAIRS_PER_ROW = 3
# Room for features in the working set at first, and in the support at most: both grow. Lassos mostly end at
# less than half of the rows, but to enlarge a factor costs a small path as much as some of its alphas.
FIRST_WORKING, FIRST_SUPPORT = 96, 128
# Columns are listed and read one share of all at a time, and at least so many.
READ_SHARE, LEAST_READ = 32, 256
# Where columns are long, as many as take a thousandth of X: threads pay where many are read at once.
READ_ENTRIES = 2000
# Rounds of descent at one alpha beyond which the next ones go to the factor again.
DEAR_ROUNDS = 50
# The exact finish pays while k^2 stays below this multiple of the entries of a column (docs/decisions).
FACTOR_WORTH = 1700
# Below this support the factor always pays.
SMALL_SUPPORT = 200
# Rounds of the exact finish for features without penalty.
FREE_ROUNDS = 10_000
# Supports up to this size get their factor back where descent stalls: two matrices of 128 MB.
LARGEST_FACTOR = 4000


def naive_updates(problem: Problem) -> Naive:
    """Return residual updates that begin at zero coefficients."""
    y, w = problem.response.values, problem.response.w
    buffer = np.zeros((BLOCK, problem.design.n))
    return Naive(problem.design.columns, y, w, y.copy(), w * y, buffer, np.zeros(BLOCK))


class ScreenedSolver(ExactSolver):
    """A working set solved exactly or by descent, lazy references for everything else."""

    def __init__(self, problem: Problem, n_threads: int, allowed_gap: float, is_part: bool = True) -> None:
        super().__init__(problem, n_threads, allowed_gap, is_part)
        design, response = problem.design, problem.response
        p = problem.size
        root_w = np.sqrt(response.w)
        likely = 2 * design.n // 5 if is_part else design.n
        self.entries = int(np.ceil(design.bytes_per_column / 8.0))
        self.noise = ROUNDING * response.square**0.5
        self.state = engine.Screened(
            U=self._updates(),
            P=problem.arrays,
            W=allocate_working(
                min(p, FIRST_WORKING), p if isinstance(design.columns, Csc) else 0, self.entries, self.noise
            ),
            F=allocate_factor(min(p, likely + BLOCK, FIRST_SUPPORT), self.idle_gap),
            Q=_allocate_references(problem.square, root_w.shape[0]),
            reads=_allocate_reads(min(p, max(LEAST_READ, p // READ_SHARE, p * self.entries // READ_ENTRIES))),
            root_w=root_w,
            sqnorm=problem.square,
            stats=self.stats,
            report=np.zeros(REPORT),
        )
        self.state.report[COST] = cost_of_all(self.entries)
        engine.rest_all(self.state, self.first_correlations())
        self.descent: Descent | None = None
        # Whether the factor lost its digits on the way, and whether it took over again from descent.
        self.is_factor_worn = self.is_back = False

    def let_go(self) -> None:
        """Free what only the beginning of a path asks for."""
        self.problem.design.let_go()

    @property
    def rounds(self) -> int:
        """Rounds spent on the alpha at hand; those of descent count its calls."""
        return super().rounds if self.descent is None else self.descent.calls

    def _updates(self) -> Any:
        """Return what is kept current while coefficients move."""
        return naive_updates(self.problem)

    def first_correlations(self) -> Float64:
        """Return all correlations with the null residual."""
        return self.problem.design.product

    def _new_descent(self) -> Descent:
        """Return what goes on without a factor."""
        return Descent(self.problem)

    def _is_beyond_null(self) -> bool:
        """Tell whether the current coefficients fit worse than none."""
        return float(inner(self.state.U.v, self.state.U.r)) > self.problem.response.square

    def coefficients(self) -> tuple[Index, Float64]:
        """Return the non-zero coefficients; see ExactSolver."""
        W = self.state.W
        # By feature, as they are written down: descent tells by comparison whether it takes over from there.
        slots = W.order[: W.size[0]]
        slots = slots[W.beta[slots] != 0.0]
        return W.feature[slots], W.beta[slots]

    def read_all(self) -> Float64:
        """Read every column and let all features rest on the current residual; return the correlations."""
        p = self.problem.size
        reads = _allocate_reads(p)
        reads.feature[:] = np.arange(p)
        self._read(reads, p)
        self.stats[COLUMNS_READ] += p
        engine.rest_all(self.state, reads.value)
        return np.asarray(reads.value)

    def await_readings(self) -> None:
        """Wait where all columns should be read, for calls that read them for several paths at once.

        Only where that costs less: short columns are in the cache, and a path that goes on by itself is too.
        """
        U, shared = self.state.U, cost_of_sharing(self.entries)
        if isinstance(U, Naive) and isinstance(U.D, Dense) and shared < self.state.report[COST]:
            self.state.report[WAITS], self.state.report[COST] = 1.0, shared

    def read_alone(self) -> None:
        """Read by itself from now on."""
        self.state.report[WAITS], self.state.report[COST] = 0.0, cost_of_all(self.entries)

    @property
    def is_together(self) -> bool:
        """Whether the next call may be one for several paths: the factor goes on, and they read for all."""
        return (
            self.state.report[WAITS] > 0.0
            and self.descent is None
            and self.state.W.size[1] <= self._largest_support()
        )

    def order(self, record: Record) -> list[int]:
        """Return what the next call for several paths is told of this one, in the order of its fields."""
        limits = self._limits(self._inline(), self._largest_support())
        return [len(record.alphas), *limits, self.stage, record.finished, GO_ON]

    def enlist(self, features: Index, values: Float64) -> None:
        """Give the features slots and coefficients."""
        if self.state.W.size[0] + len(features) > self.state.W.feature.shape[0]:
            self._grow_working(int(self.state.W.size[0]) + len(features) + 256)
        engine.enlist_features(self.state, features)
        self.state.W.beta[self._slots(features)] = values

    def _inside(self) -> Index:
        """Return the features of the working set by slot."""
        return np.asarray(self.state.W.feature[: self.state.W.size[0]])

    def _slots(self, features: Index) -> Index:
        """Return the slots of features in the working set."""
        inside = self._inside()
        order = np.argsort(inside)
        return np.asarray(order[np.searchsorted(inside, features, sorter=order)])

    def start_from(self, features: Index, values: Float64) -> None:
        """Set coefficients from outside; a start that fits worse than zero is no help and is dropped."""
        self.enlist(features, values)
        engine.refresh(self.state)
        if self._is_beyond_null():
            self.enlist(features, np.zeros(features.size))
            engine.refresh(self.state)

    def fit_free(self, features: Index, keep_going: KeepGoing) -> Float64:
        """Fit the features without penalty alone; return all correlations with what is left."""
        self.enlist(features, np.zeros(features.size))
        self.max_iter = FREE_ROUNDS
        # Without penalties alpha plays no part. A dependent set is left as near as the arithmetic gets.
        while (code := engine.settle(self.state, 1.0, self._limits(0, 0))) != SOLVED:
            self._answer(code, 1.0)
            if self.descent is not None or self.rounds >= self.max_iter or not keep_going():
                break
        return self.read_all()

    def _begin(self, effort: int) -> None:
        super()._begin(effort)
        if self.descent is not None:
            self.descent.calls = 0

    def _call(self, record: Record, stop: int) -> tuple[int, int]:
        largest = self._largest_support()
        if self.descent is None and self.state.W.size[1] > largest:
            self._descend_from_here()
        if self.descent is not None:
            return self._descend(record, self.stage)
        limits = self._limits(self._inline(), largest)
        return engine.follow(  # type: ignore[no-any-return]
            self.state, record.alphas, record.finished, stop, self.stage, limits, record.trail
        )

    def _descend(self, record: Record, stage: int) -> tuple[int, int]:
        assert self.descent is not None
        k = record.finished
        alpha = float(record.alphas[k])
        if not np.isfinite(self.descent.alpha):
            self.descent.take_over(record, *self.coefficients())
        if self.descent.by_passes:
            self.descent.calls += 1
            code = self.descent.advance(self.state, alpha, self.allowed_gap)
            if code != engine.DONE:
                return self._unless_back(code, alpha), k
            stage = engine.KEEP
        elif stage == engine.SOLVE:
            self.descent.calls += 1
            code = self.descent.solve(self.state, alpha, INNER_SHARE * self.allowed_gap)
            if code != SOLVED:
                return self._unless_back(code, alpha), k
        if stage != engine.KEEP:
            code = int(engine.outside(self.state, alpha, stage, self._inline(), self.allowed_gap))
            if code != engine.DONE:
                return code, k
        while not engine.write_down(self.state, record.trail, k, self.effort):
            record.make_room(int(self.state.W.size[0]))
        if self.effort - self.began > DEAR_ROUNDS and self._may_go_back():
            self._go_back(alpha)
        return engine.DONE, k + 1

    def _unless_back(self, code: int, alpha: float) -> int:
        """Return the code, or UNSOLVED where descent has stalled and the factor takes over again."""
        assert self.descent is not None
        if code != STALLED or not self._may_go_back():
            return self.descent.stall(code)
        self._go_back(alpha)
        return int(engine.UNSOLVED)

    def _may_go_back(self) -> bool:
        """Tell whether the factor can take over again from descent."""
        return not self.is_factor_worn and int(np.count_nonzero(self.state.W.beta)) <= LARGEST_FACTOR

    def _go_back(self, alpha: float) -> None:
        """Let the factor take over again from descent."""
        k = int(np.count_nonzero(self.state.W.beta))
        self.descent = None
        self.is_back = True
        # The factor swaps dependent columns where descent passes weight between them for ever.
        self.state.W.place[:] = -1
        self.state.W.size[1] = 0
        factor = allocate_factor(min(self.problem.size, k + BLOCK), self.idle_gap)
        # With the ridge part of this alpha at once: without it more columns look dependent.
        factor.ridge_alpha[0] = alpha
        self.state = self.state._replace(F=factor)
        engine.take_up_support(self.state)
        self.read_all()

    def _answer(self, code: int, alpha: float) -> int:
        if code == engine.READ:
            self._read(self.state.reads, int(self.state.report[TO_READ]))
            return engine.ABSORB
        if code == engine.GROW_WORKING:
            self._grow_working(2 * self.state.W.feature.shape[0])
            return engine.ABSORB
        if self.descent is None:
            self._refactor(code, alpha)
        return engine.SOLVE

    def _largest_support(self) -> int:
        """Return the support beyond which a change of the factor costs more than a descent without one."""
        if not isinstance(self.problem.design.columns, Csc):
            # Descent reads dense columns in full at every step: 2000 x 4000 took it 60 s, the factor 7 s.
            return LARGEST_FACTOR
        largest = max(SMALL_SUPPORT, int((FACTOR_WORTH * self.problem.design.bytes_per_column / 8.0) ** 0.5))
        p = self.problem.size
        return largest if largest < p and not self.is_back else p

    def leave_factor(self) -> None:
        """Go on by descent for good: the factor has lost its digits."""
        self.is_factor_worn = True
        self._descend_from_here()

    def _descend_from_here(self) -> None:
        """Go on by descent; from zero where a worn factor has led beyond the null model."""
        state = self.state
        if self._is_beyond_null():
            state.W.beta[:] = 0.0
            engine.refresh(state)
        state.W.place[:] = -1
        state.W.size[1] = 0
        self.read_alone()
        # Passes over all features ask which of them have a slot.
        slot_of = np.full(self.problem.size, -1, np.int32)
        slot_of[self._inside()] = np.arange(self._inside().size)
        state = state._replace(W=state.W._replace(slot_of=slot_of))
        arrays = self.problem.per_coefficient
        l1 = arrays.l1.copy()
        twins = redundant_features(self.problem.design, arrays, self.coefficients()[0])
        l1[twins] = np.inf
        slots = slot_of[twins]
        state.W.l1[slots[slots >= 0]] = np.inf
        self.stats[COLUMNS_READ] += 2 * self.problem.size
        self.state = state._replace(F=allocate_factor(1, 0.0), P=state.P._replace(l1=l1))
        self.descent = self._new_descent()

    def _give_up(self, alpha: float) -> tuple[float, float]:
        """Certify what was reached: read everything, so that the gap holds although alpha is not solved."""
        correlations = self.read_all()
        arrays = self.problem.per_coefficient
        outside = np.ones(self.problem.size, bool)
        outside[self._inside()] = False
        wanted = np.where(correlations > 0, arrays.upper > 0, arrays.lower < 0) & outside
        features = np.flatnonzero(wanted & (np.abs(correlations) > alpha * arrays.l1))
        self.enlist(features, np.zeros(len(features)))
        self.state.W.g[self._slots(features)] = correlations[features]
        engine.assess(self.state, alpha)
        self.stats[0] += self.problem.size
        return float(self.state.report[GAP]), float(self.state.report[SQUARE])

    def _inline(self) -> int:
        """Return how many columns the engine reads itself: few enough for one thread and for the clock."""
        limit = CROSSOVER_BYTES if self.n_threads > 1 else 5e8
        return int(limit / max(self.problem.design.bytes_per_column, 1.0))

    def _read(self, reads: Reads, count: int) -> None:
        """Read the listed columns, in threads where they are many."""
        U = self.state.U
        bounds = even_bounds(count, count * self.problem.design.bytes_per_column, self.n_threads)
        in_ranges(lambda start, stop: engine.read(U, reads, start, stop), bounds, self.n_threads)

    def _grow_working(self, capacity: int) -> None:
        p = self.problem.size
        known = self.state.W.slot_of.shape[0]
        larger = allocate_working(min(p, capacity), known, self.entries, self.noise)
        enlarge(self.state.W, larger)
        self.state = self.state._replace(W=larger)


def _allocate_reads(room: int) -> Reads:
    """Return room for a list of columns."""
    return _reads(room).zeros()


@lru_cache(maxsize=64)
def _reads(room: int) -> Layout[Reads]:
    """Lay a list of columns out."""
    return Layout(Reads, feature=(np.int64, room), value=(np.float64, room))


def _allocate_references(square: Float64, n: int) -> References:
    """Return references on which nobody rests yet, for columns of these squared norms."""
    p = square.shape[0]
    Q = _references(p, n, min(MAX_REFERENCES, max(FEWEST_REFERENCES, p // FEATURES_PER_ROW))).zeros()
    empty_references(Q, square)
    return Q


@lru_cache(maxsize=64)
def _references(p: int, n: int, rows: int) -> Layout[References]:
    """Lay references out for p features and so many residuals of n entries."""
    frames = FIRST_FRAME + rows + PAIRS_PER_ROW * rows
    per_row, per_frame, per_feature = (np.float64, rows), (np.float64, frames), (np.float32, p)
    return Layout(
        References,
        rows=(np.float64, rows, n),
        norm=per_row,
        along=per_row,
        live=(np.int64, rows),
        frame_with=(np.int64, rows),
        first=(np.int32, frames),
        second=(np.int32, frames),
        users=(np.int64, frames),
        shared=per_frame,
        height=per_frame,
        u=per_frame,
        z=per_frame,
        distance=per_frame,
        # Unsigned: kernels need not test for Python's negative indexing. 63 rows make 254 frames.
        frame=(np.uint8, p),
        along_u=per_feature,
        along_z=per_feature,
        rest=per_feature,
        unit=(np.float64, 2),
        is_doubted=(np.uint8, SOME),
        doubted=(np.int32, SOME),
    )
