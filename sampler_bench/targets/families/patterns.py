"""Numbers that match a regular expression."""

from dataclasses import dataclass
from functools import cached_property

from sampler_bench.errors import InputError
from sampler_bench.targets.counting.automaton import MAX_CELLS, AutomatonTarget
from sampler_bench.targets.registry import family

SHOWN = 80  # characters of a pattern in a sentence


@family("pattern")
@dataclass(frozen=True)
class Pattern(AutomatonTarget[int]):
    """Numbers of exactly ``digits`` digits, the first not 0, that match a regular expression as a whole.

    The numbers are those that Python's ``re.fullmatch`` matches. What else the expression matches, strings of
    other lengths or of other characters, makes no difference: ``digits`` says which are meant, and properties
    as in ``(?:(?!00)[0-9])*`` are best said of numbers of any length.

    Raises
    ------
    InputError
        If it is no expression, holds a backreference, a conditional or atomic group or a possessive
        quantifier, needs too large an automaton, or matches no number.
    """

    digits: int
    pattern: str

    start = 0

    def __post_init__(self):
        self.check()

    @cached_property
    def _machine(self) -> tuple[list[list[int | None]], list[bool]]:
        from sampler_bench.targets.counting.derivatives import compile_pattern

        try:
            return compile_pattern(self.pattern, self.digits, MAX_CELLS // self.digits)
        except InputError as error:
            raise InputError(f"pattern = '{shorten(self.pattern)}' cannot be compiled: {error}") from error

    def step(self, state: int, digit: int) -> int | None:
        return self._machine[0][state][digit]

    def accepts(self, state: int) -> bool:
        return self._machine[1][state]

    def __str__(self) -> str:
        return f"{self.digits}-digit numbers that match {shorten(self.pattern)}"


def shorten(pattern: str) -> str:
    """The pattern, or its beginning, in one line."""
    pattern = pattern if pattern.isprintable() else repr(pattern)[1:-1]
    return pattern if len(pattern) <= SHOWN else f"{pattern[: SHOWN - 1]}…"
