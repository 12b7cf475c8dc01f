"""What everything that can be measured offers, the reference samplers included."""

import hashlib
import json
import re
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np

from sampler_bench.tasks import Arm, Paraphrase, Task

LAWS = "laws"  # what a model can do: say its next-digit distribution
SAMPLES = "samples"  # and write responses
BOTH = frozenset({LAWS, SAMPLES})


@dataclass(frozen=True)
class SamplingOptions:
    """How the next token is drawn; the defaults are the model's own law.

    ``top_p`` keeps the likeliest tokens that together hold this mass, ``top_k`` the k likeliest (0: all).
    """

    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int = 0


NATURAL = SamplingOptions()
LEAST_GIVEN = 10  # random digits of a prompt that gives some
PLACES = re.compile(r"\{(answers|phrase|law|seed)\}")  # in wordings, for what a prompt fills in


@dataclass(frozen=True)
class Prompt:
    """A task asked in one wording of an arm.

    ``blind``: its control phrase stands in place of its phrase, so that the constraint is not spoken of.
    ``seed``: random digits, for the wording of an arm that gives some.
    """

    task: Task
    arm: Arm
    paraphrase: Paraphrase
    blind: bool = False
    seed: str = ""

    @property
    def phrase(self) -> str:
        """What is asked for."""
        return self.task.control_phrase if self.blind else self.task.phrase

    @cached_property
    def messages(self) -> list[dict[str, str]]:
        """The chat, the model's answer being the next turn; empty where ``text`` is given."""
        return [
            {"role": message.role, "content": self._filled(message.content)}
            for message in self.paraphrase.messages
        ]

    @cached_property
    def text(self) -> str:
        """The text for a base model to continue; empty where there are messages."""
        return self._filled(self.paraphrase.text)

    @property
    def seed_length(self) -> int:
        """Random digits that its wording gives: twice as many as a number has, ten at least; 0 if none."""
        return max(2 * self.task.target.digits, LEAST_GIVEN) if self.arm.gives_seeds else 0

    @property
    def max_tokens(self) -> int:
        """Room for the response: what the arm needs beside the numbers, and the numbers, a line each."""
        return self.arm.tokens + self.arm.answers * (self.task.target.digits + 1) - 1

    @cached_property
    def hash(self) -> str:
        """Hash of all that the model is shown."""
        return hashlib.sha256(json.dumps([self.messages, self.text]).encode()).hexdigest()[:16]

    def _filled(self, wording: str) -> str:
        return PLACES.sub(lambda place: self._filling(place[1]), wording)

    def _filling(self, place: str) -> str:
        match place:
            case "answers":
                return str(self.arm.answers)
            case "law":
                return "" if self.blind else self.task.target.law_in_words()
            case "seed":
                return self.seed
            case _:
                return self.phrase


@dataclass(frozen=True)
class Response:
    """One sampled response, and what it cost. ``Response("123456")`` will do where nothing else is known.

    Attributes
    ----------
    text : str
        What was written, without the thinking of a reasoning model, which is in ``thinking``.
    seed : int
        It was drawn with; 0 stands for that of all the responses asked for together.
    finish_reason : str
        Why it ended; ``length`` where it was cut, which stands for no end of the number.
    seconds : float
        Wall time of the requests that returned it.
    forward_passes : int
        Passes of the model, of one position or of a prompt. A pass that served several responses is counted
        with the first of them.
    log_weight : float or None
        ln of the weight that makes responses drawn together a sample of the law their decoder aims at; the
        mean weight is an unbiased estimate of that law's normaliser. None if the decoder gives none.
    """

    text: str
    seed: int = 0
    finish_reason: str = "stop"
    prompt_tokens: int = 0
    completion_tokens: int = 0
    seconds: float = 0.0
    thinking: str = ""
    forward_passes: int = 0
    log_weight: float | None = None


class OwnModel(Protocol):
    """What can be given to ``run``: it has ``conditionals``, ``sample`` or both, as ``can`` says.

    Its methods are those of ``DigitModel``. What is an async context manager is entered before it is asked.
    """

    @property
    def name(self) -> str:
        """What its rows are called."""
        ...

    @property
    def can(self) -> AbstractSet[str]:
        """``LAWS``, ``SAMPLES`` or both."""
        ...

    def describe(self) -> dict:
        """What the manifest says of it, as JSON; ``identity`` tells one set of weights from another."""
        ...


class DigitModel(OwnModel, Protocol):
    """Something with a next-digit distribution that writes responses by it."""

    async def conditionals(self, prompt: Prompt, prefixes: Sequence[str], trace: str = "") -> np.ndarray:
        """q(next symbol | prefix) after the prompt and a trace, for each prefix.

        Returns
        -------
        ndarray of float64, shape (len(prefixes), 11)
            The digits 0..9, then the mass on anything that is not a digit.
        """
        ...

    async def sample(
        self, prompt: Prompt, size: int, seed: int, options: SamplingOptions = NATURAL
    ) -> list[Response]:
        """Independent responses; the same seed gives the same ones, as far as the model can."""
        ...

    async def vouch(self) -> None:
        """Raise SamplerBenchError if what was said so far may be another model's than what was first met."""
        ...


def child_seeds(seed: int, size: int) -> list[int]:
    """Seeds for ``size`` independent draws, 63 bits each, spread by hashing (numpy's SeedSequence)."""
    return [int(state >> 1) for state in np.random.SeedSequence(seed).generate_state(size, np.uint64)]
