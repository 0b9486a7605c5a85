"""The losses of the harness: values, gradients and gaps from first principles, and what peers are given."""

import math

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import expit, logsumexp

import fastreg
from fastreg.bench import accuracy, losses, table
from fastreg.bench.accuracy import assess
from fastreg.bench.measure import Comparison, Plan, compare
from fastreg.bench.peers import OURS, PEERS, Missing, Unavailable, base, make
from fastreg.bench.problem import Problem, equalise
from fastreg.datasets import make_correlated, make_sparse
from fastreg.errors import DataError

CURVED = [family for family in losses.FAMILIES if family != "gaussian"]
N, P = 40, 12


def response(family, eta, rng):
    """Draw a response of the family around a linear predictor."""
    n = len(eta)
    if family == "binomial":
        return (rng.random(n) < expit(eta)).astype(float)
    if family == "multinomial":
        return np.argmax(np.column_stack([eta, -eta, 0.0 * eta]) + rng.gumbel(size=(n, 3)), axis=1) * 1.0
    if family == "poisson":
        return rng.poisson(np.exp(0.5 * eta)).astype(float)
    # Rounded: some times are tied.
    time = np.ceil(4.0 * rng.exponential(np.exp(-eta)))
    return np.column_stack([time, rng.random(n) < 0.7]).astype(float)


def draw(family, *, n=N, p=P, l1_ratio=1.0, size=8, eps=0.05):
    X, _ = make_correlated(n, p, 3, snr=5.0)
    eta = X[:, 0] - X[:, 1]
    y = response(family, eta, np.random.default_rng(7))
    return equalise(X, y, name="tiny", family=family, l1_ratio=l1_ratio, size=size, eps=eps)


def naive(family, y, eta):
    """Return the mean of minus the log likelihood, as written in textbooks; no constants."""
    n, y1 = len(y), y
    if family == "binomial":
        return np.mean(np.logaddexp(0.0, eta[:, 0]) - y1 * eta[:, 0])
    if family == "multinomial":
        return np.mean(logsumexp(eta, axis=1) - eta[np.arange(n), y1.astype(int)])
    if family == "poisson":
        return np.mean(np.exp(eta[:, 0]) - y1 * eta[:, 0])
    time, is_event = y.T
    terms = [logsumexp(eta[time >= time[i], 0]) - eta[i, 0] for i in range(n) if is_event[i]]
    return math.fsum(terms) / n


def eta_of(problem, seed=3, scale=1.0):
    rng = np.random.default_rng(seed)
    return scale * rng.standard_normal((problem.n, problem.loss.outputs))


def quiet(line):
    pass


@pytest.mark.parametrize("family", CURVED)
def test_values_are_those_of_textbooks_up_to_a_constant(family):
    problem = draw(family)
    first, second = eta_of(problem, 1), eta_of(problem, 2)
    here = problem.loss.value(first) - problem.loss.value(second)
    assert here == pytest.approx(
        naive(family, problem.y, first) - naive(family, problem.y, second), rel=1e-12
    )
    assert problem.loss.value(first) > 0.0


@pytest.mark.parametrize("family", losses.FAMILIES)
def test_residuals_are_the_gradient(family):
    problem = draw(family) if family in CURVED else equalise(*make_correlated(N, P, 3))
    eta, step = eta_of(problem), 1e-6
    found = problem.loss.residuals(eta)
    for i, c in ((0, 0), (7, problem.loss.outputs - 1)):
        moved = np.zeros_like(eta)
        moved[i, c] = step
        slope = (problem.loss.value(eta + moved) - problem.loss.value(eta - moved)) / (2.0 * step)
        assert found[i, c] == pytest.approx(-problem.n * slope, abs=1e-7)


@pytest.mark.parametrize("family", losses.FAMILIES)
@pytest.mark.parametrize("scale", [1.0, 1e-3, 30.0])
def test_what_is_beyond_the_tangent(family, scale):
    problem = draw(family) if family in CURVED else equalise(*make_correlated(N, P, 3))
    loss, eta, D = (
        problem.loss,
        eta_of(problem),
        eta_of(problem, 5, min(scale, 3.0 if family == "poisson" else 30)),
    )
    tangent = float((loss.residuals(eta) * D).sum()) / problem.n
    expected = loss.value(eta - D) - loss.value(eta) - tangent
    assert loss.bregman(eta, D) == pytest.approx(expected, rel=1e-9, abs=1e-14)
    # Differences of values would be lost here; this is the second derivative times the square of the step.
    tiny = loss.bregman(eta, 1e-9 * D / scale)
    assert tiny == pytest.approx(1e-6 * loss.bregman(eta, 1e-6 * D / scale), rel=1e-4)


@pytest.mark.parametrize("family", ["binomial", "multinomial", "poisson"])
def test_intercepts_are_the_best_ones(family):
    problem = draw(family)
    eta = eta_of(problem, scale=3.0)
    found = problem.loss.centred(eta)
    assert np.abs(problem.loss.residuals(found).sum(axis=0)).max() < 1e-12 * problem.n
    best = minimize(lambda b: problem.loss.value(eta + b), np.zeros(problem.loss.outputs), tol=1e-10)
    assert problem.loss.value(found) <= best.fun + 1e-12


def test_fits_without_doubt_need_no_intercept():
    loss = losses.make_loss("binomial", np.array([0.0, 0.0, 1.0, 1.0]))
    eta = np.array([[-800.0], [-900.0], [800.0], [900.0]])
    assert np.array_equal(loss.centred(eta), eta)
    assert loss.value(eta) == 0.0


@pytest.mark.parametrize("family", CURVED)
def test_the_null_model_and_alpha_max_are_those_of_fastreg(family):
    problem = draw(family)
    path = fastreg.glm_path(problem.X, problem.y, family=family, alphas=3)
    assert problem.alpha_max == pytest.approx(path.alphas[0], rel=1e-12)
    assert problem.null_objective == pytest.approx(path.null_objective, rel=1e-12)


@pytest.mark.parametrize("family", CURVED)
@pytest.mark.parametrize("l1_ratio", [1.0, 0.5])
def test_gaps_are_small_at_solutions_and_bound_the_suboptimality(family, l1_ratio):
    problem = draw(family, l1_ratio=l1_ratio)
    ours = make(OURS)
    paths = [ours.solve(problem, problem.alphas, tol)[0] for tol in (1e-10, 1e-3)]
    # A loss of accuracy that no solver would have: coefficients and intercepts off by a tenth.
    exact, loose, wrong = assess(problem, problem.alphas, [*paths, 0.9 * paths[0]])
    assert exact.worst < 1e-9
    assert exact.worst_gap < 1e-9
    assert 1e-9 < wrong.worst <= 1.0
    for found in (loose, wrong):
        assert np.all(found.gap >= found.suboptimality - 1e-15)
    values = [objective(problem, path, 5) for path in (0.9 * paths[0], paths[0])]
    assert wrong.suboptimality[5] == pytest.approx((values[0] - values[1]) / problem.null_objective, abs=1e-9)


def objective(problem, path, k):
    """Return P of one solution, as written."""
    outputs, p = problem.loss.outputs, problem.p
    column = path[:, [k]].toarray().ravel()
    B = column[: outputs * p].reshape(outputs, p).T
    eta = problem.X @ B + (column[outputs * p :] if problem.loss.has_intercept else 0.0)
    penalty = problem.l1_ratio * np.abs(B).sum() + 0.5 * (1.0 - problem.l1_ratio) * (B**2).sum()
    return naive(problem.family, problem.y, eta) + problem.alphas[k] * penalty


def test_features_are_counted_once_for_all_outputs():
    problem = draw("multinomial")
    path = make(OURS).solve(problem, problem.alphas, 1e-7)[0]
    assert path.shape == (problem.rows, problem.size) == (3 * (P + 1), 8)
    found = fastreg.glm_path(problem.X, problem.y, family="multinomial", alphas=problem.alphas)
    assert accuracy.n_features(problem, accuracy.as_columns(path), 7) == found.n_nonzero[-1]
    assert accuracy.n_features(problem, accuracy.as_columns(path), 0) == 0


@pytest.mark.parametrize(
    ("family", "y", "message"),
    [
        ("binomial", ["a", "b", "c", "a"], "2 classes"),
        ("multinomial", ["a", "a", "a", "a"], "at least two classes"),
        ("poisson", [1.0, -2.0, 0.0, 1.0], "never negative"),
        ("poisson", [0.0, 0.0, 0.0, 0.0], "y must vary"),
        ("cox", [[1.0, 0.0], [2.0, 0.0], [3.0, 0.0], [4.0, 0.0]], "related to some column"),
        ("cox", [[0.0, 1.0, 1.0], [0.0, 2.0, 0.0], [0.0, 3.0, 1.0], [0.0, 4.0, 1.0]], "time and status"),
    ],
)
def test_responses_that_make_no_comparison_are_refused(family, y, message):
    X = np.random.default_rng(0).normal(size=(4, 3))
    with pytest.raises(DataError, match=message):
        equalise(X, np.array(y), family=family)


def test_labels_of_any_kind_are_read():
    X = np.random.default_rng(0).normal(size=(4, 3))
    assert equalise(X, ["no", "yes", "no", "no"], family="binomial").y.tolist() == [0.0, 1.0, 0.0, 0.0]


def test_an_unknown_family_is_named():
    with pytest.raises(ValueError, match="family must be one of gaussian, binomial"):
        losses.make_loss("tweedie", np.ones(3))


def test_the_family_is_told():
    problem = draw("poisson")
    record = Comparison(problem, [], {}, {}, 1e-3, {}).record()
    assert record["family"] == "poisson"
    assert table.heading(record).startswith(f"## tiny: Poisson lasso, {N} x {P}, 8 alphas to alpha_max/20")
    plain = Comparison(equalise(*make_correlated(N, P, 3)), [], {}, {}, 1e-3, {}).record()
    assert "family" not in plain


@pytest.mark.parametrize("name", PEERS)
@pytest.mark.parametrize("family", losses.FAMILIES)
def test_a_peer_says_why_it_is_left_out(name, family):
    solver = PEERS[name].__new__(PEERS[name])
    problem = Problem("tiny", np.eye(2), np.array([0.0, 1.0]), family=family)
    if family in solver.families:
        solver.admit(problem)
        assert solver.default in solver.ladder(problem)
        return
    with pytest.raises(Unavailable, match="has no|no intercept|no L1 penalty|tall data"):
        solver.admit(problem)


def test_a_family_that_a_peer_lacks_is_skipped_before_it_runs():
    class Narrow(base.Peer):
        name, tols, default = "narrow", (1e-4,), 1e-4

        def version(self):
            return "1"

        def solve(self, problem, alphas, tol):
            raise AssertionError

    found = compare(draw("cox"), [make(OURS), Narrow()], Plan(repeats=1), quiet)
    assert found.skipped == {"narrow": "has no cox family"}
    assert [run.tol for run in found.of(OURS)] == [1e-4, 5e-5, 1e-7, 1e-9]
    assert found.missed() == []


def test_a_path_without_an_end_is_given_up():
    pytest.importorskip("threadpoolctl")

    class Slow(base.InProcessPeer):
        name, tols, default, patience = "slow", (1e-4,), 1e-4, 0.0

        def version(self):
            return "1"

        def call(self, problem, alphas, tol):
            return lambda: self.along(alphas, lambda alpha: np.zeros(problem.rows))

    found = compare(equalise(*make_correlated(N, P, 3), size=9), [Slow()], Plan(), quiet)
    assert "given up after 0 s" in found.skipped["slow"]
    Slow.patience = 60.0
    found = compare(equalise(*make_correlated(N, P, 3), size=9), [Slow()], Plan(repeats=1), quiet)
    assert [run.n_nonzero_last for run in found.runs] == [0]


@pytest.mark.compiled_only
@pytest.mark.parametrize(
    ("family", "name"),
    [(family, name) for name in PEERS if name != OURS for family in CURVED if family in PEERS[name].families],
)
def test_installed_peers_solve_the_same_problem(name, family):
    try:
        peer = make(name)
    except Missing as reason:
        # Peers are for comparisons, the test extra installs none; the reason says how to get one.
        pytest.skip(str(reason))
    shapes = {"lasso": draw(family, eps=0.1)}
    if family == "binomial":
        shapes["elastic net"] = draw(family, l1_ratio=0.5, eps=0.1)
        X, y = make_sparse(60, 30, 3, density=0.2)
        shapes["sparse"] = equalise(X, y > 0.0, family=family, size=8, eps=0.1)
    for shape, problem in shapes.items():
        plan = Plan(repeats=1, tols={name: (peer.ladder(problem)[-1],)})
        found = compare(problem, [make(OURS), peer], plan, quiet)
        assert found.skipped == {}, shape
        assert found.of(name)[0].worst_suboptimality < (1e-5 if name == "scikit-learn" else 1e-8), shape
        assert found.of(OURS)[-1].worst_suboptimality < 1e-9, shape
