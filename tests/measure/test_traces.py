"""Conditionals averaged over traces, against their definition; and where a trace ends."""

import numpy as np
import pytest

from sampler_bench.measure.traces import Trace, forced_trace, trace_of
from sampler_bench.runs.over_traces import marginal_over_traces
from sampler_bench.tasks import Catalog


def test_the_marginal_is_the_ratio_of_summed_probabilities():
    """q(d | u) = sum_t q(u d | z_t) / sum_t q(u | z_t), products written out."""
    rng = np.random.default_rng(0)
    q = rng.dirichlet(np.ones(11), size=(3, 4))
    law, ess = marginal_over_traces(q, "275")
    path = [q[:, 0, 2], q[:, 1, 7], q[:, 2, 5]]
    for k in range(4):
        weight = np.prod(path[:k], axis=0) if k else np.ones(3)
        expected = (weight[:, None] * q[:, k]).sum(axis=0) / weight.sum()
        assert law[k] == pytest.approx(expected)
        assert ess[k] == pytest.approx(weight.sum() ** 2 / (weight**2).sum())


def test_the_sequence_is_the_mean_over_traces():
    """The chain rule: the law's digits multiply to (1/T) sum_t q(x | z_t)."""
    q = np.random.default_rng(1).dirichlet(np.ones(11), size=(5, 7))
    law, _ = marginal_over_traces(q, "314159")
    digits = [3, 1, 4, 1, 5, 9]
    assert np.prod(law[np.arange(6), digits]) == pytest.approx(
        np.prod(q[:, np.arange(6), digits], axis=1).mean()
    )


def test_a_hundred_digits_do_not_underflow():
    q = np.full((4, 301, 11), 1e-3)
    law, ess = marginal_over_traces(q, "1" * 300)
    assert ess == pytest.approx([4.0] * 301)
    assert law[300, 1] == pytest.approx(1e-3)


def test_one_trace_is_its_own_law_also_where_it_rules_the_number_out():
    q = np.zeros((1, 3, 11))
    q[:, :, 4] = 1.0
    law, ess = marginal_over_traces(q, "12")
    assert np.array_equal(law, q[0])
    assert ess.tolist() == [1, 1, 1]


def test_a_trace_that_came_to_an_answer_ends_before_it():
    arm = Catalog().arm("cot")
    assert trace_of("", "Seven times nine.\nAnswer: 63.", arm) == Trace("Seven times nine.\nAnswer: ", False)


def test_a_trace_that_did_not_is_led_to_it():
    arm = Catalog().arm("cot")
    assert trace_of("", "Seven times \n", arm) == Trace("Seven times\nAnswer: ", True)
    assert forced_trace("", "Seven.\nAnswer: 63", arm).text == "Seven.\nAnswer:\nAnswer: "
    assert forced_trace("", "58", Catalog().arm("batch")).text == "\n"  # the answer itself is no trace


def test_thinking_stands_before_the_answer_and_is_closed_once():
    (arm, *_) = Catalog().arms("reasoning")
    assert trace_of("hm</think>", "\n\n63", arm) == Trace("hm</think>\n\n", False)
    assert trace_of("hm\n</think>\n\n", "none", arm) == Trace("hm\n</think>\n\n", True)
