"""What a run will measure: units, each with an id derived from its content."""

import hashlib
import json
from collections.abc import Collection, Container, Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from sampler_bench.measure.decoders import Ancestral, Decoder
from sampler_bench.models.model import BOTH, LAWS, Prompt
from sampler_bench.runs.manifest import UNITS_FORM, Settings
from sampler_bench.targets.strata import Stratum, strata
from sampler_bench.tasks import Arm, Paraphrase, Suite, Task

CHUNK = 16  # numbers or responses in a unit: what an interruption can cost
PART = "\0part"  # stands where an id names a part; no name holds it
ENUMERATED = 4  # members are all measured along if they are at most this many times the numbers to draw


@dataclass(frozen=True)
class Controls:
    """What is measured besides, to tell what the scores are worth (docs/method.md, "Controls").

    ``blind``: the arms in which laws are read, too, with the control phrase in place of the task's, by where
    they read them (``start``, ``trace``). ``irrelevant_traces``: whether they are read after the traces of
    another task of the suite.
    """

    blind: Collection[str] = ("start",)
    irrelevant_traces: bool = False


NO_CONTROLS = Controls(blind=())


@dataclass(frozen=True)
class Plan:
    """A suite with its definitions loaded. Reference samplers are measured under ``reference_arm`` alone."""

    suite: Suite
    tasks: list[Task]
    arms: list[Arm]
    reference_arm: Arm
    decoders: list[Decoder]
    settings: Settings
    controls: Controls = field(default_factory=Controls)


@dataclass(frozen=True)
class Unit:
    """A piece of measurement that is done whole or not at all.

    ``kind`` is ``conditionals`` or ``samples``; it covers the numbers, or the responses to the prompt's
    paraphrase, start..start+size-1. ``traces_of``: the task whose traces it goes on from, if another.
    """

    kind: str
    model: str
    decoder: Decoder
    prompt: Prompt
    settings: Settings
    start: int
    size: int
    traces_of: Task | None = None

    @cached_property
    def id(self) -> str:
        """Hash of everything that can change this unit's records."""
        return self._hash(self.start, self.size)

    def part_id(self, start: int) -> str:
        """The id of a part, without making it: there may be a million."""
        return self._hash(start, min(CHUNK, self.size - start))

    def _hash(self, start: int, size: int) -> str:
        before, after = self._around_part
        return hashlib.sha256(f"{before}[{start}, {size}]{after}".encode()).hexdigest()[:24]

    @cached_property
    def _around_part(self) -> list[str]:
        """What an id is the hash of, before and after the words for its part."""
        content = {
            "schema": UNITS_FORM,
            "kind": self.kind,
            "task": [self.prompt.task.name, self.prompt.task.version, self.prompt.task.fingerprint],
            "arm": [self.prompt.arm.name, self.prompt.arm.fingerprint],
            "prompt": [self.prompt.paraphrase.name, self.prompt.hash],
            "model": self.model,
            "decoder": self.decoder.name,
            "seed": self.settings.seed,
            "numbers": self.settings.numbers,
            "part": PART,
            "draws": self.prompt.task.target.draws,
            "blind": self.prompt.blind,
        }
        if self.reads_traces:
            content["traces"] = self.trace_unit.id
        return json.dumps(content, sort_keys=True).split(json.dumps(PART))

    @property
    def starts(self) -> range:
        """Where its parts begin, if it is the whole of what units are made of."""
        return range(0, self.size, CHUNK)

    def part(self, start: int) -> "Unit":
        """The unit of a whole that begins there."""
        return replace(self, start=start, size=min(CHUNK, self.size - start))

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
        prompt = replace(self.prompt, task=self.traces_of or self.prompt.task)
        size = min(CHUNK, _responses(prompt, self.settings))
        return replace(self, kind="samples", prompt=prompt, start=0, size=size, traces_of=None)

    def seed(self) -> int:
        """Seed of this unit's samples: shared by no other."""
        prompt = self.prompt
        names = [prompt.task.name, prompt.arm.name, prompt.paraphrase.name, self.model, self.decoder.name]
        names += ["blind"] if prompt.blind else []
        return _derived_seed(self.settings.seed, "samples", *names, str(self.start))


@dataclass(frozen=True)
class Units:
    """Units for one model: for each arm, decoder, task and paraphrase its samples, conditionals and controls.

    Made as they are asked for, the same each time. Conditionals only where the arm and the decoder have them;
    a decoder goes with the arms that suit it. What needs more than the model ``can`` is left out.
    """

    tasks: Sequence[Task]
    arms: Sequence[Arm]
    decoders: Sequence[Decoder]
    model: str
    settings: Settings
    can: Set[str] = BOTH
    controls: Controls = field(default_factory=Controls)

    def __iter__(self) -> Iterator[Unit]:
        for whole in self.wholes():
            yield from map(whole.part, whole.starts)

    def __len__(self) -> int:
        return sum(len(whole.starts) for whole in self.wholes())

    def ways(self) -> dict[str, set[str]]:
        """What is measured (the kinds of units) by arm, and decoder where that is not the ordinary one."""
        kinds: dict[str, set[str]] = {}
        for whole in self.wholes():
            if whole.size:
                way = f"{whole.prompt.arm.name} {whole.decoder.name}".removesuffix(f" {Ancestral.kind}")
                kinds.setdefault(way, set()).add(whole.kind)
        return kinds

    def wholes(self) -> Iterator[Unit]:
        """What is to be measured, of all its numbers or responses at once."""
        for arm in self.arms:
            for decoder in self.decoders:
                if decoder.suits(arm):
                    for place in range(len(self.tasks)):
                        for paraphrase in arm.paraphrases:
                            yield from self._of_wording(place, arm, paraphrase, decoder)

    def _of_wording(self, place: int, arm: Arm, paraphrase: Paraphrase, decoder: Decoder) -> Iterator[Unit]:
        """A task's samples and conditionals, and then their controls."""
        prompt, settings = Prompt(self.tasks[place], arm, paraphrase), self.settings
        whole = Unit("samples", self.model, decoder, prompt, settings, 0, 0)
        samples, laws = _samples(prompt, decoder, settings), _conditionals(prompt, decoder, settings)
        wanted = [(whole, laws), (whole, samples)]
        after_traces = arm.conditionals == "trace"
        if laws and arm.conditionals in self.controls.blind:
            blind = replace(whole, prompt=replace(prompt, blind=True))
            if blind.prompt.hash != prompt.hash:
                wanted.append((blind, laws))
                if after_traces:
                    wanted.append((blind, replace(samples, total=arm.traces, needs=laws.needs)))
        if laws and after_traces and self.controls.irrelevant_traces and len(self.tasks) > 1:
            other = self.tasks[(place + len(self.tasks) // 2) % len(self.tasks)]
            wanted.append((replace(whole, traces_of=other), laws))
        for unit, amount in wanted:
            if amount and amount.needs <= self.can:
                yield replace(unit, kind=amount.kind, size=amount.total)


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


@dataclass(frozen=True)
class _Amount:
    """How many numbers to read along, or responses to draw, and what a model needs for it."""

    kind: str
    total: int
    needs: Set[str]


def _conditionals(prompt: Prompt, decoder: Decoder, settings: Settings) -> _Amount | None:
    """None where the arm or the decoder has none."""
    arm = prompt.arm
    after_traces = arm.conditionals == "trace" and isinstance(decoder, Ancestral)
    if decoder.law is None or not (arm.conditionals == "start" or after_traces):
        return None
    drawn = _drawn(arm, settings)
    members = prompt.task.target.count("") if _is_enumerated(prompt.task, drawn) else None
    needs = BOTH if after_traces else frozenset({LAWS})
    return _Amount("conditionals", drawn if members is None else members, needs)


def _samples(prompt: Prompt, decoder: Decoder, settings: Settings) -> _Amount:
    return _Amount("samples", _responses(prompt, settings), frozenset({decoder.draws_from}))


def _drawn(arm: Arm, settings: Settings) -> int:
    """Numbers to draw: each is read after every trace, so fewer of them keep the cost."""
    return -(-settings.numbers // arm.traces) if arm.conditionals == "trace" else settings.numbers


def _is_enumerated(task: Task, drawn: int) -> bool:
    """Whether conditionals are read along every member, leaving no sampling error."""
    members = task.target.count("")
    return members is not None and members <= ENUMERATED * drawn


def _responses(prompt: Prompt, settings: Settings) -> int:
    """The paraphrase's share of the answers, in responses; of an arm with traces, as many at least."""
    arm = prompt.arm
    if prompt.blind:
        return arm.traces
    place = arm.paraphrases.index(prompt.paraphrase)
    share = len(range(place, settings.samples, len(arm.paraphrases)))
    least = arm.traces if arm.conditionals == "trace" else 0
    return max(-(-share // arm.answers), least)


def _derived_seed(*parts: object) -> int:
    digest = hashlib.sha256(json.dumps(parts).encode()).digest()
    return int.from_bytes(digest[:8]) >> 1
