"""Prime constellations: primes that stand in a given pattern to other primes."""

import math
from abc import abstractmethod
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Literal

import numpy as np

from sampler_bench.errors import InputError
from sampler_bench.targets.estimated import EstimatedTarget
from sampler_bench.targets.prime_counts import primes_below
from sampler_bench.targets.proposals import draw_members
from sampler_bench.targets.tables import (
    PrefixTable,
    count_members,
    find_table,
    interval,
    make_table,
    read_table,
)
from sampler_bench.targets.tuple_names import TUPLES, parse_tuple, tuple_name
from sampler_bench.targets.windows import window

if TYPE_CHECKING:
    from sampler_bench.kernels import Estimate

LISTED_DIGITS = 9  # up to here all members are listed at the first question
COUNTED_DIGITS = 13  # up to here counts by prefix come from a table
COUNTED_PRIME_DIGITS = 18  # primes alone: by a library
MADE_DIGITS = 11  # up to here a table that is missing is made at the first question, in under ten seconds
MAX_DIGITS = 1000
TAIL_DIGITS = 8  # that are free after a prefix: all its members are sieved. 3 s at 100 digits on one core
NEAR_DIGITS = 6  # that are free: the members after a prefix are sieved by themselves. 20 ms at 100 digits
PRIME_TAIL_DIGITS = 6  # the same for primes up to 13 digits, whose intervals are counted in 20 ms
SAFE = "safe-primes"


class TupleTarget(EstimatedTarget):
    """Numbers of exactly ``digits`` digits that are a n + s, for a tuple at n, a ``factor`` a and a shift s.

    Up to 13 digits (of primes alone, 18) all is exact. Beyond, so is what follows a prefix that leaves at
    most 8 digits free (``exact-tail``); what follows a shorter one is Hardy and Littlewood's estimate, whose
    bound holds for 999 prefixes in 1000, and ``count`` is None there.
    """

    digits: int

    @property
    @abstractmethod
    def tuple_name(self) -> str:
        """As ``parse_tuple`` reads it."""

    @property
    @abstractmethod
    def shifts(self) -> tuple[int, ...]:
        """Increasing, not negative; a n + s comes but once above 100, so that counts may be added."""

    @property
    def factor(self) -> int:
        """a, where the numbers are a n + s."""
        return 1

    @property
    def multiplicity(self) -> int:
        return len(self.shifts)

    @property
    def counted(self) -> bool:
        return self.digits <= self._counted_digits

    def check(self) -> None:
        """Raise InputError if the forms or the digits make no sense."""
        from sampler_bench.kernels import count_tuples  # loads Numba

        self.check_digits()
        if self.digits > MAX_DIGITS:
            raise InputError(f"digits = {self.digits}: primes are tested up to {MAX_DIGITS} digits")
        try:
            count_tuples(parse_tuple(self.tuple_name), [0, 0])
        except ValueError as error:
            raise InputError(str(error)) from error

    def _count(self, prefix: str) -> int | None:
        lo, hi = interval(prefix, self.digits)
        if len(prefix) >= self._head_digits:
            near = not self.counted and len(prefix) >= self.digits - NEAR_DIGITS
            head = prefix[: self.digits - NEAR_DIGITS if near else self._head_digits]
            start, end = interval(head, self.digits)
            offsets = _members(self.tuple_name, self.factor, self.shifts, start, end)
            return int(np.searchsorted(offsets, hi - start) - np.searchsorted(offsets, lo - start))
        if not self.counted:
            return None
        if self.tuple_name == "primes":
            return primes_below(hi) - primes_below(lo)
        if self.factor > 1:
            return sum(count_members(self.tuple_name, *self._places(lo, hi, s)) for s in self.shifts)
        return len(self.shifts) * self._table.count(prefix) + self._crossing(lo) - self._crossing(hi)

    @property
    def _head_digits(self) -> int:
        """Digits after which all members are listed."""
        if self.digits <= LISTED_DIGITS:
            return 0
        if self.digits > COUNTED_DIGITS:
            return self.digits - TAIL_DIGITS
        if self.tuple_name == "primes":
            return self.digits - PRIME_TAIL_DIGITS
        if self.factor > 1:
            return self.digits - TAIL_DIGITS
        return max(self.digits - TAIL_DIGITS, self._table.depth + 1)

    @property
    def _counted_digits(self) -> int:
        """Up to here members are counted, whatever the prefix."""
        if self.factor > 1:
            return MADE_DIGITS  # tables are by the digits of n, which are not those of a n + s
        return COUNTED_PRIME_DIGITS if self.tuple_name == "primes" else COUNTED_DIGITS

    @cached_property
    def _table(self) -> PrefixTable:
        table = find_table(self.tuple_name, self.digits)
        if table is not None and table.depth >= self.digits - TAIL_DIGITS - 1:
            return table
        depth = max(1, self.digits - TAIL_DIGITS)
        if self.digits > MADE_DIGITS:
            raise InputError(
                f"{self} are counted with a table; make it once: sampler-bench table {self.tuple_name} "
                f"--digits {self.digits} --depth {depth}"
            )
        return read_table(make_table(self.tuple_name, self.digits, depth))

    def _crossing(self, edge: int) -> int:
        """Members from ``edge`` on whose n lies below it."""
        below = range(edge - self.shifts[-1], edge)
        holding = [n for n in below if self._holds(n)]
        return sum(n + shift >= edge for n in holding for shift in self.shifts)

    def _holds(self, n: int) -> bool:
        from sampler_bench.kernels import is_probable_prime  # loads Numba

        return bool(is_probable_prime([max(a * n + b, 0) for a, b in parse_tuple(self.tuple_name)]).all())

    def contains(self, number: str) -> bool:
        if len(number) != self.digits or not (number.isascii() and number.isdigit()) or number[0] == "0":
            return False
        places = [divmod(int(number) - shift, self.factor) for shift in self.shifts]
        return any(n >= 0 and rest == 0 and self._holds(n) for n, rest in places)

    def _estimate(self, prefix: str) -> "Estimate":
        from sampler_bench.kernels import expected_tuples  # loads Numba

        places = self._places(*interval(prefix, self.digits), self.shifts[0])
        return expected_tuples(parse_tuple(self.tuple_name), *places)

    def _places(self, lo: int, hi: int, shift: int) -> tuple[int, int]:
        """[first, end) of the n >= 0 with lo <= a n + shift < hi."""
        first, end = (max(-((shift - edge) // self.factor), 0) for edge in (lo, hi))
        return first, end

    def residues(self, modulus: int) -> np.ndarray:
        """Up to 9 digits all members are gone through. Beyond, the classes that the forms allow are alike.

        That is the prime number theorem for arithmetic progressions for single primes, the conjecture of
        Hardy and Littlewood for tuples.
        """
        if self.digits <= LISTED_DIGITS:
            start, end = interval("", self.digits)
            members = start + _members(self.tuple_name, self.factor, self.shifts, start, end)
            return np.bincount(members % modulus, minlength=modulus) / len(members)
        forms = parse_tuple(self.tuple_name)
        allowed = [n for n in range(modulus) if all(math.gcd(a * n + b, modulus) == 1 for a, b in forms)]
        places = [(self.factor * n + shift) % modulus for n in allowed for shift in self.shifts]
        return np.bincount(places, minlength=modulus) / len(places)

    def live_digits(self, number: str) -> int:
        """As for any target; but where members are not counted, those of the last digits are looked for.

        What leaves 8 digits free or more is then taken to live: hundreds of members are expected after it.
        """
        if self.counted:
            return super().live_digits(number)
        if number.startswith("0"):
            return 0
        length = min(len(number), self.digits)
        while length > self._head_digits and not self._lives(number[:length]):
            length -= 1
        return length

    def _lives(self, prefix: str) -> bool:
        """Whether a member starts with the prefix, found by sieving what may follow it and no more."""
        from sampler_bench.kernels import tuples_in  # loads Numba

        lo, hi = interval(prefix, self.digits)
        places = [self._places(lo, hi, shift) for shift in self.shifts]
        return any(len(tuples_in(parse_tuple(self.tuple_name), start, end - start)) for start, end in places)

    @property
    def slow_lengths(self) -> range:
        return range(0) if self.counted else range(self._head_digits, self.digits - NEAR_DIGITS)

    def sample(self, size: int, rng: np.random.Generator) -> list[str]:
        if self.digits <= LISTED_DIGITS:
            return super().sample(size, rng)
        lo, hi = interval("", self.digits)
        first, end = self._places(lo, hi, self.shifts[-1])[0], self._places(lo, hi, self.shifts[0])[1]
        drawn: list[int] = []
        while len(drawn) < size:
            places = draw_members(parse_tuple(self.tuple_name), first, end, size - len(drawn), rng)
            shifted = [self.factor * n + self.shifts[rng.integers(len(self.shifts))] for n in places]
            drawn += [number for number in shifted if lo <= number < hi]
        return list(map(str, drawn))

    def unrank(self, index: int) -> str:
        self.check_rank(index)
        if self.digits > LISTED_DIGITS:
            return super().unrank(index)
        start, end = interval("", self.digits)
        return str(start + int(_members(self.tuple_name, self.factor, self.shifts, start, end)[index]))


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
    def tuple_name(self) -> str:
        return tuple_name(parse_tuple("sophie-germain-primes" if self.forms == SAFE else self.forms))

    @property
    def factor(self) -> int:
        return 2 if self.forms == SAFE else 1

    @property
    def shifts(self) -> tuple[int, ...]:
        return (1,) if self.forms == SAFE else (0,)

    def __str__(self) -> str:
        name = SAFE if self.forms == SAFE else self.tuple_name
        named = name.replace("-", " ") if name in (SAFE, *TUPLES) else f"n with {self.forms} prime"
        return f"{self.digits}-digit {named}"


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

    tuple_name = "twin-primes"

    def __post_init__(self):
        self.check()

    @property
    def shifts(self) -> tuple[int, ...]:
        return (0, 2) if self.member == "either" else (0,)

    def __str__(self) -> str:
        lower = ", lower members" if self.member == "lower" else ""
        return f"{self.digits}-digit twin primes{lower}"


@lru_cache(maxsize=64)
def _members(name: str, factor: int, shifts: tuple[int, ...], lo: int, hi: int) -> np.ndarray:
    """Offsets from lo of all members in [lo, hi), increasing; ndarray of int64."""
    start, end = max(-((shifts[-1] - lo) // factor), 0), max(-((shifts[0] - hi) // factor), 0)
    at_shift_0 = factor * window(name, start, end - start) - (lo - factor * start)
    offsets = np.sort(np.concatenate([at_shift_0 + shift for shift in shifts]), kind="stable")  # sorted runs
    new = np.diff(offsets, prepend=-1) > 0  # 5 comes twice
    return offsets[new & (offsets >= 0) & (offsets < hi - lo)]
