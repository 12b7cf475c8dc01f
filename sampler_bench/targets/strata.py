"""How the numbers of a task are shared out: of a mixture, each component has numbers of its own."""

from dataclasses import dataclass

import numpy as np

from sampler_bench.targets import Mixture, Target

LEAST = 2  # numbers of a stratum: one alone says nothing of its scatter


@dataclass(frozen=True)
class Stratum:
    """A part of a target with the numbers that are drawn from it, each of weight share / numbers.

    ``name`` tells it from the others of its target; it is empty where there are none.
    """

    name: str
    target: Target
    share: float
    numbers: int

    @property
    def weight(self) -> float:
        """Of each of its numbers: under these, a mean over all numbers estimates that over the target."""
        return self.share / self.numbers


def strata(target: Target, total: int) -> list[Stratum]:
    """The strata that ``total`` numbers are drawn from, in the order in which they are numbered.

    A mixture has one for each component, mixtures in it taken apart, with numbers in proportion to its share,
    but two at least. Where that is more than there are numbers, the two least of them are taken together,
    until it is not. Any other target is a stratum by itself.
    """
    if not isinstance(target, Mixture):
        return [Stratum("", target, 1.0, total)]
    groups = [[index] for index in range(len(target.parts))]
    share = {index: part.share for index, part in enumerate(target.parts)}
    while len(groups) > 1 and LEAST * len(groups) > total:
        groups.sort(key=lambda group: sum(share[index] for index in group))
        groups = [sorted(groups[0] + groups[1]), *groups[2:]]
    groups.sort()
    shares = np.array([sum(share[index] for index in group) for group in groups])
    return [
        Stratum("+".join(map(str, group)), _together(target, group), float(of_group), numbers)
        for group, of_group, numbers in zip(groups, shares, allocated(shares, total).tolist(), strict=True)
    ]


def _together(mixture: Mixture, group: list[int]) -> Target:
    parts = [mixture.parts[index] for index in group]
    if len(parts) == 1:
        return parts[0].target
    return Mixture(tuple(part.share for part in parts), tuple(part.target for part in parts), normalise=True)


def allocated(shares: np.ndarray, total: int) -> np.ndarray:
    """Numbers in proportion to shares, but two at least, summing to ``total``: by the largest remainders.

    Those that must be raised to two are, and what is left is shared out among the others. A single share
    has all.
    """
    if len(shares) == 1:
        return np.array([total])
    raised = np.zeros(len(shares), bool)
    while True:
        left = total - LEAST * np.count_nonzero(raised)
        quota = np.where(raised, LEAST, shares / shares[~raised].sum() * left)
        short = quota < LEAST * (1 - 1e-12)
        if not short.any():
            break
        raised |= short
    numbers = np.floor(quota * (1 + 1e-12)).astype(int)
    most_cut = np.argsort(numbers - quota, kind="stable")
    numbers[most_cut[: total - numbers.sum()]] += 1
    return numbers
