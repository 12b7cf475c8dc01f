"""Numbers whose digits a finite automaton accepts: counted by dynamic programming in exact integers."""

from abc import abstractmethod
from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from sampler_bench.errors import InputError
from sampler_bench.targets.base import UniformTarget

MAX_DIGITS = 1000
MAX_CELLS = 10**7  # states times digits: the integers that are kept


class AutomatonTarget(UniformTarget):
    """Numbers of exactly ``digits`` digits, read from left to right by a deterministic automaton.

    Completions are counted once for each state and number of digits left.
    """

    start: Hashable

    @abstractmethod
    def step(self, state: Hashable, digit: int) -> Hashable | None:
        """The state after one more digit; None if no number goes on so."""

    @abstractmethod
    def accepts(self, state: Hashable) -> bool:
        """Whether a number may end in this state."""

    def check(self) -> None:
        """Raise InputError if ``digits`` is out of range, the automaton too large, or nothing accepted."""
        self.check_digits()
        if self.digits > MAX_DIGITS:
            raise InputError(f"digits = {self.digits}: automata are run up to {MAX_DIGITS} digits")
        if len(self._arrows) * self.digits > MAX_CELLS:
            raise InputError(
                f"{self}: an automaton of {len(self._arrows)} states is too large for {self.digits} digits"
            )
        if self.count("") == 0:
            raise InputError(f"{self} is empty: no {self.digits}-digit number fits")

    @property
    def reachable(self) -> set[Hashable]:
        """The states that some string of digits leads to."""
        return set(self._arrows)

    def other_length(self) -> str | None:
        """A length other than ``digits`` of strings that are accepted, as in "2" or "above 3", if any."""
        layer = {self.start}
        for length in range(self.digits):
            if any(map(self.accepts, layer)):
                return str(length)
            layer = {following for state in layer for following in self._arrows[state]} - {None}
        beyond, waiting = set(), list(layer)
        while waiting:
            for following in self._arrows[waiting.pop()]:
                if following is not None and following not in beyond:
                    beyond.add(following)
                    waiting.append(following)
        return f"above {self.digits}" if any(map(self.accepts, beyond)) else None

    def residues(self, modulus: int) -> np.ndarray | None:
        """By dynamic programming over states and residues; None where those are too many."""
        if len(self._arrows) * self.digits * modulus > MAX_CELLS:
            return None
        ways = Counter({(self.start, 0): 1})
        for place in range(self.digits):
            longer = Counter()
            for (state, rest), count in ways.items():
                for digit in range(place == 0, 10):
                    following = self._arrows[state][digit]
                    if following is not None:
                        longer[following, (10 * rest + digit) % modulus] += count
            ways = longer
        total = self.count("")
        law = np.zeros(modulus)
        for (state, rest), count in ways.items():
            law[rest] += count / total if self.accepts(state) else 0
        return law

    def _count(self, prefix: str) -> int:
        if not prefix:
            return sum(self._count(digit) for digit in "123456789")
        state = self.start
        for digit in prefix:
            state = self._arrows[state][int(digit)]
            if state is None:
                return 0
        return self._completions[self.digits - len(prefix)][state]

    @cached_property
    def _arrows(self) -> dict[Hashable, list[Hashable | None]]:
        """Where each state that can be reached goes with each digit."""
        arrows, waiting = {}, [self.start]
        while waiting:
            state = waiting.pop()
            if state not in arrows:
                arrows[state] = [self.step(state, digit) for digit in range(10)]
                waiting += [following for following in arrows[state] if following is not None]
        return arrows

    @cached_property
    def _completions(self) -> list[dict[Hashable, int]]:
        """For 0, 1, ... digits left: how many ways lead from a state to one that accepts."""
        layers = [{state: int(self.accepts(state)) for state in self._arrows}]
        for _ in range(self.digits):
            last = layers[-1]
            layers.append(
                {
                    state: sum(last[following] for following in arrows if following is not None)
                    for state, arrows in self._arrows.items()
                }
            )
        return layers


@dataclass(frozen=True)
class DigitSums(AutomatonTarget):
    """Numbers whose digits sum to ``sum``, or to ``residue`` modulo ``modulus``.

    Raises
    ------
    InputError
        If not exactly one of ``sum`` and ``modulus`` is given, one makes no sense, or no number fits.
    """

    digits: int
    sum: int | None = None
    modulus: int | None = None
    residue: int = 0

    start = 0

    def __post_init__(self):
        if (self.sum is None) == (self.modulus is None):
            raise InputError("digit sums need either a sum or a modulus")
        if self.modulus is not None and not 0 <= self.residue < self.modulus:
            raise InputError(f"residue = {self.residue}: it must lie in 0..{self.modulus - 1}")
        self.check()

    def step(self, state: int, digit: int) -> int | None:
        if self.modulus is not None:
            return (state + digit) % self.modulus
        return state + digit if state + digit <= self.sum else None

    def accepts(self, state: int) -> bool:
        return state == (self.residue if self.modulus is not None else self.sum)

    def __str__(self) -> str:
        wanted = f"{self.sum}" if self.modulus is None else f"{self.residue} (mod {self.modulus})"
        return f"{self.digits}-digit numbers with digit sum {wanted}"


@dataclass(frozen=True)
class Neighbours(AutomatonTarget):
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

    def __str__(self) -> str:
        return f"{self.digits}-digit numbers with {self.rule} neighbours"
