"""Primes, and members of other tuples, from a to b, whatever their length."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from sampler_bench.errors import InputError
from sampler_bench.integers import shown
from sampler_bench.targets.counting.between import RangeTarget, entropy_of_stopping
from sampler_bench.targets.counting.form_faults import why_no_member, why_no_prime
from sampler_bench.targets.counting.tuple_names import parse_tuple
from sampler_bench.targets.registry import family

MAX_LISTED = 10**8  # primes are listed up to here: 5.8 million, in a second


@family("prime-range")
@dataclass(frozen=True)
class PrimeRange(RangeTarget):
    """Members of a constellation from ``low`` to ``high``, both included: n with all ``forms`` prime.

    Raises
    ------
    InputError
        Unless 0 <= low <= high <= 10^8, if the forms are not an admissible tuple, or no number fits.
    """

    low: int
    high: int
    forms: str = "primes"

    def __post_init__(self):
        if self.high > MAX_LISTED:
            raise InputError(f"high = {shown(self.high)}: primes are listed up to {MAX_LISTED}")
        self.check()

    @cached_property
    def _members(self) -> np.ndarray:
        """ndarray of int64, increasing."""
        from sampler_bench.kernels import tuples_in  # loads Numba

        try:
            return tuples_in(parse_tuple(self.forms), self.low, self.high - self.low + 1) + self.low
        except ValueError as error:
            raise InputError(str(error)) from error

    def _count_between(self, lo: int, hi: int) -> int:
        first, last = np.searchsorted(self._members, [lo, hi])
        return int(last - first)

    def _why_not(self, number: str) -> str:
        if self.low <= int(number) <= self.high and str(int(number)) == number:
            return why_no_member(int(number), parse_tuple(self.forms), 1, [0], why_no_prime)
        return super()._why_not(number)

    def residues(self, modulus: int) -> np.ndarray:
        return np.bincount(self._members % modulus, minlength=modulus) / len(self._members)

    def _stop_entropy(self) -> float:
        stems = self._members[: np.searchsorted(self._members, self.high // 10, "right")]
        completions = np.ones(len(stems), np.int64)
        for free in range(1, self.digits):
            edges = np.stack([stems * 10**free, (stems + 1) * 10**free])
            completions += np.diff(np.searchsorted(self._members, edges), axis=0)[0]
        return float(completions / len(self._members) @ entropy_of_stopping(1 / completions))

    def __str__(self) -> str:
        return f"{self.forms.replace('-', ' ')} from {shown(self.low)} to {shown(self.high)}"
