"""Scores and curves from samples: how many are valid, where the others fail, what a valid one costs."""

import math
from collections.abc import Iterator

import numpy as np
import pandas as pd

from sampler_bench.score.estimate import resampled_sums
from sampler_bench.score.intervals import interval_of_draws, wilson_interval
from sampler_bench.score.score import Point, Score, certain
from sampler_bench.score.truth import Truth
from sampler_bench.score.uniformity import digit_shares, uniformity
from sampler_bench.targets.ladder import sieve_ladder, sieve_level

# What is spent on answers: metric, column of the samples.
COSTS = {"passes": "forward_passes", "tokens": "completion_tokens", "seconds": "seconds"}


def shares(records: pd.DataFrame) -> Iterator[Score]:
    """Validity, and the share of answers that were found: Wilson intervals."""
    for metric, hits in (("validity", records["valid"]), ("answered", records["answer"].notna())):
        low, high = map(float, wilson_interval(int(hits.sum()), len(hits)))
        by_paraphrase = hits.groupby(records["paraphrase"]).mean()
        yield Score(metric, hits.mean(), low, high, by_paraphrase, len(hits), **certain(1.0))


def level_of_validity(records: pd.DataFrame, truth: Truth) -> Iterator[Score]:
    """The y of the sieve that has this validity: numbers drawn from W_y are members with |S| / |W_y|."""
    if sieve_ladder(truth.target):
        trials, valid = len(records), int(records["valid"].sum())
        low, high = wilson_interval(valid, trials)
        level, low, high = (sieve_level(truth.target, -math.log(share) if share else math.inf)
                            for share in (valid / trials, low, high))  # fmt: skip
        perfect = certain(sieve_level(truth.target, 0.0))
        yield Score("level-of-validity", level, low, high, n=trials, **perfect)


def costs(records: pd.DataFrame) -> Iterator[Score]:
    """What a valid answer cost; infinite where there is none."""
    for metric, column in COSTS.items():
        by_paraphrase = records.groupby("paraphrase")[[column, "valid"]].sum()
        value = _ratio(records[column].sum(), records["valid"].sum())
        spread = [_ratio(cost, valid) for cost, valid in by_paraphrase.itertuples(index=False)]
        yield Score(metric, value, by_paraphrase=spread, n=len(records))


def _ratio(cost: float, valid: float) -> float:
    return float(cost / valid) if valid else math.inf


def mass(records: pd.DataFrame, truth: Truth) -> Iterator[Score]:
    """ln of the mean weight: the model's mass on what its decoder restricts it to (``measure/decoders.py``).

    Bootstrap over what was drawn together, by its common seed. Nothing for a decoder without weights.
    """
    weighted = records[records["log_weight"].notna()]
    if weighted.empty:
        return
    peak, n = weighted["log_weight"].max(), len(weighted)
    if peak == -math.inf:
        yield Score("mass", peak, peak, peak, n=n, **certain(0.0))
        return
    weight = np.exp(weighted["log_weight"] - peak)
    together = weight.groupby(weighted["seed"]).agg(["sum", "size"]).to_numpy()
    sums, sizes = resampled_sums(together, len(together), np.random.default_rng(2)).T
    value = peak + math.log(weight.mean())
    with np.errstate(divide="ignore"):
        low, high = interval_of_draws(value, peak + np.log(sums / sizes), len(together))
    by_paraphrase = peak + np.log(weight.groupby(weighted["paraphrase"]).mean().clip(lower=1e-300))
    value, low, high = (min(float(each), 0.0) for each in (value, low, high))  # no mass is above 1
    yield Score("mass", value, low, high, by_paraphrase, n, **certain(0.0))


def evenness(records: pd.DataFrame, truth: Truth) -> list[Score]:
    """Tests of the answers that were found.

    None for a decoder with weights, whose draws do not follow the law.
    """
    if records["log_weight"].notna().any():
        return []
    seed = truth.seed("perfect draws")
    return uniformity(_independent(records), truth.target, truth.information, seed, truth.line)


def digits_written(records: pd.DataFrame, truth: Truth) -> Iterator[Point]:
    """Shares of leading and last digits among the answers that were found."""
    return digit_shares(_independent(records), truth.target)


def _independent(records: pd.DataFrame) -> list[str]:
    """The answers that were found; of a batch the first, for the others are not independent of it."""
    return records.drop_duplicates("response_id")["answer"].dropna().tolist()


def survival(records: pd.DataFrame, truth: Truth) -> Iterator[Point]:
    """The share of all answers whose first k digits can still be completed, or are a complete member.

    Lengths at which that is not known are left out.
    """
    target, trials = truth.target, len(records)
    found = records[records["answer"].notna()]
    alive = [
        target.digits if valid else target.live_digits(answer)
        for answer, valid in zip(found["answer"], found["valid"], strict=True)
    ]
    surviving = np.array([np.count_nonzero(np.array(alive) >= k) for k in range(1, target.digits + 1)])
    lows, highs = wilson_interval(surviving, trials)
    for k, (count, low, high) in enumerate(zip(surviving, lows, highs, strict=True), start=1):
        if k not in target.doubtful_lengths:
            yield Point("position", k, "survival", count / trials, float(low), float(high), trials)
