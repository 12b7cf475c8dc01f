"""Threads that sieve the lanes of a block."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager


class Workers:
    """A pool of threads; the kernels release Python's lock. One worker is the thread that asks."""

    def __init__(self, pool: ThreadPoolExecutor | None, size: int):
        self.pool, self.size = pool, size

    def run(self, work: Callable) -> list:
        """work(0), work(1), ... work(size - 1), at once."""
        return [work(0)] if self.pool is None else list(self.pool.map(work, range(self.size)))


@contextmanager
def open_workers(threads: int | None) -> Iterator[Workers]:
    """As many workers as asked for, else as OMP_NUM_THREADS says, else as this process has cores."""
    told = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0]
    size = threads or (int(told) if told.isdigit() else 0) or len(os.sched_getaffinity(0))
    if size == 1:
        yield Workers(None, 1)
        return
    with ThreadPoolExecutor(size) as pool:
        yield Workers(pool, size)
