"""What a run will measure: units, each with an id derived from its content."""

import hashlib
import json
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from sampler_bench.measure.decoders import Ancestral, Decoder
from sampler_bench.measure.records import SCHEMA_VERSION
from sampler_bench.models.base import Prompt
from sampler_bench.tasks import Arm, Suite, Task

CHUNK = 16  # numbers or responses in a unit: what an interruption can cost
ENUMERATED = 4  # members are all measured along if they are at most this many times the numbers to draw


@dataclass(frozen=True)
class Settings:
    """What every unit of a run shares.

    ``numbers``: numbers per task and paraphrase to read conditionals along. ``samples``: answers per task and
    arm, shared among the paraphrases.
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
    decoders: list[Decoder]
    settings: Settings


@dataclass(frozen=True)
class Unit:
    """A piece of measurement that is done whole or not at all.

    ``kind`` is ``conditionals`` or ``samples``; it covers the numbers, or the responses to the prompt's
    paraphrase, start..start+size-1.
    """

    kind: str
    model: str
    decoder: Decoder
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
            "prompt": [self.prompt.paraphrase.name, self.prompt.hash],
            "model": self.model,
            "decoder": self.decoder.name,
            "seed": self.settings.seed,
            "numbers": self.settings.numbers,
            "part": [self.start, self.size],
        }
        if self.reads_traces:
            content["samples"] = self.settings.samples
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:24]

    @property
    def reads_traces(self) -> bool:
        """Whether it goes on from what the model wrote in ``trace_unit``."""
        return self.kind == "conditionals" and self.prompt.arm.conditionals == "trace"

    @property
    def trace_unit(self) -> "Unit":
        """The unit of samples whose first responses are the traces."""
        size = min(CHUNK, _responses(self.prompt, self.settings))
        return replace(self, kind="samples", start=0, size=size)

    def seed(self) -> int:
        """Seed of this unit's samples: shared by no other."""
        prompt = self.prompt
        names = (prompt.task.name, prompt.arm.name, prompt.paraphrase.name, self.model, self.decoder.name)
        return _derived_seed(self.settings.seed, "samples", *names, str(self.start))


@dataclass(frozen=True)
class Units:
    """Units for one model: for each arm, decoder, task and paraphrase its samples and conditionals.

    Made as they are asked for, the same each time. Conditionals only where the arm and the decoder have them;
    a decoder goes with the arms that suit it.
    """

    tasks: Sequence[Task]
    arms: Sequence[Arm]
    decoders: Sequence[Decoder]
    model: str
    settings: Settings

    def __iter__(self) -> Iterator[Unit]:
        for kind, decoder, prompt, total in self._work():
            for start in range(0, total, CHUNK):
                size = min(CHUNK, total - start)
                yield Unit(kind, self.model, decoder, prompt, self.settings, start, size)

    def __len__(self) -> int:
        return sum(-(-total // CHUNK) for *_, total in self._work())

    def _work(self) -> Iterator[tuple[str, Decoder, Prompt, int]]:
        """What is to be measured, and of how many numbers or responses."""
        for arm in self.arms:
            for decoder in self.decoders:
                if decoder.suits(arm):
                    for task in self.tasks:
                        for paraphrase in arm.paraphrases:
                            prompt = Prompt(task, arm, paraphrase)
                            for kind, total in _amounts(prompt, decoder, self.settings):
                                yield kind, decoder, prompt, total


def stages(units: Iterable[Unit], done: Container[str] = ()) -> Iterator[Iterator[Unit]]:
    """The units that are not done, twice lazily: first those that write traces, then those that read them."""
    for reads_traces in (False, True):
        yield (unit for unit in units if unit.reads_traces == reads_traces and unit.id not in done)


def numbers_along(unit: Unit) -> list[tuple[str, float]]:
    """The numbers that a unit of conditionals covers, each with its weight.

    Drawn from the target with a seed of the run and the task alone, so that all models meet the same
    numbers; or, if the target has few members, all of them.
    """
    task, ranks = unit.prompt.task, range(unit.start, unit.start + unit.size)
    drawn = _drawn(unit.prompt.arm, unit.settings)
    if _is_enumerated(task, drawn):
        return [task.target.nth_member(rank) for rank in ranks]
    rng = np.random.default_rng(_derived_seed(unit.settings.seed, "numbers", task.name, str(unit.start)))
    return [(number, 1 / drawn) for number in task.target.sample(unit.size, rng)]


def _amounts(prompt: Prompt, decoder: Decoder, settings: Settings) -> Iterator[tuple[str, int]]:
    """How many numbers to read along, and how many responses to draw."""
    arm, responses = prompt.arm, _responses(prompt, settings)
    after_traces = arm.conditionals == "trace" and isinstance(decoder, Ancestral) and responses > 0
    if decoder.has_law and (arm.conditionals == "start" or after_traces):
        drawn = _drawn(arm, settings)
        yield "conditionals", prompt.task.target.count("") if _is_enumerated(prompt.task, drawn) else drawn
    yield "samples", responses


def _drawn(arm: Arm, settings: Settings) -> int:
    """Numbers to draw: each is read after every trace, so fewer of them keep the cost."""
    return -(-settings.numbers // arm.traces) if arm.conditionals == "trace" else settings.numbers


def _is_enumerated(task: Task, drawn: int) -> bool:
    """Whether conditionals are read along every member, leaving no sampling error."""
    members = task.target.count("")
    return members is not None and members <= ENUMERATED * drawn


def _responses(prompt: Prompt, settings: Settings) -> int:
    """The paraphrase's share of the answers, in responses."""
    paraphrases = prompt.arm.paraphrases
    place = paraphrases.index(prompt.paraphrase)
    share = len(range(place, settings.samples, len(paraphrases)))
    return -(-share // prompt.arm.answers)


def _derived_seed(*parts: object) -> int:
    digest = hashlib.sha256(json.dumps(parts).encode()).digest()
    return int.from_bytes(digest[:8]) >> 1
