"""What may stand in a definition, as TOML and JSON give it, and what is said of what may not."""

import re
import reprlib

from pydantic import ValidationError

from sampler_bench.errors import InputError
from sampler_bench.integers import SHOWN, long_literals, shown, to_int, to_text

MOST_DEPTH = 16  # of lists and tables in one another: seven mixtures
MOST_TARGETS = 100  # in one definition: a mixture and its components
JSON_DIGITS = 4300  # the most that programs read as a number; longer ones are kept as {"integer": "FIGURES"}
FIGURES = re.compile(r"-?[0-9]+")
_JSON_BITS = (10**JSON_DIGITS).bit_length()


def check_nesting(definition: dict) -> None:
    """Raise InputError if lists and tables stand too deep in one another, or define too many targets."""
    layer, targets = [definition], 0
    for _ in range(MOST_DEPTH):
        targets += sum(isinstance(each, dict) and "family" in each for each in layer)
        tables = [each.values() if isinstance(each, dict) else each for each in layer]
        layer = [inner for table in tables for inner in table if isinstance(inner, dict | list | tuple)]
    if layer:
        raise InputError(f"lists and tables stand more than {MOST_DEPTH} deep in one another")
    if targets > MOST_TARGETS:
        raise InputError(f"{targets} targets in one another: up to {MOST_TARGETS} are put together")


def storable(value: object) -> object:
    """A definition, but whole numbers of more than 4300 digits in a form that any JSON reader takes."""
    match value:
        case dict():
            return {key: storable(each) for key, each in value.items()}
        case list():
            return [storable(each) for each in value]
        case int() if value.bit_length() > _JSON_BITS:
            return {"integer": to_text(value)}
        case _:
            return value


def restored(value: object) -> object:
    """What ``storable`` was given, from what it made of it."""
    match value:
        case {"integer": str(figures), **more} if not more and FIGURES.fullmatch(figures):
            return to_int(figures)
        case dict():
            return {key: restored(each) for key, each in value.items()}
        case list() | tuple():
            return type(value)(map(restored, value))
        case _:
            return value


def frozen(value: object) -> object:
    """A value with tuples for lists, as the fields of dataclasses have them."""
    match value:
        case dict():
            return {key: frozen(each) for key, each in value.items()}
        case list() | tuple():
            return tuple(map(frozen, value))
        case _:
            return value


def explain(error: ValidationError, keys: list[str]) -> str:
    """The first thing wrong, in a sentence: key, value, and what would be right."""
    unknown = ("extra_forbidden", "unexpected_keyword_argument")
    first = min(error.errors(), key=lambda each: each["type"] not in unknown)  # a typo explains the rest
    key = shown(".".join(str(part) for part in first["loc"]))
    match first["type"]:
        case kind if kind in unknown:
            return f"unknown key {key!r}; the keys are {', '.join(keys)}"
        case "missing" | "missing_argument":
            return f"key {key!r} is missing"
        case _:
            message = first["msg"].removeprefix("Value error, ")
            found = restored(first["input"])
            if isinstance(found, dict):  # keys that do not go together
                return f"{key}: {message}" if key else message
            return f"{key} = {brief(found)}: {message}"


def brief(value: object) -> str:
    """A value as Python writes it, cut where it is long."""
    if isinstance(value, int):
        return str(value) if isinstance(value, bool) else shown(value)
    with long_literals():
        return _BRIEF.repr(value)


_BRIEF = reprlib.Repr()
_BRIEF.maxstring = _BRIEF.maxlong = _BRIEF.maxother = 2 * SHOWN
