"""Figures and curves from conditionals: how far the model's law is from the truth, and where."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from sampler_bench.score.divergence import Profile, mean_profile, numbers_of, profiles_by_paraphrase
from sampler_bench.score.estimate import Means, calibrated_means, interval_of_draws, means_over_numbers
from sampler_bench.score.figure import Figure, Point, certain
from sampler_bench.score.truth import Truth
from sampler_bench.targets.ladder import sieve_ladder, sieve_level

SUMS = {  # figure, summed over positions: its unit, its part of a profile
    "content": ("nats", lambda part: part.content),
    "stopping": ("nats", lambda part: part.stopping),
    "format": ("nats", lambda part: np.where(part.may_end, 0.0, part.stopping)),
    "stop": ("nats", lambda part: np.where(part.may_end, part.stopping, 0.0)),
    "free-digit-bias": ("nats", lambda part: part.free),
    "dead-end": ("digits", lambda part: part.dead_end),
    "jsd": ("nats", lambda part: part.jsd),
    "variation": ("digits", lambda part: part.variation),
    "bound": ("nats", lambda part: part.bound),
}
CONTENT = list(SUMS).index("content")
CURVES = ("content", "stopping", "entropy", "free", "jsd", "variation", "dead_end")  # by position
LOOK_AHEAD = ("content", "entropy", "prefixes")  # by what is left to write
DECADE = math.log(10) * (1 - 1e-12)  # nats; less rounding, so that N(u) = 10 falls into the second


@dataclass(frozen=True)
class TaskSkill:
    """The skill at one task, with what the mean over a suite needs of it.

    ``draws``: of its bootstrap. ``numbers``: how many were read along; ``enumerated``: whether these are all.
    """

    figure: Figure
    paraphrases: list[str]
    draws: np.ndarray
    numbers: int
    enumerated: bool


@dataclass(frozen=True)
class Knowledge:
    """What the conditionals of one model, arm and decoder say of one task."""

    truth: Truth
    records: pd.DataFrame

    @cached_property
    def parts(self) -> dict[str, Profile]:
        return profiles_by_paraphrase(self.records)

    @cached_property
    def whole(self) -> Profile:
        return mean_profile(list(self.parts.values()))

    @cached_property
    def numbers(self) -> list[str]:
        """The numbers read along, in the order of the profile."""
        first = self.records["paraphrase"] == next(iter(self.parts))
        return numbers_of(self.records[first])

    @property
    def enumerated(self) -> bool:
        """Whether they are all members."""
        return len(self.whole.weight) == self.truth.members

    def covariates(self, part: Profile) -> np.ndarray | None:
        """Two quantities of each number whose expectations are 0; None where nothing is left to chance."""
        if self.enumerated:
            return None
        return np.column_stack([self.luck(part), self.own_luck(part)])

    def luck(self, part: Profile) -> np.ndarray:
        """By number: the content of uniform digits less I(S), its expectation."""
        return part.uniform.sum(axis=1) - self.truth.information

    def own_luck(self, part: Profile) -> np.ndarray:
        """By number: the model's content less its surprise, whose expectation it is; 0 if it is infinite."""
        with np.errstate(invalid="ignore"):
            own = part.content.sum(axis=1) - part.surprise.sum(axis=1)
        return own if np.isfinite(own).all() else np.zeros_like(own)

    @cached_property
    def sums(self) -> Means:
        """Of SUMS, in that order."""
        return self._means([kind(self.whole).sum(axis=1) for _, kind in SUMS.values()])

    def content_draws(self) -> np.ndarray:
        return self.sums.all_draws(CONTENT)

    def skill(self) -> TaskSkill:
        """Its draws are nan where there is nothing to have skill at."""
        figure = next(figure for figure in self.figures() if figure.metric == "skill")
        draws = 1 - self.content_draws() / (self.truth.information if self.truth.constrains else math.nan)
        return TaskSkill(figure, list(self.parts), draws, len(self.numbers), self.enumerated)

    def figures(self) -> Iterator[Figure]:
        """All figures; each with the value that a perfect sampler has."""
        n = len(self.whole.weight)
        for (metric, (unit, kind)), value, low, high in zip(
            SUMS.items(), self.sums.value, self.sums.low, self.sums.high, strict=True
        ):
            spread = [self._value(part, kind(part)) for part in self.parts.values()]
            floor = {} if metric == "bound" else certain(0.0)
            yield Figure(metric, unit, value, low, high, spread, n, **floor)
            if metric == "content":
                yield from self._of_content(value, low, high, spread, n)
        yield Figure("information", "nats", *[self.truth.information] * 3, n=n)
        if self.truth.log_size is not None:
            yield Figure("ln-size", "nats", *[self.truth.log_size] * 3, n=n)

    def _of_content(
        self, value: float, low: float, high: float, spread: list[float], n: int
    ) -> Iterator[Figure]:
        """Skill and sieve level: content on other scales, on which more is better."""
        information = self.truth.information if self.truth.constrains else math.nan
        skill, skill_high, skill_low = (1 - nats / information for nats in (value, low, high))
        skills = [1 - nats / information for nats in spread]
        yield Figure("skill", "1", skill, skill_low, skill_high, skills, n, **certain(1.0))
        target = self.truth.target
        if sieve_ladder(target):
            level, level_high, level_low = (sieve_level(target, nats) for nats in (value, low, high))
            levels = [sieve_level(target, nats) for nats in spread]
            root = certain(sieve_level(target, 0.0))
            yield Figure("level", "y", level, level_low, level_high, levels, n, **root)

    def points(self) -> Iterator[Point]:
        """All curves: by position, and what lies ahead by digits and decades of completions left."""
        whole = self.whole
        digits_left = whole.present[:, ::-1].cumsum(axis=1)[:, ::-1] - 1
        decades = np.floor_divide(whole.left, DECADE).astype(int)
        position = np.broadcast_to(np.arange(whole.present.shape[1]), whole.present.shape)
        kinds = [("position", position, CURVES), ("digits-left", digits_left, LOOK_AHEAD)]
        for axis, places, metrics in [*kinds, ("decades-left", decades, LOOK_AHEAD)]:
            reached = np.unique(places[whole.present])
            tables = [self._by_place(metric, places, reached) for metric in metrics]
            means = self._means(np.concatenate(tables, axis=1).T)
            labels = [(metric.replace("_", "-"), int(at)) for metric in metrics for at in reached]
            for (metric, at), *figures in zip(labels, means.value, means.low, means.high, strict=True):
                yield Point(axis, at, metric, *map(float, figures), len(whole.weight))

    def _by_place(self, metric: str, places: np.ndarray, reached: np.ndarray) -> np.ndarray:
        """Sums of each number's entries at each place, shape (numbers, places)."""
        present = self.whole.present
        values = present.astype(float) if metric == "prefixes" else getattr(self.whole, metric)
        number, _ = np.nonzero(present)
        table = np.zeros((len(present), len(reached)))
        np.add.at(table, (number, np.searchsorted(reached, places[present])), values[present])
        return table

    def _means(self, columns: list[np.ndarray] | np.ndarray) -> Means:
        covariates, seed = self.covariates(self.whole), self.truth.seed("numbers")
        return means_over_numbers(np.stack(columns, axis=1), self.whole.weight, covariates, seed)

    def _value(self, part: Profile, values: np.ndarray) -> float:
        return float(calibrated_means(values.sum(axis=1)[:, None], part.weight, self.covariates(part))[0])


def gain(direct: Knowledge, other: Knowledge) -> Figure:
    """Content of the direct answer less content of another arm, nats: what asking otherwise is worth.

    Along numbers that both were read along, each is compared with itself. Where the other arm has numbers of
    its own, the two are taken as independent.
    """
    place = {number: row for row, number in enumerate(direct.numbers)}
    rows = [place.get(number, -1) for number in other.numbers]
    with np.errstate(invalid="ignore"):  # infinite less infinite is not known
        if -1 in rows or (direct.enumerated and other.enumerated):
            value = direct.sums.value[CONTENT] - other.sums.value[CONTENT]
            draws = direct.content_draws() - np.random.default_rng(0).permutation(other.content_draws())
            low, high = interval_of_draws(value, draws, min(len(direct.numbers), len(rows)))
        else:
            contents = [one.whole.content.sum(axis=1) for one in (direct, other)]
            own = [one.own_luck(one.whole) for one in (direct, other)]
            difference = (contents[0][rows] - contents[1])[:, None]
            covariates = np.column_stack([own[0][rows] - own[1], other.luck(other.whole)])
            seed = other.truth.seed("numbers")
            means = means_over_numbers(difference, other.whole.weight, covariates, seed)
            value, low, high = means.value[0], means.low[0], means.high[0]
    return Figure("gain", "nats", value, low, high, n=len(rows), floor=0.0)
