"""Answer rules: what ``re`` finds, found in time linear in the text."""

import random
import re
from itertools import islice
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from sampler_bench.measure.parsing import parse_answers, text_before_answer
from sampler_bench.rules import MOST_TEXT, compile_rule, find_numbers
from sampler_bench.tasks import Catalog

RULES = sorted({Catalog().arm(name).answer for name in Catalog().arm_names()})
DIGITS = re.compile("[0-9]+")
PUBLISHED = Path(__file__).parents[2] / "results" / "published"
PIECES = [
    *"0123456789  \n\n\t\r\v\f,.:*aAnNsSwWeErRx-",
    *"\u0130\u017f\u212a\u0663\u20ac\U0001f600\ud800\x00\xa0\u2028\u0085é",
    *("answer", "Answer: ", "ANSWER", " 12\n", "\n\n", "7\n8"),
]
# No empty match: re goes on from one by a character, RE2 too, but tries other ways at the same place.
PARTS = [
    r"\d",
    r"\s",
    r"\S",
    r"\w",
    r"\W",
    ".",
    "a",
    "[0-9]",
    r"[\s.]",
    r"[^\S5]",
    r"[]a\]]",
    r"\.",
    r"\$",
    "[$]",
]
TIMES = ["", "", "", "*", "+", "?", "{2}", "{1,3}", "{,2}", "*?", "+?"]


def by_re(rule: str, text: str) -> list[tuple[int, int]]:
    """Spans of the group; (-1, -1) where it is not digits alone."""
    return [
        match.span(1) if DIGITS.fullmatch(match[1] or "") else (-1, -1)
        for match in re.finditer(rule, text, re.ASCII)
    ]


def spans(rule: str, text: str) -> list[tuple[int, int]]:
    return [(-1, -1) if span is None else tuple(span) for span in find_numbers(rule, text)]


def random_text(rng: random.Random) -> str:
    return "".join(rng.choice(PIECES) for _ in range(rng.randrange(30)))


@pytest.mark.parametrize("rule", RULES)
def test_shipped_rules_find_what_re_finds_in_five_thousand_random_texts(rule):
    rng = random.Random(1)
    for _ in range(5000):
        text = random_text(rng)
        assert spans(rule, text) == by_re(rule, text), (rule, text)


@pytest.mark.parametrize("rule", RULES)
def test_shipped_rules_find_what_re_finds_in_all_published_responses(rule):
    texts = {
        text
        for path in PUBLISHED.glob("*/samples.parquet")
        for text in pq.read_table(path, columns=["text"])["text"].to_pylist()
    }
    assert len(texts) > 1000
    for text in texts:
        assert spans(rule, text) == by_re(rule, text), (rule, text)


def test_three_thousand_random_rules_find_what_re_finds():
    rng, tried = random.Random(2), 0
    while tried < 3000:
        before, within, after = (
            "".join(rng.choice(PARTS) + rng.choice(TIMES) for _ in range(rng.randrange(3))) for _ in range(3)
        )
        rule = rng.choice(["", "(?m)", "(?i)", "(?s)"]) + rng.choice(["", "^", r"\b"]) + before
        rule += rf"({within}\d+)" + after + rng.choice(["", "$", r"\Z", r"\b"])
        tried += 1
        for _ in range(5):
            text = random_text(rng)
            assert spans(rule, text) == by_re(rule, text), (rule, text)


@pytest.mark.parametrize(
    ("rule", "text", "found"),
    [
        (r"((?:\d+)+)x", "1" * 40, []),
        (r"((?:\d+)+)x", "1" * 40 + "x", ["1" * 40]),
        (r"((?:\d|\d\d)+)!", "7" * 100_000, []),
        (r"(?:\s*)*(\d+)(?:\s*)*$", "\n" * 150_000 + "x", []),
        (r"(?m)^\s*(\d+)\s*$", "\n" * 199_999 + "x", []),
        (r"(?m)^\s*(\d+)\s*$", "\n" * 199_998 + "12", ["12"]),
        (r"(?m)^\s*(\d+)\s*$", "\n" * 1_000_000, []),
        (r"(?i)answer\W*(\d+)", ("answer" + " " * 994) * 1000, []),
    ],
)
@pytest.mark.timeout(60)  # re would take from minutes to the age of the universe
def test_long_texts_are_done_with(rule, text, found):
    assert [text[span.start : span.end] for span in find_numbers(rule, text)] == found


def test_no_more_than_the_bound_of_a_text_is_looked_at():
    text = "x" * (MOST_TEXT - 1) + "123"
    assert [text[span.start : span.end] for span in find_numbers(r"(\d+)", text)] == ["1"]


def test_the_first_of_many_numbers_is_found_without_the_others():
    arm = Catalog().arm("direct")
    assert parse_answers("1 " * 100_000, arm) == ["1"]
    assert len(list(islice(find_numbers(arm.answer, "1 " * 100_000), 3))) == 3


@pytest.mark.parametrize("before", ["é", "\U0001f600", "\ud800", "\udfff\ud800", "\u017f\u212a", "\x00"])
def test_places_are_those_of_characters_whatever_stands_before(before):
    text = f"{before}Answer: {before}\n42{before}"
    arm = Catalog().arm("cot").model_copy(update={"answer": r"(\d+)"})
    assert parse_answers(text, arm) == ["42"]
    assert text_before_answer(text, arm) == text[: text.index("42")]


def test_a_long_s_is_no_s_and_other_digits_are_none():
    assert spans(r"(?i)answer\W*(\d+)", "an\u017fwer 5") == []
    assert spans(r"(\d+)", "\u0663\u0664") == []


def test_a_match_without_the_group_is_an_answer_that_is_missing():
    arm = Catalog().arm("direct").model_copy(update={"answer": r"none|(\d)"})
    assert parse_answers("none 5", arm) == [None]
    assert text_before_answer("none 5", arm) is None


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        (r"(\d)\1", "cannot do: invalid escape sequence"),
        (r"(?=a)(\d)", "cannot do: invalid perl operator"),
        (r"(?<=a)(\d)", "cannot do: invalid perl operator"),
        (r"(\d++)", "cannot do: bad repetition"),
        (r"(?P<a>\d)(?P=a)", "cannot do"),
        (r"(\d{2000})", "cannot do: invalid repetition size"),
        (r"(?m:^)(\d)", "write it at the very beginning"),
        (r"(\d*)", "matches where there is nothing"),
        (r"(\d+", "is not a regular expression"),
        (r"([[:digit:]])", "is not a regular expression"),
        ("(\\d)" + "x" * 1000, "is longer than 1000 characters"),
        ("(" * 400 + r"\d" + ")" * 400, "needs exactly one"),
        (r"\d", "has 0"),
        ("(\ud800)", "cannot do"),
    ],
)
def test_a_rule_that_cannot_be_kept_to_is_refused(rule, reason):
    with pytest.raises(ValueError, match=re.escape(reason)):
        compile_rule(rule)
