"""Reference samplers: rows whose scores are known beforehand, measured by the same code as a model.

They read no prompt but know the task's target.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np

from sampler_bench.errors import DeadPrefixError
from sampler_bench.models.base import NATURAL, Prompt, Response, SamplingOptions, child_seeds
from sampler_bench.targets import END, SYMBOLS, Target


class Reference(ABC):
    """A sampler with a closed-form next-symbol law."""

    name: str

    @abstractmethod
    def law(self, target: Target, prefix: str) -> np.ndarray:
        """q(next symbol | prefix), shape (11,)."""

    async def conditionals(self, prompt: Prompt, prefixes: Sequence[str], trace: str = "") -> np.ndarray:
        rows = [self.law(prompt.task.target, prefix) for prefix in prefixes]
        return np.array(rows).reshape(-1, SYMBOLS)

    async def sample(
        self, prompt: Prompt, size: int, seed: int, options: SamplingOptions = NATURAL
    ) -> list[Response]:
        target = prompt.task.target
        responses = []
        for child in child_seeds(seed, size):
            number = self.draw(target, np.random.default_rng(child))
            responses.append(Response(number, child, "stop", 0, len(number), 0.0))
        return responses

    def draw(self, target: Target, rng: np.random.Generator) -> str:
        """One number, digit by digit from the law."""
        number = ""
        while (symbol := rng.choice(SYMBOLS, p=self.law(target, number))) != END:
            number += str(symbol)
        return number


class Oracle(Reference):
    """Draws from the target itself: the ceiling, and the noise floor of every sampled figure."""

    name = "oracle"

    def law(self, target: Target, prefix: str) -> np.ndarray:
        return target.conditional(prefix).p

    def draw(self, target: Target, rng: np.random.Generator) -> str:
        return target.sample(1, rng)[0]


class UniformDigits(Reference):
    """Uniform digits, stopping as the target does: the floor, content I(S).

    The first digit is one of 1..9, or of 0..9 where the target allows a 0 there. Where no member is left, it
    writes on to the full length, or stops if the target's numbers differ in length.
    """

    name = "uniform-digits"

    def law(self, target: Target, prefix: str) -> np.ndarray:
        q = np.zeros(SYMBOLS)
        q[END], go_on = self._stop_or_go(target, prefix)
        first = 1 if not prefix and target.conditional("").p[0] == 0 else 0
        q[first:END] = go_on / (END - first)
        return q

    def _stop_or_go(self, target: Target, prefix: str) -> tuple[float, float]:
        if target.fixed:
            complete = len(prefix) == target.digits
            return float(complete), float(not complete)
        try:
            p = target.conditional(prefix).p
        except DeadPrefixError:
            return 1.0, 0.0
        return p[END], p[:END].sum()  # not 1 - p[END], which may be 0 where this is 1e-40


class FeasibleUniform(Reference):
    """Uniform over the symbols that can still be completed: the support without the counts."""

    name = "feasible-uniform"

    def law(self, target: Target, prefix: str) -> np.ndarray:
        feasible = target.conditional(prefix).p > 0
        return feasible / feasible.sum()


REFERENCES: dict[str, type[Reference]] = {
    kind.name: kind for kind in (Oracle, UniformDigits, FeasibleUniform)
}
