"""Pure L2 for every loss but least squares: Newton steps in n dimensions where n << p, in p where p < n.

With K = X~ L2^-1 X~', one pass over X, the solution at any alpha is b = L2^-1 X~' c with n numbers c per
output (representer theorem: Kimeldorf and Wahba, J. Math. Anal. Appl. 33 (1971) 82-95), and ``ridge_newton``
finds them without X. Chunks of alphas share the two passes that form coefficients and certify them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.linalg import svd

from ._typing import Float64, Index
from .designs.blocks import column_blocks
from .driver import KeepGoing
from .kernels import losses
from .kernels.duality import FREE_ROUNDING
from .kernels.state import COLUMNS_READ, GRADIENTS, N_COUNTERS, REWEIGHTINGS
from .null_model import NullModel, allocate_curvature
from .problem import Problem
from .record import Record
from .ridge_newton import Coordinates, Dual, Newton, Primal

# Largest system that is factored, and its size for Cox, whose curvature is a full matrix itself.
MAX_ORDER, MAX_ORDER_AT_RISK = 3000, 2000
# Entries of the copy of X that Newton's method in p dimensions reads at every factorisation.
MAX_COPY = 50_000_000
# Entries of the coefficients and predictors of the alphas that share passes over X, and the fewest alphas
# that a pass is made for while somebody watches.
ROOM, CHUNK = 4_000_000, 16
# Steps from predictors formed by X itself, where rounding in K has left too large a gap.
REFINEMENTS = 1
# Share of the null objective to which unpenalised columns alone are fitted: where the grid begins.
FREE_GOAL = 1e-13
# Singular values below this share of the largest belong to dependent columns.
DEPENDENT = 1e-10
# The sum of the pseudo-residual beyond this share of its norm proves nothing: intercepts are not settled.
UNBALANCED = 1e-9
# The same where residuals vanish: rounding of the response, in units of the null residual's norm.
NOISE = 4e-12


def is_curved_ridge(problem: Problem) -> bool:
    """Tell whether Newton's method on all coefficients serves: no L1 part, no bounds, a moderate system.

    Least squares has ``solve_ridge``.
    """
    if problem.null is None or problem.penalty.l1_ratio != 0.0:
        return False
    arrays = problem.per_coefficient
    entering = np.isfinite(arrays.l1)
    bounded = np.isfinite(arrays.lower[entering]).any() or np.isfinite(arrays.upper[entering]).any()
    penalised = (arrays.l2 > 0.0).any()
    return bool(penalised and not bounded and (_is_dual_small(problem) or _is_primal_small(problem)))


def _joined(problem: Problem) -> int:
    """Return the number of outputs whose coefficients need one common system."""
    assert problem.null is not None
    return problem.outputs if problem.null.target.family == "multinomial" else 1


def _dual_order(problem: Problem) -> int:
    # The multinomial's curvature has one rank less per row than there are classes.
    return problem.design.n * max(_joined(problem) - 1, 1)


def _primal_order(problem: Problem) -> int:
    return (problem.design.p + 1) * _joined(problem)


def _is_dual_small(problem: Problem) -> bool:
    assert problem.null is not None
    most = MAX_ORDER_AT_RISK if problem.null.target.family == "cox" else MAX_ORDER
    p = problem.design.p
    l1, l2 = problem.per_coefficient[:2]
    free = np.count_nonzero(np.isfinite(l1[:p]) & (l2[:p] == 0.0))
    return _dual_order(problem) <= most and (int(free) + 1) * _joined(problem) <= most


def _is_primal_small(problem: Problem) -> bool:
    return _primal_order(problem) <= MAX_ORDER and problem.design.n * problem.design.p <= MAX_COPY


@dataclass(frozen=True, eq=False)
class Solution:
    """A solution at one alpha as X itself gives it: beta (outputs, p), intercept (outputs,).

    ``eta`` (outputs, n) is the predictor with settled intercepts, ``u`` belongs to it.
    """

    c: Float64
    u: Float64
    beta: Float64
    intercept: Float64
    eta: Float64
    fit: float
    gap: float


class CurvedRidgeSolver:
    """Newton's method for pure L2 on n or p numbers per output; chunks of alphas share passes over X."""

    def __init__(self, problem: Problem, allowed_gap: float) -> None:
        assert problem.null is not None
        self.problem, self.allowed_gap = problem, allowed_gap
        self.null: NullModel = problem.null
        self.loss = self.null.loss
        self.stats: Index = np.zeros(N_COUNTERS, np.int64)
        self.is_cox = int(self.loss.traits[losses.KIND]) == losses.COX
        design, p = problem.design, problem.design.p
        # The columns' norms, about their means where ``_blocks`` centres them.
        self.length = design.spread * design.unit if self.is_cox else np.sqrt(design.square)
        l1, l2 = (array[:p] for array in problem.per_coefficient[:2])
        self.free = np.flatnonzero(np.isfinite(l1) & (l2 == 0.0))
        # 1 / l2 for penalised features, 0 for free and excluded ones.
        self.pull = np.zeros(p)
        np.divide(1.0, l2, out=self.pull, where=np.isfinite(l1) & (l2 > 0.0))
        self.penalised = np.flatnonzero(self.pull)
        self.is_dual = _is_dual_small(problem)
        if self.is_dual and _is_primal_small(problem):
            self.is_dual = _dual_order(problem) <= _primal_order(problem)
        # What rounding may leave of an equation that is solved, per unit of its column's norm.
        self.noise = NOISE * problem.response.square**0.5
        Z = self._unpenalised()
        # Z' w: what a constant is in terms of the basis, in which an intercept is contained.
        self.constant = self.loss.w @ Z
        self.newton = Newton(
            self._coordinates(Z),
            self.loss,
            self.null.intercept[:, None] * self.constant,
            proves_balance=self.free.size > 0,
            # Half of what the certificate forgives.
            noise=0.5 * self.noise,
        )
        if self.free.size:
            self.newton.fit_unpenalised(FREE_GOAL * problem.null_objective)
        self.steps = 0
        # The alphas solved last, from number first on: what was found and the steps taken until then.
        self.first = 0
        self.chunk: list[tuple[Solution, int]] = []

    def follow(self, record: Record, stop: int, keep_going: KeepGoing, max_iter: int) -> None:
        """Solve on; see Solver. Alphas beyond stop may be solved already: they share passes over X."""
        while record.finished < stop:
            k = record.finished
            if not 0 <= k - self.first < len(self.chunk):
                entries = max(self.problem.size, self.problem.outputs * self.problem.design.n)
                count = min(max(ROOM // entries, 1), max(stop - k, CHUNK))
                self.first = k
                self.chunk = self._solve_chunk(record.alphas[k : k + count], keep_going, max_iter)
                if not self.chunk:
                    return
                record.make_room(len(self.chunk) * self.problem.size)
            found, effort = self.chunk[k - self.first]
            beta = found.beta.ravel()
            features = beta.nonzero()[0]
            record.add(features, beta[features], found.gap, 2.0 * found.fit, effort, found.intercept)
            if record.finished < stop and not keep_going():
                return

    def first_correlations(self) -> Float64:
        """Return all correlations with what intercepts and free columns leave."""
        if self.problem.outputs == 1 and not self.free.size:
            return self.problem.design.product
        correlations = np.zeros((self.problem.outputs, self.problem.design.p))
        for block, rows in self._blocks():
            correlations[:, block] = self.newton.last.v @ rows.T
        return correlations.ravel()

    def _blocks(self) -> Iterator[tuple[slice, Float64]]:
        """Yield blocks of columns as rows; Cox, to which constants are nothing, gets them centred."""
        self.stats[COLUMNS_READ] += self.problem.size
        for block, rows in column_blocks(self.problem.design, np.ones(1)):
            if self.is_cox:
                rows -= rows.mean(axis=1, keepdims=True)
            yield block, rows

    def _unpenalised(self) -> Float64:
        """Return an orthonormal basis Z (n, z) of intercept and free columns in the weighted norm.

        ``self.mapping`` (1 + free, z) takes its coefficients to those of intercept and free columns.
        """
        design, w = self.problem.design, self.loss.w
        columns = np.zeros((design.n, 1 + self.free.size))
        columns[:, 0] = float(self.loss.traits[losses.HAS_INTERCEPT])
        if self.free.size:
            for block, rows in self._blocks():
                inside = np.flatnonzero((self.free >= block.start) & (self.free < block.stop))
                columns[:, 1 + inside] = rows[self.free[inside] - block.start].T
        norms = np.sqrt(w @ columns**2)
        unit = np.divide(1.0, norms, out=np.zeros_like(norms), where=norms > 0.0)
        _, values, axes = svd(np.sqrt(w)[:, None] * columns * unit, full_matrices=False)
        kept = values > DEPENDENT * max(float(values[0]), np.finfo(np.float64).tiny)
        self.mapping = unit[:, None] * (axes[kept].T / values[kept])
        return np.ascontiguousarray(columns @ self.mapping)

    def _coordinates(self, Z: Float64) -> Coordinates:
        """Read X once, for K or for the scaled columns, whichever is smaller."""
        n, m = self.problem.design.n, self.penalised.size
        root = np.sqrt(self.pull)
        if self.is_dual:
            kernel = np.zeros((n, n))
            for block, rows in self._blocks():
                rows *= root[block, None]
                kernel += rows.T @ rows
            return Dual(kernel, Z)
        columns = np.empty((n, m + Z.shape[1]))
        columns[:, m:] = Z
        for block, rows in self._blocks():
            inside = np.flatnonzero((self.penalised >= block.start) & (self.penalised < block.stop))
            own = self.penalised[inside]
            columns[:, inside] = (rows[own - block.start] * root[own, None]).T
        return Primal(columns, m)

    def _solve_chunk(
        self, alphas: Float64, keep_going: KeepGoing, max_iter: int
    ) -> list[tuple[Solution, int]]:
        """Solve the alphas, fewer where patience ends, form their coefficients and certify them."""
        points, efforts = [], []
        for alpha in alphas:
            point, steps = self.newton.solve(float(alpha), self.allowed_gap, max_iter, keep_going)
            self.steps += steps
            if point is None:
                break
            points.append((point.c, point.u))
            efforts.append(self.steps)
            if not keep_going():
                break
        if not points:
            return []
        found = self._certified(points, alphas[: len(points)])
        for _ in range(REFINEMENTS):
            short = [k for k, one in enumerate(found) if one.gap > self.allowed_gap]
            if not short:
                break
            again = [
                self.newton.correct(found[k].c, found[k].u, found[k].eta, float(alphas[k])) for k in short
            ]
            for k, one in zip(short, self._certified(again, alphas[short]), strict=True):
                found[k] = one if one.gap < found[k].gap else found[k]
        self.stats[GRADIENTS], self.stats[REWEIGHTINGS] = self.newton.evaluations, self.newton.factors
        return list(zip(found, efforts, strict=True))

    def _certified(self, points: list[tuple[Float64, Float64]], alphas: Float64) -> list[Solution]:
        """Form the coefficients of the points (c, u), settle their intercepts, and return all with gaps."""
        count, outputs = len(points), self.problem.outputs
        beta, eta, intercepts = self._formed(points)
        n = eta.shape[0]
        rest, fits, sums = np.zeros((count, outputs, n)), np.zeros(count), np.zeros((count, outputs))
        etas = np.ascontiguousarray(eta.T).reshape(count, outputs, n)
        us = []
        at = allocate_curvature(self.loss)
        for k, (_, u) in enumerate(points):
            etas[k] += self.loss.offset + intercepts[k][:, None]
            before = intercepts[k].copy()
            fits[k] = losses.fit_null(self.loss, at, etas[k], intercepts[k], rest[k], sums[k])
            us.append(u + (intercepts[k] - before)[:, None] * self.constant)
        gaps = self._gaps(beta, rest, alphas)
        norms = np.sqrt(np.einsum("kci,kci,i->k", rest, rest, self.loss.w))
        if int(self.loss.traits[losses.HAS_INTERCEPT]):
            gaps += np.abs(intercepts * sums).sum(axis=1)
            gaps[np.abs(sums).max(axis=1) > UNBALANCED * norms + self.noise] = np.inf
        gaps[np.isnan(gaps)] = np.inf
        beta = np.ascontiguousarray(beta.T).reshape(count, outputs, -1)
        return [
            Solution(c, us[k], beta[k], intercepts[k], etas[k], float(fits[k]), float(gaps[k]))
            for k, (c, _) in enumerate(points)
        ]

    def _formed(self, points: list[tuple[Float64, Float64]]) -> tuple[Float64, Float64, Float64]:
        """Return coefficients (p, count outputs), X~ times them (n, same), intercepts (count, outputs)."""
        outputs, total = self.problem.outputs, len(points) * self.problem.outputs
        c = np.concatenate([c for c, _ in points]).T
        own = np.concatenate([u for _, u in points]) @ self.mapping.T
        beta = np.zeros((self.problem.design.p, total))
        eta = np.zeros((self.problem.design.n, total))
        beta[self.free] = own[:, 1:].T
        if not self.is_dual:
            beta[self.penalised] = np.sqrt(self.pull[self.penalised])[:, None] * c
        for block, rows in self._blocks():
            if self.is_dual:
                beta[block] += self.pull[block, None] * (rows @ c)
            eta += rows.T @ beta[block]
        return beta, eta, own[:, 0].reshape(-1, outputs).copy()

    def _gaps(self, beta: Float64, rest: Float64, alphas: Float64) -> Float64:
        """Return sum_j alpha l2/2 (b_j - g_j / (alpha l2))^2 plus rounding, g_j from the residuals.

        It is all there is: the dual point is the residual itself, where loss and conjugate meet.
        """
        count, outputs, n = rest.shape
        v = (rest * self.loss.w).reshape(-1, n).T
        norms = np.sqrt(np.einsum("kci,kci,i->k", rest, rest, self.loss.w))
        strength = np.repeat(alphas, outputs)
        gaps = np.zeros(count * outputs)
        l2, length = self.problem.per_coefficient.l2, self.length
        for block, rows in self._blocks():
            g = rows @ v
            own = self.free[(self.free >= block.start) & (self.free < block.stop)]
            left = np.abs(g[own - block.start])
            gaps += np.sum(np.abs(beta[own]) * left, axis=0)
            # An unpenalised equation that is not solved proves nothing.
            unsolved = left > length[own, None] * (FREE_ROUNDING * np.repeat(norms, outputs) + self.noise)
            gaps[unsolved.any(axis=0)] = np.inf
            # In place, g becomes (b_j - g_j / (alpha l2))^2; features without l2 do not count.
            g *= self.pull[block, None]
            g /= strength
            g -= beta[block]
            g *= g
            gaps += 0.5 * strength * (l2[block] @ g)
        size = (length @ np.abs(beta)).reshape(count, outputs).sum(axis=1)
        return np.asarray(gaps.reshape(count, outputs).sum(axis=1) + np.finfo(np.float64).eps * size * norms)
