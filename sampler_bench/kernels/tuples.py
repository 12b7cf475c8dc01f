"""Counting and listing the n at which every form of a tuple is prime: twin primes and their kin."""

import math
import os
from collections.abc import Callable, Sequence
from functools import partial
from itertools import chain, pairwise

import numpy as np

from sampler_bench.kernels.blocks import blocks
from sampler_bench.kernels.density import expected_tuples
from sampler_bench.kernels.forms import Forms
from sampler_bench.kernels.primality import is_prime
from sampler_bench.kernels.workers import open_workers

LIMIT = 2**64 - 10**10
TESTED = 10**5  # n with a value that may be a sieving prime, at most, are tested one by one
ALWAYS_FITS = 10**9  # a window's length, however dense its members
BYTES_A_MEMBER = 24  # found in a lane, gathered, sorted


def count_tuples(
    forms: Sequence[tuple[int, int]],
    edges: Sequence[int],
    threads: int | None = None,
    progress: Callable[[float], None] | None = None,
) -> np.ndarray:
    """How many n in [edges[j], edges[j + 1]) have every a n + b prime.

    Parameters
    ----------
    forms : sequence of (a, b)
        ((1, 0), (1, 2)) for twins: the lower member is counted.
    edges : sequence of int
        Increasing, at least two, from 0 on; no value of a form may exceed 2^64 - 10^10.
    threads : int, optional
        All cores this process may use if not given.
    progress : callable, optional
        Called with the share done after each block.

    Returns
    -------
    ndarray of int64, shape (len(edges) - 1,)

    Raises
    ------
    ValueError
        If the forms are not an admissible tuple or the edges not as described.
    """
    checked, given = Forms(forms), _checked_edges(edges)
    _check_limit(checked, given[-1])
    bounds = np.array(given, np.uint64)
    members, intervals = _split(checked, given[0], given[-1])
    counts = np.diff(np.searchsorted(np.array(members, np.uint64), bounds))
    with open_workers(threads) as workers:
        for block in chain.from_iterable(blocks(checked, *interval) for interval in intervals):
            begin, end = (np.uint64(block.base + each) for each in (block.lo, block.hi))
            first, last = np.searchsorted(bounds, begin, "right") - 1, np.searchsorted(bounds, end)
            inside = (np.clip(bounds[first : last + 1], begin, end) - np.uint64(block.base)).astype(np.int64)
            counts[first:last] += sum(block.over_lanes(workers, partial(block.count, edges=inside)))
            if progress is not None:
                progress((block.base + block.hi - given[0]) / (given[-1] - given[0]))
    return counts


def tuples_in(
    forms: Sequence[tuple[int, int]], start: int, length: int, threads: int | None = None
) -> np.ndarray:
    """The offsets i, 0 <= i < length, at which every a (start + i) + b is prime.

    Parameters
    ----------
    forms, threads
        As for ``count_tuples``.
    start : int
        Not negative, of any size: values above 2^64 are tested by Baillie-PSW (``is_probable_prime``).
    length : int
        At 10^100 a window of 10^8 takes about 3 s on one core.

    Returns
    -------
    ndarray of int64
        Increasing.

    Raises
    ------
    ValueError
        If the forms are not an admissible tuple, ``start`` or ``length`` not as described, or the members are
        expected to need more memory than there is.
    """
    checked, (begin, end) = Forms(forms), _checked_edges((start, start + length))
    _check_memory(checked, begin, end)
    members, intervals = _split(checked, begin, end)
    found = [np.array([n - begin for n in members], np.int64)]
    with open_workers(threads) as workers:
        for block in chain.from_iterable(blocks(checked, *interval) for interval in intervals):
            offsets = block.over_lanes(workers, block.list)
            found += [lane + (block.base - begin) for lane in offsets]
    return np.sort(np.concatenate(found))


def _split(forms: Forms, lo: int, hi: int) -> tuple[list[int], list[tuple[int, int]]]:
    """The members of the part of [lo, hi) that is tested number by number, and intervals to sieve.

    A sieve strikes the primes it sieves by, so no value may be one. Where many n have so small a value, they
    are an interval of their own, sieved by fewer primes.
    """
    lo = min(max(lo, forms.first), hi)
    end = min(hi, max(lo, forms.reach(max(math.isqrt(max(forms.largest_value(hi), 0)), 11))))
    if lo == end:
        members, intervals = [], []
    elif end < hi and end - lo > TESTED:
        members, intervals = _split(forms, lo, end)
    else:
        n = np.arange(end - lo) + lo
        members, intervals = n[np.all([is_prime(a * n + b) for a, b in forms.pairs], axis=0)].tolist(), []
    return members, [*intervals, (end, hi)]


def _checked_edges(edges: Sequence[int]) -> list[int]:
    bounds = list(edges)
    for edge in bounds:
        if not isinstance(edge, int | np.integer) or isinstance(edge, bool):
            raise ValueError(f"edge {edge!r} is not an integer")
    bounds = [int(edge) for edge in bounds]
    if len(bounds) < 2:
        raise ValueError(f"{len(bounds)} edges bound no interval: at least two are needed")
    if bounds[0] < 0:
        raise ValueError(f"edge {bounds[0]} is negative")
    for lower, upper in pairwise(bounds):
        if lower > upper:
            raise ValueError(f"edges must increase, but {upper} follows {lower}")
    return bounds


def _check_memory(forms: Forms, lo: int, hi: int) -> None:
    if hi - lo < ALWAYS_FITS:
        return
    wanted = BYTES_A_MEMBER * math.exp(expected_tuples(forms.pairs, lo, hi).log)
    there = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    if wanted > there:
        raise ValueError(
            f"listing the members of a window of {hi - lo} takes about {wanted / 1e9:,.0f} GB, more than the "
            f"{there / 1e9:,.0f} GB of this machine; list parts of it, or count with count_tuples"
        )


def _check_limit(forms: Forms, hi: int) -> None:
    if forms.largest_value(hi) > LIMIT:
        raise ValueError(
            f"values up to {forms.largest_value(hi)} exceed 2**64 - 10**10, the most that can be sieved"
        )
