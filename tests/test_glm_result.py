"""PathResult of every family: predictions on each scale, several outputs, survival; built by hand."""

import dataclasses
import re
import xml.etree.ElementTree as ET

import numpy as np
import pandas as pd
import pytest
from handmade import COEFS, INTERCEPTS, NAMES, STACKED, empty, make, several, target
from scipy import sparse

from fastreg.errors import DataError
from fastreg.families import baseline_hazard
from fastreg.result import Baseline, PathResult

ROWS = np.array([[1.0, 9.0, 1.0, 0.0], [0.0, 9.0, 2.0, 4.0], [-1.0, 0.5, 0.0, 2.0]])
ETA = ROWS @ COEFS + make().intercepts  # (n, K)
WIDE = np.einsum("ij,cjk->ick", ROWS, STACKED.reshape(3, 4, 3)) + INTERCEPTS  # (n, outputs, K)

# Means, probabilities, ratios, labels


@pytest.mark.parametrize(
    ("family", "expected"),
    [
        ("gaussian", ETA),
        ("huber", ETA),
        ("squared_hinge", ETA),
        ("binomial", 1.0 / (1.0 + np.exp(-ETA))),
        ("poisson", np.exp(ETA)),
        ("cox", np.exp(ETA)),
    ],
)
def test_the_response_of_each_family(family, expected):
    path = make(family=family)
    np.testing.assert_allclose(path.predict(ROWS), expected, rtol=1e-14)
    np.testing.assert_allclose(path.predict(ROWS, alpha=2.0), expected[:, 1], rtol=1e-14)
    np.testing.assert_allclose(path.predict(ROWS, kind="link"), ETA, rtol=1e-14)
    shifted = path.predict(ROWS, alpha=[1.0], offset=[1.0, 2.0, 3.0], kind="link")
    np.testing.assert_allclose(shifted, ETA[:, [2]] + [[1.0], [2.0], [3.0]], rtol=1e-14)


@pytest.mark.parametrize("family", ["binomial", "squared_hinge"])
def test_the_second_class_is_predicted_where_eta_is_positive(family):
    path = make(family=family, classes=("no", "yes"))
    np.testing.assert_array_equal(path.predict(ROWS, kind="class"), np.where(ETA > 0, "yes", "no"))
    assert path.predict(ROWS, alpha=2.0, kind="class").shape == (3,)
    null = make(np.zeros((4, 3)), family=family, classes=("no", "yes"), intercepts=np.zeros(3))
    assert set(null.predict(ROWS, kind="class").ravel()) == {"no"}
    assert make(family=family, classes=(False, True)).predict(ROWS, kind="class").dtype == bool


def test_probabilities_of_every_class():
    path = several()
    size = np.exp(WIDE)
    expected = size / size.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(path.predict(ROWS), expected, rtol=1e-13)
    np.testing.assert_allclose(path.predict(ROWS, alpha=1.0), expected[..., 2], rtol=1e-13)
    np.testing.assert_allclose(path.predict(ROWS, alpha=[1.0, 4.0]), expected[..., [2, 0]], rtol=1e-13)
    np.testing.assert_array_equal(
        path.predict(ROWS, kind="class"), np.array(["ash", "beech", "oak"])[WIDE.argmax(axis=1)]
    )
    offset = np.arange(9.0).reshape(3, 3)
    shifted = path.predict(ROWS, alpha=2.0, offset=offset, kind="link")
    np.testing.assert_allclose(shifted, WIDE[..., 1] + offset, rtol=1e-13)


def test_several_responses_are_predicted_side_by_side():
    path = several(family="mgaussian", classes=None, is_grouped=True)
    np.testing.assert_allclose(path.predict(ROWS), WIDE, rtol=1e-13)
    for X in (sparse.csr_array(ROWS), ROWS.astype(np.float32), pd.DataFrame(ROWS)):
        np.testing.assert_allclose(path.predict(X, alpha=1.0), WIDE[..., 2], rtol=1e-6)
    shifted = path.predict(ROWS, alpha=2.0, offset=[1.0, 2.0, 3.0])
    np.testing.assert_allclose(shifted, WIDE[..., 1] + [[1.0], [2.0], [3.0]], rtol=1e-13)
    with pytest.raises(DataError, match=r"offset must have shape \(3, 3\), got \(3, 2\)"):
        path.predict(ROWS, offset=np.zeros((3, 2)))


def test_large_predictors_meet_no_overflow():
    X = np.array([[1e3, 0.0, 0.0, 0.0], [-1e3, 0.0, 0.0, 0.0]])
    np.testing.assert_array_equal(make(family="binomial").predict(X, alpha=1.0), [1.0, 0.0])
    np.testing.assert_array_equal(make(family="poisson").predict(X, alpha=1.0), [np.inf, 0.0])
    found = several().predict(X, alpha=1.0)
    np.testing.assert_allclose(found.sum(axis=1), 1.0, rtol=1e-15)


@pytest.mark.parametrize(
    ("changes", "kind", "message"),
    [
        ({}, "probability", "kind must be one of 'response', 'link', 'class', got 'probability'"),
        ({}, None, "kind must be one of"),
        ({}, "class", "kind=\"class\" needs a path with classes, but family='gaussian' has none"),
        ({"family": "binomial"}, "class", "but it was fitted to proportions"),
    ],
)
def test_kinds_that_do_not_fit(changes, kind, message):
    with pytest.raises(DataError, match=re.escape(message)):
        make(**changes).predict(ROWS, kind=kind)


# Several outputs


def test_coefficients_of_several_outputs():
    path = several()
    assert path.n_features == 4
    assert path.coefs.shape == (3, 4, 3)
    np.testing.assert_array_equal(path.coefs, STACKED.reshape(3, 4, 3))
    assert not path.coefs.flags.writeable
    _, coefs, _ = path
    np.testing.assert_array_equal(coefs, path.coefs)
    coefs[:] = 7.0
    assert path.coefs.max() == 2.0
    coef, intercept = path.coef_at(3.0)
    np.testing.assert_allclose(coef, 0.5 * (path.coefs[..., 0] + path.coefs[..., 1]))
    np.testing.assert_allclose(intercept, 0.5 * (INTERCEPTS[:, 0] + INTERCEPTS[:, 1]))
    coef, intercept = path.coef_at([4.0, 1.0])
    np.testing.assert_allclose(coef, path.coefs[..., [0, 2]])
    np.testing.assert_allclose(intercept, INTERCEPTS[:, [0, 2]])


def test_features_count_once_over_all_outputs():
    path = several()
    used = path.coefs.any(axis=0)
    np.testing.assert_array_equal(path.n_nonzero, used.sum(axis=0))
    np.testing.assert_array_equal(path.selected(2.0), np.flatnonzero(used[:, 1]))
    size = np.abs(path.coefs).sum(axis=0)[:, 1]
    order = path.order_of_entry()
    assert len(order) == len(set(order.tolist())) == 4
    assert (np.diff(size[order]) <= 0).all()
    # A feature with the same use in two outputs, and one output that uses none.
    grouped = make(
        np.concatenate([COEFS, 2 * COEFS, 0 * COEFS]),
        n_outputs=3,
        intercepts=np.zeros((3, 3)),
        is_grouped=True,
    )
    np.testing.assert_array_equal(grouped.n_nonzero, make().n_nonzero)
    np.testing.assert_array_equal(grouped.order_of_entry(), make().order_of_entry())


def test_shapes_must_fit_the_number_of_outputs():
    with pytest.raises(DataError, match="one entry per alpha"):
        make(STACKED, n_outputs=3)
    with pytest.raises(DataError, match="one entry per alpha"):
        make(intercepts=INTERCEPTS)


def test_tables_name_features_and_outputs():
    path = several(feature_names=NAMES)
    columns = list(path.to_frame(coefs=True).columns)
    assert columns[6:9] == ["intercept: ash", "intercept: beech", "intercept: oak"]
    assert columns[9:12] == ["dose: ash", "height: ash", "income: ash"]
    frame = path.to_frame(coefs=True)
    np.testing.assert_array_equal(frame["dose: ash"], path.coefs[0, 0])
    np.testing.assert_array_equal(frame["intercept: oak"], INTERCEPTS[2])
    plain = several(family="mgaussian", classes=None).to_frame(coefs=True)
    assert {"intercept: y0", "x0: y0"} <= set(plain.columns)
    assert "features" in path.summary_table()


@pytest.mark.parametrize(
    ("changes", "title"),
    [
        ({}, "lasso, 10 x 4"),
        ({"family": "binomial"}, "logistic lasso, 10 x 4"),
        ({"family": "poisson", "l1_ratio": 0.0}, "Poisson ridge, 10 x 4"),
        ({"family": "huber", "l1_ratio": 0.5}, "Huber elastic net, l1_ratio 0.5, 10 x 4"),
        ({"family": "squared_hinge"}, "squared-hinge lasso, 10 x 4"),
        ({"family": "cox"}, "Cox lasso, 10 x 4"),
    ],
)
def test_the_family_is_named(changes, title):
    assert repr(make(**changes)).startswith(f"PathResult({title}, 3 alphas")
    assert title in make(**changes)._repr_html_()


def test_the_number_of_outputs_is_named():
    assert repr(several()).startswith("PathResult(multinomial lasso, 3 classes, 10 x 4")
    assert "grouped multinomial lasso, 3 classes" in repr(several(is_grouped=True))
    both = several(family="mgaussian", classes=None, is_grouped=True)
    assert repr(both).startswith("PathResult(multi-task lasso, 3 responses, 10 x 4")


def test_pictures_of_several_outputs():
    figure = pytest.importorskip("matplotlib.figure")
    path = several(feature_names=NAMES, classes=("<a>", "b&c", "$"))
    ax = path.plot(figure.Figure(layout="constrained").subplots(), labels=12)
    ax.figure.canvas.draw()
    assert {"dose: <a>", r"dose: \$"} & {text.get_text() for text in ax.texts}
    ET.fromstring(path._repr_html_())
    assert "dose: &lt;a&gt;" in path._repr_html_()


def test_no_alpha_of_several_outputs():
    path = empty(n_outputs=2, intercepts=np.empty((2, 0)), coefs_sparse=sparse.csc_array((8, 0)))
    assert path.coefs.shape == (2, 4, 0)
    assert path.n_nonzero.size == path.order_of_entry().size == 0
    assert "0 of 100 alphas" in repr(path)


# Survival


def _cox(ties="breslow", strata=None):
    rng = np.random.default_rng(4)
    y = np.column_stack([rng.integers(1, 6, 30), np.r_[1, 1, rng.integers(0, 2, 28)]])
    X = rng.standard_normal((30, 4))
    found = target("cox", y, ties=ties, strata=strata)
    baseline = baseline_hazard(found, X @ COEFS)
    return make(family="cox", intercepts=np.zeros(3), baseline=baseline), X, y


def test_survival_falls_from_one_by_the_hazard():
    path, X, y = _cox()
    times = np.unique(y[y[:, 1] == 1, 0])
    found = path.predict_survival(X)
    assert found.shape == (30, times.size, 3)
    np.testing.assert_allclose(
        found, np.exp(-np.exp(path.baseline.log_hazard)[None] * np.exp(X @ COEFS)[:, None]), rtol=1e-13
    )
    some = path.predict_survival(X[:2], [0.5, times[1], times[1] + 0.1, 99.0], alpha=2.0)
    np.testing.assert_array_equal(some[:, 0], 1.0)
    np.testing.assert_array_equal(some[:, 1], found[:2, 1, 1])
    np.testing.assert_array_equal(some[:, 2], some[:, 1])
    np.testing.assert_array_equal(some[:, 3], found[:2, -1, 1])
    # An offset multiplies the hazard.
    shifted = path.predict_survival(X[:2], 3.0, alpha=2.0, offset=np.log([2.0, 3.0]))
    np.testing.assert_allclose(
        shifted[:, 0], path.predict_survival(X[:2], 3.0, alpha=2.0)[:, 0] ** [2.0, 3.0]
    )
    # Between two alphas it lies between theirs, and neither end of the predictor overflows.
    assert np.isfinite(path.predict_survival(X, alpha=[3.0, 1.5])).all()
    extreme = path.predict_survival(np.array([[1e4, 0, 0, 0], [-1e4, 0, 0, 0]]), 99.0, alpha=1.0)
    np.testing.assert_array_equal(extreme.ravel(), [0.0, 1.0])


def test_the_mean_of_survival_is_that_of_the_data():
    # Without coefficients and censoring, Breslow's curve is close to the share that is left.
    n = 400
    time = np.arange(1.0, n + 1)
    found = target("cox", np.column_stack([time, np.ones(n)]))
    path = make(np.zeros((4, 1)), (1.0,), family="cox", intercepts=np.zeros(1),
                baseline=baseline_hazard(found, np.zeros((n, 1))))  # fmt: skip
    curve = path.predict_survival(np.zeros((1, 4)), [100.5, 200.5, 300.5], alpha=1.0)[0]
    np.testing.assert_allclose(curve, [0.75, 0.5, 0.25], atol=0.005)


def test_every_stratum_has_its_own_hazard():
    strata = np.array(["north", "south"])[np.arange(30) % 2]
    path, X, y = _cox(strata=strata)
    alone = [
        baseline_hazard(target("cox", y[strata == name]), X[strata == name] @ COEFS)
        for name in ("north", "south")
    ]
    found = path.predict_survival(X[:2], 3.0, alpha=1.0, strata=["south", "north"])
    for i, one in ((0, alone[1]), (1, alone[0])):
        g = np.searchsorted(one.times, 3.0, side="right") - 1
        hazard = np.exp(one.log_hazard[g, 2] + X[i] @ COEFS[:, 2])
        np.testing.assert_allclose(found[i, 0], np.exp(-hazard), rtol=1e-12)
    for call, message in (
        (lambda: path.predict_survival(X, 3.0), "strata must be given for a path with strata"),
        (
            lambda: path.predict_survival(X[:1], 3.0, strata=["west"]),
            "strata must be those of the path, got 'west'",
        ),
        (
            lambda: path.predict_survival(X[:1], strata=["north"]),
            "times must be given for a path with strata",
        ),
        (lambda: _cox()[0].predict_survival(X, strata=strata), "strata must be left out"),
        (lambda: _cox()[0].predict_survival(X, [1.0, np.nan]), "times must be a number or a vector"),
        (lambda: _cox()[0].predict_survival(X, [[1.0]]), "times must be a number or a vector"),
        (lambda: make().predict_survival(X, 1.0), "needs a path of cox_path, got family='gaussian'"),
    ):
        with pytest.raises(DataError, match=message):
            call()


# On disk


@pytest.mark.parametrize(
    "path",
    [
        several(feature_names=NAMES),
        several(family="mgaussian", classes=None, is_grouped=True),
        make(family="binomial", classes=(False, True)),
        make(family="binomial", classes=(-1.5, 2.0)),
        make(family="huber", delta=0.1 + 0.2),
        _cox()[0],
        _cox("efron", np.arange(30) % 3)[0],
    ],
    ids=["classes", "responses", "booleans", "floats", "delta", "cox", "strata"],
)
def test_every_family_survives_the_disk(path, tmp_path):
    path.save(tmp_path / "path.npz")
    found = PathResult.load(tmp_path / "path.npz")
    for field in dataclasses.fields(PathResult):
        one, other = getattr(path, field.name), getattr(found, field.name)
        if isinstance(one, Baseline):
            assert one.strata == other.strata
            for name in ("times", "log_hazard", "ends"):
                assert getattr(one, name).tobytes() == getattr(other, name).tobytes()
        elif isinstance(one, np.ndarray):
            np.testing.assert_array_equal(one, other)
        elif not sparse.issparse(one):
            assert one == other
            assert type(one) is type(other)
    np.testing.assert_array_equal(path.coefs, found.coefs)
    if path.classes is not None:
        assert [type(each) for each in found.classes] == [type(each) for each in path.classes]


def test_files_of_the_first_version_are_read(tmp_path):
    path = make()
    path.save(tmp_path / "path.npz")
    with np.load(tmp_path / "path.npz") as archive:
        arrays = dict(archive)
    header = arrays["header"].tobytes().decode().replace('"version": 2', '"version": 1')
    for name in ("n_outputs", "delta", "is_grouped"):
        header = re.sub(rf'"{name}": [^,]*, ', "", header)
    arrays["header"] = np.frombuffer(header.encode(), np.uint8)
    np.savez(tmp_path / "old.npz", **arrays)
    old = PathResult.load(tmp_path / "old.npz")
    np.testing.assert_array_equal(old.coefs, path.coefs)
    assert (old.n_outputs, old.baseline) == (1, None)
