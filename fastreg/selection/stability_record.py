"""What stability selection is made of: how often every feature was chosen, and what follows from it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy import sparse

from .._predict import label
from .._typing import Float64, Index
from ..errors import DataError, Status
from ..validate.options import check_real
from .bounds import SLACK, check_bound, false_selections, smallest_threshold

__all__ = ["ARRAYS", "COUNTS", "PARTS", "StabilityRecord", "Wish"]

ARRAYS = ("alphas", "sizes", "done")
COUNTS = ("tally", "together")
PARTS = ("data", "indices", "indptr")
# A threshold that follows is no lower, however small the bound: Meinshausen and Buehlmann advise 0.6 to 0.9.
LOWEST_THRESHOLD = 0.6


@dataclass(frozen=True)
class Wish:
    """What is wanted of a selection: two of q, threshold and max_false, the bound and the form."""

    q: Any
    threshold: Any
    max_false: Any
    bound: Any
    form: Any


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class StabilityRecord:
    """Hold the fields of a selection, described in ``StabilityResult``, and what follows from them."""

    alphas: Float64
    alpha_max: float
    tally: sparse.csc_array
    together: sparse.csc_array
    sizes: Index
    done: Index
    pairs_asked: int
    wish: Wish
    q_asked: int
    seed: int
    n_candidates: int
    family: str
    l1_ratio: float
    feature_names: tuple[str, ...] | None
    shape: tuple[int, int]
    status: Status
    fit_time: float = 0.0
    digest: str | None = None
    source: Any = None

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        parts = [getattr(getattr(self, name), part) for name in COUNTS for part in PARTS]
        for array in [*parts, *(getattr(self, name) for name in ARRAYS)]:
            array.flags.writeable = False

    @property
    def pairs(self) -> int:
        """Return the number of complementary pairs that were finished."""
        return int(self.done.size)

    @cached_property
    def along(self) -> sparse.csc_array:
        """Return the selection probabilities along alpha, (p, K), with rows for features ever chosen only.

        In the form "first" a feature counts from where it enters on, so that they never fall.
        """
        shares = self.tally.astype(np.float64)
        if self.wish.form == "first":
            used = np.unique(shares.indices)
            lines = sparse.csc_array(np.cumsum(shares[used].toarray(), axis=1))
            lines.sort_indices()
            shares = sparse.csc_array((lines.data, used[lines.indices], lines.indptr), shape=shares.shape)
        shares.data /= max(2 * self.pairs, 1)
        return shares

    @cached_property
    def probabilities(self) -> Float64:
        """Return the largest selection probability of every feature over the alphas, (p,)."""
        found: Float64 = np.zeros(self.shape[1])
        np.maximum.at(found, self.along.indices, self.along.data)
        return found

    @cached_property
    def simultaneous(self) -> Float64:
        """Return the share of the pairs of which both halves chose a feature, (p,)."""
        found: Float64 = self.together.toarray()[:, 0] / max(self.pairs, 1)
        return found

    @property
    def q(self) -> float:
        """Return what the bound calls q: the most features of a half, or their mean over a region."""
        if self.wish.form == "first" or not self.sizes.size:
            return float(self.q_asked)
        return float(self.sizes.mean())

    @cached_property
    def threshold(self) -> float:
        """Return the share of the halves that makes a feature stable, as given or as max_false has it."""
        if self.wish.threshold is not None:
            return float(self.wish.threshold)
        return self._threshold_for(self.wish.max_false)

    @property
    def max_false(self) -> float:
        """Return the bound on the expected number of false selections at the threshold."""
        return self.false_bound()

    @property
    def selected(self) -> Index:
        """Return the stable features, columns of X in increasing order."""
        return self.select()

    def select(self, *, threshold: float | None = None, max_false: float | None = None) -> Index:
        """Return the features that are stable at another threshold; nothing is fitted again.

        Parameters
        ----------
        threshold : float, optional
            Share of the halves, in (1/2, 1].
        max_false : float, optional
            Expected false selections that are accepted; the threshold follows.

        Returns
        -------
        int64 ndarray of shape (m,)
            Columns of X in increasing order.

        Raises
        ------
        DataError
            If no threshold keeps max_false, or both are given.

        Examples
        --------
        >>> import fastreg
        >>> data = fastreg.datasets.make_wide(n=120, p=200, n_true=3, seed=0)
        >>> fastreg.stability_selection(data.X, data.y, pairs=10, q=6).select(threshold=0.55).size
        3
        """
        if threshold is not None and max_false is not None:
            raise DataError("threshold and max_false must not both be given: one follows from the other")
        if max_false is not None:
            threshold = self._threshold_for(max_false)
        threshold = self.threshold if threshold is None else _threshold(threshold)
        least = threshold * 2 * self.pairs - SLACK
        counts = np.rint(self.probabilities * 2 * self.pairs)
        return np.flatnonzero((counts >= least) & (counts > 0.0))

    def false_bound(self, threshold: float | None = None, bound: str | None = None) -> float:
        """Bound the expected number of selected features that a half chooses with probability q / p at most.

        Parameters
        ----------
        threshold : float, optional
            Share of the halves, in (1/2, 1]; that of the result by default.
        bound : {"shah-samworth", "unimodal", "meinshausen-buehlmann"}, optional
            Which bound; that of the result by default.

        Returns
        -------
        float
            Features.

        Raises
        ------
        DataError
            If a value is none of the above, or no pair was finished.

        Examples
        --------
        >>> import fastreg
        >>> data = fastreg.datasets.make_wide(n=120, p=200, n_true=3, seed=0)
        >>> result = fastreg.stability_selection(data.X, data.y, pairs=10, q=6)
        >>> round(result.false_bound(0.75, "meinshausen-buehlmann"), 3)
        0.36
        """
        self._require_pairs()
        threshold = self.threshold if threshold is None else _threshold(threshold)
        bound = self.wish.bound if bound is None else check_bound(bound)
        return false_selections(self.q, self.n_candidates, threshold, self.pairs, bound)

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
        """Return the features that were ever chosen, the most probable first."""
        ever = np.flatnonzero(self.probabilities)
        return ever[np.lexsort((ever, -self.simultaneous[ever], -self.probabilities[ever]))]

    def _threshold_for(self, max_false: Any) -> float:
        """Return the smallest threshold that keeps the bound, and is high enough to mean something."""
        self._require_pairs()
        limit = check_real(max_false, "max_false", "a finite number > 0", lambda v: 0.0 < v < np.inf)
        found = smallest_threshold(self.q, self.n_candidates, limit, self.pairs, self.wish.bound)
        return max(found, LOWEST_THRESHOLD)

    def _require_pairs(self) -> None:
        if not self.pairs:
            raise DataError(
                f"a bound needs a finished pair, got none ({self.status.value}): resume the selection"
            )


def _threshold(value: Any) -> float:
    return check_real(value, "threshold", "a number in (1/2, 1]", lambda v: 0.5 < v <= 1.0)
