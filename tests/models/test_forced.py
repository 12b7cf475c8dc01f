"""Laws along a number from an answer that is forced to be it, where a server has ``TeacherForcing``.

A fake server tells which way was taken; what a real one answers is in tests/vllm/test_client.py.
"""

import asyncio

import numpy as np
import pytest

from sampler_bench.models.finding import find_model
from sampler_bench.models.model import Prompt
from sampler_bench.models.server_options import ServerOptions
from sampler_bench.tasks import Catalog
from tests.models.fake_server import MODEL, fake_server

NUMBERS = ["649214", "649215", "7"]
PREFIXES = sorted({number[:k] for number in NUMBERS for k in range(len(number) + 1)})


@pytest.fixture
def server():
    with fake_server() as running:
        running.forces = True
        yield running


def laws(*servers, task="even-6", prefixes=PREFIXES):
    """Of the prefixes, and the bodies of the requests for completions that told them."""
    catalog = Catalog()
    arm = catalog.arm("direct")
    prompt = Prompt(catalog.task(task), arm, arm.paraphrases[0])

    async def ask():
        options = ServerOptions(base_urls=[server.url for server in servers])
        with find_model(MODEL, options).open(lambda _: None) as entering:
            async with entering as model:
                for server in servers:
                    server.requests.clear()
                return await model.conditionals(prompt, prefixes)

    found = asyncio.run(ask())
    bodies = [body for server in servers for path, body in server.requests if path == "/v1/completions"]
    return found, bodies


def forced(body: dict) -> str:
    """The number that an answer is forced to be, and the digit behind it."""
    return "".join(map(chr, body.get("vllm_xargs", {}).get("forced_tokens", [])))


def test_forced_answers_tell_what_requests_for_one_place_do_a_number_a_request(server):
    found, asked = laws(server)
    assert sorted(map(forced, asked)) == ["", "", "6492140"]  # 649215 and 7 have one place of their own each
    server.forces = False
    expected, asked = laws(server)
    assert not any(map(forced, asked))
    assert found == pytest.approx(expected, abs=1e-12)


def test_a_server_that_forces_nothing_is_asked_once(server):
    server.forces = False
    seen = []
    server.change = lambda _, body, answer: (seen.append("vllm_xargs" in body), answer)[1]
    laws(server)
    assert seen.count(True) == 1


def test_laws_that_are_those_of_the_forced_answer_are_not_taken(server):
    """As a server tells them that was started with ``--logprobs-mode processed_logprobs``."""
    expected, _ = laws(server)

    def processed(_, body, answer):
        if forced(body):
            told = answer["choices"][0]["logprobs"]["top_logprobs"]
            for token, law in zip(forced(body), told, strict=True):
                law.update(dict.fromkeys(law, -1e9) | {f"token_id:{ord(token)}": 0.0})
        return answer

    server.change = processed
    found, asked = laws(server)
    assert not any(map(forced, asked))
    assert found == pytest.approx(expected, abs=1e-12)


def test_where_one_of_two_servers_forces_nothing_the_laws_are_the_same(server):
    expected, _ = laws(server)
    with fake_server() as other:
        for pair in ((server, other), (other, server)):
            found, _ = laws(*pair)
            assert found == pytest.approx(expected, abs=1e-12)


def test_a_long_number_after_a_short_prompt_is_read_in_a_pass(server):
    """A step a digit costs more than the prompt then."""
    number = "649214" * 200
    found, asked = laws(server, prefixes=[number[:k] for k in range(len(number) + 1)])
    assert [*map(forced, asked)] == [""]
    assert "prompt_logprobs" in asked[0]
    assert np.allclose(found.sum(axis=1), 1)
