"""What scoring knows of a task besides the records."""

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from sampler_bench.targets import Target

DRAWS = 400
NOTHING = 1e-9  # nats: a target with no more information is uniform digits itself, and none has skill at it


@dataclass(frozen=True)
class Truth:
    """A task's name and target, I(S) in nats, and how many members there are, if that is known."""

    task: str
    target: Target
    information: float
    members: int | None

    @property
    def constrains(self) -> bool:
        """Whether there is anything to have skill at."""
        return self.information > NOTHING

    def seed(self, purpose: str) -> int:
        """A seed that is the task's own, so that all models are scored on the same resamples."""
        return int.from_bytes(hashlib.sha256(f"{purpose} {self.task}".encode()).digest()[:8])

    @cached_property
    def draws(self) -> list[str]:
        """Numbers drawn from the target, to know how a perfect sampler's figures scatter."""
        return self.target.sample(DRAWS, np.random.default_rng(self.seed("draws")))
