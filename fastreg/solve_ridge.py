"""Ridge: one eigendecomposition of the smaller Gram matrix serves every alpha (F33 of docs/math.md)."""

from __future__ import annotations

import numpy as np
from scipy.linalg import eigh, lstsq

from ._typing import Float64, Index
from .designs.blocks import column_blocks, gram_matrix
from .kernels.state import COLUMNS_READ, GRADIENTS, N_COUNTERS
from .problem import Problem
from .solvers import KeepGoing, Solution

# The smaller of n and p up to which an eigendecomposition is worth its n^3.
MAX_EIGEN = 4000
# Alphas that share a pass over X.
CHUNK = 16


def is_ridge(problem: Problem) -> bool:
    """Tell whether the closed form serves: no L1 part, no bounds, and a Gram matrix of moderate size."""
    arrays = problem.arrays
    entering = np.isfinite(arrays.l1)
    bounded = np.isfinite(arrays.lower[entering]).any() or np.isfinite(arrays.upper[entering]).any()
    small = min(problem.design.n, problem.design.p) <= MAX_EIGEN
    penalised = (arrays.l2 > 0.0).any()
    return bool(problem.penalty.l1_ratio == 0.0 and penalised and small and not bounded)


class RidgeSolver:
    """All alphas from one spectrum; chunks of them share the passes over X that form and certify."""

    def __init__(self, problem: Problem, alphas: Float64) -> None:
        design, response, l2 = problem.design, problem.response, problem.arrays.l2
        self.problem, self.alphas = problem, alphas
        self.stats: Index = np.zeros(N_COUNTERS, np.int64)
        self.root_w = np.sqrt(response.w)
        self.y = self.root_w * response.values
        entering = np.isfinite(problem.arrays.l1)
        self.free = np.flatnonzero(entering & (l2 == 0.0))
        # 1 / l2 for penalised features, 0 for free and excluded ones.
        self.pull = np.zeros(design.p)
        np.divide(1.0, l2, out=self.pull, where=entering & (l2 > 0.0))
        self.free_basis = self._free_columns()
        self.target = self._project(self.y[:, None])[:, 0]
        self.values, self.vectors = self._spectrum()
        self.first = -1
        self.chunk: list[tuple[Float64, Solution]] = []
        self.beta = np.zeros(design.p)

    def solve(self, alpha: float, keep_going: KeepGoing, max_iter: int) -> Solution:
        """Carry the solution to alpha; see Solver."""
        k = int(np.searchsorted(-self.alphas, -alpha))
        if not 0 <= k - self.first < len(self.chunk):
            self.first, self.chunk = k, self._solve_chunk(self.alphas[k : k + CHUNK])
        self.beta, solution = self.chunk[k - self.first]
        return solution

    def coefficients(self) -> tuple[Index, Float64]:
        """Return the non-zero coefficients; see Solver."""
        features = self.beta.nonzero()[0]
        return features, self.beta[features]

    def _free_columns(self) -> Float64:
        """Return the unpenalised columns times sqrt(w), shape (n, number of them)."""
        columns = np.zeros((self.problem.design.n, self.free.size))
        if self.free.size:
            for block, rows in column_blocks(self.problem.design, self.root_w):
                inside = (self.free >= block.start) & (self.free < block.stop)
                columns[:, inside] = rows[self.free[inside] - block.start].T
        return columns

    def _project(self, columns: Float64) -> Float64:
        """Return what the free columns cannot explain of the given ones."""
        if not self.free.size:
            return columns
        unexplained: Float64 = columns - self.free_basis @ lstsq(self.free_basis, columns)[0]
        return unexplained

    def _spectrum(self) -> tuple[Float64, Float64]:
        """Return eigenvalues and vectors (n, m) of P Z L2^-1 Z' P.

        Z holds the scaled columns, P projects off the free ones.
        """
        design = self.problem.design
        if design.p < design.n:
            root = np.sqrt(self.pull)
            gram = gram_matrix(design, self.problem.response.w)
            if self.free.size:
                cross = gram[:, self.free]
                gram -= cross @ lstsq(gram[np.ix_(self.free, self.free)], cross.T)[0]
            gram *= root[:, None] * root
            values, vectors = eigh(gram)
            # Left singular vectors Z L2^-1/2 v / sigma span all that the features can explain.
            keep = values > max(values[-1], 0.0) * np.finfo(np.float64).eps * design.p
            left = np.zeros((design.n, int(keep.sum())))
            for block, rows in column_blocks(design, self.root_w):
                left += rows.T @ (root[block, None] * vectors[block][:, keep])
            return values[keep], self._project(left) / np.sqrt(values[keep])
        kernel = np.zeros((design.n, design.n))
        for block, rows in column_blocks(design, self.root_w):
            rows *= np.sqrt(self.pull[block])[:, None]
            kernel += rows.T @ rows
        values, vectors = eigh(self._project(self._project(kernel).T))
        return np.maximum(values, 0.0), vectors

    def _solve_chunk(self, alphas: Float64) -> list[tuple[Float64, Solution]]:
        """Form the coefficients at the alphas and certify them from their own residuals."""
        design, count = self.problem.design, len(alphas)
        # r = alpha (K + alpha)^-1 y: what lies outside the spectrum's span stays.
        inside = self.vectors.T @ self.target
        shrink = self.values[:, None] / (self.values[:, None] + alphas)
        residual = self.target[:, None] - self.vectors @ (shrink * inside[:, None])
        beta = np.zeros((design.p, count))
        fitted = np.zeros((design.n, count))
        for block, rows in column_blocks(design, self.root_w):
            beta[block] = (rows @ residual) * self.pull[block, None] / alphas
            fitted += rows.T @ beta[block]
        left = self.y[:, None] - fitted
        if self.free.size:
            own = lstsq(self.free_basis, left)[0]
            beta[self.free] = own
            left -= self.free_basis @ own
        gaps = self._gaps(beta, left, alphas)
        self.stats[COLUMNS_READ] += 2 * design.p
        self.stats[GRADIENTS] += count
        squares = np.einsum("ik,ik->k", left, left)
        return [(beta[:, k], Solution(float(gaps[k]), float(squares[k]), True)) for k in range(count)]

    def _gaps(self, beta: Float64, residual: Float64, alphas: Float64) -> Float64:
        """Return sum_j alpha l2/2 (b_j - g_j / (alpha l2))^2 plus the free columns' rounding.

        g_j comes from the true residual.
        """
        gaps = np.zeros(len(alphas))
        penalised = self.pull > 0.0
        for block, rows in column_blocks(self.problem.design, self.root_w):
            g = rows @ residual
            use = penalised[block]
            weight = alphas / self.pull[block][use][:, None]
            gaps += np.einsum("jk,jk->k", weight / 2.0, (beta[block][use] - g[use] / weight) ** 2)
            own = np.flatnonzero(~use)
            gaps += np.sum(np.abs(beta[block][own] * g[own]), axis=0)
        size = np.abs(beta * self.problem.design.square[:, None] ** 0.5).sum(axis=0)
        gaps += np.finfo(np.float64).eps * size * np.sqrt(np.einsum("ik,ik->k", residual, residual))
        return gaps
