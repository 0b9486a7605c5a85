"""p-values by splitting against fits and quantiles written out, and their errors over many data sets."""

import numpy as np
import pytest
from scipy import optimize, sparse, stats

import fastreg
from fastreg import DataError, Status
from fastreg.selection.halves import draw_halves
from fastreg.selection.significance import aggregated, intervals, t_tests


def wide(seed, n=60, p=40, signal=(2.0, -1.5)):
    rng = np.random.default_rng(seed)
    X = np.asfortranarray(rng.standard_normal((n, p)))
    return X, X[:, : len(signal)] @ np.asarray(signal), rng


def slow_quantile(values, gamma):
    """Return the smallest value that a share gamma of all does not exceed."""
    ordered = np.sort(values)
    return next(v for v in ordered if np.mean(ordered <= v) >= gamma - 1e-12)


@pytest.mark.parametrize(("splits", "gamma_min"), [(1, 0.05), (7, 0.05), (20, 0.05), (50, 0.2), (9, 0.5)])
def test_aggregation_is_the_infimum_over_quantiles(splits, gamma_min):
    rng = np.random.default_rng(splits)
    table = np.where(rng.random((splits, 12)) < 0.3, 1.0, rng.random((splits, 12)) ** 6)
    found = aggregated(table, gamma_min)
    # The infimum is reached at multiples of 1 / splits; a grid of others comes close from above.
    grid = np.unique(np.r_[np.linspace(gamma_min, 1.0, 400), np.arange(1, splits + 1) / splits])
    for j in range(12):
        least = min(slow_quantile(table[:, j], g) / g for g in grid if g > gamma_min + 1e-12)
        assert found[j] == pytest.approx(min(1.0, (1 - np.log(gamma_min)) * least), rel=1e-9)


@pytest.mark.parametrize("has_intercept", [True, False])
def test_t_tests_are_those_of_the_textbook(has_intercept):
    rng = np.random.default_rng(0)
    columns, y, w = rng.standard_normal((25, 4)), rng.standard_normal(25) + 1.0, rng.uniform(0.5, 2.0, 25)
    found = t_tests(columns, y, w, has_intercept)
    design = np.column_stack([columns, np.ones(25)]) if has_intercept else columns
    inverse = np.linalg.inv(design.T @ (w[:, None] * design))
    b = inverse @ design.T @ (w * y)
    degrees = 25 - design.shape[1]
    errors = np.sqrt(np.sum(w * (y - design @ b) ** 2) / degrees * np.diag(inverse))
    assert np.allclose(found.estimates, b[:4], rtol=1e-10)
    assert np.allclose(found.errors, errors[:4], rtol=1e-10)
    assert np.allclose(found.p_values, 2 * stats.t.sf(np.abs(b / errors)[:4], degrees), rtol=1e-9)
    # Ratios of weights are all that matters.
    assert np.allclose(t_tests(columns, y, 7 * w, has_intercept).p_values, found.p_values, rtol=1e-12)


def test_one_feature_is_a_correlation():
    rng = np.random.default_rng(1)
    x, y = rng.standard_normal(15), rng.standard_normal(15)
    found = t_tests(x[:, None], y, np.ones(15), True)
    assert found.p_values[0] == pytest.approx(stats.pearsonr(x, y).pvalue, rel=1e-10)


def test_what_cannot_be_told_apart_is_not_significant():
    rng = np.random.default_rng(2)
    x = rng.standard_normal((20, 2))
    y = 3 * x[:, 0] + 3 * x[:, 1] + 0.1 * rng.standard_normal(20)
    twins = t_tests(np.column_stack([x[:, 0], x[:, 0], x[:, 1]]), y, np.ones(20), True)
    assert (twins.p_values[:2] == 1.0).all()
    assert twins.p_values[2] < 1e-10
    assert (t_tests(rng.standard_normal((4, 6)), y[:4], np.ones(4), True).p_values == 1.0).all()


def deviance(family, X, y):
    """Return minus twice the largest log-likelihood, up to what does not depend on coefficients."""

    def objective(b):
        eta = X @ b
        if family == "binomial":
            return 2 * np.sum(np.logaddexp(0.0, eta) - y * eta)
        if family == "poisson":
            return 2 * np.sum(np.exp(eta) - y * eta)
        at_risk = y[:, 0][:, None] >= y[:, 0]
        return -2 * np.sum(y[:, 1] * (eta - np.log(np.sum(at_risk * np.exp(eta)[:, None], axis=0))))

    return optimize.minimize(objective, np.zeros(X.shape[1]), method="BFGS", options={"gtol": 1e-9}).fun


def response(family, eta, rng):
    if family == "binomial":
        return (rng.random(eta.size) < 1 / (1 + np.exp(-eta))).astype(int)
    if family == "poisson":
        return rng.poisson(np.exp(0.5 * eta))
    if family == "cox":
        return np.column_stack([rng.exponential(np.exp(-eta)), rng.random(eta.size) < 0.8]).astype(float)
    return eta + rng.standard_normal(eta.size)


def classes_of(family, y):
    return {"gaussian": np.zeros(len(y), int), "binomial": y, "poisson": np.sign(y)}.get(
        family, y[:, 1].astype(int) if family == "cox" else None
    )


@pytest.mark.parametrize("storage", [np.asfortranarray, sparse.csc_array])
@pytest.mark.parametrize("family", ["gaussian", "binomial", "poisson", "cox"])
def test_p_values_are_those_of_parts_that_are_copied(family, storage):
    X, eta, rng = wide(3, n=80, p=12, signal=(1.0, -1.0))
    y = response(family, eta, rng)
    result = fastreg.multi_split(storage(X), y, family=family, splits=2, q=4, alphas=30, standardize=True)
    start = fastreg.glm_path(X, y, family=family, alphas=1, standardize=True).alpha_max
    alphas = np.geomspace(2**0.5 * start, 1e-4 * start, 30)
    table, ever = np.ones((2, 12)), set()
    for number in range(2):
        first, second, left = draw_halves(classes_of(family, y), 0, number)
        rows = np.sort(np.r_[second, left])
        path = fastreg.glm_path(X[first], y[first], family=family, alphas=alphas, standardize=True)
        chosen = np.sort(path.order_of_entry()[:4])
        ever |= set(chosen)
        few = X[rows][:, chosen]
        if family == "gaussian":
            p_values = t_tests(few, y[rows], np.ones(rows.size), True).p_values
        else:
            one = np.ones((rows.size, 0 if family == "cox" else 1))
            full = deviance(family, np.hstack([few, one]), y[rows])
            drops = [np.hstack([np.delete(few, k, axis=1), one]) for k in range(4)]
            gains = [deviance(family, part, y[rows]) - full for part in drops]
            p_values = stats.chi2.sf(np.maximum(gains, 0.0), 1)
        table[number, chosen] = np.minimum(4 * p_values, 1.0)
    assert result.features.tolist() == sorted(ever)
    assert result.is_tested.sum(axis=1).tolist() == [4, 4]
    assert np.allclose(result.split_p_values, table[:, result.features], rtol=1e-4, atol=1e-9)
    assert np.allclose(result.p_values, aggregated(table, 0.05), rtol=1e-4, atol=1e-9)


def test_intervals_hold_what_the_tests_do_not_reject():
    rng = np.random.default_rng(5)
    splits, level, gamma_min = 20, 0.9, 0.1
    estimates = np.array([[1.0, -0.4, 0.1]]) + 0.1 * rng.standard_normal((splits, 3))
    errors = rng.uniform(0.1, 0.2, (splits, 3))
    estimates[rng.random((splits, 3)) < 0.3] = np.nan
    errors[np.isnan(estimates)] = np.nan
    degrees, sizes = rng.integers(5, 30, splits).astype(float), rng.integers(2, 9, splits)
    lower, upper = intervals(estimates, errors, degrees, sizes, level, gamma_min)
    for j in range(3):
        for value in np.linspace(lower[j] - 0.2, upper[j] + 0.2, 101):
            size = np.abs(estimates[:, j] - value) / errors[:, j]
            p_values = np.minimum(2 * stats.t.sf(size, degrees) * sizes, 1.0)
            p_values[np.isnan(size)] = 1.0
            is_kept = aggregated(p_values[:, None], gamma_min)[0] > 1 - level
            assert is_kept == (lower[j] < value < upper[j])
    rare = np.full((splits, 1), np.nan)
    rare[0] = 1.0
    found = intervals(rare, 0.01 * rare, degrees, sizes, level, 0.5)
    assert np.isinf(found).all()


def test_intervals_agree_with_p_values():
    X, eta, rng = wide(6, n=100)
    result = fastreg.multi_split(X, eta + rng.standard_normal(100), splits=30)
    lower, upper = result.confidence_intervals(0.95)
    assert result.selected.tolist() == [0, 1]
    assert np.flatnonzero((lower > 0.0) | (upper < 0.0)).tolist() == [0, 1]
    assert lower[0] < 2.0 < upper[0]
    assert lower[1] < -1.5 < upper[1]
    narrow = result.confidence_intervals(0.5)
    assert (narrow[1][:2] - narrow[0][:2] < upper[:2] - lower[:2]).all()


def test_threads_seeds_and_rows_without_weight():
    X, eta, rng = wide(7)
    y = eta + rng.standard_normal(60)
    one = fastreg.multi_split(X, y, splits=6, n_threads=1)
    two = fastreg.multi_split(X, y, splits=6, n_threads=3)
    assert np.array_equal(one.split_p_values, two.split_p_values)
    assert not np.array_equal(one.p_values, fastreg.multi_split(X, y, splits=6, random_state=1).p_values)
    w = np.r_[np.ones(50), np.zeros(10)]
    part = fastreg.multi_split(X[:50], y[:50], splits=6)
    weighted = fastreg.multi_split(X, np.r_[y[:50], np.full(10, 1e9)], splits=6, sample_weight=w)
    assert np.array_equal(part.features, weighted.features)
    assert np.allclose(part.p_values, weighted.p_values, rtol=1e-9)


def test_offsets_and_features_without_a_penalty():
    X, eta, rng = wide(8, n=90)
    noise = rng.standard_normal(90)
    shift = 5.0 * rng.standard_normal(90)
    plain = fastreg.multi_split(X, eta + noise, splits=5)
    offset = fastreg.multi_split(X, eta + noise + shift, splits=5, offset=shift)
    assert np.allclose(plain.p_values, offset.p_values, rtol=1e-8)
    factor = np.ones(40)
    factor[[7, 9]] = 0.0, np.inf
    result = fastreg.multi_split(X, eta + noise, splits=5, q=3, penalty_factor=factor)
    assert (result.sizes == 4).all()
    assert result.is_tested[:, np.searchsorted(result.features, 7)].all()
    assert 9 not in result.features


def test_a_budget_returns_the_finished_splits():
    X, eta, _ = wide(9)
    cut = fastreg.multi_split(X, eta, splits=4, max_time=1e-9)
    assert cut.status is Status.MAX_TIME
    assert cut.splits == 0
    for ask in (lambda: cut.p_values, lambda: cut.selected, cut.select, cut.confidence_intervals):
        with pytest.raises(DataError, match="p-values need a finished split, got none"):
            ask()
    assert cut.summary_table().split()[:2] == ["feature", "p-value"]
    assert cut.ranked().size == 0
    assert "0 of 4 splits" in repr(cut)


def test_tables():
    pytest.importorskip("pandas")
    X, eta, rng = wide(10)
    result = fastreg.multi_split(
        X, eta + rng.standard_normal(60), splits=5, feature_names=list(map(str, range(40)))
    )
    frame = result.to_frame()
    assert frame["p_value"].is_monotonic_increasing
    assert frame["name"].iloc[0] in ("0", "1")
    assert frame["share_tested"].max() == 1.0
    assert result.summary_table(None).count("\n") == len(frame) + 1
    with pytest.raises(DataError, match="rows must be at least 1"):
        result.summary_table(0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"family": "huber"}, "family must have tests, as 'gaussian', 'binomial', 'poisson', 'cox' do"),
        ({"q": 29}, "q must be at most 28, got 29; the other half"),
        ({"gamma_min": 1.0}, r"gamma_min must be a number in \(0, 1\), got 1.0"),
        ({"splits": 0}, "splits must be an integer >= 1"),
        ({"l1_ratio": 0.0}, "l1_ratio must be > 0 for a selection"),
    ],
)
def test_what_is_wrong_is_named(options, message):
    X, eta, _ = wide(0)
    with pytest.raises(DataError, match=message):
        fastreg.multi_split(X, eta, **options)


def test_levels_and_intervals_are_checked():
    X, eta, rng = wide(0)
    result = fastreg.multi_split(X, response("binomial", eta, rng), family="binomial", splits=1, q=2)
    with pytest.raises(DataError, match="level must be a number"):
        result.select(0.0)
    with pytest.raises(DataError, match="confidence_intervals needs t-tests of family='gaussian'"):
        result.confidence_intervals()


@pytest.mark.compiled_only
@pytest.mark.parametrize(("family", "sets"), [("gaussian", 30), ("binomial", 5)])
def test_noise_is_rarely_selected_and_signal_is(family, sets):
    wrong = found = 0
    for seed in range(sets):
        X, eta, rng = wide(100 + seed, n=100, p=150, signal=(2.0,))
        noise = fastreg.multi_split(X, response(family, 0.0 * eta, rng), family=family, splits=20, q=8)
        wrong += noise.selected.size > 0
        signal = fastreg.multi_split(X, response(family, eta, rng), family=family, splits=20, q=8)
        wrong += (signal.selected > 0).any()
        found += 0 in signal.selected
    # Binomial with a rate of 0.05: more than this has a probability below 0.02.
    assert wrong <= stats.binom.isf(0.02, 2 * sets, 0.05)
    assert found >= 0.9 * sets


@pytest.mark.parametrize("family", ["binomial", "poisson", "cox", "gaussian"])
def test_a_half_that_selects_nothing_tests_nothing(family):
    X, eta, rng = wide(0)
    result = fastreg.multi_split(X, response(family, eta, rng), family=family, splits=2, alphas=[1e3])
    assert result.sizes.tolist() == [0, 0]
    assert (result.p_values == 1.0).all()


def test_t_tests_do_not_know_units_or_origins():
    rng = np.random.default_rng(4)
    columns, w = rng.standard_normal((30, 3)), rng.uniform(0.5, 2.0, 30)
    y = columns[:, 0] + rng.standard_normal(30)
    own = t_tests(columns, y, w, True)
    for scale in (1e-16, 1e200, 1e-200):
        found = t_tests(columns * scale, y, w, True)
        assert np.allclose(found.p_values, own.p_values, rtol=1e-9)
        assert np.allclose(found.estimates * scale, own.estimates, rtol=1e-9)
        assert np.allclose(found.errors * scale, own.errors, rtol=1e-9)
        assert np.allclose(t_tests(columns, scale * y, w, True).p_values, own.p_values, rtol=1e-9)
    mixed = t_tests(columns * [1e-16, 1.0, 1e9], y, 1e100 * w, True)
    assert np.allclose(mixed.p_values, own.p_values, rtol=1e-9)
    assert np.allclose(t_tests(columns + 1e8, y - 1e6, w, True).p_values, own.p_values, rtol=1e-5)
    assert own.degrees == 26
    # A constant column is the intercept; it takes no degree of freedom.
    more = t_tests(np.column_stack([columns, np.full(30, 0.1)]), y, w, True)
    assert more.p_values[3] == 1.0
    assert more.degrees == 26
    assert np.allclose(more.p_values[:3], own.p_values, rtol=1e-12)


@pytest.mark.parametrize(
    "family",
    [
        "binomial",
        "gaussian",
        *(pytest.param(name, marks=pytest.mark.compiled_only) for name in ("poisson", "cox")),
    ],
)
def test_only_ratios_of_weights_matter(family):
    X, eta, rng = wide(2, p=8)
    y, w = response(family, eta, rng), rng.uniform(0.5, 2.0, 60)
    asked = {"family": family, "splits": 2, "q": 3}
    own = fastreg.multi_split(X, y, sample_weight=w, **asked)
    for unit in (1e-9, 1e150):
        found = fastreg.multi_split(X, y, sample_weight=unit * w, **asked)
        assert np.allclose(found.split_p_values, own.split_p_values, rtol=1e-5)
    even = fastreg.multi_split(X, y, sample_weight=np.full(60, 7.0), **asked)
    assert np.allclose(even.split_p_values, fastreg.multi_split(X, y, **asked).split_p_values, rtol=1e-5)


def test_p_values_that_are_none_are_refused(monkeypatch):
    X, eta, rng = wide(2, p=8)

    def broken(columns, y, w, has_intercept):
        found = t_tests(columns, y, w, has_intercept)
        found.p_values[-1] = np.nan
        return found

    monkeypatch.setattr("fastreg.selection.multisplit.t_tests", broken)
    with pytest.raises(DataError, match=r"must give p-values, got none for column \d in split 0"):
        fastreg.multi_split(X, eta + rng.standard_normal(60), splits=2, n_threads=1)
