"""Scores of laws read after traces: how many were forced, and what content does as more are averaged over."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd

from sampler_bench.runs.over_traces import marginal_over_traces
from sampler_bench.score.divergence import profile
from sampler_bench.score.knowledge import Knowledge, used_by
from sampler_bench.score.score import Score
from sampler_bench.targets import SYMBOLS


def scores_of_traces(knowledge: Knowledge) -> Iterator[Score]:
    """None of what was read from the start of the response."""
    if not all((piece["traces"] > 0).all() for piece in knowledge.laws.pieces(["traces"])):
        return
    records = knowledge.rows
    by_paraphrase = (records["forced"] / records["traces"]).groupby(records["paraphrase"]).mean()
    traces = records.groupby("paraphrase")["traces"].first()
    yield Score("forced", by_paraphrase.mean(), by_paraphrase=by_paraphrase, n=int(traces.sum()))
    if (traces == traces.iloc[0]).all() and (records["q_by_trace"].map(len) > 0).all():
        yield from _by_number_of_traces(knowledge, records, int(traces.iloc[0]))
    if knowledge.irrelevant:
        content = next(score for score in knowledge.irrelevant.scores() if score.metric == "content")
        yield replace(content, metric="content-irrelevant")


def _by_number_of_traces(knowledge: Knowledge, records: pd.DataFrame, most: int) -> Iterator[Score]:
    """Content at 1, 2, 4, ... of the traces, and what a line through them in 1 / T has at no 1 / T.

    Of T traces out of ``most`` it is the mean over the runs of T neighbours in a ring of all.
    """
    sizes = [2**k for k in range(most.bit_length())]
    if sizes[-1] < most:
        sizes.append(most)
    contents = [_contents(records, size, most) for size in sizes]
    columns = [*contents, _at_no_reciprocal(sizes) @ np.array(contents)]
    means, n = knowledge.means(columns), len(knowledge.whole.weight)
    for name, *ends in zip([*sizes, "limit"], means.value, means.low, means.high, strict=True):
        value, low, high = map(float, ends)
        metric = "content-limit" if name == "limit" else f"content-traces-{name}"
        yield Score(metric, value, low, high, n=n, calibrated=used_by(means))


def _contents(records: pd.DataFrame, size: int, most: int) -> np.ndarray:
    """By number, the content of laws over ``size`` traces."""
    starts = range(most if size < most else 1)
    chosen = [[(start + step) % most for step in range(size)] for start in starts]
    return np.mean([profile(_over(records, traces)).content.sum(axis=1) for traces in chosen], axis=0)


def _over(records: pd.DataFrame, traces: list[int]) -> pd.DataFrame:
    """The records, with the law over some of the traces in place of that over all."""
    ordered = records.sort_values(["paraphrase", "number_id", "position"])
    laws = [
        law
        for _, rows in ordered.groupby(["paraphrase", "number_id"], sort=True)
        for law in _law_along(rows, traces)
    ]
    return ordered.assign(q=laws)


def _law_along(rows: pd.DataFrame, traces: list[int]) -> np.ndarray:
    """Of one number, position by position; shape (positions, 11)."""
    positions = [np.reshape(law, (-1, SYMBOLS)) for law in rows["q_by_trace"]]
    return marginal_over_traces(np.stack(positions, axis=1)[traces], rows["prefix"].iloc[-1])[0]


def _at_no_reciprocal(sizes: list[int]) -> np.ndarray:
    """Weights whose sum of values at T is, at 1 / T = 0, that of the least-squares line in 1 / T."""
    if len(sizes) == 1:
        return np.ones(1)
    return np.linalg.pinv(np.column_stack([np.ones(len(sizes)), 1 / np.array(sizes)]))[0]
