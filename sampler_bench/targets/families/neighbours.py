"""Numbers in which each digit stands in some relation to the last."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from sampler_bench.targets.counting.automaton import AutomatonTarget
from sampler_bench.targets.registry import family

RULES = {
    "different": "neighbours must differ",
    "rising": "digits must rise",
    "not-falling": "digits must not fall",
}


@family("neighbours")
@dataclass(frozen=True)
class Neighbours(AutomatonTarget[int]):
    """Numbers whose digits are each ``different`` from, ``rising`` above, or ``not-falling`` below the last.

    Raises
    ------
    InputError
        If ``digits`` is out of range, or no number fits.
    """

    digits: int
    rule: Literal["different", "rising", "not-falling"]

    start = -1

    def __post_init__(self):
        self.check()

    def step(self, state: int, digit: int) -> int | None:
        allowed = {"different": digit != state, "rising": digit > state, "not-falling": digit >= state}
        return digit if allowed[self.rule] else None

    def accepts(self, state: int) -> bool:
        return state >= 0

    def _why_not(self, number: str) -> str:
        pairs = enumerate(pairwise(map(int, number)), start=2)
        place, (last, digit) = next((place, pair) for place, pair in pairs if self.step(*pair) is None)
        return f"digit {place} is {digit} after {last}, but {RULES[self.rule]}"

    def __str__(self) -> str:
        return f"{self.digits}-digit numbers with {self.rule} neighbours"
