"""Values of a polynomial: squares, cubes, triangular numbers, x(x + 1); counted by exact integer roots."""

from dataclasses import dataclass

import gmpy2
import numpy as np

from sampler_bench.errors import InputError
from sampler_bench.targets.base import IntervalTarget


@dataclass(frozen=True)
class Polynomials(IntervalTarget):
    """Numbers f(x) / divisor of ``digits`` digits, x = 1, 2, ...; f has ``coefficients`` c_0, c_1, ...

    (0, 0, 1) are the squares, (0, 1, 1) with divisor 2 the triangular numbers.

    Raises
    ------
    InputError
        If the polynomial is not one of degree 1 or more with natural coefficients, the divisor does not
        divide its values, or no number fits.
    """

    digits: int
    coefficients: tuple[int, ...]
    divisor: int = 1

    def __post_init__(self):
        self.check_digits()
        if len(self.coefficients) < 2 or self.coefficients[-1] < 1 or min(self.coefficients) < 0:
            raise InputError(
                f"coefficients = {list(self.coefficients)}: two or more natural numbers, the last not 0"
            )
        if self.divisor < 1 or any(self._numerator(x) % self.divisor for x in range(self.divisor)):
            raise InputError(f"divisor = {self.divisor}: it does not divide every value of the polynomial")
        if self.count("") == 0:
            raise InputError(f"{self} is empty: no value has {self.digits} digits")

    def _numerator(self, x: int) -> int:
        value = 0
        for coefficient in reversed(self.coefficients):
            value = value * x + coefficient
        return value

    def _count_between(self, lo: int, hi: int) -> int:
        return self._below(hi) - self._below(lo)

    def _below(self, bound: int) -> int:
        """How many x >= 1 have a value below the bound: not more than the leading term alone allows."""
        degree, limit, step = len(self.coefficients) - 1, bound * self.divisor, 1
        high = int(gmpy2.iroot(limit // self.coefficients[-1], degree)[0]) + 1
        while high > step and self._numerator(high - step) >= limit:
            high, step = high - step, 2 * step
        low = max(high - step, 0)
        while high - low > 1:
            middle = (low + high) // 2
            if self._numerator(middle) < limit:
                low = middle
            else:
                high = middle
        return low

    def unrank(self, index: int) -> str:
        self.check_rank(index)
        x = self._below(10 ** (self.digits - 1)) + 1 + index
        return str(self._numerator(x) // self.divisor)

    def residues(self, modulus: int) -> np.ndarray:
        first, end = (self._below(10**digits) + 1 for digits in (self.digits - 1, self.digits))
        period = modulus * self.divisor  # of the values modulo ``modulus``
        counts = [0] * modulus
        for x in range(first, min(first + period, end)):
            counts[self._numerator(x) // self.divisor % modulus] += (end - 1 - x) // period + 1
        return np.array([count / sum(counts) for count in counts])

    def __str__(self) -> str:
        powers = [(c, k) for k, c in enumerate(self.coefficients) if c][::-1]
        terms = [
            (f"{c}" if c > 1 or k == 0 else "") + (f"x^{k}" if k > 1 else "x" if k else "") for c, k in powers
        ]
        text = " + ".join(terms)
        return f"{self.digits}-digit values of " + (
            text if self.divisor == 1 else f"({text}) / {self.divisor}"
        )
