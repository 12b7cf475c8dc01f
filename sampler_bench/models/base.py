"""What everything that can be measured offers, the reference samplers included."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np

from sampler_bench.tasks import Arm, Task

ANCESTRAL = "ancestral"  # decoder: temperature 1, nothing masked


@dataclass(frozen=True)
class Prompt:
    """A task asked in the words of an arm."""

    task: Task
    arm: Arm

    @cached_property
    def messages(self) -> list[dict[str, str]]:
        """The chat, the model's answer being the next turn."""
        return [
            {"role": message.role, "content": message.content.replace("{phrase}", self.task.phrase)}
            for message in self.arm.messages
        ]

    @property
    def max_tokens(self) -> int:
        """Room for the response: what the arm needs beside the number, and the number."""
        return self.arm.tokens + self.task.target.digits

    @cached_property
    def hash(self) -> str:
        """Hash of all that the model is shown."""
        return hashlib.sha256(json.dumps(self.messages).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Response:
    """One sampled response. ``seconds`` is the wall time of the request that returned it."""

    text: str
    seed: int
    finish_reason: str
    prompt_tokens: int
    completion_tokens: int
    seconds: float


class DigitModel(Protocol):
    """Something with a next-digit distribution."""

    name: str
    decoder: str

    async def conditionals(self, prompt: Prompt, prefixes: Sequence[str]) -> np.ndarray:
        """q(next symbol | prefix) after the prompt, for each prefix.

        Returns
        -------
        ndarray of float64, shape (len(prefixes), 11)
            The digits 0..9, then the mass on anything that is not a digit.
        """

    async def sample(self, prompt: Prompt, size: int, seed: int) -> list[Response]:
        """Independent responses; the same seed gives the same ones, as far as the model can."""


def child_seeds(seed: int, size: int) -> list[int]:
    """Seeds for ``size`` independent draws, 63 bits each, spread by hashing (numpy's SeedSequence)."""
    return [int(state >> 1) for state in np.random.SeedSequence(seed).generate_state(size, np.uint64)]
