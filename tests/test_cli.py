"""Commands: what they write and print, and the exit code of every ending."""

import json
import os
import signal
import subprocess
import sys
import warnings

import numpy as np
import pytest
from scipy import sparse

import fastreg
from fastreg import _warmup
from fastreg.cli import main
from fastreg.cli import path as path_command
from fastreg.cli.exits import Exit, exit_of
from fastreg.cli.writers import plain
from fastreg.errors import Status
from fastreg.result import PathResult

N, P = 30, 12


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Run in an empty folder that holds one small problem in several formats."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(3)
    X = rng.standard_normal((N, P))
    y = 2.0 + 3.0 * X[:, 1] - 2.0 * X[:, 4] + 0.1 * rng.standard_normal(N)
    weights, offset = rng.uniform(0.5, 2.0, N), rng.standard_normal(N)
    names = [f"f{j}" for j in range(P)]
    np.savez("data.npz", X=X, y=y, w=weights, o=offset, feature_names=names)
    np.save("X.npy", np.asfortranarray(X))
    np.save("y.npy", y)
    table = np.column_stack([X, y, weights, offset])
    np.savetxt(
        "data.csv", table, fmt="%.17g", delimiter=",", header=",".join([*names, "y", "w", "o"]), comments=""
    )
    return tmp_path


def _arrays():
    with np.load("data.npz") as data:
        return data["X"], data["y"], data["w"], data["o"]


def _outputs(prefix="data"):
    with open(f"{prefix}.run.json", encoding="utf-8") as record:
        run = json.load(record)
    with open(f"{prefix}.table.tsv", encoding="utf-8") as table:
        rows = [line.rstrip("\n").split("\t") for line in table]
    return PathResult.load(f"{prefix}.coefs.npz"), rows, run


# path


def test_path_of_a_table(folder, capsys):
    assert main(["path", "data.csv", "--drop", "w,o", "--alphas", "20", "--eps", "0.01"]) == Exit.OK
    result, rows, run = _outputs()
    X, y, _, _ = _arrays()
    expected = fastreg.lasso_path(X, y, alphas=20, eps=0.01, fit_intercept=True)
    np.testing.assert_allclose(result.coefs, expected.coefs, rtol=0, atol=1e-12)
    np.testing.assert_allclose(result.intercepts, expected.intercepts, rtol=1e-12)
    assert result.feature_names == tuple(f"f{j}" for j in range(P))
    assert rows[0] == ["alpha", "n_nonzero", "dev_ratio", "intercept", "dual_gap", "relative_gap", "n_iter"]
    assert len(rows) == 21
    assert [float(row[0]) for row in rows[1:]] == result.alphas.tolist()
    assert run["status"] == "CONVERGED"
    assert run["exit_code"] == 0
    assert run["parameters"]["fit_intercept"] is True
    assert run["parameters"]["alphas"] == 20
    assert run["worst_relative_gap"] == max(run["relative_gaps"]) <= 1e-7
    assert run["input_report"]["shape"] == [N, P]
    assert run["environment"]["fastreg"] == fastreg.__version__
    assert run["data"]["file"] == "data.csv"
    shown = capsys.readouterr()
    assert shown.err == ""
    assert sum(" % " in line for line in shown.out.splitlines()) == 12
    assert "20 of 20 alphas" in shown.out
    assert "data.coefs.npz" in shown.out


def test_every_option_reaches_the_path(folder):
    np.savetxt("factor.txt", np.r_[0.0, np.inf, np.ones(P - 2)])
    np.savetxt("upper.txt", np.full(P, 2.5))
    options = (
        "--l1-ratio 0.5 --alphas 15 --eps 0.05 --standardize --no-intercept --weights w --offset o "
        "--lower -1.5 --upper upper.txt --penalty-factor factor.txt --max-features 9 "
        "--max-time 100 --tol 1e-9 --threads 1"
    )
    assert main(["path", "data.npz", "--out", "deep/run", *options.split()]) == Exit.OK
    result, _, run = _outputs("deep/run")
    X, y, weights, offset = _arrays()
    expected = fastreg.enet_path(
        X, y, l1_ratio=0.5, alphas=15, eps=0.05, standardize=True, fit_intercept=False, sample_weight=weights,
        offset=offset, lower_limits=-1.5, upper_limits=2.5, penalty_factor=np.r_[0.0, np.inf, np.ones(P - 2)],
        max_features=9, tol=1e-9,
    )  # fmt: skip
    np.testing.assert_array_equal(result.alphas, expected.alphas)
    np.testing.assert_array_equal(result.coefs, expected.coefs)
    assert result.tol == 1e-9
    assert run["parameters"]["penalty_factor"][:3] == [0.0, "inf", 1.0]
    assert run["parameters"]["n_threads"] == 1


def test_the_mix_chooses_the_path(folder):
    for ratio, solve in (("1", fastreg.lasso_path), ("0", fastreg.ridge_path)):
        assert main(["path", "data.npz", "--l1-ratio", ratio, "--alphas", "0.5,0.1,"]) == Exit.OK
        result, _, run = _outputs()
        X, y, _, _ = _arrays()
        np.testing.assert_array_equal(result.coefs, solve(X, y, alphas=[0.5, 0.1], fit_intercept=True).coefs)
        assert run["alphas"] == [0.5, 0.1]
        assert result.l1_ratio == float(ratio)


def test_positive_coefficients(folder):
    assert main(["path", "data.npz", "--positive", "--alphas", "5"]) == Exit.OK
    assert _outputs()[0].coefs.min() == 0.0


def test_columns_may_be_left_out_one_by_one(folder):
    assert main(["path", "data.csv", "--drop", "w", "--drop", "o", "--alphas", "3"]) == Exit.OK
    assert _outputs()[0].feature_names == tuple(f"f{j}" for j in range(P))


def test_a_feature_with_the_name_of_a_response_is_told_of(folder, capsys):
    command = ["path", "data.csv", "--drop", "w,o", "--response-file", "y.npy", "--alphas", "3"]
    assert main(command) == Exit.OK
    assert "column 'y' of data.csv is a feature" in capsys.readouterr().err
    assert _outputs()[2]["warnings"] == [
        "column 'y' of data.csv is a feature, because --response-file is given; --drop y leaves it out"
    ]
    assert main([*command, "--drop", "y"]) == Exit.OK
    assert capsys.readouterr().err == ""


def test_response_and_weights_from_files(folder):
    X, y, weights, offset = _arrays()
    np.savetxt("w.txt", weights)
    np.save("o.npy", offset)
    files = ["--response-file", "y.npy", "--weights-file", "w.txt", "--offset-file", "o.npy"]
    assert main(["path", "X.npy", "--alphas", "5", *files]) == Exit.OK
    result, _, _ = _outputs("X")
    expected = fastreg.lasso_path(X, y, alphas=5, fit_intercept=True, sample_weight=weights, offset=offset)
    np.testing.assert_allclose(result.coefs, expected.coefs, rtol=0, atol=1e-12)
    assert "read in place" in str(result.input_report)


def test_sparse_formats_agree_with_dense(folder):
    X, y, _, _ = _arrays()
    X[np.abs(X) < 0.7] = 0.0
    np.save("X.npy", X)
    sparse.save_npz("S.npz", sparse.csc_array(X))
    with open("S.svmlight", "w", encoding="utf-8") as file:
        for row, value in zip(X, y, strict=True):
            file.write(
                " ".join([repr(float(value)), *(f"{j + 1}:{float(v)!r}" for j, v in enumerate(row) if v)])
                + "\n"
            )
    found = []
    for data, more in (
        ("X.npy", ["--response-file", "y.npy"]),
        ("S.npz", ["--response-file", "y.npy"]),
        ("S.svmlight", []),
    ):
        assert main(["path", data, "--alphas", "8", "--eps", "0.05", "--out", "r", *more]) == Exit.OK
        found.append(_outputs("r")[0])
    assert [result.input_report.storage for result in found] == ["dense", "csc", "csc"]
    for result in found[1:]:
        np.testing.assert_allclose(result.coefs, found[0].coefs, rtol=0, atol=1e-10)


def test_parquet_end_to_end(folder):
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    X, y, _, _ = _arrays()
    parquet.write_table(pa.table({f"f{j}": X[:, j] for j in range(P)} | {"target": y}), "data.parquet")
    assert main(["path", "data.parquet", "--response", "target", "--alphas", "5"]) == Exit.OK
    result = _outputs()[0]
    assert result.feature_names == tuple(f"f{j}" for j in range(P))
    np.testing.assert_allclose(
        result.coefs, fastreg.lasso_path(X, y, alphas=5, fit_intercept=True).coefs, atol=1e-12
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "COMMAND"),
        (["fly"], "invalid choice"),
        (["path"], "DATA"),
        (["path", "absent.csv"], "cannot read absent.csv"),
        (["path", "data.csv", "--response", "target"], "no column 'target'"),
        (["path", "X.npy"], "--response-file"),
        (["path", "data.csv", "--response", "y", "--response-file", "y.npy"], "not allowed with"),
        (["path", "data.npz", "--tol", "-1"], "tol must be"),
        (["path", "data.npz", "--l1-ratio", "1.5"], "l1_ratio must be a number in [0, 1], got 1.5"),
        (["path", "data.npz", "--eps", "2"], "eps must be"),
        (["path", "data.npz", "--alphas", "0"], "alphas must be"),
        (["path", "data.npz", "--alphas", "0.5,-1"], "alphas must be"),
        (["path", "data.npz", "--alphas", "many"], "invalid grid value"),
        (["path", "data.npz", "--threads", "0"], "n_threads must be"),
        (["path", "data.npz", "--lower", "1"], "lower_limits must be <= 0"),
        (["path", "data.npz", "--lower", "nan"], "expected a number or a file"),
        (["path", "data.npz", "--upper", "absent.txt"], "cannot read absent.txt"),
        (["path", "."], "DATA must be a file, got the folder ."),
        (["path", "data.npz", "--out", "new/"], "--out begins the names of files"),
        (["path", "data.npz", "--out", "y.npy/r"], "cannot write"),
        (["demo", "--n", "0"], "at least 1"),
        (["demo", "--out", "y.npy"], "cannot make y.npy"),
        (["cache"], "ACTION"),
    ],
)
def test_bad_usage(folder, capsys, arguments, message):
    before = sorted(os.listdir())
    assert main(arguments) == Exit.USAGE
    assert message in capsys.readouterr().err
    assert sorted(os.listdir()) == before


def test_bad_data_is_named(folder, capsys):
    with open("data.csv", "a", encoding="utf-8") as file:
        file.write(",".join(["1"] * 3 + ["n/a"] + ["1"] * (P - 1)) + "\n")
    assert main(["path", "data.csv"]) == Exit.BAD_DATA
    assert f"data.csv, line {N + 2}, column 'f3': expected a number, got 'n/a'" in capsys.readouterr().err
    X, y, _, _ = _arrays()
    X[4, 2] = np.nan
    np.savez("data.npz", X=X, y=y)
    assert main(["path", "data.npz"]) == Exit.BAD_DATA
    assert "2" in capsys.readouterr().err
    np.savez("data.npz", X=X[:4], y=y)
    assert main(["path", "data.npz"]) == Exit.BAD_DATA
    assert "shape" in capsys.readouterr().err
    assert not [name for name in os.listdir() if name.endswith(("run.json", "coefs.npz"))]


def test_a_path_that_missed_the_tolerance(folder, capsys):
    # No solver meets a tolerance of zero on such data at every alpha.
    code = main(["path", "data.npz", "--tol", "0", "--alphas", "10"])
    result, _, run = _outputs()
    assert run["exit_code"] == code == exit_of(result)
    if result.status is Status.NOT_CONVERGED:
        assert code == Exit.NOT_CONVERGED
        assert run["warnings"]
        assert "fastreg: warning:" in capsys.readouterr().err


def _stand_in(monkeypatch, solve):
    monkeypatch.setattr(path_command.Task, "solve", solve)


def test_warnings_go_to_stderr_and_into_the_record(folder, capsys, monkeypatch):
    real = path_command.Task.solve

    def solve(task):
        warnings.warn("look at this", UserWarning)
        return real(task)

    _stand_in(monkeypatch, solve)
    assert main(["path", "data.npz", "--alphas", "3"]) == Exit.OK
    assert capsys.readouterr().err == "fastreg: warning: look at this\n"
    assert _outputs()[2]["warnings"] == ["look at this"]


def test_an_interrupted_path_is_saved(folder, capsys, monkeypatch):
    real = path_command.Task.solve

    def interrupt(step):
        if step.k == 3:
            signal.raise_signal(signal.SIGINT)

    def solve(task):
        return real(
            path_command.Task(task.X, task.y, task.l1_ratio, {**task.keywords, "callback": interrupt})
        )

    _stand_in(monkeypatch, solve)
    assert main(["path", "data.npz", "--alphas", "50"]) == Exit.INTERRUPTED
    result, rows, run = _outputs()
    assert run["status"] == "INTERRUPTED"
    assert 0 < len(result.alphas) == len(rows) - 1 == run["alphas_solved"] < 50 == run["alphas_requested"]
    assert "interrupted" in capsys.readouterr().out


def test_an_interruption_before_there_is_a_result(folder, capsys, monkeypatch):
    def solve(task):
        raise KeyboardInterrupt

    _stand_in(monkeypatch, solve)
    assert main(["path", "data.npz"]) == Exit.KILLED
    assert capsys.readouterr().err == "fastreg: interrupted\n"


def test_budgets_are_no_failure(folder):
    assert main(["path", "data.npz", "--max-features", "2"]) == Exit.OK
    result, _, run = _outputs()
    assert run["status"] == "MAX_FEATURES"
    assert result.n_nonzero.max() <= 2


def test_json_holds_what_json_does_not_know():
    value = {"a": np.float64("nan"), "b": (np.int64(3), -np.inf), "c": Status.CONVERGED, "d": np.zeros(5000)}
    found = json.loads(json.dumps(plain(value), allow_nan=False))
    assert found == {
        "a": "nan",
        "b": [3, "-inf"],
        "c": "CONVERGED",
        "d": "array of 5000 numbers from 0.0 to 0.0",
    }


# demo, info, warmup, cache


def test_demo(tmp_path, monkeypatch, capsys):
    pytest.importorskip("matplotlib")
    monkeypatch.chdir(tmp_path)
    assert main(["demo", "--n", "60", "--p", "150", "--seed", "3", "--out", "pictures"]) == Exit.OK
    text = capsys.readouterr().out
    for part in (
        "60 x 150",
        "20 features made y",
        "of them true",
        "not selected:",
        "Getting the kernels ready took",
        "alphas took",
    ):
        assert part in text
    picture = tmp_path / "pictures" / "fastreg_demo.png"
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert str(picture.relative_to(tmp_path)) in text


def test_demo_without_a_picture(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["demo", "--n", "20", "--p", "30", "--no-plot"]) == Exit.OK
    assert "icture" not in capsys.readouterr().out
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    assert main(["demo", "--n", "20", "--p", "3"]) == Exit.OK
    assert "matplotlib is not installed" in capsys.readouterr().out
    assert os.listdir() == []


def test_info(capsys):
    assert main(["info"]) == Exit.OK
    text = capsys.readouterr().out
    found = fastreg.info()
    assert text == str(found) + "\n"
    for key in (
        "fastreg",
        "python",
        "numpy",
        "scipy",
        "numba",
        "llvmlite",
        "cpu",
        "threads",
        "blas",
        "cache",
    ):
        assert key in found
        assert any(line.startswith(key) for line in text.splitlines())
    json.dumps(found)


def test_warmup(monkeypatch, capsys):
    monkeypatch.setattr(_warmup, "CASES", ("dense float64 wide", "dense float64 tall"))
    assert main(["warmup"]) == Exit.OK
    lines = capsys.readouterr().out.splitlines()
    assert [line[:18] for line in lines[:2]] == ["dense float64 wide", "dense float64 tall"]
    assert lines[2].startswith("all kernels ready after")


@pytest.mark.parametrize("case", _warmup.CASES)
def test_warmup_problems_are_what_they_are_called(case):
    storage, shape = case.rsplit(" ", 1)
    X, y = _warmup._problem(*_warmup.STORAGES[storage], _warmup.SHAPES[shape])
    result = fastreg.lasso_path(X, y, alphas=[1e6], fit_intercept=True)
    assert (X.shape[1] > X.shape[0]) == (shape != "tall")
    assert f"{result.input_report.storage} {result.input_report.dtype}" == " ".join(storage.split()[:2])
    assert result.input_report.copied_bytes == 0
    if sparse.issparse(X):
        assert X.indices.dtype == X.indptr.dtype == storage.split()[2]


@pytest.mark.compiled_only
def test_after_a_warmup_nothing_is_compiled_until_the_cache_is_cleared(tmp_path):
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("NUMBA_", "COV_"))}
    environment["FASTREG_CACHE_DIR"] = str(tmp_path)

    def run(*command):
        command = [sys.executable, *command]
        return subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=500, check=True
        )

    run(
        "-c",
        "from fastreg._warmup import warm_up; list(warm_up(('dense float64 wide', 'dense float64 tall')))",
    )
    files = {file: file.stat().st_mtime_ns for file in tmp_path.rglob("*.kernel")}
    assert files
    assert (
        "(read from the cache)" in run("-m", "fastreg", "demo", "--n", "50", "--p", "500", "--no-plot").stdout
    )
    assert {file: file.stat().st_mtime_ns for file in tmp_path.rglob("*.kernel")} == files
    assert run("-m", "fastreg", "cache", "clear").stdout == f"{len(files)} files removed\n"
    assert list(tmp_path.rglob("*.kernel")) == []


def test_commands_are_light_until_they_run():
    code = (
        "import sys; from fastreg.cli import main; code = main(['--help'])\n"
        "heavy = {'matplotlib', 'sklearn', 'pandas', 'pyarrow'}\n"
        "print(code, sorted(heavy & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=100, check=True
    )
    assert done.stderr == "0 []\n"
    assert "demo" in done.stdout
    assert "exit codes: 0 ok, 2 usage" in done.stdout


def test_a_reader_that_goes_away_is_no_traceback(folder):
    command = f"{sys.executable} -m fastreg info | true"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=100, check=True)
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no device that is always full")
def test_a_full_disk_is_no_traceback_and_loses_no_file(folder):
    command = f"{sys.executable} -m fastreg path data.npz --alphas 3 > /dev/full"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == Exit.USAGE
    assert done.stderr.startswith("fastreg: cannot write: ")
    assert "Traceback" not in done.stderr
    assert _outputs()[0].alphas.size == 3


def test_every_command_has_help(capsys):
    for command in ("demo", "path", "info", "warmup", "cache"):
        assert main([command, "--help"]) == 0
        assert "usage: fastreg " + command in capsys.readouterr().out
