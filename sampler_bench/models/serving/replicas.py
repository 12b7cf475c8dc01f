"""Replicas: vLLM servers on a Ray cluster, each kept by an actor that Ray starts again where there is room.

A replica is found by the name of its model, in the namespace of this package, for as long as the command
lives that started it.
"""

import os
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import pairwise

from sampler_bench.errors import SamplerBenchError, ServerError
from sampler_bench.executor.executor import Executor
from sampler_bench.executor.ray_cluster import Ray
from sampler_bench.models.engines.endpoint import Say
from sampler_bench.models.engines.exchange import START_SECONDS
from sampler_bench.models.sources import Source

HEALTH_SECONDS = 5.0  # between two looks
UNHEALTHY = 6  # looks without an answer, after which a server is given up
SAY_SECONDS = 10.0
PARALLEL = ("--tensor-parallel-size", "-tp", "--pipeline-parallel-size", "-pp")  # each multiplies the GPUs


class Replica:
    """One server, on the node where this actor runs. If it dies or hangs, the actor ends too, and Ray starts
    both again."""

    def __init__(self, source: Source):
        from ray.util import get_node_ip_address

        self._source, self._stack = source, ExitStack()
        self._failure: SamplerBenchError | None = None
        try:
            self._server = self._stack.enter_context(source.serve(print, get_node_ip_address()))
        except SamplerBenchError as error:  # to be told when asked: Ray would wrap it, and try again for ever
            self._failure = error
            return
        threading.Thread(target=self._watch, daemon=True).start()

    def describe(self) -> dict:
        """Where it is, and what the manifest says of it. Raises the SamplerBenchError of its start."""
        if self._failure:
            raise self._failure
        return {"url": self._server.base_url, **self._source.describe()}

    def _watch(self) -> None:
        failures = 0
        while failures < UNHEALTHY:
            time.sleep(HEALTH_SECONDS)
            try:
                self._server.check()
            except ServerError as error:
                print(error)
                break
            failures = 0 if self._server.is_healthy() else failures + 1
        os._exit(1)  # the server ends with this process


@dataclass(frozen=True)
class Served:
    """A source that workers can reach, with what the manifest says of it and how many servers it has."""

    source: Source
    description: dict
    servers: int


@contextmanager
def start_replicas(cluster: Ray, source: Source, count: int, say: Say) -> Iterator[list[str]]:
    """Start replicas and wait until all are ready. They end with the context, or with this process.

    Yields their URLs.

    Raises
    ------
    ServerError
        If one cannot be started, or is not ready in half an hour.
    """
    ray = cluster.ray
    gpus = _group_size(source.options.vllm_args) if ray.cluster_resources().get("GPU") else 0
    actor = ray.remote(Replica)
    taken = set(_names(source.name))
    free = (name for name in map(f"{source.name} {{}}".format, range(10**6)) if name not in taken)
    handles = [
        actor.options(
            name=next(free),
            num_cpus=1,
            num_gpus=gpus,
            max_restarts=-1,
            max_task_retries=-1,
        ).remote(source.with_key())  # as an argument: Ray logs the environment that it makes for an actor
        for _ in range(count)
    ]
    try:
        yield _wait_for_all(cluster, handles, source.name, say)
    finally:
        for handle in handles:
            ray.kill(handle)


@contextmanager
def reach(executor: Executor, source: Source, say: Say) -> Iterator[Served]:
    """A source whose servers every worker can reach: its replicas, or one that is started for the time.

    Replicas are on a Ray cluster; a source that needs no server can be reached by any executor.

    Raises
    ------
    ServerError
        If a replica cannot be started.
    """
    with ExitStack() as stack:
        if not source.needs_server:
            yield Served(source.with_key(), source.describe(), len(source.options.base_urls))
            return
        assert isinstance(executor, Ray)
        if not _names(source.name):
            stack.enter_context(start_replicas(executor, source, 1, say))
        descriptions = replicas(executor, source.name)
        urls = [description.pop("url") for description in descriptions]
        identities = {description["identity"] for description in descriptions}
        if len(identities) > 1:
            raise ServerError(
                f"the replicas of {source.name} hold different weights: {', '.join(identities)}"
            )
        yield Served(source.with_key().at(urls), descriptions[0], len(urls))


def replicas(cluster: Ray, model: str) -> list[dict]:
    """What the replicas of a model that answer now say of themselves; waits until one does.

    Raises
    ------
    ServerError
        If there is none, or none answers in half an hour.
    """
    ray, started = cluster.ray, time.monotonic()
    while time.monotonic() - started < START_SECONDS:
        names = _names(model)
        if not names:
            raise ServerError(
                f"no replica of {model} is on the cluster any more; `sampler-bench serve` starts them"
            )
        asked = [ray.get_actor(name).describe.remote() for name in names]
        answered, _ = ray.wait(asked, num_returns=len(asked), timeout=HEALTH_SECONDS)
        if answered:
            return [cluster.get(each) for each in answered]
    raise ServerError(f"no replica of {model} has answered in {START_SECONDS} s")


def _names(model: str) -> list[str]:
    from ray.util import list_named_actors

    return sorted(name for name in list_named_actors() if name.rpartition(" ")[0] == model)


def _wait_for_all(cluster: Ray, handles: list, model: str, say: Say) -> list[str]:
    ray, started = cluster.ray, time.monotonic()
    asked = [handle.describe.remote() for handle in handles]
    say(f"starting {len(handles)} replica{'s' * (len(handles) > 1)} of {model} on the cluster")
    while time.monotonic() - started < START_SECONDS:
        answered, missing = ray.wait(asked, num_returns=len(asked), timeout=SAY_SECONDS)
        descriptions = [cluster.get(each) for each in answered]
        if not missing:
            return [description["url"] for description in descriptions]
        say(f"{len(answered)} of {len(handles)} ready after {time.monotonic() - started:.0f} s")
    raise ServerError(
        f"the replicas of {model} were not ready after {START_SECONDS} s; has the cluster room for them?"
    )


def _group_size(vllm_args: Sequence[str]) -> int:
    """GPUs of one replica, from vLLM's arguments."""
    words = [word for argument in vllm_args for word in argument.split("=")]
    size = 1
    for name, value in pairwise(words):
        if name in PARALLEL and value.isdigit():
            size *= int(value)
    return size
