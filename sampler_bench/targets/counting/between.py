"""Numbers from a to b, whatever their length: counted by the intervals that a prefix stands for."""

import math
from abc import abstractmethod
from functools import cached_property

import numpy as np

from sampler_bench.errors import InputError
from sampler_bench.integers import MOST_DIGITS, power_of_ten, shown, to_int, to_text
from sampler_bench.targets.uniform import CountedUniformTarget

# Numbers shorter than the longest by more than this are less than 10^-38 of a range that holds them: they add
# nothing to a float.
NOTABLE_LENGTHS = 40


class RangeTarget(CountedUniformTarget):
    """The uniform distribution over a set of numbers from ``low`` to ``high``, both included.

    A number may be the beginning of a longer one, so that END must be known: P(END | u) = 1 / N(u) where u
    is a member. Ranks are in the order of a dictionary.
    """

    low: int
    high: int

    @cached_property
    def digits(self) -> int:  # pyright: ignore[reportIncompatibleVariableOverride]  read, never set
        return len(to_text(self.high))

    @cached_property
    def shortest(self) -> int:
        """Digits of ``low``."""
        return len(to_text(self.low))

    @property
    def fixed(self) -> bool:
        return self.shortest == self.digits

    @abstractmethod
    def _count_between(self, lo: int, hi: int) -> int:
        """Members x with lo <= x < hi, for low <= lo <= hi <= high + 1."""

    @abstractmethod
    def _stop_entropy(self) -> float:
        """Sum over prefixes u of P(u) times the entropy of whether u ends there, nats."""

    def check(self) -> None:
        """Raise InputError unless 0 <= low <= high, of up to 100,000 digits, and there is a member."""
        if not 0 <= self.low <= self.high:
            raise InputError(
                f"low = {shown(self.low)}, high = {shown(self.high)}: 0 <= low <= high is wanted"
            )
        if self.digits > MOST_DIGITS:
            raise InputError(f"high = {shown(self.high)}: numbers have up to {MOST_DIGITS} digits")
        if self.count("") == 0:
            raise InputError(f"{self} is empty")

    def count(self, prefix: str) -> int:
        self.check_prefix(prefix)
        return self._count(prefix)

    def _count(self, prefix: str) -> int:
        if prefix == "":
            return self._count_between(self.low, self.high + 1)
        if prefix.startswith("0"):
            return self._has(0) if prefix == "0" else 0
        longer = range(max(self.shortest - len(prefix), 0), self.digits - len(prefix) + 1)
        return self._count_after(to_int(prefix), longer)

    def _count_after(self, stem: int, longer: range) -> int:
        """Members that are the stem's digits and then as many more as ``longer`` says."""
        total = 0
        for free in longer:
            lo = max(stem * power_of_ten(free), self.low)
            hi = min((stem + 1) * power_of_ten(free), self.high + 1)
            total += self._count_between(lo, hi) if lo < hi else 0
        return total

    def _has(self, number: int) -> int:
        return self._count_between(number, number + 1) if self.low <= number <= self.high else 0

    def contains(self, number: str) -> bool:
        canonical = number.isascii() and number.isdigit() and (number == "0" or number[0] != "0")
        return canonical and len(number) <= self.digits and self._has(to_int(number)) == 1

    def _why_not(self, number: str) -> str:
        x = to_int(number)
        if x < self.low:
            return f"it is below {shown(self.low)}"
        if x > self.high:
            return f"it is above {shown(self.high)}"
        return super()._why_not(number)

    def unrank(self, index: int) -> str:
        self.check_rank(index)
        prefix = ""
        while True:
            ends = self._has(to_int(prefix)) if prefix else 0
            if index < ends:
                return prefix
            prefix, index = self._descend(prefix, index - ends)

    def information(self) -> float:
        size = self.count("")
        first = math.log(10 if self._has(0) else 9)
        lengths = self._notable_lengths
        longer = lengths.start - 1 + sum(map(self._longer_than, lengths)) / size
        return first + longer * math.log(10) - math.log(size) + self._stop_entropy()

    @property
    def _notable_lengths(self) -> range:
        """Of numbers that may go on, and that are not too few to matter."""
        return range(max(1, self.digits - NOTABLE_LENGTHS), self.digits)

    def _longer_than(self, length: int) -> int:
        return self._count_between(max(self.low, power_of_ten(length)), self.high + 1)


def entropy_of_stopping(stop: np.ndarray) -> np.ndarray:
    """Entropy, nats, of stopping with the given probabilities, none of them 0."""
    go_on = np.where(stop < 1, 1 - stop, 1.0)
    return -stop * np.log(stop) - (1 - stop) * np.log(go_on)
