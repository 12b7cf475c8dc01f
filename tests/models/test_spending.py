"""A ceiling on tokens against what a server bills, which is not always what it answers."""

import asyncio

import pytest

from sampler_bench.api import run
from sampler_bench.errors import ServerError
from sampler_bench.models.engines import patience
from sampler_bench.models.engines.chat import PATH
from sampler_bench.models.engines.endpoint import FIRST_LIMIT
from sampler_bench.models.engines.protocol import ChatCompletion
from sampler_bench.models.engines.spending import Spending, SpentError, may_cost
from sampler_bench.models.engines.transport import Transport
from sampler_bench.models.server_options import ServerOptions
from tests.models.fake_chat import MODEL, chat_api, cut, gateway_timeout, silent, unreadable

BODY = {"model": MODEL, "messages": [{"role": "user", "content": "A number, please."}], "max_tokens": 20}


@pytest.fixture
def api():
    with chat_api() as made:
        yield made


def ask(api, spending: Spending) -> None:
    async def asked():
        async with Transport([api.url], timeout=1, spending=spending) as transport:
            await transport.post(PATH, BODY, ChatCompletion)

    asyncio.run(asked())


@pytest.mark.parametrize("fault", [cut, unreadable, gateway_timeout, silent])
def test_an_answer_that_was_written_and_lost_is_charged(api, monkeypatch, fault):
    monkeypatch.setattr(patience, "ATTEMPTS", 2)
    api.faulty, api.fault, api.writes = 1, fault, 20
    spending = Spending()
    with pytest.raises(ServerError):
        ask(api, spending)
    assert api.billed > 0
    assert api.billed <= spending.spent <= 2 * may_cost(BODY)
    assert spending.reserved == 0


def test_what_is_turned_away_or_does_not_arrive_costs_nothing(api, monkeypatch):
    monkeypatch.setattr(patience, "ATTEMPTS", 2)
    spending = Spending()
    api.busy, api.retry_after = 1, None
    with pytest.raises(ServerError, match=r"is overloaded \(429\): Rate limit reached"):
        ask(api, spending)
    api.busy, api.refuses = 0, {"messages"}
    with pytest.raises(ServerError, match="answered 400"):
        ask(api, spending)
    api.url = "http://127.0.0.1:9"
    with pytest.raises(ServerError, match="no connection"):
        ask(api, spending)
    assert spending.spent == api.billed == 0


def test_a_total_that_is_more_than_its_parts_is_what_was_spent(api):
    """As where thinking is billed, and told in no other field."""
    spending, right = Spending(), api.answer
    api.answer = lambda body: right(body) | {"usage": right(body)["usage"] | {"total_tokens": 700}}
    ask(api, spending)
    assert spending.spent == 700 == api.billed


@pytest.mark.parametrize(
    ("ceiling", "writes", "faulty", "above"),
    [(20_000, 10, 2, 0), (60_000, 300, 0, 0), (4_000, 300, 0, FIRST_LIMIT * 300)],
    ids=["half is lost", "more is written than allowed", "more is written than the ceiling at once"],
)
def test_a_run_ends_at_its_ceiling_whatever_the_server_bills(api, tmp_path, ceiling, writes, faulty, above):
    """What is written beyond what was allowed is known from the first answers on."""
    api.writes, api.faulty = writes, faulty
    server = ServerOptions(base_urls=[api.url], samples_only=True, max_tokens_total=ceiling)
    with pytest.raises(SpentError, match=f"the ceiling of {ceiling} tokens is reached"):
        run("even-6", [MODEL], ["direct"], out=tmp_path / "run", server=server, numbers=2, samples=2000)
    assert ceiling / 10 < api.billed <= ceiling + above
