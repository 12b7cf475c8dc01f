"""What every target offers: exact truth about a distribution over digit strings.

A target P gives each digit string x of at most ``digits`` digits a probability. Its conditional
P(s | u) = P(u s) / P(u) is over eleven symbols: the digits 0..9 and END.
"""

import math
from abc import ABC, abstractmethod
from bisect import bisect_left
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from sampler_bench.errors import DeadPrefixError, InputError

DIGITS = "0123456789"
END = 10  # index of the end symbol in a conditional
SYMBOLS = 11
LISTED = 10_000  # members that are gone through one by one


@dataclass(frozen=True)
class Conditional:
    """P(next symbol | prefix).

    Attributes
    ----------
    p : ndarray of float64, shape (11,)
        Probabilities of the digits 0..9 and of END; they sum to 1.
    method : str
        ``exact``, ``exact-tail`` or ``hardy-littlewood``.
    bound : float
        Bound on the KL divergence (nats) that the method's error can cause; 0 where exact.
    """

    p: np.ndarray
    method: str = "exact"
    bound: float = 0.0


@dataclass(frozen=True)
class LogProbability:
    """ln P(a draw starts with some prefix), in nats; ``error`` bounds how far ``value`` may be off."""

    value: float
    error: float = 0.0


class Target(ABC):
    """An exact distribution over digit strings.

    ``digits`` is the longest length; ``fixed`` tells whether every string has it.
    """

    digits: int
    fixed: bool
    # Read by pydantic when a task file is checked: no key but the fields, no silent conversion.
    __pydantic_config__: ClassVar[dict] = {"extra": "forbid", "strict": True}

    @abstractmethod
    def count(self, prefix: str) -> int | None:
        """N(prefix), the number of members that start with it; None where only a density is known."""

    @abstractmethod
    def conditional(self, prefix: str) -> Conditional:
        """P(next symbol | prefix).

        Raises
        ------
        DeadPrefixError
            If no member starts with the prefix.
        """

    @abstractmethod
    def log_probability(self, prefix: str) -> LogProbability:
        """ln P(prefix): of a draw's first digits, whatever follows. -inf if no member starts so."""

    @abstractmethod
    def nth_member(self, rank: int) -> tuple[str, float]:
        """The member of a rank, from 0 in some fixed order, and its probability.

        Raises
        ------
        InputError
            If the rank is not below ``count("")``, or that is not known.
        """

    @abstractmethod
    def contains(self, number: str) -> bool:
        """Whether the digit string is a member. Anything else, of whatever form, is not."""

    @abstractmethod
    def sample(self, size: int, rng: np.random.Generator) -> list[str]:
        """Independent exact draws; the same generator state gives the same draws."""

    @abstractmethod
    def information(self) -> float:
        """I = KL(P || U) in nats, U writing uniform digits and stopping as P does.

        U's first digit is one of 1..9, or of 0..9 where P allows a 0 there.
        """

    def residues(self, modulus: int) -> np.ndarray | None:
        """P(a draw is r modulo ``modulus``) for r = 0..modulus-1; None where it is not known.

        A family that has more than 10,000 members, or does not count them, says it in its own way.

        Returns
        -------
        ndarray of float64, shape (modulus,), summing to 1, or None
        """
        size = self.count("")
        if size is None or size > LISTED:
            return None
        law = np.zeros(modulus)
        for rank in range(size):
            number, p = self.nth_member(rank)
            law[int(number) % modulus] += p
        return law / law.sum()

    def live_digits(self, number: str) -> int:
        """How many of the first digits of a string of digits can still be completed to a member."""
        lengths = range(1, min(len(number), self.digits) + 1)
        return bisect_left(lengths, True, key=lambda k: self.log_probability(number[:k]).value == -math.inf)

    @property
    def slow_lengths(self) -> range:
        """Lengths of prefix at which a question takes seconds; questions at others take milliseconds."""
        return range(0)

    def check_prefix(self, prefix: str) -> None:
        """Raise InputError unless ``prefix`` is a string of at most ``digits`` decimal digits."""
        strange = next((c for c in prefix if c not in DIGITS), None)
        if strange is not None:
            raise InputError(f"prefix {prefix!r} holds {strange!r}; only the digits 0-9 may stand")
        if len(prefix) > self.digits:
            raise InputError(
                f"prefix {prefix!r} has {len(prefix)} digits, but numbers here have {self.digits}"
                + ("" if self.fixed else " at most")
            )

    def check_rank(self, index: int) -> None:
        """Raise InputError unless members are counted and 0 <= index < |S|."""
        size = self.count("")
        if size is None:
            raise InputError(f"{self} are not counted, so they have no ranks")
        if not 0 <= index < size:
            raise InputError(f"rank {index} is outside 0..{size - 1} of {self}")

    def check_digits(self) -> None:
        """Raise InputError unless ``digits`` is at least 1."""
        if self.digits < 1:
            raise InputError(f"digits = {self.digits}: a number has at least 1 digit")


class UniformTarget(Target):
    """The uniform distribution over a finite set of numbers of exactly ``digits`` digits.

    A family supplies ``_count`` for well-formed prefixes; everything else follows from the counts.
    """

    fixed = True

    @abstractmethod
    def _count(self, prefix: str) -> int | None:
        """N(prefix) for a prefix of at most ``digits`` digits that does not start with 0."""

    def count(self, prefix: str) -> int | None:
        """N(prefix), None if not known. Raises InputError unless the prefix is up to ``digits`` digits."""
        self.check_prefix(prefix)
        return 0 if prefix.startswith("0") else self._count(prefix)

    def conditional(self, prefix: str) -> Conditional:
        total = self.count(prefix)
        if total == 0:
            raise DeadPrefixError(f"no member of {self} starts with {prefix!r}")
        children = [] if len(prefix) == self.digits else [self.count(prefix + digit) for digit in DIGITS]
        p = np.zeros(SYMBOLS)
        # Division of Python integers is correctly rounded, however large they are.
        p[: len(children)] = [child / total for child in children]
        p[END] = (total - sum(children)) / total
        return Conditional(p)

    def log_probability(self, prefix: str) -> LogProbability:
        count = self.count(prefix)
        return LogProbability(math.log(count) - math.log(self.count("")) if count else -math.inf)

    def nth_member(self, rank: int) -> tuple[str, float]:
        return self.unrank(rank), 1 / self.count("")

    def contains(self, number: str) -> bool:
        well_formed = len(number) == self.digits and number.isascii() and number.isdigit()
        return well_formed and self.count(number) == 1

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
            below = self.count(prefix + digit)
            if index < below:
                return prefix + digit, index
            index -= below
        raise AssertionError(f"the children of {prefix!r} hold fewer members than it")

    def sample(self, size: int, rng: np.random.Generator) -> list[str]:
        total = self.count("")
        return [self.unrank(random_below(total, rng)) for _ in range(size)]

    def information(self) -> float:
        everything = 9 * 10 ** (self.digits - 1)
        return math.log(everything) - math.log(self.count(""))


class IntervalTarget(UniformTarget):
    """A uniform target whose family counts members of any interval of integers."""

    @abstractmethod
    def _count_between(self, lo: int, hi: int) -> int:
        """Members x with lo <= x < hi, for bounds inside the range of ``digits``-digit numbers."""

    def _count(self, prefix: str) -> int:
        if prefix == "":
            return self._count_between(10 ** (self.digits - 1), 10**self.digits)
        scale = 10 ** (self.digits - len(prefix))
        lo = int(prefix) * scale
        return self._count_between(lo, lo + scale)


def random_below(bound: int, rng: np.random.Generator) -> int:
    """A uniform integer in [0, bound), of any size, by rejection on random bits."""
    bits = (bound - 1).bit_length()
    while True:
        value = int.from_bytes(rng.bytes((bits + 7) // 8)) >> (-bits % 8)
        if value < bound:
            return value
