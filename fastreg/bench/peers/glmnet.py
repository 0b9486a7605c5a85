"""The glmnet adapter, through Rscript."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from scipy import sparse

from ..losses import FAMILIES
from ..problem import Problem
from .base import Missing, WorkerPeer, compressed, stacked

INSTALL = "install R and its package glmnet (Debian: apt install r-base-core r-cran-glmnet)"


class Glmnet(WorkerPeer):
    """R's glmnet with early stopping off; tol is its thresh (default 1e-7).

    The objectives are ours, with one exception. For least squares glmnet divides y by its standard deviation
    s before it starts and multiplies lambda and the coefficients back. For the lasso this changes nothing.
    Its elastic net, however, is ``lambda (a |b| + (1 - a) / (2 s) b^2)``: the same problem as ours at
    ``a = 1 / (1 + s (1 - l1_ratio) / l1_ratio)`` and ``lambda = alpha l1_ratio / a``.
    """

    name = "glmnet"
    default = 1e-7
    tols = (1e-7, 3e-9, 1e-9, 1e-10, 1e-11, 5e-12, 1e-12, 3e-13, 1e-13, 3e-14, 1e-14)
    families: ClassVar[tuple[str, ...]] = FAMILIES
    # The other losses, whose Newton steps stop at thresh as well.
    curved_tols: ClassVar[tuple[float, ...]] = (1e-7, 1e-8, 1e-9, 1e-10, 1e-11, 1e-12, 1e-13)

    def __init__(self) -> None:
        super().__init__()
        self._rscript = shutil.which("Rscript") or ""
        if not self._rscript:
            raise Missing(f"Rscript is not installed; {INSTALL}")
        probe = subprocess.run(
            [self._rscript, "-e", 'library(Matrix); cat(as.character(packageVersion("glmnet")))'],
            capture_output=True,
            text=True,
            check=False,
        )
        if probe.returncode:
            raise Missing(f"R has no package glmnet; {INSTALL}")
        self._version = probe.stdout.split()[-1]

    def version(self) -> str:
        """Return the version that ran."""
        return self._version

    def command(self) -> list[str]:
        """Return the command line that starts the solver."""
        return [self._rscript, "--vanilla", str(Path(__file__).with_name("workers") / "glmnet_worker.R")]

    def ladder(self, problem: Problem) -> tuple[float, ...]:
        """Return the tolerances to run on this problem."""
        return self.tols if problem.family == "gaussian" else self.curved_tols

    def write(self, problem: Problem, alphas: np.ndarray, folder: Path) -> None:
        """Write the problem where the solver reads it."""
        spread = float(np.sqrt(np.mean(problem.y**2))) if problem.family == "gaussian" else 1.0
        mixing = 1.0 / (1.0 + spread * (1.0 - problem.l1_ratio) / problem.l1_ratio)
        X, loss = problem.X, problem.loss
        stored = X.nnz if problem.is_sparse else 0
        sizes = [problem.n, problem.p, stored, len(alphas), loss.outputs, loss.has_intercept]
        (folder / "family.txt").write_text(problem.family + "\n", encoding="utf-8")
        with (folder / "problem.bin").open("wb") as out:
            np.array(sizes, dtype=np.int32).tofile(out)
            np.array([mixing]).tofile(out)
            # glmnet's own rule is p < 500; at 20000 x 500 covariance updates were faster at tight thresh.
            np.array([not problem.is_sparse and problem.p <= problem.n], dtype=np.int32).tofile(out)
            (alphas * problem.l1_ratio / mixing).tofile(out)
            problem.y.T.tofile(out)
            if problem.is_sparse:
                X.indptr.astype(np.int32).tofile(out)
                X.indices.astype(np.int32).tofile(out)
                X.data.tofile(out)
            else:
                X.T.tofile(out)

    def read(self, problem: Problem, alphas: np.ndarray, folder: Path) -> Any:
        """Read the solutions (rows, K) of the last request."""
        K, loss = len(alphas), problem.loss
        blocks = []
        with (folder / "coefs.bin").open("rb") as stream:
            for _ in range(loss.outputs):
                (stored,) = np.fromfile(stream, dtype=np.int32, count=1)
                indptr = np.fromfile(stream, dtype=np.int32, count=K + 1)
                indices = np.fromfile(stream, dtype=np.int32, count=stored)
                data = np.fromfile(stream, dtype=np.float64, count=stored)
                blocks.append(compressed(data, indices, indptr, shape=(problem.p, K)))
            intercepts = np.fromfile(stream, dtype=np.float64)
        # R stores matrices by columns: the intercepts of all classes at the first alpha come first.
        return stacked(problem, sparse.vstack(blocks), intercepts.reshape(K, -1).T)
