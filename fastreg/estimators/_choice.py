"""The ways to an alpha: one that is given, or one that cross-validation chooses."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

import numpy as np

from .._typing import Float64
from ..api_cv import cv_path
from ..api_glm import glm_path
from ..errors import Status
from ..selection.candidates import check_rule
from ..selection.cv_result import CVResult
from ..validate.options import check_real
from ._base import PathEstimator, Solved, numbers, objects

__all__ = ["ChosenAlpha", "GivenAlpha", "Mixed"]


@dataclass(eq=False, repr=False, kw_only=True)
class Mixed(PathEstimator):
    """Mix both penalties in a share that is a parameter."""

    l1_ratio: float | Sequence[float] = 1.0


@dataclass(eq=False, repr=False, kw_only=True)
class GivenAlpha(PathEstimator):
    """Fit at the alpha that is a parameter."""

    alpha: float = field(default=1.0, kw_only=False)

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit the model.

        Parameters
        ----------
        X : array-like, sparse matrix or data frame of shape (n, p)
            Features. F-ordered float64 or float32 and CSC are read in place, never changed.
        y : array-like
            The target, as the class describes it.
        sample_weight : array-like of shape (n,), optional
            Weights >= 0.

        Returns
        -------
        self
            The fitted estimator.
        """
        return self._fit(X, y, sample_weight)

    def _solve(self, X: Any, y: Any, options: dict[str, Any]) -> Solved:
        alpha = check_real(
            self.alpha,
            "alpha",
            "a finite number > 0 (penalty_factor=0 leaves single features without penalty)",
            lambda value: 0.0 < value < np.inf,
        )
        path = glm_path(X, y, alphas=[alpha], **options)
        if not path.alphas.size:
            # The path gives back its finished part, which is nothing here: Ctrl-C is what it was.
            raise KeyboardInterrupt
        return Solved(path, alpha)


@dataclass(eq=False, repr=False, kw_only=True)
class ChosenAlpha(PathEstimator):
    """Fit the path, and choose alpha by cross-validation."""

    eps: float | str | None = None
    alphas: int | Sequence[float] | Float64 = 100
    cv: Any = 5
    repeats: int = 1
    select: str | Callable[..., Any] = "min"
    scoring: str | Callable[..., Any] | None = None
    greater_is_better: bool | None = None
    relax: Any = False
    adaptive: Any = None
    random_state: Any = 0

    _least_rows: ClassVar[int] = 2

    def fit(self, X: Any, y: Any, sample_weight: Any = None, groups: Any = None) -> Self:
        """Choose alpha by cross-validation, and fit all rows at it.

        Parameters
        ----------
        X : array-like, sparse matrix or data frame of shape (n, p)
            Features. F-ordered float64 or float32 and CSC are read in place, never changed.
        y : array-like
            The target, as the class describes it.
        sample_weight : array-like of shape (n,), optional
            Weights >= 0, of the loss and of the scores.
        groups : array-like of shape (n,), optional
            Labels; rows with the same one are never in the training and the test part of one fold.

        Returns
        -------
        self
            The fitted estimator.
        """
        return self._fit(X, y, sample_weight, groups=groups)

    def _options(self, y: Any, sample_weight: Any) -> dict[str, Any]:
        options = super()._options(y, sample_weight)
        # An iterator would end with the first of several targets.
        return options | ({"cv": list(self.cv)} if isinstance(self.cv, Iterator) else {})

    def _solve(self, X: Any, y: Any, options: dict[str, Any]) -> Solved:
        check_rule(self.select, self._least_rows, "select")
        found: CVResult = cv_path(X, y, rule=self.select, **options)
        if found.status is Status.INTERRUPTED and not found.folds:
            raise KeyboardInterrupt
        between = None
        if found.alpha not in found.path.alphas and found.gamma == 1.0:
            # A function may choose between two alphas of the grid: what is certified is solved there.
            between = found.path.source.study(alphas=[found.alpha], n_alphas=None).fit_whole()
        return Solved(found.path, found.alpha, found, between)

    def _keep(self, found: Sequence[Solved]) -> None:
        super()._keep(found)
        self.l1_ratio_ = numbers([each.path.l1_ratio for each in found])
        self.cv_ = objects([each.cv for each in found])
        self.alphas_ = objects([each.path.alphas for each in found])
