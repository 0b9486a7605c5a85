"""What every path function does: check all that was asked at the border, then solve."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from ._typing import Float64
from .control import Monitor
from .designs.threads import available_threads
from .errors import InputWarning
from .path import PathSettings, fit_path
from .penalty import make_penalty
from .problem import make_problem, make_response
from .result import PathResult
from .validate import (
    check_alphas,
    check_coefficients,
    check_design,
    check_drop_in,
    check_flag,
    check_offset,
    check_options,
    check_response,
    check_weights,
)

DEFAULT_TOL = 1e-7
# Rounds of the solver at one alpha: far beyond what any certified path has needed.
DEFAULT_MAX_ITER = 10_000
# A mean of y beyond this many standard errors is not a centred response.
OFF_CENTRE = 6.0


@dataclass(frozen=True)
class Request:
    """What all path functions take, exactly as given."""

    eps: Any
    alphas: Any
    l1_ratio: Any
    fit_intercept: Any
    standardize: Any
    sample_weight: Any
    offset: Any
    penalty_factor: Any
    positive: Any
    lower_limits: Any
    upper_limits: Any
    coef_init: Any
    max_features: Any
    max_time: Any
    tol: Any
    max_iter: Any
    n_threads: Any
    callback: Any
    progress: Any
    verbose: Any
    return_n_iter: Any
    feature_names: Any
    n_alphas: Any
    precompute: Any
    Xy: Any
    copy_X: Any
    check_input: Any
    selection: Any
    random_state: Any


def run(X: Any, y: Any, ask: Request, *, default_intercept: bool) -> PathResult:
    """Check everything at the border, then solve the path."""
    options = check_options(
        ask.l1_ratio, ask.tol, ask.max_iter, ask.max_features, ask.max_time, ask.n_threads
    )
    given = check_design(X, ask.feature_names)
    check_drop_in(
        ask.precompute, ask.Xy, ask.copy_X, ask.selection, ask.random_state, ask.check_input, given.p
    )
    response = check_response(y, given.n)
    w, total_weight = check_weights(ask.sample_weight, given.n)
    offset = check_offset(ask.offset, given.n) if ask.offset is not None else None
    grid = check_alphas(ask.alphas, ask.eps, ask.n_alphas, given.n, given.p)
    penalty = make_penalty(
        given.p, options.l1_ratio, ask.penalty_factor, ask.positive, ask.lower_limits, ask.upper_limits
    )
    coef_init = check_coefficients(ask.coef_init, given.p)
    fit_intercept = (
        default_intercept if ask.fit_intercept is None else check_flag(ask.fit_intercept, "fit_intercept")
    )
    if ask.fit_intercept is None and not default_intercept:
        _warn_off_centre(response if offset is None else response - offset, w)
    monitor = Monitor(
        grid.size, options.max_time, options.max_features, ask.callback, ask.progress, ask.verbose
    )
    settings = PathSettings(
        tol=options.tol,
        max_iter=options.max_iter,
        n_threads=options.n_threads or available_threads(),
        coef_init=coef_init,
        return_n_iter=check_flag(ask.return_n_iter, "return_n_iter"),
    )
    target = make_response(response, offset, w, total_weight, fit_intercept=fit_intercept)
    problem = make_problem(
        given,
        target,
        penalty,
        fit_intercept=fit_intercept,
        standardize=check_flag(ask.standardize, "standardize"),
        n_threads=settings.n_threads,
    )
    return fit_path(problem, grid, settings, monitor)


def _warn_off_centre(y: Float64, w: Float64) -> None:
    """Warn when a path without intercept was not asked for and y has a mean that is no accident."""
    mean = float(w @ y)
    spread = float(np.sqrt(w @ (y - mean) ** 2))
    if abs(mean) > OFF_CENTRE * spread / np.sqrt(len(y)) and abs(mean) > 1e-8 * float(np.max(np.abs(y))):
        warnings.warn(
            f"y has mean {mean:.4g} and standard deviation {spread:.4g}, but no intercept is fitted, as in "
            "scikit-learn's path functions: pass fit_intercept=True, or fit_intercept=False to say that this "
            "is meant",
            InputWarning,
            stacklevel=4,
        )


def passed(local: dict[str, Any], **fixed: Any) -> Request:
    """Return a path function's arguments, given as its locals(), as a request."""
    return Request(**{field.name: fixed.get(field.name, local.get(field.name)) for field in fields(Request)})
