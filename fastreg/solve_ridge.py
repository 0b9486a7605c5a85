"""Ridge: one eigendecomposition of the smaller Gram matrix serves every alpha (F29, F30 of docs/math.md)."""

from __future__ import annotations

import numpy as np
from scipy.linalg import eigh, lstsq, svd

from ._typing import Float64, Index
from .designs.blocks import column_blocks, gram_matrix
from .driver import NO_INTERCEPTS, KeepGoing
from .kernels.state import COLUMNS_READ, GRADIENTS, N_COUNTERS
from .problem import Problem
from .record import Record

# The smaller of n and p up to which an eigendecomposition is worth its n^3.
MAX_EIGEN = 4000
# Alphas that share a pass over X.
CHUNK = 16
# Steps from the true residual after the first solution: rounding divided by a small alpha needs one.
REFINEMENTS = 1
# Singular values below this share of the largest belong to dependent columns.
DEPENDENT = 1e-10


def is_ridge(problem: Problem) -> bool:
    """Tell whether the closed form serves: no L1 part, no bounds, and a Gram matrix of moderate size."""
    if problem.penalty.l1_ratio > 0.0:
        return False
    arrays = problem.per_coefficient
    entering = np.isfinite(arrays.l1)
    bounded = np.isfinite(arrays.lower[entering]).any() or np.isfinite(arrays.upper[entering]).any()
    small = min(problem.design.n, problem.design.p) <= MAX_EIGEN
    penalised = (arrays.l2 > 0.0).any()
    return bool(penalised and small and not bounded)


class RidgeSolver:
    """All alphas from one spectrum; chunks of them share the passes over X that form and certify."""

    def __init__(self, problem: Problem) -> None:
        design, response, l2 = problem.design, problem.response, problem.per_coefficient.l2
        self.problem = problem
        self.stats: Index = np.zeros(N_COUNTERS, np.int64)
        self.root_w = np.sqrt(response.w)
        self.y = self.root_w * response.values
        entering = np.isfinite(problem.per_coefficient.l1)
        self.free = np.flatnonzero(entering & (l2 == 0.0))
        # 1 / l2 for penalised features, 0 for free and excluded ones.
        self.pull = np.zeros(design.p)
        np.divide(1.0, l2, out=self.pull, where=entering & (l2 > 0.0))
        self.free_columns = self._free_columns()
        self.basis = _orthonormal(self.free_columns)
        self.is_narrow = design.p < design.n
        self.values, self.vectors = design.remembered("spectrum", self._spectrum)
        # The alphas solved last, from number first on: coefficients, gap, ||r||^2.
        self.first = 0
        self.chunk: list[tuple[Float64, float, float]] = []

    def follow(self, record: Record, stop: int, keep_going: KeepGoing, max_iter: int) -> None:
        """Solve on; see Solver. Alphas beyond stop may be solved already: they share passes over X."""
        while record.finished < stop:
            k = record.finished
            if not 0 <= k - self.first < len(self.chunk):
                self.first, self.chunk = k, self._solve_chunk(record.alphas[k : k + CHUNK])
            beta, gap, square = self.chunk[k - self.first]
            features = beta.nonzero()[0]
            record.add(features, beta[features], gap, square, k + 1, NO_INTERCEPTS)
            if record.finished < stop and not keep_going():
                return

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
        # Twice: the second projection removes what rounding left of the first.
        for _ in range(2):
            columns = columns - self.basis @ (self.basis.T @ columns)
        return columns

    def _fit_free(self, columns: Float64) -> Float64:
        """Return the free columns' coefficients for what is left; of dependent columns only some are used."""
        return np.asarray(lstsq(self.free_columns, columns, cond=DEPENDENT)[0])

    def _spectrum(self) -> tuple[Float64, Float64]:
        """Return the spectrum of the smaller of B B' and B' B, where B = P Z L2^-1/2.

        Z are the scaled columns, P projects off the free ones.
        """
        design = self.problem.design
        root = np.sqrt(self.pull)
        if self.is_narrow:
            gram = gram_matrix(design, self.problem.response.w)
            cross = np.zeros((design.p, self.basis.shape[1]))
            for block, rows in column_blocks(design, self.root_w) if self.free.size else ():
                cross[block] = rows @ self.basis
            values, vectors = eigh((gram - cross @ cross.T) * root[:, None] * root)
        else:
            kernel = np.zeros((design.n, design.n))
            for block, rows in column_blocks(design, self.root_w):
                rows *= root[block, None]
                kernel += rows.T @ rows
            values, vectors = eigh(self._project(self._project(kernel).T))
        return np.maximum(values, 0.0), vectors

    def _solve_chunk(self, alphas: Float64) -> list[tuple[Float64, float, float]]:
        """Form the coefficients at the alphas, refine them once and certify them from their own residuals."""
        design, count = self.problem.design, len(alphas)
        beta = np.zeros((design.p, count))
        left = self.y[:, None] - np.zeros((1, count))
        for _ in range(1 + REFINEMENTS):
            beta += self._step(beta, left, alphas)
            left = self._residual(beta)
            beta[self.free] += self._fit_free(left) if self.free.size else 0.0
            left = self._residual(beta) if self.free.size else left
        gaps = self._gaps(beta, left, alphas)
        self.stats[COLUMNS_READ] += 2 * (1 + REFINEMENTS) * design.p
        self.stats[GRADIENTS] += count
        squares = np.einsum("ik,ik->k", left, left)
        return [(beta[:, k], float(gaps[k]), float(squares[k])) for k in range(count)]

    def _step(self, beta: Float64, left: Float64, alphas: Float64) -> Float64:
        """Return the change that solves the ridge equations for what is left at beta.

        With e = L2^-1/2 (Z' r - alpha L2 beta) it is L2^-1/2 (B' B + alpha)^-1 e, and in n dimensions
        (B' B + alpha)^-1 e = (e - B' (B B' + alpha)^-1 B e) / alpha.
        """
        root = np.sqrt(self.pull)[:, None]
        wanted = np.zeros_like(beta)
        image = np.zeros_like(left)
        projected = self._project(left)
        for block, rows in column_blocks(self.problem.design, self.root_w):
            own = root[block]
            ridge = np.divide(beta[block] * alphas, own, out=np.zeros_like(beta[block]), where=own > 0.0)
            wanted[block] = own * (rows @ projected) - ridge
            image += rows.T @ (own * wanted[block])
        if self.is_narrow:
            inside = self.vectors.T @ wanted
            return np.asarray(root * (self.vectors @ (inside / (self.values[:, None] + alphas))))
        inside = self.vectors.T @ self._project(image)
        image = self._project(self.vectors @ (inside / (self.values[:, None] + alphas)))
        for block, rows in column_blocks(self.problem.design, self.root_w):
            wanted[block] -= root[block] * (rows @ image)
        return np.asarray(root * wanted / alphas)

    def _residual(self, beta: Float64) -> Float64:
        """Return sqrt(w) (y~ - X~ beta) for every column of beta."""
        fitted = np.zeros((self.problem.design.n, beta.shape[1]))
        for block, rows in column_blocks(self.problem.design, self.root_w):
            fitted += rows.T @ beta[block]
        return self.y[:, None] - fitted

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
            # X so large that rounding of its gradients is: an infinite gap certifies nothing.
            with np.errstate(over="ignore"):
                gaps += np.einsum("jk,jk->k", weight / 2.0, (beta[block][use] - g[use] / weight) ** 2)
            own = np.flatnonzero(~use)
            gaps += np.sum(np.abs(beta[block][own] * g[own]), axis=0)
        size = np.abs(beta * self.problem.design.square[:, None] ** 0.5).sum(axis=0)
        gaps += np.finfo(np.float64).eps * size * np.sqrt(np.einsum("ik,ik->k", residual, residual))
        return gaps


def _orthonormal(columns: Float64) -> Float64:
    """Return an orthonormal basis (n, rank) of the columns' span, each column counted at unit norm."""
    norms = np.sqrt(np.einsum("ij,ij->j", columns, columns))
    columns = columns[:, norms > 0.0] / norms[norms > 0.0]
    if columns.shape[1] == 0:
        return columns
    left, values, _ = svd(columns, full_matrices=False)
    return np.ascontiguousarray(left[:, values > DEPENDENT * values[0]])
