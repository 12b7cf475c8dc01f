"""A language model behind vLLM servers, over HTTP."""

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import numpy as np

from sampler_bench.errors import ServerError
from sampler_bench.models.engines.endpoint import Endpoint
from sampler_bench.models.engines.engine import NoTemplateError
from sampler_bench.models.engines.exchange import (
    BrokenError,
    KeyRefusedError,
    LostError,
    SilenceError,
    UnbilledError,
    UnreachedError,
)
from sampler_bench.models.engines.language_model import LanguageModel
from sampler_bench.models.engines.probe import Probe
from sampler_bench.models.engines.protocol import Completion, Detokenized, Models, Scores, Tokens, Version
from sampler_bench.models.engines.transport import Transport
from sampler_bench.secrets import quoted

OTHERWISE = "; if it is a chat API and no vLLM server, --samples-only asks it for answers alone"


class VllmEngine:
    """The servers of a model as an ``Engine``."""

    def __init__(self, transport: Transport, model: str):
        self._transport, self._model = transport, model

    async def tokenize(self, text: str, special: bool = False) -> list[int]:
        body = {"model": self._model, "prompt": text, "add_special_tokens": special}
        return (await self._transport.post("/tokenize", body, Tokens)).tokens

    async def text_of(self, token: int) -> str:
        body = {"model": self._model, "tokens": [token]}
        return (await self._transport.post("/detokenize", body, Detokenized)).prompt

    async def render(self, messages: Sequence[dict], template_kwargs: Mapping[str, object]) -> list[int]:
        body = {"model": self._model, "messages": messages, "add_generation_prompt": True}
        if template_kwargs:
            body["chat_template_kwargs"] = dict(template_kwargs)
        try:
            return (await self._transport.post("/tokenize", body, Tokens)).tokens
        except ServerError as error:
            if "chat template" not in str(error):
                raise
            raise NoTemplateError(str(error)) from error

    async def complete(self, body: dict) -> Completion:
        return await self._transport.post("/v1/completions", {"model": self._model, **body}, Completion)

    async def score(self, prompt: Sequence[int], start: int, ids: Sequence[int]) -> np.ndarray | None:
        body = score_body(self._model, prompt, start, ids)
        try:
            answer = await self._transport.post("/inference/v1/generate", body, Scores)
        except LostError:
            raise
        except (UnbilledError, BrokenError):  # no such path, it is closed, or the model runner cannot
            return None
        return answer.prompt_token_id_logprobs


def score_body(model: str, prompt: Sequence[int], start: int, ids: Sequence[int]) -> dict:
    """Of a request to ``/inference/v1/generate``. A row tells of the token that follows it in the prompt: one
    more is put behind the last.
    """
    asked = {
        "max_tokens": 1,
        "detokenize": False,
        "prompt_logprob_start": start - 1,
        "prompt_logprob_token_ids": [list(ids)] * (len(prompt) - start + 1),
    }
    return {"model": model, "token_ids": [*prompt, ids[0]], "sampling_params": asked}


class VllmModel(LanguageModel):
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
    """

    def __init__(
        self,
        transport: Transport,
        name: str,
        probe: Sequence[float] = (),
        template_kwargs: Mapping[str, object] | None = None,
    ):
        super().__init__(VllmEngine(transport, name), name, template_kwargs or {}, transport.say)
        self.server_version = ""
        self._transport = transport
        self._probe = Probe(transport, name, [], probe)  # until the digits are learnt

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
            **super().describe(),
            "identity": self.name,
            "server_version": self.server_version,
            "probe": self.probe,
        }

    # What the servers are

    async def _check_servers(self) -> None:
        """Learn the servers' version, context and digit tokens; go on without those that do not suit."""
        probes: dict[Endpoint, list[float]] = {}
        for endpoint in list(self._transport.endpoints):
            try:
                await self._check_name(endpoint)
                if not self.digits:
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
        self.context = min(self.context, context[self.name])

    async def _learn_digits(self) -> None:
        await self.learn_digits()
        self._probe = Probe(self._transport, self.name, self.digit_ids, self.probe)

    async def _token_texts(self) -> list[str]:
        try:
            return await super()._token_texts()
        except LostError:
            raise
        except ServerError as error:
            raise ServerError(
                f"this model's tokenizer puts several digits into one token, and to read all of them the "
                f"server must be started with --max-logprobs -1; it says: {error}"
            ) from error


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
