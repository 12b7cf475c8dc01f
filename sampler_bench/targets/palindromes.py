"""Numbers that read the same from both ends."""

from dataclasses import dataclass

import numpy as np

from sampler_bench.targets.base import UniformTarget


@dataclass(frozen=True)
class Palindromes(UniformTarget):
    """Palindromes of exactly ``digits`` digits: the first half is free, the rest mirrors it.

    Raises
    ------
    InputError
        If ``digits`` is below 1.
    """

    digits: int

    def __post_init__(self):
        self.check_digits()

    def _count(self, prefix: str) -> int:
        half = (self.digits + 1) // 2
        if not prefix:
            return 9 * 10 ** (half - 1)
        if len(prefix) <= half:
            return 10 ** (half - len(prefix))
        mirrored = prefix[: self.digits // 2][::-1]
        return int(prefix[half:] == mirrored[: len(prefix) - half])

    def residues(self, modulus: int) -> np.ndarray:
        law = np.zeros(modulus)
        law[0] = 1
        for place in range((self.digits + 1) // 2):
            worth = sum(10**k for k in {place, self.digits - 1 - place})
            digits = range(place == 0, 10)
            law = sum(np.roll(law, digit * worth % modulus) for digit in digits) / len(digits)
        return law

    def __str__(self) -> str:
        return f"{self.digits}-digit palindromes"
