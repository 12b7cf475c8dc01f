"""What scoring knows of a task besides the records."""

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from sampler_bench.score.distances import Line, line
from sampler_bench.targets import Target, UniformTarget

DRAWS = 400
NOTHING = 1e-9  # nats: a target with no more information is uniform digits itself, and none has skill at it


@dataclass(frozen=True)
class Truth:
    """A task's name and target, I(S) in nats, and how many members there are, if that is known.

    ``information_error``: the standard error of I, where it is an estimate. ``stratified``: whether numbers
    of a mixture were drawn from each component by itself.
    """

    task: str
    target: Target
    information: float
    members: int | None
    information_error: float = 0.0
    stratified: bool = False

    @property
    def constrains(self) -> bool:
        """Whether there is anything to have skill at."""
        return self.information > NOTHING

    @property
    def log_size(self) -> float | None:
        """ln |S| of a set of numbers of one length, else None."""
        if not (isinstance(self.target, UniformTarget) and self.target.fixed):
            return None
        return self.target.log_size(self.information)

    def seed(self, purpose: str) -> int:
        """A seed that is the task's own, so that all models are scored on the same resamples."""
        return int.from_bytes(hashlib.sha256(f"{purpose} {self.task}".encode()).digest()[:8])

    @cached_property
    def line(self) -> Line | None:
        """The law on a line of a target that has one."""
        return line(self.target)

    @cached_property
    def draws(self) -> list[str]:
        """Numbers drawn from the target, to know how a perfect sampler's scores scatter."""
        return self.target.sample(DRAWS, np.random.default_rng(self.seed("draws")))
