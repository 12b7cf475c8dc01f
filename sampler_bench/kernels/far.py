"""Primes too large to be met lane by lane: their few multiples are struck one by one, wherever they fall."""

import numpy as np
from numba import njit, uint8, uint64

BATCH = 2048  # primes at a time: their arrays stay in the L2 cache


@njit(nogil=True, inline="always", error_model="numpy")
def _rest(x, q, reciprocal):
    """x mod q for 0 <= x < 2^48, q < 2^32, by a floating quotient put right: it vectorises."""
    rest = x - np.int64(np.float64(x) * reciprocal) * q
    rest += q if rest < 0 else 0
    return rest - (q if rest >= q else 0)


@njit(nogil=True, error_model="numpy")
def _base_mod(base, q, out):
    """out = base mod q, by pieces of 32, 16 and 16 bits, so that nothing exceeds 2^48."""
    high = np.int64(base >> uint64(32))
    middle, low = np.int64(base >> uint64(16)) & 0xFFFF, np.int64(base & uint64(0xFFFF))
    for i in range(len(q)):
        reciprocal = 1.0 / q[i]
        rest = _rest(high, q[i], reciprocal)
        rest = _rest(rest * 0x10000 + middle, q[i], reciprocal)
        out[i] = _rest(rest * 0x10000 + low, q[i], reciprocal)


@njit(nogil=True, error_model="numpy")
def _first_offsets(a, b, base_mod, q, turn, out):
    """The least offset >= 0 at which q divides a (base + offset) + b.

    ``turn[r]`` is -q^-1 mod a for q = r (mod a), so that (turn q + 1) / a is a^-1 mod q.
    """
    for i in range(len(q)):
        if a == 1:
            root = q[i] - b if b > 0 else -b
        else:
            root = -b * ((turn[q[i] % a] * q[i] + 1) // a) % q[i]
        first = root - base_mod[i]
        out[i] = first + (q[i] if first < 0 else 0)


@njit(nogil=True, error_model="numpy")
def _move_to_class(first, q, residue, out):
    """The least first + j q that is ``residue`` mod 6, q being its own inverse mod 6."""
    for i in range(len(q)):
        short = residue - (first[i] - 6 * np.int64(np.float64(first[i]) * (1.0 / 6.0) + 0.01))
        steps = (short + 6) * (q[i] - 6 * np.int64(np.float64(q[i]) * (1.0 / 6.0) + 0.01))
        out[i] = first[i] + (steps - 6 * np.int64(np.float64(steps) * (1.0 / 6.0) + 0.01)) * q[i]


@njit(nogil=True, error_model="numpy")
def _strike(rows, lane_of, modulus, width, offset, q, near):
    """Strike offset, offset + 6 q, ... below width; ``near`` is scratch for those that begin below it."""
    n = 0
    for i in range(len(q)):
        near[n] = i
        n += offset[i] < width
    reciprocal = 1.0 / modulus
    for j in range(n):
        at, step = offset[near[j]], 6 * q[near[j]]
        while at < width:
            k = np.int64((at + 0.5) * reciprocal)
            rows[lane_of[at - k * modulus], k >> 3] |= uint8(1) << uint8(k & 7)
            at += step


@njit(nogil=True, cache=True, error_model="numpy")
def strike_far(rows, lane_of, modulus, classes, base, width, q, a, b, turns):
    """Strike, in all lanes at once, the n in [base, base + width) at which a prime q divides a value.

    Parameters
    ----------
    rows : ndarray of uint8, shape (lanes + 1, bytes)
        Bit k of a lane's row stands for n = base + r + modulus k. The last row takes what falls in no lane.
    lane_of : ndarray of int64, shape (modulus,)
        The row of a residue.
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
    base_mod, first, offset = np.empty((3, BATCH), np.int64)
    near = np.empty(BATCH + 1, np.int64)
    for i in range(0, len(q), BATCH):
        batch = q[i : i + BATCH]
        _base_mod(base, batch, base_mod)
        for form in range(len(a)):
            _first_offsets(a[form], b[form], base_mod, batch, turns[form], first)
            for c in range(len(classes)):
                _move_to_class(first, batch, classes[c], offset)
                _strike(rows, lane_of, modulus, width, offset, batch, near)
