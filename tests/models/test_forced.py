"""Laws along a number from an answer that is forced to be it, where a server has ``TeacherForcing``.

A fake server tells which way was taken; what a real one answers is in tests/vllm/test_client.py.
"""

import numpy as np
import pytest

from tests.models.conftest import laws_told
from tests.models.fake_server import fake_server, send

NUMBERS = ["649214", "649215", "7"]
PREFIXES = sorted({number[:k] for number in NUMBERS for k in range(len(number) + 1)})


@pytest.fixture
def server():
    with fake_server() as running:
        running.forces = True
        yield running


def laws(*servers, prefixes=PREFIXES):
    """Of the prefixes, and the bodies of the requests for completions that told them."""
    found, requests = laws_told(servers, prefixes)
    return found, [body for path, body in requests if path == "/v1/completions"]


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


def masked(_, body, answer):
    """As a server answers that was started with ``--logprobs-mode processed_logprobs``."""
    if forced(body):
        told = answer["choices"][0]["logprobs"]["top_logprobs"]
        for token, law in zip(forced(body), told, strict=True):
            law.update(dict.fromkeys(law, -9999.0) | {f"token_id:{ord(token)}": 0.0})
    return answer


def test_laws_of_what_has_been_masked_are_not_taken(server):
    expected, _ = laws(server)
    server.change = masked
    found, asked = laws(server)
    assert not any(map(forced, asked))
    assert found == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("forces", [False, True], ids=["forces nothing", "tells what has been masked"])
def test_where_the_second_of_two_servers_is_another_the_laws_are_the_same(server, forces):
    numbers = [f"{first}{second}2233" for first in range(1, 9) for second in range(8)]
    prefixes = sorted({number[:k] for number in numbers for k in range(7)})
    expected, _ = laws(server, prefixes=prefixes)
    with fake_server() as other:
        if forces:
            other.forces, other.change = True, masked
        found, _ = laws(server, other, prefixes=prefixes)
        assert any(forced(body) for path, body in other.requests if path == "/v1/completions")
    assert found == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("refused", ["the first", "all but the first"])
def test_a_server_that_refuses_to_force_is_read_otherwise(server, refused):
    expected, _ = laws(server)
    seen = []

    def refuse(_, handler):
        if b"vllm_xargs" not in handler.raw:
            return False
        seen.append(handler)
        if (len(seen) == 1) != (refused == "the first"):
            return False
        send(handler, b'{"error": {"message": "vllm_xargs is not supported"}}', 400)
        return True

    server.respond = refuse
    found, _ = laws(server)
    assert seen
    assert found == pytest.approx(expected, abs=1e-12)


def test_a_long_number_after_a_short_prompt_is_read_in_a_pass(server):
    """A step a digit costs more than the prompt then."""
    number = "649214" * 200
    found, asked = laws(server, prefixes=[number[:k] for k in range(len(number) + 1)])
    assert [*map(forced, asked)] == [""]
    assert "prompt_logprobs" in asked[0]
    assert np.allclose(found.sum(axis=1), 1)
