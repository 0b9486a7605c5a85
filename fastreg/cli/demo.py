"""The command ``demo``: a wide problem with a known truth, solved, shown, and drawn."""

from __future__ import annotations

import textwrap
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .exits import Exit, UsageError, exit_of
from .report import path_table, plural

if TYPE_CHECKING:
    from fastreg.datasets import Problem
    from fastreg.result import PathResult

__all__ = ["run_demo"]

N_TRUE = 20
PICTURE = "fastreg_demo.png"


def run_demo(n: int, p: int, seed: int, folder: Path | None) -> Exit:
    """Solve the built-in problem, print the path, draw it into a folder (None: do not draw).

    Returns
    -------
    Exit
        OK, or NOT_CONVERGED if some alpha missed the tolerance.
    """
    from fastreg.api import lasso_path
    from fastreg.datasets import make_wide

    if folder is not None:
        _make_folder(folder)
    n_true = min(N_TRUE, p)
    try:
        problem = make_wide(n, p, n_true, seed=seed)
    except ValueError as problem_with_sizes:
        raise UsageError(problem_with_sizes) from problem_with_sizes
    print(f"Lasso path of a built-in problem: {n} x {p}, {n_true} features made y (seed {seed}).")
    kernels = _get_ready()
    began = time.perf_counter()
    result = lasso_path(
        problem.X, problem.y, alphas=100, eps=1e-2, fit_intercept=True, feature_names=problem.feature_names
    )
    solving = time.perf_counter() - began
    found = _true_found(result, problem)
    print("\n" + path_table(result, {"of them true": found.tolist()}))
    print("\n" + _selected(result, problem, found))
    print(f"\n{kernels}")
    print(
        f"Solving the path of {len(result.alphas)} alphas took {1e3 * solving:.1f} ms: {result.status.value}."
    )
    print(
        "Certified gap: proof that no coefficients do better by more than this share of the null objective."
    )
    if folder is not None:
        print(_draw(result, folder))
    return exit_of(result)


def _get_ready() -> str:
    """Solve tiny problems, so that no compiling is left for the real one, and say how long that took."""
    from fastreg._jit import cache_directory
    from fastreg._warmup import warm_up

    directory = cache_directory()
    before = set() if directory is None else set(directory.iterdir())
    seconds = sum(each for _, each in warm_up(("dense float64 wide", "dense float64 tall"), ridge=False))
    if directory is None:
        how = "compiled; they are not kept, because the cache is off"
    else:
        compiled = len(set(directory.iterdir()) - before)
        how = f"{compiled} compiled, kept for the next run" if compiled else "read from the cache"
    return f"Getting the kernels ready took {seconds:.2f} s ({how})."


def _make_folder(folder: Path) -> None:
    """Make the folder of the picture before anything is computed."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise UsageError(f"cannot make {folder}: {problem.strerror}; choose another --out") from None


def _true_found(result: PathResult, problem: Problem) -> np.ndarray:
    """Count, for every alpha, the true features among the selected ones."""
    nonzero = result.coefs_sparse[problem.true_features] != 0
    return np.asarray(nonzero.sum(axis=0)).ravel()


def _selected(result: PathResult, problem: Problem, found: np.ndarray) -> str:
    """Say what was selected, beside the truth.

    Told at the first alpha that has at least as many features as there are true ones.
    """
    true = problem.true_features
    enough = np.flatnonzero(result.n_nonzero >= true.size)
    k = int(enough[0]) if enough.size else len(result.alphas) - 1
    column = result.coefs_sparse[:, [k]].toarray().ravel()
    names = np.asarray(problem.feature_names)
    by_truth = true[np.argsort(-np.abs(problem.coef[true]))]
    hits = [f"{names[j]} ({problem.coef[j]:+.1f})" for j in by_truth if column[j] != 0.0]
    missed = [f"{names[j]} ({problem.coef[j]:+.1f})" for j in by_truth if column[j] == 0.0]
    others = int(result.n_nonzero[k]) - len(hits)
    lines = [
        f"At alpha = {result.alphas[k]:.4g}, {plural(int(result.n_nonzero[k]), 'feature')} selected: "
        f"{found[k]} of the {true.size} true ones and {plural(others, 'other')}.",
        "The true ones, with the coefficients that made y:",
        _named("selected:", hits),
        _named("not selected:", missed),
    ]
    return "\n".join(lines)


def _named(title: str, features: list[str]) -> str:
    """List features under a title, in lines that fit a terminal."""
    text = ", ".join(features) or "none"
    return textwrap.fill(text, width=100, initial_indent=f"  {title:<15}", subsequent_indent=" " * 17)


def _draw(result: PathResult, folder: Path) -> str:
    """Draw the path and say where, or why not."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        return "No picture: matplotlib is not installed (pip install matplotlib)."
    # A figure of its own: no window, no display and no global state are needed.
    figure = Figure(figsize=(8.0, 5.0), layout="constrained")
    result.plot(ax=figure.subplots())
    target = folder / PICTURE
    try:
        figure.savefig(target, dpi=150)
    except OSError as problem:
        raise UsageError(f"cannot write {target}: {problem.strerror}; choose another --out") from None
    return f"Picture of the path: {target}"
