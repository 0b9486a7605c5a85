"""Many responses, each with a path of its own, on one X that is checked and surveyed once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np

from .._typing import Float64
from ..control import Member, Monitor
from ..designs import Design, Opening, make_design
from ..designs.threads import available_threads
from ..errors import ConvergenceWarning, DataError, warn
from ..kernels.together import correlate_several
from ..path import PathUnderWay
from ..problem import Response
from ..request import Request, Study, is_off_centre, make_study, warn_no_intercept
from ..result import PathResult
from ..validate import (
    check_coefficients,
    check_matrix,
    check_options,
    check_weights,
)
from ..validate.labels import check_responses
from ..validate.words import describe, wanted
from .parallel import in_threads
from .side_by_side import TOGETHER, carry_on_together
from .source import Source

__all__ = ["independent_paths"]

# Options that tell of one path at a time.
OF_ONE_PATH = ("callback", "verbose")
# Names that a warning lists at most.
MOST_NAMED = 5


@dataclass(frozen=True, eq=False)
class _Responses:
    """Studies of every response, and what they share: X as it was surveyed."""

    studies: list[Study]
    targets: list[Response]
    sources: list[Source]
    design: Design
    w: Float64
    max_features: int | None
    grid_size: int

    def begin(self, c: int, product: Float64, monitor: Monitor) -> PathUnderWay:
        """Begin the path of one response, whose correlations with all columns are known."""
        monitor.max_features, monitor.total = self.max_features, self.grid_size
        design = replace(self.design, opening=Opening(product))
        return self.studies[c].begin(self.targets[c], monitor, design, self.sources[c])

    def fit(self, some: range, monitor: Monitor) -> list[PathResult]:
        """Return the paths of some responses; they share the reading of X."""
        products = _correlations(self.design, self.w * np.array([self.targets[c].values for c in some]))
        paths = [self.begin(c, product, monitor) for c, product in zip(some, products, strict=True)]
        # They live on in the references.
        del products
        carry_on_together(paths)
        return [path.result() for path in paths]


def independent_paths(
    X: Any, Y: Any, ask: Request, how: Any, *, default_intercept: bool
) -> tuple[PathResult, ...]:
    """Solve one path per column of Y; each is that of its column alone.

    X is checked and surveyed once; batches of paths are solved in threads, and those of a batch share the
    reading of X.

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
    found = _prepared(study, X, values, options.max_features, default_intercept)
    labels = [str(c) if names is None else repr(names[c]) for c in range(values.shape[1])]
    if ask.fit_intercept is None and not study.fit_intercept:
        _warn_off_centre(found, labels)
    whole = Monitor(len(labels), options.max_time, None, None, ask.progress, False, "response")
    batches = _batches(len(labels))
    fits: list[Callable[[Monitor], list[PathResult] | None]] = [partial(found.fit, some) for some in batches]
    with whole:
        paths = in_threads(fits, options.n_threads or available_threads(), whole)
        # What was not begun ends at once, and says why.
        ended = [paths[k] or found.fit(some, Member(whole)) for k, some in enumerate(batches)]
    results = tuple(path for some in ended for path in some)
    _warn_of_gaps(results, labels)
    return results


def _prepared(
    study: Study, X: Any, values: Float64, max_features: int | None, default_intercept: bool
) -> _Responses:
    """Survey X."""
    given, ask = study.given, study.ask
    n_threads = ask.n_threads or available_threads()
    count = values.shape[1]
    offsets, starts = _per_response(ask.offset, (given.n, count)), _starts(ask.coef_init, given.p, count)
    # One for all: what is asked is checked once.
    any_response = study.asking(n_threads=1, fit_intercept=study.fit_intercept, max_features=None)
    studies = [
        any_response.asking(y=values[:, c], offset=offsets[c], coef_init=starts[c]) for c in range(count)
    ]
    w, _ = check_weights(ask.sample_weight, given.n)
    terms = any_response.terms
    design = make_design(
        given,
        w,
        np.zeros(given.n),
        fit_intercept=study.fit_intercept,
        standardize=terms.standardize,
        n_threads=n_threads,
    )
    targets = [_target(each) for each in studies]
    sources = [Source(X, values[:, c], each.ask, default_intercept) for c, each in enumerate(studies)]
    shared = replace(design, memory={})
    return _Responses(studies, targets, sources, shared, w, max_features, terms.grid.size)


def _batches(count: int) -> list[range]:
    """Return which responses are solved side by side: up to TOGETHER, and in batches that two threads share.

    A last batch of few, or one without a counterpart, would let a thread wait for the other. That batches do
    not depend on the threads keeps answers from it.
    """
    pairs = -(-count // (2 * TOGETHER))
    bounds = [count * b // (2 * pairs) for b in range(2 * pairs + 1)]
    return [range(start, stop) for start, stop in pairwise(bounds) if start < stop]


def _correlations(design: Design, weighted: Float64) -> Float64:
    """Return the products of all columns with some vectors, each times the weights, (vectors, p)."""
    products = np.empty((len(weighted), design.p))
    # Not by BLAS: its threads would go on waiting for work while ours have some.
    correlate_several(design.columns, np.arange(design.p), weighted, weighted.sum(axis=1), products)
    return products


def _target(study: Study) -> Response:
    """Return the response as the solver takes it."""
    target = study.target()
    assert isinstance(target, Response)
    return target


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
        for name, target in zip(labels, found.targets, strict=True)
        if is_off_centre(target.values, found.w)
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
