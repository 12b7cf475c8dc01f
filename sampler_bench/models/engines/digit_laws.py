"""The law of the next digit after a prompt, read from a vLLM server."""

import asyncio
import math
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterator, Sequence
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
# A pass over prompt and number reads no prefix cache, a request for one position does. What such a request
# costs, in tokens of a prompt (measured on two cores), decides which is cheaper.
TOKENS_A_REQUEST = 24
IDS_AT_ONCE = 128  # vLLM's limit on tokens whose log-probabilities can be asked for
KEPT_LAWS = 8192  # next-token laws remembered
LONGEST_PASS = 16_000  # tokens: the answer to a longer one would be too large

Score = Callable[[Sequence[int], int, Sequence[int]], Awaitable[np.ndarray | None]]
Complete = Callable[[dict], Awaitable[Choice]]


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
        self._scores = False  # until it is known
        self._known: OrderedDict[Tokens, np.ndarray] = OrderedDict()
        self._reads_prompts = True  # until the server refuses

    async def learn(self) -> None:
        """Find out whether the engine scores: by a question whose answer is thrown away."""
        ids = self._vocabulary.ids
        try:
            self._scores = self._vocabulary.single and await self._score(ids, 1, ids) is not None
        except (UnreachedError, SilenceError):
            raise
        except ServerError:  # a path that is not known is answered with anything
            self._scores = False

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

    async def _single_digit_laws(self, ids: list[int], prefixes: Sequence[str]) -> dict[str, np.ndarray]:
        """Probabilities of the ten digits after each prefix, where every digit is a token."""
        laws: dict[str, np.ndarray] = {}
        passes = [
            self._along(ids, number, wanted)
            for number, wanted in _numbers(prefixes)
            if self._reads_prompts and _is_worth_a_pass(len(ids), number, wanted)
        ]
        for found in await asyncio.gather(*passes):
            laws.update(found)
        missing = [prefix for prefix in dict.fromkeys(prefixes) if prefix not in laws]
        runs = [tuple(self._vocabulary.ids[int(digit)] for digit in prefix) for prefix in missing]
        laws.update(zip(missing, await self._token_laws(ids, runs), strict=True))
        return laws

    async def _along(self, ids: list[int], number: str, wanted: Sequence[str]) -> dict[str, np.ndarray]:
        """What one pass over a number tells of the wanted prefixes: without scores, a digit beyond the top is
        not told.
        """
        digit_ids = self._vocabulary.ids
        prompt = ids + [digit_ids[int(digit)] for digit in number]
        if self._scores:
            scores = await self._score(prompt, len(ids), digit_ids)
            if scores is not None:
                return {prefix: np.array([*map(math.exp, scores[len(prefix)])]) for prefix in wanted}
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


def passes_over(prompt: int, prefixes: Sequence[str]) -> list[int]:
    """The lengths, in tokens, of the requests that read laws after a prompt of so many and prefixes.

    As ``DigitLaws`` makes them where every digit is a token, if a pass tells of all digits.
    """
    lengths, read = [], set[str]()
    for number, wanted in _numbers(prefixes):
        if _is_worth_a_pass(prompt, number, wanted):
            lengths.append(prompt + len(number))
            read.update(wanted)
    return lengths + [prompt + len(prefix) for prefix in dict.fromkeys(prefixes) if prefix not in read]


def _is_worth_a_pass(prompt: int, number: str, wanted: Sequence[str]) -> bool:
    """Whether the laws along a number are read in one pass over it, after a prompt of so many tokens."""
    return len(wanted) * TOKENS_A_REQUEST > prompt + len(number) <= LONGEST_PASS


def one_token(ids: Sequence[int]) -> dict:
    """A request for the log-probabilities of tokens to come next, over the whole vocabulary."""
    return {
        "max_tokens": 1,
        "temperature": 1.0,
        "logprobs": 0,
        "logprob_token_ids": list(ids),
        "return_tokens_as_token_ids": True,
    }


def probabilities(choice: Choice, ids: Sequence[int]) -> np.ndarray:
    """Of the given tokens, from the answer to a request made with ``one_token``."""
    law = choice.first_law
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
