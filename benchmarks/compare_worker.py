"""Time one case with the fastreg that comes first on the import path; see compare.py.

    python compare_worker.py CASE_FOLDER TREE REPEATS '{"tol": 1e-07}'

Older commits run this same file, so for least squares it asks nothing of fastreg but its two oldest public
functions; the other losses need a commit that has glm_path.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np
from scipy import sparse

SCALARS = ("family", "l1_ratio", "null_objective")


def load(folder):
    """Return X and y as compare.py wrote them."""
    y = np.load(folder / "y.npy")
    if (folder / "XT.npy").exists():
        return np.load(folder / "XT.npy").T, y
    parts = tuple(np.load(folder / f"X_{part}.npy") for part in ("data", "indices", "indptr"))
    return sparse.csc_matrix(parts, shape=tuple(np.load(folder / "X_shape.npy"))), y


def function(fastreg, family, l1_ratio):
    """Return the function that solves a problem, and what it has to be told."""
    if family != "gaussian":
        return fastreg.glm_path, {"family": family, "l1_ratio": l1_ratio}
    if l1_ratio != 1.0:
        return fastreg.enet_path, {"fit_intercept": False, "l1_ratio": l1_ratio}
    return fastreg.lasso_path, {"fit_intercept": False}


def main():
    """Solve once to load or compile the kernels, then as often as asked; print what came out as JSON."""
    folder, tree, repeats, options = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    import fastreg

    if not Path(fastreg.__file__).resolve().is_relative_to(tree.resolve()):
        raise SystemExit(f"imported {fastreg.__file__}, expected the copy in {tree}")
    X, y = load(folder)
    family, l1_ratio, null = (np.load(folder / f"{name}.npy").item() for name in SCALARS)
    solve, keywords = function(fastreg, family, l1_ratio)
    keywords |= {"alphas": np.load(folder / "alphas.npy"), **json.loads(options)}
    path = solve(X, y, **keywords)
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        path = solve(X, y, **keywords)
        times.append(time.perf_counter() - start)
    counters = {
        name: int(value)
        for name, value in dict(getattr(path, "counters", {})).items()
        if isinstance(value, int | np.integer)
    }
    gap = float(np.max(path.dual_gaps)) / null
    print(json.dumps({"times": times, "counters": counters, "gap": gap}))


if __name__ == "__main__":
    main()
