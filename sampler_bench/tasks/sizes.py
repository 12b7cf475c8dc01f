"""How large tasks are, for lists of them: kept on disk, for to count and sum them all takes seconds."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version

import numpy as np

from sampler_bench.errors import MissingPackageError
from sampler_bench.integers import to_int, to_text
from sampler_bench.targets.counting.truth_cache import kept
from sampler_bench.targets.registry import foreign_names
from sampler_bench.tasks.catalog import Catalog
from sampler_bench.tasks.definitions import Task


@dataclass(frozen=True)
class Size:
    """``members`` of a task, None where they are not counted, and its ``information``, nats.

    Both are None where a package that counts them is not installed.
    """

    members: int | None = None
    information: float | None = None


def with_sizes(catalog: Catalog, names: Sequence[str]) -> list[tuple[Task, Size]]:
    """Tasks of a catalog; their targets are made only if the same were not listed before.

    Raises
    ------
    InputError
        If there is no such task, or its file is not right.
    """
    tasks = [catalog.definition(name) for name in names]
    definitions = [task.target_definition for task in tasks]

    def compute() -> np.ndarray:
        if set(_families(definitions)) & foreign_names():
            raise _ForeignError
        sizes = [_counted(catalog.task(name)) for name in names]
        text = json.dumps([(size.members and to_text(size.members), size.information) for size in sizes])
        return np.frombuffer(text.encode(), np.uint8)

    digest = hashlib.sha256(json.dumps(definitions).encode()).hexdigest()
    try:
        question = f"sizes of targets {digest} by scipy {version('scipy')}"
        found = json.loads(kept(question, compute).tobytes())
        sizes = [Size(members and to_int(members), information) for members, information in found]
    except (MissingPackageError, _ForeignError):
        sizes = [_size(catalog.task(name)) for name in names]
    return list(zip(tasks, sizes, strict=True))


class _ForeignError(Exception):
    """A family is not of this package: its code may change and say nothing of it, so nothing is kept."""


def _families(value: object) -> Iterator[str]:
    """All that definitions name, at any depth."""
    if isinstance(value, dict):
        if isinstance(value.get("family"), str):
            yield value["family"]
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from _families(each)


def _counted(task: Task) -> Size:
    return Size(task.target.count(""), task.target.information())


def _size(task: Task) -> Size:
    try:
        return _counted(task)
    except MissingPackageError:
        return Size()
