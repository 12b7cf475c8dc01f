"""Scores of small made-up records: sums over curves, gains, ranks, components, the marks of the oracle."""

import math
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
import pytest

from sampler_bench import load_task
from sampler_bench.models.reference import find_reference
from sampler_bench.score.scores import OVERALL, score
from sampler_bench.score.truth import Truth
from sampler_bench.targets import Mixture, Multiples, Target, TwinPrimes

TWINS = load_task("twin-primes-4").target
Law = Callable[[Target, str], np.ndarray]
oracle, feasible, uniform = (
    find_reference(name).law for name in ("oracle", "feasible-uniform", "uniform-digits")
)


def truth(target: Target = TWINS, task: str = "t") -> Truth:
    return Truth(task, target, target.information(), target.count(""))


def conditionals(
    law: Law,
    numbers: Sequence[str],
    model: str = "m",
    arm: str = "direct",
    target: Target = TWINS,
    task: str = "t",
) -> pd.DataFrame:
    rows = [
        (number_id, k, number[:k], target.conditional(number[:k]).p, law(target, number[:k]))
        for number_id, number in enumerate(numbers)
        for k in range(len(number) + 1)
    ]
    table = pd.DataFrame(rows, columns=["number_id", "position", "prefix", "p", "q"])
    return table.assign(
        task=task,
        model=model,
        arm=arm,
        decoder="ancestral",
        paraphrase="a",
        weight=1 / len(numbers),
        bound=0.0,
    )


def samples(answers: Sequence[str | None], target: Target = TWINS, **of: str) -> pd.DataFrame:
    columns = {"task": "t", "model": "m", "arm": "direct", "decoder": "ancestral", "paraphrase": "a"} | of
    valid = [answer is not None and target.contains(answer) for answer in answers]
    costs = {"forward_passes": 5, "completion_tokens": 4, "seconds": 0.5, "log_weight": math.nan, "seed": 0}
    found = pd.DataFrame({"answer": answers, "valid": valid, "response_id": range(len(answers))})
    return found.assign(**columns, **costs)


def drawn(size: int, seed: int = 0, target: Target = TWINS) -> list[str]:
    return target.sample(size, np.random.default_rng(seed))


def figures(
    records: Sequence[pd.DataFrame], answers: pd.DataFrame | None = None, *truths: Truth
) -> pd.DataFrame:
    scored = score("s", truths or [truth()], pd.concat(records), samples([]) if answers is None else answers)
    return scored.figures.set_index(["task", "model", "arm", "metric"]).sort_index()


def fond(target: Target, prefix: str) -> np.ndarray:
    """As the support has it, with low digits preferred."""
    law = feasible(target, prefix) * np.append(1 / np.arange(1, 11), 1)
    return law / law.sum()


def test_curves_add_up_to_the_figure():
    scored = score("s", [truth()], conditionals(fond, drawn(32)), samples([]))
    content = scored.figures.set_index("metric").loc["content", "value"]
    curves = scored.curves[scored.curves["metric"] == "content"]
    assert set(curves["axis"]) == {"position", "digits-left", "decades-left"}
    for axis, points in curves.groupby("axis"):
        assert points["value"].sum() == pytest.approx(content), axis
    by_position = curves[curves["axis"] == "position"].set_index("at")["value"]
    by_digits_left = curves[curves["axis"] == "digits-left"].set_index("at")["value"]
    assert by_position[1] == by_digits_left[3]


def test_decades_left_count_the_completions():
    """342 4-digit twin primes: N = 342 after nothing, from 34 to 41 after a digit, less after two."""
    scored = score("s", [truth()], conditionals(fond, drawn(32)), samples([]))
    prefixes = scored.curves.query("axis == 'decades-left' and metric == 'prefixes'").set_index("at")["value"]
    decades = [math.floor(math.log10(TWINS.count(number[:k]))) for number in drawn(32) for k in range(5)]
    after = [decades.count(at) / 32 for at in range(3)]
    assert prefixes.tolist() == pytest.approx(after, abs=0.1)  # but for the luck that is taken off
    assert prefixes[2] == pytest.approx(1)


def test_the_gain_compares_each_number_with_itself():
    numbers = drawn(32)
    found = figures([conditionals(feasible, numbers), conditionals(oracle, numbers[:8], arm="cot")])
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
    paired = figures([direct, conditionals(a_little_better, drawn(32), arm="cot")]).loc[
        ("t", "m", "cot", "gain")
    ]
    apart = figures([direct, conditionals(a_little_better, drawn(32, 1), arm="cot")]).loc[
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
    found = figures(records, None, truth(), truth(other, "even"))["value"]
    for model in laws:
        skills = [found[task, model, "direct", "skill"] for task in ("t", "even")]
        assert found[OVERALL, model, "direct", "skill"] == pytest.approx(np.mean(skills))
    assert [found[OVERALL, model, "direct", "rank"] for model in laws] == [1, 2, 2]
    assert [found[OVERALL, model, "direct", "rank-kept"] for model in laws] == [1, 1, 1]
    assert (OVERALL, "oracle", "direct", "rank") not in found.index  # references do not compete


def test_models_that_are_close_swap_ranks_in_the_draws():
    def another(target: Target, prefix: str) -> np.ndarray:
        law = feasible(target, prefix) * np.append(1 / np.arange(10, 0, -1), 1)
        return law / law.sum()

    found = figures([conditionals(fond, drawn(32), "a"), conditionals(another, drawn(32), "b")])
    ranks = found.loc[OVERALL].xs("rank", level="metric")
    kept = found.loc[OVERALL].xs("rank-kept", level="metric")["value"]
    assert sorted(ranks["value"]) == [1, 2]
    assert kept.iloc[0] == kept.iloc[1]
    assert (ranks["low"] <= ranks["value"]).all()
    assert (ranks["value"] <= ranks["high"]).all()


def test_only_the_oracle_is_marked_as_such():
    found = figures(
        [conditionals(oracle, drawn(32), "oracle"), conditionals(feasible, drawn(32))],
        pd.concat([samples(drawn(50, 5), model="oracle"), samples([*drawn(49, 6), None])]),
    )["like_oracle"]
    marks = found["t", "oracle", "direct"].dropna()
    assert {"content", "skill", "level", "validity", "leading-digit", "duplicates"} <= set(marks.index)
    assert marks.all()
    others = found["t", "m", "direct"]
    assert not others[["content", "skill", "level", "validity", "answered"]].any()


MIXTURE = Mixture((0.1, 0.9), (TwinPrimes(3), Multiples(3, 1)))


def test_component_shares_are_mean_posteriors_and_the_oracle_meets_the_weights():
    """A twin prime of three digits, of 54: posterior 0.1/54 against 0.9/900; any other number: 0."""
    of_twin = (0.1 / 54) / (0.1 / 54 + 0.9 / 900)
    found = figures([conditionals(oracle, drawn(8, 0, MIXTURE), target=MIXTURE)],
                    samples(["101", "103", "100", "999"], MIXTURE), truth(MIXTURE))  # fmt: skip
    share = found.loc[("t", "m", "direct", "component-1")]
    assert share["value"] == pytest.approx(of_twin / 2)
    assert share["floor"] == 0.1
    even = figures([conditionals(oracle, drawn(8, 0, MIXTURE), target=MIXTURE)],
                   samples(drawn(300, 2, MIXTURE), MIXTURE), truth(MIXTURE))  # fmt: skip
    assert even.loc[("t", "m", "direct", "component-1"), "like_oracle"]
    stuck = figures([conditionals(oracle, drawn(8, 0, MIXTURE), target=MIXTURE)],
                    samples(["101"] * 300, MIXTURE), truth(MIXTURE))  # fmt: skip
    assert not stuck.loc[("t", "m", "direct", "component-1"), "like_oracle"]


def test_the_commitment_curve_goes_from_the_weights_to_what_was_written():
    answers = samples(["101", "100", "10"], MIXTURE)
    curves = score("s", [truth(MIXTURE)], conditionals(oracle, ["101"], target=MIXTURE), answers).curves
    first = curves[curves["metric"] == "component-1"].set_index("at")
    assert first.loc[0, "value"] == pytest.approx(0.1)
    of_twin = (0.1 / 54) / (0.1 / 54 + 0.9 / 900)
    assert first.loc[3, "value"] == pytest.approx(of_twin / 2)
    assert first["n"].tolist() == [3, 3, 3, 2]
    # 101, 103, 107, 109 of the twin primes start with 10, and 10 of all numbers
    of_10 = 0.1 * 4 / 54 / (0.1 * 4 / 54 + 0.9 * 10 / 900)
    assert first.loc[2, "value"] == pytest.approx(of_10)


def test_weighted_draws_are_not_held_against_the_law():
    weighted = samples(drawn(20)).assign(log_weight=0.0)
    found = figures([conditionals(oracle, drawn(8))], weighted)
    assert ("t", "m", "direct", "leading-digit") not in found.index
    assert found.loc[("t", "m", "direct", "mass"), "value"] == 0


def test_of_a_batch_the_first_number_alone_is_tested():
    batch = samples(drawn(40)).assign(response_id=np.repeat(range(10), 4))
    found = figures([conditionals(oracle, drawn(8))], batch)["n"]
    assert found["t", "m", "direct", "leading-digit"] == 10
    assert found["t", "m", "direct", "validity"] == 40


def test_no_answer_survives_its_first_digit():
    curves = score("s", [truth()], conditionals(oracle, drawn(8)), samples([None, "1019", "2", "0"])).curves
    survival = curves[curves["metric"] == "survival"].set_index("at")["value"]
    assert survival.tolist() == [0.5, 0.25, 0.25, 0.25]  # 1019 is a twin prime, 2 has only begun
