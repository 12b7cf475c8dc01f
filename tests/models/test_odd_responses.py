"""What a run does with responses that are none of vLLM's: refused, elsewhere, packed, endless, slow."""

import gzip
import json

import pytest

from sampler_bench.models.engines import patience
from sampler_bench.models.engines.exchange import LARGEST
from tests.models.fake_server import drip, send

GOOD = 2  # completions before the odd one
TIMEOUT = 1.0
PACKED = gzip.compress(b" " * 2**26)  # a thousandth of it


def html(handler):
    send(handler, b"<h1>Nothing here</h1>", 404, {"Content-Type": "text/html"})


def redirect(handler):
    send(handler, b"", 307, {"Location": "http://elsewhere/v1/completions?key=hidden-in-a-query"})


def unauthorized(handler):
    send(handler, b'{"error": "Unauthorized"}', 401)


def forbidden(handler):
    send(handler, b'{"error": {"message": "not you"}}', 403)


def no_content(handler):
    handler.send_response(204)
    handler.end_headers()


def packed(handler):
    send(handler, PACKED, headers={"Content-Encoding": "gzip"})


def badly_packed(handler):
    send(handler, b"not gzip", headers={"Content-Encoding": "gzip"})


def endless(handler):
    handler.send_response(200)
    handler.end_headers()
    for _ in range(4 * LARGEST // 2**16):
        handler.wfile.write(b" " * 2**16)


def long_message(handler):
    send(handler, json.dumps({"error": {"message": "\x1b[31mno " * 10**6}}).encode(), 400)


def odd_message(handler):
    send(handler, b'{"error": {"message": {"a": [null]}}}', 422)


def broken(handler):
    send(handler, b"\xff\xfe", 500)


RESPONSES = {
    html: "answered 404: Not Found",
    redirect: "answered 307: Temporary Redirect; it points to http://elsewhere/v1/completions: give the",
    unauthorized: "answered 401: Unauthorized; it asks for a key: set VLLM_API_KEY",
    forbidden: "answered 403: not you; it asks for a key: set VLLM_API_KEY",
    no_content: "answered 204: No Content; 200 was expected",
    packed: "answered packed (gzip), which it was not asked for",
    badly_packed: "answered packed (gzip), which it was not asked for",
    endless: "answered with more than 32 MiB",
    long_message: "answered 400: ",
    odd_message: "answered 422: {'a': [None]}",
    broken: "answered 500: Internal Server Error",
    drip: "has not answered in 1 s",
}


@pytest.mark.parametrize("path", ["/version", "/v1/models", "/tokenize", "/v1/completions"])
@pytest.mark.parametrize("response", RESPONSES, ids=lambda response: response.__name__)
def test_a_response_that_is_none_is_a_sentence(server, odd, path, response, monkeypatch):
    """A byte now and then keeps no request alive; no body fills the memory; no message fills the screen."""
    monkeypatch.delenv("VLLM_API_KEY", raising=False)
    monkeypatch.setattr(patience, "ATTEMPTS", 2)
    seen = []

    def respond(asked, handler):
        seen.append(asked)
        if asked != path or (path == "/v1/completions" and seen.count(path) <= GOOD):
            return False
        response(handler)
        return True

    server.respond = respond
    said = odd(TIMEOUT)
    assert f"{server.url}{path}" in said
    assert RESPONSES[response] in said
    assert "hidden-in-a-query" not in said
