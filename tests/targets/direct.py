"""Sums over all prefixes of a listed distribution, straight from the definitions."""

import math
from collections import defaultdict
from collections.abc import Callable, Mapping

import numpy as np

from sampler_bench.targets import DIGITS, END


def prefix_probabilities(members: Mapping[str, float]) -> dict[str, float]:
    """P(u) for every prefix u of a member."""
    starts: dict[str, float] = defaultdict(float)
    for number, p in members.items():
        for length in range(len(number) + 1):
            starts[number[:length]] += p
    return dict(starts)


def conditionals(members: Mapping[str, float]) -> dict[str, np.ndarray]:
    """P(. | u) over the digits and END, for every prefix u of a member."""
    starts = prefix_probabilities(members)
    return {
        prefix: np.array([starts.get(prefix + digit, 0.0) for digit in DIGITS] + [members.get(prefix, 0.0)])
        / starts[prefix]
        for prefix in starts
    }


def divergence(members: Mapping[str, float], law: Callable[[str], np.ndarray]) -> float:
    """KL(P || Q), Q given by its conditionals, by the chain rule."""
    starts, total = prefix_probabilities(members), []
    for prefix, p in conditionals(members).items():
        q = law(prefix)
        total += [starts[prefix] * p[s] * math.log(p[s] / q[s]) for s in np.flatnonzero(p)]
    return math.fsum(total)


def information(members: Mapping[str, float]) -> float:
    """KL(P || U), U writing uniform digits (the first 1..9 unless P allows a 0) and stopping as P does."""
    truth = conditionals(members)

    def uniform(prefix: str) -> np.ndarray:
        q = np.ones(11)
        q[0] = 1.0 if prefix or truth[""][0] > 0 else 0.0
        q[:END] *= truth[prefix][:END].sum() / q[:END].sum()
        q[END] = truth[prefix][END]
        return q

    return divergence(members, uniform)
