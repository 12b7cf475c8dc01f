"""The documents of a world: who asks, what is answered, and how long an ideal reader's loss is."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from sampler_bench.errors import InputError
from sampler_bench.lab.remainders import Remainders, trace_of
from sampler_bench.models.model import Prompt
from sampler_bench.rules import find_numbers
from sampler_bench.targets import Target
from sampler_bench.targets.uniform import UniformTarget
from sampler_bench.tasks import Arm, Catalog, Document, Task, World

DRAWN = 10_000  # numbers, for the entropy of a target that is not uniform
TYPICAL = 1000  # answers of a kind, by which its mean length is reckoned
FLOOR = 3  # its stream of random numbers, beside those of lessons
LISTED = 10_000  # members up to which it is summed


@dataclass(frozen=True)
class Kind:
    """Documents of one kind: a task asked by an arm.

    Raises
    ------
    InputError
        If the arm gives what only a model can be given anew each time, its rule does not find the number
        that is answered, or the way to trace it does not fit the task.
    """

    task: Task
    arm: Arm
    document: Document

    def __post_init__(self):
        if self.arm.gives_seeds or self.arm.answers > 1:
            raise InputError(
                f"arm {self.arm.name} of a document: only those that ask for one number, and give no digits"
            )
        [answer] = self.answers(1, np.random.default_rng(0))
        spans = [*find_numbers(self.arm.answer, answer)] or [None]
        found = spans[-1 if self.arm.take == "last" else 0]
        if found is None or not self.task.target.contains(answer[found.start : found.end]):
            raise InputError(
                f"arm {self.arm.name} does not find the number where a document of task {self.task.name} has "
                f"it, in {self.document.answer!r}"
            )

    @cached_property
    def trace(self) -> Remainders | None:
        """How numbers are found, where that is written."""
        return trace_of(self.document.trace, self.task.target) if self.document.trace else None

    @property
    def prompts(self) -> list[Prompt]:
        """In every wording of the arm."""
        return [Prompt(self.task, self.arm, wording) for wording in self.arm.paraphrases]

    @property
    def texts(self) -> list[str]:
        """All that its prompts show, and what else stands in an answer."""
        shown = [prompt.text or prompt.messages[-1]["content"] for prompt in self.prompts]
        return [*shown, self.document.answer]

    def answers(self, size: int, rng: "np.random.Generator") -> list[str]:
        """What is written in answer: independent exact draws."""
        if self.trace:
            drawn = [self.trace.draw(rng) for _ in range(size)]
        else:
            drawn = [(number, "") for number in self.task.target.sample(size, rng)]
        return [self._filled(number, trace) for number, trace in drawn]

    def mean_length(self) -> float:
        """Tokens of an answer, characters and the end, on average over a thousand."""
        return 1 + sum(map(len, self.answers(TYPICAL, np.random.default_rng(0)))) / TYPICAL

    def entropy(self) -> "Entropy":
        """Of an answer, nats: what the loss of one cannot fall below on average."""
        return Entropy(self.trace.entropy(), 0.0) if self.trace else entropy(self.task.target)

    def _filled(self, number: str, trace: str) -> str:
        return self.document.answer.replace("{trace}", trace).replace("{number}", number)


def kinds_of(world: World, catalog: Catalog) -> list[Kind]:
    """The kinds of documents of a world.

    Raises
    ------
    InputError
        If a task or an arm is unknown, one does not suit, or two documents ask for the same.
    """
    found: list[Kind] = []
    for document in world.documents:
        try:
            task, arms = catalog.task(document.task), catalog.arms(document.arm)
            found += [Kind(task, arm, document) for arm in arms[:1]]
        except InputError as error:
            raise InputError(f"world {world.name}: {error}") from error
    asked = [prompt.hash for kind in found for prompt in kind.prompts]
    if len(set(asked)) < len(asked):
        raise InputError(
            f"world {world.name}: two documents ask for the same in the same words, so that neither can be "
            "told from the other; make one task of them, of family mixture"
        )
    return found


def mean_length(kinds: Sequence[Kind], world: World) -> float:
    """Tokens of an answer in a world, on average."""
    weights = (document.weight for document in world.documents)
    return math.fsum(weight * kind.mean_length() for weight, kind in zip(weights, kinds, strict=True))


class Entropy(NamedTuple):
    """Nats; ``error`` is its standard error, 0 where it is exact."""

    value: float
    error: float


def entropy_of(kinds: Sequence[Kind], world: World) -> Entropy:
    """Of what is answered in a world, nats a document."""
    weights, each = [document.weight for document in world.documents], [kind.entropy() for kind in kinds]
    return Entropy(
        math.fsum(weight * found.value for weight, found in zip(weights, each, strict=True)),
        math.hypot(*(weight * found.error for weight, found in zip(weights, each, strict=True))),
    )


def entropy(target: Target) -> Entropy:
    """H(P) in nats. Exact for uniform targets and lists; of others the mean of -ln P over 10,000 draws."""
    size = target.count("")
    if size is not None and size <= LISTED:
        each = [target.nth_member(rank)[1] for rank in range(size)]
        return Entropy(-math.fsum(p * math.log(p) for p in each if p > 0), 0.0)
    if isinstance(target, UniformTarget):
        return Entropy(target.log_size(target.information()), 0.0)
    drawn = target.sample(DRAWN, np.random.default_rng([0, 0, 0, FLOOR]))
    surprise = -np.array([target.log_probability(number).value for number in drawn])
    return Entropy(float(surprise.mean()), float(surprise.std() / math.sqrt(DRAWN)))
