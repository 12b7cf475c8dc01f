"""Do the units of a plan that are not done yet, several at a time, and store each as it is finished."""

import asyncio
from collections.abc import Callable, Container, Iterable, Iterator

from sampler_bench.measure.measurement import measure
from sampler_bench.measure.plan import Unit, stages
from sampler_bench.measure.store import RunFolder
from sampler_bench.models.base import DigitModel

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
            records = await measure(unit, model, folder.responses(unit))
            folder.write_part(unit.kind, unit.id, records)
            tell(unit, len(records))
            await asyncio.sleep(0)  # a reference sampler waits for nothing: let errors through

    try:
        async with asyncio.TaskGroup() as workers:
            for _ in range(UNITS_AT_ONCE):
                workers.create_task(work())
    except ExceptionGroup as group:
        raise group.exceptions[0] from None
