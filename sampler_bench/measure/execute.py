"""Do the units of a plan that are not done yet, several at a time, and store each as it is finished."""

import asyncio
from collections.abc import Callable, Sequence

from sampler_bench.measure.answers import FOUND, NONE, parse_answer
from sampler_bench.measure.plan import Unit, numbers_along
from sampler_bench.measure.store import RunFolder
from sampler_bench.models.base import DigitModel

UNITS_AT_ONCE = 4


def missing(units: Sequence[Unit], folder: RunFolder) -> list[Unit]:
    """The units whose records are not in the folder."""
    return [unit for unit in units if not folder.has_part(unit.kind, unit.id)]


async def execute(
    units: Sequence[Unit], model: DigitModel, folder: RunFolder, done: Callable[[Unit], None]
) -> None:
    """Measure the units with the model; ``done`` is called as each one's records are stored.

    Raises
    ------
    SamplerBenchError
        The first that a unit raised. Units finished before it are kept.
    """
    waiting = iter(units)

    async def work() -> None:
        for unit in waiting:  # shared: each worker takes the next
            folder.write_part(unit.kind, unit.id, await _measure(unit, model))
            done(unit)

    try:
        async with asyncio.TaskGroup() as workers:
            for _ in range(UNITS_AT_ONCE):
                workers.create_task(work())
    except ExceptionGroup as group:
        raise group.exceptions[0] from None


async def _measure(unit: Unit, model: DigitModel) -> list[dict]:
    rows = await (_conditionals(unit, model) if unit.kind == "conditionals" else _samples(unit, model))
    task = unit.prompt.task
    common = {"task": task.name, "task_version": task.version, "model": unit.model}
    common |= {"arm": unit.prompt.arm.name, "decoder": unit.decoder}
    return [common | row for row in rows]


async def _conditionals(unit: Unit, model: DigitModel) -> list[dict]:
    target = unit.prompt.task.target
    numbers = numbers_along(unit.prompt.task, unit.settings, unit.start, unit.size)
    prefixes = sorted({number[:k] for number, _ in numbers for k in range(len(number) + 1)})
    q_of = dict(zip(prefixes, await model.conditionals(unit.prompt, prefixes), strict=True))
    rows = []
    for number_id, (number, weight) in enumerate(numbers, start=unit.start):
        for position in range(len(number) + 1):
            prefix = number[:position]
            truth = target.conditional(prefix)
            rows.append(
                {
                    "number_id": number_id,
                    "position": position,
                    "prefix": prefix,
                    "weight": weight,
                    "p": truth.p,
                    "method": truth.method,
                    "bound": truth.bound,
                    "q": q_of[prefix],
                    "traces": 0,
                    "ess": 0.0,
                }
            )
    return rows


async def _samples(unit: Unit, model: DigitModel) -> list[dict]:
    prompt = unit.prompt
    responses = await model.sample(prompt, unit.size, unit.seed())
    rows = []
    for sample_id, response in enumerate(responses, start=unit.start):
        answer = parse_answer(response.text, prompt.arm)
        rows.append(
            {
                "sample_id": sample_id,
                "seed": response.seed,
                "prompt_hash": prompt.hash,
                "text": response.text,
                "answer": answer,
                "parse": NONE if answer is None else FOUND,
                "valid": answer is not None and prompt.task.target.contains(answer),
                "finish_reason": response.finish_reason,
                "prompt_tokens": response.prompt_tokens,
                "completion_tokens": response.completion_tokens,
                "seconds": response.seconds,
            }
        )
    return rows
