"""Sums over risk sets for `certify`, free of cancellation: a tree over event times, in logarithms.

A row is at risk in an interval of event times. It is filed at the few nodes of a binary tree that make up the
interval; the sum over a risk set is the sum of the nodes above its event time. Nothing is ever subtracted,
late entry and strata included, and logarithms keep predictors of any size from overflowing.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fastreg._typing import Float64, Index, Mask


def log_sum(values: Float64, starts: Index, count: int) -> Float64:
    """Return log sum exp of consecutive runs of values; run k begins at starts[k], empty ones give -inf."""
    out = np.full(count, -np.inf)
    some = np.flatnonzero(np.diff(np.append(starts, values.size)) > 0)
    if some.size:
        first = starts[some]
        top = np.maximum.reduceat(values, first)
        safe = np.where(np.isfinite(top), top, 0.0)
        length = np.diff(np.append(first, values.size))
        with np.errstate(divide="ignore"):
            out[some] = safe + np.log(np.add.reduceat(np.exp(values - np.repeat(safe, length)), first))
    return out


class RiskTree:
    """Groups 0 .. size - 1 of event times, and rows at risk in enter <= g < leave."""

    def __init__(self, enter: Index, leave: Index, size: int) -> None:
        self.size, self.rows = size, enter.size
        self.depth = max(size - 1, 0).bit_length()
        self.half = 1 << self.depth
        self.paths = (np.arange(size)[:, None] + self.half) >> np.arange(self.depth + 1)
        rows, nodes = _file(enter, leave, self.half)
        order = np.argsort(nodes, kind="stable")
        self.members = rows[order]
        self.node_starts = np.searchsorted(nodes[order], np.arange(2 * self.half))
        order = np.argsort(rows, kind="stable")
        self.nodes = nodes[order]
        self.row_starts = np.searchsorted(rows[order], np.arange(self.rows))

    def over_rows(self, v: Float64) -> Float64:
        """Return log sum exp(v) over the rows at risk in every group."""
        nodes = log_sum(v[self.members], self.node_starts, 2 * self.half)
        return _along(nodes[self.paths])

    def over_groups(self, v: Float64) -> Float64:
        """Return log sum exp(v) over the groups in which every row is at risk."""
        nodes = np.full(2 * self.half, -np.inf)
        nodes[self.half : self.half + self.size] = v
        for level in range(self.depth - 1, -1, -1):
            parents = np.arange(1 << level, 2 << level)
            nodes[parents] = np.logaddexp(nodes[2 * parents], nodes[2 * parents + 1])
        return log_sum(nodes[self.nodes], self.row_starts, self.rows)


def _file(enter: Index, leave: Index, half: int) -> tuple[Index, Index]:
    """Return pairs (row, node) such that the nodes of a row make up its interval of leaves."""
    low, high = enter + half, np.maximum(leave, enter) + half
    owner = np.arange(enter.size)
    rows: list[Any] = [np.empty(0, dtype=np.int64)]
    nodes: list[Any] = [np.empty(0, dtype=np.int64)]
    while (low < high).any():
        for odd, node in (((low & 1 == 1) & (low < high), low), ((high & 1 == 1) & (low < high), high - 1)):
            rows.append(owner[odd])
            nodes.append(node[odd])
        low, high = (low + 1) >> 1, high >> 1
    return np.concatenate(rows), np.concatenate(nodes)


def _along(values: Float64) -> Float64:
    """Return log sum exp along the last axis; -inf where all entries are."""
    if values.shape[-1] == 0 or values.shape[0] == 0:
        return np.full(values.shape[0], -np.inf)
    top = values.max(axis=-1)
    safe = np.where(np.isfinite(top), top, 0.0)
    with np.errstate(divide="ignore"):
        out: Float64 = safe + np.log(np.exp(values - safe[..., None]).sum(axis=-1))
    return out


class Groups:
    """Event times within strata: who has an event at each, who else is at risk, the likelihood's terms."""

    def __init__(
        self, start: Float64 | None, stop: Float64, event: Mask, strata: Index, w: Float64, efron: bool
    ) -> None:
        n, total = stop.size, 0
        enter, leave = np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64)
        group = np.full(n, -1, dtype=np.int64)
        for stratum in np.unique(strata):
            rows = np.flatnonzero(strata == stratum)
            times = np.unique(stop[rows][event[rows]])
            # At risk where start < time <= stop; at its own event a row is counted among the events.
            first = 0 if start is None else np.searchsorted(times, start[rows], side="right")
            enter[rows] = total + first
            leave[rows] = total + np.searchsorted(times, stop[rows], side="right") - event[rows]
            group[rows] = np.where(event[rows], total + np.searchsorted(times, stop[rows]), -1)
            total += times.size
        self.tree = RiskTree(enter, leave, total)
        self.group, self.count = group, total
        self.events = np.argsort(np.where(group < 0, total, group), kind="stable")[: int(event.sum())]
        sizes = np.bincount(group[self.events], minlength=total)
        self.first_event = np.cumsum(sizes) - sizes
        weight = np.bincount(group[self.events], w[self.events], total)
        self.share = w[self.events] / weight[group[self.events]]  # e_t, for the rows of `events`
        terms = sizes if efron else np.ones(total, dtype=np.int64)
        self.term_group = np.repeat(np.arange(total), terms)
        self.first_term = np.cumsum(terms) - terms
        place = np.arange(self.term_group.size) - self.first_term[self.term_group]
        self.weight = (weight / terms)[self.term_group]
        self.log_rest = np.log1p(-place / terms[self.term_group])  # of 1 - fraction
        self.sizes = sizes
