"""Do the units of a plan in bundles, which workers measure; this process alone writes their records."""

import asyncio
from collections.abc import Container, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import islice

import pyarrow as pa

from sampler_bench.errors import ServerError
from sampler_bench.executor.executor import Executor
from sampler_bench.executor.processes import Processes
from sampler_bench.executor.ray_cluster import Ray
from sampler_bench.measure.event_loop import run_to_end
from sampler_bench.measure.execute import UNITS_AT_ONCE, Tell, responses
from sampler_bench.measure.measurement import Responses, measure
from sampler_bench.measure.plan import Unit, stages
from sampler_bench.models.engines.exchange import LostError
from sampler_bench.models.engines.transport import silent
from sampler_bench.models.serving.replicas import Served, replicas
from sampler_bench.models.sources import Source
from sampler_bench.runs.store import RunFolder

BUNDLES_A_SERVER = 2  # so that a server does not wait while records travel
ATTEMPTS = 5  # at a unit whose replica was lost


@dataclass(frozen=True)
class Bundle:
    """Units measured at once by one task, each with the responses it goes on from."""

    source: Source
    units: list[Unit]
    responses: list[Responses]
    replicated: bool  # served by replicas, which may be elsewhere the next time
    probe: Sequence[float]  # what the model answers to the probe, if it is one that has weights


def workers_for(source: Source, executor: Executor | None) -> Executor | None:
    """Who measures a source's units, by what a run was given; None if this process does.

    A reference sampler's are worth all cores. Servers are kept busy by one process, unless they are spread
    over a cluster.
    """
    if source.reference is not None:
        return executor or Processes()
    return executor if is_cluster(executor) else None


def is_cluster(executor: Executor | None) -> bool:
    """Whether it works on other machines, too."""
    return isinstance(executor, Ray)


def execute_in_bundles(
    executor: Executor,
    served: Served,
    replicated: bool,
    units: Iterable[Unit],
    done: Container[str],
    folder: RunFolder,
    tell: Tell,
    probe: Sequence[float] = (),
) -> None:
    """As ``execute`` does, each unit by whichever worker has time.

    A reference sampler's units are tasks one by one; those of a served model go together, so that a server
    has many requests to batch, and no more than it can hold.

    ``probe``: the model's answer to the probe, which every worker's server must give as well.

    Raises
    ------
    SamplerBenchError
        The first that a unit raised, or that of the executor. Units finished before it are kept.
    """
    size = UNITS_AT_ONCE if served.servers else 1
    waiting = BUNDLES_A_SERVER * served.servers or None
    for stage in stages(units, done):
        bundles = (
            Bundle(served.source, group, [responses(folder, unit) for unit in group], replicated, probe)
            for group in _groups(stage, size)
        )
        with closing(executor.map(measure_bundle, bundles, waiting)) as measured:
            for bundle, results in measured:
                for unit, result in zip(bundle.units, results, strict=True):
                    if not isinstance(result, BaseException):
                        folder.write_part(unit.kind, unit.id, result)
                        tell(unit, len(result))
                for result in results:
                    if isinstance(result, BaseException):
                        raise result


def measure_bundle(bundle: Bundle) -> list[pa.Table | BaseException]:
    """The records of each unit, or what it raised; runs on a worker, which may be this process."""
    results = run_to_end(_measure_all(bundle, bundle.source, range(len(bundle.units))))
    for _ in range(ATTEMPTS if bundle.replicated else 0):
        lost = [k for k, result in enumerate(results) if isinstance(result, LostError)]
        if not lost:
            break
        urls = [each["url"] for each in replicas(Ray.within(), bundle.source.name)]
        again = run_to_end(_measure_all(bundle, bundle.source.at(urls), lost))
        for k, result in zip(lost, again, strict=True):
            results[k] = result
    return results


async def _measure_all(
    bundle: Bundle, source: Source, places: Sequence[int]
) -> list[pa.Table | BaseException]:
    """The records of some of a bundle's units, or what they raised."""
    try:
        with source.open(silent, bundle.probe) as entering:
            async with entering as model:
                measuring = (measure(bundle.units[k], model, bundle.responses[k]) for k in places)
                return await asyncio.gather(*measuring, return_exceptions=True)
    except ServerError as error:
        return [error] * len(places)


def _groups(units: Iterator[Unit], size: int) -> Iterator[list[Unit]]:
    while group := list(islice(units, size)):
        yield group
