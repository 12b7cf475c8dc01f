"""Blocks: what is sieved at once, and how its lanes are shared out to threads."""

import math
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from sampler_bench.kernels.far import strike_far
from sampler_bench.kernels.forms import Forms, inverse, turn_table
from sampler_bench.kernels.lanes import (
    CHUNK,
    SEGMENT_WORDS,
    TINY,
    UNROLLED,
    count_lane,
    list_lane,
    sieve_lane,
)
from sampler_bench.kernels.small_primes import primes_up_to

SEGMENTS_IN_A_BLOCK = 20  # a lane's block then fits the L2 cache
FAR_WIDTH = 4 * 10**9  # of a block that far primes strike: all its lanes are held at once
NARROW = 60  # a window is narrow below so many times the number of primes that sieve it
NEAR_MOST = 5 * 10**7  # primes met lane by lane: held in memory, and far from the end of uint32
FAR_CHUNK = 10**8  # far primes are made and used in runs of this length

PRIMES = Forms(((1, 0),))


class Workers:
    """A pool of threads; the kernels release Python's lock."""

    def __init__(self, pool: ThreadPoolExecutor, size: int):
        self.pool, self.size = pool, size

    def run(self, work: Callable) -> list:
        """work(0), work(1), ... work(size - 1), at once."""
        return [work(0)] if self.size == 1 else list(self.pool.map(work, range(self.size)))


@contextmanager
def open_workers(threads: int | None) -> Iterator[Workers]:
    """As many workers as asked for, else as OMP_NUM_THREADS says, else as this process has cores."""
    told = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0]
    size = threads or (int(told) if told.isdigit() else 0) or len(os.sched_getaffinity(0))
    with ThreadPoolExecutor(size) as pool:
        yield Workers(pool, size)


@dataclass(frozen=True)
class Tables:
    """What depends on the forms, the modulus and the primes, but not on where a block lies."""

    forms: Forms
    modulus: int
    lanes: list[int]
    tiny: np.ndarray
    primes: np.ndarray  # met lane by lane, in the order lanes.sieve_lane wants
    classes: np.ndarray
    inverses: np.ndarray  # of the modulus, mod each prime
    roots: np.ndarray
    far: tuple[int, int]  # primes in this range are struck one multiple at a time
    tested: bool  # not sieved to the end: what is left is tested


@dataclass(frozen=True)
class Block:
    """The n in [base + lo, base + hi), base a multiple of the modulus."""

    tables: Tables
    base: int
    lo: int
    hi: int

    def over_lanes(self, workers: Workers, take: Callable[[np.ndarray, int], np.ndarray]) -> list[np.ndarray]:
        """``take(row, r)`` of every lane's sieved row."""
        tables = self.tables
        words = (self.hi // tables.modulus + 1 + 63) // 64
        rows = self._far_rows(workers, words) if tables.far[0] < tables.far[1] else None
        segments = -(-words // SEGMENT_WORDS)
        segment_words = -(-words // segments)
        first = (tables.roots - residues(self.base, tables.primes)) % tables.primes
        c = first * tables.inverses % tables.primes
        t = ((tables.primes - tables.inverses) % tables.primes).astype(np.uint32)
        q = tables.primes.astype(np.uint32)
        reciprocal = 1.0 / tables.primes
        tiny, patterns = patterns_of(tables, self.base)
        c = c.astype(np.uint32)

        def work(first: int) -> list:
            taken = []
            for lane in range(first, len(tables.lanes), workers.size):
                row = rows[lane].view(np.uint64) if rows is not None else np.zeros(words, np.uint64)
                r = tables.lanes[lane]
                sieve_lane(row, segment_words, r, c, t, q, reciprocal, tables.classes, tiny, patterns)
                taken.append(take(row, r))
            return taken

        return [each for taken in workers.run(work) for each in taken]

    def count(self, row: np.ndarray, r: int, edges: np.ndarray) -> np.ndarray:
        if self.tables.tested:
            return np.diff(np.searchsorted(self.list(row, r), edges))
        counts = np.zeros(len(edges) - 1, np.int64)
        count_lane(row, self._bits(edges, r), counts)
        return counts

    def list(self, row: np.ndarray, r: int) -> np.ndarray:
        lo, hi = self._bits(np.array([self.lo, self.hi]), r)
        offsets = list_lane(row, lo, hi, r, self.tables.modulus)
        if not self.tables.tested:
            return offsets
        return offsets[self.tables.forms.hold(self.base, offsets)]

    def _bits(self, offsets: np.ndarray, r: int) -> np.ndarray:
        """The first bit of lane r at or after each offset from the base."""
        return np.maximum(-((r - offsets) // self.tables.modulus), 0)

    def _far_rows(self, workers: Workers, words: int) -> np.ndarray:
        """Rows struck by the far primes; each worker strikes rows of its own."""
        tables = self.tables
        lane_of = np.full(tables.modulus, -1)
        lane_of[tables.lanes] = np.arange(len(tables.lanes))
        classes = np.unique(np.array(tables.lanes) % 6)
        a, b = np.array(tables.forms.pairs).T.copy()
        turns = np.zeros((len(a), a.max()), np.int64)
        for form, each in enumerate(a):
            turns[form, :each] = turn_table(int(each))
        lo, hi = tables.far
        starts = range(lo, hi, FAR_CHUNK)

        def work(first: int) -> np.ndarray:
            rows = np.zeros((len(tables.lanes), 8 * words), np.uint8)
            for start in starts[first :: workers.size]:
                for q in primes_between(start, min(start + FAR_CHUNK, hi)):
                    strike_far(
                        rows, lane_of, tables.modulus, classes, np.uint64(self.base), self.hi, q, a, b, turns
                    )
            return rows

        rows, *others = workers.run(work)
        for other in others:
            rows |= other
        return rows


def blocks(forms: Forms, lo: int, hi: int) -> Iterator[Block]:
    """The blocks that cover [lo, hi); every value there exceeds the primes that sieve it."""
    if lo >= hi:
        return
    tables = make_tables(forms, hi - lo, math.isqrt(forms.largest_value(hi - 1)))
    width = tables.modulus * 64 * SEGMENT_WORDS * SEGMENTS_IN_A_BLOCK
    if tables.far[0] < tables.far[1]:
        width = FAR_WIDTH // tables.modulus * tables.modulus
    for base in range(lo // tables.modulus * tables.modulus, hi, width):
        yield Block(tables, base, max(lo - base, 0), min(hi - base, width))


def make_tables(forms: Forms, width: int, largest_prime: int) -> Tables:
    modulus = 30 if width <= 10**7 else 2310 if width >= 3 * 10**8 and largest_prime < 3 * 10**5 else 210
    lanes = forms.lanes(modulus)
    # In a narrow window it costs less to test what a shorter sieve leaves than to meet every prime.
    tested = width * math.log(largest_prime + 2) < NARROW * largest_prime
    # A prime costs a lane's start for each lane, or a strike for each multiple it has in the window.
    if not tested:
        worth = 3 * width // (16 * max(1, len(lanes)))
    elif largest_prime < 2**32:
        worth = int(7 * 10**5 * (width / 10**8) ** 0.8)
    else:  # the longer the integers, the more a test costs
        worth = int(width * (largest_prime.bit_length() / 400) ** 2)
    near = min(largest_prime, max(2 * UNROLLED, worth), NEAR_MOST)
    primes = primes_up_to(near)
    primes = primes[modulus % primes != 0]
    primes = primes[math.gcd(*(a for a, _ in forms.pairs)) % primes != 0]  # these divide no value
    tiny, rest = primes[primes < TINY], primes[primes >= TINY]
    unrolled = [rest[(rest < UNROLLED) & (rest % 8 == residue)] for residue in (1, 3, 5, 7)]
    ordered = np.concatenate([*unrolled, rest[rest >= UNROLLED]])
    return Tables(
        forms=forms,
        modulus=modulus,
        lanes=lanes,
        tiny=tiny,
        primes=ordered,
        classes=np.cumsum([0, *map(len, unrolled)]),
        inverses=inverse(modulus, ordered),
        roots=forms.roots(ordered),
        far=(near + 1, near + 1 if tested else largest_prime + 1),
        tested=tested and near < largest_prime,
    )


def residues(base: int, primes: np.ndarray) -> np.ndarray:
    """base mod q for primes q < 2^31, by pieces of 32 bits; ndarray of int64."""
    rest = np.zeros(len(primes), np.int64)
    for place in reversed(range(0, base.bit_length(), 32)):
        rest = ((rest << 32) | (base >> place & 0xFFFFFFFF)) % primes
    return rest


def patterns_of(tables: Tables, base: int) -> tuple[np.ndarray, np.ndarray]:
    """``tiny`` and ``patterns`` as lanes.sieve_lane wants them."""
    columns, parts, begin = [], [], 0
    roots = tables.forms.roots(tables.tiny)
    for q, root in zip(tables.tiny.tolist(), roots.T.tolist(), strict=True):
        unit = pow(tables.modulus, -1, q)
        c = [(x - base) * unit % q for x in root]
        bits = np.zeros(q * 64, np.uint8)
        for each in c:
            bits[(each - c[0]) % q :: q] = 1
        columns.append((q, c[0], -unit % q, pow(64, -1, q), begin))
        parts.append(np.resize(np.packbits(bits, bitorder="little").view(np.uint64), q + CHUNK))
        begin += q + CHUNK
    for _ in range(-len(columns) % 4):
        columns.append((1, 0, 0, 0, begin))
    parts.append(np.zeros(1 + CHUNK, np.uint64))
    return np.array(columns, np.int64).reshape(-1, 5).T.copy(), np.concatenate(parts)


def primes_between(lo: int, hi: int) -> Iterator[np.ndarray]:
    """Primes in [lo, hi), lo above sqrt(hi), in no order."""
    with open_workers(1) as worker:
        for block in blocks(PRIMES, lo, hi):
            yield np.concatenate(block.over_lanes(worker, block.list)) + block.base
