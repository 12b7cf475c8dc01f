"""What every target offers: exact truth about a distribution over digit strings.

A target P gives each digit string x of at most ``digits`` digits a probability. Its conditional
P(s | u) = P(u s) / P(u) is over eleven symbols: the digits 0..9 and END.
"""

import math
from abc import ABC, abstractmethod
from bisect import bisect_left
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from sampler_bench.errors import InputError
from sampler_bench.integers import MOST_DIGITS, shown, to_int

DIGITS = "0123456789"
END = 10  # index of the end symbol in a conditional
SYMBOLS = 11
LISTED = 10_000  # members that are gone through one by one
SAID = 32  # members of which each is spoken of


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

    ``digits`` is the longest length; ``fixed`` tells whether every string has it. A family whose members can
    be counted after any prefix is a ``CountedTarget``; others may count after some prefixes, or after none.
    """

    digits: int
    fixed: bool
    # Read by pydantic when a task file is checked: no key but the fields, no silent conversion.
    __pydantic_config__: ClassVar[dict] = {"extra": "forbid", "strict": True}

    def count(self, prefix: str) -> int | None:
        """N(prefix), the number of members that start with it; None where it is not known.

        That of a ``CountedTarget`` always is. Raises InputError unless it is up to ``digits`` digits.
        """
        self.check_prefix(prefix)
        return None

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

    def why_not(self, number: str) -> str | None:
        """Why a text is no member, a clause such as "it has 5 digits; members have 6"; None if it is one."""
        if self.contains(number):
            return None
        if number.strip(DIGITS):
            return "only the digits 0-9 may stand in it"
        length, most = len(number), "" if self.fixed else "at most "
        if length > self.digits or (self.fixed and length < self.digits):
            return f"it has {length} {'digit' if length == 1 else 'digits'}; members have {most}{self.digits}"
        if number.startswith("0") and self.log_probability("0").value == -math.inf:
            return "it begins with 0, as no member does"
        return self._why_not(number)

    def _why_not(self, number: str) -> str:
        """The same of digits that may be as many, and begin as they do: from where on they cannot go on.

        A family may know a better reason.
        """
        live = self.live_digits(number)
        if live == len(number):
            return "longer members begin with it, but it is none"
        if live == 0:
            return f"no member begins with {number[0]}"
        return f"after {shown(number[:live])} no member goes on with {number[live]}"

    @abstractmethod
    def sample(self, size: int, rng: "np.random.Generator") -> list[str]:
        """Independent exact draws; the same generator state gives the same draws.

        Few draws are the beginning of many from the same state.
        """

    @property
    def draws(self) -> int:
        """The edition of ``sample``, raised where the same seed no longer draws the same numbers.

        It is part of what identifies records, so that no run goes on with other numbers than it began with.
        """
        return 1

    @abstractmethod
    def information(self) -> float:
        """I = KL(P || U) in nats, U writing uniform digits and stopping as P does.

        U's first digit is one of 1..9, or of 0..9 where P allows a 0 there.
        """

    @property
    def information_error(self) -> float:
        """Standard error of ``information``, nats; 0 where it is exact."""
        return 0.0

    def law_in_words(self) -> str:
        """A true sentence on how likely what is, for people and models.

        The probability of each of up to 32 members, else of each first digit, to four figures.
        """
        size = self.count("")
        if size is not None and size <= SAID:
            return f"The probabilities are {said(map(self.nth_member, range(size)))}."
        first = zip(DIGITS, self.conditional("").p[:END], strict=True)
        return f"The probabilities of the first digit are {said(each for each in first if each[1] > 0)}."

    def state(self, prefix: str) -> Hashable:
        """What decides how a prefix goes on: prefixes of one length with one state go on alike.

        They have the same probability, too, unless that is 0. At the least, the prefix itself.
        """
        return prefix

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
            law[to_int(number) % modulus] += p
        return law / law.sum()

    def live_digits(self, number: str) -> int:
        """How many of the first digits of a string of digits can still be completed to a member."""
        lengths = range(1, min(len(number), self.digits) + 1)
        return bisect_left(lengths, True, key=lambda k: self.log_probability(number[:k]).value == -math.inf)

    @property
    def doubtful_lengths(self) -> range:
        """Lengths of prefix of which ``live_digits`` does not know whether they can be completed."""
        return range(0)

    @property
    def slow_lengths(self) -> range:
        """Lengths of prefix at which a question takes seconds; questions at others take milliseconds."""
        return range(0)

    def check_prefix(self, prefix: str) -> None:
        """Raise InputError unless ``prefix`` is a string of at most ``digits`` decimal digits."""
        if prefix and not (prefix.isascii() and prefix.isdigit()):
            strange = prefix.strip(DIGITS)[0]
            raise InputError(f"prefix {shown(prefix)!r} holds {strange!r}; only the digits 0-9 may stand")
        if len(prefix) > self.digits:
            raise InputError(
                f"prefix {shown(prefix)!r} has {len(prefix)} digits, but numbers here have {self.digits}"
                + ("" if self.fixed else " at most")
            )

    def check_rank(self, index: int) -> None:
        """Raise InputError unless members are counted and 0 <= index < |S|."""
        size = self.count("")
        if size is None:
            raise InputError(f"{self} are not counted, so they have no ranks")
        if not 0 <= index < size:
            raise InputError(f"rank {shown(index)} is outside 0..{shown(size - 1)} of {self}")

    def check_digits(self, most: int = MOST_DIGITS) -> None:
        """Raise InputError unless ``digits`` is from 1 to ``most``."""
        if self.digits < 1:
            raise InputError(f"digits = {shown(self.digits)}: a number has at least 1 digit")
        if self.digits > most:
            raise InputError(f"digits = {shown(self.digits)}: this family has numbers of up to {most} digits")


class CountedTarget(Target):
    """A target that counts its members after any prefix, the empty one included: ``count`` is never None."""

    @abstractmethod
    def count(self, prefix: str) -> int:
        """N(prefix), the number of members that start with it.

        Raises
        ------
        InputError
            Unless the prefix is a string of at most ``digits`` digits.
        """


def said(probabilities: Iterable[tuple[str, float]]) -> str:
    """What has which probability, each to four figures and without an exponent."""
    return ", ".join(
        f"{what}: {np.format_float_positional(p, 4, unique=False, fractional=False, trim='-')}"
        for what, p in probabilities
    )
