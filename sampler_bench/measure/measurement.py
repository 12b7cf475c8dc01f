"""Measure one unit: what the model says, and its records."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa

from sampler_bench.errors import ModelError
from sampler_bench.measure.parsing import FOUND, NONE, parse_answers
from sampler_bench.measure.plan import Unit, numbers_along
from sampler_bench.measure.traces import Trace, forced_trace, trace_of
from sampler_bench.measure.truth_along import prefixes_of
from sampler_bench.models.model import DigitModel, Prompt, Response, child_seeds
from sampler_bench.runs.over_traces import marginal_over_traces
from sampler_bench.runs.records import MEASURED

Responses = Sequence[tuple[str, str]]
GIVEN = 1  # the stream of random digits that a prompt gives


async def measure(unit: Unit, model: DigitModel, responses: Responses) -> pa.Table:
    """The records of one unit, of the schema of its kind.

    Parameters
    ----------
    responses : sequence of (thinking, text)
        Those whose traces the unit goes on from; others go on from none.

    Raises
    ------
    SamplerBenchError
        If the target or the model refuses, or the model is not the same any more.
    """
    if unit.kind == "samples":
        rows = await _samples(unit, model)
    elif unit.reads_traces:
        rows = await _conditionals_after_traces(unit, model, responses)
    else:
        rows = await _conditionals(unit, model)
    await model.vouch()
    prompt = unit.prompt
    common = {
        "task": prompt.task.name,
        "task_version": prompt.task.version,
        "model": unit.model,
        "arm": prompt.arm.name,
        "paraphrase": prompt.paraphrase.name,
        "decoder": unit.decoder.name,
        "blind": prompt.blind,
    }
    return pa.Table.from_pylist([common | row for row in rows], schema=MEASURED[unit.kind])


async def _conditionals(unit: Unit, model: DigitModel) -> list[dict]:
    target, law = unit.prompt.task.target, unit.decoder.law
    assert law is not None  # of others no such unit is planned
    numbers = numbers_along(unit)
    prefixes = prefixes_of(number for number, _ in numbers)
    q_of = dict(zip(prefixes, await model.conditionals(unit.prompt, prefixes), strict=True))
    return [
        _place(number_id, position, number, weight)
        | {"q": law(q_of[number[:position]], target, number[:position])}
        | {"traces": 0, "forced": 0, "ess": 0.0, "traces_of": "", "q_by_trace": []}
        for number_id, (number, weight) in enumerate(numbers, start=unit.start)
        for position in range(len(number) + 1)
    ]


async def _conditionals_after_traces(unit: Unit, model: DigitModel, responses: Responses) -> list[dict]:
    numbers = numbers_along(unit)
    prefixes = prefixes_of(number for number, _ in numbers)
    place = {prefix: i for i, prefix in enumerate(prefixes)}
    laws = await asyncio.gather(*(_after_trace(unit.prompt, model, prefixes, *said) for said in responses))
    q = np.stack([law for law, _ in laws])
    common = {
        "traces": len(laws),
        "forced": sum(trace.forced for _, trace in laws),
        "traces_of": unit.traces_of.name if unit.traces_of else "",
    }
    rows = []
    for number_id, (number, weight) in enumerate(numbers, start=unit.start):
        along = [place[number[:position]] for position in range(len(number) + 1)]
        law, ess = marginal_over_traces(q[:, along], number)
        for position in range(len(number) + 1):
            read = {"q": law[position], "ess": ess[position], "q_by_trace": q[:, along[position]].ravel()}
            rows.append(_place(number_id, position, number, weight) | common | read)
    return rows


async def _after_trace(
    prompt: Prompt, model: DigitModel, prefixes: Sequence[str], thinking: str, text: str
) -> tuple[np.ndarray, Trace]:
    """The conditionals after a response's trace; after the arm's lead where the tokens allow no cut."""
    trace = trace_of(thinking, text, prompt.arm)
    try:
        return await model.conditionals(prompt, prefixes, trace.text), trace
    except ModelError:
        if trace.forced:
            raise
    trace = forced_trace(thinking, text, prompt.arm)
    return await model.conditionals(prompt, prefixes, trace.text), trace


def _place(number_id: int, position: int, number: str, weight: float) -> dict:
    return {"number_id": number_id, "position": position, "prefix": number[:position], "weight": weight}


async def _samples(unit: Unit, model: DigitModel) -> list[dict]:
    arm = unit.prompt.arm
    place, step = arm.paraphrases.index(unit.prompt.paraphrase), len(arm.paraphrases)
    return [
        row
        for local_id, (prompt, response) in enumerate(await _responses(unit, model), start=unit.start)
        for row in _answer_rows(prompt, response, local_id * step + place)
    ]


async def _responses(unit: Unit, model: DigitModel) -> list[tuple[Prompt, Response]]:
    """Each with the prompt that it was asked for with."""
    prompt, decoder = unit.prompt, unit.decoder
    if not prompt.arm.gives_seeds:
        return [(prompt, said) for said in await decoder.sample(model, prompt, unit.size, unit.seed())]
    seeds = child_seeds(unit.seed(), unit.size)
    prompts = [replace(prompt, seed=random_digits(seed, prompt.seed_length)) for seed in seeds]
    asked = (decoder.sample(model, each, 1, seed) for each, seed in zip(prompts, seeds, strict=True))
    return [(each, said) for each, (said,) in zip(prompts, await asyncio.gather(*asked), strict=True)]


def random_digits(seed: int, digits: int) -> str:
    """For a model to make a number from."""
    rng = np.random.default_rng([seed, GIVEN])
    return "".join(map(str, rng.integers(0, 10, digits)))


def _answer_rows(prompt: Prompt, response: Response, response_id: int) -> list[dict]:
    """A row for each answer that the response was to hold; the first carries its cost."""
    rows = []
    for item, answer in enumerate(parse_answers(response.text, prompt.arm)):
        rows.append(
            {
                "sample_id": response_id * prompt.arm.answers + item,
                "response_id": response_id,
                "seed": response.seed,
                "prompt_hash": prompt.hash,
                "thinking": response.thinking,
                "text": response.text,
                "answer": answer,
                "parse": NONE if answer is None else FOUND,
                "valid": answer is not None and prompt.task.target.contains(answer),
                "log_weight": response.log_weight,
                "finish_reason": response.finish_reason,
                "prompt_tokens": 0 if item else response.prompt_tokens,
                "completion_tokens": 0 if item else response.completion_tokens,
                "forward_passes": 0 if item else response.forward_passes,
                "seconds": 0.0 if item else response.seconds,
            }
        )
    return rows
