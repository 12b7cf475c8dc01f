"""One request to one server: its answer whole, in time, of bounded size, and understood; or one sentence."""

import asyncio
import math
import ssl
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from typing import TypeVar

import httpx

from sampler_bench.errors import ServerError
from sampler_bench.models.engines.protocol import Kind, Version
from sampler_bench.models.engines.reply import read_json, understood
from sampler_bench.secrets import bearer, quoted

AT_ONCE = 8  # requests under way of a client
LARGEST = 32 * 2**20  # bytes of an answer: the log-probabilities along a prompt of 20,000 tokens
VERSION_SECONDS = 10.0
START_SECONDS = 1800  # of a server: a large model takes long to load; a dead process is noticed at once
OVERLOADED = (429, 502, 503, 504)
TURNED_AWAY = (429, 503)  # those that say that nothing was done; behind a gateway (502, 504) it may have been
NEVER_BETTER = "insufficient_quota"  # OpenAI's word for an account that is empty, which no pause fills
LONGEST_PAUSE = 600.0  # seconds, whatever a server asks for
# Nobody is to unpack what we have not asked to be packed: some kilobytes can hold gigabytes.
HEADERS = {"Accept-Encoding": "identity"}


class UnbilledError(ServerError):
    """Nothing was written for a request: it did not arrive, or was turned away."""


class RefusedError(UnbilledError):
    """A server understood a request and refuses it."""


class KeyRefusedError(UnbilledError):
    """A server wants a key, or another one."""


class LostError(ServerError):
    """A failure of transport, worth another try."""


class UnreachedError(LostError, UnbilledError):
    """No connection came about."""


class OverloadError(LostError):
    """More was asked of a server than it does now. ``pause``: seconds that it wants to be left alone."""

    def __init__(self, message: str, pause: float = 0.0):
        super().__init__(message)
        self.pause = pause


class PutOffError(OverloadError, UnbilledError):
    """A server does nothing for a request now, and may later."""


class SilenceError(OverloadError):
    """No whole answer in the time allowed."""


class BrokenError(ServerError):
    """A server failed at a request; it may be its last words."""


class Clients:
    """HTTP clients of one server, each with few requests under way.

    httpx goes through all connections of a client for each request: with 64 under way that took 4 ms of
    processor time for a request, spread over eight clients 1.5 ms.
    """

    def __init__(self, base_url: str, key: str | None):
        self._base_url, self._headers = base_url, bearer(key)
        self._busy: dict[httpx.AsyncClient, int] = {}

    @contextmanager
    def one(self) -> Iterator[httpx.AsyncClient]:
        """A client for one request; it waits as long as it is let."""
        http = next((each for each, busy in self._busy.items() if busy < AT_ONCE), None)
        if http is None:
            http = httpx.AsyncClient(
                base_url=self._base_url, headers=self._headers, timeout=None, verify=_tls()
            )
        self._busy[http] = self._busy.get(http, 0) + 1
        try:
            yield http
        finally:
            if http in self._busy:  # else all have been closed
                self._busy[http] -= 1

    async def aclose(self) -> None:
        while self._busy:
            await self._busy.popitem()[0].aclose()


@cache
def _tls() -> ssl.SSLContext:
    """What https is spoken with, for all clients: to make it takes 50 ms."""
    return httpx.create_ssl_context()


async def exchange(
    http: httpx.AsyncClient,
    method: str,
    path: str,
    kind: type[Kind],
    seconds: float,
    body: dict | None = None,
) -> Kind:
    """The answer to a request.

    Parameters
    ----------
    kind : type of Answer
        What the answer must be.
    seconds : float
        For all of it, from the connection to the last byte.

    Raises
    ------
    LostError
        If there is no answer, or only that the server has too much to do.
    ServerError
        If it refuses, or its answer is not of that kind.
    """
    url = f"{str(http.base_url).rstrip('/')}{path}"
    try:
        async with asyncio.timeout(seconds), http.stream(method, path, json=body, headers=HEADERS) as reply:
            content = await _content(reply, url)
    except TimeoutError as error:
        raise SilenceError(f"{url} has not answered in {seconds:g} s") from error
    except httpx.TransportError as error:
        reason = quoted(str(error)) or type(error).__name__
        unreached = isinstance(error, httpx.ConnectError)
        lost = UnreachedError if unreached else LostError
        raise lost(f"no connection to {url.removesuffix(path)}: {reason}") from error
    if reply.status_code != 200:
        raise _refusal(reply, content, url)
    return understood(content, kind, url, body)


Found = TypeVar("Found")


def ask_once(
    base_url: str, question: Callable[[httpx.AsyncClient], Awaitable[Found]], key: str | None = None
) -> Found:
    """Put a question to a server from code that does not await; in a thread: this one may have a loop."""

    async def asked() -> Found:
        clients = Clients(base_url, key)
        try:
            with clients.one() as http:
                return await question(http)
        finally:
            await clients.aclose()

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, asked()).result()


def speaks_vllm(base_url: str, key: str | None) -> bool:
    """Whether a server says that it is vLLM. One that cannot be asked is taken for it: it will say why."""

    async def version(http: httpx.AsyncClient) -> Version:
        return await exchange(http, "GET", "/version", Version, VERSION_SECONDS)

    try:
        ask_once(base_url, version, key)
    except (LostError, BrokenError, KeyRefusedError):
        return True
    except ServerError:
        return False
    return True


async def is_healthy(http: httpx.AsyncClient, seconds: float) -> bool:
    """Whether a server says so."""
    try:
        async with asyncio.timeout(seconds), http.stream("GET", "/health") as reply:
            return reply.status_code == 200
    except (TimeoutError, httpx.TransportError):
        return False


async def _content(reply: httpx.Response, url: str) -> bytes:
    packed = reply.headers.get("Content-Encoding", "identity")
    if packed != "identity":
        raise ServerError(f"{url} answered packed ({quoted(packed, 40)}), which it was not asked for")
    content = bytearray()
    async for chunk in reply.aiter_raw():
        content += chunk
        if len(content) > LARGEST:
            raise ServerError(
                f"{url} answered with more than {LARGEST // 2**20} MiB: no answer has that much"
            )
    return bytes(content)


def _refusal(reply: httpx.Response, content: bytes, url: str) -> ServerError:
    status, error = reply.status_code, _error(content)
    said = _message(error)
    if status in OVERLOADED and NEVER_BETTER not in (error.get("code"), error.get("type")):
        kind = PutOffError if status in TURNED_AWAY else OverloadError
        words = f": {said}" if said else ""
        return kind(f"{url} is overloaded ({status}){words}", _pause(reply.headers.get("Retry-After", "")))
    sentence = f"{url} answered {status}: {said or quoted(reply.reason_phrase)}"
    if status in (401, 403):
        had_one = "Authorization" in reply.request.headers
        advice = (
            "it does not take the key given in VLLM_API_KEY"
            if had_one
            else "it asks for a key: set VLLM_API_KEY"
        )
        return KeyRefusedError(f"{sentence}; {advice}")
    if "Location" in reply.headers:
        elsewhere = quoted(reply.headers["Location"])
        return ServerError(f"{sentence}; it points to {elsewhere}: give the address that answers itself")
    if status < 400:
        return ServerError(f"{sentence}; 200 was expected")
    if status >= 500:
        return BrokenError(sentence)
    if status in (400, 422):
        return RefusedError(sentence)
    return UnbilledError(sentence)


def _pause(asked: str) -> float:
    """Seconds that a server asks for: given as such, or as the time at which to come again."""
    try:
        seconds = float(asked)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(asked) - datetime.now(UTC)).total_seconds()
        except (ValueError, TypeError):
            return 0.0
    return min(max(seconds, 0.0), LONGEST_PAUSE) if math.isfinite(seconds) else 0.0


def _error(content: bytes) -> dict:
    """The fields of an answer that is an error, if it says so as vLLM, OpenAI and others do."""
    try:
        told = read_json(content)
    except (ValueError, RecursionError):
        return {}
    match told:
        case [{"error": error}] | {"error": error}:
            return error if isinstance(error, dict) else {"message": error}
        case {"message": str(said)} | {"detail": str(said)}:
            return {"message": said}
    return {}


def _message(error: dict) -> str:
    match error:
        case {"message": str(message), "param": str(field)} if field not in message:
            return quoted(f"{message} ({field})")
        case {"message": message}:
            return quoted(str(message))
    return ""
