"""Cox responses: who is at risk when, the terms of the partial likelihood, the baseline hazard."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from handmade import target

from fastreg.errors import DataError
from fastreg.families import baseline_hazard

TIMES = np.array([4.0, 1.0, 2.0, 2.0, 3.0, 4.0, 5.0])
EVENTS = np.array([1, 0, 1, 1, 0, 1, 0])


def brute(time, status, w, eta, *, start=None, strata=None, is_efron=False):
    """Return minus the log partial likelihood, term by term from its definition."""
    strata = np.zeros(len(time), dtype=int) if strata is None else np.asarray(strata)
    start = np.full(len(time), -np.inf) if start is None else start
    total = 0.0
    for stratum in np.unique(strata):
        inside = strata == stratum
        for t in np.unique(time[inside & (status == 1) & (w > 0)]):
            at_risk = inside & (start < t) & (t <= time)
            dying = inside & (status == 1) & (time == t) & (w > 0)
            weight, count = w[dying].sum(), dying.sum() if is_efron else 1
            for k in range(count):
                share = 1.0 - k / count * dying
                inner = np.log((w * share * np.exp(eta))[at_risk].sum())
                total += weight / count * inner - w[dying] @ eta[dying] / count
    return total


def by_terms(risk, w, eta):
    """Return the same from the terms, saturated value included."""
    total = -risk.saturated
    for g in range(len(risk.times)):
        at_risk, dying = (risk.enter <= g) & (g < risk.leave), risk.group == g
        mean = w[dying] @ eta[dying] / w[dying].sum()
        for t in range(risk.first_term[g], risk.first_term[g + 1]):
            inner = np.log((w * (1.0 - risk.fraction[t] * dying) * np.exp(eta))[at_risk].sum())
            total += risk.weight[t] * (inner - mean)
    return total


@pytest.mark.parametrize("ties", ["breslow", "efron"])
@pytest.mark.parametrize("has_start", [False, True])
@pytest.mark.parametrize("has_strata", [False, True])
def test_terms_add_up_to_the_partial_likelihood(ties, has_start, has_strata):
    rng = np.random.default_rng(5)
    n = 40
    time, status = rng.integers(1, 8, n).astype(float), rng.integers(0, 2, n)
    start = time - rng.integers(1, 4, n) if has_start else None
    strata = rng.choice(["x", "y", "z"], n) if has_strata else None
    raw = rng.uniform(0.5, 2.0, n) * (rng.random(n) > 0.1)
    w, eta = raw / raw.sum(), rng.standard_normal(n)
    y = np.column_stack([time, status] if start is None else [start, time, status])
    risk = target("cox", y, weights=raw, ties=ties, strata=strata).risk
    expected = brute(time, status, w, eta, start=start, strata=strata, is_efron=ties == "efron")
    assert by_terms(risk, w, eta) + risk.saturated == pytest.approx(expected, rel=1e-13)
    assert by_terms(risk, w, eta) > 0.0
    assert risk.weight.sum() == pytest.approx(w[(status == 1)].sum())
    assert np.all(np.diff(risk.times)[risk.restart[:-1] == 0] > 0)
    assert risk.restart.sum() == (1 if strata is None else 3)


def test_the_saturated_model_is_the_least_value_of_every_term():
    rng = np.random.default_rng(1)
    raw = rng.uniform(0.5, 2.0, TIMES.size)
    w = raw / raw.sum()
    for ties in ("breslow", "efron"):
        risk = target("cox", np.column_stack([TIMES, EVENTS]), weights=raw, ties=ties).risk
        # Events far above all that is at risk with them, later ones still lower.
        height = np.where(EVENTS == 1, 60.0 * (10.0 - TIMES), -600.0)
        assert by_terms(risk, w, height) == pytest.approx(0.0, abs=1e-12)
        for _ in range(20):
            assert by_terms(risk, w, height * rng.random() + rng.standard_normal(7)) > -1e-12


def test_risk_sets_of_a_small_case():
    risk = target("cox", np.column_stack([TIMES, EVENTS])).risk
    np.testing.assert_array_equal(risk.times, [2.0, 4.0])
    np.testing.assert_array_equal(risk.enter, 0)
    # A row censored before the first event is never at risk; one censored at an event is.
    np.testing.assert_array_equal(risk.leave, [2, 0, 1, 1, 1, 2, 2])
    np.testing.assert_array_equal(risk.group, [1, -1, 0, 0, -1, 1, -1])
    assert risk.strata is None
    split = target("cox", np.column_stack([TIMES, EVENTS]), ties="efron").risk
    np.testing.assert_array_equal(split.first_term, [0, 2, 4])
    np.testing.assert_array_equal(split.fraction, [0.0, 0.5, 0.0, 0.5])


def test_survival_times_in_every_shape():
    time, event = TIMES, EVENTS.astype(bool)
    expected = target("cox", np.column_stack([time, EVENTS])).risk
    structured = np.zeros(7, dtype=[("event", "?"), ("when", float)])
    structured["event"], structured["when"] = event, time
    by_position = np.zeros(7, dtype=[("t", float), ("s", int)])
    by_position["t"], by_position["s"] = time, EVENTS
    for y in (
        structured,
        by_position,
        pd.DataFrame({"time": time, "status": EVENTS}),
        pd.DataFrame({"status": event, "time": time}),
        pl.DataFrame({"death": event, "time": time}),
        np.column_stack([np.full(7, -1.0), time, EVENTS]),
        pd.DataFrame({"status": EVENTS, "start": np.zeros(7), "stop": time}),
    ):
        found = target("cox", y).risk
        np.testing.assert_array_equal(found.leave, expected.leave)
        np.testing.assert_array_equal(found.group, expected.group)


def test_strata_without_events_have_no_groups():
    y = np.column_stack([[1.0, 2.0, 3.0, 1.0, 2.0], [1, 0, 1, 0, 0]])
    risk = target("cox", y, strata=["b", "b", "b", "a", "a"]).risk
    assert risk.strata == ("b",)
    np.testing.assert_array_equal(risk.restart, [0, 1])
    assert (risk.enter[3:] == risk.leave[3:]).all()


def test_rows_without_weight_are_as_if_they_were_not_there():
    y = np.column_stack([TIMES, EVENTS])
    weights = np.array([1.0, 1.0, 0.0, 2.0, 1.0, 1.0, 1.0])
    some = weights > 0
    whole, part = (
        target("cox", y, weights=weights, ties="efron"),
        target("cox", y[some], weights=weights[some], ties="efron"),
    )
    assert whole.risk.saturated == part.risk.saturated
    np.testing.assert_array_equal(whole.risk.weight, part.risk.weight)
    np.testing.assert_array_equal(whole.risk.group[some], part.risk.group)


@pytest.mark.parametrize(
    ("y", "options", "message"),
    [
        ([[1, 0], [2, 0]], {}, "at least one event .status 1., got censored rows only"),
        ([[1, 2], [2, 1]], {}, "status in y must be 0 or 1, got 2 at row 0; 1 is an event"),
        ([[1, 1], [np.nan, 1]], {}, "y must be finite, got nan in column 0, row 1"),
        ([[2, 2, 1], [1, 3, 0]], {}, "start in y must lie before stop, got 2 to 2 at row 0"),
        ([[1], [2]], {}, r"columns \(time, status\) or \(start, stop, status\)"),
        ([1, 2], {}, r"must have shape \(2, columns\), got \(2,\)"),
        ([[1, 1], [2, 1]], {"ties": "exact"}, 'ties must be "breslow" or "efron", got'),
        ([[1, 1], [2, 1]], {"strata": ["a"]}, r"strata must have shape \(2,\)"),
        ([[1, 1], [2, 1]], {"fit_intercept": True}, "fit_intercept must be False for family='cox', got True"),
    ],
)
def test_survival_times_that_cannot_be_used(y, options, message):
    with pytest.raises(DataError, match=message):
        target("cox", y, **options)
    with pytest.raises(DataError, match="got events of weight zero only"):
        target("cox", [[1, 1], [2, 0]], weights=[0, 1])


@pytest.mark.parametrize("has_start", [False, True])
def test_the_baseline_hazard_is_breslows(has_start):
    rng = np.random.default_rng(2)
    n = 30
    time, status = rng.integers(1, 9, n).astype(float), np.ones(n)
    start = time - rng.integers(1, 9, n) if has_start else np.full(n, -1.0)
    strata = rng.choice(["x", "y"], n)
    raw, eta = rng.uniform(0.5, 2.0, n), rng.standard_normal((n, 3))
    status[rng.random(n) < 0.3] = 0.0
    for ties in ("breslow", "efron"):
        y = np.column_stack([start, time, status])
        found = baseline_hazard(target("cox", y, weights=raw, ties=ties, strata=strata), eta)
        at = 0
        for stratum in ("x", "y"):
            hazard = np.zeros(3)
            for t in np.unique(time[(strata == stratum) & (status == 1)]):
                at_risk = (strata == stratum) & (start < t) & (t <= time)
                dying = (strata == stratum) & (status == 1) & (time == t)
                size = raw[:, None] * np.exp(eta)
                count = dying.sum() if ties == "efron" else 1
                for k in range(count):
                    left = size[at_risk].sum(axis=0) - k / count * size[dying].sum(axis=0)
                    hazard += raw[dying].sum() / count / left
                np.testing.assert_allclose(np.exp(found.log_hazard[at]), hazard, rtol=1e-12)
                assert found.times[at] == t
                at += 1
        assert at == found.ends[-1] == len(found.times)
        # A shift of all predictors is one of the hazard, however large.
        shifted = baseline_hazard(target("cox", y, weights=raw, ties=ties, strata=strata), eta + 900.0)
        np.testing.assert_allclose(shifted.log_hazard, found.log_hazard - 900.0, rtol=1e-12)


@pytest.mark.parametrize("ties", ["breslow", "efron"])
def test_the_baseline_hazard_of_predictors_that_lie_far_apart(ties):
    # exp(eta) of the first to leave is exp(1500) times that of the last: each step by its own logarithms.
    time = np.array([1.0, 2.0, 2.0, 3.0, 4.0, 5.0])
    status = np.array([1.0, 1.0, 1.0, 0.0, 1.0, 1.0])
    eta = np.linspace(750.0, -750.0, 6)
    w = np.full(6, 1 / 6)
    made = target("cox", np.column_stack([time, status]), ties=ties)
    found = baseline_hazard(made, eta).log_hazard[:, 0]
    share = np.log(w) + eta
    tied = [np.logaddexp.reduce(share[1:])]
    if ties == "efron":
        tied.append(np.logaddexp.reduce(share[[1, 2, 3, 4, 5]] + np.log([0.5, 0.5, 1.0, 1.0, 1.0])))
    weight = np.log(2 / 6 / len(tied))
    steps = [np.log(w[0]) - np.logaddexp.reduce(share), np.logaddexp.reduce(weight - np.array(tied))]
    steps += [np.log(w[4]) - np.logaddexp.reduce(share[4:]), np.log(w[5]) - share[5]]
    np.testing.assert_allclose(found, np.logaddexp.accumulate(steps), rtol=1e-13)
