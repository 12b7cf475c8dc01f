"""Numbers in a residue class: even numbers, multiples of m, x = r (mod m)."""

import math
from dataclasses import dataclass

import numpy as np

from sampler_bench.errors import InputError
from sampler_bench.integers import power_of_ten, shown, to_int, to_text
from sampler_bench.targets.registry import family
from sampler_bench.targets.uniform import IntervalTarget


@family("multiples")
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
            raise InputError(f"modulus = {shown(self.modulus)}: it must be at least 1")
        if not 0 <= self.residue < self.modulus:
            raise InputError(f"residue = {shown(self.residue)}: it must lie in 0..{shown(self.modulus - 1)}")
        if self.count("") == 0:
            raise InputError(f"{self} is empty: no {self.digits}-digit number fits")

    def _count_between(self, lo: int, hi: int) -> int:
        return (hi - 1 - self.residue) // self.modulus - (lo - 1 - self.residue) // self.modulus

    def _why_not(self, number: str) -> str:
        rest = to_int(number) % self.modulus
        return f"divided by {shown(self.modulus)} it leaves {shown(rest)}, not {shown(self.residue)}"

    def unrank(self, index: int) -> str:
        self.check_rank(index)
        least = power_of_ten(self.digits - 1)
        return to_text(least + (self.residue - least) % self.modulus + index * self.modulus)

    def state(self, prefix: str) -> int:
        return to_int(prefix or "0") % self.modulus

    def residues(self, modulus: int) -> np.ndarray:
        lo, hi = power_of_ten(self.digits - 1), power_of_ten(self.digits)
        together = math.lcm(self.modulus, modulus)
        counts = [0] * modulus
        for x in range(self.residue, together, self.modulus):
            counts[x % modulus] += (hi - 1 - x) // together - (lo - 1 - x) // together
        return np.array([count / sum(counts) for count in counts])

    def __str__(self) -> str:
        rule = f" = {shown(self.residue)} (mod {shown(self.modulus)})" if self.modulus > 1 else ""
        return f"{self.digits}-digit numbers{rule}"
