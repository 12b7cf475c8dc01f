"""Tuples of linear forms a n + b, wanted prime together: twins are ((1, 0), (1, 2))."""

import math
from collections.abc import Sequence
from functools import cache, cached_property

import numpy as np

LARGEST = 8192  # coefficient: below the primes whose first strikes are found in float64


class Forms:
    """A checked tuple of linear forms.

    Raises
    ------
    ValueError
        If there is no form, one is not a pair of coprime integers within LARGEST with a >= 1,
        two are the same, or the tuple is inadmissible: some prime divides a value whatever n is.
    """

    def __init__(self, forms: Sequence[tuple[int, int]]):
        self.pairs = tuple((a, b) for a, b in forms)
        for coefficient in (c for pair in self.pairs for c in pair):
            if not isinstance(coefficient, int) or isinstance(coefficient, bool):
                raise ValueError(f"the coefficient {coefficient!r} is not an integer")
        if not self.pairs:
            raise ValueError("a tuple needs at least one form (a, b)")
        if len(set(self.pairs)) < len(self.pairs):
            raise ValueError(f"the forms {self.pairs} hold one twice")
        for a, b in self.pairs:
            if not 1 <= a <= LARGEST or abs(b) > LARGEST or math.gcd(a, b) != 1:
                raise ValueError(
                    f"the form {a} n + {b} needs a from 1 to {LARGEST}, b from -{LARGEST} to {LARGEST}, "
                    "and no factor common to both"
                )
        for prime in range(2, len(self.pairs) + 1):  # a larger one leaves a residue free
            if all(prime % d for d in range(2, prime)) and not self.lanes(prime):
                raise ValueError(f"the forms {self.pairs} are inadmissible: {prime} always divides one")

    def lanes(self, modulus: int) -> list[int]:
        """Residues r mod ``modulus`` at which no prime factor of the modulus divides a value."""
        return [r for r in range(modulus) if all(math.gcd(a * r + b, modulus) == 1 for a, b in self.pairs)]

    def roots(self, primes: np.ndarray) -> np.ndarray:
        """For each form and prime q the n mod q at which q divides the value.

        Where q divides the form's ``a``, and so never the value, another form's root stands in.

        Parameters
        ----------
        primes : ndarray of int64, shape (primes,)
            None of them dividing every ``a``.

        Returns
        -------
        ndarray of int64, shape (forms, primes)
        """
        roots = np.empty((len(self.pairs), len(primes)), np.int64)
        for root, (a, b) in zip(roots, self.pairs, strict=True):
            root[:] = -b % primes
            if a > 1:
                root[:] = np.where(a % primes == 0, -1, root * inverse(a, primes) % primes)
        return np.where(roots < 0, roots.max(axis=0), roots)

    def holding(self, base: int, offsets: np.ndarray) -> np.ndarray:
        """The offsets from ``base`` at which every value is prime, of those a sieve by small primes has left.

        Parameters
        ----------
        base : int
            Of any size.
        offsets : ndarray of int64
            Not negative.

        Returns
        -------
        ndarray of int64
        """
        from sampler_bench.kernels.primality import pass_base_2, pass_lucas  # loads Numba
        from sampler_bench.kernels.probable_primes import is_probable_prime, passes_base_2

        fits = self.largest_value(base + int(offsets.max(initial=0))) < 2**64
        # All forms first meet the test that is quick.
        for test in (pass_base_2, pass_lucas) if fits else (passes_base_2, is_probable_prime):
            for a, b in self.pairs:
                if fits:
                    first = np.uint64((a * base + b) % 2**64)  # may be negative
                    values = np.uint64(a) * offsets.view(np.uint64) + first
                else:
                    values = [a * (base + offset) + b for offset in offsets.tolist()]
                offsets = offsets[test(values)]
        return offsets

    @cached_property
    def first(self) -> int:
        """The least n >= 0 at which every value is at least 2."""
        return max(0, *(-((b - 2) // a) for a, b in self.pairs))

    def largest_value(self, n: int) -> int:
        return max(a * n + b for a, b in self.pairs)

    def reach(self, value: int) -> int:
        """The least n from which on every form's value exceeds ``value``."""
        return max(max(0, (value - b) // a + 1) for a, b in self.pairs)


def inverse(number: int, primes: np.ndarray) -> np.ndarray:
    """number^-1 mod q for an array of primes q that do not divide it, without Euclid.

    With t = -q^-1 mod ``number``, of which there are few, (t q + 1) / number is an integer and the inverse.
    Exact in int64 for number * q < 2^63.
    """
    rest = primes - primes // number * number  # numpy divides by a constant fast, but takes remainders slowly
    return (turn_table(number)[rest] * primes + 1) // number


@cache
def turn_table(number: int) -> np.ndarray:
    """-r^-1 mod ``number`` for each r below it, 0 where there is no inverse."""
    coprime = [math.gcd(r, number) == 1 for r in range(number)]
    return np.array([-pow(r, -1, number) % number if coprime[r] else 0 for r in range(number)])
