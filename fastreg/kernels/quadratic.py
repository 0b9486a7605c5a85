"""The quadratic model of a loss with one output: weighted least squares, as descent knows it."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from .._jit import fused_part, kernel, part
from .curved import FIT, NULL, RISE, curved_gap, evaluate
from .duality import penalty
from .finish import PAUSED, SOLVED
from .losses import HAS_INTERCEPT
from .newton import BEST, IDLE, IS_FRESH, MANY_PRODUCTS, PRODUCTS, SQUARE, STALLED, SUM, descend
from .state import GRADIENTS
from .updates import correlate

# A square about the mean that is less than this share of the one about zero has lost digits.
CANCELLED = 1e-6
# Share of the gap that a model's solution may keep, and of the goal it never needs to fall below.
MODEL_SHARE, LEAST_SHARE = 0.03, 0.5
# Share of what the loss is foreseen to leave after a step, because it is no parabola: its model is solved no
# further.
LEFT_SHARE = 0.3
# Share of the allowed gap: where steps left less at the last alpha, the pass over all features looks at once.
SURE = 0.5
# Rounds of descent for one model, and Newton steps without progress after which the arithmetic gives no more.
MODEL_ROUNDS, MOST_IDLE = 60, 8
# Steps at one alpha of which more are not foreseen.
MOST_FORESEEN = 4
# Entries of notes.
TAKEN, LEAST, IDLE_STEPS, BEFORE, LEFT = 0, 1, 2, 3, 4
NOTES = LEFT + MOST_FORESEEN
# A step that raises the objective is cut to this share of itself, so often at most.
SHORTER, MOST_CUTS = 0.3, 30


@fused_part
def _moments(data, indices, start, stop, w):  # type: ignore[no-untyped-def]
    """Return the sums of w x and w x^2 over a column's entries, in the order of storage.gather."""
    t, last = np.int64(start), np.int64(stop) - 1
    if t > last:
        return 0.0, 0.0
    even = odd = even_square = odd_square = 0.0
    while t < last:
        x, z = data[t], data[t + 1]
        a, b = w[indices[t]] * x, w[indices[t + 1]] * z
        even += a
        odd += b
        even_square += a * x
        odd_square += b * z
        t += 2
    is_left = float(last + 1 - t)
    t = min(t, last)
    x = is_left * data[t]
    a = w[indices[t]] * x
    return even + odd + a, even_square + odd_square + a * x


@part
def _measure(D, places, m, w, is_centred, sqnorm):  # type: ignore[no-untyped-def]
    """Write the means of the columns at m places and their squares about them, for weights with sum one."""
    for s in range(m):
        j = places[s]
        mean, square = _moments(D.data, D.indices, D.indptr[j], D.indptr[j + 1], w)
        about = square - mean * mean if is_centred else square
        if about < CANCELLED * square:
            about = stored = 0.0
            for t in range(D.indptr[j], D.indptr[j + 1]):
                d = D.data[t] - mean
                about += w[D.indices[t]] * d * d
                stored += w[D.indices[t]]
            about += max(1.0 - stored, 0.0) * mean * mean
        D.mean[j] = mean if is_centred else 0.0
        sqnorm[s] = about * D.scale[j] * D.scale[j]


@part
def _form_model(U, W, T, sqnorm, carry):  # type: ignore[no-untyped-def]
    """Write weights, response and residual of the model at U's predictor over T; return the unit of weight.

    T.D holds the working set's columns, packed, where W says; it gets the means of these weights, ``sqnorm``
    the columns' squares. The model's objective is the loss's over that unit, and W.g becomes the model's.
    ``carry`` is Krylov's, which is told of a fresh start.
    """
    n, m = T.w.shape[0], W.size[0]
    unit = 0.0
    for i in range(n):
        unit += U.N.mass[0, i]
    for i in range(n):
        T.w[i] = U.N.mass[0, i] / unit
    is_centred = U.L.traits[HAS_INTERCEPT] == 1
    _measure(T.D, W.feature, m, T.w, is_centred, sqnorm)
    for s in range(m):
        W.g[s] /= unit
    level = 0.0
    for i in range(n):
        level += T.w[i] * (U.E[0, i] - U.L.offset[0, i])
    if not is_centred:
        level = 0.0
    for i in range(n):
        T.v[i] = U.V[0, i] / unit
        # Weights never vanish, but where rows have none.
        T.r[i] = T.v[i] / T.w[i] if T.w[i] > 0.0 else 0.0
        T.y[i] = T.r[i] + U.E[0, i] - U.L.offset[0, i] - level
    total = square = 0.0
    for i in range(n):
        total += T.v[i]
        square += T.v[i] * T.r[i]
    carry[BEST], carry[IDLE], carry[PRODUCTS] = math.inf, 0.0, MANY_PRODUCTS
    carry[SUM], carry[SQUARE], carry[IS_FRESH] = total, square, 1.0
    return unit


class Aim(NamedTuple):
    """At which alpha, to which gap within the working set, in how many steps; whether a pass follows."""

    alpha: float
    gap: float
    steps: int
    by_passes: bool


@part
def _foreseen(notes, steps):  # type: ignore[no-untyped-def]
    """Return the gap that so many steps left at the last alpha that took them."""
    return notes[LEFT + int(steps)] if steps < MOST_FORESEEN else math.inf


@part
def _note_gap(notes, gap):  # type: ignore[no-untyped-def]
    """Note the gap that the steps so far have left."""
    if notes[TAKEN] < MOST_FORESEEN:
        notes[LEFT + int(notes[TAKEN])] = gap


@part
def _goal(notes, enough, gap):  # type: ignore[no-untyped-def]
    """Return the gap that the next model is to be solved to."""
    goal, before = LEAST_SHARE * enough, notes[BEFORE]
    # Endless while a free feature's equation is not met: that says nothing of how far to go.
    if not gap < math.inf:
        return goal
    # Newton squares what is left: no model is solved further than the next one starts from,
    goal = max(goal, min(MODEL_SHARE, (gap / before) * (gap / before)) * gap)
    # or than what the loss is foreseen to leave beside it.
    left = _foreseen(notes, notes[TAKEN] + 1.0)
    return max(goal, min(LEFT_SHARE * left, MODEL_SHARE * gap)) if left < math.inf else goal


@part
def _newton_step(U, W, T, M, K, alpha, value, goal, is_read_after, stats):  # type: ignore[no-untyped-def]
    """Solve the model at hand to the goal and move there, or as far as the objective falls.

    An endless goal is to look where the coefficients are.
    """
    m = W.size[0]
    for s in range(m):
        W.before[s] = W.beta[s]
    if goal < math.inf:
        unit = _form_model(U, W, T, M.sqnorm, K.carry)
        descend(T, M, K, alpha / unit, goal / unit, MODEL_ROUNDS, is_read_after, stats)
        stats[GRADIENTS] += 1
    highest = value + RISE * (math.fabs(value) + U.memo[NULL])
    cuts = 0
    # One place that evaluates the loss: each is a copy of all losses.
    while True:
        evaluate(U, W.feature, W.beta, m)
        if cuts == MOST_CUTS or U.memo[FIT] + penalty(W, alpha) <= highest:
            return
        cuts += 1
        for s in range(m):
            W.beta[s] = W.before[s] + SHORTER * (W.beta[s] - W.before[s])


@kernel
def solve_by_models(U, W, T, M, K, aim, notes, stats):  # type: ignore[no-untyped-def]
    """Carry W.beta to where the gap within the working set is allowed or foreseen to be; return a code.

    T and M are the model's updates and working set, see _form_model. ``notes`` = [steps taken at this alpha,
    least gap seen there, steps since it fell by half, gap one step earlier; then the gap that 0, 1, ... steps
    left at the last alpha that took so many].
    """
    alpha, enough = aim.alpha, aim.gap
    value = goal = math.inf
    # The first step follows what was changed from outside.
    for step in range(aim.steps + 1):
        # All correlations are formed next, but a model that is left early may change nothing: not twice.
        _newton_step(U, W, T, M, K, alpha, value, goal, notes[IDLE_STEPS] == 0.0, stats)
        if step > 0:
            notes[TAKEN] += 1.0
            if aim.by_passes and _foreseen(notes, notes[TAKEN]) < SURE * enough:
                return SOLVED
        # Zero, but not a literal: for a literal numba would compile another scan.
        correlate(U, W.feature, 0 * W.size[0], W.size[0], W.g)
        if step == aim.steps:
            return PAUSED
        gap, value = curved_gap(U, W, alpha, 1.0, enough), U.memo[FIT] + penalty(W, alpha)
        if notes[TAKEN] > 0.0:
            _note_gap(notes, gap)
        if gap <= enough:
            return SOLVED
        notes[IDLE_STEPS] = 0.0 if gap < 0.5 * notes[LEAST] else notes[IDLE_STEPS] + 1.0
        notes[LEAST] = min(notes[LEAST], gap)
        if notes[IDLE_STEPS] > MOST_IDLE:
            return STALLED
        goal = _goal(notes, enough, gap)
        notes[BEFORE] = gap if gap < math.inf else notes[BEFORE]
    return PAUSED
