"""The law of the next digit after a prompt, read from a vLLM server."""

import asyncio
import math
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterator, Sequence
from functools import partial

import numpy as np

from sampler_bench.errors import ServerError
from sampler_bench.models.tokens import (
    END_RESOLUTION,
    DigitTokenizer,
    DigitVocabulary,
    Tokens,
    digit_conditionals,
)
from sampler_bench.models.transport import RefusedError
from sampler_bench.targets import END, SYMBOLS

TOP = 20  # log-probabilities a position of a prompt: vLLM's default allows no more
# A pass over prompt and number reads no prefix cache, a request for one position does. What such a request
# costs, in tokens of a prompt (measured on two cores), decides which is cheaper.
TOKENS_A_REQUEST = 24
IDS_AT_ONCE = 128  # vLLM's limit on tokens whose log-probabilities can be asked for
KEPT_LAWS = 8192  # next-token laws remembered

Complete = Callable[[dict], Awaitable[dict]]


class DigitLaws:
    """Reads next-digit laws for a tokenizer's digits.

    Parameters
    ----------
    complete : coroutine function
        From the body of a completion request to its one choice.
    tokenizer, vocabulary
        How digits are written.
    """

    def __init__(self, complete: Complete, tokenizer: DigitTokenizer, vocabulary: DigitVocabulary):
        self._complete, self._tokenizer, self._vocabulary = complete, tokenizer, vocabulary
        self._known: OrderedDict[Tokens, np.ndarray] = OrderedDict()
        self._reads_prompts = True  # until the server refuses

    async def after(self, ids: list[int], prefixes: Sequence[str]) -> np.ndarray:
        """q(next symbol | prefix) after a prompt's tokens; shape (len(prefixes), 11).

        Raises
        ------
        ServerError
            If the server answers without the digits' log-probabilities.
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
            if self._reads_prompts and len(wanted) * TOKENS_A_REQUEST > len(ids) + len(number)
        ]
        for found in await asyncio.gather(*passes):
            laws.update(found)
        missing = [prefix for prefix in dict.fromkeys(prefixes) if prefix not in laws]
        runs = [tuple(self._vocabulary.ids[int(digit)] for digit in prefix) for prefix in missing]
        laws.update(zip(missing, await self._token_laws(ids, runs), strict=True))
        return laws

    async def _along(self, ids: list[int], number: str, wanted: Sequence[str]) -> dict[str, np.ndarray]:
        """What one pass over a number tells of the wanted prefixes: a digit beyond the top is not told."""
        digit_ids = self._vocabulary.ids
        prompt = ids + [digit_ids[int(digit)] for digit in number]
        try:
            choice = await self._complete({"prompt": prompt, "prompt_logprobs": TOP} | one_token(digit_ids))
        except RefusedError:  # a server with a lower --max-logprobs
            self._reads_prompts = False
            return {}
        laws = {number: probabilities(choice, digit_ids)}
        positions = choice.get("prompt_logprobs") or [None] * len(prompt)
        for prefix in wanted:
            told = positions[len(ids) + len(prefix)] if len(prefix) < len(number) else None
            if told and all(str(token) in told for token in digit_ids):
                logprobs = [told[str(token)]["logprob"] for token in digit_ids]
                laws[prefix] = _checked([math.exp(value) for value in logprobs])
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
            self._known[prompt] = np.concatenate([probabilities(choice, part) for choice, part in found])
            if len(self._known) > KEPT_LAWS:
                self._known.popitem(last=False)
        return self._known[prompt]


def one_token(ids: Sequence[int]) -> dict:
    """A request for the log-probabilities of tokens to come next, over the whole vocabulary."""
    return {
        "max_tokens": 1,
        "temperature": 1.0,
        "logprobs": 0,
        "logprob_token_ids": list(ids),
        "return_tokens_as_token_ids": True,
    }


def probabilities(choice: dict, ids: Sequence[int]) -> np.ndarray:
    """Of the given tokens, from the answer to a request made with ``one_token``. Raises ServerError."""
    try:
        logprobs = choice["logprobs"]["top_logprobs"][0]
        return _checked([math.exp(logprobs[f"token_id:{token}"]) for token in ids])
    except (KeyError, IndexError, TypeError) as error:
        raise ServerError(
            "the server does not return the log-probabilities asked for with 'logprob_token_ids'; "
            "a vLLM of 0.32 or later does"
        ) from error


def _checked(found: list[float]) -> np.ndarray:
    if not all(0 <= probability <= 1 + END_RESOLUTION for probability in found):
        raise ServerError(
            f"the server returned probabilities that are none: {found}; the model's weights or their "
            "precision are not right"
        )
    return np.array(found)


def _numbers(prefixes: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    """The longest prefixes, each with those that lie along it and along none before it."""
    ordered = sorted(set(prefixes))
    rest = set(ordered)
    for number, following in zip(ordered, [*ordered[1:], ""], strict=True):
        if not following.startswith(number) or not following:
            wanted = [number[:k] for k in range(len(number) + 1) if number[:k] in rest]
            rest.difference_update(wanted)
            yield number, wanted
