"""Stability selection: paths on complementary halves of the rows, and which features each half chooses."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from scipy import sparse

from .._typing import Float64, Index
from ..control import Monitor
from ..designs.threads import available_threads
from ..errors import ConvergenceWarning, DataError, DataTypeError, Status, warn
from ..request import Request, Study, make_study
from ..validate.options import DEFAULT_SIZE, check_count, check_real
from ..validate.words import describe, wanted
from .bounds import check_bound, largest_q, smallest_threshold
from .choosing import Chooser, candidates_of, full_grid, make_chooser
from .fingerprint import fingerprint
from .halves import check_seed, draw_halves, row_classes
from .parallel import in_threads
from .rows import weights_on
from .source import Source
from .stability_result import StabilityResult, Wish

__all__ = ["grow", "stabilise"]

FORMS = ("first", "region")
# What is not said of a result to go on from.
DEFAULT_BOUND, DEFAULT_FORM, DEFAULT_SEED = "shah-samworth", "first", 0
SAME = "be of the same data and options"
DEFAULT_THRESHOLD, DEFAULT_MAX_FALSE = 0.75, 1.0
# A q that follows from the bound is at most this share of the rows of a half: beyond it a path is saturated
# and chooses noise.
LARGEST_SHARE = 0.5


@dataclass(frozen=True, eq=False)
class _Halves:
    """Who chooses, and the halves of the rows that are drawn."""

    chooser: Chooser
    classes: Index
    seed: int

    def pair(self, number: int, monitor: Monitor) -> _Pair | None:
        """Return what both halves of a pair choose, None where they were interrupted."""
        first, second, _ = draw_halves(self.classes, self.seed, number)
        study = self.chooser.whole
        one, other = (
            self.chooser.choose(weights_on(study.weights, rows), monitor) for rows in (first, second)
        )
        if one is None or other is None:
            return None
        mine, theirs = (np.unique(each.codes % study.given.p) for each in (one, other))
        return _Pair(
            number,
            np.concatenate([one.codes, other.codes]),
            np.intersect1d(mine, theirs),
            (mine.size, theirs.size),
            one.missed + other.missed,
        )


@dataclass(frozen=True, eq=False)
class _Pair:
    """What the halves of a pair choose, and the features that both do."""

    number: int
    codes: Index
    both: Index
    sizes: tuple[int, ...]
    missed: int


def stabilise(
    X: Any, y: Any, ask: Request, wish: Wish, pairs: Any, random_state: Any, earlier: StabilityResult | None
) -> StabilityResult:
    """Select features by complementary pairs; ``earlier`` is a result to go on from."""
    began = time.perf_counter()
    study = make_study(X, y, replace(ask, max_time=None, progress=False, random_state=None))
    pairs = check_count(pairs, "pairs")
    if earlier is None:
        empty = replace(_nothing_yet(study, wish, pairs, check_seed(random_state)), digest=fingerprint(study))
    elif isinstance(earlier, StabilityResult):
        empty = earlier
        _require_same(earlier, study)
        _require_kept(earlier, _given(wish), ask, random_state)
    else:
        raise DataTypeError(wanted("resume", "be a StabilityResult", describe(earlier)))
    source = Source(X, y, replace(study.ask, n_threads=ask.n_threads), True)
    monitor = _monitor(pairs, empty, ask)
    found = _grown(replace(empty, source=source), study, pairs, monitor, ask.n_threads)
    return replace(found, fit_time=empty.fit_time + time.perf_counter() - began)


def grow(
    result: StabilityResult, pairs: Any, n_threads: Any, max_time: Any, progress: Any
) -> StabilityResult:
    """Return the result with more pairs; the data are those that it was made from."""
    began = time.perf_counter()
    if result.source is None:
        remedy = "pass resume=result to stability_selection together with them"
        raise DataError(f"resume needs the data, which a loaded or pickled result does not have; {remedy}")
    study = result.source.study()
    if n_threads is not None:
        study = study.asking(n_threads=n_threads)
    pairs = check_count(pairs, "pairs")
    monitor = _monitor(pairs, result, replace(study.ask, max_time=max_time, progress=progress))
    found = _grown(result, study, pairs, monitor, study.ask.n_threads)
    return replace(found, fit_time=result.fit_time + time.perf_counter() - began)


def _monitor(pairs: int, result: StabilityResult, ask: Request) -> Monitor:
    missing = pairs - int((result.done < pairs).sum())
    return Monitor(missing, ask.max_time, None, None, ask.progress, False, "pair")


def _nothing_yet(study: Study, wish: Wish, pairs: int, seed: int) -> StabilityResult:
    """Settle the grid and q, and return a result without pairs."""
    given = study.given
    candidates = int(candidates_of(study).sum())
    wish = _checked(wish)
    q = _features_per_half(study, wish, candidates, pairs)
    alphas, alpha_max = _grid(study, wish.form, q)
    p, size = given.p, alphas.size
    return StabilityResult(
        alphas=alphas,
        alpha_max=alpha_max,
        tally=sparse.csc_array((p, size), dtype=np.int64),
        together=sparse.csc_array((p, 1), dtype=np.int64),
        sizes=np.empty(0, np.int64),
        done=np.empty(0, np.int64),
        pairs_asked=pairs,
        wish=wish,
        q_asked=q,
        seed=seed,
        n_candidates=candidates,
        family=study.family,
        l1_ratio=study.penalty().l1_ratio,
        feature_names=given.feature_names,
        shape=(given.n, p),
        status=Status.CONVERGED,
    )


def _given(wish: Wish) -> Wish:
    """Return what was said of the selection, checked."""
    if not isinstance(wish.form, str) or wish.form not in FORMS:
        raise DataError(wanted("form", "be 'first' or 'region'", describe(wish.form)))
    threshold, max_false, q = wish.threshold, wish.max_false, wish.q
    if threshold is not None:
        threshold = check_real(threshold, "threshold", "a number in (1/2, 1]", lambda v: 0.5 < v <= 1.0)
    if max_false is not None:
        max_false = check_real(max_false, "max_false", "a finite number > 0", lambda v: 0.0 < v < np.inf)
    if q is not None:
        q = check_count(q, "q")
    return Wish(q, threshold, max_false, check_bound(wish.bound), wish.form)


def _checked(wish: Wish) -> Wish:
    """Return what is wanted of the selection, with what follows where nothing was said."""
    given = _given(wish)
    threshold, max_false, q = given.threshold, given.max_false, given.q
    if None not in (threshold, max_false, q):
        came = f"threshold={threshold:g}, max_false={max_false:g} and q={q}"
        raise DataError(wanted("threshold, max_false and q", "leave one to follow from the others", came))
    if q is None and max_false is None:
        max_false = DEFAULT_MAX_FALSE
    elif q is not None and max_false is None and threshold is None:
        threshold = DEFAULT_THRESHOLD
    return replace(given, threshold=threshold, max_false=max_false)


def _features_per_half(study: Study, wish: Wish, candidates: int, pairs: int) -> int:
    """Return q: as given, or the largest that keeps the bound and does not saturate a half."""
    if wish.q is not None:
        if wish.q > candidates:
            came = f"{wish.q} with {candidates} features to choose from"
            raise DataError(wanted("q", "be at most the number of features", came))
        if wish.max_false is not None and wish.form == "first":
            smallest_threshold(wish.q, candidates, wish.max_false, pairs, wish.bound)
        return int(wish.q)
    assert wish.max_false is not None
    threshold = DEFAULT_THRESHOLD if wish.threshold is None else wish.threshold
    q = largest_q(candidates, threshold, wish.max_false, pairs, wish.bound)
    rows = int(np.count_nonzero(study.weights)) // 2
    return max(1, min(q, int(LARGEST_SHARE * rows)))


def _grid(study: Study, form: str, q: int) -> tuple[Float64, float]:
    """Return the alphas of all halves, and alpha_max of all rows.

    A region ends where all rows have chosen q features, unless it is given.
    """
    alphas, alpha_max = full_grid(study)
    if form == "first" or np.ndim(study.ask.alphas) > 0:
        return alphas, alpha_max
    free = int(study.penalty().free.sum())
    reached = study.asking(alphas=alphas, max_features=q + free).fit_whole().alphas[-1]
    return np.geomspace(alphas[0], reached, alphas.size), alpha_max


def _require_same(earlier: Any, study: Study) -> None:
    """Raise unless a result to go on from is of these data and options."""
    given = study.given
    remedy = "pass the data and options of that result, or leave resume out"
    if (given.n, given.p) != earlier.shape or study.family != earlier.family:
        came = f"{earlier.shape[0]} x {earlier.shape[1]}, {earlier.family}"
        here = f"{given.n} x {given.p}, {study.family}"
        raise DataError(wanted("resume", SAME, f"{came}; here it is {here}", remedy))
    if earlier.digest is not None:
        if earlier.digest != fingerprint(study):
            came = "one whose X, y, weights, offset, penalty or family options differ"
            raise DataError(wanted("resume", SAME, came, remedy))
        return
    # Files of versions before digests.
    alpha_max = study.asking(alphas=1).fit_whole().alpha_max
    if abs(alpha_max - earlier.alpha_max) > 1e-9 * earlier.alpha_max:
        came = f"alpha_max {earlier.alpha_max:.6g}, here {alpha_max:.6g}"
        raise DataError(wanted("resume", SAME, came, remedy))


def _require_kept(earlier: StabilityResult, wish: Wish, ask: Request, random_state: Any) -> None:
    """Raise where something is asked for that a result to go on from has settled otherwise."""
    had = earlier.wish
    # What was left out, or has its default, is not asked for.
    differs = {
        "q": wish.q not in (None, earlier.q_asked),
        "threshold": wish.threshold not in (None, had.threshold),
        "max_false": wish.max_false not in (None, had.max_false),
        "bound": wish.bound not in (DEFAULT_BOUND, had.bound),
        "form": wish.form not in (DEFAULT_FORM, had.form),
        "alphas": not _is_grid_of(earlier, ask.alphas),
        "random_state": not _is_seed_of(earlier, random_state),
    }
    for name, is_other in differs.items():
        if is_other:
            remedy = "the earlier result has settled it: leave it out, or leave resume out"
            raise DataError(wanted(name, "be that of the result to resume", "another", remedy))


def _is_grid_of(earlier: StabilityResult, alphas: Any) -> bool:
    """Tell whether alphas are the default or the grid of a result."""
    if np.ndim(alphas) == 0:
        return alphas in (None, DEFAULT_SIZE, earlier.alphas.size)
    return np.array_equal(np.sort(np.asarray(alphas, dtype=np.float64))[::-1], earlier.alphas)


def _is_seed_of(earlier: StabilityResult, random_state: Any) -> bool:
    """Tell whether a seed is none, the default or that of a result."""
    return random_state is None or check_seed(random_state) in (DEFAULT_SEED, earlier.seed)


def _grown(
    result: StabilityResult, study: Study, pairs: int, whole: Monitor, n_threads: Any
) -> StabilityResult:
    """Return the result with all pairs below the number, or as many of them as time allows."""
    missing = np.setdiff1d(np.arange(pairs), result.done)
    with whole:
        q = result.q_asked if result.wish.form == "first" else None
        chooser = make_chooser(study, result.alphas, q, whole)
        halves = _Halves(chooser, row_classes(study), result.seed)
        fits: list[Callable[[Monitor], _Pair | None]]
        fits = [partial(halves.pair, int(number)) for number in missing]
        found = in_threads(fits, n_threads or available_threads(), whole) if fits else []
    done = [each for each in found if each is not None]
    status = Status.CONVERGED if len(done) == len(fits) else whole.why_stopped()
    return _added(replace(result, pairs_asked=pairs), done, status)


def _added(result: StabilityResult, found: Sequence[_Pair], status: Status) -> StabilityResult:
    """Return the result with these pairs counted too, in the order of their numbers."""
    p, size = result.tally.shape
    empty = [np.empty(0, np.int64)]
    codes = np.concatenate(empty + [pair.codes for pair in found])
    both = np.concatenate(empty + [pair.both for pair in found])
    numbers = np.array([pair.number for pair in found], dtype=np.int64)
    done = np.concatenate([result.done, numbers])
    sizes = np.concatenate([result.sizes, *(np.array(pair.sizes, dtype=np.int64) for pair in found)])
    order = np.argsort(done, kind="stable")
    missed = sum(pair.missed for pair in found)
    if missed:
        warn(
            f"{missed} of {2 * len(found)} paths on halves have alphas that did not reach tol: "
            "raise max_iter or tol",
            ConvergenceWarning,
        )
    return replace(
        result,
        tally=result.tally + _counted(codes, (p, size)),
        together=result.together + _counted(both, (p, 1)),
        done=done[order],
        sizes=sizes.reshape(-1, 2)[order].ravel(),
        status=Status.NOT_CONVERGED if missed and status is Status.CONVERGED else status,
    )


def _counted(codes: Index, shape: tuple[int, int]) -> sparse.csc_array:
    """Return how often each code k p + j occurs as the entry (j, k) of a matrix."""
    found, counts = np.unique(codes, return_counts=True)
    places = (found % shape[0], found // shape[0])
    return sparse.csc_array((counts.astype(np.int64), places), shape=shape)
