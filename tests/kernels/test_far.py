"""Where large primes strike: the kernels against the roots of congruences."""

import numpy as np
import pytest
from sympy import prevprime

from sampler_bench.kernels import far, rows
from sampler_bench.kernels.blocks import coefficients
from sampler_bench.kernels.forms import Forms, turn_table
from sampler_bench.kernels.lanes import SPARE_WORDS
from sampler_bench.kernels.starts import in_pieces

FORMS = [((1, 0), (1, 2)), ((1, 0), (2, 1)), ((1, 0), (1, 2), (1, 6)), ((6, -1), (35, 6))]
MODULUS, WORDS = 210, 300
BITS = 64 * WORDS


def primes_below(limit: int, count: int) -> list[int]:
    primes = []
    for _ in range(count):
        limit = prevprime(limit)
        primes.append(limit)
    return primes[::-1]


def struck(forms: Forms, base: int, primes: list[int]) -> np.ndarray:
    """For each lane its struck bits, by the root of each congruence."""
    lanes = forms.lanes(MODULUS)
    found = np.zeros((len(lanes), BITS), bool)
    for q in primes:
        for row, r in zip(found, lanes, strict=True):
            for a, b in forms.pairs:
                row[-(b * pow(a, -1, q) + base + r) * pow(MODULUS, -1, q) % q :: q] = True
    return found


def base_that_is_struck(forms: Forms, q: int, near: int) -> int:
    """A multiple of MODULUS not far above ``near``; q divides a value of the second lane behind it."""
    (a, b), r, k = forms.pairs[0], forms.lanes(MODULUS)[1], BITS // 2
    residue = -(b * pow(a, -1, q) + r + MODULUS * k) * pow(MODULUS, -1, q) % q
    return MODULUS * (residue + q * (near // (MODULUS * q)))


def bits_of(row: np.ndarray) -> np.ndarray:
    return np.unpackbits(row.view(np.uint8), bitorder="little")[:BITS].astype(bool)


@pytest.fixture(params=FORMS, ids=str)
def forms(request):
    return Forms(request.param)


@pytest.mark.parametrize("limit", [BITS + 5000, 10**6, 2**31 + 1000, 2**32])
@pytest.mark.parametrize("near", [0, 10**12, 2**64 // 35 - 10**15])
def test_far_primes_strike_what_they_divide(forms, near, limit):
    primes = [q for q in primes_below(limit, 100) if q > BITS]
    base = base_that_is_struck(forms, primes[-1], near)
    lanes = forms.lanes(MODULUS)
    table = np.zeros((len(lanes), 8 * (WORDS + SPARE_WORDS)), np.uint8)
    gap = int(np.gcd.reduce(np.diff(lanes)))
    times = np.diff(lanes, prepend=lanes[0]) // gap
    far.strike_far(
        table, np.uint32(BITS), lanes[0], gap, times, in_pieces(base), MODULUS, turn_table(MODULUS),
        np.array(primes, np.uint32), *coefficients(forms),
    )  # fmt: skip
    expected = struck(forms, base, primes)
    assert expected.any()
    assert np.array_equal([bits_of(row) for row in table], expected)


@pytest.mark.parametrize("limit", [9000, BITS + 500, 10**6])
@pytest.mark.parametrize("near", [0, 10**12, 2**64 // 35 - 10**15, 10**99])
def test_rare_primes_strike_what_they_divide(forms, near, limit):
    primes = [q for q in primes_below(limit, 100) if q > 8192]
    base = base_that_is_struck(forms, primes[-1], near)
    q = np.array(primes, np.uint32)
    lanes = forms.lanes(MODULUS)
    gap = int(np.gcd.reduce(np.diff(lanes)))
    s, back = np.empty((len(forms.pairs), len(q)), np.uint32), np.empty(len(q), np.uint32)
    rows.open_rows(
        in_pieces(base), lanes[0], gap, MODULUS, turn_table(MODULUS), q, *coefficients(forms), s, back
    )
    at = lanes[0]
    for r, expected in zip(lanes, struck(forms, base, primes), strict=True):
        row = np.zeros(WORDS + SPARE_WORDS, np.uint64)
        rows.strike_row(row, np.uint32(BITS), (r - at) // gap, q, back, s)
        assert np.array_equal(bits_of(row), expected)
        at = r


def test_compiled_and_plain_move_on_alike():
    @far.njit
    def compiled(found, n, s, back, q, bits):
        return far.move_on(found, n, s, back, q, bits)

    draw = np.random.default_rng(0)
    for _ in range(20):
        q = draw.integers(2**31, 2**32, 160, dtype=np.uint32)
        s, back = ((draw.random(160) * q).astype(np.uint32) for _ in range(2))
        ours, plain = s.copy(), s.copy()
        found, expected = np.zeros((2, 200), np.uint32)
        n = compiled(found, 7, ours, back, q, np.uint32(2**30))
        with np.errstate(over="ignore"):
            assert n == far.move_on(expected, 7, plain, back, q, np.uint32(2**30))
        moved = (s.astype(int) - back) % q
        assert ours.tolist() == plain.tolist() == moved.tolist()
        assert found[7:n].tolist() == expected[7:n].tolist() == moved[moved < 2**30].tolist()
