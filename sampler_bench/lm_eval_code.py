"""How exact next-digit laws are read and compared: goes, as it is, with tasks for lm-evaluation-harness.

It stands on what the harness has, not on sampler_bench.
"""

import json
import math
from pathlib import Path

import datasets

DIGITS = 10


def load(file: str, **_: object) -> dict[str, datasets.Dataset]:
    """The rows of a file beside this one: a text, a prefix, the exact law and its weight."""
    with (Path(__file__).parent / file).open(encoding="utf-8") as lines:
        return {"test": datasets.Dataset.from_list([json.loads(line) for line in lines])}


def process_results(doc: dict, results: list[tuple[float, bool]]) -> dict[str, tuple[float, int]]:
    """The row's part of content: weight P(digit) KL(p~ || q~), nats, p~ and q~ being over the digits alone.

    ``results``: the log-likelihood of each digit, up to a constant that all of them share.
    """
    goes_on = sum(doc["p"][:DIGITS])
    if goes_on == 0:
        return {"content": (0.0, doc["wordings"])}
    told = [logprob for logprob, _ in results]
    most = max(told)
    total = most + math.log(math.fsum(math.exp(each - most) for each in told))
    truth = [p / goes_on for p in doc["p"][:DIGITS]]
    kl = math.fsum(p * (math.log(p) - (q - total)) for p, q in zip(truth, told, strict=True) if p > 0)
    return {"content": (doc["weight"] * goes_on * kl, doc["wordings"])}


def total(parts: list[tuple[float, int]]) -> float:
    """Content, nats a number: the sum along a number, on average over numbers and wordings."""
    return math.fsum(part / wordings for part, wordings in parts)
