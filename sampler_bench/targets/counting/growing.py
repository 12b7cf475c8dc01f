"""Sequences that grow so fast that few terms have any one length: these are listed."""

from abc import abstractmethod
from bisect import bisect_left
from functools import cached_property

from gmpy2 import mpz

from sampler_bench.integers import power_of_ten, shown, to_int
from sampler_bench.targets.counting.enumerated import EnumeratedTarget


class GrowingTarget(EnumeratedTarget):
    """The terms of ``digits`` digits of a sequence that grows at least as fast as 1.6^k."""

    @abstractmethod
    def term(self, k: int) -> mpz:
        """The term at k = 0, 1, 2, ...; none is below the one before it."""

    def named(self, k: int) -> str:
        """The term in a sentence."""
        return shown(int(self.term(k)))

    @cached_property
    def members(self) -> list[int]:  # pyright: ignore[reportIncompatibleMethodOverride]  a property, kept
        first, end = (self._first_from(power_of_ten(digits)) for digits in (self.digits - 1, self.digits))
        return sorted({int(self.term(k)) for k in range(first, end)})

    def _first_from(self, edge: int) -> int:
        """The least k whose term is not below the edge."""
        beyond = 1
        while self.term(beyond) < edge:
            beyond *= 2
        return bisect_left(range(beyond), edge, key=self.term)

    def _why_not(self, number: str) -> str:
        following = self._first_from(to_int(number))
        if following == 0:
            return f"the first is {self.named(0)}"
        return f"it lies between {self.named(following - 1)} and {self.named(following)}"
