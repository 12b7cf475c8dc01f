"""What a sieve by the first primes leaves of a constellation's candidates: W_y, the sieve ladder."""

import math
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import combinations

import numpy as np

from sampler_bench.errors import InputError
from sampler_bench.targets.base import IntervalTarget
from sampler_bench.targets.tuple_names import parse_tuple

MAX_DIGITS = 1000
MAX_TERMS = 10**7  # of the sum over residue classes
SIEVED_DIGITS = 7  # up to here the numbers are sieved one by one, by primes as large as wanted

Forms = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Sieved(IntervalTarget):
    """Numbers of exactly ``digits`` digits that trial division by the primes up to ``y`` does not exclude.

    x belongs if for some s of ``shifts`` no prime up to y divides a value of the ``forms`` at n = x - s,
    other than a value that is this prime itself. Every member of the constellation belongs, so that, with
    |W_y| such numbers and |S| members, KL(P || W_y) = ln|W_y| - ln|S|. ``shifts = (0, 2)`` with ``forms =
    "twin-primes"`` goes with twin primes of which either member counts.

    Numbers of up to 7 digits are sieved. Longer ones are counted, for all y whose primorial M is below 2^63,
    by inclusion and exclusion: the classes n = r (mod d) that all primes of a divisor d of M strike number
    Product(1 + nu(p)), and each is counted in closed form.

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
        self.check_digits()
        parse_tuple(self.forms)
        if self.digits > MAX_DIGITS:
            raise InputError(f"digits = {self.digits}: sieves are counted up to {MAX_DIGITS} digits")
        if self.y < 2:
            raise InputError(f"y = {self.y}: the first prime is 2")
        if not self.shifts or min(self.shifts) < 0 or len(set(self.shifts)) < len(self.shifts):
            raise InputError(
                f"shifts = {list(self.shifts)}: one or more different natural numbers are wanted"
            )
        if self.digits > SIEVED_DIGITS:
            self._check_size()
        if self.count("") == 0:
            raise InputError(f"{self} is empty: no {self.digits}-digit number fits")

    def _check_size(self) -> None:
        for _, forms in self._signed_unions:
            terms = (
                1
                if _blocked(forms, self.y)
                else math.prod(1 + len(_roots(forms, p)) for p in _primes(self.y))
            )
            if math.prod(_primes(self.y)) >= 2**63 or terms > MAX_TERMS:
                raise InputError(
                    f"y = {self.y}: more than {SIEVED_DIGITS} digits are counted while the product of the "
                    f"primes is below 2^63 (y up to 47) and they strike at most {MAX_TERMS:,} residue classes"
                )

    @cached_property
    def _signed_unions(self) -> list[tuple[int, Forms]]:
        """x belongs if all forms pass at some shift: the sum over sets of shifts of sign * (pass at all)."""
        forms = parse_tuple(self.forms)
        return [
            (-((-1) ** size), tuple(sorted({(a, b - a * shift) for a, b in forms for shift in shifts})))
            for size in range(1, len(self.shifts) + 1)
            for shifts in combinations(self.shifts, size)
        ]

    def _count_between(self, lo: int, hi: int) -> int:
        if self.digits <= SIEVED_DIGITS:
            start = 10 ** (self.digits - 1)
            below = _passing_below(self.digits, tuple(self._signed_unions), self.y)
            return int(below[hi - start] - below[lo - start])
        return sum(
            sign * (_count_below(forms, self.y, hi) - _count_below(forms, self.y, lo))
            for sign, forms in self._signed_unions
        )

    def __str__(self) -> str:
        return f"{self.digits}-digit numbers that pass for {self.forms.replace('-', ' ')} up to {self.y}"


@lru_cache(maxsize=8)
def _passing_below(digits: int, signed_unions: tuple[tuple[int, Forms], ...], y: int) -> np.ndarray:
    """How many of the first i numbers of so many digits belong, i from 0 on; ndarray of int64."""
    x = np.arange(10 ** (digits - 1), 10**digits)
    belongs = np.zeros(len(x), np.int8)
    for sign, forms in signed_unions:
        passes = np.ones(len(x), bool)
        for p in _primes(min(y, int(max(a * x[-1] + abs(b) for a, b in forms)))):
            for root in _roots(forms, p):
                passes[(root - x[0]) % p :: p] = False
        for n in _exceptions(forms, y):
            if x[0] <= n <= x[-1]:
                passes[n - x[0]] = True
        belongs += sign * passes.astype(np.int8)
    return np.concatenate([[0], np.cumsum(belongs, dtype=np.int64)])


@lru_cache(maxsize=1024)
def _count_below(forms: Forms, y: int, bound: int) -> int:
    """n in [0, bound) at which all forms pass."""
    exceptions = sum(n < bound for n in _exceptions(forms, y))
    if _blocked(forms, y):
        return exceptions
    modulus, divisors, residues, signs = _classes(forms, y)
    turns, rest = divmod(bound, modulus)
    in_a_turn = math.prod(p - len(_roots(forms, p)) for p in _primes(y))
    # n = r (mod d) with 0 <= n < rest; the sum may wrap around 2^64 in between, but not in the end.
    in_the_rest = int(np.sum(signs * ((rest - 1 - residues) // divisors + 1)))
    return turns * in_a_turn + in_the_rest + exceptions


@lru_cache(maxsize=8)
def _classes(forms: Forms, y: int) -> tuple[int, np.ndarray, np.ndarray, np.ndarray]:
    """The primorial, and d, r and sign of every class n = r (mod d) struck by each prime that divides d."""
    divisors, residues, signs = (np.array([value], np.int64) for value in (1, 0, 1))
    modulus = 1
    for p in _primes(y):
        inverse = np.array([pow(int(d) % p, -1, p) for d in divisors])
        struck = [
            residues + divisors * ((root - residues) % p * inverse % p) for root in sorted(_roots(forms, p))
        ]
        signs = np.concatenate([signs, *[-signs] * len(struck)])
        residues = np.concatenate([residues, *struck])
        divisors = np.concatenate([divisors, *[divisors * p] * len(struck)])
        modulus *= p
    return modulus, divisors, residues, signs


@lru_cache(maxsize=64)
def _exceptions(forms: Forms, y: int) -> list[int]:
    """The n >= 0 that pass although a prime up to y divides a value: that value is the prime itself."""
    primes = set(_primes(y))
    found = {(p - b) // a for a, b in forms for p in primes if (p - b) % a == 0 and p >= b}

    def passes(value: int) -> bool:
        return value in primes or (value != 0 and all(value % p for p in primes))

    return sorted(n for n in found if all(passes(a * n + b) for a, b in forms))


def _blocked(forms: Forms, y: int) -> bool:
    """Whether some prime up to y divides a value whatever n is."""
    return any(len(_roots(forms, p)) == p for p in _primes(min(y, len(forms))))


@lru_cache(maxsize=4096)
def _roots(forms: Forms, p: int) -> frozenset[int]:
    """n mod p at which p divides a value."""
    return frozenset(-b * pow(a, -1, p) % p for a, b in forms if a % p)


@lru_cache(maxsize=16)
def _primes(y: int) -> tuple[int, ...]:
    from sampler_bench.kernels import primes_up_to

    return tuple(primes_up_to(y).tolist())
