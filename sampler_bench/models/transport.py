"""Requests to one or several servers of the same model: spread, bounded, tried again, never lost.

Only failures of transport are tried again, with backoff: no connection, a connection cut, silence, an
overloaded server. What a server says about a request is passed on as it is.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import httpx
import tenacity

from sampler_bench.errors import ServerError
from sampler_bench.models.vllm_server import START_SECONDS, VllmServer

FIRST_LIMIT, MOST_IN_FLIGHT = 64, 256  # requests in flight at one server; vLLM batches them
TIMEOUT_SECONDS = 600.0
HEALTH_SECONDS = 10.0
ATTEMPTS = 6
OVERLOADED = (429, 502, 503, 504)

Say = Callable[[str], None]


def silent(line: str) -> None:
    """Say nothing."""


@dataclass
class Endpoint:
    """A server and how it fares. ``limit`` follows additive increase, multiplicative decrease.

    ``server`` is its process, where that was started here and can be started again.
    """

    base_url: str
    http: httpx.AsyncClient
    server: VllmServer | None = None
    limit: float = FIRST_LIMIT
    busy: int = 0
    dropped: bool = False
    last_answer: float = field(default_factory=time.monotonic)
    repair: asyncio.Lock = field(default_factory=asyncio.Lock)

    def has_room(self) -> bool:
        return self.busy < self.limit

    def succeeded(self) -> None:
        self.last_answer = time.monotonic()
        self.limit = min(MOST_IN_FLIGHT, self.limit + 1 / self.limit)

    def overloaded(self) -> None:
        self.limit = max(1.0, self.limit / 2)

    async def is_healthy(self) -> bool:
        try:
            return (await self.http.get("/health", timeout=HEALTH_SECONDS)).status_code == 200
        except httpx.TransportError:
            return False


class Transport:
    """Sends requests to whichever of the servers has room. Use as an async context manager.

    Parameters
    ----------
    base_urls : sequence of str
        Of the servers, with or without ``/v1``.
    api_key : str, optional
        Sent as a bearer token; never printed or stored.
    server : VllmServer, optional
        The process behind the one URL, if it was started here: it is started again should it die or hang.
    say : callable
        Told when a server is dropped or started again.
    timeout : float
        Seconds of silence after which a request counts as failed.

    Raises
    ------
    ServerError
        If a URL is none.
    """

    def __init__(
        self,
        base_urls: Sequence[str],
        api_key: str | None = None,
        server: VllmServer | None = None,
        say: Say = silent,
        timeout: float = TIMEOUT_SECONDS,
    ):
        headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        limits = httpx.Limits(max_connections=MOST_IN_FLIGHT + 1)  # one more, to ask for its health
        self._say, self._timeout = say, timeout
        self._room: asyncio.Condition
        self.endpoints = []
        for url in dict.fromkeys(url.rstrip("/").removesuffix("/v1") for url in base_urls):
            try:
                http = httpx.AsyncClient(base_url=url, headers=headers, timeout=timeout, limits=limits)
            except (httpx.InvalidURL, ValueError) as error:
                raise ServerError(f"{url!r} is not a URL: {error}") from error
            self.endpoints.append(Endpoint(url, http, server))

    async def __aenter__(self) -> "Transport":
        self._room = asyncio.Condition()
        return self

    async def __aexit__(self, *_):
        for endpoint in self.endpoints:
            await endpoint.http.aclose()

    async def post(self, path: str, body: dict) -> dict:
        """The answer to a request, from any of the servers.

        Raises
        ------
        ServerError
            If a server refuses it, or none is left to answer.
        """
        retrying = tenacity.AsyncRetrying(
            retry=tenacity.retry_if_exception_type(_TransientError),
            stop=tenacity.stop_after_attempt(ATTEMPTS),
            wait=tenacity.wait_random_exponential(multiplier=0.5, max=10),
            reraise=True,
        )
        async for attempt in retrying:
            with attempt:
                endpoint = await self._take()
                try:
                    return await self.send(endpoint, "POST", path, body)
                except _TransientError as error:
                    await self._look_after(endpoint, error)
                    raise
                finally:
                    await self._give(endpoint)
        raise AssertionError("unreachable: the last attempt returns or raises")

    async def send(self, endpoint: Endpoint, method: str, path: str, body: dict | None = None) -> dict:
        """One request to one server, once. Raises ServerError."""
        try:
            reply = await endpoint.http.request(method, path, json=body)
        except httpx.TimeoutException as error:
            endpoint.overloaded()
            raise _SilenceError(f"{endpoint.base_url} has not answered in {self._timeout:.0f} s") from error
        except httpx.TransportError as error:
            reason = str(error) or type(error).__name__
            raise _TransientError(f"no connection to {endpoint.base_url}: {reason}") from error
        if reply.status_code in OVERLOADED:
            endpoint.overloaded()
            raise _TransientError(f"{endpoint.base_url}{path} is overloaded ({reply.status_code})")
        if reply.is_error:
            sentence = f"{endpoint.base_url}{path} answered {reply.status_code}: {_message(reply)}"
            if reply.is_server_error and not await endpoint.is_healthy():
                raise _TransientError(sentence)  # the last words of a server that is ending
            raise RefusedError(sentence) if reply.status_code == 400 else ServerError(sentence)
        endpoint.succeeded()
        try:
            return reply.json()
        except ValueError as error:
            raise ServerError(f"{endpoint.base_url}{path} did not answer in JSON") from error

    def drop(self, endpoint: Endpoint, reason: str) -> None:
        """Go on without a server. Raises ServerError if it is the last."""
        if len(self.alive()) == 1:
            raise ServerError(reason)
        endpoint.dropped = True
        self._say(f"going on without {endpoint.base_url}: {reason}")

    def alive(self) -> list[Endpoint]:
        return [endpoint for endpoint in self.endpoints if not endpoint.dropped]

    async def _take(self) -> Endpoint:
        async with self._room:
            await self._room.wait_for(lambda: any(e.has_room() for e in self.alive()))
            endpoint = min(self.alive(), key=lambda e: e.busy / e.limit)
            endpoint.busy += 1
            return endpoint

    async def _give(self, endpoint: Endpoint) -> None:
        endpoint.busy -= 1
        async with self._room:
            self._room.notify(2)  # the limit may have grown

    async def _look_after(self, endpoint: Endpoint, error: "_TransientError") -> None:
        """Find out whether the server is still there; if not, start it again or go on without it."""
        async with endpoint.repair:  # one looks, the others wait for what it finds
            if endpoint.dropped or await self._is_there(endpoint, error):
                return
            if endpoint.server is not None:
                await self._start_again(endpoint, endpoint.server, str(error))
            elif len(self.alive()) > 1 or isinstance(error, _SilenceError):
                self.drop(endpoint, str(error))

    async def _is_there(self, endpoint: Endpoint, error: "_TransientError") -> bool:
        if isinstance(error, _SilenceError):  # /health answers even while the engine behind it hangs
            return time.monotonic() - endpoint.last_answer < self._timeout
        return await endpoint.is_healthy()

    async def _start_again(self, endpoint: Endpoint, server: VllmServer, reason: str) -> None:
        server.relaunch(reason, self._say)
        started = time.monotonic()
        while not await endpoint.is_healthy():
            server.check()
            if time.monotonic() - started > START_SECONDS:
                raise ServerError(
                    f"vLLM was not ready {START_SECONDS} s after it was started again: {reason}"
                )
            await asyncio.sleep(1)
        endpoint.last_answer = time.monotonic()


class RefusedError(ServerError):
    """A server understood a request and refuses it."""


class _TransientError(ServerError):
    """A failure of transport, worth another try."""


class _SilenceError(_TransientError):
    """No answer in the time allowed."""


def _message(reply: httpx.Response) -> str:
    try:
        return reply.json()["error"]["message"]
    except (ValueError, KeyError, TypeError):
        return reply.reason_phrase
