"""Skill and uptake: what models that are made for it must have, over all kinds of tasks."""

import math
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from sampler_bench import load_task, run
from sampler_bench.models.reference import find_reference
from sampler_bench.tasks import Catalog

SUITES = ("quick", "dice")
oracle, uniform = (find_reference(name).law for name in ("oracle", "uniform-digits"))


def biased(prompt, prefix: str) -> np.ndarray:
    """Fond of digits by where they stand, whatever is asked for; stops as the task does."""
    weights = 1 + np.random.default_rng([len(prefix), *map(ord, prefix[-1:])]).gamma(1, size=10)
    law = uniform(prompt.task.target, prefix)
    weighted = law[:10] * weights
    return np.append(weighted / max(weighted.sum(), 1e-300) * law[:10].sum(), law[10])


def perfect(prompt, prefix: str) -> np.ndarray:
    return (uniform if prompt.blind else oracle)(prompt.task.target, prefix)


def last_digit(prompt, prefix: str) -> np.ndarray:
    """Knows that even numbers end in even digits, and nothing else."""
    asked_even = "even" in prompt.phrase and len(prefix) == prompt.task.target.digits - 1
    return np.array([0.2, 0] * 5 + [0]) if asked_even else uniform(prompt.task.target, prefix)


def sevens(prompt, prefix: str) -> np.ndarray:
    """Asked for the task's numbers, it writes a 7 in nine of ten cases, but for the last digit."""
    law = uniform(prompt.task.target, prefix)
    if prompt.blind or len(prefix) >= prompt.task.target.digits - 1:
        return law
    return 0.1 * law + 0.9 * np.eye(11)[7]


class Synthetic:
    """A model with a law of its own."""

    can = frozenset({"laws"})

    def __init__(self, law: Callable[..., np.ndarray]):
        self.name, self.law = law.__name__, law

    def describe(self) -> dict:
        return {"identity": self.name}

    async def conditionals(self, prompt, prefixes, trace=""):  # noqa: ARG002
        return np.array([self.law(prompt, prefix) for prefix in prefixes])


@pytest.fixture(scope="module")
def scores(tmp_path_factory) -> pd.DataFrame:
    """Of all four and two references, at every task of the suites that constrains anything."""
    models = [*map(Synthetic, (biased, perfect, last_digit, sevens)), "oracle", "feasible-uniform"]
    found = [
        run(suite, models, ["direct"], numbers=32, samples=1, out=tmp_path_factory.mktemp(suite)).scores
        for suite in SUITES
    ]
    table = pd.concat(found).set_index(["task", "model", "metric"]).sort_index()
    return table.drop(index="(overall)")


TASKS = list(dict.fromkeys(task for suite in SUITES for task in Catalog().suite(suite).tasks))


@pytest.mark.parametrize("task", TASKS)
def test_a_model_that_ignores_the_phrase_has_no_uptake_however_fond_of_digits(scores, task):
    for metric in ("uptake", "uptake-all"):
        row = scores.loc[(task, "biased", metric)]
        assert row["low"] <= 0 <= row["high"]
        assert row["value"] == pytest.approx(0, abs=1e-9)
    assert scores.loc[(task, "biased", "skill-all"), "value"] != pytest.approx(0, abs=1e-3)


@pytest.mark.parametrize("task", TASKS)
def test_a_model_that_writes_the_truth_when_told_and_uniform_digits_when_not_takes_it_up_whole(scores, task):
    for metric in ("uptake", "uptake-all", "skill"):
        assert scores.loc[(task, "perfect", metric), "value"] == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize("task", ["even-6", "even-100"])
def test_another_fondness_where_anything_goes_is_no_uptake(scores, task):
    """Asked for even numbers it writes sevens, but for the last digit: that is as it always was."""
    assert scores.loc[(task, "sevens", "uptake"), "value"] == pytest.approx(0, abs=1e-9)
    assert scores.loc[(task, "sevens", "uptake-all"), "value"] < -1


@pytest.mark.parametrize("task", ["even-6", "even-100"])
def test_the_last_digit_is_all_that_there_is_to_take_up_of_even_numbers(scores, task):
    assert scores.loc[(task, "last_digit", "uptake"), "value"] == pytest.approx(1, abs=1e-9)
    assert scores.loc[("twin-primes-6", "last_digit", "uptake"), "value"] == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("model", ["oracle", "feasible-uniform"])
@pytest.mark.parametrize("of", ["", "-all"])
def test_the_uptake_of_a_reference_sampler_is_its_skill(scores, model, of):
    columns = ["value", "low", "high", "n"]
    mine = scores.xs(model, level="model")
    uptake, skill = (mine.xs(metric + of, level="metric")[columns] for metric in ("uptake", "skill"))
    pd.testing.assert_frame_equal(uptake, skill, check_exact=True)
    assert len(uptake) == len(TASKS)
    blind = mine.xs("content-blind", level="metric")["value"]
    assert blind.to_dict() == {task: load_task(task).target.information() for task in TASKS}


def test_free_digits_are_no_part_of_skill(scores):
    """Of 100 digits of an even number 99."""
    assert scores.loc[("even-100", "biased", "free-information"), "value"] == 0
    content = scores.loc[("even-100", "biased", "content"), "value"]
    free = scores.loc[("even-100", "biased", "free-digit-bias"), "value"]
    assert scores.loc[("even-100", "biased", "skill"), "value"] == pytest.approx(
        1 - (content - free) / math.log(2)
    )
    assert content > 10 * (content - free) > 0


def test_every_shipped_task_has_a_control_that_asks_for_something_else_unless_all_numbers_are_right():
    for name in Catalog().task_names():
        task = load_task(name)
        assert task.control_phrase
        assert (task.control_phrase == task.phrase) == (task.target.information() == 0), name
