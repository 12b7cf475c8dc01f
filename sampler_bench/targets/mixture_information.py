"""KL(P || U) of a mixture, in nats: exact where members can be listed or do not overlap, else from draws."""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from sampler_bench.targets.base import DIGITS, END, Target

ALL_NUMBERS = 1e-9  # nats: a component with no more information holds all numbers of its length
LISTED = 10_000  # members of a component that are gone through
DRAWS = 2000  # of a component, or of a mixture, where that is too many


def information_of_list(members: Iterable[tuple[str, float]]) -> float:
    """From all members and their probabilities, by the chain rule."""
    starts: dict[str, float] = defaultdict(float)
    for number, p in members:
        for length in range(len(number) + 1):
            starts[number[:length]] += p
    laws = ((prefix, [starts.get(prefix + digit, 0.0) for digit in DIGITS]) for prefix in list(starts))
    return math.fsum(_divergence(prefix, np.array(law)) for prefix, law in laws)


def information_from_draws(target: Target) -> float:
    """The mean, over draws with a fixed seed, of the divergences met along a number."""
    along = [
        math.fsum(
            _divergence(number[:k], target.conditional(number[:k]).p[:END]) for k in range(len(number) + 1)
        )
        for number in target.sample(DRAWS, np.random.default_rng(0))
    ]
    return float(np.mean(along))


def information_of_uniforms(weights: Sequence[float], components: Sequence[Target]) -> float:
    """Of components that are uniform over sets of numbers of one length.

    With I a component's own information, P(x) / U(x) is the sum of w exp(I) over the components that hold x.
    Only where narrow components may overlap does it take more than one number of each to know that sum.
    """
    pairs = zip(weights, components, strict=True)
    parts = [_Part(float(w), component.information(), component) for w, component in pairs if w]
    narrow = [part for part in parts if part.information > ALL_NUMBERS]
    wide = math.fsum(part.weight for part in parts if part.information <= ALL_NUMBERS)
    log_wide = math.log(wide) if wide else -math.inf
    total = wide * log_wide if wide else 0.0
    for part in narrow:
        values = []
        for number in part.numbers(alone=len(narrow) == 1):
            holders = [each for each in narrow if each is part or each.component.contains(number)]
            logs = [math.log(each.weight) + each.information for each in holders]
            ratio = float(np.logaddexp.reduce([log_wide, *logs]))
            # Drawn from all numbers, one of this part is met with probability exp(-I).
            among_all = (
                wide * math.exp(-part.information) * (ratio - log_wide) / len(holders) if wide else 0.0
            )
            values.append(part.weight * ratio + among_all)
        total += float(np.mean(values))
    return total


@dataclass(frozen=True)
class _Part:
    """A component with its weight and its own information."""

    weight: float
    information: float
    component: Target

    def numbers(self, alone: bool) -> list[str]:
        """All members, or draws if they are many; one where all are alike."""
        size = self.component.count("")
        if not alone and size is not None and size <= LISTED:
            return [self.component.nth_member(rank)[0] for rank in range(size)]
        return self.component.sample(1 if alone else DRAWS, np.random.default_rng(0))


def _divergence(prefix: str, law: np.ndarray) -> float:
    """Sum of p ln(p~ / U) over the digits, p~ being p divided by its sum: P(digit) KL(p~ || U)."""
    p = law[law > 0]
    choices = 9 if prefix == "" and law[0] == 0 else 10
    return float(p @ np.log(p / p.sum() * choices)) if len(p) else 0.0
