"""Solvers: the memory of a path and the dialogue with the compiled engine.

A solver is asked for one alpha after another, largest first, and keeps what it learned. It never loops over
alphas itself. ``start_solver`` chooses by shape and cost; no user has to.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import numpy as np
from scipy.linalg import lapack

from ._typing import Float64, Index
from .descent import INNER_SHARE, OPERATIONS_PER_CALL, Descent
from .designs import in_ranges
from .designs.threads import even_bounds
from .kernels import engine
from .kernels.factor import rebuild
from .kernels.finish import GROW_SUPPORT, PAUSED, REBUILD, REFRESH, SOLVED
from .kernels.newton import STALLED
from .kernels.screening import REST_FLOOR
from .kernels.state import COLUMNS_READ, GRADIENTS, N_COUNTERS, REBUILDS, Factor, Reads, References, Working
from .kernels.updates import Naive
from .problem import Problem
from .twins import redundant_features

# Rows of references kept at most: each costs two n-vector products per screening.
MAX_REFERENCES = 64
# The exact finish pays while k^2 stays below this multiple of the entries of a column (docs/decisions).
FACTOR_WORTH = 1700
# Below this support the factor always pays.
SMALL_SUPPORT = 200
# Supports up to this size are refactored by bordering: waking BLAS threads costs more (decision 0003).
LAPACK_PAYS = 400
# Refactoring at one alpha more often than this means that the support is singular to working precision.
MAX_REBUILDS = 4
# Rounds at one alpha, beyond a multiple of the support, after which the exact finish is held to cycle.
MAX_ROUNDS, ROUNDS_PER_FEATURE = 500, 10
# Error of a correlation relative to the norms of column and response: some units of float64 rounding.
ROUNDING = 4e-15

KeepGoing = Callable[[], bool]


class Solution(NamedTuple):
    """What a solver says of one alpha, in solver units: gap, ||r||^2, and whether it was finished at all."""

    gap: float
    square: float
    finished: bool


UNFINISHED = Solution(np.inf, np.inf, False)


class Solver(Protocol):
    """What the path asks of a solver."""

    stats: Index

    def solve(self, alpha: float, keep_going: KeepGoing, max_iter: int) -> Solution:
        """Carry the solution to alpha."""

    def coefficients(self) -> tuple[Index, Float64]:
        """Return the features with non-zero coefficients and the coefficients, in solver units."""


def allocate_working(capacity: int, p: int, noise: float) -> Working:
    """Return an empty working set with room for capacity features; noise as in Working."""
    vectors = {name: np.zeros(capacity) for name in ("beta", "g", "l1", "l2", "lower", "upper", "sqnorm")}
    return Working(
        feature=np.zeros(capacity, np.int64),
        place=np.full(capacity, -1, np.int64),
        slot_of=np.full(p, -1, np.int64),
        size=np.zeros(2, np.int64),
        noise=np.array([noise]),
        **vectors,
    )


def allocate_factor(capacity: int) -> Factor:
    """Return an empty factor with room for capacity features in the support."""
    vectors = {name: np.zeros(capacity) for name in ("sign", "rhs", "step", "column", "product", "spare")}
    square = {name: np.zeros((capacity, capacity)) for name in ("gram", "inverse")}
    return Factor(support=np.zeros(capacity, np.int64), ridge_alpha=np.zeros(1), **vectors, **square)


def enlarge(old: Any, new: Any) -> None:
    """Copy what the bundle of arrays holds into the larger one."""
    for name, array in old._asdict().items():
        getattr(new, name)[tuple(slice(0, size) for size in array.shape)] = array


def refactor(W: Working, F: Factor, alpha: float) -> None:
    """Compute F.inverse afresh at alpha from F.gram; dependent columns leave the support."""
    k = int(W.size[1])
    info = 1
    if k > LAPACK_PAYS:
        matrix = F.gram[:k, :k] + np.diag(alpha * W.l2[F.support[:k]])
        lower, info = lapack.dpotrf(matrix, lower=1)
        if info == 0:
            inverse, info = lapack.dpotri(lower, lower=1)
    if info == 0:
        F.inverse[:k, :k] = np.tril(inverse) + np.tril(inverse, -1).T
        F.ridge_alpha[0] = alpha
    else:
        rebuild(W, F, alpha)


def grown(F: Factor, p: int) -> Factor:
    """Return the factor with twice the room."""
    larger = allocate_factor(min(p, 2 * F.support.shape[0]))
    enlarge(F, larger)
    return larger


def rounds_per_call(work: Working, n: int) -> int:
    """Return how many rounds of the exact finish fit into one compiled call."""
    m, k = work.size
    return 4 + int(OPERATIONS_PER_CALL / (20 * k * k + n * (k + m) + 1000))


class ScreenedSolver:
    """A working set solved exactly or by descent, lazy references for everything else."""

    def __init__(self, problem: Problem, n_threads: int, allowed_gap: float) -> None:
        design, response = problem.design, problem.response
        n, p = design.n, design.p
        self.problem, self.n_threads, self.allowed_gap = problem, n_threads, allowed_gap
        self.stats: Index = np.zeros(N_COUNTERS, np.int64)
        root_w = np.sqrt(response.w)
        v = response.w * response.values
        self.state = engine.Screened(
            U=Naive(design.columns, response.values, response.w, response.values.copy(), v, np.zeros(n)),
            P=problem.arrays,
            W=allocate_working(min(p, 256), p, ROUNDING * response.square**0.5),
            F=allocate_factor(min(p, 64)),
            Q=_first_reference(root_w * response.values, design.product, design.square),
            reads=Reads(np.zeros(p, np.int64), np.zeros(p)),
            root_w=root_w,
            sqnorm=design.square,
            stats=self.stats,
            report=np.zeros(4),
        )
        self.descent: Descent | None = None
        self.rounds, self.rebuilds, self.began, self.max_iter = 0, 0, 0, 0

    def solve(self, alpha: float, keep_going: KeepGoing, max_iter: int) -> Solution:
        """Carry the solution to alpha; see Solver."""
        self.rounds, self.rebuilds, self.max_iter = 0, 0, max_iter
        self.began = int(self.stats[GRADIENTS])
        stage = engine.SOLVE
        while True:
            self._choose_mode()
            code = self._exact(alpha, stage) if self.descent is None else self._descend(alpha, stage)
            if code == engine.DONE:
                return Solution(float(self.state.report[0]), float(self.state.report[3]), True)
            stage = self._answer(code, alpha)
            if not keep_going():
                return UNFINISHED
            if self.rounds >= max_iter or code == STALLED:
                return self._give_up(alpha)

    def coefficients(self) -> tuple[Index, Float64]:
        """Return the non-zero coefficients; see Solver."""
        W = self.state.W
        beta = W.beta[: W.size[0]]
        slots = beta.nonzero()[0]
        return W.feature[slots], beta[slots]

    def read_all(self) -> Float64:
        """Read every column and let all features rest on the current residual; return the correlations."""
        p = self.problem.design.p
        self.state.reads.feature[:] = np.arange(p)
        self._read(p)
        self.stats[0] += p
        engine.rest_all(self.state)
        return self.state.reads.value

    def enlist(self, features: Index, values: Float64) -> None:
        """Give the features slots and coefficients."""
        if self.state.W.size[0] + len(features) > self.state.W.feature.shape[0]:
            self._grow_working(int(self.state.W.size[0]) + len(features) + 256)
        engine.enlist_features(self.state, features)
        self.state.W.beta[self.state.W.slot_of[features]] = values

    def start_from(self, features: Index, values: Float64) -> None:
        """Set coefficients from outside; a start that fits worse than zero is no help and is dropped."""
        self.enlist(features, values)
        engine.refresh(self.state)
        if float(self.state.U.v @ self.state.U.r) > self.problem.response.square:
            self.enlist(features, np.zeros(features.size))
            engine.refresh(self.state)

    def fit_free(self, features: Index, keep_going: KeepGoing) -> Float64:
        """Fit the features without penalty alone; return all correlations with what is left."""
        self.enlist(features, np.zeros(features.size))
        # Without penalties alpha plays no part. A dependent set is left as near as the arithmetic gets.
        while (code := engine.settle(self.state, 1.0, self._max_rounds())) != SOLVED:
            self._answer(code, 1.0)
            if self.descent is not None or not keep_going():
                break
        return self.read_all().copy()

    def _exact(self, alpha: float, stage: int) -> int:
        rounds = min(self._max_rounds(), self.max_iter - self.rounds)
        code = int(engine.advance(self.state, alpha, stage, self._inline(), rounds))
        self.rounds = int(self.stats[GRADIENTS]) - self.began
        if code == PAUSED and self.rounds > MAX_ROUNDS + ROUNDS_PER_FEATURE * int(self.state.W.size[0]):
            self.leave_factor()
        return code

    def _descend(self, alpha: float, stage: int) -> int:
        assert self.descent is not None
        if self.descent.by_passes:
            self.rounds += 1
            return self.descent.advance(self.state, alpha, self.allowed_gap)
        if stage == engine.SOLVE:
            self.rounds += 1
            code = self.descent.solve(self.state, alpha, INNER_SHARE * self.allowed_gap)
            if code != SOLVED:
                return code
        return int(engine.outside(self.state, alpha, stage, self._inline(), self.allowed_gap))

    def _answer(self, code: int, alpha: float) -> int:
        """Do what the engine asked for; return the stage at which it goes on."""
        if code == engine.READ:
            self._read(int(self.state.report[engine.TO_READ]))
            return engine.ABSORB
        if code == engine.GROW_WORKING:
            self._grow_working(2 * self.state.W.feature.shape[0])
            return engine.ABSORB
        if code == GROW_SUPPORT:
            self.state = self.state._replace(F=grown(self.state.F, self.problem.design.p))
        elif code in (REBUILD, REFRESH):
            self.rebuilds += code == REBUILD
            self.stats[REBUILDS] += 1
            refactor(self.state.W, self.state.F, alpha)
            if self.rebuilds > MAX_REBUILDS:
                self.leave_factor()
        return engine.SOLVE

    def _choose_mode(self) -> None:
        """Leave the factor for good once a change of it costs more than a descent that needs none."""
        k = int(self.state.W.size[1])
        if self.descent is None and k > SMALL_SUPPORT:
            entries = self.problem.design.bytes_per_column / 8.0
            if k * k > FACTOR_WORTH * entries and k < self.problem.design.p:
                self.leave_factor()

    def leave_factor(self) -> None:
        """Go on by descent; from zero where a worn factor has led beyond the null model."""
        state = self.state
        if float(state.U.v @ state.U.r) > self.problem.response.square:
            state.W.beta[:] = 0.0
            engine.refresh(state)
        state.W.place[:] = -1
        state.W.size[1] = 0
        arrays = self.problem.arrays
        l1 = arrays.l1.copy()
        twins = redundant_features(self.problem.design, arrays, self.coefficients()[0])
        l1[twins] = np.inf
        slots = state.W.slot_of[twins]
        state.W.l1[slots[slots >= 0]] = np.inf
        self.stats[COLUMNS_READ] += 2 * self.problem.design.p
        self.state = state._replace(F=allocate_factor(1), P=arrays._replace(l1=l1))
        self.descent = Descent(self.problem)

    def _give_up(self, alpha: float) -> Solution:
        """Certify what was reached: read everything, so that the gap holds although alpha is not solved."""
        correlations = self.read_all().copy()
        design, arrays = self.problem.design, self.problem.arrays
        outside = self.state.W.slot_of < 0
        wanted = np.where(correlations > 0, arrays.upper > 0, arrays.lower < 0) & outside
        features = np.flatnonzero(wanted & (np.abs(correlations) > alpha * arrays.l1))
        self.enlist(features, np.zeros(len(features)))
        self.state.W.g[self.state.W.slot_of[features]] = correlations[features]
        engine.assess(self.state, alpha)
        self.stats[0] += design.p
        return Solution(float(self.state.report[0]), float(self.state.report[3]), True)

    def _inline(self) -> int:
        """Return how many columns the engine reads itself: few enough for one thread and for the clock."""
        limit = 4e6 if self.n_threads > 1 else 5e8
        return int(limit / max(self.problem.design.bytes_per_column, 1.0))

    def _max_rounds(self) -> int:
        return rounds_per_call(self.state.W, self.problem.design.n)

    def _read(self, count: int) -> None:
        """Read the listed columns, in threads where they are many."""
        U, reads = self.state.U, self.state.reads
        bounds = even_bounds(count, count * self.problem.design.bytes_per_column, self.n_threads)
        in_ranges(lambda start, stop: engine.read(U, reads, start, stop), bounds, self.n_threads)

    def _grow_working(self, capacity: int) -> None:
        p = self.problem.design.p
        larger = allocate_working(min(p, capacity), p, float(self.state.W.noise[0]))
        enlarge(self.state.W, larger)
        self.state = self.state._replace(W=larger)


def _first_reference(scaled_response: Float64, product: Float64, square: Float64) -> References:
    """Let every feature rest on the null residual, where the survey has computed all correlations."""
    p, rows = product.shape[0], MAX_REFERENCES
    norm = float(scaled_response @ scaled_response)
    vectors = {name: np.zeros(rows) for name in ("square", "share", "distance")}
    Q = References(
        rows=np.zeros((rows, scaled_response.shape[0])),
        users=np.zeros(rows, np.int64),
        ref=np.zeros(p, np.int64),
        value=product.copy(),
        rest=np.zeros(p),
        **vectors,
    )
    Q.rows[0], Q.square[0], Q.users[0] = scaled_response, norm, p
    explained = product * product / norm if norm > 0.0 else 0.0
    np.sqrt(np.maximum(square - explained, 0.0) + REST_FLOOR * square, out=Q.rest)
    return Q
