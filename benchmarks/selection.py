"""The choice of the penalty and of the features, timed side by side in one run.

    python benchmarks/selection.py                 print the figures
    python benchmarks/selection.py --save          also write results/selection.json
    python benchmarks/selection.py cv responses    only some

`cv`: 10-fold cross-validation of 100 alphas to alpha_max/100 on leukemia, beside one path, cv.glmnet and
scikit-learn's LassoCV (two processes) on the same folds and alphas, at their defaults and at tighter
tolerances; `curve_error` is how far the curve of mean errors is from ours at tol=1e-12. `stability`: 100
complementary pairs on riboflavin. `responses`: 100 independent responses on leukemia beside one. Extra memory
is what NumPy allocates at its peak during one more call, over the size of X.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import fastreg
from benchmarks.problems import data_directory
from fastreg.bench.machine import describe
from fastreg.bench.problem import centred, standardise

HERE = Path(__file__).resolve().parent
FOLDS, ALPHAS, EPS = 10, 100, 1e-2
# A curve of mean errors this near to the exact one, relative to its largest value, is matched.
MATCHED_CURVE = 1e-6
R_TOLERANCES = (1e-7, 1e-9, 1e-11, 1e-13)
SKLEARN_TOLERANCES = (1e-4, 1e-6, 1e-8, 1e-10)
Row = dict[str, Any]


def best(call: Callable[[], Any], repeats: int) -> tuple[float, Any]:
    """Return the shortest time of some calls, after one that does not count, and what the last returned."""
    call()
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        found = call()
        times.append(time.perf_counter() - began)
    return min(times), found


def extra(call: Callable[[], Any], size: int) -> float:
    """Return what a call allocates at its peak over a size."""
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1] / size
    finally:
        tracemalloc.stop()


def data(name: str) -> tuple[Any, Any]:
    """Return standardised columns and a centred response."""
    with np.load(data_directory() / f"{name}.npz") as stored:
        X, y = np.ascontiguousarray(stored["X"].T, dtype=np.float64), stored["y"].astype(np.float64)
    return standardise(X), centred(y)


def cross_validation(repeats: int) -> list[Row]:
    """Time cross-validation beside one path and the peers."""
    X, y = data("leukemia")
    fold = np.random.default_rng(0).permutation(len(y)) % FOLDS
    options = {"alphas": ALPHAS, "eps": EPS}
    single, path = best(lambda: fastreg.lasso_path(X, y, fit_intercept=True, **options), 3 * repeats)
    exact = fastreg.cv_path(X, y, cv=fold, tol=1e-12, **options).mean
    given = {"alphas": path.alphas}
    rows = [{"what": "one path", "solver": "fastreg", "tol": 1e-7, "seconds": single}]
    for n_threads in (None, 1):
        call = lambda n=n_threads: fastreg.cv_path(X, y, cv=fold, n_threads=n, **options)  # noqa: E731
        seconds, found = best(call, 3 * repeats)
        rows.append(
            _row("fastreg" if n_threads is None else "fastreg, 1 thread", 1e-7, seconds, found.mean, exact)
            | {"extra_memory": extra(call, X.nbytes)}
        )
    rows += _cv_glmnet(X, y, fold, given["alphas"], exact, repeats)
    rows += _lasso_cv(X, y, fold, given["alphas"], exact)
    return rows


def _row(solver: str, tol: float, seconds: float, curve: Any, exact: Any) -> Row:
    error = float(np.max(np.abs(np.asarray(curve) - exact)) / np.max(exact))
    return {
        "what": f"{FOLDS}-fold CV",
        "solver": solver,
        "tol": tol,
        "seconds": seconds,
        "curve_error": error,
    }


def _cv_glmnet(X: Any, y: Any, fold: Any, alphas: Any, exact: Any, repeats: int) -> list[Row]:
    """Time cv.glmnet, where R and glmnet are installed."""
    with tempfile.TemporaryDirectory(prefix="fastreg-cv-") as folder:
        parts = (
            np.array([*X.shape, len(alphas)], np.int32), alphas, y, (fold + 1).astype(np.int32),
            np.asfortranarray(X).ravel(order="F"),
        )  # fmt: skip
        Path(folder, "problem.bin").write_bytes(b"".join(part.tobytes() for part in parts))
        command = ["Rscript", "--vanilla", str(HERE / "cv_glmnet.R"), folder, str(repeats)]
        try:
            done = subprocess.run(
                [*command, *map(str, R_TOLERANCES)], check=True, capture_output=True, text=True
            )
        except (FileNotFoundError, subprocess.CalledProcessError) as problem:
            print(f"cv.glmnet did not run: {problem}", file=sys.stderr)
            return []
    *lines, version = done.stdout.strip().splitlines()
    rows = []
    for tol, line in zip(R_TOLERANCES, lines, strict=True):
        seconds, *curve = map(float, line.split())
        rows.append(_row("cv.glmnet", tol, seconds, curve, exact) | {"version": version.strip()})
    return rows


def _lasso_cv(X: Any, y: Any, fold: Any, alphas: Any, exact: Any) -> list[Row]:
    """Time LassoCV with two processes."""
    import sklearn
    from sklearn.linear_model import LassoCV
    from sklearn.model_selection import PredefinedSplit

    sizes = np.bincount(fold)
    rows = []
    for tol in SKLEARN_TOLERANCES:
        model = LassoCV(alphas=alphas, cv=PredefinedSplit(fold), tol=tol, max_iter=10**6, n_jobs=2)
        began = time.perf_counter()
        model.fit(X, y)
        seconds = time.perf_counter() - began
        curve = model.mse_path_ @ sizes / sizes.sum()
        rows.append(_row("LassoCV", tol, seconds, curve, exact) | {"version": sklearn.__version__})
        if rows[-1]["curve_error"] <= MATCHED_CURVE:
            break
    return rows


def stability(repeats: int) -> list[Row]:
    """Time 100 complementary pairs."""
    X, y = data("riboflavin")
    seconds, found = best(lambda: fastreg.stability_selection(X, y, pairs=100), repeats)
    return [
        {
            "what": "stability selection, 100 pairs",
            "solver": "fastreg",
            "seconds": seconds,
            "selected": len(found.selected),
        }
    ]


def responses(repeats: int) -> list[Row]:
    """Time 100 independent responses beside one."""
    X, y = data("leukemia")
    rng = np.random.default_rng(0)
    Y = np.column_stack(
        [rng.permutation(y) if k % 2 else y + 0.5 * rng.standard_normal(len(y)) for k in range(100)]
    )
    options = {"alphas": ALPHAS, "eps": EPS, "fit_intercept": True}
    alone, _ = best(lambda: [fastreg.lasso_path(X, Y[:, k], **options) for k in range(100)], repeats)
    together, _ = best(lambda: fastreg.lasso_path(X, Y, multi_response="independent", **options), repeats)
    one = alone / 100
    return [
        {"what": "one response, mean of 100", "solver": "fastreg", "seconds": one},
        {"what": "100 responses", "solver": "fastreg", "seconds": together, "times_one": together / one},
    ]


MEASURES = {"cv": cross_validation, "stability": stability, "responses": responses}


def main(arguments: list[str] | None = None) -> int:
    """Measure, print and store on request."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", choices=[*MEASURES, []], metavar="PART", help=", ".join(MEASURES))
    parser.add_argument("--repeats", type=int, default=5, help="the best counts (default 5)")
    parser.add_argument("--save", action="store_true", help="write benchmarks/results/selection.json")
    chosen = parser.parse_args(arguments)
    if chosen.save and chosen.parts:
        parser.error("--save stores all of them: name none")
    rows = [row for part in chosen.parts or MEASURES for row in MEASURES[part](chosen.repeats)]
    for row in rows:
        more = {key: value for key, value in row.items() if key not in ("what", "solver", "seconds")}
        facts = ", ".join(
            f"{key} {value:.3g}" if isinstance(value, float) else f"{key} {value}"
            for key, value in more.items()
        )
        print(f"{row['what']:<32} {row['solver']:<20} {1e3 * row['seconds']:10.1f} ms   {facts}")
    if chosen.save:
        text = json.dumps({"machine": describe(), "rows": rows}, indent=1)
        (HERE / "results" / "selection.json").write_text(text + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
