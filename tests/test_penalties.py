"""Penalties for weights of other tools: against explicit loops and brute force, for several array kinds."""

import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from fastreg import penalties
from fastreg.errors import DataError, DataTypeError

EXAMPLE = Path(__file__).resolve().parents[1] / "docs" / "examples" / "small_network.py"
RNG = np.random.default_rng(7)
WEIGHTS = {
    "first.weight": RNG.standard_normal((3, 4)),
    "first.bias": RNG.standard_normal(3),
    "norm1.scale": RNG.standard_normal(2),
}


def _torch():
    return pytest.importorskip("torch")


def _jax():
    numbers = pytest.importorskip("jax.numpy")
    pytest.importorskip("jax").config.update("jax_enable_x64", True)
    return numbers


def _strict():
    return pytest.importorskip("array_api_strict")


KINDS = {"numpy": lambda: np, "torch": _torch, "jax": _jax, "strict": _strict}


@pytest.fixture(params=KINDS)
def of(request):
    """Return what makes an array of one kind from NumPy's."""
    xp = KINDS[request.param]()
    return lambda w: xp.asarray(np.array(w))


def _numpy(w):
    """Return entry by entry what only indexing is allowed on."""
    found = np.empty(w.shape)
    for place in np.ndindex(*w.shape):
        found[place] = float(w[place])
    return found


def test_value_is_the_penalty_of_the_paths(of):
    expected = sum(0.3 * abs(v) + 0.5 * 0.7 * v * v for v in WEIGHTS["first.weight"].ravel())
    assert float(penalties.value(of(WEIGHTS["first.weight"]), 0.3, 0.7)) == pytest.approx(expected, rel=1e-14)
    several = [of(w) for w in WEIGHTS.values()]
    alone = sum(float(penalties.value(w, 0.3, 0.7)) for w in several)
    assert float(penalties.value(several, 0.3, 0.7)) == pytest.approx(alone, rel=1e-14)


def test_prox_minimises_what_it_says(of):
    w, l1, l2, step = WEIGHTS["first.weight"], 0.4, 0.9, 0.7
    found = _numpy(penalties.prox(of(w), l1, l2, step=step))
    grid = np.linspace(-3.0, 3.0, 60_001)
    for v, wi in zip(found.ravel(), w.ravel(), strict=True):
        objective = 0.5 * (grid - wi) ** 2 + step * (l1 * np.abs(grid) + 0.5 * l2 * grid**2)
        assert abs(v - grid[np.argmin(objective)]) <= 1.01e-4
    assert (found == 0.0).any()
    assert not np.signbit(found[found == 0.0]).any()


@pytest.mark.parametrize("axis", [0, 1, -1, (0, 1)])
def test_group_prox_minimises_what_it_says(of, axis):
    w, l1, l2, step = WEIGHTS["first.weight"], 0.8, 0.5, 1.3

    def objective(v):
        norms = np.sqrt((v**2).sum(axis=axis))
        return 0.5 * ((v - w) ** 2).sum() + step * (l1 * norms.sum() + 0.5 * l2 * (v**2).sum())

    found = _numpy(penalties.group_prox(of(w), l1, l2, axis=axis, step=step))
    best = objective(found)
    tries = np.random.default_rng(1)
    for size in (1e-1, 1e-3, 1e-5):
        for _ in range(50):
            assert objective(found + size * tries.standard_normal(w.shape)) >= best - 1e-15
    value = float(penalties.group_value(of(found), l1, l2, axis=axis))
    rest = 0.5 * ((found - w) ** 2).sum()
    assert rest + step * value == pytest.approx(best, rel=1e-13)


def test_whole_groups_become_exact_zeros():
    w = np.array([[3.0, 0.3], [4.0, 0.4]])
    assert (penalties.group_prox(w, 0.6)[:, 1] == 0.0).all()
    assert (penalties.group_prox(np.zeros((2, 2)), 1.0) == 0.0).all()
    assert (penalties.group_prox(np.zeros((2, 2)), 0.0) == 0.0).all()


def test_training_that_diverged_does_not_look_sparse():
    w = np.array([np.nan, 1.5, 0.2])
    assert np.array_equal(penalties.prox(w, 1.0), [np.nan, 0.5, 0.0], equal_nan=True)
    assert np.isnan(penalties.group_prox(w, 1.0)).all()


def test_subgradient_is_one(of):
    w = np.array([[1.5, 0.0, -2.0]])
    g = _numpy(penalties.subgradient(of(w), 0.4, 0.2))
    for v in np.random.default_rng(2).standard_normal((200, 1, 3)):
        at_w, at_v = float(penalties.value(w, 0.4, 0.2)), float(penalties.value(v, 0.4, 0.2))
        assert at_v >= at_w + float((g * (v - w)).sum()) - 1e-14


def test_names_are_left_out():
    every = penalties.value(WEIGHTS, 1.0)
    inner = penalties.value({"a": WEIGHTS["first.weight"]}, 1.0)
    assert penalties.value(WEIGHTS, 1.0, leave_out=["bias", "norm*"]) == inner < every
    assert penalties.value(WEIGHTS, 1.0, leave_out="*") == 0.0
    shrunk = penalties.prox(WEIGHTS, 0.5, leave_out=["first.bias", "norm1.scale"])
    assert list(shrunk) == list(WEIGHTS)
    assert shrunk["first.bias"] is WEIGHTS["first.bias"]
    slopes = penalties.subgradient(WEIGHTS, 0.5, leave_out="bias")
    assert not slopes["first.bias"].any()
    assert slopes["norm1.scale"].any()


def test_forms_come_back_as_they_went_in():
    w = WEIGHTS["first.bias"]
    assert isinstance(penalties.prox(w, 0.1), np.ndarray)
    assert isinstance(penalties.prox([w, w], 0.1), list)
    assert penalties.prox([], 0.1) == []
    assert penalties.value([], 0.1) == 0.0
    assert penalties.prox(w.astype(np.float32), 0.1, 0.1).dtype == np.float32
    assert penalties.group_prox(w.astype(np.float32), 0.1, 0.1).dtype == np.float32


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (lambda: penalties.value(np.ones(2), -1.0), DataError, "l1 must be a finite number >= 0"),
        (lambda: penalties.prox(np.ones(2), 0.0, np.inf), DataError, "l2 must be a finite number >= 0"),
        (lambda: penalties.prox(np.ones(2), 1.0, step=0.0), DataError, "step must be a finite number > 0"),
        (
            lambda: penalties.value(np.ones(2, int), 1.0),
            DataTypeError,
            "hold real floating numbers, got int64",
        ),
        (
            lambda: penalties.value(np.ones(2, complex), 1.0),
            DataTypeError,
            "real floating numbers, got complex",
        ),
        (lambda: penalties.value([1.0, 2.0], 1.0), DataTypeError, r"weights\[0\] must be an array"),
        (lambda: penalties.value("abc", 1.0), DataTypeError, "must be an array"),
        (lambda: penalties.value(np.ones(2), 1.0, leave_out="bias"), DataError, "weights without names"),
        (lambda: penalties.value({"w": np.ones(2)}, 1.0, leave_out="bias"), DataError, "among w, got 'bias'"),
        (lambda: penalties.group_prox(np.ones(2), 1.0, axis=1), DataError, r"axis=1 for shape \(2,\)"),
        (lambda: penalties.group_prox(np.ones((2, 2)), 1.0, axis=(0, -2)), DataError, "each once"),
        (lambda: penalties.group_prox(np.ones(2), 1.0, axis="a"), DataTypeError, "axis must be an integer"),
        (lambda: penalties.group_value(np.ones(2), 1.0, axis=1.5), DataTypeError, "axis must be an integer"),
        (lambda: penalties.value({"w": np.ones(2)}, 1.0, leave_out=3), DataTypeError, "leave_out must be"),
        (lambda: penalties.prox({"w": np.ones(2)}, 1.0, leave_out=[3]), DataTypeError, "leave_out must be"),
    ],
)
def test_bad_input(call, kind, message):
    with pytest.raises(kind, match=message):
        call()


def test_gradients_flow_and_stay_finite():
    torch = _torch()
    w = torch.tensor([[1.0, 0.0], [-2.0, 0.0]], dtype=torch.float64, requires_grad=True)
    (penalties.value(w, 0.5, 0.1) + penalties.group_value(w, 0.3)).backward()
    norm = 5**0.5
    expected = [[0.5 + 0.1 + 0.3 / norm, 0.0], [-0.5 - 0.2 - 0.6 / norm, 0.0]]
    assert np.allclose(w.grad.numpy(), expected, atol=1e-14)
    w.grad = None
    penalties.group_prox(w, 0.5).sum().backward()
    assert torch.isfinite(w.grad).all()
    model = torch.nn.Linear(3, 2)
    with torch.no_grad():
        for name, new in penalties.prox(dict(model.named_parameters()), 10.0, leave_out="bias").items():
            model.get_parameter(name).copy_(new)
    assert not model.weight.detach().numpy().any()
    assert model.bias.detach().numpy().all()


def test_no_other_package_is_imported():
    code = "import sys, fastreg.penalties; print({'torch', 'jax', 'sklearn'} & set(sys.modules))"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        == "set()\n"
    )


def test_network_trained_three_ways(tmp_path, monkeypatch):
    """The proximal network has exact zeros; the others have none, nor does it cost accuracy."""
    pytest.importorskip("sklearn")
    pytest.importorskip("matplotlib")
    example = runpy.run_path(str(EXAMPLE))
    found = {way: example["train"](way, epochs=30) for way in example["WAYS"]}
    assert found["L1, proximal steps"].zeros > 0.4
    assert found["L1, subgradient"].zeros == 0.0
    assert found["L2, weight decay"].zeros == 0.0
    assert all(each.accuracy > 0.9 for each in found.values())


def test_what_is_too_large_is_infinite_without_a_warning():
    huge = np.array([1e200, -1e200])
    assert penalties.value(huge, 1.0, 1.0) == np.inf
    assert penalties.group_value(huge, 1.0, 1.0) == np.inf
    assert penalties.subgradient(huge, 1.0, 1e200).tolist() == [np.inf, -np.inf]
