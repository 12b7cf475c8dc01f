"""A language model behind a vLLM server, over HTTP."""

import asyncio
import math
import time
from collections.abc import Callable, Sequence

import httpx
import numpy as np
import tenacity

from sampler_bench.errors import ServerError
from sampler_bench.models.base import ANCESTRAL, Prompt, Response, child_seeds
from sampler_bench.models.tokens import digit_token_ids
from sampler_bench.targets import END, SYMBOLS

CONCURRENCY = 64  # requests in flight; vLLM batches them
TIMEOUT_SECONDS = 600
ATTEMPTS = 5
# Temperature 1 and nothing masked, sent explicitly: a server's defaults may say otherwise.
SAMPLING = {"temperature": 1.0, "top_p": 1.0, "top_k": 0, "min_p": 0.0, "repetition_penalty": 1.0}
# The mass left after ten float32 log-probabilities is not known below this.
END_RESOLUTION = 1e-7


class VllmModel:
    """A served model as a DigitModel. Use as an async context manager: entering it checks the server.

    Parameters
    ----------
    base_url : str
        Of the server, with or without ``/v1``.
    name : str
        The name the model is served under.
    api_key : str, optional
        Sent as a bearer token; never printed or stored.
    check_process : callable, optional
        Raises if the process behind the server has ended; called before a request is tried again.
    """

    decoder = ANCESTRAL

    def __init__(
        self,
        base_url: str,
        name: str,
        api_key: str | None = None,
        check_process: Callable[[], None] = lambda: None,
    ):
        self.name = name
        self.base_url = base_url.rstrip("/").removesuffix("/v1")
        self.server_version = ""
        self._check_process = check_process
        self._headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._slots = asyncio.Semaphore(CONCURRENCY)
        self._prompt_ids: dict[str, list[int]] = {}

    async def __aenter__(self) -> "VllmModel":
        limits = httpx.Limits(max_connections=CONCURRENCY)
        try:
            self._http = httpx.AsyncClient(
                base_url=self.base_url, headers=self._headers, timeout=TIMEOUT_SECONDS, limits=limits
            )
        except (httpx.InvalidURL, ValueError) as error:
            raise ServerError(f"{self.base_url!r} is not a URL: {error}") from error
        try:
            await self._check_server()
        except BaseException:
            await self._http.aclose()
            raise
        return self

    async def __aexit__(self, *_):
        await self._http.aclose()

    async def conditionals(self, prompt: Prompt, prefixes: Sequence[str]) -> np.ndarray:
        """q(next symbol | prefix), one request a prefix; shape (len(prefixes), 11).

        The last column, the mass on all that is not a digit, is known to about 1e-7.

        Raises
        ------
        ServerError
            If the server cannot be reached, refuses, or answers without the digits' log-probabilities.
        """
        prompt_ids = await self._tokenized(prompt)
        requests = [
            self._digit_probabilities(prompt_ids + [self._digit_ids[int(digit)] for digit in prefix])
            for prefix in prefixes
        ]
        q = np.empty((len(prefixes), SYMBOLS))
        q[:, :END] = np.reshape(await asyncio.gather(*requests), (-1, END))
        q[:, END] = np.maximum(1 - q[:, :END].sum(axis=1), END_RESOLUTION)
        return q

    async def sample(self, prompt: Prompt, size: int, seed: int) -> list[Response]:
        """Responses, each from a request of its own with its own seed.

        Raises
        ------
        ServerError
            If the server cannot be reached or refuses.
        """
        prompt_ids = await self._tokenized(prompt)
        requests = [self._response(prompt_ids, prompt.max_tokens, child) for child in child_seeds(seed, size)]
        return await asyncio.gather(*requests)

    async def _check_server(self) -> None:
        """Learn the server's version and the digits' tokens; refuse what cannot be measured."""
        try:
            self.server_version = (await self._send("GET", "/version"))["version"]
            served = [model["id"] for model in (await self._send("GET", "/v1/models"))["data"]]
        except (ServerError, KeyError, TypeError) as error:
            raise ServerError(f"{self.base_url} does not answer as a vLLM server: {error}") from error
        if self.name not in served:
            raise ServerError(f"{self.base_url} serves {', '.join(served)}, not {self.name!r}")
        self._digit_ids = await digit_token_ids(self._tokenize)
        await self._digit_probabilities(self._digit_ids)

    async def _tokenize(self, text: str) -> list[int]:
        body = {"model": self.name, "prompt": text, "add_special_tokens": False}
        return (await self._request("POST", "/tokenize", body))["tokens"]

    async def _tokenized(self, prompt: Prompt) -> list[int]:
        """The chat rendered once by the server; digits are appended to it as tokens, never as text."""
        if prompt.hash not in self._prompt_ids:
            body = {"model": self.name, "messages": prompt.messages, "add_generation_prompt": True}
            self._prompt_ids[prompt.hash] = (await self._request("POST", "/tokenize", body))["tokens"]
        return self._prompt_ids[prompt.hash]

    async def _digit_probabilities(self, prompt_ids: list[int]) -> list[float]:
        body = {
            "prompt": prompt_ids,
            "max_tokens": 1,
            "temperature": 1.0,
            "logprobs": 0,
            "logprob_token_ids": self._digit_ids,
            "return_tokens_as_token_ids": True,
        }
        choice = await self._complete(body)
        try:
            logprobs = choice["logprobs"]["top_logprobs"][0]
            found = [math.exp(logprobs[f"token_id:{token}"]) for token in self._digit_ids]
        except (KeyError, IndexError, TypeError) as error:
            raise ServerError(
                f"{self.base_url} (vLLM {self.server_version}) does not return the log-probabilities asked "
                "for with 'logprob_token_ids'; a vLLM of 0.32 or later does"
            ) from error
        if not all(0 <= probability <= 1 + END_RESOLUTION for probability in found):
            raise ServerError(f"{self.base_url} returned probabilities that are none: {found}")
        return found

    async def _response(self, prompt_ids: list[int], max_tokens: int, seed: int) -> Response:
        body = {"prompt": prompt_ids, "max_tokens": max_tokens, "seed": seed, **SAMPLING}
        started = time.monotonic()
        choice = await self._complete(body)
        return Response(
            text=choice["text"],
            seed=seed,
            finish_reason=choice["finish_reason"],
            prompt_tokens=choice["usage"]["prompt_tokens"],
            completion_tokens=choice["usage"]["completion_tokens"],
            seconds=time.monotonic() - started,
        )

    async def _complete(self, body: dict) -> dict:
        """The one choice of a completion, with the request's token usage beside it."""
        async with self._slots:
            answer = await self._request("POST", "/v1/completions", {"model": self.name, **body})
        return {**answer["choices"][0], "usage": answer["usage"]}

    async def _request(self, method: str, path: str, body: dict | None = None) -> dict:
        """Send; try again only what failed in transport or found the server overloaded."""
        retrying = tenacity.AsyncRetrying(
            retry=tenacity.retry_if_exception_type(_TransientError),
            stop=tenacity.stop_after_attempt(ATTEMPTS),
            wait=tenacity.wait_random_exponential(multiplier=0.5, max=10),
            reraise=True,
        )
        async for attempt in retrying:
            with attempt:
                return await self._send(method, path, body)
        raise AssertionError("unreachable: the last attempt returns or raises")

    async def _send(self, method: str, path: str, body: dict | None = None) -> dict:
        try:
            reply = await self._http.request(method, path, json=body)
        except httpx.TransportError as error:
            self._check_process()
            reason = str(error) or type(error).__name__
            raise _TransientError(f"no connection to {self.base_url}: {reason}") from error
        if reply.status_code == 503:
            raise _TransientError(f"{self.base_url}{path} is overloaded (503)")
        if reply.is_server_error:
            self._check_process()
        if reply.is_error:
            raise ServerError(f"{self.base_url}{path} answered {reply.status_code}: {_message(reply)}")
        try:
            return reply.json()
        except ValueError as error:
            raise ServerError(f"{self.base_url}{path} did not answer in JSON") from error


class _TransientError(ServerError):
    """A failure of transport, worth another try."""


def _message(reply: httpx.Response) -> str:
    try:
        return reply.json()["error"]["message"]
    except (ValueError, KeyError, TypeError):
        return reply.reason_phrase
