"""Prime constellations: primes that stand in a given pattern to other primes."""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from sampler_bench.errors import InputError
from sampler_bench.targets.enumerated import EnumeratedTarget

MAX_DIGITS = 9
TWINS = ((1, 0), (1, 2))


@dataclass(frozen=True)
class TwinPrimes(EnumeratedTarget):
    """Members of twin-prime pairs (p, p + 2) of exactly ``digits`` digits.

    ``member = "either"`` takes p and p + 2, ``"lower"`` takes p only. All members are sieved at the
    first question: well under a second and 50 MB at 9 digits, once the kernels have been compiled.

    Raises
    ------
    InputError
        If ``digits`` is not in 1..9.
    """

    digits: int
    member: Literal["either", "lower"] = "either"

    def __post_init__(self):
        self.check_digits()
        if self.digits > MAX_DIGITS:
            raise InputError(
                f"digits = {self.digits}: twin primes are counted exactly up to {MAX_DIGITS} digits"
            )

    @cached_property
    def members(self) -> np.ndarray:
        from sampler_bench.kernels import tuples_in  # loads Numba

        lo, hi = 10 ** (self.digits - 1), 10**self.digits
        if self.member == "lower":
            return lo + tuples_in(TWINS, lo, hi - lo)
        lowers = max(lo - 2, 0) + tuples_in(TWINS, max(lo - 2, 0), hi - max(lo - 2, 0))
        both = np.stack([lowers, lowers + 2], axis=1).ravel()  # increasing: only 5 comes twice
        members = both[np.diff(both, prepend=-1) > 0]
        return members[(members >= lo) & (members < hi)]

    def __str__(self) -> str:
        lower = ", lower members" if self.member == "lower" else ""
        return f"{self.digits}-digit twin primes{lower}"
