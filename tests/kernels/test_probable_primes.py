"""Primality of large integers against gmpy2 and sympy; the compiled arithmetic against its plain twin."""

import random

import gmpy2
import numpy as np
import pytest
import sympy
from numba import config, njit

from sampler_bench.kernels import is_probable_prime, montgomery
from sampler_bench.kernels.probable_primes import limbs_for, passes_base_2


def random_odds(bits: int, count: int) -> list[int]:
    draw = random.Random(bits)
    return [draw.getrandbits(bits) | 1 | 1 << (bits - 1) for _ in range(count)]


def random_primes(bits: int, count: int) -> list[int]:
    largest = 2**bits - 2**10
    return [int(gmpy2.next_prime(min(n, largest))) for n in random_odds(bits, count)]


# Where the number of limbs changes, and in between.
LENGTHS = [65, 83, 84, 100, 141, 142, 257, 258, 332, 333, 344, 345, 512, 556, 557, 780, 781, 1023, 1024]


@pytest.mark.parametrize("bits", LENGTHS)
def test_integers_of_every_size_are_judged_as_by_gmpy2(bits):
    numbers = random_odds(bits, 60) + random_primes(bits, 7)
    assert is_probable_prime(numbers).tolist() == [gmpy2.is_prime(n) for n in numbers]
    euler = [int(gmpy2.powmod(2, n // 2, n)) for n in numbers]
    passed = [power in (1, n - 1) for power, n in zip(euler, numbers, strict=True)]
    assert passes_base_2(numbers).tolist() == passed
    assert any(passed)
    assert not all(passed)


def test_there_is_code_for_every_length_up_to_1024_bits():
    for bits in range(65, 1025):
        r = (limbs := limbs_for(bits)) * montgomery.limb_width(limbs)
        assert bits + 4 <= r  # 16 n <= R
        # The first power, 2^-v R, is an integer below 2 n for each v in (leading / 2, leading].
        leading = 2 ** (r.bit_length() - 1)
        assert r - leading // 2 <= bits
        assert leading <= r


def test_a_mixed_sequence_is_judged_number_by_number():
    numbers = [
        0,
        1,
        2,
        4,
        97,
        2**61 - 1,
        2**64 - 59,
        2**64 + 13,
        2**64 + 14,
        2**89 - 1,
        2**89 + 1,
        97 * (2**89 - 1),
    ]
    numbers += [10**99 + 289, 10**99 + 291, 2**1279 - 1, 2**1279 + 1, 3**700]
    assert is_probable_prime(numbers).tolist() == [sympy.isprime(n) for n in numbers]
    assert is_probable_prime([]).tolist() == []


def test_composites_that_pass_base_2_do_not_pass():
    # Mersenne and Fermat composites are pseudoprimes to base 2; the product is Arnault's (J. Symbolic Comput.
    # 20, 1995), a strong pseudoprime to all bases below 307.
    p = int(
        "29674495668685510550154174642905332730771991799853043350995075531276838753171770199594238596428121188033"
        "664754218345562493168782883"
    )
    arnault = p * (313 * (p - 1) + 1) * (353 * (p - 1) + 1)
    fooled = [2**67 - 1, 2**83 - 1, 2**101 - 1, 2**128 + 1, 2**256 + 1, 2**512 + 1]
    assert passes_base_2(fooled).all()
    assert gmpy2.is_strong_prp(arnault, 2)
    assert not is_probable_prime([*fooled, arnault]).any()


@pytest.mark.parametrize("limbs", montgomery.LIMBS)
def test_the_compiled_square_equals_its_plain_twin(limbs):
    width, draw = montgomery.limb_width(limbs), random.Random(limbs)
    compiled = njit(
        lambda x, n, inverse, doubling, places: montgomery.square(x, n, inverse, doubling, places)
    )
    moduli = [draw.getrandbits(limbs * width - 4) | 1 for _ in range(montgomery.LANES)]
    moduli[0] = 2 ** (limbs * width - 4) - 1
    n = montgomery.to_limbs(moduli, limbs)
    x = montgomery.to_limbs([2 * modulus - 1 - draw.getrandbits(9) for modulus in moduli], limbs)
    inverse = np.array([-pow(modulus, -1, 2**width) % 2**width for modulus in moduli], np.uint64)
    for doubling in (0, 1):
        ours, plain = x.copy(), x.copy()
        doublings = np.full(montgomery.LANES, doubling, np.uint64)
        compiled(ours, n, inverse, doublings, montgomery.places_of(limbs))
        montgomery.square(plain, n, inverse, doublings, montgomery.places_of(limbs))
        assert ours.tolist() == plain.tolist()
        for lane, modulus in enumerate(moduli):
            value = sum(int(limb) << (width * i) for i, limb in enumerate(ours[:, lane]))
            before = sum(int(limb) << (width * i) for i, limb in enumerate(x[:, lane]))
            assert value < 2 * modulus
            assert (value << (limbs * width)) % modulus == (before << doubling) ** 2 % modulus


@pytest.mark.skipif(config.DISABLE_JIT, reason="speaks of compiled code")
def test_code_is_made_once_for_a_number_of_limbs():
    from sampler_bench.kernels.probable_primes import _meet_euler

    is_probable_prime(random_odds(333, 9))
    compiled = len(_meet_euler.signatures)
    is_probable_prime(random_odds(330, 5))
    assert len(_meet_euler.signatures) == compiled


@pytest.mark.parametrize(
    ("numbers", "complaint"),
    [
        ([7, -1], "-1 is negative"),
        ([2.0**70], "is not an integer"),
        (["97"], "'97' is not an integer"),
        ([True], "is not an integer"),
    ],
)
def test_what_is_no_natural_number_is_refused(numbers, complaint):
    with pytest.raises(ValueError, match=complaint):
        is_probable_prime(numbers)
