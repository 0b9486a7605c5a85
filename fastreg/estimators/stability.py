"""Stability selection as a transformer: it keeps the columns that many halves of the rows agree on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.feature_selection import SelectorMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted

from .._typing import Float64, Mask
from ..api_stability import stability_selection
from ..families import canonical
from ..request import DEFAULT_TOL
from ._reading import is_table, names_of, read_rows, threads_of
from ._texts import explained

__all__ = ["StabilitySelector"]

# Each half of the rows has at least two.
LEAST_ROWS = 4
# The families whose y may be labels of any kind.
CLASSIFIERS = ("binomial", "multinomial", "squared_hinge")


@explained(
    target="columns",
    own="""
    family : str
        Loss of the paths: "gaussian", "binomial", "multinomial", "poisson", "squared_hinge", "huber", "cox"
        or "mgaussian".
    pairs : int
        Complementary pairs B: 2 B paths, each on half of the rows.
    q : int, optional
        Features that each half chooses.
    threshold : float, optional
        Share of the halves that must choose a feature that is kept, in (1/2, 1].
    max_false : float, optional
        Expected number of false selections that is accepted.
    bound : {"shah-samworth", "unimodal", "meinshausen-buehlmann"}
        Which bound holds them.
    form : {"first", "region"}
        What a half chooses: the first q features to enter, or at every alpha of a region those that have a
        coefficient there.
    l1_ratio : float
        Share of the L1 penalty, in (0, 1]: 1 is the lasso. Ridge, 0, chooses every feature and is refused.
    fit_intercept : bool, optional
        Whether to fit b0. By default yes, but not for cox, which has none.
    delta, scale, ties, grouped : optional
        Options of one family, as in its path function.
    random_state : int, Generator, RandomState or None
        What the halves follow from; None draws others at every fit.
    """,
    loss="sum_i loss(y_i, b0 + x_i . b) / m",
    where="over the m rows i of one half.",
)
@dataclass(eq=False, repr=False, kw_only=True)
class StabilitySelector(SelectorMixin, BaseEstimator):
    """Keep the features that paths on many halves of the rows agree on, with a bound on false selections.

    The rows are split at random into two halves, again and again; on each half a path is solved:

    {objective}

    Any two of q, threshold and max_false give the third (``fastreg.stability_selection`` says how, and where
    the bound comes from); without them at most one false selection is expected. There are no sample weights:
    halves are drawn by rows, so that a weight of two could not be what two equal rows are.

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    {attributes}

    See Also
    --------
    fastreg.stability_selection : The same as a function.

    Examples
    --------
    >>> import numpy as np
    >>> from fastreg.estimators import StabilitySelector
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((100, 200))
    >>> y = 3 * X[:, 7] - 2 * X[:, 11] + rng.standard_normal(100)
    >>> selector = StabilitySelector(pairs=20, q=10, threshold=0.9).fit(X, y)
    >>> selector.get_support(indices=True)
    array([ 7, 11])
    >>> selector.transform(X).shape, bool(selector.stability_.max_false < 0.1)
    ((100, 2), True)
    """

    family: str = "gaussian"
    pairs: int = 50
    q: int | None = None
    threshold: float | None = None
    max_false: float | None = None
    bound: str = "shah-samworth"
    form: str = "first"
    l1_ratio: float = 1.0
    eps: float | str = "auto"
    alphas: int | Sequence[float] | Float64 = 100
    fit_intercept: bool | None = None
    delta: float | None = None
    scale: str | float | None = None
    ties: str | None = None
    grouped: bool | None = None
    standardize: bool = False
    penalty_factor: Any = None
    positive: bool = False
    lower_limits: Any = None
    upper_limits: Any = None
    tol: float = DEFAULT_TOL
    random_state: Any = 0
    n_jobs: int | None = None

    def fit(self, X: Any, y: Any, strata: Any = None) -> Self:
        """Find the stable features.

        Parameters
        ----------
        X : array-like, sparse matrix or data frame of shape (n, p)
            Features. F-ordered float64 or float32 and CSC are read in place, never changed.
        y : array-like
            The target, as the path function of the family takes it.
        strata : array-like of shape (n,), optional
            Labels, for cox.

        Returns
        -------
        self
            The fitted selector.
        """
        has_classes = canonical(self.family) in CLASSIFIERS
        X, y = read_rows(self, X, y, tables=True, y_numeric=not has_classes, ensure_min_samples=LEAST_ROWS)
        if has_classes and not is_table(y):
            check_classification_targets(y)
        options = self.get_params(deep=False)
        threads = threads_of(options.pop("n_jobs"))
        self.stability_ = stability_selection(
            X,
            y,
            strata=strata,
            n_threads=threads,
            feature_names=names_of(self),
            **options,
        )
        self.probabilities_ = self.stability_.probabilities
        self.threshold_ = self.stability_.threshold
        return self

    def _get_support_mask(self) -> Mask:
        check_is_fitted(self)
        mask = np.zeros(self.n_features_in_, dtype=bool)
        mask[self.stability_.selected] = True
        return mask

    def __sklearn_tags__(self) -> Any:
        """Return scikit-learn's tags: y is needed, sparse X is read as well."""
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.input_tags.sparse = True
        return tags
