"""Numbers in a residue class: even numbers, multiples of m, x = r (mod m)."""

import math
from dataclasses import dataclass

import numpy as np

from sampler_bench.errors import InputError
from sampler_bench.targets.base import IntervalTarget


@dataclass(frozen=True)
class Multiples(IntervalTarget):
    """Numbers x of exactly ``digits`` digits with x = ``residue`` (mod ``modulus``).

    Counted in closed form: [lo, hi) holds floor((hi - 1 - r) / m) - floor((lo - 1 - r) / m) of them,
    so the cost does not depend on the modulus, as an automaton over the digits would.

    Raises
    ------
    InputError
        If ``digits`` or ``modulus`` is below 1, the residue is not in 0..modulus-1, or no number fits.
    """

    digits: int
    modulus: int
    residue: int = 0

    def __post_init__(self):
        self.check_digits()
        if self.modulus < 1:
            raise InputError(f"modulus = {self.modulus}: it must be at least 1")
        if not 0 <= self.residue < self.modulus:
            raise InputError(f"residue = {self.residue}: it must lie in 0..{self.modulus - 1}")
        if self.count("") == 0:
            raise InputError(f"{self} is empty: no {self.digits}-digit number fits")

    def _count_between(self, lo: int, hi: int) -> int:
        return (hi - 1 - self.residue) // self.modulus - (lo - 1 - self.residue) // self.modulus

    def residues(self, modulus: int) -> np.ndarray:
        lo, hi = 10 ** (self.digits - 1), 10**self.digits
        together = math.lcm(self.modulus, modulus)
        counts = [0] * modulus
        for x in range(self.residue, together, self.modulus):
            counts[x % modulus] += (hi - 1 - x) // together - (lo - 1 - x) // together
        return np.array([count / sum(counts) for count in counts])

    def __str__(self) -> str:
        rule = f" = {self.residue} (mod {self.modulus})" if self.modulus > 1 else ""
        return f"{self.digits}-digit numbers{rule}"
