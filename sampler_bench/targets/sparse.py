"""Sparse sets: so few members at any length that they are simply listed."""

from dataclasses import dataclass
from functools import cached_property

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
