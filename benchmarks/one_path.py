"""One path in this process, as growth.py asks for it: time, work, peak memory and, on request, its course.

    python benchmarks/one_path.py '{"ar": {"n": 200, "p": 1000}, "solver": "fastreg"}'

The request names a problem (`case`, `ar` or `text`), and may give `solver`, `threads`, `mode`, `repeats`,
`eps`, `max_time`, `trace`. The answer is one line of JSON.
"""

from __future__ import annotations

import gc
import importlib
import json
import math
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.memory import _peak, _reset_peak, _resident, _trim
from benchmarks.problems import load, text_like
from fastreg.bench.accuracy import as_columns, assess
from fastreg.bench.machine import pass_cost
from fastreg.bench.peers import OURS, make
from fastreg.bench.problem import Problem, centred, standardise

# A dense X of float64 is not drawn above this many bytes; float32 takes over.
DOUBLE_LIMIT = 1e9
# Accuracy costs a pass per alpha and a copy of the union of supports: beyond this many bytes it is left out.
ASSESS_LIMIT = 2e8
# The best of several counts, but a run above this many seconds is not repeated.
SLOW = 5.0

Patch = tuple[str, str, Any]
NEVER_GRAM: Patch = ("fastreg.choose", "is_tall", lambda problem: False)
# Constants and rules of the cost model, overruled: how each mode is forced. Users have no such knob.
FORCED: dict[str, tuple[Patch, ...]] = {
    "auto": (),
    "exact": (NEVER_GRAM, ("fastreg.solvers", "FACTOR_WORTH", 1e12)),
    "gram": (("fastreg.choose", "is_tall", lambda problem: True),),
    "descent": (
        NEVER_GRAM,
        ("fastreg.solvers", "FACTOR_WORTH", 0.0),
        ("fastreg.solvers", "SMALL_SUPPORT", 0),
        ("fastreg.solvers", "LARGEST_FACTOR", 0),
    ),
    "always threads": (("fastreg.designs.threads", "CROSSOVER_BYTES", 0),),
}
CONSTANTS = (
    ("fastreg.solvers", "FACTOR_WORTH"),
    ("fastreg.solvers", "SMALL_SUPPORT"),
    ("fastreg.solvers", "LARGEST_FACTOR"),
    ("fastreg.solve_gram", "TALL"),
    ("fastreg.solve_gram", "MAX_COLUMNS"),
    ("fastreg.designs.threads", "CROSSOVER_BYTES"),
)


def force(mode: str) -> None:
    """Overrule the cost model in this process; raise SystemExit where fastreg has changed its constants."""
    for module, name, value in FORCED[mode]:
        owner = importlib.import_module(module)
        if not hasattr(owner, name):
            raise SystemExit(
                f"{module} has no {name} any more: bring FORCED in {Path(__file__).name} up to date"
            )
        setattr(owner, name, value)


def constants() -> dict[str, float]:
    """Return what the cost model compares with, as it is in this version."""
    found = {}
    for module, name in CONSTANTS:
        value = getattr(importlib.import_module(module), name, None)
        if value is not None:
            found[name] = float(value)
    return found


def autoregressive(
    n: int, p: int, rho: float = 0.5, support: int = 20, snr: float = 5.0, seed: int = 1, eps: float = 1e-2
) -> Problem:
    """Draw an AR(1) design with `support` coefficients of +-1; float32 where float64 were too large."""
    dtype = np.float64 if 8 * n * p <= DOUBLE_LIMIT else np.float32
    rng = np.random.default_rng(seed)
    XT = np.empty((p, n), dtype)
    for rows in np.array_split(np.arange(p), max(1, n * p // 4_000_000)):
        XT[rows[0] : rows[-1] + 1] = rng.standard_normal((len(rows), n))
    innovation = dtype(math.sqrt(1.0 - rho * rho))
    for j in range(1, p):
        XT[j] *= innovation
        XT[j] += dtype(rho) * XT[j - 1]
    X = standardise(XT)
    chosen = np.sort(rng.choice(p, size=min(support, p), replace=False))
    signal = X[:, chosen].astype(np.float64) @ rng.choice([-1.0, 1.0], size=len(chosen))
    y = centred(signal + rng.standard_normal(n) * math.sqrt(signal.var() / snr))
    problem = Problem(f"ar_{n}x{p}", X, y.astype(dtype), eps=eps)
    # In blocks: a product of float32 and float64 would make a float64 copy of all of X.
    starts = range(0, p, 100_000)
    largest = max(float(np.abs(XT[j : j + 100_000] @ problem.y).max()) for j in starts)
    problem.__dict__["alpha_max"] = largest / n
    return problem


def build(request: dict[str, Any]) -> Problem:
    """Return the problem of a request."""
    if "case" in request:
        return load(request["case"])
    if "text" in request:
        problem = text_like("text", **request["text"], seed=1)
        return Problem("text", problem.X, problem.y, eps=request.get("eps", 1e-2))
    return autoregressive(**request["ar"], eps=request.get("eps", 1e-2))


def size_of(X: Any) -> int:
    """Return the bytes of X."""
    parts = (X.data, X.indices, X.indptr) if hasattr(X, "indptr") else (X,)
    return sum(part.nbytes for part in parts)


Solve = Callable[[Problem], tuple[Any, float, dict[str, Any]]]


def ours(request: dict[str, Any]) -> Solve:
    """Return a call that solves with fastreg and says what the work was."""
    import fastreg

    keywords = {"n_threads": request.get("threads"), "max_time": request.get("max_time")}

    def solve(problem: Problem) -> tuple[Any, float, dict[str, Any]]:
        active: list[int] = []
        elapsed: list[float] = []

        def note(step: Any) -> None:
            active.append(step.n_nonzero)
            elapsed.append(step.elapsed)

        alphas = problem.alphas
        start = time.perf_counter()
        path = fastreg.lasso_path(
            problem.X, problem.y, alphas=alphas, fit_intercept=False, callback=note, **keywords
        )
        seconds = time.perf_counter() - start
        counters = {name: value for name, value in path.counters.items() if isinstance(value, int)}
        notes = {"status": path.status.name, "counters": counters, "finished": len(path.alphas)}
        notes["passes_read"] = counters["columns_read"] / problem.p
        if request.get("trace"):
            notes["trace"] = {"active": active, "elapsed": elapsed}
        return path.coefs_sparse, seconds, notes

    return solve


def peers(name: str) -> Solve:
    """Return a call that solves with a peer at its default tolerance."""
    solver = make(name)
    return lambda problem: (*solver.solve(problem, problem.alphas, solver.default), {})


def warm_up(solve: Solve, request: dict[str, Any], problem: Problem) -> None:
    """Compile: fastreg on the problem itself, which meets all kernels it needs, peers on a small one."""
    if request.get("solver", OURS) == OURS:
        solve(problem)
    elif problem.is_sparse:
        solve(load("small_text"))
    else:
        solve(load("small_tall" if problem.n > problem.p else "small_wide"))


def measure(request: dict[str, Any]) -> dict[str, Any]:
    """Solve as often as asked and return the answer to the request."""
    force(request.get("mode", "auto"))
    problem, name = build(request), request.get("solver", OURS)
    solve = ours(request) if name == OURS else peers(name)
    warm_up(solve, request, problem)
    gc.collect()
    _trim()
    before, exact = _resident(), _reset_peak()
    coefs, seconds, notes = solve(problem)
    extra = _peak(exact) - before
    times = [seconds]
    while len(times) < request.get("repeats", 3) and max(times) < SLOW:
        times.append(solve(problem)[1])
    is_complete = notes.get("finished", problem.size) == problem.size
    answer = {
        "n": problem.n,
        "p": problem.p,
        "dtype": str(problem.X.dtype),
        "X_bytes": size_of(problem.X),
        "entries_per_column": problem.X.nnz / problem.p if problem.is_sparse else problem.n,
        "seconds": min(times),
        "times": times,
        "pass_seconds": pass_cost(problem, 0.1) if size_of(problem.X) <= DOUBLE_LIMIT else None,
        # glmnet and adelie run in processes of their own: what they take is not seen here.
        "extra_bytes": None if name in ("glmnet", "adelie", "adelie-gram") else max(extra, 0),
        "n_nonzero_last": int(np.diff(as_columns(coefs).indptr)[-1]),
        "is_complete": is_complete,
        **notes,
    }
    if is_complete and size_of(problem.X) <= ASSESS_LIMIT:
        answer["worst_gap"] = assess(problem, problem.alphas, [coefs])[0].worst_gap
    return answer


def main(text: str) -> None:
    """Answer one request."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        print(json.dumps(measure(json.loads(text))))


if __name__ == "__main__":
    main(sys.argv[1])
