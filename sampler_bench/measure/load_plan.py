"""From what a user asks for to a plan: definitions loaded, and held against one another."""

from collections.abc import Sequence

from sampler_bench.errors import InputError, MissingPackageError
from sampler_bench.measure.decoders import parse_decoder
from sampler_bench.measure.plan import Controls, Plan
from sampler_bench.runs.manifest import Settings
from sampler_bench.tasks import MOST_ASKED, Catalog, Task

REFERENCE_ARM = "direct"  # reference samplers read no prompt: they are measured once, under this arm


def load_plan(
    catalog: Catalog,
    suite: str,
    arms: Sequence[str],
    decoders: Sequence[str],
    seed: int,
    numbers: int | None,
    samples: int | None,
    controls: Controls,
) -> Plan:
    """A suite's plan; ``numbers`` and ``samples`` in place of the suite's.

    Raises
    ------
    InputError
        If something is not defined or out of range, or a decoder suits none of the arms.
    MissingPackageError
        If tasks want packages that are not installed.
    """
    definition = catalog.suite(suite)
    settings = {
        "seed": seed,
        "numbers": definition.numbers if numbers is None else numbers,
        "samples": definition.samples if samples is None else samples,
    }
    for name, value in settings.items():
        least = 0 if name == "seed" else 1
        if value < least:
            raise InputError(f"{name} = {value}: it must be at least {least}")
        if name != "seed" and value > MOST_ASKED:
            raise InputError(f"{name} = {value}: up to {MOST_ASKED} are asked for")
    plan = Plan(
        suite=definition,
        tasks=[catalog.task(name) for name in definition.tasks],
        arms=[arm for name in dict.fromkeys(arms) for arm in catalog.arms(name)],
        reference_arm=catalog.arm(REFERENCE_ARM),
        decoders=[parse_decoder(text) for text in dict.fromkeys(decoders)],
        settings=Settings(**settings),
        controls=controls,
    )
    _must_be_countable(plan.tasks)
    for decoder in plan.decoders:
        if not any(decoder.suits(arm) for arm in plan.arms):
            names = ", ".join(arm.name for arm in plan.arms)
            raise InputError(
                f"decoder {decoder.name} suits none of the arms {names}; it draws one number, from the start "
                "of the response: choose an arm such as direct"
            )
    return plan


def _must_be_countable(tasks: Sequence[Task]) -> None:
    """Raise MissingPackageError if tasks want packages that are not installed, naming all such tasks."""
    wanting: dict[str, list[str]] = {}
    for task in tasks:
        try:
            task.target.conditional("")
        except MissingPackageError as error:
            wanting.setdefault(str(error), []).append(task.name)
    if wanting:
        raise MissingPackageError("; ".join(f"{', '.join(names)}: {why}" for why, names in wanting.items()))
