"""Why a number is none of a constellation: the value that is not prime, and what divides it."""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import gmpy2

from sampler_bench.integers import SHOWN, shown, to_text
from sampler_bench.targets.counting.trial_division import Forms, primes

TRIED = 10**6  # primes up to here are tried on every value
FACTORED = 10**18  # values below are factored whole, in a second at most


class Value(NamedTuple):
    """A value that a form has at the number in question; None where it is no whole number."""

    made: str  # how it is made of the number: "91 + 2"
    value: int | None

    def __str__(self) -> str:
        known = self.value is not None and len(to_text(self.value)) <= SHOWN
        return f"{self.made} = {self.value}" if known and self.made != str(self.value) else self.made


def why_no_member(
    number: int,
    forms: Forms,
    factor: int,
    shifts: Sequence[int],
    why_not: Callable[[int], str | None],
) -> str:
    """The values that keep a number a n + s, a the ``factor``, from being one of the forms'.

    Parameters
    ----------
    shifts : sequence of int
        At each of which a value fails. One that fails at all of them is named alone.
    why_not : callable
        What is wrong with a value, as in "is no prime"; None if nothing is.
    """
    failing = [
        [
            (value, reason)
            for value in _values(number, forms, factor, shift)
            if (reason := _why(value, why_not))
        ]
        for shift in shifts
    ]
    common = [fault for fault in failing[0] if all(fault in others for others in failing)]
    picked = common[:1] or dict.fromkeys(faults[0] for faults in failing)
    return ", and ".join(f"{value} {reason}" for value, reason in picked)


def why_no_prime(value: int) -> str | None:
    """What is wrong with a value that is to be prime, with its factors; None if it is."""
    if value < 2:
        return "is no prime: the least is 2"
    if gmpy2.is_prime(value):
        return None
    found, rest = _factors(value)
    product = " * ".join(f"{shown(p)}^{power}" if power > 1 else shown(p) for p, power in found.items())
    if rest == 1:
        return f"is no prime: it is {product}"
    if product:
        return f"is no prime: {product} divides it"
    return f"is composite, with no factor below {TRIED:,}"


def why_sieved_out(value: int, y: int) -> str | None:
    """What is wrong with a value that no prime up to y but itself may divide; None if none does."""
    for p in primes(y):
        if value % p == 0 and value != p:
            return f"is divisible by {p}"
    return None


def _why(value: Value, why_not: Callable[[int], str | None]) -> str | None:
    return "is no whole number" if value.value is None else why_not(value.value)


def _values(number: int, forms: Forms, factor: int, shift: int) -> list[Value]:
    """Of the forms at (number - shift) / factor."""
    values = []
    for a, b in forms:
        constant = factor * b - a * shift
        common = math.gcd(a, constant, factor)
        times, plus, over = (part // common for part in (a, constant, factor))
        top, rest = divmod(times * number + plus, over)
        text = f"{times} * {shown(number)}" if times > 1 else shown(number)
        text += f" {'+' if plus > 0 else '-'} {abs(plus)}" if plus else ""
        values.append(Value(f"({text}) / {over}" if over > 1 else text, None if rest else top))
    return values


def _factors(composite: int) -> tuple[dict[int, int], int]:
    """Prime factors with their powers, the least first, and what is left, of which no factor is known."""
    from sympy import factorint  # takes a second to load

    if composite < FACTORED:
        return dict(sorted(factorint(composite).items())), 1
    found = factorint(composite, limit=TRIED, use_rho=False, use_pm1=False, use_ecm=False)
    known = {p: power for p, power in sorted(found.items()) if gmpy2.is_prime(p)}
    return known, composite // math.prod(p**power for p, power in known.items())
