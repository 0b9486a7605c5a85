"""Data at the edge of every family: separable, constant, tied, censored, huge; solved or refused."""

from __future__ import annotations

import warnings
from typing import Any

import drawing_losses
import numpy as np
import oracle_losses
import pytest
import scipy.sparse
from drawing_losses import DOORS, FAMILIES, assess, draw, grid, objectives, solve
from oracle_losses import Problem

import fastreg
from fastreg.certify import certify
from fastreg.errors import DataError, DataTypeError, Status

N, P = 16, 4
RNG = np.random.default_rng(11)
X = RNG.normal(size=(N, P))
SIGN = np.where(X[:, 0] > 0, 1.0, -1.0)
TIMES = np.ceil(RNG.exponential(3.0, N))
# A response that each family takes.
RESPONSES: dict[str, Any] = {
    "binomial": 1.0 * (SIGN > 0),
    "multinomial": np.arange(N) % 3,
    "poisson": 1.0 * RNG.poisson(2.0, N) + np.eye(N)[0],
    "squared_hinge": SIGN,
    "huber": X[:, 0] + RNG.normal(size=N),
    "cox": np.column_stack([TIMES, np.arange(N) % 3 > 0]),
    "mgaussian": X[:, :2] + RNG.normal(size=(N, 2)),
}
every_family = pytest.mark.parametrize("family", FAMILIES)


def finite(path: Any) -> Any:
    """Return the path after the checks that every path passes."""
    assert np.isfinite(path.coefs).all()
    assert np.isfinite(path.intercepts).all()
    assert (path.dual_gaps >= 0).all()
    assert (path.relative_gaps <= path.tol).all()
    assert np.isfinite(path.dev_ratio).all()
    return path


def check(problem: Problem, alphas: Any, **extra: Any) -> Any:
    """Return a path that is finite, certified, and no worse than the oracle's."""
    path = finite(solve(problem, alphas, **extra))
    for k, value in enumerate(objectives(problem, path)):
        problem.alpha = float(path.alphas[k])
        least = oracle_losses.objective(problem, *oracle_losses.solve(problem))
        assert value - least <= 1e-8 * path.null_objective + 1e-14
    return path


# Classes


def separable(family: str) -> Problem:
    y = np.eye(2)[(SIGN > 0).astype(int)] if family in ("multinomial", "grouped") else RESPONSES[family]
    return Problem("multinomial" if family == "grouped" else family, X, y, grouped=family == "grouped")


@pytest.mark.parametrize("family", ["binomial", "multinomial", "grouped", "squared_hinge"])
def test_separable_classes_stay_finite(family: str) -> None:
    # No solution without penalty exists: a path far down is finite all the same, and as good as the oracle's.
    problem = separable(family)
    options: dict[str, Any] = {"grouped": True} if family == "grouped" else {}
    alphas = grid(problem, 1.0) * np.geomspace(1.0, 1e-6, 7)
    path = finite(DOORS[problem.family](X, problem.y, alphas=alphas, tol=1e-8, **options))
    assert path.status is Status.CONVERGED
    assert path.dev_ratio[-1] > 0.99
    size = np.abs(path.coefs).max(axis=tuple(range(path.coefs.ndim - 1)))
    assert np.all(np.diff(size) >= -1e-3 * size.max())
    problem.alpha = float(alphas[4])
    least = oracle_losses.objective(problem, *oracle_losses.solve(problem))
    assert objectives(problem, path)[4] - least <= 1e-8 * path.null_objective


@pytest.mark.parametrize("family", ["binomial", "multinomial", "grouped", "squared_hinge"])
def test_separable_classes_are_certified(family: str) -> None:
    # Probabilities come within 1e-11 of one: what is left of them must not be a difference.
    problem = separable(family)
    path = solve(problem, grid(problem, 1.0) * np.geomspace(1.0, 1e-9, 10), tol=1e-8)
    np.testing.assert_allclose(assess(problem, path).gap, path.dual_gaps, rtol=1e-3, atol=1e-13)


@pytest.mark.parametrize("door", [fastreg.logistic_path, fastreg.multinomial_path])
def test_separable_classes_are_noted(door: Any) -> None:
    # Coefficients diverge as alpha falls: the result says so in words.
    path = door(X, SIGN, alphas=30, eps=1e-5)
    assert "separa" in path.status_note.lower() or "diverge" in path.status_note.lower()


@pytest.mark.parametrize("kind", ["binomial", "multinomial", "grouped"])
def test_a_class_with_one_member(kind: str) -> None:
    y = np.zeros((N, 3 if kind != "binomial" else 2))
    y[:, 0] = 1.0
    y[4] = np.eye(y.shape[1])[-1]
    if kind != "binomial":
        y[9] = [0.0, 1.0, 0.0]
    response = y[:, 1] if kind == "binomial" else y
    family = "binomial" if kind == "binomial" else "multinomial"
    problem = Problem(family, X, response, grouped=kind == "grouped")
    check(problem, grid(problem, np.array([1.0, 0.3, 0.05])))


@pytest.mark.parametrize("family", ["binomial", "multinomial", "squared_hinge"])
@pytest.mark.parametrize("labels", [np.zeros(N), np.full(N, "yes"), np.ones(N, dtype=bool)])
def test_one_class_only_is_refused(family: str, labels: Any) -> None:
    with pytest.raises(DataError, match="two classes"):
        DOORS[family](X, labels)


@pytest.mark.parametrize("family", ["binomial", "squared_hinge"])
def test_three_classes_are_too_many_for_two(family: str) -> None:
    with pytest.raises(DataError, match="multinomial_path"):
        DOORS[family](X, np.arange(N) % 3)


@pytest.mark.parametrize("family", ["binomial", "multinomial", "squared_hinge"])
def test_a_class_without_weight_is_refused(family: str) -> None:
    # Its intercept would be minus infinity.
    y = np.arange(N) % (3 if family == "multinomial" else 2)
    with pytest.raises(DataError, match="weight"):
        DOORS[family](X, y, sample_weight=1.0 * (y != 1))


def test_more_classes_than_rows_per_class() -> None:
    # As many classes as rows: every class is as rare as can be.
    problem = Problem("multinomial", X[:6], np.eye(6))
    check(problem, grid(problem, np.array([1.0, 0.2])))


# Counts


def test_counts_of_zero_only_are_refused() -> None:
    # The best intercept is minus infinity; without one the path is defined.
    with pytest.raises(DataError, match="count above zero"):
        fastreg.poisson_path(X, np.zeros(N))
    problem = Problem("poisson", X, np.zeros(N), fit_intercept=False)
    check(problem, np.array([0.5, 0.1, 0.01]))


def test_negative_counts_are_refused() -> None:
    with pytest.raises(DataError, match="-1"):
        fastreg.poisson_path(X, np.r_[-1.0, np.ones(N - 1)])


@pytest.mark.parametrize("l1_ratio", [1.0, 0.5, 0.0])
def test_counts_of_very_different_size(l1_ratio: float) -> None:
    y = RESPONSES["poisson"].copy()
    y[3] = 1e5
    problem = Problem("poisson", X, y, l1_ratio=l1_ratio)
    check(problem, grid(problem, np.array([1.0, 0.1, 0.01])))


@pytest.mark.parametrize("shift", [-40.0, -10.0, 10.0, 40.0])
@every_family
def test_huge_offsets(family: str, shift: float) -> None:
    # exp(40) is no number to meet by accident; where an intercept takes it up the path is that without it.
    problem = draw(family, 3, plain=True)
    problem.offset = np.full((len(problem.X), problem.outputs), shift)
    if problem.outputs == 1:
        problem.offset = problem.offset[:, 0]
    plain = draw(family, 3, plain=True)
    alphas = grid(plain, np.array([1.0, 0.3, 0.1]))
    path, other = (finite(solve(each, alphas, tol=1e-9)) for each in (problem, plain))
    np.testing.assert_allclose(path.coefs, other.coefs, rtol=0, atol=1e-3 * np.abs(other.coefs).max())
    with_shift = path.intercepts + (0.0 if family in ("cox", "multinomial") else shift)
    open_constant = with_shift.mean(axis=0) - other.intercepts.mean(axis=0) if family == "multinomial" else 0
    np.testing.assert_allclose(with_shift - open_constant, other.intercepts, rtol=0, atol=1e-3)


@pytest.mark.parametrize("family", ["binomial", "poisson", "squared_hinge", "huber"])
def test_huge_offsets_of_one_row(family: str) -> None:
    # One row is predicted absurdly, and wrongly; nothing overflows.
    problem = draw(family, 5, plain=True)
    worst = int(np.argmin(problem.y))
    problem.offset = np.zeros(len(problem.X))
    problem.offset[worst] = 30.0
    path = finite(solve(problem, grid(problem, np.array([1.0, 0.3])), tol=1e-8))
    assert np.abs(path.intercepts).max() < 100


# Times


@pytest.mark.parametrize("ties", ["breslow", "efron"])
def test_all_times_equal(ties: str) -> None:
    # One risk set, one tie of all events.
    y = np.column_stack([np.full(N, 5.0), np.arange(N) % 2])
    problem = Problem("cox", X, y, ties=ties, fit_intercept=False)
    check(problem, grid(problem, np.array([1.0, 0.3, 0.05])))


@pytest.mark.parametrize("ties", ["breslow", "efron"])
def test_everybody_dies_at_once(ties: str) -> None:
    y = np.column_stack([np.full(N, 5.0), np.ones(N)])
    problem = Problem("cox", X, y, ties=ties, fit_intercept=False)
    check(problem, np.array([0.1, 0.01]))


def test_all_rows_censored() -> None:
    # No event tells anything.
    y = np.column_stack([TIMES, np.zeros(N)])
    with pytest.raises(DataError, match="event"):
        fastreg.cox_path(X, y)


@pytest.mark.parametrize("ties", ["breslow", "efron"])
def test_one_event(ties: str) -> None:
    y = np.column_stack([np.arange(1.0, N + 1), np.eye(N)[5]])
    problem = Problem("cox", X, y, ties=ties, fit_intercept=False)
    check(problem, grid(problem, np.array([1.0, 0.3, 0.05])))


def test_the_last_row_dies_alone() -> None:
    # A risk set of one: the event is certain, nothing is learnt, nothing divided by zero.
    y = np.column_stack([np.arange(1.0, N + 1), np.eye(N)[-1]])
    path = finite(fastreg.cox_path(X, y, alphas=[0.1, 0.01]))
    assert not path.coefs.any()


@pytest.mark.parametrize("kind", ["plain", "breslow", "efron", "censored", "late"])
def test_a_perfectly_ordered_survival(kind: str) -> None:
    # A monotone likelihood is finite under any penalty. Far down risk sets differ by exp(1000).
    time = 1.0 + np.argsort(np.argsort(-X[:, 0]))
    status = 1.0 * (np.arange(N) % 3 > 0) if kind == "censored" else np.ones(N)
    start = [np.maximum(time - 6.0, 0.0)] if kind == "late" else []
    stop = np.ceil(time / 3) if kind in ("breslow", "efron") else time
    ties = "efron" if kind == "efron" else "breslow"
    y = np.column_stack([*start, stop, status])
    problem = Problem("cox", X, y, fit_intercept=False, ties=ties)
    path = finite(solve(problem, grid(problem, 1.0) * np.geomspace(1.0, 1e-8, 9), tol=1e-8))
    assert path.n_iter.max() <= 50
    if kind not in ("breslow", "efron"):
        np.testing.assert_allclose(assess(problem, path).gap, path.dual_gaps, rtol=1e-2, atol=1e-10)
    assert kind in ("breslow", "efron") or np.ptp(X @ path.coefs[:, -1]) > 709.0


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (np.column_stack([TIMES, np.full(N, 2.0)]), "status"),
        (np.column_stack([TIMES, TIMES - 1, np.ones(N)]), "before stop"),
        (TIMES, "shape"),
        (np.ones((N, 4)), "columns"),
    ],
)
def test_impossible_survival_is_refused(y: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        fastreg.cox_path(X, y)


# Perfect fits and nothing to fit


SLOPE = np.array([1.0, -2.0, 0.0, 0.5])
PERFECT = {
    "huber": X @ SLOPE + 1.0,
    "mgaussian": np.outer(X @ SLOPE, [1.0, 2.0]) + 1.0,
    "poisson": np.exp(X @ SLOPE + 1.0),
    "binomial": 1 / (1 + np.exp(-X @ SLOPE)),
}


@pytest.mark.parametrize("family", PERFECT)
def test_perfect_fits(family: str) -> None:
    # Residuals go to zero with alpha: gaps keep their digits.
    problem = Problem(family, X, PERFECT[family], delta=0.5)
    path = check(problem, grid(problem, np.array([1e-1, 1e-2, 1e-4])))
    assert path.dev_ratio[-1] > 1 - 1e-4


@pytest.mark.compiled_only
@pytest.mark.parametrize("family", PERFECT)
def test_perfect_fits_far_down_take_no_more_work(family: str) -> None:
    # Four features: a few dozen steps, not as many as max_iter allows.
    problem = Problem(family, X, PERFECT[family], delta=0.5)
    path = check(problem, grid(problem, np.array([1e-2, 1e-4, 1e-6])), tol=1e-10)
    assert path.dev_ratio[-1] > 1 - 1e-6
    assert path.n_iter.max() <= 500


CONSTANTS = {
    "poisson": np.full(N, 3.0),
    "huber": np.full(N, -0.1),
    "mgaussian": np.full((N, 2), 7.0),
    "binomial": np.full(N, 0.3),
    "multinomial": np.tile([0.2, 0.3, 0.5], (N, 1)),
}


@pytest.mark.parametrize("l1_ratio", [1.0, 0.5, 0.0])
@pytest.mark.parametrize("alphas", [5, [0.1, 0.01]])
@pytest.mark.parametrize("family", CONSTANTS)
def test_constant_responses(family: str, alphas: Any, l1_ratio: float) -> None:
    # The null model is perfect: zeros, gap zero, no warning.
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        path = DOORS[family](X, CONSTANTS[family], alphas=alphas, l1_ratio=l1_ratio)
    assert path.status is Status.CONVERGED
    assert not path.coefs.any()
    assert not path.dual_gaps.any()
    assert not path.relative_gaps.any()
    assert np.isfinite(path.alphas).all()
    assert (path.alphas > 0).all()
    assert np.isfinite(path.dev_ratio).all()


@pytest.mark.parametrize("l1_ratio", [1.0, 0.0])
@every_family
def test_columns_that_carry_nothing(family: str, l1_ratio: float) -> None:
    flat = np.ones((N, 3)) * [0.0, 1.0, -2.5]
    path = finite(DOORS[family](flat, RESPONSES[family], alphas=4, l1_ratio=l1_ratio))
    assert len(path.alphas) == 4
    assert not path.coefs.any()


@every_family
def test_every_feature_excluded(family: str) -> None:
    path = finite(DOORS[family](X, RESPONSES[family], alphas=4, penalty_factor=np.full(P, np.inf)))
    assert not path.coefs.any()


@every_family
def test_rows_without_weight_are_as_good_as_absent(family: str) -> None:
    problem = draw(family, 4, n=20, p=4, plain=True)
    keep = np.random.default_rng(0).random(20) < 0.7
    keep[:3] = True
    whole = draw(family, 4, n=20, p=4, plain=True)
    whole.sample_weight = keep.astype(float)
    # What is left out may be as wild as it likes.
    whole.X = np.where(keep[:, None], whole.X, 1e3)
    problem.X, problem.y = problem.X[keep], problem.y[keep]
    alphas = grid(problem, np.array([1.0, 0.3]))
    one, two = solve(problem, alphas), solve(whole, alphas)
    assert one.null_objective == pytest.approx(two.null_objective, rel=1e-10)
    np.testing.assert_allclose(objectives(problem, one), objectives(problem, two), rtol=1e-8)


# What cannot be used


@every_family
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_responses_must_be_finite(family: str, bad: float) -> None:
    y = np.array(RESPONSES[family], dtype=float)
    y[(3, 0) if y.ndim == 2 else 3] = bad
    with pytest.raises(DataError, match=r"\b3\b"):
        DOORS[family](X, y)


@every_family
def test_responses_must_have_one_row_per_row(family: str) -> None:
    with pytest.raises(DataError, match=f"{N}"):
        DOORS[family](X, RESPONSES[family][:-1])


@pytest.mark.parametrize("family", ["binomial", "poisson", "squared_hinge", "huber"])
def test_several_columns_in_a_single_response_path(family: str) -> None:
    with pytest.raises(DataError, match="multitask_path|multinomial_path"):
        DOORS[family](X, np.column_stack([RESPONSES[family], RESPONSES[family]]))


def test_one_column_in_a_path_of_several_responses() -> None:
    with pytest.raises(DataError, match="lasso_path"):
        fastreg.multitask_path(X, X[:, 0])


@every_family
def test_options_must_be_sensible(family: str) -> None:
    door, y = DOORS[family], RESPONSES[family]
    for wrong in (
        {"sample_weight": -np.ones(N)}, {"sample_weight": np.zeros(N)}, {"l1_ratio": 1.5}, {"alphas": [0.0]},
        {"lower_limits": 0.5}, {"upper_limits": -0.5}, {"penalty_factor": -np.ones(P)},
        {"offset": np.full(N, np.nan)}, {"sample_weight": np.ones(N - 1)},
    ):  # fmt: skip
        with pytest.raises(DataError):
            door(X, y, **wrong)
    unknown: dict[str, Any] = {"gamma": 1.0}
    with pytest.raises(TypeError, match="unexpected keyword"):
        door(X, y, **unknown)


@every_family
def test_designs_must_be_finite(family: str) -> None:
    bad = X.copy()
    bad[2, 1] = np.nan
    for store in (np.asfortranarray, scipy.sparse.csc_array):
        with pytest.raises(DataError, match="column 1"):
            DOORS[family](store(bad), RESPONSES[family])


def test_options_of_other_families_are_refused() -> None:
    for wrong in ({"delta": 1.0}, {"ties": "efron"}, {"strata": np.zeros(N)}, {"grouped": True}):
        with pytest.raises(DataError, match="belongs to"):
            fastreg.glm_path(X, RESPONSES["binomial"], family="binomial", **wrong)
    with pytest.raises(DataError, match="fit_intercept"):
        fastreg.glm_path(X, RESPONSES["cox"], family="cox", fit_intercept=True)


def test_labels_of_mixed_types_are_refused() -> None:
    mixed = np.array(["a", 1] * (N // 2), dtype=object)
    with pytest.raises((DataError, DataTypeError)):
        fastreg.logistic_path(X, mixed)


def test_two_fractions_are_proportions_for_the_certificate_too() -> None:
    # Two distinct numbers inside (0, 1) are no labels, neither for the path nor for certify without one.
    y = np.where(SIGN > 0, 0.75, 0.25)
    path = fastreg.logistic_path(X, y, alphas=[0.05, 0.01], tol=1e-9)
    assert path.classes is None
    options: dict[str, Any] = {"family": "binomial", "fit_intercept": True}
    for claim in (
        certify(X, y, path, fit_intercept=True),
        certify(X, y, path.coefs, path.intercepts, path.alphas, **options),
    ):
        assert claim.null_objective == pytest.approx(path.null_objective)
        assert claim.worst <= 1e-8


def test_a_grouped_path_is_certified_as_one() -> None:
    # The path knows its penalty; certify must not judge it by another.
    path = fastreg.multinomial_path(X, RESPONSES["multinomial"], grouped=True, alphas=[0.05], tol=1e-9)
    assert certify(X, RESPONSES["multinomial"], path, fit_intercept=True).worst <= 1e-8
    assert drawing_losses.at(path, 0)[0].shape == (3, P)


def test_free_features_that_separate_the_classes_come_to_an_end() -> None:
    # The loss can be exactly zero there, and then nothing curves: rounds went on for ever.
    rng = np.random.default_rng(4)
    Z = rng.standard_normal((30, 12))
    path = fastreg.squared_hinge_path(Z, Z[:, 0] > Z[:, 1], penalty_factor=np.zeros(12), alphas=[1.0])
    assert path.relative_gaps.max() <= 1e-7


def test_one_round_per_alpha_comes_to_an_end() -> None:
    # The first round only moves the support: a call that could do no other went on for ever.
    rng = np.random.default_rng(21)
    Z = rng.standard_normal((40, 12)) @ (np.eye(12) * 0.05 + np.ones((12, 12)))
    y = rng.standard_normal(40) > 0
    with pytest.warns(fastreg.ConvergenceWarning, match="max_iter"):
        path = fastreg.logistic_path(Z, y, alphas=4, max_iter=1)
    assert path.status is Status.NOT_CONVERGED
    assert np.isfinite(path.coefs).all()
