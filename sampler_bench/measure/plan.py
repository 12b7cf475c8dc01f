"""What a run will measure: a list of units, each with an id derived from its content."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from sampler_bench.measure.records import SCHEMA_VERSION
from sampler_bench.models.base import Prompt
from sampler_bench.tasks import Arm, Suite, Task

CHUNK = 16  # numbers or samples in a unit: what an interruption can cost


@dataclass(frozen=True)
class Settings:
    """What every unit of a run shares.

    ``numbers``: numbers per task to read conditionals along. ``samples``: responses per task and arm.
    """

    seed: int
    numbers: int
    samples: int


@dataclass(frozen=True)
class Plan:
    """A suite with its definitions loaded. Reference samplers are measured under ``reference_arm`` alone."""

    suite: Suite
    tasks: list[Task]
    arms: list[Arm]
    reference_arm: Arm
    settings: Settings


@dataclass(frozen=True)
class Unit:
    """A piece of measurement that is done whole or not at all.

    ``kind`` is ``conditionals`` or ``samples``; it covers numbers (or samples) start..start+size-1.
    """

    kind: str
    model: str
    decoder: str
    prompt: Prompt
    settings: Settings
    start: int
    size: int

    @cached_property
    def id(self) -> str:
        """Hash of everything that can change this unit's records."""
        content = {
            "schema": SCHEMA_VERSION,
            "kind": self.kind,
            "task": [self.prompt.task.name, self.prompt.task.version, self.prompt.task.fingerprint],
            "arm": [self.prompt.arm.name, self.prompt.arm.fingerprint],
            "prompt": self.prompt.hash,
            "model": self.model,
            "decoder": self.decoder,
            "seed": self.settings.seed,
            "numbers": self.settings.numbers,
            "part": [self.start, self.size],
        }
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:24]

    def seed(self) -> int:
        """Seed of this unit's samples: shared by no other task, arm or model."""
        names = (self.prompt.task.name, self.prompt.arm.name, self.model, str(self.start))
        return _derived_seed(self.settings.seed, "samples", *names)


def plan_units(
    tasks: Sequence[Task], arms: Sequence[Arm], model: str, decoder: str, settings: Settings
) -> list[Unit]:
    """Units for one model: for each arm and task its samples, and its conditionals where they can be read."""
    units = []
    for arm in arms:
        for task in tasks:
            prompt = Prompt(task, arm)
            if arm.reads_conditionals:
                members = task.target.count("")
                numbers = settings.numbers if members is None else min(settings.numbers, members)
                for start, size in _chunks(numbers):
                    units.append(Unit("conditionals", model, decoder, prompt, settings, start, size))
            for start, size in _chunks(settings.samples):
                units.append(Unit("samples", model, decoder, prompt, settings, start, size))
    return units


def numbers_along(task: Task, settings: Settings, start: int, size: int) -> list[tuple[str, float]]:
    """The numbers start..start+size-1 along which conditionals are read, each with its weight.

    Drawn from the target with a seed of the run and the task alone, so that all models meet the same
    numbers; or, if the target has no more than ``settings.numbers`` members, all of them.
    """
    if is_enumerated(task, settings):
        return [task.target.nth_member(rank) for rank in range(start, start + size)]
    rng = np.random.default_rng(_derived_seed(settings.seed, "numbers", task.name, str(start)))
    return [(number, 1 / settings.numbers) for number in task.target.sample(size, rng)]


def is_enumerated(task: Task, settings: Settings) -> bool:
    """Whether conditionals are read along every member, leaving no sampling error."""
    members = task.target.count("")
    return members is not None and members <= settings.numbers


def _chunks(total: int) -> Iterator[tuple[int, int]]:
    for start in range(0, total, CHUNK):
        yield start, min(CHUNK, total - start)


def _derived_seed(*parts: object) -> int:
    digest = hashlib.sha256(json.dumps(parts).encode()).digest()
    return int.from_bytes(digest[:8]) >> 1
