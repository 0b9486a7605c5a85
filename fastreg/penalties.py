"""Penalties for weights that other tools train: neural networks, custom optimisers.

All functions take one array, a sequence of arrays, or a mapping of names to arrays (such as
``dict(model.named_parameters())``) and return what they compute in the same form. Arrays may be NumPy's,
PyTorch's, JAX's, or any that follow the array API standard; none of these packages is imported. Gradients
flow through ``value``, ``group_value``, ``prox`` and ``group_prox`` as through any other expression, and
results stay on the device of the weights.

The penalty is that of the path functions (docs/math.md, F1), with l1 = alpha * l1_ratio and
l2 = alpha * (1 - l1_ratio): l1 |w| + l2/2 w^2 for every entry, or l1 ||w||_2 + l2/2 ||w||_2^2 for every
group.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from numbers import Integral
from typing import Any

import numpy as np

from .errors import DataError, DataTypeError
from .validate.options import check_real
from .validate.words import describe, wanted

__all__ = ["group_prox", "group_value", "prox", "subgradient", "value"]

Axes = int | tuple[int, ...]


def value(weights: Any, l1: float = 0.0, l2: float = 0.0, *, leave_out: str | Iterable[str] = ()) -> Any:
    """Return the penalty sum (l1 |w| + l2/2 w^2) over all entries of all weights.

    Parameters
    ----------
    weights : array, sequence of arrays, or mapping of str to array
        Weights of any shapes, real and floating.
    l1, l2 : float
        Strengths >= 0.
    leave_out : str or iterable of str
        Names of a mapping that are not penalised: whole names, last parts of dotted names ("bias"), or
        patterns such as "norm*".

    Returns
    -------
    scalar array
        Of the kind, type and device of the weights; 0.0 where there are none.

    Raises
    ------
    DataError
        If a strength is negative or not finite, or a name to leave out fits nothing.
    DataTypeError
        If weights are not floating arrays.

    Examples
    --------
    >>> import numpy as np
    >>> from fastreg import penalties
    >>> float(penalties.value(np.array([1.0, -2.0]), l1=0.5, l2=0.1))
    1.75
    >>> layers = {"first.weight": np.array([[3.0]]), "first.bias": np.array([9.0])}
    >>> float(penalties.value(layers, l1=1.0, leave_out="bias"))
    3.0
    """
    l1, l2 = _strengths(l1, l2)

    def of_one(w: Any, xp: Any) -> Any:
        return l1 * xp.sum(xp.abs(w)) + (0.5 * l2) * xp.sum(w * w)

    return _total(of_one, weights, leave_out)


def group_value(
    weights: Any, l1: float = 0.0, l2: float = 0.0, *, axis: Axes = 0, leave_out: str | Iterable[str] = ()
) -> Any:
    """Return the penalty sum (l1 ||w_g||_2 + l2/2 ||w_g||_2^2) over all groups g.

    Parameters
    ----------
    weights : array, sequence of arrays, or mapping of str to array
        Weights; a group holds the entries along ``axis``.
    l1, l2 : float
        Strengths >= 0.
    axis : int or tuple of int
        Axes that norms are taken over. For a layer's (outputs, inputs) matrix, 0 makes one group per input.
    leave_out : str or iterable of str
        As in ``value``.

    Returns
    -------
    scalar array
        Of the kind, type and device of the weights; 0.0 where there are none. The gradient of a group of
        zeros is zero.

    Raises
    ------
    DataError
        As in ``value``, or if weights have no such axis.
    DataTypeError
        If weights are not floating arrays.

    Examples
    --------
    >>> import numpy as np
    >>> from fastreg import penalties
    >>> float(penalties.group_value(np.array([[3.0, 0.0], [4.0, 1.0]]), l1=1.0))
    6.0
    """
    l1, l2 = _strengths(l1, l2)

    def of_one(w: Any, xp: Any) -> Any:
        return l1 * xp.sum(_norms(w, axis, xp)) + (0.5 * l2) * xp.sum(w * w)

    return _total(of_one, weights, leave_out)


def prox(
    weights: Any, l1: float = 0.0, l2: float = 0.0, *, step: float = 1.0, leave_out: str | Iterable[str] = ()
) -> Any:
    """Return the proximal map of the penalty: soft thresholding with shrinkage, which makes exact zeros.

    Entry by entry argmin_v (v - w)^2 / 2 + step (l1 |v| + l2/2 v^2)
    = sign(w) max(|w| - step l1, 0) / (1 + step l2).

    Parameters
    ----------
    weights : array, sequence of arrays, or mapping of str to array
        Weights after a gradient step on the loss alone.
    l1, l2 : float
        Strengths >= 0.
    step : float
        Length of the gradient step (the learning rate), > 0.
    leave_out : str or iterable of str
        As in ``value``; these come back as they are.

    Returns
    -------
    array, list of arrays, or dict
        New weights in the form that came in.

    Raises
    ------
    DataError
        As in ``value``.
    DataTypeError
        If weights are not floating arrays.

    Notes
    -----
    Parikh and Boyd, Proximal algorithms, Foundations and Trends in Optimization 1 (2014), sections 4.2
    (proximal gradient) and 6.5.2 (soft thresholding). Optimisers with a step per entry (Adam) need a
    threshold per entry: call it with their step only where they are run as plain gradient descent.

    Examples
    --------
    >>> import numpy as np
    >>> from fastreg import penalties
    >>> penalties.prox(np.array([3.0, -0.5, -2.0]), l1=1.0, l2=1.0)
    array([ 1. ,  0. , -0.5])
    """
    l1, l2 = _strengths(l1, l2)
    step = _step(step)

    def of_one(w: Any, xp: Any) -> Any:
        excess = xp.abs(w) - step * l1
        shrunk = xp.sign(w) * excess * (1.0 / (1.0 + step * l2))
        # Not the other way round: NaN stays NaN.
        return xp.where(excess <= 0.0, xp.zeros_like(w), shrunk)

    return _each(of_one, weights, leave_out)


def group_prox(
    weights: Any,
    l1: float = 0.0,
    l2: float = 0.0,
    *,
    axis: Axes = 0,
    step: float = 1.0,
    leave_out: str | Iterable[str] = (),
) -> Any:
    """Return the proximal map of the group penalty: whole groups become exact zeros.

    Group by group w_g max(1 - step l1 / ||w_g||_2, 0) / (1 + step l2).

    Parameters
    ----------
    weights : array, sequence of arrays, or mapping of str to array
        Weights after a gradient step on the loss alone.
    l1, l2 : float
        Strengths >= 0.
    axis : int or tuple of int
        As in ``group_value``.
    step : float
        Length of the gradient step, > 0.
    leave_out : str or iterable of str
        As in ``value``; these come back as they are.

    Returns
    -------
    array, list of arrays, or dict
        New weights in the form that came in.

    Raises
    ------
    DataError
        As in ``group_value``.
    DataTypeError
        If weights are not floating arrays.

    Notes
    -----
    Yuan and Lin, J. R. Stat. Soc. B 68 (2006) 49-67; Parikh and Boyd (2014), section 6.5.4.

    Examples
    --------
    >>> import numpy as np
    >>> from fastreg import penalties
    >>> penalties.group_prox(np.array([[3.0, 0.3], [4.0, 0.4]]), l1=1.0)
    array([[2.4, 0. ],
           [3.2, 0. ]])
    """
    l1, l2 = _strengths(l1, l2)
    step = _step(step)

    def of_one(w: Any, xp: Any) -> Any:
        norms = _norms(w, axis, xp)
        dies = norms <= step * l1
        safe = xp.where(dies, xp.ones_like(norms), norms)
        kept = xp.where(dies, xp.zeros_like(norms), 1.0 - (step * l1) / safe)
        return w * (kept * (1.0 / (1.0 + step * l2)))

    return _each(of_one, weights, leave_out)


def subgradient(
    weights: Any, l1: float = 0.0, l2: float = 0.0, *, leave_out: str | Iterable[str] = ()
) -> Any:
    """Return the subgradient of the penalty of least norm where the loss is flat: l1 sign(w) + l2 w.

    Descending along it shrinks weights but leaves hardly any at exactly zero: it steps across. ``prox`` does.

    Parameters
    ----------
    weights : array, sequence of arrays, or mapping of str to array
        Weights.
    l1, l2 : float
        Strengths >= 0.
    leave_out : str or iterable of str
        As in ``value``; zeros come back for these.

    Returns
    -------
    array, list of arrays, or dict
        Subgradients in the form that came in.

    Raises
    ------
    DataError
        As in ``value``.
    DataTypeError
        If weights are not floating arrays.

    Examples
    --------
    >>> import numpy as np
    >>> from fastreg import penalties
    >>> penalties.subgradient([np.array([2.0, 0.0, -1.0])], l1=0.5, l2=0.1)
    [array([ 0.7,  0. , -0.6])]
    """
    l1, l2 = _strengths(l1, l2)

    def of_one(w: Any, xp: Any) -> Any:
        return l1 * xp.sign(w) + l2 * w

    return _each(of_one, weights, leave_out, otherwise=lambda w, xp: xp.zeros_like(w))


def _strengths(l1: Any, l2: Any) -> tuple[float, float]:
    """Return both strengths, checked."""
    checked = [
        check_real(strength, name, "a finite number >= 0", lambda v: 0.0 <= v < np.inf)
        for name, strength in (("l1", l1), ("l2", l2))
    ]
    return checked[0], checked[1]


def _step(step: Any) -> float:
    return check_real(step, "step", "a finite number > 0", lambda v: 0.0 < v < np.inf)


def _namespace(w: Any, name: str) -> Any:
    """Return the functions that go with an array: its own by the standard, else those of its package."""
    own = getattr(w, "__array_namespace__", None)
    xp = own() if own is not None else sys.modules.get(type(w).__module__.partition(".")[0])
    if xp is None or not hasattr(w, "dtype") or not hasattr(xp, "zeros_like"):
        remedy = "numpy.asarray makes an array of it"
        raise DataTypeError(wanted(name, "be an array (NumPy, PyTorch, JAX, ...)", describe(w), remedy))
    if "float" not in str(w.dtype):
        remedy = "thresholds would be rounded"
        raise DataTypeError(wanted(name, "hold real floating numbers", f"{w.dtype}", remedy))
    return xp


def _norms(w: Any, axis: Any, xp: Any) -> Any:
    """Return the Euclidean norms over the axes, which stay with length one; no gradient where all is zero."""
    axes = tuple(axis) if isinstance(axis, tuple | list) else (axis,)
    if not all(isinstance(a, Integral) and not isinstance(a, bool) for a in axes):
        raise DataTypeError(wanted("axis", "be an integer or a tuple of integers", describe(axis)))
    axes = tuple(int(a) for a in axes)
    count = len(w.shape)
    if not axes or len({a % count for a in axes if -count <= a < count}) != len(axes):
        came = f"axis={axis!r} for shape {tuple(w.shape)}"
        raise DataError(wanted("axis", "name axes of the weights, each once", came))
    squares = xp.sum(w * w, axis=axes, keepdims=True)
    is_zero = squares == 0.0
    # The square root has no derivative at zero, and NaN times zero is NaN: it never sees a zero.
    safe = xp.where(is_zero, xp.ones_like(squares), squares)
    return xp.where(is_zero, xp.zeros_like(squares), xp.sqrt(safe))


def _named(weights: Any) -> list[tuple[str, Any]]:
    """Return all arrays with what to call them in an error."""
    if isinstance(weights, Mapping):
        return [(str(name), w) for name, w in weights.items()]
    if isinstance(weights, Sequence):
        return [(f"weights[{i}]", w) for i, w in enumerate(weights)]
    return [("weights", weights)]


def _penalised(weights: Any, leave_out: str | Iterable[str]) -> list[bool]:
    """Tell for every array whether it is penalised."""
    patterns = [leave_out] if isinstance(leave_out, str) or not isinstance(leave_out, Iterable) else leave_out
    patterns = list(patterns)
    if not all(isinstance(pattern, str) for pattern in patterns):
        raise DataTypeError(wanted("leave_out", "be a name or several", describe(leave_out)))
    if patterns and not isinstance(weights, Mapping):
        remedy = "pass a mapping of names to arrays, or leave the arrays out yourself"
        raise DataError(wanted("leave_out", "be empty for weights without names", repr(patterns), remedy))
    names = [name for name, _ in _named(weights)]
    for pattern in patterns:
        if not any(_fits(name, pattern) for name in names):
            known = ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")
            raise DataError(wanted("leave_out", f"name weights among {known}", repr(pattern)))
    return [not any(_fits(name, pattern) for pattern in patterns) for name in names]


def _fits(name: str, pattern: str) -> bool:
    return fnmatchcase(name, pattern) or fnmatchcase(name.rpartition(".")[2], pattern)


def _total(of_one: Callable[[Any, Any], Any], weights: Any, leave_out: str | Iterable[str]) -> Any:
    """Return the sum over all penalised arrays."""
    kept = _penalised(weights, leave_out)
    # What diverged is inf, as elsewhere: NumPy alone would warn.
    with np.errstate(over="ignore"):
        parts = [
            of_one(w, _namespace(w, name))
            for (name, w), is_in in zip(_named(weights), kept, strict=True)
            if is_in
        ]
        return sum(parts[1:], start=parts[0]) if parts else 0.0


def _each(
    of_one: Callable[[Any, Any], Any],
    weights: Any,
    leave_out: str | Iterable[str],
    otherwise: Callable[[Any, Any], Any] = lambda w, xp: w,
) -> Any:
    """Return all arrays mapped, those left out by ``otherwise``, in the form that came in."""
    kept = _penalised(weights, leave_out)
    with np.errstate(over="ignore"):
        mapped = [
            (of_one if is_in else otherwise)(w, _namespace(w, name))
            for (name, w), is_in in zip(_named(weights), kept, strict=True)
        ]
    if isinstance(weights, Mapping):
        return dict(zip(weights, mapped, strict=True))
    return mapped if isinstance(weights, Sequence) else mapped[0]
