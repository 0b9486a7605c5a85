"""What every adapter answers to, and the exchange with solvers that live in another process."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

import numpy as np
from scipy import sparse

from ..problem import Problem

# Seconds that a worker has to end after it was asked to.
FAREWELL = 5.0


class Unavailable(Exception):
    """Say why a solver cannot run here, or not on this problem."""


class Missing(Unavailable):
    """Say that a solver is not installed, and how to install it."""


class Peer(ABC):
    """A solver behind one signature.

    Attributes
    ----------
    name : str
        What the solver is called in tables.
    tols : tuple of float
        Tolerances a full run goes through, loose to tight, in the solver's own unit.
    default : float
        The solver's own default tolerance; always one of `tols` and of every ladder.
    families : tuple of str
        Losses that the solver is run on, of `fastreg.bench.losses.FAMILIES`.
    reasons : dict of str to str
        Why a family is not among them, where there is more to say than that the solver lacks it.
    """

    name: ClassVar[str]
    tols: ClassVar[tuple[float, ...]]
    default: ClassVar[float]
    families: ClassVar[tuple[str, ...]] = ("gaussian",)
    reasons: ClassVar[dict[str, str]] = {}

    @abstractmethod
    def version(self) -> str:
        """Return the version that ran."""

    @abstractmethod
    def solve(self, problem: Problem, alphas: np.ndarray, tol: float) -> tuple[Any, float]:
        """Return solutions (rows, K), dense or sparse, as `problem` describes them, and the seconds taken."""

    def admit(self, problem: Problem) -> None:
        """Raise Unavailable for a problem of a family that the solver is not run on."""
        if problem.family not in self.families:
            raise Unavailable(self.reasons.get(problem.family, f"has no {problem.family} family"))

    def ladder(self, problem: Problem) -> tuple[float, ...]:
        """Return the tolerances to run on this problem."""
        return self.tols

    def notes(self) -> dict[str, Any]:
        """Return what the solver says about its last run, to be stored with the result."""
        return {}

    def close(self) -> None:  # noqa: B027 -- most peers keep nothing
        """Free what was kept between calls."""


def importable(module: str, distribution: str) -> tuple[ModuleType, str]:
    """Return a module and its version, or raise Missing.

    Parameters
    ----------
    module : str
        What is imported.
    distribution : str
        What pip calls it.

    Returns
    -------
    module : ModuleType
        Imported.
    version : str
        Of the distribution.

    Raises
    ------
    Missing
        If the import fails.

    Examples
    --------
    >>> importable("no_such_solver", "no-such-solver")
    Traceback (most recent call last):
        ...
    fastreg.bench.peers.base.Missing: not installed; pip install no-such-solver
    """
    try:
        return import_module(module), version(distribution)
    except PackageNotFoundError:
        raise Missing(f"not installed; pip install {distribution}") from None
    except ImportError as error:
        broken = "" if isinstance(error, ModuleNotFoundError) else f" ({error})"
        raise Missing(f"not installed{broken}; pip install {distribution}") from error


def timed(call: Callable[[], Any]) -> tuple[Any, float]:
    """Return what a call returns and how long it took.

    Parameters
    ----------
    call : callable
        Without arguments.

    Returns
    -------
    answer : object
        What it returned.
    seconds : float
        How long it took.

    Examples
    --------
    >>> answer, seconds = timed(lambda: 7)
    >>> answer, seconds >= 0.0
    (7, True)
    """
    start = time.perf_counter()
    answer = call()
    return answer, time.perf_counter() - start


class InProcessPeer(Peer):
    """A peer that runs here, with one BLAS thread or with all of them, whichever is faster on the problem.

    OpenBLAS splits vectors of more than 10000 entries between threads. Descent in celer and scikit-learn is
    made of such operations: on rt_polarity one thread was 1.2 (celer) and 2 (scikit-learn) times faster than
    two, on a machine with other load. On large dense data matrix products may gain from threads.

    Attributes
    ----------
    patience : float
        Seconds after which a path that is called alpha by alpha is given up.
    """

    patience: ClassVar[float] = 60.0

    def __init__(self) -> None:
        self._tuned: tuple[Problem, int | None] | None = None

    @abstractmethod
    def call(self, problem: Problem, alphas: np.ndarray, tol: float) -> Callable[[], Any]:
        """Return what is to be timed: a call without arguments that returns solutions."""

    def solve(self, problem: Problem, alphas: np.ndarray, tol: float) -> tuple[Any, float]:
        """Solve under the thread setting that suits the problem, found on the first call."""
        try:
            return _with_threads(self._setting(problem, alphas), self.call(problem, alphas, tol))
        except Unavailable:
            raise
        except Exception as error:
            # A peer that cannot cope with the user's data must not end the comparison of the others.
            raise Unavailable(f"{type(error).__name__}: {error}") from error

    def _setting(self, problem: Problem, alphas: np.ndarray) -> int | None:
        """Return how many BLAS threads are best, None for all."""
        if self._tuned is None or self._tuned[0] is not problem:
            loosest = self.ladder(problem)[0]
            # Compiling, where a peer compiles, must not decide.
            _with_threads(None, self.call(problem, alphas[:5], loosest))
            trial = self.call(problem, alphas, loosest)
            self._tuned = (problem, min((1, None), key=lambda threads: _with_threads(threads, trial)[1]))
        return self._tuned[1]

    def along(self, alphas: np.ndarray, solve: Callable[[float], np.ndarray]) -> np.ndarray:
        """Return solutions (rows, K) from a call per alpha, for solvers without a path of their own."""
        found: list[np.ndarray] = []
        began = time.perf_counter()
        for alpha in alphas:
            if time.perf_counter() - began > self.patience:
                raise Unavailable(
                    f"given up after {self.patience:.0f} s, {len(found)} of {len(alphas)} alphas"
                )
            found.append(solve(float(alpha)))
        return np.column_stack(found)

    def notes(self) -> dict[str, Any]:
        """Return the thread setting."""
        return {"blas_threads": self._tuned[1] or "all" if self._tuned else "all"}

    def close(self) -> None:
        """Let the problem go."""
        self._tuned = None


def _with_threads(threads: int | None, call: Callable[[], Any]) -> tuple[Any, float]:
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=threads, user_api="blas"), warnings.catch_warnings():
        # Accuracy is measured by us; the solver's opinion of it is not needed.
        warnings.simplefilter("ignore")
        return timed(call)


class Worker:
    """A solver in another process, fed through files and a line protocol, timing itself.

    The process is started once per problem, so that neither start-up nor exchange enters a measurement. It
    reads the problem from `folder`, prints ``ready VERSION``, then answers every line ``TOL`` with one line
    ``done SECONDS`` after writing its solutions.
    """

    def __init__(self, command: list[str]) -> None:
        self._command = command
        self._scratch = tempfile.TemporaryDirectory(prefix="fastreg-bench-")
        self.folder = Path(self._scratch.name)
        self._process: subprocess.Popen[str] | None = None
        self.version = ""

    def start(self) -> None:
        """Start the process and wait until it has read the problem."""
        self._log = (self.folder / "stderr.txt").open("w+")
        self._process = subprocess.Popen(
            [*self._command, str(self.folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            # R leaves its folder of temporary files behind when it is ended; ours is removed.
            env={**os.environ, "TMPDIR": str(self.folder)},
            # Ctrl-C at the terminal is for us; `close` ends the worker.
            start_new_session=True,
        )
        self.version = self._answer("ready")

    def ask(self, request: str) -> float:
        """Send one request and return the seconds it took inside the process."""
        if self._process is None or self._process.stdin is None:
            raise Unavailable("the worker was not started")
        # A worker that has died closes the pipe; `_answer` then says why.
        with suppress(BrokenPipeError):
            self._process.stdin.write(request + "\n")
            self._process.stdin.flush()
        return float(self._answer("done"))

    def _answer(self, expected: str) -> str:
        assert self._process is not None
        assert self._process.stdout is not None
        for line in self._process.stdout:
            word, _, rest = line.strip().partition(" ")
            if word == expected:
                return rest
        code = self._process.wait()
        self._log.seek(0)
        words = " ".join(self._log.read()[-800:].split())
        raise Unavailable(f"{Path(self._command[0]).name} ended with code {code}: {words}")

    def close(self) -> None:
        """End the process, whatever it is doing, and remove the files."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(FAREWELL)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            for stream in (self._process.stdin, self._process.stdout, self._log):
                with suppress(BrokenPipeError):
                    if stream is not None:
                        stream.close()
            self._process = None
        self._scratch.cleanup()


class WorkerPeer(Peer):
    """A peer whose solver lives in a Worker, one per problem."""

    def __init__(self) -> None:
        self._worker: Worker | None = None
        self._key: tuple[int, bytes] | None = None
        # The problem is held so that the id in the key cannot be reused by another one.
        self._problem: Problem | None = None

    @abstractmethod
    def command(self) -> list[str]:
        """Return the command line that starts the solver; the folder is appended."""

    @abstractmethod
    def write(self, problem: Problem, alphas: np.ndarray, folder: Path) -> None:
        """Write the problem where the solver reads it."""

    @abstractmethod
    def read(self, problem: Problem, alphas: np.ndarray, folder: Path) -> Any:
        """Read the solutions (rows, K) of the last request."""

    def solve(self, problem: Problem, alphas: np.ndarray, tol: float) -> tuple[Any, float]:
        """Solve in the other process; the first call on a problem also hands over the data, untimed."""
        key = (id(problem), alphas.tobytes())
        if self._key != key or self._worker is None:
            self.close()
            self._worker = Worker(self.command())
            self.write(problem, alphas, self._worker.folder)
            self._worker.start()
            self._key, self._problem = key, problem
        seconds = self._worker.ask(repr(float(tol)))
        return self.read(problem, alphas, self._worker.folder), seconds

    def close(self) -> None:
        """End the other process."""
        if self._worker is not None:
            self._worker.close()
        self._worker, self._key, self._problem = None, None, None


def compressed(data: np.ndarray, indices: np.ndarray, indptr: np.ndarray, shape: tuple[int, int]) -> Any:
    """Return coefficients from the three arrays of a column-compressed matrix.

    Parameters
    ----------
    data, indices, indptr : ndarray
        Values, rows, and where each column begins.
    shape : tuple of int
        (p, K).

    Returns
    -------
    scipy.sparse.csc_array
        The matrix.

    Examples
    --------
    >>> compressed(np.array([2.0]), np.array([1]), np.array([0, 0, 1]), (2, 2)).toarray()
    array([[0., 0.],
           [0., 2.]])
    """
    return sparse.csc_array((data, indices, indptr), shape=shape)


def stacked(problem: Problem, coefs: Any, intercepts: Any) -> sparse.csc_array:
    """Return solutions from coefficients and intercepts, as `problem` describes them.

    Parameters
    ----------
    problem : Problem
        What was solved.
    coefs : (outputs * p, K) array, or scipy.sparse matrix or array
        Coefficients, those of one output after the other.
    intercepts : (outputs, K) or (K,) array
        Ignored where the loss has none.

    Returns
    -------
    scipy.sparse.csc_array of shape (rows, K)
        The one below the other.

    Examples
    --------
    >>> problem = Problem("tiny", np.eye(2), np.array([0.0, 1.0]), family="binomial")
    >>> stacked(problem, np.ones((2, 1)), np.array([5.0])).toarray().ravel()
    array([1., 1., 5.])
    """
    if not problem.loss.has_intercept:
        return sparse.csc_array(coefs)
    return sparse.csc_array(sparse.vstack([sparse.csc_array(coefs), np.atleast_2d(intercepts)]))
