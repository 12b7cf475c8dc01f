"""Whether numbers were drawn as the target draws: Monte-Carlo tests, duplicates, Holm's correction."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

import numpy as np
from gmpy2 import mpz

from sampler_bench.score.distances import Line, distances
from sampler_bench.score.intervals import binomial_range, wilson_interval
from sampler_bench.score.score import Point, Score
from sampler_bench.targets import END, Target, UniformTarget

REPEATS = 1999  # of a Monte-Carlo test
DRAWN = 20_000_000  # numbers, in all: for very many, a test is repeated less often
DRAWN_AT_ONCE = 1_000_000
MODULI = {"last-digit": 10, "mod-3": 3, "mod-7": 7, "mod-11": 11, "mod-13": 13}
LISTED = 2000  # members of a target that is not uniform, to look for duplicates
ALL_DIFFERENT = 2**62  # members: two draws from more are not alike


def uniformity(
    answers: Sequence[str], target: Target, information: float, seed: int, law: Line | None = None
) -> list[Score]:
    """Tests of what was written against the truth: Holm-adjusted over all that can be made.

    Parameters
    ----------
    answers : sequence of str
        Independent answers, digits only, valid or not.
    target : Target
    information : float
        I of the target, nats.
    seed : int
        Of the draws of a perfect sampler.
    law : Line, optional
        The target's law on a line, if it has one.

    Returns
    -------
    list of Score
        ``leading-digit``, ``last-digit``, ``mod-3``, ...: total variation distance between the shares among
        the answers and their probabilities. ``duplicates``: the share of answers that repeat an earlier one.
        ``ks`` and ``wasserstein``: how far they lie from the law on a line. Each with the mean and range of a
        perfect sampler at the same n, and the p-value.
    """
    if not answers:
        return []
    rng = np.random.default_rng(seed)
    scores = [distance(metric, seen, law, rng) for metric, seen, law in _classes(answers, target)]
    scores += duplicates(answers, target, information, rng)
    scores += distances(answers, law, rng) if law else []
    adjusted = holm([score.p for score in scores])
    return [replace(score, p_adjusted=p) for score, p in zip(scores, adjusted, strict=True)]


def _classes(
    answers: Sequence[str], target: Target, moduli: Mapping[str, int] = MappingProxyType(MODULI)
) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """(name, class of each answer, probability of each class), where these are known."""
    yield "leading-digit", np.array([int(text[0]) for text in answers]), target.conditional("").p[:END]
    numbers = list(map(mpz, answers))  # of any length; int() refuses more than 4300 digits
    for metric, modulus in moduli.items():
        law = target.residues(modulus)
        if law is not None:
            yield metric, np.array([int(number % modulus) for number in numbers]), law


def digit_shares(answers: Sequence[str], target: Target) -> Iterator[Point]:
    """How often each leading and last digit was written; its probability, and a perfect sampler's range."""
    n = len(answers)
    for axis, seen, law in _classes(answers, target, {"last-digit": MODULI["last-digit"]}):
        if n:
            counts = np.bincount(seen, minlength=len(law))
            for metric, shares, (lows, highs) in (
                ("answers", counts / n, wilson_interval(counts, n)),
                ("truth", law, binomial_range(n, np.clip(law, 0, 1)) / n),
            ):
                for digit, (share, low, high) in enumerate(zip(shares, lows, highs, strict=True)):
                    yield Point(axis, digit, metric, float(share), float(low), float(high), n)


def distance(metric: str, seen: np.ndarray, law: np.ndarray, rng: np.random.Generator) -> Score:
    """Total variation distance between observed shares and a law, with a Monte-Carlo multinomial test.

    The test statistic is Pearson's; p = (1 + draws at least as far) / (1 + draws), which is never below the
    exact p-value in expectation (Phipson and Smyth, Statistical Applications in Genetics 9, 2010).
    """
    n, law = len(seen), law / law.sum()
    counts = np.bincount(seen, minlength=len(law))
    drawn = rng.multinomial(n, law, size=REPEATS)
    from_perfect = _variation(drawn, law)
    as_far = np.count_nonzero(_pearson(drawn, law) >= _pearson(counts[None], law) * (1 - 1e-12))
    low, high = np.quantile(from_perfect, (0.025, 0.975))
    return Score(
        metric, _variation(counts[None], law)[0], n=n, floor=from_perfect.mean(), floor_low=low,
        floor_high=high, p=(1 + as_far) / (1 + REPEATS),
    )  # fmt: skip


def _variation(counts: np.ndarray, law: np.ndarray) -> np.ndarray:
    return np.abs(counts / counts.sum(axis=1, keepdims=True) - law).sum(axis=1) / 2


def _pearson(counts: np.ndarray, law: np.ndarray) -> np.ndarray:
    """Pearson's statistic of each row; infinite where something impossible was seen."""
    expected = counts.sum(axis=1, keepdims=True) * law
    terms = np.divide((counts - expected) ** 2, expected, out=np.zeros(counts.shape), where=expected > 0)
    return np.where((counts[:, law == 0] > 0).any(axis=1), np.inf, terms.sum(axis=1))


def duplicates(
    answers: Sequence[str], target: Target, information: float, rng: np.random.Generator
) -> Iterator[Score]:
    """The share of answers that repeat an earlier one, against as many draws from the target (birthdays).

    Two-sided: to repeat oneself too rarely is no chance either. Nothing where the chance of a repeat is not
    known: targets that are not uniform and have many members.
    """
    n = len(answers)
    repeats = n - len(set(answers))
    drawn = _repeats_of_draws(n, target, information, rng)
    if drawn is None:
        return
    tails = [1 + np.count_nonzero(drawn >= repeats), 1 + np.count_nonzero(drawn <= repeats)]
    low, high = np.quantile(drawn, (0.025, 0.975), method="inverted_cdf")
    yield Score(
        "duplicates", repeats / n, n=n, floor=drawn.mean() / n,
        floor_low=low / n, floor_high=high / n,
        p=min(1.0, 2 * min(tails) / (1 + len(drawn))),
    )  # fmt: skip


def _repeats_of_draws(
    n: int, target: Target, information: float, rng: np.random.Generator
) -> np.ndarray | None:
    times = max(99, min(REPEATS, DRAWN // n))
    size = target.count("")
    if isinstance(target, UniformTarget):
        if size is None:
            size = round(math.exp(min(target.log_size(information), math.log(2 * ALL_DIFFERENT))))
        if size > ALL_DIFFERENT:
            return np.zeros(times)
        at_once = max(1, DRAWN_AT_ONCE // n)
        blocks = (min(at_once, times - done) for done in range(0, times, at_once))
        each = (np.sort(rng.integers(size, size=(block, n)), axis=1) for block in blocks)
        return np.concatenate([np.count_nonzero(np.diff(drawn, axis=1) == 0, axis=1) for drawn in each])
    if size is None or size > LISTED:
        return None
    law = np.array([target.nth_member(rank)[1] for rank in range(size)])
    return n - np.count_nonzero(rng.multinomial(n, law / law.sum(), size=times), axis=1)


def holm(p: Sequence[float]) -> np.ndarray:
    """P-values adjusted for their number: Holm, Scandinavian Journal of Statistics 6 (1979)."""
    given = np.asarray(p)
    order = np.argsort(given)
    stepped = np.maximum.accumulate(given[order] * np.arange(len(given), 0, -1))
    adjusted = np.empty_like(given)
    adjusted[order] = np.minimum(stepped, 1.0)
    return adjusted
