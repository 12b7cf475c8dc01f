"""Powers of a number: 1, b, b^2, ..."""

from dataclasses import dataclass

from gmpy2 import mpz

from sampler_bench.errors import InputError
from sampler_bench.integers import shown
from sampler_bench.targets.counting.growing import GrowingTarget
from sampler_bench.targets.registry import family


@family("powers")
@dataclass(frozen=True)
class Powers(GrowingTarget):
    """Powers base**e, e >= 0, of exactly ``digits`` digits.

    Raises
    ------
    InputError
        If ``digits`` is out of range, ``base`` below 2, or no power has that length.
    """

    digits: int
    base: int

    def __post_init__(self):
        self.check_digits()
        if self.base < 2:
            raise InputError(f"base = {shown(self.base)}: it must be at least 2")
        if not self.members:
            raise InputError(f"{self} is empty: no power of {shown(self.base)} has {self.digits} digits")

    def term(self, k: int) -> mpz:
        return mpz(self.base) ** k

    def named(self, k: int) -> str:
        return f"{shown(self.base)}^{k} = {super().named(k)}"

    def __str__(self) -> str:
        return f"{self.digits}-digit powers of {shown(self.base)}"
