"""The point of a path with exactly so many features: sections of the interval in which the number changes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from .._typing import Float64, Mask
from ..afterwards import with_rows_seen
from ..errors import DataError
from ..families import Target
from ..request import Study
from ..result import PathResult
from ..validate.options import check_count
from ..validate.words import wanted

__all__ = ["with_k_features"]

# Points that an interval is cut at in one go: they share the warm start.
SECTIONS = 16
# Intervals this narrow, relatively, are points: rounding decides what lies inside.
NARROW = 1e-12
# Relative gap that refinements are solved to at least.
FINE = 1e-10
# How far below its smallest alpha a path is followed, in alphas per decade and as a share of alpha_max.
PER_DECADE, DEEPEST = 20, 1e-6


def with_k_features(study: Study, path: PathResult, k: Any) -> PathResult:
    """Return the path of the one alpha at which exactly k features have a coefficient.

    Features that are never penalised count like all others, as in ``n_nonzero``. An alpha of the grid that
    has k features is taken, the largest one; else the intervals of the grid between fewer and more are cut
    until an alpha with k turns up. The path is continued upwards to alpha_max and downwards to 1e-6 of it
    where that is needed.

    Parameters
    ----------
    study : Study
        What the path was fitted to.
    path : PathResult
        A path of this study with an l1 part.
    k : int
        Features, at least 1.

    Returns
    -------
    PathResult
        One alpha; ``coefs`` (p, 1).

    Raises
    ------
    DataError
        If the number of features jumps past k, or the path does not reach it; it names the neighbours.
    """
    count = check_count(k, "k")
    if path.l1_ratio == 0.0:
        raise DataError(wanted("k", "be asked of a path with l1_ratio > 0", "one of ridge, which keeps all"))
    if not path.alphas.size:
        raise DataError("the path must have an alpha, got none: it was ended before the first, see status")
    seen = _Seen(study, path, count)
    found = seen.on_the_grid() or seen.look_beyond()
    while found is None:
        found = seen.cut()
    return found


class _Seen:
    """The alphas that were solved, largest first, with their numbers of features."""

    def __init__(self, study: Study, path: PathResult, count: int) -> None:
        # Who has a coefficient is a question of accuracy.
        self.study = study.asking(n_alphas=None, tol=min(path.tol, FINE))
        self.path, self.count = path, count
        self.alphas, self.sizes = path.alphas.copy(), path.n_nonzero.copy()

    def on_the_grid(self) -> PathResult | None:
        """Return the first alpha of the path that has k features, at the accuracy that counting needs."""
        for at in np.flatnonzero(self.path.n_nonzero == self.count):
            if self.path.relative_gaps[at] <= FINE:
                return single(self.path, int(at))
            part = self.study.asking(alphas=self.alphas[[at]]).fit_whole()
            if part.n_nonzero[0] == self.count:
                return self._seen_by_rows(part)
            self.sizes[at] = part.n_nonzero[0]
        return None

    def look_beyond(self) -> PathResult | None:
        """Continue the path upwards or downwards while all its alphas are on one side of k."""
        if (self.sizes > self.count).all() and self.path.alpha_max > self.alphas[0]:
            found = self._solve(np.geomspace(self.path.alpha_max, self.alphas[0], SECTIONS)[:-1])
            if found is not None:
                return found
        while (self.sizes < self.count).all() and self.alphas[-1] > DEEPEST * self.path.alpha_max:
            steps = 10.0 ** (-np.arange(1, PER_DECADE + 1) / PER_DECADE)
            found = self._solve(self.alphas[-1] * steps)
            if found is not None:
                return found
        return None

    def cut(self) -> PathResult | None:
        """Cut the first interval in which the number passes k; raise where there is none left."""
        crossing = self._passes()
        wide = self.alphas[:-1] - self.alphas[1:] > NARROW * self.alphas[:-1]
        places = np.flatnonzero(crossing & wide)
        if not places.size:
            raise DataError(self._skipped(np.flatnonzero(crossing)))
        at = int(places[0])
        return self._solve(np.geomspace(self.alphas[at], self.alphas[at + 1], SECTIONS + 2)[1:-1])

    def _solve(self, alphas: Float64) -> PathResult | None:
        """Solve at some alphas; return the middle one of those with k features."""
        alphas = np.setdiff1d(alphas, self.alphas)[::-1]
        if not alphas.size:
            # Floats end before the interval does.
            raise DataError(self._skipped(np.flatnonzero(self._passes())))
        part = self.study.asking(alphas=alphas).fit_whole()
        at = np.flatnonzero(part.n_nonzero == self.count)
        if at.size:
            return self._seen_by_rows(single(part, int(at[at.size // 2])))
        both = np.concatenate([self.alphas, part.alphas])
        order = np.argsort(-both, kind="stable")
        self.alphas, self.sizes = both[order], np.concatenate([self.sizes, part.n_nonzero])[order]
        return None

    def _passes(self) -> Mask:
        """Return in which intervals the number of features passes k."""
        is_below = self.sizes < self.count
        return np.asarray(is_below[:-1] != is_below[1:])

    def _seen_by_rows(self, found: PathResult) -> PathResult:
        """Return a part with what whole paths learn from their rows."""
        target = self.study.target()
        return with_rows_seen(found, self.study.given, target) if isinstance(target, Target) else found

    def _skipped(self, places: Any) -> str:
        """Say between which alphas the number jumps, or what it is at most or at least."""
        if not len(places):
            low, high = int(self.sizes.min()), int(self.sizes.max())
            ends = f"from alpha={self.alphas[0]:.6g} to {self.alphas[-1]:.6g}"
            came = f"{self.count}: the path has {low} to {high} {ends}"
            return wanted("k", "be a number of features that the path reaches", came)
        at = int(places[0])
        before, after = int(self.sizes[at]), int(self.sizes[at + 1])
        came = f"{self.count}: it goes from {before} to {after} at alpha={self.alphas[at]:.12g}"
        return wanted("k", "be a number of features that the path has", came, f"ask for {before} or {after}")


def single(path: PathResult, k: int) -> PathResult:
    """Return one alpha of a path as a path."""
    one = slice(k, k + 1)
    baseline = path.baseline
    if baseline is not None:
        baseline = replace(baseline, log_hazard=baseline.log_hazard[:, one])
    return replace(
        path,
        alphas=path.alphas[one],
        coefs_sparse=path.coefs_sparse[:, [k]],
        intercepts=path.intercepts[..., one],
        dual_gaps=path.dual_gaps[one],
        n_iter=path.n_iter[one],
        dev_ratio=path.dev_ratio[one],
        alphas_requested=1,
        baseline=baseline,
    )
