"""From the bytes of a reply to an answer of the protocol, or one sentence that says what is wrong with it."""

import json
import reprlib
from contextlib import suppress

import jiter
from pydantic import ValidationError

from sampler_bench.errors import ServerError
from sampler_bench.models.engines.protocol import Kind
from sampler_bench.secrets import quoted

PLAINLY = {
    "model_type": "should be an object",
    "dict_type": "should be an object",
    "list_type": "should be a list",
    "too_short": "should not be empty",
    "too_long": "should have one entry",
}


def understood(content: bytes, kind: type[Kind], url: str, body: dict | None = None) -> Kind:
    """The answer that a server's bytes hold.

    Raises
    ------
    ServerError
        If they hold none of this kind: with the URL, the field, what was expected and what was found.
    """
    try:
        found = read_json(content)
    except (ValueError, RecursionError) as error:
        start = quoted(content[:4000].decode(errors="replace"), 80)
        reason = quoted(str(error), 120)
        raise ServerError(f"{url} did not answer in JSON ({reason}): {start or 'nothing'}") from error
    try:
        return kind.model_validate(found, context=body)
    except ValidationError as error:
        raise ServerError(f"{_sentence(error)}, in the answer of {url}") from error


def read_json(content: bytes) -> object:
    """What it says. Raises ValueError or RecursionError."""
    with suppress(ValueError):  # the slower parser takes half surrogate pairs, and says what is wrong
        return jiter.from_json(content, cache_mode="keys", catch_duplicate_keys=True)
    return json.loads(content, object_pairs_hook=_once_each)


def _once_each(pairs: list[tuple[str, object]]) -> dict:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("an object names a key twice")
    return found


def _sentence(error: ValidationError) -> str:
    """What is wrong with the first field that is."""
    first = error.errors(include_url=False, include_context=False)[0]
    field = quoted(".".join(map(str, first["loc"])), 120)
    match first["type"]:
        case "value_error":
            return f"{first['msg'].removeprefix('Value error, ')}: {field}"
        case "missing":
            return f"{field} is missing"
    wanted = PLAINLY.get(first["type"]) or first["msg"].removeprefix("Input ")
    return f"{field or 'the whole'} {wanted}, and is {quoted(reprlib.repr(first['input']), 80)}"
