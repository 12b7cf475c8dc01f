"""Numbers at which tuples of linear forms are prime: listed, counted by a table, or estimated."""

import math
from abc import abstractmethod
from bisect import bisect_left
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

import gmpy2
import numpy as np

from sampler_bench.errors import InputError
from sampler_bench.kernels import Forms
from sampler_bench.targets.counting.estimated import EstimatedTarget
from sampler_bench.targets.counting.form_faults import why_no_member, why_no_prime
from sampler_bench.targets.counting.kept_counts import count_members
from sampler_bench.targets.counting.prime_counts import primes_below
from sampler_bench.targets.counting.proposals import draw_members
from sampler_bench.targets.counting.tables import PrefixTable, find_table, interval, table_to_depth
from sampler_bench.targets.counting.truth_cache import kept
from sampler_bench.targets.counting.tuple_names import Progression, parse_tuple
from sampler_bench.targets.counting.windows import window

if TYPE_CHECKING:
    from sampler_bench.kernels import Estimate

LISTED_DIGITS = 9  # up to here all members are listed at the first question
TABLE_DIGITS = 3  # from here on no number is a member in two ways, so that a table counts them
COUNTED_DIGITS = 13  # up to here counts by prefix come from a table
COUNTED_PRIME_DIGITS = 18  # primes alone: by a library
MADE_DIGITS = 11  # up to here a table that is missing is made at the first question, in under ten seconds
MAX_DIGITS = 1000
TAIL_DIGITS = 8  # that are free after a prefix: all its members are sieved. 3 s at 100 digits on one core
NEAR_DIGITS = 6  # that are free: the members after a prefix are sieved by themselves. 20 ms at 100 digits
PRIME_TAIL_DIGITS = 6  # the same for primes up to 13 digits, whose intervals are counted in 20 ms
SURE = 20  # groups of members expected after a prefix: there is one


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
        self.check_digits(MAX_DIGITS)
        try:
            Forms(parse_tuple(self.tuple_name))
        except ValueError as error:
            raise InputError(str(error)) from error

    def _count(self, prefix: str) -> int | None:
        lo, hi = interval(prefix, self.digits)
        if self.digits <= LISTED_DIGITS and self._found is not None and len(prefix) <= self._found.depth:
            return self._count_by(self._found, prefix)
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
        return self._count_by(self._table, prefix)

    def _count_by(self, table: PrefixTable, prefix: str) -> int:
        lo, hi = interval(prefix, self.digits)
        return len(self.shifts) * table.count(prefix) + self._crossing(lo) - self._crossing(hi)

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
    def _found(self) -> PrefixTable | None:
        """The table that is there already, where members can be counted by those of the tuple."""
        fits = self.factor == 1 and self.digits >= TABLE_DIGITS
        return find_table(self.tuple_name, self.digits) if fits else None

    @cached_property
    def _table(self) -> PrefixTable:
        if self._found is not None and self._found.depth >= self.digits - TAIL_DIGITS - 1:
            return self._found
        depth = max(1, self.digits - TAIL_DIGITS)
        if self.digits > MADE_DIGITS:
            raise InputError(
                f"{self} are counted with a table; make it once: sampler-bench table {self.tuple_name} "
                f"--digits {self.digits} --depth {depth}"
            )
        return table_to_depth(self.tuple_name, self.digits, depth)

    def _crossing(self, edge: int) -> int:
        """Members from ``edge`` on whose n lies below it."""
        below = range(edge - self.shifts[-1], edge)
        holding = [n for n in below if self._holds(n)]
        return sum(n + shift >= edge for n in holding for shift in self.shifts)

    def _holds(self, n: int) -> bool:
        return all(gmpy2.is_prime(max(a * n + b, 0)) for a, b in parse_tuple(self.tuple_name))

    def contains(self, number: str) -> bool:
        if len(number) != self.digits or not (number.isascii() and number.isdigit()) or number[0] == "0":
            return False
        places = [divmod(int(number) - shift, self.factor) for shift in self.shifts]
        return any(n >= 0 and rest == 0 and self._holds(n) for n, rest in places)

    def _why_not(self, number: str) -> str:
        forms = parse_tuple(self.tuple_name)
        return why_no_member(int(number), forms, self.factor, self.shifts, why_no_prime)

    def _estimate(self, prefix: str) -> "Estimate":
        from sampler_bench.kernels import expected_tuples

        places = self._places(*interval(prefix, self.digits), self.shifts[0])
        return expected_tuples(parse_tuple(self.tuple_name), *places, _constant(self.tuple_name))

    def _places(self, lo: int, hi: int, shift: int) -> tuple[int, int]:
        """[first, end) of the n >= 0 with lo <= a n + shift < hi."""
        return Progression(self.tuple_name, self.factor, shift).places(lo, hi)

    def residues(self, modulus: int) -> np.ndarray:
        """Up to 9 digits all members are gone through. Beyond, the classes that the forms allow are alike.

        That is the prime number theorem for arithmetic progressions for single primes, the conjecture of
        Hardy and Littlewood for tuples.
        """
        if self.digits <= LISTED_DIGITS:
            start, end = interval("", self.digits)
            return _shares(self.tuple_name, self.factor, self.shifts, start, end, modulus).copy()
        forms = parse_tuple(self.tuple_name)
        allowed = [n for n in range(modulus) if all(math.gcd(a * n + b, modulus) == 1 for a, b in forms)]
        places = [(self.factor * n + shift) % modulus for n in allowed for shift in self.shifts]
        return np.bincount(places, minlength=modulus) / len(places)

    def live_digits(self, number: str) -> int:
        """As for any target; but where members are not counted, those of the last digits are looked for.

        What leaves 8 digits free or more is then taken to live, which is known but for ``doubtful_lengths``.
        """
        if self.counted:
            return super().live_digits(number)
        if number.startswith("0"):
            return 0
        length = min(len(number), self.digits)
        while length > self._head_digits and not self._lives(number[:length]):
            length -= 1
        return length

    @property
    def doubtful_lengths(self) -> range:
        """Lengths of prefix, with 8 digits free or more, after which few groups of members are expected.

        As with Poisson's law, there are none after a prefix with probability exp(-mu), 2e-9 for mu = 20.
        """
        if self.counted:
            return range(0)
        highest = "9" * self._head_digits  # numbers that begin so have the fewest
        lengths = range(1, self._head_digits + 1)
        first = bisect_left(lengths, True, key=lambda k: self._estimate(highest[:k]).log < math.log(SURE))
        return lengths[first:]

    def _lives(self, prefix: str) -> bool:
        """Whether a member starts with the prefix, found by sieving what may follow it and no more."""
        from sampler_bench.kernels import tuples_in  # loads Numba

        lo, hi = interval(prefix, self.digits)
        places = [self._places(lo, hi, shift) for shift in self.shifts]
        return any(len(tuples_in(parse_tuple(self.tuple_name), start, end - start)) for start, end in places)

    @property
    def slow_lengths(self) -> range:
        return range(0) if self.counted else range(self._head_digits, self.digits - NEAR_DIGITS)

    @property
    def draws(self) -> int:
        return 2 if len(self.shifts) > 1 and self.digits > COUNTED_DIGITS else 1

    def sample(self, size: int, rng: "np.random.Generator") -> list[str]:
        if self.digits <= LISTED_DIGITS:
            return super().sample(size, rng)
        lo, hi = interval("", self.digits)
        first, end = self._places(lo, hi, self.shifts[-1])[0], self._places(lo, hi, self.shifts[0])[1]
        batches, drawn = draw_members(parse_tuple(self.tuple_name), first, end, rng), []
        while len(drawn) < size:
            shifted = [self.factor * n + self.shifts[rng.integers(len(self.shifts))] for n in next(batches)]
            drawn += [str(number) for number in shifted if lo <= number < hi]
        return drawn[:size]

    def unrank(self, index: int) -> str:
        self.check_rank(index)
        if self.digits > LISTED_DIGITS:
            return super().unrank(index)
        start, end = interval("", self.digits)
        return str(start + int(_members(self.tuple_name, self.factor, self.shifts, start, end)[index]))


@lru_cache(maxsize=64)
def _constant(name: str) -> "Estimate":
    """The tuple's singular series."""
    from sampler_bench.kernels import Estimate

    def compute() -> np.ndarray:
        from sampler_bench.kernels import singular_series  # loads mpmath

        found = singular_series(Forms(parse_tuple(name)).pairs)
        return np.array([found.log, found.error])

    return Estimate(*kept(f"singular series of {name}", compute).tolist())


@lru_cache(maxsize=64)
def _members(name: str, factor: int, shifts: tuple[int, ...], lo: int, hi: int) -> np.ndarray:
    """Offsets from lo of all members in [lo, hi), increasing; ndarray of int64."""
    start, end = max(-((shifts[-1] - lo) // factor), 0), max(-((shifts[0] - hi) // factor), 0)
    at_shift_0 = factor * window(name, start, end - start) - (lo - factor * start)
    offsets = np.sort(np.concatenate([at_shift_0 + shift for shift in shifts]), kind="stable")  # sorted runs
    new = np.diff(offsets, prepend=-1) > 0  # 5 comes twice
    return offsets[new & (offsets >= 0) & (offsets < hi - lo)]


@lru_cache(maxsize=64)
def _shares(name: str, factor: int, shifts: tuple[int, ...], lo: int, hi: int, modulus: int) -> np.ndarray:
    """Of the residues among all members in [lo, hi); shape (modulus,)."""
    members = lo + _members(name, factor, shifts, lo, hi)
    return np.bincount(members % modulus, minlength=modulus) / len(members)
