"""One problem, made the same for every solver that is compared.

Every problem is

    f(b0 + X b) + alpha (l1_ratio ||b||_1 + (1 - l1_ratio)/2 ||b||^2)

where dense columns have mean 0 and variance 1 and sparse ones are left as they are, so that solvers with
different conventions solve the same problem. Least squares, f = ||y - X b||^2 / (2n), have no intercept and a
y of mean 0. The other losses are those of `losses`: an intercept per output is fitted, but not for cox, and
several outputs have an eta and coefficients each, over all of which the penalty is summed.

A solution is one column of numbers: the coefficients of one output after the other, then the intercepts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from fastreg._typing import Float64
from fastreg.errors import DataError
from fastreg.validate import DesignInput, check_design, check_response, locate_nonfinite
from fastreg.validate.classes import check_classes
from fastreg.validate.labels import check_counts
from fastreg.validate.survival import check_survival

from .losses import Loss, make_loss

__all__ = ["DEFAULT_EPS", "DEFAULT_SIZE", "Problem", "canonical", "centred", "equalise", "standardise"]

DEFAULT_SIZE = 100
DEFAULT_EPS = 1e-2
# Numbers standardised at a time, so that temporary arrays stay near 16 MB.
BLOCK = 2_000_000
# celer and scikit-learn know 32-bit indices only.
MOST_ENTRIES = 2**31 - 1


@dataclass(frozen=True, eq=False)
class Problem:
    """Hold one problem: the data, the mixing parameter and the grid.

    Attributes
    ----------
    name : str
        What the problem is called in tables and file names.
    X : float64 ndarray of shape (n, p), F-ordered, or scipy.sparse.csc_matrix
        Design.
    y : float64 ndarray of shape (n,)
        Response, mean 0. Other families, as `losses.make_loss` takes it: 0 and 1, positions of classes,
        counts, or (n, 2) times and events.
    l1_ratio : float
        Mixing parameter in (0, 1]; 1 is the lasso.
    size : int
        Number of alphas, geometric from alpha_max to ``eps * alpha_max``.
    eps : float
        Last alpha over first alpha.
    left_out : int
        Constant columns of the data that are not in X.
    family : str
        One of `losses.FAMILIES`.

    Examples
    --------
    >>> import numpy as np
    >>> from fastreg.bench.problem import Problem
    >>> problem = Problem("tiny", np.eye(2), np.array([1.0, -1.0]), size=3)
    >>> problem.alphas
    array([0.5  , 0.05 , 0.005])
    """

    name: str
    X: Any
    y: Float64
    l1_ratio: float = 1.0
    size: int = DEFAULT_SIZE
    eps: float = DEFAULT_EPS
    left_out: int = 0
    family: str = "gaussian"

    @property
    def n(self) -> int:
        """Rows."""
        return int(self.X.shape[0])

    @property
    def p(self) -> int:
        """Features."""
        return int(self.X.shape[1])

    @property
    def is_sparse(self) -> bool:
        """Tell whether X is sparse."""
        return bool(sparse.issparse(self.X))

    @cached_property
    def loss(self) -> Loss:
        """What is minimised beside the penalty."""
        return make_loss(self.family, self.y)

    @property
    def rows(self) -> int:
        """Numbers of a solution: coefficients of every output, and intercepts where the loss has them."""
        return self.loss.outputs * (self.p + self.loss.has_intercept)

    @cached_property
    def null_eta(self) -> Float64:
        """The linear predictors (n, outputs) of the model without features."""
        return self.loss.centred(np.zeros((self.n, self.loss.outputs)))

    @cached_property
    def alpha_max(self) -> float:
        """The smallest alpha at which all coefficients are zero."""
        largest = max(
            float(np.max(np.abs(self.X.T @ residuals))) for residuals in self.loss.residuals(self.null_eta).T
        )
        return largest / self.n / self.l1_ratio

    @cached_property
    def alphas(self) -> Float64:
        """The grid (K,), largest first; computed once so that every solver gets the same bits."""
        return np.asarray(self.alpha_max * np.geomspace(1.0, self.eps, self.size))

    @cached_property
    def null_objective(self) -> float:
        """The objective without features, P(0): the unit of every accuracy reported."""
        return self.loss.value(self.null_eta)


def standardise(XT: Float64) -> Float64:
    """Centre and scale the rows of XT in place; constant ones become zero.

    Parameters
    ----------
    XT : float64 ndarray of shape (p, n)
        Columns of X, one per row; changed in place.

    Returns
    -------
    float64 ndarray of shape (n, p)
        The F-ordered view of XT, with columns of mean 0 and variance 1.

    Examples
    --------
    >>> import numpy as np
    >>> standardise(np.array([[1.0, 3.0, 5.0, 7.0], [9.0, 9.0, 9.0, 9.0]])).round(2).T
    array([[-1.34, -0.45,  0.45,  1.34],
           [ 0.  ,  0.  ,  0.  ,  0.  ]])
    """
    for rows in np.array_split(np.arange(XT.shape[0]), max(1, XT.size // BLOCK)):
        block = XT[rows[0] : rows[-1] + 1]
        # Compared, not measured by the deviation: rounding noise around the mean would make up a feature.
        constant = block.max(axis=1) == block.min(axis=1)
        # A power of two changes no digit, and squares of 1e200 and of 1e-200 stay in range.
        np.ldexp(block, -np.frexp(np.abs(block).max(axis=1, keepdims=True))[1], out=block)
        block -= block.mean(axis=1, keepdims=True)
        scale = np.sqrt(np.mean(block * block, axis=1, keepdims=True))
        block /= np.where(scale > 0.0, scale, 1.0)
        block[constant] = 0.0
    return XT.T


def centred(y: Float64) -> Float64:
    """Return y with mean 0.

    Parameters
    ----------
    y : float64 ndarray of shape (n,)
        Response.

    Returns
    -------
    float64 ndarray of shape (n,)
        A new array.

    Examples
    --------
    >>> import numpy as np
    >>> centred(np.array([1.0, 2.0, 6.0]))
    array([-2., -1.,  3.])
    """
    return np.asarray(y - y.mean())


def canonical(X: Any) -> Any:
    """Return a sparse X in the one form that every solver accepts.

    Parameters
    ----------
    X : scipy.sparse matrix or array of shape (n, p)
        Design.

    Returns
    -------
    scipy.sparse.csc_matrix of shape (n, p)
        float64, 32-bit indices, sorted, without duplicates.

    Examples
    --------
    >>> from scipy import sparse
    >>> X = canonical(sparse.coo_array(([1, 2], ([0, 0], [1, 1])), shape=(2, 2)))
    >>> X.format, X.data, X.indices.dtype
    ('csc', array([3.]), dtype('int32'))
    """
    # csc_matrix, not csc_array: some peers know only the matrix class, and everyone must accept it.
    columns = sparse.csc_matrix(X, dtype=np.float64)
    columns.sum_duplicates()
    columns.sort_indices()
    if columns.nnz > MOST_ENTRIES:
        raise DataError(f"peers take at most {MOST_ENTRIES} stored entries, X has {columns.nnz}")
    columns.indices, columns.indptr = columns.indices.astype(np.int32), columns.indptr.astype(np.int32)
    return columns


def equalise(
    X: Any,
    y: Any,
    *,
    name: str = "data",
    l1_ratio: float = 1.0,
    size: int = DEFAULT_SIZE,
    eps: float = DEFAULT_EPS,
    family: str = "gaussian",
) -> Problem:
    """Turn any data into a problem that all solvers solve alike.

    Dense columns are standardised, sparse ones are not (centring would fill them). The y of least squares is
    centred and divided by a power of two, so that tolerances that some solvers take as absolute mean the same
    on all data; alphas and coefficients scale along. Constant columns are left out: they cannot enter a dense
    path, and solvers disagree on them in a sparse one.

    Parameters
    ----------
    X : (n, p) array-like, scipy.sparse matrix or array, or data frame
        Design; copied, never changed.
    y : (n,) array-like
        Response: numbers, labels or counts; cox: columns time and status.
    name : str
        What the problem is called.
    l1_ratio : float
        Mixing parameter in (0, 1].
    size : int
        Number of alphas.
    eps : float
        Last alpha over first alpha.
    family : str
        One of `losses.FAMILIES`.

    Returns
    -------
    Problem
        The data in the layout that all solvers take in place.

    Raises
    ------
    DataError
        If X or y is not finite or not of matching shape, or if nothing but constants is left.
    DataTypeError
        If X or y is not made of real numbers.

    Examples
    --------
    >>> import numpy as np
    >>> problem = equalise([[1, 0, 5], [2, 1, 5], [3, 0, 5]], [1, 2, 4], size=5)
    >>> problem.X.shape, problem.left_out
    ((3, 2), 1)
    >>> bool(np.allclose(problem.X.mean(axis=0), 0.0))
    True
    """
    design = check_design(X)
    locate_nonfinite(design)
    response = READERS[family](y, design.n)
    if (response == response[0]).all():
        raise DataError("y must vary, got the same value in every row: there is no path to compare")
    varies = _varying(design)
    if not varies.any():
        raise DataError(f"X must have a column that varies, got {design.p} constant ones")
    if design.XT is not None:
        columns = standardise(np.ascontiguousarray(design.XT[varies], dtype=np.float64))
    else:
        columns = canonical(sparse.csc_matrix(design.csc, shape=(design.n, design.p))[:, varies])
    left_out = int(design.p - varies.sum())
    response = _unit_size(response) if family == "gaussian" else response
    problem = Problem(name, columns, response, l1_ratio, size, eps, left_out, family)
    if not 0.0 < problem.alpha_max < np.inf:
        raise DataError(f"y must be related to some column of X, got alpha_max {problem.alpha_max:g}")
    return problem


def _varying(design: DesignInput) -> NDArray[np.bool_]:
    """Tell, for every column, whether it holds two different numbers; X must be finite."""
    if design.XT is not None:
        return np.asarray(design.XT.max(axis=1) > design.XT.min(axis=1))
    X = sparse.csc_matrix(design.csc, shape=(design.n, design.p))
    highest, lowest = (extreme.toarray().ravel() for extreme in (X.max(axis=0), X.min(axis=0)))
    return np.asarray(highest > lowest)


def _unit_size(y: Float64) -> Float64:
    """Return y with mean 0 and a root mean square in [1/2, 1), by powers of two: no digit is lost."""
    y = centred(np.ldexp(y, -np.frexp(np.abs(y).max())[1]))
    return np.asarray(np.ldexp(y, -np.frexp(np.sqrt(np.mean(y * y)))[1]))


def _two_labels(y: Any, n: int) -> Float64:
    return check_classes(y, n, None, most=2).codes.astype(np.float64)


def _labels(y: Any, n: int) -> Float64:
    return check_classes(y, n, None).codes.astype(np.float64)


def _times(y: Any, n: int) -> Float64:
    survival = check_survival(y, n)
    if survival.start is not None:
        raise DataError("y must have the columns time and status: peers are not compared on start times")
    return np.column_stack([survival.stop, survival.is_event])


# How each family reads its response.
READERS: dict[str, Callable[[Any, int], Float64]] = {
    "gaussian": check_response,
    "binomial": _two_labels,
    "multinomial": _labels,
    "poisson": check_counts,
    "cox": _times,
}
