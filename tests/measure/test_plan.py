"""Units: what identifies them, and the numbers they cover."""

import tracemalloc
from dataclasses import replace
from itertools import islice

import pytest

from sampler_bench.measure.decoders import DECODERS, parse_decoder
from sampler_bench.measure.plan import NO_CONTROLS, Controls, Units, numbers_along, stages
from sampler_bench.runs.manifest import Settings
from sampler_bench.tasks import Catalog

CATALOG = Catalog()
SETTINGS = Settings(seed=0, numbers=40, samples=20)


def other(**settings: int) -> Settings:
    return SETTINGS.model_copy(update=settings)


def units(
    settings=SETTINGS,
    model="m",
    tasks=("even-6", "powers-of-2-6"),
    arms=("direct", "cot"),
    decoders=("ancestral",),
):
    return Units(
        [CATALOG.task(task) for task in tasks],
        [arm for name in arms for arm in CATALOG.arms(name)],
        [parse_decoder(text) for text in decoders],
        model,
        settings,
    )


def first_conditionals(task, arm="direct", settings=SETTINGS):
    return next(unit for unit in units(settings, tasks=(task,), arms=(arm,)) if unit.kind == "conditionals")


def test_ids_are_distinct_and_depend_on_content_alone():
    ids = [unit.id for unit in units()]
    assert len(set(ids)) == len(ids)
    assert ids == [unit.id for unit in units()]


@pytest.mark.parametrize(
    "change",
    [{"model": "other"}, {"settings": other(seed=1)}, {"decoders": ("reject",)}],
)
def test_whatever_changes_records_changes_every_id(change):
    assert not {unit.id for unit in units()} & {unit.id for unit in units(**change)}


def test_no_two_units_of_samples_share_a_seed():
    seeds = [unit.seed() for unit in units() if unit.kind == "samples"]
    assert len(set(seeds)) == len(seeds)


@pytest.mark.parametrize(
    ("task", "arm", "total"),
    [
        ("even-6", "direct", 40),
        ("even-6", "cot", 10),  # after 4 traces each
        ("powers-of-2-6", "direct", 3),
        ("twin-primes-3", "direct", 54),  # few enough to take them all
    ],
)
def test_conditionals_cover_the_numbers_asked_for_or_every_member(task, arm, total):
    covered = [
        (unit.prompt.paraphrase.name, number)
        for unit in units(tasks=(task,), arms=(arm,))
        if unit.kind == "conditionals" and not unit.prompt.blind
        for number in range(unit.start, unit.start + unit.size)
    ]
    names = [paraphrase.name for paraphrase in CATALOG.arm(arm).paraphrases]
    assert covered == [(name, number) for name in names for number in range(total)]


@pytest.mark.parametrize(("arm", "responses"), [("direct", [7, 7, 6]), ("batch", [4, 4, 4])])
def test_samples_are_shared_among_the_paraphrases(arm, responses):
    found = [unit.size for unit in units(tasks=("even-6",), arms=(arm,)) if unit.kind == "samples"]
    assert found == responses


def test_traces_are_the_first_responses_of_the_same_paraphrase():
    everything = units(tasks=("even-6",), arms=("cot",))
    reading = [unit for unit in everything if unit.reads_traces]
    assert len(reading) == 3
    for unit in reading:
        assert unit.trace_unit in everything
        assert unit.trace_unit.prompt == unit.prompt
        assert unit.trace_unit.start == 0


@pytest.mark.parametrize("arm", ["cot", "batch", "verify"])
def test_every_wording_has_as_many_traces_however_few_answers_are_asked_for(arm):
    few = units(other(samples=2), tasks=("even-6",), arms=(arm,))
    reading = [unit for unit in few if unit.reads_traces]
    assert [unit.trace_unit.size for unit in reading] == [4, 4, 4]
    assert all(unit.trace_unit in few for unit in reading)


def asked(controls: Controls, arm: str, tasks=("even-6", "powers-of-2-6", "even-100", "all-12")) -> list:
    """Kind, task, whether blind, and whose traces, of the first wording."""
    first = CATALOG.arm(arm).paraphrases[0]
    plan = replace(units(tasks=tasks, arms=(arm,)), controls=controls)
    return [
        (unit.kind, unit.prompt.task.name, unit.prompt.blind, unit.traces_of and unit.traces_of.name)
        for unit in plan
        if unit.prompt.paraphrase == first and unit.start == 0
    ]


def test_the_control_is_read_along_the_same_numbers_in_the_same_wording():
    plan = [unit for unit in units(arms=("direct",)) if unit.kind == "conditionals"]
    blind, own = ([unit for unit in plan if unit.prompt.blind == of] for of in (True, False))
    assert len(blind) == len(own) == 12
    for one, other_one in zip(blind, own, strict=True):
        assert numbers_along(one) == numbers_along(other_one)
        assert one.prompt.paraphrase == other_one.prompt.paraphrase
        assert "6-digit number" in str(one.prompt.messages)
        assert "even" not in one.prompt.messages[-1]["content"]
        assert one.id != other_one.id


def test_by_default_arms_read_from_the_start_have_the_control_and_others_on_request():
    both = Controls(blind=("start", "trace"))
    for controls, arm, wanted in ((Controls(), "direct", True), (Controls(), "cot", False),
                                  (both, "cot", True), (NO_CONTROLS, "direct", False)):  # fmt: skip
        assert any(blind for _, _, blind, _ in asked(controls, arm)) == wanted
    assert [kind for kind, task, blind, _ in asked(both, "cot") if blind and task == "even-6"] == [
        "conditionals",
        "samples",  # the traces of the control
    ]


def test_a_phrase_that_asks_for_any_number_is_its_own_control():
    assert not any(blind for _, task, blind, _ in asked(Controls(), "direct") if task == "all-12")


def test_irrelevant_traces_are_those_of_the_task_half_a_suite_further_on():
    found = asked(Controls(irrelevant_traces=True), "cot")
    assert [(task, whose) for _, task, _, whose in found if whose] == [
        ("even-6", "even-100"),
        ("powers-of-2-6", "all-12"),
        ("even-100", "even-6"),
        ("all-12", "powers-of-2-6"),
    ]
    assert not any(whose for *_, whose in asked(Controls(irrelevant_traces=True), "cot", ("even-6",)))
    assert not any(whose for *_, whose in asked(Controls(irrelevant_traces=True), "direct"))


def test_a_budget_sweep_is_an_arm_for_each_budget():
    arms = [unit.prompt.arm.name for unit in units(tasks=("even-6",), arms=("reasoning",))]
    assert list(dict.fromkeys(arms)) == ["reasoning-128", "reasoning-512", "reasoning-2048"]
    assert [arm.name for arm in CATALOG.arms("reasoning-512")] == ["reasoning-512"]


def test_a_million_units_are_planned_only_as_they_are_taken():
    many = other(samples=16 * 10**6, numbers=10**6)
    plan = units(many, tasks=("even-100",), arms=("cot",))
    assert len(plan) > 10**6
    tracemalloc.start()
    for stage in stages(plan):
        assert len({unit.id for unit in islice(stage, 100)}) == 100
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10**6  # one byte a unit


def test_decoders_go_with_the_arms_that_suit_them():
    kinds = {
        (unit.decoder.name, unit.prompt.arm.name, unit.kind)
        for unit in units(tasks=("even-6",), arms=("direct", "cot", "batch"), decoders=DECODERS)
    }
    both = ("conditionals", "samples")
    assert kinds == {
        *(("ancestral", arm, kind) for arm in ("direct", "cot", "batch") for kind in both),
        *((decoder, "direct", kind) for decoder in ("digits-only", "feasible") for kind in both),
        ("twisted", "direct", "samples"),
        ("reject", "direct", "samples"),
        ("reject", "cot", "samples"),
    }


def test_a_small_target_is_enumerated_with_equal_weights():
    numbers = numbers_along(first_conditionals("powers-of-2-6"))
    assert numbers == [("131072", 1 / 3), ("262144", 1 / 3), ("524288", 1 / 3)]


def test_numbers_of_a_large_target_depend_on_the_seed_alone():
    unit = first_conditionals("even-6")
    first = numbers_along(unit)
    assert first == numbers_along(replace(unit, model="other"))
    assert first != numbers_along(replace(unit, start=16))
    assert first != numbers_along(first_conditionals("even-6", settings=other(seed=1)))
