"""A score: a measured value, its interval, its spread over wordings, and what a perfect sampler has."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypedDict

RESOLUTION = 1e-6  # relative above 1: to which what is made of a model's conditionals is known
SIGNIFICANT = 0.05  # of adjusted p-values


@dataclass(frozen=True)
class Score:
    """A row of the SCORES schema but for what it is a score of, and for its unit: ``metrics.py`` knows that.

    ``by_paraphrase``: the values that the arm's paraphrases give by themselves. ``floor``: the noise floor,
    what a perfect sampler has at the same n, 95 % of it from ``floor_low`` to ``floor_high``; the three are
    one where its value is certain. ``calibrated``: the known quantities that the luck was taken off by.
    """

    metric: str
    value: float
    low: float = math.nan
    high: float = math.nan
    by_paraphrase: Iterable[float] = ()
    n: int = 0
    floor: float = math.nan
    floor_low: float = math.nan
    floor_high: float = math.nan
    p: float = math.nan
    p_adjusted: float = math.nan
    calibrated: str = ""

    @property
    def like_oracle(self) -> bool | None:
        """Whether the score does not tell the sampler from a perfect one; None where that is not asked.

        By the test, if there is one. Else the score must have an interval, and its value must lie where a
        perfect sampler's does: where that is certain, it must be that value; of a difference of two scores,
        the interval must hold it.
        """
        if not math.isnan(self.p_adjusted):
            return self.p_adjusted >= SIGNIFICANT
        if any(map(math.isnan, (self.floor, self.value, self.low))):
            return None
        if math.isnan(self.floor_low):
            return self.low <= self.floor <= self.high
        slack = RESOLUTION * max(1.0, abs(self.floor))
        return self.floor_low - slack <= self.value <= self.floor_high + slack

    def cells(self) -> dict:
        """The columns of the SCORES schema that are the score's own."""
        spread = list(self.by_paraphrase)
        several = len(spread) > 1
        return {
            "metric": self.metric,
            "value": float(self.value),
            "low": float(self.low),
            "high": float(self.high),
            "paraphrase_low": min(spread) if several else math.nan,
            "paraphrase_high": max(spread) if several else math.nan,
            "n": int(self.n),
            "floor": float(self.floor),
            "floor_low": float(self.floor_low),
            "floor_high": float(self.floor_high),
            "p": float(self.p),
            "p_adjusted": float(self.p_adjusted),
            "like_oracle": self.like_oracle,
            "calibrated": self.calibrated,
        }


class Floor(TypedDict):
    """The noise floor, as ``Score`` takes it."""

    floor: float
    floor_low: float
    floor_high: float


def certain(floor: float) -> Floor:
    """The noise floor of a score whose value for a perfect sampler leaves nothing to chance."""
    return {"floor": floor, "floor_low": floor, "floor_high": floor}


@dataclass(frozen=True)
class Point:
    """A point of a curve: a row of the CURVES schema but for what it is a curve of."""

    axis: str
    at: int
    metric: str
    value: float
    low: float
    high: float
    n: int
