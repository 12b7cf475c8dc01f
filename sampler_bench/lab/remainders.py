"""Ways to find a number that can be written down: propose, check, and propose again.

A trace is made by code and always true. A number is proposed uniformly among those of its length, and its
remainders by the first primes are written in turn until one speaks against it:

    638174 2:0 no
    271829 2:1 5:4 3:222222... yes

By 3 and 7 the remainders of all beginnings of the number are written, each of which follows from the one
before and one digit; by 2 and 5 the last digit says all. The number after which nothing speaks is the answer,
and a uniform draw.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from sampler_bench.errors import InputError
from sampler_bench.integers import shown
from sampler_bench.targets import Target
from sampler_bench.targets.counting.trial_division import primes, roots
from sampler_bench.targets.counting.tuple_names import parse_tuple
from sampler_bench.targets.families.sieved import Sieved
from sampler_bench.targets.uniform import random_below

ORDER = (2, 5, 3, 7)  # in which remainders are written: the easy ones first
MOST_PROPOSED = 20  # on average; longer traces do not fit


@dataclass(frozen=True)
class Remainders:
    """Proposes numbers and writes their remainders, for a target that these decide.

    Raises
    ------
    InputError
        If the target is not of family ``sieved`` with y up to 7 and without shifts, or more than 20 proposals
        would be needed on average.
    """

    target: Target

    def __post_init__(self):
        target = self.target
        suits = isinstance(target, Sieved) and target.y <= max(ORDER) and target.shifts == (0,)
        if not suits or target.digits == 1:  # of one digit, 2, 3, 5 and 7 belong although they are divided
            raise InputError(
                "trace 'remainders' is for targets that the remainders by 2, 3, 5 and 7 decide: family "
                f"sieved, y from 2 to 7, two digits or more, no shifts; not {target}"
            )
        if self._proposals > MOST_PROPOSED:
            raise InputError(
                f"trace 'remainders': of {self._proposals:.0f} proposals one would do on average, of "
                f"{target}; {MOST_PROPOSED} are the most"
            )

    @property
    def _proposals(self) -> float:
        return math.exp(self.target.information())

    def draw(self, rng: "np.random.Generator") -> tuple[str, str]:
        """A number and the trace that found it."""
        lines = []
        while True:
            number = str(
                10 ** (self.target.digits - 1) + random_below(9 * 10 ** (self.target.digits - 1), rng)
            )
            against = True
            words = [number]
            for word, against in self._remainders(number):
                words.append(word)
                if against:
                    break
            lines.append(" ".join([*words, "no" if against else "yes"]))
            if not against:
                return number, "\n".join(lines)

    def _remainders(self, number: str) -> Iterator[tuple[str, bool]]:
        """What is written of each prime, and whether it speaks against the number."""
        forms = parse_tuple(self.target.forms)  # pyright: ignore[reportAttributeAccessIssue]  a Sieved
        for p in ORDER:
            if p not in primes(self.target.y):  # pyright: ignore[reportAttributeAccessIssue]
                continue
            along = [int(number[: k + 1]) % p for k in range(len(number))]
            written = along if p in (3, 7) else along[-1:]
            yield f"{p}:{''.join(map(str, written))}", along[-1] in roots(forms, p)

    def entropy(self) -> float:
        """Of a trace with its number, nats: each proposal is a uniform draw, and all else follows from it."""
        return self._proposals * (math.log(9) + (self.target.digits - 1) * math.log(10))


TRACES: dict[str, Callable[[Target], Remainders]] = {"remainders": Remainders}


def trace_of(name: str, target: Target) -> Remainders:
    """The way of that name to find members. Raises InputError if there is none, or it does not suit."""
    if name not in TRACES:
        raise InputError(f"unknown trace {shown(name)!r}; there are {', '.join(TRACES)}")
    return TRACES[name](target)
