"""A model of one's own: an object, checked when it comes in and at every answer; also by an entry point.

What is wrong with the form of an answer is said in one sentence. What the object's own methods raise is its
author's to see, and comes through as it is.
"""

import inspect
import json
import sys
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import numpy as np

from sampler_bench.errors import InputError, ModelError
from sampler_bench.models.model import (
    BOTH,
    LAWS,
    NATURAL,
    SAMPLES,
    OwnModel,
    Prompt,
    Response,
    SamplingOptions,
)
from sampler_bench.plain import one_line
from sampler_bench.targets import SYMBOLS

GROUP = "sampler_bench.models"  # of entry points: a name, and what makes the object when called
CALLS = {  # by what it can: the method for it, and the arguments that it is called with
    LAWS: ("conditionals", ("prompt", "prefixes", "trace")),
    SAMPLES: ("sample", ("prompt", "size", "seed", "options")),
}
SUM_TO_ONE = 1e-6  # what float32 leaves of a sum
LONGEST_NAME = 200
SHOWN = 60  # characters of what was found
COUNTS = ("seed", "prompt_tokens", "completion_tokens", "forward_passes")
MOST = 2**63  # of a count: what a record holds


class ObjectModel:
    """An object as a DigitModel: what it says has the right form, or is an error that names it.

    Use as an async context manager, which enters the object if it is one itself.

    Parameters
    ----------
    own : OwnModel
        The object. Its ``describe`` is called before it is entered, and after.

    Raises
    ------
    InputError
        If its name, ``can``, methods or description are not what they must be.
    """

    def __init__(self, own: OwnModel):
        self.name = _checked_name(own)
        self._called = f"model {self.name!r} ({type(own).__qualname__})"
        self.can = _checked_can(own, self._called)
        self._own: Any = own
        for what in sorted(self.can):
            _check_method(own, self._called, *CALLS[what])
        if not callable(getattr(own, "describe", None)):
            raise InputError(
                f"{self._called} has no method describe; it must give a dict such as {{'identity': 'v1'}}"
            )
        self.describe()

    async def __aenter__(self) -> "ObjectModel":
        if hasattr(self._own, "__aenter__"):
            await self._own.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        if hasattr(self._own, "__aenter__"):
            await self._own.__aexit__(*error)

    async def conditionals(self, prompt: Prompt, prefixes: Sequence[str], trace: str = "") -> np.ndarray:
        """The object's, as an array. Raises ModelError if they are no laws of the prefixes."""
        answer = await self._own.conditionals(prompt, list(prefixes), trace)
        rows = _as_array(answer, self._called)
        fault = fault_in_rows(rows, prefixes)
        if fault:
            raise ModelError(f"conditionals of {self._called}, task {prompt.task.name}: {fault}")
        return rows.astype(float)

    async def sample(
        self, prompt: Prompt, size: int, seed: int, options: SamplingOptions = NATURAL
    ) -> list[Response]:
        """The object's. Raises ModelError if they are not ``size`` responses that can be stored."""
        answer = await self._own.sample(prompt, size, seed, options)
        fault = fault_in_responses(answer, size)
        if fault:
            raise ModelError(f"sample of {self._called}, task {prompt.task.name}: {fault}")
        return [response if response.seed else replace(response, seed=seed) for response in answer]

    async def vouch(self) -> None:
        """The object's, if it has one: else nothing changes behind it."""
        if hasattr(self._own, "vouch"):
            await self._own.vouch()

    def describe(self) -> dict:
        """What the object says of itself, as it stands in the manifest. Raises InputError if that cannot."""
        description = self._own.describe()
        if inspect.iscoroutine(description):
            description.close()
            raise InputError(f"describe of {self._called} is `async def`; it must be a plain method")
        if not isinstance(description, dict):
            raise InputError(f"describe of {self._called} gives {_brief(description)}; it must give a dict")
        try:
            description = json.loads(json.dumps(description, allow_nan=False))
        except (TypeError, ValueError, RecursionError) as error:
            raise InputError(
                f"describe of {self._called} gives what is no JSON ({error}); it must hold text, numbers, "
                "lists and dicts"
            ) from error
        identity = description.get("identity")
        if not isinstance(identity, str) or not identity.strip():
            raise InputError(
                f"describe of {self._called} gives identity = {_brief(identity)}; it must be text that tells "
                "these weights from others"
            )
        return {"kind": "object", **description}


def fault_in_rows(rows: np.ndarray, prefixes: Sequence[str]) -> str | None:
    """What is wrong with conditionals after prefixes, in words; None if nothing is."""
    wanted = (len(prefixes), SYMBOLS)
    if rows.shape != wanted:
        return f"their shape is {rows.shape}; it must be {wanted}: for each prefix the digits and END"
    if rows.dtype.kind not in "fiub":
        return f"they are {rows.dtype}; they must be numbers, as of float64"
    sums = rows.sum(axis=1, dtype=float)
    for wrong, what, right in (
        (~np.isfinite(rows).all(axis=1), "holds what is not finite", "probabilities are"),
        ((rows < 0).any(axis=1), "holds what is below 0", "no probability is"),
        (np.abs(sums - 1) > SUM_TO_ONE, "sums to {}", f"it must sum to 1 within {SUM_TO_ONE:g}"),
    ):
        if wrong.any():
            row = int(wrong.argmax())
            what = what.format(float(sums[row]))
            return f"row {row}, after prefix {prefixes[row]!r}, {what}; {right}"
    return None


def fault_in_responses(responses: object, size: int) -> str | None:
    """What is wrong with ``size`` responses, in words; None if nothing is."""
    if not isinstance(responses, Sequence) or isinstance(responses, str):
        return f"it gave {_brief(responses)}; it must give a list of {size} Responses"
    if len(responses) != size:
        return f"it gave {len(responses)} responses; {size} were asked for"
    for place, response in enumerate(responses):
        if not isinstance(response, Response):
            return f"item {place} is {_brief(response)}; it must be a Response, such as Response('123456')"
        for name in ("text", "thinking", "finish_reason"):
            if not _is_text(getattr(response, name)):
                return f"{name} of response {place} is {_brief(getattr(response, name))}; it must be text"
        for name in COUNTS:
            if not _is_count(getattr(response, name)):
                return f"{name} of response {place} is {_brief(getattr(response, name))}; it must be a count"
        for name in ("seconds", "log_weight"):
            if not _is_number(getattr(response, name), name == "log_weight"):
                return f"{name} of response {place} is {_brief(getattr(response, name))}; it must be a number"
    return None


def installed_names() -> list[str]:
    """Names of the models that installed packages offer."""
    return sorted({entry.name for entry in _entry_points(tuple(sys.path))})


def find_installed(name: str) -> ObjectModel | None:
    """The model that an installed package offers under a name; None if none does.

    Raises
    ------
    InputError
        If the entry point of that name is of no use, whatever is wrong with it, or two packages have one.
    """
    entries = {entry.value: entry for entry in _entry_points(tuple(sys.path)) if entry.name == name}
    if len(entries) > 1:
        raise InputError(
            f"two packages offer a model {name!r} as an entry point of {GROUP}, "
            f"{' and '.join(sorted(entries))}; uninstall one"
        )
    for entry in entries.values():
        try:
            return ObjectModel(entry.load()())
        except Exception as error:  # it is a stranger's module that is imported
            raise InputError(f"entry point {entry.name} = {entry.value} of {GROUP}: {error}") from error
    return None


@lru_cache(maxsize=8)
def _entry_points(path: tuple[str, ...]) -> tuple[EntryPoint, ...]:  # noqa: ARG001  where they are looked for
    return tuple(entry_points(group=GROUP))


def _checked_name(own: object) -> str:
    kind = type(own).__qualname__
    if isinstance(own, type):
        raise InputError(f"{own.__qualname__} is a class; give an object of it: {own.__qualname__}()")
    name = getattr(own, "name", None)
    if not isinstance(name, str):
        raise InputError(
            f"a model of class {kind} has name = {_brief(name)}; it must be text: what its rows are called"
        )
    if not name or not name.isprintable() or one_line(name) != name or len(name) > LONGEST_NAME:
        raise InputError(
            f"a model of class {kind} has name = {_brief(name)}; it must be one line of up to "
            f"{LONGEST_NAME} characters that can be seen"
        )
    return name


def _checked_can(own: object, called: str) -> frozenset[str]:
    can = getattr(own, "can", None)
    if not isinstance(can, AbstractSet) or not can or not can <= BOTH:
        raise InputError(
            f"{called} has can = {_brief(can)}; it must be a set of what it can do: "
            f"{{'{LAWS}'}}, {{'{SAMPLES}'}} or {{'{LAWS}', '{SAMPLES}'}}"
        )
    return frozenset(can)


def _check_method(own: object, called: str, name: str, arguments: Sequence[str]) -> None:
    method = getattr(own, name, None)
    wanted = f"async def {name}(self, {', '.join(arguments)})"
    if not callable(method):
        raise InputError(f"{called} has no method {name}, which its `can` promises; it must be `{wanted}`")
    if not inspect.iscoroutinefunction(method):
        raise InputError(f"{name} of {called} is no coroutine; it must be `{wanted}`")
    try:
        inspect.signature(method).bind(*arguments)
    except TypeError as error:
        raise InputError(
            f"{name} of {called} cannot be called with {len(arguments)} arguments ({error}); it must be "
            f"`{wanted}`"
        ) from error


def _as_array(answer: object, called: str) -> np.ndarray:
    try:
        return np.asarray(answer)
    except Exception as error:  # a list of unequal rows, a tensor on a GPU
        raise ModelError(
            f"conditionals of {called} are no array of numbers ({one_line(str(error))}); they must be rows "
            f"of {SYMBOLS} probabilities"
        ) from error


def _is_text(value: object) -> bool:
    return isinstance(value, str) and not any("\ud800" <= character <= "\udfff" for character in value)


def _is_count(value: object) -> bool:
    return isinstance(value, int | np.integer) and bool(0 <= value < MOST)


def _is_number(value: object, may_be_none: bool) -> bool:
    """``-inf`` is one: the ln of a weight of 0."""
    if value is None:
        return may_be_none
    return isinstance(value, int | float | np.integer | np.floating) and bool(value < np.inf)  # nan is not


def _brief(value: object) -> str:
    """What was found, in a few words."""
    shown = one_line(repr(value))
    return shown if len(shown) <= SHOWN else f"{shown[:SHOWN]}… ({type(value).__name__})"
