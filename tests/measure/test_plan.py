"""Units: what identifies them, and the numbers they cover."""

from dataclasses import replace

import pytest

from sampler_bench.measure.plan import Settings, numbers_along, plan_units
from sampler_bench.tasks import Catalog

CATALOG = Catalog()
SETTINGS = Settings(seed=0, numbers=40, samples=20)


def units(settings=SETTINGS, model="m", tasks=("even-6", "powers-of-2-6"), arms=("direct", "cot")):
    return plan_units(
        [CATALOG.task(t) for t in tasks], [CATALOG.arm(a) for a in arms], model, "ancestral", settings
    )


def test_ids_are_distinct_and_depend_on_content_alone():
    ids = [unit.id for unit in units()]
    assert len(set(ids)) == len(ids)
    assert ids == [unit.id for unit in units()]


@pytest.mark.parametrize("change", [{"model": "other"}, {"settings": replace(SETTINGS, seed=1)}])
def test_whatever_changes_records_changes_every_id(change):
    assert not {unit.id for unit in units()} & {unit.id for unit in units(**change)}


def test_no_two_units_of_samples_share_a_seed():
    seeds = [unit.seed() for unit in units() if unit.kind == "samples"]
    assert len(set(seeds)) == len(seeds)


@pytest.mark.parametrize(("task", "total"), [("even-6", 40), ("powers-of-2-6", 3)])
def test_conditionals_cover_the_numbers_asked_for_or_every_member(task, total):
    covered = [
        number
        for unit in units(tasks=(task,), arms=("direct",))
        if unit.kind == "conditionals"
        for number in range(unit.start, unit.start + unit.size)
    ]
    assert covered == list(range(total))


def test_arms_that_do_not_start_with_the_answer_have_no_conditionals():
    assert {unit.kind for unit in units(arms=("cot",))} == {"samples"}


def test_a_small_target_is_enumerated_with_equal_weights():
    numbers = numbers_along(CATALOG.task("powers-of-2-6"), SETTINGS, 0, 3)
    assert numbers == [("131072", 1 / 3), ("262144", 1 / 3), ("524288", 1 / 3)]


def test_numbers_of_a_large_target_depend_on_the_seed():
    task = CATALOG.task("even-6")
    first = numbers_along(task, SETTINGS, 0, 16)
    assert first == numbers_along(task, SETTINGS, 0, 16)
    assert first != numbers_along(task, SETTINGS, 16, 16)
    assert first != numbers_along(task, replace(SETTINGS, seed=1), 0, 16)
