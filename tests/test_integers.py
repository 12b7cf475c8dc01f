"""Numbers beyond Python's own limit of 4300 digits as text."""

import sys

import pytest

from sampler_bench.integers import long_literals, power_of_ten, shown, to_int, to_text

THREES = "3" * 9999


def test_ten_thousand_digits_go_to_a_number_and_back():
    number = (10**9999 - 1) // 3
    assert to_int(THREES) == number
    assert to_text(number) == THREES
    assert to_text(-number) == "-" + THREES
    assert power_of_ten(5000) == 10**5000


@pytest.mark.parametrize("number", [0, 7, -12, 10**39, 12345678901234567890])
def test_a_short_number_is_shown_whole(number):
    assert shown(number) == str(number)


def test_a_long_number_is_shown_by_its_ends_and_its_length():
    assert shown(10**9999 + 5) == "1000000000...0000000005 (10000 digits)"
    assert shown("x" * 100) == "xxxxxxxxxx...xxxxxxxxxx (100 characters)"


def test_pythons_limit_is_what_it_was_after_long_literals():
    before = sys.get_int_max_str_digits()
    with long_literals():
        assert int(THREES) == to_int(THREES)
    with pytest.raises(KeyError), long_literals():
        raise KeyError
    assert sys.get_int_max_str_digits() == before
