"""What every path function does: check all that was asked at the border, solve, and remember the data."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from .request import Request, make_study
from .result import PathResult
from .selection.source import Source


def run(X: Any, y: Any, ask: Request, *, default_intercept: bool = True) -> PathResult:
    """Solve the path; the result knows where its data are."""
    result = make_study(X, y, ask, default_intercept=default_intercept).fit()
    return replace(result, source=Source(X, y, ask, default_intercept))
