"""Serial kernels on column ranges, in threads where the data are large enough to pay for it."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache

# Below this many bytes one thread is faster than waking a second.
# Measured on two cores: benchmarks/results/DIARY.md.
CROSSOVER_BYTES = 4 << 20


@cache
def _pool(n_threads: int, pid: int) -> ThreadPoolExecutor:
    """Make the pool on first use; the process id keeps a forked child off threads it does not have."""
    return ThreadPoolExecutor(max_workers=n_threads, thread_name_prefix="fastreg")


def available_threads() -> int:
    """Return the number of processors this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def in_ranges(work: Callable[[int, int], None], bounds: list[int], n_threads: int) -> None:
    """Call work(bounds[i], bounds[i + 1]) for every i, each range whole in one thread.

    A range's result does not depend on who computes it: results are bitwise equal for any number of threads.
    """
    ranges = list(zip(bounds[:-1], bounds[1:], strict=True))
    if n_threads == 1 or len(ranges) == 1:
        for start, stop in ranges:
            work(start, stop)
        return
    futures = [_pool(n_threads, os.getpid()).submit(work, start, stop) for start, stop in ranges[1:]]
    try:
        # The caller takes a range itself: to sleep and be woken takes as long as some hundred columns.
        work(*ranges[0])
    finally:
        for future in futures:
            future.result()


def even_bounds(count: int, bytes_touched: float, n_threads: int) -> list[int]:
    """Split range(count) for the threads; one range when the bytes touched are few."""
    parts = n_threads if bytes_touched >= CROSSOVER_BYTES else 1
    return [count * i // parts for i in range(parts + 1)]
