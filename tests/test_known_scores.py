"""Rows whose scores are known: the sieve ladder, propose and check, and what follows from them."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom
from sympy import isprime, primerange

from sampler_bench import load_task, run
from sampler_bench.errors import InputError
from sampler_bench.models.reference import find_reference
from sampler_bench.targets import Sieved, TwinPrimes
from sampler_bench.targets.ladder import sieve_ladder, sieve_level

RUNGS = list(primerange(32))
TWINS = {3: "twin-primes-3", 4: "twin-primes-4", 6: "twin-primes-6", 9: "twin-primes-9"}


def suite(folder, name: str, tasks: list[str]):
    """A folder of the user's with a suite."""
    (folder / "suites").mkdir(parents=True)
    (folder / "suites" / f"{name}.toml").write_text(
        f'title = "t"\nnumbers = 16\nsamples = 24\ntasks = {tasks}\n'
    )
    return [folder]


@pytest.fixture(scope="module")
def ladder(tmp_path_factory) -> pd.DataFrame:
    folder = tmp_path_factory.mktemp("ladder")
    models = [*(f"sieve-{y}" for y in RUNGS), "oracle", "uniform-digits"]
    scores = run(
        "primes", models, out=folder / "run", task_folders=suite(folder / "mine", "primes", [*TWINS.values()])
    ).scores
    return scores.set_index(["task", "model", "metric"]).sort_index()


def passes(n: np.ndarray, y: int) -> np.ndarray:
    """Where no prime up to y divides n, other than n itself."""
    return np.logical_and.reduce([(n % p != 0) | (n == p) for p in primerange(y + 1)])


def is_twin(n: int) -> bool:
    return isprime(n) and (isprime(n - 2) or isprime(n + 2))


def rung(task: str, y: int) -> tuple[int, int]:
    """|W_y| and |S| of a task."""
    target = load_task(task).target
    if target.digits > 6:  # test_sieved.py holds these counts against trial division
        return Sieved(target.digits, "twin-primes", y, (0, 2)).count(""), target.count("")
    x = np.arange(10 ** (target.digits - 1), 10**target.digits)
    fits = passes(x, y) & (passes(x + 2, y) | passes(x - 2, y))
    members = sum(map(is_twin, x[fits].tolist()))
    return int(fits.sum()), members


@pytest.mark.parametrize("task", TWINS.values())
def test_a_sieve_is_as_far_from_the_truth_as_the_logarithm_of_a_ratio_and_its_level_is_y(ladder, task):
    left = {}
    for y in RUNGS:
        passing, members = rung(task, y)
        expected = left[y] = math.log(passing / members)
        found = ladder.loc[(task, f"sieve-{y}")]
        for column in ("value", "low", "high"):
            assert abs(found.loc["content", column] - expected) < 1e-10
        least = min(each for each in left if left[each] == expected)  # that leaves the same numbers
        assert found.loc["level", "value"] == pytest.approx(least, rel=1e-6)
        assert found.loc["stopping", "value"] == pytest.approx(0, abs=1e-14)


def test_nothing_sieved_is_level_1_and_all_is_the_root(ladder):
    for digits, task in TWINS.items():
        assert ladder.loc[(task, "uniform-digits", "level"), "value"] == pytest.approx(1)
        level = ladder.loc[(task, "oracle", "level")]
        assert level["value"] == level["floor"] == pytest.approx(29 if digits == 3 else 10 ** (digits / 2))


def test_single_primes_have_a_ladder_too(tmp_path):
    scores = run("primes-12", ["sieve-7"], out=tmp_path, numbers=16, samples=4).scores
    found = scores[scores["task"] == "primes-12"].set_index("metric")["value"]
    members = 37_607_912_018 - 4_118_054_813  # primes below 10^12 and 10^11: OEIS A006880
    # 48 of 210 residues pass: 9 10^11 = 210 turns, up to the few of an unfinished one
    assert found["content"] == pytest.approx(math.log(9e11 * 48 / 210 / members), abs=1e-9)
    assert found["level"] == pytest.approx(7, rel=1e-9)


def test_the_ladder_of_a_thousand_digits_ends_below_the_largest_float():
    ladder = sieve_ladder(TwinPrimes(1000))
    assert ladder[-1] == (1e300, 0.0)
    assert 1e6 < sieve_level(TwinPrimes(1000), 1.0) < 1e300


def test_the_level_of_validity_is_that_of_the_sieve_as_often_valid(ladder):
    for y in RUNGS:
        validity = ladder.loc[("twin-primes-4", f"sieve-{y}", "validity"), "value"]
        level = ladder.loc[("twin-primes-4", f"sieve-{y}", "level-of-validity")]
        assert 1 <= level["low"] <= level["value"] <= level["high"] <= 100
        shares = {each: rung("twin-primes-4", each) for each in RUNGS}
        below = [each for each, (passing, members) in shares.items() if members / passing < validity]
        assert level["value"] > max(below, default=1) - 1e-9
        assert all(level["value"] <= each + 1e-9 for each in RUNGS if each not in below)


@pytest.mark.parametrize(("task", "tries"), [("even-6", 2), ("twin-primes-3", 1), ("twin-primes-3", 16)])
def test_propose_and_check_is_valid_as_often_as_the_closed_form_says(tmp_path, task, tries):
    target, samples = load_task(task).target, 2000
    scores = run(task, [f"propose-and-check-{tries}"], out=tmp_path, numbers=16, samples=samples).scores
    values = scores[scores["task"] == task].set_index("metric")
    share = target.count("") / (9 * 10 ** (target.digits - 1))
    validity = 1 - (1 - share) ** tries
    low, high = binom.interval(0.999, samples, validity)
    assert low <= values.loc["validity", "value"] * samples <= high
    assert values.loc["content", "value"] == pytest.approx(-math.log(validity), abs=1e-10)
    assert values.loc["stopping", "value"] == pytest.approx(0, abs=1e-15)


def test_propose_and_check_hardly_helps_where_members_are_rare(tmp_path):
    scores = run("powers-of-3-100", ["propose-and-check-64"], out=tmp_path, samples=4).scores
    content = scores.set_index(["task", "metric"]).loc[("powers-of-3-100", "content"), "value"]
    # two members: v = 64 2 / (9 10^99), to a relative 1e-97
    assert content == pytest.approx(math.log(9) + 99 * math.log(10) - math.log(128), abs=1e-9)


@pytest.mark.parametrize(
    ("task", "digits", "is_member"),
    [
        ("powers-of-2-6", 6, lambda n: n & (n - 1) == 0),
        ("twin-primes-3", 3, is_twin),
        ("twin-primes-4", 4, is_twin),
        ("even-6", 6, lambda n: n % 2 == 0),
    ],
)
def test_what_is_known_by_heart_is_exact_and_the_rest_is_proposed(tmp_path, task, digits, is_member):
    members = sum(map(is_member, range(10 ** (digits - 1), 10**digits)))
    scores = run(task, ["recall-54-else-propose-8"], out=tmp_path, numbers=16, samples=1000).scores
    values = scores[scores["task"] == task].set_index("metric")["value"]
    validity = 1.0 if members <= 54 else 1 - (1 - members / (9 * 10 ** (digits - 1))) ** 8
    low, high = binom.interval(0.999, 1000, validity)
    assert low <= values["validity"] * 1000 <= high
    assert values["content"] == pytest.approx(-math.log(validity), abs=1e-10)
    assert values["stopping"] == pytest.approx(0, abs=1e-15)


def test_a_set_that_is_not_counted_is_known_by_its_information(monkeypatch):
    """A thousand members, so that ln 1000 is what their information leaves of all numbers."""
    target, reference = TwinPrimes(100), find_reference("recall-1000-else-propose-8")
    everything = math.log(9) + 99 * math.log(10)
    assert target.count("") is None
    for size, way in ((999, reference.by_heart), (1001, reference.otherwise)):
        monkeypatch.setattr(TwinPrimes, "information", lambda _, size=size: everything - math.log(size))
        assert reference.way(target) is way


def test_survivors_of_uniform_digits_thin_out_as_the_counts_say(tmp_path):
    """P(the first k digits live) = live prefixes of k digits / (9 10^(k-1)), by going through all of them."""
    samples = 3000
    run("twin-primes-4", ["uniform-digits", "feasible-uniform"], out=tmp_path, numbers=4, samples=samples)
    curves = pd.read_parquet(tmp_path / "curves.parquet").query("metric == 'survival'")
    members = list(filter(is_twin, range(1000, 10000)))
    alive = curves[curves["model"] == "uniform-digits"].set_index("at")
    for k in range(1, 5):
        share = len({n // 10 ** (4 - k) for n in members}) / (9 * 10 ** (k - 1))
        low, high = binom.interval(0.999, samples, share)
        assert low <= alive.loc[k, "value"] * samples <= high
        assert alive.loc[k, "low"] <= alive.loc[k, "value"] <= alive.loc[k, "high"]
    assert (curves[curves["model"] == "feasible-uniform"]["value"] == 1).all()


def test_a_sieve_is_not_measured_where_there_is_none_and_then_has_no_overall_skill(tmp_path):
    folders = suite(tmp_path / "mine", "mixed", ["even-6", "twin-primes-3"])
    scores = run("mixed", ["sieve-5", "oracle"], out=tmp_path / "run", task_folders=folders).scores
    sieve = scores[scores["model"] == "sieve-5"]
    assert set(sieve["task"]) == {"twin-primes-3"}
    with pytest.raises(InputError, match="sieve-5 is defined for none of the tasks of even-6"):
        run("even-6", ["sieve-5"], out=tmp_path / "other")


@pytest.mark.parametrize(
    "name",
    [
        "sieve-1", "sieve-0", "sieve-9999999", "propose-and-check-0", "sieve-07",
        "recall-0-else-propose-8", "recall-8-else-propose-0", "recall-8-else-propose-1000001",
    ],
)  # fmt: skip
def test_numbers_out_of_range_are_refused(tmp_path, name):
    with pytest.raises(InputError, match=f"model '{name}': the number must be from"):
        run("twin-primes-3", [name], out=tmp_path)


def test_an_unknown_model_is_told_the_names_of_all_reference_samplers(tmp_path):
    with pytest.raises(InputError, match="sieve-N, propose-and-check-N, recall-K-else-propose-B, "):
        run("twin-primes-3", ["recall-8-else-propose"], out=tmp_path)
