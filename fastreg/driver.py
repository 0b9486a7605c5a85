"""The dialogue with the compiled engine: its memory, its answers, and what every solver does about them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Protocol

import numpy as np
from scipy.linalg import lapack

from ._bundle import Layout
from ._typing import Float64, Index
from .kernels import engine
from .kernels.factor import hand_on, rebuild
from .kernels.finish import GROW_SUPPORT, PAUSED, REBUILD, REFRESH
from .kernels.newton import STALLED
from .kernels.opening import empty_working
from .kernels.shifted import AHEAD, AHEAD_AT_FORMING, IDLE_GAP, PRODUCTS
from .kernels.state import BLOCK, GRADIENTS, N_COUNTERS, REBUILDS, SWEEPS, Factor, Working
from .problem import Problem
from .record import Record

# Multiplications one compiled call may spend before Python looks at the clock: about 20 ms.
OPERATIONS_PER_CALL = 50_000_000
# Supports up to this size are refactored by bordering: waking BLAS threads costs more (decision 0003).
LAPACK_PAYS = 400
# Refactoring at one alpha more often than this means that the support is singular to working precision.
MAX_REBUILDS = 4
# Rounds at one alpha, beyond a multiple of the support, after which the exact finish is held to cycle.
MAX_ROUNDS, ROUNDS_PER_FEATURE = 500, 10
# Error of a correlation relative to the norms of column and response: some units of float64 rounding.
ROUNDING = 4e-15
# What steps under a ridge part, where digits cost work, may leave of the gap over the null objective: as much
# as rounding does, and at most the square of tol, because coefficients are off by its root.
IDLE_SHARE = 1e-14

# What least squares writes down: its intercept follows from the means.
NO_INTERCEPTS = np.zeros(1)

KeepGoing = Callable[[], bool]


class Solver(Protocol):
    """What the path asks of a solver."""

    stats: Index

    def follow(self, record: Record, stop: int, keep_going: KeepGoing, max_iter: int) -> None:
        """Solve on from record.finished, up to alpha number stop; less only where keep_going says no."""


def allocate_working(capacity: int, known: int, entries: int, noise: float) -> Working:
    """Return an empty working set with room for capacity features.

    Slots are known of so many features: all or none. entries and noise are those of Working.
    """
    W = _working(capacity, known).zeros()
    empty_working(W, entries, noise)
    return W


@lru_cache(maxsize=64)
def _working(capacity: int, known: int) -> Layout[Working]:
    """Lay a working set out."""
    numbers, places = (np.float64, capacity), (np.int64, capacity)
    return Layout(
        Working,
        feature=places,
        beta=numbers,
        g=numbers,
        l1=numbers,
        l2=numbers,
        lower=numbers,
        upper=numbers,
        sqnorm=numbers,
        place=places,
        order=places,
        slot_of=(np.int32, known),
        size=(np.int64, 3),
        noise=(np.float64, 1),
        earlier=numbers,
        settled=numbers,
        trend=numbers,
        image=numbers,
        lost=numbers,
        listed=places,
        found=numbers,
        before=numbers,
    )


def allocate_factor(capacity: int, idle_gap: float) -> Factor:
    """Return an empty factor with room for capacity features; idle_gap is what its steps may leave."""
    F = _factor(capacity).zeros()
    F.pace[IDLE_GAP] = idle_gap
    return F


@lru_cache(maxsize=64)
def _factor(capacity: int) -> Layout[Factor]:
    """Lay a factor out."""
    numbers, square = (np.float64, capacity), (np.float64, capacity, capacity)
    block = (np.float64, BLOCK, capacity)
    return Layout(
        Factor,
        support=(np.int64, capacity),
        sign=numbers,
        gram=square,
        inverse=square,
        rhs=numbers,
        step=numbers,
        pull=numbers,
        spare=numbers,
        ridge_alpha=(np.float64, 1),
        pace=(np.float64, 9),
        entering=(np.int64, BLOCK),
        columns=block,
        products=block,
        small=(np.float64, 3, BLOCK, BLOCK),
    )


def enlarge(old: Any, new: Any) -> None:
    """Copy what the bundle of arrays holds into the larger one."""
    for name in old._fields:
        array = getattr(old, name)
        getattr(new, name)[tuple(map(slice, array.shape))] = array


def refactor(W: Working, F: Factor, alpha: float) -> None:
    """Compute F.inverse afresh at alpha from F.gram; dependent columns leave the support."""
    k = int(W.size[1])
    F.pace[PRODUCTS] = 0.0
    F.pace[AHEAD_AT_FORMING] = F.pace[AHEAD]
    info = 1
    if k > LAPACK_PAYS:
        matrix = F.gram[:k, :k].copy()
        matrix.flat[:: k + 1] += alpha * W.l2[F.support[:k]]
        # Symmetric, so its transpose has the order that LAPACK works on in place.
        lower, info = lapack.dpotrf(matrix.T, lower=1, clean=0, overwrite_a=1)
        if info == 0:
            inverse, info = lapack.dpotri(lower, lower=1, overwrite_c=1)
    if info == 0:
        # Larger than what is kept whole: the lower half is all there is.
        F.inverse[:k, :k] = inverse
        F.ridge_alpha[0] = alpha
    else:
        rebuild(W, F, alpha)


def grown(F: Factor, p: int, rows: int) -> Factor:
    """Return the factor with twice the room, or room for as many features as have independent columns.

    Only a ridge part lets more features in than there are rows.
    """
    room = F.support.shape[0]
    enough = rows + BLOCK
    larger = allocate_factor(min(p, 2 * room, enough if room < enough else 2 * room), float(F.pace[IDLE_GAP]))
    hand_on(F, larger)
    return larger


class ExactSolver(ABC):
    """The dialogue with the engine while an exact finish solves: what both ways of updating share."""

    def __init__(self, problem: Problem, n_threads: int, allowed_gap: float, is_part: bool) -> None:
        self.problem, self.n_threads, self.allowed_gap = problem, n_threads, allowed_gap
        # One of many paths, which lie in memory together, begins with less room.
        self.is_part = is_part
        self.stats: Index = np.zeros(N_COUNTERS, np.int64)
        # Other losses measure the gap in every round.
        self.idle_gap = 0.0
        if problem.null is None and problem.null_objective > 0.0:
            tol = allowed_gap / problem.null_objective
            self.idle_gap = min(IDLE_SHARE, tol * tol) * problem.null_objective
        self.rebuilds, self.began, self.max_iter = 0, 0, 0
        # Calls at the alpha at hand that ended before any round was done.
        self.idle = 0
        # Where the next call goes on, and the effort before it.
        self.stage, self.called_at = engine.SOLVE, 0
        # Who goes on where this solver came to its end.
        self.instead: Any = None
        # A named tuple of what the engine carries; its arrays are replaced when they grow.
        self.state: Any = None

    @property
    def effort(self) -> int:
        """Rounds and sweeps so far."""
        return int(self.stats[GRADIENTS] + self.stats[SWEEPS])

    @property
    def rounds(self) -> int:
        """Rounds spent on the alpha at hand; a call that did none counts as one."""
        return self.effort - self.began + self.idle

    def follow(self, record: Record, stop: int, keep_going: KeepGoing, max_iter: int) -> None:
        """Solve on; see Solver."""
        self.expect(max_iter)
        while record.finished < stop and self.instead is None:
            code, finished = self._call(record, stop)
            if not self.heed(record, stop, code, finished, keep_going):
                return
        if self.instead is not None:
            self.instead.follow(record, stop, keep_going, max_iter)

    def expect(self, max_iter: int) -> None:
        """Begin to solve on, with so many rounds for an alpha."""
        self.max_iter = max_iter
        self._begin(self.effort)
        self.called_at = self.effort

    def heed(self, record: Record, stop: int, code: int, finished: int, keep_going: KeepGoing) -> bool:
        """Do what a call has asked for, so that the next one may go on; False where nobody wants to."""
        before, record.finished = record.finished, finished
        self.idle += code == PAUSED and self.effort == self.called_at
        if finished > before:
            self._begin(int(record.trail.effort[finished - 1]))
        alpha = float(record.alphas[min(finished, stop - 1)])
        self.stage = engine.SOLVE
        if code == engine.GROW_TRAIL:
            record.make_room(int(self.state.W.size[0]))
            self.stage = engine.KEEP
        elif code != engine.DONE:
            self.stage = self._answer(code, alpha)
        self.called_at = self.effort
        if finished < stop and not keep_going():
            return False
        if code == STALLED or (code not in (engine.DONE, engine.GROW_TRAIL) and self.rounds >= self.max_iter):
            gap, square = self._give_up(alpha)
            record.add(*self.coefficients(), gap, square, self.effort, self.intercepts())
            self.stage = engine.SOLVE
            self._begin(self.effort)
        return True

    def _begin(self, effort: int) -> None:
        """Note the effort at the beginning of a new alpha."""
        self.rebuilds, self.began, self.idle = 0, effort, 0

    def _limits(self, inline_reads: int, support: int) -> engine.Limits:
        """Return what the next call may spend; an alpha that was begun has used up rounds already."""
        rounds = max(self.max_iter - self.rounds, 1)
        return engine.Limits(inline_reads, rounds, self.max_iter, OPERATIONS_PER_CALL, support)

    def _refactor(self, code: int, alpha: float) -> None:
        """Do what the exact finish asks of its factor."""
        if code == GROW_SUPPORT:
            rows = self.problem.response.values.shape[0]
            self.state = self.state._replace(F=grown(self.state.F, self.problem.size, rows))
        elif code in (REBUILD, REFRESH):
            self.rebuilds += code == REBUILD
            self.stats[REBUILDS] += 1
            refactor(self.state.W, self.state.F, alpha)
            if self.rebuilds > MAX_REBUILDS:
                self.leave_factor()
        elif code == PAUSED and self.rounds > MAX_ROUNDS + ROUNDS_PER_FEATURE * int(self.state.W.size[0]):
            self.leave_factor()

    @abstractmethod
    def _call(self, record: Record, stop: int) -> tuple[int, int]:
        """Make one compiled call; return its code and the first alpha that is not written down."""

    @abstractmethod
    def _answer(self, code: int, alpha: float) -> int:
        """Do what the engine asked for; return the stage at which it goes on."""

    @abstractmethod
    def _give_up(self, alpha: float) -> tuple[float, float]:
        """Return gap and ||r||^2 of what was reached."""

    @abstractmethod
    def coefficients(self) -> tuple[Index, Float64]:
        """Return the features with non-zero coefficients and the coefficients, in solver units."""

    def intercepts(self) -> Float64:
        """Return what a loss that is not quadratic was fitted with."""
        return NO_INTERCEPTS

    @abstractmethod
    def leave_factor(self) -> None:
        """Go on without a factor: the support is too large, or singular to working precision."""
