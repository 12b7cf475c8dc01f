"""Squaring modulo large integers, several moduli side by side in the lanes of a vector register.

An integer is a column of limbs, the least first, each in a 64-bit lane of its own: shape (limbs, LANES).
Limbs hold 28 or 29 bits, so that products can be added up in a lane without carrying; or, where the processor
adds up the low and the high halves of products, 48 or 50. The loops over limbs are unrolled in
LLVM's language, because accumulators must stay in registers; ``square`` is a plain function with that as its
compiled form. Reduction is Montgomery's (Math. Comp. 44, 1985) without the last
subtraction (Walter, Electronics Letters 35, 1999).
"""

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic, overload

from sampler_bench.kernels.compiled import may_use

LANES = 8 if may_use("avx512f") else 4
FUSED = may_use("avx512ifma")  # the processor multiplies 52 bits by 52 and adds either half
LIMBS = (2, 3, 4, 5, 7, 9, 12, 16, 21) if FUSED else (3, 5, 9, 12, 20, 28, 37)  # code is made when first met


def limb_width(limbs: int) -> int:
    """Bits in a limb: its fourfold still is a factor, or a column adds up all its products."""
    if FUSED:
        return 50 if limbs > 2 else 48
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


class _Columns:
    """The columns of a sum of products, as code that adds up limbs of 28 or 29 bits."""

    def __init__(self, builder, limbs: int):
        self.builder, self.width = builder, limb_width(limbs)
        self.vector = ir.VectorType(ir.IntType(64), LANES)
        self.sums = [self.constant(0)] * (2 * limbs + 1)

    def constant(self, number: int):
        return ir.Constant(self.vector, [number] * LANES)

    def product(self, a, b):  # of the low halves: LLVM then takes the instruction for 32 x 32 bits
        low = self.constant(0xFFFFFFFF)
        return self.builder.mul(self.builder.and_(a, low), self.builder.and_(b, low))

    def add(self, i: int, a, b) -> None:
        """Add a b to column i."""
        self.sums[i] = self.builder.add(self.sums[i], self.product(a, b))

    def total(self, i: int):
        return self.sums[i]

    def carry(self, i: int) -> None:
        """What exceeds a limb in column i goes to the next."""
        over = self.builder.lshr(self.total(i), self.constant(self.width))
        self.sums[i + 1] = self.builder.add(self.sums[i + 1], over)

    def limb(self, number):
        return self.builder.and_(number, self.constant((1 << self.width) - 1))


class _FusedColumns(_Columns):
    """The same for limbs of up to 50 bits, by AVX-512 IFMA: bits from 52 on are added up apart."""

    def __init__(self, builder, limbs: int):
        super().__init__(builder, limbs)
        self.highs = list(self.sums)

    def _fused(self, half: str, total, a, b):
        kind = ir.FunctionType(self.vector, [self.vector] * 3)
        name = f"llvm.x86.avx512.vpmadd52{half}.uq.512"
        return self.builder.call(self.builder.module.declare_intrinsic(name, fnty=kind), [total, a, b])

    def product(self, a, b):
        return self._fused("l", self.constant(0), a, b)

    def add(self, i: int, a, b) -> None:
        self.sums[i] = self._fused("l", self.sums[i], a, b)
        self.highs[i + 1] = self._fused("h", self.highs[i + 1], a, b)

    def total(self, i: int):
        high = self.builder.shl(self.highs[i], self.constant(52 - self.width))
        return self.builder.add(self.sums[i], high)


def _emit_square(builder, limbs: int, x, n, inverse, doubling) -> None:
    """Column i of the product is complete once rows 0 to i are in: then it is made divisible and dropped."""

    def place(pointer, i: int):
        return builder.gep(pointer, [ir.Constant(ir.IntType(64), i)])

    def load(pointer, i: int):
        return builder.load(place(pointer, i), align=8)

    columns = (_FusedColumns if FUSED else _Columns)(builder, limbs)
    shift, back = load(doubling, 0), load(inverse, 0)
    a = [builder.shl(load(x, i), shift) for i in range(limbs)]
    twice = [builder.shl(each, columns.constant(1)) for each in a]
    for i in range(limbs):
        columns.add(2 * i, a[i], a[i])
        for j in range(i + 1, limbs):
            columns.add(i + j, twice[i], a[j])
        m = columns.limb(columns.product(columns.total(i), back))
        for j in range(limbs):
            columns.add(i + j, m, load(n, j))
        columns.carry(i)
    for i in range(limbs, 2 * limbs):
        columns.carry(i)
        last = i + 1 == 2 * limbs
        limb = columns.total(i) if last else columns.limb(columns.total(i))
        builder.store(limb, place(x, i - limbs), align=8)
