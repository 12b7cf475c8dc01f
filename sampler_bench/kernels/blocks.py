"""Blocks: what is sieved at once, lane by lane."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import pairwise

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
from sampler_bench.kernels.workers import Workers, open_workers

SEGMENTS_IN_A_BLOCK = 20  # a lane's block then fits the L2 cache
NARROW = 25  # a window is narrow below so many times the number of primes that sieve it
MOST_TESTED = 5 * 10**7  # primes below, at most, sieve a narrow window: they are held in memory
FAR_CHUNK = 5 * 10**7  # far primes are made and used in ranges of this length
FAR_KEPT = 5 * 10**8  # those below are made once for all blocks and windows: they take 100 MB

RARE = 64 * SEGMENT_WORDS  # primes from here on strike a lane's whole row
PRIMES = Forms(((1, 0),))


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

    def far_ranges(self) -> list[tuple[int, int]]:
        """In which far primes are made: for all windows the same, but for the first and the last."""
        start, end = self.far
        edges = range((start // FAR_CHUNK + 1) * FAR_CHUNK, end, FAR_CHUNK)
        return [*pairwise([start, *edges, end])]


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
        ranges = tables.far_ranges()

        def work(first: int) -> np.ndarray:
            rows = np.zeros((len(tables.lanes), 8 * (words + SPARE_WORDS)), np.uint8)
            bits, r, modulus = np.uint32(64 * words), tables.lanes[0], tables.modulus
            for lo, hi in ranges[first :: workers.size]:
                q = far_primes(lo, hi)
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
    largest_prime = math.isqrt(forms.largest_value(hi - 1))
    tables = make_tables(forms, hi - lo, largest_prime)
    modulus = tables.modulus
    start, width = lo // modulus * modulus, modulus * 64 * SEGMENT_WORDS * SEGMENTS_IN_A_BLOCK
    if tables.far[0] < tables.far[1]:  # as few as can be, of one width: each meets all far primes
        count = -(-(hi - start) // far_width(largest_prime))
        width = -(-(hi - start) // (count * modulus)) * modulus
    for base in range(start, hi, width):
        yield Block(tables, base, max(lo - base, 0), min(hi - base, width))


def far_width(largest_prime: int) -> int:
    """Of a block that far primes strike, all of which begin anew in it; its lanes are held at once.

    At its widest, lanes take 46 MB a thread for twins, 146 MB for primes.
    """
    return min(max(2 * 10**9, 16 * largest_prime), 51 * 10**8)


def make_tables(forms: Forms, width: int, largest_prime: int) -> Tables:
    modulus = 30 if width <= 10**7 else 2310 if width >= 3 * 10**8 and largest_prime < 3 * 10**5 else 210
    # In a narrow window it costs less to test what a shorter sieve leaves than to meet every prime.
    tested = largest_prime >= 2**32 or width * math.log(largest_prime + 2) < NARROW * largest_prime
    if not tested:
        # A row's bits, at most: far primes lie above.
        worth = min(width, far_width(largest_prime)) // modulus + 128
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


def far_primes(lo: int, hi: int) -> np.ndarray:
    """Those of a range; ndarray of uint32."""
    return _kept_primes(lo, hi) if hi <= FAR_KEPT else primes_between(lo, hi)


@lru_cache(FAR_KEPT // FAR_CHUNK + 2)  # of two windows, the first and the last range may differ
def _kept_primes(lo: int, hi: int) -> np.ndarray:
    return primes_between(lo, hi)


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
