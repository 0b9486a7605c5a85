"""Time one case with the fastreg that comes first on the import path; see compare.py.

    python compare_worker.py CASE_FOLDER TREE REPEATS '{"tol": 1e-07}'

Older commits run this same file, so it asks nothing of fastreg but its two oldest public functions.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np
from scipy import sparse


def load(folder):
    """Return X, y, alphas and l1_ratio as compare.py wrote them."""
    y, alphas = np.load(folder / "y.npy"), np.load(folder / "alphas.npy")
    l1_ratio = float(np.load(folder / "l1_ratio.npy"))
    if (folder / "XT.npy").exists():
        return np.load(folder / "XT.npy").T, y, alphas, l1_ratio
    parts = tuple(np.load(folder / f"X_{part}.npy") for part in ("data", "indices", "indptr"))
    return sparse.csc_matrix(parts, shape=tuple(np.load(folder / "X_shape.npy"))), y, alphas, l1_ratio


def main():
    """Solve once to load or compile the kernels, then as often as asked; print what came out as JSON."""
    folder, tree, repeats, options = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    import fastreg

    if not Path(fastreg.__file__).resolve().is_relative_to(tree.resolve()):
        raise SystemExit(f"imported {fastreg.__file__}, expected the copy in {tree}")
    X, y, alphas, l1_ratio = load(folder)
    keywords = {"alphas": alphas, "fit_intercept": False, **json.loads(options)}
    if l1_ratio == 1.0:
        solve = fastreg.lasso_path
    else:
        solve, keywords["l1_ratio"] = fastreg.enet_path, l1_ratio
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
    gap = float(np.max(path.dual_gaps)) / (float(y @ y) / (2 * len(y)))
    print(json.dumps({"times": times, "counters": counters, "gap": gap}))


if __name__ == "__main__":
    main()
