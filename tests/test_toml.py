"""Reading TOML files that anybody may have written."""

import os
import sys

import pytest

from sampler_bench.errors import InputError
from sampler_bench.tasks import Catalog, load_task
from sampler_bench.toml import read_toml

TARGET = '[target]\nfamily = "multiples"\ndigits = 3\nmodulus = 7\n'
TASK = f'title = "t"\nversion = 1\nphrase = "p"\n{TARGET}'


@pytest.fixture
def file(tmp_path):
    return tmp_path / "odd.toml"


def test_a_byte_order_mark_is_skipped(file):
    file.write_text(TASK, encoding="utf-8-sig")
    assert load_task("odd", [file.parent]).target.contains("700")


def test_a_number_of_five_thousand_digits_is_read(file):
    file.write_text("n = " + "3" * 5000)
    assert read_toml(file) == {"n": (10**5000 - 1) // 3}
    assert sys.get_int_max_str_digits() == 4300


def folder(path):
    path.mkdir()


def pipe(path):
    os.mkfifo(path)


def device(path):
    path.symlink_to("/dev/zero")


def link_to_nowhere(path):
    path.symlink_to("/nowhere")


@pytest.mark.parametrize("make", [folder, pipe, device, link_to_nowhere])
@pytest.mark.timeout(20)  # a pipe would be waited for, a device read for ever
def test_what_is_no_file_is_refused(file, make):
    make(file)
    with pytest.raises(InputError, match=r"odd\.toml is not a file"):
        load_task("odd", [file.parent])


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (TASK.encode() + b"#" * 2**20, "has more than 1048576 bytes"),
        (TASK.encode("utf-16"), "is not text in UTF-8"),
        (TASK.encode() + b"# \xff", "is not text in UTF-8"),
        (TASK.encode() + b"\0", "odd.toml: "),
        (b"n = " + b"7" * 200_000, "a number has more than 100000 digits"),
        (b"x = " + b"[" * 100_000, "brackets stand too deep"),
        (b"x = " + b"{a=" * 100_000, "brackets stand too deep"),
        (b"x = " + b"[" * 50 + b"]" * 50, "lists and tables stand more than 16 deep"),
        (b".".join([b"a"] * 100_000) + b" = 1", "line 1: more than 1000 dots"),
        (b"\n[" + b".".join([b"a"] * 900) + b"]", "lists and tables stand more than 16 deep"),
    ],
)
@pytest.mark.timeout(60)
def test_what_is_too_large_too_deep_or_no_text_is_refused(file, content, reason):
    file.write_bytes(content)
    with pytest.raises(InputError, match=reason) as caught:
        load_task("odd", [file.parent])
    assert len(str(caught.value)) < 400 + len(str(file))


TARGETS = [
    ("family = []", "family = [] is not known"),
    ("family = {a = 1}", "family = {'a': 1} is not known"),
    ("family = 1" + "0" * 5000, "family = 1000000000...0000000000 (5001 digits) is not known"),
    ("family = [1" + "0" * 5000 + "]", "family = [1000000000"),
    ("family = {a = [1, 2]}", "family = {'a': [1, 2]} is not known"),
    ("digits = 3", "family = None is not known"),
    ('family = "multiples"\ndigits = 2020-01-01\nmodulus = 7', "digits = datetime.date"),
    ('family = "multiples"\ndigits = inf\nmodulus = 7', "digits = inf"),
    ('family = "multiples"\ndigits = nan\nmodulus = 7', "digits = nan"),
    ('family = "multiples"\ndigits = true\nmodulus = 7', "digits = True"),
    ('family = "multiples"\ndigits = 3.0\nmodulus = 7', "digits = 3.0"),
    ('family = "multiples"\ndigits = 100000000\nmodulus = 7', "up to 100000 digits"),
    ('family = "multiples"\ndigits = 3\nmodulus = 1' + "0" * 5000, "is empty"),
    ('family = "digit-sums"\ndigits = 10\nmodulus = 1000000000', "an automaton of more than 100000 states"),
    ('family = "digit-sums"\ndigits = 1000\nmodulus = 6000', "an automaton of more than 5000 states"),
    ('family = "digit-sums"\ndigits = 4\nsum = 1000000000000', "digits sum to 36 at most"),
    ('family = "digit-sums"\ndigits = 4\nsum = -1', "is empty"),
    ('family = "monty-hall"\ndoors = 1' + "0" * 5000, "from 3 to 999"),
    ('family = "sieved"\ndigits = 7\nforms = "primes"\ny = 1' + "0" * 5000, "from 2, the first prime"),
    ('family = "sieved"\ndigits = 7\nforms = "primes"\ny = 7\nshifts = [0,1,2,3,4,5,6]', "1 to 6 different"),
    ('family = "sieved"\ndigits = 7\nforms = "primes"\ny = 7\nshifts = [0, 1000000]', "from 0 to 10000"),
    ('family = "prime-range"\nlow = 0\nhigh = 1' + "0" * 5000, "primes are listed up to 100000000"),
    (
        'family = "palindromes"\ndigits = 3\n' + "k" * 5000 + " = 1",
        "unknown key 'kkkkkkkkkk...kkkkkkkkkk (5000",
    ),
    (
        'family = "mixture"\nweights = [1e308, 1e308]\nnormalise = true\n'
        'components = [{family = "palindromes", digits = 3}, {family = "palindromes", digits = 4}]',
        "with a finite sum",
    ),
    (
        'family = "mixture"\nnormalise = true\nweights = [' + "1.0,\n" * 120 + "]\n"
        "components = [" + '{family = "palindromes", digits = 3},\n' * 120 + "]",
        "121 targets in one another: up to 100",
    ),
    (
        "family = 'mixture'\nweights = [1]\ncomponents = ["
        + "{family = 'mixture', weights = [1], components = [" * 20
        + "{family = 'palindromes', digits = 3}"
        + "]}" * 20
        + "]",
        "stand more than 16 deep",
    ),
]


@pytest.mark.parametrize(("target", "reason"), TARGETS, ids=range(len(TARGETS)))
@pytest.mark.timeout(60)
def test_a_target_that_makes_no_sense_or_costs_too_much_is_refused_in_a_short_sentence(file, target, reason):
    file.write_text(f'title = "t"\nversion = 1\nphrase = "p"\n[target]\n{target}\n')
    with pytest.raises(InputError) as caught:
        load_task("odd", [file.parent])
    assert reason in str(caught.value)
    assert len(str(caught.value)) < 500 + len(str(file))


def test_a_task_with_a_long_number_has_the_target_and_a_fingerprint(file):
    file.write_text(
        f'title = "t"\nversion = 1\nphrase = "p"\n[target]\nfamily = "range"\nlow = 1\nhigh = 1{"0" * 5000}\n'
    )
    task = load_task("odd", [file.parent])
    assert task.target.count("") == 10**5000
    assert len(task.fingerprint) == 16
    assert task.model_dump(mode="json")["target_definition"]["high"] == {"integer": "1" + "0" * 5000}


@pytest.mark.parametrize(
    ("suite", "reason"),
    [
        (
            'tasks = ["even-6", "even-100", "even-6"]\nnumbers = 1\nsamples = 1',
            "'even-6' stands there 2 times",
        ),
        ('tasks = ["evn-6"]\nnumbers = 1\nsamples = 1', "unknown task 'evn-6'; did you mean 'even-6'"),
        ('tasks = ["even-6"]\nnumbers = 1000000000000\nsamples = 1', "numbers = 1000000000000"),
        ('tasks = ["even-6"]\nnumbers = 1\nsamples = 1000000000000', "samples = 1000000000000"),
        ("tasks = []\nnumbers = 1\nsamples = 1", "tasks = []"),
    ],
)
def test_a_suite_that_makes_no_sense_is_named(tmp_path, suite, reason):
    (tmp_path / "suites").mkdir()
    (tmp_path / "suites" / "odd.toml").write_text(f'title = "t"\n{suite}\n')
    with pytest.raises(InputError) as caught:
        Catalog([tmp_path]).suite("odd")
    assert str(caught.value).startswith(str(tmp_path / "suites" / "odd.toml"))
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("tokens = 16", "tokens = 1000000000000", "tokens = 1000000000000"),
        (r"answer = '(\d+)'", r"answer = '(\d)\1'", "references back are among that"),
        (r"answer = '(\d+)'", r"answer = '(\d*)'", "numbers without digits"),
    ],
)
def test_an_arm_that_asks_too_much_is_named(tmp_path, old, new, reason):
    (tmp_path / "arms").mkdir()
    shipped = Catalog()._files("arm")["direct"].read_text()
    assert old in shipped
    (tmp_path / "arms" / "odd.toml").write_text(shipped.replace(old, new))
    with pytest.raises(InputError, match=reason):
        Catalog([tmp_path]).arm("odd")


def test_a_long_number_where_a_short_one_belongs_is_shown(file):
    file.write_text(TASK.replace("version = 1", "version = 1" + "0" * 5000))
    with pytest.raises(InputError, match=r"version = 1000000000\.\.\.0000000000 \(5001 digits\): "):
        load_task("odd", [file.parent])


def test_a_blank_phrase_is_refused(file):
    file.write_text(TASK.replace('"p"', '" "'))
    with pytest.raises(InputError, match="phrase = ' ': is blank"):
        load_task("odd", [file.parent])


def test_braces_in_a_phrase_stand_as_they_are_written(file):
    from sampler_bench.models.model import Prompt

    file.write_text(TASK.replace('"p"', '"set {1, 2} of {answers}"'))
    arm = Catalog().arm("batch")
    shown = str(Prompt(load_task("odd", [file.parent]), arm, arm.paraphrases[0]).messages)
    assert "set {1, 2} of {answers}" in shown
    assert shown.count("{answers}") == 1
