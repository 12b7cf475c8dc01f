"""Figures of the scores: a value, its interval, its spread over wordings, and what a perfect sampler has."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

RESOLUTION = 1e-6  # relative above 1: to which figures made of a model's conditionals are known
SIGNIFICANT = 0.05  # of adjusted p-values


@dataclass(frozen=True)
class Figure:
    """A row of the SCORES schema but for what it is a figure of.

    ``by_paraphrase``: the values that the arm's paraphrases give by themselves. ``floor``: the noise floor,
    what a perfect sampler has at the same n, 95 % of it from ``floor_low`` to ``floor_high``; the three are
    one where its value is certain.
    """

    metric: str
    unit: str
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

    @property
    def like_oracle(self) -> bool | None:
        """Whether the figure does not tell the sampler from a perfect one; None where that is not asked.

        By the test, if there is one; by whether the value lies where a perfect sampler's does; or, for a
        difference of two figures, by whether its interval holds the floor.
        """
        if not math.isnan(self.p_adjusted):
            return self.p_adjusted >= SIGNIFICANT
        if math.isnan(self.floor) or math.isnan(self.value):
            return None
        if math.isnan(self.floor_low):
            return self.low <= self.floor <= self.high
        slack = RESOLUTION * max(1.0, abs(self.floor))
        return self.floor_low - slack <= self.value <= self.floor_high + slack

    def cells(self) -> dict:
        """The figure's columns of the SCORES schema."""
        spread = list(self.by_paraphrase)
        several = len(spread) > 1
        return {
            "metric": self.metric,
            "unit": self.unit,
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
        }


def certain(floor: float) -> dict[str, float]:
    """The noise floor of a figure whose value for a perfect sampler leaves nothing to chance."""
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
