"""Numbers that read the same from both ends."""

from dataclasses import dataclass

import numpy as np

from sampler_bench.integers import power_of_ten, to_text
from sampler_bench.targets.registry import family
from sampler_bench.targets.uniform import CountedUniformTarget


@family("palindromes")
@dataclass(frozen=True)
class Palindromes(CountedUniformTarget):
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
            return 9 * power_of_ten(half - 1)
        if len(prefix) <= half:
            return power_of_ten(half - len(prefix))
        mirrored = prefix[: self.digits // 2][::-1]
        return int(prefix[half:] == mirrored[: len(prefix) - half])

    def _why_not(self, number: str) -> str:
        place = next(place for place, digit in enumerate(number) if digit != number[-1 - place])
        mirror = f"digit {self.digits - place}, which mirrors it, is {number[-1 - place]}"
        return f"digit {place + 1} is {number[place]}, but {mirror}"

    def unrank(self, index: int) -> str:
        self.check_rank(index)
        half = to_text(power_of_ten((self.digits + 1) // 2 - 1) + index)
        return half + half[: self.digits // 2][::-1]

    def residues(self, modulus: int) -> np.ndarray:
        law = np.zeros(modulus)
        law[0] = 1
        for place in range((self.digits + 1) // 2):
            worth = sum(pow(10, k, modulus) for k in {place, self.digits - 1 - place})
            digits = range(place == 0, 10)
            turned = (np.roll(law, digit * worth % modulus) for digit in digits)
            law = sum(turned, start=np.zeros(modulus)) / len(digits)
        return law

    def __str__(self) -> str:
        return f"{self.digits}-digit palindromes"
