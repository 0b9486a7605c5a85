"""The check of what a classifier is fitted to: classes that there is something to tell about."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from .._sums import inner
from .._typing import Float64
from ..errors import DataError
from .labels import Labels, check_labels, plain_entries
from .vectors import check_response
from .words import wanted

__all__ = ["check_classes", "check_fractions", "require_weight"]

NUMBERS = "lasso_path and huber_path fit numbers"


def check_classes(y: Any, n: int, w: Float64 | None, most: int | None = None) -> Labels:
    """Return labels of at least two classes.

    Parameters
    ----------
    y : (n,) array-like
        Labels of any kind.
    n : int
        Rows of X.
    w : (n,) float64 or None
        Weights, where every class must have a row that weighs something.
    most : int, optional
        Largest number of classes.

    Returns
    -------
    Labels
        Sorted classes, and the position of every row's own.

    Raises
    ------
    DataError
        If there is one class only, more than wanted, or one without weight.

    Examples
    --------
    >>> check_classes(["a", "b", "a"], 3, None).classes
    ('a', 'b')
    >>> check_classes([1, 1, 1], 3, None)
    Traceback (most recent call last):
        ...
    fastreg.errors.DataError: y must hold at least two classes, got 1 only; there is nothing to tell apart
    """
    if np.ndim(y) == 2 and np.shape(y)[1] > 1:
        remedy = "multinomial_path takes one column per class"
        raise DataError(wanted("y", f"have shape ({n},)", str(np.shape(y)), remedy))
    labels = check_labels(y, n)
    classes = labels.classes
    odd = next((each for each in classes if isinstance(each, float) and not each.is_integer()), None)
    if odd is not None and len(classes) > 2:
        raise DataError(
            wanted("y", "hold labels", f"{len(classes)} distinct numbers, such as {odd:g}", NUMBERS)
        )
    if most is not None and len(classes) > most:
        remedy = "multinomial_path fits several classes"
        raise DataError(wanted("y", f"hold {most} classes", str(len(classes)), remedy))
    if len(classes) < 2:
        raise DataError(
            wanted("y", "hold at least two classes", f"{classes[0]!r} only", "there is nothing to tell apart")
        )
    if w is not None:
        require_weight(classes, np.bincount(labels.codes, weights=w, minlength=len(classes)))
    return labels


def require_weight(classes: tuple[Any, ...], weights: Iterable[float]) -> None:
    """Raise for a class without weight, whose intercept would be minus infinity."""
    for name, weight in zip(classes, weights, strict=True):
        if not weight > 0.0:
            remedy = "drop the class, or pass fit_intercept=False"
            raise DataError(
                wanted("y", "have a row of positive weight in every class", f"none in {name!r}", remedy)
            )


def check_fractions(y: Any, n: int, w: Float64 | None) -> Float64 | None:
    """Return proportions of the second of two classes, or None where y holds labels.

    Numbers in [0, 1] of which one is neither 0 nor 1 are proportions; all else are labels.

    Parameters
    ----------
    y : (n,) array-like
        Labels or proportions.
    n : int
        Rows of X.
    w : (n,) float64 or None
        Weights, where both classes must have some.

    Returns
    -------
    (n,) float64 or None
        The proportions.

    Raises
    ------
    DataError
        If all rows that weigh something belong to one class.

    Examples
    --------
    >>> check_fractions([0.25, 1.0], 2, None)
    array([0.25, 1.  ])
    >>> check_fractions([0.0, 1.0], 2, None) is None
    True
    """
    array = plain_entries(y, "y")
    if array.dtype.kind != "f" or array.shape not in ((n,), (n, 1)):
        return None
    if not ((array >= 0.0) & (array <= 1.0)).all() or (array == np.rint(array)).all():
        return None
    shares = check_response(array, n)
    if w is not None:
        require_weight(
            ("the first class", "the second class"), (float(inner(w, 1.0 - shares)), float(inner(w, shares)))
        )
    return shares
