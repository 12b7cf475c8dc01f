"""Laws along a number in one request, where a server tells the log-probabilities of chosen tokens.

A fake server answers as vLLM does on a GPU with its newer model runner, of which there is none here. What a
vLLM without it answers is in tests/vllm/test_known_law.py.
"""

import base64
import io

import numpy as np
import pytest

from sampler_bench.errors import ServerError
from sampler_bench.models.engines import digit_laws
from sampler_bench.models.engines.protocol import Scores
from sampler_bench.models.engines.spending import Spending, may_cost
from sampler_bench.models.engines.vllm import score_body
from tests.models.conftest import laws_told
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
    found, requests = laws_told(servers, PREFIXES)
    paths = [path for path, _ in requests if path != "/tokenize"]
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


def test_where_one_of_two_servers_has_none_the_laws_are_the_same(server):
    expected, _ = laws(server)
    with fake_server() as other:
        found, _ = laws(server, other)
    assert found == pytest.approx(expected, abs=1e-12)


def test_a_path_that_is_not_known_may_be_answered_with_anything(server):
    expected, _ = laws(server)
    for answer in (b"<!doctype html><title>Welcome</title>", b"null", b'{"prompt_token_id_logprobs": 7}'):
        server.change = lambda path, _, right, answer=answer: answer if path == GENERATE else right
        found, _ = laws(server)
        assert found == pytest.approx(expected, abs=1e-12)


def test_scores_are_charged_as_other_requests_are():
    body = score_body(MODEL, [1, 2, 3], 2, [5, 6])
    assert may_cost(body) == 3 + 1 + 1
    spending = Spending()
    spending.answered(
        body, Scores.model_validate({"usage": {"prompt_tokens": 4, "completion_tokens": 1}}).usage
    )
    assert (spending.requests, spending.spent) == (1, 5)


def array(values) -> str:
    file = io.BytesIO()
    np.save(file, np.array(values))
    return base64.b64encode(file.getvalue()).decode()


def npy(header: str) -> str:
    """A file of no numbers with that header."""
    said = header.encode() + b"\n"
    return base64.b64encode(b"\x93NUMPY\x01\x00" + len(said).to_bytes(2, "little") + said).decode()


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        (array([[-1.0] * 10]), r"should be floats of shape \d+ x 10, and has float64 of shape \(1, 10\)"),
        (array([[1] * 10]), r"should be floats of shape .* and has int64"),
        (lambda shape: array(np.full(shape, np.nan)), "should be a number, at most 0"),
        (lambda shape: array(np.full(shape, 0.5)), "should be a number, at most 0"),
        (lambda shape: array(np.full(shape, -0.1)), "those of different tokens sum to 9"),
        (base64.b64encode(b"x" * 99).decode(), "no array"),
        (base64.b64encode(b"PK\x03\x04" + b"x" * 40).decode(), "no array"),
        (npy("{'descr': '<f8', 'fortran_order': False, 'shape': (3,("), "no array"),
        (npy("{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999999999999999,)}"), "no array"),
        (npy("{[]:1}"), "no array"),
        ("not base64!", "no array"),
    ],
)
def test_scores_that_are_none_are_refused(server, told, reason):
    seen = []

    def change(path, body, answer):
        seen.append(path)
        if path == GENERATE and seen.count(path) > 1:  # the first finds out whether there are any
            rows = body["sampling_params"]["prompt_logprob_token_ids"]
            shape = (len(rows), len(rows[0]))
            answer["prompt_token_id_logprobs"] = told(shape) if callable(told) else told
        return answer

    server.change = change
    with pytest.raises(ServerError, match=reason):
        laws(server)
