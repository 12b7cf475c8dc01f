"""Requests to one or several servers of the same model: spread, bounded, tried again, never lost.

Only failures of transport are tried again, with backoff: no connection, a connection cut, silence, an
overloaded server. What a server says about a request is passed on as it is.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress

from sampler_bench.errors import ServerError
from sampler_bench.models.engines.endpoint import Endpoint, Revivable, Say, base_url
from sampler_bench.models.engines.exchange import (
    START_SECONDS,
    BrokenError,
    Clients,
    LostError,
    OverloadError,
    SilenceError,
    UnbilledError,
    exchange,
)
from sampler_bench.models.engines.patience import retrying
from sampler_bench.models.engines.protocol import Kind
from sampler_bench.models.engines.spending import Spending

TIMEOUT_SECONDS = 600.0


def silent(line: str) -> None:
    """Say nothing."""


class Transport:
    """Sends requests to whichever of the servers has room. Use as an async context manager.

    Parameters
    ----------
    base_urls : sequence of str
        Of the servers, with or without ``/v1``.
    api_key : str, optional
        Sent as a bearer token; never printed or stored.
    server : Revivable, optional
        The process behind the one URL, if it was started here: it is started again should it die or hang.
    say : callable
        Told when a server is dropped or started again.
    timeout : float
        Seconds after which a request without its whole answer counts as failed.
    spending : Spending, optional
        What requests that write something are charged to.

    Raises
    ------
    InputError
        If a URL or the key is none.
    """

    def __init__(
        self,
        base_urls: Sequence[str],
        api_key: str | None = None,
        server: Revivable | None = None,
        say: Say = silent,
        timeout: float = TIMEOUT_SECONDS,
        spending: Spending | None = None,
    ):
        self.say, self._timeout, self._spending = say, timeout, spending or Spending()
        self._room: asyncio.Condition
        self._under_way: set[asyncio.Task] = set()
        self.endpoints = []
        for url in dict.fromkeys(map(base_url, base_urls)):
            self.endpoints.append(Endpoint(url, Clients(url, api_key), server))

    async def __aenter__(self) -> "Transport":
        self._room = asyncio.Condition()
        return self

    async def __aexit__(self, *_):
        left = self._under_way - {asyncio.current_task()}  # another failed, nobody waits for them
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        for endpoint in self.endpoints:
            await endpoint.clients.aclose()

    async def post(self, path: str, body: dict, kind: type[Kind]) -> Kind:
        """The answer to a request, from any of the servers.

        Raises
        ------
        LostError
            If none is left to answer.
        ServerError
            If a server refuses it, or answers what is not of the kind.
        SpentError
            If it may cost more than is left to spend.
        """
        with self._is_under_way():
            async for attempt in retrying():
                with attempt:
                    async with self._taken(body) as endpoint:
                        answer = await self._ask(endpoint, path, body, kind)
                        self._spending.answered(body, getattr(answer, "usage", None))
                        return answer
        raise AssertionError("unreachable: the last attempt returns or raises")

    async def post_to_all(self, path: str, body: dict, kind: type[Kind]) -> dict[Endpoint, Kind]:
        """The answer of each of the servers to a request; of those that are left when all have answered.

        Raises
        ------
        ServerError
            As ``post`` does.
        """
        answers = {}
        with self._is_under_way():
            for endpoint in self.alive():
                async for attempt in retrying():
                    with attempt:
                        await asyncio.sleep(endpoint.pause())
                        if not endpoint.dropped:
                            answers[endpoint] = await self._ask(endpoint, path, body, kind)
        return answers

    @contextmanager
    def _is_under_way(self) -> Iterator[None]:
        """The task that asks, known until it has its answer: also while it waits for a server to be asked."""
        task = asyncio.current_task()
        assert task is not None
        self._under_way.add(task)
        try:
            yield
        finally:
            self._under_way.discard(task)

    async def _ask(self, endpoint: Endpoint, path: str, body: dict, kind: type[Kind]) -> Kind:
        try:
            return await self.send(endpoint, "POST", path, kind, body)
        except LostError as error:
            await self._look_after(endpoint, error)
            raise

    async def send(
        self, endpoint: Endpoint, method: str, path: str, kind: type[Kind], body: dict | None = None
    ) -> Kind:
        """One request to one server, once. Raises ServerError."""
        try:
            with endpoint.clients.one() as http:
                answer = await exchange(http, method, path, kind, self._timeout, body)
        except OverloadError as error:
            if endpoint.overloaded(error.pause):
                self.say(f"{error}; nothing is sent to it for {endpoint.pause():.0f} s")
            raise
        except BrokenError as error:
            if await endpoint.is_healthy():
                raise
            raise LostError(str(error)) from error  # the last words of a server that is ending
        endpoint.succeeded()
        return answer

    def drop(self, endpoint: Endpoint, reason: ServerError) -> None:
        """Go on without a server. Raises the reason if it is the last."""
        if len(self.alive()) == 1:
            raise reason
        endpoint.dropped = True
        self.say(f"going on without {endpoint.base_url}: {reason}")

    def alive(self) -> list[Endpoint]:
        return [endpoint for endpoint in self.endpoints if not endpoint.dropped]

    @asynccontextmanager
    async def _taken(self, body: dict) -> AsyncIterator[Endpoint]:
        """One of the servers that have room and want no pause, the least busy, and its room given back.

        What the request may cost is set aside, and charged if it may have been spent for nothing. Where not
        so much is left, what is under way is waited for.
        """
        spending = self._spending
        async with self._room:
            endpoint = await self._free_for(body)
            tokens = spending.may_cost(body)
            endpoint.busy += 1
            spending.reserved += tokens
        try:
            yield endpoint
        except UnbilledError:
            raise
        except BaseException:
            spending.lost(tokens)
            raise
        finally:
            endpoint.busy -= 1
            spending.reserved -= tokens
            async with self._room:
                self._room.notify(2)  # the limit may have grown

    async def _free_for(self, body: dict) -> Endpoint:
        """A server that can be asked now, waited for. Raises SpentError if nothing is left to spend."""
        spending = self._spending
        while True:
            tokens = spending.may_cost(body)
            if not spending.reserved:
                spending.check(tokens)
            alive = self.alive()
            free = [endpoint for endpoint in alive if endpoint.has_room() and not endpoint.pause()]
            if free and spending.fits(tokens):
                return min(free, key=lambda endpoint: endpoint.busy / endpoint.limit)
            pauses = filter(None, (endpoint.pause() for endpoint in alive))
            with suppress(TimeoutError):
                async with asyncio.timeout(min(pauses, default=None)):
                    await self._room.wait()

    async def _look_after(self, endpoint: Endpoint, error: LostError) -> None:
        """Find out whether the server is still there; if not, start it again or go on without it."""
        async with endpoint.repair:  # one looks, the others wait for what it finds
            if endpoint.dropped or await self._is_there(endpoint, error):
                return
            if endpoint.server is not None:
                await self._start_again(endpoint, endpoint.server, str(error))
            elif len(self.alive()) > 1 or isinstance(error, SilenceError):
                self.drop(endpoint, error)

    async def _is_there(self, endpoint: Endpoint, error: LostError) -> bool:
        if isinstance(error, SilenceError):  # /health answers even while the engine behind it hangs
            return time.monotonic() - endpoint.last_answer < self._timeout
        return await endpoint.is_healthy()

    async def _start_again(self, endpoint: Endpoint, server: Revivable, reason: str) -> None:
        server.relaunch(reason, self.say)
        started = time.monotonic()
        while not await endpoint.is_healthy():
            server.check()
            if time.monotonic() - started > START_SECONDS:
                raise ServerError(
                    f"vLLM was not ready {START_SECONDS} s after it was started again: {reason}"
                )
            await asyncio.sleep(1)
        endpoint.last_answer = time.monotonic()
