"""The adelie adapter: another interpreter, because adelie needs numpy below 2."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from benchmarks.peers.base import Unavailable, WorkerPeer, compressed
from benchmarks.problems import Problem

INTERPRETER = "FASTREG_BENCH_ADELIE_PYTHON"


class Adelie(WorkerPeer):
    """adelie.grpnet with single-column groups, early stopping off (default tol 1e-7)."""

    name = "adelie"
    default = 1e-7
    tols = (1e-7, 1e-9, 1e-10, 1e-11, 5e-12, 1e-12, 3e-13, 1e-13, 3e-14, 1e-14)

    in_gram_space: ClassVar[bool] = False

    def __init__(self) -> None:
        super().__init__()
        self._python = os.environ.get(INTERPRETER, "")
        if not self._python or shutil.which(self._python) is None:
            raise Unavailable(f"set {INTERPRETER} to an interpreter that has adelie (it needs numpy < 2)")
        probe = subprocess.run(
            [self._python, "-I", "-c", "import adelie; print(adelie.__version__)"],
            capture_output=True,
            text=True,
            check=False,
        )
        if probe.returncode:
            raise Unavailable(f"{INTERPRETER} has no adelie: {probe.stderr.strip()[-200:]}")
        self._version = probe.stdout.split()[-1]

    def version(self) -> str:
        return self._version

    def command(self) -> list[str]:
        return [self._python, "-I", str(Path(__file__).with_name("workers") / "adelie_worker.py")]

    def write(self, problem: Problem, alphas: np.ndarray, folder: Path) -> None:
        if problem.is_sparse:
            for part in ("data", "indices", "indptr"):
                np.save(folder / f"X_{part}.npy", getattr(problem.X, part))
            np.save(folder / "X_shape.npy", np.array(problem.X.shape))
        else:
            np.save(folder / "X.npy", problem.X)
            np.save(folder / "in_gram_space.npy", np.array(self.in_gram_space))
        np.save(folder / "y.npy", problem.y)
        np.save(folder / "alphas.npy", alphas)
        np.save(folder / "l1_ratio.npy", np.array(problem.l1_ratio))

    def read(self, problem: Problem, alphas: np.ndarray, folder: Path) -> Any:
        data, indices, indptr = (
            np.load(folder / f"coefs_{part}.npy") for part in ("data", "indices", "indptr")
        )
        # Rows of adelie's answer are alphas: its CSR triple is the CSC triple of coefs (p, K).
        return compressed(data, indices, indptr, shape=(problem.p, len(alphas)))


class AdelieGram(Adelie):
    """adelie.gaussian_cov on X.T @ X / n, for tall data; forming the Gram matrix is part of the time."""

    name = "adelie-gram"
    in_gram_space = True

    def solve(self, problem: Problem, alphas: np.ndarray, tol: float) -> tuple[Any, float]:
        if problem.is_sparse or problem.p > problem.n:
            raise Unavailable("needs a dense problem with p <= n")
        return super().solve(problem, alphas, tol)
