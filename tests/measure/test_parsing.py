"""The rules by which shipped arms find the number in a response."""

import pytest

from sampler_bench.measure.parsing import parse_answers, text_before_answer
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
    assert parse_answers(text, Catalog().arm("direct")) == [answer]


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
    assert parse_answers(text, Catalog().arm("cot")) == [answer]


def test_a_batch_has_as_many_answers_as_were_asked_for_and_none_for_those_missing():
    arm = Catalog().arm("batch")
    assert parse_answers("58\n 31 \nand\n90", arm) == ["58", "31", "90", *[None] * 5]
    assert parse_answers("\n".join("123456789"), arm) == list("12345678")


@pytest.mark.parametrize(
    ("arm", "text", "before"),
    [
        ("cot", "I propose 58.\nAnswer: 63.", "I propose 58.\nAnswer: "),
        ("cot", "I propose 58.", None),
        ("batch", "58\n31\n", "58\n"),
        ("direct", "It is 58", "It is "),
    ],
)
def test_a_trace_ends_where_the_number_that_counts_begins(arm, text, before):
    assert text_before_answer(text, Catalog().arm(arm)) == before


def test_what_a_rule_captures_is_a_number_only_if_it_is_digits_alone():
    arm = Catalog().arm("direct").model_copy(update={"answer": r"= ?([-+]?[0-9.]+)"})
    assert [parse_answers(text, arm) for text in ("= 58", "= -58", "=5.8")] == [["58"], [None], [None]]
    assert text_before_answer("x = -58", arm) is None
