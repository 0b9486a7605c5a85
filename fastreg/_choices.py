"""What a path offers for choosing: criteria, refits, models of a given size, certified supports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

from ._show import PathShows
from ._typing import Float64
from .errors import DataError


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class PathChooses(PathShows):
    """Add what reads the data again; they are where the path was fitted, not in files."""

    def criterion(
        self, name: str, *, gamma: float | None = None, noise_variance: float | str | None = None
    ) -> Float64:
        """Return an information criterion at every alpha: the smaller the better.

        Cost plus charge (docs/math.md, F44). The cost is minus twice the log-likelihood but for a constant:
        RSS / noise_variance for least squares, the deviance for the other families; weights are brought to
        mean one. The charge, with df of ``degrees_of_freedom`` and n rows (events for cox), is 2 df ("aic"),
        2 df n / (n - df - 1) ("aicc"), log(n) df ("bic"), that plus 2 gamma log C(p, k) for k features
        entered ("ebic"), or log(log n) log(p) df ("gic"). "gcv" is the mean deviance over (1 - df/n)^2, and
        "loo" the mean squared error of exact leave-one-out, for ridge paths of least squares.

        Parameters
        ----------
        name : {"aic", "aicc", "bic", "ebic", "gic", "gcv", "loo"}
            Which criterion.
        gamma : float, optional
            Of EBIC, in [0, 1]; by default max(0, 1 - log(n) / (2 log(p))).
        noise_variance : float or "profile", optional
            Variance of the errors, for least squares; by default ``noise_variance`` estimates it, also where
            p > n. "profile" takes n log(RSS / n) as the cost, which is of use only where df is far below n.
            Huber's loss needs a number.

        Returns
        -------
        float64 ndarray of shape (K,)
            Values; inf where no degrees of freedom are left.

        Raises
        ------
        DataError
            If the criterion does not exist or the family has none, an option does not belong to it, or the
            result no longer knows its data.

        Examples
        --------
        >>> import fastreg
        >>> data = fastreg.datasets.make_wide(n=100, p=300, n_true=4, seed=1)
        >>> path = fastreg.lasso_path(data.X, data.y, fit_intercept=True, alphas=50)
        >>> path.criterion("ebic").shape
        (50,)
        """
        values: Float64 = self._data.criterion(self, name, gamma, noise_variance)
        return values

    def best(
        self, name: str, *, gamma: float | None = None, noise_variance: float | str | None = None
    ) -> float:
        """Return the alpha of the grid at which a criterion is smallest.

        Parameters
        ----------
        name, gamma, noise_variance : optional
            As in ``criterion``.

        Returns
        -------
        float
            The alpha, the largest one of several.

        Raises
        ------
        DataError
            As ``criterion``, and if no value is finite.

        Examples
        --------
        >>> import fastreg
        >>> data = fastreg.datasets.make_wide(n=100, p=300, n_true=4, seed=1)
        >>> path = fastreg.lasso_path(data.X, data.y, fit_intercept=True)
        >>> path.selected(path.best("ebic")), data.true_features
        (array([ 43,  48, 102, 124]), array([ 43,  48, 124, 297]))
        """
        return float(self._data.best(self, name, gamma, noise_variance))

    def degrees_of_freedom(self) -> Float64:
        """Return the degrees of freedom at every alpha, intercepts included (docs/math.md, F42).

        Returns
        -------
        float64 ndarray of shape (K,)
            For the lasso the number of coefficients that are neither zero nor at a bound; with a ridge part
            the trace of the hat matrix of the support (at the curvature of the solution for other losses).
            An upper bound for grouped coefficients.

        Raises
        ------
        DataError
            If the result no longer knows its data.

        Examples
        --------
        >>> from fastreg import lasso_path
        >>> lasso_path([[2, 0], [0, 2]], [6, 2], alphas=[6, 2, 1], fit_intercept=False).degrees_of_freedom()
        array([0., 1., 2.])
        """
        df: Float64 = self._data.degrees_of_freedom(self)
        return df

    def noise_variance(self) -> float:
        """Estimate the variance of the errors of least squares; also where p > n (docs/math.md, F45).

        The residual variance of all columns where they are at most n/2, else that of the scaled lasso on
        standardised columns, which errs upwards where signals are many.

        Returns
        -------
        float
            The estimate, for a row of mean weight; the mean over several responses.

        Raises
        ------
        DataError
            If the family is not one of least squares, or the result no longer knows its data.

        Examples
        --------
        >>> import fastreg
        >>> data = fastreg.datasets.make_wide(n=100, p=300, n_true=4, seed=1)
        >>> path = fastreg.lasso_path(data.X, data.y, fit_intercept=True)
        >>> path.noise_variance() > 0
        True
        """
        return float(self._data.noise_variance(self))

    def leave_one_out(self) -> Float64:
        """Return the exact leave-one-out residuals of a ridge path of least squares (docs/math.md, F43).

        What remains of every row when it is predicted from the others, with the same penalty on the sum of
        squares, alpha * sum(sample_weight); standardising uses the deviations of all rows.

        Returns
        -------
        float64 ndarray of shape (n, K)
            Residuals; inf where a row alone decides its own fit.

        Raises
        ------
        DataError
            If the path is another one, or no longer knows its data.

        Examples
        --------
        >>> from fastreg import ridge_path
        >>> path = ridge_path([[0.0], [1.0], [2.0], [4.0]], [0.0, 1.0, 2.0, 4.0], alphas=[1e-9])
        >>> bool(abs(path.leave_one_out()).max() < 1e-7)
        True
        """
        residuals: Float64 = self._data.leave_one_out(self)
        return residuals

    def refit(self) -> Self:
        """Return the fit without penalty on the support of every alpha: ``relax(0)``.

        Returns
        -------
        PathResult
            On the same alphas; see ``relax``.

        Raises
        ------
        DataError
            If the result no longer knows its data.

        Examples
        --------
        >>> from fastreg import lasso_path
        >>> path = lasso_path([[2, 0], [0, 2]], [6, 2], alphas=[6, 2, 1], fit_intercept=False)
        >>> path.refit().coefs.round(6)
        array([[0., 3., 3.],
               [0., 0., 1.]])
        """
        return self.relax(0.0)

    def relax(self, gamma: float = 0.0) -> Self:
        """Return the relaxed path: gamma times the path plus (1 - gamma) times its refit.

        The refit of an alpha has no penalty on the features selected there (in any output) and keeps weights,
        offset, bounds and intercept. Where no such fit exists something defined takes its place, and
        ``status_note`` counts it: of dependent columns the shortest standardised solution; for separated
        classes, and within bounds, the solution with a ridge of 1e-6 of the curvature.

        Parameters
        ----------
        gamma : float
            In [0, 1]: 1 is the path, 0 the refit.

        Returns
        -------
        PathResult
            On the same alphas, with its own ``dev_ratio``. ``dual_gaps`` belong to the problems without
            penalty (with gamma between 0 and 1 to both, blended alike). Not to be relaxed again.

        Raises
        ------
        DataError
            If gamma is not in [0, 1], or the result no longer knows its data.

        Examples
        --------
        >>> from fastreg import lasso_path
        >>> path = lasso_path([[2, 0], [0, 2]], [6, 2], alphas=[6, 2, 1], fit_intercept=False)
        >>> path.relax(0.5).coefs.round(6)
        array([[0.  , 2.5 , 2.75],
               [0.  , 0.  , 0.75]])
        """
        relaxed: Self = self._data.relax(self, gamma)
        return relaxed

    def with_k_features(self, k: int) -> Self:
        """Return the path of the one alpha at which exactly k features are selected.

        An alpha of the grid where there is one, else the grid is refined between fewer and more than k, down
        to a relative distance of 1e-12. Features that are never penalised count like all others.

        Parameters
        ----------
        k : int
            Features, at least 1.

        Returns
        -------
        PathResult
            One alpha: ``alphas[0]``, ``coefs[:, 0]``, ``selected(alphas[0])``.

        Raises
        ------
        DataError
            If the number jumps past k (the message names the neighbours and where), the path never reaches k,
            it is a ridge path, or the result no longer knows its data.

        Examples
        --------
        >>> from fastreg import lasso_path
        >>> path = lasso_path([[2, 0], [0, 2]], [6, 2], alphas=[6, 1], fit_intercept=False)
        >>> path.with_k_features(1).n_nonzero
        array([1])
        """
        found: Self = self._data.with_k_features(self, k)
        return found

    def support(self, alpha: float | None = None) -> Any:
        """Prove which features every optimal solution has, and which none has (docs/math.md, F15, F46).

        Parameters
        ----------
        alpha : float, optional
            One alpha, solved if it is not on the grid; None takes the whole grid.

        Returns
        -------
        CertifiedSupport
            ``zero``, ``active`` and ``undecided``, (p, K) each. With several outputs, and for cox, nothing is
            proven active.

        Raises
        ------
        DataError
            If alpha is no number > 0, or the result no longer knows its data.

        Examples
        --------
        >>> from fastreg import lasso_path
        >>> path = lasso_path([[2, 0], [0, 2]], [6, 2], alphas=[6, 2, 1], fit_intercept=False)
        >>> path.support(alpha=3.0).words()
        ('active', 'zero')
        """
        return self._data.support(self, alpha)

    @property
    def _data(self) -> Any:
        """Return where the data are."""
        if self.source is None:
            raise DataError(
                "the result must know the data it was fitted to, but it was loaded, unpickled or is a part "
                "of another: fit again"
            )
        return self.source
