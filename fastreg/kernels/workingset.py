"""The working set's membership: who enters when a column was read, who leaves when an alpha is done."""

from __future__ import annotations

import math

from .._jit import part
from .finish import SLACK
from .models import COMMON, TO_READ, VIOLATORS
from .repeated import entry
from .screening import LIFTED, NOBODY, lift, rest_on

# A column that was read stays in the working set when its correlation reaches this share of alpha l1.
NEAR = 0.95


@part
def enlist(W, P, j, sqnorm, g):  # type: ignore[no-untyped-def]
    """Give feature j a slot."""
    s = W.size[0]
    W.feature[s] = j
    W.beta[s] = 0.0
    W.g[s] = g
    W.earlier[s] = math.nan
    W.settled[s] = W.lost[s] = 0.0
    W.l1[s] = entry(P.l1, j)
    W.l2[s] = entry(P.l2, j)
    W.lower[s] = entry(P.lower, j)
    W.upper[s] = entry(P.upper, j)
    W.sqnorm[s] = sqnorm
    W.place[s] = -1
    if W.slot_of.shape[0] > 0:
        W.slot_of[j] = s
    rank = _rank(W, s, j)
    for t in range(s, rank, -1):
        W.order[t] = W.order[t - 1]
    W.order[rank] = s
    W.size[0] = s + 1


@part
def _rank(W, m, j):  # type: ignore[no-untyped-def]
    """Return how many of m slots have a feature before j."""
    # Of the type of a count, so that the compiler need not join two.
    low, high = 0 * m, m
    while low < high:
        middle = (low + high) // 2
        if W.feature[W.order[middle]] < j:
            low = middle + 1
        else:
            high = middle
    return low


@part
def discharge(W, support, s):  # type: ignore[no-untyped-def]
    """Take slot s, outside the support and at zero, out of the working set; the last slot fills the gap."""
    last = W.size[0] - 1
    rank, rank_of_last = _rank(W, last + 1, W.feature[s]), _rank(W, last + 1, W.feature[last])
    W.order[rank_of_last] = s
    for t in range(rank, last):
        W.order[t] = W.order[t + 1]
    if W.slot_of.shape[0] > 0:
        W.slot_of[W.feature[last]] = s
        W.slot_of[W.feature[s]] = -1
    if s != last:
        W.feature[s] = W.feature[last]
        W.beta[s] = W.beta[last]
        W.g[s] = W.g[last]
        W.earlier[s] = W.earlier[last]
        W.settled[s] = W.settled[last]
        W.lost[s] = W.lost[last]
        W.l1[s] = W.l1[last]
        W.l2[s] = W.l2[last]
        W.lower[s] = W.lower[last]
        W.upper[s] = W.upper[last]
        W.sqnorm[s] = W.sqnorm[last]
        W.place[s] = W.place[last]
        if W.place[s] >= 0:
            support[W.place[s]] = s
    W.size[0] = last


@part
def absorb(S, alpha, row, begin):  # type: ignore[no-untyped-def]
    """Enlist those of the columns just read, from number begin on, that are near, and count the violators.

    Return how many columns are done: less than were read when slots run out. The far ones rest on ``row``;
    where all columns are read they wait for each other.
    """
    count = int(S.report[TO_READ])
    is_all = S.report[COMMON] != NOBODY
    # Where nobody has a level of its own, most of all columns are passed over at a glance.
    far = alpha * S.P.l1[0] * NEAR if is_all and S.P.l1.shape[0] == 1 else -1.0
    for t in range(begin, count):
        g = S.reads.value[t]
        if math.fabs(g) <= far:
            continue
        j = S.reads.feature[t]
        if S.Q.frame[j] == LIFTED:
            continue
        level = alpha * entry(S.P.l1, j)
        size = max(g if entry(S.P.upper, j) > 0.0 else 0.0, -g if entry(S.P.lower, j) < 0.0 else 0.0)
        if size <= level * NEAR:
            if not is_all:
                rest_on(S.Q, j, row, g, S.sqnorm[j])
            continue
        if S.W.size[0] == S.W.feature.shape[0]:
            return t
        lift(S.Q, j)
        enlist(S.W, S.P, j, S.sqnorm[j], g)
        S.report[VIOLATORS] += size > level * (1.0 + SLACK)
    return count


@part
def list_near(S, alpha, values):  # type: ignore[no-untyped-def]
    """List the columns that absorb would enlist, as if they had been read; return how many find room."""
    count = 0
    for j in range(values.shape[0]):
        is_near = math.fabs(values[j]) > NEAR * alpha * entry(S.P.l1, j)
        if is_near and S.Q.frame[j] != LIFTED and count < S.reads.feature.shape[0]:
            S.reads.feature[count], S.reads.value[count] = j, values[j]
            count += 1
    return count


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
