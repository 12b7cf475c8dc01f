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
    columns = ["number_id", "position", "weight", "p", "q"]
    return pd.DataFrame([dict(zip(columns, row, strict=True)) for row in rows]).assign(
        bound=0.25, paraphrase="a"
    )


def test_content_is_the_divergence_of_digits_and_stopping_that_of_going_on():
    """P: 1 or 2 with 1/2 each, then stop. Q: 1 with 1/2, 2 with 1/4, no digit with 1/4; stops with 0.9."""
    p, q = law({1: 0.5, 2: 0.5}), law({1: 0.5, 2: 0.25}, end=0.25)
    done, q_done = law({}, end=1.0), law({7: 0.1}, end=0.9)
    found = profile(
        records((0, 0, 0.5, p, q), (0, 1, 0.5, done, q_done), (1, 0, 0.5, p, q), (1, 1, 0.5, done, q_done))
    )
    content = 0.5 * math.log(0.5 / (2 / 3)) + 0.5 * math.log(0.5 / (1 / 3))
    assert found.content == pytest.approx(np.array([[content, 0.0]] * 2))
    assert found.stopping == pytest.approx(np.array([[-math.log(0.75), -math.log(0.9)]] * 2))
    assert found.entropy == pytest.approx(np.array([[math.log(2), 0.0]] * 2))
    assert found.uniform == pytest.approx(np.array([[math.log(9 / 2), 0.0]] * 2))
    assert found.may_end.tolist() == [[False, True]] * 2
    assert found.bound.tolist() == [[0.25, 0.25]] * 2
    assert found.weight.tolist() == [0.5, 0.5]


def test_a_stop_that_must_be_known_is_weighed_against_going_on():
    """Where the truth stops with 1/4 and the model with 1/2, both parts count (several lengths)."""
    found = profile(records((0, 0, 1.0, law({3: 0.75}, end=0.25), law({3: 0.25, 4: 0.25}, end=0.5))))
    assert found.content[0, 0] == pytest.approx(0.75 * math.log(2))
    assert found.stopping[0, 0] == pytest.approx(0.25 * math.log(0.5) + 0.75 * math.log(1.5))


def test_a_digit_the_model_excludes_costs_infinitely_much():
    found = profile(records((0, 0, 1.0, law({1: 0.5, 2: 0.5}), law({1: 1.0}))))
    assert math.isinf(found.content[0, 0])


def test_the_same_law_costs_nothing():
    p = law(dict.fromkeys(range(1, 8), 1 / 7))
    found = profile(records((0, 0, 1.0, p, p)))
    assert found.content[0, 0] == found.stopping[0, 0] == 0
