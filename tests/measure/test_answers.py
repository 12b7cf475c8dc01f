"""The rules by which shipped arms find the number in a response."""

import pytest

from sampler_bench.measure.answers import parse_answer
from sampler_bench.tasks import Catalog


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("649", "649"),
        (" 649.\n650", "649"),
        ("Sure! 649 it is", "649"),
        ("1,234", "1"),  # digits as written: a comma ends the number
        ("No number", None),
        ("", None),
        ("٣٤٥", None),  # digits of other scripts are not understood
    ],
)
def test_direct_takes_the_first_run_of_digits(text, answer):
    assert parse_answer(text, Catalog().arm("direct")) == answer


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("I propose 58, no. I propose 63.\nAnswer: 63", "63"),
        ("Answer: 12\nNo, wait.\n**Answer:** 14.", "14"),
        ("the answer is 12", None),  # a word stands between
        ("ANSWER = 7", "7"),
        ("I propose 58", None),
    ],
)
def test_cot_takes_the_number_after_the_last_answer(text, answer):
    assert parse_answer(text, Catalog().arm("cot")) == answer
