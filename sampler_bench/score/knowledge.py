"""Scores and curves from conditionals: how far the model's law is from the truth, and where."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from sampler_bench.runs.laws_in_arrow import with_arrays
from sampler_bench.score.divergence import Profile, mean_profile, numbers_of, profiles_by_paraphrase
from sampler_bench.score.estimate import RESAMPLES, Means, calibrated_means, means_over_numbers
from sampler_bench.score.intervals import Z, middle
from sampler_bench.score.laws_in_pieces import Laws
from sampler_bench.score.score import Point, Score, certain
from sampler_bench.score.truth import NOTHING, Truth
from sampler_bench.targets.ladder import sieve_ladder, sieve_level
from sampler_bench.targets.strata import strata

SUMS = {  # metric, summed over positions: its part of a profile
    "content": lambda part: part.content,
    "stopping": lambda part: part.stopping,
    "format": lambda part: np.where(part.may_end, 0.0, part.stopping),
    "stop": lambda part: np.where(part.may_end, part.stopping, 0.0),
    "free-digit-bias": lambda part: part.free,
    "free-information": lambda part: part.free_uniform,
    "dead-end": lambda part: part.dead_end,
    "jsd": lambda part: part.jsd,
    "variation": lambda part: part.variation,
    "bound": lambda part: part.bound,
}
NOT_THE_MODELS = ("bound", "free-information")  # of the truth: a perfect sampler has the same
CONTENT = list(SUMS).index("content")
CONTROL = ["blind", "traces_of"]  # columns that say of what control a record is, if of any
LUCK, OWN_LUCK = "luck", "own-luck"  # what a score is calibrated on
CURVES = ("content", "stopping", "entropy", "free", "jsd", "variation", "dead_end")  # by position
LOOK_AHEAD = ("content", "entropy", "prefixes")  # by what is left to write
DECADE = math.log(10) * (1 - 1e-12)  # nats; less rounding, so that N(u) = 10 falls into the second


@dataclass(frozen=True)
class Knowledge:
    """What the conditionals of one model, arm and decoder say of one task.

    Attributes
    ----------
    truth : Truth
    laws : Laws
        The records, without those of controls.
    direct : Knowledge or None
        What those of the same model and decoder say under the arm that answers at once; None for that arm
        itself, or where it was not measured.
    blind, irrelevant : Knowledge or None
        Of the controls: asked without the constraint, and after the traces of another task.
    reference : bool
        Whether the model is a reference sampler, which reads no prompt.
    """

    truth: Truth
    laws: Laws
    direct: "Knowledge | None" = None
    blind: "Knowledge | None" = None
    irrelevant: "Knowledge | None" = None
    reference: bool = False

    @property
    def rows(self) -> pd.DataFrame:
        """The records, laws as they are held (``runs/laws_in_arrow.py``). Made when asked for."""
        return self.laws.frame()

    @property
    def records(self) -> pd.DataFrame:
        """The records, for metrics from outside: each p, q and q_by_trace an array. Made when asked for."""
        return with_arrays(self.rows)

    @cached_property
    def parts(self) -> dict[str, Profile]:
        """By paraphrase."""
        return profiles_by_paraphrase(self.laws)

    @cached_property
    def whole(self) -> Profile:
        return mean_profile(list(self.parts.values()))

    @cached_property
    def numbers(self) -> list[str]:
        """The numbers read along, in the order of the profile."""
        first, columns = next(iter(self.parts)), ["paraphrase", "number_id", "position", "prefix"]
        return numbers_of(piece[piece["paraphrase"] == first] for piece in self.laws.pieces(columns))

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
    def strata(self) -> np.ndarray:
        """By number: the stratum that it was drawn from. One for all, if they were not drawn so."""
        weight = self.whole.weight
        if self.truth.stratified and not self.enumerated:
            drawn = strata(self.truth.target, len(weight))
            numbers = [stratum.numbers for stratum in drawn]
            if np.allclose(weight, np.repeat([stratum.weight for stratum in drawn], numbers)):
                return np.repeat(np.arange(len(drawn)), numbers)
        return np.zeros(len(weight), int)

    @cached_property
    def information_draws(self) -> np.ndarray:
        """I(S), and where that is an estimate what else it may be; shape (RESAMPLES,)."""
        errors = np.random.default_rng(self.truth.seed("information")).normal(size=RESAMPLES)
        return np.maximum(self.truth.information + self.truth.information_error * errors, NOTHING)

    @cached_property
    def sums(self) -> Means:
        """Of SUMS, in that order."""
        return self.means([kind(self.whole).sum(axis=1) for kind in SUMS.values()])

    def scores(self) -> Iterator[Score]:
        """All scores; each with the value that a perfect sampler has, where that is known."""
        n = len(self.whole.weight)
        for (metric, kind), value, low, high in zip(
            SUMS.items(), self.sums.value, self.sums.low, self.sums.high, strict=True
        ):
            spread = [self.value(part, kind(part)) for part in self.parts.values()]
            floor = certain(math.nan if metric in NOT_THE_MODELS else 0.0)
            yield Score(metric, value, low, high, spread, n, **floor, calibrated=used_by(self.sums))
            if metric == "content":
                yield from self._level(value, low, high, spread, n)
        off = Z * self.truth.information_error
        for metric, value in (("information", self.truth.information), ("ln-size", self.truth.log_size)):
            if value is not None:
                yield Score(metric, value, max(value - off, 0.0), value + off, n=n)
        if self.direct:
            yield gain(self.direct, self)

    def _level(self, value: float, low: float, high: float, spread: list[float], n: int) -> Iterator[Score]:
        """Content on the ladder of sieves, on which more is better."""
        target = self.truth.target
        if sieve_ladder(target):
            level, level_high, level_low = (sieve_level(target, nats) for nats in (value, low, high))
            levels = [sieve_level(target, nats) for nats in spread]
            root = certain(sieve_level(target, 0.0))
            yield Score(
                "level", level, level_low, level_high, levels, n, **root, calibrated=used_by(self.sums)
            )

    def points(self) -> Iterator[Point]:
        """All curves: by position, and what lies ahead by digits and decades of completions left."""
        whole = self.whole
        digits_left = whole.present[:, ::-1].cumsum(axis=1)[:, ::-1] - 1
        decades = np.floor_divide(whole.left, DECADE).astype(int)
        position = np.broadcast_to(np.arange(whole.present.shape[1]), whole.present.shape)
        kinds = [("position", position, CURVES), ("digits-left", digits_left, LOOK_AHEAD)]
        for axis, places, metrics in [*kinds, ("decades-left", decades, LOOK_AHEAD)]:
            reached = np.unique(places[whole.present])
            means = self.means_of(self._by_place(metrics, places, reached))
            labels = [(metric.replace("_", "-"), int(at)) for metric in metrics for at in reached]
            for (metric, at), *values in zip(labels, means.value, means.low, means.high, strict=True):
                value, low, high = map(float, values)
                yield Point(axis, at, metric, value, low, high, len(whole.weight))

    def _by_place(self, metrics: Sequence[str], places: np.ndarray, reached: np.ndarray) -> np.ndarray:
        """Sums of each number's entries at each place, by metric and place; shape (numbers, both)."""
        present = self.whole.present
        number, _ = np.nonzero(present)
        place = np.searchsorted(reached, places[present])
        table = np.zeros((len(present), len(metrics), len(reached)))
        for index, metric in enumerate(metrics):
            values = present.astype(float) if metric == "prefixes" else getattr(self.whole, metric)
            np.add.at(table[:, index], (number, place), values[present])
        return table.reshape(len(present), -1)

    def means(
        self, columns: Sequence[np.ndarray], covariates: np.ndarray | None = None, least: float = 0.0
    ) -> Means:
        """Of quantities of each number; by default calibrated on the luck of content."""
        return self.means_of(np.stack(columns, axis=1), covariates, least)

    def means_of(self, values: np.ndarray, covariates: np.ndarray | None = None, least: float = 0.0) -> Means:
        """As ``means``, of an array of shape (numbers, quantities)."""
        return means_over_numbers(
            values,
            self.whole.weight,
            self.covariates(self.whole) if covariates is None else covariates,
            self.truth.seed("numbers"),
            strata=self.strata,
            expectation=np.column_stack(
                [self.information_draws - self.truth.information, np.zeros(RESAMPLES)]
            ),
            least=least,
        )

    def value(self, part: Profile, values: np.ndarray) -> float:
        means = calibrated_means(values.sum(axis=1)[:, None], part.weight, self.covariates(part))
        return max(float(means[0]), 0.0)


def used_by(means: Means) -> str:
    """What means over numbers are calibrated on."""
    return "+".join((LUCK, OWN_LUCK)[index] for index in means.used)


def gain(direct: Knowledge, other: Knowledge) -> Score:
    """Content of the direct answer less content of another arm, nats: what asking otherwise is worth.

    Along numbers that both were read along, each is compared with itself. Where the other arm has numbers of
    its own, the two are taken as independent.
    """
    place = {number: row for row, number in enumerate(direct.numbers)}
    rows = [place.get(number, -1) for number in other.numbers]
    calibrated = ""
    with np.errstate(invalid="ignore"):  # infinite less infinite is not known
        if -1 in rows or (direct.enumerated and other.enumerated):
            value = direct.sums.value[CONTENT] - other.sums.value[CONTENT]
            independent = np.random.default_rng(0).permutation(other.sums.spread_draws(CONTENT))
            low, high = middle(direct.sums.spread_draws(CONTENT) - independent)
        else:
            contents = [one.whole.content.sum(axis=1) for one in (direct, other)]
            own = [one.own_luck(one.whole) for one in (direct, other)]
            means = means_over_numbers(
                (contents[0][rows] - contents[1])[:, None],
                other.whole.weight,
                np.column_stack([own[0][rows] - own[1], other.luck(other.whole)]),
                other.truth.seed("numbers"),
                strata=other.strata,
                expectation=np.column_stack(
                    [np.zeros(RESAMPLES), other.information_draws - other.truth.information]
                ),
            )
            value, low, high = means.value[0], means.low[0], means.high[0]
            calibrated = "+".join((OWN_LUCK, LUCK)[index] for index in means.used)
    return Score("gain", value, low, high, n=len(rows), floor=0.0, calibrated=calibrated)


def with_controls(truth: Truth, kinds: Mapping[tuple, Laws], reference: bool) -> Knowledge | None:
    """What one row's conditionals say, each kind of control by itself; None if there are but controls.

    ``kinds``: the records by the values of CONTROL. No blind record was read after another task's traces, and
    where a record was, it is always the same other task's.
    """
    own, blind = kinds.get((False, "")), kinds.get((True, ""))
    irrelevant = next((laws for (_, traces_of), laws in kinds.items() if traces_of), None)
    controls = [laws and Knowledge(truth, laws) for laws in (blind, irrelevant)]
    return own and Knowledge(truth, own, None, *controls, reference=reference)
