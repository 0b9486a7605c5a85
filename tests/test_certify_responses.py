"""certify for every loss: what it takes in, where it ends, and solutions of other software."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import scipy.special

from fastreg._evidence_loss import divergence
from fastreg._evidence_risk import RiskTree
from fastreg.certify import certify
from fastreg.errors import DataError, DataTypeError

X = np.random.default_rng(0).normal(size=(8, 3))
TIMES = np.column_stack([[3.0, 1, 2, 2, 5, 4, 6, 1], [1, 0, 1, 1, 0, 1, 1, 0]])
NOTHING = np.zeros(3)
SEVERAL = {"family": "multinomial", "coef": np.zeros((2, 3))}


def null(y: Any, **options: Any) -> Any:
    return certify(X, y, options.pop("coef", NOTHING), options.pop("intercept", 0.0), 0.1, **options)


def test_divergence_keeps_its_digits() -> None:
    mu = np.array([1e-300, 1e-8, 0.3, 1.0, 50.0])[:, None]
    x = np.concatenate([[-1.0], -np.geomspace(1e-12, 0.9, 40), [0.0], np.geomspace(1e-12, 1e6, 60)])
    exact = x.astype(np.longdouble)
    small = np.abs(x) < 1e-3
    with np.errstate(divide="ignore", invalid="ignore"):
        closed = np.where(x > -1, (1 + exact) * np.log1p(exact), 0) - exact
    series = exact**2 / 2 - exact**3 / 6 + exact**4 / 12 - exact**5 / 20 + exact**6 / 30 - exact**7 / 42
    expected = mu * np.where(small, series, closed)
    np.testing.assert_allclose(divergence(mu, np.log(mu), mu * x), expected.astype(float), rtol=1e-13)


def test_sums_over_risk_sets_by_definition() -> None:
    rng = np.random.default_rng(4)
    for groups in (0, 1, 2, 3, 7, 16):
        enter = rng.integers(0, groups + 1, size=30)
        leave = rng.integers(0, groups + 1, size=30)
        v, u = 100 * rng.normal(size=30), 100 * rng.normal(size=groups)
        risk = (enter <= np.arange(groups)[:, None]) & (np.arange(groups)[:, None] < leave)
        tree = RiskTree(enter, leave, groups)
        with np.errstate(divide="ignore"):
            over_rows = scipy.special.logsumexp(np.where(risk, v, -np.inf), axis=1)
            over_groups = scipy.special.logsumexp(np.where(risk.T, u, -np.inf), axis=1) if groups else -np.inf
        np.testing.assert_allclose(tree.over_rows(v), over_rows, rtol=1e-14)
        np.testing.assert_allclose(tree.over_groups(u), np.broadcast_to(over_groups, 30), rtol=1e-14)


def test_labels_proportions_and_one_hot_rows_agree() -> None:
    y = np.array([0, 1, 1, 0, 0, 1, 0, 1])
    coef = np.array([0.1, 0.0, -0.2])
    expected = null(y, coef=coef, family="logistic").gap
    text = np.array(["no", "yes"])[y]
    numbers = (y.astype(bool), y.astype(float), 2 * y - 1, y[:, None])
    words = (text, text.astype(object), text.astype("S"), list(text), pd.Series(text, dtype="category"))
    for same in numbers + words:
        assert null(same, coef=coef, family="binomial").gap == expected
    soft = np.where(y, 1.0 - 1e-12, 0.0)  # proportions: not all of them whole
    assert null(soft, coef=coef, family="binomial").gap == pytest.approx(expected, rel=1e-9)
    rows = np.eye(3)[y]
    three = np.outer([1.0, -1.0, 0.5], coef)
    proportions = null(rows, coef=three, family="multinomial")
    assert null(np.array(["a", "b", "c"])[np.r_[y[:7], 2]], coef=three, family="multinomial").gap > 0
    path = SimpleNamespace(
        coefs_sparse=scipy.sparse.csc_array(three.reshape(-1, 1)), intercepts=np.zeros((3, 1)),
        alphas=np.array([0.1]), l1_ratio=1.0, family="multinomial", classes=("no", "yes", "never"), delta=0.0,
    )  # fmt: skip
    assert certify(X, text, path).gap[0] == proportions.gap
    with pytest.raises(DataError, match="the classes of the path"):
        certify(X, np.where(y, "yes", "perhaps"), path)


def test_a_path_brings_its_family_and_options() -> None:
    path = SimpleNamespace(
        coefs_sparse=scipy.sparse.csc_array(np.array([[0.0, 0.1], [0.0, 0.0], [0.0, 0.3]])), classes=None,
        intercepts=np.zeros(2), alphas=np.array([0.2, 0.1]), l1_ratio=0.5, family="huber", delta=0.7,
    )  # fmt: skip
    y = X[:, 0] + 1.0
    dense = certify(
        X, y, path.coefs_sparse.toarray(), 0.0, path.alphas, l1_ratio=0.5, family="huber", delta=0.7
    )
    np.testing.assert_array_equal(certify(X, y, path).gap, dense.gap)
    assert certify(X, y, path).family == "huber"
    path.family, path.is_grouped = "multinomial", True
    path.coefs_sparse = scipy.sparse.vstack([path.coefs_sparse] * 2).tocsc()
    grouped = certify(X, y > 1, path)
    claim = path.coefs_sparse.toarray().reshape(2, 3, 2)
    options = {"l1_ratio": 0.5, "family": "multinomial"}
    np.testing.assert_array_equal(
        grouped.gap, certify(X, y > 1, claim, 0.0, path.alphas, grouped=True, **options).gap
    )
    assert (grouped.gap != certify(X, y > 1, claim, 0.0, path.alphas, **options).gap)[1]


def test_forms_of_the_design_agree(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    wide = np.where(rng.random((20, 30)) < 0.8, 0.0, rng.normal(size=(20, 30)))
    y, coef = rng.poisson(2.0, size=20), np.where(rng.random(30) < 0.9, 0.0, 0.2)
    wide[:, 3] = 1.5
    stored = np.memmap(tmp_path / "X", dtype=np.float64, mode="w+", shape=wide.shape, order="F")
    stored[:] = wide
    expected = certify(wide, y, coef, 0.1, 0.05, family="poisson")
    frame = pd.DataFrame(wide)
    sparse = frame.astype(pd.SparseDtype(float, 0.0))
    for form in (stored, frame, sparse, scipy.sparse.csr_array(wide), scipy.sparse.coo_matrix(wide)):
        claim = certify(form, y, coef, 0.1, 0.05, family="poisson")
        assert claim.gap == pytest.approx(expected.gap, rel=1e-12)
        np.testing.assert_array_equal(claim.proven_zero, expected.proven_zero)


def test_survival_times_in_other_clothes() -> None:
    coef = np.array([0.3, 0.0, -0.1])
    expected = null(TIMES, coef=coef, family="cox").gap
    late = np.column_stack([np.full(8, -1.0), TIMES])  # all enter before the first event
    record = np.array([(bool(e), t) for t, e in TIMES], dtype=[("event", bool), ("time", float)])
    frame = pd.DataFrame({"status": TIMES[:, 1], "time": TIMES[:, 0]})
    for same in (late, record, frame, TIMES * [10.0, 1.0]):
        assert null(same, coef=coef, family="cox").gap == pytest.approx(expected, rel=1e-12)
    one = null(TIMES, coef=coef, family="cox", strata=["all"] * 8)
    assert one.gap == expected
    assert null(TIMES, coef=coef, family="cox", ties="efron").gap != expected
    assert null(TIMES, coef=coef, family="cox", strata=np.arange(8)).primal == pytest.approx(0.04)


@pytest.mark.parametrize(
    ("y", "options"),
    [
        (np.zeros(8), {"family": "poisson", "intercept": -45.0}),
        (np.eye(8)[0] > 0, {"family": "binomial", "sample_weight": np.arange(8), "intercept": -45.0}),
        (np.eye(8)[0] > 0, {"family": "binomial", "sample_weight": 1 - np.eye(8)[0], "intercept": -45.0}),
        (TIMES * [1, 0], {"family": "cox"}),
        (np.full((8, 2), 0.1), {"family": "mgaussian", "coef": np.zeros((2, 3)), "intercept": [0.1, 0.1]}),
        (np.full(8, 0.1), {"family": "huber", "delta": 1.0, "intercept": 0.1}),
        (np.full(8, 3), {"family": "poisson", "intercept": np.log(3)}),
    ],
    ids=[
        "no counts",
        "one class weighs",
        "one class left",
        "all censored",
        "constant",
        "flat",
        "same counts",
    ],
)
def test_perfect_null_models_have_no_gap(y: Any, options: dict[str, Any]) -> None:
    claim = null(y, **options)
    assert claim.relative_gap == 0.0
    assert claim.feasible
    away = null(y, **(options | {"coef": options.get("coef", NOTHING) + 0.1}))
    assert away.relative_gap > 1


@pytest.mark.parametrize(
    ("family", "y"),
    [
        ("poisson", np.arange(8)),
        ("binomial", np.arange(8) % 2),
        ("multinomial", np.arange(8) % 2),
        ("cox", TIMES),
    ],
)
def test_predictors_of_any_size_have_an_answer(family: str, y: Any) -> None:
    for size in (50.0, 1e3, 1e10, 1e300):
        coef = np.full(3, size)
        claim = null(y, coef=np.array([coef, -coef]) if family == "multinomial" else coef, family=family)
        assert claim.feasible
        assert claim.gap >= 0.9 * claim.primal - 5.0
        assert 0.0 <= claim.dual <= claim.null_objective * (1 + 1e-9)


def test_separable_data_have_a_finite_certificate() -> None:
    x, y = np.linspace(-1, 1, 20)[:, None], np.arange(20) >= 10
    for size in (1.0, 10.0, 100.0):
        claim = certify(x, y, [size], 0.0, 1e-12, family="binomial", fit_intercept=True)
        assert claim.primal * (1 + 1e-9) >= claim.gap >= 0
    free = certify(x, y, [700.0], 0.0, 0.1, family="binomial", fit_intercept=True, penalty_factor=0.0)
    assert free.relative_gap <= 1e-14


@pytest.mark.parametrize("alpha", np.geomspace(1e-2, 1e-14, 7))
@pytest.mark.parametrize("family", ["binomial", "multinomial"])
def test_separable_rows_keep_the_digits_of_the_gap(family: str, alpha: float) -> None:
    # Rows 1 and -1, of a class each: log(1 + exp(-m)) + alpha m is least where exp(m) = 1 / alpha - 1.
    exact = np.longdouble(alpha)
    best = np.log1p(-exact) - np.log(exact)
    for step in (0.0, 1e-5, 1e-2):
        margin = float(best * (1 + step))
        if family == "binomial":
            claim = certify([[1.0], [-1.0]], [1, 0], [margin], 0.0, alpha, family=family, fit_intercept=True)
        else:
            coef = [[-margin / 2], [margin / 2]]
            claim = certify([[1.0], [-1.0]], [1, 0], coef, 0.0, alpha, family=family, fit_intercept=True)
        above = margin - best
        lost = np.log1p(exact * np.expm1(-above)) + exact * above
        assert claim.gap >= lost * (1 - 1e-9)
        # What falls short of alpha in the slope costs its share of the penalty.
        assert claim.gap <= 2 * lost + (abs(above) + 1e-13) * alpha * margin


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"family": "gamma"}, DataError, "family must be one of gaussian"),
        ({"y": np.arange(8)}, DataError, "two classes"),
        ({"y": np.ones(8)}, DataError, "two classes"),
        ({"y": [None, *"abababa"]}, DataError, "no missing labels, got one at row 0"),
        ({"y": [1.0, np.nan] * 4}, DataError, "no missing labels, got one at row 1"),
        ({"y": np.array([1, "a"] * 4, dtype=object)}, DataTypeError, "labels of one type"),
        ({"y": np.zeros(8, dtype=complex)}, DataTypeError, "labels"),
        ({"y": np.zeros((8, 2))}, DataError, "one label for each row"),
        ({"family": "multinomial", "y": np.zeros(8)}, DataError, "two classes at least"),
        ({"family": "multinomial", "y": np.full((8, 2), 0.4)}, DataError, "rows of proportions"),
        ({"family": "multinomial", "coef": NOTHING}, DataError, "outputs first"),
        ({"family": "multinomial", "coef": np.zeros((2, 4))}, DataError, "2 outputs of 3 rows"),
        ({**SEVERAL, "intercept": np.zeros(3)}, DataError, "intercept must be"),
        ({**SEVERAL, "offset": np.zeros((8, 3))}, DataError, "offset must have"),
        ({"family": "poisson", "y": -np.arange(8)}, DataError, "counts >= 0, got -1.0 at row 1"),
        ({"family": "poisson", "y": ["a"] * 8}, DataTypeError, "numbers"),
        ({"family": "poisson", "y": np.full(8, np.inf)}, DataError, "finite"),
        ({"family": "huber", "y": np.arange(8)}, DataError, "delta must be"),
        ({"family": "huber", "y": np.arange(7), "delta": 1.0}, DataError, "shape"),
        ({"family": "mgaussian", "y": np.zeros(8)}, DataError, "responses"),
        ({"family": "cox", "y": np.zeros(8)}, DataError, "time, status"),
        ({"family": "cox", "y": np.full((8, 2), 2.0)}, DataError, "status in y must be 0"),
        ({"family": "cox", "y": np.ones((8, 3))}, DataError, "start in y must lie before stop"),
        ({"family": "cox", "y": TIMES, "ties": "exact"}, DataError, "ties must be"),
        ({"family": "cox", "y": TIMES, "strata": [1, 2]}, DataError, "one label for each row"),
        ({"family": "cox", "y": TIMES, "fit_intercept": True}, DataError, "no intercept"),
    ],
)  # fmt: skip
def test_malformed_responses_are_refused(
    change: dict[str, Any], error: type[Exception], message: str
) -> None:
    call: dict[str, Any] = {
        "X": X, "y": np.arange(8) % 2, "coef": NOTHING, "intercept": 0.0, "alpha": 1.0, "family": "binomial"
    }  # fmt: skip
    with pytest.raises(error, match=message):
        certify(**(call | change))


REFERENCES = {
    "binomial_lasso": {}, "binomial_weights": {}, "binomial_noint": {"fit_intercept": False},
    "binomial_ridge": {}, "binomial_enet05": {},
    "poisson_lasso": {}, "poisson_enet05": {}, "poisson_offset": {},
    "multinomial_lasso": {}, "multinomial_grouped": {"grouped": True}, "multinomial_enet05": {},
    "cox_lasso": {}, "cox_enet05": {}, "mgaussian_lasso": {}, "leukemia_binomial": {}, "khan_multinomial": {},
}  # fmt: skip


@pytest.mark.parametrize("case", REFERENCES)
def test_solutions_of_glmnet_are_accepted(case: str, load_data: Callable[[str], Any]) -> None:
    """The gap of a claim is first order in its gradient's error: what glmnet left there is granted."""
    first, kind = case.split("_")
    family = {"leukemia": "binomial", "khan": "multinomial"}.get(first, first)
    files = {"leukemia": "leukemia", "khan": "khan", "mgaussian": "glmnet_multigaussian"}
    data, stored = load_data(files.get(first, f"glmnet_{first}")), load_data("glmnet_reference")
    design, kept = np.asarray(data["X"], dtype=float), slice(1 if kind == "ridge" else 0, None)
    n = design.shape[0]
    coef, alphas = stored[f"{case}/beta"][..., kept], stored[f"{case}/lambda"][kept]
    intercept = 0.0 if family == "cox" else stored[f"{case}/a0"][..., kept]
    options = {"fit_intercept": family != "cox"} | REFERENCES[case]
    options["l1_ratio"] = {"enet05": 0.5, "ridge": 0.0}.get(kind, 1.0)
    if kind == "weights":
        options["sample_weight"] = np.arange(1, n + 1) % 5 + 1.0
    if kind == "offset":
        options["offset"] = np.log(1 + np.arange(1, n + 1) % 7)
    claim = certify(design, data["y"], coef, intercept, alphas, family=family, standardize=True, **options)
    slack = claim.kkt / alphas  # relative error of the gradient
    assert claim.feasible.all()
    assert (claim.relative_gap <= 10 * slack + 1e-10).all()
    assert claim.kkt.max() <= 1e-5 * alphas[0]
    assert not (claim.proven_zero & (coef != 0)).any()
    assert claim.proven_zero.sum() >= 0.75 * (coef == 0).sum()
