"""Do the units of a plan that are not done yet, several at a time, and store each as it is finished."""

import asyncio
from collections.abc import Callable, Container, Iterable, Iterator

from sampler_bench.measure.measurement import Responses, measure
from sampler_bench.measure.plan import Unit, stages
from sampler_bench.models.model import DigitModel
from sampler_bench.runs.store import RunFolder

UNITS_AT_ONCE = 16

Tell = Callable[[Unit, int], None]


async def execute(
    units: Iterable[Unit], done: Container[str], model: DigitModel, folder: RunFolder, tell: Tell
) -> None:
    """Measure the units that are not done with the model, and store them.

    ``tell`` is told of each, with how many records it has, as it is stored. Units that go on from traces come
    after those that write them. However many units there are, few are held.

    Raises
    ------
    SamplerBenchError
        The first that a unit raised. Units finished before it are kept.
    """
    for stage in stages(units, done):
        await _execute_stage(stage, model, folder, tell)


async def _execute_stage(waiting: Iterator[Unit], model: DigitModel, folder: RunFolder, tell: Tell) -> None:
    async def work() -> None:
        for unit in waiting:  # shared: each worker takes the next
            records = await measure(unit, model, responses(folder, unit))
            folder.write_part(unit.kind, unit.id, records)
            tell(unit, len(records))
            await asyncio.sleep(0)  # a reference sampler waits for nothing: let errors through

    try:
        async with asyncio.TaskGroup() as workers:
            for _ in range(UNITS_AT_ONCE):
                workers.create_task(work())
    except ExceptionGroup as group:
        first = group.exceptions[0]
    else:
        return
    raise first  # with the cause and context that it has, and no others


def responses(folder: RunFolder, unit: Unit) -> Responses:
    """Those whose traces a unit goes on from; none for others. Raises StoreError if they are not there."""
    return folder.responses(unit.trace_unit.id, unit.prompt.arm.traces) if unit.reads_traces else []
