"""How data enter the estimators: scikit-learn checks them, and what it accepts is read in place."""

from __future__ import annotations

from numbers import Integral
from typing import Any

import numpy as np
from joblib import effective_n_jobs
from sklearn.utils.validation import check_consistent_length, check_is_fitted, validate_data

from ..errors import DataError, DataTypeError
from ..validate import check_design, locate_nonfinite
from ..validate.frames import is_frame
from ..validate.words import describe, wanted

__all__ = ["is_table", "names_of", "read_known", "read_rows", "threads_of"]

# As X is: the path functions read each of these layouts, and every kind of number, without a second copy.
LAYOUTS = ("csc", "csr")


def read_rows(estimator: Any, X: Any, y: Any, *, tables: bool = False, **asked: Any) -> tuple[Any, Any]:
    """Return X and y checked; what a table holds is left to the path function.

    Parameters
    ----------
    estimator : BaseEstimator
        Gets ``n_features_in_`` and ``feature_names_in_``.
    X : array-like, sparse matrix or data frame of shape (n, p)
        Features.
    y : array-like
        One entry per row, or several columns.
    tables : bool
        Whether y may have several columns or fields of any kind.
    **asked
        Further arguments of scikit-learn's ``validate_data``.

    Returns
    -------
    X, y
        X as an array or sparse matrix, y as a vector, or as it came where it is a table.
    """
    known = {"accept_sparse": LAYOUTS, "dtype": "numeric", **asked}
    if not (tables and is_table(y)):
        X, y = _validated(estimator, X, y, **known)
        return X, y
    known.pop("y_numeric", None)
    X = _validated(estimator, X, **known)
    check_consistent_length(X, y)
    return X, y


def read_known(estimator: Any, X: Any) -> Any:
    """Return new rows, checked to have the columns that were fitted."""
    check_is_fitted(estimator)
    return _validated(estimator, X, reset=False, accept_sparse=LAYOUTS, dtype="numeric")


def _validated(estimator: Any, X: Any, *y: Any, **known: Any) -> Any:
    """Return what scikit-learn's check returns; of a table's columns, name the one that it refuses."""
    try:
        return validate_data(estimator, X, *y, **known)
    except ValueError as problem:
        # It tells what is wrong but not where.
        if is_frame(X):
            try:
                locate_nonfinite(check_design(X))
            except (DataError, DataTypeError) as named:
                raise DataError(str(named)) from problem
        raise


def is_table(y: Any) -> bool:
    """Tell whether y says more than one thing per row: it has several columns or fields."""
    if y is None:
        return False
    shape = y.shape if hasattr(y, "shape") else np.asarray(y).shape
    has_fields = getattr(getattr(y, "dtype", None), "names", None) is not None
    return has_fields or (len(shape) == 2 and shape[1] > 1)


def names_of(estimator: Any) -> list[str] | None:
    """Return the names of the columns that were fitted, where they have names."""
    names = getattr(estimator, "feature_names_in_", None)
    return None if names is None else names.tolist()


def threads_of(n_jobs: Any) -> int:
    """Return the number of threads that scikit-learn's n_jobs stands for.

    Parameters
    ----------
    n_jobs : int or None
        None is one, or what a joblib context says; -1 all processors, -2 all but one.

    Returns
    -------
    int
        At least 1.

    Raises
    ------
    DataError
        If it is 0.
    DataTypeError
        If it is no integer.

    Examples
    --------
    >>> threads_of(2)
    2
    """
    expected = "be an integer other than 0, or None"
    if n_jobs is not None and not isinstance(n_jobs, Integral):
        raise DataTypeError(wanted("n_jobs", expected, describe(n_jobs)))
    if n_jobs == 0:
        raise DataError(wanted("n_jobs", expected, "0", "-1 means all processors"))
    return int(effective_n_jobs(n_jobs))
