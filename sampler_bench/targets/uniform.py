"""Sets of numbers of which each is as likely as any other: all that follows from counting them."""

import math
from abc import abstractmethod

import numpy as np

from sampler_bench.errors import DeadPrefixError, InputError
from sampler_bench.integers import power_of_ten, shown, to_int, to_text
from sampler_bench.targets.base import (
    DIGITS,
    END,
    SYMBOLS,
    Conditional,
    CountedTarget,
    LogProbability,
    Target,
)


class UniformTarget(Target):
    """The uniform distribution over a finite set of numbers of exactly ``digits`` digits.

    A family supplies ``_count`` for well-formed prefixes; everything else follows from the counts. One that
    always knows them is a ``CountedUniformTarget``; others go their own way where they do not.
    """

    fixed = True

    @abstractmethod
    def _count(self, prefix: str) -> int | None:
        """N(prefix) for a prefix of at most ``digits`` digits that does not start with 0, if known."""

    def count(self, prefix: str) -> int | None:
        self.check_prefix(prefix)
        return 0 if prefix.startswith("0") else self._count(prefix)

    def _known_count(self, prefix: str) -> int:
        """``count``, for prefixes after which it is known."""
        count = self.count(prefix)
        if count is None:
            raise InputError(f"{self} that start with {shown(prefix)!r} are not counted")
        return count

    def conditional(self, prefix: str) -> Conditional:
        total = self._known_count(prefix)
        if total == 0:
            raise DeadPrefixError(f"no member of {self} starts with {shown(prefix)!r}")
        children = (
            [] if len(prefix) == self.digits else [self._known_count(prefix + digit) for digit in DIGITS]
        )
        p = np.zeros(SYMBOLS)
        # Division of Python integers is correctly rounded, however large they are.
        p[: len(children)] = [child / total for child in children]
        p[END] = (total - sum(children)) / total
        return Conditional(p)

    def log_probability(self, prefix: str) -> LogProbability:
        count = self._known_count(prefix)
        return LogProbability(math.log(count) - math.log(self._known_count("")) if count else -math.inf)

    def nth_member(self, rank: int) -> tuple[str, float]:
        return self.unrank(rank), 1 / self._known_count("")

    def contains(self, number: str) -> bool:
        well_formed = len(number) == self.digits and number.isascii() and number.isdigit()
        return well_formed and self._known_count(number) == 1

    def unrank(self, index: int) -> str:
        """The member of rank ``index`` (from 0) in increasing order: unranking by counts."""
        self.check_rank(index)
        prefix = ""
        while len(prefix) < self.digits:
            prefix, index = self._descend(prefix, index)
        return prefix

    def _descend(self, prefix: str, index: int) -> tuple[str, int]:
        """The prefix with the digit under which the member of that rank lies, and its rank there."""
        for digit in DIGITS:
            below = self._known_count(prefix + digit)
            if index < below:
                return prefix + digit, index
            index -= below
        raise AssertionError(f"the children of {shown(prefix)!r} hold fewer members than it")

    def sample(self, size: int, rng: "np.random.Generator") -> list[str]:
        total = self._known_count("")
        return [self.unrank(index) for index in random_integers_below(total, size, rng)]

    def information(self) -> float:
        everything = 9 * power_of_ten(self.digits - 1)
        return math.log(everything) - math.log(self._known_count(""))

    def law_in_words(self) -> str:
        """That each is as likely as any other, with how many there are, if that is known."""
        size = self.count("")
        return f"All {'' if size is None else f'{to_text(size)} '}such numbers are equally likely."

    def log_size(self, information: float) -> float:
        """ln |S| of numbers of one length that have this information, nats: for sets that are not counted."""
        return math.log(9) + (self.digits - 1) * math.log(10) - information


class CountedUniformTarget(UniformTarget, CountedTarget):
    """A uniform target whose family counts members after any prefix."""

    @abstractmethod
    def _count(self, prefix: str) -> int:
        """N(prefix) for a prefix of at most ``digits`` digits that does not start with 0."""

    def count(self, prefix: str) -> int:
        self.check_prefix(prefix)
        return 0 if prefix.startswith("0") else self._count(prefix)


class IntervalTarget(CountedUniformTarget):
    """A uniform target whose family counts members of any interval of integers."""

    @abstractmethod
    def _count_between(self, lo: int, hi: int) -> int:
        """Members x with lo <= x < hi, for bounds inside the range of ``digits``-digit numbers."""

    def _count(self, prefix: str) -> int:
        if prefix == "":
            return self._count_between(power_of_ten(self.digits - 1), power_of_ten(self.digits))
        scale = power_of_ten(self.digits - len(prefix))
        lo = to_int(prefix) * scale
        return self._count_between(lo, lo + scale)


def random_below(bound: int, rng: "np.random.Generator") -> int:
    """A uniform integer in [0, bound), of any size."""
    return random_integers_below(bound, 1, rng)[0]


def random_integers_below(bound: int, size: int, rng: "np.random.Generator") -> list[int]:
    """Independent uniform integers in [0, bound), of any size, by rejection on random bits.

    The same as if each were drawn by itself, with as much of the generator used up.
    """
    bits = (bound - 1).bit_length()
    length, shift = (bits + 7) // 8, -bits % 8
    step = max(-(-length // 4), 1) * 4  # bytes of whole words
    drawn: list[int] = []
    while missing := size - len(drawn):
        raw = rng.integers(2**32, size=missing * step // 4, dtype=np.uint32).astype("<u4").tobytes()
        values = (int.from_bytes(raw[i * step : i * step + length]) >> shift for i in range(missing))
        drawn += [value for value in values if value < bound]
    return drawn
