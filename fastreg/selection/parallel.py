"""Many independent fits in threads: results in order, whoever computed them, and an end when asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
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

    def work(k: int) -> None:
        if whole.keep_going():
            found[k] = fits[k](Member(whole))

    if n_threads == 1 or len(fits) == 1:
        for k in range(len(fits)):
            work(k)
            whole.advance(k + 1)
        return found
    with ThreadPoolExecutor(min(n_threads, len(fits)), thread_name_prefix="fastreg-fits") as pool:
        futures = [pool.submit(work, k) for k in range(len(fits))]
        try:
            for done, future in enumerate(as_completed(futures), start=1):
                future.result()
                whole.advance(done)
        except BaseException:
            # One failure ends all: what has not begun never does.
            whole.interrupted = True
            raise
    return found
