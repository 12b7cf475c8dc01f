"""Primes from RARE on (``blocks.py``): they strike a lane's whole row, a few times each or not at all.

Lane follows lane, and so do first strikes: from one lane to a later one each moves back by a multiple of one
step.
"""

import numpy as np
from numba import njit, uint32

from sampler_bench.kernels.compiled import compiled_once
from sampler_bench.kernels.lanes import clamped, runs, set_bit
from sampler_bench.kernels.starts import BATCH, base_mod, first_offsets, first_strikes, steps_back, turns_of

PIECE = 4096  # primes at a time: their first strikes stay in the L1 cache


@compiled_once(nogil=True, error_model="numpy")
def open_rows(pieces, r, gap, modulus, turns, q, a, b, turns_of_a, s, back):
    """Where each prime first strikes lane r, and how far back that moves to lane r + gap.

    Parameters
    ----------
    pieces : ndarray of float64
        The base, a multiple of ``modulus``, ``in_pieces``.
    r, gap, modulus : int
    turns : ndarray of int64, shape (modulus,)
        -q^-1 mod the modulus, by q mod the modulus.
    q : ndarray of uint32, shape (primes,)
        Above 8192, larger than every |b|.
    a, b : ndarrays of int64, shape (forms,)
    turns_of_a : ndarray of int64, shape (forms, largest a)
        For each form, -q^-1 mod a by q mod a.
    s : ndarray of uint32, shape (forms, primes)
        Out: the least k >= 0 at which q divides a (base + r + modulus k) + b.
    back : ndarray of uint32, shape (primes,)
        Out: what is taken from s, mod q.
    """
    batch, reciprocal, remainder = np.empty(BATCH), np.empty(BATCH), np.empty(BATCH)
    turn, offset = np.empty(BATCH), np.empty(BATCH)
    for begin in range(0, len(q), BATCH):
        end = min(begin + BATCH, len(q))
        prime = batch[: end - begin]
        prime[:] = q[begin:end]
        base_mod(pieces, prime, reciprocal, remainder)
        turns_of(modulus, turns, prime, turn)
        steps_back(gap, modulus, prime, reciprocal, turn, back[begin:end])
        for form in range(len(a)):
            first_offsets(a[form], b[form], remainder, prime, turns_of_a[form], offset)
            first_strikes(offset, r, modulus, prime, turn, s[form, begin:end])


@njit(nogil=True, error_model="numpy")
def move_back(s, back, q):
    """s - back mod q, in place."""
    for i in range(len(s)):
        short = q[i] if s[i] < back[i] else uint32(0)
        s[i] = uint32(uint32(s[i] - back[i]) + short)


@njit(nogil=True, error_model="numpy")
def _strike(row, bits, s, q, strikes):
    for i in range(len(q)):
        k, step = s[i], q[i]
        for _ in range(strikes):
            set_bit(row, k)
            k = uint32(k + step)
        set_bit(row, clamped(k, bits))


@compiled_once(nogil=True, error_model="numpy")
def strike_row(row, bits, times, q, back, s):
    """Strike the lane that is ``times`` gaps above the one where s stands.

    Parameters
    ----------
    row : ndarray of uint64, shape (words + SPARE_WORDS,)
    bits : uint32
        64 words.
    times : int
    q, back : ndarrays of uint32, shape (primes,)
        The primes, increasing; how far back a first strike moves with a gap.
    s : ndarray of uint32, shape (forms, primes)
        In and out: the first strikes.
    """
    first = 0
    ends, strikes = runs(q, np.int64(bits))
    for run, end in enumerate(ends):
        while first < end:
            last = min(first + PIECE, end)
            for form in range(len(s)):
                part = s[form, first:last]
                for _ in range(times):
                    move_back(part, back[first:last], q[first:last])
                _strike(row, bits, part, q[first:last], strikes[run])
            first = last
