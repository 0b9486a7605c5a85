"""The path functions of every family: one set of options, checked alike, and documentation made of parts."""

import inspect

import numpy as np
import pytest

import fastreg
from fastreg import _docs
from fastreg.errors import DataError, DataTypeError

N, P = 24, 5
RNG = np.random.default_rng(8)
X = RNG.standard_normal((N, P))
LABELS = np.where(X[:, 1] + 0.5 * RNG.standard_normal(N) > 0, "yes", "no")
SORTS = np.array(["a", "b", "c"])[np.arange(N) % 3]
NUMBERS = X[:, 2] + RNG.standard_normal(N)
SURVIVAL = np.column_stack([RNG.exponential(1.0, N), np.arange(N) % 3 > 0])
RESPONSES = np.column_stack([NUMBERS, X[:, 0], X[:, 4]])
# Door, response, canonical family, number of outputs.
DOORS = {
    "logistic_path": (LABELS, "binomial", 1),
    "multinomial_path": (SORTS, "multinomial", 3),
    "poisson_path": (RNG.poisson(2.0, N), "poisson", 1),
    "squared_hinge_path": (LABELS, "squared_hinge", 1),
    "huber_path": (NUMBERS, "huber", 1),
    "cox_path": (SURVIVAL, "cox", 1),
    "multitask_path": (RESPONSES, "mgaussian", 3),
}
LIKE_SCIKIT_LEARN = ("lasso_path", "enet_path", "ridge_path")
DROP_IN = {
    "n_alphas", "precompute", "Xy", "copy_X", "check_input", "selection", "random_state", "return_n_iter",
}  # fmt: skip
OWN = {"grouped", "delta", "scale", "ties", "strata", "family"}


def _parameters(name):
    return inspect.signature(getattr(fastreg, name)).parameters


@pytest.mark.parametrize("name", [*DOORS, *LIKE_SCIKIT_LEARN, "glm_path"])
def test_options_are_keywords_and_none_is_swallowed(name):
    kinds = {parameter.kind for each, parameter in _parameters(name).items() if each not in ("X", "y")}
    assert kinds == {inspect.Parameter.KEYWORD_ONLY}
    with pytest.raises(TypeError, match="unexpected keyword"):
        getattr(fastreg, name)(X, NUMBERS, lamda=1.0)


@pytest.mark.parametrize("name", [*DOORS, "glm_path"])
def test_every_door_has_the_options_of_the_lasso_with_the_same_defaults(name):
    mine, others = _parameters(name), _parameters("lasso_path")
    # Responses of their own are least squares.
    missing = set(others) - set(mine) - DROP_IN - {"multi_response"}
    assert missing == ({"fit_intercept"} if name == "cox_path" else set())
    assert set(mine) - set(others) - OWN == {"l1_ratio"}
    assert mine["l1_ratio"].default == 1.0
    for option in set(mine) & set(others) - {"fit_intercept", "eps"}:
        assert mine[option].default == others[option].default, option
    # The lasso's is scikit-learn's own; None is the same, and a smaller one for ridge.
    assert (mine["eps"].default, others["eps"].default) == (None, 1e-3)
    if name not in ("cox_path", "glm_path"):
        assert mine["fit_intercept"].default is True


@pytest.mark.parametrize("name", DOORS)
def test_every_door_is_glm_path_with_its_family(name):
    y, family, outputs = DOORS[name]
    options = {"alphas": 4, "eps": 0.1, "l1_ratio": 0.9, "feature_names": list("abcde")}
    path = getattr(fastreg, name)(X, y, **options)
    general = fastreg.glm_path(X, y, family=family, **options)
    np.testing.assert_array_equal(path.coefs, general.coefs)
    np.testing.assert_array_equal(path.intercepts, general.intercepts)
    assert path.family == family
    assert path.n_outputs == outputs
    assert path.coefs.shape == ((outputs, P, 4) if outputs > 1 else (P, 4))
    assert path.intercepts.shape == ((outputs, 4) if outputs > 1 else (4,))
    assert path.relative_gaps.max() <= path.tol
    assert path.l1_ratio == 0.9
    assert path.alphas_requested == 4
    assert (path.baseline is None) == (family != "cox")
    assert path.predict(X[:2]).shape == ((2, outputs, 4) if outputs > 1 else (2, 4))


def test_options_of_a_family_reach_it():
    assert fastreg.huber_path(X, NUMBERS, delta=0.5, scale=2.0, alphas=[9.0]).delta == 1.0
    # Every time twice, so that there are ties: Efron's terms are not Breslow's.
    tied = np.column_stack([np.arange(N) // 2 + 1.0, np.ones(N)])
    found = [fastreg.cox_path(X, tied, ties=ties, alphas=[0.01]).coefs for ties in ("breslow", "efron")]
    assert np.abs(found[0] - found[1]).max() > 1e-4
    apart = fastreg.cox_path(X, tied, strata=SORTS, alphas=[0.01])
    assert apart.baseline.strata == ("a", "b", "c")
    assert np.abs(apart.coefs - found[0]).max() > 1e-4


@pytest.mark.parametrize(
    ("name", "options"), [("multinomial_path", {"grouped": True}), ("multitask_path", {})]
)
def test_grouped_features_enter_for_all_outputs_at_once(name, options):
    path = getattr(fastreg, name)(X, DOORS[name][0], alphas=3, eps=0.2, **options)
    assert path.is_grouped
    used = path.coefs != 0
    np.testing.assert_array_equal(used.any(axis=0), used.all(axis=0))


def test_options_of_other_families_are_refused():
    for options, message in (
        ({"family": "gaussian", "delta": 1.0}, "delta belongs to family='huber', got 1.0"),
        ({"family": "poisson", "ties": "efron"}, "ties belongs to family='cox'"),
        ({"family": "cox", "fit_intercept": True}, "fit_intercept must be False for family='cox'"),
        ({"family": "probit"}, "family must be one of"),
        ({"family": "logistic", "coef_init": np.zeros(4)}, r"coef_init must have shape \(5,\)"),
        ({"family": "multinomial", "coef_init": np.zeros(5)}, r"must have shape \(2, 5\), got \(5,\)"),
        ({"family": "multinomial", "coef_init": np.full((2, 5), np.nan)}, "be finite, got .* row 0"),
        ({"family": "logistic", "sample_weight": -np.ones(N)}, "sample_weight must be >= 0"),
        ({"family": "logistic", "fit_intercept": None, "eps": 2.0}, "eps must be"),
    ):  # fmt: skip
        with pytest.raises(DataError, match=message):
            fastreg.glm_path(X, SURVIVAL if options["family"] == "cox" else LABELS == "yes", **options)
    with pytest.raises(DataTypeError, match="fit_intercept must be True or False"):
        fastreg.logistic_path(X, LABELS, fit_intercept="no")


def test_a_start_of_several_outputs_reaches_the_solver():
    options = {"alphas": [0.05], "tol": 1e-10}
    cold = fastreg.multinomial_path(X, SORTS, **options)
    warm = fastreg.multinomial_path(X, SORTS, coef_init=cold.coefs[..., 0], **options)
    np.testing.assert_allclose(warm.coefs, cold.coefs, atol=1e-5)


def test_the_general_door_is_the_lasso_by_default():
    path = fastreg.glm_path(X, NUMBERS, alphas=5)
    lasso = fastreg.lasso_path(X, NUMBERS, alphas=5, fit_intercept=True)
    np.testing.assert_array_equal(path.coefs, lasso.coefs)
    assert path.family == "gaussian"


# The parts of docstrings


@pytest.mark.parametrize("name", [*DOORS, *LIKE_SCIKIT_LEARN, "glm_path"])
def test_docstrings_are_complete(name):
    doc = inspect.getdoc(getattr(fastreg, name))
    assert "{" not in doc.replace('{"breslow", "efron"}', "").replace("sum_{i at risk}", "").replace(
        "mean_{i in D_t}", ""
    )
    for part in (
        "Minimise over b",
        "alpha * sum_j v_j",
        "subject to lower_j <= b_j <= upper_j",
        "PathResult\n",
    ):
        assert part in doc
    described = [line.split(" : ")[0] for line in doc.splitlines() if line[:1].strip() and " : " in line]
    order = [each.strip() for names in described for each in names.split(",")]
    assert order == list(_parameters(name))
    assert max(map(len, doc.splitlines())) <= 110


def test_a_parameter_that_nobody_described_ends_the_import():
    def path(X, colour):
        """Do it.

        Parameters
        ----------
        {parameters}
        """

    with pytest.raises(KeyError, match="colour"):
        _docs.documented(y="y : array\n    Response.", loss="0")(path)
    path.__doc__ = None  # as under python -OO
    assert _docs.documented(y="y : array\n    Response.", loss="0")(path).__doc__ is None


@pytest.mark.parametrize("door", ["lasso_path", "logistic_path", "cv_path", "stability_selection"])
def test_a_warning_points_to_the_line_that_called_us_however_deep_it_was_raised(door):
    options = {"stability_selection": {"pairs": 2, "q": 4}, "cv_path": {"cv": 2}}.get(door, {"eps": 1e-2})
    y = LABELS if door == "logistic_path" else NUMBERS - NUMBERS.mean()
    with pytest.warns(fastreg.ConvergenceWarning) as heard:
        getattr(fastreg, door)(X, y, max_iter=1, tol=1e-16, **options)
    assert {each.filename for each in heard} == {__file__}
