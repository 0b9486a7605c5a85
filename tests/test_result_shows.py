"""PathResult as words, tables, HTML and pictures."""

from __future__ import annotations

import builtins
import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from handmade import COEFS, NAMES, empty, make

from fastreg._draw import MOST_LINES, spread
from fastreg._render import percent
from fastreg.errors import DataError, DataTypeError, Status

# Tables and words


def test_repr_is_two_lines_with_the_verdict():
    first, second = repr(make()).split("\n")
    assert first.startswith(
        "PathResult(lasso, 10 x 4, 3 alphas from 4 to 1, up to 3 features, 75.00 % of deviance"
    )
    assert (
        second.strip() == "every alpha met the tolerance; largest relative gap 5.0e-10 (tol 1e-07); 0.0125 s"
    )
    assert "ridge" in repr(make(l1_ratio=0.0))
    assert "elastic net, l1_ratio 0.5" in repr(make(l1_ratio=0.5))


def test_repr_says_that_a_path_is_shorter_than_asked_for():
    text = repr(make(status=Status.MAX_TIME, status_note="after 2 s", alphas_requested=100))
    assert "3 of 100 alphas" in text
    assert "max_time ran out (after 2 s)" in text


def test_summary_table_shows_both_ends():
    lines = make().summary_table(rows=2).splitlines()
    assert lines[0].split("  ")[0] == "k"
    assert re.split(r"\s{2,}", lines[0].strip()) == [
        "k",
        "alpha",
        "features",
        "deviance explained",
        "relative gap",
    ]
    assert re.split(r"\s{2,}", lines[2].strip()) == ["0", "4", "0", "0.00 %", "0.0e+00"]
    assert re.split(r"\s{2,}", lines[-1].strip()) == ["2", "1", "3", "75.00 %", "5.0e-10"]
    assert len({len(line) for line in lines}) == 1


@pytest.mark.parametrize(("rows", "count"), [(None, 40), (100, 40), (10, 10), (1, 1)])
def test_summary_table_has_the_rows_asked_for(rows, count):
    path = make(np.ones((1, 40)), np.geomspace(1.0, 0.1, 40))
    assert len(path.summary_table(rows).splitlines()) == count + 2


def test_a_share_just_below_zero_has_no_sign():
    assert [percent(share) for share in (-1e-9, 0.0, -0.5)] == ["0.00 %", "0.00 %", "-50.00 %"]


def test_summary_table_needs_a_row():
    with pytest.raises(DataError, match="rows must be at least 1"):
        make().summary_table(rows=0)


def test_to_frame_has_one_row_per_alpha():
    pytest.importorskip("pandas")
    frame = make().to_frame()
    assert list(frame.columns) == ["alpha", "n_nonzero", "dev_ratio", "dual_gap", "relative_gap", "n_iter"]
    np.testing.assert_array_equal(frame["alpha"], [4.0, 2.0, 1.0])
    np.testing.assert_array_equal(frame["n_nonzero"], [0, 2, 3])


def test_to_frame_adds_features_that_enter_even_one_called_alpha():
    pytest.importorskip("pandas")
    frame = make(feature_names=("alpha", "b", "c", "d")).to_frame(coefs=True)
    assert list(frame.columns[6:]) == ["intercept", "alpha", "c", "d"]
    np.testing.assert_array_equal(frame.iloc[:, 7], COEFS[0])


@pytest.mark.parametrize(
    ("package", "use"), [("pandas", "to_frame"), ("matplotlib", "plot"), ("matplotlib", "plot_gap")]
)
def test_absent_packages_are_named_with_the_remedy(package, use, monkeypatch):
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name.split(".")[0] == package:
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match=r"pip install"):
        getattr(make(), use)()


# Pictures


def _svg(path):
    text = path._repr_html_()
    return ElementTree.fromstring(re.search(r"<svg.*</svg>", text).group()) if "<svg" in text else None


def test_html_is_well_formed_and_escapes_names():
    path = make(feature_names=("<script>alert(1)</script>", "a&b", "c\"d'", "e"), status_note="<b>")
    text = path._repr_html_()
    ElementTree.fromstring(text)
    assert "<script>" not in text
    assert "<b>" not in text
    titles = [line[0].text for line in _svg(path).iter("{http://www.w3.org/2000/svg}polyline")]
    assert titles == ["c\"d'", "<script>alert(1)</script>", "e"]


def test_inline_picture_is_small_and_finite():
    rng = np.random.default_rng(5)
    path = make(rng.standard_normal((300, 500)) * 1e300, np.geomspace(1.0, 1e-3, 500))
    lines = list(_svg(path).iter("{http://www.w3.org/2000/svg}polyline"))
    assert len(lines) == 20
    points = np.array(
        [[float(v) for pair in line.get("points").split() for v in pair.split(",")] for line in lines]
    )
    assert points.shape == (20, 200)
    assert points.min() >= 0.0
    assert points.max() <= 420.0


def test_html_without_anything_to_draw():
    for path in (make(np.zeros((4, 3))), make(COEFS[:, 2:], (1.0,)), make(alphas=(1.0, 1.0, 1.0)), empty()):
        assert _svg(path) is None
        assert path._repr_html_().startswith("<div")


@pytest.fixture
def plt():
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    from matplotlib import pyplot

    yield pyplot
    pyplot.close("all")


@pytest.mark.parametrize(
    "path",
    [
        make(feature_names=NAMES),
        make(COEFS[:, 2:], (1.0,)),
        make(np.zeros((4, 3))),
        make(alphas=(1.0, 1.0, 1.0)),
        empty(),
    ],
    ids=["usual", "one alpha", "all zero", "equal alphas", "no alpha"],
)
def test_plots_draw_whatever_the_path(path, plt):
    for draw in (path.plot, path.plot_gap):
        draw().figure.canvas.draw()


def test_plot_draws_on_the_axes_given_and_names_the_largest(plt):
    _, axes = plt.subplots(1, 2)
    path = make(feature_names=("a$b", "b", "c", "d" * 100))
    assert path.plot(axes[0], labels=2) is axes[0]
    assert path.plot_gap(axes[1]) is axes[1]
    axes[0].figure.canvas.draw()
    # At the smallest alpha: 2.0 and -1.0 are the largest.
    assert sorted(text.get_text() for text in axes[0].texts) == [r"a\$b", "c"]
    assert axes[0].get_xlim() == (4.0, 1.0)


def test_plot_shortens_long_names_and_can_name_none(plt):
    path = make(feature_names=("a", "b", "c", "d" * 100))
    assert max(len(text.get_text()) for text in path.plot().texts) == 28
    assert not path.plot(labels=0).texts
    # Names that begin alike stay apart.
    begin = "probe_set_of_one_and_the_same_platform_"
    path = make(feature_names=tuple(f"{begin}{j}" for j in range(4)))
    drawn = [text.get_text() for text in path.plot().texts]
    assert set(drawn) <= {f"probe_set_of_...e_platform_{j}" for j in range(4)}
    assert len(set(drawn)) == len(drawn) > 1


def test_plot_counts_features_on_top(plt):
    ax = make().plot()
    ax.figure.canvas.draw()
    (top,) = ax.child_axes
    assert [text.get_text() for text in top.get_xticklabels()] == ["0", "2", "3"]


def test_plot_of_very_many_lines_says_that_it_shows_the_largest(plt):
    coefs = np.outer(np.arange(1.0, MOST_LINES + 101), [0.0, 1.0])
    ax = make(coefs, (2.0, 1.0)).plot()
    assert any("largest of" in text.get_text() for text in ax.texts)
    assert sum(len(lines.get_segments()) for lines in ax.collections) == MOST_LINES


def test_plot_gap_marks_what_missed_the_tolerance(plt):
    ax = make(dual_gaps=np.array([0.0, 1e-9, 1e-3])).plot_gap()
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels == ["relative gap", "missed the tolerance", "tolerance 1e-07"]
    assert ax.get_yscale() == "log"
    assert min(ax.lines[0].get_ydata()) > 0.0


def test_spread_keeps_distances_and_moves_little():
    np.testing.assert_allclose(spread(np.array([0.1, 0.5, 0.9]), 0.1, 0.0, 1.0), [0.1, 0.5, 0.9])
    np.testing.assert_allclose(spread(np.array([0.5, 0.5, 0.5]), 0.1, 0.0, 1.0), [0.4, 0.5, 0.6])
    np.testing.assert_allclose(spread(np.array([0.98, 0.99, 1.0]), 0.1, 0.0, 1.0), [0.8, 0.9, 1.0])
    rng = np.random.default_rng(6)
    placed = spread(np.sort(rng.random(15)), 0.05, 0.0, 1.0)
    assert np.diff(placed).min() >= 0.05 - 1e-12
    assert placed[0] >= 0.0
    assert placed[-1] <= 1.0 + 1e-12
    assert spread(np.empty(0), 0.1, 0.0, 1.0).size == 0


def test_plots_and_pages_say_what_they_take(plt, tmp_path):
    path = make()
    for bad, kind in (("a", DataTypeError), (1.5, DataTypeError), (-1, DataError)):
        with pytest.raises(kind, match="labels must be an integer >= 0"):
            path.plot(labels=bad)
    for bad in (5, "a", [1]):
        with pytest.raises(DataTypeError, match="details must be a mapping of names to values"):
            path.to_html(tmp_path / "page.html", details=bad)
