"""What is said while no unit ends."""

import asyncio

import pytest

from sampler_bench.measure import pulse as module
from sampler_bench.measure.pulse import pulse


@pytest.fixture
def said(monkeypatch):
    """What is said while requests are answered and units end, ten of each to a beat of the heart."""
    monkeypatch.setattr(module, "SECONDS", 0.05)

    def beat(answered, ended, expected: int = 100, at_least: int = 0) -> list[str]:
        lines: list[str] = []

        async def work():
            async with pulse(lines.append, "m", answered, expected, ended):
                await asyncio.sleep(0.3)
                while len(lines) < at_least:
                    await asyncio.sleep(0.01)

        asyncio.run(work())
        return lines

    return beat


def counting(step: int):
    count = 0

    def next_count() -> int:
        nonlocal count
        count += step
        return count

    return next_count


def test_requests_are_told_of_while_no_unit_ends(said):
    lines = said(counting(10), lambda: 0, at_least=2)
    assert lines[0] == "m: 10 of about 100 requests answered, less than a minute left"


def test_nothing_is_said_while_units_end_or_nothing_is_answered_or_more_than_was_expected(said):
    assert said(counting(10), counting(1)) == []
    assert said(lambda: 7, lambda: 0) == []
    assert said(counting(1000), lambda: 0) == []


def test_the_time_left_is_in_minutes():
    assert module._minutes(59) == "less than a minute"
    assert module._minutes(61) == "about 2 min"
