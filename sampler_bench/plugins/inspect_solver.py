"""An arm as a solver of inspect_ai: an epoch is a response, and with the first the laws are read."""

import time
from typing import Any

from inspect_ai.model import (
    ChatMessage,
    ChatMessageAssistant,
    ChatMessageSystem,
    ChatMessageUser,
    get_model,
)
from inspect_ai.solver import Generate, Solver, TaskState, solver

from sampler_bench.errors import InputError
from sampler_bench.models.engines.language_model import UNMASKED
from sampler_bench.models.model import NATURAL, Prompt
from sampler_bench.plugins.inspect_asking import (
    VLLM,
    answers_of,
    epochs_of,
    in_one_sentence,
    must_suit,
    name_of,
    plan_of,
    reads_laws,
    response_asked,
    wholes,
)
from sampler_bench.plugins.inspect_laws import read_laws, served, template_arguments

TURNS = {"system": ChatMessageSystem, "user": ChatMessageUser, "assistant": ChatMessageAssistant}
TELLS = {"frequency_penalty", "presence_penalty"}  # of what is unmasked: fields of inspect_ai's own


@solver
def ask(
    suite: str,
    arm: str = "direct",
    numbers: int | None = None,
    samples: int | None = None,
    seed: int = 0,
    tasks: str = "",
    laws: bool | str = "auto",
) -> Solver:
    """Ask for one response a epoch, as our own run asks; the parameters are those of ``plan_of``."""
    with in_one_sentence():
        plan = plan_of(suite, arm, numbers, samples, seed, tasks, laws)
    epochs = epochs_of(plan)

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        with in_one_sentence():
            must_suit(plan, state.model, laws)
            if state.epoch > epochs:
                raise InputError(
                    f"epochs are responses, and {epochs} are those of {plan.settings.samples} answers; ask "
                    "for more with -T samples=N in place of --epochs"
                )
            with_laws = reads_laws(plan, state.model, laws)
            units = wholes(plan, name_of(state.model), with_laws)[
                state.metadata["task"], state.metadata["wording"]
            ]
            turned: dict[str, object] = {}
            if with_laws:
                api = get_model().api
                turned = await template_arguments(api, units[0].prompt)
                if state.epoch == 1:
                    async with served(api) as model:
                        wanted = [unit for unit in units if unit.kind == "conditionals"]
                        state.store.set("laws", await read_laws(model, wanted))
            whole = answers_of(units)
            if state.epoch > whole.size:  # other wordings have one response more
                state.completed = True
                return state
            prompt, drawn_with = response_asked(whole, state.epoch - 1, state.model)
            state.store.set("seed", drawn_with)
            state.messages = messages(prompt)
            return await _answered(state, generate, prompt, drawn_with, turned)

    return solve


async def _answered(
    state: TaskState, generate: Generate, prompt: Prompt, seed: int, turned: dict[str, object]
) -> TaskState:
    """With the response: drawn at temperature 1, nothing masked."""
    options: dict[str, Any] = {
        "temperature": NATURAL.temperature,
        "max_tokens": prompt.max_tokens,
        "seed": seed,
    }
    if prompt.arm.stop:
        options["stop_seqs"] = prompt.arm.stop
    if state.model.api in VLLM:  # whose defaults a model's folder may set
        masks = {name: value for name, value in UNMASKED.items() if name not in TELLS}
        extra: dict[str, Any] = {**(get_model().config.extra_body or {}), **masks, "top_k": NATURAL.top_k}
        if turned:
            extra["chat_template_kwargs"] = {**extra.get("chat_template_kwargs", {}), **turned}
        options |= {name: UNMASKED[name] for name in TELLS} | {"top_p": NATURAL.top_p, "extra_body": extra}
    started = time.monotonic()
    state = await generate(state, tool_calls="none", **options)
    state.store.set("seconds", time.monotonic() - started)
    return state


def messages(prompt: Prompt) -> list[ChatMessage]:
    """A prompt as inspect_ai has it: a chat, or the text that is to be continued."""
    if prompt.text:
        return [ChatMessageUser(content=prompt.text)]
    return [TURNS[turn["role"]](content=turn["content"]) for turn in prompt.messages]
