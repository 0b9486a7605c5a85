"""The solver of every loss but least squares: chords and Newton steps on the same working set."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from ._typing import Float64, Index
from .curved_descent import CurvedDescent
from .descent import Descent
from .driver import KeepGoing, allocate_factor
from .kernels import engine
from .kernels.curved import ALLOWED, ALPHA, FIT, IS_WEIGHED, MEMO, NORM, NULL, Curved
from .kernels.losses import Curvature
from .kernels.short_columns import Rows
from .kernels.stacked import CscStack, DenseStack
from .kernels.state import BLOCK
from .kernels.storage import Csc
from .null_model import allocate_curvature
from .problem import Problem
from .solvers import ScreenedSolver

# Gap, as a share of the null objective, that free features are fitted to: below what rounding leaves.
FREE_SHARE = 1e-20


def curved_updates(problem: Problem, allowed_gap: float) -> Curved:
    """Return updates that begin at the null model."""
    null = problem.null
    assert null is not None
    loss = null.loss
    outputs, n = loss.y.shape
    residual = null.residual.copy()
    weighted = loss.w * residual
    memo = np.zeros(MEMO)
    memo[FIT] = memo[NULL] = null.value
    memo[NORM] = np.sqrt((weighted * residual).sum())
    memo[ALLOWED] = allowed_gap
    columns: Any = problem.design.columns
    is_sparse = isinstance(columns, Csc)
    D: DenseStack | CscStack = (CscStack if is_sparse else DenseStack)(*columns)
    return Curved(
        D=D,
        L=loss,
        C=allocate_curvature(loss),
        # What respond writes beside the residual belongs to the null model as well.
        N=Curvature(*(array.copy() for array in null.curvature)),
        E=loss.offset + null.intercept[:, None],
        R=residual,
        V=weighted,
        r=residual.reshape(-1),
        v=weighted.reshape(-1),
        intercept=null.intercept.copy(),
        before=np.zeros(outputs),
        sums=null.sums.copy(),
        shift=np.zeros(outputs),
        buffer=np.zeros((BLOCK, outputs, n)),
        totals=np.zeros((BLOCK, outputs)),
        rows=allocate_rows(columns, n),
        memo=memo,
    )


def allocate_rows(columns: Any, n: int) -> Rows:
    """Return room for the entries of sparse columns by rows, none of them listed; dense ones never are."""
    is_sparse = isinstance(columns, Csc)
    entries, p = (columns.data.shape[0], columns.mean.shape[0]) if is_sparse else (0, 0)
    counts = np.bincount(columns.indices, minlength=n) if is_sparse else np.zeros(0, np.int64)
    begin = np.cumsum(counts) - counts
    # Pages of what is never listed are not touched and cost no memory.
    return Rows(
        begin=begin,
        end=begin.copy(),
        listed=np.empty(entries, np.uint32),
        entry=np.empty(entries),
        number=np.full(p, -1),
        size=np.zeros(1, np.int64),
        total=np.zeros(p),
        product=np.zeros(p),
        seat=np.empty(p, np.int64),
    )


class CurvedSolver(ScreenedSolver):
    """A working set solved by chords, lazy references on the pseudo-residual for everything else."""

    def __init__(self, problem: Problem, n_threads: int, allowed_gap: float, is_part: bool = True) -> None:
        # Whether the alpha at hand is left as near to its optimum as the arithmetic got, and was begun again.
        self.is_stuck = self.is_second = False
        super().__init__(problem, n_threads, allowed_gap, is_part)

    @property
    def rounds(self) -> int:
        """Rounds spent on the alpha at hand; as many as are allowed once the factor gives no more."""
        return max(super().rounds, self.max_iter) if self.is_stuck else super().rounds

    def _begin(self, effort: int) -> None:
        super()._begin(effort)
        self.is_stuck = self.is_second = False

    def first_correlations(self) -> Float64:
        """Return all correlations with the null residual; see ScreenedSolver."""
        if self.problem.outputs == 1:
            return self.problem.design.product
        return self._null_correlations

    @cached_property
    def _null_correlations(self) -> Float64:
        """What the survey of X, which knows one output, leaves to be read."""
        correlations = np.zeros(self.problem.size)
        engine.read_columns(self._updates(), np.arange(self.problem.size), correlations)
        return correlations

    def intercepts(self) -> Float64:
        """Return the intercepts; see ExactSolver."""
        return np.array(self.state.U.intercept)

    def fit_free(self, features: Index, keep_going: KeepGoing) -> Float64:
        """Fit the features without penalty alone, to rounding: alpha_max is to be exact."""
        memo = self.state.U.memo
        memo[ALLOWED], allowed = FREE_SHARE * self.problem.null_objective, memo[ALLOWED]
        correlations = super().fit_free(features, keep_going)
        memo = self.state.U.memo
        memo[ALLOWED], memo[ALPHA] = allowed, 0.0
        return correlations

    def _updates(self) -> Any:
        return curved_updates(self.problem, self.allowed_gap)

    def _is_beyond_null(self) -> bool:
        return float(self.state.U.memo[FIT]) > self.problem.null_objective

    def _new_descent(self) -> Descent:
        return CurvedDescent(self.problem)

    def _largest_support(self) -> int:
        null = self.problem.null
        assert null is not None
        has_model = isinstance(self.problem.design.columns, Csc) and null.outputs == 1
        return super()._largest_support() if has_model and null.target.risk is None else self.problem.size

    def leave_factor(self) -> None:
        """Go on by descent where there is one for this loss and storage; else begin the alpha again, once.

        A factor that took copies of a column for two leads far astray, from where there is no way back.
        """
        if self._largest_support() < self.problem.size:
            super().leave_factor()
        elif self.is_second:
            self.is_stuck = True
        else:
            self._begin_again()

    def _begin_again(self) -> None:
        """Go back to the null model, with an empty factor."""
        assert self.problem.null is not None
        self.is_second, self.rebuilds = True, 0
        U, W, F = self.state.U, self.state.W, self.state.F
        W.beta[:] = 0.0
        W.place[:] = -1
        W.size[1] = 0
        U.intercept[:] = self.problem.null.intercept
        U.memo[[ALPHA, IS_WEIGHED]] = 0.0
        engine.refresh(self.state)
        self.state = self.state._replace(F=allocate_factor(F.support.shape[0], self.idle_gap))
