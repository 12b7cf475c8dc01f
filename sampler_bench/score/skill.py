"""Content as a share of information: skill, and uptake, what the instruction is worth (docs/method.md)."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from sampler_bench.score.divergence import Profile
from sampler_bench.score.estimate import Means, calibrated_means
from sampler_bench.score.knowledge import CONTENT, Knowledge, used_by
from sampler_bench.score.score import Score, certain
from sampler_bench.score.truth import NOTHING

ASKED, FREE = range(2)  # columns of means: content where something is asked, information where nothing is


@dataclass(frozen=True)
class Share:
    """A share at one task, with what the mean over a suite needs of it.

    ``draws``: of its bootstrap, spread as far as its interval reaches; nan where there is none. ``student``:
    whether that is Student's, by the draws' standard deviation, or else goes by percentiles.
    """

    score: Score
    paraphrases: list[str]
    draws: np.ndarray
    student: bool


def shares(knowledge: Knowledge) -> Iterator[Score]:
    """Of one task, model, arm and decoder."""
    yield from (share.score for share in shares_at_task(knowledge).values())
    blind = _content_blind(knowledge)
    if blind:
        yield blind


def shares_at_task(knowledge: Knowledge) -> dict[str, Share]:
    """By metric: those that there are."""
    found = (skill(knowledge), skill_all(knowledge), uptake(knowledge), uptake_all(knowledge))
    return {share.score.metric: share for share in found if share}


def skill(knowledge: Knowledge) -> Share | None:
    """1 - A / (I - F): content A where something is asked, and information F where nothing is.

    None where the truth is within 0.01 nats of uniform digits everywhere.
    """
    whole, truth = knowledge.whole, knowledge.truth
    # Calibrated, the two sum to I for uniform digits: neither is clipped by itself.
    means = knowledge.means([whole.asked.sum(axis=1), whole.free_uniform.sum(axis=1)], least=-math.inf)
    asked = truth.information - means.value[FREE]
    if not truth.constrains or asked <= NOTHING:
        return None
    spread = [
        1 - knowledge.value(part, part.asked) / (truth.information - knowledge.value(part, part.free_uniform))
        for part in knowledge.parts.values()
    ]
    asked_draws = np.maximum(knowledge.information_draws - means.all_draws(FREE), NOTHING)
    draws = 1 - means.all_draws(ASKED) / asked_draws
    return _share("skill", 1 - means.value[ASKED] / asked, draws, spread, means, knowledge)


def skill_all(knowledge: Knowledge) -> Share | None:
    """1 - content / I; None where nothing is asked at all. Its interval holds the error of I."""
    truth, sums = knowledge.truth, knowledge.sums
    if not truth.constrains:
        return None
    spread = [
        1 - knowledge.value(part, part.content) / truth.information for part in knowledge.parts.values()
    ]
    draws = 1 - sums.all_draws(CONTENT) / knowledge.information_draws
    value = 1 - sums.value[CONTENT] / truth.information
    return _share("skill-all", value, draws, spread, sums, knowledge)


def uptake(knowledge: Knowledge) -> Share | None:
    """(A asked without the constraint - A) / (I - F), along the same numbers in the same wordings.

    A reference sampler reads no prompt: blind, it would write uniform digits, whose A is I - F, and its
    uptake is its skill. None where it was not asked so, and where there is no skill.
    """
    if knowledge.reference:
        return _renamed(skill(knowledge), "uptake")
    return _taken_up(knowledge, "uptake", lambda part: part.asked, lambda part: part.free_uniform)


def uptake_all(knowledge: Knowledge) -> Share | None:
    """(content asked without the constraint - content) / I: at all positions; of references, skill-all."""
    if knowledge.reference:
        return _renamed(skill_all(knowledge), "uptake-all")
    return _taken_up(
        knowledge, "uptake-all", lambda part: part.content, lambda part: np.zeros_like(part.free)
    )


def _renamed(share: Share | None, metric: str) -> Share | None:
    return share and replace(share, score=replace(share.score, metric=metric))


def _taken_up(
    knowledge: Knowledge,
    metric: str,
    kind: Callable[[Profile], np.ndarray],
    free: Callable[[Profile], np.ndarray],
) -> Share | None:
    """What speaking of the constraint saves of a part of content, as a share of I less what is left free."""
    truth, blind = knowledge.truth, knowledge.blind
    if not truth.constrains or blind is None or not _alike(knowledge, blind):
        return None

    def quantities(own: Profile, other: Profile) -> list[np.ndarray]:
        with np.errstate(invalid="ignore"):  # infinite less infinite is not known
            return [kind(other).sum(axis=1) - kind(own).sum(axis=1), free(own).sum(axis=1)]

    whole = (knowledge.whole, blind.whole)
    means = knowledge.means(quantities(*whole), _covariates(knowledge, *whole), least=-math.inf)
    known = truth.information - means.value[FREE]
    if known <= NOTHING:
        return None
    spread = []
    for name, own in knowledge.parts.items():
        values = np.stack(quantities(own, blind.parts[name]), axis=1)
        covariates = _covariates(knowledge, own, blind.parts[name])
        saved, left_free = calibrated_means(values, own.weight, covariates)
        spread.append(float(saved / (truth.information - left_free)))
    draws = means.all_draws(0) / np.maximum(knowledge.information_draws - means.all_draws(FREE), NOTHING)
    return _share(metric, means.value[0] / known, draws, spread, means, knowledge, math.inf, math.nan)


def _covariates(knowledge: Knowledge, own: Profile, blind: Profile) -> np.ndarray | None:
    """By number, what the luck of the difference of the two is taken off by."""
    if knowledge.enumerated:
        return None
    own_luck = knowledge.own_luck(blind) - knowledge.own_luck(own)
    return np.column_stack([knowledge.luck(own), own_luck])


def _alike(one: Knowledge, other: Knowledge) -> bool:
    """Whether they are read along the same numbers in the same wordings."""
    return one.numbers == other.numbers and list(one.parts) == list(other.parts)


def _share(
    metric: str,
    value: float,
    draws: np.ndarray,
    spread: Sequence[float],
    means: Means,
    knowledge: Knowledge,
    most: float = 1.0,
    floor: float = 1.0,
) -> Share:
    """From the means whose first quantity it hangs on. ``floor``: of uptake not known, for what a perfect
    sampler writes blind is its own affair."""
    reach = means.reach.of(0)
    low, high = reach.interval(value, draws)
    value = min(float(value), most)
    score = Score(
        metric, value, min(float(low), most), min(float(high), most), spread, len(knowledge.whole.weight),
        **certain(floor), calibrated=used_by(means),
    )  # fmt: skip
    spread_draws = np.minimum(reach.spread(value, draws), most)
    return Share(score, list(knowledge.parts), spread_draws, reach.student)


def _content_blind(knowledge: Knowledge) -> Score | None:
    truth, blind = knowledge.truth, knowledge.blind
    if knowledge.reference:
        return Score("content-blind", truth.information, truth.information, truth.information)
    if blind is None:
        return None
    content = next(score for score in blind.scores() if score.metric == "content")
    return replace(content, metric="content-blind", floor=math.nan, floor_low=math.nan, floor_high=math.nan)
