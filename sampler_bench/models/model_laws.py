"""The laws every model obeys. A model of one's own is right only if these hold for it.

That a model ends after the last digit, or writes members only, is no law: whether it does is measured.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np

from sampler_bench.errors import InputError
from sampler_bench.models.model import LAWS, NATURAL, SAMPLES, OwnModel, Prompt, Response
from sampler_bench.models.objects import ObjectModel, fault_in_responses, fault_in_rows
from sampler_bench.targets import DIGITS

ALIKE = 1e-9  # the most by which a probability may differ between two answers; of a served model more
UNLIKE_DRAWS = 0.05  # share of draws that may differ at one seed, where laws may differ more than that
WALKS = 3  # numbers along which laws are read
ALONE = 5  # prefixes that are asked for by themselves too
DEPTH = 3  # symbols of the beginnings of responses that are held against the law
EXPECTED = 5  # draws in a cell of a test, by the law
OPENED = 25  # draws expected of a beginning, from which the next symbol is looked at too
SIMULATED = 20_000  # perfect samples that a test's statistic is held against
RAREST = 1e-4  # p up to which a test rejects: of right models one in ten thousand, for each of two tests
ENDED = "."  # after the digits of a response that does not go on with one


async def check_model(
    model: OwnModel, prompt: Prompt, seed: int = 0, *, draws: int = 400, alike: float = ALIKE
) -> None:
    """Check the laws of a model, asked with one prompt. ``await`` it, or ``asyncio.run`` it::

        direct = Catalog().arm("direct")  # of sampler_bench.tasks
        prompt = Prompt(load_task("even-6"), direct, direct.paraphrases[0])
        asyncio.run(check_model(MyModel(), prompt))

    * what it says of itself has an identity, and is the same before and after it was asked;
    * conditionals are laws: of shape (prefixes, 11), finite, not below 0, each row summing to 1;
    * a prefix has one law, in whatever order and company it is asked for, and as often as it is;
    * it gives as many responses as are asked for, the same ones for the same seed, and others for another,
      unless it always writes the same;
    * responses begin as its conditionals say: nothing is drawn that has probability 0, and first symbols, and
      whole short numbers, have the frequencies that the products of conditionals give. Each of these two
      tests rejects a right model with probability ``RAREST``, given the seed.

    Laws are checked where the model ``can`` give what they are about.

    Parameters
    ----------
    model : OwnModel
        Entered, if it is an async context manager.
    prompt : Prompt
        Of an arm whose answer begins the response, such as ``direct``.
    seed : int
        Of all that is drawn.
    draws : int
        Responses for each of the two seeds compared.
    alike : float
        By how much two answers for one law may differ; about 1e-4 for a served model. Above ``ALIKE``,
        ``UNLIKE_DRAWS`` of the responses may differ at one seed.

    Raises
    ------
    AssertionError
        Naming the law, the model and the prefix or seed.
    InputError
        If the model has not the form of one (``ObjectModel``), or the arm does not suit.
    """
    if prompt.arm.conditionals != "start" or prompt.arm.answers != 1:
        raise InputError(f"arm {prompt.arm.name}: its answer does not begin the response; choose direct, say")
    checked, rng = ObjectModel(model), np.random.default_rng(seed)
    before = checked.describe()["identity"]
    async with checked:
        if LAWS in checked.can:
            await _assert_one_law_a_prefix(model, prompt, rng, alike)
        if SAMPLES in checked.can:
            responses = await _assert_seeds(model, prompt, seed, draws, alike)
            if LAWS in checked.can:
                depth = min(DEPTH, prompt.task.target.digits)
                await _assert_possible(model, prompt, responses, depth)
                for symbols in (1, depth):
                    await _assert_frequencies(model, prompt, responses, symbols, rng)
        after = checked.describe()["identity"]
    assert before == after, f"{model.name}: its identity was {before!r}, and {after!r} after it was asked"


async def _rows(model: Any, prompt: Prompt, prefixes: Sequence[str]) -> np.ndarray:
    rows = np.asarray(await model.conditionals(prompt, list(prefixes), ""))
    fault = fault_in_rows(rows, prefixes)
    assert not fault, f"{model.name}: conditionals of {prompt.task.name} are no laws: {fault}"
    return rows


async def _responses(model: Any, prompt: Prompt, size: int, seed: int) -> list[Response]:
    responses = await model.sample(prompt, size, seed, NATURAL)
    fault = fault_in_responses(responses, size)
    assert not fault, f"{model.name}: sample of {prompt.task.name}: {fault}"
    return responses


async def _assert_one_law_a_prefix(
    model: Any, prompt: Prompt, rng: "np.random.Generator", alike: float
) -> None:
    numbers = prompt.task.target.sample(WALKS, rng)
    prefixes = sorted({number[:k] for number in numbers for k in range(len(number) + 1)})
    rows = await _rows(model, prompt, prefixes)
    order = rng.permutation(len(prefixes))
    again = [(order, await _rows(model, prompt, [prefixes[place] for place in order]))]
    again += [([place], await _rows(model, prompt, [prefixes[place]])) for place in order[:ALONE]]
    for places, others in again:
        for place, row in zip(places, others, strict=True):
            off = np.abs(row - rows[place]).max()
            assert off <= alike, (
                f"{model.name}: the law after {prefixes[place]!r} is another in other order or company, "
                f"by {off:.1g}"
            )


async def _assert_seeds(model: Any, prompt: Prompt, seed: int, draws: int, alike: float) -> list[Response]:
    """Returns the responses to both seeds."""
    first, again, other = [await _responses(model, prompt, draws, each) for each in (seed, seed, seed + 1)]
    texts = [response.text for response in first]
    unlike = np.mean([a != b.text for a, b in zip(texts, again, strict=True)])
    assert unlike <= (UNLIKE_DRAWS if alike > ALIKE else 0), (
        f"{model.name}: {unlike:.1%} of its responses to seed {seed} are others when it is asked again"
    )
    same = texts == [response.text for response in other]
    assert not same or len(set(texts)) == 1, f"{model.name}: seeds {seed} and {seed + 1} draw the same"
    return [*first, *other]


async def _assert_possible(model: Any, prompt: Prompt, responses: Sequence[Response], depth: int) -> None:
    """Nothing that a response begins with has probability 0."""
    written = {_written(response)[:depth] for response in responses}
    prefixes = sorted({text[:k] for text in written for k in range(len(text.rstrip(ENDED)) + 1)})
    rows = dict(zip(prefixes, await _rows(model, prompt, prefixes), strict=True))
    for text in sorted(written):
        for k, symbol in enumerate(text):
            assert rows[text[:k]][(DIGITS + ENDED).index(symbol)] > 0, (
                f"{model.name}: it wrote a response that begins with {text[: k + 1]!r} ({ENDED}: no digit "
                "follows), which has probability 0 by its conditionals"
            )
        assert len(text) == depth or text.endswith(ENDED), (
            f"{model.name}: it wrote {text!r} and was cut; there is room for {prompt.max_tokens} tokens"
        )


async def _assert_frequencies(
    model: Any, prompt: Prompt, responses: Sequence[Response], symbols: int, rng: "np.random.Generator"
) -> None:
    """Pearson's statistic of what responses begin with, against its law by simulation."""
    law = await _beginnings(model, prompt, len(responses), symbols)
    counts = Counter(_beginning(response, law) for response in responses)
    expected, found = _cells(law, counts)
    share = expected / expected.sum()

    def statistic(found: np.ndarray) -> np.ndarray:
        return ((found - expected) ** 2 / expected).sum(axis=-1)

    simulated = statistic(rng.multinomial(len(responses), share, size=SIMULATED))
    p = (1 + np.count_nonzero(simulated >= statistic(found) * (1 - ALIKE))) / (1 + SIMULATED)
    assert p > RAREST, (
        f"{model.name}: the first {f'{symbols} symbols' if symbols > 1 else 'symbol'} of {len(responses)} "
        f"responses have not the frequencies that its conditionals give (p = {p:.1g})"
    )


async def _beginnings(model: Any, prompt: Prompt, size: int, symbols: int) -> dict[str, float]:
    """Beginnings of up to so many symbols, each response having one, with their probabilities."""
    law = {"": 1.0}
    for length in range(symbols):
        opened = [start for start in law if len(start) == length and _is_opened(start, size * law[start])]
        if opened:
            for start, row in zip(opened, await _rows(model, prompt, opened), strict=True):
                p = law.pop(start)
                law |= {start + symbol: p * q for symbol, q in zip(DIGITS + ENDED, row, strict=True)}
    return law


def _is_opened(start: str, expected: float) -> bool:
    return not start.endswith(ENDED) and (not start or expected >= OPENED)


def _written(response: Response) -> str:
    """The digits that a response begins with, and ``ENDED``, unless it was cut before it could go on."""
    digits = response.text[: len(response.text) - len(response.text.lstrip(DIGITS))]
    cut = response.finish_reason == "length" and digits == response.text
    return digits if cut else digits + ENDED


def _beginning(response: Response, law: Collection[str]) -> str:
    """The beginning that a response has, of those that share all responses among them."""
    written = _written(response)
    return next(written[:k] for k in range(len(written) + 1) if written[:k] in law)


def _cells(law: Mapping[str, float], counts: Mapping[str, int]) -> tuple[np.ndarray, np.ndarray]:
    """Expected and found, by beginning; those of which few are expected are one."""
    size = sum(counts.values())
    both = np.array([[size * p, counts.get(start, 0)] for start, p in law.items() if p > 0])
    many = both[:, 0] >= EXPECTED
    rest = both[~many].sum(axis=0, keepdims=True)
    return tuple(np.concatenate([both[many], rest] if rest[0, 0] else [both[many]]).T)
