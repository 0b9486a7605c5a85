"""What may end a path early: time, number of features, the caller, Ctrl-C. Also what is shown meanwhile."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType, TracebackType
from typing import Any, Self

import numpy as np

from .errors import DataTypeError, Status
from .validate.options import check_count, check_flag, check_real
from .validate.words import describe, wanted

__all__ = ["Member", "Monitor", "PathInterrupted", "PathStep"]

# Seconds between two updates of the plain progress line.
REFRESH = 0.1

# What Python's functions wrap: these look for a named constant in every handler, by raising and catching
# exceptions, which takes longer than some alphas of a small path.
_handler_of: Callable[..., Any] = getattr(signal.getsignal, "__wrapped__", signal.getsignal)
_handle: Callable[..., Any] = getattr(signal.signal, "__wrapped__", signal.signal)


@dataclass(frozen=True)
class PathStep:
    """Tell a callback about the alpha that was just finished.

    Attributes
    ----------
    k : int
        Position of the alpha in the path, from 0.
    alpha : float
        Penalty strength.
    n_nonzero : int
        Coefficients other than zero.
    relative_gap : float
        Certified duality gap divided by the null model's objective.
    dev_ratio : float
        Fraction of the null deviance that is explained.
    elapsed : float
        Seconds since the path began.

    Examples
    --------
    >>> PathStep(k=0, alpha=0.5, n_nonzero=3, relative_gap=0.0, dev_ratio=0.2, elapsed=0.01).n_nonzero
    3
    """

    k: int
    alpha: float
    n_nonzero: int
    relative_gap: float
    dev_ratio: float
    elapsed: float


class PathInterrupted(KeyboardInterrupt):
    """Ctrl-C ended a path that another result is made of, so that there is none."""


class Monitor:
    """Watch over a path: its budget, its caller and Ctrl-C.

    As a context manager it holds the first Ctrl-C back, so that compiled code ends cleanly and the finished
    part of the path can be returned; the second raises KeyboardInterrupt at once. Only in the main thread,
    and only inside the `with` block.

    Parameters
    ----------
    total : int
        Number of alphas, or of whatever ``unit`` says.
    max_time : float, optional
        Seconds after which the path ends, counted from the making of the monitor.
    max_features : int, optional
        The path ends at the first alpha with more nonzero coefficients.
    callback : callable, optional
        Gets a `PathStep` after each alpha; returning exactly True ends the path.
    progress : bool
        Whether to show a bar on stderr (tqdm where present, else one plain line).
    verbose : bool or int
        Whether to write one line per alpha on stderr.
    unit : str
        What is counted: the steps of a path, or parts that are paths themselves.

    Examples
    --------
    >>> with Monitor(total=3, max_features=2) as monitor:
    ...     monitor.after_alpha(PathStep(0, 1.0, 1, 0.0, 0.1, 0.0)) is None
    ...     monitor.after_alpha(PathStep(1, 0.5, 3, 0.0, 0.3, 0.0)).name
    True
    'MAX_FEATURES'
    """

    def __init__(
        self,
        total: int,
        max_time: float | None = None,
        max_features: int | None = None,
        callback: Callable[[PathStep], Any] | None = None,
        progress: bool = False,
        verbose: Any = False,
        unit: str = "alpha",
    ) -> None:
        if callback is not None and not callable(callback):
            raise DataTypeError(wanted("callback", "be a function of one PathStep", describe(callback)))
        if not isinstance(verbose, bool | int):
            check_flag(verbose, "verbose")
        if max_time is not None:
            max_time = check_real(max_time, "max_time", "seconds > 0", lambda v: v > 0)
        self.total = total
        self.max_features = None if max_features is None else check_count(max_features, "max_features")
        self.callback = callback
        self.verbose = bool(verbose)
        self.interrupted = False
        is_shown = check_flag(progress, "progress")
        self._progress: _Progress | None = _Progress(total, unit) if is_shown else None
        self._previous: Any = None
        self._installed = False
        self._start = time.perf_counter()
        self._deadline = float("inf") if max_time is None else self._start + max_time

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            self._previous = _handler_of(signal.SIGINT)
            # SIG_IGN (a job in the background) stays ignored; a handler of C code could not be restored.
            if callable(self._previous):
                self._install()
        if self._progress is not None:
            self._progress.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if self._progress is not None:
                self._progress.close()
        finally:
            # What a callback installed meanwhile is not ours to remove.
            if self._installed and _handler_of(signal.SIGINT) == self._on_interrupt:
                _handle(signal.SIGINT, self._previous)
            self._installed = False

    def _install(self) -> None:
        try:
            _handle(signal.SIGINT, self._on_interrupt)
            self._installed = True
        except ValueError:
            # A subinterpreter may not install handlers: Ctrl-C then acts as everywhere else.
            self._installed = False

    def _on_interrupt(self, number: int, frame: FrameType | None) -> None:
        """Note the first Ctrl-C; a path inside a callback of another path hands it on to that one."""
        if self.interrupted:
            raise KeyboardInterrupt
        self.interrupted = True
        outer = getattr(self._previous, "__self__", None)
        if isinstance(outer, Monitor):
            outer.interrupted = True

    @property
    def is_watched(self) -> bool:
        """Tell whether somebody wants to hear of every alpha when it is done."""
        return (
            self.callback is not None
            or self.verbose
            or self._progress is not None
            or self.max_features is not None
        )

    def elapsed(self) -> float:
        """Return the seconds since the monitor was made."""
        return time.perf_counter() - self._start

    def deadline_passed(self) -> bool:
        """Tell whether max_time is over."""
        return time.perf_counter() >= self._deadline

    def keep_going(self) -> bool:
        """Tell whether the solver may go on with the alpha at hand: no Ctrl-C yet, and time left."""
        return not self.interrupted and time.perf_counter() < self._deadline

    def why_stopped(self) -> Status:
        """Return why `keep_going` said no."""
        return Status.INTERRUPTED if self.interrupted else Status.MAX_TIME

    def advance(self, done: int) -> None:
        """Show that so many parts are done."""
        if self._progress is not None:
            self._progress.advance(done)

    def after_alpha(self, step: PathStep) -> Status | None:
        """Show and judge the alpha that was just finished.

        Parameters
        ----------
        step : PathStep
            What is known about it; also what the callback gets.

        Returns
        -------
        Status or None
            Why the path ends here, None to go on. At the last alpha only max_features counts: all else came
            too late to shorten the path. An alpha with more than max_features is the caller's to drop.

        Examples
        --------
        >>> with Monitor(total=2, callback=lambda step: step.relative_gap < 1e-8) as monitor:
        ...     monitor.after_alpha(PathStep(0, 1.0, 1, 1e-9, 0.1, 0.0)).name
        'CALLBACK'
        """
        asked = self._show(step)
        if self.max_features is not None and step.n_nonzero > self.max_features:
            return Status.MAX_FEATURES
        if step.k + 1 >= self.total:
            return None
        if asked:
            return Status.CALLBACK
        return None if self.keep_going() else self.why_stopped()

    def _show(self, step: PathStep) -> bool:
        """Hand the step to everyone who wants it; tell whether the callback asks for the end."""
        if self.verbose:
            line = (
                f"alpha {step.k + 1}/{self.total}  {step.alpha:.4e}  {step.n_nonzero} features  "
                f"deviance {step.dev_ratio:.4f}  gap {step.relative_gap:.1e}  {step.elapsed:.2f} s"
            )
            (self._progress or _Progress(0, "alpha")).write(line)
        if self._progress is not None:
            self._progress.advance(step.k + 1)
        answer = None if self.callback is None else self.callback(step)
        return isinstance(answer, bool | np.bool_) and bool(answer)


class Member(Monitor):
    """Watch over one path of several: budget and Ctrl-C are those of the whole.

    Parameters
    ----------
    whole : Monitor
        Who watches over all of them.

    Examples
    --------
    >>> with Monitor(total=2) as whole:
    ...     whole.interrupted = True
    ...     Member(whole).keep_going()
    False
    """

    def __init__(self, whole: Monitor) -> None:
        super().__init__(total=0)
        self.whole = whole

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave Ctrl-C to the whole."""

    def keep_going(self) -> bool:
        """Tell whether the whole may go on."""
        return self.whole.keep_going()

    def why_stopped(self) -> Status:
        """Return why the whole was ended."""
        return self.whole.why_stopped()


class _Progress:
    """A bar of tqdm where it is installed, else a line on stderr that is written over."""

    def __init__(self, total: int, unit: str) -> None:
        self.total, self.unit = total, unit
        self.bar: Any = None
        self.shown = float("-inf")
        self.is_line_open = False

    def open(self) -> None:
        try:
            from tqdm import tqdm
        except ImportError:
            return
        self.bar = tqdm(total=self.total, desc="path", unit=self.unit, file=sys.stderr)

    def advance(self, done: int) -> None:
        if self.bar is not None:
            self.bar.update(done - self.bar.n)
        elif done == self.total or time.perf_counter() - self.shown > REFRESH:
            self.shown = time.perf_counter()
            self.is_line_open = True
            _to_stderr(f"\rpath: {done}/{self.total} {self.unit}s")

    def write(self, line: str) -> None:
        if self.bar is not None:
            self.bar.write(line, file=sys.stderr)
        else:
            _to_stderr(f"\r{line}\n" if self.is_line_open else f"{line}\n")
            self.is_line_open = False

    def close(self) -> None:
        if self.bar is not None:
            self.bar.close()
        elif self.is_line_open:
            _to_stderr("\n")


def _to_stderr(text: str) -> None:
    # There is no stderr under pythonw and some services.
    if sys.stderr is not None:
        sys.stderr.write(text)
        sys.stderr.flush()
