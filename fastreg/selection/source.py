"""The data of a path, for what needs them again: refits, more alphas, proofs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..request import Request, Study, make_study


@dataclass(frozen=True, eq=False)
class Source:
    """Hold X, y and the request exactly as they were given: the user's own objects, no copies."""

    X: Any
    y: Any
    ask: Request
    default_intercept: bool

    def study(self, **changes: Any) -> Study:
        """Return the study that was fitted, with some fields of the request changed; no one watches it."""
        study = make_study(self.X, self.y, self.ask, default_intercept=self.default_intercept)
        silent = {"callback": None, "progress": False, "verbose": False, "max_features": None}
        return study.asking(**(silent | {"max_time": None, "coef_init": None} | changes))
