"""Where primes first strike a lane: in float64, exact for integers below 2^53, so that it vectorises."""

import numpy as np
from numba import njit

BATCH = 1008  # primes at a time: their arrays stay in the caches, and apart in them


@njit(nogil=True, inline="always", error_model="numpy")
def _rest(x, q, reciprocal):
    """x mod q for integers 0 <= x < 2^49, q < 2^32."""
    rest = x - np.floor(x * reciprocal) * q
    rest += q if rest < 0 else 0.0
    return rest - (q if rest >= q else 0.0)


def in_pieces(base: int) -> np.ndarray:
    """An integer of any size as ``base_mod`` wants it: the highest piece below 2^32, then 16 bits each."""
    more = max(0, -(-(base.bit_length() - 32) // 16))
    return np.array([base >> 16 * more, *(base >> 16 * i & 0xFFFF for i in reversed(range(more)))], float)


@njit(nogil=True, error_model="numpy")
def base_mod(pieces, q, reciprocal, out):
    """out = base mod q; puts 1 / q into ``reciprocal``."""
    for i in range(len(q)):
        reciprocal[i] = 1.0 / q[i]
        out[i] = _rest(pieces[0], q[i], reciprocal[i])
    for piece in pieces[1:]:
        for i in range(len(q)):
            out[i] = _rest(out[i] * 65536.0 + piece, q[i], reciprocal[i])


@njit(nogil=True, error_model="numpy")
def first_offsets(a, b, remainder, q, turns, out):
    """The least offset >= 0 at which q divides a (base + offset) + b, where base leaves ``remainder``.

    ``turns[r]`` is -q^-1 mod a for q = r (mod a), so that (turn q + 1) / a is a^-1 mod q.
    """
    for i in range(len(q)):
        first = (q[i] - b if b > 0 else np.float64(-b)) - remainder[i]
        out[i] = first + (q[i] if first < 0 else 0.0)
    if a > 1:
        for i in range(len(q)):
            prime = np.int64(q[i])
            root = -b * ((turns[prime % a] * prime + 1) // a) % prime
            first = root - remainder[i]
            out[i] = first + (q[i] if first < 0 else 0.0)


@njit(nogil=True, error_model="numpy")
def turns_of(modulus, turns, q, out):
    """out = -q^-1 mod ``modulus``, by its table."""
    reciprocal = 1.0 / modulus
    for i in range(len(q)):
        out[i] = turns[np.int64(q[i] - np.floor((q[i] + 0.5) * reciprocal) * modulus)]


@njit(nogil=True, error_model="numpy")
def steps_back(gap, modulus, q, reciprocal, turn, out):
    """How far a first strike moves back, mod q, from a lane to the one ``gap`` above: gap / modulus mod q."""
    for i in range(len(q)):
        inverse = np.floor((turn[i] * q[i] + 1.5) * (1.0 / modulus))
        out[i] = np.uint32(np.int64(_rest(gap * inverse, q[i], reciprocal[i])))


@njit(nogil=True, error_model="numpy")
def first_strikes(offset, r, modulus, q, turn, out):
    """The least k >= 0 at which r + modulus k is ``offset`` mod q: one offset - r + j q is divisible."""
    reciprocal = 1.0 / modulus
    for i in range(len(q)):
        ahead = offset[i] - r
        ahead += q[i] if ahead < 0 else 0.0
        product = (ahead - np.floor((ahead + 0.5) * reciprocal) * modulus) * turn[i]
        j = product - np.floor((product + 0.5) * reciprocal) * modulus
        out[i] = np.uint32(np.int64((ahead + j * q[i] + 0.5) * reciprocal))
