"""Numbers and forms on the command line: half-written, absurd, very long."""

import json
import os

import pytest
import sympy

from sampler_bench.integers import long_literals


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ("count primes -5 10", "-5 is negative: numbers are counted from 0 on"),
        ("count primes 0 1e", "'1e' is not an integer, such as 1000 or 1e3"),
        ("count primes 0 e5", "'e5' is not an integer"),
        ("count primes 0 1_", "'1_' is not an integer"),
        ("count primes _1 10", "'_1' is not an integer"),
        ("count primes 0 1__0", "'1__0' is not an integer"),
        ("count primes 0 1e-3", "'1e-3' is not an integer"),
        ("count primes 0 +5", "'+5' is not an integer"),
        ("count primes 0 \uff11\uff12", "is not an integer"),
        ("count primes 0 1e5000", "1e5000 is too large: 2^64 - 10^10 is the most that can be sieved"),
        (f"count primes 0 {'9' * 5000}", "9999999999...9999999999 (5000 digits) is too large"),
        ("count 0n+2,n 0 100", "'0n+2' is no form"),
        ("count n,n 0 100", "one form stands there twice"),
        ("count safe-prime 0 9", "did you mean safe-primes?"),
        ("count primes 0 100 --quite", "--quite"),
        ("table safe-primes --digits 3 --depth 2", "safe primes are 2n+1 at the n of sophie-germain-primes"),
        ("run even-6 --model oracle --numbers 1000000000000", "up to 1000000 are asked for"),
        ("run even-6 --model oracle --samples 1000000000000", "up to 1000000 are asked for"),
        (f"run even-6 --model sieve-{'7' * 5000}", "the number must be from 2 to 1000000"),
        ("run even-6 --model propose-and-check-0", "the number must be from 1 to 1000000"),
        ("draw even-6 -n 1000000000000", "Invalid value for '-n'"),
        ("draw even-100 -n 10000000", "up to 100000000 digits are drawn at once"),
        (f"check even-6 {'x' * 5000}", "is not a number in digits 0-9"),
        (f"truth even-6 --prefix {'1' * 5000}", "prefix '1111111111...1111111111 (5000 digits)'"),
    ],
)
def test_a_number_that_makes_no_sense_is_one_sentence(here, arguments, reason):
    done = here(*arguments.split())
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: ")
    assert reason in done.stderr
    assert len(done.stderr) < 400
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("arguments", [("tasks", ""), ("run", "", "--model", "oracle"), ("truth", "")])
def test_an_empty_name_is_unknown(here, arguments):
    done = here(*arguments)
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: unknown {'task' if arguments[0] == 'truth' else 'suite'} ''; ")
    assert done.stdout == ""


def test_a_count_takes_its_ends_as_people_write_them(here):
    for hi in ("1000", "1_000", "1e3", "1E3", "10e2"):
        assert here("count", "primes", "0", hi).stdout == "168\n"


def test_safe_primes_are_counted(here):
    safe = [p for p in sympy.primerange(5, 10**4) if sympy.isprime((p - 1) // 2)]
    for bound in (10, 100, 1000, 10**4):
        assert int(here("count", "safe-primes", 0, bound).stdout) == sum(p < bound for p in safe)
    assert here("count", "safe-primes", 5, 7).stdout == "1\n"
    assert here("count", "safe-primes", 7, 5).returncode == 2


def test_no_more_threads_work_than_there_are_cores(cli):
    done = cli("count", "twin-primes", 0, "1e6", "--threads", 100_000)
    cores = len(os.sched_getaffinity(0))
    assert done.stdout == "8169\n"  # OEIS A007508
    assert f"--threads 100000: there are {cores} cores, so {cores} threads work" in done.stderr


@pytest.mark.parametrize(
    ("task", "number", "reason"),
    [
        ("even-6", "123457", "divided by 2 it leaves 1, not 0"),
        ("even-6", "12345", "it has 5 digits; members have 6"),
        ("twin-primes-3", "091", "it begins with 0, as no member does"),
        ("twin-primes-3", "119", "119 is no prime: it is 7 * 17"),
        ("odd-not-5-12", "135791357913", "after 13 no member goes on with 5"),
        (
            "twin-primes-100",
            "1" + "0" * 99,
            "1000000000...0000000000 (100 digits) is no prime: it is 2^99 * 5^99",
        ),
    ],
)
def test_check_says_why_a_number_is_no_member(here, task, number, reason):
    done = here("check", task, number)
    first, second = done.stdout.splitlines()
    assert (done.returncode, done.stderr) == (1, "")
    assert first.startswith(f"{number} is no member: ")
    assert second == f"why: {reason}"


def test_truth_draw_and_check_know_numbers_of_five_thousand_digits(cli, tmp_path):
    (tmp_path / "wide.toml").write_text(
        f'title = "t"\nversion = 1\nphrase = "p"\n[target]\nfamily = "range"\nlow = 3\nhigh = 1{"0" * 5000}\n'
    )
    number = cli("draw", "wide", "--tasks", ".", "--seed", 1).stdout.strip()
    assert len(number) > 4980
    assert cli("check", "wide", number, "--tasks", ".").returncode == 0
    assert cli("check", "wide", "1" + "0" * 4999 + "1", "--tasks", ".").returncode == 1
    answer = json.loads(cli("truth", "wide", "--prefix", "10", "--tasks", ".", "--json").stdout)
    ones = sum(10**free for free in range(4999)) + 1  # 10..., of up to 5000 digits, and 10^5000
    with long_literals():
        assert answer["count"] == str(ones)
    assert answer["method"] == "exact"
