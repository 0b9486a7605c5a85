"""What path functions are asked, checked at the border, and the data it is asked about."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any

import numpy as np

from ._sums import inner
from ._typing import Float64
from .afterwards import with_rows_seen
from .control import Member, Monitor, PathInterrupted, PathStep
from .designs import Design
from .designs.threads import available_threads
from .errors import InputWarning, warn
from .families import FamilyOptions, Target, canonical, check_owned, make_target
from .path import PathSettings, PathUnderWay, fit_path
from .penalty import Penalty, make_penalty
from .problem import Problem, Response, make_problem, make_response
from .result import PathResult
from .validate import (
    AlphaGrid,
    DesignInput,
    Options,
    check_alphas,
    check_coefficients,
    check_design,
    check_drop_in,
    check_flag,
    check_matrix,
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
# What tells of rows or of the start: studies that differ in these alone share their terms.
BESIDE_TERMS = frozenset({"offset", "coef_init"})


@dataclass(frozen=True)
class Request:
    """What path functions take, exactly as given; what a function does not take has its default here."""

    eps: Any
    alphas: Any
    l1_ratio: Any
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
    feature_names: Any
    fit_intercept: Any = None
    return_n_iter: Any = False
    n_alphas: Any = None
    precompute: Any = None
    Xy: Any = None
    copy_X: Any = True
    check_input: Any = True
    selection: Any = "cyclic"
    random_state: Any = None
    family: Any = "gaussian"
    delta: Any = None
    scale: Any = None
    ties: Any = None
    strata: Any = None
    grouped: Any = None

    @property
    def family_options(self) -> FamilyOptions:
        """Return the options that belong to some families only."""
        return FamilyOptions(self.delta, self.scale, self.ties, self.strata, self.grouped)


def make_study(X: Any, y: Any, ask: Request, *, default_intercept: bool = True) -> Study:
    """Check X and what belongs to it; y, weights and options are checked where they are used."""
    family = canonical(ask.family)
    given = check_design(X, ask.feature_names)
    # A baseline hazard is all the intercept that a cox model has.
    fit_intercept = default_intercept and family != "cox"
    if ask.fit_intercept is not None:
        fit_intercept = check_flag(ask.fit_intercept, "fit_intercept")
    return Study(given, y, ask, family, fit_intercept)


@dataclass(frozen=True, eq=False)
class Terms:
    """What is asked about X whatever the response is, checked."""

    options: Options
    n_threads: int
    grid: AlphaGrid
    penalty: Penalty
    standardize: bool
    return_n_iter: bool


@dataclass(frozen=True, eq=False)
class Study:
    """Data and what is asked about them: X checked once, to be fitted as often as selection needs.

    Every fit reads the one X in memory; rows are left out by weights of zero.

    Attributes
    ----------
    given : DesignInput
        X as read-only columns.
    y : Any
        The response, as the user gave it.
    ask : Request
        What the path functions take.
    family : str
        Canonical name.
    fit_intercept : bool
        Whether there is an intercept.
    """

    given: DesignInput
    y: Any
    ask: Request
    family: str
    fit_intercept: bool

    @cached_property
    def weights(self) -> Float64:
        """Return sample_weight as given, ones for None, shape (n,)."""
        w, total = check_weights(self.ask.sample_weight, self.given.n)
        return w * total

    def asking(self, **changes: Any) -> Study:
        """Return a study of the same X with some fields of the request changed; ``y`` may change too."""
        y = changes.pop("y", self.y)
        study = replace(self, y=y, ask=replace(self.ask, **changes))
        if changes.keys() <= BESIDE_TERMS:
            study.__dict__["terms"] = self.terms
        return study

    @cached_property
    def terms(self) -> Terms:
        """Return what is asked whatever the response is, checked."""
        ask, given = self.ask, self.given
        options = check_options(
            ask.l1_ratio, ask.tol, ask.max_iter, ask.max_features, ask.max_time, ask.n_threads
        )
        check_drop_in(
            ask.precompute, ask.Xy, ask.copy_X, ask.selection, ask.random_state, ask.check_input, given.p
        )
        return Terms(
            options,
            options.n_threads or available_threads(),
            check_alphas(ask.alphas, ask.eps, ask.n_alphas, given.n, given.p, is_ridge=ask.l1_ratio == 0),
            self.penalty(),
            check_flag(ask.standardize, "standardize"),
            check_flag(ask.return_n_iter, "return_n_iter"),
        )

    def penalty(self) -> Penalty:
        """Return the penalty that is asked for, checked."""
        ask = self.ask
        return make_penalty(
            self.given.p, ask.l1_ratio, ask.penalty_factor, ask.positive, ask.lower_limits, ask.upper_limits
        )

    def target(self, sample_weight: Any = None) -> Response | Target:
        """Return the response as the solver of this family takes it, under the given or the asked weights."""
        return self._own_target if sample_weight is None else self._target(sample_weight)

    @cached_property
    def _own_target(self) -> Response | Target:
        """Return the response under the weights that are asked for."""
        return self._target(self.ask.sample_weight)

    def _target(self, sample_weight: Any) -> Response | Target:
        """Return the response as the solver of this family takes it."""
        n, ask, fit_intercept = self.given.n, self.ask, self.fit_intercept
        w, total_weight = check_weights(sample_weight, n)
        if self.family == "gaussian":
            y, offset = self._response
            if ask.fit_intercept is None and not fit_intercept:
                _warn_off_centre(y if offset is None else y - offset, w)
            return make_response(y, offset, w, total_weight, fit_intercept=fit_intercept)
        return make_target(
            self.family,
            self.y,
            n,
            w=w,
            total_weight=total_weight,
            offset=ask.offset,
            fit_intercept=fit_intercept,
            **vars(ask.family_options),
        )

    @cached_property
    def _response(self) -> tuple[Float64, Float64 | None]:
        """Return the response of least squares and its offset, checked: the same under all weights."""
        ask, n = self.ask, self.given.n
        check_owned(self.family, ask.family_options)
        return check_response(self.y, n), None if ask.offset is None else check_offset(ask.offset, n)

    def fit(
        self,
        sample_weight: Float64 | None = None,
        monitor: Monitor | None = None,
        *,
        is_part: bool = False,
        source: Any = None,
    ) -> PathResult:
        """Solve the path.

        Parameters
        ----------
        sample_weight : (n,) array, optional
            Weights in place of those that are asked for; zeros leave rows out.
        monitor : Monitor, optional
            Who may end the path, in place of what is asked for.
        is_part : bool
            Whether the path is one of many, whose owner warns, and which is not looked at by itself.
        source : object, optional
            Where the data are, for the result to remember.
        """
        ask, options = self.ask, self.terms.options
        monitor = monitor or Monitor(
            self.terms.grid.size,
            options.max_time,
            options.max_features,
            ask.callback,
            ask.progress,
            ask.verbose,
        )
        target = self.target(sample_weight)
        settings = self._settings(target, is_part=is_part, source=source)
        result = fit_path(self._problem(target, None), self.terms.grid, settings, monitor)
        if is_part or not isinstance(target, Target):
            return result
        return with_rows_seen(result, self.given, target)

    def begin(
        self,
        target: Response | Target,
        monitor: Monitor,
        design: Design | None = None,
        source: Any = None,
    ) -> PathUnderWay:
        """Begin a path that is one of many; X may have been surveyed with these weights and this response."""
        settings = self._settings(target, is_part=True, source=source)
        return PathUnderWay(self._problem(target, design), self.terms.grid, settings, monitor)

    def _settings(self, target: Response | Target, *, is_part: bool, source: Any) -> PathSettings:
        """Return what a path needs beyond the problem."""
        options = self.terms.options
        return PathSettings(
            tol=options.tol,
            max_iter=options.max_iter,
            n_threads=self.terms.n_threads,
            coef_init=_start(self.ask.coef_init, self.given.p, target),
            return_n_iter=self.terms.return_n_iter,
            is_part=is_part,
            source=source,
        )

    def _problem(self, target: Response | Target, design: Design | None) -> Problem:
        """Return what is solved."""
        return make_problem(
            self.given,
            target,
            self.terms.penalty,
            fit_intercept=self.fit_intercept,
            standardize=self.terms.standardize,
            n_threads=self.terms.n_threads,
            design=design,
        )

    def fit_whole(
        self, sample_weight: Float64 | None = None, until: Callable[[PathStep], bool] | None = None
    ) -> PathResult:
        """Solve a path that something else is made of; half of one is of no use there.

        Parameters
        ----------
        sample_weight : (n,) array, optional
            As in ``fit``.
        until : callable, optional
            Gets every alpha when it is done; the path ends with the first for which it returns True.

        Returns
        -------
        PathResult
            The path; of the request's limits only max_features counts.

        Raises
        ------
        PathInterrupted
            After Ctrl-C, a KeyboardInterrupt.
        """
        with Monitor(1) as whole:
            watch = Member(whole)
            watch.max_features, watch.total = self.ask.max_features, sys.maxsize
            watch.callback = until
            found = self.fit(sample_weight, watch, is_part=True)
        if whole.interrupted:
            raise PathInterrupted
        return found


def _start(coef_init: Any, p: int, target: Response | Target) -> Float64 | None:
    """Return the coefficients to start from, those of several outputs one after the other."""
    outputs = target.outputs if isinstance(target, Target) else 1
    if coef_init is None or outputs == 1:
        return check_coefficients(coef_init, p)
    return check_matrix(coef_init, (outputs, p), "coef_init").ravel()


def is_off_centre(y: Float64, w: Float64) -> bool:
    """Tell whether y has a mean that is no accident."""
    mean = float(inner(w, y))
    spread = float(np.sqrt(inner(w, (y - mean) ** 2)))
    is_small = abs(mean) <= OFF_CENTRE * spread / np.sqrt(len(y))
    return not is_small and abs(mean) > 1e-8 * float(np.max(np.abs(y)))


def _warn_off_centre(y: Float64, w: Float64) -> None:
    """Warn when a path without intercept was not asked for and y has a mean that is no accident."""
    if is_off_centre(y, w):
        mean = float(inner(w, y))
        spread = float(np.sqrt(inner(w, (y - mean) ** 2)))
        warn_no_intercept(f"y has mean {mean:.4g} and standard deviation {spread:.4g}")


def warn_no_intercept(finding: str) -> None:
    """Warn of what was found in a response that no intercept takes up."""
    warn(
        f"{finding}, but no intercept is fitted, as in scikit-learn's path functions: pass "
        "fit_intercept=True, or fit_intercept=False to say that this is meant",
        InputWarning,
    )


_FIELDS = frozenset(field.name for field in fields(Request))


def passed(local: dict[str, Any], **fixed: Any) -> Request:
    """Return a path function's arguments, given as its locals(), as a request."""
    return Request(**{name: value for name, value in (local | fixed).items() if name in _FIELDS})
