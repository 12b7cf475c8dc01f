"""What a run will measure: units, each with an id derived from its content."""

import hashlib
import json
from collections.abc import Container, Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from sampler_bench.measure.decoders import Ancestral, Decoder
from sampler_bench.models.model import BOTH, LAWS, Prompt
from sampler_bench.runs.manifest import Settings
from sampler_bench.targets.strata import Stratum, strata
from sampler_bench.tasks import Arm, Suite, Task

CHUNK = 16  # numbers or responses in a unit: what an interruption can cost
FORM = 2  # of what the ids of units are made of: another, and no run that was begun is gone on with
ENUMERATED = 4  # members are all measured along if they are at most this many times the numbers to draw


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
            "schema": FORM,
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
        if self.prompt.task.target.draws > 1:
            content["draws"] = self.prompt.task.target.draws
        if self.reads_traces:
            content["samples"] = self.settings.samples
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:24]

    @property
    def drawn(self) -> int:
        """Of how many numbers drawn from the target its numbers are a part."""
        return _drawn(self.prompt.arm, self.settings)

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
    a decoder goes with the arms that suit it. What needs more than the model ``can`` is left out.
    """

    tasks: Sequence[Task]
    arms: Sequence[Arm]
    decoders: Sequence[Decoder]
    model: str
    settings: Settings
    can: Set[str] = BOTH

    def __iter__(self) -> Iterator[Unit]:
        for kind, decoder, prompt, total in self._work():
            for start in range(0, total, CHUNK):
                size = min(CHUNK, total - start)
                yield Unit(kind, self.model, decoder, prompt, self.settings, start, size)

    def __len__(self) -> int:
        return sum(-(-total // CHUNK) for *_, total in self._work())

    def ways(self) -> dict[str, set[str]]:
        """What is measured (the kinds of units) by arm, and decoder where that is not the ordinary one."""
        kinds: dict[str, set[str]] = {}
        for kind, decoder, prompt, total in self._work():
            if total:
                way = f"{prompt.arm.name} {decoder.name}".removesuffix(f" {Ancestral.kind}")
                kinds.setdefault(way, set()).add(kind)
        return kinds

    def _work(self) -> Iterator[tuple[str, Decoder, Prompt, int]]:
        """What is to be measured, and of how many numbers or responses."""
        for arm in self.arms:
            for decoder in self.decoders:
                if decoder.suits(arm):
                    for task in self.tasks:
                        for paraphrase in arm.paraphrases:
                            prompt = Prompt(task, arm, paraphrase)
                            for kind, total, needs in _amounts(prompt, decoder, self.settings):
                                if needs <= self.can:
                                    yield kind, decoder, prompt, total


def stages(units: Iterable[Unit], done: Container[str] = ()) -> Iterator[Iterator[Unit]]:
    """The units that are not done, twice lazily: first those that write traces, then those that read them."""
    for reads_traces in (False, True):
        yield (unit for unit in units if unit.reads_traces == reads_traces and unit.id not in done)


def numbers_along(unit: Unit) -> list[tuple[str, float]]:
    """The numbers that a unit of conditionals covers, each with its weight.

    Drawn from the target with a seed of the run and the task alone, so that all models meet the same
    numbers, from one stratum after the other; or, if the target has few members, all of them.
    """
    target, places = unit.prompt.task.target, range(unit.start, unit.start + unit.size)
    drawn = unit.drawn
    if _is_enumerated(unit.prompt.task, drawn):
        return [target.nth_member(rank) for rank in places]
    numbers: list[tuple[str, float]] = []
    first = 0
    for stratum in strata(target, drawn):
        begin, end = max(places.start, first) - first, min(places.stop, first + stratum.numbers) - first
        numbers += [(number, stratum.weight) for number in _drawn_from(stratum, unit, begin, end)]
        first += stratum.numbers
    return numbers


def _drawn_from(stratum: Stratum, unit: Unit, begin: int, end: int) -> Iterator[str]:
    """Its numbers of the places begin..end-1, in blocks of ``CHUNK``, each with a seed of its own.

    However many are drawn in all, the first are the same.
    """
    names = ["numbers", unit.prompt.task.name, *filter(None, [stratum.name])]
    for start in range(begin // CHUNK * CHUNK, end, CHUNK):
        rng = np.random.default_rng(_derived_seed(unit.settings.seed, *names, str(start)))
        yield from stratum.target.sample(min(CHUNK, end - start), rng)[max(begin - start, 0) :]


def _amounts(prompt: Prompt, decoder: Decoder, settings: Settings) -> Iterator[tuple[str, int, Set[str]]]:
    """How many numbers to read along, and how many responses to draw; with what a model needs for each."""
    arm, responses = prompt.arm, _responses(prompt, settings)
    after_traces = arm.conditionals == "trace" and isinstance(decoder, Ancestral) and responses > 0
    if decoder.law is not None and (arm.conditionals == "start" or after_traces):
        drawn = _drawn(arm, settings)
        members = prompt.task.target.count("") if _is_enumerated(prompt.task, drawn) else None
        yield (
            "conditionals",
            drawn if members is None else members,
            BOTH if arm.conditionals == "trace" else {LAWS},
        )
    yield "samples", responses, {decoder.draws_from}


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
