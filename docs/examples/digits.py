"""Handwritten digits by a multinomial path: which pixels are needed, how well they do, what they look like.

    python docs/examples/digits.py [--out FILE]

scikit-learn's 1797 images of 8 x 8 pixels, 10 classes; a third of the images is held out. With
``grouped=True`` a pixel enters for all classes at once.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from sklearn.datasets import load_digits

import fastreg

matplotlib.use("Agg")
import matplotlib.pyplot as plt

FIGURE = Path(__file__).parent / "figures" / "digits.png"
ALPHAS, EPS = 40, 5e-3


def main() -> None:
    """Fit, check what the text says, and draw."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=FIGURE)
    out = parser.parse_args().out
    X, y = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(y))
    train, test = order[: 2 * len(y) // 3], order[2 * len(y) // 3 :]
    path = fastreg.multinomial_path(np.asfortranarray(X[train]), y[train], alphas=ALPHAS, eps=EPS)
    guesses = path.predict(X[test], kind="class")
    accuracy = (guesses == y[test][:, None]).mean(axis=0)
    best = int(np.argmax(accuracy))
    print(f"{path.n_nonzero[best]} of 64 pixels, {accuracy[best]:.1%} of {len(test)} held-out digits right")
    print(f"largest relative gap {path.relative_gaps.max():.1e}")
    few = int(np.flatnonzero(path.n_nonzero >= 20)[0])
    print(f"with {path.n_nonzero[few]} pixels {accuracy[few]:.1%}")
    assert accuracy[best] > 0.93
    assert path.n_nonzero[best] < 64
    assert path.relative_gaps.max() <= 1e-7
    picture(path, accuracy, best, out)


def picture(path: Any, accuracy: Any, best: int, out: Path) -> None:
    """Draw accuracy along the path and the coefficients of every class as an image."""
    figure = plt.figure(figsize=(11, 4.2), layout="constrained")
    left, right = figure.subfigures(1, 2, width_ratios=[1, 1.5])
    ax = left.subplots()
    ax.plot(path.alphas, accuracy, color="#1f5fa8")
    ax.axvline(path.alphas[best], color="black", lw=0.8, ls=":")
    ax.set(xscale="log", xlabel="alpha", ylabel="held-out accuracy", ylim=(0, 1))
    ax.invert_xaxis()
    ax.spines[["top", "right"]].set_visible(False)
    for k in (0, len(accuracy) // 4, len(accuracy) // 2, best):
        ax.annotate(
            f"{path.n_nonzero[k]} pixels", (path.alphas[k], accuracy[k]), xytext=(9, -10),
            textcoords="offset points", fontsize=8,
        )  # fmt: skip
    coefs = path.coefs[:, :, best]
    limit = np.abs(coefs).max()
    for label, panel, weights in zip(path.classes, right.subplots(2, 5).ravel(), coefs, strict=True):
        shown = panel.imshow(weights.reshape(8, 8), cmap="RdBu_r", vmin=-limit, vmax=limit)
        panel.set(title=str(label), xticks=[], yticks=[])
    right.colorbar(
        shown, ax=right.axes, shrink=0.6, label="coefficient: red speaks for the digit, blue against"
    )
    out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(out, dpi=110)
    print(f"picture: {out}")


if __name__ == "__main__":
    main()
