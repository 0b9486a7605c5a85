"""Columns for `certify` that also bound their own curvature, for losses without a global bound of it."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from fastreg._evidence import DenseColumns, SparseColumns, gamma
from fastreg._typing import Float64


class CurvedDense(DenseColumns):
    """Dense columns with their largest entries and weighted squares."""

    @cached_property
    def reach(self) -> Float64:
        """Return the largest entry of every centred column, in size."""
        out = np.zeros(self.centre.size)
        for block in self._blocks():
            out[block] = np.abs(self._scaled(block) - self.centre[block]).max(axis=0)
        out *= 1 + gamma(8)
        return out

    def squares(self, M: Float64) -> Float64:
        """Return an upper bound of sum_i m_i (x_ij - centre_j)^2 for the columns m of M, shape (p, K)."""
        out = np.empty((self.centre.size, M.shape[1]))
        for block in self._blocks():
            out[block] = ((self._scaled(block) - self.centre[block]) ** 2).T @ M
        out *= 1 + gamma(M.shape[0] + 16)
        return out


class CurvedSparse(SparseColumns):
    """Sparse columns with the same; only stored entries are read."""

    @cached_property
    def reach(self) -> Float64:
        """Return the largest entry of every centred column, in size."""
        count, mean = np.diff(self.X.indptr), self.mean if self.centred else np.zeros_like(self.mean)
        out = np.where(count < self.X.shape[0], np.abs(mean), 0.0)
        owner = np.repeat(np.arange(mean.size), count)
        np.maximum.at(out, owner, np.abs(self.X.data - mean[owner]))
        out *= 1 + gamma(8)
        return out

    def squares(self, M: Float64) -> Float64:
        """Return an upper bound of sum_i m_i (x_ij - centre_j)^2 for the columns m of M, shape (p, K)."""
        out: Float64 = self.X.power(2).T @ M
        noise = gamma(M.shape[0] + 16)
        if self.centred:
            mean, total = self.mean[:, None], M.sum(axis=0)
            first, size = self.X.T @ M, abs(self.X).T @ M
            spill = noise * (out + 2 * np.abs(mean) * size + mean**2 * total)
            out = np.maximum(out - 2 * mean * first + mean**2 * total, 0.0) + 2 * spill
        out *= 1 + noise
        return out
