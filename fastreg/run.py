"""What every path function does: check all that was asked at the border, solve, and remember the data."""

from __future__ import annotations

from typing import Any

from .request import Request, make_study
from .result import PathResult
from .selection.responses import independent_paths
from .selection.source import Source


def run(X: Any, y: Any, ask: Request, *, default_intercept: bool = True) -> PathResult:
    """Solve the path; the result knows where its data are."""
    study = make_study(X, y, ask, default_intercept=default_intercept)
    return study.fit(source=Source(X, y, ask, default_intercept))


def run_each(
    X: Any, y: Any, ask: Request, multi_response: Any, *, default_intercept: bool
) -> PathResult | tuple[PathResult, ...]:
    """Solve the path, or those of the columns of y where they are independent responses."""
    if multi_response is None:
        return run(X, y, ask, default_intercept=default_intercept)
    return independent_paths(X, y, ask, multi_response, default_intercept=default_intercept)
