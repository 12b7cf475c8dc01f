"""A language model behind vLLM servers, over HTTP."""

import asyncio
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace

import numpy as np

from sampler_bench.errors import ModelError, ServerError
from sampler_bench.models.engines.digit_laws import DigitLaws
from sampler_bench.models.engines.endpoint import Endpoint
from sampler_bench.models.engines.exchange import KeyRefusedError, LostError, SilenceError, UnreachedError
from sampler_bench.models.engines.probe import Probe
from sampler_bench.models.engines.prompts import PromptTokens
from sampler_bench.models.engines.protocol import Choice, Completion, Models, Version
from sampler_bench.models.engines.tokens import DigitTokenizer, DigitVocabulary
from sampler_bench.models.engines.transport import Transport
from sampler_bench.models.model import BOTH, NATURAL, Prompt, Response, SamplingOptions, child_seeds
from sampler_bench.secrets import quoted
from sampler_bench.targets import DIGITS

# Nothing masked, sent explicitly: a server's defaults may say otherwise.
UNMASKED = {"min_p": 0.0, "repetition_penalty": 1.0, "presence_penalty": 0.0, "frequency_penalty": 0.0}

OTHERWISE = "; if it is a chat API and no vLLM server, --samples-only asks it for answers alone"


class VllmModel:
    """A served model as a DigitModel. Use as an async context manager: entering it checks the servers.

    Parameters
    ----------
    transport : Transport
        Requests to its servers.
    name : str
        The name the model is served under.
    probe : sequence of float
        The answer to the probe when the weights were first met, if they were before.
    template_kwargs : mapping
        Given to the chat template.

    Attributes
    ----------
    server_version : str
    digits : str
        How its tokenizer writes digits.
    """

    can = BOTH

    def __init__(
        self,
        transport: Transport,
        name: str,
        probe: Sequence[float] = (),
        template_kwargs: Mapping[str, object] | None = None,
    ):
        self.name = name
        self.server_version, self.digits = "", ""
        self._transport = transport
        self._probe = Probe(transport, name, [], probe)  # until the digits are learnt
        self._prompts = PromptTokens(transport, name, template_kwargs or {})
        self._tokenizer = DigitTokenizer(self._prompts.tokens_of)
        self._vocabulary = DigitVocabulary([], [])  # until it is learnt
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
        law = (await self._choice(body | {"return_tokens_as_token_ids": True})).first_law
        first = sorted(law.items(), key=lambda told: -told[1])[:tokens]
        texts = await asyncio.gather(*(self._prompts.text_of(int(name.split(":")[1])) for name, _ in first))
        return [(text, math.exp(logprob)) for text, (_, logprob) in zip(texts, first, strict=True)]

    @property
    def probe(self) -> list[float]:
        """Probabilities of the ten digits after a fixed text: tells one set of weights from another."""
        return self._probe.answer

    async def vouch(self) -> None:
        """Raise ServerError if a server does not hold the weights any more that were first met."""
        await self._probe.vouch()

    def describe(self) -> dict:
        """What the manifest says of the served model; of its identity a server tells the name alone."""
        return {
            "identity": self.name,
            "server_version": self.server_version,
            "digits": self.digits,
            "start": self._prompts.start,
            "thinking": self._prompts.switch.said,
            "probe": self.probe,
        }

    # What the servers are

    async def _check_servers(self) -> None:
        """Learn the servers' version, context and digit tokens; go on without those that do not suit."""
        probes: dict[Endpoint, list[float]] = {}
        for endpoint in list(self._transport.endpoints):
            try:
                await self._check_name(endpoint)
                if not self._vocabulary.ids:
                    with _as_vllm(endpoint):
                        await self._learn_digits()
                with _as_vllm(endpoint, f"{endpoint.base_url} (vLLM {self.server_version})"):
                    probes[endpoint] = await self._probe.ask(endpoint)
            except ServerError as error:
                self._transport.drop(endpoint, error)
        self._probe.settle(probes)

    async def _check_name(self, endpoint: Endpoint) -> None:
        url = endpoint.base_url
        with _as_vllm(endpoint, f"{url} does not answer as a vLLM server"):
            version = (await self._transport.send(endpoint, "GET", "/version", Version)).version
            models = (await self._transport.send(endpoint, "GET", "/v1/models", Models)).data
        context = {model.id: model.max_model_len or math.inf for model in models}
        if self.name not in context:
            raise ServerError(f"{url} serves {quoted(', '.join(context))}, not {self.name!r}")
        self.server_version = self.server_version or version
        self._context = min(self._context or math.inf, context[self.name])

    async def _learn_digits(self) -> None:
        single = await self._tokenizer.single_digits()
        self._vocabulary = single or await self._tokenizer.vocabulary(await self._token_texts())
        await self._prompts.learn(self._vocabulary)
        self._laws = DigitLaws(self._choice, self._tokenizer, self._vocabulary)
        self.digits = self._vocabulary.description
        ids = [self._vocabulary.ids[self._vocabulary.texts.index(digit)] for digit in DIGITS]
        self._probe = Probe(self._transport, self.name, ids, self.probe)

    async def _token_texts(self) -> list[str]:
        """What the tokens of the vocabulary read."""
        body = {
            "prompt": await self._prompts.tokens_of("7"),
            "max_tokens": 1,
            "temperature": 1.0,
            "logprobs": -1,
        }
        try:
            choice = await self._choice(body)
        except LostError:
            raise
        except ServerError as error:
            raise ServerError(
                f"this model's tokenizer puts several digits into one token, and to read all of them the "
                f"server must be started with --max-logprobs -1; it says: {error}"
            ) from error
        return list(choice.first_law)

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
        body = {"prompt": ids + await self._prompts.tokens_of(thinking), "max_tokens": prompt.max_tokens}
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
        answer = await self._complete(body | UNMASKED | vars(options) | {"seed": seed})
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

    async def _complete(self, body: dict) -> Completion:
        return await self._transport.post("/v1/completions", {"model": self.name, **body}, Completion)

    async def _choice(self, body: dict) -> Choice:
        return (await self._complete(body)).choices[0]


@contextmanager
def _as_vllm(endpoint: Endpoint, opening: str = "") -> Iterator[None]:
    """What a server that runs elsewhere says that no vLLM server should, with how else it can be asked."""
    try:
        yield
    except (UnreachedError, SilenceError):
        raise
    except ServerError as error:
        if isinstance(error, LostError | KeyRefusedError) or not opening:
            said = str(error)
        else:
            said = f"{opening}: {error}"
        raise type(error)(said + OTHERWISE * (endpoint.server is None)) from error
