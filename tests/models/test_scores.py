"""Laws along a number in one request, where a server tells the log-probabilities of chosen tokens.

A fake server answers as vLLM does on a GPU with its newer model runner, of which there is none here. What a
vLLM without it answers is in tests/vllm/test_known_law.py.
"""

import asyncio
import base64
import io

import numpy as np
import pytest

from sampler_bench.errors import ServerError
from sampler_bench.models.engines import digit_laws
from sampler_bench.models.finding import find_model
from sampler_bench.models.model import Prompt
from sampler_bench.models.server_options import ServerOptions
from sampler_bench.tasks import Catalog
from tests.models.fake_server import MODEL, fake_server, send

PREFIXES = ["", "1", "12", "123", "1234", "9", "98"]
GENERATE, COMPLETIONS = "/inference/v1/generate", "/v1/completions"


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setattr(digit_laws, "TOKENS_A_REQUEST", 10**6)  # every number is worth a pass
    with fake_server() as running:
        running.scores = True
        yield running


def laws(*servers):
    """Of PREFIXES, and what was asked after the digits were learnt: paths, by how often."""
    catalog = Catalog()
    arm = catalog.arm("direct")
    prompt = Prompt(catalog.task("even-6"), arm, arm.paraphrases[0])

    async def ask():
        options = ServerOptions(base_urls=[server.url for server in servers])
        with find_model(MODEL, options).open(lambda _: None) as entering:
            async with entering as model:
                for server in servers:
                    server.requests.clear()
                return await model.conditionals(prompt, PREFIXES)

    found = asyncio.run(ask())
    paths = [path for server in servers for path, _ in server.requests if path != "/tokenize"]
    return found, {path: paths.count(path) for path in paths}


def test_scores_are_the_laws_that_requests_for_one_place_tell_in_one_request_a_number(server):
    found, asked = laws(server)
    assert asked == {GENERATE: 2}
    server.scores = False
    expected, asked = laws(server)
    assert GENERATE not in asked
    assert found == pytest.approx(expected, abs=1e-12)


def test_a_server_without_them_is_asked_once(server):
    server.scores = False
    seen = []
    server.change = lambda path, _, answer: (seen.append(path), answer)[1]
    laws(server)
    assert seen.count(GENERATE) == 1


@pytest.mark.parametrize("status", [400, 403, 404, 501])
def test_a_server_that_refuses_is_read_otherwise(server, status):
    expected, _ = laws(server)

    def refuse(path, handler):
        if path != GENERATE:
            return False
        send(handler, b'{"error": {"message": "Scale-out endpoints are disabled."}}', status)
        return True

    server.respond = refuse
    found, asked = laws(server)
    assert GENERATE not in asked
    assert found == pytest.approx(expected, abs=1e-12)


def test_of_servers_that_differ_each_tells_what_it_can(server):
    expected, _ = laws(server)
    with fake_server() as other:
        found, _ = laws(server, other)
    assert found == pytest.approx(expected, abs=1e-12)


def array(values) -> str:
    file = io.BytesIO()
    np.save(file, np.array(values))
    return base64.b64encode(file.getvalue()).decode()


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        (array([[-1.0] * 10]), r"should be floats of shape \d+ x 10, and has float64 of shape \(1, 10\)"),
        (array([[1] * 10]), r"should be floats of shape .* and has int64"),
        (lambda shape: array(np.full(shape, np.nan)), "should be a number, at most 0"),
        (lambda shape: array(np.full(shape, 0.5)), "should be a number, at most 0"),
        (lambda shape: array(np.full(shape, -0.1)), "those of different tokens sum to 9"),
        (base64.b64encode(b"x" * 99).decode(), "no array"),
        ("not base64!", "no array"),
    ],
)
def test_scores_that_are_none_are_refused(server, told, reason):
    def change(path, body, answer):
        if path == GENERATE:
            rows = body["sampling_params"]["prompt_logprob_token_ids"]
            shape = (len(rows), len(rows[0]))
            answer["prompt_token_id_logprobs"] = told(shape) if callable(told) else told
        return answer

    server.change = change
    with pytest.raises(ServerError, match=reason):
        laws(server)
