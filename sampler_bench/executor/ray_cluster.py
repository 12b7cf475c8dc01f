"""Work done on a Ray cluster: functions over items, few at a time, again where a node or a worker is lost.

Ray is imported when a cluster is connected to, and not before.
"""

import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Generator, Iterable
from types import ModuleType
from typing import Any

from sampler_bench.errors import ClusterError, InputError, MissingPackageError, SamplerBenchError
from sampler_bench.executor.executor import Item, Result

NAMESPACE = "sampler-bench"
LOCAL = "local"
AHEAD = 2  # tasks given out for each core of the cluster, so that none waits for the next
KNOCK_SECONDS = 10.0
RETRIES = 10  # of a task whose worker or node was lost
RESOURCES_SECONDS = 5.0  # after which the cluster's size is asked for again


class Ray:
    """A connection to a Ray cluster. Use as a context manager.

    Parameters
    ----------
    address : str
        Of the cluster's head, ``auto`` for the one on this machine, or ``local`` to start one here.

    Raises
    ------
    InputError
        On entering it, if Ray is not installed or no cluster answers at the address.
    """

    def __init__(self, address: str):
        self.address = address
        self._cores, self._asked = 1, -RESOURCES_SECONDS

    def __enter__(self) -> "Ray":
        self.ray = _import_ray()
        on_sigterm = signal.getsignal(signal.SIGTERM)
        try:
            _knock(self.address)
            self.ray.init(
                address=self.address,
                namespace=NAMESPACE,
                log_to_driver=False,
                logging_level=logging.ERROR,
                **({"include_dashboard": False} if self.address == LOCAL else {}),
            )
        except (OSError, ValueError, RuntimeError) as error:
            reason = str(error).partition("\n")[0]
            raise InputError(
                f"no Ray cluster at {self.address!r}: {reason}; start one with `ray start --head`, or use "
                "--ray local"
            ) from error
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, on_sigterm)  # which Ray has made its own
        return self

    @classmethod
    def within(cls) -> "Ray":
        """The cluster that this process is a worker of."""
        cluster = cls("")
        cluster.ray = _import_ray()
        return cluster

    def __exit__(self, *_):
        self.ray.shutdown()

    def map(
        self, function: Callable[[Item], Result], items: Iterable[Item], waiting: int | None = None
    ) -> Generator[tuple[Item, Result], None, None]:
        """As ``Executor.map``, with two items for each core of the cluster on their way.

        Tasks that do little but wait take no core, and there are ``waiting`` of them at a time. Left early,
        those under way end unseen, or with the connection.

        Raises
        ------
        SamplerBenchError
            What the function raised; ClusterError if its worker was lost again and again.
        """
        task = self.ray.remote(_apply).options(num_cpus=1 if waiting is None else 0, max_retries=RETRIES)
        running, taking, exhausted = {}, iter(items), False
        while True:
            while not exhausted and len(running) < (waiting or self._room()):
                try:
                    item = next(taking)
                except StopIteration:
                    exhausted = True
                else:
                    running[task.remote(function, item)] = item
            if not running:
                return
            finished, _ = self.ray.wait(list(running))
            for reference in finished:
                yield running.pop(reference), self.get(reference)

    def get(self, reference: object, timeout: float | None = None) -> Any:
        """What a task returns. Raises what it raised, or ClusterError."""
        try:
            return self.ray.get(reference, timeout=timeout)
        except self.ray.exceptions.RayTaskError as error:
            if isinstance(error.cause, SamplerBenchError):
                raise error.cause from None
            raise
        except self.ray.exceptions.GetTimeoutError:
            raise
        except self.ray.exceptions.RayError as error:
            reason = str(error).strip().partition("\n")[0]
            raise ClusterError(f"the Ray cluster gave up on a task: {reason}") from error

    def _room(self) -> int:
        """Tasks that may be on their way; nodes come and go."""
        if time.monotonic() - self._asked > RESOURCES_SECONDS:
            self._cores, self._asked = int(self.ray.cluster_resources().get("CPU", 1)), time.monotonic()
        return AHEAD * max(1, self._cores)


def _apply(function: Callable[[Item], Result], item: Item) -> Result:
    return function(item)


def _knock(address: str) -> None:
    """Raise OSError unless something listens at an address like host:port; Ray would try for minutes."""
    host, _, port = address.rpartition("//")[2].rpartition(":")
    if host and port.isdigit():
        socket.create_connection((host.strip("[]"), int(port)), timeout=KNOCK_SECONDS).close()


def _import_ray() -> ModuleType:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # else it warns of what is to come
    try:
        import ray
        import ray.exceptions
    except ImportError as error:
        raise MissingPackageError("Ray is not installed here: pip install 'sampler-bench[ray]'") from error
    return ray
