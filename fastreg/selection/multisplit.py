"""p-values by splitting the rows many times: one part selects features, the other tests them."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from .._typing import Float64, Index
from ..control import Monitor
from ..designs.threads import available_threads
from ..errors import DataError, Status
from ..problem import Response
from ..request import Request, Study, make_study
from ..validate.options import check_count, check_real
from ..validate.words import describe, wanted
from .choosing import Chooser, candidates_of, full_grid, make_chooser
from .columns import gathered
from .halves import check_seed, draw_halves, row_classes
from .multisplit_result import MultiSplitResult
from .parallel import in_threads
from .rows import weights_on
from .significance import Outcome, likelihood_tests, t_tests

__all__ = ["split_and_test"]

FAMILIES = ("gaussian", "binomial", "poisson", "cox")
# Rows per feature that a half chooses: Meinshausen, Meier and Buehlmann take n / 6.
ROWS_PER_FEATURE = 6


@dataclass(frozen=True, eq=False)
class _Split:
    """The features that one part chose, in increasing order, and the other's tests of them."""

    features: Index
    tests: Outcome


@dataclass(frozen=True, eq=False)
class _Splitter:
    """Who chooses, who is in every model, and how rows are drawn."""

    chooser: Chooser
    free: Index
    classes: Index
    seed: int

    def split(self, number: int, monitor: Monitor) -> _Split | None:
        """Return what one split tells, None where it was interrupted."""
        study = self.chooser.whole
        first, second, left = draw_halves(self.classes, self.seed, number)
        chosen = self.chooser.choose(weights_on(study.weights, first), monitor)
        if chosen is None:
            return None
        features = np.union1d(chosen.codes % study.given.p, self.free).astype(np.int64)
        tests = self._test(features, np.concatenate([second, left]), monitor)
        if tests is None:
            return None
        if np.isnan(tests.p_values).any():
            j = int(features[np.isnan(tests.p_values)][0])
            came = f"none for column {j} in split {number}"
            remedy = "weights or columns may differ by more than floating point can add up"
            raise DataError(wanted("X, y and sample_weight", "give p-values", came, remedy))
        return _Split(features, tests)

    def _test(self, features: Index, rows: Index, monitor: Monitor) -> Outcome | None:
        study = self.chooser.whole
        columns = gathered(study.given, features)
        if study.family != "gaussian":
            weights = weights_on(_of_mean_one(study.weights), rows)
            return likelihood_tests(study, columns, weights, monitor)
        target = replace(study, fit_intercept=False).target()
        assert isinstance(target, Response)
        y = np.ldexp(target.values, target.exponent)
        return t_tests(columns[rows], y[rows], study.weights[rows], study.fit_intercept)


def _of_mean_one(weights: Float64) -> Float64:
    """Return weights of mean one over the rows that have any: units of weights are no evidence."""
    share = weights / weights.max()
    return np.asarray(share * (np.count_nonzero(share) / share.sum()))


def split_and_test(
    X: Any, y: Any, ask: Request, splits: Any, q: Any, gamma_min: Any, random_state: Any
) -> MultiSplitResult:
    """Return the p-values of all features from many splits."""
    began = time.perf_counter()
    study = make_study(X, y, replace(ask, max_time=None, progress=False, random_state=None))
    if study.family not in FAMILIES:
        names = ", ".join(repr(name) for name in FAMILIES)
        raise DataError(wanted("family", f"have tests, as {names} do", describe(study.family)))
    splits = check_count(splits, "splits")
    gamma_min = check_real(gamma_min, "gamma_min", "a number in (0, 1)", lambda v: 0.0 < v < 1.0)
    q = _features_per_part(study, q)
    study = replace(study, ask=replace(study.ask, fit_intercept=study.fit_intercept))
    alphas, _ = full_grid(study)
    n_threads = ask.n_threads or available_threads()
    whole = Monitor(splits, ask.max_time, None, None, ask.progress, False, "split")
    with whole:
        chooser = make_chooser(study, alphas, q, whole)
        free = np.flatnonzero(study.penalty().free)
        splitter = _Splitter(chooser, free, row_classes(study), check_seed(random_state))
        fits: list[Callable[[Monitor], _Split | None]]
        fits = [partial(splitter.split, number) for number in range(splits)]
        found = [each for each in in_threads(fits, n_threads, whole) if each is not None]
    tables = _tables(found)
    return MultiSplitResult(
        **tables,
        splits_asked=splits,
        q=q,
        gamma_min=gamma_min,
        family=study.family,
        l1_ratio=study.penalty().l1_ratio,
        feature_names=study.given.feature_names,
        shape=(study.given.n, study.given.p),
        status=Status.CONVERGED if len(found) == splits else whole.why_stopped(),
        fit_time=time.perf_counter() - began,
    )


def _features_per_part(study: Study, q: Any) -> int:
    """Return how many features are chosen: as given, or a sixth of the rows."""
    candidates = int(candidates_of(study).sum())
    rows = int(np.count_nonzero(study.weights))
    if q is None:
        return max(1, min(rows // ROWS_PER_FEATURE, candidates))
    count = check_count(q, "q")
    used = int(study.penalty().free.sum()) + study.fit_intercept
    most = min(rows - rows // 2 - used - 1, candidates)
    if count > most:
        remedy = "the other half of the rows must be able to test them"
        raise DataError(wanted("q", f"be at most {most}", str(count), remedy))
    return count


def _tables(found: list[_Split]) -> dict[str, Any]:
    """Return what all splits tell as tables with one row per split and one column per feature ever chosen."""
    features = np.unique(np.concatenate([np.empty(0, np.int64), *(each.features for each in found)]))
    shape = (len(found), features.size)
    p_values, estimates, errors = np.ones(shape), np.full(shape, np.nan), np.full(shape, np.nan)
    is_tested = np.zeros(shape, dtype=bool)
    for row, each in enumerate(found):
        places = np.searchsorted(features, each.features)
        corrected = np.minimum(each.tests.p_values * each.features.size, 1.0)
        p_values[row, places], is_tested[row, places] = corrected, True
        estimates[row, places], errors[row, places] = each.tests.estimates, each.tests.errors
    return {
        "features": features,
        "is_tested": is_tested,
        "split_p_values": p_values,
        "estimates": estimates,
        "errors": errors,
        "degrees": np.array([each.tests.degrees for each in found]),
        "sizes": np.array([each.features.size for each in found], dtype=np.int64),
    }
