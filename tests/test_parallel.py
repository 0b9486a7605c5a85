"""Many fits in threads: order, failures and progress."""

from __future__ import annotations

import time
from typing import Any

import pytest

from fastreg.control import Member, Monitor
from fastreg.selection.parallel import in_threads


@pytest.mark.parametrize("n_threads", [1, 2, 3])
def test_results_come_in_order_and_all_are_shown(n_threads: int) -> None:
    shown: list[int] = []
    with Monitor(total=7) as whole:
        whole.advance = shown.append  # type: ignore[method-assign]
        fits: list[Any] = [lambda monitor, k=k: k * k for k in range(7)]
        assert in_threads(fits, n_threads, whole) == [k * k for k in range(7)]
    assert shown == sorted(shown)
    assert shown[-1] == 7


def test_nothing_to_do_is_done() -> None:
    with Monitor(total=1) as whole:
        assert in_threads([], 2, whole) == []


@pytest.mark.parametrize("n_threads", [1, 2])
@pytest.mark.parametrize("of", [Monitor, Member])
def test_after_a_failure_nothing_is_begun(n_threads: int, of: Any) -> None:
    begun: list[int] = []

    def fit(monitor: Monitor, k: int) -> int:
        begun.append(k)
        if k < n_threads:
            raise ZeroDivisionError(f"fit {k}")
        return k

    with Monitor(total=100) as whole:
        fits: list[Any] = [lambda monitor, k=k: fit(monitor, k) for k in range(100)]
        with pytest.raises(ZeroDivisionError, match="fit 0"):
            in_threads(fits, n_threads, whole if of is Monitor else Member(whole))
    # Each thread had one in hand, and may have taken one more before it heard of the failure.
    assert len(begun) <= 2 * n_threads


@pytest.mark.parametrize("n_threads", [1, 2])
def test_progress_that_cannot_be_shown_ends_the_fits(n_threads: int) -> None:
    begun: list[int] = []

    def broken(done: int) -> None:
        raise OSError("no terminal")

    def fit(monitor: Monitor) -> None:
        begun.append(1)
        # Long enough for the caller to show its own.
        time.sleep(1e-3)

    with Monitor(total=1000) as whole:
        whole.advance = broken  # type: ignore[method-assign]
        fits: list[Any] = [fit] * 1000
        with pytest.raises(OSError, match="no terminal"):
            in_threads(fits, n_threads, whole)
    assert whole.interrupted
    assert len(begun) < 1000
