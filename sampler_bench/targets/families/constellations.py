"""Prime constellations: primes that stand in a given pattern to other primes."""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from sampler_bench.errors import InputError
from sampler_bench.targets.counting.tuple_names import SAFE, TUPLES, Progression, parse_progression
from sampler_bench.targets.counting.tuple_target import LISTED_DIGITS, TupleTarget
from sampler_bench.targets.registry import family


@family("constellation")
@dataclass(frozen=True)
class Constellation(TupleTarget):
    """Numbers n of exactly ``digits`` digits at which all ``forms`` are prime.

    ``forms``: ``primes``, ``cousin-primes``, ``sexy-primes``, ``sophie-germain-primes``, or as in
    ``n,n+2,n+6``. ``safe-primes`` are the numbers 2 n + 1 of the Sophie Germain primes n.

    Raises
    ------
    InputError
        If ``digits`` is not in 1..1000, the forms are not an admissible tuple, or no number fits.
    """

    digits: int
    forms: str

    def __post_init__(self):
        self.check()
        if self.digits <= LISTED_DIGITS and self.count("") == 0:
            raise InputError(f"{self} is empty: no {self.digits}-digit number fits")

    @cached_property
    def tuple_name(self) -> str:  # pyright: ignore[reportIncompatibleMethodOverride]  a property, kept
        return self._progression.tuple_name

    @property
    def factor(self) -> int:
        return self._progression.factor

    @property
    def shifts(self) -> tuple[int, ...]:
        return (self._progression.shift,)

    @cached_property
    def _progression(self) -> Progression:
        return parse_progression(self.forms)

    def __str__(self) -> str:
        name = SAFE if self.forms == SAFE else self.tuple_name
        named = name.replace("-", " ") if name in (SAFE, *TUPLES) else f"n with {self.forms} prime"
        return f"{self.digits}-digit {named}"


@family("twin-primes")
@dataclass(frozen=True)
class TwinPrimes(TupleTarget):
    """Members of twin-prime pairs (p, p + 2) of exactly ``digits`` digits.

    ``member = "either"`` takes p and p + 2, ``"lower"`` takes p only.

    Raises
    ------
    InputError
        If ``digits`` is not in 1..1000.
    """

    digits: int
    member: Literal["either", "lower"] = "either"

    def __post_init__(self):
        self.check()

    @property
    def tuple_name(self) -> str:
        return "twin-primes"

    @property
    def shifts(self) -> tuple[int, ...]:
        return (0, 2) if self.member == "either" else (0,)

    def __str__(self) -> str:
        lower = ", lower members" if self.member == "lower" else ""
        return f"{self.digits}-digit twin primes{lower}"
