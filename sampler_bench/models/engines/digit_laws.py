"""The law of the next digit after a prompt, read from a vLLM server."""

import asyncio
import math
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterator, Sequence
from enum import Enum
from functools import partial

import numpy as np

from sampler_bench.errors import ServerError
from sampler_bench.models.engines.exchange import RefusedError, SilenceError, UnreachedError
from sampler_bench.models.engines.protocol import CERTAIN, Choice
from sampler_bench.models.engines.tokens import (
    END_RESOLUTION,
    DigitTokenizer,
    DigitVocabulary,
    Tokens,
    digit_conditionals,
)
from sampler_bench.targets import END, SYMBOLS

TOP = 20  # log-probabilities a position of a prompt: vLLM's default allows no more
# What ways to read cost, in tokens of a prompt (measured on two cores). A pass over prompt and number reads
# no prefix cache. A request for one position does, and so does one for a forced answer: a step a digit.
TOKENS_A_REQUEST = 24
TOKENS_A_STEP = 2
IDS_AT_ONCE = 128  # vLLM's limit on tokens whose log-probabilities can be asked for
KEPT_LAWS = 8192  # next-token laws remembered
LONGEST_PASS = 16_000  # tokens: the answer to a longer one would be too large

UNLIKELY = "90"  # as what is written after the ten digits, unless it is forced
NOISE = 0.05  # in a probability, of half precision at the most
Laws = dict[str, np.ndarray]  # by prefix, of shape (10,)
Score = Callable[[Sequence[int], int, Sequence[int]], Awaitable[np.ndarray | None]]
Complete = Callable[[dict], Awaitable[Choice]]
Way = Callable[[list[int], str, Sequence[str]], Awaitable[Laws | None]]  # to read laws along a number


class Reading(Enum):
    """Ways to read the laws along a number; a pass also stands for scores, where the engine has them."""

    ONE_BY_ONE, PASS, FORCED = range(3)


class DigitLaws:
    """Reads next-digit laws for a tokenizer's digits.

    Parameters
    ----------
    complete : coroutine function
        From the body of a completion request to its one choice.
    score : coroutine function
        As an engine's; what is read with it needs no other request.
    tokenizer, vocabulary
        How digits are written.
    """

    def __init__(
        self, complete: Complete, score: Score, tokenizer: DigitTokenizer, vocabulary: DigitVocabulary
    ):
        self._complete, self._score = complete, score
        self._tokenizer, self._vocabulary = tokenizer, vocabulary
        self._scores = self._forces = False  # until it is known
        self._known: OrderedDict[Tokens, np.ndarray] = OrderedDict()
        self._reads_prompts = True  # until the server refuses

    async def learn(self) -> None:
        """Find out how the engine can be read."""
        if self._vocabulary.single:
            self._scores = await self._is_had(self._scored)
            self._forces = not self._scores and await self._is_had(self._forced)

    async def _is_had(self, way: Way) -> bool:
        """Whether the engine can be read so, and tells what a request for one position tells."""
        ids = self._vocabulary.ids
        try:
            laws = await way(ids, UNLIKELY, [""])
            return laws is not None and np.allclose(laws[""], await self._token_law(tuple(ids)), atol=NOISE)
        except (UnreachedError, SilenceError):
            raise
        except ServerError:  # a path or a field that is not known is answered with anything
            return False

    async def after(self, ids: list[int], prefixes: Sequence[str]) -> np.ndarray:
        """q(next symbol | prefix) after a prompt's tokens; shape (len(prefixes), 11).

        Raises
        ------
        ServerError
            If no server can be reached, or one refuses or answers otherwise than it must.
        """
        if not self._vocabulary.single:
            laws = partial(self._token_laws, ids)
            return await digit_conditionals(prefixes, self._tokenizer, self._vocabulary, laws)
        law = await self._single_digit_laws(ids, prefixes)
        q = np.empty((len(prefixes), SYMBOLS))
        q[:, :END] = np.reshape([law[prefix] for prefix in prefixes], (-1, END))
        q[:, END] = np.maximum(1 - q[:, :END].sum(axis=1), END_RESOLUTION)
        return q

    async def _single_digit_laws(self, ids: list[int], prefixes: Sequence[str]) -> Laws:
        """Probabilities of the ten digits after each prefix, where every digit is a token."""
        numbers = [self._laws_along(ids, number, wanted) for number, wanted in _numbers(prefixes)]
        found: Laws = {}
        for laws in await asyncio.gather(*numbers):
            found |= laws
        return found

    async def _laws_along(self, ids: list[int], number: str, wanted: Sequence[str]) -> Laws:
        """Probabilities of the ten digits after the wanted prefixes of a number."""
        laws = await self._along(ids, number, wanted)
        missing = [prefix for prefix in wanted if prefix not in laws]
        runs = [tuple(self._with([], prefix)) for prefix in missing]
        return laws | dict(zip(missing, await self._token_laws(ids, runs), strict=True))

    async def _along(self, ids: list[int], number: str, wanted: Sequence[str]) -> Laws:
        """What one request tells of the wanted prefixes of a number: none if one for each is cheaper."""
        laws, reading = None, _cheapest(len(ids), number, wanted, self._forces)
        if reading is Reading.FORCED:
            laws = await self._forced(ids, number, wanted)
            reading = _cheapest(len(ids), number, wanted, forces=False)
        if laws is None and reading is Reading.PASS and self._scores:
            laws = await self._scored(ids, number, wanted)
        if laws is None and reading is Reading.PASS:
            laws = await self._pass(ids, number, wanted)
        return laws or {}

    async def _scored(self, ids: list[int], number: str, wanted: Sequence[str]) -> Laws | None:
        """By a server that tells of chosen tokens along a prompt; None by others."""
        scores = await self._score(self._with(ids, number), len(ids), self._vocabulary.ids)
        if scores is None:
            return None
        return {prefix: np.array([*map(math.exp, scores[len(prefix)])]) for prefix in wanted}

    async def _forced(self, ids: list[int], number: str, wanted: Sequence[str]) -> Laws | None:
        """By an answer that is forced to be the number (``teacher_forcing``); None by a server that does not
        force, or tells what has been masked.
        """
        digit_ids = self._vocabulary.ids
        forced = self._with([], number) + digit_ids[:1]  # the last for the law in its place
        body = one_token(digit_ids) | {"prompt": ids, "temperature": 0.0, "max_tokens": len(forced)}
        try:
            choice = await self._complete(body | {"vllm_xargs": {"forced_tokens": forced}})
        except RefusedError:
            return None
        if not choice.wrote(forced):
            return None
        laws = {prefix: probabilities(choice, digit_ids, len(prefix)) for prefix in wanted}
        return None if any(np.count_nonzero(law) == 1 for law in laws.values()) else laws

    async def _pass(self, ids: list[int], number: str, wanted: Sequence[str]) -> Laws:
        """By the likeliest tokens along a prompt: of a digit that is not among them nothing is told."""
        digit_ids, prompt = self._vocabulary.ids, self._with(ids, number)
        if not self._reads_prompts:
            return {}
        try:
            choice = await self._complete({"prompt": prompt, "prompt_logprobs": TOP} | one_token(digit_ids))
        except RefusedError:  # a server with a lower --max-logprobs
            self._reads_prompts = False
            return {}
        laws = {number: probabilities(choice, digit_ids)}
        positions = choice.prompt_logprobs or [None] * len(prompt)
        for prefix in wanted:
            told = positions[len(ids) + len(prefix)] if len(prefix) < len(number) else None
            if told and all(str(token) in told for token in digit_ids):
                laws[prefix] = np.array([math.exp(told[str(token)]) for token in digit_ids])
        return {prefix: law for prefix, law in laws.items() if prefix in wanted}

    def _with(self, ids: list[int], number: str) -> list[int]:
        return ids + [self._vocabulary.ids[int(digit)] for digit in number]

    async def _token_laws(self, ids: list[int], runs: Sequence[Tokens]) -> list[np.ndarray]:
        """Probabilities of the vocabulary's tokens after the prompt and each run of tokens."""
        return await asyncio.gather(*(self._token_law((*ids, *run)) for run in runs))

    async def _token_law(self, prompt: Tokens) -> np.ndarray:
        if prompt not in self._known:
            wanted = self._vocabulary.ids
            parts = [wanted[i : i + IDS_AT_ONCE] for i in range(0, len(wanted), IDS_AT_ONCE)]
            asked = [self._complete({"prompt": list(prompt)} | one_token(part)) for part in parts]
            found = zip(await asyncio.gather(*asked), parts, strict=True)
            law = np.concatenate([probabilities(choice, part) for choice, part in found])
            if law.sum() > 1 + CERTAIN:  # of all parts: each by itself has been looked at
                raise ServerError(f"the server returned probabilities that sum to {law.sum():.6g}")
            self._known[prompt] = law
            if len(self._known) > KEPT_LAWS:
                self._known.popitem(last=False)
        return self._known[prompt]


def requests_for(prompt: int, prefixes: Sequence[str], forces: bool) -> list[tuple[int, int]]:
    """Tokens in and out of each request that reads laws after a prompt of so many tokens and prefixes.

    As ``DigitLaws`` makes them where every digit is a token, if a pass tells of all digits. ``forces``:
    whether answers can be forced.
    """
    asked = []
    for number, wanted in _numbers(prefixes):
        match _cheapest(prompt, number, wanted, forces):
            case Reading.FORCED:
                asked.append((prompt, len(number) + 1))
            case Reading.PASS:
                asked.append((prompt + len(number), 1))
            case Reading.ONE_BY_ONE:
                asked += [(prompt + len(prefix), 1) for prefix in wanted]
    return asked


def _cheapest(prompt: int, number: str, wanted: Sequence[str], forces: bool) -> Reading:
    """How the laws after some prefixes of a number are read, after a prompt of so many tokens."""
    whole = prompt + len(number)
    costs = {Reading.ONE_BY_ONE: TOKENS_A_REQUEST * len(wanted)}
    if whole <= LONGEST_PASS:
        costs[Reading.PASS] = whole
        if forces:
            costs[Reading.FORCED] = TOKENS_A_REQUEST + TOKENS_A_STEP * len(number)
    return min(costs, key=costs.__getitem__)


def one_token(ids: Sequence[int]) -> dict:
    """A request for the log-probabilities of tokens to come next, over the whole vocabulary."""
    return {
        "max_tokens": 1,
        "temperature": 1.0,
        "logprobs": 0,
        "logprob_token_ids": list(ids),
        "return_tokens_as_token_ids": True,
    }


def probabilities(choice: Choice, ids: Sequence[int], position: int = 0) -> np.ndarray:
    """Of the given tokens at a position of the answer to a request made with ``one_token``."""
    law = choice.laws[position]
    return np.array([math.exp(law[f"token_id:{token}"]) for token in ids])


def _numbers(prefixes: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    """The longest prefixes, each with those that lie along it and along none before it."""
    ordered = sorted(set(prefixes))
    rest = set(ordered)
    for number, following in zip(ordered, [*ordered[1:], ""], strict=True):
        if not following.startswith(number) or not following:
            wanted = [number[:k] for k in range(len(number) + 1) if number[:k] in rest]
            rest.difference_update(wanted)
            yield number, wanted
