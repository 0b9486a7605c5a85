"""What a path on some of the rows chooses: the first q features to enter, or all of a grid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .._typing import Float64, Index, Mask
from ..control import Member, Monitor
from ..errors import DataError, Status
from ..request import Study
from ..result import PathResult
from ..validate import check_alphas
from ..validate.words import describe, wanted

__all__ = ["Choice", "Chooser", "candidates_of", "full_grid", "make_chooser"]

# The grid begins where noise of half the rows does: correlations by chance grow with the root of two.
HEADROOM = 2.0**0.5
# Alphas that a half may need beyond those after which all rows have chosen q features, as a share of all.
MARGIN = 0.1


@dataclass(frozen=True, eq=False)
class Choice:
    """Codes k p + j: feature j is chosen at alpha k (or entered there); whether an alpha missed tol."""

    codes: Index
    missed: int


@dataclass(frozen=True, eq=False)
class Chooser:
    """Paths on some of the rows, and how many of their features count.

    ``begin`` is a study of the first alphas, most often all that q features need; ``whole`` one of all. For q
    None all features of the whole grid are chosen.
    """

    begin: Study
    whole: Study
    candidates: Mask
    q: int | None

    def choose(self, weights: Float64, monitor: Monitor) -> Choice | None:
        """Return what the rows of these weights choose, None where the path was cut short."""
        for study in (self.begin, self.whole):
            path = study.fit(weights, monitor, is_part=True)
            if not path.status.finished:
                return None
            entries = _entries(path, self.candidates, self.q)
            if self.q is None or entries.size >= self.q or study is self.whole:
                break
        return Choice(entries, int((path.relative_gaps > path.tol).any()))


def candidates_of(study: Study) -> Mask:
    """Return the features that there is to choose from, (p,); those without a penalty are in every model."""
    penalty = study.penalty()
    if penalty.l1_ratio == 0.0:
        remedy = "ridge chooses every feature"
        raise DataError(wanted("l1_ratio", "be > 0 for a selection", describe(study.ask.l1_ratio), remedy))
    candidates: Mask = ~(penalty.free | penalty.excluded)
    if not candidates.any():
        raise DataError(wanted("penalty_factor", "leave a feature to choose", "0 or inf for all of them"))
    return candidates


def full_grid(study: Study) -> tuple[Float64, float]:
    """Return the alphas that halves share, as given or from above alpha_max down to eps, and alpha_max."""
    ask, given = study.ask, study.given
    grid = check_alphas(ask.alphas, ask.eps, None, given.n, given.p)
    alpha_max = study.asking(alphas=1).fit_whole().alpha_max
    if grid.values is not None:
        return grid.values, alpha_max
    if not alpha_max > 0.0:
        raise DataError("y must vary with a feature, got alpha_max = 0; there is nothing to select")
    return np.geomspace(HEADROOM * alpha_max, grid.eps * alpha_max, grid.size), alpha_max


def make_chooser(study: Study, alphas: Float64, q: int | None, monitor: Monitor) -> Chooser:
    """Return who chooses q features from paths on this grid.

    How much of the grid is tried first follows from the path of all rows. Only time depends on it: rows that
    need more alphas get them all.
    """
    candidates = candidates_of(study)
    whole = begin = study.asking(alphas=alphas, n_threads=1, max_features=None)
    if q is not None:
        watch = Member(monitor)
        watch.max_features, watch.total = q + int(study.penalty().free.sum()), alphas.size
        path = whole.fit(None, watch, is_part=True)
        enough = int(path.alphas.size + np.ceil(MARGIN * alphas.size))
        if path.status is Status.MAX_FEATURES and enough < alphas.size:
            begin = whole.asking(alphas=alphas[:enough])
    return Chooser(begin, whole, candidates, q)


def _entries(path: PathResult, candidates: Mask, q: int | None) -> Index:
    """Return codes k p + j of the first q features and where they enter, or all that is chosen for None."""
    p, stored = path.n_features, path.coefs_sparse
    columns = np.repeat(np.arange(path.alphas.size), np.diff(stored.indptr))
    features = stored.indices % p
    is_candidate = candidates[features]
    codes: Index = columns[is_candidate] * p + features[is_candidate]
    if q is None:
        return np.unique(codes)
    # Several outputs share a feature: their sizes add up.
    codes, place = np.unique(codes, return_inverse=True)
    size = np.bincount(place, weights=np.abs(stored.data[is_candidate]), minlength=codes.size)
    _, first = np.unique(codes % p, return_index=True)
    # By alpha; those that enter at one alpha by the size of their coefficients there.
    order = np.lexsort((-size[first], codes[first] // p))
    return codes[first][order][:q]
