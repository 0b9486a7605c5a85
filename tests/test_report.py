"""The page of a path: what it holds, that it holds it whole, and that no name becomes markup."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from types import SimpleNamespace

import numpy as np
import pytest
from handmade import COEFS, STACKED, empty, make, several
from scipy import sparse

import fastreg
from fastreg.cli import main
from fastreg.cli.exits import Exit
from fastreg.errors import DataError, DataTypeError, Status
from fastreg.report.lines import ROOM
from fastreg.report.text import number
from fastreg.report.view import MOST_ALPHAS

VOID = {"meta", "link", "br", "input"}
NASTY = (
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(2)>",
    "a\"b'c&amp;d`e",
    "\u2028<!-- gene \u00e9\u4e2d\U0001f9ec \u202eabc",
)


class Page(HTMLParser):
    """The elements of a page, read strictly: everything that opens is closed in its turn."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.text, self.open, self.elements, self.words = text, [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        names = [name for name, _ in attributes]
        assert len(names) == len(set(names)), (tag, names)
        self.elements.append((tag, dict(attributes)))
        self.words.append([])
        if tag not in VOID:
            self.open.append((tag, len(self.elements) - 1))

    def handle_endtag(self, tag):
        assert self.open, tag
        opened, _ = self.open.pop()
        assert opened == tag

    def handle_data(self, data):
        if self.open:
            self.words[self.open[-1][1]].append(data)

    def all(self, tag, **attributes):
        """Return (attributes, own text) of the elements with a tag and attributes."""
        return [
            (given, "".join(words))
            for (name, given), words in zip(self.elements, self.words, strict=True)
            if name == tag and all(given.get(key.rstrip("_")) == value for key, value in attributes.items())
        ]

    @property
    def data(self):
        ((_, text),) = self.all("script", id="fastreg-data")
        return json.loads(text)

    @property
    def names(self):
        """Return the names in the list of features."""
        body = self.text[self.text.index('<tbody id="features">') :]
        rows = re.findall(r'<th scope="row"><bdi>(.*?)</bdi></th>', body[: body.index("</tbody>")])
        return [Unescaped(row).text for row in rows]


class Unescaped(HTMLParser):
    """The text of a piece of HTML that must not hold an element."""

    def __init__(self, piece):
        super().__init__()
        self.text = ""
        self.feed(piece)
        self.close()

    def handle_data(self, data):
        self.text += data

    def handle_starttag(self, tag, attributes):
        raise AssertionError(tag)


def page_of(result, folder, **options):
    file = folder / "page.html"
    result.to_html(file, **options)
    assert sorted(each.name for each in folder.iterdir()) == ["page.html"]
    return Page(file.read_text(encoding="utf-8"))


def dense(data, p, outputs=1):
    """Return the coefficients that a page holds, (outputs, p, K), from names x0, x1, ..."""
    found = np.zeros((outputs, p, len(data["alphas"])))
    for feature, c, first, values in data["lines"]:
        j = int(data["names"][feature][1:])
        found[c, j, first : first + len(values)] = values
    return found


# Numbers


def test_numbers_are_those_of_the_result(tmp_path):
    rng = np.random.default_rng(3)
    coefs = rng.standard_normal((30, 12)) * 10.0 ** rng.integers(-9, 9, size=(30, 1))
    coefs[:, 0] = 0.0
    coefs[rng.random(coefs.shape) < 0.3] = 0.0
    path = make(coefs, np.geomspace(3.0, 0.01, 12))
    data = page_of(path, tmp_path).data
    np.testing.assert_allclose(dense(data, 30)[0], path.coefs, rtol=1e-6, atol=0.0)
    for name, values in {
        "alphas": path.alphas, "counts": path.n_nonzero, "dev_ratio": path.dev_ratio,
        "relative_gaps": path.relative_gaps, "intercepts": path.intercepts[None],
    }.items():  # fmt: skip
        np.testing.assert_allclose(data[name], values, rtol=1e-6, atol=0.0)
    order = path.order_of_entry()
    ranks = dict(zip(data["names"], data["rank"], strict=True))
    assert [ranks[f"x{j}"] for j in order] == list(range(1, order.size + 1))
    for name, entry in zip(data["names"], data["entry"], strict=True):
        k = np.flatnonzero(path.coefs[int(name[1:])])[0]
        assert entry == number(path.alphas[k])


def test_axes_hold_the_places_of_every_alpha(tmp_path):
    path = make()
    axes = page_of(path, tmp_path).data["axes"]
    assert list(axes) == ["alpha", "norm", "deviance"]
    np.testing.assert_allclose(axes["alpha"]["places"], [0.0, 0.5, 1.0], atol=1e-7)
    norms = np.abs(COEFS).sum(axis=0)
    np.testing.assert_allclose(axes["norm"]["places"], norms / norms.max(), rtol=1e-6)
    np.testing.assert_allclose(axes["deviance"]["places"], path.dev_ratio / 0.75, rtol=1e-6)


def test_the_list_without_script_is_the_model_at_one_alpha(tmp_path):
    page = page_of(make(feature_names=("dose", "age", "height", "income")), tmp_path)
    assert page.names == ["dose", "height", "income"]
    assert page.data["start"] == 2
    few = page_of(make(np.outer(np.arange(1.0, 41), [0.0, 0.0, 1.0]) + np.eye(40, 3, 1)), tmp_path)
    assert few.data["start"] == 1
    assert few.names == ["x0"]


def test_several_outputs(tmp_path):
    page = page_of(several(), tmp_path)
    data = page.data
    assert data["outputs"] == ["ash", "beech", "oak"]
    np.testing.assert_allclose(dense(data, 4, 3), STACKED.reshape(3, 4, 3))
    assert len(data["intercepts"]) == 3
    assert [text for _, text in page.all("option")] == ["all", "ash", "beech", "oak"]
    assert len(page.names) == 9
    responses = page_of(several(classes=None, family="mgaussian"), tmp_path)
    assert responses.data["outputs"] == ["y0", "y1", "y2"]
    assert any(text == "Response" for _, text in responses.all("th"))


@pytest.mark.parametrize(
    ("path", "said"),
    [
        (make(np.zeros((4, 3))), "No feature has a coefficient"),
        (make(COEFS[:, 2:], (1.0,)), "Proven at the one alpha"),
        (make(alphas=(1.0, 1.0, 1.0)), "Proven at all 3 alphas"),
        (empty(), "No alpha was finished"),
        (several(dual_gaps=np.array([0.0, np.inf, np.nan])), "1 of 3 alphas missed the tolerance"),
        (make(dev_ratio=np.full(3, np.nan)), "Proven at all 3 alphas"),
        (make(np.array([[0.0, 1e308, -1e308]])), "Proven"),
        (make(np.array([[0.0, 1e-308, 5e-324]])), "Proven"),
        (make(null_objective=0.0, tol=0.0, dual_gaps=np.zeros(3)), "Proven"),
    ],
    ids=["all zero", "one", "equal", "none", "gaps", "deviance", "huge", "tiny", "perfect"],
)
def test_every_path_has_a_page(path, said, tmp_path):
    page = page_of(path, tmp_path)
    assert said in page.text
    assert "nan" not in re.sub(r"<(script|style)\b.*?</\1>", "", page.text, flags=re.DOTALL).lower()


def test_the_verdict_is_in_words(tmp_path):
    def sign(**changes):
        page = page_of(make(**changes), tmp_path)
        ((_, mark),) = page.all("span", class_="sign")
        return mark, page.text

    assert sign()[0] == "\u2713"
    missed, text = sign(dual_gaps=np.array([0.0, 1e-3, 1e-9]), status=Status.NOT_CONVERGED)
    assert missed == "!"
    assert "1 of 3 alphas missed the tolerance 1e-7: the largest relative gap is 0.0005" in text
    assert len(Page(text).all("tr", class_="failed")) == 1
    early, text = sign(status=Status.MAX_FEATURES, alphas_requested=100)
    assert early == "\u2713"
    assert "each of the 3 alphas that were solved, of 100 asked for" in text
    assert "max_features was reached" in text
    assert sign(status=Status.INTERRUPTED)[0] == "!"


def test_the_record_says_what_was_asked_and_on_what_it_ran(tmp_path):
    X = np.random.default_rng(0).standard_normal((12, 3))
    weights = np.linspace(1.0, 2.0, 12)
    path = fastreg.lasso_path(
        X, X[:, 1], sample_weight=weights, alphas=4, fit_intercept=True, standardize=True
    )
    page = page_of(path, tmp_path, title="A study", details={"data": "study <1>.csv"})
    terms = [text for _, text in page.all("dt")]
    values = [text for _, text in page.all("dd")]
    told = dict(zip(terms, values, strict=True))
    assert told["sample weight"] == "ndarray of shape (12,)"
    assert told["fit intercept"] == told["standardize"] == "yes"
    assert told["l1 ratio"] == "1"
    assert told["tol"] == "1e-7"
    assert told["data"] == "study <1>.csv" or "study <1>.csv" in values
    assert told["fastreg"] == fastreg.__version__
    assert told["numpy"] == np.__version__
    assert str(path.counters["columns_read"]) == told["columns read"]
    path.save(tmp_path / "page.html")
    again = page_of(type(path).load(tmp_path / "page.html"), tmp_path)
    assert "sample weight" not in [text for _, text in again.all("dt")]
    assert again.data == page.data


# Safety


@pytest.mark.parametrize("place", ["features", "classes", "title", "note", "details"])
def test_names_are_never_markup(place, tmp_path):
    plain = page_of(several(), tmp_path, title="T", details={"k": "v"})
    names, three = NASTY, NASTY[:3]
    options = {"title": "T", "details": {"k": "v"}}
    changes = {
        "features": {"feature_names": names}, "classes": {"classes": three},
        "note": {"status_note": names[0]},
    }.get(place, {})  # fmt: skip
    if place == "title":
        options["title"] = "".join(NASTY)
    if place == "details":
        options["details"] = {NASTY[0]: NASTY[1]}
    page = page_of(several(**changes), tmp_path, **options)
    # The same elements as without such names, but for the row that a note adds.
    kinds = [tag for tag, _ in page.elements]
    if place == "note":
        assert kinds.count("script") == 2
        assert "img" not in kinds
    else:
        assert kinds == [tag for tag, _ in plain.elements]
    assert not [name for _, given in page.elements for name in given if name.startswith("on")]
    if place == "features":
        assert set(page.data["names"]) == set(names)
        assert set(page.names) == set(names)
        assert {given["title"].split(": ash")[0] for given, _ in page.all("span", class_="edge")} & set(names)
    if place == "classes":
        assert page.data["outputs"] == list(three)
        assert [text for _, text in page.all("option")][1:] == list(three)


def test_what_cannot_be_written_is_replaced(tmp_path):
    page = page_of(make(feature_names=("a\x00b", "b", "\ud800c", "d\ufffe" * 200)), tmp_path)
    assert set(page.names) == {"a\ufffdb", "\ufffdc", "d\ufffd" * 79 + "d\u2026"}


def test_the_page_loads_nothing_and_allows_nothing(tmp_path):
    page = page_of(make(), tmp_path)
    assert "://" not in page.text.replace("http://www.w3.org/2000/svg", "")
    assert not page.all("img") + page.all("iframe") + page.all("object")
    for _, given in page.elements:
        assert given.get("src") is None
        assert given.get("href", "#")[0] == "#" or given["href"] == "data:,"
    ((policy, _),) = page.all("meta", **{"http-equiv": "Content-Security-Policy"})
    assert policy["content"].startswith("default-src 'none'")
    ((_, script),) = [(given, text) for given, text in page.all("script") if not given]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in policy["content"]


def test_structure_serves_keyboards_and_readers(tmp_path):
    page = page_of(several(), tmp_path)
    ids = [given["id"] for _, given in page.elements if "id" in given]
    assert len(ids) == len(set(ids))
    for _, given in page.elements:
        for name in ("aria-labelledby", "for"):
            assert given.get(name, ids[0]) in ids
        if given.get("href", "").startswith("#"):
            assert given["href"][1:] in ids
    assert page.all("html", lang="en")
    assert len(page.all("h1")) == len(page.all("main")) == 1
    ((slider, _),) = page.all("input", type="range")
    assert (slider["min"], slider["max"], slider["id"]) == ("0", "2", "alpha")
    for picture, _ in page.all("svg"):
        assert picture.get("aria-label") or picture.get("aria-hidden") == "true"
    assert len(page.all("caption")) == len(page.all("table"))


# Size


def test_very_many_features_fit(tmp_path):
    rng = np.random.default_rng(1)
    p, K = 20_000, 100
    columns = sparse.random_array(
        (p, K), density=0.2, rng=rng, data_sampler=rng.standard_normal, format="csc"
    )
    names = tuple(f"gene {j} " + "\u4e2d" * 30 for j in range(p))
    path = with_columns(columns, names)
    page = page_of(path, tmp_path)
    assert (tmp_path / "page.html").stat().st_size < 2_000_000
    shown = len(page.data["lines"])
    assert 300 < shown < p
    assert f"The {shown:,} largest of {page.data['n_lines']:,} features" in page.text
    largest = abs(columns).max(axis=1).toarray().ravel()
    kept = [names.index(name) for name in page.data["names"]]
    assert largest[kept].min() >= np.sort(largest)[-shown]


def with_columns(columns, names):
    """Return a path with these sparse coefficients."""
    p, K = columns.shape
    path = make(np.zeros((p, K)), np.geomspace(1.0, 1e-3, K), feature_names=names)
    return replace(path, coefs_sparse=columns)


def test_long_grids_are_thinned(tmp_path):
    K = 3000
    path = make(np.outer([1.0, -2.0], np.linspace(0.0, 1.0, K)), np.geomspace(1.0, 1e-4, K))
    page = page_of(path, tmp_path)
    assert len(page.data["alphas"]) == MOST_ALPHAS
    assert page.data["alphas"][0] == 1.0
    assert page.data["alphas"][-1] == 1e-4
    assert "500 of the 3000 alphas are shown" in page.text
    assert "Proven at all 3000 alphas" in page.text
    assert (tmp_path / "page.html").stat().st_size < ROOM


def test_the_same_path_makes_the_same_page(tmp_path):
    first = page_of(make(), tmp_path).text
    assert page_of(make(), tmp_path).text == first


# Cross-validation and stability


@pytest.fixture(scope="module")
def study():
    rng = np.random.default_rng(5)
    X = rng.standard_normal((40, 8))
    y = 3.0 * X[:, 2] - 2.0 * X[:, 5] + rng.standard_normal(40)
    found = fastreg.cv_path(X, y, cv=4, alphas=12, eps=0.05, l1_ratio=[0.5, 1.0], rule="1se")
    return X, y, found


def test_cross_validation_is_shown(study, tmp_path):
    _, _, found = study
    page = page_of(found.path, tmp_path, cv=found)
    assert page.data["start"] == found.k_1se
    assert [mark["k"] for mark in page.data["marks"]] == [found.k_min, found.k_1se]
    assert [given["data-k"] for given, _ in page.all("button", class_="jump")] == [
        str(found.k_min),
        str(found.k_1se),
    ]
    assert f"chose alpha = {number(found.alpha, 5)}" in page.text
    assert "Mean deviance over 4 folds" in page.text
    cells = [text for _, text in page.all("td", class_="num")]
    for curve in found.curves:
        assert number(curve.mean[curve.k_min]) in cells
    assert "#choice" in [given.get("href") for given, _ in page.all("a")]


def test_cross_validation_without_a_fold(study, tmp_path):
    _, _, found = study
    nothing = np.full(12, np.nan)
    curve = SimpleNamespace(mean=nothing, alphas=found.alphas)
    unfinished = SimpleNamespace(path=found.path, curves=(curve,), best=0, status=Status.MAX_TIME)
    page = page_of(found.path, tmp_path, cv=unfinished)
    assert "No fold was finished" in page.text
    assert page.data["marks"] == []


def test_marks_beyond_the_path_are_left_out(study, tmp_path):
    X, y, found = study
    short_path = fastreg.lasso_path(X, y, alphas=found.alphas[:2], fit_intercept=True)
    assert page_of(short_path, tmp_path, cv=found).data["marks"] == []


def test_stability_is_shown(study, tmp_path):
    X, y, found = study
    stable = fastreg.stability_selection(X, y, pairs=6, q=3, alphas=10)
    page = page_of(found.path, tmp_path, stability=stable)
    ((_, text),) = [(given, text) for given, text in page.all("p", class_="lead") if "random splits" in text]
    assert f"{stable.selected.size} feature" in text
    assert "6 random splits" in text
    assert len([1 for _, text in page.all("td") if text == "stable"]) == stable.selected.size
    assert f"{100.0 * stable.probabilities.max():.1f} %" in page.text


def test_results_of_other_data_are_refused(study, tmp_path):
    _, _, found = study
    with pytest.raises(
        DataError, match="cv must be of the data of this path, with 4 features, got 8 features"
    ):
        make().to_html(tmp_path / "page.html", cv=found)
    with pytest.raises(DataTypeError, match="cv must be a CVResult, got 7"):
        make().to_html(tmp_path / "page.html", cv=7)
    with pytest.raises(DataTypeError, match="stability must be a StabilityResult"):
        make().to_html(tmp_path / "page.html", stability=found)
    assert not list(tmp_path.iterdir())


# The command


def test_the_command_writes_the_page(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(7)
    X = rng.standard_normal((30, 6))
    np.savez("data.npz", X=X, y=X[:, 1] + 0.1 * rng.standard_normal(30), feature_names=list("abcdef"))
    options = ["--alphas", "8", "--eps", "0.1", "--cv", "3", "--pairs", "4", "--title", "Six"]
    assert main(["report", "data.npz", *options]) == Exit.OK
    page = Page((tmp_path / "data.html").read_text(encoding="utf-8"))
    assert "saved data.html" in capsys.readouterr().out
    assert page.all("title")[0][1] == "Six"
    expected = fastreg.lasso_path(X, np.load("data.npz")["y"], alphas=8, eps=0.1, fit_intercept=True)
    np.testing.assert_allclose(page.data["alphas"], expected.alphas, rtol=1e-6)
    sections = [given["id"] for given, _ in page.all("section")]
    assert sections == ["path", "choice", "stability", "certificates", "record"]
    assert str(tmp_path) not in page.text


def test_the_command_says_what_it_cannot_do(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    np.savez("data.npz", X=np.eye(4), y=np.arange(4.0))
    assert main(["report", "data.npz", "--out", "folder/"]) == Exit.USAGE
    assert "--out begins the names of files" in capsys.readouterr().err
    (tmp_path / "file").write_text("")
    assert main(["report", "data.npz", "--out", "file/x"]) == Exit.USAGE
    assert "choose another --out" in capsys.readouterr().err
    assert main(["report", "data.npz", "--cv", "1", "--out", "x"]) == Exit.USAGE
    assert not (tmp_path / "x.html").exists()
