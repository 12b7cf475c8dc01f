"""Targets whose members are few enough to list: counted by bisection."""

from abc import abstractmethod
from bisect import bisect_left
from collections.abc import Sequence

from sampler_bench.integers import to_text
from sampler_bench.targets.uniform import IntervalTarget


class EnumeratedTarget(IntervalTarget):
    """A uniform target over an increasing sequence of ``digits``-digit numbers."""

    @property
    @abstractmethod
    def members(self) -> Sequence[int]:
        """All members, increasing."""

    def _count_between(self, lo: int, hi: int) -> int:
        return bisect_left(self.members, hi) - bisect_left(self.members, lo)

    def unrank(self, index: int) -> str:
        self.check_rank(index)
        return to_text(self.members[index])
