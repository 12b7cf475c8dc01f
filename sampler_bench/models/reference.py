"""Reference samplers: rows whose scores are known beforehand, measured by the same code as a model.

They read no prompt but know the task's target.
"""

import math
import re
from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np

from sampler_bench.errors import DeadPrefixError, InputError
from sampler_bench.integers import shown
from sampler_bench.models.model import BOTH, NATURAL, Prompt, Response, SamplingOptions, child_seeds
from sampler_bench.targets import END, SYMBOLS, Target, UniformTarget
from sampler_bench.targets.ladder import has_ladder, rung

MOST = 10**6  # y of a sieve, tries, members known by heart
SMALLEST = 1e-300  # share of members below which its logarithm alone is used


class Reference(ABC):
    """A sampler with a closed-form next-symbol law."""

    name: str
    can = BOTH

    def describe(self) -> dict:
        return {"kind": "reference", "identity": self.name}

    def suits(self, target: Target) -> bool:
        """Whether it is defined for the target."""
        return True

    @abstractmethod
    def law(self, target: Target, prefix: str) -> np.ndarray:
        """q(next symbol | prefix), shape (11,)."""

    async def conditionals(self, prompt: Prompt, prefixes: Sequence[str], trace: str = "") -> np.ndarray:
        rows = [self.law(prompt.task.target, prefix) for prefix in prefixes]
        return np.array(rows).reshape(-1, SYMBOLS)

    async def sample(
        self, prompt: Prompt, size: int, seed: int, options: SamplingOptions = NATURAL
    ) -> list[Response]:
        target = prompt.task.target
        responses = []
        for child in child_seeds(seed, size):
            number = self.draw(target, np.random.default_rng(child))
            responses.append(Response(number, child, "stop", 0, len(number), 0.0))
        return responses

    async def vouch(self) -> None:
        """Nothing changes behind a reference sampler."""
        return

    def draw(self, target: Target, rng: np.random.Generator) -> str:
        """One number, digit by digit from the law."""
        number = ""
        while (symbol := rng.choice(SYMBOLS, p=self.law(target, number))) != END:
            number += str(symbol)
        return number


class Oracle(Reference):
    """Draws from the target itself: the ceiling, and the noise floor of every sampled figure."""

    name = "oracle"

    def law(self, target: Target, prefix: str) -> np.ndarray:
        return target.conditional(prefix).p

    def draw(self, target: Target, rng: np.random.Generator) -> str:
        return target.sample(1, rng)[0]


class UniformDigits(Reference):
    """Uniform digits, stopping as the target does: the floor, content I(S).

    The first digit is one of 1..9, or of 0..9 where the target allows a 0 there. Where no member is left, it
    writes on to the full length, or stops if the target's numbers differ in length.
    """

    name = "uniform-digits"

    def law(self, target: Target, prefix: str) -> np.ndarray:
        q = np.zeros(SYMBOLS)
        q[END], go_on = self._stop_or_go(target, prefix)
        first = 1 if not prefix and target.conditional("").p[0] == 0 else 0
        q[first:END] = go_on / (END - first)
        return q

    def _stop_or_go(self, target: Target, prefix: str) -> tuple[float, float]:
        if target.fixed:
            complete = len(prefix) == target.digits
            return float(complete), float(not complete)
        try:
            p = target.conditional(prefix).p
        except DeadPrefixError:
            return 1.0, 0.0
        return p[END], p[:END].sum()  # not 1 - p[END], which may be 0 where this is 1e-40


class FeasibleUniform(Reference):
    """Uniform over the symbols that can still be completed: the support without the counts."""

    name = "feasible-uniform"

    def law(self, target: Target, prefix: str) -> np.ndarray:
        feasible = target.conditional(prefix).p > 0
        return feasible / feasible.sum()


class Sieve(Reference):
    """``sieve-y``: draws from W_y, all numbers that no prime up to y excludes. Content ln|W_y| - ln|S|."""

    least = 2  # that y may be

    def __init__(self, y: int):
        self.y, self.name = y, f"sieve-{y}"

    def suits(self, target: Target) -> bool:
        return has_ladder(target)

    def law(self, target: Target, prefix: str) -> np.ndarray:
        return rung(target, self.y).conditional(prefix).p

    def draw(self, target: Target, rng: np.random.Generator) -> str:
        return rung(target, self.y).sample(1, rng)[0]


class ProposeAndCheck(Reference):
    """``propose-and-check-B``: writes the first of B uniform numbers that is a member, or else the last.

    With the share r = exp(-I) of numbers that are members, it is valid with probability v = 1 - (1 - r)^B,
    then uniform over the members, and otherwise uniform over all other numbers. Content -ln v.
    """

    least = 1

    def __init__(self, tries: int):
        self.tries, self.name = tries, f"propose-and-check-{tries}"

    def suits(self, target: Target) -> bool:
        return isinstance(target, UniformTarget) and target.fixed

    def log_validity(self, target: Target) -> float:
        """ln v, 0 where every number is a member."""
        share = math.exp(-target.information())
        if share < SMALLEST:
            return math.log(self.tries) - target.information()
        return math.log(-math.expm1(self.tries * math.log1p(-share))) if share < 1 else 0.0

    def law(self, target: Target, prefix: str) -> np.ndarray:
        q = np.zeros(SYMBOLS)
        if len(prefix) == target.digits:
            q[END] = 1.0
            return q
        q[:END] = [self._probability(target, prefix + str(digit)) for digit in range(END)]
        return q / q.sum()

    def _probability(self, target: Target, prefix: str) -> float:
        """Of a number that starts with the prefix, times 9 10^(len(prefix) - 1)."""
        if prefix[0] == "0":
            return 0.0
        information, log_valid = target.information(), self.log_validity(target)
        log_all = -math.log(9) - (len(prefix) - 1) * math.log(10)
        log_ratio = target.log_probability(prefix).value - log_all  # ln of P(u) / U(u)
        share, members = math.exp(-information), math.exp(log_ratio - information)  # of all numbers; after u
        others = max(1 - members, 0.0) / (1 - share) if share < 1 else 0.0
        return math.exp(log_valid + log_ratio) - math.expm1(log_valid) * others

    def draw(self, target: Target, rng: np.random.Generator) -> str:
        number = ""  # there is one try at least
        for _ in range(self.tries):
            number = str(rng.integers(1, 10)) + "".join(map(str, rng.integers(10, size=target.digits - 1)))
            if target.contains(number):
                break
        return number


class RecallElsePropose(Reference):
    """``recall-K-else-propose-B``: knows sets of up to K members by heart, and proposes and checks in others.

    Bounded memory and bounded tries: content 0 where |S| <= K, and beyond that of ``propose-and-check-B``,
    -ln v, about I - ln B where members are rare. That the middle is hard is built in, not found.
    """

    least = 1

    def __init__(self, known: int, tries: int):
        self.known, self.name = known, f"recall-{known}-else-propose-{tries}"
        self.by_heart, self.otherwise = Oracle(), ProposeAndCheck(tries)

    def suits(self, target: Target) -> bool:
        return self.otherwise.suits(target)

    def way(self, target: Target) -> Reference:
        """The sampler that it is for the target."""
        size = target.count("")
        if size is None and isinstance(target, UniformTarget):
            small = target.log_size(target.information()) <= math.log(self.known)
        else:
            small = size is not None and size <= self.known
        return self.by_heart if small else self.otherwise

    def law(self, target: Target, prefix: str) -> np.ndarray:
        return self.way(target).law(target, prefix)

    def draw(self, target: Target, rng: np.random.Generator) -> str:
        return self.way(target).draw(target, rng)


REFERENCES: dict[str, type[Reference]] = {
    kind.name: kind for kind in (Oracle, UniformDigits, FeasibleUniform)
}
# By name; a capital letter stands for a number.
NUMBERED: dict[str, type[Sieve | ProposeAndCheck | RecallElsePropose]] = {
    "sieve-N": Sieve,
    "propose-and-check-N": ProposeAndCheck,
    "recall-K-else-propose-B": RecallElsePropose,
}


def find_reference(name: str) -> Reference | None:
    """The reference sampler of a name, such as ``oracle``, ``sieve-13`` or ``recall-100-else-propose-64``.

    Returns None if the name is none of theirs.

    Raises
    ------
    InputError
        If a number in it is out of range.
    """
    if name in REFERENCES:
        return REFERENCES[name]()
    for form, kind in NUMBERED.items():
        if found := re.fullmatch(re.sub("[A-Z]", "([0-9]+)", form), name):
            return kind(*(_number(text, kind.least, name) for text in found.groups()))
    return None


def _number(text: str, least: int, name: str) -> int:
    if text[0] == "0" or len(text) > len(str(MOST)) or not least <= int(text) <= MOST:
        raise InputError(f"model {shown(name)!r}: the number must be from {least} to {MOST}")
    return int(text)
