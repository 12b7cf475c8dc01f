"""A language model as a DigitModel: prompts and digits on one side, an engine on the other."""

import asyncio
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from sampler_bench.errors import ModelError
from sampler_bench.models.engines.digit_laws import DigitLaws
from sampler_bench.models.engines.endpoint import Say
from sampler_bench.models.engines.engine import Engine
from sampler_bench.models.engines.prompts import PromptTokens
from sampler_bench.models.engines.protocol import Choice
from sampler_bench.models.engines.tokens import DigitTokenizer, DigitVocabulary
from sampler_bench.models.model import BOTH, NATURAL, Prompt, Response, SamplingOptions, child_seeds
from sampler_bench.targets import DIGITS

# Nothing masked, sent explicitly: a server's defaults may say otherwise.
UNMASKED = {"min_p": 0.0, "repetition_penalty": 1.0, "presence_penalty": 0.0, "frequency_penalty": 0.0}


class LanguageModel:
    """A model behind an engine. Before it is asked, it learns how digits are written (``learn_digits``).

    Parameters
    ----------
    engine : Engine
        Where it is asked.
    name : str
    template_kwargs : mapping
        Given to the chat template.
    say : callable
        Told what a person should know.

    Attributes
    ----------
    digits : str
        How its tokenizer writes digits; empty until that is learnt.
    context : float
        Tokens that a prompt and its response may have together.
    """

    can = BOTH

    def __init__(self, engine: Engine, name: str, template_kwargs: Mapping[str, object], say: Say):
        self.name = name
        self.digits = ""
        self._engine = engine
        self._prompts = PromptTokens(engine, name, template_kwargs, say)
        self._tokenizer = DigitTokenizer(engine.tokenize)
        self._vocabulary = DigitVocabulary([], [])  # until it is learnt
        self.context = math.inf

    async def conditionals(self, prompt: Prompt, prefixes: Sequence[str], trace: str = "") -> np.ndarray:
        """q(next symbol | prefix) after the prompt and a trace; shape (len(prefixes), 11).

        The last column, the mass on all that is not a digit, is known to about 1e-7. Prefixes of one
        number are read by one request where that is cheaper.

        Raises
        ------
        ModelError
            If the prompt does not suit the model: no chat template, too long, or joined to the digits.
        ServerError
            If no server can be reached, or one refuses or answers otherwise than it must.
        """
        ids = await self._prompts.ids(prompt)
        if trace:
            ids = ids + await self._prompts.before_a_digit(trace)
        self._check_room(prompt, len(ids) + max(map(len, prefixes), default=0) + 1)
        return await self._laws.after(ids, prefixes)

    async def sample(
        self, prompt: Prompt, size: int, seed: int, options: SamplingOptions = NATURAL
    ) -> list[Response]:
        """Responses, each from requests of its own with its own seed.

        A reasoning arm takes two: the thinking, cut at the arm's budget and closed, and then the answer.

        Raises
        ------
        ModelError, ServerError
            As ``conditionals`` does.
        """
        ids = await self._prompts.ids(prompt)
        self._check_room(prompt, len(ids) + prompt.arm.budget + prompt.max_tokens)
        respond = self._after_thinking if prompt.arm.budget else self._respond
        return await asyncio.gather(
            *(respond(prompt, ids, child, options) for child in child_seeds(seed, size))
        )

    async def likeliest(self, prompt: Prompt, tokens: int) -> list[tuple[str, float]]:
        """What the likeliest first tokens of a response read, and their probabilities."""
        ids = await self._prompts.ids(prompt)
        body = {"prompt": ids, "max_tokens": 1, "temperature": 1.0, "logprobs": tokens}
        law = (await self._choice(body | {"return_tokens_as_token_ids": True})).laws[0]
        first = sorted(law.items(), key=lambda told: -told[1])[:tokens]
        texts = await asyncio.gather(*(self._engine.text_of(int(name.split(":")[1])) for name, _ in first))
        return [(text, math.exp(logprob)) for text, (_, logprob) in zip(texts, first, strict=True)]

    def describe(self) -> dict:
        """What was learnt of it, for the manifest."""
        return {"digits": self.digits, "start": self._prompts.start, "thinking": self._prompts.switch.said}

    def template_arguments(self, prompt: Prompt) -> dict[str, object]:
        """What the chat template is told for a prompt, besides the chat."""
        return self._prompts.arguments(prompt)

    @property
    def digit_ids(self) -> list[int]:
        """The tokens of the ten digits, each by itself."""
        return [self._vocabulary.ids[self._vocabulary.texts.index(digit)] for digit in DIGITS]

    async def learn_digits(self) -> None:
        """Learn which tokens are digits, and how prompts begin.

        Raises
        ------
        ModelError, ServerError
            If digits cannot be read from its tokens.
        """
        single = await self._tokenizer.single_digits()
        self._vocabulary = single or await self._tokenizer.vocabulary(await self._token_texts())
        await self._prompts.learn(self._vocabulary)
        self._laws = DigitLaws(self._choice, self._engine.score, self._tokenizer, self._vocabulary)
        await self._laws.learn()
        self.digits = self._vocabulary.description

    async def _token_texts(self) -> list[str]:
        """What the tokens of the vocabulary read."""
        one = {"prompt": await self._engine.tokenize("7"), "max_tokens": 1, "temperature": 1.0}
        return list((await self._choice(one | {"logprobs": -1})).laws[0])

    async def _choice(self, body: dict) -> Choice:
        return (await self._engine.complete(body)).choices[0]

    def _check_room(self, prompt: Prompt, tokens: int) -> None:
        if tokens > self.context:
            raise ModelError(
                f"the context of {self.name}, {self.context} tokens, is too short for task "
                f"{prompt.task.name} under arm {prompt.arm.name}, which needs {tokens}; serve it with a "
                "larger --max-model-len, or choose another task or arm"
            )

    # Samples

    async def _respond(self, prompt: Prompt, ids: list[int], seed: int, options: SamplingOptions) -> Response:
        body = {"prompt": ids, "max_tokens": prompt.max_tokens, "stop": prompt.arm.stop}
        return await self._response(body, seed, options)

    async def _after_thinking(
        self, prompt: Prompt, ids: list[int], seed: int, options: SamplingOptions
    ) -> Response:
        arm = prompt.arm
        body = {"prompt": ids, "max_tokens": arm.budget, "stop": [arm.thinking_end]}
        thought = await self._response(body | {"include_stop_str_in_output": True}, seed, options)
        if thought.finish_reason == "stop" and arm.thinking_end not in thought.text:
            return thought  # ended without thinking: what it wrote is its answer
        thinking = thought.text if arm.thinking_end in thought.text else thought.text + arm.lead
        body = {"prompt": ids + await self._engine.tokenize(thinking), "max_tokens": prompt.max_tokens}
        answer = await self._response(body, seed, options)
        return replace(
            answer,
            thinking=thinking,
            prompt_tokens=thought.prompt_tokens,
            completion_tokens=thought.completion_tokens + answer.completion_tokens,
            forward_passes=thought.forward_passes + answer.forward_passes,
            seconds=thought.seconds + answer.seconds,
        )

    async def _response(self, body: dict, seed: int, options: SamplingOptions) -> Response:
        started = time.monotonic()
        answer = await self._engine.complete(body | UNMASKED | vars(options) | {"seed": seed})
        (choice,), usage = answer.choices, answer.usage
        return Response(
            text=choice.text,
            seed=seed,
            finish_reason=choice.finish_reason,
            prompt_tokens=usage.prompt_tokens,
            completion_tokens=usage.completion_tokens,
            seconds=time.monotonic() - started,
            forward_passes=usage.completion_tokens,
        )
