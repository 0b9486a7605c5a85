"""The result of splitting the rows many times: p-values, what they select, confidence intervals."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from .. import _render
from .._predict import label
from .._record import FAMILY_WORDS
from .._typing import Float64, Index, Mask
from ..errors import DataError, Status
from ..validate.options import check_real
from .significance import aggregated, intervals

__all__ = ["MultiSplitResult"]

ARRAYS = ("features", "is_tested", "split_p_values", "estimates", "errors", "degrees", "sizes")


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class MultiSplitResult:
    """Hold the p-values of all features, from many splits of the rows.

    Parameters
    ----------
    features : int64 ndarray of shape (m,)
        Columns of X that any split chose, in increasing order.
    is_tested : bool ndarray of shape (splits, m)
        Which of them each split chose.
    split_p_values : float64 ndarray of shape (splits, m)
        p-values of every split times the number of its tests, 1 for features that it did not choose.
    estimates, errors : float64 ndarray of shape (splits, m)
        Least-squares coefficients and their standard errors on the rows that test, NaN for features that
        were not chosen and for other families.
    degrees : float64 ndarray of shape (splits,)
        Degrees of freedom of the t-tests.
    sizes : int64 ndarray of shape (splits,)
        Features that each split tested.
    splits_asked : int
        Splits that were asked for.
    q : int
        Features that a split chooses at most, beside those without a penalty.
    gamma_min : float
        Smallest quantile that is looked at.
    family : str
        Loss of paths and tests.
    l1_ratio : float
        Share of the l1 part of the penalty.
    feature_names : tuple of str or None
        Names of the columns, where X had some.
    shape : tuple of int
        Rows and columns of X.
    status : Status
        How it ended.
    fit_time : float
        Seconds.

    Examples
    --------
    >>> import fastreg
    >>> data = fastreg.datasets.make_wide(n=120, p=200, n_true=3, seed=0)
    >>> result = fastreg.multi_split(data.X, data.y, splits=20)
    >>> result.p_values.shape
    (200,)
    """

    features: Index
    is_tested: Mask
    split_p_values: Float64
    estimates: Float64
    errors: Float64
    degrees: Float64
    sizes: Index
    splits_asked: int
    q: int
    gamma_min: float
    family: str
    l1_ratio: float
    feature_names: tuple[str, ...] | None
    shape: tuple[int, int]
    status: Status
    fit_time: float = 0.0

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        for name in ARRAYS:
            getattr(self, name).flags.writeable = False

    @property
    def splits(self) -> int:
        """Return the number of splits that were finished."""
        return int(self.sizes.size)

    @cached_property
    def p_values(self) -> Float64:
        """Return the p-values, (p,): corrected for all features, 1 for those that no split chose."""
        self._require_splits()
        found: Float64 = np.ones(self.shape[1])
        found[self.features] = aggregated(self.split_p_values, self.gamma_min)
        found.flags.writeable = False
        return found

    @property
    def selected(self) -> Index:
        """Return the features with a p-value of at most 0.05, columns of X in increasing order."""
        return self.select()

    def select(self, level: float = 0.05) -> Index:
        """Return the features whose p-value is at most the level.

        With a probability of at least 1 - level there is none without influence among them, provided that
        the splits choose all features with influence.

        Parameters
        ----------
        level : float
            Familywise error rate, in (0, 1).

        Returns
        -------
        int64 ndarray of shape (m,)
            Columns of X in increasing order.

        Raises
        ------
        DataError
            If level is out of range, or no split was finished.

        Examples
        --------
        >>> import fastreg
        >>> data = fastreg.datasets.make_wide(n=120, p=200, n_true=3, seed=0)
        >>> fastreg.multi_split(data.X, data.y, splits=20).select(0.01).size
        2
        """
        return np.flatnonzero(self.p_values <= _share(level))

    def confidence_intervals(self, level: float = 0.95) -> tuple[Float64, Float64]:
        """Return simultaneous intervals for the coefficients: the values that the tests do not reject.

        A feature's interval leaves out zero where its p-value is at most 1 - level, if the splits agree on
        the sign.

        Parameters
        ----------
        level : float
            Probability, in (0, 1), that all intervals of features cover.

        Returns
        -------
        lower, upper : float64 ndarray of shape (p,)
            Ends, infinite where too few splits tested a feature; lower > upper where splits contradict each
            other, so that every value is rejected.

        Raises
        ------
        DataError
            If level is out of range, the family's tests have no standard errors, or no split was finished.

        Examples
        --------
        >>> import fastreg
        >>> data = fastreg.datasets.make_wide(n=120, p=200, n_true=3, seed=0)
        >>> lower, upper = fastreg.multi_split(data.X, data.y, splits=20).confidence_intervals()
        >>> bool(((lower <= data.coef) & (data.coef <= upper)).all())
        True
        """
        level = _share(level)
        if self.family != "gaussian":
            raise DataError(
                f"confidence_intervals needs t-tests of family='gaussian', got {self.family!r}, whose "
                "features are tested by likelihood ratios: use p_values"
            )
        self._require_splits()
        p = self.shape[1]
        lower, upper = np.full(p, -np.inf), np.full(p, np.inf)
        found = intervals(self.estimates, self.errors, self.degrees, self.sizes, level, self.gamma_min)
        lower[self.features], upper[self.features] = found
        return lower, upper

    def label(self, j: int) -> str:
        """Return the name of feature j, ``x`` and its position where X had no names.

        Parameters
        ----------
        j : int
            Column of X, from 0.

        Returns
        -------
        str
            The name.
        """
        return label(self.feature_names, j)

    def ranked(self) -> Index:
        """Return the features that were ever tested, the smallest p-value first."""
        if not self.splits:
            return self.features
        often = self._share_tested()
        return self.features[np.lexsort((self.features, -often, self.p_values[self.features]))]

    def to_frame(self) -> Any:
        """Return a pandas DataFrame with one row per feature that was ever tested, smallest p-value first.

        Returns
        -------
        pandas.DataFrame
            feature (column of X), name, p_value, share_tested.

        Raises
        ------
        ImportError
            If pandas is absent.

        Examples
        --------
        >>> import fastreg
        >>> data = fastreg.datasets.make_wide(n=120, p=200, n_true=3, seed=0)
        >>> fastreg.multi_split(data.X, data.y, splits=20).to_frame().columns.tolist()
        ['feature', 'name', 'p_value', 'share_tested']
        """
        try:
            import pandas as pd
        except ImportError as problem:
            raise ImportError(
                "to_frame() needs pandas: pip install pandas, or print summary_table() instead"
            ) from problem
        order = self.ranked()
        columns = {
            "feature": order,
            "name": [self.label(j) for j in order],
            "p_value": self.p_values[order] if self.splits else np.empty(0),
            "share_tested": self._share_tested()[np.searchsorted(self.features, order)],
        }
        return pd.DataFrame(columns)

    def summary_table(self, rows: int | None = 10) -> str:
        """Return the features with the smallest p-values as a readable table.

        Parameters
        ----------
        rows : int or None
            How many features to show; None shows all that were ever tested.

        Returns
        -------
        str
            Lines with name, p-value and the share of the splits that tested the feature.

        Raises
        ------
        DataError
            If rows is below 1.

        Examples
        --------
        >>> import fastreg
        >>> data = fastreg.datasets.make_wide(n=120, p=200, n_true=3, seed=0)
        >>> print(fastreg.multi_split(data.X, data.y, splits=20).summary_table(1).split()[:3])
        ['feature', 'p-value', 'tested']
        """
        if rows is not None and rows < 1:
            raise DataError(f"rows must be at least 1 or None, got {rows}: None shows every feature")
        often = dict(zip(self.features.tolist(), self._share_tested().tolist(), strict=True))
        cells = [
            [self.label(j), f"{self.p_values[j]:.3g}", f"{100.0 * often[j]:.0f} %"]
            for j in self.ranked()[:rows].tolist()
        ]
        return _render.text_table(("feature", "p-value", "tested"), cells)

    def __repr__(self) -> str:
        kind = "lasso" if self.l1_ratio == 1.0 else f"elastic net, l1_ratio {self.l1_ratio:g}"
        name = FAMILY_WORDS.get(self.family, f"{self.family} ") + kind
        count = (
            f"{self.splits}" if self.splits == self.splits_asked else f"{self.splits} of {self.splits_asked}"
        )
        head = f"{name}, {self.shape[0]} x {self.shape[1]}, {count} splits, first {self.q} features tested"
        found = f"{self.selected.size} features at level 0.05; " if self.splits else ""
        return f"MultiSplitResult({head})\n  {found}{self.status.value}; {self.fit_time:.3g} s"

    def _require_splits(self) -> None:
        if not self.splits:
            remedy = "give more time"
            raise DataError(f"p-values need a finished split, got none ({self.status.value}): {remedy}")

    def _share_tested(self) -> Float64:
        """Return the share of the splits that tested each of ``features``."""
        return np.asarray(self.is_tested.sum(axis=0) / max(self.splits, 1))


def _share(level: Any) -> float:
    return check_real(level, "level", "a number in (0, 1)", lambda v: 0.0 < v < 1.0)
