"""Terms of well-known sequences that grow fast."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import gmpy2
from gmpy2 import mpz

from sampler_bench.errors import InputError
from sampler_bench.targets.counting.growing import GrowingTarget
from sampler_bench.targets.registry import family


@family("sequences")
@dataclass(frozen=True)
class Sequences(GrowingTarget):
    """Terms of exactly ``digits`` digits of a sequence that grows fast.

    ``of``: ``fibonacci`` (1, 2, 3, 5, ...), ``factorials`` (1, 2, 6, ...), ``primorials`` (2, 6, 30, ...) or
    ``mersenne`` (2^k - 1: 1, 3, 7, ...).

    Raises
    ------
    InputError
        If ``digits`` is out of range or no term has that length.
    """

    digits: int
    of: Literal["fibonacci", "factorials", "primorials", "mersenne"]

    def __post_init__(self):
        self.check_digits()
        if not self.members:
            raise InputError(f"{self} is empty: no term has {self.digits} digits")

    def term(self, k: int) -> mpz:
        return SEQUENCES[self.of](k)

    def __str__(self) -> str:
        names = {"fibonacci": "Fibonacci numbers", "mersenne": "numbers 2^k - 1"}
        return f"{self.digits}-digit {names.get(self.of, self.of)}"


SEQUENCES: dict[str, Callable[[int], mpz]] = {
    "fibonacci": lambda k: gmpy2.fib(k + 2),
    "factorials": lambda k: gmpy2.fac(k + 1),
    "primorials": lambda k: gmpy2.primorial(k + 2),  # of all primes up to k + 2: many a term comes twice
    "mersenne": lambda k: (mpz(1) << (k + 1)) - 1,
}
