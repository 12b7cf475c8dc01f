"""A server of a model: where it is, how it fares, and how it can be started again."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import unquote, urlsplit

import httpx

from sampler_bench.errors import InputError
from sampler_bench.models.engines.exchange import Clients, is_healthy
from sampler_bench.secrets import quoted

FIRST_LIMIT, MOST_IN_FLIGHT = 64, 256  # requests in flight at one server; vLLM batches them
HEALTH_SECONDS = 10.0
LONG, LONGER = 10.0, 600.0  # seconds of pauses of which a person is told, first and when it is known

Say = Callable[[str], None]


class Revivable(Protocol):
    """A server's process that was started here."""

    def relaunch(self, reason: str, say: Say) -> None:
        """Start it again. Raises ServerError if that was done too often."""

    def check(self) -> None:
        """Raise ServerError, with its last words, if it has ended."""


def base_url(text: str) -> str:
    """The URL of a server as requests begin with it: without ``/v1``.

    Raises
    ------
    InputError
        If it is none, or holds what should not be seen.
    """
    if {*"@?#"} & {*unquote(text)}:
        raise InputError(
            "a base URL is scheme, host, port and path: http://HOST:PORT. A user, a password or a query is "
            "not taken, for others on this machine would see it; give a key in the environment variable "
            "VLLM_API_KEY"
        )
    try:
        parts = urlsplit(text)
        httpx.URL(text)
        known = parts.scheme in ("http", "https") and (parts.hostname or "").encode("idna")
        known = known and parts.port != 0  # which raises ValueError where it is none
    except (httpx.InvalidURL, ValueError) as error:
        raise InputError(f"{quoted(text)!r} is not a URL: {quoted(str(error))}") from error
    if not known:
        raise InputError(f"base URL {quoted(text)!r} does not start with http://HOST or https://HOST")
    return text.rstrip("/").removesuffix("/v1")


@dataclass(eq=False)
class Endpoint:
    """A server and how it fares. ``limit`` follows additive increase, multiplicative decrease.

    ``server`` is its process, where that was started here and can be started again.
    """

    base_url: str
    clients: Clients
    server: Revivable | None = None
    limit: float = FIRST_LIMIT
    busy: int = 0
    dropped: bool = False
    resumes: float = 0.0  # when something may be sent again
    untold: float = 0.0  # seconds of pauses of which nothing was said
    worth_telling: float = LONG
    last_answer: float = field(default_factory=time.monotonic)
    repair: asyncio.Lock = field(default_factory=asyncio.Lock)

    def has_room(self) -> bool:
        return self.busy < self.limit

    def pause(self) -> float:
        """Seconds until something may be sent."""
        return max(0.0, self.resumes - time.monotonic())

    def succeeded(self) -> None:
        self.last_answer = time.monotonic()
        self.limit = min(MOST_IN_FLIGHT, self.limit + 1 / self.limit)

    def overloaded(self, pause: float = 0.0) -> bool:
        """``pause``: seconds in which nothing is sent. Returns whether to tell of it: rarer and rarer."""
        self.limit = max(1.0, self.limit / 2)
        longer = max(0.0, pause - self.pause())  # those in flight together are put off together
        self.resumes = max(self.resumes, time.monotonic() + pause)
        self.untold += longer
        if self.untold < self.worth_telling:
            return False
        self.untold, self.worth_telling = 0.0, min(2 * self.worth_telling, LONGER)
        return True

    async def is_healthy(self) -> bool:
        with self.clients.one() as http:
            return await is_healthy(http, HEALTH_SECONDS)
