"""Vectors that repeat one number: most penalties, limits and scales, which need no memory per feature."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["at_length", "repeat", "shortest"]


@lru_cache(maxsize=256, typed=True)
def repeat(value: float | bool, size: int) -> NDArray[Any]:
    """Return a read-only vector of equal entries that all lie at one place in memory; made once.

    Parameters
    ----------
    value : float or bool
        The entry.
    size : int
        Length of the vector.

    Returns
    -------
    (size,) array
        A view of one entry.

    Examples
    --------
    >>> repeat(1.0, 3), repeat(1.0, 3).strides
    (array([1., 1., 1.]), (0,))
    """
    vector = np.broadcast_to(np.array(value), (size,))
    # A view that NumPy still lets become writable would be everybody's.
    vector.flags.writeable = False
    return vector


def shortest(vector: NDArray[Any]) -> NDArray[Any]:
    """Return a vector that ``repeat`` made as its one entry, any other as it is.

    Parameters
    ----------
    vector : (p,) array
        Numbers per feature.

    Returns
    -------
    (1,) or (p,) array
        A view. NumPy's arithmetic takes both alike.
    """
    return vector[:1] if vector.strides == (0,) else vector


def at_length(vector: NDArray[Any], size: int) -> NDArray[Any]:
    """Return the vector that one entry stands for, or a vector of full length.

    Parameters
    ----------
    vector : (), (1,) or (size,) array
        As kernels take it.
    size : int
        Length.

    Returns
    -------
    (size,) array
        A read-only view.
    """
    return repeat(vector.item(), size) if vector.size == 1 else np.broadcast_to(vector, (size,))
