"""Patterns against ``re.fullmatch``, number by number, and against closed forms where numbers are long."""

import re

import pytest

from sampler_bench.errors import InputError
from sampler_bench.targets import Pattern
from sampler_bench.targets.counting.automaton import MAX_CELLS
from sampler_bench.targets.registry import make_target
from tests.fuzz import patterns
from tests.fuzz.patterns import check_patterns, differences, random_patterns


@pytest.mark.parametrize("seed", range(5))
def test_random_patterns_are_right_or_refused(seed):
    figures = check_patterns(seed, trials=1000)
    assert figures["wrong"] == []
    assert figures["refused"] < 100
    assert figures["empty"] < 500


def test_a_compiler_that_takes_one_look_for_another_would_be_noticed(monkeypatch):
    monkeypatch.setattr(
        patterns, "Pattern", lambda digits, pattern: Pattern(digits, pattern.replace("(?<!", "(?<="))
    )
    assert len(check_patterns(seed=17, trials=100)["wrong"]) > 2


def test_random_patterns_are_the_same_for_the_same_seed_and_hold_every_construct():
    written = list(random_patterns(seed=17, trials=2000))
    assert written == list(random_patterns(seed=17, trials=2000))
    for construct in [
        "(?=",
        "(?!",
        "(?<=",
        "(?<!",
        "(?P<",
        "(?#",
        r"\b",
        r"\B",
        "{2,}?",
        "[^",
        r"\1",
        "(?>",
        "(?i:",
    ]:
        assert any(construct in pattern for pattern in written), construct


@pytest.mark.parametrize(
    ("digits", "pattern", "size"),
    [
        (3, r"\d*(?!\d\d)[531]|[293]1", 270),
        (4, "((?!.*00)[0-9]{2})[0-9]{2}", 8829),
        (4, "(?:(?=[0-9]*7)[0-9]){4}", 900),
        (4, "[0-9]{4}(?![0-9])", 9000),
        (4, r"(?#c)\d{4}", 9000),
        (3, "[0-9]+", 900),  # what else it matches makes no difference
        (3, "[0-9]{100}|[0-9]{2,5}|x", 900),
        (1, "[0-9]?", 9),
    ],
)
def test_the_size_is_that_counted_by_hand(digits, pattern, size):
    assert Pattern(digits, pattern).count("") == size


@pytest.mark.parametrize(
    "pattern",
    [
        r"(?<=(?=12)1)2|..(?<=(?<!3.)(?=.4).)..",  # a look-ahead in a look-behind sees beyond it
        r"(?:.(?<=^1.)|.(?<!^..))*",  # the start, seen from behind
        r"(?:(?=.*7)|.){2,3}.*",  # repetitions that consume nothing count
        r"(?:(?=1)|1){3}.*",
        r"(?:(?=(?:(?!.*3).)*$)|2){2}.+",
        r"(?:(?:|(?<=1)|(?<=2).){2}.){1,2}",
        r"(?!(?!(?!1)))..(?<!(?<!(?<!2)3)4).*",
        r"\b.\B.*\b|\B.*",
        r".(?:$|^|\B.)+.*\Z",
        r"(?x) [1 2] \  # not there" "\n" r"| \d+ (?= [13579] $) .",
        r"(?ims).(?-i:.)(?i:[^a]).?",
        "[[1]-2]+|[0-9--1]+|.*",
        r"\N{DIGIT ONE}\x32[\063-\065]\u0036|[²0-8٣]*",
        r"(?=(?:..)*$)(?=(?:...)*.$).*",
        r".*(?!).*|(?!)?1.*",
        r"(?:){3}.(?:a|){1000}..?",
        r"(?:(?:(?:1?){2}){3})*2*",
        r"(?:.??.*?){2,}?5",
    ],
)
@pytest.mark.parametrize("digits", [1, 2, 3, 4])
def test_odd_patterns_count_what_re_matches(digits, pattern):
    assert differences(pattern, digits) in ("", "empty")


def without(runs: int, digits: int) -> int:
    """How many numbers hold no ``runs`` zeros in a row: by what they may end in, 0 to runs - 1 zeros."""
    ends = [9] + [0] * (runs - 1)
    for _ in range(digits - 1):
        ends = [9 * sum(ends), *ends[:-1]]
    return sum(ends)


LONG = {
    "(?:(?!00)[0-9])*": lambda n: without(2, n),
    "(?:[0-9](?<!000))*": lambda n: without(3, n),
    "(?!.*0000).*": lambda n: without(4, n),
    # Inclusion and exclusion; a number without k of the digits 1..9 has 9 - k first digits.
    "(?=.*7).*": lambda n: 9 * 10 ** (n - 1) - 8 * 9 ** (n - 1),
    "(?=.*7)(?!.*3).*": lambda n: 8 * 9 ** (n - 1) - 7 * 8 ** (n - 1),
    "(?=.*7)(?=.*3).*": lambda n: 9 * 10 ** (n - 1) - 16 * 9 ** (n - 1) + 7 * 8 ** (n - 1),
    r"(?:\d(?<!00|11|22|33|44)(?<!55|66|77|88|99))*": lambda n: 9**n,
    r"(?:(?:(?<=\A)|(?<=[02468])(?=[13579])|(?<=[13579])(?=[02468])).)*": lambda n: 9 * 5 ** (n - 1),
    "(?=(?:.{5})*$)(?:11|[2-4](?=5).)*": lambda n: 4 ** (n // 2),
}


@pytest.mark.parametrize("digits", [50, 100, 1000])
@pytest.mark.parametrize("pattern", LONG)
def test_long_numbers_equal_a_recurrence_or_a_closed_form(pattern, digits):
    assert Pattern(digits, pattern).count("") == LONG[pattern](digits)


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("(", "cannot be compiled: missing ), unterminated subpattern at position 0"),
        ("a{2,1}", "min repeat greater than max repeat"),
        ("[9-0]", "bad character range"),
        ("(?<=1+)2", "look-behind requires fixed-width pattern"),
        ("1{99999999999}", "repetition number is too large"),
        ("(?L)1", "cannot be compiled"),
        ("(?au)1", "cannot be compiled"),
        (r"(1)\1[0-9]", "a backreference cannot be counted"),
        ("(?P<n>1)(?P=n)[0-9]", "a backreference cannot be counted"),
        ("(1)?(?(1)2|3).", "a conditional group cannot be counted"),
        ("(?>1*)2", "an atomic group cannot be counted"),
        ("1*+2", "a possessive quantifier cannot be counted"),
        ("(?=(?!1++)).", "a possessive quantifier cannot be counted"),
        ("7(?!38)", "is empty: no 3-digit number fits"),
        ("0[0-9][0-9]", "is empty: no 3-digit number fits"),
        ("[0-9]{100000}", "is empty: no 3-digit number fits"),
        ("(?<=[0-9]{100000}).*", "is empty: no 3-digit number fits"),
        ("(" * 200 + "1" + ")" * 200, "brackets stand in one another more than 100 deep"),
        ("(" * 3000 + "1" + ")" * 3000, "brackets stand in one another too deep"),
        ("1" * 100_001, "it has 100001 characters, but 100000 are the most"),
    ],
)
def test_what_cannot_be_counted_is_refused_in_a_short_sentence(pattern, reason):
    with pytest.raises(InputError, match=re.escape(reason)) as refusal:
        make_target({"family": "pattern", "digits": 3, "pattern": pattern})
    assert len(str(refusal.value)) < 250
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("bracket", ["(?:", "(?=", "(?!", "(?:1?|2", "(?:.(?<="])
def test_brackets_nearly_a_hundred_deep_are_counted_or_refused(bracket):
    depth = 96 // bracket.count("(")
    for repeat in ["", "*", "{2,3}"]:
        pattern = bracket * depth + "1" + (")" * bracket.count("(") + repeat) * depth + ".*"
        try:
            re.compile(pattern)
            target = Pattern(2, pattern)
        except (re.error, InputError):
            continue
        assert target.count("1") > 0


@pytest.mark.parametrize(
    ("digits", "pattern", "reason"),
    [
        (1000, "[01]*1[01]{14}", f"an automaton of more than {MAX_CELLS // 1000} states for 1000 digits"),
        (40, "[01]*1[01]{20}", "an automaton of more than 50000 states for 40 digits"),
        (100, "(?:(?:(?=.{20}1)|(?=.{15}2)|(?!.{25}3)).)*", "steps are needed to make an automaton of it"),
    ],
)
def test_an_automaton_that_would_be_too_large_is_given_up_in_time(digits, pattern, reason):
    with pytest.raises(InputError, match=reason):
        Pattern(digits, pattern)


def test_a_pattern_of_several_lines_is_named_in_one():
    assert str(Pattern(2, "(?x) 1\n .")) == r"2-digit numbers that match (?x) 1\n ."


def test_fifteen_digits_can_be_remembered():
    assert Pattern(16, "[01]*1[01]{14}").count("") == 2**14


def test_repetitions_far_beyond_the_digits_cost_nothing():
    assert Pattern(50, "(?:(?:[0-9]{0,100000}){100000}){100000}").count("") == 9 * 10**49
    assert Pattern(50, "(?:(?:[0-9]{0,100000}(?=[0-9]|$)){100000})*").count("") == 9 * 10**49
    assert Pattern(50, "(?:1|(?=2)|2|(?=1)){1000}1").count("") == 2**49
