"""Cox's partial likelihood: every product with a risk set is a running sum over event times.

A row is at risk in the groups enter <= g < leave; the groups of a stratum follow one another and ``restart``
marks the last. A term t of group g compares its events D with sum_i a_i exp(eta_i), a_i = w_i (1 - fraction_t
[i in D]): one term for Breslow's ties, as many as events for Efron's. Sums over risk sets run from the last
group of a stratum to its first, sums over the past of a row from the first on: O(n + terms) in all.

Where events come in the order of a predictor, risk sets differ by any power and every event is all but
certain. So each group counts exponentials from the largest of its own, ``top``; those at risk without event
are summed apart from the events; and what is left of a probability near one is formed from the others.
"""

from __future__ import annotations

import math

from .._jit import exact_part, part
from .entropy import phi
from .exponential import exponential

# A sum over a risk set that underflows counts as this, whose square does not.
TINY = 1e-140


@part
def _find_tops(L, N, eta):  # type: ignore[no-untyped-def]
    """Write top, the largest predictor of who has not left, and decay, exp of what it falls to the next."""
    groups = N.top.shape[0]
    for g in range(groups):
        N.top[g] = -math.inf
    for i in range(L.w.shape[0]):
        if L.leave[i] > L.enter[i] and L.w[i] > 0.0:
            last = L.leave[i] - 1
            N.top[last] = max(N.top[last], eta[0, i])
    for g in range(groups - 2, -1, -1):
        if L.restart[g] == 0:
            N.top[g] = max(N.top[g], N.top[g + 1])
    for g in range(groups):
        N.decay[g] = 0.0
        if L.restart[g] == 0:
            # The largest rarely leaves: most of these exponentials are of zero.
            N.decay[g] = math.exp(N.top[g + 1] - N.top[g]) if N.top[g + 1] < N.top[g] else 1.0


@part
def _over_risk_sets(L, C, x, others, tied):  # type: ignore[no-untyped-def]
    """Write sum_i mass_i x_i over who is at risk without event in every group, and over its events."""
    groups = others.shape[0]
    for g in range(groups):
        others[g] = tied[g] = 0.0
    for i in range(L.w.shape[0]):
        # Both sums, lest the processor guess who had an event. Rows that are never at risk have no mass.
        last = L.leave[i] - 1
        part_of_sum = C.mass[0, i] * x[0, i]
        tied[last] += part_of_sum if L.group[i] >= 0 else 0.0
        others[last] += 0.0 if L.group[i] >= 0 else part_of_sum
        if C.early[i] > 0.0:
            # Who enters late leaves the sums again, on the way down.
            others[L.enter[i] - 1] -= C.early[i] * x[0, i]
    for g in range(groups - 2, -1, -1):
        others[g] += (others[g + 1] + tied[g + 1]) * C.decay[g]


@part
def _term_sum(L, C, g, t):  # type: ignore[no-untyped-def]
    """Return the term's sum over its risk set."""
    return max(C.sums[g] + (1.0 - L.term_fraction[t]) * C.tied[g], TINY)


@exact_part
def _accumulate_rates(L, N):  # type: ignore[no-untyped-def]
    """Write rate, the running sum of weight / sum within the stratum, and what events have of their own.

    With k the share of an event in its term, 1 less its fraction, O the sum of who has no event: weight =
    sum_t weight_t, own = O / weight sum_t weight_t / sum, kept = sum_t k weight_t / sum / weight, near =
    sum_t k weight_t / sum^2 and tied_near = sum_t k^2 weight_t / sum^2.
    """
    before = 0.0
    for g in range(N.sums.shape[0]):
        weight = own = kept = near = tied_near = 0.0
        for t in range(L.first_term[g], L.first_term[g + 1]):
            total = _term_sum(L, N, g, t)
            k = 1.0 - L.term_fraction[t]
            share = L.term_weight[t] / total
            weight += L.term_weight[t]
            own += share
            kept += k * share
            near += k * share / total
            tied_near += k * k * share / total
        N.before[g], N.rate[g] = before, own + before
        before = N.rate[g] * N.decay[g]
        N.weight[g], N.own[g], N.kept[g] = weight, N.sums[g] * own / weight, kept / weight
        N.near[g], N.tied_near[g] = near, tied_near


@exact_part
def cox_respond(L, N, eta, r):  # type: ignore[no-untyped-def]
    """Write the pseudo-residual (the martingale residual), and what N holds of the risk sets.

    mass and early are w exp(eta - top), top that of the last group of a row and of the one before it entered.
    Exact: for an event alone at its time, differences of the same product are to vanish.
    """
    n = L.w.shape[0]
    _find_tops(L, N, eta)
    for i in range(n):
        N.mass[0, i] = N.early[i] = 0.0
        r[0, i] = 1.0
        if L.leave[i] > L.enter[i] and L.w[i] > 0.0:
            N.mass[0, i] = L.w[i] * exponential(eta[0, i] - N.top[L.leave[i] - 1])
            if L.enter[i] > 0 and L.restart[L.enter[i] - 1] == 0:
                N.early[i] = L.w[i] * exponential(eta[0, i] - N.top[L.enter[i] - 1])
    _over_risk_sets(L, N, r, N.sums, N.tied)
    for g in range(N.sums.shape[0]):
        # Entries that come and go may cancel.
        N.sums[g] = max(N.sums[g], 0.0)
    _accumulate_rates(L, N)
    for i in range(n):
        g = L.group[i]
        last = L.leave[i] - 1
        past = N.mass[0, i] * (N.rate[last] if g < 0 else N.before[last])
        if N.early[i] > 0.0:
            past = _late_past(L, N, i, past, N.early[i] * N.rate[L.enter[i] - 1])
        # w less mass times sum_t k weight_t / sum, by who else is at risk: the terms' weights sum to weight.
        tied = (L.w[i] * N.tied[last] - N.weight[last] * N.mass[0, i]) * N.kept[last]
        own = L.w[i] * N.own[last] + tied if g >= 0 else 0.0
        r[0, i] = (own - past) / L.w[i] if L.w[i] > 0.0 else 0.0


@part
def _late_past(L, C, i, past, early):  # type: ignore[no-untyped-def]
    """Return past without what came before row i entered; nothing where its event follows at once."""
    return past - early if L.enter[i] + (L.group[i] >= 0) < L.leave[i] else 0.0


@exact_part
def cox_objective(L, N, eta):  # type: ignore[no-untyped-def]
    """Return minus the log partial likelihood, less its saturated value."""
    total = 0.0
    for g in range(N.sums.shape[0]):
        weight = N.weight[g]
        # The saturated model leaves all of each term's risk to its events: log(1 + others / events) of it.
        is_likely = N.sums[g] < N.tied[g]
        if is_likely:
            total += weight * math.log(N.tied[g] / weight)
        for t in range(L.first_term[g], L.first_term[g + 1]):
            k = 1.0 - L.term_fraction[t]
            if is_likely:
                total += L.term_weight[t] * math.log1p(N.sums[g] / (k * N.tied[g]))
            else:
                total += L.term_weight[t] * math.log(_term_sum(L, N, g, t) / (k * weight))
    for i in range(L.w.shape[0]):
        if L.group[i] >= 0:
            total -= L.w[i] * (eta[0, i] - N.top[L.group[i]])
    return total


@exact_part
def cox_flex(L, C, x):  # type: ignore[no-untyped-def]
    """Replace x by H x, sum_t weight_t (diag(pi_t) - pi_t pi_t') x.

    An event's own terms have x_i less the mean of x by (x_i O - P) / sum, O and P the sums of 1 and of x over
    the others. Exact: see cox_respond.
    """
    _over_risk_sets(L, C, x, C.others_pull, C.tied_pull)
    before = 0.0
    for g in range(C.sums.shape[0]):
        own = 0.0
        for t in range(L.first_term[g], L.first_term[g + 1]):
            total = _term_sum(L, C, g, t)
            mean = (C.others_pull[g] + (1.0 - L.term_fraction[t]) * C.tied_pull[g]) / total
            own += L.term_weight[t] / total * mean
        C.pull_before[g], C.pull[g] = before, own + before
        before = C.pull[g] * C.decay[g]
    for i in range(L.w.shape[0]):
        is_event = L.group[i] >= 0
        last = L.leave[i] - 1
        rate = C.before[last] if is_event else C.rate[last]
        pull = C.pull_before[last] if is_event else C.pull[last]
        past = C.mass[0, i] * (x[0, i] * rate - pull)
        if C.early[i] > 0.0:
            a = L.enter[i] - 1
            past = _late_past(L, C, i, past, C.early[i] * (x[0, i] * C.rate[a] - C.pull[a]))
        others = x[0, i] * C.sums[last] - C.others_pull[last]
        tied = x[0, i] * C.tied[last] - C.tied_pull[last]
        own = C.mass[0, i] * (others * C.near[last] + tied * C.tied_near[last])
        x[0, i] = past + own if is_event else past


@exact_part
def cox_divergence(L, N, c):  # type: ignore[no-untyped-def]
    """Return sum_t weight_t KL(c pi_t + (1 - c) e_t, pi_t), e_t the events' shares of their weight."""
    outside = phi(c - 1.0)
    total = 0.0
    for g in range(N.sums.shape[0]):
        for t in range(L.first_term[g], L.first_term[g + 1]):
            total += L.term_weight[t] * outside * (N.sums[g] / _term_sum(L, N, g, t))
    for i in range(L.w.shape[0]):
        g = L.group[i]
        if g < 0 or L.w[i] == 0.0:
            continue
        share = L.w[i] / N.weight[g]
        if N.mass[0, i] <= 0.0:
            return math.inf
        for t in range(L.first_term[g], L.first_term[g + 1]):
            k = 1.0 - L.term_fraction[t]
            pi = k * N.mass[0, i] / _term_sum(L, N, g, t)
            # share / pi - 1
            apart = (share * N.sums[g] + k * (share * N.tied[g] - N.mass[0, i])) / (k * N.mass[0, i])
            total += L.term_weight[t] * pi * phi((1.0 - c) * apart)
    return total
