"""The working set's membership: who enters when a column was read, who leaves when an alpha is done."""

from __future__ import annotations

import math

from .._jit import part
from .finish import SLACK
from .repeated import entry
from .screening import lift, rest_on

# A column that was read stays in the working set when its correlation reaches this share of alpha l1.
NEAR = 0.95


@part
def enlist(W, P, j, sqnorm, g):  # type: ignore[no-untyped-def]
    """Give feature j a slot."""
    s = W.size[0]
    W.feature[s] = j
    W.beta[s] = 0.0
    W.g[s] = g
    W.l1[s] = entry(P.l1, j)
    W.l2[s] = entry(P.l2, j)
    W.lower[s] = entry(P.lower, j)
    W.upper[s] = entry(P.upper, j)
    W.sqnorm[s] = sqnorm
    W.place[s] = -1
    W.slot_of[j] = s
    W.size[0] = s + 1


@part
def discharge(W, support, s):  # type: ignore[no-untyped-def]
    """Take slot s, outside the support and at zero, out of the working set; the last slot fills the gap."""
    last = W.size[0] - 1
    W.slot_of[W.feature[s]] = -1
    if s != last:
        W.feature[s] = W.feature[last]
        W.beta[s] = W.beta[last]
        W.g[s] = W.g[last]
        W.l1[s] = W.l1[last]
        W.l2[s] = W.l2[last]
        W.lower[s] = W.lower[last]
        W.upper[s] = W.upper[last]
        W.sqnorm[s] = W.sqnorm[last]
        W.place[s] = W.place[last]
        W.slot_of[W.feature[s]] = s
        if W.place[s] >= 0:
            support[W.place[s]] = s
    W.size[0] = last


@part
def absorb(Q, W, P, alpha, sqnorm, reads, count, row):  # type: ignore[no-untyped-def]
    """Let the columns just read rest on ``row``, enlist the near ones; return how many violate.

    The answer is -1 when slots run out. May be called again for the same columns once there is room.
    """
    violators = 0
    for t in range(count):
        j = reads.feature[t]
        g = reads.value[t]
        level = alpha * entry(P.l1, j)
        size = max(g if entry(P.upper, j) > 0.0 else 0.0, -g if entry(P.lower, j) < 0.0 else 0.0)
        if size <= level * NEAR:
            rest_on(Q, j, row, g, sqnorm[j])
        elif W.slot_of[j] < 0:
            if W.size[0] == W.feature.shape[0]:
                return -1
            lift(Q, j)
            enlist(W, P, j, sqnorm[j], g)
        if size > level * (1.0 + SLACK):
            violators += 1
    return violators


@part
def prune(Q, W, support, alpha, sqnorm, row):  # type: ignore[no-untyped-def]
    """Discharge the slots at zero that are far from entering.

    They rest on ``row``, where their correlation is known.
    """
    s = W.size[0] - 1
    while s >= 0:
        if W.place[s] < 0 and W.beta[s] == 0.0 and math.fabs(W.g[s]) < NEAR * alpha * W.l1[s]:
            j = W.feature[s]
            rest_on(Q, j, row, W.g[s], sqnorm[j])
            discharge(W, support, s)
        s -= 1
