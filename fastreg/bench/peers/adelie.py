"""The adelie adapter: another interpreter, because adelie needs numpy below 2."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from ..losses import FAMILIES
from ..problem import Problem
from .base import Missing, Unavailable, WorkerPeer, compressed, stacked

INTERPRETER = "FASTREG_BENCH_ADELIE_PYTHON"
INSTALL = (
    "python -m venv adelie-env && adelie-env/bin/python -m pip install adelie 'numpy<2' scipy, then set "
    f"{INTERPRETER}=adelie-env/bin/python"
)


class Adelie(WorkerPeer):
    """adelie.grpnet with single-column groups, early stopping off; tol is that of descent (default 1e-7).

    For the other losses irls_tol, which ends their Newton steps and has the same default, is tightened along.
    """

    name = "adelie"
    default = 1e-7
    tols = (1e-7, 3e-9, 1e-9, 1e-10, 1e-11, 5e-12, 1e-12, 3e-13, 1e-13, 3e-14, 1e-14)

    families: ClassVar[tuple[str, ...]] = FAMILIES
    # The other losses.
    curved_tols: ClassVar[tuple[float, ...]] = (1e-7, 1e-8, 1e-9, 1e-10, 1e-11, 1e-12, 1e-13)
    in_gram_space: ClassVar[bool] = False

    def __init__(self) -> None:
        super().__init__()
        self._python = shutil.which(os.environ.get(INTERPRETER) or sys.executable) or ""
        if not self._python:
            raise Missing(f"{INTERPRETER} names no interpreter; {INSTALL}")
        probe = subprocess.run(
            [self._python, "-I", "-c", "import adelie; print(adelie.__version__)"],
            capture_output=True,
            text=True,
            check=False,
        )
        if probe.returncode:
            raise Missing(f"not installed; {INSTALL}")
        self._version = probe.stdout.split()[-1]

    def version(self) -> str:
        """Return the version that ran."""
        return self._version

    def command(self) -> list[str]:
        """Return the command line that starts the solver."""
        return [self._python, "-I", str(Path(__file__).with_name("workers") / "adelie_worker.py")]

    def ladder(self, problem: Problem) -> tuple[float, ...]:
        """Return the tolerances to run on this problem."""
        return self.tols if problem.family == "gaussian" else self.curved_tols

    def write(self, problem: Problem, alphas: np.ndarray, folder: Path) -> None:
        """Write the problem where the solver reads it."""
        if problem.is_sparse:
            for part in ("data", "indices", "indptr"):
                np.save(folder / f"X_{part}.npy", getattr(problem.X, part))
            np.save(folder / "X_shape.npy", np.array(problem.X.shape))
        else:
            np.save(folder / "X.npy", problem.X)
            np.save(folder / "in_gram_space.npy", np.array(self.in_gram_space))
        (folder / "family.txt").write_text(problem.family, encoding="utf-8")
        np.save(folder / "y.npy", problem.y)
        np.save(folder / "alphas.npy", alphas)
        np.save(folder / "l1_ratio.npy", np.array(problem.l1_ratio))

    def read(self, problem: Problem, alphas: np.ndarray, folder: Path) -> Any:
        """Read the solutions (rows, K) of the last request."""
        data, indices, indptr = (
            np.load(folder / f"coefs_{part}.npy") for part in ("data", "indices", "indptr")
        )
        # Rows of adelie's answer are alphas: its CSR triple is the CSC triple of the coefficients.
        outputs = problem.loss.outputs
        coefs = compressed(data, indices, indptr, shape=(outputs * problem.p, len(alphas)))
        if outputs > 1:
            # All classes of a feature stand together there.
            by_class = np.arange(outputs * problem.p).reshape(problem.p, outputs).T.ravel()
            coefs = coefs.tocsr()[by_class]
        return stacked(problem, coefs, np.load(folder / "intercepts.npy").T)


class AdelieGram(Adelie):
    """adelie.gaussian_cov on X.T @ X / n, for tall data; forming the Gram matrix is part of the time."""

    name = "adelie-gram"
    families = ("gaussian",)
    in_gram_space = True

    def solve(self, problem: Problem, alphas: np.ndarray, tol: float) -> tuple[Any, float]:
        """Solve in the other process, where the Gram matrix is smaller than X."""
        if problem.is_sparse or problem.p > problem.n:
            raise Unavailable("needs a dense problem with p <= n")
        return super().solve(problem, alphas, tol)
