"""Pictures of paths, cross-validation, stability and criteria with matplotlib.

Every function draws a result on the axes it is given, or on those of a new figure, and returns them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from . import _draw
from .result import PathResult
from .selection.cv_result import CVResult
from .selection.stability_result import StabilityResult

__all__ = ["plot_criteria", "plot_cv", "plot_gap", "plot_path", "plot_stability"]


def plot_path(path: PathResult, ax: Any = None, *, labels: int = 10, along: str = "alpha") -> Any:
    """Draw coefficients along the path, feature counts on top and the largest named at the edge.

    Parameters
    ----------
    path : PathResult
        What to draw.
    ax : matplotlib Axes, optional
        Where to draw; None makes a new figure.
    labels : int
        How many lines to colour and name.
    along : {"alpha", "norm", "deviance"}
        The axis: alpha on a log scale, sum_j |coef_j| or the share of the deviance explained.

    Returns
    -------
    matplotlib Axes
        The axes drawn on.

    Raises
    ------
    ImportError
        If matplotlib is absent.
    DataError
        If there is no such axis.

    Examples
    --------
    >>> from fastreg import lasso_path, plots
    >>> path = lasso_path([[2, 0], [0, 2]], [6, 2], alphas=[6, 2, 1], fit_intercept=False)
    >>> plots.plot_path(path, along="norm").get_xlabel()
    'sum of |coefficient|'
    """
    return path.plot(ax, labels=labels, along=along)


def plot_gap(path: PathResult, ax: Any = None) -> Any:
    """Draw the relative duality gap at every alpha, with the tolerance.

    Parameters
    ----------
    path : PathResult
        What to draw.
    ax : matplotlib Axes, optional
        Where to draw; None makes a new figure.

    Returns
    -------
    matplotlib Axes
        The axes drawn on.

    Raises
    ------
    ImportError
        If matplotlib is absent.

    Examples
    --------
    >>> from fastreg import lasso_path, plots
    >>> path = lasso_path([[2, 0], [0, 2]], [6, 2], alphas=[6, 2, 1], fit_intercept=False)
    >>> plots.plot_gap(path).get_yscale()
    'log'
    """
    return path.plot_gap(ax)


def plot_cv(result: CVResult, ax: Any = None) -> Any:
    """Draw the mean score of the folds with error bars, and lines at the best alpha and the 1-SE alpha.

    Parameters
    ----------
    result : CVResult
        What to draw.
    ax : matplotlib Axes, optional
        Where to draw; None makes a new figure.

    Returns
    -------
    matplotlib Axes
        The axes drawn on.

    Raises
    ------
    ImportError
        If matplotlib is absent.

    Examples
    --------
    >>> from fastreg import cv_path, datasets, plots
    >>> data = datasets.make_wide(n=40, p=60, n_true=3, seed=0)
    >>> plots.plot_cv(cv_path(data.X, data.y, cv=4, alphas=15)).get_xlabel()
    'alpha'
    """
    return result.plot(ax)


def plot_stability(result: StabilityResult, ax: Any = None, *, labels: int = 12) -> Any:
    """Draw the share of subsamples that select each feature along the path, the stable ones named.

    Parameters
    ----------
    result : StabilityResult
        What to draw.
    ax : matplotlib Axes, optional
        Where to draw; None makes a new figure.
    labels : int
        How many features to name at most.

    Returns
    -------
    matplotlib Axes
        The axes drawn on.

    Raises
    ------
    ImportError
        If matplotlib is absent.

    Examples
    --------
    >>> from fastreg import datasets, plots, stability_selection
    >>> data = datasets.make_wide(n=60, p=40, n_true=2, seed=0)
    >>> plots.plot_stability(stability_selection(data.X, data.y, pairs=10)).get_xlabel()
    'alpha'
    """
    return result.plot(ax, labels=labels)


def plot_criteria(path: PathResult, names: Sequence[str] = ("aicc", "bic", "ebic"), ax: Any = None) -> Any:
    """Draw information criteria above their minima along the path.

    Parameters
    ----------
    path : PathResult
        What to draw.
    names : sequence of str
        Criteria, as ``PathResult.criterion`` knows them.
    ax : matplotlib Axes, optional
        Where to draw; None makes a new figure.

    Returns
    -------
    matplotlib Axes
        The axes drawn on.

    Raises
    ------
    ImportError
        If matplotlib is absent.
    DataError
        If there is no such criterion.

    Examples
    --------
    >>> from fastreg import datasets, lasso_path, plots
    >>> data = datasets.make_wide(n=60, p=40, n_true=2, seed=0)
    >>> path = lasso_path(data.X, data.y, fit_intercept=True, eps=0.05)
    >>> plots.plot_criteria(path, ["bic"]).get_ylabel()
    'criterion above its minimum'
    """
    curves = {name: path.criterion(name) for name in names}
    ax = _draw.new_axes(ax)
    _draw.draw_criteria(ax, _draw.along_alpha(path.alphas), curves, path.n_nonzero)
    return ax
