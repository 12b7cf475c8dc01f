"""Targets that give each natural number below a power of ten a probability of its own."""

import math
from abc import abstractmethod
from functools import cached_property

import numpy as np

from sampler_bench.errors import DeadPrefixError
from sampler_bench.targets.base import (
    DIGITS,
    END,
    SAID,
    SYMBOLS,
    Conditional,
    CountedTarget,
    LogProbability,
    said,
)

MAX_DIGITS = 6
RANGES = 10  # in which a law is spoken of


class TabulatedTarget(CountedTarget):
    """A distribution over 0..10^digits - 1, written without leading zeros, or with all of them.

    A family supplies ``_weights``; everything else follows from sums over them.
    """

    leading_zeros: bool = False

    @property
    @abstractmethod
    def _weights(self) -> np.ndarray:
        """ndarray of float64, shape (10^digits,), none negative: proportional to the probabilities."""

    @cached_property
    def probabilities(self) -> np.ndarray:
        """Of the numbers 0..10^digits - 1; ndarray of float64, shape (10^digits,), summing to 1."""
        return self._weights / math.fsum(self._weights)

    @property
    def fixed(self) -> bool:  # pyright: ignore[reportIncompatibleVariableOverride]  read, never set
        return self.leading_zeros or len(str(self._members[0])) == self.digits

    def check(self) -> None:
        """Raise InputError unless digits are from 1 to 6."""
        self.check_digits(MAX_DIGITS)

    def count(self, prefix: str) -> int:
        self.check_prefix(prefix)
        if prefix == "":
            return len(self._members)
        return sum(int(np.count_nonzero(part)) for part in self._parts(prefix))

    def log_probability(self, prefix: str) -> LogProbability:
        self.check_prefix(prefix)
        p = self._probability(prefix)
        return LogProbability(math.log(p) if p > 0 else -math.inf)

    def conditional(self, prefix: str) -> Conditional:
        self.check_prefix(prefix)
        p = np.zeros(SYMBOLS)
        if len(prefix) < self.digits:
            p[:END] = [self._probability(prefix + digit) for digit in DIGITS]
        if self._is_written(prefix):
            p[END] = self.probabilities[int(prefix)]
        if p.sum() == 0:
            raise DeadPrefixError(f"nothing in {self} starts with {prefix!r}")
        return Conditional(p / p.sum())

    def contains(self, number: str) -> bool:
        well_formed = number.isascii() and number.isdigit() and len(number) <= self.digits
        return bool(well_formed and self._is_written(number) and self.probabilities[int(number)] > 0)

    def nth_member(self, rank: int) -> tuple[str, float]:
        self.check_rank(rank)
        number = int(self._members[rank])
        return self._written(number), float(self.probabilities[number])

    def residues(self, modulus: int) -> np.ndarray:
        return np.bincount(np.arange(len(self.probabilities)) % modulus, self.probabilities, modulus)

    def sample(self, size: int, rng: "np.random.Generator") -> list[str]:
        drawn = rng.choice(self._members, size, p=self.probabilities[self._members])
        return [self._written(int(number)) for number in drawn]

    def law_in_words(self) -> str:
        """The probability of each of up to 32 members, else of about ten ranges of like probability."""
        if len(self._members) <= SAID:
            return super().law_in_words()
        p = self.probabilities[self._members]
        part = np.minimum((np.cumsum(p) - p / 2) * RANGES, RANGES - 1).astype(int)
        ranges = [np.flatnonzero(part == k) for k in np.unique(part)]
        spoken = ((self._range(self._members[each[[0, -1]]]), p[each].sum()) for each in ranges)
        return f"The probabilities are {said(spoken)}."

    def _range(self, ends: np.ndarray) -> str:
        first, last = (self._written(int(end)) for end in ends)
        return first if first == last else f"{first} to {last}"

    def information(self) -> float:
        p = self.probabilities
        first = math.log(10 if self._probability("0") > 0 else 9)
        longer = (
            [1.0] * (self.digits - 1) if self.leading_zeros else [p[10**k :].sum() for k in self._lengths]
        )
        stop = 0.0 if self.leading_zeros else sum(map(self._stop_entropy, self._lengths))
        return first + sum(longer) * math.log(10) - float(_entropies(p).sum()) + stop

    @property
    def _lengths(self) -> range:
        """Those of prefixes that are written and may go on."""
        return range(1, self.digits)

    def _stop_entropy(self, length: int) -> float:
        """Sum over the prefixes u of a length of P(u) times the entropy of whether u ends there, nats."""
        stems = 10**length - 10 ** (length - 1)
        ends = self.probabilities[10 ** (length - 1) : 10**length]
        goes_on = np.zeros(stems)
        for longer in range(length + 1, self.digits + 1):
            goes_on += self.probabilities[10 ** (longer - 1) : 10**longer].reshape(stems, -1).sum(axis=1)
        return float((_entropies(ends) + _entropies(goes_on) - _entropies(ends + goes_on)).sum())

    @cached_property
    def _members(self) -> np.ndarray:
        return np.flatnonzero(self.probabilities)

    def _written(self, number: int) -> str:
        return f"{number:0{self.digits}d}" if self.leading_zeros else str(number)

    def _is_written(self, text: str) -> bool:
        return text != "" and text == self._written(int(text))

    def _probability(self, prefix: str) -> float:
        return float(sum(part.sum() for part in self._parts(prefix)))

    def _parts(self, prefix: str) -> list[np.ndarray]:
        """The probabilities of all numbers that start with the prefix, a slice for each length."""
        free = range(self.digits - len(prefix) + 1)
        if prefix == "":
            return [self.probabilities]
        if self.leading_zeros:
            free = free[-1:]
        elif prefix.startswith("0"):
            free = free[: prefix == "0"]
        return [self.probabilities[int(prefix) * 10**k : (int(prefix) + 1) * 10**k] for k in free]


def _entropies(p: np.ndarray) -> np.ndarray:
    return -p * np.log(p, out=np.zeros_like(p), where=p > 0)
