"""Games of chance with a question: the answers' probabilities, by going through every course of the game."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Literal

import numpy as np

from sampler_bench.errors import InputError
from sampler_bench.integers import shown
from sampler_bench.targets.counting.tabulated import TabulatedTarget
from sampler_bench.targets.registry import family

MAX_DOORS = 999


@family("monty-hall")
@dataclass(frozen=True)
class MontyHall(TabulatedTarget):
    """The door with the car, after the host has opened all but two.

    The car is behind one of ``doors`` doors, each as likely. The player has chosen door 1. The host opens
    all doors but this and one other: a host who ``knows`` never opens the car's door, and where door 1 has
    the car leaves any other shut, each as likely; one who ``stumbles`` opens doors at random. It is seen that
    the last door is left shut and that no car has come to light. The answer is the number of a door.

    Raises
    ------
    InputError
        Unless there are from 3 to 999 doors.
    """

    doors: int = 3
    host: Literal["knows", "stumbles"] = "knows"

    def __post_init__(self):
        if not 3 <= self.doors <= MAX_DOORS:
            raise InputError(f"doors = {shown(self.doors)}: from 3 to {MAX_DOORS} are wanted")

    @property
    def digits(self) -> int:  # pyright: ignore[reportIncompatibleVariableOverride]  read, never set
        return len(str(self.doors))

    def courses(self) -> Iterator[tuple[Fraction, int, int]]:
        """Every course of the game: its probability, the door with the car, the other door left shut."""
        others = range(2, self.doors + 1)
        for car in range(1, self.doors + 1):
            choices = [car] if self.host == "knows" and car != 1 else others
            for shut in choices:
                yield Fraction(1, self.doors) / len(choices), car, shut

    @cached_property
    def _weights(self) -> np.ndarray:  # pyright: ignore[reportIncompatibleMethodOverride]  a property, kept
        weights = [Fraction(0)] * 10**self.digits
        for probability, car, shut in self.courses():
            if shut == self.doors and car in (1, shut):  # what is seen
                weights[car] += probability
        return np.array(weights, float)

    def _why_not(self, number: str) -> str:
        door = int(number)
        return f"the host has opened door {door}" if door <= self.doors else f"there are {self.doors} doors"

    def __str__(self) -> str:
        return f"doors of a game with {self.doors} and a host who {self.host}"
