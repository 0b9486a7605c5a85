"""Solve with adelie, in the interpreter that has it; see Worker in ../base.py for the protocol.

Nothing of fastreg is imported: the interpreter that runs this need not have it.
"""

from __future__ import annotations

import sys
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

# adelie's default. Two threads were slower for grpnet on leukemia and tall_20000x500 (two cores, other load).
THREADS = 1
# Far above its default of 100000, so that the tolerance alone ends a solve.
MAX_ITERS = 10_000_000


class Naive:
    """adelie.grpnet on X itself."""

    def __init__(self, adelie: Any, folder: Path) -> None:
        self.adelie, self.y = adelie, np.load(folder / "y.npy")
        if (folder / "X.npy").exists():
            self.X = adelie.matrix.dense(np.load(folder / "X.npy"), method="naive", n_threads=THREADS)
            return
        parts = tuple(np.load(folder / f"X_{part}.npy") for part in ("data", "indices", "indptr"))
        X = sparse.csc_matrix(parts, shape=tuple(np.load(folder / "X_shape.npy")))
        self.X = adelie.matrix.sparse(X, method="naive", n_threads=THREADS)

    def __call__(self, **options: Any) -> Any:
        """Solve the path."""
        return self.adelie.grpnet(
            self.X,
            self.adelie.glm.gaussian(y=self.y),
            adev_tol=1,
            ddev_tol=0,
            intercept=False,
            **options,
        )


class Gram:
    """adelie.gaussian_cov; the products X.T @ X and X.T @ y are formed in every call."""

    def __init__(self, adelie: Any, folder: Path) -> None:
        self.adelie = adelie
        self.X, self.y = np.load(folder / "X.npy"), np.load(folder / "y.npy")

    def __call__(self, **options: Any) -> Any:
        """Form the Gram matrix and solve the path."""
        n = len(self.y)
        gram = self.adelie.matrix.dense(self.X.T @ self.X / n, method="cov", n_threads=THREADS)
        return self.adelie.gaussian_cov(gram, self.X.T @ self.y / n, rdev_tol=0, **options)


def write_path(state: Any, K: int, folder: Path) -> None:
    """Write the coefficients where the other side reads them; refuse a path that is too short."""
    betas = sparse.csr_matrix(state.betas)
    if betas.shape[0] != K:
        raise SystemExit(f"adelie returned {betas.shape[0]} of {K} solutions")
    for part in ("data", "indices", "indptr"):
        np.save(folder / f"coefs_{part}.npy", getattr(betas, part))


def say(*words: str) -> None:
    """Send one line to the other side."""
    sys.stdout.write(" ".join(words) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Read the problem, then solve it once for every tolerance that comes in."""
    import adelie

    warnings.simplefilter("ignore")
    folder = Path(sys.argv[1])
    flag = folder / "in_gram_space.npy"
    solver = Gram(adelie, folder) if flag.exists() and np.load(flag) else Naive(adelie, folder)
    alphas, l1_ratio = np.load(folder / "alphas.npy"), float(np.load(folder / "l1_ratio.npy"))
    say("ready", adelie.__version__)
    for line in sys.stdin:
        start = time.perf_counter()
        state = solver(
            alpha=l1_ratio,
            lmda_path=alphas,
            tol=float(line),
            early_exit=False,
            max_iters=MAX_ITERS,
            n_threads=THREADS,
            progress_bar=False,
        )
        seconds = time.perf_counter() - start
        write_path(state, len(alphas), folder)
        say("done", repr(seconds))


if __name__ == "__main__":
    main()
