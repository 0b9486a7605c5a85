"""Cox's partial likelihood: every product with a risk set is a running sum over event times.

A row is at risk in the groups enter <= g < leave; the groups of a stratum follow one another and ``restart``
marks the last. A term t of group g compares its events D with sum_i a_i exp(eta_i), a_i = w_i (1 - fraction_t
[i in D]): one term for Breslow's ties, as many as events for Efron's. Sums over risk sets run from the last
group of a stratum to its first, sums over the past of a row from the first on: O(n + terms) in all.
"""

from __future__ import annotations

import math

from .._jit import exact_part, part
from .entropy import phi
from .exponential import exponential

# A sum over a risk set that underflows counts as this.
TINY = 1e-290


@part
def _over_risk_sets(L, mass, x, sums, tied):  # type: ignore[no-untyped-def]
    """Write sum_i mass_i x_i over every group's risk set and over its events."""
    groups = sums.shape[0]
    # Who enters late leaves the sums again, on the way down: noted in tied first.
    for g in range(groups):
        sums[g] = tied[g] = 0.0
    for i in range(mass.shape[1]):
        if L.leave[i] > L.enter[i]:
            sums[L.leave[i] - 1] += mass[0, i] * x[0, i]
            if L.enter[i] > 0 and L.restart[L.enter[i] - 1] == 0:
                tied[L.enter[i] - 1] += mass[0, i] * x[0, i]
    for g in range(groups - 2, -1, -1):
        if L.restart[g] == 0:
            sums[g] += sums[g + 1] - tied[g]
    for g in range(groups):
        tied[g] = 0.0
    for i in range(mass.shape[1]):
        if L.group[i] >= 0:
            tied[L.group[i]] += mass[0, i] * x[0, i]


@part
def _term_sum(L, C, g, t):  # type: ignore[no-untyped-def]
    """Return the term's sum over its risk set."""
    return max(C.sums[g] - L.term_fraction[t] * C.tied[g], TINY)


@part
def _accumulate_rates(L, C):  # type: ignore[no-untyped-def]
    """Write rate, the running sum of weight / sum within the stratum, and tied_rate, of what events miss."""
    for g in range(C.sums.shape[0]):
        own = missed = 0.0
        for t in range(L.first_term[g], L.first_term[g + 1]):
            share = L.term_weight[t] / _term_sum(L, C, g, t)
            own += share
            missed += share * L.term_fraction[t]
        C.rate[g] = own + (C.rate[g - 1] if g > 0 and L.restart[g - 1] == 0 else 0.0)
        C.tied_rate[g] = missed


@part
def _past(L, running, i):  # type: ignore[no-untyped-def]
    """Return the part of a running sum that belongs to the groups at which row i is at risk."""
    a, b = L.enter[i], L.leave[i]
    if b <= a:
        return 0.0
    before = running[a - 1] if a > 0 and L.restart[a - 1] == 0 else 0.0
    return running[b - 1] - before


@part
def cox_respond(L, N, eta, r):  # type: ignore[no-untyped-def]
    """Write the pseudo-residual (the martingale residual), N's mass w exp(eta - top), sums and rates."""
    n = L.w.shape[0]
    top = -math.inf
    for i in range(n):
        top = max(top, eta[0, i])
    N.top[0] = top
    for i in range(n):
        r[0, i] = exponential(eta[0, i] - top)
        N.mass[0, i] = L.w[i]
    _over_risk_sets(L, N.mass, r, N.sums, N.tied)
    _accumulate_rates(L, N)
    for i in range(n):
        N.mass[0, i] = L.w[i] * r[0, i]
        hazard = _past(L, N.rate, i)
        g = L.group[i]
        if g >= 0:
            hazard -= N.tied_rate[g]
        r[0, i] = (1.0 if g >= 0 else 0.0) - r[0, i] * hazard


@part
def cox_objective(L, N, eta):  # type: ignore[no-untyped-def]
    """Return minus the log partial likelihood, less its saturated value."""
    total = -L.scale[1]
    for g in range(N.sums.shape[0]):
        for t in range(L.first_term[g], L.first_term[g + 1]):
            total += L.term_weight[t] * (math.log(_term_sum(L, N, g, t)) + N.top[0])
    for i in range(L.w.shape[0]):
        if L.group[i] >= 0:
            total -= L.w[i] * eta[0, i]
    return total


@exact_part
def cox_flex(L, C, x):  # type: ignore[no-untyped-def]
    """Replace x by H x, sum_t weight_t (diag(pi_t) - pi_t pi_t') x.

    Exact: a compiler that may regroup divisions squares a sum over a risk set, which underflows.
    """
    groups = C.sums.shape[0]
    # pull and tied_pull hold the sums of x first, then their running sums.
    _over_risk_sets(L, C.mass, x, C.pull, C.tied_pull)
    running = 0.0
    for g in range(groups):
        own = missed = 0.0
        for t in range(L.first_term[g], L.first_term[g + 1]):
            total = _term_sum(L, C, g, t)
            mean = (C.pull[g] - L.term_fraction[t] * C.tied_pull[g]) / total
            share = L.term_weight[t] / total * mean
            own += share
            missed += share * L.term_fraction[t]
        running = own + (running if g > 0 and L.restart[g - 1] == 0 else 0.0)
        C.pull[g] = running
        C.tied_pull[g] = missed
    for i in range(L.w.shape[0]):
        rate, pull = _past(L, C.rate, i), _past(L, C.pull, i)
        g = L.group[i]
        if g >= 0:
            rate -= C.tied_rate[g]
            pull -= C.tied_pull[g]
        x[0, i] = C.mass[0, i] * (x[0, i] * rate - pull)


@exact_part
def cox_divergence(L, N, c):  # type: ignore[no-untyped-def]
    """Return sum_t weight_t KL(c pi_t + (1 - c) e_t, pi_t), e_t the events' shares of their weight."""
    outside = phi(c - 1.0)
    total = 0.0
    for g in range(N.sums.shape[0]):
        for t in range(L.first_term[g], L.first_term[g + 1]):
            total += L.term_weight[t] * outside
    for i in range(L.w.shape[0]):
        g = L.group[i]
        if g < 0 or L.w[i] == 0.0:
            continue
        weight = 0.0
        for t in range(L.first_term[g], L.first_term[g + 1]):
            weight += L.term_weight[t]
        for t in range(L.first_term[g], L.first_term[g + 1]):
            pi = N.mass[0, i] * (1.0 - L.term_fraction[t])
            pi /= max(N.sums[g] - L.term_fraction[t] * N.tied[g], TINY)
            share = L.w[i] / weight
            if pi <= 0.0:
                return math.inf
            total += L.term_weight[t] * pi * (phi((1.0 - c) * (share / pi - 1.0)) - outside)
    return max(total, 0.0)
