"""A network with one hidden layer, trained three ways: who makes weights that are exactly zero.

    python docs/examples/small_network.py [--out FILE]

scikit-learn's 1797 digits of 8 x 8 pixels, 64 hidden units, plain mini-batch gradient descent in NumPy; a
third of the images is held out. The loss and its gradients are the network's own; the penalty comes from
``fastreg.penalties``: once as a subgradient, once as a proximal step after every gradient step, and once as
L2, which is weight decay. Biases are left out.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from sklearn.datasets import load_digits

from fastreg import penalties

matplotlib.use("Agg")
import matplotlib.pyplot as plt

FIGURE = Path(__file__).parent / "figures" / "small_network.png"
HIDDEN, BATCH, EPOCHS, RATE = 64, 32, 60, 0.1
# Strengths at which all three networks do about equally well on digits they have not seen.
L1, L2 = 2e-3, 2e-3
WAYS = ("L1, subgradient", "L1, proximal steps", "L2, weight decay")


@dataclass(frozen=True)
class Trained:
    """Hold a trained network's weights, its held-out accuracy and its share of exact zeros."""

    weights: dict[str, Any]
    accuracy: float
    zeros: float


def data() -> tuple[Any, ...]:
    """Return training and held-out images and labels."""
    X, y = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(y))
    train, test = order[: 2 * len(y) // 3], order[2 * len(y) // 3 :]
    return X[train] / 16.0, y[train], X[test] / 16.0, y[test]


def start() -> dict[str, Any]:
    """Return random weights and zero biases."""
    rng = np.random.default_rng(1)
    return {
        "hidden.weight": rng.standard_normal((64, HIDDEN)) * (2 / 64) ** 0.5,
        "hidden.bias": np.zeros(HIDDEN),
        "output.weight": rng.standard_normal((HIDDEN, 10)) * (2 / HIDDEN) ** 0.5,
        "output.bias": np.zeros(10),
    }


def scores(net: dict[str, Any], X: Any) -> tuple[Any, Any]:
    """Return the hidden layer and the scores of the classes."""
    hidden = np.maximum(X @ net["hidden.weight"] + net["hidden.bias"], 0.0)
    return hidden, hidden @ net["output.weight"] + net["output.bias"]


def gradients(net: dict[str, Any], X: Any, y: Any) -> dict[str, Any]:
    """Return the gradients of the mean log-loss."""
    hidden, eta = scores(net, X)
    shares = np.exp(eta - eta.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    shares[np.arange(len(y)), y] -= 1.0
    shares /= len(y)
    back = (shares @ net["output.weight"].T) * (hidden > 0.0)
    return {
        "hidden.weight": X.T @ back,
        "hidden.bias": back.sum(axis=0),
        "output.weight": hidden.T @ shares,
        "output.bias": shares.sum(axis=0),
    }


def train(way: str, epochs: int = EPOCHS) -> Trained:
    """Train from the same start on the same batches."""
    X, y, X_test, y_test = data()
    net, rng = start(), np.random.default_rng(2)
    for _ in range(epochs):
        order = rng.permutation(len(y))
        for begin in range(0, len(y), BATCH):
            rows = order[begin : begin + BATCH]
            slope = gradients(net, X[rows], y[rows])
            if way == "L1, subgradient":
                more = penalties.subgradient(net, L1, leave_out="bias")
                slope = {name: slope[name] + more[name] for name in net}
            elif way == "L2, weight decay":
                more = penalties.subgradient(net, l2=L2, leave_out="bias")
                slope = {name: slope[name] + more[name] for name in net}
            net = {name: net[name] - RATE * slope[name] for name in net}
            if way == "L1, proximal steps":
                net = penalties.prox(net, L1, step=RATE, leave_out="bias")
    entries = all_weights(net)
    accuracy = float((scores(net, X_test)[1].argmax(axis=1) == y_test).mean())
    return Trained(net, accuracy, float((entries == 0.0).mean()))


def all_weights(net: dict[str, Any]) -> Any:
    """Return the weights of both layers as one vector."""
    return np.concatenate([net[name].ravel() for name in net if name.endswith("weight")])


def main() -> None:
    """Train, check what the text says, and draw."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=FIGURE)
    out = parser.parse_args().out
    found = {way: train(way) for way in WAYS}
    for way, each in found.items():
        print(f"{way:<20} {each.accuracy:.1%} of held-out digits right, {each.zeros:.1%} of weights are zero")
    assert found["L1, proximal steps"].zeros > 0.5
    assert found["L1, subgradient"].zeros == found["L2, weight decay"].zeros == 0.0
    assert min(each.accuracy for each in found.values()) > 0.94
    picture(found, out)


def picture(found: dict[str, Trained], out: Path) -> None:
    """Draw the histogram of the weights of every network, its exact zeros as a bar of their own."""
    figure, panels = plt.subplots(1, 3, figsize=(11, 3.6), layout="constrained", sharey=True)
    bins = np.linspace(-0.8, 0.8, 81)
    for ax, (way, each) in zip(panels, found.items(), strict=True):
        entries = all_weights(each.weights)
        ax.hist(
            np.clip(entries[entries != 0.0], -0.8, 0.8), bins=bins, color="#1f5fa8", label="other weights"
        )
        if each.zeros:
            ax.bar(0.0, (entries == 0.0).sum(), width=0.02, color="#c8402f", label="exactly zero")
        ax.set(yscale="log", xlabel="weight", ylim=(0.8, 6000))
        ax.set_title(f"{way}\n{each.accuracy:.1%} right, {each.zeros:.0%} exact zeros", fontsize=10)
        ax.spines[["top", "right"]].set_visible(False)
        ax.legend(loc="upper right", frameon=False, fontsize=8)
    panels[0].set_ylabel("number of weights")
    out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(out, dpi=110)
    print(f"picture: {out}")


if __name__ == "__main__":
    main()
