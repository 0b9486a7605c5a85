"""The curvature of the loss over the active groups, and Newton's equations with that of the group norms.

For d = B_j / ||B_j|| the penalty's curvature of group j is stiff_j (I - d d') + ridge_j I. Vectors over
groups have shape (groups, outputs). Small systems are solved by kernels: waking BLAS threads costs more.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from scipy.linalg import lapack

from ._typing import Float64, Index
from .designs import Design
from .driver import enlarge
from .kernels import group_systems
from .kernels.group_systems import Curving
from .kernels.losses import Loss
from .kernels.stacked import CscStack, DenseStack
from .kernels.state import BLOCK
from .kernels.storage import Csc
from .null_model import allocate_curvature

# Unknowns beyond which LAPACK factors faster than a kernel.
LAPACK_PAYS = 700
# A matrix that is not positive definite to working precision gets this share of its diagonal more, and again
# so much more until it is.
EXTRA, MORE_EXTRA = 1e-13, 1e3
# Beyond this the matrix holds no finite numbers: there is no step.
HOPELESS = 1e9


class Held(NamedTuple):
    """The features that the Gram matrix covers, as such and as the stack of outputs numbers them.

    ``slots`` = 0, 1, ...; ``block`` is work space.
    """

    features: Index
    stacked: Index
    slots: Index
    gram: Float64
    block: Float64


def _allocate(capacity: int, width: int) -> Held:
    """Return room for so many features."""
    size = capacity * width
    return Held(
        features=np.zeros(capacity, np.int64),
        stacked=np.zeros(size, np.int64),
        slots=np.arange(size),
        gram=np.zeros((size, size)),
        block=np.zeros((BLOCK, size)),
    )


class GroupCurvature:
    """The Gram matrix X~' H X~ over the features held, where H is the curvature of some point.

    Features may join at the curvature of before. Entry a width + c is output c of the a-th feature held;
    width is 1 where the outputs share one matrix.
    """

    def __init__(self, design: Design, loss: Loss, width: int) -> None:
        self.design, self.width = design, width
        self.place: Index = np.full(design.p, -1)
        self.count = 0
        columns = design.columns
        stack: Any = CscStack if isinstance(columns, Csc) else DenseStack
        self.curving = Curving(
            D=stack(*columns),
            L=loss,
            C=allocate_curvature(loss),
            buffer=np.zeros((BLOCK, width, design.n)),
            totals=np.zeros((BLOCK, width)),
        )
        self.held = _allocate(BLOCK, width)

    def renew(self, mass: Float64) -> None:
        """Take the curvature of here and now; ``mass`` (outputs, n) is the diagonal of H."""
        group_systems.take_curvature(self.curving, mass)
        self.place[self.held.features[: self.count]] = -1
        self.count = 0

    def hold(self, features: Index) -> Index:
        """Make the Gram matrix cover the features; return their places."""
        new = features[self.place[features] < 0]
        if new.size:
            have, self.count = self.count, self.count + new.size
            if self.count > self.held.features.size:
                larger = _allocate(2 * self.count, self.width)
                enlarge(self.held, larger)
                self.held = larger
            entries = slice(have * self.width, self.count * self.width)
            self.held.features[have : self.count] = new
            self.held.stacked[entries] = (new[:, None] + self.design.p * np.arange(self.width)).ravel()
            self.place[new] = np.arange(have, self.count)
            held, ends = self.held, (entries.start, entries.stop)
            group_systems.form_columns(self.curving, held.stacked, held.slots, *ends, held.block, held.gram)
        return self.place[features]


class _Workspace:
    """Square matrices to factor in, as large as they had to be so far."""

    def __init__(self) -> None:
        self.matrices = np.zeros((2, 0, 0))

    def of(self, size: int) -> Float64:
        """Return two matrices with room for so many unknowns."""
        if self.matrices.shape[1] < size:
            self.matrices = np.zeros((2, 2 * size, 2 * size))
        return self.matrices


class Equations(NamedTuple):
    """Newton's equations for the active groups: the penalty's part, and the gradient that remains.

    The matrix's diagonal counts by ``damping`` more.
    """

    features: Index
    along: Float64
    stiff: Float64
    ridge: Float64
    rhs: Float64
    damping: float


class SharedCurvature(GroupCurvature):
    """Least squares: all outputs share one Gram matrix."""

    is_constant = True

    def __init__(self, design: Design, loss: Loss) -> None:
        super().__init__(design, loss, 1)
        self.space = _Workspace()

    def solve(self, Q: Equations) -> Float64:
        """Return the solution, (groups, outputs); see solve_shared for how."""
        places = self.hold(Q.features)
        penalty = (Q.along, Q.stiff, Q.ridge)
        x = np.zeros_like(Q.rhs)
        work: Any = (*self.space.of(places.size), np.zeros(places.size), Q.rhs, x)
        extra = Q.damping
        while extra < HOPELESS:
            if places.size > LAPACK_PAYS:
                found = self._solve_large(places, Q, extra)
                if found is not None:
                    return found
            elif group_systems.solve_shared(self.held.gram, places, *penalty, extra, *work):
                return x
            extra = max(EXTRA, MORE_EXTRA * extra)
        return np.zeros_like(Q.rhs)

    def _solve_large(self, places: Index, Q: Equations, extra: float) -> Float64 | None:
        """Return what solve_shared finds, by LAPACK, None where there is no solution."""
        matrix = self.held.gram[np.ix_(places, places)]
        matrix[np.diag_indices_from(matrix)] += Q.stiff + Q.ridge
        matrix[np.diag_indices_from(matrix)] *= 1.0 + extra
        lower, info = lapack.dpotrf(matrix.T, lower=1)
        if info:
            return None
        inverse, _ = lapack.dpotri(lower, lower=1)
        inverse = np.tril(inverse) + np.tril(inverse, -1).T
        x = inverse @ Q.rhs
        root = np.sqrt(Q.stiff)
        small = -(inverse * (Q.along @ Q.along.T)) * root[:, None] * root
        small[np.diag_indices_from(small)] += 1.0 + extra
        lower, info = lapack.dpotrf(small.T, lower=1)
        if info:
            return None
        inside, _ = lapack.dpotrs(lower, root * np.einsum("ac,ac->a", Q.along, x), lower=1)
        return np.asarray(x + inverse @ ((root * inside)[:, None] * Q.along))


class CoupledCurvature(GroupCurvature):
    """The softmax: the curvature couples the outputs of a row."""

    is_constant = False

    def __init__(self, design: Design, loss: Loss) -> None:
        super().__init__(design, loss, loss.y.shape[0])
        self.space = _Workspace()

    def solve(self, Q: Equations) -> Float64:
        """Return the solution, (groups, outputs)."""
        places = self.hold(Q.features)
        penalty = (Q.along, Q.stiff, Q.ridge)
        A = self.space.of(Q.rhs.size)[0]
        extra = Q.damping
        while extra < HOPELESS:
            x = Q.rhs.reshape(-1).copy()
            if x.size > LAPACK_PAYS:
                matrix = np.zeros((x.size, x.size))
                group_systems.gather_coupled(self.held.gram, places, *penalty, extra, matrix)
                # The lower triangle of rows is the upper one of columns.
                upper, info = lapack.dpotrf(matrix.T, lower=0, overwrite_a=1)
                if info == 0:
                    x, _ = lapack.dpotrs(upper, x, lower=0)
                    return np.asarray(x.reshape(Q.rhs.shape))
            elif group_systems.solve_coupled(self.held.gram, places, *penalty, extra, A, x):
                return x.reshape(Q.rhs.shape)
            extra = max(EXTRA, MORE_EXTRA * extra)
        return np.zeros_like(Q.rhs)
