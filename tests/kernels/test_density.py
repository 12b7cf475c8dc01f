"""Hardy and Littlewood's estimate against published constants, mpmath's quadrature and counted tuples."""

import math

import mpmath
import pytest

from sampler_bench.kernels import count_tuples, expected_tuples
from sampler_bench.kernels.euler_product import singular_series

TWINS = ((1, 0), (1, 2))


@pytest.mark.parametrize(
    ("forms", "published"),
    [
        (((1, 0),), 1),
        # OEIS A114907, 2 C_2; A005597 is half of it.
        (TWINS, 1.320323631693739147855624220029111556865),
        (((1, 0), (2, 1)), 1.320323631693739147855624220029111556865),
        (((1, 0), (1, 6)), 2.640647263387478295711248440058223113730),
        (((1, 0), (1, 2), (1, 6)), 2.858248595719220432430134660726350613),  # OEIS A065418 * 9 / 2
        (((1, 0), (1, 2), (1, 6), (1, 8)), 4.151180863237404),  # OEIS A065419 * 27 / 2
    ],
)
def test_constants_are_the_published_ones(forms, published):
    constant = singular_series(forms)
    assert math.exp(constant.log) == pytest.approx(published, rel=1e-14)
    assert constant.error < 1e-14


def test_a_large_prime_that_joins_two_forms_counts():
    # 2 C_2 times (p - 1) / (p - 2) for each odd prime p that divides the difference.
    for difference, odd in ((2 * 4093, [4093]), (210, [3, 5, 7])):
        expected = 1.3203236316937391 * math.prod((p - 1) / (p - 2) for p in odd)
        assert math.exp(singular_series(((1, 0), (1, difference))).log) == pytest.approx(expected, rel=1e-14)
    # 8191 n + 8190 and 8190 n + 8191 are divided at once by 16381 where n = -1, and only there.
    pairs = ((8191, 8190), (8190, 8191))
    expected, odd = (
        mpmath.mpf(2),
        [p for p in range(3, 20000, 2) if all(p % d for d in range(3, math.isqrt(p) + 1, 2))],
    )
    for p in odd:
        roots = len({-b * pow(a, -1, p) % p for a, b in pairs if a % p})
        expected *= (1 - mpmath.mpf(roots) / p) / (1 - mpmath.mpf(1) / p) ** 2
    # What is left beyond 20000 is about exp(-1 / (20000 ln 20000)).
    assert math.exp(singular_series(pairs).log) == pytest.approx(float(expected), rel=1e-5)


@pytest.mark.parametrize(
    ("lo", "hi"),
    [(10**99, 10**100), (3 * 10**99, 4 * 10**99), (10**999, 10**1000), (2, 1000)],
)
def test_the_integral_equals_mpmaths(lo, hi):
    with mpmath.workdps(50):
        ends = [mpmath.log(lo), mpmath.log(hi)]
        steps = mpmath.linspace(*ends, 9)
        integral = mpmath.quad(lambda u: mpmath.exp(u) / (u * mpmath.log(mpmath.exp(u) + 2)), steps)
        expected = mpmath.log(integral) + singular_series(TWINS).log
    estimate = expected_tuples(TWINS, lo, hi)
    assert estimate.error < 1e-9
    assert abs(estimate.log - float(expected)) <= estimate.error


def test_a_window_narrow_beyond_float64_has_its_width_times_the_density():
    x = 10**200
    estimate = expected_tuples(TWINS, x, x + 10**8)
    density = 1.3203236316937391 / math.log(x) ** 2
    assert estimate.log == pytest.approx(math.log(10**8 * density), abs=1e-12)


@pytest.mark.parametrize(
    "forms", [((1, 0),), TWINS, ((1, 0), (2, 1)), ((1, 0), (1, 2), (1, 6)), ((7, 3), (6, 1))]
)
def test_the_estimate_is_near_the_count(forms):
    counted = int(count_tuples(forms, [10**8, 2 * 10**8])[0])
    estimate = math.exp(expected_tuples(forms, 10**8, 2 * 10**8).log)
    assert abs(estimate - counted) < 4 * math.sqrt(counted)


def test_an_empty_interval_is_expected_to_hold_nothing():
    assert expected_tuples(TWINS, 5, 5).log == -math.inf
    assert expected_tuples(((1, -8000),), 0, 8001).log == -math.inf


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match=r"0 <= lo <= hi"):
        expected_tuples(TWINS, 7, 5)
    with pytest.raises(ValueError, match="inadmissible: 3 always divides"):
        expected_tuples(((1, 0), (1, 2), (1, 4)), 7, 9)
