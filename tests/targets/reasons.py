"""Whether what is said of a number that is no member is so, by other means than the target's own."""

import math
import re
from collections.abc import Callable
from itertools import product

import numpy as np
import sympy

from sampler_bench.integers import SHOWN
from sampler_bench.targets import (
    DIGITS,
    Mixture,
    Neighbours,
    Powers,
    Sieved,
    Target,
    TwinPrimes,
)

SHIFTED = r"(?:(\d+) \* )?(\S+)(?: \(\d+ digits\))?(?: ([+-]) (\d+))?"
VALUE = re.compile(rf"(?:\({SHIFTED}\) / (\d+)|{SHIFTED})(?: = (-?\d+))?")
FACTOR = re.compile(r"(\d+)(?:\^(\d+))?")


def holds(target: Target, number: str, reason: str) -> bool:
    """Whether what is said of a number is so."""
    for pattern, check in CLAIMS.items():
        match = re.fullmatch(pattern, reason)
        if match:
            return bool(check(target, number, *match.groups()))
    raise AssertionError(f"{target}: nobody knows how to look at {reason!r}")


def has_a_wrong_length(target: Target, number: str, length: str, at_most: str, wanted: str) -> bool:
    lengths = {len(member) for member in some_members(target)}
    some = max(lengths) <= int(wanted) < len(number) if at_most else lengths == {int(wanted)} != {len(number)}
    return some and len(number) == int(length)


def is_dead(target: Target, number: str, before: str, digit: str) -> bool:
    """That no member begins so: by going through all that may follow, or what a draw shows at least."""
    prefix = before + digit
    assert number.startswith(prefix)
    return before in beginnings(target) and prefix not in beginnings(target)


CACHE: dict[str, list[str] | set[str]] = {}  # by targets as they are written: not all have a hash


def all_members(target: Target) -> list[str]:
    assert target.digits <= 6
    if repr(target) not in CACHE:
        lengths = range(1, target.digits + 1)
        strings = ("".join(each) for length in lengths for each in product(DIGITS, repeat=length))
        CACHE[repr(target)] = [text for text in strings if target.contains(text)]
    return CACHE[repr(target)]


def beginnings(target: Target) -> set[str]:
    if f"{target!r} begin" not in CACHE:
        CACHE[f"{target!r} begin"] = {each[:k] for each in all_members(target) for k in range(len(each) + 1)}
    return CACHE[f"{target!r} begin"]


def some_members(target: Target) -> list[str]:
    if f"{target!r} draws" not in CACHE:
        CACHE[f"{target!r} draws"] = target.sample(100, np.random.default_rng(0))
    return CACHE[f"{target!r} draws"]


def value_of(made: str, number: str) -> tuple[int, int]:
    """What is said to be made of a number, as numerator and denominator."""
    match = VALUE.fullmatch(made)
    inner = match.groups()[:4] if match[5] else match.groups()[5:9]
    times, of, sign, plus = inner
    assert of == number or (len(number) > SHOWN and of == f"{number[:10]}...{number[-10:]}"), made
    top, over = int(times or 1) * int(number) + int(f"{sign or ''}{plus or 0}"), int(match[5] or 1)
    assert match[10] in (None, str(top // over))
    return top, over


def wanted_primes(target: Target, number: str) -> list[set[tuple[int, int]]]:
    """At each way of being a member, the values that should be prime, from the definitions of the names."""
    x = int(number)
    if isinstance(target, TwinPrimes):
        ways = [{x, x + 2}, {x, x - 2}][: 1 if target.member == "lower" else 2]
        return [{(value, 1) for value in way} for way in ways]
    of = {
        "primes": {(x, 1)},
        "twin-primes": {(x, 1), (x + 2, 1)},
        "safe-primes": {(x, 1), (x - 1, 2)},
        "sophie-germain-primes": {(x, 1), (2 * x + 1, 1)},
        "n,n+2,n+6": {(x, 1), (x + 2, 1), (x + 6, 1)},
    }[target.forms]
    if isinstance(target, Sieved) and len(target.shifts) > 1:
        return [of, {(x - 2, 1), (x, 1)}]
    return [of]


def values_fail(target: Target, number: str, claims: str) -> bool:
    failing = set()
    for claim in claims.split(", and "):
        made, fault = re.fullmatch(r"(.+?) (is (?:no prime|composite|divisible|no whole).*)", claim).groups()
        top, over = value_of(made, number)
        failing.add((top, over))
        assert has_fault(target, top, over, fault), claim
    return all(failing & way for way in wanted_primes(target, number))


def has_fault(target: Target, top: int, over: int, fault: str) -> bool:
    if fault == "is no whole number":
        return top % over > 0
    value = top // over
    assert top % over == 0
    if fault == "is no prime: the least is 2":
        return value < 2
    if divisor := re.fullmatch(r"is divisible by (\d+)", fault):
        return value % int(divisor[1]) == 0 and int(divisor[1]) <= target.y and value != int(divisor[1])
    if fault == "is composite, with no factor below 1,000,000":
        return not sympy.isprime(value) and math.gcd(value, int(sympy.primorial(10**6, nth=False))) == 1
    product_, divides = re.fullmatch(r"is no prime: (?:it is )?(.+?)( divides it)?", fault).groups()
    factors = [FACTOR.fullmatch(part) for part in product_.split(" * ")]
    if "..." in product_:  # a large prime, of which both ends are shown
        assert factors.pop() is None
        rest = value // math.prod(int(f[1]) ** int(f[2] or 1) for f in factors)
        return sympy.isprime(rest) and factors != []
    found = math.prod(int(f[1]) ** int(f[2] or 1) for f in factors)
    assert all(sympy.isprime(int(f[1])) for f in factors)
    if divides:
        return 1 < found < value and value % found == 0
    return found == value and not sympy.isprime(value)


def lies_between(target: Target, number: str, low: str, high: str) -> bool:
    """That two terms, as given or as b^k, stand on either side with none between."""
    low, high = (text.partition(" = ")[::2] for text in (low, high))
    if isinstance(target, Powers):
        (base, k), (other, after) = (map(int, power.split("^")) for power, _ in (low, high))
        return base == other == target.base and after == k + 1 and base**k < int(number) < base**after
    terms = {
        "fibonacci": sympy.fibonacci,
        "factorials": math.factorial,
        "primorials": lambda k: sympy.primorial(k + 1, nth=False),
        "mersenne": lambda k: 2**k - 1,
    }
    all_terms = sorted({int(terms[target.of](k)) for k in range(1, 70)})
    place = all_terms.index(int(low[0]))
    return all_terms[place] < int(number) < all_terms[place + 1] == int(high[0])


def values_around(target: Target, number: str, x: str, y: str, low: str, high: str) -> bool:
    f = [sum(c * n**k for k, c in enumerate(target.coefficients)) // target.divisor for n in (int(x), int(y))]
    return int(y) == int(x) + 1 and f == [int(low), int(high)] and f[0] < int(number) < f[1]


def of_no_component(target: Mixture, number: str, reasons: str) -> bool:
    parts = reasons.split("; of ")
    named = [(str(each), each) for each in target.components]
    return len(parts) == len(named) and all(
        part.startswith(f"{name}: ") and holds(each, number, part.removeprefix(f"{name}: "))
        for part, (name, each) in zip(parts, named, strict=True)
    )


def falls_out(_: Neighbours, number: str, place: str, digit: str, last: str, rule: str) -> bool:
    allowed = {
        "neighbours must differ": digit != last,
        "digits must rise": digit > last,
        "digits must not fall": digit >= last,
    }[rule]
    return (number[int(place) - 1], number[int(place) - 2]) == (digit, last) and not allowed


def leaves(target: Target, value: int, modulus: str, rest: str, wanted: str) -> bool:
    given = (target.modulus, target.residue) == (int(modulus), int(wanted))
    return given and value % int(modulus) == int(rest) != int(wanted)


CLAIMS: dict[str, Callable] = {
    r"it has (\d+) digits?; members have (at most )?(\d+)": has_a_wrong_length,
    "it begins with 0, as no member does": lambda target, number: (
        number[0] == "0" and not any(each[0] == "0" for each in some_members(target))
    ),
    r"no member begins with (\d)": lambda target, number, digit: is_dead(target, number, "", digit),
    r"after (.+) no member goes on with (\d)": is_dead,
    "longer members begin with it, but it is none": lambda target, number: any(
        each.startswith(number) and each != number for each in all_members(target)
    ),
    r"divided by (\d+) it leaves (\d+), not (\d+)": lambda target, number, *said: leaves(
        target, int(number), *said
    ),
    r"its digits sum to (\d+), not to (\d+)": lambda target, number, found, wanted: (
        sum(map(int, number)) == int(found) != int(wanted) == target.sum
    ),
    r"its digits sum to (\d+), which divided by (\d+) leaves (\d+), not (\d+)": (
        lambda target, number, found, *said: (
            sum(map(int, number)) == int(found) and leaves(target, int(found), *said)
        )
    ),
    r"digit (\d+) is (\d), but digit (\d+), which mirrors it, is (\d)": lambda _, number, i, a, j, b: (
        int(i) + int(j) == len(number) + 1 and (number[int(i) - 1], number[int(j) - 1]) == (a, b) and a != b
    ),
    r"digit (\d+) is (\d) after (\d), but (.*)": falls_out,
    r"it lies between (.+) and (.+)": lies_between,
    r"the first is (.+)": lambda target, number, first: (
        int(number) < int(first) == min(map(int, all_members(target)))
    ),
    r"the values at (\d+) and (\d+) are (\d+) and (\d+)": values_around,
    r"the first value is (\d+)": lambda target, number, first: (
        int(number) < int(first) == sum(target.coefficients) // target.divisor
    ),
    r"it is below (\d+)": lambda target, number, low: int(number) < int(low) == target.low,
    r"it is above (\d+)": lambda target, number, high: int(number) > int(high) == target.high,
    r"the host has opened door (\d+)": lambda target, number, door: (
        number == door and 1 < int(door) < target.doors
    ),
    r"there are (\d+) doors": lambda target, number, doors: int(number) > int(doors) == target.doors,
    r"it is no member of (.*)": of_no_component,
    r"(.+ is (?:no prime|composite|divisible|no whole).*)": values_fail,
}
