"""What depends on whether the loss is quadratic: how a working set is solved, judged and written down."""

from __future__ import annotations

import math

from .._jit import verb
from .curved import FIT, Curved, bend, curved_gap, is_short
from .duality import gap
from .finish import finish
from .updates import Naive, form_residual

# Entries of report.
GAP, TO_READ, ROW, SQUARE, NEXT, VIOLATORS, ABSORBED, COMMON, LOOKS, LISTED = 0, 1, 2, 3, 4, 5, 6, 7, 8, 9
WAITS, COST = 10, 11
REPORT = 12


@verb
def solve(U, W, F, alpha, limits, stats):  # type: ignore[no-untyped-def]
    """Solve the problem restricted to the working set; return one of the codes of finish."""
    raise TypeError(f"no update verb 'solve' for {type(U).__name__}")


@verb
def judge(U, W, alpha, square, largest_unread, report):  # type: ignore[no-untyped-def]
    """Report the gap of W.beta and twice the value of the loss there; square = ||r||^2."""
    raise TypeError(f"no update verb 'judge' for {type(U).__name__}")


@verb
def falls_short(U, gap):  # type: ignore[no-untyped-def]
    """Tell whether the working set has to be solved more closely for the sake of this gap."""
    raise TypeError(f"no update verb 'falls_short' for {type(U).__name__}")


@verb
def note_intercepts(U, trail, k):  # type: ignore[no-untyped-def]
    """Write down what intercepts the k-th alpha was fitted with."""
    raise TypeError(f"no update verb 'note_intercepts' for {type(U).__name__}")


@solve.member(Naive)
def _solve_quadratic(U, W, F, alpha, limits, stats):  # type: ignore[no-untyped-def]
    return finish(U, W, F, alpha, limits.max_rounds, limits.work, stats)


@solve.member(Curved)
def _solve_curved(U, W, F, alpha, limits, stats):  # type: ignore[no-untyped-def]
    return bend(U, W, F, alpha, limits.max_rounds, limits.work, stats)


@judge.member(Naive)
def _judge_quadratic(U, W, alpha, square, largest_unread, report):  # type: ignore[no-untyped-def]
    report[GAP] = gap(W, alpha, square, largest_unread)
    report[SQUARE] = square


@judge.member(Curved)
def _judge_curved(U, W, alpha, square, largest_unread, report):  # type: ignore[no-untyped-def]
    report[GAP] = curved_gap(U, W, alpha, largest_unread, math.inf)
    report[SQUARE] = 2.0 * U.memo[FIT]


@falls_short.member(Naive)
def _quadratic_falls_short(U, gap):  # type: ignore[no-untyped-def]
    return False


@falls_short.member(Curved)
def _curved_falls_short(U, gap):  # type: ignore[no-untyped-def]
    return is_short(U, gap)


@note_intercepts.member(Naive)
def _note_nothing(U, trail, k):  # type: ignore[no-untyped-def]
    return


@note_intercepts.member(Curved)
def _note_curved(U, trail, k):  # type: ignore[no-untyped-def]
    for c in range(U.intercept.shape[0]):
        trail.intercept[k, c] = U.intercept[c]


@verb
def refit(U, W):  # type: ignore[no-untyped-def]
    """Make the residual belong to W.beta; return the sum of v."""
    raise TypeError(f"no update verb 'refit' for {type(U).__name__}")


@refit.member(Naive)
def _refit_quadratic(U, W):  # type: ignore[no-untyped-def]
    return form_residual(U, W.feature, W.beta, W.size[0])


@refit.member(Curved)
def _refit_curved(U, W):  # type: ignore[no-untyped-def]
    # Every step has evaluated the loss where it ended.
    return U.sums[0]
