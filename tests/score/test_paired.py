"""Rows compared number by number: closed forms, coverage, and what is done where numbers differ."""

import math

import numpy as np
import pandas as pd
import pytest
from sympy import primerange

from sampler_bench import load_task
from sampler_bench.models.reference import find_reference
from sampler_bench.score.paired import Side, difference, differences
from sampler_bench.score.scores import OVERALL
from sampler_bench.score.skill import skill
from sampler_bench.targets import Multiples
from tests.score.made_up import conditionals, drawn, fond, oracle, samples, truth, uniform
from tests.score.test_calibration import REPETITIONS, Drawn, all_members, far_off

TWINS = load_task("twin-primes-4").target
NONE = samples([])


def side(*records: pd.DataFrame, answers: pd.DataFrame = NONE) -> Side:
    return Side(pd.concat(records), answers)


def of_task(found: pd.DataFrame, metric: str = "skill", task: str = "t") -> pd.Series:
    return found.set_index(["task", "metric"]).loc[(task, metric)]


def passing(y: int) -> int:
    """Numbers of four digits in a pair of which no prime up to y divides either, by going through them."""
    primes = list(primerange(y + 1))

    def clear(n: int) -> bool:
        return all(n % p for p in primes)

    return sum(clear(n) and (clear(n - 2) or clear(n + 2)) for n in range(1000, 10_000))


def test_two_sieves_differ_by_the_ratio_of_what_passes_them():
    laws = [find_reference(name).law for name in ("sieve-2", "sieve-5")]
    first, second = (side(conditionals(law, drawn(24))) for law in laws)
    row = of_task(differences([truth()], first, second))
    expected = math.log(passing(2) / passing(5)) / TWINS.information()
    assert row[["change", "low", "high"]].tolist() == pytest.approx([expected] * 3, abs=1e-4)
    assert row["paired"]
    assert row["better"] == 1
    assert row["p"] == pytest.approx(2 / 1001)


def test_a_row_does_not_differ_from_itself():
    one = side(conditionals(fond, drawn(16)), answers=samples(drawn(8)))
    found = differences([truth()], one, one)
    assert found["metric"].tolist() == ["skill", "validity"]
    assert found["change"].tolist() == [0, 0]
    assert found["p_adjusted"].tolist() == [1, 1]


def test_along_other_numbers_two_rows_are_independent_estimates():
    one, same, other = (side(conditionals(fond, drawn(16, seed))) for seed in (0, 0, 1))
    paired, apart = (of_task(differences([truth()], one, each)) for each in (same, other))
    assert paired["paired"]
    assert not apart["paired"]
    assert paired["high"] - paired["low"] == 0 < apart["high"] - apart["low"]
    assert apart["low"] <= 0 <= apart["high"]


def test_along_some_of_the_numbers_the_others_are_left_out():
    """As after traces, which are read along a part of them: the change is that along these."""
    numbers = drawn(16)
    many, few = side(conditionals(fond, numbers)), side(conditionals(uniform, numbers[:6], arm="cot"))
    alone = side(conditionals(fond, numbers[:6]))
    row, expected = (of_task(differences([truth()], one, few)) for one in (many, alone))
    assert row["paired"]
    assert row["n"] == 6
    columns = ["before", "change", "low", "high"]
    assert row[columns].tolist() == expected[columns].tolist()


def test_p_values_are_adjusted_over_tasks_by_holm_and_the_mean_over_tasks_is_beside_them():
    tasks = {f"t{k}": Multiples(digits=3, modulus=k) for k in (2, 3, 7)}
    numbers = {task: drawn(12, 0, target) for task, target in tasks.items()}
    first, second = (
        side(*(conditionals(law, numbers[t], target=target, task=t) for t, target in tasks.items()))
        for law in (uniform, fond)
    )
    found = differences([truth(target, task) for task, target in tasks.items()], first, second)
    tested = found[found["task"] != OVERALL].sort_values("p")
    by_hand = np.minimum(np.maximum.accumulate(tested["p"].to_numpy() * [3, 2, 1]), 1)
    assert tested["p_adjusted"].tolist() == pytest.approx(by_hand.tolist())
    overall = of_task(found, task=OVERALL)
    means = [np.clip(tested[name], -1, 1).mean() for name in ("before", "after")]
    assert overall["change"] == pytest.approx(means[1] - means[0])
    assert overall["n"] == 3


def test_validity_has_newcombes_interval_and_fishers_p():
    """56 of 70 less 48 of 80: 0.0524 to 0.3339 (Newcombe, Statistics in Medicine 17, 1998, table II)."""

    def answers(valid: int, size: int) -> pd.DataFrame:
        return samples([*drawn(valid), *[None] * (size - valid)])

    nothing = conditionals(oracle, drawn(4)).iloc[:0]
    sides = (side(nothing, answers=answers(*of)) for of in ((48, 80), (56, 70)))
    row = of_task(differences([truth()], *sides), "validity")
    assert row[["change", "low", "high"]].tolist() == pytest.approx([0.2, 0.0524, 0.3339], abs=5e-5)
    chances = [math.comb(80, k) * math.comb(70, 104 - k) / math.comb(150, 104) for k in range(34, 81)]
    assert row["p"] == pytest.approx(
        sum(chance for chance in chances if chance <= chances[48 - 34] * (1 + 1e-9))
    )


@pytest.mark.parametrize("numbers", [8, 16, 64])
def test_paired_intervals_cover_the_difference(numbers):
    first, second = (all_members(TWINS, far_off, 0.5, seed) for seed in (3, 4))
    information = TWINS.information()
    true = [1 - part.asked.sum(axis=1).mean() / (information - part.free_uniform.sum(axis=1).mean())
            for part in (first, second)]  # fmt: skip
    rng, covered = np.random.default_rng(numbers), 0
    for _ in range(REPETITIONS):
        places = rng.integers(len(first.weight), size=numbers)
        shares = [skill(Drawn(part, places)) for part in (first, second)]
        row = difference(*shares, paired=True).row("t", "skill")
        covered += row["low"] <= true[1] - true[0] <= row["high"]
    print(numbers, covered)
    assert 930 <= covered <= 970
