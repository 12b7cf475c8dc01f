"""A sign of life while no unit ends: how many requests are answered, and how long the rest may take."""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

SECONDS = 30.0  # between two signs
Count = Callable[[], int]


@asynccontextmanager
async def pulse(
    say: Callable[[str], None],
    name: str,
    answered: Callable[[], int],
    expected: int,
    ended: Callable[[], int],
) -> AsyncIterator[None]:
    """Say now and then how far it is, as long as the context lasts.

    ``answered``: requests so far, of about ``expected``; ``ended``: units, and while some end, their progress
    says it all.
    """
    task = asyncio.create_task(_beat(say, name, answered, expected, ended))
    try:
        yield
    finally:
        task.cancel()


async def _beat(
    say: Callable[[str], None],
    name: str,
    answered: Callable[[], int],
    expected: int,
    ended: Callable[[], int],
) -> None:
    started, first = time.monotonic(), answered()
    while True:
        before = ended()
        await asyncio.sleep(SECONDS)
        done = answered() - first
        if ended() == before and 0 < done < expected:
            left = (time.monotonic() - started) / done * (expected - done)
            say(f"{name}: {done} of about {expected} requests answered, {_minutes(left)} left")


def _minutes(seconds: float) -> str:
    return f"about {math.ceil(seconds / 60)} min" if seconds > 60 else "less than a minute"
