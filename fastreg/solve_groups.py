"""The solver of row-sparse problems: Newton's method on groups that are not zero, screening for others."""

from __future__ import annotations

import numpy as np

from ._typing import Float64, Index
from .designs.threads import even_bounds, in_ranges
from .driver import ROUNDING, KeepGoing
from .errors import DataError
from .group_curvature import CoupledCurvature, Equations, SharedCurvature
from .group_screening import GroupScreen
from .kernels import group_descent, groups, losses
from .kernels.curved import FIT, LOSS_WORK
from .kernels.groups import GAP, REST, SHARE, Grouped, Groups
from .kernels.state import COLUMNS_READ, N_COUNTERS, REBUILDS, REWEIGHTINGS, SCREENINGS
from .penalty import Penalty
from .problem import Problem
from .record import Record
from .solve_curved import curved_updates
from .validate.words import wanted

# Share of the allowed gap at which the working set counts as solved.
GOAL_SHARE = 0.5
# A feature joins the working set when its correlation reaches this share of alpha l1, and leaves below that.
JOIN, LEAVE = 0.9, 0.8
# A chord that leaves more than this share of the gap needs the curvature of here and now; what one with that
# leaves, about.
SLOW, FRESH = 0.5, 1e-3
# A step that had to be shortened: the next is held to a shorter way, in units of the curvature's diagonal.
LEAST_DAMPING, MORE_DAMPING, LESS_DAMPING = 1e-8, 30.0, 10.0
# Newton's method costs the cube of its unknowns and saves sweeps. It pays up to these squares of groups per
# row and output where outputs share a matrix, and of unknowns per row where they do not.
WIDE_SHARED, WIDE_COUPLED = 20, 12_000
# Sweeps between looks at the gap, fewer where the last moved this share of the first.
SWEEPS_PER_ROUND, SWEPT = 20, 1e-6
# A prediction goes no further than this multiple of the way between the two solutions that it rests on.
LONGEST_PREDICTION = 2.0
# Rounds in which the gap does not halve, after which the arithmetic is held to give no more.
IDLE_ROUNDS = 10
# The same for features without penalty, on which alpha_max depends, and their rounds.
FREE_SHARE, FREE_ROUNDS = 1e-14, 1000
# Without penalties alpha plays no part.
ANY_ALPHA = 1.0


def require_unbounded(penalty: Penalty) -> None:
    """Raise where coefficients of a group have bounds: a group enters in whatever direction it likes."""
    excluded = penalty.excluded
    bounded = (np.isfinite(penalty.lower) | np.isfinite(penalty.upper)) & ~excluded
    if bounded.any():
        j = int(np.argmax(bounded))
        came = f"[{penalty.lower[j]:g}, {penalty.upper[j]:g}] in column {j}"
        remedy = "leave positive and the limits out, or pass grouped=False"
        raise DataError(wanted("bounds", "be absent where features are grouped", came, remedy))


class GroupSolver:
    """Newton's method on the active groups; see Solver for what the path asks."""

    def __init__(self, problem: Problem, n_threads: int, allowed_gap: float) -> None:
        null = problem.null
        assert null is not None
        self.problem, self.n_threads, self.allowed_gap = problem, n_threads, allowed_gap
        self.stats: Index = np.zeros(N_COUNTERS, np.int64)
        self.outputs, self.p = problem.outputs, problem.design.p
        self.l1, self.l2 = (array[: self.p].copy() for array in problem.per_coefficient[:2])
        self.every = np.arange(self.p)
        self.slot_of: Index = np.full(self.p, -1)
        updates = curved_updates(problem, allowed_gap)
        self.state = Grouped(
            D=problem.design.columns,
            U=updates._replace(buffer=np.zeros((1, 1, 1))),
            W=self._allocate(min(self.p, 64)),
            stats=self.stats,
            report=np.zeros(4),
        )
        self.curvature: SharedCurvature | CoupledCurvature
        if null.loss.traits[losses.KIND] == losses.GAUSSIAN:
            self.curvature = SharedCurvature(problem.design, null.loss)
        else:
            self.curvature = CoupledCurvature(problem.design, null.loss)
        # Whether the curvature held belongs to a point near enough.
        self.is_curved = False
        self.screen = GroupScreen(problem.design, null.loss.w, self.outputs)
        # What the diagonal of Newton's equations counts more: steps were too long.
        self.damping = 0.0
        # The last two solutions: alpha, features, coefficients.
        self.past: list[tuple[float, Index, Float64]] = []
        # Whether descent has done what it can at this alpha.
        self.is_swept = False
        self.rounds = self.effort = 0
        self._assess(ANY_ALPHA)

    # What starting a path asks.

    def first_correlations(self) -> Float64:
        """Return all correlations with the null residual, output by output."""
        return self._read_all().ravel()

    def fit_free(self, features: Index, keep_going: KeepGoing) -> Float64:
        """Fit the features without penalty alone; return all correlations with what is left."""
        self.enlist(np.unique(features % self.p))
        self._assess(ANY_ALPHA)
        self._solve_working(ANY_ALPHA, FREE_SHARE * self.allowed_gap, keep_going, FREE_ROUNDS)
        self.rounds = 0
        return self._read_all().ravel()

    def start_from(self, features: Index, values: Float64) -> None:
        """Set coefficients from outside; a start that fits worse than zero is no help and is dropped."""
        self.enlist(np.unique(features % self.p))
        B, intercept = self.state.W.B, self.state.U.intercept
        kept = B.copy(), intercept.copy()
        B[self.slot_of[features % self.p] * self.outputs + features // self.p] = values
        self._assess(ANY_ALPHA)
        if not float(self.state.U.memo[FIT]) <= self.problem.null_objective:
            B[:], intercept[:] = kept
            self._assess(ANY_ALPHA)
        self.is_curved = self.curvature.is_constant and self.is_curved

    # The path.

    def follow(self, record: Record, stop: int, keep_going: KeepGoing, max_iter: int) -> None:
        """Solve on; see Solver."""
        while record.finished < stop:
            alpha = float(record.alphas[record.finished])
            if not self._reach(alpha, keep_going, max_iter):
                return
            features, values = self.coefficients()
            gap, square = float(self.state.report[GAP]), 2.0 * float(self.state.U.memo[FIT])
            record.add(features, values, gap, square, self.effort, self.state.U.intercept.copy())
            self.rounds = 0
            self.is_swept = False
            self._dismiss(alpha)
            self._remember(alpha)
            if record.finished < stop and not keep_going():
                return

    def coefficients(self) -> tuple[Index, Float64]:
        """Return the non-zero coefficients, in solver units, as features of the stack of outputs."""
        W = self.state.W
        B = W.B[: W.size[0] * self.outputs]
        places = B.nonzero()[0]
        return W.stacked[places], B[places]

    def enlist(self, features: Index) -> None:
        """Give the features slots."""
        new = features[self.slot_of[features] < 0]
        W = self.state.W
        have = int(W.size[0])
        count = have + new.size
        if count > W.feature.shape[0]:
            W = self._grow(count)
        places = slice(have, count)
        W.feature[places] = new
        entries = slice(have * self.outputs, count * self.outputs)
        W.stacked[entries] = (new[:, None] + self.p * np.arange(self.outputs)).ravel()
        W.l1[places], W.l2[places] = self.l1[new], self.l2[new]
        W.sqnorm[places] = self.problem.design.square[new]
        W.B[entries] = W.G[entries] = 0.0
        self.slot_of[new] = np.arange(have, count)
        W.size[0] = count

    def _reach(self, alpha: float, keep_going: KeepGoing, max_iter: int) -> bool:
        """Solve at alpha; return False where keep_going said no first."""
        if self.rounds == 0:
            self._predict(alpha)
        while True:
            if not self._solve_working(alpha, GOAL_SHARE * self.allowed_gap, keep_going, max_iter):
                return False
            violators = self._look_outside(alpha)
            gap = float(self.state.report[GAP])
            # Zeros alone are the answer from alpha_max on only, however little is lost by them just below.
            is_enough = gap <= self.allowed_gap and self._is_anybody_in()
            if not violators or is_enough or self.rounds >= max_iter:
                return True

    def _is_anybody_in(self) -> bool:
        """Tell whether a feature with a penalty has a coefficient."""
        features = self.coefficients()[0]
        return bool((self.problem.per_coefficient.l1[features] > 0.0).any())

    def _solve_working(self, alpha: float, goal: float, keep_going: KeepGoing, max_iter: int) -> bool:
        """Solve within the working set to the goal or as far as arithmetic goes; False where interrupted."""
        state = self.state
        may_enter = self.rounds > 0
        idle, best, best_rest, last = 0, np.inf, np.inf, np.inf
        while True:
            count = int(groups.face(state, alpha, int(may_enter)))
            if count == 0 and not may_enter:
                may_enter = True
                continue
            if count == 0:
                groups.judge(state, alpha)
                return True
            self._step(alpha, count)
            groups.judge(state, alpha)
            self.rounds += 1
            self.effort += 1
            gap, share = float(state.report[GAP]), float(state.report[SHARE])
            is_enough = gap <= goal and (may_enter or self._is_anybody_in())
            if is_enough or self.rounds >= max_iter:
                return True
            if not keep_going():
                return False
            if share < 1.0 or self._pays(gap, last, goal, count):
                self.is_curved = self.curvature.is_constant
            rest = float(state.report[REST])
            idle = 0 if gap < 0.5 * best or rest < 0.5 * best_rest else idle + 1
            best, best_rest, last = min(best, gap), min(best_rest, rest), gap
            if idle > IDLE_ROUNDS and may_enter:
                if not self._is_wide(count):
                    return True
                # Descent gives no more: factoring may.
                self.is_swept, idle = True, 0
            may_enter = True

    def _remember(self, alpha: float) -> None:
        """Keep the solution for the next prediction."""
        W = self.state.W
        m = int(W.size[0])
        B = W.B[: m * self.outputs].reshape(m, self.outputs).copy()
        self.past = [*self.past[-1:], (alpha, W.feature[:m].copy(), B)]

    def _predict(self, alpha: float) -> None:
        """Go on in the direction from the last solution but one to the last; the step to where it leads."""
        state, outputs = self.state, self.outputs
        count = int(groups.face(state, alpha, 0))
        if len(self.past) < 2 or not self._is_wide(count):
            return
        (before, old, B_old), (now, _, B_new) = self.past
        ratio = (now - alpha) / (before - now) if before > now > alpha else 0.0
        if not 0.0 < ratio < LONGEST_PREDICTION:
            return
        slots = state.W.active[:count]
        earlier = np.zeros((int(state.W.size[0]), outputs))
        places = self.slot_of[old]
        held = places >= 0
        earlier[places[held]] = B_old[held]
        move = ratio * (B_new[slots] - earlier[slots])
        move[~earlier[slots].any(axis=1)] = 0.0
        groups.travel(state, alpha, move.reshape(-1), 1.0)

    def _pays(self, gap: float, last: float, goal: float, count: int) -> bool:
        """Tell whether the curvature of here and now costs less than the rounds that it saves."""
        if not np.isfinite(last) or not 0.0 < gap < SLOW * last:
            return np.isfinite(last) or gap == np.inf
        n, unknowns = self.problem.design.n, count * self.outputs
        one_round = unknowns**3 / 6 + (2 * unknowns + LOSS_WORK * self.outputs) * n
        digits = np.log(gap / max(goal, 1e-300))
        chords, fresh = digits / np.log(last / gap), digits / np.log(1.0 / FRESH)
        return bool((chords - fresh) * one_round > n * unknowns**2 / 2)

    def _step(self, alpha: float, count: int) -> None:
        """Take one step of Newton's method, or a chord, on the active groups."""
        W, outputs = self.state.W, self.outputs
        if not self.is_curved:
            self.curvature.renew(self.state.U.N.mass)
            self.is_curved = True
            self.stats[REWEIGHTINGS] += not self.curvature.is_constant
        if self._is_wide(count):
            x = np.zeros(W.size[0] * outputs)
            curving = self.curvature.curving
            group_descent.descend(self.state, curving, alpha, SWEEPS_PER_ROUND, SWEPT, x)
        else:
            x = self.curvature.solve(self._equations(alpha, count)).reshape(-1)
            self.stats[REBUILDS] += 1
        groups.travel(self.state, alpha, x, 1.0)
        if float(self.state.report[SHARE]) < 1.0:
            self.damping = max(MORE_DAMPING * self.damping, LEAST_DAMPING)
        else:
            self.damping = self.damping / LESS_DAMPING if self.damping > LEAST_DAMPING else 0.0

    def _is_wide(self, count: int) -> bool:
        """Tell whether descent costs less than factoring the equations of so many groups."""
        n, outputs = self.problem.design.n, self.outputs
        if self.curvature.is_constant:
            return not self.is_swept and count**2 > WIDE_SHARED * n * outputs
        return not self.is_swept and (count * outputs) ** 2 > WIDE_COUPLED * n

    def _equations(self, alpha: float, count: int) -> Equations:
        """Return Newton's equations for the active groups."""
        W, outputs = self.state.W, self.outputs
        slots, entries = W.active[:count], count * outputs
        return Equations(
            features=W.feature[slots],
            along=W.along[:entries].reshape(count, outputs),
            stiff=W.stiff[:count],
            ridge=alpha * W.l2[slots],
            rhs=W.rhs[:entries].reshape(count, outputs),
            damping=self.damping,
        )

    def _assess(self, alpha: float) -> None:
        """Make residual and correlations belong to the coefficients."""
        self.state.W.size[1] = 0
        groups.travel(self.state, alpha, np.zeros(1), 0.0)

    def _look_outside(self, alpha: float) -> int:
        """Enlist who comes near to entering; return how many would enter, with the gap reported anew."""
        self.stats[SCREENINGS] += 1
        features = self.screen.open(self.state.U.R, self.l1, self.slot_of, alpha)
        if features is None:
            features = self.every
            correlations = self._read_all()
        else:
            correlations = self._read(features)
        length = np.sqrt(np.einsum("cj,cj->j", correlations, correlations))
        level = alpha * self.l1[features]
        near = ((length > JOIN * level) & (self.slot_of[features] < 0)).nonzero()[0]
        if not near.size:
            return 0
        have = int(self.state.W.size[0]) * self.outputs
        self.enlist(features[near])
        self.state.W.G[have : have + near.size * self.outputs] = correlations[:, near].T.ravel()
        violators = int(np.count_nonzero(length[near] > level[near]))
        if violators:
            groups.judge(self.state, alpha)
        return violators

    def _read_all(self) -> Float64:
        """Return the correlations of all features with the current residual, (outputs, p)."""
        correlations = self._read(self.every)
        self.screen.learn(self.state.U.R, correlations)
        return correlations

    def _read(self, features: Index) -> Float64:
        """Return the features' correlations with the current residual, (outputs, features)."""
        out = np.empty((self.outputs, features.size))

        def read(start: int, stop: int) -> None:
            part = np.empty((self.outputs, stop - start))
            groups.read_groups(self.state, self.every, features[start:stop], part)
            out[:, start:stop] = part

        size = features.size * self.problem.design.bytes_per_column * self.outputs
        in_ranges(read, even_bounds(features.size, size, self.n_threads), self.n_threads)
        self.stats[COLUMNS_READ] += features.size * self.outputs
        return out

    def _dismiss(self, alpha: float) -> None:
        """Take slots at zero that are far from entering out of the working set."""
        W, outputs = self.state.W, self.outputs
        m = int(W.size[0])
        B, G = (x[: m * outputs].reshape(m, outputs) for x in (W.B, W.G))
        length = np.sqrt(np.einsum("sc,sc->s", G, G))
        keep = (length >= LEAVE * alpha * W.l1[:m]) | B.any(axis=1)
        if keep.all():
            return
        kept = keep.nonzero()[0]
        self.slot_of[W.feature[:m]] = -1
        entries = (kept[:, None] * outputs + np.arange(outputs)).ravel()
        for x in (W.feature, W.l1, W.l2, W.sqnorm):
            x[: kept.size] = x[kept]
        for x in (W.stacked, W.B, W.G):
            x[: entries.size] = x[entries]
        self.slot_of[W.feature[: kept.size]] = np.arange(kept.size)
        W.size[0] = kept.size

    def _grow(self, count: int) -> Groups:
        """Return the working set with room for count groups."""
        old = self.state.W
        new = self._allocate(min(self.p, 2 * count))
        for name in ("feature", "stacked", "l1", "l2", "sqnorm", "B", "G", "size"):
            array = getattr(old, name)
            getattr(new, name)[: array.size] = array
        self.state = self.state._replace(W=new)
        return new

    def _allocate(self, capacity: int) -> Groups:
        """Return an empty working set with room for so many groups."""
        outputs = self.outputs
        entries = {
            name: np.zeros(capacity * outputs) for name in ("B", "before", "step", "G", "along", "rhs")
        }
        slots = {name: np.zeros(capacity) for name in ("l1", "l2", "sqnorm", "stiff")}
        noise = ROUNDING * self.problem.response.square**0.5
        return Groups(
            feature=np.zeros(capacity, np.int64),
            stacked=np.zeros(capacity * outputs, np.int64),
            active=np.zeros(capacity, np.int64),
            raw=np.zeros((outputs, capacity)),
            slots=np.arange(capacity),
            noise=np.array([noise]),
            size=np.array([0, 0, outputs], np.int64),
            **entries,
            **slots,
        )
