"""A look before it is measured: whether a model's answers begin with a digit where laws are read."""

from collections.abc import Container

from sampler_bench.measure.plan import Units
from sampler_bench.models.engines.language_model import LanguageModel
from sampler_bench.models.model import LAWS, DigitModel, Prompt
from sampler_bench.runs.records import LITTLE
from sampler_bench.secrets import quoted
from sampler_bench.targets import END

SHOWN = 5  # of the likeliest tokens


async def first_looks(model: DigitModel, units: Units, done: Container[str]) -> list[str]:
    """A sentence for each arm read from the start in which hardly any answer begins with a digit.

    Arms of which all is measured, or no laws are read, are not looked at. Raises as ``conditionals`` does.
    """
    prompts: dict[str, Prompt] = {}
    if LAWS in units.can:
        for unit in units:
            arm = unit.prompt.arm
            if unit.kind == "conditionals" and arm.conditionals == "start" and unit.id not in done:
                prompts.setdefault(arm.name, unit.prompt)
    return [said for prompt in prompts.values() if (said := await _look(model, prompt))]


async def _look(model: DigitModel, prompt: Prompt) -> str:
    """What is to be said of the law of the first symbol; nothing if digits have their share of it."""
    (law,) = await model.conditionals(prompt, [""])
    digits = float(1 - law[END])
    if digits >= LITTLE:
        return ""
    likeliest = await model.likeliest(prompt, SHOWN) if isinstance(model, LanguageModel) else []
    tokens = ", ".join(f"{quoted(repr(text), 40)} {p:.1%}" for text, p in likeliest)
    return (
        f"{model.name}, arm {prompt.arm.name}: an answer to task {prompt.task.name} begins with a digit with "
        f"probability {digits:.2%}" + (f"; likeliest are {tokens}" if tokens else "") + ". Laws read there "
        "say little of numbers: choose another arm (few-shot for a base model, cot or reasoning for one that "
        "writes first), or say how its chat template is to be filled in (--chat-template-kwargs)"
    )
