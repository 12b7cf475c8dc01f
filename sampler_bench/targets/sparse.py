"""Sparse sets: so few members at any length that they are simply listed."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import takewhile
from typing import Literal

from sampler_bench.errors import InputError
from sampler_bench.targets.enumerated import EnumeratedTarget


@dataclass(frozen=True)
class Powers(EnumeratedTarget):
    """Powers base**e, e >= 0, of exactly ``digits`` digits.

    Raises
    ------
    InputError
        If ``digits`` is below 1, ``base`` below 2, or no power has that length.
    """

    digits: int
    base: int

    def __post_init__(self):
        self.check_digits()
        if self.base < 2:
            raise InputError(f"base = {self.base}: it must be at least 2")
        if not self.members:
            raise InputError(f"{self} is empty: no power of {self.base} has {self.digits} digits")

    @cached_property
    def members(self) -> list[int]:
        lo, hi = 10 ** (self.digits - 1), 10**self.digits
        found, power = [], 1
        while power < hi:
            if power >= lo:
                found.append(power)
            power *= self.base
        return found

    def __str__(self) -> str:
        return f"{self.digits}-digit powers of {self.base}"


@dataclass(frozen=True)
class Sequences(EnumeratedTarget):
    """Terms of exactly ``digits`` digits of a sequence that grows fast.

    ``of``: ``fibonacci`` (1, 2, 3, 5, ...), ``factorials`` (1, 2, 6, ...), ``primorials`` (2, 6, 30, ...) or
    ``mersenne`` (2^k - 1: 1, 3, 7, ...).

    Raises
    ------
    InputError
        If ``digits`` is below 1 or no term has that length.
    """

    digits: int
    of: Literal["fibonacci", "factorials", "primorials", "mersenne"]

    def __post_init__(self):
        self.check_digits()
        if not self.members:
            raise InputError(f"{self} is empty: no term has {self.digits} digits")

    @cached_property
    def members(self) -> list[int]:
        below = takewhile(lambda term: term < 10**self.digits, SEQUENCES[self.of]())
        return [term for term in below if term >= 10 ** (self.digits - 1)]

    def __str__(self) -> str:
        names = {"fibonacci": "Fibonacci numbers", "mersenne": "numbers 2^k - 1"}
        return f"{self.digits}-digit {names.get(self.of, self.of)}"


def _fibonacci() -> Iterator[int]:
    term, following = 1, 2
    while True:
        yield term
        term, following = following, term + following


def _factorials() -> Iterator[int]:
    term, factor = 1, 1
    while True:
        yield term
        factor += 1
        term *= factor


def _primorials() -> Iterator[int]:
    term, primes, candidate = 1, [], 2
    while True:
        if all(candidate % prime for prime in primes):
            primes.append(candidate)
            term *= candidate
            yield term
        candidate += 1


def _mersenne() -> Iterator[int]:
    term = 1
    while True:
        yield term
        term = 2 * term + 1


SEQUENCES = {
    "fibonacci": _fibonacci,
    "factorials": _factorials,
    "primorials": _primorials,
    "mersenne": _mersenne,
}
