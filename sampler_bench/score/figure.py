"""Figures of the scores: a value, its interval, its spread over wordings, and what a perfect sampler has."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

ROUNDING = 1e-9
SIGNIFICANT = 0.05  # of adjusted p-values


@dataclass(frozen=True)
class Figure:
    """A row of the SCORES schema but for what it is a figure of.

    ``by_paraphrase``: the values that the arm's paraphrases give by themselves. ``floor``: the noise floor,
    what a perfect sampler has at the same n; where that scatters, 95 % of it lies from ``floor_low`` to
    ``floor_high``.
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

        By the test, if there is one; else by whether the value lies where a perfect sampler's does, or, if
        that does not scatter, by whether the figure's interval holds it.
        """
        if not math.isnan(self.p_adjusted):
            return self.p_adjusted >= SIGNIFICANT
        if math.isnan(self.floor) or math.isnan(self.value):
            return None
        if not math.isnan(self.floor_low):
            return self.floor_low - ROUNDING <= self.value <= self.floor_high + ROUNDING
        ends = (self.value, self.low, self.high)
        least, most = (choose(end for end in ends if not math.isnan(end)) for choose in (min, max))
        return least - ROUNDING <= self.floor <= most + ROUNDING

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
