"""Do the units of a plan on a Ray cluster; this process alone writes their records."""

import asyncio
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

import pyarrow as pa

from sampler_bench.cluster import Cluster
from sampler_bench.errors import ServerError
from sampler_bench.measure.execute import UNITS_AT_ONCE, Tell
from sampler_bench.measure.measurement import Responses, measure
from sampler_bench.measure.plan import Unit, stages
from sampler_bench.measure.store import RunFolder
from sampler_bench.models.replicas import Served, replicas
from sampler_bench.models.sources import Source
from sampler_bench.models.transport import silent

BUNDLES_A_SERVER = 2  # so that a server does not wait while records travel
ATTEMPTS = 5  # at a unit whose replica was lost


@dataclass(frozen=True)
class Bundle:
    """Units measured at once by one task, each with the responses it goes on from."""

    source: Source
    units: list[Unit]
    responses: list[Responses]
    replicated: bool  # served by replicas, which may be elsewhere the next time


def execute_on(
    cluster: Cluster,
    served: Served,
    replicated: bool,
    units: Iterable[Unit],
    done: Container[str],
    folder: RunFolder,
    tell: Tell,
) -> None:
    """As ``execute`` does, each unit by whichever worker of the cluster has time.

    A reference sampler's units are tasks one by one; those of a served model go together, so that a server
    has many requests to batch, and no more than it can hold.

    Raises
    ------
    SamplerBenchError
        The first that a unit raised, or ClusterError. Units finished before it are kept.
    """
    size = UNITS_AT_ONCE if served.servers else 1
    waiting = BUNDLES_A_SERVER * served.servers or None
    for stage in stages(units, done):
        bundles = (
            Bundle(served.source, group, [folder.responses(unit) for unit in group], replicated)
            for group in _groups(stage, size)
        )
        for bundle, results in cluster.map(measure_bundle, bundles, waiting):
            for unit, result in zip(bundle.units, results, strict=True):
                if isinstance(result, pa.Table):
                    folder.write_part(unit.kind, unit.id, result)
                    tell(unit, len(result))
            for result in results:
                if isinstance(result, BaseException):
                    raise result


def measure_bundle(bundle: Bundle) -> list[pa.Table | BaseException]:
    """The records of each unit, or what it raised; runs on a worker."""
    results = asyncio.run(_measure_all(bundle.source, bundle.units, bundle.responses))
    for _ in range(ATTEMPTS if bundle.replicated else 0):
        lost = [k for k, result in enumerate(results) if isinstance(result, ServerError)]
        if not lost:
            break
        urls = [each["url"] for each in replicas(Cluster.within(), bundle.source.name)]
        units, responses = ([of[k] for k in lost] for of in (bundle.units, bundle.responses))
        again = asyncio.run(_measure_all(bundle.source.at(urls), units, responses))
        for k, result in zip(lost, again, strict=True):
            results[k] = result
    return results


async def _measure_all(
    source: Source, units: list[Unit], responses: list[Responses]
) -> list[pa.Table | BaseException]:
    try:
        with source.open(silent) as entering:
            async with entering as model:
                measuring = (measure(unit, model, said) for unit, said in zip(units, responses, strict=True))
                return await asyncio.gather(*measuring, return_exceptions=True)
    except ServerError as error:
        return [error] * len(units)


def _groups(units: Iterator[Unit], size: int) -> Iterator[list[Unit]]:
    while group := list(islice(units, size)):
        yield group
