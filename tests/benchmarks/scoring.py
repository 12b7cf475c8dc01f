"""How long it takes to score 10^6 conditionals on one core: make scoring.

Ten models, 1,000 numbers of 100 digits each. Compared, in the same process and alternated, with the least
that any scoring must do: reading the probabilities into arrays and averaging one divergence.
"""

import os

os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")

import statistics
import time

import numpy as np
import pandas as pd

from sampler_bench import load_task
from sampler_bench.score.scores import score
from sampler_bench.score.truth import Truth

MODELS, NUMBERS, ROUNDS = 10, 1000, 3


def made_up_records(target) -> pd.DataFrame:
    """Conditionals of models that are off by random factors, along the same numbers."""
    rng = np.random.default_rng(0)
    rows = [
        (number_id, k, number[:k], target.conditional(number[:k]).p)
        for number_id, number in enumerate(target.sample(NUMBERS, rng))
        for k in range(len(number) + 1)
    ]
    one = pd.DataFrame(rows, columns=["number_id", "position", "prefix", "p"])
    truth = np.stack(one["p"]) + 0.01
    models = []
    for model in range(MODELS):
        q = truth * rng.gamma(5, size=truth.shape)
        models.append(one.assign(model=f"model-{model}", q=list(q / q.sum(axis=1, keepdims=True))))
    of = {"task": "even-100", "arm": "direct", "decoder": "ancestral", "paraphrase": "plain"}
    return pd.concat(models, ignore_index=True).assign(
        **of, weight=1 / NUMBERS, bound=0.0, traces=0, blind=False, traces_of=""
    )


def least(records: pd.DataFrame) -> float:
    """One mean divergence of all records."""
    p, q = np.stack(records["p"].to_numpy()), np.stack(records["q"].to_numpy())
    return float((p * np.log(np.where(p > 0, p / q, 1.0))).sum(axis=1).mean())


def main() -> None:
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    target = load_task("even-100").target
    records = made_up_records(target)
    samples = pd.DataFrame(columns=["task", "model", "arm", "decoder", "blind"]).astype({"blind": bool})
    truth = Truth("even-100", target, target.information(), target.count(""))
    seconds: dict[str, list[float]] = {"score": [], "least": []}
    for _ in range(ROUNDS):
        for name, work in (
            ("least", lambda: least(records)),
            ("score", lambda: score("s", [truth], records, samples, lambda _: False)),
        ):
            started = time.perf_counter()
            work()
            seconds[name].append(time.perf_counter() - started)
    ratios = [whole / part for whole, part in zip(seconds["score"], seconds["least"], strict=True)]
    print(f"{len(records):,} conditionals on one core, {ROUNDS} rounds")
    for name, times in seconds.items():
        print(f"{name:8} {statistics.median(times):6.2f} s  ({min(times):.2f} to {max(times):.2f})")
    print(f"ratio    {statistics.median(ratios):6.2f}    ({min(ratios):.2f} to {max(ratios):.2f})")


if __name__ == "__main__":
    main()
