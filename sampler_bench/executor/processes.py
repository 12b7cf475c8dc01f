"""Work done on all cores of this machine, once it turns out to be long enough to be worth it.

When the work of a few seconds is done and some is left, loky is imported and starts processes. Until they are
ready, which takes them a second or more, work goes on here.
"""

import os
import signal
import threading
import time
import warnings
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from itertools import chain, islice
from typing import TYPE_CHECKING

from sampler_bench.errors import InputError, SamplerBenchError, WorkerError
from sampler_bench.executor.executor import Item, Result
from sampler_bench.executor.here import Here

if TYPE_CHECKING:
    from loky.process_executor import ProcessPoolExecutor

HERE_SECONDS = 5.0  # of work done before processes are started: some times what their start costs
AHEAD = 2  # items given out for each core, so that none waits for the next
WATCH_SECONDS = 1.0  # between two looks of a worker at whether this process still lives


class Processes:
    """Worker processes on this machine. They end when idle for ten seconds, and with this process.

    Parameters
    ----------
    cores : int, optional
        How many work; by default as many cores as this process may use. With one, all is done here.

    Raises
    ------
    InputError
        If there would be none.
    """

    def __init__(self, cores: int | None = None):
        if cores is not None and cores < 1:
            raise InputError(f"cores = {cores}: at least one has to work")
        self.cores = cores or len(os.sched_getaffinity(0))

    def map(
        self, function: Callable[[Item], Result], items: Iterable[Item], waiting: int | None = None
    ) -> Generator[tuple[Item, Result], None, None]:
        """As ``Executor.map``: here until five seconds' work is done and processes are ready, then there.

        Two items for each core are on their way. Functions, items and results are pickled by cloudpickle:
        those of scripts and notebooks will do. Where a map is left early, its processes are killed, and with
        them what another map of the same thread has on its way.

        Raises
        ------
        SamplerBenchError
            What the function raised; WorkerError if a worker process was lost.
        """
        if self.cores == 1:
            yield from Here().map(function, items)
            return
        taking = iter(items)
        yield from _here_until(lambda worked: worked >= HERE_SECONDS, function, taking)
        for item in taking:  # only where one is left; the others follow it
            yield from self._elsewhere(function, chain([item], taking), waiting or AHEAD * self.cores)

    def _elsewhere(
        self, function: Callable[[Item], Result], taking: Iterator[Item], room: int
    ) -> Generator[tuple[Item, Result], None, None]:
        pool, finished = self._pool(), False
        running: dict[Future[Result], Item] = {}
        try:
            ready = _submit(pool, _nothing, function)  # which imports all that the function needs
            yield from _here_until(lambda _: ready.done(), function, taking)
            while True:
                for item in islice(taking, room - len(running)):
                    running[_submit(pool, function, item)] = item
                if not running:
                    break
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    yield running.pop(future), _result(future)
            finished = True
        finally:
            if not finished:
                pool.shutdown(kill_workers=True)

    def _pool(self) -> "ProcessPoolExecutor":
        """That of this thread, kept from one map to the next; a new one if the environment has changed.

        Workers have the same environment as this process, the threads of its linear algebra too: results
        must not depend, in their last bits, on who came by an item.
        """
        import multiprocessing.resource_tracker

        import loky
        import loky.backend.resource_tracker

        # Before ``_submit`` holds Ctrl-C back: their start would let it through.
        multiprocessing.resource_tracker.ensure_running()
        loky.backend.resource_tracker.ensure_running()
        # Of workers that it starts again, which need not interest anyone.
        warnings.filterwarnings("ignore", category=UserWarning, module=r"loky\.process_executor")
        return loky.get_reusable_executor(
            self.cores, env=dict(os.environ), initializer=_end_with, initargs=(os.getpid(),)
        )


def _here_until(
    enough: Callable[[float], bool], function: Callable[[Item], Result], taking: Iterator[Item]
) -> Iterator[tuple[Item, Result]]:
    """Items worked off in this process, until the seconds that this has taken are enough."""
    worked = 0.0
    for item in taking:
        started = time.monotonic()
        result = function(item)
        worked += time.monotonic() - started
        yield item, result
        if enough(worked):
            return


def _submit(pool: "ProcessPoolExecutor", function: Callable[[Item], Result], item: Item) -> Future[Result]:
    """Raises WorkerError if the pool is broken. Ctrl-C does not reach workers that it starts."""
    from loky.process_executor import TerminatedWorkerError

    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        return pool.submit(function, item)
    except TerminatedWorkerError as error:
        raise _lost() from error
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _result(future: Future[Result]) -> Result:
    """What the function returned. Raises what it raised, or WorkerError."""
    from loky.process_executor import TerminatedWorkerError

    try:
        return future.result()
    except TerminatedWorkerError as error:
        raise _lost() from error
    except SamplerBenchError as error:
        raise error from None  # its cause is the worker's traceback


def _lost() -> WorkerError:
    return WorkerError(
        "a worker process was killed, or crashed, in the middle of its work, most often because memory ran "
        "out: free some, or work on fewer cores, as `taskset -c 0` or Processes(cores=1) do, and start again"
    )


def _nothing(_: object) -> None:
    return


def _end_with(parent: int) -> None:
    """Let this worker process end when its parent has, however that ended."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(WATCH_SECONDS)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
