"""What of a plan is measured of a model, and in words what is left out, for it cannot do it."""

from collections.abc import Iterator
from dataclasses import replace

from sampler_bench.errors import InputError
from sampler_bench.measure.decoders import parse_decoder
from sampler_bench.measure.plan import NO_CONTROLS, Plan, Units
from sampler_bench.models.model import BOTH, LAWS, SAMPLES
from sampler_bench.models.sources import Source

GIVES = {LAWS: "laws of digits", SAMPLES: "samples"}
MADE_OF = {
    LAWS: "content, skill and all else that is read from laws",
    SAMPLES: "validity and all else that is counted in answers",
}
CHOOSE = {
    LAWS: "choose decoder ancestral",
    SAMPLES: "choose arm direct with decoder ancestral",
}


def units_of(plan: Plan, source: Source) -> Units:
    """The units to measure of a model. Reference samplers read no prompt: one arm and decoder are enough.

    Raises
    ------
    InputError
        If nothing can be measured of it: a reference sampler is defined for no task, or all that is asked
        needs what the model cannot do; or if a model of the lab lacks letters of a task.
    """
    if source.reference:
        tasks = [task for task in plan.tasks if source.reference.suits(task.target)]
        if not tasks:
            raise InputError(f"{source.name} is defined for none of the tasks of {plan.suite.name}")
        arm = plan.reference_arm.in_one_wording()
        decoder = parse_decoder("ancestral")
        return Units(tasks, [arm], [decoder], source.name, plan.settings, controls=NO_CONTROLS)
    source.check_reads(plan.tasks, plan.arms)
    arms = [arm for arm in plan.arms if source.suits(arm)]
    if not arms:
        names = ", ".join(arm.name for arm in plan.arms)
        raise InputError(
            f"{source.name} is asked by whole chats, and none of {names} is one: they continue a text, or "
            "cut the thinking at a budget; choose an arm such as direct"
        )
    units = Units(plan.tasks, arms, plan.decoders, source.name, plan.settings, source.can, plan.controls)
    if not len(units):
        (lacking,) = BOTH - source.can
        asked = ", ".join(replace(units, can=BOTH).ways())
        raise InputError(
            f"{source.name} gives no {GIVES[lacking]}, and nothing that is asked ({asked}) can be measured "
            f"without: {CHOOSE[lacking]}"
        )
    return units


def left_out(plan: Plan, source: Source, units: Units) -> Iterator[str]:
    """A sentence for each reason why something of what is asked is left out, if something is."""
    unsuited = [arm.name for arm in plan.arms if not source.suits(arm)]
    if unsuited:
        yield (
            f"{source.name} is asked by whole chats; left out: {', '.join(unsuited)}, which continue a text "
            "or cut the thinking at a budget"
        )
    asked, measured = replace(units, can=BOTH).ways(), units.ways()
    partly = [way for way, kinds in asked.items() if way in measured and measured[way] != kinds]
    wholly = [way for way in asked if way not in measured]
    if partly or wholly:
        (lacking,) = BOTH - units.can
        missing = [f"{MADE_OF[lacking]} under {', '.join(partly)}"] if partly else []
        missing += [f"all of {', '.join(wholly)}"] if wholly else []
        yield f"{units.model} gives no {GIVES[lacking]}; left out: {'; '.join(missing)}"
