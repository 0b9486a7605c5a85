"""Fits without penalty on one set of features after the other: least squares, Newton, or within bounds.

A fit that does not exist is not invented. Where columns depend on each other, or are as many as the rows,
least squares takes the solution of smallest standardised norm. Where the loss has no minimum (separated
classes, a likelihood that rises for ever), and within bounds, a tiny ridge tau/2 sum_j s_j^2 b_j^2 decides,
s_j the standard deviation of column j. Fits say which of these they are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.linalg import eigh, eigvalsh, lapack

from .._typing import Float64, Index
from ..families import Target
from ..null_model import fit_null, make_loss
from ..problem import Response
from ..request import Study
from ..ridge_newton import Newton, Point, Primal
from .columns import gathered, null_curvature, part_of

__all__ = ["DEPENDENT", "ORDINARY", "RIDGED", "TAU", "Fit", "make_refitter"]

# What a fit is: the minimum, the shortest of many minima, or the minimum with a tiny ridge.
ORDINARY, DEPENDENT, RIDGED = "", "dependent", "ridged"
# The tiny ridge, in units of the curvature that the loss has at the null model.
TAU = 1e-6
# The same for least squares within bounds, which always has a minimum.
TAU_SQUARES = 1e-10
# Pivots of unit columns below this are rounding; so are eigenvalues below this share of the largest.
PIVOT, EIGEN = 1e-10, 1e-12
# Newton steps from the ridge to the minimum without it, the gain they end at in shares of the null
# objective, and what may be left of a gradient in units of the residual.
POLISH, GOAL, BALANCED = 12, 1e-20, 1e-9
# A gap above this share of the null objective asks for a firmer ridge, let loose from there.
CLOSE = 1e-6
FIRM = np.geomspace(1.0, TAU, 13)
RIDGE_STEPS = 60
# Families whose likelihood can rise for ever, and how far a predictor moves when it does.
ENDLESS, MOVED = ("binomial", "multinomial", "poisson", "cox"), 1.0


@dataclass(frozen=True, eq=False)
class Fit:
    """One fit on the input scale: coef (outputs, k), intercept (outputs,), mean loss, gap, and its kind.

    ``ridge`` is that of a ridged one, in units of the curvature at the null model.
    """

    coef: Float64
    intercept: Float64
    loss: float
    gap: float
    kind: str
    ridge: float = TAU


@dataclass(frozen=True, eq=False)
class Columns:
    """The columns that any fit may need, centred and scaled to unit weighted norm: B (n, u)."""

    features: Index
    B: Float64
    mean: Float64
    scale: Float64
    fit_intercept: bool

    def places(self, support: Index) -> Index:
        """Return where the features of a support are."""
        return np.searchsorted(self.features, support)

    def on_input_scale(self, places: Index, coef: Float64, intercept: Float64) -> tuple[Float64, Float64]:
        """Return coefficients (outputs, k) and intercepts of the columns of X."""
        coef = coef / self.scale[places]
        shift = coef @ self.mean[places]
        return coef, (intercept - shift if self.fit_intercept else np.zeros_like(intercept))


def make_columns(study: Study, features: Index, w: Float64, *, centred: bool) -> Columns:
    """Gather columns, centred under an intercept (or where constants are nothing) and of unit norm."""
    B = gathered(study.given, features)
    mean = w @ B if centred else np.zeros(features.size)
    B -= mean
    # Near one: squares of columns in extreme units would leave the range of floats.
    size = np.frexp(np.abs(B).max(axis=0))[1]
    scale = np.ldexp(np.sqrt(w @ np.ldexp(B, -size) ** 2), size)
    scale[scale == 0.0] = 1.0
    B /= scale
    return Columns(features, B, mean, scale, study.fit_intercept)


class LeastSquares:
    """Normal equations on unit columns, corrected once from the true residual (corrected semi-normal).

    Bjoerck, Linear Algebra Appl. 88/89 (1987) 31-48: as accurate as an orthogonal factorisation where the
    columns are not nearly dependent; where they are, the shortest solution comes from eigenvectors.
    """

    def __init__(self, study: Study, target: Response | Target, features: Index) -> None:
        w = target.w
        self.columns = make_columns(study, features, w, centred=study.fit_intercept)
        if isinstance(target, Target):
            y = (target.y - target.offset).reshape(target.outputs, -1).T
        else:
            y = (np.ldexp(target.values, target.exponent) + target.centre)[:, None]
        self.centre = w @ y if study.fit_intercept else np.zeros(y.shape[1])
        root = np.sqrt(w)[:, None]
        self.y = root * (y - self.centre)
        self.B = np.asfortranarray(root * self.columns.B)
        self.gram = self.B.T @ self.B if features.size <= y.shape[0] + 1000 else None
        self.rows = int(np.count_nonzero(w)) - study.fit_intercept

    def fit(self, support: Index) -> Fit:
        """Return the fit on a support."""
        at = self.columns.places(support)
        B = self.B[:, at]
        found = self._solved(B, at) if support.size < self.rows else None
        kind = ORDINARY
        if found is None:
            found, kind = self._shortest(B)
        coef, left, gap = found
        own, intercept = self.columns.on_input_scale(at, coef.T, self.centre)
        return Fit(own, intercept, 0.5 * float(np.sum(left**2)), gap, kind)

    def rank(self, support: Index) -> int:
        """Return the number of independent columns of a support."""
        B = self.B[:, self.columns.places(support)]
        values = eigvalsh(B.T @ B if support.size <= len(B) else B @ B.T) if support.size else np.zeros(1)
        return int(np.count_nonzero(values > EIGEN * max(float(values[-1]), np.finfo(float).tiny)))

    def _solved(self, B: Float64, at: Index) -> tuple[Float64, Float64, float] | None:
        """Return coefficients, residual and gap 1/2 g' G^-1 g (F13); None where columns are dependent."""
        if at.size == 0:
            return np.zeros((0, self.y.shape[1])), self.y, 0.0
        gram = B.T @ B if self.gram is None else self.gram[np.ix_(at, at)]
        factor, info = lapack.dpotrf(gram, lower=1)
        if info != 0 or float(np.diag(factor).min()) ** 2 < PIVOT:
            return None
        coef = np.zeros((at.size, self.y.shape[1]))
        left, step = self.y, np.zeros_like(coef)
        for _ in range(2):
            step = lapack.dpotrs(factor, B.T @ left, lower=1)[0]
            coef = coef + step
            left = self.y - B @ coef
        g = B.T @ left
        return coef, left, 0.5 * float(np.vdot(g, lapack.dpotrs(factor, g, lower=1)[0]))

    def _shortest(self, B: Float64) -> tuple[tuple[Float64, Float64, float], str]:
        """Return the solution of smallest norm in units of the scaled columns."""
        n, k = B.shape
        values, vectors = eigh(B.T @ B if k <= n else B @ B.T)
        kept = values > EIGEN * max(float(values[-1]), np.finfo(float).tiny)
        V, inverse = vectors[:, kept], 1.0 / values[kept, None]
        coef, left = np.zeros((k, self.y.shape[1])), self.y
        for _ in range(2):
            if k <= n:
                coef = coef + V @ (inverse * (V.T @ (B.T @ left)))
            else:
                coef = coef + B.T @ (V @ (inverse * (V.T @ left)))
            left = self.y - B @ coef
        g = V.T @ (B.T @ left if k <= n else left)
        gap = 0.5 * float(np.sum(inverse * g**2 if k <= n else g**2))
        return (coef, left, gap), DEPENDENT


class Likelihood:
    """Newton's method under a tiny ridge, then without it where that is a small step."""

    def __init__(self, study: Study, target: Target, features: Index) -> None:
        self.target, self.loss = target, make_loss(target)
        self.null = fit_null(target).value
        centred = study.fit_intercept or target.risk is not None
        self.columns = make_columns(study, features, target.w, centred=centred)
        self.ones = np.ones((study.given.n, int(study.fit_intercept)))
        self.curvature, self.share = null_curvature(target), TAU
        # Scaled coefficients of the last fit, from which the next one starts.
        self.last = np.zeros((target.outputs, features.size))
        self.intercept = np.zeros((target.outputs, self.ones.shape[1]))

    def fit(self, support: Index) -> Fit:
        """Return the fit on a support."""
        at, k = self.columns.places(support), support.size
        T = np.ascontiguousarray(np.concatenate([self.columns.B[:, at], self.ones], axis=1))
        null, self.share = self.null, TAU
        goal = GOAL * max(null, np.finfo(float).tiny)
        point, gap = self._ridged(T, k, (self.last[:, at], self.intercept), goal)
        if gap > CLOSE * null:
            point, gap = self._from_firm(T, k, goal)
        self.last[:, at], self.intercept = point.c, point.u
        coef, u, fit, kind = point.c, point.u, point.fit, RIDGED
        better = self._without_ridge(T, point, goal)
        if better is not None:
            both, kind, fit = better.u, ORDINARY, better.fit
            coef, u = both[:, :k], both[:, k:]
            gap = float(np.abs(both * (better.v @ T)).sum())
        own, intercept = self.columns.on_input_scale(at, coef, u[:, 0] if u.shape[1] else np.zeros(len(u)))
        return Fit(own, intercept, max(fit, 0.0), gap, kind, self.share)

    def _from_firm(self, T: Float64, k: int, goal: float) -> tuple[Point, float]:
        """Return the minimum with the smallest ridge that is reached from a firm one, step by step.

        A likelihood that rises for ever leads out of what sums of exponentials can hold.
        """
        start = np.zeros((self.last.shape[0], k)), np.zeros_like(self.intercept)
        found: tuple[Point, float, float] | None = None
        for share in FIRM:
            self.share = float(share)
            point, gap = self._ridged(T, k, start, goal)
            if found is not None and gap > CLOSE * self.null:
                break
            found, start = (point, gap, self.share), (point.c, point.u)
        assert found is not None
        self.share = found[2]
        return found[0], found[1]

    def _ridged(self, T: Float64, k: int, start: tuple[Float64, Float64], goal: float) -> tuple[Point, float]:
        """Return the minimum with the tiny ridge, from a start or from zero, and its gap."""
        newton = Newton(Primal(T, k), self.loss, start[1], proves_balance=False)
        begin = newton.evaluated(*start, *newton.space.image(start[0]))
        begin = begin if begin.fit + 0.5 * self.tau * begin.ridge <= newton.last.fit else newton.last
        point, _ = newton.improve(begin, self.tau, goal, RIDGE_STEPS)
        assert point is not None
        return point, self._ridge_gap(T, point, k)

    @property
    def tau(self) -> float:
        """Return the ridge at hand, in units of the objective."""
        return self.share * self.curvature

    def _without_ridge(self, T: Float64, point: Point, goal: float) -> Point | None:
        """Return the minimum without ridge; None where there is none near by."""
        u = np.concatenate([point.c, point.u], axis=1)
        newton = Newton(Primal(T, 0), self.loss, u, proves_balance=True)
        found, _ = newton.improve(newton.last, 1.0, goal, POLISH)
        assert found is not None
        square = np.divide(found.v**2, self.target.w, out=np.zeros_like(found.v), where=self.target.w > 0)
        if np.abs(found.v @ T).max(initial=0.0) > BALANCED * float(np.sqrt(square.sum())):
            return None
        seen = self.target.w > 0.0
        is_endless = self.target.family in ENDLESS
        if is_endless and np.abs(found.eta - point.eta)[:, seen].max(initial=0.0) > MOVED:
            return None
        return found

    def _ridge_gap(self, T: Float64, point: Point, k: int) -> float:
        """Return the gap of the problem with ridge: tau/2 ||c - g/tau||^2, and the intercepts' own terms."""
        g = point.v @ T
        own = 0.5 * self.tau * float(np.sum((point.c - g[:, :k] / self.tau) ** 2))
        return own + float(np.abs(point.u * g[:, k:]).sum())


class Bounded:
    """Any loss within bounds: a path of one alpha on the columns of the support, pure ridge, tiny."""

    def __init__(self, study: Study, target: Response | Target, features: Index) -> None:
        self.study, self.target = study, target
        is_squares = not isinstance(target, Target)
        self.tau = TAU_SQUARES if is_squares else TAU * null_curvature(target)
        self.raw = target.w * target.total_weight

    def fit(self, support: Index) -> Fit:
        """Return the fit on a support."""
        outputs = self.target.outputs if isinstance(self.target, Target) else 1
        if support.size == 0:
            return _null_fit(self.study, self.target)
        part = part_of(
            self.study, support, alphas=[self.tau], l1_ratio=0.0, standardize=True, penalty_factor=1.0,
            tol=1e-12, n_threads=1, eps=1e-3, n_alphas=None,
        )  # fmt: skip
        path = part.fit_whole(self.raw)
        coef = path.coefs_sparse.toarray().reshape(outputs, -1)
        loss = (1.0 - float(path.dev_ratio[0])) * path.null_objective
        return Fit(coef, np.atleast_2d(path.intercepts)[:, 0], loss, float(path.dual_gaps[0]), RIDGED)


def _null_fit(study: Study, target: Response | Target) -> Fit:
    """Return the fit without features."""
    nothing = np.zeros(0, dtype=np.int64)
    if isinstance(target, Target):
        return Likelihood(study, target, nothing).fit(nothing)
    return LeastSquares(study, target, nothing).fit(nothing)


def make_refitter(
    study: Study, target: Response | Target, features: Index, *, has_bounds: bool
) -> Callable[[Index], Fit]:
    """Return a function that fits supports within some features.

    Parameters
    ----------
    study : Study
        The data.
    target : Response or Target
        The response under the weights to use.
    features : (u,) int64
        All features that will be asked for, sorted.
    has_bounds : bool
        Whether any of them has a bound.

    Returns
    -------
    callable
        Takes a sorted support and returns its ``Fit``.
    """
    if has_bounds:
        return Bounded(study, target, features).fit
    if isinstance(target, Target) and target.family != "mgaussian":
        return Likelihood(study, target, features).fit
    return LeastSquares(study, target, features).fit
