"""Numbers with a given digit sum, or one in a residue class."""

from dataclasses import dataclass

from sampler_bench.errors import InputError
from sampler_bench.integers import shown
from sampler_bench.targets.counting.automaton import AutomatonTarget
from sampler_bench.targets.registry import family


@family("digit-sums")
@dataclass(frozen=True)
class DigitSums(AutomatonTarget[int]):
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
        self.check_digits()
        if (self.sum is None) == (self.modulus is None):
            raise InputError("digit sums need either a sum or a modulus")
        if self.modulus is not None and not 0 <= self.residue < self.modulus:
            raise InputError(f"residue = {shown(self.residue)}: it must lie in 0..{shown(self.modulus - 1)}")
        if self.sum is not None and self.sum > 9 * self.digits:
            raise InputError(f"{self} is empty: digits sum to {9 * self.digits} at most")
        self.check()

    def step(self, state: int, digit: int) -> int | None:
        if self.modulus is not None:
            return (state + digit) % self.modulus
        assert self.sum is not None  # or else the modulus is given
        return state + digit if state + digit <= self.sum else None

    def accepts(self, state: int) -> bool:
        return state == (self.residue if self.modulus is not None else self.sum)

    def _why_not(self, number: str) -> str:
        found = sum(map(int, number))
        if self.modulus is None:
            return f"its digits sum to {found}, not to {self.sum}"
        rest = (
            f"which divided by {shown(self.modulus)} leaves {found % self.modulus}, not {shown(self.residue)}"
        )
        return f"its digits sum to {found}, {rest}"

    def __str__(self) -> str:
        wanted = (
            shown(self.sum or 0)
            if self.modulus is None
            else f"{shown(self.residue)} (mod {shown(self.modulus)})"
        )
        return f"{self.digits}-digit numbers with digit sum {wanted}"
