"""Many independent fits in threads: results in order, whoever computed them, and an end when asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import TypeVar

from ..control import Member, Monitor

T = TypeVar("T")


def in_threads(
    fits: Sequence[Callable[[Monitor], T | None]], n_threads: int, whole: Monitor
) -> list[T | None]:
    """Call every fit with its monitor and return what they return, in their order.

    Each fit runs in one thread: results are bitwise equal for any number of threads. Compiled code lets go
    of the interpreter, so that threads pay. After Ctrl-C or at the end of the budget no fit is begun:
    its place holds None, as does that of a fit which was cut short (it returns None itself).

    Parameters
    ----------
    fits : sequence of callable
        Each takes a ``Monitor`` that tells whether to go on.
    n_threads : int
        Threads.
    whole : Monitor
        Who watches over all of them; entered by the caller.
    """
    found: list[T | None] = [None] * len(fits)
    failures: dict[int, BaseException] = {}
    # Whoever is free takes the next one: one call of this iterator is one step of the interpreter.
    numbers = iter(range(len(fits)))
    finished = count(1)

    def work(*, is_caller: bool = False) -> None:
        for k in numbers:
            # One failure ends all: what has not begun never does.
            if failures:
                return
            try:
                if whole.keep_going():
                    found[k] = fits[k](Member(whole))
                done = next(finished)
                if is_caller:
                    whole.advance(done)
            except BaseException as failure:  # noqa: BLE001 -- raised below, in the caller's thread
                failures[k] = failure
                # What is under way ends early.
                whole.interrupted = True

    others = min(n_threads, len(fits)) - 1
    if others <= 0:
        work(is_caller=True)
    else:
        with ThreadPoolExecutor(others, thread_name_prefix="fastreg-fits") as pool:
            futures = [pool.submit(work) for _ in range(others)]
            # The caller works too: it would only wait, and take turns with the others when one is done.
            work(is_caller=True)
            for future in futures:
                future.result()
    if failures:
        raise failures[min(failures)]
    if others > 0:
        whole.advance(len(fits))
    return found
