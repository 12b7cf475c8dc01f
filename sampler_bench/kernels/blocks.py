"""Blocks: what is sieved at once, and how its lanes are shared out to threads."""

import math
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache, partial

import numpy as np

from sampler_bench.kernels.far import strike_far
from sampler_bench.kernels.forms import Forms, inverse, turn_table
from sampler_bench.kernels.lanes import (
    CHUNK,
    SEGMENT_WORDS,
    SPARE_WORDS,
    TINY,
    UNROLLED,
    count_lane,
    lay_out,
    list_lane,
    sieve_lane,
)
from sampler_bench.kernels.rows import open_rows, strike_row
from sampler_bench.kernels.small_primes import primes_up_to
from sampler_bench.kernels.starts import in_pieces

SEGMENTS_IN_A_BLOCK = 20  # a lane's block then fits the L2 cache
FAR_WIDTH = 20 * 10**8  # of a block that far primes strike: all its lanes are held at once
NARROW = 25  # a window is narrow below so many times the number of primes that sieve it
MOST_TESTED = 5 * 10**7  # primes below, at most, sieve a narrow window: they are held in memory
FAR_KEPT = 5 * 10**8  # far primes below are made once: they take 100 MB
FAR_CHUNK = 5 * 10**7  # far primes are made and used in runs of this length

RARE = 64 * SEGMENT_WORDS  # primes from here on strike a lane's whole row
PRIMES = Forms(((1, 0),))


class Workers:
    """A pool of threads; the kernels release Python's lock. One worker is the thread that asks."""

    def __init__(self, pool: ThreadPoolExecutor | None, size: int):
        self.pool, self.size = pool, size

    def run(self, work: Callable) -> list:
        """work(0), work(1), ... work(size - 1), at once."""
        return [work(0)] if self.pool is None else list(self.pool.map(work, range(self.size)))


@contextmanager
def open_workers(threads: int | None) -> Iterator[Workers]:
    """As many workers as asked for, else as OMP_NUM_THREADS says, else as this process has cores."""
    told = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0]
    size = threads or (int(told) if told.isdigit() else 0) or len(os.sched_getaffinity(0))
    if size == 1:
        yield Workers(None, 1)
        return
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
    strikes: np.ndarray  # of each form, the first in lane 0 of a block whose base is 0
    moves: tuple[np.ndarray, np.ndarray, np.ndarray]  # t, q and 1 / q, as lanes.sieve_lane wants them
    rare: np.ndarray  # the next primes, which strike a lane's whole row
    gap: int  # divides all that lies between lanes
    far: tuple[int, int]  # primes in this range strike a row once at most
    tested: bool  # not sieved to the end: what is left is tested
    kept: dict[int, np.ndarray] = field(default_factory=dict)  # far primes, for the next block

    def far_primes(self, start: int) -> np.ndarray:
        """Those from ``start`` on, a chunk of them; ndarray of uint32. The first ones are kept."""
        if start in self.kept:
            return self.kept[start]
        primes = primes_between(start, min(start + FAR_CHUNK, self.far[1]))
        if start < FAR_KEPT:
            self.kept[start] = primes
        return primes


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
        c = tables.strikes - residues(self.base, tables.primes) * tables.inverses % tables.primes
        c = np.where(c < 0, c + tables.primes, c).astype(np.uint32)
        tiny, patterns = patterns_of(tables, self.base)
        starts, back = self._open_rows()

        def work(first: int) -> list:
            taken, s, at = [], starts.copy(), tables.lanes[0]
            for lane in range(first, len(tables.lanes), workers.size):
                row = np.zeros(words + SPARE_WORDS, np.uint64) if rows is None else rows[lane].view(np.uint64)
                r = tables.lanes[lane]
                strike_row(row, np.uint32(64 * words), (r - at) // tables.gap, tables.rare, back, s)
                row, at = row[:words], r
                sieve_lane(row, segment_words, r, c, *tables.moves, tables.classes, tiny, patterns)
                taken.append(take(row, r))
            return taken

        return [each for taken in workers.run(work) for each in taken]

    def _open_rows(self) -> tuple[np.ndarray, np.ndarray]:
        """Where the rare primes first strike the first lane, and how far back that moves with a gap."""
        tables = self.tables
        s = np.empty((len(tables.forms.pairs), len(tables.rare)), np.uint32)
        back = np.empty(len(tables.rare), np.uint32)
        base, r, forms = in_pieces(self.base), tables.lanes[0], coefficients(tables.forms)
        turns = turn_table(tables.modulus)
        open_rows(base, r, tables.gap, tables.modulus, turns, tables.rare, *forms, s, back)
        return s, back

    def count(self, row: np.ndarray, r: int, edges: np.ndarray) -> np.ndarray:
        if self.tables.tested:
            return np.diff(np.searchsorted(self.list(row, r), edges))
        counts = np.zeros(len(edges) - 1, np.int64)
        count_lane(row, self._bits(edges, r), counts)
        return counts

    def list(self, row: np.ndarray, r: int) -> np.ndarray:
        edges, total = self._bits(np.array([self.lo, self.hi]), r), np.zeros(1, np.int64)
        count_lane(row, edges, total)
        offsets = np.empty(total[0], np.int64)
        list_lane(row, *edges, r, self.tables.modulus, offsets)
        return self.tables.forms.holding(self.base, offsets) if self.tables.tested else offsets

    def list_into(self, row: np.ndarray, r: int, found: np.ndarray) -> int:
        """Write the members themselves; returns how many."""
        edges = self._bits(np.array([self.lo, self.hi]), r)
        return list_lane(row, *edges, self.base + r, self.tables.modulus, found)

    def _bits(self, offsets: np.ndarray, r: int) -> np.ndarray:
        """The first bit of lane r at or after each offset from the base."""
        return np.maximum(-((r - offsets) // self.tables.modulus), 0)

    def _far_rows(self, workers: Workers, words: int) -> np.ndarray:
        """Rows struck by the far primes; each worker strikes rows of its own."""
        tables = self.tables
        base, turns, forms = in_pieces(self.base), turn_table(tables.modulus), coefficients(tables.forms)
        times = np.diff(tables.lanes, prepend=tables.lanes[0]) // tables.gap
        starts = range(*tables.far, FAR_CHUNK)

        def work(first: int) -> np.ndarray:
            rows = np.zeros((len(tables.lanes), 8 * (words + SPARE_WORDS)), np.uint8)
            bits, r, modulus = np.uint32(64 * words), tables.lanes[0], tables.modulus
            for start in starts[first :: workers.size]:
                q = tables.far_primes(start)
                strike_far(rows, bits, r, tables.gap, times, base, modulus, turns, q, *forms)
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
    modulus = tables.modulus
    start, width = lo // modulus * modulus, modulus * 64 * SEGMENT_WORDS * SEGMENTS_IN_A_BLOCK
    if tables.far[0] < tables.far[1]:  # as few as can be, of one width: each meets all far primes
        count = -(-(hi - start) // FAR_WIDTH)
        width = -(-(hi - start) // (count * modulus)) * modulus
    for base in range(start, hi, width):
        yield Block(tables, base, max(lo - base, 0), min(hi - base, width))


def make_tables(forms: Forms, width: int, largest_prime: int) -> Tables:
    modulus = 30 if width <= 10**7 else 2310 if width >= 3 * 10**8 and largest_prime < 3 * 10**5 else 210
    # In a narrow window it costs less to test what a shorter sieve leaves than to meet every prime.
    tested = largest_prime >= 2**32 or width * math.log(largest_prime + 2) < NARROW * largest_prime
    if not tested:
        worth = min(width, FAR_WIDTH) // modulus + 128  # a row's bits, at most: far primes lie above
    elif largest_prime < 2**32:
        worth = int(7 * 10**5 * (width / 10**8) ** 0.8)
    else:  # the longer the integers, the more a test costs
        worth = int(width * (largest_prime.bit_length() / 400) ** 2)
    near = min(largest_prime, max(2 * UNROLLED, min(worth, MOST_TESTED) if tested else worth))
    if tested and near < largest_prime:
        return _tested(forms.pairs, modulus, near)
    return _tables(forms, modulus, near, largest_prime + 1, tested=False)


@lru_cache(4)  # narrow windows are many, one beside the other
def _tested(pairs: tuple[tuple[int, int], ...], modulus: int, near: int) -> Tables:
    return _tables(Forms(pairs), modulus, near, near + 1, tested=True)


def _tables(forms: Forms, modulus: int, near: int, end: int, *, tested: bool) -> Tables:
    """Of primes up to ``near``, met lane by lane, and far ones below ``end``."""
    lanes = forms.lanes(modulus)
    primes = primes_up_to(min(near, RARE - 1))
    primes = primes[modulus % primes != 0]
    primes = primes[math.gcd(*(a for a, _ in forms.pairs)) % primes != 0]  # these divide no value
    tiny, rest = primes[primes < TINY], primes[primes >= TINY]
    unrolled = [rest[(rest < UNROLLED) & (rest % 8 == residue)] for residue in (1, 3, 5, 7)]
    ordered = np.concatenate([*unrolled, rest[rest >= UNROLLED]])
    inverses = inverse(modulus, ordered)
    return Tables(
        forms=forms,
        modulus=modulus,
        lanes=lanes,
        tiny=tiny,
        primes=ordered,
        classes=np.cumsum([0, *map(len, unrolled)]),
        inverses=inverses,
        strikes=forms.roots(ordered) * inverses % ordered,
        moves=((ordered - inverses).astype(np.uint32), ordered.astype(np.uint32), 1.0 / ordered),
        gap=math.gcd(*(r - lanes[0] for r in lanes)) or 1,
        rare=np.sort(primes_between(RARE, near + 1)),
        far=(near + 1, end),
        tested=tested,
    )


def coefficients(forms: Forms) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """``a``, ``b`` and ``turns`` as the kernels want them: shapes (forms,), (forms,), (forms, largest a)."""
    a, b = np.array(forms.pairs).T.copy()
    turns = np.zeros((len(a), a.max()), np.int64)
    for form, each in enumerate(a):
        turns[form, :each] = turn_table(int(each))
    return a, b, turns


def residues(base: int, primes: np.ndarray) -> np.ndarray:
    """base mod q for primes q < 2^31, by pieces of 32 bits; ndarray of int64."""
    rest = np.zeros(len(primes), np.int64)
    for place in reversed(range(0, base.bit_length(), 32)):
        rest = ((rest << 32) | (base >> place & 0xFFFFFFFF)) % primes
    return rest


def patterns_of(tables: Tables, base: int) -> tuple[np.ndarray, np.ndarray]:
    """``tiny`` and ``patterns`` as lanes.sieve_lane wants them."""
    q = tables.tiny
    unit = inverse(tables.modulus, q)
    c = (tables.forms.roots(q) - residues(base, q)) * unit % q
    begin = np.cumsum(q + CHUNK) - (q + CHUNK)
    patterns = lay_out(q, (c - c[0]) % q, begin, int((q + CHUNK).sum()) + 1 + CHUNK)
    columns = np.array([q, c[0], q - unit, inverse(64, q), begin])
    nothing = np.array([[1], [0], [0], [0], [len(patterns) - 1 - CHUNK]])
    return np.hstack([columns, *[nothing] * (-len(q) % 4)]), patterns


def primes_between(lo: int, hi: int) -> np.ndarray:
    """Primes in [lo, hi), lo above sqrt(hi), in no order; ndarray of uint32.

    In a narrow range composites without small factors are among them: to strike their multiples does no harm.
    """
    if lo >= hi:
        return np.empty(0, np.uint32)
    width = max(hi - lo, 2)
    found, n = np.empty(2 * int(width / math.log(width)) + 1, np.uint32), 0  # Montgomery and Vaughan (1973)

    def keep(block: Block, row: np.ndarray, r: int) -> None:
        nonlocal n
        n += block.list_into(row, r, found[n:])

    with open_workers(1) as worker:
        for block in blocks(PRIMES, lo, hi):
            block.over_lanes(worker, partial(keep, block))
    return found[:n]
