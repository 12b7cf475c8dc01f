"""Numbers from a to b, whatever their length: an integer between 1 and 100, a prime below 1000."""

import math
from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from sampler_bench.errors import InputError
from sampler_bench.targets.base import UniformTarget, random_below
from sampler_bench.targets.tuple_names import parse_tuple

MAX_LISTED = 10**8  # primes are listed up to here: 5.8 million, in a second


class RangeTarget(UniformTarget):
    """The uniform distribution over a set of numbers from ``low`` to ``high``, both included.

    A number may be the beginning of a longer one, so that END must be known: P(END | u) = 1 / N(u) where u
    is a member. Ranks are in the order of a dictionary.
    """

    low: int
    high: int

    @property
    def digits(self) -> int:
        return len(str(self.high))

    @property
    def fixed(self) -> bool:
        return len(str(self.low)) == self.digits

    @abstractmethod
    def _count_between(self, lo: int, hi: int) -> int:
        """Members x with lo <= x < hi, for low <= lo <= hi <= high + 1."""

    @abstractmethod
    def _stop_entropy(self) -> float:
        """Sum over prefixes u of P(u) times the entropy of whether u ends there, nats."""

    def check(self) -> None:
        """Raise InputError unless 0 <= low <= high and there is a member."""
        if not 0 <= self.low <= self.high:
            raise InputError(f"low = {self.low}, high = {self.high}: 0 <= low <= high is wanted")
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
        total = 0
        shortest = max(len(str(self.low)), len(prefix))
        for free in range(shortest - len(prefix), self.digits - len(prefix) + 1):
            lo = max(int(prefix) * 10**free, self.low)
            hi = min((int(prefix) + 1) * 10**free, self.high + 1)
            total += self._count_between(lo, hi) if lo < hi else 0
        return total

    def _has(self, number: int) -> int:
        return self._count_between(number, number + 1) if self.low <= number <= self.high else 0

    def contains(self, number: str) -> bool:
        canonical = number.isascii() and number.isdigit() and (number == "0" or number[0] != "0")
        return canonical and len(number) <= self.digits and self._has(int(number)) == 1

    def unrank(self, index: int) -> str:
        self.check_rank(index)
        prefix = ""
        while True:
            ends = self._has(int(prefix)) if prefix else 0
            if index < ends:
                return prefix
            prefix, index = self._descend(prefix, index - ends)

    def information(self) -> float:
        size = self.count("")
        first = math.log(10 if self._has(0) else 9)
        longer = sum(self._longer_than(length) for length in range(1, self.digits)) / size
        return first + longer * math.log(10) - math.log(size) + self._stop_entropy()

    def _longer_than(self, length: int) -> int:
        return self._count_between(max(self.low, 10**length), self.high + 1)


@dataclass(frozen=True)
class Range(RangeTarget):
    """Integers from ``low`` to ``high``, both included, without leading zeros.

    Raises
    ------
    InputError
        Unless 0 <= low <= high.
    """

    low: int
    high: int

    def __post_init__(self):
        self.check()

    def _count_between(self, lo: int, hi: int) -> int:
        return hi - lo

    def residues(self, modulus: int) -> np.ndarray:
        counts = [(self.high - r) // modulus - (self.low - 1 - r) // modulus for r in range(modulus)]
        return np.array([count / sum(counts) for count in counts])

    def sample(self, size: int, rng: np.random.Generator) -> list[str]:
        return [str(self.low + random_below(self.high - self.low + 1, rng)) for _ in range(size)]

    def _stop_entropy(self) -> float:
        size = self.count("")
        terms = [0.0]
        for first, end in self._alike():
            completions = self._count(str(first))
            if self._has(first) and completions > 1:
                weight = (end - first) * completions / size
                terms.append(weight * _entropy_of_stopping(np.array([1 / completions]))[0])
        return math.fsum(terms)

    def _alike(self) -> Iterator[tuple[int, int]]:
        """Intervals [first, end) of prefixes of one length that all have as many completions."""
        low, high = str(self.low), str(self.high)
        for length in range(1, self.digits):
            edges = {10 ** (length - 1), 10**length}
            for limit in (low, high):
                if len(limit) >= length and limit[0] != "0":
                    edges |= {int(limit[:length]), int(limit[:length]) + 1}
            yield from pairwise(sorted(edges))

    def __str__(self) -> str:
        return f"integers from {self.low} to {self.high}"


@dataclass(frozen=True)
class PrimeRange(RangeTarget):
    """Members of a constellation from ``low`` to ``high``, both included: n with all ``forms`` prime.

    Raises
    ------
    InputError
        Unless 0 <= low <= high <= 10^8, if the forms are not an admissible tuple, or no number fits.
    """

    low: int
    high: int
    forms: str = "primes"

    def __post_init__(self):
        if self.high > MAX_LISTED:
            raise InputError(f"high = {self.high}: primes are listed up to {MAX_LISTED}")
        self.check()

    @cached_property
    def _members(self) -> np.ndarray:
        """ndarray of int64, increasing."""
        from sampler_bench.kernels import tuples_in  # loads Numba

        try:
            return tuples_in(parse_tuple(self.forms), self.low, self.high - self.low + 1) + self.low
        except ValueError as error:
            raise InputError(str(error)) from error

    def _count_between(self, lo: int, hi: int) -> int:
        first, last = np.searchsorted(self._members, [lo, hi])
        return int(last - first)

    def residues(self, modulus: int) -> np.ndarray:
        return np.bincount(self._members % modulus, minlength=modulus) / len(self._members)

    def _stop_entropy(self) -> float:
        stems = self._members[: np.searchsorted(self._members, self.high // 10, "right")]
        completions = np.ones(len(stems), np.int64)
        for free in range(1, self.digits):
            edges = np.stack([stems * 10**free, (stems + 1) * 10**free])
            completions += np.diff(np.searchsorted(self._members, edges), axis=0)[0]
        return float(completions / len(self._members) @ _entropy_of_stopping(1 / completions))

    def __str__(self) -> str:
        return f"{self.forms.replace('-', ' ')} from {self.low} to {self.high}"


def _entropy_of_stopping(stop: np.ndarray) -> np.ndarray:
    """Entropy, nats, of stopping with the given probabilities, none of them 0."""
    go_on = np.where(stop < 1, 1 - stop, 1.0)
    return -stop * np.log(stop) - (1 - stop) * np.log(go_on)
