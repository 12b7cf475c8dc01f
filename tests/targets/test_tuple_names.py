"""Names and forms of tuples as they are written: understood whole, or refused."""

import pytest
from sympy import isprime

from sampler_bench.errors import InputError
from sampler_bench.targets.counting.tuple_names import MOST_FORMS, parse_progression, parse_tuple, tuple_name


@pytest.mark.parametrize(
    ("text", "forms"),
    [
        ("n", ((1, 0),)),
        ("1n", ((1, 0),)),
        ("n+0", ((1, 0),)),
        (" n , 2 n + 1 ", ((1, 0), (2, 1))),
        ("10n-3,n+12", ((10, -3), (1, 12))),
    ],
)
def test_forms_are_read(text, forms):
    assert parse_tuple(text) == forms


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            " ",
            ",",
            "n,",
            ",n",
            "n,,n+2",
            "n+",
            "n-",
            "+n",
            "-n",
            "nn",
            "n n",
            "n+n",
            "n2",
            "2",
            "0",
            "5",
        ),
        *("0n", "0n+2,n", "00n", "01n", "n+02", "n+-2", "n++2", "n+2+4", "n+1 2", "1 0n", "n+2;n", "n.n+2"),
        *(
            "2.5n",
            "n+1e3",
            "n+1_0",
            "١n",
            "n+２",
            "N",
            "n\n",
            "n\t,n+2",
            "twin-primes,n",
            "primes ",
            "Primes",
        ),
        *("n,n", "n,1n", "n+2,n,n+2", "2n", "2n+2", "n,6n+3", "safe-primes", "n+10000", "n+" + "9" * 5000),
        ",".join(f"n+{k}" for k in range(MOST_FORMS + 1)),
        ",".join(["n"] * 10_000),
    ],
)
def test_what_is_half_written_double_or_never_prime_is_refused(text):
    with pytest.raises(InputError) as caught:
        parse_tuple(text)
    assert len(str(caught.value)) < 300


def test_the_longest_name_still_names_a_file():
    forms = tuple((8191, -8000 - k) for k in range(MOST_FORMS))
    name = tuple_name(forms)
    assert parse_tuple(name) == forms
    assert len(f".{name}-18-7.parquet.lock") <= 255


@pytest.mark.parametrize(("lo", "hi"), [(0, 100), (5, 6), (6, 11), (11, 12), (0, 3), (7, 7), (990, 1290)])
def test_safe_primes_are_at_the_places_of_their_n(lo, hi):
    safe = parse_progression("safe-primes")
    start, end = safe.places(lo, hi)
    found = [2 * n + 1 for n in range(start, end) if isprime(n) and isprime(2 * n + 1)]
    assert found == [p for p in range(lo, hi) if isprime(p) and p > 2 and isprime((p - 1) // 2)]
    assert parse_progression("twin-primes").places(lo, hi) == (lo, hi)
