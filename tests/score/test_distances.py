"""Distances from a law on a line against scipy, brute force and hand-made cases, and their p-values."""

import math
from dataclasses import asdict
from itertools import product

import numpy as np
import pytest
from scipy import stats

from sampler_bench import load_task, run
from sampler_bench.score import distances as module
from sampler_bench.score.distances import Line, distances, line
from sampler_bench.score.uniformity import holm, uniformity
from sampler_bench.targets import Distribution, Mixture, Multiples, Powers, Range

FAIR = Distribution(2, "binom", {"n": 10, "p": 0.5})
GAUSS = Distribution(3, "norm", {"loc": 500, "scale": 100})


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def on_line(target) -> Line:
    law = line(target)
    assert law is not None
    return law


def found(answers: list[str], target) -> dict:
    return {score.metric: score for score in distances(answers, on_line(target), rng())}


def test_a_coin_by_hand():
    """Three 1s of four where 0.3 are expected: F_N and F differ by 0.45 between 0 and 1, and nowhere else."""
    scores = found(["1", "1", "0", "1"], Distribution(1, "bernoulli", {"p": 0.3}))
    assert scores["ks"].value == pytest.approx(0.45)
    assert scores["wasserstein"].value == pytest.approx(0.45 / math.sqrt(0.3 * 0.7))
    # at least as far: three or four 1s; from below nothing, for 0.3 - 0 is less
    exact = 4 * 0.3**3 * 0.7 + 0.3**4
    assert scores["ks"].p == pytest.approx(exact, abs=4 * math.sqrt(exact / 9999))


def test_answers_outside_of_the_law_count_as_numbers():
    scores = found(["0101"] * 5, Range(1, 100))
    assert scores["ks"].value == 1
    assert scores["wasserstein"].value == pytest.approx(50.5 / math.sqrt((100**2 - 1) / 12))
    assert scores["ks"].p == scores["wasserstein"].p == 1e-4


@pytest.mark.parametrize(
    ("target", "drawn_once"),
    [
        (Range(1, 100), list(range(1, 101))),
        (FAIR, [k for k in range(11) for _ in range(math.comb(10, k))]),
    ],
)
@pytest.mark.parametrize("n", [1, 7, 100])
def test_ks_is_the_two_sample_statistic_beside_the_law_itself(target, drawn_once, n):
    """A sample in which every number stands as often as is likely has the law's distribution function."""
    answers = rng(n).integers(0, 130, n)
    expected = stats.ks_2samp(answers, drawn_once).statistic
    assert found(list(map(str, answers)), target)["ks"].value == pytest.approx(expected)


@pytest.mark.parametrize("target", [FAIR, GAUSS, Range(7, 1234)], ids=str)
@pytest.mark.parametrize("n", [1, 7, 100])
def test_wasserstein_is_that_of_scipy(target, n):
    answers = rng(n).integers(0, 3000, n)
    numbers, p = zip(*(target.nth_member(rank) for rank in range(target.count(""))), strict=True)
    values = np.array(numbers, float)
    deviation = math.sqrt(np.average((values - np.average(values, weights=p)) ** 2, weights=p))
    expected = stats.wasserstein_distance(answers, values, None, p) / deviation
    assert found(list(map(str, answers)), target)["wasserstein"].value == pytest.approx(expected)


def test_to_say_the_mean_of_a_gaussian_lies_as_far_as_the_docs_say():
    assert found(["500"] * 9, GAUSS)["wasserstein"].value == pytest.approx(math.sqrt(2 / math.pi), abs=1e-3)


@pytest.mark.parametrize("answers", [("3", "3", "3", "3"), ("1", "3", "3", "3"), ("1", "1", "2", "3")])
def test_p_values_are_those_of_all_samples_there_are(answers):
    """All 3^4 sequences of four draws of 1, 2, 3, each distance from its definition."""
    law = np.array([0.5, 0.3, 0.2])
    mixture = Mixture(tuple(law), tuple(Range(k, k) for k in (1, 2, 3)))
    deviation = math.sqrt(law @ [1, 4, 9] - (law @ [1, 2, 3]) ** 2)

    def gaps(sequence) -> np.ndarray:
        return np.abs(np.cumsum(np.bincount(sequence, minlength=3) / 4 - law))

    scores = found(list(answers), mixture)
    seen = gaps([int(answer) - 1 for answer in answers])
    for metric, distance in (("ks", np.max), ("wasserstein", np.sum)):
        exact = sum(
            math.prod(law[list(draws)])
            for draws in product(range(3), repeat=4)
            if distance(gaps(list(draws))) >= distance(seen) - 1e-9
        )
        assert scores[metric].p == pytest.approx(exact, abs=4 * math.sqrt(exact / 9999))
        scale = deviation if metric == "wasserstein" else 1
        assert scores[metric].value == pytest.approx(distance(seen) / scale)


@pytest.mark.parametrize("target", [Distribution(1, "bernoulli", {"p": 0.7}), FAIR, GAUSS], ids=str)
def test_of_perfect_samplers_no_more_than_a_share_p_have_p(target, monkeypatch):
    """300 samples of 25: p-values are uniform, or above where a law of few values has few distances."""
    monkeypatch.setattr(module, "REPEATS", 399)
    generator, law = rng(5), on_line(target)
    p = {"ks": [], "wasserstein": []}
    for _ in range(300):
        for score in distances(target.sample(25, generator), law, generator):
            p[score.metric].append(score.p)
    for values in p.values():
        assert stats.kstest(values, "uniform", alternative="greater").pvalue > 0.01
        if target is GAUSS:
            assert stats.kstest(values, "uniform").pvalue > 0.01


def test_the_floor_is_what_perfect_samplers_have():
    law, generator = on_line(GAUSS), rng(7)
    scores = {score.metric: score for score in distances(["500"] * 64, law, rng())}
    samples = [GAUSS.sample(64, generator) for _ in range(400)]
    for metric, measure in (("ks", law.kolmogorov), ("wasserstein", law.wasserstein)):
        values = measure(np.stack([law.placed(sample) for sample in samples]))
        score = scores[metric]
        assert score.floor == pytest.approx(values.mean(), abs=4 * values.std() / math.sqrt(400))
        inside = np.mean((score.floor_low <= values) & (values <= score.floor_high))
        assert inside == pytest.approx(0.95, abs=0.04)


def map_of(scores: dict) -> dict:
    """For comparison: in Python 3.13 a score without an interval, NaN, does not equal itself."""
    return {name: asdict(score) for name, score in scores.items()}


def test_blocks_change_nothing(monkeypatch):
    whole = found(["3", "5"] * 10, FAIR)
    monkeypatch.setattr(module, "DRAWN_AT_ONCE", 999)
    np.testing.assert_equal(map_of(found(["3", "5"] * 10, FAIR)), map_of(whole))


def test_answers_and_members_of_any_length_are_numbers():
    long = found(["1" * 5000, "5"], FAIR)
    assert long["ks"].value == pytest.approx(0.5)  # F(5) - 1/2 is less, as is 1/2 - F(4)
    assert 1e299 < long["wasserstein"].value < math.inf
    middle = 10**30
    each_once = [str(middle + k) for k in range(-5, 6)]
    scores = found(each_once, Range(middle - 5, middle + 5))
    assert (scores["ks"].value, scores["wasserstein"].value) == pytest.approx((0, 0), abs=1e-12)


@pytest.mark.parametrize(
    ("target", "is_on_a_line"),
    [
        (load_task("dice-uniform").target, True),
        (load_task("bad-dice-cauchy").target, True),
        (load_task("monty-hall").target, True),
        (load_task("twin-primes-3").target, False),
        (load_task("twin-primes-100").target, False),
        (Multiples(3, 7), False),
        (Range(100, 999), False),
        (Range(1, 10_000), True),
        (Range(1, 10_001), False),
        (Range(5, 5), False),
        (Mixture((0.5, 0.5), (Range(1, 9), Powers(100, 3))), True),
        (Mixture((0.5, 0.5), (Range(1, 9), Powers(200, 3))), False),
        (Distribution(1, "randint", {"low": 5, "high": 6}), False),
    ],
)
def test_sets_of_one_length_are_on_no_line_and_large_ones_are_not_listed(target, is_on_a_line):
    assert (line(target) is not None) == is_on_a_line


def test_the_distances_are_adjusted_with_the_other_tests():
    answers = GAUSS.sample(50, rng(3))
    scores = uniformity(answers, GAUSS, GAUSS.information(), 0, line(GAUSS))
    assert [score.metric for score in scores[-2:]] == ["ks", "wasserstein"]
    assert [score.p_adjusted for score in scores] == holm([score.p for score in scores]).tolist()
    others = uniformity(answers, GAUSS, GAUSS.information(), 0)
    assert [score.p for score in others] == [score.p for score in scores[:-2]]


def test_a_run_has_them_where_there_is_a_line(tmp_path):
    scores = run("dice-poisson", ["oracle", "uniform-digits"], out=tmp_path, numbers=4, samples=100).scores
    found = scores[scores["task"] == "dice-poisson"].set_index(["model", "metric"])
    for metric in ("ks", "wasserstein"):
        assert found.loc[("oracle", metric), "like_oracle"]
        far = found.loc[("uniform-digits", metric)]
        assert not far["like_oracle"]
        assert far["p"] == 1e-4
        assert far["value"] > far["floor_high"]
