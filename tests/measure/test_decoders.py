"""Decoders on samplers whose laws are known: what they write, how they weigh it, what they cost."""

import asyncio
import math

import numpy as np
import pytest

from sampler_bench.errors import InputError
from sampler_bench.measure.decoders import DECODERS, Decoder, Feasible, parse_decoder, shaped
from sampler_bench.models.model import NATURAL, Prompt, SamplingOptions
from sampler_bench.models.reference import Oracle, UniformDigits
from sampler_bench.targets import END
from sampler_bench.tasks import Catalog

ARM = Catalog().arm("direct")


def draw(decoder: str, model, task: str, size: int, seed: int = 0):
    prompt = Prompt(Catalog().task(task), ARM, ARM.paraphrases[0])
    return asyncio.run(parse_decoder(decoder).sample(model, prompt, size, seed))


def test_the_twist_draws_exactly_from_the_target_where_the_model_is_uniform():
    """Uniform digits twisted by the counts are the target itself: all weights are |S| / (9 10^(n-1))."""
    responses = draw("twisted", UniformDigits(), "twin-primes-6", 20)
    target = Catalog().task("twin-primes-6").target
    assert all(target.contains(response.text) for response in responses)
    weight = math.log(target.count("") / 900_000)
    assert [response.log_weight for response in responses] == pytest.approx([weight] * 20)


@pytest.mark.parametrize("decoder", ["feasible", "twisted"])
def test_the_mean_weight_is_the_models_mass_on_members(decoder):
    """Uniform digits write one of the 54 twin primes of 900 numbers."""
    responses = draw(decoder, UniformDigits(), "twin-primes-3", 2000)
    weights = np.exp([response.log_weight for response in responses])
    error = weights.std() / math.sqrt(len(weights))
    assert abs(weights.mean() - 54 / 900) <= 5 * error + 1e-12


def test_feasible_weights_lead_back_to_the_uniform_law_over_members():
    """Unweighted, leading digits with few members come too often."""
    responses = draw("feasible", UniformDigits(), "twin-primes-3", 4000)
    weights = np.exp([response.log_weight for response in responses])
    ess = weights.sum() ** 2 / (weights**2).sum()
    target = Catalog().task("twin-primes-3").target
    for lead in "123456789":
        share = target.count(lead) / 54
        weighted = weights[[r.text[0] == lead for r in responses]].sum() / weights.sum()
        assert abs(weighted - share) <= 5 * math.sqrt(share * (1 - share) / ess)
    plain = np.mean([r.text[0] == "1" for r in responses])
    assert abs(plain - target.count("1") / 54) > 0.05


def test_a_law_that_may_stop_anywhere_is_weighed_by_its_stops_too():
    responses = draw("twisted", UniformDigits(), "dice-uniform", 50)
    assert all(1 <= int(response.text) <= 100 for response in responses)
    assert all(math.isfinite(response.log_weight) for response in responses)


def test_digits_only_writes_the_targets_length_whatever_the_model_wants():
    responses = draw("digits-only", UniformDigits(), "even-6", 20)
    assert all(len(response.text) == 6 for response in responses)
    assert [response.log_weight for response in responses] == pytest.approx([0.0] * 20)


def test_rejection_from_uniform_digits_is_valid_and_costs_every_try():
    responses = draw("reject", UniformDigits(), "even-6", 40)
    assert all(int(response.text) % 2 == 0 for response in responses)
    tries = sum(response.completion_tokens for response in responses) / 6
    assert 45 < tries < 130  # 80 expected, with a standard deviation of 9


def test_the_oracle_needs_no_decoder():
    responses = draw("twisted", Oracle(), "powers-of-3-100", 8)
    assert len({response.text for response in responses}) == 2


def test_cost_is_counted_where_prefixes_are_shared():
    """At most one pass a prefix: 20 numbers of 6 digits start from one prefix, then from at most 9."""
    responses = draw("feasible", UniformDigits(), "even-6", 20)
    passes = sum(response.forward_passes for response in responses)
    assert 1 + 9 + 20 * 2 < passes <= 1 + 9 + 20 * 5


class Refuses(UniformDigits):
    """Never writes an even digit."""

    def law(self, target, prefix):
        law = super().law(target, prefix)
        law[0:END:2] = 0
        return law / law.sum()


@pytest.mark.parametrize("decoder", ["feasible", "twisted"])
def test_where_the_model_rules_every_member_out_the_weight_is_zero(decoder):
    responses = draw(decoder, Refuses(), "even-6", 5)
    assert [response.log_weight for response in responses] == [-math.inf] * 5
    assert {response.finish_reason for response in responses} == {"dead-end"}


def test_a_shaped_law_is_tempered_and_cut():
    q = np.array([0.5, 0.25, 0.125, 0.125, *[0.0] * 7])
    assert shaped(q, NATURAL) is q
    assert shaped(q, SamplingOptions(temperature=0.5))[:2] == pytest.approx(
        [0.25 / 0.34375, 0.0625 / 0.34375]
    )
    assert shaped(q, SamplingOptions(top_k=2))[:3] == pytest.approx([2 / 3, 1 / 3, 0])
    assert shaped(q, SamplingOptions(top_p=0.7))[:3] == pytest.approx([2 / 3, 1 / 3, 0])
    assert shaped(q, SamplingOptions(top_p=0.5))[:2] == pytest.approx([1, 0])


def test_a_name_says_all_options_and_can_be_read_back():
    decoder = parse_decoder("ancestral:top_p=0.9,temperature=0.7")
    assert decoder.name == "ancestral:temperature=0.7,top_p=0.9"
    assert parse_decoder(decoder.name) == decoder
    assert decoder.law is None
    assert parse_decoder("ancestral").law is not None
    assert [parse_decoder(name).name for name in DECODERS] == list(DECODERS)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("beam", "unknown decoder 'beam'; there are ancestral, digits-only, feasible, reject, twisted"),
        ("ancestral:heat=1", "unknown option 'heat' of decoder ancestral"),
        ("ancestral:top_k=1.5", "top_k = '1.5' in decoder 'ancestral:top_k=1.5' is not a number"),
        ("ancestral:temperature=0", "needs 0 < temperature"),
        ("ancestral:temperature=nan", "needs 0 < temperature"),
    ],
)
def test_what_is_no_decoder_is_refused(text, reason):
    with pytest.raises(InputError, match=reason):
        parse_decoder(text)


def test_a_decoder_of_ones_own_is_chosen_by_its_kind():
    class Mine(Feasible):
        kind = "mine-for-a-test"

    try:
        assert parse_decoder("mine-for-a-test:temperature=2") == Mine(SamplingOptions(temperature=2.0))
    finally:
        del DECODERS["mine-for-a-test"]


@pytest.mark.parametrize(
    ("kind", "reason"),
    [("feasible", r"is sampler_bench.measure.decoders.Feasible: choose another"), ("a:b", "is of a-z, 0-9")],
)
def test_a_kind_that_is_taken_or_cannot_be_part_of_a_name_is_refused(kind, reason):
    before = dict(DECODERS)
    with pytest.raises(InputError, match=reason):
        type("Mine", (Decoder,), {"kind": kind})
    assert before == DECODERS
