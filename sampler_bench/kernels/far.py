"""Primes above a row's bits: each strikes a lane once or not at all, mostly not.

All lanes are gone through for a thousand primes at a time, and the few first strikes that lie within a row
are kept in a bucket of its lane. A full bucket is struck at once: the row is in the cache then.
"""

import numpy as np
from llvmlite import ir
from numba import njit, types, uint8, uint32
from numba.extending import intrinsic, overload

from sampler_bench.kernels.compiled import compiled_once, may_use
from sampler_bench.kernels.starts import BATCH, base_mod, first_offsets, first_strikes, steps_back, turns_of

BUCKET = 32768  # strikes: several to each cache line of a row
VECTOR = 16  # of uint32, with AVX-512
GROUP = 8  # without
assert BATCH % VECTOR == BATCH % GROUP == 0, "first strikes are looked at so many at a time"
COMPRESSES = may_use("avx512f")


def move_on(found, n, s, back, q, bits):
    """Move s back, mod q, in place, and put what is below ``bits`` into ``found`` from n on.

    Parameters
    ----------
    found : ndarray of uint32
        With room for all of s.
    n : int
    s, back, q : ndarrays of uint32
        As many as a multiple of VECTOR.
    bits : uint32

    Returns
    -------
    int
        How many ``found`` holds then.
    """
    for i in range(len(s)):
        short = q[i] if s[i] < back[i] else uint32(0)
        s[i] = uint32(uint32(s[i] - back[i]) + short)
    for first in range(0, len(s), GROUP):
        least = s[first]
        for j in range(GROUP):
            least = min(least, s[first + j])
        if least < bits:  # mostly not
            for j in range(GROUP):
                found[n] = s[first + j]
                n += s[first + j] < bits
    return n


@intrinsic
def _vector_moved_on(typing, found, n, s, back, q, bits, i):
    """What move_on does with VECTOR of them, by one instruction of AVX-512; returns how many were below."""

    def codegen(context, builder, signature, arguments):
        word, vector = ir.IntType(32), ir.VectorType(ir.IntType(32), VECTOR)
        mask, zeros = ir.VectorType(ir.IntType(1), VECTOR), ir.Constant(vector, [0] * VECTOR)

        def place(array: int, index):
            data = context.make_array(signature.args[array])(context, builder, arguments[array]).data
            return builder.bitcast(builder.gep(data, [index]), vector.as_pointer())

        n, bits, i = arguments[1], arguments[5], arguments[6]
        s, back, q = (builder.load(place(array, i), align=4) for array in (2, 3, 4))
        short = builder.select(builder.icmp_unsigned("<", s, back), q, zeros)
        moved = builder.add(builder.sub(s, back), short)
        builder.store(moved, place(2, i), align=4)
        one = builder.insert_element(ir.Constant(vector, ir.Undefined), bits, ir.Constant(word, 0))
        below = builder.icmp_unsigned("<", moved, builder.shuffle_vector(one, one, zeros))
        compress = builder.module.declare_intrinsic(
            "llvm.x86.avx512.mask.compress.v16i32", fnty=ir.FunctionType(vector, [vector, vector, mask])
        )
        builder.store(builder.call(compress, [moved, moved, below]), place(0, n), align=4)
        return builder.zext(builder.ctpop(builder.bitcast(below, ir.IntType(VECTOR))), ir.IntType(64))

    return types.int64(found, types.int64, s, back, q, types.uint32, types.int64), codegen


@overload(move_on, inline="always")
def _compiled_move_on(found, n, s, back, q, bits):
    def vectors(found, n, s, back, q, bits):
        for i in range(0, len(s), VECTOR):
            n += _vector_moved_on(found, n, s, back, q, bits, i)
        return n

    return vectors if COMPRESSES else move_on


@njit(nogil=True, error_model="numpy")
def _strike(row, bucket):
    for k in bucket:
        row[k >> uint32(3)] |= uint8(1) << uint8(k & uint32(7))


@njit(nogil=True, error_model="numpy")
def _all_steps(back, q):
    """Row j becomes j times the first step back, mod q: row 1 is there."""
    back[0] = 0
    for j in range(2, len(back)):
        for i in range(len(q)):
            left = uint32(q[i] - back[1, i])
            more = back[j - 1, i]
            back[j, i] = uint32(more - left) if more >= left else uint32(more + back[1, i])


@compiled_once(nogil=True, error_model="numpy")
def strike_far(rows, bits, first_lane, gap, times, pieces, modulus, turns, q, a, b, turns_of_a):
    """Strike, in all lanes, where a prime q divides a value.

    Parameters
    ----------
    rows : ndarray of uint8, shape (lanes, bytes)
        Bit k of a lane's row stands for n = base + r + modulus k.
    bits : uint32
        Those of a row that stand for something; q is not below.
    first_lane, gap : int
        r of the first lane, and what divides all that lies between lanes.
    times : ndarray of int64, shape (lanes,)
        How many gaps each lane lies above the one before.
    pieces, modulus, turns, q, a, b, turns_of_a
        As for ``rows.open_rows``.
    """
    buckets, filled = np.empty((len(rows), BUCKET + BATCH), np.uint32), np.zeros(len(rows), np.int64)
    prime, reciprocal, remainder = np.empty(BATCH), np.empty(BATCH), np.empty(BATCH)
    turn, offset = np.empty(BATCH), np.empty(BATCH)
    wide, s = np.empty(BATCH, np.uint32), np.empty(BATCH, np.uint32)
    back = np.empty((max(2, times.max() + 1), BATCH), np.uint32)
    for begin in range(0, len(q), BATCH):
        size = min(BATCH, len(q) - begin)
        prime[:size] = q[begin : begin + size]
        prime[size:] = q[begin]
        base_mod(pieces, prime, reciprocal, remainder)
        turns_of(modulus, turns, prime, turn)
        steps_back(gap, modulus, prime, reciprocal, turn, back[1])
        for i in range(BATCH):
            wide[i] = uint32(np.int64(prime[i]))
        _all_steps(back, wide)
        for form in range(len(a)):
            first_offsets(a[form], b[form], remainder, prime, turns_of_a[form], offset)
            first_strikes(offset, first_lane, modulus, prime, turn, s)
            for lane in range(len(rows)):
                filled[lane] = move_on(buckets[lane], filled[lane], s, back[times[lane]], wide, bits)
                if filled[lane] >= BUCKET:
                    _strike(rows[lane], buckets[lane, : filled[lane]])
                    filled[lane] = 0
    for lane in range(len(rows)):
        _strike(rows[lane], buckets[lane, : filled[lane]])
