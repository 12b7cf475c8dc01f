"""Scores of mixtures: shares of components, numbers drawn by component, information that is an estimate."""

import math
from dataclasses import replace

import numpy as np
import pytest

from sampler_bench.score.scores import score
from sampler_bench.targets import Mixture, Multiples, Target, TwinPrimes
from tests.score.made_up import (
    conditionals,
    drawn,
    fond,
    is_reference,
    oracle,
    samples,
    scores,
    stratified,
    truth,
    uniform,
)

MIXTURE = Mixture((0.1, 0.9), (TwinPrimes(3), Multiples(3, 1)))


def test_component_shares_are_mean_posteriors_and_the_oracle_meets_the_weights():
    """A twin prime of three digits, of 54: posterior 0.1/54 against 0.9/900; any other number: 0."""
    of_twin = (0.1 / 54) / (0.1 / 54 + 0.9 / 900)
    found = scores([conditionals(oracle, drawn(8, 0, MIXTURE), target=MIXTURE)],
                    samples(["101", "103", "100", "999"], MIXTURE), truth(MIXTURE))  # fmt: skip
    share = found.loc[("t", "m", "direct", "component-1")]
    assert share["value"] == pytest.approx(of_twin / 2)
    assert share["floor"] == 0.1
    even = scores([conditionals(oracle, drawn(8, 0, MIXTURE), target=MIXTURE)],
                   samples(drawn(300, 2, MIXTURE), MIXTURE), truth(MIXTURE))  # fmt: skip
    assert even.loc[("t", "m", "direct", "component-1"), "like_oracle"]
    stuck = scores([conditionals(oracle, drawn(8, 0, MIXTURE), target=MIXTURE)],
                    samples(["101"] * 300, MIXTURE), truth(MIXTURE))  # fmt: skip
    assert not stuck.loc[("t", "m", "direct", "component-1"), "like_oracle"]


def test_the_commitment_curve_goes_from_the_weights_to_what_was_written():
    answers = samples(["101", "100", "10"], MIXTURE)
    curves = score(
        "s", [truth(MIXTURE)], conditionals(oracle, ["101"], target=MIXTURE), answers, is_reference
    ).curves
    first = curves[curves["metric"] == "component-1"].set_index("at")
    assert first.loc[0, "value"] == pytest.approx(0.1)
    of_twin = (0.1 / 54) / (0.1 / 54 + 0.9 / 900)
    assert first.loc[3, "value"] == pytest.approx(of_twin / 2)
    assert first["n"].tolist() == [3, 3, 3, 2]
    # 101, 103, 107, 109 of the twin primes start with 10, and 10 of all numbers
    of_10 = 0.1 * 4 / 54 / (0.1 * 4 / 54 + 0.9 * 10 / 900)
    assert first.loc[2, "value"] == pytest.approx(of_10)


LARGE = Mixture((0.1, 0.9), (TwinPrimes(10), Multiples(10, 1)))


@pytest.mark.parametrize("numbers", [8, 16])
@pytest.mark.parametrize("seed", range(5))
def test_of_a_mixture_uniform_digits_have_its_information_as_content_whatever_was_drawn(numbers, seed):
    """One number in ten is a twin prime: of 3,424,506 pairs to 10^9, 27,412,679 to 10^10 (OEIS A007508)."""
    records = [stratified(law, LARGE, numbers, seed, model=name)
               for name, law in (("uniform", uniform), ("oracle", oracle))]  # fmt: skip
    found = scores(records, None, truth(LARGE))
    share = 2 * (27_412_679 - 3_424_506) / 9e9  # of all numbers; on these P / U is 0.1 / share + 0.9
    information = (0.1 + 0.9 * share) * math.log(0.1 / share + 0.9) + 0.9 * (1 - share) * math.log(0.9)
    for model, content, skill in (("uniform", information, 0), ("oracle", 0, 1)):
        for column in ("value", "low", "high"):
            assert found.loc[("t", model, "direct", "content"), column] == pytest.approx(content, abs=1e-10)
            assert found.loc[("t", model, "direct", "skill"), column] == pytest.approx(skill, abs=1e-10)
    assert found.loc[("t", "uniform", "direct", "content"), "calibrated"].startswith("luck")


def test_of_a_mixture_a_law_of_known_content_is_met_within_its_interval():
    """A law that is the truth but for the last digit, uniform there where the component is not given away.

    Its content, over all members, is that of an enumeration; 40 samples of 16 numbers, at least 36 hold it.
    """
    target = Mixture((0.2, 0.8), (TwinPrimes(4), Multiples(4, 2)))

    def blind_at_the_end(target: Target, prefix: str) -> np.ndarray:
        return uniform(target, prefix) if len(prefix) == 3 else oracle(target, prefix)

    members = [target.nth_member(rank) for rank in range(target.count(""))]
    expected = 0.0
    for prefix in {number[:3] for number, _ in members}:
        p = target.conditional(prefix).p[:10]
        alive = p[p > 0]
        weight = math.exp(target.log_probability(prefix).value)
        expected += weight * float(alive @ np.log(10 * alive))
    held = 0
    for seed in range(40):
        found = scores([stratified(blind_at_the_end, target, 16, seed)], None, truth(target))
        content = found.loc[("t", "m", "direct", "content")]
        assert content["low"] >= 0
        held += content["low"] <= expected <= content["high"]
    assert held >= 36


def test_numbers_that_were_not_drawn_by_component_are_scored_by_their_weights():
    """As runs were recorded before: where no twin prime was drawn, no interval tells how far off that is."""
    numbers = [number for number in drawn(60, 3, LARGE) if not TwinPrimes(10).contains(number)][:8]
    found = scores([conditionals(uniform, numbers, target=LARGE)], None, truth(LARGE))
    content = found.loc[("t", "m", "direct", "content")]
    assert content["value"] < 0.5 * LARGE.information()
    assert math.isnan(content["low"])
    assert content["calibrated"] == ""
    assert found.loc[("t", "m", "direct", "skill"), "like_oracle"] is None


def test_an_information_that_is_estimated_carries_its_error_into_the_scores():
    """Skill of uniform digits is 0 whatever I is; their content is I, give or take."""
    numbers = drawn(32)
    known = truth()
    estimated = replace(known, information_error=0.2)
    records = [conditionals(law, numbers, name) for name, law in (("uniform", uniform), ("fond", fond))]
    exact, found = scores(records, None, known), scores(records, None, estimated)
    information = found.loc[("t", "uniform", "direct", "information")]
    ends = [known.information - 0.2 * 1.96, known.information + 0.2 * 1.96]
    assert [information["low"], information["high"]] == pytest.approx(ends, abs=1e-4)
    content = found.loc[("t", "uniform", "direct", "content")]
    assert [content["low"], content["high"]] == pytest.approx(ends, abs=0.1)
    assert found.loc[("t", "uniform", "direct", "skill"), ["low", "high"]].tolist() == pytest.approx(
        [0, 0], abs=1e-9
    )
    widths = [table.loc[("t", "fond", "direct", "skill")] for table in (exact, found)]
    assert widths[0]["value"] == widths[1]["value"]
    assert widths[1]["high"] - widths[1]["low"] > widths[0]["high"] - widths[0]["low"]
