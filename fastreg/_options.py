"""The keyword arguments of least-squares path functions, for the types of what they return."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypedDict

from ._typing import Float64
from .control import PathStep


class SquaresOptions(TypedDict, total=False):
    """Name and type what ``lasso_path``, ``enet_path`` and ``ridge_path`` take; described there."""

    eps: float | str | None
    alphas: int | Sequence[float] | Float64 | None
    fit_intercept: bool | None
    standardize: bool
    sample_weight: Any
    offset: Any
    penalty_factor: Any
    positive: bool
    lower_limits: Any
    upper_limits: Any
    coef_init: Any
    max_features: int | None
    max_time: float | None
    tol: float
    max_iter: int
    n_threads: int | None
    callback: Callable[[PathStep], Any] | None
    progress: bool
    verbose: bool | int
    return_n_iter: bool
    feature_names: Sequence[str] | None
    n_alphas: int | None
    precompute: Any
    Xy: Any
    copy_X: bool
    check_input: bool
    selection: str
    random_state: Any


class EnetOptions(SquaresOptions, total=False):
    """Add the share of the L1 penalty."""

    l1_ratio: float
