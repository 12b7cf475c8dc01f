"""Squaring modulo large integers, several moduli side by side in the lanes of a vector register.

An integer is a column of limbs, the least first, each in a 64-bit lane of its own: shape (limbs, LANES).
Limbs hold 28 or 29 bits, so that products can be added up in a lane without carrying. The loops over
limbs are unrolled in LLVM's language, because accumulators must stay in registers; ``square`` is a plain
function with that as its compiled form. Reduction is Montgomery's (Math. Comp. 44, 1985) without the last
subtraction (Walter, Electronics Letters 35, 1999).
"""

import llvmlite.binding as llvm
import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic, overload

LANES = 8 if llvm.get_host_cpu_features().get("avx512f") else 4
LIMBS = (3, 5, 9, 12, 20, 28, 37)  # the sizes that code is made for, when first met


def limb_width(limbs: int) -> int:
    """Bits in a limb: a column adds up ``limbs`` products of doubled limbs and as many of plain ones."""
    return 29 if limbs <= 12 else 28


def places_of(limbs: int) -> tuple[int, ...]:
    """The first bit of each limb."""
    return tuple(i * limb_width(limbs) for i in range(limbs))


def to_limbs(numbers: list[int], limbs: int) -> np.ndarray:
    """ndarray of uint64, shape (limbs, numbers)."""
    size = 8 * (limbs * limb_width(limbs) // 64 + 2)  # whole words, and one to spare
    words = np.frombuffer(b"".join(number.to_bytes(size, "little") for number in numbers), "<u8")
    words = words.reshape(len(numbers), size // 8).T
    columns = np.empty((limbs, len(numbers)), np.uint64)
    for i, column in enumerate(columns):
        word, bit = divmod(i * limb_width(limbs), 64)
        column[:] = words[word] >> np.uint64(bit)
        if bit > 0:
            column |= words[word + 1] << np.uint64(64 - bit)
    return columns & np.uint64((1 << limb_width(limbs)) - 1)


def square(x, n, inverse, doubling, places):
    """x becomes (x 2^doubling)^2 / R mod n in every lane, in place; R = 2^(limbs width).

    Parameters
    ----------
    x, n : ndarrays of uint64, shape (limbs, LANES), contiguous
        n odd with 16 n <= R; x < 2 n on the way in and on the way out.
    inverse : ndarray of uint64, shape (LANES,)
        -n^-1 mod 2^width.
    doubling : ndarray of uint64, shape (LANES,)
        0 or 1.
    places : tuple of int
        The first bit of each limb, as ``places_of(limbs)`` gives it: compiled code is made for each length.
    """
    limbs = len(places)
    r = 1 << (limbs * limb_width(limbs))
    for lane in range(LANES):
        modulus, value = (_value(column[:, lane], limbs) for column in (n, x))
        product = (value << int(doubling[lane])) ** 2
        multiple = product * -pow(modulus, -1, r) % r
        x[:, lane] = to_limbs([(product + multiple * modulus) // r], limbs)[:, 0]


def _value(column: np.ndarray, limbs: int) -> int:
    return sum(int(limb) << (limb_width(limbs) * i) for i, limb in enumerate(column))


@intrinsic
def _compiled(typing, x, n, inverse, doubling, places):
    def codegen(context, builder, signature, arguments):
        vector = ir.VectorType(ir.IntType(64), LANES).as_pointer()
        arrays = [
            builder.bitcast(context.make_array(kind)(context, builder, value).data, vector)
            for kind, value in zip(signature.args[:4], arguments[:4], strict=True)
        ]
        _emit_square(builder, places.count, *arrays)
        return context.get_dummy_value()

    return types.void(x, n, inverse, doubling, places), codegen


@overload(square, inline="always")
def _compiled_square(x, n, inverse, doubling, places):
    return lambda x, n, inverse, doubling, places: _compiled(x, n, inverse, doubling, places)


def _emit_square(builder, limbs: int, x, n, inverse, doubling) -> None:
    """Column i of the product is complete once rows 0 to i are in: then it is made divisible and dropped."""
    vector = ir.VectorType(ir.IntType(64), LANES)

    def constant(number: int):
        return ir.Constant(vector, [number] * LANES)

    def load(pointer, i: int):
        return builder.load(builder.gep(pointer, [ir.Constant(ir.IntType(64), i)]), align=8)

    def product(a, b):  # of the low halves: LLVM then takes the instruction for 32 x 32 bits
        low = constant(0xFFFFFFFF)
        return builder.mul(builder.and_(a, low), builder.and_(b, low))

    mask, width = constant((1 << limb_width(limbs)) - 1), constant(limb_width(limbs))
    shift = load(doubling, 0)
    a = [builder.shl(load(x, i), shift) for i in range(limbs)]
    twice = [builder.shl(each, constant(1)) for each in a]
    back = load(inverse, 0)
    columns = [constant(0)] * (2 * limbs)
    for i in range(limbs):
        columns[2 * i] = builder.add(columns[2 * i], product(a[i], a[i]))
        for j in range(i + 1, limbs):
            columns[i + j] = builder.add(columns[i + j], product(twice[i], a[j]))
        m = builder.and_(product(columns[i], back), mask)
        for j in range(limbs):
            columns[i + j] = builder.add(columns[i + j], product(m, load(n, j)))
        columns[i + 1] = builder.add(columns[i + 1], builder.lshr(columns[i], width))
    for i in range(limbs, 2 * limbs):
        pointer = builder.gep(x, [ir.Constant(ir.IntType(64), i - limbs)])
        if i + 1 < 2 * limbs:
            columns[i + 1] = builder.add(columns[i + 1], builder.lshr(columns[i], width))
            builder.store(builder.and_(columns[i], mask), pointer, align=8)
        else:
            builder.store(columns[i], pointer, align=8)
