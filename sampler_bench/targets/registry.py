"""Families of numbers by name, and the targets that definitions in task files make of them.

A family is a dataclass of targets with its name above it: ``@family("digit-sums")``. The modules of
``families/`` are found where they lie; other packages name theirs as entry points of ``GROUP``.
"""

import pkgutil
import sys
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from functools import cache, lru_cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ArgsKwargs

from sampler_bench.errors import InputError
from sampler_bench.targets.base import Target
from sampler_bench.targets.values import brief, check_nesting, explain, frozen, restored

GROUP = "sampler_bench.families"  # of entry points: the name of a family, and its class
BUILT_IN = "sampler_bench.targets.families"

Kind = TypeVar("Kind", bound=type[Target])
_REGISTERED: dict[str, type[Target]] = {}


def family(name: str) -> Callable[[Kind], Kind]:
    """Make the dataclass below it the family of that name. To define the same class anew is all right.

    Raises
    ------
    InputError
        If it is no dataclass of targets, leaves out what every target offers, or the name is another's.
    """

    def register(kind: Kind) -> Kind:
        if not (isinstance(kind, type) and issubclass(kind, Target) and is_dataclass(kind)):
            raise InputError(f"family {name!r}: {kind!r} is no dataclass of targets")
        if kind.__abstractmethods__:
            raise InputError(
                f"family {name!r}: {_path(kind)} lacks {', '.join(sorted(kind.__abstractmethods__))}"
            )
        if not _is_built_in(kind):
            _import_built_in()  # nobody else takes a name of theirs
        other = _REGISTERED.get(name, kind)
        if _path(other) != _path(kind):
            raise InputError(f"family {name!r} is {_path(other)}, so {_path(kind)} needs another name")
        _REGISTERED[name] = kind
        return kind

    return register


def registered() -> dict[str, type[Target]]:
    """By name: the families here, and of others those that this process has defined or asked for."""
    _import_built_in()
    return dict(sorted(_REGISTERED.items()))


def foreign_names() -> set[str]:
    """Of families that are not of this package: of entry points, and registered in this process."""
    others = {name for name, kind in _REGISTERED.items() if not _is_built_in(kind)}
    return others | {entry.name for entry in _entry_points(tuple(sys.path))}


def find_family(name: object) -> type[Target]:
    """The class of the family of that name.

    Raises
    ------
    InputError
        If there is none, or an entry point of that name is of no use.
    """
    entries = _entry_points(tuple(sys.path))
    for entry in entries:
        if entry.name == name:
            _take_in(entry)
    if isinstance(name, str) and (found := _REGISTERED.get(name) or _in_a_module_of_its_name(name)):
        return found
    families = registered()
    if not isinstance(name, str) or name not in families:
        names = sorted({*families, *(entry.name for entry in entries)})
        raise InputError(f"family = {brief(name)} is not known; choose from {', '.join(names)}")
    return families[name]


def make_target(definition: dict) -> Target:
    """The target that ``{"family": NAME, key: value, ...}`` defines.

    Raises
    ------
    InputError
        If there is no such family, a key is unknown, missing or of a wrong type, the values make no sense, or
        the definition is too large.
    """
    check_nesting(definition)
    given = {key: restored(value) for key, value in definition.items()}
    parameters = {key: frozen(value) for key, value in given.items() if key != "family"}
    kind = find_family(given.get("family"))
    target = object.__new__(kind)
    try:
        # As if called with keywords, but checked strictly: "3" is not 3.
        _adapter(kind).validator.validate_python(ArgsKwargs((), parameters), self_instance=target)
    except ValidationError as error:
        assert is_dataclass(kind)  # ``family`` takes no other
        keys = ["family", *(field.name for field in fields(kind))]
        raise InputError(explain(error, keys)) from error
    return target


@lru_cache(maxsize=64)
def _adapter(kind: type[Target]) -> TypeAdapter:
    return TypeAdapter(kind)


def _in_a_module_of_its_name(name: str) -> type[Target] | None:
    """A family here whose module begins as it does: found without importing the others."""
    for module in _built_in_modules():
        if module.startswith(name.replace("-", "_")):
            import_module(f"{BUILT_IN}.{module}")
    return _REGISTERED.get(name)


def _built_in_modules() -> list[str]:
    return [module.name for module in pkgutil.iter_modules(import_module(BUILT_IN).__path__)]


@cache
def _import_built_in() -> None:
    for module in _built_in_modules():
        import_module(f"{BUILT_IN}.{module}")


@lru_cache(maxsize=8)
def _entry_points(path: tuple[str, ...]) -> tuple[EntryPoint, ...]:  # noqa: ARG001  where they are looked for
    return tuple(entry_points(group=GROUP))


def _take_in(entry: EntryPoint) -> None:
    """Register what an entry point names. Raises InputError, whatever is wrong with it."""
    try:
        family(entry.name)(entry.load())
    except Exception as error:  # it is a stranger's module that is imported
        raise InputError(f"entry point {entry.name} = {entry.value} of {GROUP}: {error}") from error


def _is_built_in(kind: type[Target]) -> bool:
    return kind.__module__.startswith(f"{BUILT_IN}.")


def _path(kind: type[Target]) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"
