"""The result of cross-validation: a curve for every candidate, the alpha chosen, the path there."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .._typing import Float64, Index
from ..errors import DataError
from ..validate.words import describe, wanted
from .cv_shows import CVShows

__all__ = ["CVResult"]


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class CVResult(CVShows):
    """Hold what cross-validation found: scores of every candidate, the chosen alpha, and the refitted path.

    What belongs to the chosen candidate (its ``l1_ratio`` and ``gamma``) is reached directly: ``alphas``,
    ``scores``, ``mean``, ``se``, ``path`` and all that follows from them.

    Parameters
    ----------
    curves : tuple of CVCurve
        One for every ``l1_ratio`` and ``gamma``.
    best : int
        Position of the candidate with the best mean score at any alpha.
    chosen_alpha : float or None
        What the rule chose; None where no fold was finished.
    rule : str
        Name of the rule.
    folds : tuple of Fold
        Rows that were trained on and tested in every fold that was finished, in the order of ``scores``.
    folds_requested : int
        Number of folds that were asked for.
    fold_weights : float64 ndarray of shape (F,)
        How much each fold counts in the mean: the weight of its test rows (deviance of cox: of its events).
    n_rows : int
        Rows of X.
    scoring : str
        Name of the score.
    greater_is_better : bool
        Whether the best score is the largest.
    status : Status
        How it ended.
    fit_time : float
        Seconds from call to result.

    Examples
    --------
    >>> import numpy as np
    >>> from fastreg import cv_path
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((60, 100))
    >>> found = cv_path(X, 3 * X[:, 7] + rng.standard_normal(60), cv=5, rule="1se")
    >>> found.selected
    array([7])
    >>> found.alpha == found.alpha_1se, found.scores.shape
    (True, (5, 100))
    """

    @property
    def alpha(self) -> float:
        """Return the alpha that the rule chose."""
        # Where there is none, asking for the best alpha says why.
        return self.alpha_min if self.chosen_alpha is None else self.chosen_alpha

    @property
    def coef(self) -> Float64:
        """Return the coefficients at ``alpha``, (p,) or (n_outputs, p)."""
        return self.path.coef_at(self.alpha)[0]

    @property
    def intercept(self) -> Any:
        """Return the intercept at ``alpha``; (n_outputs,) for several outputs."""
        return self.path.coef_at(self.alpha)[1]

    @property
    def selected(self) -> Index:
        """Return the features with a coefficient at ``alpha``."""
        return self.path.selected(self.alpha)

    @property
    def predictions(self) -> Float64:
        """Return the out-of-fold predictions at every alpha, (n, K) or (n, outputs, K)."""
        if self.curve.predictions is None:
            raise DataError("predictions were not kept: call cv_path with keep_predictions=True")
        return self.curve.predictions

    @cached_property
    def test_folds(self) -> Index:
        """Return the fold that tests each row, -1 where none does, (n,)."""
        place = np.full(self.n_rows, -1, dtype=np.int64)
        for f, fold in enumerate(self.folds):
            if (place[fold.test] >= 0).any():
                raise DataError("test_folds needs rows that are tested once, got several: look at folds")
            place[fold.test] = f
        return place

    def predict(
        self, X: Any, *, alpha: ArrayLike | str | None = None, offset: Any = None, kind: str = "response"
    ) -> Any:
        """Predict for new rows with the path on all rows.

        Parameters
        ----------
        X : array-like, sparse or data frame of shape (m, p)
            New rows.
        alpha : float, array-like, "min" or "1se", optional
            Where on the path; by default the alpha that the rule chose.
        offset : array-like, optional
            Added to the linear predictor.
        kind : {"response", "link", "class"}
            As in ``PathResult.predict``.

        Returns
        -------
        ndarray
            As ``PathResult.predict`` returns it.

        Raises
        ------
        DataError
            As ``PathResult.predict`` does, or if no fold was finished.

        Examples
        --------
        >>> import numpy as np
        >>> from fastreg import cv_path
        >>> X = np.random.default_rng(0).standard_normal((40, 5))
        >>> cv_path(X, X[:, 1], cv=5).predict(X[:3]).shape
        (3,)
        """
        return self.path.predict(X, alpha=self._where(alpha), offset=offset, kind=kind)

    def _where(self, alpha: Any) -> Any:
        """Return the alpha that a word stands for."""
        if alpha is None:
            return self.alpha
        if not isinstance(alpha, str):
            return alpha
        if alpha not in ("min", "1se"):
            raise DataError(wanted("alpha", 'be a number, "min" or "1se"', describe(alpha)))
        return self.alpha_min if alpha == "min" else self.alpha_1se

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a file that ``load`` reads back: npz with a JSON header, never pickle.

        Parameters
        ----------
        path : str or path
            File to write, exactly this name.

        Examples
        --------
        >>> import os, tempfile
        >>> import numpy as np
        >>> from fastreg import cv_path
        >>> X = np.random.default_rng(0).standard_normal((40, 5))
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     cv_path(X, X[:, 1], cv=5).save(os.path.join(folder, "cv.npz"))
        ...     os.listdir(folder)
        ['cv.npz']
        """
        from .cv_store import write_result

        write_result(self, path)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> CVResult:
        """Read a result that ``save`` wrote.

        Parameters
        ----------
        path : str or path
            File to read.

        Returns
        -------
        CVResult
            Equal to the one saved, bit for bit.

        Raises
        ------
        DataError
            If the file holds something else, is damaged, or was written by a newer fastreg.

        Examples
        --------
        >>> import os, tempfile
        >>> import numpy as np
        >>> from fastreg import cv_path
        >>> from fastreg.selection.cv_result import CVResult
        >>> X = np.random.default_rng(0).standard_normal((40, 5))
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     cv_path(X, X[:, 1], cv=5).save(os.path.join(folder, "cv.npz"))
        ...     CVResult.load(os.path.join(folder, "cv.npz")).selected
        array([1])
        """
        from .cv_store import read_result

        return read_result(path)
