"""How a path ended, what is raised and what is warned about; one message per status."""

from __future__ import annotations

import enum
import sys
import warnings

__all__ = ["ConvergenceWarning", "DataError", "DataTypeError", "FastregError", "InputWarning", "Status"]


class Status(enum.Enum):
    """Say how a path ended; the value of a member is its message.

    Examples
    --------
    >>> from fastreg.errors import Status
    >>> Status.CONVERGED.value
    'every alpha met the tolerance'
    >>> Status.MAX_TIME.finished
    False
    """

    CONVERGED = "every alpha met the tolerance"
    NOT_CONVERGED = "some alphas missed the tolerance: see relative_gaps"
    MAX_FEATURES = "stopped early: max_features was reached"
    MAX_TIME = "stopped early: max_time ran out"
    CALLBACK = "stopped early: the callback asked for it"
    INTERRUPTED = "stopped early: interrupted by Ctrl-C"

    @property
    def finished(self) -> bool:
        """Tell whether the whole requested grid came back, converged or not."""
        return self in (Status.CONVERGED, Status.NOT_CONVERGED)


class FastregError(Exception):
    """Stand above everything that fastreg raises on purpose.

    Examples
    --------
    >>> from fastreg.errors import DataError, FastregError
    >>> issubclass(DataError, FastregError) and issubclass(DataError, ValueError)
    True
    """


class DataError(ValueError, FastregError):
    """Report a value that cannot be used: what was expected, what came, what to do."""


class DataTypeError(TypeError, FastregError):
    """Report data of a type that cannot be used: what was expected, what came, what to do."""


class ConvergenceWarning(UserWarning):
    """Warn, once per path, that some alphas missed the tolerance."""


class InputWarning(UserWarning):
    """Warn that the input is valid but probably not what was meant."""


def warn(message: str, category: type[Warning]) -> None:
    """Warn at the line outside this package that led here, however deep the calls between."""
    frame, level = sys._getframe(), 1
    while frame.f_back is not None and _is_ours(str(frame.f_globals.get("__name__"))):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)


def _is_ours(module: str) -> bool:
    return module.partition(".")[0] == __name__.partition(".")[0]
