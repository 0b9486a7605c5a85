"""Cross-validation: every fold of every candidate is one path on the one X in memory, under other weights."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from .._links import respond
from .._typing import Float64
from ..afterwards import with_rows_seen
from ..control import Member, Monitor, PathInterrupted
from ..designs.threads import available_threads
from ..errors import ConvergenceWarning, DataError, Status, warn
from ..families import make_target
from ..request import Request, Study, make_study
from ..result import PathResult
from ..validate import check_options, check_weights
from .balance import require_trainable, strata_of
from .candidates import Adapting, Begun, Candidate, Fitted, check_rule, make_candidates
from .cv_curve import CVCurve, Rule, alpha_by
from .cv_result import CVResult
from .folds import Fold, Splitting, make_folds
from .parallel import in_threads
from .rows import predictors_of, weights_on
from .scores import Judged, Scorer, make_scorer
from .source import Source

__all__ = ["Plan", "cross_validate"]


@dataclass(frozen=True, eq=False)
class Plan:
    """What is asked beyond a path, as the user gave it."""

    splitting: Splitting
    scoring: Any
    greater_is_better: Any
    rule: Any
    keep_predictions: bool
    adaptive: Adapting
    relax: Any


@dataclass(frozen=True, eq=False)
class _Task:
    """What all folds share."""

    study: Study
    judged: Judged
    scorer: Scorer
    candidates: tuple[Candidate, ...]
    folds: tuple[Fold, ...]
    per_pass: int
    is_kept: bool
    offset: Float64


@dataclass(frozen=True, eq=False)
class _Outcome:
    """What one fold of one l1_ratio left: scores (gammas, K), predictions of its test rows where kept."""

    scores: Float64
    predictions: list[Float64]
    is_converged: bool


def cross_validate(X: Any, y: Any, ask: Request, plan: Plan) -> CVResult:
    """Cross-validate every candidate and refit on all rows; ``ask.l1_ratio`` may be a sequence."""
    began = time.perf_counter()
    task, rule = _prepare(X, y, ask, plan)
    n_threads = check_options(1.0, ask.tol, ask.max_iter, None, None, ask.n_threads).n_threads
    threads = n_threads or available_threads()
    total = (1 + len(task.folds)) * len(task.candidates)
    with Monitor(total, ask.max_time, progress=ask.progress, unit="path") as monitor:
        fulls, outcomes = _run(task, threads, monitor)
        stopped = None if monitor.keep_going() else monitor.why_stopped()
    source = Source(X, y, ask, default_intercept=True)
    status = _judge(task, fulls, outcomes, stopped)
    return _collect(task, source, rule, (fulls, outcomes), (status, began))


def _prepare(X: Any, y: Any, ask: Request, plan: Plan) -> tuple[_Task, Rule]:
    """Check everything before anything is solved."""
    silent = {"max_time": None, "progress": False, "n_threads": 1}
    study = make_study(X, y, ask).asking(**silent)
    n = study.given.n
    w, total = check_weights(ask.sample_weight, n)
    target = make_target(
        study.family, y, n, w=w, total_weight=total, offset=ask.offset, fit_intercept=study.fit_intercept,
        **vars(ask.family_options),
    )  # fmt: skip
    judged = Judged(target, y, ask.ties, ask.strata)
    scorer = make_scorer(plan.scoring, plan.greater_is_better, study.family)
    folds, per_pass = make_folds(plan.splitting, X, y, judged.w, strata_of(judged))
    rule = check_rule(plan.rule, len(folds))
    require_trainable(judged, folds)
    scorer.check(judged, folds)
    candidates = make_candidates(study, ask.l1_ratio, plan.adaptive, plan.relax)
    offset = np.ascontiguousarray(target.offset.reshape(target.outputs, n).T)
    return _Task(study, judged, scorer, candidates, folds, per_pass, plan.keep_predictions, offset), rule


def _run(task: _Task, n_threads: int, monitor: Monitor) -> tuple[list[Fitted], list[list[_Outcome | None]]]:
    """Fit all paths; outcomes are listed by fold and l1_ratio."""
    candidates = task.candidates
    # Large X is surveyed by several threads at once where there is one path to begin with.
    share = max(n_threads // len(candidates), 1)
    is_only = len(candidates) == 1
    starts: list[Callable[[Monitor], Any]] = [
        partial(_start, each.asking(n_threads=share), is_only) for each in candidates
    ]
    started = in_threads(starts, n_threads, Member(monitor))
    # Paths that never began are asked for all the same: they come back without an alpha, and say why.
    whole = {k: started[k] or start(Member(monitor)) for k, start in enumerate(starts)}
    # All folds go down the alphas of all rows, which are known as soon as their path has begun.
    on_grid = [each.asking(alphas=whole[k].path.alphas) for k, each in enumerate(candidates)]
    del started
    jobs: list[Callable[[Monitor], Any]] = [partial(_finish, whole, k) for k in range(len(candidates))]
    # Fold after fold: what ends early has finished whole folds.
    jobs += [partial(_fit_and_score, task, f, each) for f in range(len(task.folds)) for each in on_grid]
    found = in_threads(jobs, n_threads, monitor)
    size = len(candidates)
    done = [each or _finish(whole, k, monitor) for k, each in enumerate(found[:size])]
    return done, [found[(f + 1) * size : (f + 2) * size] for f in range(len(task.folds))]


def _start(candidate: Candidate, is_only: bool, monitor: Monitor) -> Begun | Fitted:
    """Begin a path on all rows; one of several is solved at once, so that they do not lie in memory together.

    Several keep the threads busy, one alone is solved beside the folds.
    """
    begun = candidate.begin(None, monitor)
    return begun if is_only else begun.finish()


def _finish(whole: dict[int, Begun | Fitted], k: int, monitor: Monitor) -> Fitted:
    """Solve the k-th path on all rows, under its own monitor, and let go of what it began with."""
    path = whole.pop(k)
    return path.finish() if isinstance(path, Begun) else path


def _fit_and_score(task: _Task, f: int, candidate: Candidate, monitor: Monitor) -> _Outcome | None:
    """Fit one fold and score it; None where it was cut short."""
    fold, judged = task.folds[f], task.judged
    w = weights_on(judged.w, fold.train)
    try:
        status, ends = candidate.begin(w, monitor).ends()
    except PathInterrupted:
        # The folds that are finished stay.
        return None
    except DataError as problem:
        raise DataError(f"fold {f} of cv cannot be fitted: {problem}") from problem
    if not status.finished:
        return None
    scored = task.scorer.rows(judged, fold)
    rows = np.union1d(scored, fold.test) if task.is_kept else scored
    etas = [predictors_of(task.study.given, path, rows) + task.offset[rows, :, None] for path in ends]
    in_score, in_test = np.searchsorted(rows, scored), np.searchsorted(rows, fold.test)
    scores, predictions = [], []
    for gamma in candidate.gammas:
        eta = _mixed(etas, gamma)
        seen = eta if len(scored) == len(rows) else eta[in_score]
        scores.append(task.scorer.score(judged, fold, seen))
        if task.is_kept:
            predictions.append(respond(task.study.family, eta[in_test]))
    return _Outcome(np.stack(scores), predictions, status is Status.CONVERGED)


def _mixed(etas: list[Float64], gamma: float) -> Float64:
    """Return gamma times the predictors of the path plus 1 - gamma times those of its refits."""
    return etas[0] if gamma == 1.0 else gamma * etas[0] + (1.0 - gamma) * etas[1]


def _judge(
    task: _Task, fulls: list[Fitted], outcomes: list[list[_Outcome | None]], stopped: Status | None
) -> Status:
    """Return how it ended, and warn once of all paths that missed the tolerance."""
    missed = [
        f"fold {f}" for f, row in enumerate(outcomes) if any(each and not each.is_converged for each in row)
    ]
    if any(each.path.status is Status.NOT_CONVERGED for each in fulls):
        missed.append("all rows")
    if missed:
        ask = task.study.ask
        warn(
            f"some alphas did not reach the relative duality gap tol={ask.tol:g} in the paths of "
            f"{', '.join(missed)}: raise max_iter (now {ask.max_iter}) or tol",
            ConvergenceWarning,
        )
    is_whole = all(each.path.status.finished for each in fulls)
    if is_whole and all(each is not None for row in outcomes for each in row):
        return Status.NOT_CONVERGED if missed else Status.CONVERGED
    ended = next((each.path.status for each in fulls if not each.path.status.finished), Status.INTERRUPTED)
    return stopped or ended


def _collect(
    task: _Task,
    source: Source,
    rule: Rule,
    found: tuple[list[Fitted], list[list[_Outcome | None]]],
    ended: tuple[Status, float],
) -> CVResult:
    """Make the result of the folds that were finished for every candidate."""
    fulls, outcomes = found
    kept = [f for f, row in enumerate(outcomes) if all(each is not None for each in row)]
    folds = tuple(task.folds[f] for f in kept)
    weights = np.array([task.scorer.weigh(task.judged, fold) for fold in folds])
    curves: list[CVCurve] = []
    for i, (candidate, full) in enumerate(zip(task.candidates, fulls, strict=True)):
        column = [each for f in kept for each in [outcomes[f][i]] if each is not None]
        for g, gamma in enumerate(candidate.gammas):
            path = _presented(task, source, candidate, full, gamma)
            curves.append(_curve(task, (candidate.l1_ratio, gamma), path, (column, g), (folds, weights)))
    best = _best(curves)
    has_scores = bool(len(folds)) and curves[best].alphas.size > 0
    return CVResult(
        curves=tuple(curves),
        best=best,
        chosen_alpha=alpha_by(rule, curves[best]) if has_scores else None,
        rule=rule if isinstance(rule, str) else getattr(rule, "__name__", type(rule).__name__),
        folds=folds,
        folds_requested=len(task.folds),
        fold_weights=weights,
        n_rows=task.study.given.n,
        scoring=task.scorer.name,
        greater_is_better=task.scorer.greater_is_better,
        status=ended[0],
        fit_time=time.perf_counter() - ended[1],
    )


def _curve(
    task: _Task,
    candidate: tuple[float, float],
    path: PathResult,
    found: tuple[list[_Outcome], int],
    weighed: tuple[tuple[Fold, ...], Float64],
) -> CVCurve:
    """Return one candidate's curve, cut to what its path on all rows has finished."""
    (outcomes, g), (folds, weights) = found, weighed
    size = path.alphas.size
    scores = np.array([each.scores[g, :size] for each in outcomes]).reshape(len(outcomes), size)
    mean, se = _mean_and_error(scores, weights, min(task.per_pass, len(folds)))
    predictions = None
    if task.is_kept:
        parts = [each.predictions[g][..., :size] for each in outcomes]
        predictions = _averaged(task, folds, parts, size)
    return CVCurve(
        l1_ratio=candidate[0],
        gamma=candidate[1],
        alphas=path.alphas,
        scores=scores,
        mean=mean,
        se=se,
        path=path,
        greater_is_better=task.scorer.greater_is_better,
        predictions=predictions,
    )


def _mean_and_error(scores: Float64, weights: Float64, count: int) -> tuple[Float64, Float64]:
    """Return the weighted mean over folds and its standard error.

    sqrt(sum_f v_f (s_f - mean)^2 / sum_f v_f / (count - 1)), cv.glmnet's; count is the folds of one pass,
    because repeating a division brings no new rows.
    """
    if not len(scores):
        nothing = np.full(scores.shape[1], np.nan)
        return nothing, nothing
    share = weights / weights.sum()
    with np.errstate(invalid="ignore", over="ignore"):
        mean = share @ scores
        spread = share @ (scores - mean) ** 2
    if count < 2:
        return mean, np.full(len(mean), np.nan)
    return mean, np.sqrt(spread / (count - 1))


def _averaged(task: _Task, folds: tuple[Fold, ...], parts: list[Float64], size: int) -> Float64:
    """Return the mean prediction for every row over the folds that test it, NaN where none does."""
    n, outputs = task.offset.shape
    total, times = np.zeros((n, outputs, size)), np.zeros(n)
    for fold, part in zip(folds, parts, strict=True):
        total[fold.test] += part
        times[fold.test] += 1.0
    with np.errstate(invalid="ignore"):
        total /= times[:, None, None]
    return total[:, 0] if outputs == 1 else total


def _presented(task: _Task, source: Source, candidate: Candidate, full: Fitted, gamma: float) -> PathResult:
    """Return the path on all rows as a path function would: with what its rows add, and its data."""
    path = candidate.blended(full, gamma)
    if gamma == 1.0 and task.study.family != "gaussian":
        path = with_rows_seen(path, task.study.given, task.judged.target)
    asked = {"l1_ratio": candidate.l1_ratio, "penalty_factor": full.penalty_factor, "alphas": path.alphas}
    return replace(path, source=replace(source, ask=replace(source.ask, **asked)))


def _best(curves: list[CVCurve]) -> int:
    """Return the position of the candidate with the best mean, the first of equal ones."""
    worths = []
    for curve in curves:
        finite = curve.mean[np.isfinite(curve.mean)]
        worth = finite if curve.greater_is_better else -finite
        worths.append(worth.max(initial=-np.inf))
    return int(np.argmax(worths))
