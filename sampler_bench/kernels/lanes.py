"""Sieving one lane: the n = base + r + M k of a residue class, bit k set where some value is composite.

Only residues r that no prime factor of M blocks have a lane, so a sieve for pairs strikes far less than
one for primes. Strikes go segment by segment, a segment fitting the L1 cache: patterns for the smallest
primes, eight strikes unrolled for the next, a fixed number a segment for the rest. docs/kernels.md says why.
"""

import numpy as np
from numba import njit, uint32, uint64

from sampler_bench.kernels.compiled import compiled_once

SEGMENT_WORDS = 4608  # at most: 36 KB
TINY = 256  # primes below: patterns
UNROLLED = 8192  # primes below: eight strikes at a time
FRONT = 7 * UNROLLED // 8 + 64  # bytes before a segment that a step back may touch
TAIL = UNROLLED + 64  # bytes behind it that eight strikes may touch
SPARE_WORDS = 64  # behind a segment or a row, for strikes beyond it
CHUNK = 512  # words that four patterns are laid over at once: they fit the L1 cache together


def _unrolled_strike(c):
    """A kernel that strikes one prime q = c (mod 8) through a segment, with constant masks.

    Eight strikes span q bytes. Stepping back to a strike at bit 0 of a byte (into the front padding)
    makes the bits within the bytes the same for every q of the class.
    """
    o = [(i * c) >> 3 for i in range(8)]
    m = [np.uint8(1 << ((i * c) & 7)) for i in range(8)]
    o1, o2, o3, o4, o5, o6, o7 = o[1:]
    m0, m1, m2, m3, m4, m5, m6, m7 = m

    @njit(nogil=True, error_model="numpy")
    def strike(padded, end, q, s):
        back = ((s & 7) * c) & 7
        p = ((s - back * q) >> 3) + FRONT
        e = q >> 3
        while p < end:
            padded[uint64(p)] |= m0
            padded[uint64(p + e + o1)] |= m1
            padded[uint64(p + 2 * e + o2)] |= m2
            padded[uint64(p + 3 * e + o3)] |= m3
            padded[uint64(p + 4 * e + o4)] |= m4
            padded[uint64(p + 5 * e + o5)] |= m5
            padded[uint64(p + 6 * e + o6)] |= m6
            padded[uint64(p + 7 * e + o7)] |= m7
            p += q

    return strike


_STRIKE_1, _STRIKE_3, _STRIKE_5, _STRIKE_7 = (_unrolled_strike(c) for c in (1, 3, 5, 7))


@njit(nogil=True, error_model="numpy")
def _start(c, t, r, q, reciprocal, s):
    """s = (c + r t) mod q, the first strike of each prime, by a floating quotient put right."""
    for i in range(len(q)):
        wide = np.int64(c[i]) + r * np.int64(t[i])
        modulus = np.int64(q[i])
        rest = wide - np.int64(np.float64(wide) * reciprocal[i]) * modulus
        if rest < 0:
            rest += modulus
        if rest >= modulus:
            rest -= modulus
        s[i] = rest


@njit(nogil=True, error_model="numpy")
def _lay_patterns(words, patterns, offset, period, phase):
    """OR the patterns of the tiny primes over a segment, four at a time."""
    for base in range(0, len(words), CHUNK):
        size = min(CHUNK, len(words) - base)
        part = words[base : base + size]
        for g in range(0, len(period), 4):
            w = patterns[offset[g] + phase[g] : offset[g] + phase[g] + size]
            x = patterns[offset[g + 1] + phase[g + 1] : offset[g + 1] + phase[g + 1] + size]
            y = patterns[offset[g + 2] + phase[g + 2] : offset[g + 2] + phase[g + 2] + size]
            z = patterns[offset[g + 3] + phase[g + 3] : offset[g + 3] + phase[g + 3] + size]
            for i in range(size):
                part[i] |= w[i] | x[i] | y[i] | z[i]
        for g in range(len(period)):
            phase[g] = (phase[g] + size) % period[g]


@njit(nogil=True, error_model="numpy")
def _strike_unrolled(padded, bits, q, s, classes):
    """Primes q < UNROLLED, grouped by q mod 8 = 1, 3, 5, 7."""
    end = FRONT + bits // 8
    for i in range(classes[0], classes[1]):
        _STRIKE_1(padded, end, np.int64(q[i]), np.int64(s[i]))
    for i in range(classes[1], classes[2]):
        _STRIKE_3(padded, end, np.int64(q[i]), np.int64(s[i]))
    for i in range(classes[2], classes[3]):
        _STRIKE_5(padded, end, np.int64(q[i]), np.int64(s[i]))
    for i in range(classes[3], classes[4]):
        _STRIKE_7(padded, end, np.int64(q[i]), np.int64(s[i]))
    for i in range(classes[0], classes[4]):
        ahead = uint32(s[i] - uint32(bits % q[i]))  # wraps if the next strike is a full q on
        s[i] = min(ahead, uint32(ahead + q[i]))


@njit(nogil=True, inline="always", error_model="numpy")
def set_bit(words, k):
    words[uint64(k >> uint32(6))] |= uint64(1) << uint64(k & uint32(63))


@njit(nogil=True, inline="always", error_model="numpy")
def clamped(k, bits):
    """k, or where that is beyond, any bit of the spare words: no strike then waits for another."""
    return k if k < bits else uint32(bits + (k & uint32(64 * SPARE_WORDS - 1)))


@njit(nogil=True, error_model="numpy")
def runs(q, bits):
    """Primes, increasing, by how many strikes each surely has: where runs end, and how many those are."""
    ends, strikes = np.empty(len(q), np.int64), np.empty(len(q), np.int64)
    n, last = 0, 0
    while last < len(q):
        strikes[n] = bits // np.int64(q[last])
        last = np.searchsorted(q, bits // strikes[n], "right") if strikes[n] > 0 else len(q)
        ends[n] = last
        n += 1
    return ends[:n], strikes[:n]


@njit(nogil=True, error_model="numpy")
def _strike_fixed(words, bits, q, s):
    """Primes from UNROLLED on, increasing: bits // q strikes each, and one clamped to a spare word."""
    first = 0
    ends, strikes = runs(q, bits)
    for run, last in enumerate(ends):
        for i in range(first, last):
            k, step = s[i], q[i]
            for _ in range(strikes[run]):
                set_bit(words, k)
                k = uint32(k + step)
            set_bit(words, clamped(k, uint32(bits)))
            ahead = uint32(k - uint32(bits))
            s[i] = min(ahead, uint32(ahead + step))
        first = last


@compiled_once(nogil=True, error_model="numpy")
def lay_out(q, apart, begin, words):
    """The ``patterns`` of ``sieve_lane``, and an empty one behind them.

    Parameters
    ----------
    q, begin : ndarrays of int64, shape (primes,)
        Below TINY; where a pattern begins.
    apart : ndarray of int64, shape (forms, primes)
        The first strike of each form behind one of the first form.
    words : int
        Of all patterns together.
    """
    patterns = np.zeros(words, np.uint64)
    for i in range(len(q)):
        pattern = patterns[begin[i] : begin[i] + q[i] + CHUNK]
        for form in range(len(apart)):
            for k in range(apart[form, i], 64 * q[i], q[i]):
                pattern[k >> 6] |= uint64(1) << uint64(k & 63)
        for word in range(q[i], len(pattern)):
            pattern[word] = pattern[word - q[i]]
    return patterns


@compiled_once(nogil=True, error_model="numpy")
def sieve_lane(row, segment_words, r, c, t, q, reciprocal, classes, tiny, patterns):
    """OR the composites of lane r into ``row``.

    Parameters
    ----------
    row : ndarray of uint64, shape (words,)
        The lane's bits; what is set stays set.
    segment_words : int
        Words in a segment, at most SEGMENT_WORDS.
    r : int
        The lane's residue mod M.
    c, t, q, reciprocal : ndarrays, shapes (forms, primes), (primes,), (primes,), (primes,)
        For each prime q: the first strike in lane r is (c + r t) mod q; 1 / q. Grouped: below UNROLLED by
        q mod 8, then increasing.
    classes : ndarray of int64, shape (5,)
        Where in q the four groups begin and end.
    tiny : ndarray of int64, shape (5, patterns)
        For each prime below TINY: q, its c (of the first form), its t, 64^-1 mod q, and where its pattern
        begins. The number of patterns is a multiple of four.
    patterns : ndarray of uint64
        One after the other, each q + CHUNK words long and starting with a strike of the first form at bit 0.
    """
    padded = np.empty(FRONT + 8 * segment_words + TAIL, np.uint8)
    words = padded[FRONT : FRONT + 8 * segment_words].view(np.uint64)
    words_and_spare = padded[FRONT : FRONT + 8 * (segment_words + SPARE_WORDS)].view(np.uint64)
    bits = 64 * segment_words
    s = np.empty(c.shape, np.uint32)
    for form in range(len(c)):
        _start(c[form], t, r, q, reciprocal, s[form])
    period = tiny[0]
    # The word at which a pattern stands with its strike at bit (c + r t) mod q.
    phase = (period - (tiny[1] + r * tiny[2]) % period) * tiny[3] % period
    for base in range(0, len(row), segment_words):
        size = min(segment_words, len(row) - base)
        words[:size] = row[base : base + size]
        words[size:] = uint64(0)
        _lay_patterns(words, patterns, tiny[4], period, phase)
        for form in range(len(c)):
            _strike_unrolled(padded, bits, q, s[form], classes)
            _strike_fixed(words_and_spare, bits, q[classes[4] :], s[form][classes[4] :])
        row[base : base + size] = words[:size]


@njit(nogil=True, error_model="numpy")
def _ones(x):
    """Number of set bits; LLVM turns this into one instruction."""
    x = x - ((x >> uint64(1)) & uint64(0x5555555555555555))
    x = (x & uint64(0x3333333333333333)) + ((x >> uint64(2)) & uint64(0x3333333333333333))
    x = (x + (x >> uint64(4))) & uint64(0x0F0F0F0F0F0F0F0F)
    return (x * uint64(0x0101010101010101)) >> uint64(56)


@njit(nogil=True, error_model="numpy")
def _zeros_between(row, lo, hi):
    """Number of clear bits k with lo <= k < hi."""
    if hi <= lo:
        return 0
    first, last = lo >> 6, (hi - 1) >> 6
    head = ~uint64(0) << uint64(lo & 63)
    tail = ~uint64(0) >> uint64(63 - ((hi - 1) & 63))
    if first == last:
        return np.int64(_ones(~row[first] & head & tail))
    total = _ones(~row[first] & head) + _ones(~row[last] & tail)
    for i in range(first + 1, last):
        total += _ones(~row[i])
    return np.int64(total)


@compiled_once(nogil=True, error_model="numpy")
def count_lane(row, edges, counts):
    """Add to counts[j] the clear bits k with edges[j] <= k < edges[j + 1]."""
    for j in range(len(counts)):
        counts[j] += _zeros_between(row, edges[j], edges[j + 1])


@compiled_once(nogil=True, error_model="numpy")
def list_lane(row, lo, hi, first, modulus, found):
    """Write first + modulus k of the clear bits k, lo <= k < hi, into ``found``; returns how many."""
    n = 0
    for i in range(lo >> 6, (hi + 63) >> 6):
        rest = ~row[i]
        if i == lo >> 6:
            rest &= ~uint64(0) << uint64(lo & 63)
        if i == hi >> 6:
            rest &= ~(~uint64(0) << uint64(hi & 63))
        start = first + modulus * 64 * i
        while rest:
            found[n] = start + modulus * np.int64(_ones(~rest & (rest - uint64(1))))
            n += 1
            rest &= rest - uint64(1)
    return n
