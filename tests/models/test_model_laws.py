"""The laws of models: they hold for all that is here, and each catches a model that breaks it alone."""

import asyncio
import itertools

import numpy as np
import pytest

from sampler_bench import Prompt, Response, check_model, load_task
from sampler_bench.errors import InputError
from sampler_bench.models.engines.transport import Transport
from sampler_bench.models.engines.vllm import VllmModel
from sampler_bench.models.reference import find_reference
from sampler_bench.tasks import Catalog
from tests.models.fake_server import MODEL, fake_server
from tests.models.own_models import Both, Laws, Samples

REFERENCES = (
    "oracle", "uniform-digits", "feasible-uniform", "sieve-5", "sieve-31", "propose-and-check-8",
    "recall-100-else-propose-8",
)  # fmt: skip


def prompt(task: str, arm: str = "direct") -> Prompt:
    asked = Catalog().arm(arm)
    return Prompt(load_task(task), asked, asked.paraphrases[0])


def check(model, task: str = "even-6", **options) -> None:
    asyncio.run(check_model(model, prompt(task), **options))


@pytest.mark.parametrize(
    "task", ["even-6", "twin-primes-3", "twin-primes-6", "dice-uniform", "powers-of-2-6"]
)
@pytest.mark.parametrize("name", REFERENCES)
def test_laws_hold_for_reference_samplers(name, task):
    reference = find_reference(name)
    if not reference.suits(load_task(task).target):
        pytest.skip(f"{name} is not defined for {task}")
    check(reference, task)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("kind", [Laws, Samples, Both])
def test_laws_hold_for_models_of_ones_own(kind, seed):
    check(kind(), seed=seed)


def test_laws_hold_for_a_served_model():
    with fake_server() as server:
        for arm in ("direct", "few-shot"):
            model = VllmModel(Transport([server.url]), MODEL)
            asyncio.run(check_model(model, prompt("even-6", arm), draws=200, alike=1e-6))


class NotSummingToOne(Both):
    def law(self, prompt, prefix):
        return [0.05] * 10 + [0.0]


class BelowNothing(Both):
    def law(self, prompt, prefix):
        return [-0.1, *[0.1] * 9, 0.2]


class NotFinite(Both):
    def law(self, prompt, prefix):
        return [np.nan] * 11


class OneRowForAll(Both):
    async def conditionals(self, prompt, prefixes, trace=""):
        return np.full((1, 11), 1 / 11)


class ByPlace(Both):
    """Its laws hang on where a prefix stands among others."""

    async def conditionals(self, prompt, prefixes, trace=""):
        rows = await super().conditionals(prompt, prefixes)
        rows[len(prefixes) // 2] = np.full(11, 1 / 11)
        return rows


class ByTheHour(Both):
    """Its laws are others each time."""

    def __init__(self):
        self.drift = itertools.count()

    async def conditionals(self, prompt, prefixes, trace=""):
        off = 1e-6 * next(self.drift)
        return (1 - off) * await super().conditionals(prompt, prefixes) + off / 11


class Unseeded(Both):
    def __init__(self):
        self.rng = np.random.default_rng(0)

    async def sample(self, prompt, size, seed, options):
        return [self.written(prompt, self.rng) for _ in range(size)]


class OneSeed(Both):
    async def sample(self, prompt, size, seed, options):
        return await super().sample(prompt, size, 7, options)


class OneTooFew(Both):
    async def sample(self, prompt, size, seed, options):
        return await super().sample(prompt, size - 1, seed, options)


class Impossible(Both):
    """Writes a response in a hundred that ends too soon."""

    def written(self, prompt, rng):
        return Response("12") if rng.random() < 0.01 else super().written(prompt, rng)


class OtherFirstDigits(Both):
    """Writes its first digit without its love of sevens."""

    def written(self, prompt, rng):
        return Response(str(rng.integers(10)) + super().written(prompt, rng).text[1:])


class OtherPairs(Both):
    """Each digit follows its law, but the second is the first one half of the time."""

    def written(self, prompt, rng):
        text = super().written(prompt, rng).text
        return Response(text[0] + text[0] + text[2:]) if rng.random() < 0.5 else Response(text)


class Renamed(Both):
    def __init__(self):
        self.versions = itertools.count()

    def describe(self):
        return {"identity": str(next(self.versions))}


@pytest.mark.parametrize(
    ("broken", "law"),
    [
        (NotSummingToOne, "are no laws: row 0, after prefix '', sums to 0.5"),
        (BelowNothing, "are no laws: row 0, after prefix '', holds what is below 0"),
        (NotFinite, "are no laws: row 0, after prefix '', holds what is not finite"),
        (OneRowForAll, r"are no laws: their shape is \(1, 11\)"),
        (ByPlace, r"the law after '\d*' is another in other order or company, by 0\.\d"),
        (ByTheHour, "the law after .* in other order or company, by [0-9]e-0[0-9]"),
        (Unseeded, r"of its responses to seed 0 are others when it is asked again"),
        (OneSeed, "seeds 0 and 1 draw the same"),
        (OneTooFew, "it gave 399 responses; 400 were asked for"),
        (Impossible, r"begins with '12\.' .*, which has probability 0 by its conditionals"),
        (OtherFirstDigits, "the first symbol of 800 responses have not the frequencies"),
        (OtherPairs, "the first 3 symbols of 800 responses have not the frequencies"),
        (Renamed, "its identity was '1', and '2' after it was asked"),
    ],
)
def test_a_model_that_breaks_a_law_is_caught_by_it(broken, law):
    with pytest.raises(AssertionError, match=f"^sevens: .*{law}"):
        check(broken())


def test_whole_short_numbers_are_held_against_the_law():
    """First digits as they should be, and the wrong share of one-digit numbers."""

    class Short(Both):
        stops = 0.5

        def law(self, prompt, prefix):
            if not prefix:
                return [0.0, *[1 / 9] * 9, 0.0]
            return [0.05] * 10 + [0.5] if len(prefix) == 1 else [0.0] * 10 + [1.0]

        def written(self, prompt, rng):
            more = "" if rng.random() < self.stops else str(rng.integers(10))
            return Response(f"{rng.integers(1, 10)}{more}")

    check(Short(), "dice-uniform")
    Short.stops = 0.3
    with pytest.raises(AssertionError, match="the first 3 symbols of 800 responses"):
        check(Short(), "dice-uniform")


def test_a_model_that_always_writes_the_same_may_do_so_for_every_seed():
    class Point(Samples):
        def written(self, prompt, rng):
            return Response("123456")

    check(Point())


def test_a_served_model_may_differ_as_far_as_is_said():
    check(ByTheHour(), alike=1e-3)


def test_an_arm_whose_answer_does_not_begin_the_response_is_refused():
    with pytest.raises(InputError, match="arm cot: its answer does not begin the response; choose direct"):
        asyncio.run(check_model(Both(), prompt("even-6", "cot")))
