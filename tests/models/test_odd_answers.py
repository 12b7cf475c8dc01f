"""What a run does with answers that are not vLLM's: the same records, or one sentence; nothing is lost.

Every field of every endpoint is left out and put in every wrong way; and there are answers odd as a whole. A
fake server stands in for real ones, which do not fail so on demand.
"""

import copy
import math

import pytest

from sampler_bench.models.engines import digit_laws
from tests.models.conftest import measure, records

GOOD = 2  # answers of an endpoint before the odd one
MISSING = object()
WRONG = {
    "missing": MISSING,
    "null": None,
    "true": True,
    "text": "7",
    "negative": -1,
    "fraction": 0.5,
    "huge": 2**70,
    "vast": 1e308,
    "NaN": math.nan,
    "infinite": math.inf,
    "empty list": [],
    "empty object": {},
    "object": {"a": [1]},
}
OF_NUMBERS = ("negative", "fraction", "huge", "vast", "infinite")  # elsewhere, one wrong number says it
DIGIT = "token_id:52"
FIELDS = {
    "/version": ["version"],
    "/v1/models": ["data", "data.0", "data.0.id", "data.0.max_model_len"],
    "/tokenize": ["tokens", "tokens.0"],
    "/v1/completions law": [
        *("choices", "choices.0", "choices.0.text", "choices.0.finish_reason", "choices.0.logprobs"),
        *("choices.0.logprobs.top_logprobs", "choices.0.logprobs.top_logprobs.0"),
        f"choices.0.logprobs.top_logprobs.0.{DIGIT}",
        *("usage", "usage.prompt_tokens", "usage.completion_tokens"),
    ],
    "/v1/completions pass": [
        *("choices.0.prompt_logprobs", "choices.0.prompt_logprobs.0", "choices.0.prompt_logprobs.5"),
        *("choices.0.prompt_logprobs.5.52", "choices.0.prompt_logprobs.5.52.logprob"),
    ],
    "/v1/completions forced": [
        *("choices.0.logprobs.tokens", "choices.0.logprobs.tokens.0", "choices.0.logprobs.top_logprobs"),
        *("choices.0.logprobs.top_logprobs.1", f"choices.0.logprobs.top_logprobs.1.{DIGIT}"),
    ],
    "/inference/v1/generate": ["prompt_token_id_logprobs"],
    "/v1/completions text": [
        *("choices", "choices.0", "choices.0.text", "choices.0.finish_reason"),
        *("usage", "usage.prompt_tokens", "usage.completion_tokens"),
    ],
}
# What a field may well be, though it is not what it was.
LEGAL = {
    "/version": {("version", "text")},
    "/v1/models": {("data.0.max_model_len", "missing"), ("data.0.max_model_len", "null")},
    "/tokenize": set(),
    "/v1/completions law": {("choices.0.text", "text"), ("choices.0.finish_reason", "text")},
    "/v1/completions pass": {
        ("choices.0.prompt_logprobs", value) for value in ("missing", "null", "empty list")
    }
    | {
        (f"choices.0.prompt_logprobs.{place}", value)
        for place in (0, 5)
        for value in ("null", "empty object")
    }
    | {("choices.0.prompt_logprobs.5.52", "missing")},
    "/v1/completions forced": {
        ("choices.0.logprobs.tokens", value) for value in ("missing", "null", "empty list")
    }
    | {("choices.0.logprobs.tokens.0", value) for value in ("missing", "text")}
    | {("choices.0.logprobs.top_logprobs.1", "missing")},
    "/inference/v1/generate": {("prompt_token_id_logprobs", value) for value in ("missing", "null")},
    "/v1/completions text": set(),
}


def put(answer: dict, field: str, value: object) -> dict:
    """The answer with another value in a field."""
    changed = copy.deepcopy(answer)
    *steps, last = [int(step) if step.isdigit() else step for step in field.split(".")]
    place = changed
    for step in steps:
        place = place[step if isinstance(place, list) else str(step)]
    last = last if isinstance(place, list) else str(last)
    if value is not MISSING:
        place[last] = value
    elif isinstance(place, list):
        del place[last]
    else:
        place.pop(last, None)
    return changed


def kind_of(path: str, body: dict) -> str:
    """Which of FIELDS an answer belongs to."""
    if path != "/v1/completions":
        return path
    if "prompt_logprobs" in body:
        return f"{path} pass"
    if "vllm_xargs" in body:
        return f"{path} forced"
    return f"{path} law" if "logprob_token_ids" in body else f"{path} text"


def after_some(endpoint: str, change):
    """Change all but the first answers of an endpoint."""
    seen = []

    def changed(path, body, answer):
        if kind_of(path, body) != endpoint:
            return answer
        seen.append(path)
        first = 0 if path in ("/version", "/v1/models") else GOOD
        return answer if len(seen) <= first else change(answer)

    return changed


def be_asked_for(endpoint: str, server, monkeypatch) -> None:
    """Let the endpoint be one that a run asks."""
    server.scores, server.forces = endpoint == "/inference/v1/generate", endpoint.endswith("forced")
    if server.scores or endpoint.endswith("pass"):
        monkeypatch.setattr(digit_laws, "TOKENS_A_REQUEST", 10**6)


CASES = [
    (endpoint, field, name)
    for endpoint, fields in FIELDS.items()
    for field in fields
    for name in WRONG
    if (endpoint, field, name) not in {(endpoint, *legal) for legal in LEGAL[endpoint]}
    # other values that are right by their type, and so tell another truth
    and not (name == "text" and field.endswith(("text", "finish_reason", "version", "data.0.id")))
    and not (name in ("negative", "fraction") and field.endswith((DIGIT, "logprob")))
    and not (name in OF_NUMBERS and not field.endswith((DIGIT, "logprob", "_tokens", "_len", "tokens.0")))
]


@pytest.mark.parametrize(("endpoint", "field", "name"), CASES)
def test_a_field_that_is_not_what_it_must_be_is_named(server, odd, monkeypatch, endpoint, field, name):
    be_asked_for(endpoint, server, monkeypatch)
    server.change = after_some(endpoint, lambda answer: put(answer, field, WRONG[name]))
    said = odd()
    assert said is not None
    assert server.url + endpoint.split()[0] in said
    known = [part for part in field.split(".") if not part.isdigit() and not part.startswith("token_id")]
    assert any(part in said for part in known), said


@pytest.mark.parametrize(
    ("endpoint", "field", "name"),
    [(endpoint, *legal) for endpoint, legals in LEGAL.items() for legal in sorted(legals)],
)
def test_what_a_server_may_leave_out_changes_nothing(server, odd, monkeypatch, endpoint, field, name):
    be_asked_for(endpoint, server, monkeypatch)
    server.change = after_some(endpoint, lambda answer: put(answer, field, WRONG[name]))
    assert odd() is None


WHOLE = {
    "nothing": b"",
    "null": b"null",
    "a list": b"[]",
    "a number": b"7",
    "a text": b'"7"',
    "an empty object": b"{}",
    "a web page": b"<!doctype html><title>Welcome</title>",
    "cut": b'{"tokens": [1, 2',
    "no Unicode": b'{"tokens": "\xff\xfe\xe9"}',
    "deep": b"[" * 100_000,
    "deep and whole": b"[" * 100_000 + b"]" * 100_000,
    "a number of 5000 digits": b'{"tokens": [' + b"9" * 5000 + b"]}",
    "a number of a million digits": b"9" * 10**6,
    "a key twice": b'{"tokens": [1], "tokens": [2], "data": [], "data": [], "version": 1, "version": 2}',
    "a terminal's codes": b"\x1b]0;title\x07\x1b[2J",
    "wrong a million times": b'{"tokens": [' + b"null," * 10**6 + b'null], "choices": {}}',
    "half a surrogate pair": b'{"version": 5, "tokens": "\\ud800", "data": "\\ud800", "choices": "\\ud800"}',
}


@pytest.mark.parametrize("endpoint", ["/version", "/v1/models", "/tokenize", "/v1/completions text"])
@pytest.mark.parametrize("name", WHOLE)
def test_an_answer_that_is_none_is_refused(server, odd, endpoint, name):
    server.change = after_some(endpoint, lambda _: WHOLE[name])
    assert server.url + endpoint.split()[0] in odd()


@pytest.mark.parametrize("after", [4, 8, 12, 16, 20])
def test_what_was_stored_before_is_kept_and_the_same_command_goes_on(
    server, odd, undisturbed, tmp_path, after
):
    seen = []

    def change(path, _, answer):
        seen.append(path)
        return b"" if path == "/v1/completions" and seen.count(path) > after else answer

    server.change = change
    assert "did not answer in JSON" in odd()
    server.reset()
    assert records(measure(server.url, tmp_path)) == undisturbed
