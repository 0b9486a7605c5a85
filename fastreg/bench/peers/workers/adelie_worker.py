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


class EveryCoefficient:
    """Groups of one coefficient each, where grpnet would make one of all classes of a feature.

    grpnet takes the first feature of each group and multiplies by the number of classes; what it goes on with
    is the first coefficient of each group.
    """

    def __init__(self, p: int) -> None:
        self.p = p

    def __mul__(self, classes: int) -> np.ndarray:
        """Return where the groups begin."""
        return np.arange(self.p * classes)


class Naive:
    """adelie.grpnet on X itself."""

    def __init__(self, adelie: Any, folder: Path) -> None:
        self.adelie, self.family = adelie, (folder / "family.txt").read_text(encoding="utf-8").strip()
        self.glm = self._glm(np.load(folder / "y.npy"))
        if (folder / "X.npy").exists():
            self.X = adelie.matrix.dense(np.load(folder / "X.npy"), method="naive", n_threads=THREADS)
            return
        parts = tuple(np.load(folder / f"X_{part}.npy") for part in ("data", "indices", "indptr"))
        X = sparse.csc_matrix(parts, shape=tuple(np.load(folder / "X_shape.npy")))
        self.X = adelie.matrix.sparse(X, method="naive", n_threads=THREADS)

    def _glm(self, y: np.ndarray) -> Any:
        if self.family == "multinomial":
            return self.adelie.glm.multinomial(y=np.eye(int(y.max()) + 1)[y.astype(int)])
        if self.family == "cox":
            stop, status = np.ascontiguousarray(y.T)
            start = np.full(len(stop), stop.min() - 1.0)
            return self.adelie.glm.cox(start=start, stop=stop, status=status, tie_method="breslow")
        return getattr(self.adelie.glm, self.family)(y=y)

    def __call__(self, *, lmda_path: np.ndarray, tol: float, **options: Any) -> Any:
        """Solve the path."""
        if self.family != "gaussian":
            # Both are 1e-7 by default. What is left of the outer steps is as large as what descent leaves.
            options["irls_tol"] = tol
        if self.family == "multinomial":
            # The loss is divided by the number of classes.
            p, classes = self.X.cols(), self.glm.y.shape[1]
            lmda_path = lmda_path / classes
            options |= {"groups": EveryCoefficient(p), "penalty": np.ones(p * classes)}
        return self.adelie.grpnet(
            self.X,
            self.glm,
            lmda_path=lmda_path,
            tol=tol,
            adev_tol=1,
            ddev_tol=0,
            intercept=self.family not in ("gaussian", "cox"),
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
    np.save(folder / "intercepts.npy", state.intercepts)


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
