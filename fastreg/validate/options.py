"""The checks of numbers and switches: alphas, what steers the solver, what scikit-learn's signature has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

import numpy as np

from .._typing import Float64
from ..errors import DataError, DataTypeError
from .numeric import as_array, cast, require_numeric
from .vectors import check_vector
from .words import describe, wanted

DEFAULT_SIZE = 100
# Ends of the automatic grid relative to alpha_max: wide problems saturate early.
AUTO_EPS_WIDE, AUTO_EPS_TALL = 1e-2, 1e-4
DEFAULT_EPS = 1e-3
# The first alpha of ridge is that of l1_ratio = 1e-3: its grid must go as much further down.
RIDGE_EPS = 1e-3


@dataclass(frozen=True, eq=False)
class AlphaGrid:
    """Hold the requested alphas: values (size,) decreasing, or None for a geometric grid down to eps."""

    values: Float64 | None
    size: int
    eps: float


@dataclass(frozen=True)
class Options:
    """Hold what steers the solver, checked; None means no limit (n_threads: as many as pay)."""

    l1_ratio: float
    tol: float
    max_iter: int
    max_features: int | None
    max_time: float | None
    n_threads: int | None


def check_real(value: Any, name: str, expected: str, accepts: Callable[[float], bool]) -> float:
    """Return value as a float; expected says in words what accepts tests."""
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value.item()
    # Plain numbers first: whether a class belongs to an abstract one takes longer than all else here.
    if type(value) not in (float, int) and (
        isinstance(value, bool | np.bool_) or not isinstance(value, Real)
    ):
        raise DataTypeError(wanted(name, f"be {expected}", describe(value)))
    number = float(value)
    if not accepts(number):
        raise DataError(wanted(name, f"be {expected}", describe(value)))
    return number


def check_count(value: Any, name: str, least: int = 1) -> int:
    """Return value as an int of at least 1, or what else is the least."""
    if type(value) is not int and (isinstance(value, bool | np.bool_) or not isinstance(value, Integral)):
        raise DataTypeError(wanted(name, f"be an integer >= {least}", describe(value)))
    if value < least:
        raise DataError(wanted(name, f"be an integer >= {least}", describe(value)))
    return int(value)


def check_flag(value: Any, name: str) -> bool:
    """Return a switch as a bool; all else is an error, because 'no' would mean its opposite."""
    if not isinstance(value, bool | np.bool_):
        raise DataTypeError(wanted(name, "be True or False", describe(value)))
    return bool(value)


def check_alphas(
    alphas: Any, eps: Any, n_alphas: Any, n: int, p: int, *, is_ridge: bool = False
) -> AlphaGrid:
    """Return the grid that was asked for.

    Parameters
    ----------
    alphas : int or (K,) array-like or None
        Size of the grid, or its values > 0 in any order; None is the default size.
    eps : float or "auto" or None
        Smallest alpha relative to alpha_max, in (0, 1); "auto" is 1e-2 when p > n, else 1e-4. None is 1e-3.
        Without an L1 part alpha_max is only a stand-in, a thousand times too large: there "auto" and None are
        a thousandth of that.
    n_alphas : int or None
        scikit-learn's older word for the size of the grid.
    n, p : int
        Shape of X.
    is_ridge : bool
        Whether there is no L1 part.

    Returns
    -------
    AlphaGrid
        Values sorted, largest first, or None and the size.

    Raises
    ------
    DataError
        If an alpha is not finite and > 0, there is none, eps is outside (0, 1), or the two sizes disagree.
    DataTypeError
        If an argument is of another type.

    Examples
    --------
    >>> check_alphas([0.1, 1.0], 1e-3, None, 10, 5).values
    array([1. , 0.1])
    >>> check_alphas(50, "auto", None, 10, 20)
    AlphaGrid(values=None, size=50, eps=0.01)
    """
    if isinstance(eps, str) and eps == "auto":
        ratio = (AUTO_EPS_WIDE if p > n else AUTO_EPS_TALL) * (RIDGE_EPS if is_ridge else 1.0)
    elif eps is None:
        ratio = DEFAULT_EPS * (RIDGE_EPS if is_ridge else 1.0)
    else:
        ratio = check_real(eps, "eps", 'a number in (0, 1) or "auto"', lambda e: 0 < e < 1)
    count = None if n_alphas is None else check_count(n_alphas, "n_alphas")
    if alphas is None:
        return AlphaGrid(None, count or DEFAULT_SIZE, ratio)
    if np.ndim(alphas) == 0:
        size = _grid_size(alphas)
        if count is not None and size not in (DEFAULT_SIZE, count):
            raise _disagree(f"alphas={size} and n_alphas={count}")
        return AlphaGrid(None, count or size, ratio)
    values = _grid_values(alphas)
    if count not in (None, values.size):
        raise _disagree(f"{values.size} alphas and n_alphas={count}")
    return AlphaGrid(values, values.size, ratio)


def _grid_size(alphas: Any) -> int:
    if isinstance(alphas, np.ndarray):
        alphas = alphas.item()
    if isinstance(alphas, Real) and not isinstance(alphas, Integral):
        remedy = f"pass [{alphas}] for this one value"
        raise DataTypeError(wanted("alphas", "be an integer (grid size) or values", describe(alphas), remedy))
    return check_count(alphas, "alphas")


def _disagree(came: str) -> DataError:
    return DataError(wanted("alphas and n_alphas", "agree", came, "leave n_alphas out"))


def _grid_values(alphas: Any) -> Float64:
    array = as_array(alphas, "alphas")
    if array.ndim != 1 or array.size == 0:
        raise DataError(wanted("alphas", "be an integer or a non-empty vector", f"shape {array.shape}"))
    require_numeric(array, "alphas")
    values = cast(array, np.float64, "alphas")
    good = np.isfinite(values) & (values > 0)
    if not good.all():
        k = int(np.argmin(good))
        remedy = "penalty_factor=0 leaves a feature without penalty"
        raise DataError(wanted("alphas", "be finite and > 0", f"{values[k]} at position {k}", remedy))
    return np.sort(values)[::-1].copy()


def check_options(
    l1_ratio: Any,
    tol: Any,
    max_iter: Any,
    max_features: Any = None,
    max_time: Any = None,
    n_threads: Any = None,
) -> Options:
    """Return the options of the solver as plain numbers.

    Parameters
    ----------
    l1_ratio : float
        In [0, 1].
    tol : float
        Bound of the relative duality gap, finite and >= 0.
    max_iter : int
        At least 1.
    max_features : int, optional
        At least 1.
    max_time : float, optional
        Seconds, > 0.
    n_threads : int, optional
        At least 1.

    Returns
    -------
    Options
        The same, as int and float.

    Raises
    ------
    DataError
        If a number is out of range.
    DataTypeError
        If a number is not a number.

    Examples
    --------
    >>> check_options(1, 1e-7, 1000).l1_ratio
    1.0
    >>> check_options(1.5, 1e-7, 1000)
    Traceback (most recent call last):
        ...
    fastreg.errors.DataError: l1_ratio must be a number in [0, 1], got 1.5
    """
    return Options(
        l1_ratio=check_real(l1_ratio, "l1_ratio", "a number in [0, 1]", lambda v: 0 <= v <= 1),
        tol=check_real(tol, "tol", "a finite number >= 0", lambda v: 0 <= v < np.inf),
        max_iter=check_count(max_iter, "max_iter"),
        max_features=None if max_features is None else check_count(max_features, "max_features"),
        max_time=None
        if max_time is None
        else check_real(max_time, "max_time", "seconds > 0", lambda v: v > 0),
        n_threads=None if n_threads is None else check_count(n_threads, "n_threads"),
    )


def check_drop_in(
    precompute: Any, Xy: Any, copy_X: Any, selection: Any, random_state: Any, check_input: Any, p: int
) -> None:
    """Check the arguments that exist so that calls written for scikit-learn run unchanged.

    None of them can change the result: X is never modified, the input is always checked, and the solver
    decides by cost whether to use a Gram matrix and in which order to descend. `precompute` and `Xy` must
    still have the shapes of X'X and X'y.

    Parameters
    ----------
    precompute : bool, "auto", (p, p) array-like or None
        scikit-learn's Gram matrix.
    Xy : (p,) array-like or None
        scikit-learn's X'y.
    copy_X, check_input : bool
        scikit-learn's switches.
    selection : {"cyclic", "random"}
        Order of descent.
    random_state : int, Generator, RandomState or None
        Seed of scikit-learn's random order.
    p : int
        Columns of X.

    Raises
    ------
    DataError
        If a value or shape is none of the above.
    DataTypeError
        If a type is none of the above.

    Examples
    --------
    >>> check_drop_in("auto", None, True, "cyclic", 0, True, 3)
    >>> check_drop_in(None, None, True, "greedy", None, True, 3)
    Traceback (most recent call last):
        ...
    fastreg.errors.DataError: selection must be "cyclic" or "random", got 'greedy' (str)
    """
    _check_precompute(precompute, p)
    if Xy is not None:
        check_vector(Xy, p, "Xy")
    check_flag(copy_X, "copy_X")
    check_flag(check_input, "check_input")
    if not isinstance(selection, str) or selection not in ("cyclic", "random"):
        raise DataError(wanted("selection", 'be "cyclic" or "random"', describe(selection)))
    seeded = isinstance(random_state, Integral) and not isinstance(random_state, bool)
    if not (random_state is None or seeded or hasattr(random_state, "standard_normal")):
        raise DataTypeError(
            wanted("random_state", "be None, an integer or a generator", describe(random_state))
        )


def _check_precompute(precompute: Any, p: int) -> None:
    if precompute is None or isinstance(precompute, bool | np.bool_):
        return
    if isinstance(precompute, str):
        if precompute != "auto":
            raise DataError(wanted("precompute", 'be a boolean, "auto" or a Gram matrix', repr(precompute)))
        return
    gram = as_array(precompute, "precompute")
    require_numeric(gram, "precompute")
    if gram.shape != (p, p):
        raise DataError(wanted("precompute", f"have shape ({p}, {p}) as a Gram matrix", f"{gram.shape}"))
