"""Several paths on the same columns, carried on in one compiled call.

Each goes on as by itself until reading all columns pays it. There it waits, until all others wait too, are
done or need the driver: then all columns are read once for everybody who waits.
"""

from __future__ import annotations

from typing import NamedTuple

from .._bundle import bundle
from .._jit import kernel, part
from .._typing import Float64, Index
from .engine import ABSORB, READ_ALL, Limits, follow_path
from .models import LISTED, LOOKS, NEXT, ROW, TO_READ
from .screening import most_used, relate_anew, rest_together
from .state import COLUMNS_READ
from .storage import cross
from .workingset import list_near

# What the driver says of each path: how far, with which limits, where it goes on; the last three are answers.
STOP, INLINE_READS, MAX_ROUNDS, LATER_ROUNDS, WORK_AT_ONCE, LARGEST_SUPPORT, STAGE, FINISHED, CODE = range(9)
FIELDS = 9
# Code of a path that goes on.
GO_ON = -1


@bundle
class Waiting(NamedTuple):
    """Work space for paths that wait for all columns.

    ``member`` (B,) their numbers, ``V`` (B, n) their weighted residuals, ``sums`` (B,) what these sum up to,
    ``product`` (B, p) their correlations; ``features`` (p,) lists all.
    """

    member: Index
    V: Float64
    sums: Float64
    product: Float64
    features: Index


@kernel
def follow_together(states, trails, alphas, orders, waiting):  # type: ignore[no-untyped-def]
    """Carry several paths on, each as follow does, until none can go on without its driver.

    Path m, on ``states[m]`` and ``trails[m]``, has the alphas ``alphas[m, :STOP]`` and obeys ``orders[m]``.
    Nobody is answered READ_ALL: here all columns are read.
    """
    D, features = states[0].U.D, waiting.features
    while True:
        count = 0
        for m in range(orders.shape[0]):
            if orders[m, CODE] == GO_ON:
                _carry_on(states[m], trails[m], alphas[m, : orders[m, STOP]], orders[m])
            if orders[m, CODE] == READ_ALL:
                waiting.member[count] = m
                waiting.sums[count] = 0.0
                for i in range(waiting.V.shape[1]):
                    waiting.V[count, i] = states[m].U.v[i]
                    waiting.sums[count] += states[m].U.v[i]
                count += 1
        if count == 0:
            return
        # A column in the cache serves every residual.
        cross(D, features, features, features.shape[0], waiting.V, waiting.sums, count, waiting.product)
        for b in range(count):
            m = waiting.member[b]
            _rest_anew(states[m], alphas[m, orders[m, FINISHED]], waiting.product[b])
            orders[m, CODE], orders[m, STAGE] = GO_ON, ABSORB


@part
def _carry_on(S, trail, alphas, order):  # type: ignore[no-untyped-def]
    """Do what follow does, as one path's order says; write the answer there."""
    limits = Limits(
        order[INLINE_READS],
        order[MAX_ROUNDS],
        order[LATER_ROUNDS],
        order[WORK_AT_ONCE],
        order[LARGEST_SUPPORT],
    )
    code, finished = follow_path(S, alphas, order[FINISHED], order[STOP], order[STAGE], limits, trail)
    order[CODE], order[FINISHED] = code, finished


@part
def _rest_anew(S, alpha, values):  # type: ignore[no-untyped-def]
    """Let every feature outside the working set rest on the residual that READ_ALL was answered for.

    The look goes on with stage ABSORB: those that are near count as read, and others are selected once more.
    """
    row, p = int(S.report[ROW]), values.shape[0]
    # Zero, but not a literal: for a literal numba would compile it again.
    rest_together(S.Q, row, most_used(S.Q), 0 * row, p, values, S.sqnorm)
    relate_anew(S.Q, S.U.r, S.root_w)
    S.report[TO_READ] = list_near(S, alpha, values)
    S.report[NEXT] = S.report[LOOKS] = S.report[LISTED] = 0.0
    S.stats[COLUMNS_READ] += p


@kernel
def correlate_several(D, features, V, sums, out):  # type: ignore[no-untyped-def]
    """Write out[b, j] = x~_j . V[b] for all features, listed in order; sums[b] is the sum of V[b]."""
    cross(D, features, features, features.shape[0], V, sums, V.shape[0], out)
