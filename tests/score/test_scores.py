"""Scores of small made-up records: sums over curves, gains, ranks, intervals, the marks of the oracle."""

import json
import math

import numpy as np
import pandas as pd
import pytest

from sampler_bench.score.answers import survival
from sampler_bench.score.scores import OVERALL, score
from sampler_bench.targets import Constellation, Multiples, Powers, Target, TwinPrimes
from tests.score.made_up import (
    TWINS,
    conditionals,
    drawn,
    feasible,
    fond,
    is_reference,
    oracle,
    samples,
    scores,
    truth,
    uniform,
)


def test_curves_add_up_to_the_score():
    scored = score("s", [truth()], conditionals(fond, drawn(32)), samples([]), is_reference)
    content = scored.scores.set_index("metric").loc["content", "value"]
    curves = scored.curves[scored.curves["metric"] == "content"]
    assert set(curves["axis"]) == {"position", "digits-left", "decades-left"}
    for axis, points in curves.groupby("axis"):
        assert points["value"].sum() == pytest.approx(content), axis
    by_position = curves[curves["axis"] == "position"].set_index("at")["value"]
    by_digits_left = curves[curves["axis"] == "digits-left"].set_index("at")["value"]
    assert by_position[1] == by_digits_left[3]


def test_decades_left_count_the_completions():
    """342 4-digit twin primes: N = 342 after nothing, from 34 to 41 after a digit, less after two."""
    scored = score("s", [truth()], conditionals(fond, drawn(32)), samples([]), is_reference)
    prefixes = scored.curves.query("axis == 'decades-left' and metric == 'prefixes'").set_index("at")["value"]
    decades = [math.floor(math.log10(TWINS.count(number[:k]))) for number in drawn(32) for k in range(5)]
    after = [decades.count(at) / 32 for at in range(3)]
    assert prefixes.tolist() == pytest.approx(after, abs=0.1)  # but for the luck that is taken off
    assert prefixes[2] == pytest.approx(1)


def test_the_gain_compares_each_number_with_itself():
    numbers = drawn(32)
    found = scores([conditionals(feasible, numbers), conditionals(oracle, numbers[:8], arm="cot")])
    gain = found.loc[("t", "m", "cot", "gain")]
    per_number = [
        sum(math.log(np.count_nonzero(p)) + (p[p > 0] * np.log(p[p > 0])).sum()
            for p in (TWINS.conditional(number[:k]).p for k in range(4)))
        for number in numbers[:8]
    ]  # fmt: skip
    assert gain["n"] == 8
    assert min(per_number) < gain["low"] < gain["value"] < gain["high"] < max(per_number)
    assert not gain["like_oracle"]  # the oracle has nothing to gain
    assert ("t", "m", "direct", "gain") not in found.index


def test_a_small_gain_shows_only_if_numbers_are_paired():
    def a_little_better(target: Target, prefix: str) -> np.ndarray:
        return 0.95 * fond(target, prefix) + 0.05 * oracle(target, prefix)

    direct = conditionals(fond, drawn(32))
    paired = scores([direct, conditionals(a_little_better, drawn(32), arm="cot")]).loc[
        ("t", "m", "cot", "gain")
    ]
    apart = scores([direct, conditionals(a_little_better, drawn(32, 1), arm="cot")]).loc[
        ("t", "m", "cot", "gain")
    ]
    assert 0 < paired["low"] < paired["high"]
    assert apart["low"] < 0 < apart["high"]
    assert paired["high"] - paired["low"] < 0.3 * (apart["high"] - apart["low"])


def test_the_overall_skill_is_the_mean_and_ranks_are_as_firm_as_the_draws():
    other = Multiples(digits=4, modulus=2)
    numbers, evens = drawn(32), drawn(32, 0, other)
    laws = {"good": feasible, "bad": uniform, "bad too": uniform}
    records = [
        part
        for model, law in laws.items()
        for part in (
            conditionals(law, numbers, model),
            conditionals(law, evens, model, target=other, task="even"),
        )
    ]
    records += [
        conditionals(oracle, numbers, "oracle"),
        conditionals(oracle, evens, "oracle", target=other, task="even"),
    ]
    found = scores(records, None, truth(), truth(other, "even"))["value"]
    for model in laws:
        skills = [found[task, model, "direct", "skill"] for task in ("t", "even")]
        assert found[OVERALL, model, "direct", "skill"] == pytest.approx(np.mean(np.clip(skills, -1, 1)))
        assert found[OVERALL, model, "direct", "skill-median"] == pytest.approx(np.median(skills))
    assert [found[OVERALL, model, "direct", "rank"] for model in laws] == [1, 2, 2]
    assert [found[OVERALL, model, "direct", "rank-kept"] for model in laws] == [1, 1, 1]
    assert (OVERALL, "oracle", "direct", "rank") not in found.index  # references do not compete


def test_models_that_are_close_swap_ranks_in_the_draws():
    def another(target: Target, prefix: str) -> np.ndarray:
        law = feasible(target, prefix) * np.append(1 / np.arange(10, 0, -1), 1)
        return law / law.sum()

    found = scores([conditionals(fond, drawn(32), "a"), conditionals(another, drawn(32), "b")])
    ranks = found.loc[OVERALL].xs("rank", level="metric")
    kept = found.loc[OVERALL].xs("rank-kept", level="metric")["value"]
    assert sorted(ranks["value"]) == [1, 2]
    assert kept.iloc[0] == kept.iloc[1]
    assert (ranks["low"] <= ranks["value"]).all()
    assert (ranks["value"] <= ranks["high"]).all()


def test_only_the_oracle_is_marked_as_such():
    found = scores(
        [conditionals(oracle, drawn(32), "oracle"), conditionals(feasible, drawn(32))],
        pd.concat([samples(drawn(50, 5), model="oracle"), samples([*drawn(49, 6), None])]),
    )["like_oracle"]
    marks = found["t", "oracle", "direct"].dropna()
    assert {"content", "skill", "level", "validity", "leading-digit", "duplicates"} <= set(marks.index)
    assert marks.all()
    others = found["t", "m", "direct"]
    assert not others[["content", "skill", "level", "validity", "answered"]].any()


def test_weighted_draws_are_not_held_against_the_law():
    weighted = samples(drawn(20)).assign(log_weight=0.0)
    found = scores([conditionals(oracle, drawn(8))], weighted)
    assert ("t", "m", "direct", "leading-digit") not in found.index
    assert found.loc[("t", "m", "direct", "mass"), "value"] == 0


def test_of_a_batch_the_first_number_alone_is_tested():
    batch = samples(drawn(40)).assign(response_id=np.repeat(range(10), 4))
    found = scores([conditionals(oracle, drawn(8))], batch)["n"]
    assert found["t", "m", "direct", "leading-digit"] == 10
    assert found["t", "m", "direct", "validity"] == 40


def test_no_answer_survives_its_first_digit():
    curves = score(
        "s", [truth()], conditionals(oracle, drawn(8)), samples([None, "1019", "2", "0"]), is_reference
    ).curves
    survival = curves[curves["metric"] == "survival"].set_index("at")["value"]
    assert survival.tolist() == [0.5, 0.25, 0.25, 0.25]  # 1019 is a twin prime, 2 has only begun


def excluding(target: Target, prefix: str) -> np.ndarray:
    """A law that rules out the last digit that the truth allows."""
    p = target.conditional(prefix).p.copy()
    if len(prefix) == 3 and np.count_nonzero(p) > 1:
        p[np.flatnonzero(p)[-1]] = 0
    return p / p.sum()


@pytest.mark.parametrize("numbers", [2, 4, 8, 16, 40])
def test_what_a_law_rules_out_makes_it_infinitely_far_and_nothing_else_breaks(numbers):
    """q = 0 where p > 0: content inf, skill -inf, in the mean -1, last in rank, and no warning on the way."""
    laws = {"bad": excluding, "worse": excluding, "good": feasible}
    evens = Multiples(4, 2)
    records = [
        conditionals(law, drawn(numbers, 0, target), model, arm, target, task)
        for model, law in laws.items()
        for arm in ("direct", "cot")
        for task, target in (("t", TWINS), ("even", evens))
    ]
    with np.errstate(all="raise", under="ignore"):
        scored = score("s", [truth(), truth(evens, "even")], pd.concat(records), samples([]), is_reference)
    found = scored.scores.set_index(["task", "model", "arm", "metric"]).sort_index()
    content, skill = found.loc[("t", "bad", "direct", "content")], found.loc[("t", "bad", "direct", "skill")]
    assert content["value"] == math.inf
    assert skill["value"] == -math.inf
    overall = found.loc[(OVERALL, "bad", "direct", "skill")]
    assert overall["value"] == -1
    assert found.loc[(OVERALL, "bad", "direct", "skill-median"), "value"] == -math.inf
    if numbers >= 4:
        assert (skill["low"], skill["high"]) == (-math.inf, -math.inf)
        assert (overall["low"], overall["high"]) == (-1, -1)
        ranks = found.loc[OVERALL].xs("rank", level="metric")["value"]
        assert ranks["good"].max() <= 2 < 3 == ranks["bad"].min() == ranks["worse"].min()
    else:
        assert math.isnan(skill["low"])
    assert math.isnan(found.loc[("t", "bad", "cot", "gain"), "value"])  # infinite less infinite
    assert (found.loc[("t", "bad", "direct", "jsd"), "value"]) < 1  # what stays finite
    json.dumps(scored.scores.to_json())


def test_intervals_lie_inside_what_is_possible():
    records = [
        part
        for seed in range(6)
        for part in (
            conditionals(fond, drawn(4 + seed, seed), f"fond-{seed}"),
            conditionals(feasible, drawn(16, seed), f"feasible-{seed}"),
        )
    ]
    answers = pd.concat([samples(drawn(4, k), model=f"fond-{k}") for k in range(6)])
    table = scores(records, answers).reset_index()
    for metric, (least, most) in {
        "skill": (-math.inf, 1),
        "skill-all": (-math.inf, 1),
        "validity": (0, 1),
        "level": (1, 100),
    }.items():
        rows = table[table["metric"] == metric]
        assert len(rows) >= 6
        assert rows["low"].min() >= least
        assert rows["high"].max() <= most
    others = table[~table["metric"].isin(["skill", "skill-all", "skill-median", "gain", "mass"])]
    assert (others["low"].dropna() >= 0).all()
    known = table.dropna(subset=["low", "value"])
    assert (known["low"] <= known["value"] + 1e-12).all()
    assert (known["value"] <= known["high"] + 1e-12).all()


def test_below_four_numbers_there_is_no_interval_no_mark_and_no_rank():
    records = [
        conditionals(fond, drawn(3), "few"),
        conditionals(oracle, drawn(3), "perfect"),
        conditionals(fond, drawn(4), "enough"),
    ]
    found = scores(records)
    for model in ("few", "perfect"):
        for metric in ("content", "skill", "level", "stopping"):
            row = found.loc[("t", model, "direct", metric)]
            assert math.isnan(row["low"])
            assert math.isnan(row["high"])
            assert row["like_oracle"] is None
        assert math.isnan(found.loc[(OVERALL, model, "direct", "skill"), "low"])
        assert (OVERALL, model, "direct", "rank") not in found.index
    assert found.loc[(OVERALL, "enough", "direct", "rank"), "value"] == 1


def test_the_law_along_all_members_has_an_interval_however_few_they_are():
    powers = Powers(3, 2)
    found = scores([conditionals(fond, ["128", "256", "512"], target=powers)], None, truth(powers))
    content = found.loc[("t", "m", "direct", "content")]
    assert content["low"] == content["value"] == content["high"] > 0


def test_survival_is_not_told_where_it_is_not_known():
    """Hardy and Littlewood expect 0.15 quadruplets among 10^8 numbers of 100 digits, 15 among 10^10."""
    quadruplets = Constellation(100, "n,n+2,n+6,n+8")
    density = 4.151180 / (100 * math.log(10)) ** 4  # 27/2 prod p^3 (p - 4) / (p - 1)^4: Hardy and Littlewood
    assert [10**free * density > 20 for free in (8, 9, 10, 11)] == [False, False, False, True]
    assert list(quadruplets.doubtful_lengths) == [90, 91, 92]
    answers = samples(["1" * 100, None], quadruplets)
    points = list(survival(answers, truth(quadruplets)))
    assert [point.at for point in points] == [*range(1, 90), *range(93, 101)]
    assert {point.value for point in points} == {0.5, 0.0}
    assert not TwinPrimes(100).doubtful_lengths
    assert not TwinPrimes(9).doubtful_lengths
