"""Primes too large to be met lane by lane: their few multiples are struck one by one, wherever they fall.

They fall all over the rows, farther apart than the cache reaches. So they are first put into buckets, one for
each region of the rows that fits the L2 cache, and a bucket is struck when it is full.
"""

import numpy as np
from numba import njit, uint8, uint32, uint64

from sampler_bench.kernels.compiled import compiled_once

REGION = 22  # bits of an index within a region: 512 KB
BUCKET = 32768  # strikes: several to each cache line of a region
BATCH = 2048  # primes at a time: their arrays stay in the L2 cache


@njit(nogil=True, inline="always", error_model="numpy")
def _rest(x, q, reciprocal):
    """x mod q for integers 0 <= x < 2^49, q < 2^32 in float64: every product is exact, and it vectorises."""
    rest = x - np.floor(x * reciprocal) * q
    rest += q if rest < 0 else 0.0
    return rest - (q if rest >= q else 0.0)


@njit(nogil=True, error_model="numpy")
def _base_mod(base, q, out):
    """out = base mod q, by pieces of 32, 16 and 16 bits."""
    high = np.float64(base >> uint64(32))
    middle, low = np.float64((base >> uint64(16)) & uint64(0xFFFF)), np.float64(base & uint64(0xFFFF))
    for i in range(len(q)):
        reciprocal = 1.0 / q[i]
        rest = _rest(high, q[i], reciprocal)
        rest = _rest(rest * 65536.0 + middle, q[i], reciprocal)
        out[i] = _rest(rest * 65536.0 + low, q[i], reciprocal)


@njit(nogil=True, error_model="numpy")
def _first_offsets(a, b, base_mod, q, turn, out):
    """The least offset >= 0 at which q divides a (base + offset) + b.

    ``turn[r]`` is -q^-1 mod a for q = r (mod a), so that (turn q + 1) / a is a^-1 mod q.
    """
    for i in range(len(q)):
        first = (q[i] - b if b > 0 else np.float64(-b)) - base_mod[i]
        out[i] = first + (q[i] if first < 0 else 0.0)
    if a > 1:
        for i in range(len(q)):
            prime = np.int64(q[i])
            root = -b * ((turn[prime % a] * prime + 1) // a) % prime
            first = root - base_mod[i]
            out[i] = first + (q[i] if first < 0 else 0.0)


@njit(nogil=True, error_model="numpy")
def _move_to_class(first, q, residue, out):
    """The least first + j q that is ``residue`` mod 6, q being its own inverse mod 6."""
    for i in range(len(q)):
        short = residue + 6.0 - (first[i] - 6.0 * np.floor((first[i] + 0.5) * (1.0 / 6.0)))
        steps = short * (q[i] - 6.0 * np.floor((q[i] + 0.5) * (1.0 / 6.0)))
        out[i] = first[i] + (steps - 6.0 * np.floor((steps + 0.5) * (1.0 / 6.0))) * q[i]


@njit(nogil=True, error_model="numpy")
def _strike(flat, bucket):
    for index in bucket:
        flat[index >> uint32(3)] |= uint8(1) << uint8(index & uint32(7))


@njit(nogil=True, error_model="numpy")
def _sort(flat, indices, buckets, filled):
    """Put indices into their buckets; one that is full is struck and emptied."""
    for index in indices:
        b = index >> uint32(REGION)
        size = filled[b]
        buckets[b, size] = index
        filled[b] = size + 1
        if size + 1 == BUCKET:
            _strike(flat, buckets[b])
            filled[b] = 0


@njit(nogil=True, error_model="numpy")
def _collect(flat, bits, lane_of, modulus, width, offset, q, found, buckets, filled):
    """Strike offset, offset + 6 q, ... below width, where they are in a lane; ``found`` is scratch.

    All primes take a step together, and what is in no lane is overwritten: no branch depends on one prime.
    """
    reciprocal = 1.0 / modulus
    for _ in range((width - 1) // (6 * np.int64(q.min())) + 1):
        n = 0
        for i in range(len(q)):
            k = np.int64((offset[i] + 0.5) * reciprocal)
            lane = lane_of[np.int64(offset[i]) - k * modulus]
            found[n] = lane * bits + k
            n += (lane >= 0) & (offset[i] < width)
            offset[i] += 6.0 * q[i]
        _sort(flat, found[:n], buckets, filled)


@compiled_once(nogil=True, error_model="numpy")
def strike_far(rows, lane_of, modulus, classes, base, width, q, a, b, turns):
    """Strike, in all lanes at once, the n in [base, base + width) at which a prime q divides a value.

    Parameters
    ----------
    rows : ndarray of uint8, shape (lanes, bytes)
        Bit k of a lane's row stands for n = base + r + modulus k. At most 2^32 bits in all.
    lane_of : ndarray of int64, shape (modulus,)
        The row of a residue, -1 where it has none.
    modulus : int
        A multiple of 6.
    classes : ndarray of int64
        The residues mod 6 that lanes have: other multiples are stepped over.
    base : uint64
        A multiple of ``modulus``.
    width : int
        Below 2^62.
    q : ndarray of int64, shape (primes,)
        Primes, 5 < q < 2^32, larger than every |b|.
    a, b : ndarrays of int64, shape (forms,)
    turns : ndarray of int64, shape (forms, largest a)
        For each form, -q^-1 mod a by q mod a.
    """
    flat, bits = rows.reshape(-1), 8 * rows.shape[1]
    regions = ((len(flat) * 8 - 1) >> REGION) + 1
    buckets, filled = np.empty((regions, BUCKET), np.uint32), np.zeros(regions, np.int64)
    batch, base_mod, first, offset = np.empty((4, BATCH))
    found = np.empty(BATCH + 1, np.uint32)
    for i in range(0, len(q), BATCH):
        size = min(BATCH, len(q) - i)
        batch = batch[:size]
        batch[:] = q[i : i + size]
        _base_mod(base, batch, base_mod)
        for form in range(len(a)):
            _first_offsets(a[form], b[form], base_mod, batch, turns[form], first)
            for c in range(len(classes)):
                _move_to_class(first, batch, classes[c], offset)
                _collect(flat, bits, lane_of, modulus, width, offset, batch, found, buckets, filled)
    for region in range(regions):
        _strike(flat, buckets[region, : filled[region]])
