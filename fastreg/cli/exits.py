"""Exit codes, and the one error that means "the command was not usable as written"."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fastreg.result import PathResult

__all__ = ["Exit", "UsageError", "exit_of"]


class Exit(enum.IntEnum):
    """Say to the shell how a command ended."""

    OK = 0
    USAGE = 2
    NOT_CONVERGED = 3
    BAD_DATA = 4
    INTERRUPTED = 5  # with the finished part saved
    KILLED = 130  # interrupted before there was anything to save; the shell's own convention


class UsageError(Exception):
    """Report a command that cannot be carried out as written: a file or a name that does not exist."""


def exit_of(result: PathResult) -> Exit:
    """Translate how a path ended.

    A path that a budget ended is what was asked for, but only if what came back met the tolerance.
    """
    from fastreg.errors import Status

    if result.status is Status.INTERRUPTED:
        return Exit.INTERRUPTED
    if result.status is Status.CONVERGED:
        return Exit.OK
    if result.status is Status.NOT_CONVERGED or bool((result.relative_gaps > result.tol).any()):
        return Exit.NOT_CONVERGED
    return Exit.OK
