"""Values of a polynomial: squares, cubes, triangular numbers, x(x + 1); counted by exact integer roots."""

from dataclasses import dataclass

import gmpy2
import numpy as np
from gmpy2 import mpz

from sampler_bench.errors import InputError
from sampler_bench.integers import power_of_ten, shown, to_int, to_text
from sampler_bench.targets.registry import family
from sampler_bench.targets.uniform import IntervalTarget

MAX_DEGREE = 100
MAX_PERIOD = 10**6  # values gone through for their residues


@family("polynomials")
@dataclass(frozen=True)
class Polynomials(IntervalTarget):
    """Numbers f(x) / divisor of ``digits`` digits, x = 1, 2, ...; f has ``coefficients`` c_0, c_1, ...

    (0, 0, 1) are the squares, (0, 1, 1) with divisor 2 the triangular numbers.

    Raises
    ------
    InputError
        If the polynomial is not one of degree 1 to 100 with natural coefficients, the divisor does not divide
        its values, or no number fits.
    """

    digits: int
    coefficients: tuple[int, ...]
    divisor: int = 1

    def __post_init__(self):
        self.check_digits()
        if len(self.coefficients) > MAX_DEGREE + 1:
            raise InputError(
                f"{len(self.coefficients)} coefficients: polynomials are of degree 1 to {MAX_DEGREE}"
            )
        if len(self.coefficients) < 2 or self.coefficients[-1] < 1 or min(self.coefficients) < 0:
            given = ", ".join(map(shown, self.coefficients))
            raise InputError(f"coefficients = [{given}]: two or more natural numbers, the last not 0")
        # What divides degree + 1 values in a row divides all their differences, and so every value.
        if self.divisor < 1 or any(self._numerator(x) % self.divisor for x in range(len(self.coefficients))):
            raise InputError(
                f"divisor = {shown(self.divisor)}: it does not divide every value of the polynomial"
            )
        if self.count("") == 0:
            raise InputError(f"{self} is empty: no value has {self.digits} digits")

    def _numerator(self, x: int) -> int:
        return self._value_and_slope(x)[0]

    def _value_and_slope(self, x: int) -> tuple[int, int]:
        """f(x) and f'(x), by Horner's rule."""
        value, slope = 0, 0
        for coefficient in reversed(self.coefficients):
            slope = slope * x + value
            value = value * x + coefficient
        return value, slope

    def _count_between(self, lo: int, hi: int) -> int:
        return self._below(hi) - self._below(lo)

    def _below(self, bound: int) -> int:
        """How many x >= 1 have a value below the bound: Newton's method, from what each term alone allows.

        Where no coefficient is negative, f is convex, and a step from above the root does not pass it.
        """
        limit = mpz(bound) * self.divisor
        x = 1 + min(gmpy2.iroot(limit // c, k)[0] for k, c in enumerate(self.coefficients) if k and c)
        while x > 0:
            value, slope = self._value_and_slope(x)
            if value < limit:
                break
            x = max(x - max((value - limit) // slope, 1), mpz(0))
        return int(x)

    def _why_not(self, number: str) -> str:
        x = self._below(to_int(number))
        last, following = (shown(self._numerator(each) // self.divisor) for each in (x, x + 1))
        if x == 0:
            return f"the first value is {following}"
        return f"the values at {shown(x)} and {shown(x + 1)} are {last} and {following}"

    def unrank(self, index: int) -> str:
        self.check_rank(index)
        x = self._below(power_of_ten(self.digits - 1)) + 1 + index
        return to_text(self._numerator(x) // self.divisor)

    def residues(self, modulus: int) -> np.ndarray | None:
        first, end = (self._below(power_of_ten(digits)) + 1 for digits in (self.digits - 1, self.digits))
        period = modulus * self.divisor  # of the values modulo ``modulus``
        if min(period, end - first) > MAX_PERIOD:
            return None
        counts = [0] * modulus
        for x in range(first, min(first + period, end)):
            counts[self._numerator(x) // self.divisor % modulus] += (end - 1 - x) // period + 1
        return np.array([count / sum(counts) for count in counts])

    def __str__(self) -> str:
        powers = [(c, k) for k, c in enumerate(self.coefficients) if c][::-1]
        terms = [
            (shown(c) if c > 1 or k == 0 else "") + (f"x^{k}" if k > 1 else "x" if k else "")
            for c, k in powers
        ]
        text = " + ".join(terms)
        return f"{self.digits}-digit values of " + (
            text if self.divisor == 1 else f"({text}) / {shown(self.divisor)}"
        )
