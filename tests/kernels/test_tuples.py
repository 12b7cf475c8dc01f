"""The tuple sieve against published counts and sympy."""

import math

import gmpy2
import numpy as np
import pytest
from sympy import isprime

from sampler_bench.kernels import blocks, count_tuples, is_prime, tuples_in
from sampler_bench.kernels.forms import Forms
from sampler_bench.kernels.small_primes import primes_up_to

TWINS = ((1, 0), (1, 2))
TUPLES = {
    "primes": ((1, 0),),
    "twins": TWINS,
    "cousins": ((1, 0), (1, 4)),
    "sexy": ((1, 0), (1, 6)),
    "upper twins": ((1, -2), (1, 0)),
    "triplets": ((1, 0), (1, 2), (1, 6)),
    "Sophie Germain": ((1, 0), (2, 1)),
    "n and 8000 n + 1": ((1, 0), (8000, 1)),
    "7 n + 3 and 6 n + 1": ((7, 3), (6, 1)),
}


def by_sympy(forms, lo: int, hi: int) -> list[int]:
    return [n for n in range(lo, hi) if all(isprime(a * n + b) for a, b in forms)]


def test_pairs_below_powers_of_ten_equal_the_published_counts():
    # OEIS A007508
    published = [2, 8, 35, 205, 1224, 8169, 58980, 440312, 3424506, 27412679]
    counts = count_tuples(TWINS, [0, *(10**n for n in range(1, 11))])
    assert np.cumsum(counts).tolist() == published


def test_primes_below_powers_of_ten_equal_the_published_counts():
    published = [4, 25, 168, 1229, 9592, 78498, 664579, 5761455, 50847534]  # OEIS A006880
    counts = count_tuples(TUPLES["primes"], [0, *(10**n for n in range(1, 10))])
    assert np.cumsum(counts).tolist() == published


def test_a_window_at_a_trillion_holds_the_published_number_of_pairs():
    assert count_tuples(TWINS, [10**12, 10**12 + 10**9]).tolist() == [1_730_012]  # by primesieve 11.0


@pytest.mark.parametrize("forms", TUPLES.values(), ids=TUPLES)
@pytest.mark.parametrize("lo", [0, 1, 2, 3, 7, 29, 100, 5_000, 10**6 - 11, 10**9, 10**12 - 300])
def test_every_member_of_a_window_is_listed_and_counted(forms, lo):
    for width in (0, 1, 2, 3, 50, 900):
        expected = [n - lo for n in by_sympy(forms, lo, lo + width)]
        assert tuples_in(forms, lo, width).tolist() == expected
        assert count_tuples(forms, [lo, lo + width]).tolist() == [len(expected)]


@pytest.mark.parametrize("forms", [TWINS, TUPLES["triplets"], TUPLES["Sophie Germain"]])
@pytest.mark.parametrize("narrow", [0, 10**9])
def test_meeting_every_prime_and_testing_what_is_left_find_the_same(forms, narrow, monkeypatch):
    """Against the primality kernel, number by number; most primes strike a row once at most."""
    monkeypatch.setattr("sampler_bench.kernels.blocks.NARROW", narrow)
    lo, width = 10**12 + 7, 500_000
    n = np.arange(lo, lo + width)
    expected = np.flatnonzero(np.all([is_prime(a * n + b) for a, b in forms], axis=0))
    assert tuples_in(forms, lo, width).tolist() == expected.tolist()


@pytest.mark.parametrize("narrow", [0, 10])
def test_a_window_whose_sieving_primes_exceed_31_bits_holds_the_right_number_of_pairs(narrow, monkeypatch):
    monkeypatch.setattr("sampler_bench.kernels.blocks.NARROW", narrow)
    lo = 9_745_388_772_850_241_536
    assert count_tuples(TWINS, [lo, lo + 129_872]).tolist() == [106]  # by primesieve 11.0


def test_a_narrow_window_at_the_upper_end_holds_the_right_number_of_pairs():
    lo = 17 * 10**18
    bins = count_tuples(TWINS, range(lo, lo + 10**6 + 1, 10**5))
    assert bins.sum() == 667  # by primesieve 11.0
    assert bins.min() > 0


def test_the_last_values_that_can_be_sieved_are():
    lo = 2**64 - 10**10 - 400
    assert tuples_in(TWINS, lo, 390).tolist() == [n - lo for n in by_sympy(TWINS, lo, lo + 390)]


@pytest.mark.parametrize(
    "forms", [TWINS, TUPLES["triplets"], TUPLES["Sophie Germain"], TUPLES["upper twins"]]
)
@pytest.mark.parametrize(
    "start", [10**99 + 12_345_678_901, 7 * 10**30 + 1, 10**20 - 50_000], ids=[100, 31, 20]
)
def test_a_window_of_large_numbers_holds_what_gmpy2_finds(forms, start):
    length = 10**5
    expected = [i for i in range(length) if all(gmpy2.is_prime(a * (start + i) + b) for a, b in forms)]
    assert tuples_in(forms, start, length, threads=1).tolist() == expected
    assert tuples_in(forms, start, length, threads=2).tolist() == expected


def test_a_window_without_small_primes_to_sieve_by():
    assert tuples_in(TWINS, 12, 6).tolist() == [5]


def test_no_prime_beyond_32_bits_sieves():
    """They are held in as many: a window above 2^64 is sieved by fewer and tested, however wide."""
    tables = blocks.make_tables(Forms(TWINS), 10**13, math.isqrt(10**20))
    assert tables.tested
    assert tables.far[0] == tables.far[1] < 2**32
    for width in (10**9, 10**12):
        assert blocks.make_tables(Forms(TWINS), width, 10**500).far[1] < 2**32


def test_a_long_window_of_large_numbers_is_its_parts():
    """It is sieved by primes that are met otherwise than those of short windows."""
    start, length, part = 10**99, 6 * 10**6, 10**5
    parts = [tuples_in(TWINS, start + at, part) + at for at in range(0, length, part)]
    assert tuples_in(TWINS, start, length).tolist() == np.concatenate(parts).tolist()


def test_a_window_over_the_end_of_64_bits_holds_what_sympy_finds():
    for forms in (TWINS, TUPLES["Sophie Germain"]):
        lo = 2**64 // forms[-1][0] - 20_000
        assert tuples_in(forms, lo, 40_000).tolist() == [n - lo for n in by_sympy(forms, lo, lo + 40_000)]


def test_a_window_of_a_thousand_digits_holds_what_gmpy2_finds():
    start = 10**999 + 7 * 10**500
    expected = [i for i in range(1, 2000, 2) if gmpy2.is_prime(start + i, 25)]
    assert tuples_in(((1, 0),), start, 2000).tolist() == expected
    assert tuples_in(TWINS, start, 0).tolist() == []


def test_a_list_that_does_not_fit_into_memory_is_refused():
    with pytest.raises(ValueError, match=r"takes about \d+,\d+,\d+ GB, more than the \d+ GB of this machine"):
        tuples_in(((1, 0),), 10**17, 10**18)


def test_bins_threads_and_blocks_make_no_difference():
    edges = [0, 0, 1, 17, 4_000, 4_001, 10**6, 123_456_789, 5 * 10**8]
    members = tuples_in(TWINS, 0, edges[-1])
    expected = np.histogram(members, edges)[0].tolist()
    assert expected[0] == 0
    for threads in (1, 2, 3):
        assert count_tuples(TWINS, edges, threads=threads).tolist() == expected


@pytest.mark.parametrize("lo", [10**10, 10**12], ids=["no prime is far", "some are"])
def test_several_blocks_are_one_window(lo, monkeypatch):
    whole = count_tuples(TWINS, range(lo, lo + 10**8 + 1, 10**7))
    monkeypatch.setattr("sampler_bench.kernels.blocks.SEGMENTS_IN_A_BLOCK", 1)
    monkeypatch.setattr("sampler_bench.kernels.blocks.SEGMENT_WORDS", 96)
    monkeypatch.setattr("sampler_bench.kernels.blocks.far_width", lambda _: 10**6)
    monkeypatch.setattr("sampler_bench.kernels.blocks.FAR_CHUNK", 10**5)
    monkeypatch.setattr("sampler_bench.kernels.blocks.FAR_KEPT", 5 * 10**5)
    shares = []
    cut = count_tuples(TWINS, range(lo, lo + 10**8 + 1, 10**7), progress=shares.append)
    assert cut.tolist() == whole.tolist()
    assert len(shares) > 50
    assert shares == sorted(shares)
    assert shares[-1] == 1


@pytest.mark.parametrize("forms", TUPLES.values(), ids=TUPLES)
def test_small_values_sieved_in_an_interval_of_their_own_make_no_difference(forms, monkeypatch):
    expected = tuples_in(forms, 0, 10**6).tolist()
    monkeypatch.setattr("sampler_bench.kernels.tuples.TESTED", 20)
    assert tuples_in(forms, 0, 10**6).tolist() == expected
    edges = [0, 7, 1000, 30_000, 10**6]
    assert count_tuples(forms, edges).tolist() == np.histogram(expected, edges)[0].tolist()


@pytest.mark.parametrize(
    ("forms", "reason"),
    [
        (((1, 0), (1, 1)), "inadmissible: 2 always divides one"),
        (((1, 0), (1, 2), (1, 4)), "inadmissible: 3 always divides one"),
        ((), "at least one form"),
        (((2, 4),), r"2 n \+ 4 needs a from 1"),
        (((0, 1),), r"0 n \+ 1 needs"),
        (((1, 0), (1, 0)), "hold one twice"),
        (((1, 0), (1, 2.0)), r"coefficient 2\.0 is not an integer"),
    ],
)
def test_a_tuple_that_makes_no_sense_is_refused(forms, reason):
    with pytest.raises(ValueError, match=reason):
        count_tuples(forms, [0, 100])


@pytest.mark.parametrize(
    ("edges", "reason"),
    [
        ([5, 4], "edges must increase, but 4 follows 5"),
        ([5], "at least two"),
        ([-1, 4], "-1 is negative"),
        ([0, 1e3], r"1000\.0 is not an integer"),
        ([0, 2**64], r"exceed 2\*\*64 - 10\*\*10"),
    ],
)
def test_edges_that_make_no_sense_are_refused(edges, reason):
    with pytest.raises(ValueError, match=reason):
        count_tuples(TWINS, edges)


@pytest.mark.parametrize(("start", "length"), [(-1, 5), (0, -1), (0.5, 10), (10**100, 1e3)])
def test_a_window_that_makes_no_sense_is_refused(start, length):
    with pytest.raises(ValueError, match=r"negative|must increase|not an integer"):
        tuples_in(TWINS, start, length)


@pytest.mark.parametrize("limit", [0, 1, 2, 3, 4, 8, 9, 10, 24, 25, 26, 1000, 1023, 1024])
def test_small_primes_equal_sympys(limit):
    assert primes_up_to(limit).tolist() == [n for n in range(limit + 1) if isprime(n)]
