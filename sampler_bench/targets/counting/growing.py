"""Sequences that grow so fast that few terms have any one length: these are listed."""

from abc import abstractmethod
from bisect import bisect_left
from functools import cached_property

from gmpy2 import mpz

from sampler_bench.integers import power_of_ten
from sampler_bench.targets.counting.enumerated import EnumeratedTarget


class GrowingTarget(EnumeratedTarget):
    """The terms of ``digits`` digits of a sequence that grows at least as fast as 1.6^k."""

    @abstractmethod
    def term(self, k: int) -> mpz:
        """The term at k = 0, 1, 2, ...; none is below the one before it."""

    @cached_property
    def members(self) -> list[int]:  # pyright: ignore[reportIncompatibleMethodOverride]  a property, kept
        low, high = power_of_ten(self.digits - 1), power_of_ten(self.digits)
        beyond = 1
        while self.term(beyond) < high:
            beyond *= 2
        first, end = (bisect_left(range(beyond), edge, key=self.term) for edge in (low, high))
        return sorted({int(self.term(k)) for k in range(first, end)})
