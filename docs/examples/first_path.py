"""The picture of a first path, for the README and the front page: who enters when, as alpha falls.

    python docs/examples/first_path.py [--out FILE]

60 rows, 200 features, five of which made y. The first four to enter are true ones; the fifth is so weak that
noise comes before it.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import matplotlib

import fastreg

matplotlib.use("Agg")
import matplotlib.pyplot as plt

FIGURE = Path(__file__).parents[1] / "figures" / "path.svg"


def main() -> None:
    """Solve, check what the text says, and draw."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=FIGURE)
    out = parser.parse_args().out
    problem = fastreg.datasets.make_wide(n=60, p=200, n_true=5)
    path = fastreg.lasso_path(problem.X, problem.y, eps=0.01, fit_intercept=True)
    order = path.order_of_entry()
    assert set(order[:4]) < set(problem.true_features)
    assert order[4] not in problem.true_features
    assert path.relative_gaps.max() < 1e-12
    print("first to enter:", ", ".join(path.label(j) for j in order[:5]))
    # Equal runs write equal files: no date, and names that do not depend on a random seed.
    plt.rcParams.update({"svg.hashsalt": "fastreg", "svg.fonttype": "path", "font.size": 10})
    figure, axes = plt.subplots(figsize=(8, 4.2), layout="constrained")
    path.plot(axes, labels=5)
    axes.axhline(0.0, color="#9a9a9a", linewidth=0.6)
    figure.savefig(out, metadata={"Date": None} if out.suffix == ".svg" else None)
    print(f"picture: {out}")


if __name__ == "__main__":
    main()
