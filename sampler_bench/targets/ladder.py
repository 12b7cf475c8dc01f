"""The sieve ladder below a prime target: what sieving by the primes up to y leaves, y by y."""

import math
from functools import lru_cache

from sampler_bench.errors import InputError
from sampler_bench.targets.base import Target
from sampler_bench.targets.counting.tuple_target import TupleTarget
from sampler_bench.targets.families.sieved import Sieved

RUNGS = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 10**2, 10**3, 10**4, 10**5, 10**6)
LARGEST = 300  # power of ten that stands for the root of longer numbers


def has_ladder(target: Target) -> bool:
    """Whether there is a W_y for the target: n-digit numbers x with some forms in x prime."""
    return isinstance(target, TupleTarget) and target.factor == 1


@lru_cache(maxsize=256)
def rung(target: TupleTarget, y: int) -> Sieved:
    """W_y: the numbers that no prime up to y excludes.

    Raises
    ------
    InputError
        If y is out of range, or so large that they cannot be counted.
    """
    return Sieved(target.digits, target.tuple_name, y, target.shifts)


def sieve_ladder(target: Target) -> tuple[tuple[float, float], ...]:
    """(y, KL(P || W_y) = ln|W_y| - ln|S| in nats) for increasing y; empty for a target without a ladder.

    The first rung, y = 1, is all numbers of that length. The last is their root, where what is left is S
    itself. Between are those of ``RUNGS`` that can be counted.
    """
    return _ladder(target) if has_ladder(target) else ()


@lru_cache(maxsize=64)
def _ladder(target: TupleTarget) -> tuple[tuple[float, float], ...]:
    information, root = target.information(), 10.0 ** min(target.digits / 2, LARGEST)
    ladder = [(1.0, information)]
    for y in RUNGS:
        if y >= root:
            break
        try:
            left = information - rung(target, y).information()
        except InputError:  # too large to be counted
            break
        ladder.append((float(y), max(left, 0.0)))
    return (*ladder, (max(root, 1.0), 0.0))


def sieve_level(target: Target, nats: float) -> float:
    """The y at which KL(P || W_y) is ``nats``, from 1 to the root of the numbers; nan without a ladder.

    Between rungs the divergence is linear in ln ln y, as Mertens' third theorem has it: the share that a
    sieve by the primes up to y leaves of a k-tuple is about a constant times (ln y)^-k. Between all numbers
    and y = 2 it is taken to be linear in y. Where several y leave the same numbers, the least is given.
    """
    ladder = sieve_ladder(target)
    if not ladder or math.isnan(nats):
        return math.nan
    if nats >= ladder[0][1]:
        return ladder[0][0]
    above = next(i for i, (_, left) in enumerate(ladder) if left <= nats or left == 0)
    (low, most), (high, least) = ladder[above - 1], ladder[above]
    share = (most - max(nats, least)) / (most - least)
    if low < 2:
        return low + share * (high - low)
    return math.exp(math.exp((1 - share) * math.log(math.log(low)) + share * math.log(math.log(high))))
