"""PathResult on disk and between processes: bit for bit, never pickle, and errors that say what is wrong."""

from __future__ import annotations

import copy
import dataclasses
import json
import pickle

import numpy as np
import pytest
from handmade import NAMES, empty, make
from scipy import sparse

import fastreg
from fastreg.errors import DataError, Status
from fastreg.result import InputReport, PathResult


def _assert_same(one, other):
    for field in dataclasses.fields(PathResult):
        a, b = getattr(one, field.name), getattr(other, field.name)
        if sparse.issparse(a):
            assert a.shape == b.shape
            pairs = [(getattr(a, part), getattr(b, part)) for part in ("data", "indices", "indptr")]
        else:
            pairs = [(a, b)] if isinstance(a, np.ndarray) else []
            assert pairs or (a == b and type(a) is type(b)), field.name
        for x, y in pairs:
            assert x.dtype == y.dtype, field.name
            assert x.tobytes() == y.tobytes(), field.name


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"feature_names": ("a", "\u03b2", 'quote"', ""), "status": Status.MAX_TIME, "status_note": "a note"},
        {"tol": 0.1 + 0.2, "null_objective": 5e-324, "return_n_iter": True, "l1_ratio": 1 / 3},
        {
            "input_report": InputReport(
                "csc", "float32", (10, 4), 7, ("CSR was converted", "bool became float64")
            )
        },
        {"counters": {"columns_read": np.int64(3), "sizes": ()}},
        {"dual_gaps": np.array([np.nan, -0.0, np.inf])},
    ],
)
def test_saved_and_loaded_is_the_same_bit_for_bit(changes, tmp_path):
    path = make(**changes)
    path.save(tmp_path / "path.npz")
    _assert_same(make(**changes | _plain_counters(changes)), PathResult.load(tmp_path / "path.npz"))


def _plain_counters(changes):
    return (
        {"counters": {k: v if isinstance(v, tuple) else int(v) for k, v in changes["counters"].items()}}
        if "counters" in changes
        else {}
    )


def test_random_bits_survive(tmp_path):
    rng = np.random.default_rng(4)
    coefs = (
        rng.standard_normal((50, 20))
        * (rng.random((50, 20)) < 0.2)
        * 10.0 ** rng.integers(-300, 300, (50, 20))
    )
    path = make(coefs, np.geomspace(1.0, 1e-3, 20), intercepts=rng.standard_normal(20))
    path.save(tmp_path / "path.npz")
    _assert_same(path, PathResult.load(tmp_path / "path.npz"))


def test_an_empty_path_survives(tmp_path):
    empty().save(tmp_path / "path.npz")
    _assert_same(empty(), PathResult.load(str(tmp_path / "path.npz")))


def test_save_writes_exactly_the_name_given_and_replaces(tmp_path):
    make().save(tmp_path / "result")
    make(status_note="second").save(tmp_path / "result")
    assert [file.name for file in tmp_path.iterdir()] == ["result"]
    assert PathResult.load(tmp_path / "result").status_note == "second"


def test_a_failed_save_leaves_the_old_file_and_no_rest(tmp_path):
    make().save(tmp_path / "path.npz")
    with pytest.raises(TypeError, match="header"):
        make(counters={"odd": object()}).save(tmp_path / "path.npz")
    with pytest.raises(FileNotFoundError):
        make().save(tmp_path / "absent" / "path.npz")
    assert [file.name for file in tmp_path.iterdir()] == ["path.npz"]
    _assert_same(make(), PathResult.load(tmp_path / "path.npz"))


def test_files_hold_no_pickle(tmp_path):
    make(feature_names=NAMES).save(tmp_path / "path.npz")
    with np.load(tmp_path / "path.npz", allow_pickle=False) as archive:
        assert all(archive[name].dtype != object for name in archive.files)


class _Bomb:
    def __reduce__(self):
        return (pytest.fail, ("a pickle was opened",))


def test_load_never_opens_a_pickle(tmp_path):
    (tmp_path / "a.npz").write_bytes(pickle.dumps(_Bomb()))
    np.savez(tmp_path / "b.npz", header=np.array([_Bomb()], dtype=object))
    for name in ("a.npz", "b.npz"):
        with pytest.raises(DataError, match="must be a file that save"):
            PathResult.load(tmp_path / name)


def _rewrite(path, **changes):
    with np.load(path) as archive:
        arrays = {name: archive[name] for name in archive.files} | changes
    np.savez(path, **{name: array for name, array in arrays.items() if array is not None})


def test_load_says_what_is_wrong(tmp_path):
    file = tmp_path / "path.npz"
    make().save(file)
    with np.load(file) as archive:
        text = archive["header"].tobytes().decode()
    newer = np.frombuffer(text.replace('"version": 2', '"version": 3').encode(), np.uint8)
    other = np.frombuffer(text.replace("fastreg.PathResult", "fastreg.Other").encode(), np.uint8)
    cases = [
        ({"header": newer}, "version 2 or older, got 3: update fastreg"),
        ({"header": other}, "must hold a fastreg.PathResult, got 'fastreg.Other'"),
        ({"header": np.frombuffer(b"not json", np.uint8)}, "must be a file that save"),
        ({"header": None}, "must be a file that save"),
        ({"alphas": None}, "is damaged"),
        ({"alphas": np.ones(2)}, "is damaged"),
        ({"indices": np.array([7, 7, 7, 7, 7])}, "is damaged"),
    ]
    for changes, message in cases:
        make().save(file)
        _rewrite(file, **changes)
        with pytest.raises(DataError, match=message):
            PathResult.load(file)
    file.write_bytes(file.read_bytes()[:200])
    with pytest.raises(DataError, match="must be a file that save"):
        PathResult.load(file)
    np.save(tmp_path / "array.npy", np.ones(3))
    with pytest.raises(DataError, match="must be a file that save"):
        PathResult.load(tmp_path / "array.npy")
    with pytest.raises(FileNotFoundError):
        PathResult.load(tmp_path / "absent.npz")


@pytest.mark.parametrize("fitted", [True, False])
def test_whether_intercepts_were_fitted_is_recorded(fitted, tmp_path):
    # The best intercept is zero here, which says nothing of whether there is one.
    X, y = np.array([[1.0], [2.0], [6.0]]), np.array([-1.0, 2.0, -1.0])
    path = fastreg.lasso_path(X, y, alphas=[10.0], fit_intercept=fitted)
    assert not path.intercepts.any()
    path.save(tmp_path / "path.npz")
    for each in (path, PathResult.load(tmp_path / "path.npz"), pickle.loads(pickle.dumps(path))):
        assert each.fit_intercept is fitted
        assert fastreg.certify(X, y, each).fit_intercept is fitted
    assert fastreg.certify(X, y, path, fit_intercept=not fitted).fit_intercept is not fitted


def test_files_that_do_not_say_whether_intercepts_were_fitted(tmp_path):
    file = tmp_path / "path.npz"
    make(fit_intercept=True).save(file)
    with np.load(file) as archive:
        header = json.loads(archive["header"].tobytes())
    del header["fit_intercept"]
    _rewrite(file, header=np.frombuffer(json.dumps(header).encode(), np.uint8))
    assert PathResult.load(file).fit_intercept is None


def test_results_travel_between_processes():
    path = make(feature_names=NAMES)
    assert path.coefs.shape == (4, 3)
    _assert_same(path, pickle.loads(pickle.dumps(path)))
    _assert_same(path, copy.deepcopy(path))


def test_files_of_numpy_are_named_as_what_they_are_not(tmp_path):
    np.save(tmp_path / "x.npy", np.ones(3))
    np.savez(tmp_path / "x.npz", x=np.ones(3))
    for name, message in (("x.npy", "it is no npz file"), ("x.npz", "it has no header")):
        with pytest.raises(DataError, match=f"must be a file that .* got something else: {message}"):
            PathResult.load(tmp_path / name)
