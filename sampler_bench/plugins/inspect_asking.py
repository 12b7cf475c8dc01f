"""What inspect_ai asks in our name: a suite's plan, which models it suits, and how a response is asked."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from inspect_ai._util.error import PrerequisiteError
from inspect_ai.model import ModelName

from sampler_bench.errors import InputError, SamplerBenchError
from sampler_bench.integers import shown
from sampler_bench.measure.load_plan import load_plan
from sampler_bench.measure.measurement import random_digits
from sampler_bench.measure.plan import CHUNK, Controls, Plan, Unit, Units
from sampler_bench.models.engines.chat import SEEDS
from sampler_bench.models.model import BOTH, SAMPLES, Prompt, child_seeds
from sampler_bench.models.reference import find_reference
from sampler_bench.tasks import Catalog

VLLM = ("vllm", "vllm-completions")  # providers of which laws are had
CONTINUES = ("vllm-completions", "openai-api-completions")  # providers that continue a text
AUTO = "auto"
DECODER = "ancestral"  # inspect_ai draws token by token


@contextmanager
def in_one_sentence() -> Iterator[None]:
    """What a user can cure is said by inspect_ai as one sentence, without a traceback."""
    try:
        yield
    except SamplerBenchError as error:
        raise PrerequisiteError(str(error)) from error


def plan_of(
    suite: str, arm: str, numbers: int | None, samples: int | None, seed: int, tasks: str, laws: bool | str
) -> Plan:
    """The plan that the parameters of a task mean.

    Parameters
    ----------
    suite, arm : str
        Of the catalog.
    numbers, samples : int, optional
        In place of the suite's.
    seed : int
        Of the numbers, and of the responses.
    tasks : str
        A folder with tasks, suites and arms of the user's own; empty for none.
    laws : bool or "auto"
        Whether laws are read.

    Raises
    ------
    InputError
        If a parameter is none, or the arm cannot be asked through inspect_ai as it is meant.
    MissingPackageError
        If tasks want packages that are not installed.
    """
    for name, value in {"suite": suite, "arm": arm, "tasks": tasks}.items():
        if not isinstance(value, str):
            raise InputError(f"{name} = {shown(str(value))}: one name is needed")
    for name, value in {"numbers": numbers, "samples": samples, "seed": seed}.items():
        if isinstance(value, bool) or not isinstance(value, int | None) or (name == "seed" and value is None):
            raise InputError(f"{name} = {shown(str(value))}: a whole number is needed")
    if not isinstance(laws, bool) and laws != AUTO:
        raise InputError(f"laws = {shown(str(laws))}: it is true, false or auto")
    return _plan_of(suite, arm, numbers, samples, seed, tasks, laws)


@lru_cache(maxsize=8)
def _plan_of(
    suite: str, arm: str, numbers: int | None, samples: int | None, seed: int, tasks: str, laws: bool | str
) -> Plan:
    catalog = Catalog([Path(tasks)] if tasks else [])
    chosen = catalog.arms(arm)
    if chosen[0].budgets:
        raise InputError(
            f"arm {arm} cuts the thinking at a budget, and inspect_ai has no request for that; measure it "
            "with sampler-bench run"
        )
    if laws is True and chosen[0].conditionals != "start":
        raise InputError(
            f"arm {arm} has no laws that can be read at the start of a response; leave out laws=true, or "
            "measure it with sampler-bench run"
        )
    return load_plan(catalog, suite, [arm], [DECODER], seed, numbers, samples, Controls())


def must_suit(plan: Plan, model: ModelName, laws: bool | str) -> None:
    """Raise InputError if a model of inspect_ai cannot be asked so."""
    (arm,) = plan.arms
    texts = any(paraphrase.text for paraphrase in arm.paraphrases)
    if texts and model.api not in CONTINUES:
        raise InputError(
            f"arm {arm.name} is a text to be continued, and {model.api} answers chats; name the model as "
            f"{CONTINUES[0]}/{model.name}, or choose an arm such as direct"
        )
    if model.api in CONTINUES and any(paraphrase.messages for paraphrase in arm.paraphrases):
        raise InputError(
            f"arm {arm.name} is a chat, and {model.api} continues texts; choose an arm such as few-shot"
        )
    if laws is True and model.api not in VLLM:
        raise InputError(
            f"laws are read from vLLM alone, and {model.api} gives none; leave out laws=true, or name the "
            f"model as {VLLM[0]}/{model.name}"
        )
    if find_reference(name_of(model)):
        raise InputError(f"{name_of(model)} is the name of a reference sampler; serve the model as another")


def reads_laws(plan: Plan, model: ModelName, laws: bool | str) -> bool:
    """Whether laws are read of a model: at the start of responses, from vLLM."""
    return laws is not False and model.api in VLLM and plan.arms[0].conditionals == "start"


def name_of(model: ModelName) -> str:
    """What a model's rows are called: as vLLM serves it; of other providers with the provider's name."""
    return model.name if model.api in VLLM else f"{model.api}/{model.name}"


def units_of_plan(plan: Plan, model: str, laws: bool) -> Units:
    """What our own run would measure of the model: its units, with their seeds and numbers."""
    can = BOTH if laws else frozenset({SAMPLES})
    return Units(plan.tasks, plan.arms, plan.decoders, model, plan.settings, can, plan.controls)


def wholes(plan: Plan, model: str, laws: bool) -> dict[tuple[str, str], list[Unit]]:
    """All that is measured by task and wording, named as samples of inspect_ai name them."""
    found: dict[tuple[str, str], list[Unit]] = {}
    for whole in units_of_plan(plan, model, laws).wholes():
        found.setdefault((whole.prompt.task.name, whole.prompt.paraphrase.name), []).append(whole)
    return found


def answers_of(units: list[Unit]) -> Unit:
    """Of a wording's units the one of its responses, which may be none."""
    return next(unit for unit in units if unit.kind == "samples" and not unit.prompt.blind)


def epochs_of(plan: Plan) -> int:
    """Responses of the wording that has the most: each is an epoch."""
    return max(answers_of(units).size for units in wholes(plan, "", laws=False).values())


def seed_of_part(whole: Unit, place: int) -> int:
    """The seed of the response at a place (from 0), as our own run draws it."""
    part = whole.part(place // CHUNK * CHUNK)
    return child_seeds(part.seed(), part.size)[place % CHUNK]


def response_asked(whole: Unit, place: int, model: ModelName) -> tuple[Prompt, int]:
    """The prompt of the response at a place (from 0), and the seed that is sent with it."""
    seed, prompt = seed_of_part(whole, place), whole.prompt
    if prompt.arm.gives_seeds:
        prompt = replace(prompt, seed=random_digits(seed, prompt.seed_length))
        (seed,) = child_seeds(seed, 1)
    return prompt, seed if model.api in VLLM else seed % SEEDS
