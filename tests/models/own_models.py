"""Models of the tests' own, as someone else would write them."""

from collections.abc import Sequence

import numpy as np

from sampler_bench import Response


class Laws:
    """Says that every digit is as likely, but for a 7 twice, until the number is complete."""

    name = "sevens"
    can = frozenset({"laws"})
    identity = "sevens 1"

    def describe(self):
        return {"identity": self.identity}

    def law(self, prompt, prefix: str) -> list[float]:
        if len(prefix) >= prompt.task.target.digits:
            return [0.0] * 10 + [1.0]
        return [1 / 11] * 7 + [2 / 11] + [1 / 11] * 2 + [0.0]

    async def conditionals(self, prompt, prefixes: Sequence[str], trace: str = ""):
        return np.array([self.law(prompt, prefix) for prefix in prefixes])


class Samples:
    """Writes numbers by that law."""

    name = "writer"
    can = frozenset({"samples"})

    def describe(self):
        return {"identity": "writer 1"}

    async def sample(self, prompt, size: int, seed: int, options):
        rng = np.random.default_rng(seed)
        return [self.written(prompt, rng) for _ in range(size)]

    def written(self, prompt, rng) -> Response:
        return Response("".join(map(str, rng.choice([*range(10), 7], prompt.task.target.digits))))


class Both(Samples, Laws):
    """Does both."""

    name = "sevens"
    can = frozenset({"laws", "samples"})

    def describe(self):
        return {"identity": self.identity}
