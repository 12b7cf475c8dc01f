"""Scores of laws after traces: against closed forms of a few laws on three numbers."""

import numpy as np
import pandas as pd
import pytest

from sampler_bench.runs.over_traces import marginal_over_traces
from sampler_bench.score.scores import score
from sampler_bench.score.truth import Truth
from sampler_bench.targets import Multiples

TARGET = Multiples(digits=1, modulus=3)  # 3, 6, 9
LEFT, RIGHT, OTHER = [0.5, 0.25, 0.25], [0.25, 0.5, 0.25], [0.2, 0.2, 0.6]


def law(weights: list[float]) -> np.ndarray:
    q = np.zeros(11)
    q[[3, 6, 9]] = weights
    return q


def content(weights: np.ndarray) -> float:
    return float(np.mean(np.log(1 / 3) - np.log(weights)))


def records(
    traces: list[list[float]], forced: int, paraphrase: str = "a", traces_of: str = ""
) -> pd.DataFrame:
    rows = []
    for number_id, number in enumerate(["3", "6", "9"]):
        q = np.stack([[law(weights), np.eye(11)[10]] for weights in traces])
        over, _ = marginal_over_traces(q, number)
        for position in (0, 1):
            prefix = number[:position]
            p = TARGET.conditional(prefix).p
            rows.append((number_id, position, prefix, p, over[position], q[:, position].ravel()))
    table = pd.DataFrame(rows, columns=["number_id", "position", "prefix", "p", "q", "q_by_trace"])
    return table.assign(
        task="t", model="m", arm="cot", decoder="ancestral", paraphrase=paraphrase, weight=1 / 3, bound=0.0,
        traces=len(traces), forced=forced, blind=False, traces_of=traces_of,
    )  # fmt: skip


def scored(*tables: pd.DataFrame) -> pd.DataFrame:
    samples = pd.DataFrame(columns=["task", "model", "arm", "decoder", "blind"]).astype({"blind": bool})
    truth = Truth("t", TARGET, TARGET.information(), 3)
    found = score("s", [truth], pd.concat(tables), samples, lambda _: False).scores
    return found[found["task"] == "t"].set_index("metric")


def test_content_by_the_number_of_traces_and_its_limit_are_those_of_mixtures_by_hand():
    found = scored(records([LEFT, RIGHT, LEFT, RIGHT], forced=1))["value"]
    one = (content(np.array(LEFT)) + content(np.array(RIGHT))) / 2
    two = content(np.array([0.375, 0.375, 0.25]))  # all neighbours in the ring differ
    assert found["content-traces-1"] == pytest.approx(one)
    assert found["content-traces-2"] == pytest.approx(two)
    assert found["content-traces-4"] == pytest.approx(two)
    assert found["content"] == pytest.approx(two)
    _, at_zero = np.polyfit([1, 1 / 2, 1 / 4], [one, two, two], 1)
    assert found["content-limit"] == pytest.approx(max(at_zero, 0))


def test_three_traces_are_taken_one_by_one_by_twos_and_all():
    found = scored(records([LEFT, RIGHT, OTHER], forced=0))["value"]
    laws = np.array([LEFT, RIGHT, OTHER])
    pairs = [content(laws[[a, b]].mean(axis=0)) for a, b in ((0, 1), (1, 2), (2, 0))]
    assert found["content-traces-2"] == pytest.approx(np.mean(pairs))
    assert found["content-traces-3"] == pytest.approx(content(laws.mean(axis=0)))
    assert "content-traces-4" not in found


def test_forced_is_the_mean_share_over_wordings():
    found = scored(records([LEFT] * 4, forced=1), records([RIGHT] * 4, forced=4, paraphrase="b")).loc[
        "forced"
    ]
    assert found["value"] == pytest.approx((1 / 4 + 1) / 2)
    assert (found["paraphrase_low"], found["paraphrase_high"]) == (0.25, 1)
    assert found["n"] == 8


def test_traces_of_another_task_enter_no_score_but_their_own():
    alone = scored(records([LEFT] * 2, forced=0))
    beside = scored(records([LEFT] * 2, forced=0), records([OTHER] * 2, forced=2, traces_of="other"))
    assert beside.loc["content-irrelevant", "value"] == pytest.approx(content(np.array(OTHER)))
    pd.testing.assert_frame_equal(beside.drop(index="content-irrelevant"), alone, check_exact=True)
