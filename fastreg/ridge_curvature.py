"""Second derivatives of losses as blocks of dense algebra: roots H = S' S for n dimensions, X' H X for p.

A block holds the outputs that curve together. Roots need no inverse: rows without curvature cost nothing and
break nothing, separable data included.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
from scipy.linalg import lapack

from ._typing import Float64
from .kernels import losses
from .kernels.losses import Curvature, Loss
from .null_model import allocate_curvature

# Cox: what is left of H below this share of its largest entry is rounding.
ROOT_ROUNDING = 1e-14

Flex = Callable[[Float64], Float64]


class Block(Protocol):
    """The curvature of some outputs at one point; vectors over them have shape (outputs, n, columns)."""

    outputs: int
    # Whether one constant added to all outputs changes no loss.
    is_shift_free: bool

    def apply(self, x: Float64) -> Float64:
        """Return S x, shape (order, columns)."""

    def apply_back(self, q: Float64) -> Float64:
        """Return S' q, shape (outputs, n, columns)."""

    def of_kernel(self, kernel: Float64) -> Float64:
        """Return S (I x K) S', shape (order, order), from K (n, n)."""

    def of_columns(self, columns: Float64) -> Float64:
        """Return (I x T)' H (I x T), shape (outputs m, outputs m), from T (n, m)."""


class Separate:
    """One output whose rows curve by themselves: H = diag(mass)."""

    outputs, is_shift_free = 1, False

    def __init__(self, mass: Float64) -> None:
        self.mass = mass
        # Flat rows, those of a margin that is met for example, take no part.
        self.rows = np.flatnonzero(mass > 0.0)
        self.root = np.sqrt(mass[self.rows])

    def apply(self, x: Float64) -> Float64:
        """Return S x; see Block."""
        return np.asarray(x[0, self.rows] * self.root[:, None])

    def apply_back(self, q: Float64) -> Float64:
        """Return S' q; see Block."""
        x = np.zeros((1, self.mass.shape[0], q.shape[1]))
        x[0, self.rows] = q * self.root[:, None]
        return x

    def of_kernel(self, kernel: Float64) -> Float64:
        """Return S K S'; see Block."""
        if self.rows.size < self.mass.shape[0]:
            kernel = kernel[np.ix_(self.rows, self.rows)]
        scaled = kernel * self.root
        scaled *= self.root[:, None]
        return scaled

    def of_columns(self, columns: Float64) -> Float64:
        """Return T' H T; see Block."""
        rows = columns[self.rows] * self.root[:, None]
        return np.asarray(rows.T @ rows)


class Softmax:
    """All classes of the multinomial: row i has w (diag(pi) - pi pi') = w D (I - d d') D, d = sqrt(pi).

    Householder's reflection that takes d to the first axis leaves I - d d' = Q' Q with one row less than
    there are classes, so that S = sqrt(w) Q D; no entry of it cancels where a probability comes near one.
    """

    is_shift_free = True

    def __init__(self, mass: Float64, w: Float64) -> None:
        self.mass, self.w = mass, w
        self.outputs = mass.shape[0]
        self.share = np.divide(mass, w, out=np.zeros_like(mass), where=w > 0.0)
        d = np.sqrt(self.share)
        first = np.zeros(self.outputs)
        first[0] = 1.0
        # roots[a, i, c] belongs to row (a, i) of S and class c.
        reflected = (d[1:] / (1.0 + d[0]))[:, :, None] * (d.T + first)
        self.order = (self.outputs - 1) * w.shape[0]
        self.roots = (np.eye(self.outputs)[1:, None, :] - reflected) * d.T * np.sqrt(w)[:, None]

    def apply(self, x: Float64) -> Float64:
        """Return S x; see Block."""
        return np.asarray(np.einsum("anc,cnk->ank", self.roots, x).reshape(self.order, x.shape[2]))

    def apply_back(self, q: Float64) -> Float64:
        """Return S' q; see Block."""
        parts = q.reshape(self.outputs - 1, -1, q.shape[1])
        return np.asarray(np.einsum("anc,ank->cnk", self.roots, parts))

    def of_kernel(self, kernel: Float64) -> Float64:
        """Return S (I x K) S'; see Block."""
        n, count = kernel.shape[0], self.outputs - 1
        scaled = np.empty((count, n, count, n))
        for a in range(count):
            for b in range(a + 1):
                scaled[a, :, b] = kernel * (self.roots[a] @ self.roots[b].T)
                scaled[b, :, a] = scaled[a, :, b].T
        return scaled.reshape(count * n, count * n)

    def of_columns(self, columns: Float64) -> Float64:
        """Return (I x T)' H (I x T); see Block."""
        m, count = columns.shape[1], self.outputs
        gram = np.empty((count, m, count, m))
        for a in range(count):
            for b in range(a + 1):
                others = -self.share[b] if a != b else np.delete(self.share, a, axis=0).sum(axis=0)
                curved = self.mass[a] * others
                gram[a, :, b] = columns.T @ (columns * curved[:, None])
                gram[b, :, a] = gram[a, :, b].T
        return gram.reshape(count * m, count * m)


class AtRisk:
    """Cox: rows that share risk sets curve together; the kernels apply H, a pivoted Cholesky finds S."""

    outputs, is_shift_free = 1, False

    def __init__(self, flex: Flex, n: int) -> None:
        self.flex, self.n = flex, n
        self._root: Float64 | None = None

    @property
    def root(self) -> Float64:
        """S, shape (rank, n)."""
        if self._root is None:
            H = self._apply_to(np.eye(self.n))
            H = 0.5 * (H + H.T)
            largest = float(np.max(np.diag(H), initial=0.0))
            factor, order, rank, _ = lapack.dpstrf(H, tol=ROOT_ROUNDING * largest, lower=0)
            rank = rank if largest > 0.0 else 0
            self._root = np.zeros((rank, self.n))
            self._root[:, order - 1] = np.triu(factor)[:rank]
        return self._root

    def _apply_to(self, columns: Float64) -> Float64:
        """Return H times the columns (n, m)."""
        if columns.shape[1] == 0:
            # A refit of cox on an empty support has neither columns nor an intercept.
            return columns
        return np.stack([self.flex(column) for column in columns.T], axis=1)

    def apply(self, x: Float64) -> Float64:
        """Return S x; see Block."""
        return np.asarray(self.root @ x[0])

    def apply_back(self, q: Float64) -> Float64:
        """Return S' q; see Block."""
        return np.asarray(self.root.T @ q)[None]

    def of_kernel(self, kernel: Float64) -> Float64:
        """Return S K S'; see Block."""
        scaled = self.root @ kernel @ self.root.T
        return np.asarray(0.5 * (scaled + scaled.T))

    def of_columns(self, columns: Float64) -> Float64:
        """Return T' H T; see Block."""
        gram = columns.T @ self._apply_to(columns)
        return np.asarray(0.5 * (gram + gram.T))


def curvature_blocks(loss: Loss, at: Curvature, eta: Float64) -> list[Block]:
    """Return the curvature at eta (outputs, n) in blocks, outputs in order; ``at`` was filled there."""
    kind = int(loss.traits[losses.KIND])
    outputs, n = eta.shape
    if kind == losses.MULTINOMIAL:
        return [Softmax(at.mass.copy(), loss.w)]
    if kind == losses.COX:
        return [AtRisk(_flexing(loss, eta.copy()), n)]
    mass = at.mass.copy()
    if kind in (losses.SQUARED_HINGE, losses.HUBER):
        # The kernels give flat parts a floor because they divide; here they may be as flat as they are.
        mass[mass <= losses.FLAT_FLOOR * loss.w] = 0.0
    blocks: list[Block] = []
    for c in range(outputs):
        # Outputs that curve alike share one block, and so one factor.
        same = c > 0 and np.array_equal(mass[c], mass[c - 1])
        blocks.append(blocks[-1] if same else Separate(mass[c]))
    return blocks


def _flexing(loss: Loss, eta: Float64) -> Flex:
    """Return the product with H at eta, one vector at a time."""
    at, residual = allocate_curvature(loss), np.zeros_like(eta)

    def flex(x: Float64) -> Float64:
        product = np.array(x[None])
        losses.flexed(loss, at, eta, residual, product)
        return np.asarray(product[0])

    return flex
