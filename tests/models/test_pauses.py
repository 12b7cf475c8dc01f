"""What is done while servers want to be left alone, and how long that is borne."""

import asyncio
import json
from collections.abc import Iterable

import pytest

from sampler_bench.errors import ServerError
from sampler_bench.models.engines import patience
from sampler_bench.models.engines.protocol import Tokens
from sampler_bench.models.engines.transport import Transport
from tests.models.fake_chat import cut
from tests.models.fake_server import fake_server, send

PATH, BODY = "/tokenize", {"prompt": "7"}
WORDS = {"message": "Rate limit reached \x1b[31mfor requests", "code": "rate_limit_exceeded"}


@pytest.fixture
def server():
    with fake_server() as running:
        yield running


@pytest.fixture
def other():
    with fake_server() as running:
        yield running


def put_off(seconds: float, error: dict = WORDS):
    """429, and for how long."""
    return lambda handler: send(handler, json.dumps({"error": error}).encode(), 429, {"Retry-After": seconds})


def first(server, faults: Iterable) -> None:
    """Let a server meet its first requests with faults."""
    left = iter(faults)

    def respond(path, handler):
        fault = next(left, None) if path == PATH else None
        if fault is not None:
            fault(handler)
        return fault is not None

    server.respond = respond


def post(servers, times: int = 1, say=lambda _: None, worth_telling: float | None = None) -> list[Tokens]:
    async def posted():
        async with Transport([server.url for server in servers], say=say) as transport:
            for endpoint in transport.endpoints:
                endpoint.worth_telling = worth_telling or endpoint.worth_telling
            return [await transport.post(PATH, BODY, Tokens) for _ in range(times)]

    return asyncio.run(posted())


def asked(server) -> int:
    return [path for path, _ in server.requests].count(PATH)


def test_a_connection_cut_after_many_pauses_is_tried_again(server):
    many = 2 * patience.ATTEMPTS
    first(server, [*[put_off(0.01)] * many, cut, *[put_off(0.01)] * many])
    assert post([server])[0].tokens == [55]
    assert asked(server) == 2 * many + 2


def test_patience_ends_with_the_words_of_the_server(server, monkeypatch):
    monkeypatch.setattr(patience, "PATIENCE_SECONDS", 0.5)
    first(server, [put_off(0.01)] * 1000)
    with pytest.raises(ServerError, match=r"is overloaded \(429\): Rate limit reached \[31mfor requests"):
        post([server])


@pytest.mark.parametrize("name", ["code", "type"])
def test_an_account_that_is_empty_is_not_asked_again(server, name):
    words = {"message": "You exceeded your current quota", name: "insufficient_quota"}
    first(server, [put_off(0.01, words)] * 1000)
    with pytest.raises(ServerError, match="answered 429: You exceeded your current quota"):
        post([server])
    assert asked(server) == 1


def test_long_pauses_are_told_in_the_words_of_the_server_and_rarer_and_rarer(server):
    first(server, [put_off(0.1)] * 32)
    said = []
    post([server], say=said.append, worth_telling=0.15)
    assert len(said) == 4  # 0.2, 0.3, 0.6 and 1.2 s after the one before
    assert all("Rate limit reached [31mfor requests; nothing is sent to it for 0 s" in line for line in said)


def test_a_server_that_wants_a_pause_is_left_alone_while_another_is_free(server, other):
    first(server, [put_off(600)] * 1000)
    assert len(post([server, other], times=20)) == 20
    assert asked(server) == 1
    assert asked(other) == 20


def test_what_waits_for_a_pause_to_end_ends_with_the_run(server):
    async def ended() -> set:
        async with Transport([server.url]) as transport:
            waiting = [asyncio.ensure_future(transport.post(PATH, BODY, Tokens)) for _ in range(8)]
            while not transport.endpoints[0].pause() or transport.endpoints[0].busy:
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.1)
            assert not any(task.done() for task in waiting)
        return asyncio.all_tasks() - {asyncio.current_task()}

    first(server, [put_off(600)] * 1000)
    assert asyncio.run(ended()) == set()
