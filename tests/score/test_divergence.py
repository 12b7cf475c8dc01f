"""Divergences against values worked by hand."""

import math

import numpy as np
import pandas as pd
import pytest

from sampler_bench.score.divergence import profile


def law(digits: dict[int, float], end: float = 0.0) -> list[float]:
    values = [0.0] * 11
    for digit, probability in digits.items():
        values[digit] = probability
    values[10] = end
    return values


def records(*rows) -> pd.DataFrame:
    """Conditionals from (number_id, prefix, weight, p, q)."""
    table = pd.DataFrame(rows, columns=["number_id", "prefix", "weight", "p", "q"])
    return table.assign(position=table["prefix"].str.len(), bound=0.25, paraphrase="a")


def test_content_is_the_divergence_of_digits_and_stopping_that_of_going_on():
    """P: 1 or 2 with 1/2 each, then stop. Q: 1 with 1/2, 2 with 1/4, no digit with 1/4; stops with 0.9."""
    p, q = law({1: 0.5, 2: 0.5}), law({1: 0.5, 2: 0.25}, end=0.25)
    done, q_done = law({}, end=1.0), law({7: 0.1}, end=0.9)
    found = profile(
        records(
            (0, "", 0.5, p, q), (0, "1", 0.5, done, q_done), (1, "", 0.5, p, q), (1, "2", 0.5, done, q_done)
        )
    )  # fmt: skip
    content = 0.5 * math.log(0.5 / (2 / 3)) + 0.5 * math.log(0.5 / (1 / 3))
    assert found.content == pytest.approx(np.array([[content, 0.0]] * 2))
    assert found.stopping == pytest.approx(np.array([[-math.log(0.75), -math.log(0.9)]] * 2))
    assert found.entropy == pytest.approx(np.array([[math.log(2), 0.0]] * 2))
    assert found.uniform == pytest.approx(np.array([[math.log(9 / 2), 0.0]] * 2))
    assert found.may_end.tolist() == [[False, True]] * 2
    assert found.bound.tolist() == [[0.25, 0.25]] * 2
    assert found.weight.tolist() == [0.5, 0.5]
    assert found.surprise == pytest.approx(np.array([[math.log(0.75), 0], [math.log(1.5), 0]]))
    assert found.left == pytest.approx(np.array([[math.log(2), 0]] * 2))  # ln N("") = ln 2, ln N("1") = 0
    assert found.variation == pytest.approx(np.array([[1 / 6, 0.0]] * 2))
    # the middle is 7/12, 5/12
    jsd = 0.5 * math.log(6 / 7) / 2 + 0.5 * math.log(6 / 5) / 2 + math.log(8 / 7) / 3 + math.log(4 / 5) / 6
    assert found.jsd == pytest.approx(np.array([[jsd, 0.0]] * 2))
    assert not found.dead_end.any()
    assert not found.free.any()


def test_a_stop_that_must_be_known_is_weighed_against_going_on():
    """Where the truth stops with 1/4 and the model with 1/2, both parts count (several lengths)."""
    found = profile(records((0, "", 1.0, law({3: 0.75}, end=0.25), law({3: 0.25, 4: 0.25}, end=0.5))))
    assert found.content[0, 0] == pytest.approx(0.75 * math.log(2))
    assert found.stopping[0, 0] == pytest.approx(0.25 * math.log(0.5) + 0.75 * math.log(1.5))


def test_a_digit_the_model_excludes_costs_infinitely_much():
    found = profile(records((0, "", 1.0, law({1: 0.5, 2: 0.5}), law({1: 1.0}))))
    assert math.isinf(found.content[0, 0])


def test_the_same_law_costs_nothing():
    p = law(dict.fromkeys(range(1, 8), 1 / 7))
    found = profile(records((0, "", 1.0, p, p)))
    assert found.content[0, 0] == found.stopping[0, 0] == 0


def test_mass_on_digits_that_the_truth_excludes_is_a_dead_end():
    (found,) = profile(records((0, "", 1.0, law({1: 1.0}), law({1: 0.25, 2: 0.25}, end=0.5)))).dead_end
    assert found.tolist() == [0.5]  # of the mass on digits


def test_only_content_where_the_truth_is_as_good_as_uniform_is_free_digit_bias():
    even, fond = law(dict.fromkeys(range(10), 0.1)), law({0: 0.55} | dict.fromkeys(range(1, 10), 0.05))
    found = profile(records((0, "", 1.0, law({5: 1.0}), fond), (0, "5", 1.0, even, fond)))
    assert found.free[0].tolist() == [0.0, found.content[0, 1]]
    assert found.content[0, 1] == pytest.approx(0.1 * math.log(0.1 / 0.55) + 0.9 * math.log(2))


def test_a_model_without_any_digit_is_as_far_as_can_be():
    found = profile(records((0, "", 1.0, law({1: 0.5, 2: 0.5}), law({}, end=1.0))))
    assert (found.variation[0, 0], found.jsd[0, 0]) == (1, math.log(2))
