"""Integers from a to b, whatever their length."""

import math
import operator
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from sampler_bench.integers import power_of_ten, shown, to_int, to_text
from sampler_bench.targets.counting.between import RangeTarget, entropy_of_stopping
from sampler_bench.targets.registry import family
from sampler_bench.targets.uniform import random_integers_below


@family("range")
@dataclass(frozen=True)
class Range(RangeTarget):
    """Integers from ``low`` to ``high``, both included, without leading zeros.

    Raises
    ------
    InputError
        Unless 0 <= low <= high, of up to 100,000 digits.
    """

    low: int
    high: int

    def __post_init__(self):
        self.check()

    def _count_between(self, lo: int, hi: int) -> int:
        return hi - lo

    def _count_after(self, stem: int, longer: range) -> int:
        """All that follow are members, but for the shortest and the longest, which the ends may cut."""
        cut, between = {*longer[:1], *longer[-1:]}, longer[1:-1]
        whole = (power_of_ten(between.stop) - power_of_ten(between.start)) // 9 if between else 0
        return whole + sum(super(Range, self)._count_after(stem, range(free, free + 1)) for free in cut)

    def unrank(self, index: int) -> str:
        if not self.fixed:
            return super().unrank(index)
        self.check_rank(index)
        return to_text(self.low + index)

    def state(self, prefix: str) -> Hashable:
        """The lengths of numbers with which all completions belong; near an end of the range the prefix."""
        if not prefix or prefix.startswith("0"):
            return prefix
        stem = to_int(prefix)
        scales = [power_of_ten(free) for free in range(self.digits - len(prefix) + 1)]
        ends = [(stem * scale, (stem + 1) * scale - 1) for scale in scales]
        inside = tuple(self.low <= first and last <= self.high for first, last in ends)
        outside = [last < self.low or first > self.high for first, last in ends]
        return inside if all(map(operator.xor, inside, outside)) else prefix

    def residues(self, modulus: int) -> np.ndarray:
        counts = [(self.high - r) // modulus - (self.low - 1 - r) // modulus for r in range(modulus)]
        return np.array([count / sum(counts) for count in counts])

    def sample(self, size: int, rng: "np.random.Generator") -> list[str]:
        drawn = random_integers_below(self.high - self.low + 1, size, rng)
        return [to_text(self.low + value) for value in drawn]

    def _stop_entropy(self) -> float:
        size = self.count("")
        terms = [0.0]
        for first, end in self._alike():
            completions = self._count(to_text(first))
            if self._has(first) and completions > 1:
                weight = (end - first) * completions / size
                terms.append(weight * entropy_of_stopping(np.array([1 / completions]))[0])
        return math.fsum(terms)

    def _alike(self) -> Iterator[tuple[int, int]]:
        """Intervals [first, end) of prefixes of one length that all have as many completions."""
        low, high = to_text(self.low), to_text(self.high)
        for length in self._notable_lengths:
            edges = {power_of_ten(length - 1), power_of_ten(length)}
            for limit in (low, high):
                if len(limit) >= length and limit[0] != "0":
                    edges |= {to_int(limit[:length]), to_int(limit[:length]) + 1}
            yield from pairwise(sorted(edges))

    def __str__(self) -> str:
        return f"integers from {shown(self.low)} to {shown(self.high)}"
