"""Reference samplers: their laws and their samples."""

import asyncio

import numpy as np
import pytest

from sampler_bench.models.model import Prompt, child_seeds
from sampler_bench.models.reference import REFERENCES
from sampler_bench.tasks import Catalog

CATALOG = Catalog()


def prompt(task: str) -> Prompt:
    arm = CATALOG.arm("direct")
    return Prompt(CATALOG.task(task), arm, arm.paraphrases[0])


def conditionals(model: str, task: str, prefixes: list[str]) -> np.ndarray:
    return asyncio.run(REFERENCES[model]().conditionals(prompt(task), prefixes))


@pytest.mark.parametrize("model", REFERENCES)
@pytest.mark.parametrize("task", CATALOG.task_names())
def test_every_law_sums_to_one_and_stops_where_the_number_ends(model, task):
    target = CATALOG.task(task).target
    number = target.sample(1, np.random.default_rng(0))[0]
    q = conditionals(model, task, [number[:k] for k in range(len(number) + 1)])
    assert q.sum(axis=1) == pytest.approx(np.ones(len(number) + 1))
    if target.fixed:
        assert q[:, 10].tolist() == [0.0] * len(number) + [1.0]
    else:
        assert q[-1, 10] > 0


def test_uniform_digits_stop_as_the_target_does():
    target = CATALOG.task("dice-uniform").target  # 1 to 100
    q = conditionals("uniform-digits", "dice-uniform", ["", "1", "10", "100", "7", "57", "101"])
    assert q[0].tolist() == [0, *[1 / 9] * 9, 0]
    assert q[1:5, 10].tolist() == [target.conditional(u).p[10] for u in ("1", "10", "100", "7")]
    assert q[2, :10].tolist() == [0.05] * 10
    assert q[5:, 10].tolist() == [1, 1]  # 57 ends, and so does what no member starts with
    assert conditionals("uniform-digits", "dice-poisson", [""])[0, :10].tolist() == [0.1] * 10


def test_the_laws_after_nothing():
    assert conditionals("uniform-digits", "powers-of-3-100", [""])[0, :2].tolist() == [0, 1 / 9]
    # 3-digit powers of 2 would be 128, 256, 512; of 6 digits: 131072, 262144, 524288
    for model in ("oracle", "feasible-uniform"):
        assert conditionals(model, "powers-of-2-6", [""])[0].nonzero()[0].tolist() == [1, 2, 5]


def test_knowing_the_support_is_not_knowing_the_counts():
    feasible = conditionals("feasible-uniform", "twin-primes-3", ["1"])[0]
    assert feasible.nonzero()[0].tolist() == [0, 3, 4, 5, 7, 8, 9]
    assert set(feasible[feasible > 0]) == {1 / 7}
    assert conditionals("oracle", "twin-primes-3", ["1"])[0, 0] == 4 / 14  # 101, 103, 107, 109 of 14


def test_samples_repeat_with_their_seed_and_have_the_right_form():
    for name, model in REFERENCES.items():
        drawn = [asyncio.run(model().sample(prompt("twin-primes-4"), 8, seed)) for seed in (1, 1, 2)]
        texts = [[response.text for response in responses] for responses in drawn]
        assert texts[0] == texts[1] != texts[2]
        assert all(len(text) == 4 and text[0] != "0" for text in texts[0])
        members = [CATALOG.task("twin-primes-4").target.contains(text) for text in texts[0]]
        assert all(members) == (name != "uniform-digits")


def test_child_seeds_are_distinct_across_neighbouring_seeds():
    seeds = [child for seed in range(50) for child in child_seeds(seed, 20)]
    assert len(set(seeds)) == 1000
    assert all(0 <= seed < 2**63 for seed in seeds)
