"""Targets from the definitions that stand in task files: a family and its keys."""

import json
from dataclasses import fields

from pydantic import TypeAdapter, ValidationError

from sampler_bench.errors import InputError
from sampler_bench.targets import FAMILIES
from sampler_bench.targets.base import Target


def make_target(definition: dict) -> Target:
    """The target that ``{"family": NAME, key: value, ...}`` defines.

    Raises
    ------
    InputError
        If there is no such family, a key is unknown, missing or of a wrong type, or the values make no sense.
    """
    parameters = dict(definition)
    family = parameters.pop("family", None)
    if family not in FAMILIES:
        raise InputError(f"family = {family!r} is not known; choose from {', '.join(FAMILIES)}")
    kind = FAMILIES[family]
    try:
        # From JSON: there, strict checking takes an object for a dataclass, and still no "3" for 3.
        return TypeAdapter(kind).validate_json(json.dumps(parameters, default=str))
    except ValidationError as error:
        keys = ["family", *(field.name for field in fields(kind))]
        raise InputError(explain(error, keys)) from error


def explain(error: ValidationError, keys: list[str]) -> str:
    """The first thing wrong, in a sentence: key, value, and what would be right."""
    unknown = ("extra_forbidden", "unexpected_keyword_argument")
    first = min(error.errors(), key=lambda each: each["type"] not in unknown)  # a typo explains the rest
    key = ".".join(str(part) for part in first["loc"])
    match first["type"]:
        case kind if kind in unknown:
            return f"unknown key {key!r}; the keys are {', '.join(keys)}"
        case "missing" | "missing_argument":
            return f"key {key!r} is missing"
        case _:
            message = first["msg"].removeprefix("Value error, ")
            if isinstance(first["input"], dict):  # keys that do not go together
                return f"{key}: {message}" if key else message
            return f"{key} = {first['input']!r}: {message}"
