"""What a sieve by the first primes leaves of a constellation's candidates: W_y, the sieve ladder."""

import math
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from sampler_bench.errors import InputError
from sampler_bench.integers import shown
from sampler_bench.targets.counting.estimated import EstimatedTarget
from sampler_bench.targets.counting.form_faults import why_no_member, why_sieved_out
from sampler_bench.targets.counting.proposals import draw_passing
from sampler_bench.targets.counting.tables import interval
from sampler_bench.targets.counting.trial_division import (
    Forms,
    classes,
    count_passing,
    log_share,
    passes,
    passing,
    residues_allowed,
)
from sampler_bench.targets.counting.tuple_names import parse_tuple
from sampler_bench.targets.registry import family

if TYPE_CHECKING:
    from sampler_bench.kernels import Estimate

MAX_DIGITS = 1000
MAX_Y = 10**6
MAX_SHIFTS = 6  # every set of them is counted
MAX_SHIFT = 10**4
MAX_CLASSES = 10**7  # gone through to count
LISTED_DIGITS = 7  # up to here all numbers are sieved
TAIL_DIGITS = 8  # that are free after a prefix: what follows is sieved
FAR_BELOW = 8  # y^8 below the numbers: then the share of those that pass is that of all numbers, to 1e-7


@family("sieved")
@dataclass(frozen=True)
class Sieved(EstimatedTarget):
    """Numbers of exactly ``digits`` digits that trial division by the primes up to ``y`` does not exclude.

    x belongs if for some s of ``shifts`` no prime up to y divides a value of the ``forms`` at n = x - s,
    other than a value that is this prime itself. Every member of the constellation belongs, so that, with
    |W_y| such numbers and |S| members, KL(P || W_y) = ln|W_y| - ln|S|. ``shifts = (0, 2)`` with ``forms =
    "twin-primes"`` goes with twin primes of which either member counts.

    Numbers of up to 7 digits are sieved. Longer ones are counted by inclusion and exclusion over the residue
    classes that primes strike, while the primorial is below 2^63 and there are at most 10^7 of them; with
    larger y, completions of 8 digits and less are sieved, and of more are taken to pass equally often.

    Raises
    ------
    InputError
        If digits or y are out of range, the shifts make no sense, or no number fits.
    """

    digits: int
    forms: str
    y: int
    shifts: tuple[int, ...] = (0,)

    def __post_init__(self):
        self.check_digits(MAX_DIGITS)
        parse_tuple(self.forms)
        if not 2 <= self.y <= MAX_Y:
            raise InputError(f"y = {shown(self.y)}: it must be from 2, the first prime, to {MAX_Y}")
        if not 1 <= len(self.shifts) <= MAX_SHIFTS or len(set(self.shifts)) < len(self.shifts):
            raise InputError(
                f"shifts: 1 to {MAX_SHIFTS} different natural numbers, not {len(self.shifts)} of which "
                f"{len(set(self.shifts))} differ"
            )
        if not 0 <= min(self.shifts) <= max(self.shifts) <= MAX_SHIFT:
            raise InputError(f"shifts: from 0 to {MAX_SHIFT}, not {', '.join(map(shown, self.shifts))}")
        if not self.counted and self.y**FAR_BELOW > 10 ** (self.digits - 1):
            near = int(10 ** ((self.digits - 1) / FAR_BELOW))
            raise InputError(
                f"y = {self.y}: too many residue classes to count numbers of {self.digits} digits, and too "
                f"large to estimate how many pass (y up to {near} would do)"
            )
        if (self.count("") if self.counted else math.exp(self._log_share)) == 0:
            raise InputError(f"{self} is empty: no {self.digits}-digit number fits")

    @cached_property
    def counted(self) -> bool:  # pyright: ignore[reportIncompatibleMethodOverride]  a property, kept
        if self.digits <= LISTED_DIGITS:
            return True
        return all((classes(forms, self.y) or MAX_CLASSES + 1) <= MAX_CLASSES for _, forms in self._unions)

    @property
    def multiplicity(self) -> int:
        return len(self.shifts)

    @cached_property
    def _unions(self) -> tuple[tuple[int, Forms], ...]:
        """x belongs if all forms pass at some shift: the sum over sets of shifts of sign * (pass at all)."""
        forms = parse_tuple(self.forms)
        return tuple(
            (-((-1) ** size), tuple(sorted({(a, b - a * shift) for a, b in forms for shift in shifts})))
            for size in range(1, len(self.shifts) + 1)
            for shifts in combinations(self.shifts, size)
        )

    def _count(self, prefix: str) -> int | None:
        lo, hi = interval(prefix, self.digits)
        if self.counted and self.digits > LISTED_DIGITS:
            return sum(sign * count_passing(forms, self.y, lo, hi) for sign, forms in self._unions)
        head = 0 if self.counted else self.digits - TAIL_DIGITS
        if len(prefix) < head:
            return None
        start, end = interval(prefix[:head], self.digits)
        first, last = np.searchsorted(
            _members(self._unions, self.y, start, end - start), (lo - start, hi - start)
        )
        return int(last - first)

    def _estimate(self, prefix: str) -> "Estimate":
        from sampler_bench.kernels import Estimate

        lo, hi = interval(prefix, self.digits)
        return Estimate(math.log(hi - lo) + self._log_share - math.log(self.multiplicity), 0.0)

    @cached_property
    def _log_share(self) -> float:
        """ln of the share of all numbers that belong."""
        share = math.fsum(sign * math.exp(log_share(forms, self.y)) for sign, forms in self._unions)
        return math.log(share) if share > 0 else -math.inf

    def contains(self, number: str) -> bool:
        if len(number) != self.digits or not (number.isascii() and number.isdigit()) or number[0] == "0":
            return False
        return self._shifts_at(int(number)) > 0

    def _shifts_at(self, x: int) -> int:
        """At how many shifts x passes."""
        return sum(passes(parse_tuple(self.forms), self.y, x - shift) for shift in self.shifts)

    def _why_not(self, number: str) -> str:
        why_not = partial(why_sieved_out, y=self.y)
        return why_no_member(int(number), parse_tuple(self.forms), 1, self.shifts, why_not)

    def residues(self, modulus: int) -> np.ndarray:
        """Up to 7 digits all are gone through. Beyond, a class has its share in a turn of residues."""
        if self.digits <= LISTED_DIGITS:
            lo, hi = interval("", self.digits)
            members = lo + _members(self._unions, self.y, lo, hi - lo)
            return np.bincount(members % modulus, minlength=modulus) / len(members)
        law = np.zeros(modulus)
        for sign, forms in self._unions:
            allowed, among_them = residues_allowed(forms, self.y, modulus)
            law += sign * math.exp(among_them) * allowed
        return law / law.sum()

    @property
    def draws(self) -> int:
        return 2 if len(self.shifts) > 1 and not self.counted else 1

    def sample(self, size: int, rng: "np.random.Generator") -> list[str]:
        if self.counted:
            return super().sample(size, rng)
        (lo, hi), drawn = interval("", self.digits), []
        batches = draw_passing(parse_tuple(self.forms), self.y, lo - max(self.shifts), hi, rng)
        while len(drawn) < size:
            for n in next(batches):
                x = n + self.shifts[rng.integers(len(self.shifts))]
                # What passes at several shifts is met as often; it is kept once.
                if lo <= x < hi and rng.random() * self._shifts_at(x) < 1:
                    drawn.append(str(x))
        return drawn[:size]

    def __str__(self) -> str:
        return f"{self.digits}-digit numbers that pass for {self.forms.replace('-', ' ')} up to {self.y}"


@lru_cache(maxsize=16)
def _members(unions: tuple[tuple[int, Forms], ...], y: int, start: int, length: int) -> np.ndarray:
    """Offsets from ``start`` of what belongs in [start, start + length); ndarray of int64, increasing."""
    belongs = np.zeros(length, np.int8)
    for sign, forms in unions:
        belongs += sign * passing(forms, y, start, length).view(np.int8)
    return np.flatnonzero(belongs)
