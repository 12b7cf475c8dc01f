"""Next-digit laws of a model behind inspect_ai's vLLM provider, read by our own code, as text for a log."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import pandas as pd
from anyio import CancelScope, to_thread
from inspect_ai.model import ModelAPI

from sampler_bench.errors import InputError
from sampler_bench.measure.measurement import measure
from sampler_bench.measure.plan import Unit
from sampler_bench.measure.truth_along import truth_along
from sampler_bench.models.engines.transport import Transport
from sampler_bench.models.engines.vllm import VllmModel
from sampler_bench.models.model import Prompt
from sampler_bench.runs.records import CONDITIONALS
from sampler_bench.secrets import remember

READ = {False: "q", True: "blind"}  # by whether the constraint is not spoken of


@dataclass
class _Opened:
    """A model that several samples ask at once: the first opens it, the last closes it."""

    users: int
    lock: asyncio.Lock
    model: VllmModel | None = None


_opened: WeakKeyDictionary[ModelAPI, _Opened] = WeakKeyDictionary()
_arguments: WeakKeyDictionary[ModelAPI, dict[str, object]] = WeakKeyDictionary()


@asynccontextmanager
async def served(api: ModelAPI) -> AsyncIterator[VllmModel]:
    """The model of a vLLM provider, asked at the provider's URL with its key.

    Raises
    ------
    ServerError, ModelError
        If the server is none of vLLM, or its digits cannot be read.
    """
    vllm: Any = api
    await vllm.tokenize("7")  # by which a server that the provider starts is up, and its URL known
    remember(vllm.api_key)
    shared = _opened.setdefault(api, _Opened(0, asyncio.Lock()))
    async with shared.lock:
        if shared.model is None:
            transport = Transport([str(vllm.base_url)], vllm.api_key)
            shared.model = await VllmModel(transport, vllm.service_model_name()).__aenter__()
        model = shared.model
        shared.users += 1
    try:
        yield model
    finally:
        with CancelScope(shield=True):
            async with shared.lock:
                shared.users -= 1
                if not shared.users:
                    shared.model = None
                    _opened.pop(api, None)
                    await model.__aexit__()


async def template_arguments(api: ModelAPI, prompt: Prompt) -> dict[str, object]:
    """What the chat template is told where laws are read, so that responses are to the same prompts.

    Learnt once: it is the same for all arms without a budget.
    """
    if api not in _arguments:
        async with served(api) as model:
            _arguments[api] = model.template_arguments(prompt)
    return _arguments[api]


async def read_laws(model: VllmModel, units: Sequence[Unit]) -> str:
    """The laws of a wording, along the numbers of our own run, beside the truth.

    Parameters
    ----------
    units : sequence of Unit
        Of conditionals: with the task's phrase and, if it has one, with its control phrase.

    Returns
    -------
    str
        JSON: ``numbers`` with their weights; by prefix ``p``, ``method`` and ``bound`` of the truth, ``q`` of
        the model and ``blind`` where the constraint is not spoken of; ``probe`` and ``server_version``.
    """
    told: dict[str, Any] = {"probe": model.probe, "server_version": model.server_version}
    told |= {
        name: value for name, value in model.describe().items() if name in ("digits", "start", "thinking")
    }
    for unit in units:
        rows = (await measure(unit, model, [])).to_pandas()
        last = rows.groupby("number_id").last()  # of a number's beginnings it is the number itself
        told["numbers"] = list(zip(last["prefix"], last["weight"], strict=True))
        of_prefix = rows.drop_duplicates("prefix")
        told[READ[unit.prompt.blind]] = {
            prefix: [*map(float, law)]
            for prefix, law in zip(of_prefix["prefix"], of_prefix["q"], strict=True)
        }
    for row in (await to_thread.run_sync(truth_along, units[0])).to_pylist():
        for name in ("p", "method", "bound"):
            told.setdefault(name, {})[row["prefix"]] = row[name]
    return json.dumps(told)


def conditionals_of(told: str, task: str, wording: str) -> pd.DataFrame:
    """The records of conditionals (``runs/records.py``) that ``read_laws`` told of, as scores need them.

    Raises
    ------
    InputError
        If it is not what ``read_laws`` tells.
    """
    try:
        found = json.loads(told)
        rows = [
            {"number_id": place, "position": position, "prefix": number[:position], "weight": weight}
            | {name: found[name][number[:position]] for name in ("p", "method", "bound")}
            | {"q": found[READ[blind]][number[:position]], "blind": blind}
            for blind in READ
            if READ[blind] in found
            for place, (number, weight) in enumerate(found["numbers"])
            for position in range(len(number) + 1)
        ]
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"the laws of {task}, wording {wording}, are not what was written: {error}"
        ) from error
    of = {"task": task, "task_version": 1, "model": "model", "arm": "arm", "paraphrase": wording}
    rest = {"decoder": "ancestral", "traces": 0, "forced": 0, "ess": 0.0, "traces_of": ""}
    return pd.DataFrame([of | rest | row | {"q_by_trace": []} for row in rows], columns=CONDITIONALS.names)
