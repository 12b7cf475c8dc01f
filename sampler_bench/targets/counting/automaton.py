"""Numbers whose digits a finite automaton accepts: counted by dynamic programming in exact integers."""

from abc import abstractmethod
from collections import Counter
from collections.abc import Hashable
from functools import cached_property
from typing import Generic, TypeVar

import numpy as np

from sampler_bench.errors import InputError
from sampler_bench.targets.uniform import CountedUniformTarget

MAX_DIGITS = 1000
MAX_STATES = 10**5
KEPT_STATES = 1024  # of prefixes that were read
MAX_CELLS = 5 * 10**6  # states times digits: the integers that are kept, 1 GB at 1000 digits

State = TypeVar("State", bound=Hashable)


class AutomatonTarget(CountedUniformTarget, Generic[State]):
    """Numbers of exactly ``digits`` digits, read from left to right by a deterministic automaton.

    Completions are counted once for each state and number of digits left.
    """

    start: State

    @abstractmethod
    def step(self, state: State, digit: int) -> State | None:
        """The state after one more digit; None if no number goes on so."""

    @abstractmethod
    def accepts(self, state: State) -> bool:
        """Whether a number may end in this state."""

    def check_digits(self, most: int = MAX_DIGITS) -> None:
        super().check_digits(most)

    def check(self) -> None:
        """Raise InputError if ``digits`` is out of range, the automaton too large, or nothing accepted."""
        self.check_digits()
        if self.count("") == 0:
            raise InputError(f"{self} is empty: no {self.digits}-digit number fits")

    @property
    def reachable(self) -> set[State]:
        """The states that some string of digits leads to."""
        return set(self._arrows)

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
        state = self.state(prefix)
        return 0 if state is None else self._completions[self.digits - len(prefix)][state]

    def state(self, prefix: str) -> State | None:
        """That of the automaton after the prefix; None if no number goes on so."""
        known = self._read.get(prefix[:-1])  # as where a prefix is asked for digit by digit
        state, rest = (known[0], prefix[-1:]) if known else (self.start, prefix)
        for digit in rest:
            state = None if state is None else self._arrows[state][int(digit)]
        if len(self._read) == KEPT_STATES:
            self._read.clear()
        self._read[prefix] = (state,)
        return state

    @cached_property
    def _read(self) -> dict[str, tuple[State | None]]:
        """States after prefixes, each in a tuple: None is one, too."""
        return {}

    @cached_property
    def _arrows(self) -> dict[State, list[State | None]]:
        """Where each state that can be reached goes with each digit. Raises InputError if they are many."""
        arrows, waiting, most = {}, [self.start], min(MAX_STATES, MAX_CELLS // self.digits)
        while waiting:
            state = waiting.pop()
            if state not in arrows:
                if len(arrows) == most:
                    raise InputError(
                        f"an automaton of more than {most} states is too large for {self.digits} digits"
                    )
                arrows[state] = [self.step(state, digit) for digit in range(10)]
                waiting += [following for following in arrows[state] if following is not None]
        return arrows

    @cached_property
    def _completions(self) -> list[dict[State, int]]:
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
