"""Numbers that an automaton of the user's own accepts."""

from dataclasses import dataclass
from functools import cached_property

from sampler_bench.errors import InputError
from sampler_bench.targets.base import DIGITS
from sampler_bench.targets.counting.automaton import AutomatonTarget
from sampler_bench.targets.registry import family


@family("automaton")
@dataclass(frozen=True)
class Automaton(AutomatonTarget[str]):
    """Numbers that a deterministic automaton accepts.

    ``moves`` gives for each state where digits lead: ``{"even": {"02468": "even", "13579": "odd"}, ...}``. A
    digit without a move ends in no number; a state without moves may be left out.

    Raises
    ------
    InputError
        If a state is unknown, a digit has two moves, an accepting state cannot be reached, or no number fits.
    """

    digits: int
    start: str
    accept: tuple[str, ...]
    moves: dict[str, dict[str, str]]

    def __post_init__(self):
        known = {*self.moves, *(to for moves in self.moves.values() for to in moves.values())}
        for state in (self.start, *self.accept):
            if state not in known:
                raise InputError(
                    f"state {state!r} has no moves and none leads to it; there are {', '.join(sorted(known))}"
                )
        for state, moves in self.moves.items():
            digits = "".join(moves)
            for digit in digits:
                if digit not in DIGITS or digits.count(digit) > 1:
                    reason = "stands twice" if digit in DIGITS else "is not a digit"
                    raise InputError(f"moves of state {state!r}: {digit!r} {reason}")
        unreachable = set(self.accept) - self.reachable
        if unreachable:
            raise InputError(
                f"no digits lead from state {self.start!r} to accepting {', '.join(sorted(unreachable))}"
            )
        self.check()

    @cached_property
    def _step(self) -> dict[tuple[str, int], str]:
        return {
            (state, int(digit)): to
            for state, moves in self.moves.items()
            for digits, to in moves.items()
            for digit in digits
        }

    def step(self, state: str, digit: int) -> str | None:
        return self._step.get((state, digit))

    def accepts(self, state: str) -> bool:
        return state in self.accept

    def __str__(self) -> str:
        return f"{self.digits}-digit numbers that an automaton of {len(self.reachable)} states accepts"
