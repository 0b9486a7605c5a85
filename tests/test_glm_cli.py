"""The command path for every family: labels as text, several response columns, options and their errors."""

import json
import os

import numpy as np
import pytest

import fastreg
from fastreg.cli import main
from fastreg.cli.contents import Wanted, as_labels
from fastreg.cli.exits import Exit
from fastreg.cli.readers import read_contents, read_labels
from fastreg.errors import DataError
from fastreg.result import PathResult

N, P = 30, 5
RNG = np.random.default_rng(11)
X = RNG.standard_normal((N, P))
COLUMNS = {
    "verdict": np.where(X[:, 1] > 0.1, "ill", "well, or so"),
    "tree": np.array(["ash", "beech", "oak"])[np.arange(N) % 3],
    "vote": np.where(X[:, 1] > 0.1, 1, -1),
    "share": np.linspace(0.0, 1.0, N),
    "count": RNG.poisson(3.0, N),
    "size": X[:, 2] + RNG.standard_normal(N),
    "time": RNG.exponential(1.0, N),
    "status": (np.arange(N) % 4 > 0).astype(int),
    "site": np.array(["north", "south"])[np.arange(N) % 2],
}
FEATURES = tuple(f"f{j}" for j in range(P))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Run in a folder with one table of features and every kind of response."""
    monkeypatch.chdir(tmp_path)
    with open("data.csv", "w", encoding="utf-8") as file:
        file.write(",".join([*FEATURES, *COLUMNS]) + "\n")
        for i in range(N):
            cells = [repr(float(value)) for value in X[i]]
            cells += [
                f'"{value[i]}"' if value.dtype.kind == "U" else repr(value[i].item())
                for value in COLUMNS.values()
            ]
            file.write(",".join(cells) + "\n")
    return tmp_path


def _run(family, response, *options):
    used = [*response.split(","), *options]
    drop = ",".join(name for name in COLUMNS if name not in used)
    arguments = ["path", "data.csv", "--family", family, "--response", response, "--drop", drop]
    assert main([*arguments, "--alphas", "4", "--eps", "0.1", *options]) == Exit.OK
    with open("data.run.json", encoding="utf-8") as file:
        run = json.load(file)
    with open("data.table.tsv", encoding="utf-8") as file:
        table = [line.rstrip("\n").split("\t") for line in file]
    return PathResult.load("data.coefs.npz"), run, table


def _same(found, expected):
    np.testing.assert_allclose(found.coefs, expected.coefs, rtol=0, atol=1e-10)
    np.testing.assert_allclose(found.intercepts, expected.intercepts, rtol=0, atol=1e-10)
    assert found.classes == expected.classes
    assert found.family == expected.family
    assert found.feature_names == FEATURES


def test_labels_may_be_any_text(folder):
    found, run, table = _run("logistic", "verdict")
    _same(found, fastreg.logistic_path(X, COLUMNS["verdict"], alphas=4, eps=0.1))
    assert found.classes == ("ill", "well, or so")
    assert run["family"] == "binomial"
    assert run["classes"] == ["ill", "well, or so"]
    assert run["parameters"]["family"] == "binomial"
    assert run["parameters"]["fit_intercept"] is True
    assert table[0][3] == "intercept"
    found, _, _ = _run("squared_hinge", "vote")
    assert found.classes == (-1, 1)
    _same(found, fastreg.squared_hinge_path(X, COLUMNS["vote"], alphas=4, eps=0.1))


def test_proportions_are_numbers(folder):
    found, _, _ = _run("binomial", "share", "--weights", "count", "--no-intercept")
    weights = COLUMNS["count"]
    expected = fastreg.logistic_path(
        X, COLUMNS["share"], sample_weight=weights, fit_intercept=False, alphas=4, eps=0.1
    )
    _same(found, expected)
    assert found.classes is None


def test_several_classes(folder):
    for options, grouped in (((), False), (("--grouped",), True)):
        found, run, table = _run("multinomial", "tree", "--l1-ratio", "0.8", *options)
        _same(
            found,
            fastreg.multinomial_path(X, COLUMNS["tree"], grouped=grouped, l1_ratio=0.8, alphas=4, eps=0.1),
        )
        assert (run["n_outputs"], run["is_grouped"]) == (3, grouped)
        assert table[0][3:6] == ["intercept_0", "intercept_1", "intercept_2"]
        assert [float(cell) for cell in table[1][3:6]] == found.intercepts[:, 0].tolist()


def test_several_response_columns(folder):
    found, run, _ = _run("multitask", "size,time")
    expected = fastreg.multitask_path(
        X, np.column_stack([COLUMNS["size"], COLUMNS["time"]]), alphas=4, eps=0.1
    )
    _same(found, expected)
    assert (run["family"], run["classes"]) == ("mgaussian", None)
    with open("rest.csv", "w", encoding="utf-8") as file:
        file.write("a,b,f\n0.25,0.75,1\n1,0,2\n0.5,0.5,4\n")
    assert (
        main(["path", "rest.csv", "--family", "multinomial", "--response", "a,b", "--alphas", "[0.5]"])
        == Exit.USAGE
    )
    assert (
        main(["path", "rest.csv", "--family", "multinomial", "--response", "a,b", "--alphas", "0.5,"])
        == Exit.OK
    )
    assert PathResult.load("rest.coefs.npz").n_outputs == 2


def test_survival(folder):
    y = np.column_stack([COLUMNS["time"], COLUMNS["status"]])
    found, run, _ = _run("cox", "time,status")
    _same(found, fastreg.cox_path(X, y, alphas=4, eps=0.1))
    assert run["parameters"]["fit_intercept"] is False
    found, run, _ = _run("cox", "time,status", "--strata", "site", "--ties", "efron")
    expected = fastreg.cox_path(X, y, strata=COLUMNS["site"], ties="efron", alphas=4, eps=0.1)
    _same(found, expected)
    np.testing.assert_allclose(found.baseline.log_hazard, expected.baseline.log_hazard, rtol=1e-9)
    assert found.baseline.strata == ("north", "south")
    assert run["parameters"]["ties"] == "efron"


def test_counts_and_robust_regression(folder):
    _same(_run("poisson", "count")[0], fastreg.poisson_path(X, COLUMNS["count"], alphas=4, eps=0.1))
    for options, keywords in (
        ((), {}),
        (("--delta", "0.5", "--scale", "2"), {"delta": 0.5, "scale": 2.0}),
        (("--scale", "mad"), {"scale": "mad"}),
    ):
        found, run, _ = _run("huber", "size", *options)
        expected = fastreg.huber_path(X, COLUMNS["size"], alphas=4, eps=0.1, **keywords)
        _same(found, expected)
        assert run["delta"] == found.delta == expected.delta


def test_responses_from_files_and_other_formats(folder):
    np.save("X.npy", X)
    np.save("y.npy", np.column_stack([COLUMNS["time"], COLUMNS["status"]]))
    with open("tree.txt", "w", encoding="utf-8") as file:
        file.write("\n".join(COLUMNS["tree"]) + "\n")
    options = ["--alphas", "4", "--eps", "0.1"]
    assert main(["path", "X.npy", "--family", "cox", "--response-file", "y.npy", *options]) == Exit.OK
    cox = PathResult.load("X.coefs.npz")
    assert cox.family == "cox"
    files = ["--response-file", "y.npy", "--strata-file", "tree.txt"]
    assert main(["path", "X.npy", "--family", "cox", *files, *options]) == Exit.OK
    assert PathResult.load("X.coefs.npz").baseline.strata == ("ash", "beech", "oak")
    assert (
        main(["path", "X.npy", "--family", "multinomial", "--response-file", "tree.txt", *options]) == Exit.OK
    )
    assert PathResult.load("X.coefs.npz").classes == ("ash", "beech", "oak")
    np.savez("data.npz", X=X, y=COLUMNS["verdict"])
    assert main(["path", "data.npz", "--family", "logistic", *options]) == Exit.OK
    assert PathResult.load("data.coefs.npz").classes == ("ill", "well, or so")


def test_parquet_keeps_its_labels(folder):
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    columns = {name: X[:, j] for j, name in enumerate(FEATURES)}
    labels = pa.array(COLUMNS["verdict"].tolist()).dictionary_encode()
    parquet.write_table(pa.table({**columns, "y": labels}), "data.parquet")
    assert main(["path", "data.parquet", "--family", "logistic", "--alphas", "4", "--eps", "0.1"]) == Exit.OK
    _same(PathResult.load("data.coefs.npz"), fastreg.logistic_path(X, COLUMNS["verdict"], alphas=4, eps=0.1))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--family", "probit"], "family must be one of"),
        (["--delta", "1"], "delta belongs to family='huber', got 1.0 with family='gaussian'"),
        (["--family", "huber", "--grouped"], "grouped belongs to"),
        (["--family", "poisson", "--strata", "site"], "strata belongs to family='cox'"),
        (["--family", "cox", "--intercept"], "--intercept does not go with --family cox"),
        (["--family", "cox", "--ties", "exact"], "invalid choice"),
        (["--family", "huber", "--scale", "sd"], "invalid scale value"),
        (["--family", "cox", "--response", "time,event"], "no column 'event'"),
        (["--family", "cox"], "no column 'y'; --family cox takes --response time,status or"),
        (["--response", "time,tree"], "several columns of a response go with --family mgaussian or cox"),
        (
            ["--family", "cox", "--response", "time", "--drop", "verdict,tree,site"],
            "--family cox takes several columns: --response time,status",
        ),
        (["--design", "Z"], "--design names a key of a .npz file, which data.csv is not"),
    ],
)
def test_bad_usage(folder, capsys, arguments, message):
    before = sorted(os.listdir())
    assert main(["path", "data.csv", *arguments]) == Exit.USAGE
    assert message in capsys.readouterr().err
    assert sorted(os.listdir()) == before


def test_bad_labels_are_named(folder, capsys):
    with open("gap.csv", "w", encoding="utf-8") as file:
        file.write("f,y\n1,a\n2,\n3,b\n")
    assert main(["path", "gap.csv", "--family", "logistic"]) == Exit.BAD_DATA
    assert "gap.csv, line 3, column 'y': expected a label, the cell is empty" in capsys.readouterr().err
    with open("number.csv", "w", encoding="utf-8") as file:
        file.write("f,y\n1,a\n2,b\nx,b\n")
    assert main(["path", "number.csv", "--family", "logistic"]) == Exit.BAD_DATA
    assert "number.csv, line 4, column 'f': expected a number, got 'x'" in capsys.readouterr().err
    assert main(["path", "gap.csv"]) == Exit.BAD_DATA
    said = "column 'y': expected a number, got 'a'; fill or remove the row; labels go with --family binomial"
    assert said in capsys.readouterr().err
    drop = ",".join(name for name in COLUMNS if name != "tree")
    assert (
        main(["path", "data.csv", "--family", "logistic", "--response", "tree", "--drop", drop])
        == Exit.BAD_DATA
    )
    assert "must hold 2 classes, got 3; multinomial_path" in capsys.readouterr().err


def test_labels_are_numbers_only_if_all_are(tmp_path):
    for cells, kind in ((["1", "0", "-1"], "i"), (["1", "0.5"], "f"), (["1", "a"], "U"), (["1e3"], "f")):
        assert as_labels(cells).dtype.kind == kind
    file = tmp_path / "y.txt"
    for text, expected in (
        ("group\n1\n2\n", [1, 2]),
        ("b\na\n", ["b", "a"]),
        ("1\n\n2\n", [1, 2]),
        ("only\n", ["only"]),
    ):
        file.write_text(text, encoding="utf-8")
        assert read_labels(file).tolist() == expected
    file.write_text("\n", encoding="utf-8")
    with pytest.raises(DataError, match="expected one label per line, found none"):
        read_labels(file)
    table = tmp_path / "t.tsv"
    table.write_text("a\ty\n1\tb\n2\ta\n3\tb\n", encoding="utf-8")
    contents = read_contents(table, Wanted(vectors=("y",), labels=frozenset(["y"])))
    assert contents.vectors["y"].tolist() == ["b", "a", "b"]
    np.testing.assert_array_equal(contents.X, [[1.0], [2.0], [3.0]])
