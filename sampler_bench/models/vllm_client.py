"""A language model behind vLLM servers, over HTTP."""

import asyncio
import math
import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from sampler_bench.errors import ModelError, ServerError
from sampler_bench.models.base import NATURAL, Prompt, Response, SamplingOptions, child_seeds
from sampler_bench.models.digit_laws import DigitLaws, one_token, probabilities
from sampler_bench.models.tokens import DigitTokenizer, DigitVocabulary
from sampler_bench.models.transport import Endpoint, Transport

PROBES_AGREE = 0.02  # servers of one model, in half precision and differently batched, are closer

# Nothing masked, sent explicitly: a server's defaults may say otherwise.
UNMASKED = {"min_p": 0.0, "repetition_penalty": 1.0, "presence_penalty": 0.0, "frequency_penalty": 0.0}


class VllmModel:
    """A served model as a DigitModel. Use as an async context manager: entering it checks the servers.

    Parameters
    ----------
    transport : Transport
        Requests to its servers.
    name : str
        The name the model is served under.

    Attributes
    ----------
    server_version : str
    digits : str
        How its tokenizer writes digits.
    probe : list of float
        Probabilities of the ten digits after a fixed text: tells one set of weights from another.
    """

    def __init__(self, transport: Transport, name: str):
        self.name = name
        self.server_version, self.digits, self.probe = "", "", []
        self._transport = transport
        self._tokenizer = DigitTokenizer(self._tokenize)
        self._vocabulary = DigitVocabulary([], [])  # until it is learnt
        self._prompt_ids: dict[str, list[int]] = {}
        self._context = 0

    async def __aenter__(self) -> "VllmModel":
        await self._transport.__aenter__()
        try:
            await self._check_servers()
        except BaseException:
            await self._transport.__aexit__()
            raise
        return self

    async def __aexit__(self, *_):
        await self._transport.__aexit__()

    async def conditionals(self, prompt: Prompt, prefixes: Sequence[str], trace: str = "") -> np.ndarray:
        """q(next symbol | prefix) after the prompt and a trace; shape (len(prefixes), 11).

        The last column, the mass on all that is not a digit, is known to about 1e-7. Prefixes of one
        number are read in one pass over it where that is cheaper.

        Raises
        ------
        ModelError
            If the prompt does not suit the model: no chat template, too long, or joined to the digits.
        ServerError
            If no server can be reached, or one refuses or answers without the digits' log-probabilities.
        """
        ids = await self._tokenized(prompt)
        if trace:
            ids = ids + await self._before_a_digit(trace)
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
        ids = await self._tokenized(prompt)
        self._check_room(prompt, len(ids) + prompt.arm.budget + prompt.max_tokens)
        respond = self._after_thinking if prompt.arm.budget else self._respond
        return await asyncio.gather(
            *(respond(prompt, ids, child, options) for child in child_seeds(seed, size))
        )

    def describe(self) -> dict:
        """What the manifest says of the served model, beside its identity."""
        return {"server_version": self.server_version, "digits": self.digits, "probe": self.probe}

    # What the servers are

    async def _check_servers(self) -> None:
        """Learn the servers' version, context and digit tokens; go on without those that do not suit."""
        probes: list[list[float]] = []
        for endpoint in list(self._transport.endpoints):
            try:
                await self._check_name(endpoint)
                if not self._vocabulary.ids:
                    await self._learn_digits()
                probes.append(await self._probe(endpoint))
            except ServerError as error:
                self._transport.drop(endpoint, str(error))
        self.probe, self.digits = probes[0], self._vocabulary.description
        if np.abs(np.array(probes) - probes[0]).max() > PROBES_AGREE:
            urls = ", ".join(endpoint.base_url for endpoint in self._transport.alive())
            raise ServerError(f"the servers {urls} do not hold the same weights behind {self.name!r}")

    async def _check_name(self, endpoint: Endpoint) -> None:
        url = endpoint.base_url
        try:
            version = (await self._transport.send(endpoint, "GET", "/version"))["version"]
            models = (await self._transport.send(endpoint, "GET", "/v1/models"))["data"]
            context = {model["id"]: model.get("max_model_len") or math.inf for model in models}
        except (ServerError, KeyError, TypeError, AttributeError) as error:
            raise ServerError(f"{url} does not answer as a vLLM server: {error}") from error
        if self.name not in context:
            raise ServerError(f"{url} serves {', '.join(context)}, not {self.name!r}")
        self.server_version = self.server_version or version
        self._context = min(self._context or math.inf, context[self.name])

    async def _learn_digits(self) -> None:
        single = await self._tokenizer.single_digits()
        self._vocabulary = single or await self._tokenizer.vocabulary(await self._token_texts())
        self._laws = DigitLaws(self._complete, self._tokenizer, self._vocabulary)

    async def _token_texts(self) -> list[str]:
        """What the tokens of the vocabulary read."""
        body = {"prompt": await self._tokenize("7"), "max_tokens": 1, "temperature": 1.0, "logprobs": -1}
        try:
            choice = await self._complete(body)
        except ServerError as error:
            raise ServerError(
                f"this model's tokenizer puts several digits into one token, and to read all of them the "
                f"server must be started with --max-logprobs -1; it says: {error}"
            ) from error
        return list(choice["logprobs"]["top_logprobs"][0])

    async def _probe(self, endpoint: Endpoint) -> list[float]:
        ids = [self._vocabulary.ids[self._vocabulary.texts.index(digit)] for digit in "0123456789"]
        body = {"model": self.name, "prompt": ids} | one_token(ids)
        answer = await self._transport.send(endpoint, "POST", "/v1/completions", body)
        try:
            return probabilities(answer["choices"][0], ids).tolist()
        except ServerError as error:
            raise ServerError(f"{endpoint.base_url} (vLLM {self.server_version}): {error}") from error

    # Prompts as tokens

    async def _tokenize(self, text: str) -> list[int]:
        body = {"model": self.name, "prompt": text, "add_special_tokens": False}
        return (await self._transport.post("/tokenize", body))["tokens"]

    async def _tokenized(self, prompt: Prompt) -> list[int]:
        """The prompt rendered once by the server; digits are appended to it as tokens, never as text."""
        if prompt.hash not in self._prompt_ids:
            ids = await (self._before_a_digit(prompt.text) if prompt.text else self._rendered(prompt))
            self._prompt_ids[prompt.hash] = ids
        return self._prompt_ids[prompt.hash]

    async def _rendered(self, prompt: Prompt) -> list[int]:
        body = {"model": self.name, "messages": prompt.messages, "add_generation_prompt": True}
        try:
            return (await self._transport.post("/tokenize", body))["tokens"]
        except ServerError as error:
            if "chat template" not in str(error):
                raise
            raise ModelError(
                f"{self.name} has no chat template, so arm {prompt.arm.name!r} cannot be asked; "
                "an arm of plain text can, such as few-shot"
            ) from error

    async def _before_a_digit(self, text: str) -> list[int]:
        """The tokens of a text that a number follows."""
        tokens = await self._tokenize(text + "7")
        if tokens[-1] != self._vocabulary.ids[self._vocabulary.texts.index("7")]:
            raise ModelError(
                f"the tokenizer of {self.name} joins a digit with what stands before it in {text[-12:]!r}; "
                "the text must end so that digits start a token of their own"
            )
        return tokens[:-1]

    def _check_room(self, prompt: Prompt, tokens: int) -> None:
        if tokens > self._context:
            raise ModelError(
                f"the context of {self.name}, {self._context} tokens, is too short for task "
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
        body = {"prompt": ids + await self._tokenize(thinking), "max_tokens": prompt.max_tokens}
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
        choice = await self._complete(body | UNMASKED | vars(options) | {"seed": seed})
        return Response(
            text=choice["text"],
            seed=seed,
            finish_reason=choice["finish_reason"],
            prompt_tokens=choice["usage"]["prompt_tokens"],
            completion_tokens=choice["usage"]["completion_tokens"],
            seconds=time.monotonic() - started,
            forward_passes=choice["usage"]["completion_tokens"],
        )

    async def _complete(self, body: dict) -> dict:
        """The one choice of a completion, with the request's token usage beside it."""
        answer = await self._transport.post("/v1/completions", {"model": self.name, **body})
        return {**answer["choices"][0], "usage": answer["usage"]}
