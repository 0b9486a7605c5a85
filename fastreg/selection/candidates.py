"""What cross-validation chooses among: shares of the L1 penalty, adapted penalties, relaxed paths."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .._typing import Float64
from ..control import Monitor
from ..errors import DataError, DataTypeError, Status
from ..kernels.trail import Shown
from ..path import PathUnderWay
from ..request import Study
from ..result import PathResult
from ..validate import check_alphas, check_options
from ..validate.options import check_real
from ..validate.words import describe, wanted
from .adaptive import FIRST_FITS, adaptive_factors
from .cv_curve import Rule
from .relaxed import blend, refit

__all__ = ["Adapting", "Begun", "Candidate", "Fitted", "check_rule", "make_candidates"]

# What relax=True tries: glmnet's default.
GAMMAS = (0.0, 0.25, 0.5, 0.75, 1.0)
RULES = ("min", "1se")


@dataclass(frozen=True, eq=False)
class Adapting:
    """How a penalty is adapted: ``how`` and ``power`` of ``adaptive_factors``."""

    how: Any
    power: Any = 1.0


@dataclass(frozen=True, eq=False)
class Fitted:
    """Hold one path, its refits where they are wanted, and the penalty factors of an adapted penalty."""

    path: PathResult
    refits: PathResult | None
    penalty_factor: Any


@dataclass(frozen=True, eq=False)
class Begun:
    """Hold a path that knows its alphas and is not solved yet."""

    study: Study
    path: PathUnderWay
    w: Float64 | None
    gammas: tuple[float, ...]

    def finish(self) -> Fitted:
        """Solve the path and make its refits, under the same weights."""
        self.path.carry_on()
        path = self.path.result()
        refits = None if self.gammas == (1.0,) else refit(self.study, path, self.w)
        return Fitted(path, refits, self.study.ask.penalty_factor)

    def ends(self) -> tuple[Status, list[Shown]]:
        """Solve the path; return how it ended and what predictors are mixed of: it, and its refits."""
        if self.gammas != (1.0,):
            fitted = self.finish()
            assert fitted.refits is not None
            return fitted.path.status, [_shown(fitted.path), _shown(fitted.refits)]
        # A whole result would take longer than to evaluate it.
        self.path.carry_on()
        shown, status = self.path.solutions()
        return status, [shown]


def _shown(path: PathResult) -> Shown:
    """Return what a result shows."""
    coefs, intercepts = path.coefs_sparse, np.atleast_2d(path.intercepts)
    return Shown(
        path.dual_gaps, path.dev_ratio, path.n_iter, coefs.indptr, coefs.indices, coefs.data, intercepts
    )


@dataclass(frozen=True, eq=False)
class Candidate:
    """One share of the L1 penalty, fitted to any weights; gammas relax the same path.

    Attributes
    ----------
    study : Study
        Data and options, with this l1_ratio.
    l1_ratio : float
        Share of the L1 penalty.
    adaptive : Adapting or None
        How the penalty is adapted to the weights of every fit.
    gammas : tuple of float
        Shares of the path in relaxed ones.
    """

    study: Study
    l1_ratio: float
    adaptive: Adapting | None
    gammas: tuple[float, ...]

    def asking(self, **changes: Any) -> Candidate:
        """Return the candidate with some fields of the request changed."""
        return replace(self, study=self.study.asking(**changes))

    def begin(self, w: Float64 | None, monitor: Monitor) -> Begun:
        """Begin the path under some weights, with a penalty adapted under the same ones."""
        study = self.study
        if self.adaptive is not None:
            factors = adaptive_factors(study, self.adaptive.how, w, self.adaptive.power)
            study = study.asking(penalty_factor=factors)
        return Begun(study, study.begin(study.target(w), monitor), w, self.gammas)

    def blended(self, fitted: Fitted, gamma: float) -> PathResult:
        """Return the relaxed path of one gamma."""
        if gamma == 1.0 or fitted.refits is None:
            return fitted.path
        study = self.study.asking(penalty_factor=fitted.penalty_factor)
        return blend(study, fitted.path, fitted.refits, gamma)


def make_candidates(study: Study, l1_ratio: Any, adaptive: Adapting, relax: Any) -> tuple[Candidate, ...]:
    """Return the candidates that are asked for, checked.

    Parameters
    ----------
    study : Study
        Data and options.
    l1_ratio : float or sequence of float
        Shares of the L1 penalty.
    adaptive : Adapting
        How the penalty is adapted; ``how`` None is not at all.
    relax : bool, float or sequence of float
        Whether, or by which gammas, paths are relaxed.

    Returns
    -------
    tuple of Candidate
        One per share.
    """
    given, ask = study.given, study.ask
    shares = _numbers(l1_ratio, "l1_ratio")
    gammas = _gammas(relax)
    study, anew = _adapted(study, adaptive)
    check_alphas(ask.alphas, ask.eps, ask.n_alphas, given.n, given.p)
    candidates = []
    for share in shares:
        options = check_options(share, ask.tol, ask.max_iter)
        own = study.asking(l1_ratio=options.l1_ratio)
        own.penalty()
        candidates.append(Candidate(own, options.l1_ratio, anew, gammas))
    return tuple(candidates)


def _adapted(study: Study, adaptive: Adapting) -> tuple[Study, Adapting | None]:
    """Return the study with factors that no fold changes, and what is to be adapted anew in every fit."""
    power = check_real(adaptive.power, "power", "a finite number >= 0", lambda value: 0.0 <= value < np.inf)
    if adaptive.how is None:
        if power != 1.0:
            remedy = 'pass adaptive="ridge" or "lasso" too'
            raise DataError(wanted("power", "come with adaptive", describe(adaptive.power), remedy))
        return study, None
    if not isinstance(adaptive.how, str):
        factors = adaptive_factors(study, adaptive.how, None, adaptive.power)
        return study.asking(penalty_factor=factors), None
    if adaptive.how not in FIRST_FITS:
        raise DataError(wanted("adaptive", 'be "ridge", "lasso" or weights', describe(adaptive.how)))
    return study, adaptive


def _numbers(values: Any, name: str) -> list[Any]:
    """Return one number or several as a list of distinct ones."""
    if np.ndim(values) == 0:
        return [values]
    numbers = list(values)
    if not numbers or np.ndim(values) > 1:
        raise DataError(wanted(name, "be a number or a sequence of numbers", describe(values)))
    return list(dict.fromkeys(numbers))


def _gammas(relax: Any) -> tuple[float, ...]:
    """Return the shares that relaxed paths keep of the penalised one."""
    if isinstance(relax, bool | np.bool_):
        return GAMMAS if relax else (1.0,)
    found = _numbers(relax, "relax")
    expected = "True, False, a gamma in [0, 1] or several"
    return tuple(check_real(gamma, "relax", expected, lambda g: 0.0 <= g <= 1.0) for gamma in found)


def check_rule(rule: Any, n_folds: int, name: str = "rule") -> Rule:
    """Return the rule, or raise where it is none or cannot be followed.

    Parameters
    ----------
    rule : "min", "1se" or callable
        As the user gave it.
    n_folds : int
        Number of folds.
    name : str
        What the user calls it.

    Returns
    -------
    str or callable
        The same.
    """
    if callable(rule):
        found: Rule = rule
        return found
    if not isinstance(rule, str):
        raise DataTypeError(wanted(name, 'be "min", "1se" or a function of a curve', describe(rule)))
    if rule not in RULES:
        raise DataError(wanted(name, 'be "min", "1se" or a function of a curve', describe(rule)))
    if rule == "1se" and n_folds < 2:
        raise DataError(wanted('the rule "1se"', "have at least two folds", str(n_folds), 'use rule="min"'))
    return rule
