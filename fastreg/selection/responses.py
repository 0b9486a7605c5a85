"""Many responses, each with a path of its own, on one X that is checked and surveyed once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from .._typing import Float64
from ..control import Member, Monitor
from ..designs import Design, Opening, make_design
from ..designs.blocks import correlations
from ..designs.threads import available_threads
from ..errors import ConvergenceWarning, DataError, warn
from ..problem import Response
from ..request import Request, Study, is_off_centre, make_study, warn_no_intercept
from ..result import PathResult
from ..validate import (
    check_alphas,
    check_coefficients,
    check_flag,
    check_matrix,
    check_options,
    check_weights,
)
from ..validate.labels import check_responses
from ..validate.words import describe, wanted
from .parallel import in_threads
from .source import Source

__all__ = ["independent_paths"]

# Options that tell of one path at a time.
OF_ONE_PATH = ("callback", "verbose")
# Names that a warning lists at most.
MOST_NAMED = 5


@dataclass(frozen=True, eq=False)
class _Responses:
    """Studies of every response, and what they share: X as it was surveyed, and its correlations."""

    studies: list[Study]
    design: Design
    products: Float64
    w: Float64
    max_features: int | None
    grid_size: int

    def fit(self, c: int, monitor: Monitor) -> PathResult:
        """Return the path of one response."""
        monitor.max_features, monitor.total = self.max_features, self.grid_size
        design = replace(self.design, opening=Opening(self.products[c]))
        return self.studies[c].fit(None, monitor, is_part=True, design=design)


def independent_paths(
    X: Any, Y: Any, ask: Request, how: Any, *, default_intercept: bool
) -> tuple[PathResult, ...]:
    """Solve one path per column of Y; each is that of its column alone.

    X is checked and surveyed once, all correlations with the responses are one product of matrices, and the
    paths are solved in threads.

    Parameters
    ----------
    X : array-like, sparse or data frame of shape (n, p)
        Features.
    Y : (n, q) array-like or data frame
        Responses.
    ask : Request
        What the path functions take; family gaussian.
    how : "independent"
        What the user said.
    default_intercept : bool
        Whether there is an intercept where nothing was said.

    Returns
    -------
    tuple of PathResult
        In the order of the columns. After Ctrl-C or at the end of the budget those that were not finished are
        shorter, and their status says why.

    Raises
    ------
    DataError
        If a value cannot be used; one in Y by its row and column.
    """
    if not isinstance(how, str) or how != "independent":
        remedy = "multitask_path fits responses that share their features"
        raise DataError(wanted("multi_response", "be None or 'independent'", describe(how), remedy))
    for name in OF_ONE_PATH:
        if getattr(ask, name):
            raise DataError(f"{name} tells of one path, got it with multi_response={how!r}: leave it out")
    study = make_study(X, Y, ask, default_intercept=default_intercept)
    options = check_options(
        ask.l1_ratio, ask.tol, ask.max_iter, ask.max_features, ask.max_time, ask.n_threads
    )
    names, values = check_responses(Y, study.given.n)
    found = _prepared(study, values, options.max_features)
    labels = [str(c) if names is None else repr(names[c]) for c in range(values.shape[1])]
    if ask.fit_intercept is None and not study.fit_intercept:
        _warn_off_centre(found, labels)
    whole = Monitor(len(labels), options.max_time, None, None, ask.progress, False, "response")
    fits: list[Callable[[Monitor], PathResult | None]]
    fits = [partial(found.fit, c) for c in range(len(labels))]
    with whole:
        paths = in_threads(fits, options.n_threads or available_threads(), whole)
        # What was not begun ends at once, and says why.
        results = [found.fit(c, Member(whole)) if path is None else path for c, path in enumerate(paths)]
    _warn_of_gaps(results, labels)
    sources = [Source(X, values[:, c], each.ask, default_intercept) for c, each in enumerate(found.studies)]
    return tuple(replace(path, source=source) for path, source in zip(results, sources, strict=True))


def _prepared(study: Study, values: Float64, max_features: int | None) -> _Responses:
    """Survey X and read all correlations."""
    given, ask = study.given, study.ask
    n_threads = ask.n_threads or available_threads()
    count = values.shape[1]
    offsets, starts = _per_response(ask.offset, (given.n, count)), _starts(ask.coef_init, given.p, count)
    studies = [
        study.asking(
            y=values[:, c],
            offset=offsets[c],
            coef_init=starts[c],
            n_threads=1,
            fit_intercept=study.fit_intercept,
            max_features=None,
        )
        for c in range(count)
    ]
    w, _ = check_weights(ask.sample_weight, given.n)
    grid = check_alphas(ask.alphas, ask.eps, ask.n_alphas, given.n, given.p, is_ridge=ask.l1_ratio == 0)
    design = make_design(
        given,
        w,
        np.zeros(given.n),
        fit_intercept=study.fit_intercept,
        standardize=check_flag(ask.standardize, "standardize"),
        n_threads=n_threads,
    )
    centred = np.column_stack([_centred(each) for each in studies])
    products = np.ascontiguousarray(correlations(design, w, centred).T)
    return _Responses(studies, replace(design, memory={}), products, w, max_features, grid.size)


def _centred(study: Study) -> Float64:
    """Return the response as the solver takes it."""
    target = study.target()
    assert isinstance(target, Response)
    return target.values


def _per_response(offset: Any, shape: tuple[int, int]) -> list[Any]:
    """Return the offset of every response: one column for all, or one for each."""
    if offset is None or np.ndim(offset) < 2 or np.shape(offset)[1] == 1:
        return [offset] * shape[1]
    return list(check_matrix(offset, shape, "offset").T)


def _starts(coef_init: Any, p: int, count: int) -> list[Any]:
    """Return the coefficients that every path starts from: one vector for all, or one for each."""
    if np.ndim(coef_init) == 2 and np.shape(coef_init)[1] == p:
        return list(check_matrix(coef_init, (count, p), "coef_init"))
    return [check_coefficients(coef_init, p)] * count


def _warn_off_centre(found: _Responses, labels: Sequence[str]) -> None:
    """Warn once of responses with a mean that no intercept takes up."""
    off = [
        name
        for name, each in zip(labels, found.studies, strict=True)
        if is_off_centre(_centred(each), found.w)
    ]
    if off:
        warn_no_intercept(f"{_named(off)} of y have means that are no accident")


def _warn_of_gaps(results: Sequence[PathResult], labels: Sequence[str]) -> None:
    """Warn once of responses whose paths missed the tolerance somewhere."""
    missed = [
        name for name, path in zip(labels, results, strict=True) if (path.relative_gaps > path.tol).any()
    ]
    if missed:
        warn(
            f"the paths of {_named(missed)} of y have alphas that did not reach tol: raise max_iter or tol",
            ConvergenceWarning,
        )


def _named(labels: Sequence[str]) -> str:
    """Return the names of some columns in words."""
    shown = ", ".join(labels[:MOST_NAMED]) + (", ..." if len(labels) > MOST_NAMED else "")
    return f"{len(labels)} columns ({shown})" if len(labels) > 1 else f"column {shown}"
