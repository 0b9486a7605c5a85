"""What all estimators share: the options of a path, one fit, and what is kept of it.

An estimator is a kind of target (``kinds``) together with a way to choose alpha (``choice``); what is left
to its class are the loss and the options of its own. Parameters are the fields of dataclasses, because
scikit-learn wants them in the signature of ``__init__``: a class adds its own to those it inherits.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from scipy.sparse import issparse
from sklearn.base import BaseEstimator

from .._typing import Float64
from ..request import DEFAULT_MAX_ITER, DEFAULT_TOL
from ..result import PathResult
from ._reading import names_of, read_known, read_rows, threads_of

__all__ = ["Options", "PathEstimator", "Solved", "numbers", "objects"]

# Parameters that path functions do not know by these names.
TRANSLATED = frozenset({"alpha", "class_weight", "n_jobs", "select"})


@dataclass(frozen=True, eq=False)
class Solved:
    """Hold a path, the chosen alpha, the cross-validation that chose it, and its solution off the grid."""

    path: PathResult
    alpha: float
    cv: Any = None
    between: PathResult | None = None

    @property
    def there(self) -> PathResult:
        """Return the path that holds the chosen alpha."""
        return self.path if self.between is None else self.between

    @property
    def nearest(self) -> int:
        """Return the position of the chosen alpha on its grid."""
        return int(np.argmin(np.abs(self.there.alphas - self.alpha)))

    def solution(self) -> tuple[Float64, Float64]:
        """Return coefficients (outputs, p) and intercepts (outputs,) at the chosen alpha."""
        coef, intercept = self.there.coef_at(self.alpha)
        outputs = self.path.n_outputs
        return coef.reshape(outputs, -1), np.reshape(intercept, outputs)


class PathEstimator(BaseEstimator):
    """Fit a path and keep the solution at one alpha of it."""

    # What the class says instead of the user: the family, and l1_ratio where it is no parameter.
    _fixed: ClassVar[Mapping[str, Any]] = {}

    # Fewer rows cannot be fitted.
    _least_rows: ClassVar[int] = 1

    def _read(self, X: Any, y: Any, **asked: Any) -> tuple[Any, Any]:
        """Return X and y checked."""
        return read_rows(self, X, y, ensure_min_samples=self._least_rows, **asked)

    @abstractmethod
    def _shaped(self, coef: Float64, intercept: Any) -> tuple[Float64, Any]:
        """Return what is to be ``coef_`` and ``intercept_``, from arrays with one row per output."""

    @abstractmethod
    def _solve(self, X: Any, y: Any, options: dict[str, Any]) -> Solved:
        """Return the path of one target, and the alpha that is chosen."""

    def _targets(self, y: Any) -> list[Any]:
        """Return the targets that have a path each: one, but for several classes against the rest."""
        return [y]

    def _options(self, y: Any, sample_weight: Any) -> dict[str, Any]:
        """Return the arguments of the path function but for X, y and alphas."""
        params = {
            name: value for name, value in self.get_params(deep=False).items() if name not in TRANSLATED
        }
        return {
            **params,
            **self._fixed,
            "sample_weight": sample_weight,
            "n_threads": threads_of(self.n_jobs),
            "feature_names": names_of(self),
        }

    def _fit(self, X: Any, y: Any, sample_weight: Any, **told: Any) -> Self:
        """Fit the path of every target and keep its solution at the chosen alpha."""
        X, y = self._read(X, y)
        options = self._options(y, sample_weight) | told
        targets = self._targets(y)
        if len(targets) > 1 and not issparse(X):
            # Brought into column order once, not once for every target.
            X = np.asfortranarray(X)
        self._keep([self._solve(X, target, options) for target in targets])
        return self

    def _keep(self, found: Sequence[Solved]) -> None:
        """Keep what was found for every target: as it is for one, side by side for several."""
        rows, intercepts = zip(*(each.solution() for each in found), strict=True)
        self.coef_, self.intercept_ = self._shaped(np.concatenate(rows), np.concatenate(intercepts))
        self.alpha_ = numbers([each.alpha for each in found])
        self.dual_gap_ = numbers([float(each.there.dual_gaps[each.nearest]) for each in found])
        self.n_iter_ = numbers([int(each.there.n_iter[each.nearest]) for each in found])
        self.path_ = objects([each.path for each in found])

    def _linear(self, X: Any) -> Float64:
        """Return the linear predictors of new rows, shape (n, outputs)."""
        X = read_known(self, X)
        coef = np.atleast_2d(self.coef_)
        used = np.flatnonzero(coef.any(axis=0))
        if used.size < coef.shape[1]:
            X, coef = X[:, used], coef[:, used]
        eta: Float64 = np.asarray(X @ coef.T, dtype=np.float64) + self.intercept_
        return eta

    def __sklearn_tags__(self) -> Any:
        """Return scikit-learn's tags: sparse X is read as well."""
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


@dataclass(eq=False, repr=False, kw_only=True)
class Options(PathEstimator):
    """Hold the options that every path has; apart from the rest, for they come last in a signature."""

    standardize: bool = False
    penalty_factor: Any = None
    positive: bool = False
    lower_limits: Any = None
    upper_limits: Any = None
    tol: float = DEFAULT_TOL
    max_iter: int = DEFAULT_MAX_ITER
    n_jobs: int | None = None


def numbers(values: list[Any]) -> Any:
    """Return the number of the only target, or those of several as an array."""
    return values[0] if len(values) == 1 else np.array(values)


def objects(values: list[Any]) -> Any:
    """Return what belongs to the only target, or that of several as a tuple."""
    return values[0] if len(values) == 1 else tuple(values)
