"""``fastreg.plots``: what is drawn where, on the axes that came or on new ones."""

import numpy as np
import pytest

import fastreg
from fastreg import datasets
from fastreg.errors import DataError

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")

from fastreg import plots  # noqa: E402


@pytest.fixture
def data():
    return datasets.make_wide(n=60, p=40, n_true=3, seed=1)


@pytest.fixture
def path(data):
    return fastreg.lasso_path(data.X, data.y, fit_intercept=True, eps=0.02, alphas=25)


def _axes():
    from matplotlib.figure import Figure

    return Figure(layout="constrained").subplots()


@pytest.fixture
def ax():
    return _axes()


def _lines(ax):
    return [segment for collection in ax.collections for segment in collection.get_segments()]


@pytest.mark.parametrize("along", ["alpha", "norm", "deviance"])
def test_a_path_is_drawn_along_what_is_asked(path, ax, along):
    places = {"alpha": path.alphas, "norm": np.abs(path.coefs).sum(axis=0), "deviance": path.dev_ratio}[along]
    assert plots.plot_path(path, ax, labels=3, along=along) is ax
    assert ax.get_xscale() == ("log" if along == "alpha" else "linear")
    largest = path.coefs[np.argmax(np.abs(path.coefs[:, -1]))]
    drawn = [line for line in _lines(ax) if np.isclose(line[-1, 1], largest[-1])][0]
    assert np.allclose(drawn[-1], [places[-1], largest[-1]])
    left, right = ax.get_xlim()
    assert left == pytest.approx(places[0])
    assert right == pytest.approx(places[-1])
    top = ax.child_axes[0]
    assert top.get_xlabel() == "features"
    ticks = top.get_xticks()
    shown = {int(path.n_nonzero[np.argmin(np.abs(places - tick))]) for tick in ticks}
    assert shown == {int(label.get_text()) for label in top.get_xticklabels()}


def test_unknown_axes_are_refused_before_a_figure_is_made(path):
    from matplotlib import pyplot as plt

    before = plt.get_fignums()
    with pytest.raises(DataError, match="along must be 'alpha', 'norm' or 'deviance', got 'lambda'"):
        plots.plot_path(path, along="lambda")
    with pytest.raises(DataError):
        plots.plot_criteria(path, ["dic"])
    assert plt.get_fignums() == before


def test_criteria_are_drawn_above_their_minima(path, ax):
    plots.plot_criteria(path, ["bic", "ebic"], ax)
    curves = [line for line in ax.get_lines() if len(line.get_xdata()) == path.alphas.size]
    for line, name in zip(curves, ["bic", "ebic"], strict=True):
        values = path.criterion(name)
        assert np.allclose(line.get_ydata(), values - values.min())
        assert line.get_label() == f"{name}: {path.n_nonzero[np.argmin(values)]} features"


def test_an_empty_range_is_drawn_too(data):
    null = fastreg.lasso_path(data.X, np.zeros(60), fit_intercept=True, alphas=[1.0])
    for along in ("alpha", "norm", "deviance"):
        assert not _lines(plots.plot_path(null, _axes(), along=along))


def test_one_alpha_alone_is_drawn_as_points(data):
    one = fastreg.lasso_path(data.X, data.y, fit_intercept=True, alphas=[0.5])
    points = [c for c in plots.plot_path(one, _axes(), labels=2).collections if hasattr(c, "get_sizes")]
    drawn = np.concatenate([c.get_offsets() for c in points if len(c.get_sizes())])
    assert np.allclose(drawn[:, 0], 0.5)
    assert np.allclose(np.sort(drawn[:, 1]), np.sort(one.coefs[one.coefs != 0.0]))


@pytest.mark.parametrize("last", [0.9, 0.6, 0.3, 0.1, 0.03, 0.011])
def test_numbers_along_few_decades_do_not_overlap(data, last):
    path = fastreg.lasso_path(data.X, data.y, fit_intercept=True, alphas=np.geomspace(1.0, last, 12))
    ax = plots.plot_path(path, _axes())
    ax.figure.draw_without_rendering()
    assert not any(text.get_text() for text in ax.get_xticklabels(minor=True))
    shown = [text for text in ax.get_xticklabels() if last <= text.get_position()[0] <= 1.0]
    assert len(shown) >= 2
    assert [float(text.get_text()) for text in shown] == pytest.approx([t.get_position()[0] for t in shown])
    boxes = sorted((text.get_window_extent() for text in shown), key=lambda box: box.x0)
    assert all(left.x1 < right.x0 for left, right in zip(boxes, boxes[1:], strict=False))


def test_the_candidate_that_is_drawn_is_named(data):
    cv = fastreg.cv_path(data.X, data.y, cv=3, alphas=8, eps=0.1, l1_ratio=[0.5, 1.0])
    label = plots.plot_cv(cv, _axes()).get_ylabel()
    assert label.endswith(f"\nl1_ratio {cv.l1_ratio:g}, best of 2 candidates")


def test_results_are_drawn_where_they_are_told_to(data, path):
    cv = fastreg.cv_path(data.X, data.y, cv=4, alphas=12)
    stable = fastreg.stability_selection(data.X, data.y, pairs=4, q=4)
    drawings = {plots.plot_gap: path, plots.plot_cv: cv, plots.plot_stability: stable}
    for draw, result in drawings.items():
        ax = _axes()
        assert draw(result, ax) is ax
        assert ax.get_xlabel() == "alpha"


def test_thousands_of_lines_are_drawn_as_one_collection(ax):
    """One artist per line would take minutes."""
    rng = np.random.default_rng(0)
    X = np.asfortranarray(rng.standard_normal((20, 3000)))
    path = fastreg.ridge_path(X, rng.standard_normal(20), alphas=10)
    plots.plot_path(path, ax, labels=4, along="norm")
    assert len(ax.collections) == 2
    assert len(_lines(ax)) == 3000
